"""The search keys of watched passengers, and the keys by which an entry finds them.

Keys of document numbers are stored as in the register. Of names and births only anchors (keys of rare parts of a name)
and days are stored. A passenger who shares enough of these with an entry is then compared by the full keys that checks
use.
"""

from collections.abc import Iterable

import msgspec

from app.border.checks.parsing import ParsedQuestion
from app.matching.anchors import Reach, anchored, reach
from app.matching.keys import stored_days, stored_keys
from app.register.entries.domain import Entry
from app.register.entries.names.index import listed


class Keys(msgspec.Struct, frozen=True):
    """The search keys of a passenger, by which a changed entry with the same keys finds the passenger.

    Attributes:
        numbers: keys of document numbers and NIK.
        names: keys of the rare parts of the names ("anchors"), and of days of birth.
    """

    numbers: frozenset[str]
    names: frozenset[int]


class EntryKeys(msgspec.Struct, frozen=True):
    """The search keys by which an entry finds passengers, from all versions of the entry.

    Earlier versions count, because they find passengers that matched before a correction.

    Attributes:
        numbers: keys of the subject's document numbers and NIK.
        reach: the keys of rare name parts and of days of birth, each with its weight in bits; and the least sum of
            weights that a passenger must share with the entry to be compared in full.
        keys: the full name keys under which checks find the entry.
        days: the days of birth, each with the sketch of a name: a number that is similar for similar names.
    """

    numbers: frozenset[str]
    reach: Reach
    keys: frozenset[int]
    days: frozenset[tuple[int, int]]


def hit_key(hit_id: str) -> str:
    """Return the search key of a hit, by which its resolution finds the passenger's manifest."""
    return f"h:{hit_id}"


def keys_of(questions: Iterable[ParsedQuestion]) -> Keys:
    """Return the search keys of a passenger from all questions about them."""
    numbers: set[str] = set()
    names: set[int] = set()
    for parsed in questions:
        numbers.update(parsed.keys)
        if parsed.key_query is not None:
            names |= anchored(parsed.traveller.person, parsed.key_query)
    return Keys(frozenset(numbers), frozenset(names))


def entry_keys_of(versions: Iterable[Entry]) -> EntryKeys:
    """Return the search keys by which an entry finds passengers, from all given versions of this entry together."""
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
    return EntryKeys(frozenset(numbers), Reach(bits, least), frozenset(keys), frozenset(days))
