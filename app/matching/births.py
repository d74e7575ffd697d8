"""Birth dates as evidence: the nearness of two statements, and its evidence for or against a match in bits.

An equal day is worth about fourteen bits (one person in 2^14 shares it), an equal year about six. A nearly equal date
results from a typing error or a false paper. In many registers the first of January means "only the year is known", so
it is compared as a year (R17).
"""

import math
from functools import lru_cache
from typing import Final, Literal

import msgspec

from app.identity.births import Birth, is_full_day, span

Nearness = Literal[
    "equal", "swapped", "one_digit", "compatible", "default_day", "near_year", "contradicts", "unknown"
]
"""The result of a comparison of two birth dates.

`compatible`: both may be the same day, and one is not known to the day. `default_day`: the years are equal, and one
date is the first of January. `one_digit`: also two neighbouring digits transposed. `near_year`: the years are equal or
one apart.
"""

_CROWD_DAYS: Final = 60 * 365.25
"""The number of days over which travellers' births are spread."""
_FEWEST_BITS: Final = 1.0
_ONE_DIGIT_DATES: Final = 34.0
"""The approximate number of valid dates that differ from a date in one digit."""
_NEAR_YEARS: Final = 1
_BITS: Final[dict[Nearness, float]] = {
    "swapped": math.log2(_CROWD_DAYS) - 2.0,
    "one_digit": math.log2(_CROWD_DAYS / _ONE_DIGIT_DATES) - 1.0,
    "near_year": 1.0,
    "contradicts": -8.0,
    "unknown": 0.0,
}
"""Evidence by nearness; reduced below the value of chance if an error must be assumed too."""
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
    """The result of a comparison of two birth dates.

    Attributes:
        nearness: how near the dates are, as one word.
        bits: the evidence for a match, in bits; negative for evidence against a match.
    """

    nearness: Nearness
    bits: float


UNKNOWN: Final = BirthEvidence("unknown", 0.0)
"""The result if the traveller or the listed person has no birth date."""


@lru_cache(maxsize=1 << 13)
def compare_births(listed: Birth, queried: Birth) -> BirthEvidence:
    """Return the result of comparing one birth date of a listed person with one of the traveller."""
    first, last = span(listed)
    queried_first, queried_last = span(queried)
    both_full = is_full_day(listed) and is_full_day(queried)
    if first <= queried_last and queried_first <= last:
        if both_full:
            default = first.month == first.day == 1
            return BirthEvidence("equal", _EQUAL_DEFAULT_DAY if default else math.log2(_CROWD_DAYS))
        days = max((last - first).days, (queried_last - queried_first).days) + 1
        return BirthEvidence("compatible", max(_FEWEST_BITS, math.log2(_CROWD_DAYS / days)))
    if both_full:
        if (first.year, first.month, first.day) == (
            queried_first.year,
            queried_first.day,
            queried_first.month,
        ):
            return _of("swapped")
        if first.year == queried_first.year and any(
            day.month == day.day == 1 for day in (first, queried_first)
        ):
            return BirthEvidence("default_day", math.log2(_CROWD_DAYS / 365.25) - 1.0)
        if _one_digit_apart(str(listed.date), str(queried.date)):
            return _of("one_digit")
    apart = max(first.year - queried_last.year, queried_first.year - last.year)
    return _of("near_year" if apart <= _NEAR_YEARS else "contradicts")


def best_birth(listed: tuple[Birth, ...], queried: tuple[Birth, ...]) -> BirthEvidence:
    """Return the result of comparing all birth dates of a listed person with all of the traveller (`queried`).

    Each date of the traveller is compared with the listed date that is nearest to it. If the traveller has several
    dates, the result of the farthest one counts, because papers that disagree do not prove the day. A traveller's date
    that only repeats another one less precisely, such as its year, is ignored. Without a date on one side the nearness
    is `unknown`.
    """
    worst: BirthEvidence | None = None
    for mine in queried if len(queried) == 1 else _most_precise(queried):
        best = UNKNOWN
        for birth in listed:
            found = compare_births(birth, mine)
            if _rank(found) > _rank(best):
                best = found
        if worst is None or _rank(best) < _rank(worst):
            worst = best
    return worst or UNKNOWN


def nearer(one: BirthEvidence, other: BirthEvidence) -> BirthEvidence:
    """Return the one of two results whose nearness is closer to `equal`; `one` if they are the same."""
    return max(one, other, key=_rank)


def _most_precise(births: tuple[Birth, ...]) -> list[Birth]:
    """Return the births without those that only repeat another one less precisely."""
    spans = [span(birth) for birth in births]
    return [
        birth
        for birth, (first, last) in zip(births, spans, strict=True)
        if not any(first <= other[0] and other[1] <= last and other != (first, last) for other in spans)
    ]


def _rank(found: BirthEvidence) -> int:
    return _RISING.index(found.nearness)


def _of(nearness: Nearness) -> BirthEvidence:
    return BirthEvidence(nearness, _BITS[nearness])


def _one_digit_apart(one: str, other: str) -> bool:
    """Return whether two dates differ in one digit, or in two neighbouring digits that are transposed."""
    places = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(places) == 1:
        return True
    if len(places) != 2 or places[1] - places[0] != 1:  # noqa: PLR2004 - two neighbours
        return False
    first, second = places
    return one[first] == other[second] and one[second] == other[first]
