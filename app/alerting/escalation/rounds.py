"""The rounds of escalation, which the worker repeats."""

import logging
from datetime import timedelta
from time import monotonic
from typing import Final

from app.access.domain import SYSTEM
from app.alerting.escalation import store
from app.alerting.escalation.drills import call_daily_drills
from app.alerting.escalation.notices import checkpoints_unreachable
from app.alerting.escalation.paging import Pager
from app.alerting.escalation.reachability import list_unreachable
from app.alerting.escalation.service import begin_chases, take_due_steps
from app.alerting.escalation.watchdog import Watchdog
from app.alerting.notices.service import notify
from app.runtime import Runtime

logger = logging.getLogger(__name__)

_BATCH_SIZE: Final = 500
_SETTLED_SECONDS: Final = 300.0
"""Seconds from the start of a process in which clients may connect, before it reports unreachable checkpoints."""


class Escalation:
    """Chases alerts for one process: finds what is missing, takes the steps that are due, and sends their pages.

    Attributes:
        pager: sends the pages.
        watchdog: reports to another system that this goes on.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.pager = Pager(runtime)
        self.watchdog = Watchdog(runtime)
        self._began = monotonic()

    async def chase(self) -> int:
        """Do one round. Returns the number of chases begun, steps taken and pages claimed."""
        done = await self._find_missing() + await self._take_steps() + await self.pager.begin()
        self.watchdog.round_succeeded()
        return done

    async def finish(self) -> None:
        """Wait for what is being sent: pages and the report of the watchdog."""
        await self.pager.finish()
        await self.watchdog.finish()

    async def _find_missing(self) -> int:
        """Begin to chase the alerts whose receipts or acknowledgements are missing. Returns the number of chases."""
        begun = 0
        async with self.runtime.reading(SYSTEM) as reader:
            unjudged = await store.list_unjudged(reader, _BATCH_SIZE)
        for alert_id, family in unjudged:
            async with self.runtime.writing(SYSTEM) as unit:
                begun += await begin_chases(unit, alert_id, family, self.runtime.settings)
        async with self.runtime.reading(SYSTEM) as reader:
            unacknowledged = await store.list_unacknowledged(reader, _BATCH_SIZE)
        for alert_id in unacknowledged:
            async with self.runtime.writing(SYSTEM) as unit:
                begun += await store.chase_missing_acknowledgements(unit, alert_id)
        return begun

    async def _take_steps(self) -> int:
        """Take the steps that are due, in batches between which others write. Returns their number."""
        taken = 0
        while True:
            async with self.runtime.reading(SYSTEM) as reader:
                due = len(await store.list_due(reader, _BATCH_SIZE))
            if due:
                async with self.runtime.writing(SYSTEM) as unit:
                    taken += await take_due_steps(unit, _BATCH_SIZE, self.runtime.settings)
            if due < _BATCH_SIZE:
                return taken

    async def call_drills(self) -> int:
        """Call the daily drills that are due. Returns the number of checkpoints."""
        return await call_daily_drills(self.runtime)

    async def report_unreachable(self) -> int:
        """Notify officers, once a day, of the open checkpoints that no alert would reach. Returns their number."""
        if monotonic() - self._began < _SETTLED_SECONDS:
            return 0
        async with self.runtime.reading(SYSTEM) as reader:
            codes = await list_unreachable(reader, self.runtime.settings)
        if codes:
            async with self.runtime.writing(SYSTEM) as unit:
                if await notify(unit, [checkpoints_unreachable(codes, unit.now)]):
                    logger.warning("no alert would reach these checkpoints", extra={"checkpoints": codes})
        return len(codes)

    async def erase_addresses(self) -> int:
        """Erase the addresses in pages that are older than the questions of checks are kept. Returns their number."""
        days = timedelta(days=self.runtime.settings.question_days)
        async with self.runtime.writing(SYSTEM) as unit:
            return await store.erase_addresses(unit, unit.now - days)
