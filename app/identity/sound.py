"""How a word of a name sounds: spellings that are heard alike become alike.

Two strengths. `sound` keeps the vowels and settles spelling (the Indonesian reforms, Arabic names in Dutch, English
and French letters, doubled letters); typing errors are measured on it. `code` keeps only the consonants, in classes
that Indonesian ears and pens mix up (f, v and p; z and s; a final d and t), and finds a disguised spelling again.
"""

import re
from functools import lru_cache
from typing import Final

from app.identity.names import respell

LONGEST_CODE: Final = 8

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
_DOUBLED: Final = re.compile(r"(.)\1+").sub
_NOT_INITIAL_VOWEL: Final = re.compile(r"(?<=.)[AEIOUH]+").sub
_CLASSES: Final = str.maketrans("CFVBQ", "KPPPK")
_FINAL: Final = str.maketrans("DB", "TP")


@lru_cache(maxsize=1 << 14)
def sound(word: str) -> str:
    """Give an upper-case word in settled spelling: Tjokro KOKRO, Achmad AHMAD, Syaiful SEFUL, Rifqi RIFKI."""
    text = _INITIAL_C("K", word)
    text = _SY("S", respell(text))
    text = _VOWEL_Y("I", text[0] + text[1:]) if text[:1] != "Y" else "Y" + _VOWEL_Y("I", text[1:])
    text = _VOWEL_W("U", text)
    for written, heard in _SETTLED:
        if written in text:
            text = text.replace(written, heard)
    return _DOUBLED(r"\1", text) or word


@lru_cache(maxsize=1 << 14)
def code(heard: str) -> str:
    """Give the consonants of a sound; a vowel or an h that begins it counts as A."""
    first = "A" if heard[:1] in "AEIOUH" else heard[:1]
    text = _NOT_INITIAL_VOWEL("", first + heard[1:]).translate(_CLASSES)
    return (_DOUBLED(r"\1", text[:-1] + text[-1:].translate(_FINAL)) if len(text) > 1 else text)[
        :LONGEST_CODE
    ]
