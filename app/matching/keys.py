"""The keys under which a person is found again: what an index stores of a name and birth, and what a query looks up.

A key is a 64-bit number made of something that survives a disguise: two words as they sound, a word and a
year of birth, a word and how another begins or ends. A person born on the same day is found by the day alone;
with the day the index keeps a sketch of the name, which separates most persons who share only a birthday.
Both sides make theirs from the same normal form (`NORM_VERSION`), so that one look-up by equality finds the
candidates in any database. How many keys a name has is bounded; each carries in bits how much it narrows the
register, from the same table of rarity that scores names.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from itertools import combinations, pairwise, permutations
from typing import Final

import msgspec

from app.identity.births import Birth, is_full_day, span
from app.identity.rarity import INITIAL
from app.identity.sound import code
from app.identity.spellings import Spelling, Word
from app.matching.persons import Asked

_MOST_WORDS: Final = 5
"""Words of a name from which keys are made: the rarest, in their order."""
_RARE_BITS: Final = 9.0
"""Rarity from which a word is a key alone, and with a year; a lone name always is."""
_TELLING_BITS: Final = 4.0
"""Rarity from which a word narrows the register together with the start of another word."""
_MOST_YEARS: Final = 3
"""Years of a span of birth that are stored each; a longer span says too little."""
_NEAR_YEARS: Final = (-1, 0, 1)
_DAY_BITS: Final = 14.0
_SWAPPED_BITS: Final = 12.0
_YEAR_BITS: Final = 3.0
_WHOLE_BITS: Final = 6.0
"""What sharing a whole name is worth besides its words: that there is no other."""
_LEAST_BITS: Final = 10.0
"""What a dated traveller's candidate must share at least: below it no tier can come of it."""
_SELECTIVE_BITS: Final = 17.0
"""What a name's key must narrow for a dated traveller to look it up among everybody: a few entries in a million."""
_YEAR_SELECTIVE_BITS: Final = 14.5
"""The same of words with the traveller's year of birth: from about here on a date with a wrong digit is told."""
_NEAR_YEAR_SELECTIVE_BITS: Final = 18.0
"""The same with a neighbouring year, which is told of names alone that are rare."""
_UNDATED: Final = "undated"
_NO_YEAR: Final = ""
_EDGE_BITS: Final = 6.0
_EDGE: Final = 2
_START: Final = 3
MOST_STORED: Final = 384
"""Keys of one entry at most, the plain ones of all its names first; a name has 16 on average, thirty aliases 400."""

MOST_DAYS: Final = 128
"""Days of birth of one entry at most, each counted with each of its names."""
SKETCH_BYTES: Final = 16
_SKETCH_BITS: Final = 127
"""A prime, so that each pair of letters has a bit nearly of its own."""
_ALIKE: Final = 0.5
"""Share of the shorter sketch that another must have in common. Of the labelled pairs that an answer would
report, one in a hundred has less; of the pairs that share no more than a birthday, nine in ten."""


class Wanted(msgspec.Struct, frozen=True):
    """What to look up for a traveller.

    Attributes:
        keys: bits by key.
        days: bits by day of birth, as an ordinal number of the proleptic calendar.
        sketches: of each of the traveller's names; who is found by the day is compared if one resembles theirs.
        least: bits that somebody must share with the traveller to be worth comparing.
    """

    keys: Mapping[int, float]
    days: Mapping[int, float]
    sketches: tuple[int, ...]
    least: float


class Stored(msgspec.Struct, frozen=True):
    """What a listed person is found by: what an index stores of them.

    Attributes:
        keys: of the names, and of the names with the births.
        days: of birth, each with a sketch of a name, as bytes.
        form: the person made ready to be compared, packed.
    """

    keys: tuple[int, ...]
    days: tuple[tuple[int, bytes], ...]
    form: bytes


def sketch(name: Spelling) -> int:
    """Draw a name in 127 bits: one for each pair of neighbouring consonants of each word, its ends included."""
    drawn = 0
    for word in name.words:
        for one, other in pairwise(f"^{word.code}$"):
            drawn |= 1 << (37 * ord(one) + 11 * ord(other)) % _SKETCH_BITS
    return drawn


def resembles(one: int, other: int) -> bool:
    """Whether two sketches have so much in common that the names are worth comparing."""
    return (one & other).bit_count() >= _ALIKE * min(one.bit_count(), other.bit_count())


def stored_days(names: Iterable[Spelling], births: Iterable[Birth]) -> tuple[tuple[int, int], ...]:
    """Give the days of birth of a listed person, each with a sketch of each name."""
    days = [day.toordinal() for day in _calendar(births).days]
    drawn = dict.fromkeys(map(sketch, names))
    return tuple((day, each) for day in days for each in drawn)[:MOST_DAYS]


def stored_keys(names: Iterable[Spelling], births: Iterable[Birth] = ()) -> tuple[int, ...]:
    """Give the keys of a listed person: every name and alias, every birth.

    Stable across processes, machines and Python versions for one NORM_VERSION; signed 64-bit, each once. Whose day
    of birth isn't known is stored under names in a second place as well, that of the year if it is known, where
    dated travellers look.
    """
    calendar = _calendar(births)
    plain: dict[int, float] = {}
    more: dict[int, float] = {}
    for name in names:
        plain |= _hashed(_name_keys(name, looked_up=False))
        plain |= _hashed(_year_keys(name, calendar.years))
        more |= _hashed(_further_keys(name, looked_up=False))
        for place in calendar.places:
            plain |= _placed(_hashed(_name_keys(name, looked_up=False)), place)
            more |= _placed(_hashed(_further_keys(name, looked_up=False)), place)
    return tuple(dict.fromkeys((*plain, *more)))[:MOST_STORED]


def wanted(asked: Asked) -> Wanted:
    """Give what to look up for a traveller, with what each key narrows in bits.

    Where the day of birth is known, people are found by it, by rare words and the year, and by names that are rare;
    common and misspelled names are looked up only among those whose listed day isn't known, but perhaps the year. So a
    dated traveller costs little, however many namesakes are listed.
    """
    calendar = _calendar(asked.births)
    days: dict[int, float] = {}
    for day in calendar.days:
        days[day.toordinal()] = _DAY_BITS
        swapped = _swapped(day)
        if swapped is not None:
            days.setdefault(swapped.toordinal(), _SWAPPED_BITS)
    found: dict[int, float] = {}
    for name in asked.names:
        by_name = list(_name_keys(name, looked_up=True))
        everywhere = _hashed((*by_name, *_further_keys(name, looked_up=True)))
        found |= _hashed(_near_year_keys(name, calendar))
        if calendar.days:
            for place in (_NO_YEAR, *map(str, calendar.years)):
                found |= _placed(everywhere, place)
            found |= _hashed(key for key in by_name if _is_selective(*key))
        else:
            found |= everywhere
    least = _LEAST_BITS if calendar.days else 0.0
    return Wanted(found, days, tuple(map(sketch, asked.names)), least)


class Made(msgspec.Struct, frozen=True):
    """What a key is made of, for explanations.

    Attributes:
        parts: its kind, then words or their ends, then perhaps a year of birth.
        place: None where it is everybody's; else a year of birth, or "", of those whose day of birth isn't known.
    """

    parts: tuple[str, ...]
    place: str | None = None


def made_of(asked: Asked) -> dict[int, Made]:
    """Give what every key is made of that may be looked up for a traveller; more than are (`wanted`)."""
    calendar = _calendar(asked.births)
    found: dict[int, Made] = {}
    for name in asked.names:
        by_name = (*_name_keys(name, looked_up=True), *_further_keys(name, looked_up=True))
        everywhere = {_key(*parts): parts for parts, _ in by_name}
        found |= {_key(*parts): Made(parts) for parts, _ in _near_year_keys(name, calendar)}
        found |= {key: Made(parts) for key, parts in everywhere.items()}
        for place in (_NO_YEAR, *map(str, calendar.years)):
            there = _key(_UNDATED, place)
            found |= {key ^ there: Made(parts, place) for key, parts in everywhere.items()}
    return found


_Parts = tuple[tuple[str, ...], float]
"""What a key is made of, and its bits."""


def _is_selective(parts: tuple[str, ...], bits: float) -> bool:
    """Whether a name's key finds few in a large register; that it is the whole name makes namesakes no rarer."""
    return bits - (_WHOLE_BITS if parts[0] == "word" else 0.0) >= _SELECTIVE_BITS


def _hashed(keys: Iterable[_Parts]) -> dict[int, float]:
    return {_key(*parts): bits for parts, bits in keys}


def _placed(keys: Mapping[int, float], place: str) -> dict[int, float]:
    """The same keys in a place of those whose day of birth isn't known."""
    there = _key(_UNDATED, place)
    return {key ^ there: bits for key, bits in keys.items()}


def _name_keys(name: Spelling, *, looked_up: bool) -> Iterator[_Parts]:
    """Pairs of words, rare words alone, the whole name as one word."""
    words = _rarest(name)
    for one, other in combinations(words, 2):
        yield ("pair", *sorted((one.code, other.code))), one.bits + other.bits
    alone = len(words) == 1
    for word in words:
        if alone or looked_up or word.bits >= _RARE_BITS:
            yield ("word", word.code), word.bits + (_WHOLE_BITS if alone else 0.0)
    if not alone:
        yield ("word", code(name.glued)), name.bits + _WHOLE_BITS


def _year_keys(name: Spelling, years: Iterable[int]) -> Iterator[_Parts]:
    """Two words and a year of birth; a rare word, or a lone one, and the year."""
    words = _rarest(name)
    telling = [word for word in words if len(words) == 1 or word.bits >= _RARE_BITS]
    for year in map(str, years):
        for one, other in combinations(words, 2):
            yield ("pair", *sorted((one.code, other.code)), year), one.bits + other.bits + _YEAR_BITS
        for word in telling:
            yield ("word", word.code, year), word.bits + _YEAR_BITS


def _near_year_keys(name: Spelling, calendar: "_Calendar") -> Iterator[_Parts]:
    """The keys with the traveller's years of birth and their neighbours; of a known day those that narrow enough."""
    near = {year + more for year in calendar.years for more in _NEAR_YEARS} - set(calendar.years)
    if calendar.places or not calendar.days:
        yield from _year_keys(name, (*calendar.years, *near))
        return
    for years, least in ((calendar.years, _YEAR_SELECTIVE_BITS), (near, _NEAR_YEAR_SELECTIVE_BITS)):
        yield from (key for key in _year_keys(name, years) if key[1] >= least)


def _further_keys(name: Spelling, *, looked_up: bool) -> Iterator[_Parts]:
    """What finds a name that is spelled apart, misspelled or shortened."""
    words = _rarest(name)
    yield from _merged_keys(words)
    yield from _edge_keys(words)
    yield from _initial_keys(words, looked_up=looked_up)


def _merged_keys(words: tuple[Word, ...]) -> Iterator[_Parts]:
    """Two neighbours as one word, with each other word (Hidayat Nur Wahid, Hidayat Nurwahid)."""
    for place in range(len(words) - 1):
        first, second = words[place], words[place + 1]
        merged = code(first.heard + second.heard)
        for word in (*words[:place], *words[place + 2 :]):
            yield ("pair", *sorted((merged, word.code))), first.bits + second.bits + word.bits


def _edge_keys(words: tuple[Word, ...]) -> Iterator[_Parts]:
    """A word, and how another begins or ends: what is left of a misspelled one."""
    for one, other in permutations(words, 2):
        if one.bits >= _TELLING_BITS and not other.is_initial:
            yield ("start", one.code, other.heard[:_EDGE]), one.bits + _EDGE_BITS
            yield ("end", one.code, other.heard[-_EDGE:]), one.bits + _EDGE_BITS
    for one, other in combinations(words, 2):
        starts = sorted((one.heard[:_START], other.heard[:_START]))
        yield ("starts", *starts), min(one.bits + other.bits, 2 * _EDGE_BITS)


def _initial_keys(words: tuple[Word, ...], *, looked_up: bool) -> Iterator[_Parts]:
    """A word beside an initial: stored for names with initials only, looked up for every name."""
    for one, other in permutations(words, 2):
        if not one.is_initial and (looked_up or other.is_initial):
            yield ("initial", one.code, other.text[:1]), one.bits + INITIAL


def _rarest(name: Spelling) -> tuple[Word, ...]:
    """The rarest words of a name, in their order; words that agree count once."""
    words = tuple({word.code: word for word in name.words}.values())
    if len(words) <= _MOST_WORDS:
        return words
    kept = sorted(words, key=lambda word: -word.bits)[:_MOST_WORDS]
    return tuple(word for word in words if word in kept)


class _Calendar(msgspec.Struct):
    """What births say for keys: full days, years, and the places of those whose day is open.

    The first of January leaves the day open: in many registers it stands for a day that nobody knew (R17). A place is
    the year, if it is known, or `_NO_YEAR`.
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
        around = range(first.year, last.year + 1) if last.year - first.year < _MOST_YEARS else range(0)
        years |= dict.fromkeys(around)
        if is_full_day(birth):
            days.append(first)
        if not is_full_day(birth) or first.month == first.day == 1:
            places |= dict.fromkeys(map(str, around) if around else (_NO_YEAR,))
    return _Calendar(days, list(years), list(places) if known else [_NO_YEAR])


def _swapped(day: date) -> date | None:
    """The date with day and month in each other's place, if there is such a date and it is another."""
    if day.day > 12 or day.day == day.month:  # noqa: PLR2004 - months
        return None
    return date(day.year, day.day, day.month)


@lru_cache(maxsize=1 << 13)
def _key(*parts: str) -> int:
    digest = blake2b("\x1f".join(parts).encode(), digest_size=8, person=b"cekal-name").digest()
    return int.from_bytes(digest, "big", signed=True)
