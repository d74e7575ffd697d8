"""Birth dates as evidence for and against."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.births import Birth
from app.matching.births import best_birth, compare_births

DAYS = st.dates(date(1930, 1, 1), date(2020, 12, 31))


def born(text: str) -> Birth:
    return Birth(date=text)


@pytest.mark.parametrize(
    ("listed", "asked", "nearness"),
    [
        (born("1970-05-17"), born("1970-05-17"), "equal"),
        (born("1970-05-07"), born("1970-07-05"), "swapped"),
        (born("1970-05-17"), born("1970-05-18"), "one_digit"),
        (born("1970-05-17"), born("1976-05-17"), "one_digit"),
        (born("1970-05-21"), born("1970-05-12"), "one_digit"),
        (born("1970"), born("1970-05-17"), "compatible"),
        (born("1970-05"), born("1970-05-17"), "compatible"),
        (born("1970-01-01"), born("1970-05-17"), "default_day"),
        (born("1970-05-17"), born("1970-01-01"), "default_day"),
        (born("1970-05-17"), born("1970-11-28"), "near_year"),
        (born("1970"), born("1971-05-17"), "near_year"),
        (born("1970-05-17"), born("1985-11-28"), "contradicts"),
        (born("1970"), born("1973-05-17"), "contradicts"),
        (Birth(age=45, as_of="2026-11-23"), born("1981-05-17"), "compatible"),
        (Birth(age=45, as_of="2026-11-23"), born("1979-05-17"), "near_year"),
        (Birth(from_="1968", to="1970"), born("1969-05-17"), "compatible"),
        (Birth(from_="1968", to="1970"), born("1975-05-17"), "contradicts"),
    ],
)
def test_how_two_dates_stand_to_each_other(listed: Birth, asked: Birth, nearness: str):
    assert compare_births(listed, asked).nearness == nearness
    assert compare_births(asked, listed).nearness == nearness


def test_the_more_is_known_the_more_it_says():
    year, month, day = (
        compare_births(born(listed), born("1970-05-17")).bits for listed in ("1970", "1970-05", "1970-05-17")
    )
    span = compare_births(Birth(from_="1965", to="1975"), born("1970-05-17")).bits
    default = compare_births(born("1970-01-01"), born("1970-01-01")).bits
    assert 0 < span < year < month < day
    assert year < default < day


def test_of_alternatives_the_nearest_counts_and_of_the_traveller_s_papers_the_farthest():
    listed = (born("1955"), born("1970-05-17"))
    assert best_birth(listed, (born("1970-05-17"),)).nearness == "equal"
    assert best_birth(listed, (born("1970-05-17"), born("1990-01-02"))).nearness == "contradicts"
    assert best_birth((), (born("1970-05-17"),)).nearness == "unknown"
    assert best_birth(listed, ()).nearness == "unknown"


@given(DAYS, DAYS)
def test_only_the_same_day_is_equal_and_only_disagreement_costs(one: date, other: date):
    found = compare_births(born(one.isoformat()), born(other.isoformat()))
    assert (found.nearness == "equal") is (one == other)
    assert (found.bits < 0) is (found.nearness == "contradicts")
