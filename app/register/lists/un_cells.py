"""Text in the cells of the UN list, in one form; and remarks about content that is not imported."""

import re
import unicodedata
from typing import Final
from xml.etree.ElementTree import Element

import msgspec

_MARKS_OF_DIRECTION: Final = dict.fromkeys(
    map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2069\ufeff")
)


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """Content of the list about a person that was not imported.

    Attributes:
        code: a stable code, such as `no_document_number` or `nationality_unclear`.
        detail: the list's own words, for the reader of the report.
    """

    code: str
    detail: str


def tidy(text: str | None) -> str:
    """Return the text in NFC, on one line, without marks of writing direction; "" for None.

    The same cell has different line breaks from one edition of the list to the next.
    """
    composed = unicodedata.normalize("NFC", text or "").translate(_MARKS_OF_DIRECTION)
    return " ".join(composed.split())


def cell(element: Element, path: str) -> str:
    """Return the tidied text of the first descendant at a path, such as "NATIONALITY/VALUE"; "" where there is none."""
    return _text_of(element.findtext(path))


def cells(element: Element, path: str) -> list[str]:
    """Return the non-empty tidied texts at a path, in document order."""
    return [text for found in element.iterfind(path) if (text := _text_of(found.text))]


def _text_of(text: str | None) -> str:
    """Return a cell's tidied text; "na" becomes "".

    Some cells contain "na" for no value; the part of a name is written Na or NA.
    """
    tidied = tidy(text)
    return "" if tidied == "na" else tidied


def spelling_key(text: str) -> str:
    """Return a name in the form in which spellings are compared: without case, accents, apostrophes and signs.

    Words stay separate, and other scripts are not transliterated.
    """
    letters = []
    for character in unicodedata.normalize("NFKD", text.casefold()):
        if character.isalnum():
            letters.append(character)
        elif character not in _WITHIN_A_WORD and not unicodedata.combining(character):
            letters.append(" ")
    return " ".join("".join(letters).split())


def has_digit(text: str) -> bool:
    """Return whether the text contains an ASCII digit."""
    return _DIGIT.search(text) is not None


_DIGIT: Final = re.compile(r"[0-9]")
_WITHIN_A_WORD: Final = frozenset("'`\u00b4\u2018\u2019\u02bb\u02bc\u02be\u02bf")
"""Apostrophes and the signs for hamza and ayn, which are written in different ways."""
