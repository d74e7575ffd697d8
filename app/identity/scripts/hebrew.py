"""Romanisation of Hebrew names: vav and yod are vowels as often as consonants, and other vowels are missing."""

from typing import Final

_CONSONANTS: Final = "בגדזחטכךלמםנןספףצץקרשת"
_LATIN: Final = "B G D Z H T K KH L M M N N S P F TZ TZ K R SH T"
_LETTERS: Final = dict(zip(_CONSONANTS, _LATIN.split(), strict=True))
_VOWELS: Final = frozenset("אויע")
"""Letters that are vowels, or are written under one."""
_DOUBLE_VAV: Final = "װ"


def romanised(text: str) -> tuple[str, ...]:
    """Return the forms of a text of Hebrew letters in Latin letters: with vav as a vowel, and as a consonant."""
    plain = "".join(each for each in text if each.isspace() or each.isalpha())
    forms = (" ".join(_word(word, vav) for word in plain.split()) for vav in ("O", "V"))
    return tuple(dict.fromkeys(forms))


def _word(word: str, vav: str) -> str:
    word = word.replace("וו", _DOUBLE_VAV)  # a doubled vav is a consonant
    written: list[str] = []
    for place, letter in enumerate(word):
        last = place == len(word) - 1
        if letter in "אע":
            written.append("A")
        elif letter == _DOUBLE_VAV:
            written.append("V")
        elif letter == "ו":
            written.append("V" if place == 0 else vav)
        elif letter == "י":
            opens = place == 0 and not last and word[1] not in _VOWELS
            written.append("YI" if opens else "I" if place else "Y")
        elif letter == "ה":
            written.append("A" if last else "H")
        elif letter == "ב" and place:
            written.append("V")
        else:
            latin = _LETTERS.get(letter, "")
            vowelless = place == 0 and not last and word[1] not in _VOWELS
            written.append(f"{latin}A" if latin and vowelless else latin)
    return "".join(written)
