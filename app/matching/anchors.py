"""Anchors: a few coarse keys for each of fifty thousand expected travellers (no I/O).

A traveller who is looked up in the register has some seventy keys (`keys`). Here the travellers are stored, and listed
persons are looked up one by one. To store all keys would take seventy rows for each traveller, so only anchors and days
of birth are stored. An anchor is a part from which several keys are made: a word, the whole name as one word, or the
beginnings of two words. Persons who share too few anchors share no key that counts; the others are compared by their
keys.
"""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import combinations
from typing import Final

import msgspec

from app.identity.births import Birth, is_full_day, span
from app.identity.sound import code
from app.identity.spellings import Spelling, glued_in_usual_orders
from app.matching.keys import KeyQuery, stored_days
from app.matching.persons import QueriedPerson

MIN_BITS: Final = 10.0
"""Fewest bits that a traveller and a listed person must share if the day of birth is known of both."""

MIN_OPEN_BITS: Final = 4.0
"""Fewest bits that they must share if the day of birth of one is open: as a fairly rare word and an end of another."""

_MAX_WORDS: Final = 8
_START: Final = 3
_STARTS_BITS: Final = 12.0
_WHOLE_BITS: Final = 6.0
"""Additional bits of a name of one word, since it has no other word."""

_OPEN: Final = "open"


class Reach(msgspec.Struct, frozen=True):
    """The keys to look up among the expected travellers, to find those that may be a listed person.

    An anchor is a coarse key of a name, such as one word. Its bits say how rare it is.

    Attributes:
        bits: the bits of each anchor and each day of birth of the listed person.
        least: the smallest sum of shared bits at which a traveller is compared with the listed person.
    """

    bits: dict[int, float]
    least: float


def anchored(queried: QueriedPerson, query: KeyQuery) -> frozenset[int]:
    """Return the anchors and days of birth under which an expected traveller (a passenger) is stored.

    An anchor is a coarse key of a name: a word, the whole name as one word, or the beginnings of two words.

    Args:
        queried: the traveller.
        query: the result of `key_query` for this traveller, which has the days.
    """
    place = (_OPEN,) if _is_open(queried.births) else ()
    kept = {anchor for name in queried.names for anchor in _anchors(name, *place)}
    return frozenset(kept.union(query.days))


def reach(names: Iterable[Spelling], births: Iterable[Birth]) -> Reach:
    """Return the anchors and days of birth to look up for a listed person, from all its names, aliases and births.

    A shared day of birth alone has as many bits as must be shared (`Reach.least`).
    """
    names, births = tuple(names), tuple(births)
    least = MIN_OPEN_BITS if _is_open(births) else MIN_BITS
    bits: dict[int, float] = {day: least for day, _ in stored_days(names, births)}
    for name in names:
        for anchor, worth in _anchors(name).items():
            bits[anchor] = max(worth, bits.get(anchor, 0.0))
        for anchor, worth in _anchors(name, _OPEN).items():  # for travellers whose day of birth is open
            bits[anchor] = max(worth * least / MIN_OPEN_BITS, bits.get(anchor, 0.0))
    return Reach(bits, least)


def _anchors(name: Spelling, *place: str) -> dict[int, float]:
    words = name.words[:_MAX_WORDS]
    found = {_key(*place, "word", code(glued)): name.bits for glued in glued_in_usual_orders(name)}
    for word in words:
        found[_key(*place, "word", word.code)] = word.bits + (_WHOLE_BITS if len(words) == 1 else 0.0)
    for one, other in combinations(words, 2):
        starts = sorted((one.heard[:_START], other.heard[:_START]))
        found[_key(*place, "starts", *starts)] = min(one.bits + other.bits, _STARTS_BITS)
    return found


def _is_open(births: tuple[Birth, ...]) -> bool:
    """Return whether the day of birth is open: not known to the day, or given as the first of January (R17)."""
    return not births or any(
        not is_full_day(each) or span(each)[0].timetuple().tm_yday == 1 for each in births
    )


def _key(*parts: str) -> int:
    digest = blake2b("\x1f".join(parts).encode(), digest_size=8, person=b"cekal-anchor").digest()
    return int.from_bytes(digest, "big", signed=True)
