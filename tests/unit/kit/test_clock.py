"""Legal days are those of Jakarta: seven hours ahead of UTC, in every season."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.clock import FileClock, day_begins, day_ends, legal_day, rfc3339, system_clock

DAYS = st.dates(date(1900, 1, 1), date(9998, 12, 31))
TICK = timedelta(microseconds=1)


@given(DAYS)
def test_a_day_of_jakarta_begins_at_seventeen_hours_utc_of_the_day_before(day: date):
    begins = day_begins(day)
    assert (begins.date(), begins.hour, begins.utcoffset()) == (day - timedelta(days=1), 17, timedelta(0))
    assert legal_day(begins) == day
    assert legal_day(begins - TICK) == day - timedelta(days=1)


@given(DAYS)
def test_a_day_ends_where_the_next_begins(day: date):
    assert day_ends(day) == day_begins(day + timedelta(days=1)) == day_begins(day) + timedelta(hours=24)


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from([7, 8, 9, 0, -11]))
def test_the_legal_day_depends_on_the_instant_not_on_how_it_is_written(at: datetime, hours: int):
    try:
        elsewhere = at.astimezone(timezone(timedelta(hours=hours)))
        expected = (at + timedelta(hours=7)).date()
    except OverflowError:
        return
    assert legal_day(elsewhere) == expected


def test_half_past_midnight_in_jayapura_is_still_the_day_before():
    wit = timezone(timedelta(hours=9), "WIT")
    assert legal_day(datetime(2022, 9, 12, 0, 30, tzinfo=wit)) == date(2022, 9, 11)
    assert legal_day(datetime(2022, 9, 12, 2, 0, tzinfo=wit)) == date(2022, 9, 12)


@given(st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - a bound is naive
def test_instants_are_written_in_fixed_width_so_that_text_order_is_time_order(at: datetime):
    text = rfc3339(at)
    assert (len(text), text[-1]) == (27, "Z")
    assert datetime.fromisoformat(text) == at


def test_the_systems_clock_tells_utc():
    assert system_clock().utcoffset() == timedelta(0)


def test_a_clock_in_a_file_is_read_at_each_use(tmp_path: Path):
    file = tmp_path / "now"
    clock = FileClock(file)
    file.write_text("2026-11-23T10:00:00+07:00\n", encoding="utf-8")
    assert clock() == datetime(2026, 11, 23, 3, tzinfo=UTC)
    file.write_text("2026-11-24T00:00:00Z", encoding="utf-8")
    assert clock() == datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-23T10:00:00", "yesterday", ""])
def test_a_clock_in_a_file_without_an_offset_is_refused(tmp_path: Path, text: str):
    file = tmp_path / "now"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"offset|isoformat"):
        FileClock(file)()
