"""Births on the UN list, stored with the precision that the list gives (rule R17).

The list gives a day, a year, a span of years, "approximately" a year, or a note. Every statement is kept: a person
may have several birth dates, and each alias may have the birth date of its papers.
"""

import re
from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element

from app.identity.births import BirthUnreadable, birth_from_json, birth_to_json
from app.register.lists.un_cells import Remark, cell

BirthShape = dict[str, str | int]
"""A birth in one of the API's JSON shapes."""

APPROXIMATELY: Final = 2
"""Width of an approximate year: years before and after it. The list sets none; two years cover the usual error of an
age given from memory, and a year outside still contradicts it."""

_DAY: Final = len("YYYY-MM-DD")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_AND_YEAR: Final = re.compile(r"([A-Z][a-z]{2,8})\.?(?: ([0-9]{4}))?")
_MONTHS_OF_A_YEAR: Final = re.compile(r"Between ([A-Z][a-z]{2,8})\.? and ([A-Z][a-z]{2,8})\.? ([0-9]{4})")
_AGE: Final = re.compile(r"([0-9]{1,3})(?:-([0-9]{1,3}))? years old")


def births_of(person: Element, listed_on: str) -> tuple[tuple[BirthShape, ...], tuple[Remark, ...]]:
    """Return the person's births, then the births of the aliases, each once; and remarks on births that were left out.

    An unclear statement (another calendar, prose) is left out, with the remark `birth_unclear`.

    Args:
        person: the INDIVIDUAL element.
        listed_on: the day of the listing, YYYY-MM-DD, from which an age is counted; if it is "" (unknown), ages are
            left out.
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
    """Return the first place of birth that has any text, as "city, province, country"; None without one."""
    for place in person.iterfind("INDIVIDUAL_PLACE_OF_BIRTH"):
        parts = [part for tag in ("CITY", "STATE_PROVINCE", "COUNTRY") if (part := cell(place, tag))]
        if parts or (parts := [cell(place, "NOTE")]) != [""]:
            return ", ".join(parts)
    return None


def _statements(person: Element, listed_on: str) -> Iterator[tuple[BirthShape, str]]:
    """Yield each statement as a birth shape, which may be invalid, with the list's own words."""
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
    """Return one INDIVIDUAL_DATE_OF_BIRTH as a day, month, year or range of years; empty where it is unclear.

    Args:
        birth: the element.
        listed_on: the day of listing, from which a noted age counts.
    """
    day, year, note = (cell(birth, tag) for tag in ("DATE", "YEAR", "NOTE"))
    if day:
        # Some days have the office's time zone (1963-07-17-04:00), which is irrelevant for a birth.
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
    """Read a birth from a note: "Nov. 1973", "Sep." with a separate year, "29 years old"."""
    if match := _MONTHS_OF_A_YEAR.fullmatch(note):
        return {"from": f"{match[3]}-{_month(match[1])}", "to": f"{match[3]}-{_month(match[2])}"}
    if match := _MONTH_AND_YEAR.fullmatch(note):
        return {"date": f"{match[2] or year}-{_month(match[1])}"}
    if (match := _AGE.fullmatch(note)) and listed_on:
        now = int(listed_on[:4])
        return _years_around(now - int(match[2] or match[1]) - 1, now - int(match[1]))
    return {}


def _years_around(first: int, last: int) -> BirthShape:
    """Return the span of years, widened by the width of "approximately"."""
    return {"from": f"{first - APPROXIMATELY:04d}", "to": f"{last + APPROXIMATELY:04d}"}


def _month(name: str) -> str:
    """Return an English month's number with two digits; "00", which no birth has, for any other word."""
    short = name[:3].lower()
    return f"{_MONTHS.index(short) + 1:02d}" if short in _MONTHS else "00"
