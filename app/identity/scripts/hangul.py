"""Korean names in Hangul, as Korean passports spell them: the surname by custom, given names by rule or by habit.

The Revised Romanization (2000) is the rule; passports leave the spelling to their bearer, and most surnames keep an
older one (Kim, Lee, Park). So a name has a form by the rule and some by habit.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Final

_FIRST: Final = 0xAC00
_LAST: Final = 0xD7A3
_BEGINNINGS: Final = "G KK N D TT R M B PP S SS - J JJ CH K T P H"
_MIDDLES: Final = "A AE YA YAE EO E YEO YE O WA WAE OE YO U WO WE WI YU EU UI I"
_ENDINGS: Final = "- K K K N N N T L K M L L L P L M P P T T NG T T K T P T"
_BEGIN, _MIDDLE, _END = (
    [each.strip("-") for each in letters.split()] for letters in (_BEGINNINGS, _MIDDLES, _ENDINGS)
)
"""The parts of a syllable in the order of Unicode, as the rule writes them; of the last what is heard."""
_VOWELS: Final = 21
_ENDS: Final = 28
_HABITS: Final = {"EO": "U", "YEO": "YU", "UI": "EE", "EU": "EU"}
"""Usual spellings of vowels before a final consonant, instead of those of the rule."""
_LONGEST: Final = 4
"""Most syllables of a surname and a given name written as one word."""


def romanised(text: str) -> tuple[str, ...]:
    """Return the Latin spellings that passports may have for a Korean name in Hangul.

    The first ones have the usual spellings of the surname and of the given names. The last one follows the official
    rule, the Revised Romanization; it is the only one if the first word is too long for a name.
    """
    words = text.split()
    surname, rest = _parted(words[0]) if words else ("", "")
    if not surname:
        return (" ".join("".join(_syllable(each) for each in word) for word in words),)
    given = [rest, *words[1:]] if rest else words[1:]
    by_rule = ["".join(_syllable(each) for each in word) for word in given]
    by_habit = ["".join(_syllable(each, habit=True) for each in word) for word in given]
    in_part = [word.replace("K", "G") for word in by_habit]
    spelled = _surnames().get(surname) or ["".join(map(_syllable, surname))]
    forms = [" ".join([each, *names]) for names in (by_habit, by_rule) for each in spelled]
    forms.append(" ".join([spelled[0], *in_part]))
    forms.append(" ".join(["".join(map(_syllable, surname)), *by_rule]))
    return tuple(dict.fromkeys(forms))


def _parted(word: str) -> tuple[str, str]:
    """Return the surname at the beginning of a word, and the rest; no surname if the word is too long."""
    if len(word) > _LONGEST:
        return "", word
    length = 2 if word[:2] in _surnames() and len(word) != 3 else 1  # noqa: PLR2004 - surname and two syllables
    return word[:length], word[length:]


def _syllable(character: str, *, habit: bool = False) -> str:
    code = ord(character) - _FIRST
    if not 0 <= code <= _LAST - _FIRST:
        return ""
    begin, vowel, end = code // (_VOWELS * _ENDS), code // _ENDS % _VOWELS, code % _ENDS
    middle, consonant = _MIDDLE[vowel], _BEGIN[begin]
    if habit:
        middle = _HABITS.get(middle, middle) if end or middle == "UI" else middle
        consonant = "K" if consonant == "G" else consonant
    return consonant + middle + _END[end]


@lru_cache(maxsize=1)
def _surnames() -> dict[str, list[str]]:
    """Return the spellings of each surname."""
    lines = (files("app.identity") / "data" / "surnames_hangul.txt").read_text("utf-8").splitlines()
    parts = (line.split() for line in lines if line and not line.startswith("#"))
    return {surname: spellings for surname, *spellings in parts}
