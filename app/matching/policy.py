"""The thresholds from which evidence counts in screening.

Evidence is counted in bits. Against a register of 100,000 entries, evidence of 25 bits turns up by chance for about 3
travellers in 1000 at the very limit, and most chance evidence stays far below; one bit more halves it, one bit less
doubles it. A register ten times as large needs about three bits more for the same number of false stops.
"""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

Bits = Annotated[float, msgspec.Meta(ge=0, le=100)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class PolicyUnreadable(ValueError):
    """A threshold has an unknown name or an invalid value."""


class MatchPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, cache_hash=True):
    """The thresholds from which a match of names, with or without birth dates, is reported. It never refuses anyone.

    Attributes:
        stop_bits: evidence of name and birth date together that stops a traveller where the very day of birth agrees.
            Lower: fewer disguises pass and more innocent people wait; higher: the reverse.
        stop_likeness: how alike the names must also be, 0 to 1.
        word_likeness: how alike the names must be where one rare word is enough (`word_bits`).
        word_bits: rarity of one word that is enough on the very day of birth, though others contradict: a family name
            under another given name.
        equal_likeness: names from this likeness on count as the same name: with a fitting birth date they stop
            as the law's "same subject" does, almost whatever their rarity.
        equal_bits: the least rarity for that (not a lone Muhammad with a birth year); also of several words that
            are the same name where the entry or the traveller gives no birth date.
        same_bits: the least evidence in all for that where the birth dates fit and the very day is not known: a span of
            decades is no evidence.
        name_only_likeness: how alike names without a word left over must be where no birth date is given.
        name_only_bits: and how rare.
        part_likeness: how alike names must be where one has words that the other lacks, and no birth date is given.
        part_bits: and how rare what they share.
        contained_bits: the same where one name is all within the other and no words contradict each other.
        within_likeness: how alike names must be where the traveller's is all within a longer listed one; lower than
            `part_likeness`, as lists have more of a person's names than papers have.
        within_bits: the same rarity where several words of the traveller's name are in the longer listed one.
        compatible_likeness: how alike names must be where the birth dates fit, with whatever words left over.
        compatible_bits: and how rare what they share.
        near_likeness: how alike names must be where the birth date differs in one digit, has day and month in each
            other's place, or differs from a first of January of its year.
        near_bits: and how much evidence there must be in all.
        similar_likeness: names from this likeness on count as similar if the document numbers are equal.
        review_bits: evidence that is noted for review, without stopping anybody, where the very day of birth agrees.
        review_likeness: how alike the names must be for that.
        near_review_bits: the same where the birth date only fits, or nearly.
        contradicted_bits: rarity of an equal name that is noted for review although the birth date contradicts: a
            false date is the cheapest disguise.
        near_year_likeness: the same where the years are equal or one apart.
        near_year_bits: and its rarity.
        probable_bits: evidence from which a stop is called `probable` rather than `possible`.
        other_sex_bits: what another sex costs.
        other_nationality_bits: what another nationality costs. Neither vetoes: both are wrong on papers and lists.
        most_candidates: the largest number of entries compared for one traveller; `truncated` reports that there were
            more.
    """

    stop_bits: Bits = 23.0
    stop_likeness: Share = 0.55
    word_likeness: Share = 0.33
    word_bits: Bits = 9.5
    equal_likeness: Share = 0.95
    equal_bits: Bits = 4.5
    same_bits: Bits = 10.0
    name_only_likeness: Share = 0.72
    name_only_bits: Bits = 7.0
    part_likeness: Share = 0.6
    part_bits: Bits = 9.5
    contained_bits: Bits = 8.6
    within_likeness: Share = 0.4
    within_bits: Bits = 7.0
    compatible_likeness: Share = 0.5
    compatible_bits: Bits = 9.0
    near_likeness: Share = 0.75
    near_bits: Bits = 28.0
    similar_likeness: Share = 0.75
    review_bits: Bits = 12.8
    review_likeness: Share = 0.36
    near_review_bits: Bits = 20.0
    contradicted_bits: Bits = 20.0
    near_year_likeness: Share = 0.85
    near_year_bits: Bits = 17.0
    probable_bits: Bits = 32.0
    other_sex_bits: Bits = 4.0
    other_nationality_bits: Bits = 2.0
    most_candidates: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 250


DEFAULT: Final = MatchPolicy()
"""The thresholds in force unless settings change them."""


def policy_of(thresholds: Mapping[str, float]) -> MatchPolicy:
    """Return the policy with some thresholds changed (the setting `match_policy`) and the others at their defaults.

    Raises:
        PolicyUnreadable: an unknown name, or a value out of its range.
    """
    given = {name: int(value) if float(value).is_integer() else value for name, value in thresholds.items()}
    try:
        return msgspec.convert(given, MatchPolicy)
    except msgspec.ValidationError as error:
        raise PolicyUnreadable(f"{error}.") from None
