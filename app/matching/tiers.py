"""The decision from evidence to a tier: the thresholds of a `MatchPolicy` that must be met together in each case.

The table serves both the decision and its explanation: `tier_of` searches it, `examined` returns for each clause its
demands and whether they are met.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, Literal

import msgspec

from app.matching.alignment import Alignment
from app.matching.births import Nearness
from app.matching.policy import MatchPolicy

Tier = Literal["stop", "review", "none"]
"""`stop`: refer to the supervisor. `review`: note the match, let the traveller pass. `none`: another person."""

Quantity = Literal["likeness", "name_bits", "word_bits", "bits"]
"""The quantity to which a threshold applies. `likeness`: of the names. `name_bits`: rarity of the words that both names
share. `word_bits`: rarity of the rarest of these words. `bits`: sum of all evidence."""

EXACT: Final = frozenset({"equal", "swapped"})
"""The results of comparing birth dates in which the day of birth agrees, perhaps with day and month swapped."""

_PART, _CONTAINED, _WITHIN, _WITHIN_BY_SEVERAL, _WHOLE, _SEVERAL = (1 << place for place in range(6))
"""The extent to which names agree, as a bit mask: in a part of both; in all of one, while the traveller's has further
words; in all of the traveller's, while the listed one has further words, by one word or by several; in whole, by one
word or by several."""
_ANY: Final = 0
_NOTHING_CONTRADICTS: Final = _CONTAINED | _WITHIN | _WITHIN_BY_SEVERAL | _WHOLE | _SEVERAL


_ROUNDING: Final = 1e-9
"""More than what sums of bits differ by when their words are added in another order."""


class Clause(msgspec.Struct, frozen=True):
    """A combination of thresholds that leads to a tier if all of them are met.

    Attributes:
        tier: the tier.
        likeness: name of the policy's threshold for the likeness of the names; "" for none.
        name_bits: name of the threshold for the rarity of the shared words; "" for none.
        word_bits: name of the threshold for the rarest shared word; "" for none.
        bits: name of the threshold for all evidence; "" for none.
        extents: the kinds of agreement (whole names, one name within the other, a part of both) for which the clause
            counts, as a bit mask; 0 means any.
    """

    tier: Tier
    likeness: str = ""
    name_bits: str = ""
    word_bits: str = ""
    bits: str = ""
    extents: int = _ANY


class Demand(msgspec.Struct, frozen=True):
    """A threshold of the policy, with the value that was found.

    Attributes:
        threshold: the threshold's name in the policy.
        quantity: name of the quantity to which the threshold applies.
        least: the threshold's value.
        found: the quantity's value for the compared names and births.
    """

    threshold: str
    quantity: Quantity
    least: float
    found: float

    @property
    def met(self) -> bool:
        """Whether the value reaches the threshold."""
        return self.found >= self.least


_UNKNOWN: Final = (
    Clause("stop", likeness="part_likeness", name_bits="part_bits"),
    Clause("stop", likeness="part_likeness", name_bits="contained_bits", extents=_NOTHING_CONTRADICTS),
    Clause(
        "stop",
        likeness="within_likeness",
        name_bits="contained_bits",
        extents=_WITHIN | _WITHIN_BY_SEVERAL,
    ),
    Clause("stop", likeness="within_likeness", name_bits="within_bits", extents=_WITHIN_BY_SEVERAL),
    Clause("stop", likeness="name_only_likeness", name_bits="name_only_bits", extents=_WHOLE | _SEVERAL),
    Clause("stop", likeness="equal_likeness", name_bits="equal_bits", extents=_SEVERAL),
)
_COMPATIBLE: Final = (
    *_UNKNOWN,
    Clause("stop", likeness="equal_likeness", name_bits="equal_bits", bits="same_bits"),
    Clause("stop", likeness="compatible_likeness", name_bits="compatible_bits"),
)
_VERY_DAY: Final = (
    *_COMPATIBLE,
    Clause("stop", likeness="equal_likeness"),
    Clause("stop", likeness="stop_likeness", bits="stop_bits"),
    Clause("stop", likeness="word_likeness", word_bits="word_bits"),
)
_SAME_NAME: Final = Clause("stop", likeness="equal_likeness", name_bits="equal_bits")
_NEARLY: Final = Clause("stop", likeness="near_likeness", bits="near_bits")
_NOTED_ON_THE_DAY: Final = Clause("review", likeness="review_likeness", bits="review_bits")
_NOTED: Final = Clause("review", likeness="review_likeness", bits="near_review_bits")
_TABLE: Final[Mapping[Nearness, tuple[Clause, ...]]] = {
    "equal": (*_VERY_DAY, _NOTED_ON_THE_DAY),
    "swapped": (_SAME_NAME, _NEARLY, _NOTED_ON_THE_DAY),
    "one_digit": (_NEARLY, _NOTED),
    "compatible": (*_COMPATIBLE, _NOTED),
    "default_day": (_NEARLY, _NOTED, Clause("review", likeness="equal_likeness", name_bits="equal_bits")),
    "near_year": (Clause("review", likeness="near_year_likeness", name_bits="near_year_bits"),),
    "contradicts": (Clause("review", likeness="equal_likeness", name_bits="contradicted_bits"),),
    "unknown": _UNKNOWN,
}
"""The clauses by the nearness of the birth dates, the gravest tier first. Each row in which nothing
disagrees (unknown, compatible, equal) includes the clauses of the one before, so that under no policy an agreeing birth
date makes the answer milder."""

STOPPING: Final = frozenset(
    nearness for nearness, clauses in _TABLE.items() if any(clause.tier == "stop" for clause in clauses)
)
"""The results of comparing birth dates with which a match of names can stop a traveller."""


def tier_of(names: Alignment, nearness: Nearness, bits: float, policy: MatchPolicy) -> Tier:
    """Return the gravest tier with a clause that is met; `none` if none is met or the names share no word.

    `nearness` is the result of comparing the birth dates, `bits` the sum of all evidence.
    """
    if not names.pairs:
        return "none"
    alike, shared = names.likeness, names.bits
    for tier, likeness, name_bits, word_bits, least, extents in _compiled(policy)[nearness]:
        if (
            alike >= likeness
            and shared >= name_bits
            and bits >= least
            and (not extents or _extent(names) & extents)
            and (word_bits is None or names.rarest >= word_bits)
        ):
            return tier
    return "none"


def reachable(name_bits: float, nearness: Nearness, policy: MatchPolicy) -> bool:
    """Return whether two names may lead to a tier other than `none`, judged before the names are compared.

    If False, the caller need not compare the names. If True, the tier depends on the other thresholds too.

    Args:
        name_bits: the most that the words shared by the two names can be worth as evidence, in bits.
        nearness: the result of comparing the birth dates.
        policy: the thresholds.
    """
    return name_bits + _ROUNDING >= _least_name_bits(policy)[nearness]


def is_probable(nearness: Nearness, bits: float, policy: MatchPolicy) -> bool:
    """Return whether a stop is `probable` rather than `possible`.

    A stop is probable if the day of birth agrees, perhaps with day and month swapped, and the evidence is enough.
    `nearness` is the result of comparing the birth dates, `bits` the sum of all evidence.
    """
    return nearness in EXACT and probable_demand(bits, policy).met


def probable_demand(bits: float, policy: MatchPolicy) -> Demand:
    """Return the policy's threshold for a `probable` stop, with `bits`, the sum of all evidence, as its found value."""
    return Demand("probable_bits", "bits", policy.probable_bits, bits)


def examined(
    names: Alignment, nearness: Nearness, bits: float, policy: MatchPolicy
) -> Iterator[tuple[Tier, tuple[Demand, ...]]]:
    """Yield the tier and the thresholds of each clause that applies to `nearness` and `names`, met or not.

    The clauses come in the order of the table, in which `tier_of` takes the first one that is met. `nearness` is the
    result of comparing the birth dates, `bits` the sum of all evidence.
    """
    found: dict[Quantity, float] = {
        "likeness": names.likeness,
        "name_bits": names.bits,
        "word_bits": names.rarest,
        "bits": bits,
    }
    extent = _extent(names)
    for clause in _TABLE[nearness]:
        if clause.extents and not extent & clause.extents:
            continue
        named: tuple[tuple[str, Quantity], ...] = (
            (clause.likeness, "likeness"),
            (clause.name_bits, "name_bits"),
            (clause.word_bits, "word_bits"),
            (clause.bits, "bits"),
        )
        demands = (
            Demand(threshold, quantity, getattr(policy, threshold), found[quantity])
            for threshold, quantity in named
            if threshold
        )
        yield clause.tier, tuple(demands)


def _extent(names: Alignment) -> int:
    several = len(names.pairs) > 1
    if not names.left:
        return _SEVERAL if several else _WHOLE
    if names.conflict:
        return _PART
    if any(side == "asked" for side, _ in names.left):
        return _CONTAINED
    return _WITHIN_BY_SEVERAL if several else _WITHIN


@lru_cache(maxsize=8)
def _compiled(
    policy: MatchPolicy,
) -> dict[Nearness, tuple[tuple[Tier, float, float, float | None, float, int], ...]]:
    """Return the table with the policy's numbers; a missing threshold is minus infinity, or None for `word_bits`."""

    def number(threshold: str) -> float:
        return float(getattr(policy, threshold)) if threshold else float("-inf")

    return {
        nearness: tuple(
            (
                each.tier,
                number(each.likeness),
                number(each.name_bits),
                number(each.word_bits) if each.word_bits else None,
                number(each.bits),
                each.extents,
            )
            for each in clauses
        )
        for nearness, clauses in _TABLE.items()
    }


@lru_cache(maxsize=8)
def _least_name_bits(policy: MatchPolicy) -> dict[Nearness, float]:
    """Return the fewest bits of a name with which a clause can be met, for each comparison of births."""
    return {
        nearness: min(name_bits for _, _, name_bits, *_ in clauses)
        for nearness, clauses in _compiled(policy).items()
    }
