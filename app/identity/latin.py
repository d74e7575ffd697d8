"""Transliteration of names into the letters A to Z, with marks spelled out as in passports.

ICAO Doc 9303 part 3, section 6, lets an issuer write some letters in several ways (Ä as AE or A, Ñ as N or NXX);
all of them must match. Scripts with their own rules are romanised by them (`scripts`), all others letter by letter
without a dictionary: the result is good enough for comparing sounds, not for display.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from anyascii import anyascii

from app.identity.scripts import arabic, han, hangul, hebrew, kana, thai

LONGEST: Final = 300
"""Greatest number of characters of a name that are read, so that work stays bounded."""

_SPELLED_OUT: Final = str.maketrans({"Ä": "AE", "Å": "AA", "Ö": "OE", "Ø": "OE", "Ü": "UE"})
"""The longer form of each letter that Doc 9303 permits; the shorter one omits the mark."""
_ESCAPED: Final = (("NXX", "N"), ("UXX", "U"))
"""Spellings of Ñ and Ü by some issuers in the machine-readable zone."""
_SCRIPTS: Final[dict[str, Callable[[str], tuple[str, ...]]]] = {
    "arabic": arabic.romanised,
    "hebrew": hebrew.romanised,
    "hangul": hangul.romanised,
    "han": han.romanised,
    "kana": kana.romanised,
    "thai": thai.romanised,
}
_RANGES: Final = {
    "arabic": "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u200c\u200d",
    "hebrew": "\u0590-\u05ff",
    "hangul": "\uac00-\ud7a3",
    "han": "\u3400-\u4dbf\u4e00-\u9fff",
    "kana": "\u3041-\u30ff",
    "thai": "\u0e01-\u0e4e",
}
_RUN: Final = re.compile(
    "|".join(f"(?P<{script}>[{letters}]+(?: +[{letters}]+)*)" for script, letters in _RANGES.items())
)
"""Matches neighbouring words of one script in a text normalised by NFKC."""
_DIGIT: Final = re.compile(r"[^\D0-9]")
"""Matches a digit of another script, which must not be romanised as a letter."""
_MAX_FORMS: Final = 8
_WELL_COMPARED: Final = frozenset(
    {"LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "ARABIC", "HEBREW", "HANGUL", "HIRAGANA", "THAI"}
    | {"MODIFIER", "FULLWIDTH", "KATAKANA-HIRAGANA"}
)
"""First words of the Unicode names of letters whose scripts have rules here or one usual transliteration."""
_CALLED: Final = {"CJK": "Han"}
_ABJADS: Final = ("ARABIC", "HEBREW", "SYRIAC")


def latin(name: str) -> str:
    """Return a name in upper-case ASCII in its likeliest form: letters, digits, and the signs that separate words.

    Never raises. Signs outside ASCII, such as emoji, become blanks or apostrophes.
    """
    return latin_forms(name)[0]


def latin_forms(name: str) -> tuple[str, ...]:
    """Return the forms of a name in upper-case ASCII that a passport may show, the likeliest first: one to eight.

    There are several forms if marks may be spelled out (Müller as MUELLER), or if the letters of a script may be
    written in several ways (이 as LEE or YI). Only the first `LONGEST` characters of the name are read.
    """
    cut = name[:LONGEST]
    if cut.isascii():
        return (_unescaped(cut.upper()),)
    composed = _DIGIT.sub(lambda digit: str(int(digit[0])), unicodedata.normalize("NFKC", cut))
    texts = _romanised(composed)
    longer = composed.upper().translate(_SPELLED_OUT)
    if longer != composed.upper():
        texts = (*texts, *_romanised(longer))
    return tuple(dict.fromkeys(_unescaped(_transliterated(text).upper()) for text in texts))[:_MAX_FORMS]


def _unescaped(text: str) -> str:
    if "XX" in text:
        for written, meant in _ESCAPED:
            text = text.replace(written, meant)
    return text


def _romanised(text: str) -> tuple[str, ...]:
    """Return the forms of a text in which runs of the scripts of `scripts` are replaced by Latin letters."""
    parts: list[tuple[str, ...]] = []
    begin = 0
    for run in _RUN.finditer(text):
        script = str(run.lastgroup)
        parts += [(text[begin : run.start()],), tuple(f" {form} " for form in _SCRIPTS[script](run[0]))]
        begin = run.end()
    if not parts:
        return (text,)
    parts.append((text[begin:],))
    most = max(map(len, parts))
    forms = ("".join(each[min(form, len(each) - 1)] for each in parts) for form in range(most))
    return tuple(" ".join(form.split()) for form in forms)


def is_without_vowels(name: str) -> bool:
    """Return whether a name begins in a script that omits most vowels: Arabic, Hebrew or Syriac."""
    if name.isascii():
        return False
    letter = next(filter(str.isalpha, name), "A")
    return unicodedata.name(letter, "").startswith(_ABJADS)


def weak_scripts(name: str) -> tuple[str, ...]:
    """Return the names of those scripts in a name whose comparison is unreliable; empty for most names.

    These scripts are Han, whose characters have a different reading in each language, of which only one is tried;
    Katakana, which writes foreign names by their sound; and scripts without rules here, which are transliterated letter
    by letter.
    """
    if name.isascii():
        return ()
    letters = filter(str.isalpha, unicodedata.normalize("NFKC", name[:LONGEST]))
    scripts = dict.fromkeys(unicodedata.name(letter, "UNKNOWN").split()[0] for letter in letters)
    return tuple(_CALLED.get(script, script.title()) for script in scripts if script not in _WELL_COMPARED)


def _transliterated(text: str) -> str:
    letters: list[str] = []
    for character in text[: 2 * LONGEST]:
        if character.isascii():
            letters.append(character)
            continue
        kind = unicodedata.category(character)
        if kind[0] in "LM" or kind == "Nd":
            letters.append("".join(filter(str.isalnum, anyascii(character))))
        elif kind != "Cf":
            letters.append("'" if kind in {"Pi", "Pf", "Sk"} else " ")
    return "".join(letters)[:LONGEST]
