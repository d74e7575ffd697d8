"""Periodic rounds that write the notices which are due because time has passed.

A round may be late by seconds or by weeks. Its notices are computed from the rows of the register, and each is stored
once by its key; so after an outage of days the missed notices are sent once, and a second round writes nothing.
"""

import logging
from collections.abc import Awaitable, Callable, Container, Iterable, Sequence
from datetime import date, timedelta
from itertools import islice

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import SYSTEM
from app.alerting.alerts import service as alerts
from app.alerting.hours.domain import DutyState
from app.alerting.hours.service import duty_of
from app.alerting.notices import store
from app.alerting.notices.domain import (
    RUNGS,
    NoticeContent,
    countersign_awaited,
    ends_soon,
    in_force_since,
    not_acknowledged,
    pending_undecided,
    rungs_reached,
)
from app.alerting.notices.overdue import OverdueAct, missed, overdue
from app.alerting.notices.service import notify
from app.db.unit import Reader, Unit
from app.kit.clock import day_begins, legal_day
from app.kit.ids import first_id
from app.register.entries.domain import Entry, State
from app.register.entries.duties.store import with_done_times
from app.register.entries.law.deadlines import CONFIRM_WITHIN, Terms, deadlines, overdue_before
from app.register.entries.pending import undecided
from app.register.entries.store import list_by_ids, list_versions
from app.register.entries.timed_changes import list_undecided_ids
from app.runtime import Done, Runtime

logger = logging.getLogger(__name__)

_LADDER = "ladder"
_LADDER_TRIED = "ladder_tried"
"""Names of the daily round that writes the notices of near ends: as written for all entries, and as tried."""

_SETTLED = timedelta(hours=1)
"""How long a legal day is searched again after its beginning: a transaction that began before may commit later."""

_TICK = timedelta(milliseconds=1)
"""Resolution of the time in an id."""
_BATCH_SIZE = 200

Judge = Callable[[Reader, list[Entry]], Awaitable[list[NoticeContent]]]
"""A function that returns the notices about some entries in their present state."""


async def notify_ends_soon(runtime: Runtime) -> int:
    """Write the notices of measures in force that end soon, on the rungs of their ladders (R30).

    A rung is one of the days before the end on which the owner is notified. An entry that fails is logged, and tried
    again each day. Returns the number of new notices.
    """
    async with runtime.reading(SYSTEM) as reader:
        today = legal_day(reader.now)
        done_until = await store.find_written_until(reader, _LADDER)
        if today in {done_until, await store.find_written_until(reader, _LADDER_TRIED)}:
            return 0
        if done_until is not None and done_until > today:
            done_until = None  # set by a wrong clock; keys prevent a second notice of the same rung
        first = today - timedelta(days=max(RUNGS))
        if done_until is not None:
            first = max(first, done_until + timedelta(days=1))
        ids = await store.list_reaching(reader, first, today)
        settled = reader.now - day_begins(today) >= _SETTLED
    terms = Terms.of(runtime.settings)
    written = await _notify_about(runtime, ids, lambda reader, entries: _rungs(reader, entries, terms))
    if settled:
        async with runtime.writing(SYSTEM) as unit:
            await store.store_written_until(unit, _LADDER_TRIED if written.failed else _LADDER, today)
    return written.number


async def notify_overdue(runtime: Runtime) -> int:
    """Write the notices of deadlines that have passed unmet. Returns how many notices are new.

    The deadlines are those of entries, amendments, objections and correction requests. A request for an entry that is
    undecided on the fifth of its seven days has a warning too (R18).
    """
    terms = Terms.of(runtime.settings)
    async with runtime.reading(SYSTEM) as reader:
        now = reader.now
        ids = await store.list_undecided(
            reader, urgent_before=first_id("ent", now - min(terms.countersign_within, CONFIRM_WITHIN) + _TICK)
        )
        for name in terms.duty_days:
            ids += await store.list_undone(reader, name, overdue_before(name, now, terms))
        ids += await store.list_unextended(reader, terms)
        late = await store.list_overdue_acts(reader)

    async def judge(reader: Reader, entries: list[Entry]) -> list[NoticeContent]:
        running = [
            (entry, deadlines(entry, terms, entry.met)) for entry in await with_done_times(reader, entries)
        ]
        return [
            content
            for entry, terms_of_entry in running
            for content in missed(entry, terms_of_entry, reader.now)
        ]

    async def write(acts: Sequence[OverdueAct]) -> int:
        return await _write_new(runtime, [overdue(each) for each in acts])

    about_entries = await _notify_about(runtime, dict.fromkeys(ids), judge)
    about_acts = await runtime.do_together_or_apart(
        late, write, "officers can't be notified of a late act now"
    )
    return about_entries.number + about_acts.number


async def notify_undecided(runtime: Runtime) -> int:
    """Write the daily notices of measures that are over and wait for undecided papers. Returns how many are new.

    The papers extend or follow the measure, and arrived in time (R68).
    """
    async with runtime.reading(SYSTEM) as reader:
        ids = await list_undecided_ids(reader)

    async def judge(reader: Reader, entries: list[Entry]) -> list[NoticeContent]:
        return [pending_undecided(entry, reader.now) for entry in entries if undecided(entry, reader.now)]

    return (await _notify_about(runtime, ids, judge)).number


async def notify_countersign_awaited(runtime: Runtime) -> int:
    """Write the half-hourly notices of urgent entries that wait for a countersignature and stop nobody before it.

    Returns the number of new notices.
    """
    async with runtime.reading(SYSTEM) as reader:
        ids = await store.list_uncountersigned(reader)

    async def judge(reader: Reader, entries: list[Entry]) -> list[NoticeContent]:
        return [countersign_awaited(entry, reader.now) for entry in entries if entry.state is State.SUBMITTED]

    return (await _notify_about(runtime, ids, judge)).number


async def notify_unacknowledged(runtime: Runtime) -> int:
    """Notify officers of alerts that were not acknowledged in time (R54), and mark these alerts as escalated.

    Alerts that a later one of their family has replaced are left out. A checkpoint that is closed and has no standby is
    not reported, because nobody there can acknowledge. A failure with one alert is logged and does not stop the others.
    Returns the number of alerts marked, including those without a checkpoint to report.
    """
    marked = 0
    async for _, alert_id in runtime.each_due(SYSTEM, alerts.list_unnotified, _BATCH_SIZE):
        with runtime.isolating("officers can't be notified of a missing acknowledgement now", alert=alert_id):
            async with runtime.writing(SYSTEM) as unit:
                await _notify_unacknowledged(unit, alert_id, runtime.settings.holidays)
            marked += 1
    return marked


async def _notify_unacknowledged(unit: Unit, alert_id: str, holidays: Container[date]) -> None:
    """Mark an alert as escalated, and notify officers of the checkpoints on duty that have not acknowledged it."""
    alert = await alerts.get_alert(unit, alert_id)
    codes = await alerts.list_without_acknowledgement(unit, alert)
    await alerts.mark_escalated(unit, alert_id)
    duties = await duty_of(unit, codes, unit.now, holidays)
    codes = [code for code in codes if duties[code].state is not DutyState.CLOSED]
    if codes:
        detail = {"unacknowledged": len(codes), "chase": [c for c in alert.chase if c in codes]}
        await record(unit, AuditAct.ALERT_UNACKNOWLEDGED, alert.id, detail)
        await notify(unit, [not_acknowledged(alert, codes)])
        logger.warning("an alert is not acknowledged in time", extra={"alert": alert.id, **detail})


async def _rungs(reader: Reader, entries: list[Entry], terms: Terms) -> list[NoticeContent]:
    """Return the notices of the rungs that some entries have reached; read the history only of candidates."""
    reached = [entry for entry in entries if rungs_reached(entry, entry.created_at, reader.now)]
    reached = await with_done_times(
        reader, reached
    )  # no act is due where the extension has been filed already
    histories = await list_versions(reader, [entry.id for entry in reached])
    return [
        ends_soon(entry, rung, deadlines(entry, terms, entry.met))
        for entry in reached
        for rung in rungs_reached(entry, in_force_since(histories[entry.id]), reader.now)
    ]


async def _notify_about(runtime: Runtime, entry_ids: Iterable[str], judge: Judge) -> Done[str]:
    """Judge entries in batches and write the notices that are new. Returns their number, and the entries that failed.

    An entry that fails is logged, and the others go on.
    """

    async def notify_some(batch: Sequence[str]) -> int:
        async with runtime.reading(SYSTEM) as reader:
            entries = [entry.at(reader.now) for entry in await list_by_ids(reader, batch)]
            contents = await judge(reader, entries)
        return await _write_new(runtime, contents)

    written, failed, rest = 0, list[str](), iter(entry_ids)
    while batch := list(islice(rest, _BATCH_SIZE)):
        failure = "officers can't be notified about an entry now"
        done = await runtime.do_together_or_apart(batch, notify_some, failure)
        written += done.number
        failed += done.failed
    return Done(written, failed)


async def _write_new(runtime: Runtime, contents: list[NoticeContent]) -> int:
    """Write the notices that are new, and return their number; take the register's write lock only if there are any."""
    keys = {content.key for content in contents}
    if not keys:
        return 0
    async with runtime.reading(SYSTEM) as reader:
        if not keys - await store.known_keys(reader, keys):
            return 0
    async with runtime.writing(SYSTEM) as unit:
        return len(await notify(unit, contents))
