"""Normal forms of travel documents' numbers, in which two numbers can be compared.

A number may be typed with blanks, hyphens or lower case, scanned with O for 0, or copied from a page in full-width
letters. The normal form ignores differences of writing; the skeleton also ignores errors of reading. Fields that
contain more than a number are read by `typed_numbers`.
"""

from typing import Final

from app.identity.lookalikes import plain

_ASCII: Final = {
    code: chr(code).upper() if chr(code).isalnum() else None
    for code in range(128)
    if not (chr(code).isdigit() or chr(code).isupper())
}
_CONFUSABLE: Final = str.maketrans("OQDILZSGB", "000112568")
_HELD_DOWN: Final = 5
_ZEROS: Final = "0" + "".join(chr(letter) for letter, digit in _CONFUSABLE.items() if digit == ord("0"))


def normalise(number: str) -> str:
    """Return a document's number in its normal form: upper-case A-Z and 0-9, without blanks and signs; may be empty.

    Digits of every script become 0-9, full-width letters become plain letters, and letters of other scripts become the
    letters that they look like. The result is empty for a text with a letter that looks like none of A-Z.
    """
    if not number.isascii():
        text, _, unread = plain(number)
        number = "" if unread else text
    return number.translate(_ASCII)


def is_filler(normalised: str) -> bool:
    """Return whether a normalised number only fills its field.

    Such a number is empty, or consists only of zeros (or of O, Q and D, which look like zeros), only of X, or only of
    one other character, five times or more. It identifies no document: two persons with the same filler have nothing in
    common.
    """
    if not normalised.strip(_ZEROS) or not normalised.strip("X"):
        return True
    return len(normalised) >= _HELD_DOWN and not normalised.strip(normalised[0])


def is_same(one: str, other: str) -> bool:
    """Return whether two numbers are equal in normal form, and no fillers (see `is_filler`)."""
    number = normalise(one)
    return number == normalise(other) and not is_filler(number)


def skeleton(normalised: str) -> str:
    """Return a number with easily confused characters replaced by one of them: O Q D 0, I L 1, Z 2, S 5, G 6, B 8.

    Unequal numbers with equal skeletons are a possible match, which birth date and name decide. Check digits don't
    exclude it, because they can't detect most of these confusions.
    """
    return normalised.translate(_CONFUSABLE)
