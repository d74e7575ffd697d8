"""How much it says that two persons share a word of their names: in bits, from how rare the word is.

A word that one traveller in 64 bears is worth 6 bits: it halves the crowd six times. The table
(`data/name_tokens.txt`) is of travellers' names, not of the register's: listed persons must not make a name
look common, and a register of Indonesians must not make a foreign one look rare.
"""

import math
import re
from functools import lru_cache
from importlib.resources import files
from typing import Final

from app.identity.sound import code, sound

INITIAL: Final = 1.5
"""Bits of a single letter."""

_BAND: Final = re.compile(r"1 in ([0-9]+)").fullmatch
_UNLISTED: Final = {2: 6.5, 3: 8.5, 4: 9.5, 5: 10.5}
"""Bits of a word that isn't in the table, by its letters: many words of two letters collide."""
_UNLISTED_LONG: Final = 11.5
_SAME_CONSONANTS: Final = 1.5
"""Bits by which a word is rarer than the table's word that has its consonants, at least three of them."""
_MOST_COMMON_SOUND: Final = 3


def bits(heard: str) -> float:
    """Give what sharing a word is worth, by its sound (`sound.sound`)."""
    if len(heard) < 2:  # noqa: PLR2004 - a single letter
        return INITIAL
    known = _table()[0].get(heard)
    unlisted = _UNLISTED.get(len(heard), _UNLISTED_LONG)
    if known is not None:
        return min(known, unlisted)
    consonants = code(heard)
    if len(consonants) >= _MOST_COMMON_SOUND:
        unlisted = min(unlisted, _table()[1].get(consonants, unlisted) + _SAME_CONSONANTS)
    return unlisted


@lru_cache(maxsize=1)
def _table() -> tuple[dict[str, float], dict[str, float]]:
    """Bits by sound and, the commonest word counting, by code."""
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
