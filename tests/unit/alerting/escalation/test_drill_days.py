"""The day of a checkpoint's drill: from the day after its first client, each day from its time in its zone."""

from datetime import UTC, date, datetime, time

import pytest

from app.alerting.escalation.drills import day_of_drill

TEN = time(10)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Asia/Jakarta", at(23, 2, 59), None),
        ("Asia/Jakarta", at(23, 3), date(2026, 11, 23)),
        ("Asia/Jakarta", at(23, 16, 59), date(2026, 11, 23)),
        ("Asia/Jakarta", at(23, 17), None),  # midnight of the 24th
        ("Asia/Jayapura", at(23, 0, 59), None),
        ("Asia/Jayapura", at(23, 1), date(2026, 11, 23)),
        ("Asia/Jayapura", at(23, 15), None),  # midnight of the 24th
    ],
)
def test_it_is_due_from_its_time_to_midnight_of_the_zone(
    zone: str, now: datetime, expected: date | None
) -> None:
    assert day_of_drill(zone, at(20, 3), TEN, now) == expected


def test_a_checkpoint_takes_part_from_the_day_after_its_first_client() -> None:
    for first_client_at in (at(22, 17), at(23, 2)):  # the 23rd in Jakarta
        assert day_of_drill("Asia/Jakarta", first_client_at, TEN, at(23, 12)) is None
        assert day_of_drill("Asia/Jakarta", first_client_at, TEN, at(24, 3)) == date(2026, 11, 24)
    assert day_of_drill("Asia/Jakarta", at(22, 16, 59), TEN, at(23, 12)) == date(2026, 11, 23)
