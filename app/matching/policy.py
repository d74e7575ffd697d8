"""From what on evidence counts: the thresholds of screening, in one place.

Evidence is counted in bits. Against a register of 100,000 entries, evidence of 25 bits turns up by chance for about 3
travellers in 1000 at the very limit, and most chance evidence stays far below; one bit more halves it, one bit less
doubles it. A register ten times as large needs about three bits more for the same peace at the counter.
"""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

Bits = Annotated[float, msgspec.Meta(ge=0, le=100)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class PolicyUnreadable(ValueError):
    """A threshold has a name that doesn't exist, or a value that can't be meant."""


class MatchPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, cache_hash=True):
    """When a name, with or without a birth date, is shown to somebody. A name alone never refuses.

    Attributes:
        stop_bits: evidence of name and birth date together that stops a traveller. Lower: fewer disguises pass and
            more innocent people wait; higher: the reverse.
        stop_likeness: how alike the names must be besides, 0 to 1.
        exact_bits: evidence that is enough where the very day of birth agrees and the names are as alike as
            `name_only_likeness`.
        fitting_likeness: how alike names must be where only the year or month of birth is known, and fits.
        fitting_bits: and how rare.
        near_likeness: how alike names must be where the birth date differs in one digit.
        near_bits: and how much evidence there must be in all.
        equal_likeness: names from this likeness on count as the same name: with a fitting birth date they stop
            as the law's "same subject" does, almost whatever their rarity.
        equal_bits: the least rarity for that (not a lone Muhammad with a birth year).
        name_only_likeness: how alike names must be where the entry or the traveller gives no birth date.
        name_only_bits: and how rare, if they are the same name.
        name_only_part_bits: and how rare, if one has words that the other lacks.
        review_bits: evidence that is noted for review, without stopping anybody, where the very day of birth agrees.
        review_likeness: how alike the names must be for that.
        near_review_bits: the same where the birth date only fits, or differs in one digit.
        contradicted_bits: rarity of an equal name that is noted for review although the birth date contradicts: a
            false date is the cheapest disguise.
        near_year_likeness: the same where the years are equal or one apart.
        near_year_bits: and its rarity.
        probable_bits: evidence from which a stop is called `probable` rather than `possible`.
        other_sex_bits: what another sex costs.
        other_nationality_bits: what another nationality costs. Neither vetoes: both are wrong on papers and lists.
        most_candidates: entries that are compared for one traveller; more than that is said (`truncated`).
    """

    stop_bits: Bits = 25.0
    stop_likeness: Share = 0.55
    exact_bits: Bits = 23.0
    fitting_likeness: Share = 0.75
    fitting_bits: Bits = 12.0
    near_likeness: Share = 0.75
    near_bits: Bits = 27.0
    equal_likeness: Share = 0.95
    equal_bits: Bits = 4.5
    name_only_likeness: Share = 0.65
    name_only_bits: Bits = 4.0
    name_only_part_bits: Bits = 11
    review_bits: Bits = 12.8
    review_likeness: Share = 0.36
    near_review_bits: Bits = 20.0
    contradicted_bits: Bits = 20.0
    near_year_likeness: Share = 0.85
    near_year_bits: Bits = 17.0
    probable_bits: Bits = 32.0
    other_sex_bits: Bits = 4.0
    other_nationality_bits: Bits = 2.0
    most_candidates: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


DEFAULT: Final = MatchPolicy()
"""What holds unless settings say otherwise."""


def policy_of(thresholds: Mapping[str, float]) -> MatchPolicy:
    """Give the policy with some thresholds set (the setting `match_policy`), the others at their defaults.

    Raises:
        PolicyUnreadable: an unknown name, or a value out of its range.
    """
    given = {name: int(value) if float(value).is_integer() else value for name, value in thresholds.items()}
    try:
        return msgspec.convert(given, MatchPolicy)
    except msgspec.ValidationError as error:
        raise PolicyUnreadable(f"{error}.") from None
