"""The keys of watched passengers, and the keys by which an entry finds the passengers that it may concern.

Numbers are kept as the register keeps them. Of names only anchors are kept, and the days of birth: a
passenger who shares enough of them with an entry is compared by the keys themselves, those that checks look
up in the register.
"""

from collections.abc import Iterable

import msgspec

from app.checks.schemas import Asked
from app.entries.domain import Entry
from app.entries.name_keys import listed
from app.matching.anchors import Reach, anchored, reach
from app.matching.keys import stored_days, stored_keys


class Keys(msgspec.Struct, frozen=True):
    """What a passenger is found by.

    Attributes:
        numbers: of documents and persons.
        names: anchors of names, and days of birth.
    """

    numbers: frozenset[str]
    names: frozenset[int]


class Listed(msgspec.Struct, frozen=True):
    """The keys by which all versions of an entry find passengers; former ones find those who matched then.

    Attributes:
        keys: those of its names in the register.
        days: of birth there, each with a sketch of a name.
    """

    numbers: frozenset[str]
    reach: Reach
    keys: frozenset[int]
    days: frozenset[tuple[int, int]]


def hit_key(hit_id: str) -> str:
    """The key that finds the passenger of a hit that a supervisor has resolved."""
    return f"h:{hit_id}"


def keys_of(questions: Iterable[Asked]) -> Keys:
    """The keys of a passenger, by whatever is asked about them."""
    numbers: set[str] = set()
    names: set[int] = set()
    for asked in questions:
        numbers.update(asked.keys)
        if asked.wanted is not None:
            names |= anchored(asked.traveller.person, asked.wanted)
    return Keys(frozenset(numbers), frozenset(names))


def listed_of(versions: Iterable[Entry]) -> Listed:
    """By what an entry finds passengers."""
    numbers: set[str] = set()
    keys: set[int] = set()
    days: set[tuple[int, int]] = set()
    bits: dict[int, float] = {}
    least = float("inf")
    for subject in dict.fromkeys(entry.subject for entry in versions):
        person = listed(subject)
        spelled = (*person.names, *person.weak)
        numbers |= subject.identifiers()
        keys.update(stored_keys(spelled, person.births))
        days.update(stored_days(spelled, person.births))
        reached = reach(spelled, person.births)
        bits = {key: max(bits.get(key, 0.0), reached.bits.get(key, 0.0)) for key in bits | reached.bits}
        least = min(least, reached.least)
    return Listed(frozenset(numbers), Reach(bits, least), frozenset(keys), frozenset(days))
