"""The changes that a correction made to an entry, as a letter lists them (no I/O)."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from app.casework.papers import words
from app.casework.papers.letter import person
from app.register.entries.domain import Entry

Change = tuple[str, str, str]
"""Label, old value and new value of a changed member."""

_NOTHING: Final = "-"


def changes(before: Entry, after: Entry) -> list[Change]:
    """Return label, old value and new value of each changed member of person, ground and period, in printing order.

    A missing value is "-".
    """
    old, new = dict(_members(before)), dict(_members(after))
    return [
        (label, old.get(label, _NOTHING), new.get(label, _NOTHING))
        for label in dict.fromkeys((*old, *new))
        if old.get(label, _NOTHING) != new.get(label, _NOTHING)
    ]


def _members(entry: Entry) -> Iterator[tuple[str, str]]:
    lines: dict[str, list[str]] = {}
    label = ""
    for name, value in person.identity(entry):
        label = name or label  # a value without a label continues the one above
        lines.setdefault(label, []).append(value)
    if entry.subject.documents:
        lines["Dokumen perjalanan"] = [
            f"{kind} Nomor {number}, {state}, berlaku sampai dengan {until}"
            for kind, number, state, until in person.documents(entry.subject)
        ]
    for name, values in lines.items():
        yield name, "\n".join(values)
    for name, (label, shown) in _BASIS.items():
        value = getattr(entry.basis, name)
        yield label, _NOTHING if value is None else shown(value)
    yield "Hari pertama", words.day(entry.starts_on)
    yield "Hari terakhir", words.day(entry.ends_on) if entry.ends_on else "seumur hidup"


def _text(value: Any) -> str:
    return str(value)


def _code(table: dict[str, str]) -> Callable[[Any], str]:
    return lambda code: table.get(code, str(code))


_BASIS: Final[dict[str, tuple[str, Callable[[Any], str]]]] = {
    "instrument": ("Bentuk naskah", lambda code: words.INSTRUMENTS[code][0]),
    "number": ("Nomor keputusan, perintah, atau permintaan", _text),
    "issued_on": ("Tanggal keputusan, perintah, atau permintaan", words.day),
    "received_on": ("Tanggal diterima", words.day),
    "late_reason": ("Alasan keterlambatan", _text),
    "signed_by": ("Penanda tangan", _text),
    "signed_by_position": ("Jabatan penanda tangan", _text),
    "law": ("Dasar hukum", _text),
    "reason_code": ("Jenis alasan", _code(words.REASONS)),
    "reason": ("Alasan", _text),
    "case_reference": ("Nomor perkara atau urusan", _text),
    "stage": ("Tahap perkara", _code(words.STAGES)),
    "subject_status": ("Status dalam perkara", _code(words.STATUSES)),
    "amount_idr": ("Jumlah yang belum dilunasi", words.rupiah),
    "good_faith_doubt": ("Alasan keraguan atas iktikad baik", _text),
    "lifetime_ground": ("Alasan seumur hidup", _text),
    "trafficking_victim": ("Korban perdagangan orang", lambda is_one: "ya" if is_one else "tidak"),
    "reopens": (
        "Putusan yang membuka kembali perkara",
        lambda later: f"{later.court} Nomor {later.number} tanggal {words.day(later.decided_on)}",
    ),
}
"""Label of every member of the ground in a letter, and the function that formats its value."""
