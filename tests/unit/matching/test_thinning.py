"""Candidates are thinned by their births where the traveller's day of birth is open."""

import pytest

from app.matching.keys import key_query
from app.matching.retrieval import LOOKED_AT, Candidates
from app.matching.thinning import thin
from tests.unit.matching.people import asked, index_of, listed

MOST = 10
SAME, OTHER = "1970-05-17", "1950-05-17"


def compared(born: str, births: list[str]) -> Candidates[str]:
    """Those of many namesakes with these births that a traveller is compared with, by their place."""
    people = {str(place): listed("Agus Wenas", each) for place, each in enumerate(births)}
    traveller = asked("Agus Wenas", born)
    ranked = index_of(people.items()).rank(key_query(traveller), MOST)
    return thin(ranked, traveller, lambda who: people[who].births, MOST)


@pytest.mark.parametrize("born", ["1970", "1970-05"])
def test_whoever_was_born_in_another_year_makes_room(born: str):
    births = [OTHER] * 3 * MOST + [SAME, "", "1970"]
    found = compared(born, births)
    assert len(found.ids) == MOST
    assert {"30", "31", "32"} <= set(found.ids)
    assert not found.truncated


def test_more_than_can_be_compared_are_said():
    assert compared("1970", [SAME] * (MOST + 1)).truncated
    assert not compared("1970", [SAME] * MOST).truncated


def test_more_than_are_looked_at_are_said():
    assert compared("1970", [OTHER] * (MOST * LOOKED_AT + 1)).truncated
    assert not compared("1970", [OTHER] * MOST * LOOKED_AT).truncated


def test_without_any_birth_date_nobody_is_thinned_out():
    found = compared("", [OTHER] * MOST + [SAME])
    assert not found.more
    assert found.truncated
