"""Opening hours: when a checkpoint is open, in any zone, over nights, weeks, closures and changes of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerting.hours.domain import (
    HORIZON,
    DatedOpenings,
    DutyState,
    Hours,
    Opening,
    Schedule,
    Span,
    WeeklyOpening,
    duty,
    next_opening,
)

JAKARTA = ZoneInfo("Asia/Jakarta")
NEW_YORK = ZoneInfo("America/New_York")
ZONES = [
    ZoneInfo(name) for name in ("Asia/Jakarta", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia")
]

MOMENTS = st.integers(0, 8_400_000).map(
    lambda minutes: datetime(2011, 12, 20, tzinfo=UTC) + timedelta(minutes=minutes)
)
NEAR_CHANGES = st.tuples(
    st.sampled_from(
        [
            datetime(2011, 12, 30, 10, tzinfo=UTC),  # Apia skips a day
            datetime(2026, 3, 8, 7, tzinfo=UTC),  # New York skips an hour
            datetime(2026, 11, 1, 6, tzinfo=UTC),  # and has one twice
            datetime(2026, 4, 4, 15, tzinfo=UTC),  # Lord Howe has half an hour twice
            datetime(2026, 10, 3, 15, 30, tzinfo=UTC),  # and skips one
        ]
    ),
    st.integers(-3000, 3000),
).map(lambda drawn: drawn[0] + timedelta(minutes=drawn[1]))
ANY = MOMENTS | NEAR_CHANGES

TIMES = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45, 59]))
OPENINGS = st.builds(Opening, TIMES, TIMES)
HOURS = st.builds(
    Hours,
    weekly=st.lists(st.builds(WeeklyOpening, st.integers(0, 6), OPENINGS), max_size=8).map(tuple),
    exceptions=st.lists(
        st.builds(
            DatedOpenings,
            st.dates(date(2026, 3, 1), date(2026, 3, 20)),
            st.lists(OPENINGS, max_size=2).map(tuple),
        ),
        max_size=3,
        unique_by=lambda each: each.day,
    ).map(tuple),
    closed_on_holidays=st.booleans(),
    standby=st.booleans(),
)


@st.composite
def closures(draw: st.DrawFn) -> list[Span]:
    begins = draw(st.lists(ANY, max_size=3))
    return [Span(each, each + timedelta(minutes=draw(st.integers(1, 100_000)))) for each in begins]


SCHEDULES = st.builds(
    Schedule,
    zone=st.sampled_from(ZONES),
    hours=HOURS,
    closures=closures(),
    holidays=st.frozensets(st.dates(date(2026, 3, 1), date(2026, 3, 20)), max_size=4),
)


def is_open(schedule: Schedule, moment: datetime) -> bool:
    return duty(schedule, moment).state is DutyState.OPEN


def next_change(schedule: Schedule, moment: datetime) -> datetime | None:
    return duty(schedule, moment).until


def at(text: str, zone: ZoneInfo = JAKARTA, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def daily(opens: str, closes: str, *weekdays: int) -> tuple[WeeklyOpening, ...]:
    opening = Opening(time.fromisoformat(opens), time.fromisoformat(closes))
    return tuple(WeeklyOpening(weekday, opening) for weekday in weekdays or range(7))


def by_the_wall(schedule: Schedule, moment: datetime) -> bool:
    """What somebody would say who looks at the clock, the calendar and the notice on the door."""
    if any(span.begins <= moment < span.ends for span in schedule.closures):
        return False
    wall = moment.astimezone(schedule.zone).replace(tzinfo=None)
    hours = schedule.hours
    for day in (wall.date() - timedelta(days=1), wall.date()):
        dated = [each.openings for each in hours.exceptions if each.day == day]
        if dated:
            openings = dated[0]
        elif hours.closed_on_holidays and day in schedule.holidays:
            openings = ()
        elif hours.weekly:
            openings = tuple(each.opening for each in hours.weekly if each.weekday == day.weekday())
        else:
            openings = (Opening(time(0), time(0)),)
        for opening in openings:
            ends = datetime.combine(day, opening.closes)
            if opening.closes <= opening.opens:
                ends += timedelta(days=1)
            if datetime.combine(day, opening.opens) <= wall < ends:
                return True
    return False


def comes_twice(schedule: Schedule, moment: datetime) -> bool:
    """Returns whether the clock shows, or has shown within a day, times twice."""
    wall = moment.astimezone(schedule.zone).replace(tzinfo=None)
    both = [wall.replace(tzinfo=schedule.zone, fold=fold).utcoffset() for fold in (0, 1)]
    return both[0] > both[1]  # type: ignore[operator]


@given(SCHEDULES, ANY)
def test_open_is_what_the_clock_on_the_wall_says(schedule: Schedule, moment: datetime) -> None:
    if comes_twice(schedule, moment):
        assert is_open(schedule, moment) or not by_the_wall(schedule, moment)
    else:
        assert is_open(schedule, moment) == by_the_wall(schedule, moment)


@given(SCHEDULES, ANY, st.data())
def test_nothing_changes_before_the_next_change_and_something_does_then(
    schedule: Schedule, moment: datetime, data: st.DataObject
) -> None:
    now, change = is_open(schedule, moment), next_change(schedule, moment)
    until = moment + timedelta(days=30) if change is None else change
    assert until > moment
    if change is not None:
        assert is_open(schedule, change) != now
        assert change.tzinfo is UTC
    inside = data.draw(st.integers(0, int((until - moment) / timedelta(minutes=1)) - 1), "minutes")
    assert is_open(schedule, moment + timedelta(minutes=inside)) == now
    if change is not None:
        assert is_open(schedule, change - timedelta(microseconds=1)) == now


@given(SCHEDULES, ANY)
def test_the_next_opening_is_a_change_from_closed_to_open(schedule: Schedule, moment: datetime) -> None:
    opening = next_opening(schedule, moment)
    change = next_change(schedule, moment)
    if not is_open(schedule, moment):
        assert opening == change
    elif change is None:
        assert opening is None
    elif opening is not None:
        assert opening == next_change(schedule, change)
        assert is_open(schedule, opening)
        assert not is_open(schedule, opening - timedelta(microseconds=1))


def test_a_checkpoint_without_data_is_open_for_ever() -> None:
    always = Schedule(JAKARTA, Hours())
    assert duty(always, at("2026-11-23T03:00")).state is DutyState.OPEN
    assert next_change(always, at("2026-11-23T03:00")) is None
    assert next_opening(always, at("2026-11-23T03:00")) is None


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    nights = Schedule(JAKARTA, Hours(weekly=daily("22:00", "06:00", 6)))  # from Sunday to Monday
    assert not is_open(nights, at("2026-11-22T21:59"))
    assert is_open(nights, at("2026-11-22T22:00"))
    assert is_open(nights, at("2026-11-23T05:59"))
    assert next_change(nights, at("2026-11-22T23:00")) == at("2026-11-23T06:00")
    assert not is_open(nights, at("2026-11-23T06:00"))
    assert next_opening(nights, at("2026-11-23T06:00")) == at("2026-11-29T22:00")


def test_a_night_goes_on_into_a_holiday_and_none_begins_on_it() -> None:
    christmas = frozenset({date(2026, 12, 25)})
    nights = Schedule(JAKARTA, Hours(daily("22:00", "06:00"), closed_on_holidays=True), holidays=christmas)
    assert is_open(nights, at("2026-12-25T05:00"))
    assert not is_open(nights, at("2026-12-25T23:00"))
    assert not is_open(nights, at("2026-12-26T05:00"))
    working = Schedule(JAKARTA, Hours(daily("22:00", "06:00")), holidays=christmas)
    assert is_open(working, at("2026-12-25T23:00"))


def test_an_exception_replaces_the_openings_of_its_day_and_a_holiday() -> None:
    day = date(2026, 12, 25)
    short = DatedOpenings(day, (Opening(time(10), time(12)),))
    schedule = Schedule(
        JAKARTA, Hours(daily("08:00", "16:00"), (short,), closed_on_holidays=True), holidays=frozenset({day})
    )
    assert not is_open(schedule, at("2026-12-25T09:00"))
    assert is_open(schedule, at("2026-12-25T11:00"))
    assert not is_open(schedule, at("2026-12-25T13:00"))
    closed = Schedule(JAKARTA, Hours((), (DatedOpenings(day, ()),)))
    assert duty(closed, at("2026-12-25T09:00")).until == at("2026-12-26T00:00")


def test_openings_that_touch_are_one() -> None:
    schedule = Schedule(JAKARTA, Hours(daily("06:00", "14:00", 0) + daily("14:00", "22:00", 0)))
    assert next_change(schedule, at("2026-11-23T07:00")) == at("2026-11-23T22:00")
    whole = Schedule(JAKARTA, Hours(daily("00:00", "00:00")))
    assert next_change(whole, at("2026-11-23T07:00")) is None


def test_a_closure_over_midnight_is_cut_out() -> None:
    closure = Span(at("2026-11-23T15:00"), at("2026-11-25T09:30"))
    schedule = Schedule(JAKARTA, Hours(daily("08:00", "16:00")), [closure])
    assert next_change(schedule, at("2026-11-23T10:00")) == closure.begins
    assert not is_open(schedule, at("2026-11-24T10:00"))
    assert next_change(schedule, closure.begins) == closure.ends
    assert is_open(schedule, closure.ends)


def test_closures_that_overlap_are_one() -> None:
    spans = [
        Span(at("2026-11-23T12:00"), at("2026-11-23T18:00")),
        Span(at("2026-11-23T11:00"), at("2026-11-23T13:00")),
        Span(at("2026-11-23T18:00"), at("2026-11-23T19:00")),
    ]
    schedule = Schedule(JAKARTA, Hours(), spans)
    assert next_change(schedule, at("2026-11-23T10:00")) == at("2026-11-23T11:00")
    assert next_change(schedule, at("2026-11-23T11:30")) == at("2026-11-23T19:00")


@pytest.mark.parametrize(("standby", "state"), [(False, DutyState.CLOSED), (True, DutyState.STANDBY)])
def test_outside_its_hours_it_is_closed_or_on_standby(*, standby: bool, state: DutyState) -> None:
    schedule = Schedule(JAKARTA, Hours(daily("08:00", "16:00"), standby=standby))
    assert duty(schedule, at("2026-11-23T07:00")).state is state
    assert duty(schedule, at("2026-11-23T08:00")).state is DutyState.OPEN


def test_a_skipped_time_is_the_instant_of_the_change() -> None:
    schedule = Schedule(NEW_YORK, Hours(daily("02:30", "03:15")))
    change = datetime(2026, 3, 8, 7, 0, tzinfo=UTC)
    assert not is_open(schedule, change - timedelta(microseconds=1))
    assert is_open(schedule, change)
    assert next_change(schedule, change) == at("2026-03-08T03:15", NEW_YORK)


def test_an_opening_within_a_skipped_hour_does_not_happen() -> None:
    schedule = Schedule(NEW_YORK, Hours(daily("02:10", "02:50")))
    assert next_opening(schedule, at("2026-03-08T00:00", NEW_YORK)) == at("2026-03-09T02:10", NEW_YORK)


def test_of_a_time_that_comes_twice_it_opens_at_the_first_and_closes_at_the_second() -> None:
    schedule = Schedule(NEW_YORK, Hours(daily("01:15", "01:45")))
    first = at("2026-11-01T01:15", NEW_YORK, 0)
    assert next_opening(schedule, first - timedelta(hours=1)) == first
    assert next_change(schedule, first) == at("2026-11-01T01:45", NEW_YORK, 1)
    assert is_open(schedule, at("2026-11-01T01:10", NEW_YORK, 1))


def test_what_is_farther_than_the_horizon_is_no_change() -> None:
    now = at("2026-11-23T10:00")
    near, far = now + HORIZON - timedelta(days=1), now + HORIZON
    assert next_change(Schedule(JAKARTA, Hours(), [Span(near, far)]), now) == near
    assert next_change(Schedule(JAKARTA, Hours(), [Span(far, far + timedelta(days=1))]), now) is None
    shut = Schedule(JAKARTA, Hours(), [Span(now, far)])
    assert duty(shut, now).state is DutyState.CLOSED
    assert duty(shut, now).until is None
