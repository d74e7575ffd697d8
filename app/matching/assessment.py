"""What the evidence about a name and a birth date comes to: a tier, and the reasons (R52).

Bits of the name and of the birth date add up, as independent evidence does, and the policy says from where on the sum
stops a traveller, is noted for review, or is nothing. The law's table decides beside this what a document means; no
tier here ever refuses anybody.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import msgspec

from app.identity.spellings import Spelling
from app.matching.alignment import NOTHING, Alignment, align
from app.matching.births import BirthEvidence, best_birth
from app.matching.persons import Asked, Listed
from app.matching.policy import DEFAULT, MatchPolicy
from app.matching.texts import TEXTS
from app.matching.tiers import EXACT, Tier, is_probable, tier_of

CERTAIN_BITS: Final = 40.0
"""Evidence that counts as a score of 1."""

_RANK: Final[dict[Tier, int]] = {"none": 0, "review": 1, "stop": 2}


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """One piece of evidence, explained.

    Attributes:
        feature: `name_word`, `alias`, `birth_date`, `sex`, `nationality`.
        result: what the comparison gave.
        bits: what it is worth; negative: speaks against.
        asked: the word on the traveller's side; for `explain` only.
        listed: the word on the register's side; for `explain` only.
    """

    feature: str
    result: str
    bits: float
    asked: str = ""
    listed: str = ""

    @property
    def weight(self) -> float:
        """Its share of the score."""
        return round(self.bits / CERTAIN_BITS, 3)

    @property
    def texts(self) -> tuple[str, str]:
        """What it says, in Indonesian and in English."""
        return TEXTS[self.feature, self.result]


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """Whether a listed person may be the traveller, as far as name and birth date tell.

    Attributes:
        level: as shown in a match, `probable` or `possible`; None where the tier is `none`.
        likeness: how alike the names are, 0 to 1.
        bits: evidence in all.
        births: how the birth dates stand to each other.
        alignment: the names beside each other.
        weak: the name is an alias of low quality.
    """

    tier: Tier
    level: Literal["probable", "possible"] | None
    likeness: float
    bits: float
    births: BirthEvidence
    alignment: Alignment
    weak: bool
    lowered: tuple[tuple[str, float], ...] = ()

    @property
    def score(self) -> float:
        """The evidence as a number from 0 to 1."""
        return round(min(1.0, max(0.0, self.bits / CERTAIN_BITS)), 2)

    def reasons(self) -> tuple[Evidence, ...]:
        """Every piece of evidence, the name's first; their bits add up to the whole."""
        return tuple(self._reasons())

    def _reasons(self) -> Iterator[Evidence]:
        for pair in self.alignment.pairs:
            yield Evidence("name_word", pair.how, pair.bits, pair.asked, pair.listed)
        if self.alignment.left:
            mine, theirs = (
                " ".join(text for side, text in self.alignment.left if side == wanted)
                for wanted in ("asked", "listed")
            )
            against = self.alignment.bits - sum(pair.bits for pair in self.alignment.pairs)
            yield Evidence("name_word", "contradicts" if mine and theirs else "absent", against, mine, theirs)
        if self.weak:
            yield Evidence("alias", "weak", 0.0)
        yield Evidence("birth_date", self.births.nearness, self.births.bits)
        for feature, bits in self.lowered:
            yield Evidence(feature, "different", -bits)


def assess(asked: Asked, listed: Listed, policy: MatchPolicy = DEFAULT) -> Assessment:
    """Weigh a traveller against a listed person; the best of all their names counts."""
    births = best_birth(listed.births, asked.births)
    lowered = tuple(_lowered(asked, listed, policy))
    best = _weigh(_best(asked, listed.names), births, lowered, policy, weak=False)
    if listed.weak and births.nearness in EXACT:
        other = _weigh(_best(asked, listed.weak), births, lowered, policy, weak=True)
        if (_RANK[other.tier], other.bits) > (_RANK[best.tier], best.bits):
            return other
    return best


def _best(asked: Asked, names: Iterable[Spelling]) -> Alignment:
    best = NOTHING
    for theirs in names:
        for mine in asked.names:
            found = align(mine, theirs)
            if _worth(found) > _worth(best):
                best = found
    return best


def _worth(names: Alignment) -> float:
    """What the best of several names is chosen by: likeness and rarity, both."""
    return names.likeness * max(names.bits, 1.0)


def _weigh(
    names: Alignment,
    births: BirthEvidence,
    lowered: tuple[tuple[str, float], ...],
    policy: MatchPolicy,
    *,
    weak: bool,
) -> Assessment:
    bits = names.bits + births.bits - sum(cost for _, cost in lowered)
    tier = tier_of(names, births.nearness, bits, policy)
    probable = tier == "stop" and is_probable(births.nearness, bits, policy)
    level: Literal["probable", "possible"] | None = (
        None if tier == "none" else "probable" if probable else "possible"
    )
    return Assessment(tier, level, names.likeness, bits, births, names, weak, lowered)


def _lowered(asked: Asked, listed: Listed, policy: MatchPolicy) -> Iterator[tuple[str, float]]:
    known = {"male", "female"}
    if asked.sex in known and listed.sex in known and asked.sex != listed.sex:
        yield "sex", policy.other_sex_bits
    if (
        asked.nationalities
        and listed.nationalities
        and not set(asked.nationalities) & set(listed.nationalities)
    ):
        yield "nationality", policy.other_nationality_bits
