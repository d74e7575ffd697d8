"""How alike two words of a name are: the same letters, the same sound, a slip of the pen, an initial."""

from functools import lru_cache
from itertools import product
from typing import Final, Literal

from rapidfuzz.distance import OSA

from app.identity.sound import code
from app.identity.spellings import Word

How = Literal["equal", "sounds_equal", "similar", "initial", "glued", "cut_off"]
"""In what way words agree."""

GLUED_ENOUGH: Final = 0.8
"""Likeness from which several words count as one, spelled apart."""

_LEAST: Final = 0.25
"""Likeness below which two words are different words."""
_SOUNDS_EQUAL: Final = 0.97
_INITIAL: Final = 0.8
_PER_EDIT: Final = 0.9
"""What a slip costs, as a share of the word's length."""
_MOST_EDITS: Final = 4
_OTHER_START: Final = 0.08
"""A slip at the beginning is rarer than elsewhere."""
_SAME_CODE: Final = 0.4
_LEAST_CODE: Final = 3
"""Share of the difference forgiven where only vowels differ, and so many consonants agree."""
_VOWELLESS: Final = 0.93
_VOWELLESS_PER_EDIT: Final = 0.95
_BARE: Final = 0.02
_SERVANT: Final = 0.06
"""Abdul on one side only."""
_DOUBT: Final = 0.82
"""Below this, likeness falls twice as fast: two slips in a short word make another name."""


@lru_cache(maxsize=1 << 12)
def alike(one: Word, other: Word) -> tuple[float, How]:
    """Give how alike two words are: 0 (different words) to 1 (the same letters), and in what way."""
    how: How = "similar"
    if one.text == other.text:
        found, how = 1.0, "equal"
    elif one.is_initial or other.is_initial:
        begins = one.text[:1] == other.text[:1] or one.heard[:1] == other.heard[:1]
        return (_INITIAL if begins else 0.0), "initial"
    elif one.heard == other.heard:
        found, how = _SOUNDS_EQUAL, "sounds_equal"
    elif one.vowelless or other.vowelless:
        found = max(_sound_alike(one, other), _consonants_alike(one, other))
    else:
        found = _sound_alike(one, other)
        if found < _DOUBT:
            found = max(found, _edited(one.text, other.text))
            found -= max(0.0, _DOUBT - found)
    if one.servant is not other.servant:
        found -= _SERVANT
    return (found, how) if found >= _LEAST else (0.0, how)


def heard_alike(one: str, other: str) -> float:
    """Give how alike two sounds are, slips only."""
    return _SOUNDS_EQUAL if one == other else _edited(one, other)


def _sound_alike(one: Word, other: Word) -> float:
    found = _edited(one.heard, other.heard)
    if one.code == other.code and len(one.code) >= _LEAST_CODE:
        found += (1.0 - found) * _SAME_CODE
    if one.bare or other.bare:
        found = max(found, heard_alike(one.bare or one.heard, other.bare or other.heard) - _BARE)
    return found


def _edited(one: str, other: str) -> float:
    """Give 1 less what the slips between two texts cost; a swap of neighbours is one slip."""
    edits = OSA.distance(one, other, score_cutoff=_MOST_EDITS)
    if edits > _MOST_EDITS:
        return 0.0
    found = 1.0 - _PER_EDIT * edits / max(len(one), len(other))
    return found if one[:1] == other[:1] else found - _OTHER_START


def _consonants_alike(one: Word, other: Word) -> float:
    """Compare the consonants alone, where one side comes from a script without vowels."""
    best = 0.0
    for mine, theirs in product({one.heard, one.bare or one.heard}, {other.heard, other.bare or other.heard}):
        a, b = code(mine), code(theirs)
        longest = max(len(a), len(b))
        if a == b and longest > 1:
            return _VOWELLESS
        if longest >= _LEAST_CODE:
            best = max(best, _VOWELLESS_PER_EDIT - OSA.distance(a, b) / longest)
    return best
