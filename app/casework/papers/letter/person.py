"""The identity of an entry's person in the words of a letter: all that the register has (no I/O)."""

from collections.abc import Iterator

from app.casework.papers import words
from app.register.entries.domain import Entry
from app.register.entries.subjects import Citizenship, Subject

_ABSENT = "-"
_CITIZENSHIP = {Citizenship.WNI: "Warga Negara Indonesia", Citizenship.WNA: "Orang Asing"}


def identity(entry: Entry) -> list[tuple[str, str]]:
    """Return labels and values of the person's data, in the order of printing.

    A value with an empty label belongs to the label above it. Data that are not known have a row that says so, or "-"
    (UU 6/2011 art. 94(2); Permenimipas 13/2025 art. 13(3)). Two kinds of data have no row if they are missing: a
    foreigner's identity number (NIK), and births according to other sources. Travel documents have a row only if they
    are missing, because the letter prints them in a table of their own (see `documents`).
    """
    return list(_rows(entry, entry.subject))


def _rows(entry: Entry, subject: Subject) -> Iterator[tuple[str, str]]:
    yield "Nama lengkap", subject.full_name
    yield from _numbered("Nama lain (alias)", [_alias(a.name, a.quality) for a in subject.aliases])
    yield "Jenis kelamin", words.SEXES.get(subject.sex or "", _ABSENT)
    yield "Tempat lahir", subject.birth_place or _ABSENT
    yield "Tanggal lahir atau umur", words.birth(subject.birth) if subject.birth else _ABSENT
    if subject.birth_alternatives:
        births = [words.birth(birth) for birth in subject.birth_alternatives]
        yield from _numbered("Kelahiran menurut sumber lain", births)
    nationalities = ", ".join(words.state(code) for code in subject.nationalities)
    yield "Kewarganegaraan", nationalities or _or_unknown(entry, "nationalities")
    yield "Status", _CITIZENSHIP[entry.citizenship]
    if subject.nik or entry.citizenship is Citizenship.WNI:  # resident foreigners have one too
        yield "NIK", subject.nik or _or_unknown(entry, "nik")
    yield "Pekerjaan", subject.occupation or _or_unknown(entry, "occupation")
    yield "Alamat", subject.address or _or_unknown(entry, "address")
    if not subject.documents:
        yield "Dokumen perjalanan", _or_unknown(entry, "documents")
    photo = subject.photo
    yield "Foto (SHA-256)", photo.sha256 if photo else "tidak ada"


def documents(subject: Subject) -> list[tuple[str, str, str, str]]:
    """Return the type, number, issuing state and last day of each document, as texts for printing."""
    return [
        (
            words.DOCUMENTS.get(paper.type, paper.type),
            paper.number,
            words.state(paper.issuing_state),
            words.day(paper.expires_on) if paper.expires_on else "tidak disebutkan",
        )
        for paper in subject.documents
    ]


def _alias(name: str, quality: str) -> str:
    return f"{name} (kualitas rendah)" if quality == "low" else name


def _numbered(label: str, values: list[str]) -> Iterator[tuple[str, str]]:
    if not values:
        yield label, _ABSENT
    elif len(values) == 1:
        yield label, values[0]
    else:
        for i, value in enumerate(values, 1):
            yield label if i == 1 else "", f"{i}. {value}"


def _or_unknown(entry: Entry, member: str) -> str:
    return "dinyatakan tidak diketahui" if member in entry.unknown else _ABSENT
