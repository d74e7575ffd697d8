"""Assessment of the evidence about a name and a birth date: a tier, and the reasons (R52).

Bits of the name and of the birth date are added, as independent evidence. The thresholds of the policy decide whether
the sum stops a traveller, is noted for review, or has no effect. The consequences of a document's match follow from
another table, that of the law; no tier here ever refuses a traveller.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal

import msgspec

from app.identity.births import Birth
from app.identity.spellings import Spelling
from app.matching.alignment import NOTHING, Alignment, align
from app.matching.births import BirthEvidence, best_birth, nearer
from app.matching.persons import KnownPerson, QueriedPerson
from app.matching.policy import DEFAULT, MatchPolicy
from app.matching.texts import TEXTS
from app.matching.tiers import EXACT, Tier, is_probable, reachable, tier_of

CERTAIN_BITS: Final = 40.0
"""Evidence, in bits, from which the score is 1."""

_NONE: Final[Tier] = "none"
_RANK: Final[dict[Tier, int]] = {_NONE: 0, "review": 1, "stop": 2}


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """One piece of evidence, explained.

    Attributes:
        feature: `name_word`, `alias`, `birth_date`, `sex`, `nationality`.
        result: the result of the comparison as a word, such as `sounds_equal` or `contradicts`.
        bits: the evidence in bits; negative if it is against a match.
        queried: the traveller's words; for explanations only.
        listed: the listed person's words; for explanations only.
    """

    feature: str
    result: str
    bits: float
    queried: str = ""
    listed: str = ""

    @property
    def weight(self) -> float:
        """The contribution to `Assessment.score`; negative if it is against a match."""
        return round(self.bits / CERTAIN_BITS, 3)

    @property
    def texts(self) -> tuple[str, str]:
        """The evidence as a sentence, in Indonesian and in English."""
        return TEXTS[self.feature, self.result]


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """The assessment, by name and birth date, of whether a listed person may be the traveller.

    Attributes:
        tier: `stop`, `review` (noted for auditors, nobody is stopped) or `none`.
        level: the level shown in a match: `probable` (only for `stop`) or `possible`; None if the tier is `none`.
        likeness: the likeness of the names that decide the tier, 0 to 1.
        likest: the likeness of the two most similar names, 0 to 1; other names may give more evidence.
        bits: the sum of all evidence, in bits.
        births: the result of comparing the birth dates.
        alignment: the alignment of the names that decide the tier.
        weak: whether the listed name that decides the tier is an alias of low quality.
        lowered: the features (`sex`, `nationality`) that differ, each with the bits that this subtracts.
    """

    tier: Tier
    level: Literal["probable", "possible"] | None
    likeness: float
    likest: float
    bits: float
    births: BirthEvidence
    alignment: Alignment
    weak: bool
    lowered: tuple[tuple[str, float], ...] = ()

    @property
    def score(self) -> float:
        """The evidence as a number from 0 (none) to 1 (`CERTAIN_BITS` or more)."""
        return round(min(1.0, max(0.0, self.bits / CERTAIN_BITS)), 2)

    def reasons(self) -> tuple[Evidence, ...]:
        """Return all pieces of evidence, those of the name first; their bits add up to `bits`."""
        return tuple(self._reasons())

    def _reasons(self) -> Iterator[Evidence]:
        for pair in self.alignment.pairs:
            yield Evidence("name_word", pair.how, pair.bits, pair.queried, pair.listed)
        if self.alignment.left:
            mine, theirs = (
                " ".join(text for side, text in self.alignment.left if side == side_name)
                for side_name in ("asked", "listed")
            )
            against = self.alignment.bits - sum(pair.bits for pair in self.alignment.pairs)
            yield Evidence(
                "name_word", "contradicts" if self.alignment.conflict else "absent", against, mine, theirs
            )
        if self.weak:
            yield Evidence("alias", "weak", 0.0)
        yield Evidence("birth_date", self.births.nearness, self.births.bits)
        for feature, bits in self.lowered:
            yield Evidence(feature, "different", -bits)


def assess(queried: QueriedPerson, listed: KnownPerson, policy: MatchPolicy = DEFAULT) -> Assessment:
    """Return the assessment of whether a listed person may be the traveller.

    Each name of the traveller is compared with each name of the listed person. The pair of names with the gravest tier
    decides; of several such pairs the one whose names are most similar and rarest. Aliases of low quality are compared
    only if the day of birth agrees, perhaps with day and month swapped.
    """
    births = births_beside(queried, listed.births)
    lowered = tuple(_lowered(queried, listed, policy))
    best = _weigh(queried, listed.names, births, lowered, policy, weak=False)
    if listed.weak and births.nearness in EXACT:
        other = _weigh(queried, listed.weak, births, lowered, policy, weak=True)
        likest = max(best.likest, other.likest)
        if (_RANK[other.tier], other.bits) > (_RANK[best.tier], best.bits):
            best = other
        return msgspec.structs.replace(best, likest=likest)
    return best


def is_reported(
    queried: QueriedPerson,
    births: tuple[Birth, ...],
    read: Callable[[], KnownPerson],
    policy: MatchPolicy = DEFAULT,
) -> bool:
    """Return whether `assess` would give a tier other than `none`: whether an answer would report the listed person.

    This function takes less time than `assess`, because it stops at the first pair of names that is enough.

    Args:
        queried: the traveller.
        births: the listed person's births.
        read: function that returns the listed person. It is not called if the births exclude a match: for example, if
            they contradict the traveller's, and the traveller's names are too common to outweigh that.
        policy: the thresholds.
    """
    beside = births_beside(queried, births)
    if not reachable(max((name.bits for name in queried.names), default=0.0), beside.nearness, policy):
        return False
    listed = read()
    bits = beside.bits - sum(cost for _, cost in _lowered(queried, listed, policy))
    names = (*listed.names, *listed.weak) if beside.nearness in EXACT else listed.names
    for theirs in names:
        for mine in queried.names:
            found = align(mine, theirs)
            if found.pairs and tier_of(found, beside.nearness, found.bits + bits, policy) != _NONE:
                return True
    return False


def births_beside(queried: QueriedPerson, listed: tuple[Birth, ...]) -> BirthEvidence:
    """Return the result of comparing a traveller's birth dates with a listed person's.

    If a date in a machine-readable zone may be of two centuries, the century whose result is closer to `equal` counts.
    """
    births = best_birth(listed, queried.births)
    if queried.other_births:
        births = nearer(births, best_birth(listed, queried.other_births))
    return births


def _value(names: Alignment) -> float:
    """Return the value by which the best of several alignments is chosen; it combines likeness and rarity."""
    return names.likeness * max(names.bits, 1.0)


def _weigh(
    queried: QueriedPerson,
    listed: Iterable[Spelling],
    births: BirthEvidence,
    lowered: tuple[tuple[str, float], ...],
    policy: MatchPolicy,
    *,
    weak: bool,
) -> Assessment:
    beside = births.bits - sum(cost for _, cost in lowered)
    names, tier, likest = NOTHING, _NONE, 0.0
    for theirs in listed:
        for mine in queried.names:
            found = align(mine, theirs)
            if not found.pairs:
                continue
            here = tier_of(found, births.nearness, found.bits + beside, policy)
            if (_RANK[here], _value(found)) > (_RANK[tier], _value(names)):
                names, tier = found, here
            likest = max(likest, found.likeness)
    bits = names.bits + beside
    probable = tier == "stop" and is_probable(births.nearness, bits, policy)
    level: Literal["probable", "possible"] | None = (
        None if tier == "none" else "probable" if probable else "possible"
    )
    return Assessment(tier, level, names.likeness, likest, bits, births, names, weak, lowered)


def _lowered(queried: QueriedPerson, listed: KnownPerson, policy: MatchPolicy) -> Iterator[tuple[str, float]]:
    known = {"male", "female"}
    if queried.sex in known and listed.sex in known and queried.sex != listed.sex:
        yield "sex", policy.other_sex_bits
    if (
        queried.nationalities
        and listed.nationalities
        and not set(queried.nationalities) & set(listed.nationalities)
    ):
        yield "nationality", policy.other_nationality_bits
