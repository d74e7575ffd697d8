"""Likeness of two words of a name: equal letters, equal sound, a typing error, an initial, a short form."""

from itertools import product
from typing import Final, Literal

from rapidfuzz.distance import OSA

from app.identity.rarity import is_usual
from app.identity.sound import code
from app.identity.spellings import Word

How = Literal["equal", "sounds_equal", "similar", "initial", "glued", "cut_off", "shortened"]
"""The way in which words agree; `matching.texts` has a sentence for each."""

GLUED_ENOUGH: Final = 0.8
"""Likeness from which two joined words agree with one word."""

_MIN: Final = 0.25
"""Likeness below which two words are different words."""
_SOUNDS_EQUAL: Final = 0.97
_INITIAL: Final = 0.8
_PER_EDIT: Final = 0.9
"""Cost in likeness of one edit (a wrong letter), divided by the word's length."""
_MAX_EDITS: Final = 4
_OTHER_START: Final = 0.08
"""Additional cost of different first letters, since typing errors are rarer there."""
_SAME_CODE: Final = 0.4
_MIN_CODE: Final = 3
"""Fewest equal consonants, with only vowels different, for which `_SAME_CODE` of the difference is forgiven."""
_VOWELLESS: Final = 0.93
_VOWELLESS_PER_EDIT: Final = 0.95
_BARE: Final = 0.02
_SERVANT: Final = 0.06
"""Cost of Abdul on one side only."""
_DOUBT: Final = 0.82
"""Likeness below which it falls twice as fast, since two edits in a short word make another name."""
_BOTH_USUAL: Final = 0.15
"""Cost if both words are usual names with different consonants: Rina and Rita are hardly a typing error."""
_SHORTENED: Final = 0.75
_MIN_SHORTENED: Final = 5
"""Fewest letters of a short form, so that it is not a mere syllable."""
_DIFFERENT: Final[tuple[float, How]] = (0.0, "similar")


def alike(one: Word, other: Word) -> tuple[float, How]:
    """Return the likeness of two words, from 0 (different words) to 1 (equal letters), and how the words agree.

    If the likeness is 0, the second value has no meaning.
    """
    how: How = "similar"
    if one.text == other.text:
        found, how = 1.0, "equal"
    elif len(one.text) == 1 or len(other.text) == 1:
        begins = one.text[:1] == other.text[:1] or one.heard[:1] == other.heard[:1]
        return (_INITIAL, "initial") if begins else _DIFFERENT
    elif one.heard == other.heard:
        found, how = _SOUNDS_EQUAL, "sounds_equal"
    elif one.vowelless or other.vowelless:
        found = max(_sound_alike(one, other), _consonants_alike(one, other))
    elif _are_far_apart(one, other):
        if not _is_shortened(one.text, other.text) or _are_usual_names(one, other):
            return _DIFFERENT
        found, how = _SHORTENED, "shortened"
    else:
        found = _edits_alike(one, other)
        if _are_usual_names(one, other):
            found -= _BOTH_USUAL
        elif found < _SHORTENED and _is_shortened(one.text, other.text):
            found, how = _SHORTENED, "shortened"
    if one.servant is not other.servant:
        found -= _SERVANT
    return (found, how) if found >= _MIN else _DIFFERENT


def _are_far_apart(one: Word, other: Word) -> bool:
    """Return whether so many letters differ that `_edits_alike` is below `_MIN`, as with most pairs of words."""
    if one.code == other.code or one.bare or other.bare:
        return False
    return _is_far(one.heard, other.heard) and _is_far(one.text, other.text)


def _is_far(one: str, other: str) -> bool:
    edits = min(max(len(one), len(other)) // 2, _MAX_EDITS)
    return OSA.distance(one, other, score_cutoff=edits) > edits


def _edits_alike(one: Word, other: Word) -> float:
    """Return the likeness of two words by the edits between their sounds and letters; 0 or less if there are many."""
    found = _sound_alike(one, other)
    if found < _DOUBT:
        found = max(found, _edited(one.text, other.text))
        found -= max(0.0, _DOUBT - found)
    return found


def _are_usual_names(one: Word, other: Word) -> bool:
    """Return whether both words are usual names with different consonants."""
    return one.code != other.code and is_usual(one.heard) and is_usual(other.heard)


def _is_shortened(one: str, other: str) -> bool:
    """Return whether a word is the beginning or end of another: Chandra for Chandrasekar, Linda for Rosalinda."""
    short, long = (one, other) if len(one) < len(other) else (other, one)
    return len(short) >= _MIN_SHORTENED and (long.startswith(short) or long.endswith(short))


def sound_likeness(one: str, other: str) -> float:
    """Return the likeness of two sounds (results of `sound.sound`): 0.97 if they are equal, less for each edit.

    The least likeness is 0.
    """
    return _SOUNDS_EQUAL if one == other else _edited(one, other)


def _sound_alike(one: Word, other: Word) -> float:
    found = _edited(one.heard, other.heard)
    if one.code == other.code and len(one.code) >= _MIN_CODE:
        found += (1.0 - found) * _SAME_CODE
    if one.bare or other.bare:
        found = max(found, sound_likeness(one.bare or one.heard, other.bare or other.heard) - _BARE)
    return found


def _edited(one: str, other: str) -> float:
    """Return 1 less the cost of the edits between two texts; a swap of neighbouring letters is one edit."""
    edits = OSA.distance(one, other, score_cutoff=_MAX_EDITS)
    if edits > _MAX_EDITS:
        return 0.0
    found = 1.0 - _PER_EDIT * edits / max(len(one), len(other))
    return found if one[:1] == other[:1] else found - _OTHER_START


def _consonants_alike(one: Word, other: Word) -> float:
    """Return the likeness of the consonants, used if one side comes from a script without vowels."""
    best = 0.0
    for mine, theirs in product({one.heard, one.bare or one.heard}, {other.heard, other.bare or other.heard}):
        a, b = code(mine), code(theirs)
        longest = max(len(a), len(b))
        if a == b and longest > 1:
            return _VOWELLESS
        if longest >= _MIN_CODE:
            best = max(best, _VOWELLESS_PER_EDIT - OSA.distance(a, b) / longest)
    return best
