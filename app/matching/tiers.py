"""From evidence to a tier: which thresholds of a `MatchPolicy` must be met together, case by case.

The table is the decision itself and its explanation: `tier_of` walks it, `examined` says of each clause what it
demands and whether that is met.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, Literal

import msgspec

from app.matching.alignment import Alignment
from app.matching.births import Nearness
from app.matching.policy import MatchPolicy

Tier = Literal["stop", "review", "none"]
"""`stop`: refer to the supervisor. `review`: noted, nobody waits. `none`: another person."""

Quantity = Literal["likeness", "name_bits", "bits"]
"""What a threshold is held against: how alike the names are, how rare what they share is, the evidence in all."""

EXACT: Final = frozenset({"equal", "swapped"})
"""The very day of birth, perhaps with day and month in each other's place."""


class Clause(msgspec.Struct, frozen=True):
    """Thresholds that lead to a tier if all are met: names of attributes of the policy; "" where there is none."""

    tier: Tier
    likeness: str = ""
    name_bits: str = ""
    bits: str = ""


class Demand(msgspec.Struct, frozen=True):
    """A threshold of the policy, and whether it was met."""

    threshold: str
    quantity: Quantity
    least: float
    found: float

    @property
    def met(self) -> bool:
        """Whether enough was found."""
        return self.found >= self.least


_SAME_NAME: Final = Clause("stop", likeness="equal_likeness", name_bits="equal_bits")
_RARE_NAME: Final = Clause("stop", likeness="fitting_likeness", name_bits="fitting_bits")
_VERY_DAY: Final = (
    Clause("stop", likeness="stop_likeness", bits="stop_bits"),
    Clause("stop", likeness="name_only_likeness", bits="exact_bits"),
    _RARE_NAME,
    _SAME_NAME,
)
_FITTING: Final = (
    Clause("stop", likeness="fitting_likeness", bits="stop_bits"),
    _RARE_NAME,
    _SAME_NAME,
    Clause("review", likeness="review_likeness", bits="near_review_bits"),
)
_NOTED_ON_THE_DAY: Final = Clause("review", likeness="review_likeness", bits="review_bits")
_UNKNOWN: Final[Nearness] = "unknown"
_IN_PART: Final = "unknown, names equal in part"
_TABLE: Final[Mapping[str, tuple[Clause, ...]]] = {
    "equal": (*_VERY_DAY, Clause("stop", likeness="equal_likeness"), _NOTED_ON_THE_DAY),
    "swapped": (*_VERY_DAY, _NOTED_ON_THE_DAY),
    "one_digit": (
        Clause("stop", likeness="near_likeness", bits="near_bits"),
        Clause("review", likeness="review_likeness", bits="near_review_bits"),
    ),
    "compatible": _FITTING,
    "default_day": _FITTING,
    "near_year": (Clause("review", likeness="near_year_likeness", name_bits="near_year_bits"),),
    "contradicts": (Clause("review", likeness="equal_likeness", name_bits="contradicted_bits"),),
    _UNKNOWN: (Clause("stop", likeness="name_only_likeness", name_bits="name_only_bits"),),
    _IN_PART: (Clause("stop", likeness="name_only_likeness", name_bits="name_only_part_bits"),),
}
"""By how the birth dates stand to each other, the gravest tier first."""

STOPPING: Final = frozenset(
    nearness for nearness, clauses in _TABLE.items() if any(clause.tier == "stop" for clause in clauses)
)
"""How birth dates must stand to each other for a name to stop anybody."""


def tier_of(names: Alignment, nearness: Nearness, bits: float, policy: MatchPolicy) -> Tier:
    """The decision; without a word in common nothing else counts."""
    if not names.pairs:
        return "none"
    for tier, likeness, name_bits, least in _compiled(policy)[_case(names, nearness)]:
        if names.likeness >= likeness and names.bits >= name_bits and bits >= least:
            return tier
    return "none"


def is_probable(nearness: Nearness, bits: float, policy: MatchPolicy) -> bool:
    """Whether a stop is called `probable` rather than `possible`."""
    return nearness in EXACT and probability(bits, policy).met


def probability(bits: float, policy: MatchPolicy) -> Demand:
    """The threshold of `probable`, which the very day of birth must join."""
    return Demand("probable_bits", "bits", policy.probable_bits, bits)


def examined(
    names: Alignment, nearness: Nearness, bits: float, policy: MatchPolicy
) -> Iterator[tuple[Tier, tuple[Demand, ...]]]:
    """Every clause of the case, in the order of the decision, with its thresholds held against what was found."""
    found: dict[Quantity, float] = {"likeness": names.likeness, "name_bits": names.bits, "bits": bits}
    for clause in _TABLE[_case(names, nearness)]:
        named: tuple[tuple[str, Quantity], ...] = (
            (clause.likeness, "likeness"),
            (clause.name_bits, "name_bits"),
            (clause.bits, "bits"),
        )
        demands = (
            Demand(threshold, quantity, getattr(policy, threshold), found[quantity])
            for threshold, quantity in named
            if threshold
        )
        yield clause.tier, tuple(demands)


def _case(names: Alignment, nearness: Nearness) -> str:
    return _IN_PART if nearness == _UNKNOWN and names.left else nearness


@lru_cache(maxsize=8)
def _compiled(policy: MatchPolicy) -> dict[str, tuple[tuple[Tier, float, float, float], ...]]:
    """The table with the policy's numbers in it; no demand is the least number."""

    def number(threshold: str) -> float:
        return float(getattr(policy, threshold)) if threshold else float("-inf")

    return {
        case: tuple(
            (each.tier, number(each.likeness), number(each.name_bits), number(each.bits)) for each in clauses
        )
        for case, clauses in _TABLE.items()
    }
