"""Births on the UN list, kept as vague as the list has them (rule R17).

The list knows a day, a year, a span of years, "approximately" a year, or says it in a note. Every statement
is kept: several may be true of one person, and each alias may carry the birth that its papers show.
"""

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from app.identity.births import BirthUnreadable, birth_from_json, birth_to_json
from app.lists.un_cells import Remark, cell

BirthShape = dict[str, str | int]
"""A birth in one of the contract's shapes, as JSON has it."""

APPROXIMATELY: Final = 2
"""Years before and after. The list sets no width; two years cover the usual error of an age told from memory,
and a stated year further off then still contradicts it."""

_DAY: Final = len("YYYY-MM-DD")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_AND_YEAR: Final = re.compile(r"([A-Z][a-z]{2,8})\.?(?: ([0-9]{4}))?")
_MONTHS_OF_A_YEAR: Final = re.compile(r"Between ([A-Z][a-z]{2,8})\.? and ([A-Z][a-z]{2,8})\.? ([0-9]{4})")
_AGE: Final = re.compile(r"([0-9]{1,3})(?:-([0-9]{1,3}))? years old")


def births_of(person: Element, listed_on: str) -> tuple[tuple[BirthShape, ...], tuple[Remark, ...]]:
    """Give every birth stated of the person, then those of the aliases, each once.

    A statement that isn't clear (another calendar, prose) is left out: remark `birth_unclear`.

    Args:
        person: the INDIVIDUAL element.
        listed_on: the day of the listing, YYYY-MM-DD; a bare age is read as of that day.
    """
    births: list[BirthShape] = []
    remarks = []
    for shape, words in _statements(person, listed_on):
        try:
            birth = birth_to_json(birth_from_json(shape))
        except BirthUnreadable:
            remarks.append(Remark(code="birth_unclear", detail=words))
        else:
            if birth not in births:
                births.append(birth)
    return tuple(births), tuple(remarks)


def birth_place_of(person: Element) -> str | None:
    """Give the first place of birth that is more than an empty cell, as "city, province, country"."""
    for place in person.iterfind("INDIVIDUAL_PLACE_OF_BIRTH"):
        parts = [part for tag in ("CITY", "STATE_PROVINCE", "COUNTRY") if (part := cell(place, tag))]
        if parts or (parts := [cell(place, "NOTE")]) != [""]:
            return ", ".join(parts)
    return None


def _statements(person: Element, listed_on: str) -> Iterator[tuple[BirthShape, str]]:
    """Give each statement as a shape, which may be unreadable, with the words it came from."""
    for birth in person.iterfind("INDIVIDUAL_DATE_OF_BIRTH"):
        words = " ".join(
            text for part in birth if (text := cell(birth, part.tag)) and part.tag != "TYPE_OF_DATE"
        )
        if words:
            yield _shape_of(birth, listed_on), words
    for alias in person.iterfind("INDIVIDUAL_ALIAS"):
        if words := cell(alias, "DATE_OF_BIRTH"):
            yield {"date": words[:_DAY]}, words


def _shape_of(birth: Element, listed_on: str) -> BirthShape:
    """Give the contract's shape of one INDIVIDUAL_DATE_OF_BIRTH; an empty one where it can't be told."""
    day, year, note = (cell(birth, tag) for tag in ("DATE", "YEAR", "NOTE"))
    if day:
        # Some days carry the office's time zone (1963-07-17-04:00), which says nothing about a birth.
        return {"date": day[:_DAY]}
    if first := cell(birth, "FROM_YEAR"):
        return {"from": first, "to": cell(birth, "TO_YEAR")}
    approximate = cell(birth, "TYPE_OF_DATE") == "APPROXIMATELY"
    if year.isdecimal() and approximate:
        return _years_around(int(year), int(year))
    if year and not note:
        return {"date": year}
    return _shape_in(note, year, listed_on)


def _shape_in(note: str, year: str, listed_on: str) -> BirthShape:
    """Read a birth out of a note: "Nov. 1973", "Sep." beside a year, "29 years old"."""
    if said := _MONTHS_OF_A_YEAR.fullmatch(note):
        return {"from": f"{said[3]}-{_month(said[1])}", "to": f"{said[3]}-{_month(said[2])}"}
    if said := _MONTH_AND_YEAR.fullmatch(note):
        return {"date": f"{said[2] or year}-{_month(said[1])}"}
    if (said := _AGE.fullmatch(note)) and listed_on:
        now = int(listed_on[:4])
        return _years_around(now - int(said[2] or said[1]) - 1, now - int(said[1]))
    return {}


def _years_around(first: int, last: int) -> BirthShape:
    """Give the span of years widened by what "approximately" allows."""
    return {"from": f"{first - APPROXIMATELY:04d}", "to": f"{last + APPROXIMATELY:04d}"}


def _month(name: str) -> str:
    """Give an English month's number, two digits; "00", which no birth has, for any other word."""
    short = name[:3].lower()
    return f"{_MONTHS.index(short) + 1:02d}" if short in _MONTHS else "00"
