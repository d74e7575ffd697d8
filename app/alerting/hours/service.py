"""Use cases of opening hours: setting them, planning closures, and which checkpoints are on duty."""

from collections.abc import Collection, Container
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import Checkpoint
from app.access.places.service import get as get_place
from app.access.places.service import lock
from app.alerting.hours import store
from app.alerting.hours.domain import Closure, Duty, DutyState, Hours, Span, duty, next_opening
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid, NotFound, StaleVersion
from app.kit.ids import new_id

FARTHEST: Final = timedelta(days=731)
"""How far ahead a closure may end; a checkpoint that closes for longer is set inactive."""

MOST_CLOSURES: Final = 100
"""Greatest number of closures of a checkpoint that are not over."""


@dataclass(frozen=True, slots=True)
class HoursView:
    """The opening hours of a checkpoint, and whether it is open now.

    Attributes:
        place: the checkpoint.
        hours: the opening hours; the default (around the clock) if none were set.
        closures: the planned closures that are not over, earliest beginning first.
        duty: whether the checkpoint is open now.
        next_opening: when the checkpoint opens next; if it is open now, after its next closing. None if it does not
            open within `HORIZON` (400 days).
    """

    place: Checkpoint
    hours: Hours
    closures: list[Closure]
    duty: Duty
    next_opening: datetime | None


async def duty_of(
    reader: Reader, codes: Collection[str], now: datetime, holidays: Container[date]
) -> dict[str, Duty]:
    """Return whether each of these checkpoints is open, on standby or closed at the instant `now`, by code.

    A checkpoint whose hours were never set, or can't be read, is open except during planned closures; an unknown code
    counts as open.
    `holidays` are the public holidays. One statement reads all codes.
    """
    schedules = await store.list_schedules(reader, codes, now, holidays) if codes else {}
    always = Duty(DutyState.OPEN, None)
    return {code: duty(schedules[code], now) if code in schedules else always for code in codes}


async def read_hours(reader: Reader, code: str, holidays: Container[date]) -> HoursView:
    """Return the hours and closures of a checkpoint, and whether it is open now; `holidays` are the public holidays.

    Raises:
        NotFound: there is no checkpoint with this code.
    """
    place = await get_place(reader, Checkpoint, code)
    schedule = (await store.list_schedules(reader, [code], reader.now, holidays))[code]
    return HoursView(
        place=place,
        hours=schedule.hours,
        closures=await store.list_closures(reader, code),
        duty=duty(schedule, reader.now),
        next_opening=next_opening(schedule, reader.now),
    )


async def change_hours(unit: Unit, code: str, requested: Hours, expected: int) -> None:
    """Replace the opening hours of a checkpoint, and record the change in the audit trail. Planned closures stay.

    Args:
        unit: the transaction; its actor is the admin.
        code: the checkpoint's code.
        requested: the new hours; the version in it is ignored.
        expected: the version that the caller has read; 0 if no hours were set.

    Raises:
        NotFound: there is no checkpoint with this code.
        StaleVersion: the hours have another version now.
        Invalid: two exceptions are about the same day.
    """
    await lock(unit, Checkpoint, code)
    version = await store.find_version(unit, code)
    if expected != version:
        raise StaleVersion("They have changed since they were read.", extra={"version": version})
    days = [each.day for each in requested.exceptions]
    faults = [
        Fault(f"/exceptions/{i}/day", "repeated", "An exception for this day precedes.")
        for i, day in enumerate(days)
        if day in days[:i]
    ]
    if faults:
        raise Invalid("A day has one exception, with all openings of the day.", faults=faults)
    hours = replace(requested, version=version + 1)
    await store.save_hours(unit, code, hours)
    await record(unit, AuditAct.HOURS_CHANGED, code, {"version": hours.version})


async def plan_closure(unit: Unit, code: str, begins: datetime, ends: datetime, reason: str) -> Closure:
    """Plan a closure of a checkpoint from `begins` to `ends`; `reason` is a text. Returns the stored closure.

    Raises:
        NotFound: there is no checkpoint with this code.
        Invalid: `ends` is not after `begins`, is past, or is more than `FARTHEST` ahead; `begins` is more than
            `FARTHEST` ago; or the checkpoint has `MOST_CLOSURES` closures that are not over.
    """
    await lock(unit, Checkpoint, code)
    fault = _fault(begins, ends, unit.now)
    if fault is None and await store.count_closures(unit, code) >= MOST_CLOSURES:
        fault = Fault("", "too_many", f"A checkpoint has at most {MOST_CLOSURES} closures that are not over.")
    if fault is not None:
        raise Invalid("The closure can't be like this.", faults=[fault])
    span = Span(begins.astimezone(UTC), ends.astimezone(UTC))
    closure = Closure(new_id("cls", unit.now), span, reason)
    await store.add_closure(unit, code, closure)
    await record(unit, AuditAct.CLOSURE_PLANNED, code, {"closure": closure.id})
    return closure


async def withdraw_closure(unit: Unit, code: str, closure_id: str) -> None:
    """Withdraw a planned closure of the checkpoint with this code, or end one that has begun.

    Raises:
        NotFound: the checkpoint has no closure with this id, or it is over.
    """
    if not await store.remove_closure(unit, code, closure_id):
        raise NotFound("There is no such closure.")
    await record(unit, AuditAct.CLOSURE_WITHDRAWN, code, {"closure": closure_id})


def _fault(begins: datetime, ends: datetime, now: datetime) -> Fault | None:
    if ends <= begins:
        return Fault("/until", "order", "A closure ends after it begins.")
    if ends <= now:
        return Fault("/until", "past", "The closure is over already.")
    if ends > now + FARTHEST:
        detail = f"A closure ends within {FARTHEST.days} days; for longer, set the checkpoint inactive."
        return Fault("/until", "too_far", detail)
    if begins < now - FARTHEST:
        return Fault("/from", "too_early", f"A closure has begun within the last {FARTHEST.days} days.")
    return None
