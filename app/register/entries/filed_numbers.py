"""Document numbers as filed: one document per number, with letters A to Z only (no I/O).

An officer who writes two numbers into one field means two documents. A number typed on another keyboard may have
letters that only look like A to Z (ICAO Doc 9303 part 3, section 4). Filed as written, neither would ever match.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from app.identity.documents import normalise
from app.identity.typed_numbers import Number, Typed, read
from app.register.entries.subjects import Document, Subject, same_document
from app.register.entries.values import EntryWarning

Change = Literal["look_alike_folded", "several_numbers", "words_left_out", "may_hold_more", "no_number"]

_DETAILS: Final[dict[Change, str]] = {
    "look_alike_folded": "Letters of another script are filed as those of A to Z that they look like.",
    "several_numbers": "The field held several numbers; each is filed as a document of its own.",
    "words_left_out": "What stood beside the number is left out: a word, a check digit, a state or another part of a "
    "machine-readable zone.",
    "may_hold_more": "A check digit, a state or a document's type may be next to the number. Travellers with the "
    "number without it are referred, never refused: file the number alone.",
    "no_number": "What stood here is no number; the document is left out.",
}
_ZONE_FIELD: Final = 9
"""Length of a passport number in characters (ICAO Doc 9303 part 4); a longer text may contain more than the number."""


def file_numbers(subject: Subject) -> tuple[Subject, tuple[EntryWarning, ...]]:
    """Clean the document numbers of a subject. Returns the changed subject, and a warning for each change.

    - Letters of other scripts that look like A to Z become A to Z, and words around a number are left out.
    - If a field contains several numbers, the first stays. Each further number becomes a new document at the end of the
      list, unless an equal document exists; so JSON pointers to the filed documents stay valid.
    - A field without any number is not changed; the rules of law refuse it later.
    """
    papers: list[Document] = []
    further: list[Document] = []
    notices: list[EntryWarning] = []
    for place, paper in enumerate(subject.documents):
        typed = read(paper.number)
        first, *others = [_filed(paper, number) for number in typed.numbers] or [paper]
        papers.append(first)
        further += others
        notices += _notices(place, _changes(paper, first, typed))
    for paper in further:
        if not any(same_document(paper, known) for known in papers):
            papers.append(paper)
    return msgspec.structs.replace(subject, documents=tuple(papers)), tuple(notices)


def without_empty_documents(subject: Subject) -> tuple[Subject, tuple[EntryWarning, ...]]:
    """Return a subject without the documents that have no number, and a warning for each of these documents."""
    kept = tuple(paper for paper in subject.documents if read(paper.number).numbers)
    gone = [place for place, paper in enumerate(subject.documents) if paper not in kept]
    notices = tuple(notice for place in gone for notice in _notices(place, ["no_number"]))
    return msgspec.structs.replace(subject, documents=kept), notices


def _filed(paper: Document, number: Number) -> Document:
    state = paper.issuing_state or number.state
    return msgspec.structs.replace(paper, number=number.written, issuing_state=state)


def _changes(paper: Document, first: Document, typed: Typed) -> Iterator[Change]:
    if not typed.numbers:
        return
    if typed.alike:
        yield "look_alike_folded"
    if len(typed.numbers) > 1:
        yield "several_numbers"
    elif normalise(first.number) != normalise(paper.number):
        yield "words_left_out"
    if any(each.possible and len(each.number) > _ZONE_FIELD for each in typed.numbers):
        yield "may_hold_more"


def _notices(place: int, changes: Iterable[Change]) -> Iterator[EntryWarning]:
    for change in changes:
        yield EntryWarning(change, f"/subject/documents/{place}/number", _DETAILS[change])
