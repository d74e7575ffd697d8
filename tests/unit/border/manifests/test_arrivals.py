"""Declared arrivals: the day at the port, how long it is watched, and how far ahead it may be."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from app.border.manifests.domain import Arrival, most_days_ahead


@pytest.mark.parametrize(
    ("zone", "day", "ends"),
    [
        ("Asia/Jakarta", date(2026, 11, 24), datetime(2026, 11, 26, 17, tzinfo=UTC)),
        ("Asia/Jayapura", date(2026, 11, 24), datetime(2026, 11, 26, 15, tzinfo=UTC)),
        ("America/New_York", date(2026, 11, 1), datetime(2026, 11, 4, 4, tzinfo=UTC)),  # it has 25 hours
        ("Asia/Beirut", date(2026, 3, 29), datetime(2026, 3, 31, 22, tzinfo=UTC)),  # it begins at one o'clock
        ("Pacific/Apia", date(2011, 12, 30), datetime(2012, 1, 2, 10, tzinfo=UTC)),  # there is no such day
    ],
)
def test_a_day_is_watched_for_72_hours_from_its_first_instant(zone: str, day: date, ends: datetime) -> None:
    assert Arrival(day, ZoneInfo(zone)).watched_until == ends


def test_today_is_the_ports() -> None:
    now = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
    west, east = (Arrival(date(2026, 11, 24), ZoneInfo(name)) for name in ("Asia/Jakarta", "Asia/Jayapura"))
    assert (west.days_ahead(now), east.days_ahead(now)) == (1, 0)


@pytest.mark.parametrize(("question_days", "days"), [(1, 0), (4, 0), (5, 1), (33, 29), (34, 30), (90, 30)])
def test_days_ahead_are_fewer_where_questions_are_kept_for_less(question_days: int, days: int) -> None:
    assert most_days_ahead(question_days) == days
