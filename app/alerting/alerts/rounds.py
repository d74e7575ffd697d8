"""Periodic rounds that store the ends and announce the beginnings of measures once their instants have passed.

The answers of the register do not depend on when the rounds run: they follow from the periods of the entries.
"""

from app.access.domain import SYSTEM
from app.alerting.alerts import service, store
from app.register.entries import service as entries
from app.register.entries.timed_changes import list_overdue
from app.runtime import Runtime

_BATCH_SIZE = 200


async def store_ends(runtime: Runtime) -> int:
    """Store the ends of measures whose period is over. Returns their number.

    If an entry fails, the error is logged and the others are done.
    """
    ended = 0
    async for _, entry_id in runtime.each_due(SYSTEM, list_overdue, _BATCH_SIZE):
        with runtime.isolating("an entry's end can't be recorded now", entry=entry_id):
            async with runtime.irreversible(SYSTEM) as unit:
                ended += await entries.end_by_law(unit, entry_id) is not None
    return ended


async def alert_pending(runtime: Runtime) -> int:
    """Alert checkpoints to measures whose period is over while their papers are undecided (R68).

    If an entry fails, the error is logged and the others are done. Returns the number of alerts.
    """
    sent = 0
    async for _, entry_id in runtime.each_due(SYSTEM, service.list_outdated, _BATCH_SIZE):
        with runtime.isolating("undecided papers can't be announced now", entry=entry_id):
            async with runtime.irreversible(SYSTEM) as unit:
                sent += await service.announce_pending(unit, entry_id)
    return sent


async def announce_begun(runtime: Runtime) -> int:
    """Alert checkpoints to formal entries whose period has begun, if they were alerted to the urgent entry before.

    If an entry fails, the error is logged and the others are done. Returns the number of alerts.
    """
    announced = 0
    async for _, entry_id in runtime.each_due(SYSTEM, store.list_begun, _BATCH_SIZE):
        with runtime.isolating("a beginning can't be announced now", entry=entry_id):
            async with runtime.irreversible(SYSTEM) as unit:
                announced += await service.announce_begun(unit, entry_id)
    return announced
