"""The keys by which a person is found: those that an index stores of a name and birth, and those that a query looks up.

A key is a 64-bit number made of something that survives a disguise: two words as they sound, a word and a year of
birth, a word and how another begins or ends. A person born on the same day is found by the day alone; with the day the
index keeps a sketch of the name, which separates most persons who share only a birthday. The keys of listed persons and
those of queries are made by the same rules (`NORM_VERSION`), so that any database finds candidates by equal keys. The
number of a name's keys is bounded. A key has more bits if fewer persons have it, by the table of rarity that also
scores names.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Final

import msgspec

from app.identity.births import Birth, is_full_day, span
from app.identity.spellings import Spelling
from app.matching.key_texts import (
    BETWEEN,
    WHOLE_BITS,
    Parts,
    Text,
    further_keys,
    name_keys,
    parts_of,
    year_keys,
)
from app.matching.persons import QueriedPerson

_MAX_YEARS: Final = 3
"""Largest number of years of a span of birth for which keys are stored; a longer span is too imprecise."""
_NEAR_YEARS: Final = (-1, 0, 1)
_DAY_BITS: Final = 14.0
_SWAPPED_BITS: Final = 12.0
_MIN_BITS: Final = 9.0
"""Bits that a candidate must share with a traveller whose day of birth is known; fewer never lead to a match. Two
words that are equal count twice, as a pair and by how they begin."""
_SELECTIVE_BITS: Final = 17.0
"""Bits from which a name's key is looked up among all persons for a traveller with a known day of birth: such a key
finds a few entries in a million."""
_YEAR_SELECTIVE_BITS: Final = 14.5
"""The same threshold for words with the traveller's year of birth; from about here on a match with one wrong digit in
the date is reported."""
_NEAR_YEAR_SELECTIVE_BITS: Final = 18.0
"""Bits from which a key with a neighbouring year of birth is looked up; such a match is reported for rare names
only."""
_new_hash: Final = blake2b(digest_size=8, person=b"cekal-name").copy
"""Makes a copy of the hash's initial state, in a fifth of the time of a new hash."""
_UNDATED: Final = "undated"
_NO_YEAR: Final = ""
MAX_STORED: Final = 2048
"""Greatest number of keys stored for one entry. A name has 16 keys on average, a hundred names have 1,700."""

MAX_DAYS: Final = 128
"""Greatest number of pairs of a day of birth and a name's sketch stored for one entry."""
SKETCH_BYTES: Final = 16
"""Number of bytes of a stored sketch."""
_SKETCH_BITS: Final = 127
"""A prime, so that each pair of letters has a bit nearly of its own."""
_ALIKE: Final = 0.5
"""Share of the shorter sketch that another must have in common. Of the labelled pairs that an answer would
report, one in a hundred has less; of the pairs that share no more than a birthday, nine in ten."""


class KeyQuery(msgspec.Struct, frozen=True):
    """The keys and days to look up for a traveller.

    Attributes:
        keys: the keys, each with its bits; a key that fewer persons have has more bits.
        days: the days of birth, also with day and month swapped, as ordinal numbers (`date.toordinal`), each with its
            bits.
        sketches: a sketch (see `sketch`) of each of the traveller's names. A person that is found by the day alone is
            compared only if the sketch of the person's name resembles one of these.
        least: the sum of bits that a candidate must share with the traveller to be compared.
        open_day: whether a part of the traveller's birth date is known, but not the day.
    """

    keys: Mapping[int, float]
    days: Mapping[int, float]
    sketches: tuple[int, ...]
    least: float
    open_day: bool = False


class StoredKeys(msgspec.Struct, frozen=True):
    """The data that an index stores of a listed person: the keys that find the person, and the prepared names.

    Attributes:
        keys: the keys of the names, and of the names with years of birth.
        days: pairs of a day of birth, as an ordinal number, and the sketch of a name, as bytes.
        form: the names and births, packed for the comparison with a traveller.
    """

    keys: tuple[int, ...]
    days: tuple[tuple[int, bytes], ...]
    form: bytes


def sketch(name: Spelling) -> int:
    """Return a name's sketch: a number of 127 bits that is similar for similar names (see `resembles`).

    A bit is set for each pair of neighbouring consonants, and for the first and the last consonant of each word.
    """
    drawn = 0
    for word in name.words:
        drawn |= _sketch_of(word.code)
    return drawn


@lru_cache(maxsize=1 << 13)
def _sketch_of(consonants: str) -> int:
    drawn = 0
    for one, other in pairwise(f"^{consonants}$"):
        drawn |= 1 << (37 * ord(one) + 11 * ord(other)) % _SKETCH_BITS
    return drawn


def resembles(one: int, others: Iterable[int]) -> bool:
    """Return whether the sketch `one` is similar to one of the sketches `others`, so that the names must be compared.

    Two sketches (see `sketch`) are similar if they have a large enough part of the smaller one's bits in common.
    """
    own = one.bit_count()
    return any((one & other).bit_count() >= _ALIKE * min(own, other.bit_count()) for other in others)


def days_of(births: Iterable[Birth]) -> frozenset[int]:
    """Return each full birth date, and the same date with day and month swapped, as ordinal numbers."""
    days = _calendar(births).days
    swapped = (_swapped(day) for day in days)
    return frozenset(day.toordinal() for day in (*days, *swapped) if day is not None)


def stored_days(names: Iterable[Spelling], births: Iterable[Birth]) -> tuple[tuple[int, int], ...]:
    """Return each full birth date of a listed person with the sketch of each name, as pairs.

    A date is an ordinal number (`date.toordinal`). Only the first `MAX_DAYS` pairs are returned.
    """
    days = [day.toordinal() for day in _calendar(births).days]
    drawn = dict.fromkeys(map(sketch, names))
    return tuple((day, each) for day in days for each in drawn)[:MAX_DAYS]


def stored_keys(names: Iterable[Spelling], births: Iterable[Birth] = ()) -> tuple[int, ...]:
    """Return the keys under which a listed person is stored, given all its names, aliases and births.

    Keys are distinct signed 64-bit numbers. They are the same in all processes, machines and Python versions, until
    `NORM_VERSION`, the version of the rules for names, changes. If the day of birth is unknown, there are further keys,
    by which a traveller with a known day of birth finds this person; the first of January counts as unknown, because
    it often means so. At most `MAX_STORED` keys are returned: keys for misspelled, shortened or divided names are
    dropped first.
    """
    calendar = _calendar(births)
    plain: dict[int, float] = {}
    more: dict[int, float] = {}
    for name in names:
        parts = parts_of(name)
        by_name = _hashed(name_keys(parts, looked_up=False))
        further = _hashed(further_keys(parts, looked_up=False))
        plain |= by_name
        plain |= _hashed(year_keys(parts, calendar.years))
        more |= further
        for place in calendar.places:
            plain |= _placed(by_name, place)
            more |= _placed(further, place)
    return tuple(dict.fromkeys((*plain, *more)))[:MAX_STORED]


def key_query(queried: QueriedPerson) -> KeyQuery:
    """Return the keys and days to look up for a traveller.

    A traveller with a known day of birth is looked up by the day, by rare words with the year, and by rare names.
    Common and misspelled names are then looked up only among listed persons whose day of birth isn't known, so that few
    candidates are found, even if many namesakes are listed.
    """
    calendar = _calendar((*queried.births, *queried.other_births))
    days: dict[int, float] = {}
    for day in calendar.days:
        days[day.toordinal()] = _DAY_BITS
        swapped = _swapped(day)
        if swapped is not None:
            days.setdefault(swapped.toordinal(), _SWAPPED_BITS)
    found: dict[int, float] = {}
    for name in queried.names:
        found = _either(found, _sought(name, calendar))
    least = _MIN_BITS if queried.births else 0.0
    open_day = bool(queried.births) and not days
    return KeyQuery(found, days, tuple(map(sketch, queried.names)), least, open_day)


def _sought(name: Spelling, calendar: "_Calendar") -> dict[int, float]:
    """Return the keys to look up for one form of a traveller's name."""
    parts = parts_of(name)
    by_name = name_keys(parts, looked_up=True)
    everywhere = _hashed([*by_name, *further_keys(parts, looked_up=True)])
    found = _hashed(_near_year_keys(parts, calendar))
    if not calendar.days:
        return found | everywhere
    for place in (_NO_YEAR, *map(str, calendar.years)):
        found |= _placed(everywhere, place)
    return found | _hashed([key for key in by_name if _is_selective(*key)])


def _either(one: dict[int, float], other: dict[int, float]) -> dict[int, float]:
    """Return the keys of two forms of a name; a key of both has the larger number of bits."""
    if not one:
        return other
    return one | {key: bits for key, bits in other.items() if bits > one.get(key, 0.0)}


def plain_keys(name: Spelling) -> tuple[int, ...]:
    """Return the few keys of a name without births, for an index in memory: word pairs, rare words, the whole name.

    Similar names need not have a key in common, for example if one is misspelled, shortened or divided differently.
    """
    return tuple(_hashed(name_keys(parts_of(name), looked_up=False)))


class KeyParts(msgspec.Struct, frozen=True):
    """The parts from which a key is made, to explain by what a person was found.

    Attributes:
        parts: the key's kind, then words or their ends, then a year of birth if the key contains one.
        place: the group of persons among which the key is looked up. None: all persons. A year: persons born in this
            year whose day of birth isn't known (or is the first of January). "": persons whose year of birth isn't
            known either.
    """

    parts: tuple[str, ...]
    place: str | None = None


def parts_of_keys(queried: QueriedPerson) -> dict[int, KeyParts]:
    """Return the parts of every key that may be looked up for a traveller; `key_query` selects from these keys."""
    calendar = _calendar((*queried.births, *queried.other_births))
    found: dict[int, KeyParts] = {}
    for name in queried.names:
        parts = parts_of(name)
        by_name = (*name_keys(parts, looked_up=True), *further_keys(parts, looked_up=True))
        everywhere = {_key(text): tuple(text.split(BETWEEN)) for text, _ in by_name}
        found |= {
            _key(text): KeyParts(tuple(text.split(BETWEEN))) for text, _ in _near_year_keys(parts, calendar)
        }
        found |= {key: KeyParts(made) for key, made in everywhere.items()}
        for place in (_NO_YEAR, *map(str, calendar.years)):
            there = _place(place)
            found |= {key ^ there: KeyParts(made, place) for key, made in everywhere.items()}
    return found


def _is_selective(text: str, bits: float) -> bool:
    """Return whether a key finds few persons in a large register, not counting the additional bits of a whole name."""
    return bits - (WHOLE_BITS if text.startswith("word") else 0.0) >= _SELECTIVE_BITS


def _hashed(keys: Iterable[Text]) -> dict[int, float]:
    """Return the bits by key."""
    found: dict[int, float] = {}
    for text, bits in keys:
        drawn = _new_hash()
        drawn.update(text.encode())
        found[int.from_bytes(drawn.digest(), "big", signed=True)] = bits
    return found


def _placed(keys: Mapping[int, float], place: str) -> dict[int, float]:
    """Return the keys changed into those of persons whose day of birth isn't known; `place` is their year, or ""."""
    there = _place(place)
    return {key ^ there: bits for key, bits in keys.items()}


def _near_year_keys(parts: Parts, calendar: "_Calendar") -> list[Text]:
    """Return the keys with the traveller's years of birth and the years next to them.

    If the day of birth is known, only keys with enough bits are returned.
    """
    near = {year + more for year in calendar.years for more in _NEAR_YEARS} - set(calendar.years)
    if calendar.places or not calendar.days:
        return year_keys(parts, (*calendar.years, *near))
    return [
        *year_keys(parts, calendar.years, _YEAR_SELECTIVE_BITS),
        *year_keys(parts, near, _NEAR_YEAR_SELECTIVE_BITS),
    ]


class _Calendar(msgspec.Struct):
    """The full days and the years of births, and the places of births whose day is open.

    The first of January leaves the day open, since in many registers it means an unknown day (R17). A place is
    the year if it is known, else `_NO_YEAR`.
    """

    days: list[date]
    years: list[int]
    places: list[str]


def _calendar(births: Iterable[Birth]) -> _Calendar:
    days: list[date] = []
    years: dict[int, None] = {}
    places: dict[str, None] = {}
    known = False
    for birth in births:
        known = True
        first, last = span(birth)
        around = range(first.year, last.year + 1) if last.year - first.year < _MAX_YEARS else range(0)
        years |= dict.fromkeys(around)
        if is_full_day(birth):
            days.append(first)
        if not is_full_day(birth) or first.month == first.day == 1:
            places |= dict.fromkeys(map(str, around) if around else (_NO_YEAR,))
    return _Calendar(days, list(years), list(places) if known else [_NO_YEAR])


def _swapped(day: date) -> date | None:
    """Return the date with day and month swapped; None if it does not exist or is the same date."""
    if day.day > 12 or day.day == day.month:  # noqa: PLR2004 - months
        return None
    return date(day.year, day.day, day.month)


def _key(text: str) -> int:
    (key,) = _hashed([(text, 0.0)])
    return key


@lru_cache(maxsize=1 << 8)
def _place(place: str) -> int:
    """Return what keys of persons whose day of birth isn't known are combined with; `place` is their year, or ""."""
    return _key(f"{_UNDATED}{BETWEEN}{place}")
