"""The sound of a word of a name, by which spellings that sound alike become equal or similar.

There are two strengths. `sound` keeps the vowels and normalises spelling (the Indonesian reforms, Arabic names in
Dutch, English and French letters, doubled letters); typing errors are measured on it. `code` keeps only the consonants,
in classes that Indonesians confuse in speech and writing (f, v and p; z and s; a final d and t), and finds disguised
spellings.
"""

import re
from functools import lru_cache
from operator import itemgetter
from typing import Final

from app.identity.names import respell

LONGEST_CODE: Final = 8
"""Greatest number of letters of a word's code (`code`)."""

_SETTLED: Final = (
    ("SCH", "S"),
    ("KH", "H"),
    ("SH", "S"),
    ("DZ", "Z"),
    ("PH", "F"),
    ("TH", "T"),
    ("DH", "D"),
    ("GH", "G"),
    ("BH", "B"),
    ("CK", "K"),
    ("Q", "K"),
    ("X", "KS"),
    ("V", "F"),
    ("Z", "S"),
    ("AU", "O"),
    ("OO", "U"),
    ("OU", "U"),
    ("EE", "I"),
    ("IE", "I"),
    ("AI", "E"),
    ("EI", "E"),
)
_INITIAL_C: Final = re.compile(r"^(?:CH|KH|TJ|C|Q)(?=[AEIOU])").sub
_SY: Final = re.compile(r"SY(?=[AEIOU])").sub
_VOWEL_Y: Final = re.compile(r"(?<=[AEIOU])Y(?![AEIOU])|(?<=[^AEIOU])Y|Y(?![AEIOU])").sub
_VOWEL_W: Final = re.compile(r"(?<=[^AEIOUW])W(?![AEIOU])").sub
_GLIDES: Final = re.compile("[YWO]").search
_U_AFTER_A: Final = re.compile(r"(?<=A)(?:W(?:U|OO|OU)?|OU)(?=[^AEIOUWY])").sub
"""Tawfiq, Awlaki, Dawood, Daoud for Taufik, Aulaki, Daud."""
_O_WITH_W: Final = re.compile(r"(?<=O)W(?=[^AEIOUWY])").sub
"""Nowruz for Noruz."""
_OU_AS_W: Final = re.compile(r"(?:^|(?<=[AEI]))OU(?=[AEI])").sub
"""Ouali, Aouad for Wali, Awad: how French letters write a W."""
_Y_AFTER_I: Final = re.compile(r"(?<=I)Y(?=[AEOU])").sub
"""Aliyah, Mariyam, Aliyev for Aliah, Mariam, Aliev."""
_A_AND_E: Final = re.compile(r"(?<=[^AEIOU])AY?(?:EE|E|I)(?=[B-DF-HJ-NP-TVXZ])").sub
"""Sayid, Saeed, Fayez, Zaenal for Said, Faiz, Zainal: the hamza between them is written or not."""
_DOUBLED: Final = re.compile(r"(.)\1+").sub
_ONCE: Final = itemgetter(1)
"""Returns the first group of a match; as a replacement it takes half the time of a template."""
_CLASSES: Final = str.maketrans("CFVBQ", "KPPPK")
_CONSONANTS: Final = _CLASSES | dict.fromkeys(map(ord, "AEIOUH"))
"""The classes of consonants, without vowels and h."""
_FINAL: Final = str.maketrans("DB", "TP")


@lru_cache(maxsize=1 << 14)
def sound(word: str) -> str:
    """Return an upper-case word in a spelling that is equal or similar for words that sound alike.

    For example KOKRO for TJOKRO, AHMAD for ACHMAD, SEFUL for SYAIFUL, RIFKI for RIFQI.
    """
    text = _INITIAL_C("K", word)
    text = _SY("S", respell(text))
    if _GLIDES(text):
        text = _U_AFTER_A("U", _OU_AS_W("W", text))
        text = _Y_AFTER_I("", _O_WITH_W("", text))
    text = _A_AND_E("E", text)
    text = _VOWEL_Y("I", text) if text[:1] != "Y" else "Y" + _VOWEL_Y("I", text[1:])
    text = _VOWEL_W("U", text)
    for written, heard in _SETTLED:
        if written in text:
            text = text.replace(written, heard)
    return _DOUBLED(_ONCE, text) or word


@lru_cache(maxsize=1 << 14)
def code(heard: str) -> str:
    """Return the consonants of a word's sound `heard`, with one letter for consonants that are often confused.

    For example, F, V and P become P. Vowels and H are dropped, except at the beginning, where they become A. Only the
    first `LONGEST_CODE` letters are returned.
    """
    first = "A" if heard[:1] in "AEIOUH" else heard[:1].translate(_CLASSES)
    text = first + heard[1:].translate(_CONSONANTS)
    return (_DOUBLED(_ONCE, text[:-1] + text[-1:].translate(_FINAL)) if len(text) > 1 else text)[
        :LONGEST_CODE
    ]
