"""The table of tiers: one table decides and explains."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.matching.alignment import NOTHING, Alignment, Pair, Side
from app.matching.births import Nearness
from app.matching.policy import DEFAULT, MatchPolicy
from app.matching.tiers import EXACT, STOPPING, examined, is_probable, tier_of

NEARNESSES = get_args(Nearness)
SHARES = st.floats(0, 1)
BITS = st.floats(-20, 80)
LEFT = st.sampled_from(["in whole", "contained", "within", "in part"])


def aligned(
    likeness: float, bits: float, *, left: bool, conflict: float = 0.0, side: Side = "asked", words: int = 1
) -> Alignment:
    """Names that have words in common, and perhaps another that has no partner, or contradicts a third."""
    pairs = (Pair("A", "A", "equal", bits / words),) * words
    return Alignment(likeness, bits, pairs, ((side, "B"),) if left else (), conflict, 0.0)


@given(st.sampled_from(NEARNESSES), SHARES, BITS, BITS, LEFT, st.integers(1, 2))
def test_the_tier_is_that_of_the_first_clause_whose_demands_are_all_met(
    nearness: Nearness, likeness: float, name_bits: float, bits: float, left: str, words: int
):
    names = aligned(
        likeness,
        name_bits,
        left=left != "in whole",
        conflict=5.0 if left == "in part" else 0.0,
        side="listed" if left == "within" else "asked",
        words=words,
    )
    clauses = list(examined(names, nearness, bits, DEFAULT))
    met = [tier for tier, demands in clauses if all(demand.met for demand in demands)]
    assert tier_of(names, nearness, bits, DEFAULT) == (met[0] if met else "none")


@pytest.mark.parametrize("nearness", NEARNESSES)
def test_every_way_in_which_births_stand_has_its_clauses(nearness: Nearness):
    clauses = list(examined(aligned(1, 1, left=False), nearness, 1, DEFAULT))
    assert clauses
    tiers = [tier for tier, _ in clauses]
    assert tiers == sorted(tiers, key=["stop", "review", "none"].index)
    assert (nearness in STOPPING) is ("stop" in tiers)


def test_no_name_stops_against_a_contradicting_birth_date():
    assert set(NEARNESSES) - STOPPING == {"contradicts", "near_year"}


def test_every_threshold_of_tiers_is_one_of_the_policy():
    named = {
        demand.threshold
        for nearness in NEARNESSES
        for left, words in ((True, 2), (False, 1))
        for names in (aligned(1, 1, left=left, side="listed", words=words),)
        for _, demands in examined(names, nearness, 1, DEFAULT)
        for demand in demands
    }
    elsewhere = {
        "probable_bits",
        "other_sex_bits",
        "other_nationality_bits",
        "similar_likeness",
        "most_candidates",
    }
    assert named | elsewhere == set(MatchPolicy.__struct_fields__)


@pytest.mark.parametrize("nearness", NEARNESSES)
def test_without_a_word_in_common_nothing_counts(nearness: Nearness):
    assert tier_of(NOTHING, nearness, 100, DEFAULT) == "none"


def test_another_policy_has_its_own_numbers():
    names = aligned(0.58, 8.5, left=True)
    assert tier_of(names, "equal", 23.4, DEFAULT) == "stop"
    assert tier_of(names, "equal", 23.4, msgspec.structs.replace(DEFAULT, stop_bits=26)) == "review"


def test_one_rare_word_is_enough_on_the_very_day_and_on_no_other():
    names = Alignment(0.4, 0.5, (Pair("A", "A", "equal", 10.5),), (("asked", "B"), ("listed", "C")), 9.0, 1.0)
    common = msgspec.structs.replace(names, pairs=(Pair("A", "A", "equal", 9.4),))
    assert tier_of(names, "equal", 14.9, DEFAULT) == "stop"
    assert tier_of(common, "equal", 14.9, DEFAULT) == "review"
    assert {tier_of(names, nearness, 14.9, DEFAULT) for nearness in NEARNESSES if nearness != "equal"} == {
        "none",
        "review",
    }


def test_without_a_birth_date_a_name_must_be_rarer_and_of_one_word_or_in_part_rarer_still():
    lone, several = (
        aligned(1.0, 5.6, left=False),
        Alignment(1.0, 4.6, (Pair("A", "A", "equal", 2.3),) * 2, (), 0, 0),
    )
    assert tier_of(lone, "unknown", 5.6, DEFAULT) == "none"  # one traveller in fifty
    assert tier_of(aligned(1.0, 7.0, left=False), "unknown", 7.0, DEFAULT) == "stop"
    assert tier_of(several, "unknown", 4.6, DEFAULT) == "stop"
    contradicted, contained = aligned(0.9, 9.0, left=True, conflict=5.0), aligned(0.9, 9.0, left=True)
    assert tier_of(contradicted, "unknown", 9.0, DEFAULT) == "none"
    assert tier_of(aligned(0.6, 9.5, left=True, conflict=5.0), "unknown", 9.5, DEFAULT) == "stop"
    assert tier_of(contained, "unknown", 9.0, DEFAULT) == "stop"
    assert tier_of(aligned(0.9, 8.5, left=True), "unknown", 8.5, DEFAULT) == "none"


def test_a_name_within_a_longer_listed_one_needs_little_likeness_and_the_reverse_does_not():
    within = aligned(0.4, 8.6, left=True, side="listed")
    assert tier_of(within, "unknown", 8.6, DEFAULT) == "stop"
    assert tier_of(aligned(0.4, 8.6, left=True), "unknown", 8.6, DEFAULT) == "none"
    assert tier_of(aligned(0.39, 8.6, left=True, side="listed"), "unknown", 8.6, DEFAULT) == "none"
    assert tier_of(aligned(0.4, 8.5, left=True, side="listed"), "unknown", 8.5, DEFAULT) == "none"


def test_several_words_within_a_longer_listed_name_may_be_less_rare():
    several = aligned(0.4, 7.0, left=True, side="listed", words=2)
    assert tier_of(several, "unknown", 7.0, DEFAULT) == "stop"
    assert tier_of(aligned(0.4, 6.9, left=True, side="listed", words=2), "unknown", 6.9, DEFAULT) == "none"
    assert tier_of(aligned(0.4, 7.0, left=True, side="listed"), "unknown", 7.0, DEFAULT) == "none"
    contradicted = aligned(0.4, 7.0, left=True, side="listed", words=2, conflict=3.0)
    assert tier_of(contradicted, "unknown", 7.0, DEFAULT) == "none"


def test_where_the_birth_fits_half_of_a_name_is_enough_if_it_is_rare():
    half = aligned(0.5, 9.0, left=True, conflict=3.0)
    assert [tier_of(half, nearness, 14.9, DEFAULT) for nearness in ("unknown", "compatible", "equal")] == [
        "none",
        "stop",
        "stop",
    ]
    assert tier_of(aligned(0.5, 8.9, left=True, conflict=3.0), "compatible", 14.8, DEFAULT) == "none"


def test_probable_needs_the_very_day():
    assert {nearness for nearness in NEARNESSES if is_probable(nearness, 90, DEFAULT)} == EXACT
    assert not is_probable("equal", DEFAULT.probable_bits - 1, DEFAULT)
