"""Months, years and days of the law, in Jakarta's calendar (R20, R21, R24, R25, R27, R28)."""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.kit.clock import legal_day
from app.register.entries.law import periods
from app.register.entries.law.periods import MonthConvention as Convention

DAYS = st.dates(date(1900, 1, 1), date(9900, 1, 1))
MONTHS = st.sampled_from([periods.PREVENTION_MONTHS, periods.DETERRENCE_MONTHS])
CONVENTIONS = st.sampled_from(["same_day", "day_before"])
INSTANTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - Hypothesis wants its bounds naive
    datetime(9900, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)
TICK = timedelta(microseconds=1)


@given(DAYS, st.integers(0, 240))
@example(date(2024, 2, 29), 120)
@example(date(2025, 8, 31), 6)
def test_months_later_is_the_same_day_number_or_the_months_last(day: date, months: int):
    later = periods.add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == min(day.day, monthrange(later.year, later.month)[1])


@given(DAYS, st.integers(0, 120), st.integers(0, 120))
def test_more_months_never_end_earlier(day: date, some: int, more: int):
    assert periods.add_months(day, some) <= periods.add_months(day, some + more)


@given(DAYS, DAYS, MONTHS, CONVENTIONS)
def test_a_later_start_never_ends_earlier(one: date, other: date, months: int, convention: Convention):
    first, second = sorted((one, other))
    allowed = [periods.last_day_allowed(day, months, convention) for day in (first, second)]
    assert allowed[0] <= allowed[1]


@given(DAYS, MONTHS)
def test_the_strict_convention_is_the_other_or_one_day_shorter(day: date, months: int):
    usual = periods.last_day_allowed(day, months)
    strict = periods.last_day_allowed(day, months, "day_before")
    clamped = usual.day != day.day
    assert strict == (usual if clamped else usual - timedelta(days=1))


@pytest.mark.parametrize(
    ("starts_on", "months", "convention", "last"),
    [
        ("2022-09-07", 6, "same_day", "2023-03-07"),
        ("2022-09-07", 6, "day_before", "2023-03-06"),
        ("2025-08-31", 6, "same_day", "2026-02-28"),
        ("2025-08-31", 6, "day_before", "2026-02-28"),
        ("2023-08-31", 6, "same_day", "2024-02-29"),
        ("2023-08-29", 6, "day_before", "2024-02-28"),
        ("2023-08-30", 6, "day_before", "2024-02-29"),
        ("2026-07-01", 6, "same_day", "2027-01-01"),
        ("2026-07-01", 6, "day_before", "2026-12-31"),
        ("2028-02-29", 120, "same_day", "2038-02-28"),
        ("2028-02-29", 120, "day_before", "2038-02-28"),
        ("2022-02-28", 120, "same_day", "2032-02-28"),
        ("2030-12-31", 120, "day_before", "2040-12-30"),
        ("2096-02-29", 120, "same_day", "2106-02-28"),
    ],
)
def test_the_published_and_the_awkward_periods(
    starts_on: str, months: int, convention: Convention, last: str
):
    allowed = periods.last_day_allowed(date.fromisoformat(starts_on), months, convention)
    assert allowed == date.fromisoformat(last)


def test_a_period_beyond_the_calendar_is_an_error_and_no_wrong_day():
    with pytest.raises(ValueError, match="year"):
        periods.last_day_allowed(date(9995, 1, 1), periods.DETERRENCE_MONTHS)


@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(hours=24)))
@example(datetime(2022, 8, 23, 16, 30, tzinfo=UTC), timedelta(0))
def test_an_urgent_entry_holds_twenty_days_from_the_earlier_clock(received: datetime, before: timedelta):
    starts_on = periods.urgent_start(received - before, received)
    assert starts_on == legal_day(received - before)
    assert periods.urgent_start(received, received - before) == starts_on
    assert periods.over_at(periods.urgent_end(starts_on)) - periods.begins_at(starts_on) == timedelta(days=20)


@given(DAYS, st.integers(0, 4000))
def test_a_period_holds_from_midnight_in_jakarta_through_the_last_day(day: date, days: int):
    last = day + timedelta(days=days)
    begins, over = periods.begins_at(day), periods.over_at(last)
    assert (legal_day(begins), legal_day(begins - TICK)) == (day, day - timedelta(days=1))
    assert (legal_day(over - TICK), legal_day(over)) == (last, last + timedelta(days=1))
    assert over - begins == timedelta(days=days + 1)


Span = tuple[date, int | None]
SPANS = st.tuples(DAYS, st.none() | st.integers(0, 4000))


@given(SPANS, SPANS, DAYS)
def test_two_periods_overlap_exactly_when_they_share_a_day(one: Span, other: Span, day: date):
    (start, days), (other_start, other_days) = one, other
    end = None if days is None else start + timedelta(days=days)
    other_end = None if other_days is None else other_start + timedelta(days=other_days)
    overlapping = periods.overlap(start, end, other_start, other_end)
    assert overlapping == periods.overlap(other_start, other_end, start, end)
    shared = max(start, other_start)
    ends = [each for each in (end, other_end) if each is not None]
    assert overlapping == (not ends or shared <= min(ends))
    if (
        start <= day
        and (end is None or day <= end)
        and other_start <= day
        and (other_end is None or day <= other_end)
    ):
        assert overlapping


BEGINS = periods.begins_at(date(2022, 8, 23))
OVER = periods.over_at(date(2022, 9, 11))


@pytest.mark.parametrize(
    ("at", "noted"),
    [
        (BEGINS - TICK, None),
        (BEGINS, "began"),
        (BEGINS + timedelta(hours=3) - TICK, "began"),
        (BEGINS + timedelta(hours=3), None),
        (OVER - timedelta(hours=3) - TICK, None),
        (OVER - timedelta(hours=3), "ends"),
        (OVER - TICK, "ends"),
        (OVER, None),
    ],
)
def test_the_first_and_last_three_hours_carry_a_note_with_the_offset(at: datetime, noted: str | None):
    note = periods.boundary_note(at, BEGINS, OVER)
    if noted is None:
        assert note is None
    else:
        assert note is not None
        assert noted in note
        assert "+07:00" in note


def test_at_half_past_midnight_in_jayapura_the_note_says_that_it_ends_soon():
    at = datetime(2022, 9, 12, 0, 30, tzinfo=timezone(timedelta(hours=9)))
    assert periods.boundary_note(at, BEGINS, OVER) == "The measure ends at 2022-09-12T00:00+07:00 (WIB)."


def test_a_measure_for_life_has_no_note_at_its_end():
    assert periods.boundary_note(OVER, BEGINS, None) is None
    assert periods.boundary_note(OVER, None, None) is None
