"""Candidates by their keys: ranked by how much the keys that they share narrow the register, and capped aloud."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

import msgspec

from app.matching.keys import Keys, asked_keys, least_bits
from app.matching.persons import Asked

Id = TypeVar("Id", bound=Hashable)


class Candidates(msgspec.Struct, Generic[Id], frozen=True):
    """Whom to compare.

    Attributes:
        ids: most promising first.
        truncated: there were more, and the last one kept is no better than the first one left out.
    """

    ids: tuple[Id, ...]
    truncated: bool


def rank(hits: Iterable[tuple[int, Id]], keys: Keys, most: int, least: float = 0.0) -> Candidates[Id]:
    """Rank what an index found.

    Args:
        hits: a key that was looked up, and who is stored under it.
        keys: the keys that were looked up, with their bits.
        most: how many are kept.
        least: bits that somebody must share to be kept at all.
    """
    found: defaultdict[Id, float] = defaultdict(float)
    for key, who in hits:
        found[who] += keys[key]
    ranked = sorted(
        (who for who, bits in found.items() if bits >= least), key=found.__getitem__, reverse=True
    )
    if len(ranked) <= most:
        return Candidates(tuple(ranked), truncated=False)
    return Candidates(tuple(ranked[:most]), truncated=found[ranked[most]] >= found[ranked[most - 1]])


class MemoryIndex(Generic[Id]):
    """An index held in memory, for evaluations and benchmarks; the register's own is a table."""

    def __init__(self) -> None:
        self._stored: defaultdict[int, list[Id]] = defaultdict(list)

    def add(self, who: Id, keys: Iterable[int]) -> None:
        """Store somebody under each of the keys."""
        for key in keys:
            self._stored[key].append(who)

    def candidates(self, asked: Asked, most: int) -> Candidates[Id]:
        """Find whom to compare with a traveller."""
        keys = asked_keys(asked)
        hits = ((key, who) for key in keys for who in self._stored.get(key, ()))
        return rank(hits, keys, most, least_bits(asked))
