"""Replacement of letters of other scripts by the letters A-Z and digits 0-9 that they look like (no I/O).

A number typed on a Russian or Greek keyboard, or read by a reader set to another script, looks the same and consists of
other characters. The table of similar characters in `data/lookalikes.txt` follows Unicode Technical Standard #39.
"""

import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

_SIGN: Final = " "
_JOINED: Final = frozenset({"Mn", "Me", "Mc", "Cf", "Sk", "Lm"})
"""Unicode categories of characters that modify the one before or are invisible."""


class Plain(NamedTuple):
    """A text converted to ASCII by `plain`.

    Attributes:
        text: the converted text; a sign outside ASCII is replaced by a blank.
        alike: whether a letter of another script, or one with an accent, was replaced by a similar letter.
        unread: whether a letter or number was omitted because it looks like none of A-Z and 0-9.
    """

    text: str
    alike: bool
    unread: bool


def plain(text: str) -> Plain:
    """Convert a text to ASCII.

    Digits of every script become 0-9, full-width letters become plain ones, other letters become the letters that they
    look like. Letters that look like none are omitted (`Plain.unread`).
    """
    if text.isascii():
        return Plain(text, alike=False, unread=False)
    letters: list[str] = []
    alike = unread = False
    for character in unicodedata.normalize("NFKD", text):
        if character.isascii():
            letters.append(character)
            continue
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            letters.append(str(digit))
            continue
        kind = unicodedata.category(character)
        if kind in _JOINED:
            alike = alike or kind[0] == "M"
        elif kind[0] not in "LN":
            letters.append(_SIGN)
        elif (look := _look(character)) is not None:
            letters.append(look)
            alike = True
        else:
            unread = True
    return Plain("".join(letters), alike, unread)


def resembled(text: str) -> str:
    """Return a text with letters of other scripts replaced by similar ones of A-Z and 0-9; others are unchanged."""
    return text if text.isascii() else "".join(_look(character) or character for character in text)


def _look(character: str) -> str | None:
    """Return the letter or digit that a character looks like. Its capital is tried first."""
    table = _table()
    return table.get(character.upper()) or table.get(character)


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    rows = (files(__package__) / "data" / "lookalikes.txt").read_text(encoding="utf-8").splitlines()
    parted = (row.split() for row in rows if row and not row.startswith("#"))
    return {chr(int(code, 16)): look for look, *codes in parted for code in codes}
