"""From what on evidence counts: the thresholds of screening, in one place.

Evidence is counted in bits. Against a register of 100,000 entries, evidence of 25 bits turns up by chance for about 3
travellers in 1000 at the very limit, and most chance evidence stays far below; one bit more halves it, one bit less
doubles it. A register ten times as large needs about three bits more for the same peace at the counter.
"""

from typing import Final

import msgspec


class MatchPolicy(msgspec.Struct, frozen=True, kw_only=True):
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

    stop_bits: float = 25.0
    stop_likeness: float = 0.55
    exact_bits: float = 23.0
    fitting_likeness: float = 0.75
    fitting_bits: float = 12.0
    near_likeness: float = 0.75
    near_bits: float = 27.0
    equal_likeness: float = 0.95
    equal_bits: float = 4.5
    name_only_likeness: float = 0.65
    name_only_bits: float = 4.0
    name_only_part_bits: float = 11
    review_bits: float = 12.8
    review_likeness: float = 0.36
    near_review_bits: float = 20.0
    contradicted_bits: float = 20.0
    near_year_likeness: float = 0.85
    near_year_bits: float = 17.0
    probable_bits: float = 32.0
    other_sex_bits: float = 4.0
    other_nationality_bits: float = 2.0
    most_candidates: int = 100


DEFAULT: Final = MatchPolicy()
"""What holds unless settings say otherwise."""
