"""The ladder of warnings before an end, as arithmetic (R30)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.alerting.notices.domain import (
    APPROVERS,
    RUNGS,
    URGENT_RUNGS,
    ends_soon,
    in_force_since,
    ladder,
    owner,
    rung_key,
    rungs_reached,
)
from app.kit.clock import WIB, legal_day
from app.register.entries.domain import Entry, State
from app.register.entries.law.deadlines import DeadlineName, Terms, deadlines
from app.register.entries.law.periods import add_months, begins_at, over_at, urgent_end
from tests.unit.register.entries.examples import entry

DAYS = st.dates(date(1950, 1, 1), date(9900, 1, 1))
LENGTHS = st.integers(0, 4000)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


def active(starts_on: date, ends_on: date | None, **changes: Any) -> Entry:
    """An entry in force for a period, decided on before it began."""
    begins = begins_at(starts_on)
    given: dict[str, Any] = {
        "state": State.ACTIVE,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "in_force_from": begins,
        "in_force_until": None if ends_on is None else over_at(ends_on),
        "created_at": begins,
        "updated_at": begins,
    }
    return entry(**{**given, **changes})


def steps(of: Entry, since: datetime, now: datetime) -> list[int]:
    return [rung.step for rung in rungs_reached(of, since, now)]


@pytest.mark.parametrize(
    ("ends_on", "told_on"),
    [
        ("2027-06-30", ["2027-05-31", "2027-06-16", "2027-06-23", "2027-06-26"]),
        ("2026-02-28", ["2026-01-29", "2026-02-14", "2026-02-21", "2026-02-24"]),
        ("2028-03-01", ["2028-01-31", "2028-02-16", "2028-02-23", "2028-02-26"]),
        ("2028-02-29", ["2028-01-30", "2028-02-15", "2028-02-22", "2028-02-25"]),
        ("2027-01-01", ["2026-12-02", "2026-12-18", "2026-12-25", "2026-12-28"]),
    ],
)
def test_the_four_days_of_a_measure(ends_on: str, told_on: list[str]):
    found = ladder(date(2025, 1, 1), date.fromisoformat(ends_on), urgent=False)
    assert [rung.step for rung in found] == [30, 14, 7, 4]
    assert [rung.day.isoformat() for rung in found] == told_on


def test_the_four_days_of_an_urgent_entry():
    starts_on = date(2022, 8, 23)
    found = ladder(starts_on, urgent_end(starts_on), urgent=True)
    assert [(rung.step, rung.day.isoformat()) for rung in found] == [
        (10, "2022-09-01"),
        (15, "2022-09-06"),
        (18, "2022-09-09"),
        (19, "2022-09-10"),
    ]


@given(DAYS, LENGTHS)
@example(date(2028, 2, 29), 0)
@example(date(2025, 8, 31), 181)
def test_a_measure_has_the_rungs_that_lie_within_it_and_no_other(starts_on: date, length: int):
    ends_on = starts_on + timedelta(days=length)
    found = ladder(starts_on, ends_on, urgent=False)
    assert [rung.step for rung in found] == [left for left in RUNGS if left <= length]
    for rung in found:
        assert (ends_on - rung.day).days == rung.step
        assert legal_day(rung.at) == rung.day
        assert legal_day(rung.at - TICK) == rung.day - DAY


@given(DAYS)
def test_an_urgent_entry_has_all_its_rungs_before_its_last_day(starts_on: date):
    found = ladder(starts_on, urgent_end(starts_on), urgent=True)
    assert [rung.step for rung in found] == list(URGENT_RUNGS)
    assert [(rung.day - starts_on).days + 1 for rung in found] == list(URGENT_RUNGS)
    assert found[-1].day == urgent_end(starts_on) - DAY


def test_the_rungs_of_a_repeated_request_are_counted_in_the_twenty_days_of_the_first():
    found = ladder(date(2022, 9, 3), urgent_end(date(2022, 8, 23)), urgent=True)
    assert [(rung.step, rung.day.isoformat()) for rung in found] == [
        (15, "2022-09-06"),
        (18, "2022-09-09"),
        (19, "2022-09-10"),
    ]


@given(DAYS, st.integers(4, 4000))
def test_the_last_rung_is_the_day_before_the_last_day_for_an_extension(starts_on: date, length: int):
    of = active(starts_on, starts_on + timedelta(days=length))
    running = {each.name: each for each in deadlines(of, Terms(), {})}
    assert of.ends_on is not None
    last = ladder(starts_on, of.ends_on, urgent=False)[-1]
    assert last.day + DAY == legal_day(running[DeadlineName.EXTEND_BEFORE].due_at)


@given(DAYS, LENGTHS, st.integers(-10, 4010), st.integers(0, 86_399))
def test_at_any_moment_in_force_the_rungs_reached_are_those_of_its_legal_days(
    starts_on: date, length: int, day: int, second: int
):
    of = active(starts_on, starts_on + timedelta(days=length))
    now = begins_at(starts_on) + timedelta(days=day, seconds=second)
    left = length - day
    expected = [step for step in RUNGS if left <= step <= length] if 0 <= day <= length else []
    assert steps(of, begins_at(starts_on), now) == expected


@given(DAYS, st.integers(31, 4000), st.lists(st.integers(0, 4000), min_size=1, max_size=8))
def test_however_seldom_one_looks_each_rung_is_found_once_by_its_key(
    starts_on: date, length: int, looks: list[int]
):
    of = active(starts_on, starts_on + timedelta(days=length))
    told: list[str] = []
    for day in sorted({*(look for look in looks if look < length), length}):
        now = begins_at(starts_on) + timedelta(days=day, hours=5)
        keys = [rung_key(of, rung) for rung in rungs_reached(of, begins_at(starts_on), now)]
        told += [key for key in keys if key not in told]
    assert told == [f"ladder:ent_1:{of.ends_on}:{step}" for step in RUNGS]


def test_a_rung_is_reached_at_midnight_in_jakarta():
    of = active(date(2027, 1, 1), date(2027, 6, 30))
    midnight = datetime(2027, 5, 31, tzinfo=WIB)
    assert steps(of, begins_at(of.starts_on), midnight - TICK) == []
    assert steps(of, begins_at(of.starts_on), midnight) == [30]
    assert midnight.astimezone(UTC).isoformat() == "2027-05-30T17:00:00+00:00"


def test_what_is_not_in_force_has_no_ladder():
    of = active(date(2027, 1, 1), date(2027, 1, 20))
    since = begins_at(of.starts_on)
    assert steps(of, since, since - TICK) == []
    assert steps(of, since, over_at(date(2027, 1, 20)) - TICK) == [14, 7, 4]
    assert steps(of, since, over_at(date(2027, 1, 20))) == []
    assert steps(of.replace(state=State.ENDED), since, over_at(date(2027, 1, 19))) == []


def test_what_never_ends_has_no_ladder():
    of = active(date(2027, 1, 1), None, lifetime=True)
    assert steps(of, begins_at(of.starts_on), begins_at(date(2090, 1, 1))) == []


def test_an_urgent_entry_whose_formal_one_waits_for_its_day_has_no_ladder():
    starts_on = date(2026, 11, 23)
    of = active(starts_on, urgent_end(starts_on), urgent=True, state=State.PROVISIONAL)
    since, now = begins_at(starts_on), begins_at(date(2026, 12, 10))
    assert steps(of, since, now) == [10, 15, 18]
    assert steps(of.replace(superseded_from=begins_at(date(2026, 12, 12))), since, now) == []


def test_a_rung_that_lay_behind_when_the_measure_came_into_force_is_none():
    of = active(date(2027, 1, 1), date(2027, 6, 30))
    approved_at = datetime(2027, 6, 20, 9, tzinfo=WIB)
    assert steps(of, approved_at, datetime(2027, 6, 29, tzinfo=WIB)) == [7, 4]


def test_an_entry_stands_since_it_came_into_force_with_the_end_that_it_has():
    ends_on, later = date(2027, 6, 30), date(2027, 12, 30)
    starts_on = date(2027, 1, 1)
    moments = [datetime(2026, 12, day, 9, tzinfo=WIB) for day in (20, 21, 22)]
    asked = entry(starts_on=starts_on, ends_on=ends_on, updated_at=moments[0])
    verified = asked.replace(state=State.VERIFIED, updated_at=moments[1])
    approved = active(starts_on, ends_on, updated_at=moments[2])
    assert in_force_since([asked, verified, approved]) == begins_at(starts_on)
    late = approved.replace(updated_at=datetime(2027, 2, 2, 9, tzinfo=WIB))
    assert in_force_since([asked, verified, late]) == late.updated_at
    corrected = late.replace(version=4, updated_at=datetime(2027, 3, 3, 9, tzinfo=WIB))
    assert in_force_since([asked, verified, late, corrected]) == late.updated_at
    extended = corrected.replace(ends_on=later, updated_at=datetime(2027, 6, 6, 9, tzinfo=WIB))
    assert in_force_since([asked, verified, late, corrected, extended]) == extended.updated_at


@given(DAYS, st.integers(1, 6))
def test_an_extended_measure_has_a_ladder_of_its_own(starts_on: date, months: int):
    before = active(starts_on, add_months(starts_on, months))
    assert before.ends_on is not None
    after = before.replace(ends_on=add_months(before.ends_on, months), extension_count=1)
    assert after.ends_on is not None
    first = {rung_key(before, rung) for rung in ladder(starts_on, before.ends_on, urgent=False)}
    second = {rung_key(after, rung) for rung in ladder(starts_on, after.ends_on, urgent=False)}
    assert len(second) >= len(first) >= 3  # February's thirty days do not hold the first rung
    assert first.isdisjoint(second)


def test_a_warning_says_what_is_to_be_done_until_when_and_nothing_of_the_person():
    of = active(date(2027, 1, 1), date(2027, 6, 30))
    (first, *_) = ladder(of.starts_on, date(2027, 6, 30), urgent=False)
    said = ends_soon(of, first, deadlines(of, Terms(), {}))
    assert said.to == (*owner("KPK"), APPROVERS)
    assert said.detail == {"ends_on": "2027-06-30", "days_left": 30, "urgent_day": None}
    assert said.due_at == datetime(2027, 6, 27, 23, 59, 59, tzinfo=WIB)
    extended = of.replace(extension_count=1)
    assert ends_soon(extended, first, deadlines(extended, Terms(), {})).due_at is None


def test_an_urgent_warning_counts_the_days_of_the_twenty():
    starts_on = date(2026, 11, 23)
    of = active(starts_on, urgent_end(starts_on), urgent=True, state=State.PROVISIONAL)
    rung = ladder(starts_on, urgent_end(starts_on), urgent=True)[1]
    said = ends_soon(of, rung, deadlines(of, Terms(), {}))
    assert said.detail == {"ends_on": "2026-12-12", "days_left": 5, "urgent_day": 15}
    assert said.due_at == over_at(date(2026, 12, 12))
