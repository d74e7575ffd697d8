"""Japanese names in kana, in Hepburn's spelling as Japanese passports have it: long vowels short (Ono, Ryota)."""

import re
from typing import Final

from anyascii import anyascii

_SMALL: Final = {"ゃ": "A", "ゅ": "U", "ょ": "O", "ャ": "A", "ュ": "U", "ョ": "O"}
_SMALL_VOWELS: Final = {
    "ぁ": "A",
    "ぃ": "I",
    "ぅ": "U",
    "ぇ": "E",
    "ぉ": "O",
    "ァ": "A",
    "ィ": "I",
    "ゥ": "U",
    "ェ": "E",
    "ォ": "O",
}
_DOUBLING: Final = "っッ"
_WITHOUT_Y: Final = ("SH", "CH", "J")
_LONG: Final = re.compile(r"O[OU]|UU").sub
_OVER: Final = {
    "DZU": "ZU",
    "DZI": "JI",
    "DI": "JI",
    "DU": "ZU",
    "TI": "CHI",
    "TU": "TSU",
    "SI": "SHI",
    "ZI": "JI",
    "HU": "FU",
}


def romanised(text: str) -> tuple[str, ...]:
    """Return the only form of a text of kana in Latin letters, with long vowels written as short ones."""
    return (" ".join(map(_word, text.replace("・", " ").split())),)


def _word(word: str) -> str:
    written = ""
    doubled = False
    for character in word:
        if character in _SMALL and written.endswith("I"):
            stem = written[:-1]
            written = stem + ("" if stem.endswith(_WITHOUT_Y) else "Y") + _SMALL[character]
        elif character in _SMALL_VOWELS and written[-1:] in {"E", "U", "I", "O"}:
            written = written[:-1] + _SMALL_VOWELS[character]
        elif character in _DOUBLING:
            doubled = True
        else:
            syllable = "".join(filter(str.isalnum, anyascii(character))).upper()
            syllable = _OVER.get(syllable, syllable)
            written += syllable[:1] + syllable if doubled else syllable
            doubled = False
    return _LONG(lambda found: found[0][0], written)
