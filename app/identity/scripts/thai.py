"""Thai names in Latin letters, by the Royal Thai General System (1999), with the r that people write in -orn.

Vowels are written around their consonant, and some are not written. The writing does not show either whether a
consonant between two vowels ends a syllable or begins one, so a name has two forms if that makes a difference.
"""

import re
from typing import Final

_CONSONANTS: Final = "กขฃคฅฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ"
_BEGINNINGS: Final = """
    K KH KH KH KH KH NG CH CH CH S CH Y D T TH TH TH N D T TH TH TH N B P PH F PH F PH M Y R L W S S S H L - H
"""
_ENDINGS: Final = "K K K K K K NG T T T T T N T T T T T N T T T T T N P P P P P P P M I N N O T T T - N - -"
_BEGIN, _END = (
    {letter: each.strip("-") for letter, each in zip(_CONSONANTS, latin.split(), strict=True)}
    for latin in (_BEGINNINGS, _ENDINGS)
)
"""The Latin letters of each consonant at the beginning of a syllable, and at its end."""
_LEADING: Final = {"เ": "E", "แ": "AE", "โ": "O", "ใ": "AI", "ไ": "AI"}
_SIGNS: Final = {
    "ะ": "A",
    "ั": "A",
    "า": "A",
    "ำ": "AM",
    "ิ": "I",
    "ี": "I",
    "ึ": "UE",
    "ื": "UE",
    "ุ": "U",
    "ู": "U",
}
_PAIRS: Final = """
    กร กล กว ขร ขล ขว คร คล คว ตร ปร ปล พร พล ผล บร บล ฟร ฟล ดร ทร ศร สร หง หญ หน หม หย หร หล หว อย
"""
_CLUSTERS: Final = frozenset(_PAIRS.split())
_SILENT: Final = re.compile(r"[ก-ฮ][ิุ]?์|(?<=าต)ิ$|(?<=ัต)ิ$|(?<=ูม)ิ").sub
_NOT_LED: Final = frozenset({"กว", "ขว", "คว", "สร", "ศร"})
"""Pairs of consonants that are not a cluster after a leading vowel (แก้ว is Kaew)."""
_SPOKEN_AS_ONE: Final = frozenset({"ตร", "ทร"})
_TONES: Final = dict.fromkeys(map(ord, "่้๊๋็ๆฯํ๎"))
_TOGETHER: Final = {"เีย": "IA", "เือ": "UEA", "เาะ": "O", "เา": "AO", "เอ": "OE", "เิ": "OE"}
"""Vowels written around their consonant, by the signs before and after it."""

_AFTER: Final = {"ัว": "UA", "ัย": "AI", "ือ": "UE"}
"""Vowels written with two signs after their consonant."""


def romanised(text: str) -> tuple[str, ...]:
    """Return the spellings of a text of Thai letters in Latin letters: one, or two that differ.

    A consonant between vowels may end a syllable or begin the next one: the first spelling takes it as the end, the
    second as the beginning.
    """
    words = [_SILENT("", word).translate(_TONES) for word in text.split()]
    forms = (" ".join(_Word(word, opens=opens).read() for word in words) for opens in (False, True))
    return tuple(dict.fromkeys(forms))


class _Word:
    """A word while it is read, syllable by syllable."""

    def __init__(self, text: str, *, opens: bool) -> None:
        self._text = text
        self._at = 0
        self._opens = opens
        self._written: list[str] = []

    def read(self) -> str:
        """Return the word in Latin letters."""
        closed = False
        while self._at < len(self._text):
            if (
                closed
                and self._here() in _END
                and (self._text[self._at + 1 : self._at + 2] or "เ") in _LEADING
            ):
                self._at += 1  # one consonant after a closed syllable is not spoken (เพชร, จันทร์เพ็ญ)
                continue
            closed = self._syllable()
        return "".join(self._written)

    def _syllable(self) -> bool:
        """Read a syllable. Returns whether a consonant closes it."""
        lead = self._text[self._at] if self._text[self._at] in _LEADING else ""
        self._at += bool(lead)
        begin = self._begin(led=bool(lead))
        if not lead and not begin and not self._text[self._at - 1 : self._at]:
            self._at += 1
            return False
        vowel, may_close = self._vowel(lead)
        end = self._end() if may_close else ""
        if vowel is None:
            vowel, end = (
                ("O", "RN" if end == "N" and self._text[self._at - 1] == "ร" else end) if end else ("A", "")
            )
        self._written.append(begin + vowel + end)
        return bool(end) or not may_close

    def _begin(self, *, led: bool) -> str:
        pair = self._text[self._at : self._at + 2]
        after = self._text[self._at + 2 : self._at + 3]
        if pair in _CLUSTERS and (self._led(pair, after) if led else after and after in _SIGNS):
            self._at += 2
            if pair == "ทร":
                return "S"
            return _BEGIN[pair[1]] if pair[0] in "หอ" else _BEGIN[pair[0]] + _BEGIN[pair[1]]
        first = pair[:1]
        self._at += 1
        return _BEGIN.get(first, "")

    @staticmethod
    def _led(pair: str, after: str) -> bool:
        """Return whether two consonants after a leading vowel begin one syllable, by them and what follows."""
        return pair[0] in "หอ" or bool(pair not in _NOT_LED and after and after not in _LEADING)

    def _vowel(self, lead: str) -> tuple[str | None, bool]:
        """Read the vowel; None where none is written. Also whether a consonant may close the syllable."""
        for signs, vowel in _TOGETHER.items():
            if lead == signs[0] and self._take(signs[1:]):
                return vowel, signs not in {"เา", "เาะ"}
        return self._led_vowel(lead) if lead else self._own_vowel()

    def _led_vowel(self, lead: str) -> tuple[str, bool]:
        if lead == "เ" and self._here() == "ย" and not self._is_sign(1):
            self._at += 1
            return "OEI", False
        if lead in "ใไ":
            self._take("ย")
        self._take("ะ")
        return _LEADING[lead], lead not in "ใไ"

    def _own_vowel(self) -> tuple[str | None, bool]:
        for signs, vowel in _AFTER.items():
            if self._take(signs):
                return vowel, signs == "ือ"
        sign = self._here()
        if sign and sign in _SIGNS:
            self._at += 1
            return _SIGNS[sign], sign not in "ะำ"
        if self._take("รร"):
            return ("A", True) if self._closes() else ("AN", False)
        if sign == "อ" and not self._is_sign(1):
            self._at += 1
            return "O", True
        return None, True

    def _end(self) -> str:
        """Read the consonant that closes the syllable, if one does."""
        if not self._closes():
            return ""
        self._at += 1
        return _END[self._text[self._at - 1]]

    def _closes(self) -> bool:
        here, after = self._here(), self._text[self._at + 1 : self._at + 2]
        if not here or here not in _END or here == "อ" or self._is_sign(1):
            return False
        if self._text[self._at + 1 : self._at + 3] == "รร" or (after == "อ" and not self._is_sign(2)):
            return False
        if here + after in _CLUSTERS and self._is_sign(2):
            return False
        if self._is_last_pair(here + after):
            return False
        return not (self._opens and after and after not in _LEADING)

    def _is_last_pair(self, pair: str) -> bool:
        """Return whether two consonants after a vowel at the word's end are a syllable of their own (กิตติพงษ์)."""
        beyond = self._text[self._at + 2 : self._at + 3]
        alone = len(pair) == 2 and pair[1] in _END and (not beyond or beyond in _LEADING)  # noqa: PLR2004 - two
        return alone and pair not in _SPOKEN_AS_ONE and self._text[self._at - 1] in "ะาิีุู"

    def _take(self, signs: str) -> bool:
        if not self._text.startswith(signs, self._at):
            return False
        self._at += len(signs)
        return True

    def _here(self) -> str:
        return self._text[self._at : self._at + 1]

    def _is_sign(self, ahead: int) -> bool:
        sign = self._text[self._at + ahead : self._at + ahead + 1]
        return bool(sign) and sign in _SIGNS
