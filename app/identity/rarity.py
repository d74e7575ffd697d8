"""The evidence, in bits, of a word shared by two names, computed from the rarity of the word.

A word in the names of one traveller in 64 is worth 6 bits. The table
(`data/name_tokens.txt`) counts travellers' names, not those in the register: listed persons must not make a name
look common, and a register of Indonesians must not make a foreign name look rare.
"""

import math
import re
from functools import lru_cache
from importlib.resources import files
from typing import Final

from app.identity.sound import code, sound

INITIAL: Final = 1.5
"""Bits of a shared single letter."""

_BAND: Final = re.compile(r"1 in ([0-9]+)").fullmatch
_UNLISTED: Final = {2: 6.5, 3: 8.5, 4: 9.5, 5: 10.5}
"""Bits of a word that isn't in the table, by its number of letters, since short words coincide more often."""
_UNLISTED_LONG: Final = 11.5
_SAME_CONSONANTS: Final = 1.5
"""Additional bits of a word not in the table over the table's word with the same consonants, at least three."""
_MAX_COMMON_SOUND: Final = 3


def bits(heard: str) -> float:
    """Return the evidence, in bits, of a word that two names share: that both are of one person. Rarer words have more.

    `heard` is the word's sound (`sound.sound`).
    """
    if len(heard) < 2:  # noqa: PLR2004 - a single letter
        return INITIAL
    known = _table()[0].get(heard)
    unlisted = _UNLISTED.get(len(heard), _UNLISTED_LONG)
    if known is not None:
        return min(known, unlisted)
    consonants = code(heard)
    if len(consonants) >= _MAX_COMMON_SOUND:
        unlisted = min(unlisted, _table()[1].get(consonants, unlisted) + _SAME_CONSONANTS)
    return unlisted


def is_usual(heard: str) -> bool:
    """Return whether a word with the sound `heard` (`sound.sound`) is in the table of travellers' names."""
    return heard in _table()[0]


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, float], dict[str, float]]:
    """Return the bits by sound, and by code the bits of its commonest word."""
    by_sound: dict[str, float] = {}
    by_code: dict[str, float] = {}
    worth = 0.0
    for line in (files("app.identity") / "data" / "name_tokens.txt").read_text("utf-8").splitlines():
        if band := _BAND(line):
            worth = math.log2(int(band[1]))
        elif not line.startswith("#"):
            for heard in map(sound, line.split()):
                by_sound.setdefault(heard, worth)
                by_code.setdefault(code(heard), worth)
    return by_sound, by_code
