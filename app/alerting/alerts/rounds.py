"""Periodic rounds that store the ends and announce the beginnings of measures once their instants have passed.

The answers of the register do not depend on when the rounds run: they follow from the periods of the entries.
"""

from collections.abc import Awaitable, Callable

from app.access.domain import SYSTEM
from app.alerting.alerts import service, store
from app.db.pages import Position
from app.db.unit import Unit
from app.register.entries import service as entries
from app.register.entries.timed_changes import list_overdue
from app.runtime import ListDue, Runtime

_BATCH_SIZE = 200


async def store_ends(runtime: Runtime) -> int:
    """Store the ends of measures whose period is over. Returns their number.

    If an entry fails, the error is logged and the others are done.
    """
    failure = "an entry's end can't be recorded now"
    return await _act_on_each(runtime, list_overdue, entries.end_by_law, failure)


async def alert_pending(runtime: Runtime) -> int:
    """Alert checkpoints to measures whose period is over while their papers are undecided (R68).

    If an entry fails, the error is logged and the others are done. Returns the number of alerts.
    """
    failure = "undecided papers can't be announced now"
    return await _act_on_each(runtime, service.list_outdated, service.announce_pending, failure)


async def announce_begun(runtime: Runtime) -> int:
    """Alert checkpoints to formal entries whose period has begun, if they were alerted to the urgent entry before.

    If an entry fails, the error is logged and the others are done. Returns the number of alerts.
    """
    failure = "a beginning can't be announced now"
    return await _act_on_each(runtime, store.list_begun, service.announce_begun, failure)


async def _act_on_each(
    runtime: Runtime,
    list_due: ListDue[Position],
    act: Callable[[Unit, str], Awaitable[bool]],
    failure: str,
) -> int:
    """Act on each due entry in a transaction of its own. Returns how often `act` returned True."""
    done = 0
    async for _, entry_id in runtime.each_due(SYSTEM, list_due, _BATCH_SIZE):
        with runtime.isolating(failure, entry=entry_id):
            async with runtime.irreversible(SYSTEM) as unit:
                done += await act(unit, entry_id)
    return done
