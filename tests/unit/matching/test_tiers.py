"""The table of tiers: one table decides and explains."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.matching.alignment import NOTHING, Alignment, Pair
from app.matching.births import Nearness
from app.matching.policy import DEFAULT, MatchPolicy
from app.matching.tiers import EXACT, STOPPING, examined, is_probable, tier_of

NEARNESSES = get_args(Nearness)
SHARES = st.floats(0, 1)
BITS = st.floats(-20, 80)
LEFT = st.sampled_from(["in whole", "in part"])


def aligned(likeness: float, bits: float, *, left: bool) -> Alignment:
    """Names that have one word in common, and perhaps another that has no partner."""
    pairs = (Pair("A", "A", "equal", bits),)
    return Alignment(likeness, bits, pairs, (("asked", "B"),) if left else (), 0.0, 0.0)


@given(st.sampled_from(NEARNESSES), SHARES, BITS, BITS, LEFT)
def test_the_tier_is_that_of_the_first_clause_whose_demands_are_all_met(
    nearness: Nearness, likeness: float, name_bits: float, bits: float, left: str
):
    names = aligned(likeness, name_bits, left=left == "in part")
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
        for left in (True, False)
        for _, demands in examined(aligned(1, 1, left=left), nearness, 1, DEFAULT)
        for demand in demands
    }
    elsewhere = {"probable_bits", "other_sex_bits", "other_nationality_bits", "most_candidates"}
    assert named | elsewhere == set(MatchPolicy.__struct_fields__)


@pytest.mark.parametrize("nearness", NEARNESSES)
def test_without_a_word_in_common_nothing_counts(nearness: Nearness):
    assert tier_of(NOTHING, nearness, 100, DEFAULT) == "none"


def test_another_policy_has_its_own_numbers():
    names = aligned(0.6, 11, left=False)
    assert tier_of(names, "equal", 25.0, DEFAULT) == "stop"
    assert tier_of(names, "equal", 25.0, msgspec.structs.replace(DEFAULT, stop_bits=26)) == "review"


def test_probable_needs_the_very_day():
    assert {nearness for nearness in NEARNESSES if is_probable(nearness, 90, DEFAULT)} == EXACT
    assert not is_probable("equal", DEFAULT.probable_bits - 1, DEFAULT)
