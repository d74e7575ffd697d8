"""The use case of the statistics: count the figures of a period and hide the small ones."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import IMMIGRATION, Role
from app.actor import Actor
from app.casework.statistics.counting import month_of, months_of, tally_of
from app.casework.statistics.domain import Shown, show
from app.casework.statistics.figures import OF_CHECKPOINTS, Dimension, Figure
from app.casework.statistics.store import Span
from app.errors import Fault, Invalid
from app.kit.clock import day_begins, day_ends, legal_day
from app.runtime import Runtime

LONGEST = timedelta(days=731)
"""The longest period of one table."""

_SEES_ALL = (Role.AUDITOR, Role.APPROVER, Role.ADMIN)


_TICK = timedelta(milliseconds=1)
"""Resolution of the time in ids."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A counted table, with its period and owner.

    Attributes:
        first_on, last_on: the legal days of the period.
        as_of: when it was counted.
        agency: code of the agency whose figures were counted; None for all agencies.
        smallest_cell: the least number of persons that is published.
        table: the published table.
    """

    first_on: date
    last_on: date
    as_of: datetime
    agency: str | None
    smallest_cell: int
    table: Shown


async def count(
    runtime: Runtime, actor: Actor, first_on: date | None, last_on: date | None, by: tuple[Dimension, ...]
) -> Counted:
    """Return the figures of a period by one dimension or two, with small ones hidden, and log the access.

    A process makes one table of figures at a time; a further call waits for those before it.

    Args:
        runtime: the process's databases, clock and settings.
        actor: the reader. Auditors, approvers and admins get all agencies' figures, others their own agency's. For
            agencies other than Immigration the figures of checkpoints (`OF_CHECKPOINTS`) are left empty.
        first_on: first legal day; None for the day 364 days before the last one.
        last_on: last legal day; None for today.
        by: the dimensions, one or two.

    Raises:
        Invalid: the last day is in the future, the days are in the wrong order or further apart than `LONGEST`, or a
            dimension is named twice.
    """
    settings, now = runtime.settings, runtime.clock()
    last_on = last_on or legal_day(now)
    first_on = first_on or last_on - timedelta(days=364)
    _check(first_on, last_on, by, legal_day(now))
    owner = None if actor.holds(*_SEES_ALL) else actor.agency
    span = Span(day_begins(first_on), min(day_ends(last_on), now + _TICK), owner)
    async with runtime.counting:
        tally = await tally_of(runtime, actor, span, by)
        excluded = OF_CHECKPOINTS if owner not in {None, IMMIGRATION} else frozenset[Figure]()
        months = [month_of(since) for since, _ in months_of(span)]
        # Slow pure Python: in a thread, the interpreter switches to the event loop every few milliseconds.
        table = await asyncio.to_thread(show, tally, months, settings.statistics_smallest_cell, excluded)
    async with runtime.writing(actor) as unit:
        detail = {"from": first_on.isoformat(), "to": last_on.isoformat(), "by": [*by]}
        await record(unit, AuditAct.STATISTICS_READ, owner, detail)
    return Counted(first_on, last_on, now, owner, settings.statistics_smallest_cell, table)


def _check(first_on: date, last_on: date, by: tuple[Dimension, ...], today: date) -> None:
    faults = []
    if last_on > today:
        faults.append(Fault("", "future", "The last day is in the future."))
    if not first_on <= last_on <= first_on + LONGEST:
        detail = "The first day must be before the last, by two years at most."
        faults.append(Fault("", "period", detail))
    if len(set(by)) != len(by):
        faults.append(Fault("", "twice", "A dimension is named once."))
    if faults:
        raise Invalid(faults[0].detail, faults=faults)
