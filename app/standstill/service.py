"""While the clock is not plausible, nothing that can't be undone follows from it, and everybody is told why."""

import asyncio
import logging

from app.access.domain import SYSTEM
from app.access.service import record
from app.db.unit import Unit
from app.kit.clock import rfc3339
from app.notices.administration import clock_doubted
from app.notices.service import tell
from app.runtime import Runtime
from app.standstill import store

logger = logging.getLogger(__name__)


async def accept_clock(unit: Unit) -> None:
    """Say that the clock is right as it is: whatever process doubts it now goes on. It is recorded who said so."""
    await store.add(unit)
    await record(unit, "clock.accepted", None, {"at": rfc3339(unit.now)})


class Standstill:
    """Says, round by round, whether a process holds back what can't be undone.

    It is held back until the clocks agree again, or somebody says that they are right (`cekal clock accept`).
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._one_looks = asyncio.Lock()
        self._accepted: int | None = None  # the last acceptance when the clock was first doubted

    async def holds(self) -> bool:
        """Whether to wait; the first time that is logged, and the admins are notified."""
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
            await tell(unit, [clock_doubted(unit.now)])
        self._accepted = accepted

    def _end(self, why: str) -> None:
        if self._accepted is not None:
            logger.warning(why)
            self._accepted = None
