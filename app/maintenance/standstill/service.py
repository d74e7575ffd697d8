"""Suspends irreversible acts that depend on the clock while it is not plausible, and notifies the admins."""

import asyncio
import logging

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import SYSTEM
from app.alerting.notices.administration import clock_doubted
from app.alerting.notices.service import notify
from app.db.unit import Unit
from app.kit.clock import rfc3339
from app.maintenance.standstill import store
from app.runtime import Runtime

logger = logging.getLogger(__name__)


async def accept_clock(unit: Unit) -> None:
    """Store that the unit's actor confirms the clock as right, and record this in the audit trail.

    Within seconds, each process that doubts the clock resumes the irreversible acts that it had suspended.
    """
    await store.add(unit)
    await record(unit, AuditAct.CLOCK_ACCEPTED, None, {"at": rfc3339(unit.now)})


class Standstill:
    """Decides whether this process suspends acts that can't be undone, such as ends by law and erasures.

    These acts are suspended while the clock may be wrong, until the clocks agree again or a person confirms the clock
    (`cekal clock accept`); and after a rollback of the register.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._one_looks = asyncio.Lock()
        self._accepted: int | None = None  # last acceptance before the doubt; None without a doubt

    async def holds(self) -> bool:
        """Return True if irreversible acts are suspended: the clock may be wrong, or the register was rolled back.

        The first call that finds a doubt about the clock logs the doubt and notifies the admins. The first call after
        the doubt has ended logs the end.
        """
        if self._runtime.rollback is not None:
            return True
        async with self._one_looks:
            doubt = self._runtime.doubt()
            if doubt is None:
                self._end("the clock is plausible again: what was held back goes on")
                return False
            async with self._runtime.reading(SYSTEM) as reader:
                accepted = await store.last(reader)
            if self._accepted is None:
                await self._begin(doubt, accepted)
            elif accepted > self._accepted and self._runtime.plausibility is not None:
                self._runtime.plausibility.accept()
                self._end("the clock was accepted as it is: what was held back goes on")
                return False
            return True

    async def _begin(self, doubt: str, accepted: int) -> None:
        logger.critical("ends by law, erasures and what else can't be undone are held back: %s", doubt)
        async with self._runtime.writing(SYSTEM) as unit:
            await notify(unit, [clock_doubted(unit.now)])
        self._accepted = accepted

    def _end(self, why: str) -> None:
        if self._accepted is not None:
            logger.warning(why)
            self._accepted = None
