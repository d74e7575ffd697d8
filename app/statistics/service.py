"""The statistics' use case: figures of a time, with nothing in them that tells of few persons."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.access.domain import IMMIGRATION
from app.access.service import record
from app.db.unit import Actor
from app.errors import Fault, Invalid
from app.kit.clock import day_begins, day_ends, legal_day
from app.runtime import Runtime
from app.statistics.counting import month_of, months_of, tally_of
from app.statistics.domain import Shown, show
from app.statistics.figures import OF_CHECKPOINTS, Dimension, Figure
from app.statistics.store import Span

LONGEST = timedelta(days=731)
"""How long a time may be counted at once."""

_SEES_ALL = ("auditor", "approver", "admin")


_TICK = timedelta(milliseconds=1)
"""What ids tell apart: everything of the present one has happened already."""


@dataclass(frozen=True, slots=True)
class Counted:
    """A table, and what it is about.

    Attributes:
        agency: whose figures they are; None for all.
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
    """Figures of a time, by one dimension or two; who asked for what is recorded.

    One table is counted at a time in a process: the others wait their turn, and the rest of the service
    doesn't wait at all.

    Args:
        runtime: the process.
        actor: auditors, approvers and admins see all agencies' figures, others their own.
        first_on: first legal day; by default a year before the last.
        last_on: last legal day; by default today.
        by: the dimensions.

    Raises:
        Invalid: the days make no sense, or a dimension is named twice.
    """
    settings, now = runtime.settings, runtime.clock()
    last_on = last_on or legal_day(now)
    first_on = first_on or last_on - timedelta(days=364)
    _check(first_on, last_on, by, legal_day(now))
    owner = None if actor.holds(*_SEES_ALL) else actor.agency
    span = Span(day_begins(first_on), min(day_ends(last_on), now + _TICK), owner)
    async with runtime.counting:
        tally = await tally_of(runtime, actor, span, by)
        left_out = OF_CHECKPOINTS if owner not in {None, IMMIGRATION} else frozenset[Figure]()
        months = [month_of(since) for since, _ in months_of(span)]
        # Pure Python that takes long: from a thread it lets the loop in every few milliseconds.
        table = await asyncio.to_thread(show, tally, months, settings.statistics_smallest_cell, left_out)
    async with runtime.writing(actor) as unit:
        detail = {"from": first_on.isoformat(), "to": last_on.isoformat(), "by": [*by]}
        await record(unit, "statistics.read", owner, detail)
    return Counted(first_on, last_on, now, owner, settings.statistics_smallest_cell, table)


def _check(first_on: date, last_on: date, by: tuple[Dimension, ...], today: date) -> None:
    faults = []
    if last_on > today:
        faults.append(Fault("", "future", "The last day lies in the future."))
    if not first_on <= last_on <= first_on + LONGEST:
        detail = "The first day lies before the last, at most two years."
        faults.append(Fault("", "period", detail))
    if len(set(by)) != len(by):
        faults.append(Fault("", "twice", "A dimension is named once."))
    if faults:
        raise Invalid(faults[0].detail, faults=faults)
