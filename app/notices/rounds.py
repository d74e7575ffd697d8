"""The rounds in which the clocks are looked at: what is due is told, whenever that is.

A round may be late by seconds or by weeks. What it tells is computed from what the register holds, and told once
by its key; so after days of standstill the missed notices go out once, and a second round finds nothing.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from itertools import islice

from app.access.domain import SYSTEM
from app.access.service import record
from app.alerts import service as alerts
from app.db.unit import Reader
from app.entries.deadlines import CONFIRM_WITHIN, Terms, deadlines, overdue_before
from app.entries.domain import Entry
from app.entries.recorded import with_met
from app.entries.store import list_by_ids, list_versions
from app.entries.turns import list_undecided
from app.kit.clock import day_begins, legal_day
from app.kit.ids import first_id
from app.notices import store
from app.notices.domain import (
    RUNGS,
    Draft,
    ends_soon,
    pending_undecided,
    rungs_reached,
    silence,
    standing_since,
)
from app.notices.escalation import missed, overdue
from app.notices.service import tell
from app.runtime import Runtime

logger = logging.getLogger(__name__)

_LADDER = "ladder"
_SETTLED = timedelta(hours=1)
"""How long after its beginning a legal day is looked at again: a transaction that began before may commit later."""

_TICK = timedelta(milliseconds=1)
"""The grain of the time in an id."""

_SOME = 200

Judge = Callable[[Reader, list[Entry]], Awaitable[list[Draft]]]
"""Says what is to be told of some entries as they stand."""


async def warn(runtime: Runtime) -> int:
    """Tell the rungs that measures in force have reached (R30); how many notices were written."""
    async with runtime.reading(SYSTEM) as reader:
        today = legal_day(reader.now)
        told_until = await store.find_mark(reader, _LADDER)
        if told_until == today:
            return 0
        if told_until is not None and told_until > today:
            told_until = None  # by a clock that ran ahead: what it had told by then is known by its keys
        first = today - timedelta(days=max(RUNGS))
        if told_until is not None:
            first = max(first, told_until + timedelta(days=1))
        ids = await store.list_reaching(reader, first, today)
        settled = reader.now - day_begins(today) >= _SETTLED
    terms = Terms.of(runtime.settings)
    told = await _tell_of(runtime, ids, lambda reader, entries: _rungs(reader, entries, terms))
    if settled:
        async with runtime.writing(SYSTEM) as unit:
            await store.keep_mark(unit, _LADDER, today)
    return told


async def escalate(runtime: Runtime) -> int:
    """Tell every deadline that has passed unmet, and R18's on the fifth day; how many notices were written."""
    terms = Terms.of(runtime.settings)
    async with runtime.reading(SYSTEM) as reader:
        now = reader.now
        ids = await store.list_undecided(
            reader, urgent_before=first_id("ent", now - min(terms.countersign_within, CONFIRM_WITHIN) + _TICK)
        )
        for name in terms.duty_days:
            ids += await store.list_undone(reader, name, overdue_before(name, now, terms))
        ids += await store.list_unextended(reader, terms)
        late = [overdue(each) for each in await store.list_late(reader)]

    async def judge(reader: Reader, entries: list[Entry]) -> list[Draft]:
        running = [(entry, deadlines(entry, terms, entry.met)) for entry in await with_met(reader, entries)]
        return [draft for entry, some in running for draft in missed(entry, some, reader.now)]

    return await _tell_of(runtime, dict.fromkeys(ids), judge) + await _tell_news(runtime, late)


async def tell_undecided(runtime: Runtime) -> int:
    """Tell, once a day, which measures are over while papers in time are undecided (R68); how many notices."""
    async with runtime.reading(SYSTEM) as reader:
        drafts = [pending_undecided(entry, reader.now) for entry in await list_undecided(reader)]
    return await _tell_news(runtime, drafts) if drafts else 0


async def tell_silence(runtime: Runtime) -> int:
    """Tell which checkpoints have not acknowledged an alert in time (R54); how many alerts."""
    async with runtime.reading(SYSTEM) as reader:
        silent = await alerts.list_unacknowledged(reader, _SOME)
    for alert in silent:
        async with runtime.writing(SYSTEM) as unit:
            codes = await alerts.escalate(unit, alert)
            if codes:
                detail = {"unacknowledged": len(codes), "chase": [c for c in alert.chase if c in codes]}
                await record(unit, "alert.unacknowledged", alert.id, detail)
                await tell(unit, [silence(alert, codes)])
                logger.warning("an alert is not acknowledged in time", extra={"alert": alert.id, **detail})
    return len(silent)


async def _rungs(reader: Reader, entries: list[Entry], terms: Terms) -> list[Draft]:
    """What the ladder says of some entries; the history is read only of those that have something to be told."""
    reached = [entry for entry in entries if rungs_reached(entry, entry.created_at, reader.now)]
    reached = await with_met(reader, reached)  # nothing is left to do where the extension has come already
    histories = await list_versions(reader, [entry.id for entry in reached])
    return [
        ends_soon(entry, rung, deadlines(entry, terms, entry.met))
        for entry in reached
        for rung in rungs_reached(entry, standing_since(histories[entry.id]), reader.now)
    ]


async def _tell_of(runtime: Runtime, entry_ids: Iterable[str], judge: Judge) -> int:
    """Judge entries as they stand, some at a time, and tell what is new; how many notices were written."""
    told, rest = 0, iter(entry_ids)
    while some := list(islice(rest, _SOME)):
        async with runtime.reading(SYSTEM) as reader:
            entries = [entry.at(reader.now) for entry in await list_by_ids(reader, some)]
            drafts = await judge(reader, entries)
        told += await _tell_news(runtime, drafts)
    return told


async def _tell_news(runtime: Runtime, drafts: list[Draft]) -> int:
    """Tell what is new; without any, a round must not take the register's write lock again and again."""
    keys = {draft.key for draft in drafts}
    async with runtime.reading(SYSTEM) as reader:
        if not keys - await store.known_keys(reader, keys):
            return 0
    async with runtime.writing(SYSTEM) as unit:
        return len(await tell(unit, drafts))
