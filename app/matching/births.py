"""Birth dates as evidence: how near two statements are, and what that says for or against, in bits.

Equal days halve the crowd fourteen times, and a year alone six times. A date that is nearly right is what a slip, or a
false paper, looks like. The first of January stands for "only the year is known" in many registers, so it is taken as
no more than that (R17).
"""

import math
from functools import lru_cache
from typing import Final, Literal

import msgspec

from app.identity.births import Birth, is_full_day, span

Nearness = Literal[
    "equal", "swapped", "one_digit", "compatible", "default_day", "near_year", "contradicts", "unknown"
]
"""How two birth dates stand to each other."""

_CROWD_DAYS: Final = 60 * 365.25
"""Days over which travellers' births spread."""
_FEWEST_BITS: Final = 1.0
_ONE_DIGIT_DATES: Final = 34.0
"""Real dates that differ from a date in one digit, about."""
_NEAR_YEARS: Final = 1
_BITS: Final[dict[Nearness, float]] = {
    "swapped": math.log2(_CROWD_DAYS) - 2.0,
    "one_digit": math.log2(_CROWD_DAYS / _ONE_DIGIT_DATES) - 1.0,
    "near_year": 1.0,
    "contradicts": -8.0,
    "unknown": 0.0,
}
"""Less than the chance alone would give where an error must be supposed as well."""
_EQUAL_DEFAULT_DAY: Final = 8.0
_RISING: Final[tuple[Nearness, ...]] = (
    "unknown",
    "contradicts",
    "near_year",
    "one_digit",
    "default_day",
    "compatible",
    "swapped",
    "equal",
)


class BirthEvidence(msgspec.Struct, frozen=True, gc=False):
    """How two birth dates stand to each other, and what it is worth in bits (negative: speaks against)."""

    nearness: Nearness
    bits: float


UNKNOWN: Final = BirthEvidence("unknown", 0.0)


@lru_cache(maxsize=1 << 13)
def compare_births(listed: Birth, asked: Birth) -> BirthEvidence:
    """Compare one listed birth with the one asked about."""
    first, last = span(listed)
    asked_first, asked_last = span(asked)
    both_full = is_full_day(listed) and is_full_day(asked)
    if first <= asked_last and asked_first <= last:
        if both_full:
            default = first.month == first.day == 1
            return BirthEvidence("equal", _EQUAL_DEFAULT_DAY if default else math.log2(_CROWD_DAYS))
        days = max((last - first).days, (asked_last - asked_first).days) + 1
        return BirthEvidence("compatible", max(_FEWEST_BITS, math.log2(_CROWD_DAYS / days)))
    if both_full:
        if (first.year, first.month, first.day) == (asked_first.year, asked_first.day, asked_first.month):
            return _of("swapped")
        if first.year == asked_first.year and any(day.month == day.day == 1 for day in (first, asked_first)):
            return BirthEvidence("default_day", math.log2(_CROWD_DAYS / 365.25) - 1.0)
        if _one_digit_apart(str(listed.date), str(asked.date)):
            return _of("one_digit")
    apart = max(first.year - asked_last.year, asked_first.year - last.year)
    return _of("near_year" if apart <= _NEAR_YEARS else "contradicts")


def best_birth(listed: tuple[Birth, ...], asked: tuple[Birth, ...]) -> BirthEvidence:
    """Compare every listed birth with every one asked about.

    Of what a list gives as alternatives the nearest counts; of what a traveller's papers say the farthest: papers
    that disagree about the day are no proof of it.
    """
    worst: BirthEvidence | None = None
    for mine in asked:
        best = UNKNOWN
        for birth in listed:
            found = compare_births(birth, mine)
            if _rank(found) > _rank(best):
                best = found
        if worst is None or _rank(best) < _rank(worst):
            worst = best
    return worst or UNKNOWN


def _rank(found: BirthEvidence) -> int:
    return _RISING.index(found.nearness)


def _of(nearness: Nearness) -> BirthEvidence:
    return BirthEvidence(nearness, _BITS[nearness])


def _one_digit_apart(one: str, other: str) -> bool:
    """Whether two dates differ in one digit, or in two neighbours that changed places."""
    places = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(places) == 1:
        return True
    if len(places) != 2 or places[1] - places[0] != 1:  # noqa: PLR2004 - two neighbours
        return False
    first, second = places
    return one[first] == other[second] and one[second] == other[first]
