"""The HTML index of an evidence file, in two languages, on one self-contained page."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

from app.casework.papers import words
from app.casework.papers.evidence.archive import File
from app.register.entries.blobs import BlobKind
from app.register.entries.domain import Entry

Titles = tuple[str, str]

RELATED: Final[dict[str, Titles]] = {
    "amendments": ("Perubahan: perpanjangan, perbaikan, pencabutan", "Amendments"),
    "objections": ("Keberatan dan jawabannya", "Objections and their answers"),
    "duties": ("Penyampaian dan kewajiban lain yang dicatat", "Deliveries and other recorded duties"),
    "correction-requests": ("Permintaan perbaikan data pribadi", "Requests to correct personal data"),
    "supervision-reports": ("Laporan pengawasan yang menjadi dasar", "Supervision reports that it rests on"),
    "clearances": ("Orang lain yang bernama mirip", "Other persons who were taken for this one"),
    "notices": ("Peringatan kepada pejabat", "Notices to officers"),
}
KEPT: Final[dict[BlobKind, tuple[str, Titles]]] = {
    "photo": ("photos", ("Foto", "Photo")),
    "letter": ("attachments", ("Surat lampiran", "Attached letter")),
    "citizenship_loss": (
        "attachments",
        ("Dokumen kehilangan kewarganegaraan", "Document of the loss of citizenship"),
    ),
    "judgment": ("attachments", ("Putusan pengadilan", "Judgment of a court")),
}
"""Folder and titles of the stored files of each kind."""
LEVELS: Final = ("received", "acknowledged", "refused")
CHECKS: Final = ("Pemeriksaan di TPI yang mengenai orang ini", "Checks at checkpoints that matched")
AUDIT: Final = ("Jejak audit: siapa melihat dan berbuat apa", "Audit trail: who looked and who did what")
LEDGER: Final = ("Catatan register tentang data ini", "Ledger records about the entry")
POLICY: Final = (
    "Kunci publik dan kuorum yang diterbitkan register: bandingkan dengan salinan Anda sendiri",
    "Public keys and quorum as the register publishes them: compare them with a copy of your own",
)
CLIENTS: Final = ("Klien dan pejabat yang disebut", "Clients and officers that are named")
PROGRAM: Final = ("Program pemeriksa surat dan bukti", "Program that verifies letters and proofs")
FILE_PROGRAM: Final = ("Program pemeriksa berkas ini", "Program that verifies this file")
EXPLAINED: Final = ("Cara memeriksa", "How to verify")
PAGE: Final = ("Daftar isi", "Index")

_RELATIONS: Final[dict[str, Titles]] = {
    "formalises": ("Data mendesak yang diikuti data ini", "the urgent entry that this one formalises"),
    "formalised_by": ("Data formal yang mengikuti data ini", "the formal entry that follows this one"),
}

_LEDGER_COUNTS: Final[dict[str, Titles]] = {
    "records": ("Catatan register tentang data ini", "Ledger records about the entry"),
    "proved": ("dengan bukti yang ditandatangani register", "with a proof that the register signed"),
    "witnessed": (
        "dengan bukti yang disaksikan kuorum saksi",
        "with a proof that a quorum of witnesses cosigned",
    ),
}

_COUNTED: Final[dict[str, Titles]] = {
    **RELATED,
    "refuse": ("Pemeriksaan: ditolak", "Checks: refused"),
    "refer": ("Pemeriksaan: dirujuk ke supervisor", "Checks: referred to the supervisor"),
    "sighting": ("Pemeriksaan: terlihat, tidak dihentikan", "Checks: seen, not stopped"),
}


def page(entry: Entry, summary: dict[str, Any], contents: Sequence[File], made_at: datetime) -> str:
    """Return the HTML page that lists the content of an evidence file.

    Args:
        entry: the entry at the moment of the file.
        summary: the data that `evidence.file` collected: `linked`, `decisions`, `alerts`, `erased`, `checks`, `ledger`,
            and the number of records of each kind in `RELATED`.
        contents: the files that the page lists, with their hashes.
        made_at: the moment at which the file's content was fixed.
    """
    ledger = summary["ledger"]
    counts = {**{name: summary[name] for name in RELATED}, **summary["checks"]}
    template = Template((files(__package__) / "data" / "index.html").read_text(encoding="utf-8"))
    return template.substitute(
        entry_id=escape(entry.id),
        version=entry.version,
        name=escape(entry.subject.full_name),
        made_at=escape(f"{words.moment(made_at)}"),
        facts=_rows(_facts(entry)),
        linked=_rows(_linked(each) for each in summary["linked"]),
        decisions=_rows(_decision(act) for act in summary["decisions"]),
        alerts=_rows(_alert(alert) for alert in summary["alerts"]),
        counts=_rows((*_COUNTED[name], str(count)) for name, count in counts.items()),
        erased=_rows(
            (words.both(words.KEPT[gone["kind"]]), gone["sha256"], _when(gone["erased_at"]))
            for gone in summary["erased"]
        ),
        size=ledger["size"],
        root=ledger["root"] or "-",
        origin=escape(ledger["origin"] or "-"),
        proofs=_rows(
            (*_LEDGER_COUNTS[name], str(ledger[name])) for name in ("records", "proved", "witnessed")
        ),
        files=_rows(
            (each.name, each.title_id, each.title_en, str(each.size), each.sha256) for each in contents
        ),
    )


def _facts(entry: Entry) -> Iterable[tuple[str, str, str]]:
    yield "Tindakan", "Measure", f"{words.MEASURES[entry.measure][0]} / {entry.measure.value}"
    yield "Instansi", "Agency", entry.agency
    yield "Keadaan", "State", words.both(words.STATES[entry.state])
    if entry.ended_reason is not None:
        yield "Sebab berakhir", "Why it ended", words.both(words.ENDINGS[entry.ended_reason])
    last = words.day(entry.ends_on) if entry.ends_on else "seumur hidup / lifetime"
    yield "Jangka waktu", "Period", f"{words.day(entry.starts_on)} s.d. {last}"
    yield "Dasar", "Basis", f"{words.INSTRUMENTS[entry.basis.instrument][0]} {entry.basis.number}"
    yield "Perkara", "Case", entry.basis.case_reference


def _linked(linked: dict[str, Any]) -> tuple[str, ...]:
    return (
        words.both(_RELATIONS[linked["relation"]]),
        linked["entry_id"],
        ", ".join(linked["letters"]) or "-",
        linked["evidence"],
    )


def _decision(act: dict[str, Any]) -> tuple[str, ...]:
    at = words.moment(datetime.fromisoformat(act["at"]))
    return (
        at,
        words.act(act["act"]),
        f"{act['about']}, v{act['version']}",
        act["person"] or act["by"],
        act["reason"] or "",
    )


def _alert(alert: dict[str, Any]) -> tuple[str, ...]:
    return (
        _when(alert["at"]),
        words.both(words.ALERTS[alert["kind"]]),
        str(alert["recipients"]),
        *(str(alert[level]) for level in LEVELS),
    )


def _when(at: datetime | None) -> str:
    return words.moment(at) if at else "-"


def _rows(rows: Iterable[Iterable[str]]) -> str:
    return "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
