"""Opening hours: weekly openings, days that differ, planned closures, and what follows for an instant; pure.

An opening belongs to the day on which it begins: one from 22:00 to 06:00 on Monday ends on Tuesday morning, also where
Tuesday is a day without openings. A time of the clock that a change to summer time skips is taken as the instant of
the change; of one that comes twice, an opening begins at the first and ends at the second, so that a checkpoint is
never taken as closed while its people are there.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, Protocol, Self, TypeVar
from zoneinfo import ZoneInfo

from app.kit.wall_clock import instant_of

HORIZON: Final = timedelta(days=400)
"""How far ahead a change is looked for: more than a year, so that a holiday of each year is found."""

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_DAY: Final = timedelta(days=1)
_ALL_DAY: Final = ((timedelta(0), _DAY),)


class _Ordered(Protocol):
    def __lt__(self, other: Self, /) -> bool: ...


T = TypeVar("T", bound=_Ordered)


class DutyState(StrEnum):
    """Whether people at a checkpoint can act on an alert: it is open, is closed with a standby, or is closed.

    On `standby` somebody can be called.
    """

    OPEN = "open"
    STANDBY = "standby"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Duty:
    """Whether a checkpoint is open, on standby or closed at an instant.

    Attributes:
        state: the state at that instant.
        until: when the checkpoint opens or closes next; None if not within `HORIZON` (400 days).
    """

    state: DutyState
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Opening:
    """The part of a day for which a checkpoint is open, in the checkpoint's own time zone.

    Attributes:
        opens: time of day at which the checkpoint opens.
        closes: time of day at which it closes; on the next day if this is not after `opens`.
    """

    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class WeeklyOpening:
    """An opening of each week; weekdays are numbered as Python does, Monday is 0."""

    weekday: int
    opening: Opening


@dataclass(frozen=True, slots=True)
class DatedOpenings:
    """The openings of one day, in place of the weekly ones. Without openings the checkpoint is closed on that day."""

    day: date
    openings: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class Hours:
    """The opening hours of a checkpoint, as an admin sets them.

    Attributes:
        weekly: the openings of each week; if empty, the checkpoint is open around the clock.
        exceptions: days with other openings, at most one item for each day.
        closed_on_holidays: whether the checkpoint is closed on public holidays that are not among `exceptions`.
        standby: whether somebody can be called while the checkpoint is closed.
        version: number of changes so far; 0 if the hours were never set.
    """

    weekly: tuple[WeeklyOpening, ...] = ()
    exceptions: tuple[DatedOpenings, ...] = ()
    closed_on_holidays: bool = False
    standby: bool = False
    version: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A period from an instant, which it includes, to another instant, which it excludes."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Closure:
    """A planned closure, from one instant to another."""

    id: str
    span: Span
    reason: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that decides when a checkpoint is open.

    Attributes:
        zone: the checkpoint's time zone.
        hours: the checkpoint's opening hours.
        closures: the times of the checkpoint's planned closures, in any order. Closures that are over may be left out.
        holidays: the public holidays.
    """

    zone: ZoneInfo
    hours: Hours
    closures: Collection[Span] = ()
    holidays: Container[date] = frozenset()


def next_opening(schedule: Schedule, at: datetime) -> datetime | None:
    """Return the first instant after `at` at which a checkpoint opens; None if it is not within `HORIZON` (400 days).

    If the checkpoint is open at `at`, the result is the opening after its next closing.
    """
    begins = next((span.begins for span in _open_spans(schedule, at) if span.begins > at), None)
    return begins if begins is not None and begins - at < HORIZON else None


def duty(schedule: Schedule, at: datetime) -> Duty:
    """Return whether a checkpoint is open, on standby or closed at the instant `at`, and when that changes next."""
    outside = DutyState.STANDBY if schedule.hours.standby else DutyState.CLOSED
    span = next(_open_spans(schedule, at), None)
    if span is None:
        return Duty(outside, None)
    is_open = span.begins <= at
    change = span.ends if is_open else span.begins
    return Duty(DutyState.OPEN if is_open else outside, change if change - at < HORIZON else None)


def _open_spans(schedule: Schedule, after: datetime) -> Iterator[Span]:
    """Yield the times of opening that end after an instant, in order, none touching another.

    The first may begin long before the instant; what begins or ends beyond `HORIZON` is not exact.
    """
    for span in _without(_planned_spans(schedule, after), schedule.closures):
        if span.ends > after:
            yield span


def _planned_spans(schedule: Schedule, after: datetime) -> Iterator[Span]:
    hours = schedule.hours
    if not (hours.weekly or hours.exceptions or hours.closed_on_holidays):
        yield Span(after - 2 * HORIZON, after + 2 * HORIZON)
        return
    local = _merged(_local_times(schedule, after.astimezone(schedule.zone).date()))
    instants = (
        (instant_of(begins, schedule.zone, 0), instant_of(ends, schedule.zone, 1)) for begins, ends in local
    )
    for begins, ends in _merged(pair for pair in instants if pair[0] < pair[1]):
        yield Span(begins, ends)


def _local_times(schedule: Schedule, today: date) -> Iterator[tuple[datetime, datetime]]:
    """Yield the openings from the day before yesterday on, by their beginnings, as times of the checkpoint's clock."""
    hours = schedule.hours
    exceptions = {each.day: _parts(each.openings) for each in hours.exceptions}
    by_weekday = [
        _parts([each.opening for each in hours.weekly if each.weekday == weekday])
        if hours.weekly
        else _ALL_DAY
        for weekday in range(len(WEEKDAYS))
    ]
    for number in range(-2, HORIZON.days + 2):
        day = today + timedelta(days=number)
        parts = exceptions.get(day)
        if parts is None:
            closed = hours.closed_on_holidays and day in schedule.holidays
            parts = () if closed else by_weekday[day.weekday()]
        midnight = datetime.combine(day, time.min)
        for begins, ends in parts:
            yield midnight + begins, midnight + ends


def _parts(openings: Iterable[Opening]) -> Sequence[tuple[timedelta, timedelta]]:
    """Return the openings of a day, in order, as times since its midnight."""
    pairs = ((_since_midnight(each.opens), _since_midnight(each.closes)) for each in openings)
    return sorted((opens, closes if closes > opens else closes + _DAY) for opens, closes in pairs)


def _since_midnight(at: time) -> timedelta:
    return timedelta(hours=at.hour, minutes=at.minute)


def _merged(pairs: Iterable[tuple[T, T]]) -> Iterator[tuple[T, T]]:
    """Join pairs that overlap or touch; they come by their beginnings."""
    pending: tuple[T, T] | None = None
    for begins, ends in pairs:
        if pending is None:
            pending = begins, ends
        elif pending[1] < begins:
            yield pending
            pending = begins, ends
        elif pending[1] < ends:
            pending = pending[0], ends
    if pending is not None:
        yield pending


def _without(spans: Iterator[Span], closures: Collection[Span]) -> Iterator[Span]:
    """Yield what is left of spans, in order, where closures are cut out."""
    cuts = [Span(*pair) for pair in _merged((c.begins, c.ends) for c in sorted(closures, key=_beginning))]
    for span in spans:
        begins = span.begins
        for cut in cuts:
            if cut.ends <= begins or cut.begins >= span.ends:
                continue
            if begins < cut.begins:
                yield Span(begins, cut.begins)
            begins = cut.ends
        if begins < span.ends:
            yield Span(begins, span.ends)


def _beginning(span: Span) -> datetime:
    return span.begins
