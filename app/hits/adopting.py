"""Reading hits on from the checks: the record of a check is the truth, the register's hit follows it.

On SQLite the two lie in files that commit separately, and on neither engine is a check to wait for the register.
So a check's own transaction only keeps the hit's id in its record, and in a queue; here it is taken up, a moment later,
in one transaction with the notice to the owner, and only then leaves the queue. A process that dies in between loses
nothing: the next round, or an earlier request for the hit, takes it up. No clock says what is new, and
nothing is read twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from app.access.domain import SYSTEM
from app.checks import hit_store
from app.checks import store as checks
from app.db.unit import Reader, Unit
from app.hits import store
from app.hits.domain import Hit, HitState, Matched, opened
from app.notices.domain import Draft
from app.notices.service import tell
from app.runtime import Runtime

_SOME: Final = 200

_plain = msgspec.json.Decoder().decode


async def take_up(runtime: Runtime) -> int:
    """Take up every hit that the checks have opened and nobody has taken up yet; how many were new."""
    new = 0
    while True:
        async with runtime.reading_checks(SYSTEM) as reader:
            came = await hit_store.list_opened_hits(reader, _SOME)
        if came:
            new += await _take_up(runtime, {each.hit_id: each.check_id for each in reversed(came)})
            async with runtime.writing_checks(SYSTEM) as unit:
                await hit_store.forget_opened_hits(unit, [each.check_id for each in came])
        if len(came) < _SOME:
            return new
        await asyncio.sleep(0)


async def queue_forgotten(runtime: Runtime) -> int:
    """Queue the latest hits that the register does not know although they were taken up; how many.

    Where the checks have a file of their own the register's may have been restored from an older backup than that.
    Hits are looked at from the newest back, as far as some are not known.
    """
    if runtime.checks is runtime.register:
        return 0
    queued, before = 0, None
    while True:
        async with runtime.reading_checks(SYSTEM) as reader:
            latest = await hit_store.list_latest_hits(reader, before, _SOME)
        async with runtime.reading(SYSTEM) as reader:
            known = await store.known(reader, {each.hit_id for each in latest})
        forgotten = [each for each in latest if each.hit_id not in known]
        if not forgotten:
            return queued
        async with runtime.writing_checks(SYSTEM) as unit:
            await hit_store.queue_hits(unit, forgotten)
        queued, before = queued + len(forgotten), latest[-1].check_id


async def _take_up(runtime: Runtime, came: Mapping[str, str]) -> int:
    """Take up those of some hits, each with the first check that opened it, which the register does not know yet."""
    async with runtime.reading(SYSTEM) as reader:
        known = await store.known(reader, came)
    fresh = [check_id for hit_id, check_id in came.items() if hit_id not in known]
    if not fresh:
        return 0
    async with runtime.reading_checks(SYSTEM) as reader:
        records = await checks.list_records(reader, fresh)
    async with runtime.writing(SYSTEM) as unit:
        hits = await _adopt(unit, runtime, records)
        await tell(unit, [draft for hit in hits for draft in opened(hit)])
    return len(hits)


async def take_up_one(unit: Unit, runtime: Runtime, hit_id: str) -> tuple[Hit | None, list[Draft]]:
    """Take up a hit that is asked for before a round has done so.

    Returns:
        The hit, None when no check has opened it; and what the caller is to tell as its transaction's last act,
        since from then on it holds the notices' numbers.
    """
    async with runtime.checks_beside(unit) as reader:
        record = await checks.find_hit(reader, hit_id)
    if record is None:
        return None, []
    adopted = await _adopt(unit, runtime, [record])
    if adopted:
        return adopted[0], opened(adopted[0])
    return await store.find(unit, hit_id), []


async def _adopt(unit: Unit, runtime: Runtime, records: Sequence[Any]) -> list[Hit]:
    await store.hold_adoption(unit)
    # Several checks may have one hit: the first of them says what it is about.
    first = {record.hit_id: record for record in reversed(records)}
    known = await store.known(unit, first.keys())
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
    shown = _plain(record.matches) if record.matches else []
    owners = {match["entry_id"]: match["contact"]["agency"] for match in shown}
    versions = await checks.versions_matched(reader, record.id, owners)
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
        matched=tuple(Matched(entry, versions[entry], agency) for entry, agency in owners.items()),
    )
