"""Dates of a machine-readable zone: YYMMDD, without the century (ICAO Doc 9303 part 3, section 4.8)."""

from datetime import date
from typing import Final

from app.identity.births import Birth, BirthUnreadable, span

_UNKNOWN: Final = "<<"
_YEARS_AHEAD: Final = 30
"""Largest number of years until an expiry date: passports are valid for about ten years, some identity cards for
thirty. A date that seems later is of the century before."""
_OLDEST: Final = 115
"""Highest age in years at which a person is assumed to travel."""


def read_births(field: str, today: date) -> tuple[tuple[Birth, ...], str | None]:
    """Read `field`, the six characters YYMMDD of a birth date; `today` is the present day.

    Unknown parts are written as fillers (by the standard) or as 00 (by some issuers). They lower the precision:
    "8503<<" is March 1985, "85<<17" is 1985. A birth is never in the future. A person of a hundred years can't be
    distinguished from a child, so births of both centuries are returned.

    Returns:
        The possible births, the latest first; empty if the year is unknown or the date can't be read. And the fault:
        `birth_date_format` (a part is neither digits nor fillers), `birth_date_range` (there is no such day, or it is
        in the future), or None.
    """
    parts = (field[:2], field[2:4], field[4:])
    if not all(part.isdigit() or part == _UNKNOWN for part in parts):
        return (), "birth_date_format"
    year, month, day = parts
    if year == _UNKNOWN:
        return (), None
    known = "" if month in {_UNKNOWN, "00"} else f"-{month}" if day in {_UNKNOWN, "00"} else f"-{month}-{day}"
    found: list[Birth] = []
    for century in (today.year // 100, today.year // 100 - 1):
        age = today.year - 100 * century - int(year)
        if age < 0 or (found and age > _OLDEST):
            continue
        try:
            birth = Birth(date=f"{century}{year}{known}")
        except BirthUnreadable:  # also 29 February of a year that had none, in one of the two centuries
            continue
        if span(birth)[0] <= today:
            found.append(birth)
    return tuple(found), None if found else "birth_date_range"


def in_century_of(births: tuple[Birth, ...], known: Birth) -> Birth:
    """Return the one of `births` that is nearest in years to the birth `known`; of equally near ones the first.

    Raises:
        ValueError: there are no births.
    """
    first, last = span(known)

    def years_apart(birth: Birth) -> int:
        begin, end = span(birth)
        return max(begin.year - last.year, first.year - end.year, 0)

    return min(births, key=years_apart)


def read_expiry(field: str, today: date) -> tuple[str | None, str | None]:
    """Read `field`, the six characters YYMMDD of an expiry date.

    The century is chosen so that the year is at most thirty years after `today`, the present day.

    Returns:
        "YYYY-MM-DD", or None if the date is not known in full or can't be read. And the fault: `expiry_date_format` (a
        part is neither digits nor fillers), `expiry_date_range` (there is no such day), or None.
    """
    parts = (field[:2], field[2:4], field[4:])
    if not all(part.isdigit() or part == _UNKNOWN for part in parts):
        return None, "expiry_date_format"
    if _UNKNOWN in parts or "00" in parts[1:]:
        return None, None
    earliest = today.year + _YEARS_AHEAD - 99
    year = earliest + (int(parts[0]) - earliest) % 100
    try:
        return date(year, int(parts[1]), int(parts[2])).isoformat(), None
    except ValueError:
        return None, "expiry_date_range"
