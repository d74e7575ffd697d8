from datetime import UTC, datetime, timedelta

import pytest

from tests.support.clock import MORNING, SettableClock


def test_it_stands_still_until_it_is_moved():
    clock = SettableClock()
    assert clock() == clock() == MORNING == datetime(2026, 11, 23, 3, tzinfo=UTC)


def test_it_is_set_to_a_text_or_a_time_and_tells_utc():
    clock = SettableClock()
    assert clock.set("2026-11-24T00:30:00+07:00") == datetime(2026, 11, 23, 17, 30, tzinfo=UTC) == clock()
    assert clock.set(MORNING).tzinfo is UTC


def test_it_moves_by_parts_or_by_a_length():
    clock = SettableClock()
    clock.advance(days=1, hours=2)
    clock.advance(timedelta(minutes=-5))
    assert clock() - MORNING == timedelta(days=1, hours=1, minutes=55)


@pytest.mark.parametrize("at", ["2026-11-23T03:00:00", datetime(2026, 11, 23)])  # noqa: DTZ001 - the point
def test_it_refuses_a_time_without_an_offset(at: str | datetime):
    with pytest.raises(ValueError, match="offset"):
        SettableClock().set(at)
