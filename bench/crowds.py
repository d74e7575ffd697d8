"""Made-up crowds: names drawn by the frequencies of the table of travellers' names, or from few words only."""

import random
import re
from collections.abc import Callable
from datetime import date, timedelta

from app.identity.births import Birth
from app.register.entries.subjects import Document, Subject
from bench.processes import ROOT
from bench.registers import passport

Naming = Callable[[random.Random], str]

_TABLE = ROOT / "app" / "identity" / "data" / "name_tokens.txt"
_BAND = re.compile(r"1 in ([0-9]+)").fullmatch
_RAREST_BAND = 500
_FIRST_BIRTH = date(1945, 1, 1)
_BIRTH_DAYS = 60 * 365
_FEW = 180
_WORDS_OF_A_NAME = (1, 2, 3, 4)
_SHARES = (0.1, 0.5, 0.33, 0.07)


def by_frequency() -> Naming:
    """Names of Indonesian words as often as the table says; one in ten people has a single name."""
    words, shares = _table()

    def name(chance: random.Random) -> str:
        count = chance.choices(_WORDS_OF_A_NAME, _SHARES)[0]
        return " ".join(dict.fromkeys(chance.choices(words, shares, k=count)))

    return name


def of_few_words(chance: random.Random) -> Naming:
    """Names of two to four words out of few, all equally often: far more namesakes than in life."""
    few = chance.sample(_table()[0], _FEW)

    def name(chance: random.Random) -> str:
        return " ".join(chance.sample(few, chance.choice((2, 2, 2, 3, 3, 4))))

    return name


def birth(chance: random.Random) -> Birth:
    """A day within sixty years."""
    return Birth(date=(_FIRST_BIRTH + timedelta(days=chance.randrange(_BIRTH_DAYS))).isoformat())


def _table() -> tuple[list[str], list[float]]:
    words, shares, one_in = [], [], 0
    for line in _TABLE.read_text(encoding="utf-8").splitlines():
        if band := _BAND(line):
            one_in = int(band[1])
        elif one_in and one_in <= _RAREST_BAND:
            words += line.split()
            shares += [1 / one_in] * len(line.split())
    return words, shares


def people(chance: random.Random) -> Callable[[int], Subject]:
    """Makes citizens with names as frequent as travellers', one passport each."""
    name = by_frequency()

    def person(number: int) -> Subject:
        return Subject(
            full_name=name(chance).title(),
            sex="male",
            birth=birth(chance),
            birth_place="Semarang",
            nationalities=("IDN",),
            documents=(Document("passport", passport(number), "IDN"),),
        )

    return person
