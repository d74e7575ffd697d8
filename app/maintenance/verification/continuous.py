"""Verification that never ends, slowly and beside all other work: a whole pass takes about a day."""

import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

from app.access.domain import SYSTEM
from app.alerting.notices.administration import register_differs
from app.alerting.notices.service import notify
from app.ledger import service as ledger
from app.maintenance.verification.service import Verification
from app.runtime import Runtime

logger = logging.getLogger(__name__)

PASS: Final = timedelta(hours=24)
"""Time from the beginning of a pass to that of the next one; a larger register takes longer."""

PAGE: Final = 50
"""Records that a step verifies: a few milliseconds in which nobody else is answered."""

_STEP_SHARE: Final = 0.02
"""Share of the time that verification takes at most: after a step of a millisecond, it waits for fifty."""


class ContinuousVerification:
    """Verifies the whole register about once a day, in small steps. The caller calls `step` again and again.

    A pass is one verification of the whole register. The caller ensures that only one process does the steps.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._verification = Verification(runtime, PAGE, 0)
        self._steps: AsyncIterator[None] | None = None
        self._next_pass: datetime | None = None
        self._next_step = 0.0
        self._known = 0

    async def step(self) -> bool:
        """Do the next step if it is due. Returns True after the last step of a pass, False otherwise.

        New differences are logged at once, and admins and duty officers are notified of them, at most once a day. An
        error of the step is raised, and the next call begins a new pass. If the register was restored since the pass
        began, differences are ignored, and the next call begins a new pass.
        """
        now = self._runtime.clock()
        if self._steps is None:
            if self._next_pass is not None and now < self._next_pass:
                return False
            self._next_pass = now + PASS
            self._verification, self._known = Verification(self._runtime, PAGE, 0), 0
            self._steps = self._all_steps(self._verification)
        if monotonic() < self._next_step:
            return False
        began = monotonic()
        try:
            ended = await anext(self._steps, self) is self
        except BaseException:  # the pass begins anew
            self._steps, self._next_pass = None, None
            raise
        self._next_step = monotonic() + (monotonic() - began) / _STEP_SHARE
        if not await self._report():
            self._steps, self._next_pass = None, None
            return False
        if ended:
            self._steps = None
            verified = self._verification.verified
            figures = {"records": verified.records, "entries": verified.entries, "lines": verified.lines}
            logger.info("the register was verified", extra={"holds": verified.holds, **figures})
        return ended

    async def _all_steps(self, verification: Verification) -> AsyncIterator[None]:
        for _, part in verification.parts():
            async for _ in part:
                yield

    async def _report(self) -> bool:
        """Log the differences that are new, and notify admins and duty officers. Returns whether the pass goes on.

        It does not if it found differences, and the register was restored since it began.
        """
        found = self._verification.verified.differences
        if len(found) == self._known:
            return True
        async with self._runtime.reading(SYSTEM) as reader:
            head = await ledger.find_head(reader)
        if head is None or head.epoch != self._verification.epoch:
            return False
        for where, what in found[self._known :]:
            logger.error("the register differs", extra={"where": where, "what": what})
        self._known = len(found)
        async with self._runtime.writing(SYSTEM) as unit:
            await notify(unit, [register_differs(unit.now)])
        return True
