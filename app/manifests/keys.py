"""The keys under which a passenger is watched: those by which the register is asked about them.

Numbers are texts, names and days of birth are 64-bit numbers, as in the register. A passenger who shares one with an
entry is asked about anew when that entry changes; whether it then concerns them the desk says.
"""

from collections.abc import Iterable

import msgspec

from app.checks.schemas import Asked
from app.entries.domain import Entry
from app.entries.name_keys import listed
from app.matching.keys import stored_days, stored_keys


class Keys(msgspec.Struct, frozen=True):
    """What somebody is found by.

    Attributes:
        numbers: of documents and persons, and of hits.
        names: of words of names, and of days of birth.
    """

    numbers: frozenset[str]
    names: frozenset[int]


def hit_key(hit_id: str) -> str:
    """The key under which the passenger is found of whom a supervisor has spoken."""
    return f"h:{hit_id}"


def keys_of(questions: Iterable[Asked]) -> Keys:
    """The keys of a passenger, by whatever is asked about them."""
    numbers: set[str] = set()
    names: set[int] = set()
    for asked in questions:
        numbers.update(asked.keys)
        if asked.wanted is not None:
            names.update(asked.wanted.keys, asked.wanted.days)
    return Keys(frozenset(numbers), frozenset(names))


def keys_of_entry(versions: Iterable[Entry]) -> Keys:
    """The keys by which an entry touches passengers: also those of its former versions, for whom it was taken then."""
    numbers: set[str] = set()
    names: set[int] = set()
    for subject in dict.fromkeys(entry.subject for entry in versions):
        person = listed(subject)
        spelled = (*person.names, *person.weak)
        numbers |= subject.identifiers()
        names.update(
            stored_keys(spelled, person.births), (day for day, _ in stored_days(spelled, person.births))
        )
    return Keys(frozenset(numbers), frozenset(names))
