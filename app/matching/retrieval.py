"""Candidates by their keys: ranked by how much the keys that they share narrow the register, and capped aloud."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

import msgspec

from app.matching.keys import Wanted, resembles

Id = TypeVar("Id", bound=Hashable)


class Candidates(msgspec.Struct, Generic[Id], frozen=True):
    """The candidates to compare.

    Attributes:
        ids: most promising first.
        unlike: who was found by the birthday alone, and by the sketch has a name that nothing can come of.
        truncated: there were more, and the last one kept is no better than the first one left out.
    """

    ids: tuple[Id, ...]
    unlike: tuple[Id, ...]
    truncated: bool


class Index(msgspec.Struct, Generic[Id], frozen=True):
    """Who is stored under which key: all of a list, or the part of the register's tables that was looked up.

    Attributes:
        keys: who has a key.
        days: who was born on a day, each with the sketch of a name.
    """

    keys: dict[int, list[Id]] = {}
    days: dict[int, list[tuple[int, Id]]] = {}

    def add(self, who: Id, keys: Iterable[int], days: Iterable[tuple[int, int]]) -> None:
        """Store somebody under their keys and days."""
        for key in keys:
            self.keys.setdefault(key, []).append(who)
        for day, sketch in days:
            self.days.setdefault(day, []).append((sketch, who))

    def weigh(self, wanted: Wanted) -> tuple[dict[Id, float], tuple[Id, ...]]:
        """Give the bits that everybody shares with a traveller, and who was born on the day and is unlike them."""
        found: defaultdict[Id, float] = defaultdict(float)
        for key, bits in wanted.keys.items():
            for who in self.keys.get(key, ()):
                found[who] += bits
        born: dict[Id, float] = {}
        unlike: dict[Id, None] = {}
        for day, bits in wanted.days.items():
            for sketch, who in self.days.get(day, ()):
                if who in found or any(resembles(mine, sketch) for mine in wanted.sketches):
                    born[who] = max(bits, born.get(who, 0.0))
                else:
                    unlike[who] = None
        for who, bits in born.items():
            found[who] += bits
        return found, tuple(who for who in unlike if who not in born)

    def rank(self, wanted: Wanted, most: int) -> Candidates[Id]:
        """Rank who shares keys with a traveller; at most so many are kept."""
        found, unlike = self.weigh(wanted)
        ranked = sorted(
            (who for who, bits in found.items() if bits >= wanted.least), key=found.__getitem__, reverse=True
        )
        return Candidates(
            ids=tuple(ranked[:most]),
            unlike=unlike,
            truncated=len(ranked) > most and found[ranked[most]] >= found[ranked[most - 1]],
        )
