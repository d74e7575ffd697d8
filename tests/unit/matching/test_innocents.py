"""Innocent travellers: namesakes are left alone where the birth date says so (the incident of 2015, R52)."""

import random

from app.matching.assessment import assess
from app.matching.keys import key_query
from app.matching.persons import KnownPerson, QueriedPerson
from app.matching.policy import DEFAULT
from tests.unit.matching.people import WORDS, asked, index_of, listed, random_day, random_name


def referred(register: list[KnownPerson], travellers: list[QueriedPerson]) -> int:
    """How many are stopped, found by keys as at the border."""
    by_id = {str(number): entry for number, entry in enumerate(register)}
    index = index_of(by_id.items())
    return sum(
        any(
            assess(who, by_id[entry_id]).tier == "stop"
            for entry_id in index.rank(key_query(who), DEFAULT.most_candidates).ids
        )
        for who in travellers
    )


def test_namesakes_called_muhammad_pass_where_their_birth_date_is_another():
    chance = random.Random(2015)
    entries = [
        listed(name, random_day(chance))
        for name in ["Muhammad"] * 100 + [f"Muhammad {chance.choice(WORDS)}" for _ in range(100)]
    ]
    taken = {birth.date for entry in entries for birth in entry.births}
    days = [day for day in (random_day(chance) for _ in range(1100)) if day not in taken]
    assert len(days) > 1000
    assert referred(entries, [asked("Muhammad", day) for day in days]) == 0


def test_few_innocents_are_stopped_although_names_are_made_of_few_words():
    chance = random.Random(4)
    register = [listed(random_name(chance), random_day(chance)) for _ in range(10_000)]
    travellers = [asked(random_name(chance), random_day(chance)) for _ in range(1_500)]
    assert referred(register, travellers) <= 3


def test_the_listed_themselves_are_stopped_in_another_spelling():
    chance = random.Random(7)
    register = [listed(random_name(chance), random_day(chance)) for _ in range(500)]
    chosen = [entry for entry in register if entry.names[0].bits > 12][:100]
    again = [
        asked(
            " ".join(reversed([word.text.replace("U", "OE") for word in entry.names[0].words])),
            str(entry.births[0].date),
        )
        for entry in chosen
    ]
    assert len(again) == 100
    assert referred(register, again) == 100
