"""Chinese names in Han characters, in Hanyu Pinyin: the surname apart, by its reading as a surname.

Most characters have one reading; the table contains the surnames whose reading differs from that of the word. A Korean
or Japanese name in the same characters has other readings, which can't be recognised from the characters.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Final

from anyascii import anyascii

_OTHER_SPELLINGS: Final = {"LU": "LYU", "NU": "NYU", "LUE": "LYUE", "NUE": "NYUE"}
"""Ü as Chinese passports have written it since 2012, by the syllable without its mark."""
_UMLAUTS: Final = frozenset("吕呂女律绿綠旅侣侶屡屢履驴驢闾閭率虑慮滤濾缕縷榈櫚铝鋁捋")
_LONGEST: Final = 4


def romanised(text: str) -> tuple[str, ...]:
    """Return the forms of a text of Han characters in Hanyu Pinyin, surname first: with Ü as U, and with Ü as YU."""
    forms = (" ".join(_word(word, umlaut=umlaut) for word in text.split()) for umlaut in (False, True))
    return tuple(dict.fromkeys(forms))


def _word(word: str, *, umlaut: bool) -> str:
    if not 2 <= len(word) <= _LONGEST:  # noqa: PLR2004 - a surname and a given name, or neither
        return "".join(_syllable(each, umlaut=umlaut) for each in word)
    length = 2 if word[:2] in _surnames() and len(word) > 2 else 1  # noqa: PLR2004
    surname, given = word[:length], word[length:]
    spelled = _surnames().get(surname) or "".join(_syllable(each, umlaut=umlaut) for each in surname)
    return f"{spelled} {''.join(_syllable(each, umlaut=umlaut) for each in given)}"


def _syllable(character: str, *, umlaut: bool) -> str:
    pinyin = "".join(filter(str.isalnum, anyascii(character))).upper().replace("LV", "LU").replace("NV", "NU")
    return _OTHER_SPELLINGS.get(pinyin, pinyin) if umlaut and character in _UMLAUTS else pinyin


@lru_cache(maxsize=1)
def _surnames() -> dict[str, str]:
    """Return the readings of surnames that differ from those of their characters, and of surnames of two characters."""
    lines = (files("app.identity") / "data" / "surnames_han.txt").read_text("utf-8").splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))
