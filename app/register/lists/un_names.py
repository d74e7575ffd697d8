"""Names on the UN list: the full name, and every spelling in the cells of its aliases.

An alias cell may contain several spellings separated by semicolons, the same name in two scripts, and comments such
as "(previously listed as)" or ", born in 1963". Each spelling becomes an alias; comments do not.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, Literal
from xml.etree.ElementTree import Element

import msgspec

from app.register.lists.un_cells import Remark, cell, spelling_key, tidy

Quality = Literal["good", "low"]

_NAME_PARTS: Final = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")
_ASIDE_ON_BIRTH: Final = re.compile(r"[\s,]+born\b.*", re.IGNORECASE)
_BRACKETED: Final = re.compile(r"\([^()]*\)")
_SCRIPT_LABEL: Final = re.compile(r"\b(?:original script|in arabic)\s*:", re.IGNORECASE)
_BETWEEN_SPELLINGS: Final = re.compile("[;،()]")
_QUOTES: Final = dict.fromkeys(map(ord, '"“”„«»'))
_AROUND_A_NAME: Final = " ,.;:/-"
_YEAR_OR_NUMBER: Final = re.compile(r"[0-9]{4}")
_COMMAS_OF_A_LIST: Final = 2
"""Minimum number of commas in a list of names; a single comma separates a family name ("Testo, Alvar")."""


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """Another name of a listed person.

    Attributes:
        name: the spelling.
        quality: the quality that the list states; `low` if it states none.
    """

    name: str
    quality: Quality


def full_name_of(person: Element) -> str:
    """Return the name under which the person is listed; "" where the list gives none."""
    return " ".join(part for tag in _NAME_PARTS if (part := cell(person, tag))).strip(_AROUND_A_NAME)


def aliases_of(person: Element, full_name: str) -> tuple[tuple[Alias, ...], tuple[Remark, ...]]:
    """Return the aliases, each spelling once and without `full_name`, and remarks about details that were not read.

    Two texts are the same spelling if their forms by `spelling_key` are equal; the better quality is kept. The name in
    its original script is an alias of quality `good`. Details of a false identity in a note (a birth, a passport
    number) are not read, but get the remark `alias_details_not_read`.
    """
    found: dict[str, Alias] = {}
    remarks = []
    for name, quality, note in _alias_cells(person):
        for spelling in (*spellings(name), *_spellings_in(note, name)):
            key = spelling_key(spelling)
            if key and key != spelling_key(full_name) and (key not in found or found[key].quality == "low"):
                found[key] = Alias(name=found[key].name if key in found else spelling, quality=quality)
        remarks += [
            Remark(code="alias_details_not_read", detail=text)
            for text in (name, note)
            if _YEAR_OR_NUMBER.search(text)
        ]
    return tuple(found.values()), tuple(remarks)


def spellings(text: str) -> Iterator[str]:
    """Yield the spellings of a name in the text of one cell, in order.

    "Elvar; Ilvar" contains two, "Alvar (Алвар)" one for each script, "Alvar (Sheikh)" one.
    """
    text = _ASIDE_ON_BIRTH.sub("", _SCRIPT_LABEL.sub(" ", text.translate(_QUOTES)))
    if not _is_foreign(_BRACKETED.sub(" ", text)):
        text = _BRACKETED.sub(lambda aside: aside[0] if _is_foreign(aside[0]) else " ", text)
    for part in _BETWEEN_SPELLINGS.split(text):
        names = part.split(",") if part.strip(_AROUND_A_NAME).count(",") >= _COMMAS_OF_A_LIST else [part]
        for name in names:
            for run in _runs_of_one_script(name):
                spelling = tidy(run).strip(_AROUND_A_NAME)
                if any(character.isalpha() for character in spelling):
                    yield spelling


def _alias_cells(person: Element) -> Iterator[tuple[str, Quality, str]]:
    """Yield name, quality and note of the original-script name and of every alias."""
    yield cell(person, "NAME_ORIGINAL_SCRIPT").split("(")[0], "good", ""
    for alias in person.iterfind("INDIVIDUAL_ALIAS"):
        quality: Quality = "good" if cell(alias, "QUALITY").lower() == "good" else "low"
        yield cell(alias, "ALIAS_NAME"), quality, cell(alias, "NOTE")


def _spellings_in(note: str, name: str) -> Iterator[str]:
    """Yield the spellings in a note: text in another script, or a list of transliterations.

    Everything else in a note is prose.
    """
    if _is_foreign(note):
        yield from (run for run in _runs_of_one_script(_SCRIPT_LABEL.sub(" ", note)) if _is_foreign(run))
    elif _is_foreign(name) and ";" in note and not any(sign in note for sign in ":()"):
        yield from spellings(note)


def _runs_of_one_script(text: str) -> Iterator[str]:
    """Split a text where the script changes between Latin and another; words are not split."""
    run: list[str] = []
    foreign: bool | None = None
    for word in text.split():
        if any(character.isalpha() for character in word):
            if foreign is not None and _is_foreign(word) != foreign:
                yield " ".join(run)
                run = []
            foreign = _is_foreign(word)
        run.append(word)
    yield " ".join(run)


def _is_foreign(text: str) -> bool:
    """Return whether any letter belongs to another script than Latin."""
    return not text.isascii() and any(
        character.isalpha()
        and not character.isascii()
        and not unicodedata.name(character, "").startswith(("LATIN", "MODIFIER"))
        for character in text
    )
