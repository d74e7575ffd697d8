"""Other readings of a machine-readable zone's fields, for fillers that a reader misread as letters or digits.

K, A, U and 0 have a value that is a multiple of ten, as the filler `<` has, so no check digit detects them in its place
(ICAO Doc 9303 part 3, section 4.9); C, E, G, L, S, X and 6 look like it. A field of names has no check digit at all.
This module decides nothing: it returns further readings for the search, and whether a field is doubtful.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, groupby, islice
from typing import Final

import msgspec

FILLER: Final = "<"
TAKEN_FOR_FILLER: Final = "KAU0CEGLSX6"
"""The characters that readers report in the place of a filler."""

MAX_READINGS: Final = 16
"""Greatest number of readings of one field of names; each reading is looked up and compared."""

_PARTED: Final = FILLER * 2
"""The separator of surname and given names."""
_THRICE: Final = re.compile(rf"([^{FILLER}])\1\1").search
_RUNS: Final = re.compile(rf"([{TAKEN_FOR_FILLER}])\1\1+|([^{FILLER}])\2\2\2+").finditer
"""Matches runs of equal characters that are too long for a name; three of another letter may occur (III)."""
_END: Final = re.compile(f"[{TAKEN_FOR_FILLER}{FILLER}]{{8,}}$").search
"""Matches an end of at least eight fillers or characters read instead of them; it may include the end of the name."""
_LONG_WORD: Final = 14
"""Number of letters from which a single word may consist of two joined names."""
_PAIR: Final = re.compile(rf"(?<=..)(?=([{TAKEN_FOR_FILLER}])\1..)").finditer
_TWO: Final = re.compile(rf"(?<=..)(?=[{TAKEN_FOR_FILLER}{FILLER}]{{2}}..)").finditer
_LAST: Final = 5
"""Number of last characters of a field that show whether its fillers were read as one character or as several."""
_KEPT_OF_END: Final = (3, 0, 2, 1)
"""Numbers of characters at the beginning of such an end that may belong to the name; the comparison tolerates one."""


class Names(msgspec.Struct, frozen=True):
    """The names read from a field of names.

    Attributes:
        surname: the words of the surname, separated by single blanks; "" without any.
        given_names: the words of the given names, separated by single blanks; "" without any.
        others: further readings, the likeliest first, each with the surname first.
        doubtful: whether the field has no filler or fillers seem to have been read as characters.
        truncated: whether the name reaches the end of its field, so that its end may have been cut off.
        taken: the character that was read instead of fillers; "" if there is none, or if there are several.
    """

    surname: str
    given_names: str
    others: tuple[str, ...] = ()
    doubtful: bool = False
    truncated: bool = False
    taken: str = ""


def numbers_without_fillers(number: str, taken: str = "") -> tuple[str, ...]:
    """Return the shorter numbers that may be meant if fillers at the end of a number were misread, the longest first.

    Characters that readers report instead of the filler `<` (`TAKEN_FOR_FILLER`, such as K, C or 0) are removed from
    the end, one more in each result: AB12KK gives AB12K and AB12. Empty if the last character is none of these.

    Args:
        number: the number in normal form.
        taken: a further character to remove, which was read instead of fillers elsewhere in the zone; "" for none.
    """
    bare = len(number.rstrip(TAKEN_FOR_FILLER + taken))
    return tuple(number[:end] for end in range(len(number) - 1, max(bare, 1) - 1, -1))


def read_names(field: str) -> Names:
    """Read a field of names: surname, two fillers, given names, fillers to its end (Doc 9303 part 3, section 4.6).

    The result is `truncated` if at most one filler follows the name, because the name's end may have been cut off. It
    is `doubtful` if fillers seem to have been misread as letters or digits; then `surname` and `given_names` are the
    likeliest reading, and `others` has the less likely ones.
    """
    bare = field.strip(FILLER)
    taken = _taken(bare)
    found, doubtful = [bare], _is_doubtful(field, bare, taken)
    if doubtful:
        found = list(islice(dict.fromkeys(_readings(bare, taken)), MAX_READINGS))
    elif _runs_together(bare):
        found += [_parted(bare, pair.start()) for pair in _PAIR(bare)]
    surname, _, given_names = found[0].strip(FILLER).partition(_PARTED)
    return Names(
        spaced(surname),
        spaced(given_names),
        tuple(dict.fromkeys(filter(None, map(spaced, found[1:])))) if len(found) > 1 else (),
        doubtful=doubtful,
        truncated=found == [bare] and not field.endswith(_PARTED),
        taken=taken,
    )


def spaced(field: str) -> str:
    """Return a field's words separated by single blanks instead of fillers."""
    return " ".join(field.replace(FILLER, " ").split())


def _taken(bare: str) -> str:
    """Return the character of the longest run that is too long for a name; "" without such a run."""
    if _THRICE(bare) is None:
        return ""
    return max((run[0] for run in _RUNS(bare)), key=len, default="")[:1]


def _is_doubtful(field: str, bare: str, taken: str) -> bool:
    """Return whether fillers of a field seem misread: it has none, a long run, or an end of characters like fillers."""
    return bool(bare) and (
        FILLER not in field
        or taken != ""
        or (not field.endswith(FILLER) and _END(field) is not None)
        or _without_strays(bare) != bare
    )


def _runs_together(bare: str) -> bool:
    return len(bare) >= _LONG_WORD and FILLER not in bare and any(_PAIR(bare))


def _readings(bare: str, taken: str) -> Iterator[str]:
    """Yield the readings of a doubtful field with its fillers restored, the likeliest first."""
    text, end = _without_strays(bare), _END(bare)
    if text != bare:
        yield text
    if end and {*bare[-_LAST:]} - {taken, FILLER}:
        yield from _cut_at(bare, end.start())
    elif taken:
        yield from _fewest_changes(list(_choices(text, taken)))
    yield bare


def _cut_at(bare: str, begin: int) -> Iterator[str]:
    """Yield the readings of a field at whose end fillers were read as several characters.

    Args:
        bare: the field.
        begin: the position at which that end begins; its first characters may belong to the name.
    """
    for kept in _KEPT_OF_END:
        name = bare[: begin + kept]
        yield from (_parted(name, pair.start()) for pair in _TWO(name))
        yield name


def _without_strays(bare: str) -> str:
    """Return the field without a part after the given names that consists only of characters like fillers."""
    surname, _, rest = bare.partition(_PARTED)
    given_names, parted, more = rest.partition(_PARTED)
    if not parted or more.strip(TAKEN_FOR_FILLER + FILLER):
        return bare
    return f"{surname}{_PARTED}{given_names}"


def _choices(text: str, taken: str) -> Iterator[Sequence[str]]:
    """Yield the possible readings of each part of a field in which one character was read instead of fillers.

    Args:
        text: the field.
        taken: the character that was read instead of fillers.
    """
    own = "" if taken.isdigit() else taken  # no name has a digit
    parts = ["".join(part) for _, part in groupby(text, taken.__eq__)]
    for place, part in enumerate(parts):
        if part[0] != taken:
            yield (part,)
        elif place == len(parts) - 1:
            yield ("", own) if len(part) > len(_PARTED) else (part, "")
        elif place == 0:
            yield (own * len(part),)
        elif len(part) == 1:
            yield (own, FILLER) if own else (FILLER,)
        elif len(part) == len(_PARTED):
            yield (_PARTED, part, own + FILLER, FILLER + own) if own else (_PARTED,)
        else:
            yield (own + _PARTED, _PARTED + own, _PARTED, own + _PARTED + own)


def _fewest_changes(choices: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield readings joined from one choice per part, those with the fewest changes of the first choices first.

    The second reading takes every single `taken` character as a filler.
    """
    first = [part[0] for part in choices]
    yield "".join(first)
    yield "".join(part[-1] if part[-1] == FILLER else part[0] for part in choices)
    places = sorted(range(len(choices)), key=lambda place: -len(choices[place]))
    changes = [(place, other) for place in places for other in choices[place][1:]]
    for some in (*combinations(changes, 1), *combinations(changes, 2)):
        joined = first.copy()
        for place, other in some:
            joined[place] = other
        yield "".join(joined)


def _parted(text: str, place: int) -> str:
    """Return a text with the two characters at a position replaced by fillers."""
    return text[:place] + _PARTED + text[place + 2 :]
