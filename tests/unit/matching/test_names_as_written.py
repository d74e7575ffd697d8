"""A listed person is found however carriers, visas and typists write the name; namesakes of other birth dates pass."""

import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.births import Birth
from app.identity.names import respell
from app.identity.spellings import spellings
from app.matching.assessment import assess
from app.matching.keys import key_query
from app.matching.persons import QueriedPerson
from tests.unit.matching.people import WORDS, asked, index_of, listed, random_day

FILLERS = (
    "FNU",
    "LNU",
    "XXX",
    "XX",
    "X",
    "UNKNOWN",
    "TANPA NAMA",
    "TIDAK ADA",
    "NOGIVENNAME",
    "NO GIVEN NAME",
    "NO LAST NAME",
    "N/A",
    "MSTR",
    "MR",
    "MRS",
    "-",
    ".",
)
HONORIFICS = ("MR", "MRS", "MS", "MISS", "MSTR", "MRADT")
MARKS = ("alias", "als.", "a.k.a.", "d/h", "@", ", alias", "dikenal sebagai")
BORN = "1970-05-17"
OTHER = "Tandirerung Wiralodra"

Fault = Callable[[list[str], random.Random], str]


def filled(words: list[str], chance: random.Random) -> str:
    filler = chance.choice(FILLERS)
    return " ".join([filler, *words] if chance.random() < 0.5 else [*words, filler])


def twice(words: list[str], chance: random.Random) -> str:
    return " ".join(words * chance.choice((2, 3)))


def honoured(words: list[str], chance: random.Random) -> str:
    place = chance.choice((0, len(words) - 1))
    return " ".join(
        f"{word}{chance.choice(HONORIFICS)}" if i == place else word for i, word in enumerate(words)
    )


def together(words: list[str], _: random.Random) -> str:
    return " ".join(
        ["".join(words[:2]), *words[2:]]
    )  # of more common words in one the sketch of the day is no longer like


def together_turned(words: list[str], chance: random.Random) -> str:
    return (
        " ".join(["".join(reversed(words[:2])), *words[2:]])
        if chance.random() < 0.9
        else together(words, chance)
    )


def neighbours_together(words: list[str], chance: random.Random) -> str:
    place = chance.randrange(max(1, len(words) - 1))
    pair = words[place : place + 2]
    chance.shuffle(pair)
    return " ".join([*words[:place], "".join(pair), *words[place + 2 :]])


def aliased(words: list[str], chance: random.Random) -> str:
    pair = [" ".join(words), OTHER]
    chance.shuffle(pair)
    return f"{pair[0]} ({pair[1]})" if chance.random() < 0.3 else f" {chance.choice(MARKS)} ".join(pair)


def filled_and_twice(words: list[str], chance: random.Random) -> str:
    return filled(twice(words, chance).split(), chance)


FAULTS: tuple[Fault, ...] = (
    filled,
    twice,
    honoured,
    together,
    together_turned,
    neighbours_together,
    aliased,
    filled_and_twice,
)


@st.composite
def people(draw: st.DrawFn) -> tuple[list[str], str, str]:
    """The words of a name, a birth date, and the name with a fault."""
    own = draw(
        st.lists(
            st.sampled_from([*WORDS, "Suharyadi", "Tumini", "Wenas"]), min_size=1, max_size=3, unique=True
        )
    )
    seed = random.Random(draw(st.integers(0, 2**32)))  # hypothesis draws the fault, the seed its details
    fault = draw(st.sampled_from(FAULTS))
    return own, random_day(seed), fault(own, seed)


@given(people())
@settings(max_examples=120, deadline=None)
def test_a_listed_person_is_stopped_whatever_the_fault(person: tuple[list[str], str, str]):
    words, born, written = person
    on_list = listed(" ".join(words), born)
    traveller = asked(written, born)
    assert index_of([("e1", on_list)]).rank(key_query(traveller), 100).ids == ("e1",), written
    assert assess(traveller, on_list).tier == "stop", written


@pytest.mark.parametrize(
    ("written", "own"),
    [
        ("SANTOSOBUDI", "Budi Santoso"),
        ("TANDIRERUNGWIRALODRA", "Wiralodra Tandirerung"),
        ("RANGKUTIJOKOSUSILO", "Joko Susilo Rangkuti"),
        ("JOKOSUSILORANGKUTI", "Rangkuti Joko Susilo"),
        ("ANDERSONWENAS", "Anderson Wenas"),
        ("TANDIRERUNGWEI", "Tandirerung Wei"),
        ("CHANDRAPRASETYAWANSUDARMANMAULIDA", "Prasetyawan Sudarman Maulida Chandra"),
    ],
)
def test_a_name_run_together_is_found_in_either_order_without_a_birth_date(written: str, own: str):
    for on_list, traveller in ((own, written), (written, own)):
        index = index_of([("e1", listed(on_list, BORN))])
        assert index.rank(key_query(asked(traveller)), 100).ids == ("e1",)
        found = assess(asked(traveller, BORN), listed(on_list, BORN))
        assert (found.tier, found.alignment.left) == ("stop", ()), (on_list, found.alignment)


@given(people())
@settings(max_examples=60, deadline=None)
def test_the_same_fault_in_the_register_hides_nobody(person: tuple[list[str], str, str]):
    words, born, written = person
    on_list = listed(written, born)
    traveller = asked(" ".join(words), born)
    assert index_of([("e1", on_list)]).rank(key_query(traveller), 100).ids == ("e1",), written
    assert assess(traveller, on_list).tier == "stop", written


@given(people(), st.integers(1500, 9000))
@settings(max_examples=60, deadline=None)
def test_a_namesake_of_another_birth_date_passes(person: tuple[list[str], str, str], days: int):
    words, born, written = person
    other = (date.fromisoformat(born) + timedelta(days=days)).isoformat()
    traveller = QueriedPerson.of([written], [Birth(date=other)])
    assert assess(traveller, listed(" ".join(words), born)).tier != "stop", (written, other)


@given(people())
@settings(max_examples=60, deadline=None)
def test_a_fault_makes_few_forms(person: tuple[list[str], str, str]):
    words, _, written = person
    assert 1 <= len(spellings(written)) <= 12
    assert {respell(word.upper()) for word in words} or written


def test_the_incident_of_2015_stays_at_zero_however_muhammad_is_written():
    chance = random.Random(2015)
    names = [
        "Muhammad",
        "Muhammad Muhammad",
        "FNU Muhammad",
        "Muhammad alias Ahmad",
        "MUHAMMADMR",
        "Muhammad XXX",
    ]
    entries = [(f"e{n}", listed(chance.choice(names), random_day(chance))) for n in range(200)]
    index, by_id = index_of(entries), dict(entries)
    days = {birth.date for person in by_id.values() for birth in person.births}
    stopped = 0
    for _ in range(1500):
        born = random_day(chance)
        if born in days:
            continue
        traveller = asked(chance.choice(names), born)
        for who in index.rank(key_query(traveller), 100).ids:
            near = assess(traveller, by_id[who])
            stopped += near.tier == "stop" and near.births.nearness == "contradicts"
    assert stopped == 0
