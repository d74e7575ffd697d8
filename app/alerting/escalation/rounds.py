"""The rounds of escalation, which the worker repeats."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Final

from app.access.domain import SYSTEM
from app.alerting.escalation import page_store, store
from app.alerting.escalation.drills import call_daily_drills
from app.alerting.escalation.notices import checkpoints_unreachable
from app.alerting.escalation.paging import Pager
from app.alerting.escalation.reachability import list_unreachable
from app.alerting.escalation.service import begin_chases, take_steps
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
        self._failed = False  # whether an item of the present round has failed

    async def chase(self) -> int:
        """Do one round: find missing receipts and acknowledgements, take due steps, and start to send pages.

        An alert or a step that fails is logged, and the others go on; then the watchdog's next report is left out.

        Returns the number of new escalations (each of one alert at one checkpoint) plus the number of steps taken.

        Raises:
            Exception: the first failure of a whole part of the round, of any type. It is raised after all parts were
                tried; pages are sent all the same.
        """
        failures: list[Exception] = []
        done = 0
        self._failed = False
        for part in (self._find_missing, self._take_steps):
            try:
                done += await part()
            except Exception as error:  # noqa: BLE001 - raised below
                failures.append(error)
        self.pager.begin()
        self.watchdog.note_round(succeeded=not failures and not self._failed)
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

    async def _find_missing(self) -> int:
        """Begin to chase the alerts whose receipts or acknowledgements are missing. Returns the number of chases."""
        runtime, begun = self.runtime, 0
        async for alert_id, family in runtime.each_due(SYSTEM, store.list_unjudged, _BATCH_SIZE):
            with self._isolating("missing receipts of an alert can't be chased now", alert_id):
                async with runtime.writing(SYSTEM) as unit:
                    begun += await begin_chases(unit, alert_id, family, runtime.settings)
        async for alert_id in runtime.each_due(SYSTEM, store.list_unacknowledged, _BATCH_SIZE):
            with self._isolating("missing acknowledgements of an alert can't be chased now", alert_id):
                async with runtime.writing(SYSTEM) as unit:
                    begun += await store.chase_missing_acknowledgements(unit, alert_id)
        return begun

    @contextmanager
    def _isolating(self, failure: str, alert_id: str) -> Iterator[None]:
        """As `Runtime.isolating`, for an alert; and remember that something has failed in this round."""
        failed = True
        with self.runtime.isolating(failure, alert=alert_id):
            yield
            failed = False
        self._failed = self._failed or failed

    async def _take_steps(self) -> int:
        """Take the steps that are due, in batches between which others write. Returns their number."""
        runtime, taken = self.runtime, 0
        doubtful = runtime.doubt() is not None

        async def take(steps: Sequence[store.DueStep]) -> int:
            async with runtime.writing(SYSTEM) as unit:
                return await take_steps(unit, steps, runtime.settings, doubtful=doubtful)

        async for steps in runtime.due_in_batches(SYSTEM, store.list_due, _BATCH_SIZE):
            done = await runtime.do_together_or_apart(steps, take, "a step of escalation can't be taken now")
            taken += done.number
            self._failed = self._failed or bool(done.failed)
        return taken

    async def call_drills(self) -> int:
        """Issue the daily drills that are due. Returns the number of checkpoints that get one.

        While the clock is doubted, does nothing and returns 0.
        """
        if self.runtime.doubt() is not None:
            return 0
        return await call_daily_drills(self.runtime)

    async def report_unreachable(self) -> int:
        """Notify officers, at most once a day, of the checkpoints that no alert would reach.

        Returns the number of these checkpoints, also if the day's notice was sent before. In the first five minutes of
        the process, in which checkpoints reconnect, does nothing and returns 0.
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
        """Erase addresses and channels' answers in pages older than `question_days`. Returns how many pages changed."""
        days = timedelta(days=self.runtime.settings.question_days)
        async with self.runtime.reading(SYSTEM) as reader:
            if not await page_store.has_addresses(reader, reader.now - days):
                return 0
        async with self.runtime.writing(SYSTEM) as unit:
            return await page_store.erase_addresses(unit, unit.now - days)
