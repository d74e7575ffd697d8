"""Retrieval of candidates by shared keys, ranked by the bits of these keys, with a limit whose effect is reported."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import Final, Generic, TypeVar

import msgspec

from app.matching.keys import KeyQuery, resembles

Id = TypeVar("Id", bound=Hashable)

LOOKED_AT: Final = 5
"""If the traveller's day of birth is open, the births of at most this many times as many candidates as are compared are
looked at."""


class Candidates(msgspec.Struct, Generic[Id], frozen=True):
    """The listed persons that are to be compared with a traveller.

    Attributes:
        ids: ids of the candidates to compare. Candidates that share more bits with the traveller come first. After
            `thinning.thin`, candidates whose births allow a stop come first.
        unlike: ids of persons that share only the day of birth. They are not compared, because the sketch of their
            name, a short form of the name in the index, is too different.
        truncated: whether a dropped candidate is as likely to match as the last of `ids`: it shares as many bits. After
            `thinning.thin`: whether a candidate whose birth allows a stop was dropped, or may have been.
        more: ids of the next candidates, ranked like `ids`, from which `thinning.thin` may choose by birth date; empty
            unless the traveller's birth date is known only in part.
    """

    ids: tuple[Id, ...]
    unlike: tuple[Id, ...]
    truncated: bool
    more: tuple[Id, ...] = ()


class Index(msgspec.Struct, Generic[Id], frozen=True):
    """An index of persons by keys and days: of a whole list, or of the rows looked up in the register's tables.

    Attributes:
        keys: the persons by key.
        days: the persons by day of birth, each with the sketch of a name: a number that is similar for similar names.
    """

    keys: dict[int, list[Id]] = {}
    days: dict[int, list[tuple[int, Id]]] = {}

    def add(self, person: Id, keys: Iterable[int], days: Iterable[tuple[int, int]]) -> None:
        """Store a person under its keys, and under its days of birth, each paired with the sketch of a name."""
        for key in keys:
            self.keys.setdefault(key, []).append(person)
        for day, sketch in days:
            self.days.setdefault(day, []).append((sketch, person))

    def weigh(self, query: KeyQuery) -> tuple[dict[Id, float], tuple[Id, ...]]:
        """Return the bits that persons share with a traveller, by person, and the persons that are too unlike.

        A person is too unlike if it shares only the day of birth, and the sketch of its name resembles none of the
        traveller's sketches.
        """
        shared_bits: defaultdict[Id, float] = defaultdict(float)
        for key, bits in query.keys.items():
            for person in self.keys.get(key, ()):
                shared_bits[person] += bits
        born: dict[Id, float] = {}
        unlike: dict[Id, None] = {}
        for day, bits in query.days.items():
            for sketch, person in self.days.get(day, ()):
                if person in shared_bits or resembles(sketch, query.sketches):
                    born[person] = max(bits, born.get(person, 0.0))
                else:
                    unlike[person] = None
        for person, bits in born.items():
            shared_bits[person] += bits
        return shared_bits, tuple(person for person in unlike if person not in born)

    def rank(self, query: KeyQuery, limit: int) -> Candidates[Id]:
        """Return the persons that share at least `KeyQuery.least` bits with a traveller, at most `limit`.

        Persons that share the most bits come first, and are kept. `Candidates.ids` is empty if there are no such
        persons.
        """
        shared_bits, unlike = self.weigh(query)
        ranked = sorted(
            (person for person, bits in shared_bits.items() if bits >= query.least),
            key=shared_bits.__getitem__,
            reverse=True,
        )
        if len(ranked) <= limit:
            return Candidates(tuple(ranked), unlike, truncated=False)
        return Candidates(
            ids=tuple(ranked[:limit]),
            unlike=unlike,
            truncated=shared_bits[ranked[limit]] >= shared_bits[ranked[limit - 1]],
            more=tuple(ranked[limit : limit * LOOKED_AT + 1]) if query.open_day else (),
        )
