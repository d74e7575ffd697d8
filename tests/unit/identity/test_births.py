"""What is known of a birth date: three shapes, exact arithmetic, precision never sharpened (R17)."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.births import (
    Birth,
    BirthUnreadable,
    age_on,
    agreement,
    best_agreement,
    birth_from_json,
    birth_to_json,
    compatible,
    is_full_day,
    span,
)

DAYS = st.dates(min_value=date(1880, 1, 1), max_value=date(2030, 12, 31))
TEXTS = st.builds(lambda day, precision: day.isoformat()[:precision], DAYS, st.sampled_from([4, 7, 10]))
RANGES = st.tuples(TEXTS, TEXTS).map(sorted).map(lambda bounds: {"from": bounds[0], "to": bounds[1]})
AGES = st.builds(lambda age, day: {"age": age, "as_of": day.isoformat()}, st.integers(0, 120), DAYS)
SHAPES = st.one_of(TEXTS.map(lambda text: {"date": text}), AGES, RANGES)
BIRTHS = SHAPES.map(birth_from_json)
quick = settings(max_examples=50)


@pytest.mark.parametrize(
    ("shape", "first", "last"),
    [
        ({"date": "1970"}, "1970-01-01", "1970-12-31"),
        ({"date": "1972-02"}, "1972-02-01", "1972-02-29"),
        ({"date": "1970-05-17"}, "1970-05-17", "1970-05-17"),
        ({"age": 45, "as_of": "2026-11-23"}, "1980-11-24", "1981-11-23"),
        ({"age": 0, "as_of": "2026-01-01"}, "2025-01-02", "2026-01-01"),
        ({"age": 44, "as_of": "2025-02-28"}, "1980-02-29", "1981-02-28"),
        ({"age": 45, "as_of": "2024-02-29"}, "1978-03-01", "1979-02-28"),
        ({"from": "1968", "to": "1970"}, "1968-01-01", "1970-12-31"),
        ({"from": "1968-03", "to": "1968-03-09"}, "1968-03-01", "1968-03-09"),
    ],
)
def test_a_birth_spans_every_day_it_leaves_open(shape: dict[str, Any], first: str, last: str):
    assert span(birth_from_json(shape)) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"date": "1985-02-30"},
        {"date": "1985-13"},
        {"date": "1985-00"},
        {"date": "0000"},
        {"date": "85"},
        {"date": "1985-2"},
        {"date": "19850217"},
        {"date": "2026-W01-1"},
        {"date": "1985-02-17T00:00:00"},
        {"date": " 1985"},
        {"date": "\uff11\uff19\uff18\uff15"},
        {"date": "1985-"},
        {"date": ""},
        {"date": 1985},
        {"date": "1985", "age": 3, "as_of": "1990-01-01"},
        {"date": "1985", "place": "Solo"},
        {"age": 45},
        {"as_of": "2026-11-23"},
        {"age": -1, "as_of": "2026-11-23"},
        {"age": 151, "as_of": "2026-11-23"},
        {"age": "45", "as_of": "2026-11-23"},
        {"age": True, "as_of": "2026-11-23"},
        {"age": 45, "as_of": "2026-11"},
        {"age": 120, "as_of": "0100-01-01"},
        {"from": "1970", "to": "1968"},
        {"from": "1970-05-02", "to": "1970-05-01"},
        {"from": "1970"},
        {"to": "1970"},
    ],
)
def test_nonsense_is_refused_without_repeating_it(shape: dict[str, Any]):
    with pytest.raises(BirthUnreadable) as refusal:
        birth_from_json(shape)
    assert "1985" not in str(refusal.value)


@quick
@given(SHAPES)
def test_a_birth_is_given_back_as_it_came(shape: dict[str, Any]):
    birth = birth_from_json(shape)
    assert birth_to_json(birth) == shape
    assert msgspec.json.decode(msgspec.json.encode(birth)) == shape
    assert msgspec.convert(shape, Birth) == birth
    assert hash(msgspec.convert(shape, Birth)) == hash(birth)


def test_a_null_member_counts_as_absent():
    assert birth_from_json({"date": "1970", "age": None, "as_of": None}) == Birth(date="1970")


def test_a_birth_never_changes():
    with pytest.raises(AttributeError):
        Birth(date="1970").date = "1971"  # type: ignore[misc]  # the fault is what is tested


@quick
@given(BIRTHS, BIRTHS)
def test_births_are_compatible_when_one_day_satisfies_both(one: Birth, other: Birth):
    (first, last), (other_first, other_last) = span(one), span(other)
    shared = max(first, other_first) <= min(last, other_last)
    assert compatible(one, other) is shared
    assert compatible(other, one) is shared
    assert agreement(one, other) == agreement(other, one)


@quick
@given(DAYS, st.integers(0, 120), st.integers(0, 800))
def test_an_age_spans_exactly_the_days_that_give_that_age(day: date, age: int, offset: int):
    first, last = span(Birth(age=age, as_of=day.isoformat()))
    born = first - timedelta(days=200) + timedelta(days=offset)
    lowest, highest = age_on(Birth(date=born.isoformat()), day)
    assert lowest == highest
    assert (lowest == age) is (first <= born <= last)


def test_a_year_never_becomes_its_first_of_january():
    listed = Birth(date="1970")
    assert agreement(listed, Birth(date="1970-01-01")) == "compatible"
    assert agreement(listed, Birth(date="1970-12-31")) == "compatible"
    assert agreement(listed, listed) == "compatible"
    assert not is_full_day(listed)


@pytest.mark.parametrize(
    ("listed", "asked", "expected"),
    [
        (Birth(date="1970-05-17"), Birth(date="1970-05-17"), "equal"),
        (Birth(date="1970-05-17"), Birth(date="1970-05-18"), "contradicts"),
        (Birth(date="1970-05"), Birth(date="1970-06-01"), "contradicts"),
        (Birth(from_="1968", to="1970"), Birth(date="1969-02-03"), "compatible"),
        (Birth(from_="1970-05-17", to="1970-05-17"), Birth(date="1970-05-17"), "compatible"),
        (None, Birth(date="1970"), "unknown"),
        (Birth(date="1970"), None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_how_a_listed_birth_stands_to_the_one_asked_about(
    listed: Birth | None, asked: Birth | None, expected: str
):
    assert agreement(listed, asked) == expected


def test_the_closest_of_several_listed_births_counts():
    asked = Birth(date="1970-05-17")
    listed = [Birth(date="1958-05-17"), Birth(date="1970"), Birth(date="1970-05-17")]
    assert best_agreement(listed, asked) == "equal"
    assert best_agreement(listed[:2], asked) == "compatible"
    assert best_agreement(listed[:1], asked) == "contradicts"
    assert best_agreement([], asked) == "unknown"
    assert best_agreement(listed, None) == "unknown"


def test_an_age_on_a_day_is_as_wide_as_the_birth_leaves_open():
    day = date(2026, 11, 23)
    assert age_on(Birth(date="2008-11-23"), day) == (18, 18)
    assert age_on(Birth(date="2008-11-24"), day) == (17, 17)
    assert age_on(Birth(date="2008"), day) == (17, 18)
    assert age_on(Birth(date="2027"), day)[0] < 0
    assert age_on(Birth(date="2008-02-29"), date(2026, 2, 28)) == (17, 17)
    assert age_on(Birth(date="2008-02-29"), date(2026, 3, 1)) == (18, 18)
