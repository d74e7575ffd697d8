"""Romanisation of Arabic and Persian names: joined words are separated, long vowels written, most short vowels missing.

Arabic letters do not show short vowels, so the results are compared by their consonants. In Persian some letters sound
different, and a zero-width non-joiner separates words.
"""

import unicodedata
from typing import Final

_ONLY_PERSIAN: Final = frozenset("پچژگکی")
_ALEF: Final = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ک": "ك", "ی": "ي", "ہ": "ه", "ھ": "ه", "ے": "ي"}
)
_WORDS: Final = {
    "الله": "ALLAH",
    "عبدالله": "ABDULLAH",
    "محمد": "MUHAMMAD",
    "احمد": "AHMAD",
    "بن": "BIN",
    "ابن": "IBN",
    "بنت": "BINT",
    "ابو": "ABU",
    "ابي": "ABU",
    "ام": "UMM",
    "عبد": "ABD",
}
"""Words with one usual form, and words by which particles are recognised."""
_CONSONANTS: Final = "بتثجحخدذرزسشصضطظغفقكلمنهپچژگ"
_LATIN: Final = "B T T J H KH D D R Z S SH S D T Z GH F Q K L M N H P CH J G"
_LETTERS: Final = dict(zip(_CONSONANTS, _LATIN.split(), strict=True))
_PERSIAN: Final = {"ث": "S", "ذ": "Z", "ض": "Z"}
_COMPOUNDS: Final = ("محمد", "علي", "امير", "غلام", "سيد", "حسين")
"""Persian first names that are joined with a second one."""
_LONG: Final = frozenset("اويىة")
_NON_JOINER: Final = "\u200c"
_MIN: Final = 3
"""Fewest letters that must remain of a word after its particle is separated."""


def romanised(text: str) -> tuple[str, ...]:
    """Return the only form of a text of Arabic letters in Latin letters, with particles as separate words."""
    persian = not _ONLY_PERSIAN.isdisjoint(text)
    if persian:
        text = text.replace(_NON_JOINER, " ")
    plain = "".join(
        each for each in text.translate(_ALEF) if each.isspace() or unicodedata.category(each) == "Lo"
    )
    return (" ".join(_word(word, persian=persian) for word in plain.split()),)


def _word(word: str, *, persian: bool) -> str:
    known = _WORDS.get(word)
    if known is not None:
        return known
    for beginning, particle in (("عبدال", "ABDUL"), ("ابو", "ABU"), ("ال", "AL")):
        rest = word.removeprefix(beginning)
        if rest != word and len(rest) >= _MIN and not (particle == "AL" and rest[0] in "وي"):
            return f"{particle} {_word(rest, persian=persian)}"
    first = word.removesuffix("الدين")
    if first != word and first:
        return f"{_word(first, persian=persian)} AL DIN"
    if persian:
        for compound in _COMPOUNDS:
            rest = word.removeprefix(compound)
            if rest != word and len(rest) >= _MIN:
                return f"{_word(compound, persian=True)} {_word(rest, persian=True)}"
    return _letters(word, persian=persian)


def _letters(word: str, *, persian: bool) -> str:
    written: list[str] = []
    for place, letter in enumerate(word):
        after = word[place + 1 : place + 2]
        if letter in "اىة":
            written.append("A")
        elif letter == "ع":
            written.append("" if place else "A")
        elif letter in "وؤ":
            written.append(("V" if persian else "W") if not place or after == "ا" else "U")
        elif letter in "يئ":
            written.append("Y" if not place or after == "ا" else "I")
        else:
            latin = (_PERSIAN.get(letter) if persian else None) or _LETTERS.get(letter, "")
            opens = latin and not place and after and after not in _LONG
            written.append(
                f"{latin}A" if opens else latin
            )  # a short vowel, so that the beginning sounds as such
    return "".join(written)
