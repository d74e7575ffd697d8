"""Names in the letters A to Z: other scripts transliterated, marks spelled out as passports spell them.

ICAO Doc 9303 part 3, section 6, lets an issuer write some letters in several ways (Ä as AE or A, Ñ as N or NXX);
all of them must meet. Other scripts are transliterated letter by letter, without a dictionary: what comes out is
good enough to sound alike, not to be shown.
"""

import unicodedata
from typing import Final

from anyascii import anyascii

LONGEST: Final = 300
"""Characters of a name that are looked at; no name is longer, and work stays bounded."""

_SPELLED_OUT: Final = str.maketrans({"Ä": "AE", "Å": "AA", "Ö": "OE", "Ø": "OE", "Ü": "UE"})
"""The longer of the forms that Doc 9303 permits; the shorter one leaves the mark out."""
_ESCAPED: Final = (("NXX", "N"), ("UXX", "U"))
"""Ñ and Ü as some issuers write them in the zone."""
_ABJADS: Final = ("ARABIC", "HEBREW", "SYRIAC")
_KEPT: Final = frozenset(",.'-< ")


def latin(name: str) -> str:
    """Give a name in upper-case ASCII: letters, digits, and the signs by which its words are told apart.

    Never raises; empty if no letter is left. Signs without a meaning in names (emoji, symbols) part words.
    """
    cut = name[:LONGEST]
    text = cut.upper() if cut.isascii() else _transliterated(unicodedata.normalize("NFKC", cut)).upper()
    if "XX" in text:
        for written, meant in _ESCAPED:
            text = text.replace(written, meant)
    return text


def spelled_out(name: str) -> str | None:
    """Give the other form that passports permit (Müller as MUELLER), None where there is none."""
    if name.isascii():
        return None
    composed = unicodedata.normalize("NFKC", name[:LONGEST]).upper()
    longer = composed.translate(_SPELLED_OUT)
    return latin(longer) if longer != composed else None


def is_without_vowels(name: str) -> bool:
    """Say whether a name is in a script that leaves most vowels out (Arabic, Hebrew)."""
    if name.isascii():
        return False
    letter = next(filter(str.isalpha, name), "A")
    return unicodedata.name(letter, "").startswith(_ABJADS)


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
