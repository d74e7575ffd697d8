"""The watchdog: a message each minute to another system, whose silence is the alarm.

Whatever ends the escalation of alerts, be it the process, the database, the clock or the network, ends these messages
too. So the system that receives them, on another machine, has to raise an alarm when they stop.
"""

import asyncio
import logging
from typing import Final

from app.access.domain import SYSTEM
from app.kit.clock import rfc3339
from app.ledger.service import head
from app.runtime import Runtime

logger = logging.getLogger(__name__)

EVERY_SECONDS: Final = 60.0
"""Time between two reports."""

PATIENCE_SECONDS: Final = 10.0
"""Longest time that the other system may take to answer."""


class Watchdog:
    """Reports to another system, once a minute, that escalation works; leaves the report out after a failed round.

    Without the setting `watchdog_url` nothing is sent.

    Attributes:
        reported: number of reports that the other system has accepted.
        failed: number of reports that the other system has not accepted, or that could not be sent.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.reported = 0
        self.failed = 0
        self._due = 0.0
        self._broken = False
        self._task: asyncio.Task[None] | None = None

    def note_round(self, *, succeeded: bool) -> None:
        """Record whether a round of escalation succeeded, and start to send the report if it is due. Raises nothing.

        A report is due once a minute. It is left out if a round has failed since the previous report was due. A failure
        to send the report is logged and counted.
        """
        self._broken = self._broken or not succeeded
        now = asyncio.get_running_loop().time()
        if self.runtime.settings.watchdog_url is None or now < self._due:
            return
        if self._task is None or self._task.done():
            self._due = now + EVERY_SECONDS
            broken, self._broken = self._broken, False
            if not broken:
                self._task = asyncio.create_task(self._report(str(self.runtime.settings.watchdog_url)))

    async def finish(self) -> None:
        """Wait until the report that is being sent is accepted or has failed."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _report(self, url: str) -> None:
        try:
            async with self.runtime.reading(SYSTEM) as reader:
                present = await head(reader)
                body = {"head": present.size, "epoch": present.epoch, "at": rfc3339(reader.now)}
            import httpx2  # only a deployment with a watchdog needs it: 10 MB

            async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS, follow_redirects=False) as http:
                answer = await http.post(url, json=body)
            answer.raise_for_status()
            self.reported += 1
        except Exception as error:  # noqa: BLE001 - the receiver raises the alarm when reports stop
            self.failed += 1
            if not self.runtime.outages.failed(error):  # without the address: whoever has it may report
                status = getattr(getattr(error, "response", None), "status_code", None)
                reason = {"reason": type(error).__name__, "status": status}
                logger.warning("the watchdog's report was not accepted", extra=reason)
