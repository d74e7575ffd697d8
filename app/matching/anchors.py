"""Few keys for many travellers: what is kept of each of fifty thousand who are waited for; pure.

A traveller who is looked for in the register has some seventy keys (`keys`). Where travellers are waited for, and it is
the listed who come one by one, that would be seventy rows each. An anchor is what any of those keys has in common with
the other side at least: a word, the whole name as one word, two beginnings; and the days of birth. Who shares too
little in anchors shares no key that counts; who shares enough is to be looked at with the keys.
"""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import combinations
from typing import Final

import msgspec

from app.identity.births import Birth, is_full_day, span
from app.identity.sound import code
from app.identity.spellings import Spelling
from app.matching.keys import Wanted, stored_days
from app.matching.persons import Asked

LEAST_BITS: Final = 10.0
"""What must be shared where the day of birth is known on both sides: keys that find less are not looked up."""

LEAST_OPEN_BITS: Final = 4.0
"""The same where the day is open on one side: a word that tells a little, and how another begins or ends."""

_MOST_WORDS: Final = 8
_START: Final = 3
_STARTS_BITS: Final = 12.0
_WHOLE_BITS: Final = 6.0
"""What a lone name is worth besides: that there is no other."""

_OPEN: Final = "open"


class Reach(msgspec.Struct, frozen=True):
    """By what a listed person is found among those who are waited for.

    Attributes:
        bits: by anchor and by day.
        least: how many must come together.
    """

    bits: dict[int, float]
    least: float


def anchored(asked: Asked, wanted: Wanted) -> frozenset[int]:
    """The anchors and days under which a traveller waits."""
    place = (_OPEN,) if _is_open(asked.births) else ()
    kept = {anchor for name in asked.names for anchor in _anchors(name, *place)}
    return frozenset(kept.union(wanted.days))


def reach(names: Iterable[Spelling], births: Iterable[Birth]) -> Reach:
    """What to look up for a listed person, by every name and alias and every birth."""
    names, births = tuple(names), tuple(births)
    least = LEAST_OPEN_BITS if _is_open(births) else LEAST_BITS
    bits: dict[int, float] = {day: least for day, _ in stored_days(names, births)}
    for name in names:
        for anchor, worth in _anchors(name).items():
            bits[anchor] = max(worth, bits.get(anchor, 0.0))
        for anchor, worth in _anchors(name, _OPEN).items():  # the day of these travellers is open
            bits[anchor] = max(worth * least / LEAST_OPEN_BITS, bits.get(anchor, 0.0))
    return Reach(bits, least)


def _anchors(name: Spelling, *place: str) -> dict[int, float]:
    words = name.words[:_MOST_WORDS]
    found = {_key(*place, "word", code(name.glued)): name.bits}
    for word in words:
        found[_key(*place, "word", word.code)] = word.bits + (_WHOLE_BITS if len(words) == 1 else 0.0)
    for one, other in combinations(words, 2):
        starts = sorted((one.heard[:_START], other.heard[:_START]))
        found[_key(*place, "starts", *starts)] = min(one.bits + other.bits, _STARTS_BITS)
    return found


def _is_open(births: tuple[Birth, ...]) -> bool:
    """Whether somebody's day of birth may be any: not told to the day, or told as the first of January (R17)."""
    return not births or any(
        not is_full_day(each) or span(each)[0].timetuple().tm_yday == 1 for each in births
    )


def _key(*parts: str) -> int:
    digest = blake2b("\x1f".join(parts).encode(), digest_size=8, person=b"cekal-anchor").digest()
    return int.from_bytes(digest, "big", signed=True)
