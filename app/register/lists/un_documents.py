"""Documents on the UN list: a number where the list is clear, else a remark, never a guess.

Most cells contain only the number. Others contain it in words ("Libyan passport No. 513000"), in the wrong cell,
with an expiry, or contain no number at all. The issuing state comes from the words around the number, from
ISSUING_COUNTRY, or else from COUNTRY_OF_ISSUE, which may only be the place where it was handed out.
"""

import re
from typing import Final, Literal, NamedTuple
from xml.etree.ElementTree import Element

import msgspec

from app.identity import typed_numbers
from app.identity.documents import normalise
from app.identity.lookalikes import plain
from app.identity.mrz import check_digit
from app.identity.number_words import DAY
from app.identity.states import KNOWN
from app.register.lists.un_cells import Remark, cell, has_digit
from app.register.lists.un_states import state_leading, state_named

DocumentType = Literal["passport", "national_id", "other"]

_PASSPORT: Final = re.compile(r"passport|passeport|pasaporte", re.IGNORECASE)
_NATIONAL_ID: Final = re.compile(r"identi[ft]", re.IGNORECASE)
_NO_IDENTITY_CARD: Final = re.compile(
    r"\b(?:driv|birth|certificate|ration|fiscal|social security|ssn|student|voter|residen|alien"
    r"|military|ex-service|other id|fardc)",
    re.IGNORECASE,
)
"""Words of papers that the list files under "National Identification Number" although they are none."""

_PLAIN: Final = re.compile(r"[A-Z0-9 ]+")
_BARE: Final = re.compile(r"[A-Z0-9]+(?:[ ./-]+[A-Z0-9]+)*")
_NO: Final = re.compile(r"N[Oo][.:]?(?=[0-9])")
_FROM_A_ZONE: Final = re.compile(r"([A-Z0-9]{9})\.([0-9])([A-Z]{3})")
_LAST_BRACKET: Final = re.compile(r"\(([^()]*)\)$")
_BRACKETED: Final = re.compile(r"\([^()]*\)")
_ASIDE: Final = re.compile(
    r"\s*(?:([,;])|\b(?:issued|expire[sd]?|expiring|valid|under|born)\b)\s*(.*)", re.IGNORECASE
)
_PARTING: Final = re.compile(r"(\s*[,;]|\s+and\b)(?![^(]*\))")
"""Separators between two numbers; not within brackets."""
_WHOLE: Final = 5
"""Minimum length of a number that is separate from another one, in characters."""
_SERIES: Final = re.compile(r"[A-Z]{1,2}")
_LENGTHS: Final = range(3, 25)
"""Lengths of a number in normal form, in characters; the longest on the list is a voter's number of 22."""


class ListedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document of a listed person.

    Attributes:
        type: the kind of document.
        number: the number as listed, without the words around it.
        issuing_state: ICAO code; None where the list gives none or is unclear.
    """

    type: DocumentType
    number: str
    issuing_state: str | None


class _Reading(NamedTuple):
    """A number found in a text, and the state named by the words around it."""

    number: str
    state: str | None


def documents_of(person: Element) -> tuple[tuple[ListedDocument, ...], tuple[Remark, ...]]:
    """Return a person's documents, each number once per state, and remarks about documents that were left out.

    Remarks: `no_document_number` (words without a number), `several_numbers` (not clearly separated) and
    `issuing_state_unclear` (the document is kept without a state).
    """
    found: list[ListedDocument] = []
    remarks: list[Remark] = []
    for element in person.iterfind("INDIVIDUAL_DOCUMENT"):
        label, note = cell(element, "TYPE_OF_DOCUMENT2"), cell(element, "NOTE")
        text = cell(element, "NUMBER") or (label if has_digit(label) else note)
        readings = numbers_in(text)
        if isinstance(readings, Remark):
            if len(element):
                remarks.append(readings)
            continue
        for reading in readings:
            state, doubts = _issuing_state(element, reading.state or state_leading(label))
            document = ListedDocument(type=_type_of(element), number=reading.number, issuing_state=state)
            remarks += doubts
            _keep(document, found)
    return tuple(found), tuple(remarks)


def numbers_in(text: str) -> list[_Reading] | Remark:
    """Return the document numbers in a cell's text, each with its issuing state (None if the text names none).

    A text has several numbers if a comma, a semicolon or "and" separates them ("C805775 ,AA8630281"), and the later
    ones have at least five characters. It also has several if each begins with letters ("A1234567 B7654321"). If any
    part can't be read as one number, the result is a remark with the reason, and no number at all.
    """
    apart = typed_numbers.read(text)
    if apart.fault == "characters" or not (apart.numbers or apart.fault):
        return Remark(code="no_document_number", detail=text)
    if len(apart.numbers) > 1 and apart.fault is None:
        return [_Reading(each.written, each.state) for each in apart.numbers]
    shown = text if not apart.alike else plain(text).text
    first, *more = _PARTING.split(shown)
    parts = [first]
    for sign, part in zip(more[::2], more[1::2], strict=True):
        if _is_another(part):
            parts.append(part)
        else:
            parts[-1] += sign + part
    readings = [number_in(part.strip()) for part in parts]
    found = [reading for reading in readings if not isinstance(reading, Remark)]
    if len(found) != len(readings):
        return next(reading for reading in readings if isinstance(reading, Remark))
    return found


def _is_another(part: str) -> bool:
    """Return whether a part of a cell is a number of its own, not a comment on the number before it."""
    if not has_digit(part) or _ASIDE.match(part) or DAY(part):
        return False
    reading = number_in(part.strip())
    return not isinstance(reading, Remark) and len(normalise(reading.number)) >= _WHOLE


def number_in(text: str) -> _Reading | Remark:
    """Return the document number in a text, with its issuing state (None if the text names none).

    A text of capital letters, digits, blanks, dots, hyphens and slashes is one number as a whole. Only text from a
    machine-readable zone ("12AB34567.1UTO": number, check digit, state) is split. In any other text the number is
    searched among the words. If there is not exactly one, the result is a remark with the reason.
    """
    if _BARE.fullmatch(text) and has_digit(text):
        zone = _FROM_A_ZONE.fullmatch(text)
        if zone and int(zone[2]) == check_digit(zone[1]) and zone[3] in KNOWN:
            return _Reading(zone[1], zone[3])
        return _Reading(text if _PLAIN.fullmatch(text) else _NO.sub("", text, count=1), None)
    return _number_in_words(text)


def _number_in_words(text: str) -> _Reading | Remark:
    """Return the only number among words; the words after it may name the state: "(Yemen)", ", South Sudan"."""
    bracket = _LAST_BRACKET.search(text)
    head = _BRACKETED.sub(" ", text)
    hint = bracket[1] if bracket else ""
    if aside := _ASIDE.search(head):
        head = head[: aside.start()]
        hint = aside[2] if aside[1] else hint
    words = [_NO.sub("", word.strip(":“”")) for word in head.split()]
    places = [place for place, word in enumerate(words) if has_digit(word)]
    if not places:
        return Remark(code="no_document_number", detail=text)
    first, last = places[0], places[-1]
    if len(places) != last - first + 1:
        return Remark(code="several_numbers", detail=text)
    if first and _SERIES.fullmatch(words[first - 1]):
        first -= 1
    number, rest = " ".join(words[first : last + 1]), " ".join(words[last + 1 :])
    if not _BARE.fullmatch(number) or len(normalise(number)) not in _LENGTHS:
        return Remark(code="no_document_number", detail=text)
    state = state_leading(" ".join(words[:first])) or state_named(rest) or state_named(hint)
    return _Reading(number, state)


def _issuing_state(element: Element, written: str | None) -> tuple[str | None, list[Remark]]:
    """Return the issuing state written with the number (`written`), else the listed one; None where they differ."""
    listed = cell(element, "ISSUING_COUNTRY")
    place = cell(element, "COUNTRY_OF_ISSUE")
    named = state_named(listed or ("" if written else place))
    differs = named and written and named != written
    if (listed and not named) or differs or (place and not named and not written):
        return None, [Remark(code="issuing_state_unclear", detail=listed or place)]
    note = cell(element, "NOTE").split(",")[0].removeprefix("issued by ")
    return written or named or state_named(note), []


def _type_of(element: Element) -> DocumentType:
    """Return the document type from the heading, which may be French or Spanish, and from the text of the cells."""
    heading = cell(element, "TYPE_OF_DOCUMENT")
    if _PASSPORT.search(heading):
        return "passport"
    words = " ".join(cell(element, tag) for tag in ("TYPE_OF_DOCUMENT2", "NUMBER", "NOTE"))
    if not _NATIONAL_ID.search(heading) or _NO_IDENTITY_CARD.search(words):
        return "other"
    return "national_id"


def _keep(document: ListedDocument, found: list[ListedDocument]) -> None:
    """Add a document unless it is known; one with a state replaces the same number without a state."""
    for place, other in enumerate(found):
        if normalise(other.number) == normalise(document.number):
            if document.issuing_state in {None, other.issuing_state}:
                return
            if other.issuing_state is None:
                found[place] = document
                return
    found.append(document)
