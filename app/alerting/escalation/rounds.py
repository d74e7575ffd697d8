"""The rounds of escalation, which the worker repeats."""

import logging
from datetime import timedelta
from time import monotonic
from typing import Final

from app.access.domain import SYSTEM
from app.alerting.escalation import page_store, store
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
    """The periodic work of escalation in one process: finds missing receipts, takes due steps, and sends their pages.

    Attributes:
        pager: sends the pages.
        watchdog: reports to another system that escalation works.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.pager = Pager(runtime)
        self.watchdog = Watchdog(runtime)
        self._began = monotonic()

    async def chase(self) -> int:
        """Do one round of escalation: begin escalations for missing receipts, take due steps, start to send pages.

        Returns the number of new escalations (each of one alert at one checkpoint) plus the number of steps taken.

        Raises:
            Exception: the first failure of the round, of any type. It is raised after all parts were tried; pages are
                sent all the same.
        """
        failures: list[Exception] = []
        done = 0
        for part in (self._find_missing, self._take_steps):
            try:
                done += await part(failures)
            except Exception as error:  # noqa: BLE001 - raised below
                failures.append(error)
        self.pager.begin()
        self.watchdog.note_round(succeeded=not failures)
        for further in failures[1:]:
            if not self.runtime.outages.failed(further):
                logger.error("a part of escalation has failed", exc_info=further)
        if failures:
            raise failures[0]
        return done

    async def finish(self) -> None:
        """Wait until the pages and the watchdog's report that are being sent are done."""
        await self.pager.finish()
        await self.watchdog.finish()

    async def _find_missing(self, failures: list[Exception]) -> int:
        """Begin to chase the alerts whose receipts or acknowledgements are missing. Returns the number of chases.

        An alert that fails is added to `failures`, and must not delay the others.
        """
        begun = 0
        async with self.runtime.reading(SYSTEM) as reader:
            unjudged = await store.list_unjudged(reader, _BATCH_SIZE)
        for alert_id, family in unjudged:
            try:
                async with self.runtime.writing(SYSTEM) as unit:
                    begun += await begin_chases(unit, alert_id, family, self.runtime.settings)
            except Exception as error:  # noqa: BLE001 - raised at the end of the round
                failures.append(error)
        async with self.runtime.reading(SYSTEM) as reader:
            unacknowledged = await store.list_unacknowledged(reader, _BATCH_SIZE)
        for alert_id in unacknowledged:
            try:
                async with self.runtime.writing(SYSTEM) as unit:
                    begun += await store.chase_missing_acknowledgements(unit, alert_id)
            except Exception as error:  # noqa: BLE001 - as above
                failures.append(error)
        return begun

    async def _take_steps(self, _failures: list[Exception]) -> int:
        """Take the steps that are due, in batches between which others write. Returns their number."""
        taken = 0
        doubtful = self.runtime.doubt() is not None
        while True:
            async with self.runtime.reading(SYSTEM) as reader:
                due = len(await store.list_due(reader, _BATCH_SIZE, doubtful=doubtful))
            if due:
                async with self.runtime.writing(SYSTEM) as unit:
                    settings = self.runtime.settings
                    taken += await take_due_steps(unit, _BATCH_SIZE, settings, doubtful=doubtful)
            if due < _BATCH_SIZE:
                return taken

    async def call_drills(self) -> int:
        """Issue the daily drills that are due. Returns the number of their checkpoints.

        While the clock is not plausible, does nothing and returns 0.
        """
        if self.runtime.doubt() is not None:
            return 0
        return await call_daily_drills(self.runtime)

    async def report_unreachable(self) -> int:
        """Notify officers, at most once a day, of the checkpoints that no alert would reach. Returns their number.

        In the first five minutes of the process, in which checkpoints reconnect, nothing is reported and 0 returned.
        Later the number is that of the unreachable checkpoints, also if the day's notice was sent before.
        """
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
        """Erase addresses and channels' answers in pages older than `question_days`. Returns their number."""
        days = timedelta(days=self.runtime.settings.question_days)
        async with self.runtime.reading(SYSTEM) as reader:
            if not await page_store.has_addresses(reader, reader.now - days):
                return 0
        async with self.runtime.writing(SYSTEM) as unit:
            return await page_store.erase_addresses(unit, unit.now - days)
