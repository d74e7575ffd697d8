"""Anchors: few, and yet they miss nobody that the keys find."""

import random

import pytest

from app.identity.births import Birth
from app.identity.spellings import spellings
from app.matching.anchors import anchored, reach
from app.matching.keys import key_query, stored_days, stored_keys
from app.matching.retrieval import Index
from tests.unit.matching.people import asked

WORDS = (
    "Muhammad", "Muhamad", "Moh", "Nur", "Wahid", "Nurwahid", "Hidayat", "Hidayatullah", "Budi", "Boedi", "Santoso",
    "Santosa", "Rangkuti", "Rangkoeti", "Rangkyti", "Wenas", "Wenes", "Lie", "Siti", "Aisyah", "Aisjah", "R", "M",
)  # fmt: skip
DAYS = ("1970-05-07", "1970-07-05", "1970", "1970-01-01", "1971-05-07", "1930-12-12")


def reached(name: str, born: str | None, listed_as: str, listed_born: str | None) -> bool:
    """Whether a waiting traveller is found by anchors for a listed person."""
    births = [Birth(date=listed_born)] if listed_born else []
    person = asked(name, born) if born else asked(name)
    found = reach(spellings(listed_as), births)
    shared = anchored(person, key_query(person)) & found.bits.keys()
    return sum(found.bits[each] for each in shared) >= found.least


def found_by_keys(name: str, born: str | None, listed_as: str, listed_born: str | None) -> bool:
    births = [Birth(date=listed_born)] if listed_born else []
    index: Index[str] = Index({}, {})
    index.add("listed", stored_keys(spellings(listed_as), births), stored_days(spellings(listed_as), births))
    person = asked(name, born) if born else asked(name)
    return bool(index.rank(key_query(person), 10).ids)


def test_whom_the_keys_find_the_anchors_reach() -> None:
    chance = random.Random(26)
    found = missed = 0
    for _ in range(6000):
        names = [" ".join(chance.sample(WORDS, chance.randint(1, 4))) for _ in range(2)]
        if chance.random() < 0.5:
            words = names[0].split()
            chance.shuffle(words)
            names[1] = chance.choice((" ", "")).join(words)
        days = [chance.choice((*DAYS, None)) for _ in range(2)]
        if found_by_keys(names[0], days[0], names[1], days[1]):
            found += 1
            missed += not reached(names[0], days[0], names[1], days[1])
    assert found > 1000
    assert missed <= found // 50  # common words beside an initial, where a day is open


@pytest.mark.parametrize(
    ("listed_as", "listed_born", "expected"),
    [
        ("Rangkuti Wenas", "1970-05-07", True),
        ("Wenas Rangkoeti", "1988-11-30", True),
        ("Damanik Sembiring", "1970-05-07", True),
        ("Muhammad Santoso", "1988-11-30", False),
        ("Damanik Sembiring", "1970", False),
    ],
)
def test_a_birthday_or_a_telling_word_reaches(listed_as: str, listed_born: str, *, expected: bool) -> None:
    assert reached("Muhammad Rangkuti Wenas", "1970-05-07", listed_as, listed_born) is expected


def test_a_traveller_waits_under_few_anchors() -> None:
    person = asked("Muhammad Rangkuti Wenas", "1970-05-07")
    kept = anchored(person, key_query(person))
    assert len(kept) < 12 < len(key_query(person).keys)
