"""The cells of the UN list: text typed by many hands, made even; and remarks about what isn't used."""

import re
import unicodedata
from typing import Final
from xml.etree.ElementTree import Element

import msgspec

_MARKS_OF_DIRECTION: Final = dict.fromkeys(
    map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2069\ufeff")
)


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the list says of a person and that was not taken over.

    Attributes:
        code: a stable word, such as `no_document_number` or `nationality_uncertain`.
        detail: the list's own words, for the person who reads the report.
    """

    code: str
    detail: str


def tidy(text: str | None) -> str:
    """Give the text in NFC, on one line, without marks of writing direction; "" for nothing.

    The same cell is broken over lines differently from one edition of the list to the next.
    """
    composed = unicodedata.normalize("NFC", text or "").translate(_MARKS_OF_DIRECTION)
    return " ".join(composed.split())


def cell(element: Element, path: str) -> str:
    """Give the tidied text of the first descendant at a path, "" where there is none."""
    return _said(element.findtext(path))


def cells(element: Element, path: str) -> list[str]:
    """Give the tidied texts at a path that aren't empty, in document order."""
    return [text for found in element.iterfind(path) if (text := _said(found.text))]


def _said(text: str | None) -> str:
    """Tidy a cell; "na", which some cells hold for nothing, is nothing (a name part is written Na or NA)."""
    tidied = tidy(text)
    return "" if tidied == "na" else tidied


def folded(text: str) -> str:
    """Give a spelling by which two writings of one name are the same: no case, accents, apostrophes or signs.

    Words stay apart, and other scripts stay themselves: this is not transliteration.
    """
    letters = []
    for character in unicodedata.normalize("NFKD", text.casefold()):
        if character.isalnum():
            letters.append(character)
        elif character not in _WITHIN_A_WORD and not unicodedata.combining(character):
            letters.append(" ")
    return " ".join("".join(letters).split())


def has_digit(text: str) -> bool:
    """Say whether any ASCII digit occurs."""
    return _DIGIT.search(text) is not None


_DIGIT: Final = re.compile(r"[0-9]")
_WITHIN_A_WORD: Final = frozenset("'`\u00b4\u2018\u2019\u02bb\u02bc\u02be\u02bf")
"""Apostrophes and the signs for hamza and ayn, which every hand sets differently."""
