"""Erases what is kept only for a time: rounds of the worker, in small batches between which others write."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from app.access.admission.idempotency import KEPT
from app.access.domain import SYSTEM
from app.access.store import forget_answers
from app.alerting.alerts import service as alerts
from app.alerting.alerts.presence import forget_absent
from app.border.checks import ageing_store as ageing
from app.casework.retention import service as retention
from app.db.pages import Position
from app.db.unit import Unit
from app.kit.ids import first_id
from app.register.departures import service as departures
from app.register.supervision import service as supervision
from app.runtime import Runtime
from app.sync.querylog import service as querylog

BATCH_SIZE: Final = 200
PAUSE_SECONDS: Final = 0.02
"""Seconds between two erasures, so that other transactions get their turn."""


async def erase_answers(runtime: Runtime) -> None:
    """Erase the answers stored for repeated requests that are older than `KEPT`.

    Raises:
        ClockInDoubt: the clock is not plausible.
    """
    async with runtime.irreversible(SYSTEM) as unit:
        await forget_answers(unit, unit.now - KEPT)


async def erase_absent(runtime: Runtime) -> None:
    """Erase the rows about connected checkpoints that no process has renewed for an hour.

    Raises:
        ClockInDoubt: the clock is not plausible.
    """
    async with runtime.irreversible(SYSTEM) as unit:
        await forget_absent(unit, timedelta(hours=1))


async def erase_retained(runtime: Runtime) -> int:
    """Erase the photos, and then the personal data, of entries whose retention period is over (R64).

    Returns the number of erasures. If an entry can't be erased, the error is logged and the others are erased.

    Raises:
        ClockInDoubt: the clock is not plausible; what was erased before stays erased.
    """
    erased = 0
    settings = runtime.settings
    for stage in retention.Stage:
        list_due = partial(retention.list_due, stage=stage, settings=settings)
        async for _, entry_id in runtime.each_due(SYSTEM, list_due, BATCH_SIZE):
            with runtime.isolating("an entry can't be erased now", entry=entry_id):
                async with runtime.irreversible(SYSTEM) as unit:
                    erased += await retention.erase(unit, entry_id, stage, settings)
            await asyncio.sleep(PAUSE_SECONDS)  # thousands may be due at once, and checks come first
    return erased


async def erase_reports(runtime: Runtime) -> int:
    """Erase the data about foreigners in supervision reports older than `personal_retention_days`.

    If a report can't be erased, the error is logged and the others are erased. Returns the number of erased reports; 0
    if the setting is None.

    Raises:
        ClockInDoubt: the clock is not plausible; reports treated before stay erased.
    """
    erased = 0
    list_due = partial(supervision.list_due, settings=runtime.settings)
    async for report_id in runtime.each_due(SYSTEM, list_due, BATCH_SIZE):
        with runtime.isolating("a supervision report can't be erased now", report=report_id):
            async with runtime.irreversible(SYSTEM) as unit:
                erased += await supervision.erase(unit, report_id)
        await asyncio.sleep(PAUSE_SECONDS)
    return erased


async def erase_questions(runtime: Runtime) -> None:
    """Erase the questions of checks that are older than the setting `question_days`, in small batches.

    The query log has a hash of each question (its commitment), made with random bytes (its salt). The salts are erased
    first, because without them the hashes reveal nothing. Questions whose salt can't be erased stay until it is.

    Raises:
        ClockInDoubt: the clock is not plausible; earlier batches stay erased.
    """
    days = timedelta(days=runtime.settings.question_days)
    async with runtime.reading_checks(SYSTEM) as reader:
        before = first_id("chk", reader.now - days)
    kept = await querylog.erase_salts(runtime, before, ageing.forget_again_from)
    erased = BATCH_SIZE
    while erased == BATCH_SIZE:
        async with runtime.irreversible(SYSTEM, checks=True) as unit:
            erased = await ageing.forget_questions(unit, before, BATCH_SIZE, kept)


async def erase_drill_receipts(runtime: Runtime) -> int:
    """Erase the notes and officer references in receipts of drills that are older than the setting `question_days`.

    A drill is about no entry, so no entry's erasure includes these texts. Returns the number of changed receipts.

    Raises:
        ClockInDoubt: the clock is not plausible; drills treated before stay erased.
    """
    erased, days = 0, runtime.settings.question_days
    list_due = partial(alerts.list_drills_to_erase, days=days)
    async for alert_id in runtime.each_due(SYSTEM, list_due, BATCH_SIZE):
        with runtime.isolating("receipts of a drill can't be erased now", alert=alert_id):
            async with runtime.irreversible(SYSTEM) as unit:
                erased += await alerts.erase_of_drill(unit, alert_id, days=days)
        await asyncio.sleep(PAUSE_SECONDS)
    return erased


async def erase_travellers(runtime: Runtime) -> int:
    """Erase the travellers in records of delayed departures that are older than `delay_personal_days`.

    Returns their number. If a record fails, the error is logged and the others are treated.

    Raises:
        ClockInDoubt: the clock is not plausible; earlier batches stay erased.
    """
    days = runtime.settings.delay_personal_days
    return await _erase_delayed(
        runtime, departures.list_travellers_to_erase, departures.erase_travellers, days
    )


async def erase_sponsors(runtime: Runtime) -> int:
    """Erase the sponsors, which had sent the travellers, in delays that are older than `delay_sponsor_days`.

    Returns the number of changed records. If one fails, the error is logged and the others are treated.

    Raises:
        ClockInDoubt: the clock is not plausible; earlier batches stay erased.
    """
    days = runtime.settings.delay_sponsor_days
    return await _erase_delayed(runtime, departures.list_sponsors_to_erase, departures.erase_sponsors, days)


async def _erase_delayed(
    runtime: Runtime,
    list_due: Callable[..., Awaitable[Sequence[Position]]],
    erase: Callable[[Unit, Sequence[str], int], Awaitable[int]],
    days: int,
) -> int:
    """Erase a part of old records of delayed departures, in small batches. Returns the number of erasures."""

    async def erase_some(delays: Sequence[Position]) -> int:
        async with runtime.irreversible(SYSTEM) as unit:
            return await erase(unit, [delay_id for _, delay_id in delays], days)

    erased, failure = 0, "a delayed departure can't be erased now"
    async for batch in runtime.due_in_batches(SYSTEM, partial(list_due, days=days), BATCH_SIZE):
        erased += (await runtime.do_together_or_apart(batch, erase_some, failure)).number
    return erased
