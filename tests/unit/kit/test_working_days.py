"""Working days: which they are in Indonesia, and how they are counted (R38; Permenimipas 2/2025 art. 73)."""

import subprocess
import sys
from datetime import date, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.kit.working_days import Holidays, working_days_later

DAYS = st.dates(date(1950, 1, 1), date(9000, 1, 1))


@pytest.mark.parametrize(
    ("day", "what"),
    [
        (date(2026, 1, 1), "New Year"),
        (date(2026, 3, 23), "joint leave after the end of Ramadan"),
        (date(2026, 5, 1), "Labour Day"),
        (date(2026, 8, 17), "Independence Day"),
        (date(2026, 12, 24), "joint leave before Christmas"),
        (date(2026, 12, 25), "Christmas"),
    ],
)
def test_public_holidays_and_joint_leave_are_no_working_days(day: date, what: str):
    assert day in Holidays(), what
    assert working_days_later(day - timedelta(days=1), 1, Holidays()) > day


def test_a_deployment_adds_and_removes_days():
    own = Holidays(added={date(2026, 12, 28)}, removed={date(2026, 12, 24)})
    assert [day in own for day in (date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 28))] == [
        False,
        True,
        True,
    ]
    assert date(2026, 12, 25) in Holidays(added={date(2026, 12, 25)}, removed={date(2026, 12, 25)})
    assert "2026-12-25" not in own


@pytest.mark.parametrize("year", [1, 1945, 2101, 9998])
def test_years_beyond_what_is_known_have_weekends_only(year: int):
    assert date(year, 8, 17) not in Holidays()
    assert date(year, 8, 17) in Holidays(added={date(year, 8, 17)})
    assert (working_days_later(date(year, 8, 1), 5, Holidays()) - date(year, 8, 1)).days in {5, 6, 7}


def test_a_server_does_not_load_the_calendar_before_it_is_needed():
    program = "import sys, app.main; sys.exit('holidays' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def _works(day: date, holidays: frozenset[date]) -> bool:
    return day.weekday() < 5 and day not in holidays


@given(DAYS, st.integers(0, 40), st.frozensets(st.integers(0, 60), max_size=10))
@example(date(2026, 11, 20), 1, frozenset())
def test_so_many_working_days_lie_between(day: date, count: int, free: frozenset[int]):
    holidays = frozenset(day + timedelta(days=offset) for offset in free)
    later = working_days_later(day, count, holidays)
    between = [day + timedelta(days=i) for i in range(1, (later - day).days + 1)]
    assert sum(_works(each, holidays) for each in between) == count
    assert later == day if count == 0 else _works(later, holidays)


@given(DAYS, st.integers(0, 20), st.integers(0, 20))
def test_working_days_add_up(day: date, some: int, more: int):
    assert working_days_later(working_days_later(day, some), more) == working_days_later(day, some + more)


@given(DAYS, st.integers(1, 40))
def test_a_week_has_five_working_days(day: date, weeks: int):
    later = working_days_later(day, 5 * weeks)
    from_friday = {5: 1, 6: 2}.get(day.weekday(), 0)  # a weekend counts from its Friday
    assert later == day - timedelta(days=from_friday) + timedelta(weeks=weeks)
