"""Reading of the document numbers in a text that was entered as a document's number (no I/O).

People and document readers enter more than the number: the word "passport", a second number, "N/A", the check digit or
a whole line of a machine-readable zone (ICAO Doc 9303 part 3, section 4; part 4, section 4.2). The result has the
certain numbers, and other possible numbers, which refer a traveller at most. Unreadable text is reported.
"""

import re
from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from app.identity import states
from app.identity.documents import is_filler, normalise, skeleton
from app.identity.lookalikes import plain
from app.identity.mrz import check_digit
from app.identity.number_words import (
    BESIDE,
    BRACKET,
    DAY,
    FOREIGN_LABEL,
    LABEL,
    NOTES,
    NOTHING,
    PARTING,
    SHORTEST_WITH_ADDITION,
)

Fault = Literal["characters", "words"]
"""Why a text can't be stored as a number. `characters`: letters that look like none of A-Z. `words`: unknown words."""

FAULTS: Final[dict[Fault, str]] = {
    "characters": "A document's number has the letters A to Z and digits alone (ICAO Doc 9303 part 3).",
    "words": "The field has words that are no number: give the number alone, or leave the document out.",
}

_PLAIN: Final = re.compile(r"[A-Z0-9]{1,9}").fullmatch
_TOKENS: Final = re.compile(r"[A-Z0-9]+").findall
_SEVERAL: Final = re.compile(r"(?:[A-Z]{1,3} ?[0-9]{6,9}[A-Z]?(?: |$)){2,}").fullmatch
_EACH: Final = re.compile(r"[A-Z]{1,3} ?[0-9]{6,9}[A-Z]?(?= |$)").findall
_COMPLETE: Final = re.compile(r"[A-Z]{1,3}[0-9]{5,9}[A-Z]?").fullmatch
_SERIES: Final = re.compile(r"[A-Z]{1,3}").fullmatch
_MAY_BE_LABEL: Final = frozenset({"NO", "NR", "ID", "PP", "N", "P"})
_DIGIT: Final = re.compile(r"[0-9]").search

_SHORTEST: Final = 5
"""Fewest characters of a number that is certain next to other numbers."""
_MIN_DIGITS: Final = 4
_LETTERS_ONLY: Final = 9
"""Most characters of a number without digits, all of whose digits may have been misread as letters."""
_LONGEST: Final = 12
"""Most characters of a number together with its check digit, such as a card's long number."""
_DEPTH: Final = 4
_MAX_POSSIBLE: Final = 16

_LINE: Final = re.compile(r"([A-Z0-9<]{9})([0-9])([A-Z<]{3})(?:[0-9<]{6}.*)?").fullmatch
"""Matches the second line of a passport's zone: number, check digit, state, and the rest from the birth date on."""
_MAY_BE_LINE: Final = re.compile(r"([A-Z0-9]{5,9})[0-9]([A-Z]{3})(?:[0-9].*)?").fullmatch
_TYPES: Final = re.compile(r"P[A-Z]?|I[DP]?|AC|V").match
_LABELLED: Final = re.compile(r"N[OR](?=[0-9])").match
_MAY_HOLD_MORE: Final = re.compile(r"[PIV]|AC|N[OR][0-9]|[A-Z]{3}.*[0-9]{3}|.*[0-9].*[A-Z]{3}").match
"""Begins with a document's type, a state or "NO", or has a state behind the number: only then it is taken apart."""
_ZONE: Final = re.compile(r"[^A-Z0-9<]").sub

Doubt = Literal["look_alike_folded", "several_numbers", "no_number", "words_beside_number"]

DOUBTS: Final[dict[Doubt, str]] = {
    "look_alike_folded": "Letters of another script were taken for those of A to Z that they look like.",
    "several_numbers": "The field has several numbers; each counts as a document of its own.",
    "no_number": "The field names no document, so nobody is found by it.",
    "words_beside_number": "The field has words that are no number; every part that may be one was looked up.",
}
"""A description of each doubt about a text that was not read literally."""


class Number(msgspec.Struct, frozen=True):
    """A document number in a text.

    Attributes:
        number: the number in normal form (`documents.normalise`).
        written: the number as written in the text, without the words around it.
        state: the canonical code of the issuing state; None if the text does not name it.
        possible: other numbers that may be meant instead, in normal form; mostly empty.
    """

    number: str
    written: str
    state: str | None = None
    possible: tuple[str, ...] = ()

    @property
    def skeletons(self) -> frozenset[str]:
        """The skeletons (`documents.skeleton`) of the number and of its alternatives; they find possible matches."""
        if not self.possible:
            return frozenset((skeleton(self.number),))
        return frozenset(map(skeleton, (self.number, *self.possible)))


class Typed(msgspec.Struct, frozen=True):
    """The result of `read`: the numbers in a text that was entered as a document's number.

    Attributes:
        numbers: the numbers that were recognised; none if the text only says that there is no number ("N/A", "0000"),
            or has a letter that looks like none of A-Z.
        alike: whether letters of other scripts were replaced by similar Latin letters.
        fault: why the text must not be stored as a document's number; None if it may be.
    """

    numbers: tuple[Number, ...]
    alike: bool = False
    fault: Fault | None = None

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """The codes of the doubts about the text (`DOUBTS` describes them); none if it was read literally."""
        if len(self.numbers) == 1 and not self.alike and self.fault is None:  # as nearly always
            return ()
        found: dict[Doubt, bool] = {
            "look_alike_folded": self.alike,
            "several_numbers": len(self.numbers) > 1,
            "no_number": not self.numbers and self.fault is None,
            "words_beside_number": self.fault == "words",
        }
        return tuple(doubt for doubt, present in found.items() if present)

    def __contains__(self, number: str) -> bool:
        """Return whether a number in normal form is one of `numbers`; `Number.possible` is not considered."""
        return any(each.number == number for each in self.numbers)


def read(text: str) -> Typed:
    """Return the document numbers in a text that was entered as a document's number; never raises.

    If the text has unknown words, or letters that look like none of A-Z, the result has a `fault`.
    """
    if _PLAIN(text) and _DIGIT(text):
        return Typed(_one(text, text))
    shown = plain(text if text.isascii() else FOREIGN_LABEL.sub(" ", text))
    if shown.unread:
        return Typed((), shown.alike, "characters")
    numbers, understood = _numbers_in(shown.text)
    kept = {each.number: each for each in reversed(numbers)}
    return Typed(tuple(reversed(kept.values())), shown.alike, None if understood else "words")


def certain(text: str) -> tuple[str, ...]:
    """Return the numbers that `read` recognises in a text, in normal form and in the order of the text.

    Other numbers that may be meant (`Number.possible`) are left out. Empty if the text has no number; never raises.
    """
    return tuple(each.number for each in read(text).numbers)


def _numbers_in(text: str) -> tuple[list[Number], bool]:
    """Return the numbers in an ASCII text, and whether all of the text was understood."""
    if normalise(text) in NOTHING:
        return [], True
    parts = [part for part in PARTING.split(BRACKET.sub(_bracket, text)) if part.strip()]
    parts = [part for part in map(_without_around, parts) if part]
    short = any(_DIGIT(part) and len(normalise(part)) < _SHORTEST for part in parts)
    if len(parts) > 1 and short:  # commas or strokes within one number
        parts = [" ".join(parts)]
    if len(parts) > 1:
        parts = [part for part in parts if part.strip().upper() not in states.KNOWN and not DAY(part)]
    numbers: list[Number] = []
    understood = True
    for part in parts:
        found, whole = _numbers_in_part(part)
        numbers += found if whole or len(parts) == 1 or _DIGIT(part) else ()
        understood = understood and whole
    return numbers, understood


def _bracket(match: re.Match[str]) -> str:
    """Return a bracket's contents as a separate part, or unseparated if shorter than three characters: A123456(7)."""
    inner = match[1]
    return inner if len(normalise(inner)) < 3 else f";{inner};"  # noqa: PLR2004 - shorter than any word


def _without_around(part: str) -> str:
    """Return a part without labels before the number and without remarks on issue and expiry after it."""
    part = BESIDE.split(part, maxsplit=1)[0].strip()
    while label := LABEL.match(part):
        part = part[label.end() :].strip()
    return part


def _numbers_in_part(part: str) -> tuple[list[Number], bool]:
    if "<" in part:
        return list(_from_zone(_ZONE("", part.upper()))), True
    tokens = [token for token in _TOKENS(part.upper()) if token not in NOTES]
    if not tokens or "".join(tokens) in NOTHING:
        return [], True
    written = part.strip() if normalise(part) == "".join(tokens) else " ".join(tokens)
    if not any(map(_DIGIT, tokens)):
        number = "".join(tokens)
        short = len(tokens) == 1 and len(number) <= _LETTERS_ONLY
        return list(_one(number, written)) if short else [], is_filler(number)
    joined = " ".join(tokens)
    if _SEVERAL(joined):
        return [number for each in _EACH(joined) for number in _one(each.replace(" ", ""), each)], True
    state, tokens = _state_beside(tokens)
    number = "".join(tokens)
    if state is not None:
        written = " ".join(tokens)
    line = _LINE(number)
    if line and (state or _canonical(line[3])) and _verified(line[1], line[2]):
        return list(_one(line[1], line[1], _canonical(line[3]))), True
    words = [token for token in tokens if not _DIGIT(token) and not _SERIES(token)]
    return list(_one(number, written, state, tuple(_among(tokens)))), not words


def _state_beside(tokens: list[str]) -> tuple[str | None, list[str]]:
    """Return the state code before or after a number that is complete without it, and the other words."""
    for place, rest in ((0, tokens[1:]), (-1, tokens[:-1])):
        whole = "".join(rest)
        behind = place == -1 and sum(map(str.isdigit, whole)) >= _SHORTEST
        if tokens[place] in states.KNOWN and (_COMPLETE(whole) or behind):
            return tokens[place], rest
    return None, tokens


def _among(tokens: list[str]) -> Iterator[str]:
    """Yield the numbers that some of a part's words may form instead of all of them."""
    if len(tokens) > 1 and (tokens[0] in _MAY_BE_LABEL or tokens[0] in states.KNOWN):
        yield "".join(tokens[1:])
    long = [token for token in tokens if sum(map(str.isdigit, token)) > _SHORTEST]
    worded = any(not _DIGIT(token) and not _SERIES(token) for token in tokens)
    for place, token in enumerate(tokens):
        if token in long and (worded or len(long) > 1):
            yield token
            if place and _SERIES(tokens[place - 1]):
                yield tokens[place - 1] + token


def _from_zone(text: str) -> tuple[Number, ...]:
    """Return the number in a piece of a machine-readable zone that contains fillers."""
    line = _LINE(text)
    if line and _verified(line[1], line[2]) and (state := _canonical(line[3])):
        return _one(line[1].replace("<", ""), line[1].replace("<", ""), state)
    first, *more = [piece for piece in text.split("<") if piece] or [""]
    digit = more[0] if len(more) == 1 and len(more[0]) == 1 and more[0].isdigit() else None
    if not more or (digit and len(first) <= 9 and _verified(first, digit)):  # noqa: PLR2004 - the field's length
        return _one(first, first)
    pieces = (piece for piece in (first, *more) if sum(map(str.isdigit, piece)) >= _MIN_DIGITS)
    return _one(text.replace("<", ""), text.replace("<", ""), None, tuple(pieces))


def _verified(field: str, digit: str) -> bool:
    return check_digit(field) == int(digit)


def _canonical(letters: str) -> str | None:
    code = states.canonical(letters)
    return code if code in states.KNOWN else None


def _one(
    number: str, written: str, state: str | None = None, among: tuple[str, ...] = ()
) -> tuple[Number, ...]:
    """Return the number with its possible alternatives; nothing if it only fills its field."""
    if is_filler(number) or number in NOTHING:
        return ()
    if not (among or _MAY_HOLD_MORE(number) or _ends_with_its_digit(number)):
        return (Number(number, written, state),)
    possible: dict[str, None] = {}
    for each in (number, *among):
        if each != number:
            possible[each] = None
        _add_within(each, possible, _DEPTH)
    possible.pop(number, None)
    kept = [each for each in possible if not is_filler(each)]
    return (Number(number, written, state, tuple(kept[:_MAX_POSSIBLE])),)


def _add_within(number: str, possible: dict[str, None], depth: int) -> None:
    for rest in _within(number) if depth else ():
        if rest not in possible:
            possible[rest] = None
            _add_within(rest, possible, depth - 1)


def _within(number: str) -> Iterator[str]:
    """Yield the numbers that remain without a check digit, a state, a document's type or the rest of a zone's line."""
    if len(number) < SHORTEST_WITH_ADDITION:
        return
    if _ends_with_its_digit(number):
        yield number[:-1]
    if (typed := _TYPES(number)) is not None:
        yield from filter(_is_whole, (number[1:], number[typed.end() :]))
    if _LABELLED(number) and _is_whole(number[2:]):
        yield number[2:]
    if number[:3] in states.KNOWN and _is_whole(number[3:]):
        yield number[3:]
    if number[-3:] in states.KNOWN and _is_whole(number[:-3]):
        yield number[:-3]
    line = _MAY_BE_LINE(number)
    if line is not None and line[2] in states.KNOWN and _is_whole(line[1]):
        yield line[1]


def _ends_with_its_digit(number: str) -> bool:
    return SHORTEST_WITH_ADDITION <= len(number) <= _LONGEST and number[-1] == str(check_digit(number[:-1]))


def _is_whole(number: str) -> bool:
    return len(number) >= SHORTEST_WITH_ADDITION - 1 and sum(map(str.isdigit, number)) >= _MIN_DIGITS
