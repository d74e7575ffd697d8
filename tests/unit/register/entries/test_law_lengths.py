"""How long a measure may last: R11, R12, R20, R21, R22, R24, one sentence each."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid, LifetimeNotAllowed, PeriodRequired, PeriodTooLong
from app.register.entries.law import periods
from app.register.entries.law.request import Policy, Request

from .examples import IMIGRASI, KPK, TODAY, deterrence, refused, request, urgent, warned

DAYS = st.dates(date(2000, 1, 1), date(9900, 1, 1))
STRICT = Policy(month_convention="day_before")


def dated(make: Any, today: date, **changes: Any) -> Request:
    """A request whose letter is of the same day."""
    return make(**{"starts_on": today, "basis": {"issued_on": today, "received_on": today}, **changes})


def test_r11_a_measure_without_an_end_is_refused():
    assert refused(PeriodRequired, request(ends_on=None)) == {"/ends_on": "required"}
    assert refused(PeriodRequired, deterrence(ends_on=None), IMIGRASI) == {"/ends_on": "required"}
    assert refused(PeriodRequired, request(starts_on=None, ends_on=None)) == {
        "/starts_on": "required",
        "/ends_on": "required",
    }


def test_r11_an_entry_ban_for_life_needs_a_recorded_ground_and_has_no_end():
    forever = {"lifetime": True, "ends_on": None}
    grounded = {"lifetime_ground": "A danger to the security of the state."}
    assert warned(deterrence(**forever, basis=grounded), IMIGRASI) == []
    assert refused(LifetimeNotAllowed, deterrence(**forever), IMIGRASI) == {
        "/basis/lifetime_ground": "required"
    }
    assert refused(Invalid, deterrence(lifetime=True, basis=grounded), IMIGRASI) == {
        "/ends_on": "must_be_null"
    }


def test_r12_an_exit_ban_is_never_for_life():
    grounded = {"lifetime_ground": "A danger to the security of the state."}
    assert refused(LifetimeNotAllowed, request(lifetime=True, ends_on=None, basis=grounded)) == {
        "/lifetime": "prevention"
    }


@given(DAYS, st.sampled_from([Policy(), STRICT]))
def test_r20_an_exit_ban_lasts_at_most_six_months(day: date, policy: Policy):
    last = periods.last_day_allowed(day, 6, policy.month_convention)
    assert warned(dated(request, day, ends_on=last), KPK, policy, day) == []
    over = dated(request, day, ends_on=last + timedelta(days=1))
    assert refused(PeriodTooLong, over, KPK, policy, day) == {"/ends_on": "too_long"}


@pytest.mark.parametrize(
    ("starts_on", "last"),
    [("2025-08-31", "2026-02-28"), ("2023-08-31", "2024-02-29"), ("2026-11-23", "2027-05-23")],
)
def test_r20_the_day_number_is_kept_and_clamped_to_the_months_end(starts_on: str, last: str):
    day, end = date.fromisoformat(starts_on), date.fromisoformat(last)
    assert warned(dated(request, day, ends_on=end), today=day) == []
    over = dated(request, day, ends_on=end + timedelta(days=1))
    assert refused(PeriodTooLong, over, today=day) == {"/ends_on": "too_long"}


def test_r21_the_strict_convention_is_a_setting_and_takes_one_day():
    asked = dated(request, date(2022, 9, 7), ends_on=date(2023, 3, 7))
    assert warned(asked, today=date(2022, 9, 7)) == []
    assert refused(PeriodTooLong, asked, policy=STRICT, today=date(2022, 9, 7)) == {"/ends_on": "too_long"}


@given(DAYS, st.integers(0, 180))
def test_r21_the_owner_may_always_choose_an_earlier_end(day: date, days: int):
    assert warned(dated(request, day, ends_on=day + timedelta(days=days)), today=day) == []


def taken_over(first: str, starts_on: str, ends_on: str, count: int = 1) -> Request:
    """A measure of an older register that has been extended."""
    return request(
        origin="takeover",
        extension_count=count,
        first_started_on=date.fromisoformat(first),
        starts_on=date.fromisoformat(starts_on),
        ends_on=date.fromisoformat(ends_on),
    )


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "faults"),
    [
        ("2026-11-24", "2027-05-24", {}),
        ("2026-11-25", "2027-05-24", {"/starts_on": "extension_start"}),
        ("2026-11-24", "2027-05-25", {"/ends_on": "too_long"}),
        ("2026-05-23", "2026-11-23", {"/starts_on": "extension_start"}),
    ],
)
def test_r22_an_extension_follows_its_period_and_lasts_six_months_at_most(
    starts_on: str, ends_on: str, faults: dict[str, str]
):
    asked = taken_over("2026-05-23", starts_on, ends_on)
    if faults:
        assert refused(PeriodTooLong, asked) == faults
    else:
        assert warned(asked) == []


def test_r22_a_second_extension_is_not_taken_over():
    asked = taken_over("2025-11-22", "2026-11-23", "2027-05-22", count=2)
    assert refused(Invalid, asked) == {"/extension_count": "exhausted"}


@given(DAYS)
def test_r24_an_entry_ban_lasts_at_most_ten_years(day: date):
    last = periods.last_day_allowed(day, 120)
    assert (last.year, last.month) == (day.year + 10, day.month)
    assert warned(dated(deterrence, day, ends_on=last), IMIGRASI, today=day) == []
    over = dated(deterrence, day, ends_on=last + timedelta(days=1))
    assert refused(PeriodTooLong, over, IMIGRASI, today=day) == {"/ends_on": "too_long"}


def test_r24_ten_years_beyond_the_calendar_end_at_its_end_and_raise_nothing():
    asked = dated(deterrence, date(9995, 1, 1), ends_on=date.max)
    assert refused(PeriodTooLong, asked, IMIGRASI, today=date(9995, 1, 1)) == {"/ends_on": "too_long"}


def test_an_urgent_request_has_no_period_to_be_judged():
    assert warned(urgent(starts_on=None, ends_on=None)) == []


def test_a_period_that_is_over_or_runs_backwards_is_refused():
    early = request(starts_on=date(2026, 6, 1), ends_on=TODAY - timedelta(days=1))
    assert refused(Invalid, early) == {"/ends_on": "past"}
    assert refused(Invalid, request(ends_on=TODAY - timedelta(days=1))) == {"/ends_on": "order"}
    assert warned(request(starts_on=date(2026, 6, 1), ends_on=TODAY)) == []


def test_a_period_that_is_both_over_and_too_long_is_told_as_too_long():
    asked = request(starts_on=date(2025, 8, 31), ends_on=date(2026, 3, 1))
    assert refused(PeriodTooLong, asked) == {"/ends_on": "too_long"}
