"""The thresholds from which evidence counts in screening.

Evidence is counted in bits. In a register of 100,000 entries, about 3 travellers in 1000 share evidence of 25 bits with
an entry by chance. One bit more halves this number, one bit less doubles it. A register ten times as large needs about
three bits more for the same number of false stops.
"""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

Bits = Annotated[float, msgspec.Meta(ge=0, le=100)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class PolicyUnreadable(ValueError):
    """Raised if a threshold has an unknown name or an invalid value."""


class MatchPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, cache_hash=True):
    """The thresholds from which a match by names and birth dates stops a traveller or is noted; none refuses anybody.

    Each threshold is the least value that counts. A likeness of names is from 0 to 1. Evidence and rarity are in bits:
    evidence is the sum over names and birth dates, rarity is that of the words that both names share. Birth dates fit
    if they may be the same day, and one is not known to the day. Names that stop without birth dates also stop if the
    birth dates fit; names that stop then also stop with the same day of birth.

    Attributes:
        stop_bits: evidence that stops a traveller with the same day of birth. Lower: fewer disguises pass and more
            innocent people wait; higher: the reverse.
        stop_likeness: likeness that is needed with `stop_bits`.
        word_likeness: likeness that is needed with `word_bits`.
        word_bits: rarity of a single shared word that stops a traveller with the same day of birth, even if other words
            contradict: a family name under another given name.
        equal_likeness: likeness of names that count as the same name. With the same day of birth it is enough to stop,
            as for the law's "same subject".
        equal_bits: rarity that the same name needs to stop if the birth dates only fit or have day and month swapped,
            or if a birth date is missing and several words agree. If one birth date is the first of January of the
            other's year, a same name of this rarity is noted for review.
        same_bits: evidence that the same name also needs to stop if the birth dates only fit, because a span of decades
            is no evidence.
        name_only_likeness: likeness that stops without birth dates if no name has further words.
        name_only_bits: rarity that is needed with `name_only_likeness`.
        part_likeness: likeness that stops without birth dates if a name has further words.
        part_bits: rarity that is needed with `part_likeness`.
        contained_bits: rarity that is enough, in place of `part_bits`, if all words of one name are in the other.
        within_likeness: likeness that is enough, in place of `part_likeness`, if all words of the traveller's name are
            in a longer listed one; lists have more of a person's names than papers have.
        within_bits: rarity that is needed with `within_likeness`, in place of `contained_bits`, if several words agree.
        compatible_likeness: likeness that stops if the birth dates fit, with any further words.
        compatible_bits: rarity that is needed with `compatible_likeness`.
        near_likeness: likeness that stops if a birth date differs in one digit, has day and month swapped, or is the
            first of January of the other's year.
        near_bits: evidence that is needed with `near_likeness`.
        similar_likeness: likeness of names that count as similar if the document numbers are equal.
        review_bits: evidence that is noted for review, without stopping anybody, with the same day of birth or with
            day and month swapped.
        review_likeness: likeness that is needed with `review_bits` and with `near_review_bits`.
        near_review_bits: evidence that is noted for review if the birth dates only fit, or nearly fit.
        contradicted_bits: rarity of the same name that is noted for review although the birth dates contradict: a
            false date is the cheapest disguise.
        near_year_likeness: likeness that is noted for review if the birth years are equal or one apart.
        near_year_bits: rarity that is needed with `near_year_likeness`.
        probable_bits: evidence that makes a stop `probable` rather than `possible`, with the same day of birth or with
            day and month swapped.
        other_sex_bits: evidence that is subtracted for another sex.
        other_nationality_bits: evidence that is subtracted for another nationality. A different sex or nationality does
            not exclude a match, because papers and lists have errors in both.
        most_candidates: greatest number of entries compared by name for one traveller; `truncated` in an answer reports
            that entries beyond this number are as likely to match.
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
    """Return the policy with these thresholds, by name as in the setting `match_policy`; others have their defaults.

    Raises:
        PolicyUnreadable: a name is unknown, or a value is out of its range.
    """
    given = {name: int(value) if float(value).is_integer() else value for name, value in thresholds.items()}
    try:
        return msgspec.convert(given, MatchPolicy)
    except msgspec.ValidationError as error:
        raise PolicyUnreadable(f"{error}.") from None
