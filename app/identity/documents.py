"""Numbers of travel documents, brought to the form in which two of them can be compared.

A number is typed with blanks, hyphens or lower case, scanned with O for 0, or copied from a page in
full-width letters. The normal form forgives the writing; the skeleton also forgives the reading.
"""

import unicodedata
from typing import Final

_ASCII: Final = {
    code: chr(code).upper() if chr(code).isalnum() else None
    for code in range(128)
    if not (chr(code).isdigit() or chr(code).isupper())
}
_CONFUSABLE: Final = str.maketrans("OQDILZSGB", "000112568")
_ZEROS: Final = "0" + "".join(chr(letter) for letter, digit in _CONFUSABLE.items() if digit == ord("0"))


def normalise(number: str) -> str:
    """Give the number in A-Z and 0-9 alone: upper case, without blanks and signs; empty if nothing is left.

    Digits of every script count as their value, full-width and accented Latin letters as the plain letter.
    """
    if not number.isascii():
        number = "".join(map(_ascii_of, unicodedata.normalize("NFKD", number)))
    return number.translate(_ASCII)


def is_filler(normalised: str) -> bool:
    """Whether a number only fills its field: nothing at all, zeros (or the letters taken for them), or the letter X.

    Such a number names no document, so two persons who bear it have nothing in common.
    """
    return not normalised.strip(_ZEROS) or not normalised.strip("X")


def is_same(one: str, other: str) -> bool:
    """Whether two numbers, however they are written, are equal and name a document or person."""
    number = normalise(one)
    return number == normalise(other) and not is_filler(number)


def skeleton(normalised: str) -> str:
    """Fold the characters that a reader or a typist takes for each other: O Q D 0, I L 1, Z 2, S 5, G 6, B 8.

    ICAO check digits can't see most of these (G/6, S/8, L/1, B/1, Z/5 differ by a multiple of ten), so equal
    skeletons of unequal numbers are a possible match, to be decided by birth date and name.
    """
    return normalised.translate(_CONFUSABLE)


def _ascii_of(character: str) -> str:
    """Give a decimal digit of any script as 0-9, an ASCII character as it is, anything else as nothing."""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    return character if character.isascii() else ""
