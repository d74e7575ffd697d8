"""Two digits of a year are of two centuries: whoever they may be is found, and a full year decides."""

from datetime import date, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.bodies import merged
from tests.unit.border.checks.register import TODAY, WNI, Json, entry, outcome, zone

OLDEST = date(TODAY.year - 115, 1, 1)


def born(day: date, number: str = "X1234567") -> Json:
    paper = {**WNI["documents"][0], "number": number}
    return {**WNI, "nik": None, "birth": {"date": day.isoformat()}, "documents": [paper]}


@given(day=st.dates(OLDEST, TODAY), number=st.sampled_from(["X1234567", "C7777777"]), typed=st.booleans())
@example(day=date(1926, 5, 17), number="C7777777", typed=False)
@example(day=date(1911, 1, 1), number="C7777777", typed=False)
@settings(max_examples=200, deadline=None)
def test_whoever_is_listed_is_never_cleared_by_the_century_of_their_zone(
    day: date, number: str, *, typed: bool
) -> None:
    asked = zone(born(day, number), person={"birth_date": day.isoformat() if typed else None})
    assert outcome(asked, entry(born(day))) != "clear"


@given(st.dates(OLDEST, TODAY), st.dates(OLDEST, TODAY))
@settings(max_examples=200, deadline=None)
def test_a_namesake_of_another_number_and_day_passes(day: date, other: date) -> None:
    apart = {abs((day.year - other.year) % 100), abs((other.year - day.year) % 100)}
    if min(apart) < 3 or abs(day.day - other.day) < 2 or day.month == other.month:
        return
    assert outcome(zone(born(other, "C7777777")), entry(born(day))) == "clear"


@given(st.dates(TODAY - timedelta(days=14 * 365), TODAY))
@settings(max_examples=60, deadline=None)
def test_a_child_whose_full_year_is_typed_is_not_held_for_one_of_a_hundred_years(day: date) -> None:
    aged = born(date(day.year - 100, day.month, min(day.day, 28)))
    asked = merged(zone(born(day, "C7777777")), {"person": {"birth_date": day.isoformat()}})
    assert outcome(asked, entry(aged)) == "clear"
