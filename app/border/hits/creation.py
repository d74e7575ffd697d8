"""Creating hits in the register from the checks that opened them.

On SQLite checks and register are files that commit separately, and on no engine may a check wait for the register. So a
check's transaction stores only the hit's id, in its row and in a queue. A moment later the hit is created here in one
transaction with the notice to the owner, and only then removed from the queue. A process that dies in between loses
nothing: the next round, or an earlier request for the hit, creates it. The queue makes the result independent of
clocks.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from app.access.domain import SYSTEM
from app.alerting.notices.domain import NoticeContent
from app.alerting.notices.service import notify
from app.border.checks import hit_store
from app.border.checks import store as checks
from app.border.checks.store import OpenedHit
from app.border.hits import store
from app.border.hits.domain import Hit, HitState, Matched, opened_notices
from app.db.unit import Reader, Unit
from app.runtime import Runtime

_BATCH_SIZE: Final = 200


async def create_hits(runtime: Runtime) -> int:
    """Create the register's hits from the queue that checks fill, and notify the entries' owners.

    Returns the number of new hits. Hits that the register has already are only removed from the queue. If a hit can't
    be created, the error is logged, the hit stays in the queue, and the others are created. While the register is
    rolled back (put back to an earlier state), nothing is done, all hits stay in the queue, and 0 is returned.
    """
    if runtime.rollback is not None:
        return 0
    new, create = 0, partial(_create_queued, runtime)
    async for came in runtime.due_in_batches(SYSTEM, hit_store.list_opened_hits, _BATCH_SIZE, checks=True):
        new += (await runtime.do_together_or_apart(came, create, "a hit can't be created now")).number
        await asyncio.sleep(0)
    return new


async def _create_queued(runtime: Runtime, came: Sequence[OpenedHit]) -> int:
    """Create the hits of some checks that the register lacks, and remove them from the queue. Returns their number."""
    new = await _create(runtime, {each.hit_id: each.check_id for each in reversed(came)})
    async with runtime.writing_checks(SYSTEM) as unit:
        await hit_store.forget_opened_hits(unit, [each.check_id for each in came])
    return new


async def requeue_lost(runtime: Runtime) -> int:
    """Queue again the hits of checks that the register has lost, because its database was restored from a backup.

    Checks are read from the newest backwards, in pages, until the register has all hits of a page. The lost hits are
    queued in one transaction, so that a failed call can be repeated. If checks and register share one database, a
    restore concerns both: then nothing is done, and 0 is returned.

    Returns:
        The number of checks with a hit that the register has lost.
    """
    if runtime.checks is runtime.register:
        return 0
    lost: list[OpenedHit] = []
    before = None
    while True:
        async with runtime.reading_checks(SYSTEM) as reader:
            latest = await hit_store.list_latest_hits(reader, before, _BATCH_SIZE)
        async with runtime.reading(SYSTEM) as reader:
            known = await store.list_existing(reader, {each.hit_id for each in latest})
        forgotten = [each for each in latest if each.hit_id not in known]
        if not forgotten:
            break
        lost += forgotten
        before = latest[-1].check_id
    if lost:
        async with runtime.writing_checks(SYSTEM) as unit:
            await hit_store.queue_hits(unit, lost)
    return len(lost)


async def _create(runtime: Runtime, queued: Mapping[str, str]) -> int:
    """Create those of some hits that the register does not have yet. Returns their number.

    Args:
        runtime: the process.
        queued: the first check of each hit, by the hit's id.
    """
    async with runtime.reading(SYSTEM) as reader:
        known = await store.list_existing(reader, queued)
    fresh = [check_id for hit_id, check_id in queued.items() if hit_id not in known]
    if not fresh:
        return 0
    async with runtime.reading_checks(SYSTEM) as reader:
        records = await checks.list_records(reader, fresh)
    async with runtime.writing(SYSTEM) as unit:
        hits = await _add(unit, runtime, records)
        await notify(unit, [content for hit in hits for content in opened_notices(hit)])
    return len(hits)


async def create_hit(unit: Unit, runtime: Runtime, hit_id: str) -> tuple[Hit | None, list[NoticeContent]]:
    """Create the register's hit with this id from the check that opened it, unless the register has the hit already.

    Returns:
        The hit, new or not; None if no check has opened a hit with this id. And the notices of a new hit; empty for
        others. The caller must write these notices at the end of its transaction, because writing them locks the
        numbers of notices.
    """
    async with runtime.checks_beside(unit) as reader:
        record = await checks.find_hit(reader, hit_id)
    if record is None:
        return None, []
    adopted = await _add(unit, runtime, [record])
    if adopted:
        return adopted[0], opened_notices(adopted[0])
    return await store.find(unit, hit_id), []


async def _add(unit: Unit, runtime: Runtime, records: Sequence[Any]) -> list[Hit]:
    await store.lock_creation(unit)
    # Several checks may share one hit: its content comes from the first of them.
    first = {record.hit_id: record for record in reversed(records)}
    known = await store.list_existing(unit, first.keys())
    within = timedelta(minutes=runtime.settings.hit_resolve_minutes)
    async with runtime.checks_beside(unit) as reader:
        hits = [
            await _hit(reader, record, within)
            for record in reversed(first.values())
            if record.hit_id not in known
        ]
    if hits:
        await store.add(unit, hits)
    return hits


async def _hit(reader: Reader, record: Any, within: timedelta) -> Hit:
    entry_ids = checks.entry_ids_in(record.matches)
    matches = await checks.list_matches(reader, record.id, entry_ids)
    return Hit(
        id=record.hit_id,
        version=1,
        state=HitState.OPEN,
        check_id=record.id,
        checkpoint=record.checkpoint,
        direction=record.direction,
        outcome=record.outcome,
        opened_at=record.at,
        resolve_by=record.at + within,
        matched=tuple(Matched(*matches[entry_id]) for entry_id in entry_ids),
    )
