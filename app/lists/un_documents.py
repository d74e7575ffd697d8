"""Documents on the UN list: a number where the list gives one beyond doubt, else a remark, never a guess.

Most cells hold the bare number. Others hold it in words ("Libyan passport No. 513000"), in the wrong cell,
with an expiry, or hold no number at all. The state that issued a document is said by the number's own words,
by ISSUING_COUNTRY, or else by COUNTRY_OF_ISSUE, which may only be the place where it was handed out.
"""

import re
from typing import Final, Literal, NamedTuple
from xml.etree.ElementTree import Element

import msgspec

from app.identity.documents import normalise
from app.identity.states import KNOWN
from app.lists.un_cells import Remark, cell, has_digit
from app.lists.un_states import state_leading, state_named

DocumentType = Literal["passport", "national_id", "other"]

_PASSPORT: Final = re.compile(r"passport|passeport|pasaporte", re.IGNORECASE)
_NATIONAL_ID: Final = re.compile(r"identi[ft]", re.IGNORECASE)
_NO_IDENTITY_CARD: Final = re.compile(
    r"\b(?:driv|birth|certificate|ration|fiscal|social security|ssn|student|voter|residen|alien"
    r"|military|ex-service|other id|fardc)",
    re.IGNORECASE,
)
"""Papers that the list files under "National Identification Number" for want of a better heading."""

_PLAIN: Final = re.compile(r"[A-Z0-9 ]+")
_BARE: Final = re.compile(r"[A-Z0-9]+(?:[ ./-]+[A-Z0-9]+)*")
_NO: Final = re.compile(r"N[Oo][.:]?(?=[0-9])")
_FROM_A_ZONE: Final = re.compile(r"([A-Z0-9]{9})\.([0-9])([A-Z]{3})")
_LAST_BRACKET: Final = re.compile(r"\(([^()]*)\)$")
_BRACKETED: Final = re.compile(r"\([^()]*\)")
_ASIDE: Final = re.compile(
    r"\s*(?:([,;])|\b(?:issued|expire[sd]?|expiring|valid|under|born)\b)\s*(.*)", re.IGNORECASE
)
_SERIES: Final = re.compile(r"[A-Z]{1,2}")
_LENGTHS: Final = range(3, 25)
"""Characters of a number in normal form; the longest that the list has is a voter's number of 22."""


class ListedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document of a listed person.

    Attributes:
        type: what kind of paper it is.
        number: as listed, without the words around it.
        issuing_state: ICAO code, None where the list doesn't say or isn't clear.
    """

    type: DocumentType
    number: str
    issuing_state: str | None


class _Reading(NamedTuple):
    """A number found in a text, and the state that the words around it name."""

    number: str
    state: str | None


def documents_of(person: Element) -> tuple[tuple[ListedDocument, ...], tuple[Remark, ...]]:
    """Give the documents, each number once for each state, and remarks about those left out.

    Remarks: `no_document_number` (words, no number), `several_numbers` (more than one in a cell) and
    `issuing_state_unclear` (the document is kept without a state).
    """
    found: list[ListedDocument] = []
    remarks: list[Remark] = []
    for element in person.iterfind("INDIVIDUAL_DOCUMENT"):
        label, note = cell(element, "TYPE_OF_DOCUMENT2"), cell(element, "NOTE")
        text = cell(element, "NUMBER") or (label if has_digit(label) else note)
        reading = number_in(text)
        if isinstance(reading, Remark):
            if len(element):
                remarks.append(reading)
            continue
        state, doubts = _issuing_state(element, reading.state or state_leading(label))
        document = ListedDocument(type=_type_of(element), number=reading.number, issuing_state=state)
        remarks += doubts
        _keep(document, found)
    return tuple(found), tuple(remarks)


def number_in(text: str) -> _Reading | Remark:
    """Find the document number in the tidied text of a cell, or say why there is none.

    Without lower-case letters and other signs the whole text is the number, blanks and strokes included; only
    what was cut out of a machine-readable zone ("12AB34567.1UTO": number, check digit, state) is taken apart.
    """
    if _BARE.fullmatch(text) and has_digit(text):
        zone = _FROM_A_ZONE.fullmatch(text)
        if zone and int(zone[2]) == _check_digit(zone[1]) and zone[3] in KNOWN:
            return _Reading(zone[1], zone[3])
        return _Reading(text if _PLAIN.fullmatch(text) else _NO.sub("", text, count=1), None)
    return _number_in_words(text)


def _number_in_words(text: str) -> _Reading | Remark:
    """Find the one number among words; asides after it may name the state: "(Yemen)", ", South Sudan"."""
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


def _issuing_state(element: Element, said: str | None) -> tuple[str | None, list[Remark]]:
    """Give the issuing state its own words say, or the listed one; None where they differ."""
    listed = cell(element, "ISSUING_COUNTRY")
    place = cell(element, "COUNTRY_OF_ISSUE")
    named = state_named(listed or ("" if said else place))
    if (listed and not named) or (named and said and named != said) or (place and not named and not said):
        return None, [Remark(code="issuing_state_unclear", detail=listed or place)]
    note = cell(element, "NOTE").split(",")[0].removeprefix("issued by ")
    return said or named or state_named(note), []


def _type_of(element: Element) -> DocumentType:
    """Tell the kind from the heading, which also comes in French and Spanish, and from the words beneath."""
    heading = cell(element, "TYPE_OF_DOCUMENT")
    if _PASSPORT.search(heading):
        return "passport"
    words = " ".join(cell(element, tag) for tag in ("TYPE_OF_DOCUMENT2", "NUMBER", "NOTE"))
    if not _NATIONAL_ID.search(heading) or _NO_IDENTITY_CARD.search(words):
        return "other"
    return "national_id"


def _keep(document: ListedDocument, found: list[ListedDocument]) -> None:
    """Add a document unless it is there; one that has a state replaces the same number without."""
    for place, other in enumerate(found):
        if normalise(other.number) == normalise(document.number):
            if document.issuing_state in {None, other.issuing_state}:
                return
            if other.issuing_state is None:
                found[place] = document
                return
    found.append(document)


def _check_digit(field: str) -> int:
    """Give the check digit of a machine-readable field (ICAO Doc 9303 part 3, 4.9)."""
    return sum(int(character, 36) * (7, 3, 1)[place % 3] for place, character in enumerate(field)) % 10
