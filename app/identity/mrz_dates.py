"""Dates of a machine-readable zone: YYMMDD, the century left open (ICAO Doc 9303 part 3, section 4.8)."""

from datetime import date
from typing import Final

from app.identity.births import Birth, BirthUnreadable, span

_UNKNOWN: Final = "<<"
_YEARS_AHEAD: Final = 30
"""Passports are valid for about ten years, some identity cards for thirty; what seems to lie further ahead
has expired long ago."""


def read_birth(field: str, today: date) -> tuple[Birth | None, str | None]:
    """Read the six characters of a birth date.

    Unknown parts are fillers (by the standard) or 00 (by some issuers) and lower the precision: "8503<<" is
    March 1985, "85<<17" is 1985; without a year nothing is known. A birth is never in the future, so the
    century is the latest that fits; a person of a hundred years or more can't be told from a child.

    Returns:
        The birth, if one can be read, and the fault, if there is one: `birth_date_format`,
        `birth_date_range`.
    """
    parts = (field[:2], field[2:4], field[4:])
    if not all(part.isdigit() or part == _UNKNOWN for part in parts):
        return None, "birth_date_format"
    year, month, day = parts
    if year == _UNKNOWN:
        return None, None
    known = "" if month in {_UNKNOWN, "00"} else f"-{month}" if day in {_UNKNOWN, "00"} else f"-{month}-{day}"
    this_century = today.year // 100
    for century in (this_century, this_century - 1):
        try:
            birth = Birth(date=f"{century}{year}{known}")
        except BirthUnreadable:  # also 29 February of a year that had none, in one of the two centuries
            continue
        if span(birth)[0] <= today:
            return birth, None
    return None, "birth_date_range"


def read_expiry(field: str, today: date) -> tuple[str | None, str | None]:
    """Read the six characters of an expiry date; only a full day counts as known.

    Returns:
        "YYYY-MM-DD", if the day is known, and the fault, if there is one: `expiry_date_format`,
        `expiry_date_range`.
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
