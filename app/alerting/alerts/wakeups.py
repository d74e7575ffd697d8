"""Wake-ups of the ledger's follower: what causes them, and the connection on which PostgreSQL notifies of commits."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from app.db.addresses import libpq_address
from app.db.lines import CONNECT_SECONDS, notice_cut_line
from app.db.postgresql import CHANNEL
from app.kit.bell import wait_for_ring
from app.runtime import Runtime

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 0.5
_ANSWER_SECONDS = 3.0
"""Seconds in which PostgreSQL must answer on an idle connection."""


class Cause(StrEnum):
    """The reason for which a process reads the ledger."""

    COMMIT = "commit"
    """A transaction of this process was committed."""

    NOTIFICATION = "notification"
    """PostgreSQL has notified of a commit of any process."""

    POLL = "poll"
    """Nothing: the ledger is read once a second, for the case that wake-ups are lost."""


class WakeUps:
    """Wakes the tail of this process after commits of any process, and counts which cause made it find records.

    Args:
        runtime: the runtime of the process.
        wake: function that wakes the tail.

    Attributes:
        found: number of readings that found new records, by their cause. Many by `poll` mean that PostgreSQL's
            notifications do not arrive.
        listening: whether the connection for notifications is open now; always False on SQLite.
    """

    def __init__(self, runtime: Runtime, wake: Callable[[], None]) -> None:
        self.found: Counter[Cause] = Counter(dict.fromkeys(Cause, 0))
        self.listening = False
        self._runtime = runtime
        self._wake = wake
        self._cause = Cause.POLL

    def committed(self) -> None:
        """Wake the tail after a commit of this process; call it after each commit."""
        if self._cause is Cause.POLL:
            self._cause = Cause.COMMIT
        self._wake()

    def take(self) -> Cause:
        """Return the cause of the reading that begins now, `poll` if nothing has woken the tail since the last call."""
        cause, self._cause = self._cause, Cause.POLL
        return cause

    async def listen(self) -> None:
        """Wake the tail at each of PostgreSQL's notifications, until cancelled; reconnect after a failure."""
        while True:
            try:
                await self._listen_once()
            except Exception as error:  # while this process runs, its streams must be served
                if not self._runtime.outages.failed(error):
                    logger.exception("no wake-ups from PostgreSQL now; reading once a second")
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen_once(self) -> None:
        import asyncpg  # SQLite does without it

        address, settings = libpq_address(self._runtime.register.url), self._runtime.settings
        connection = await asyncpg.connect(address, timeout=CONNECT_SECONDS)
        try:
            notice_cut_line(connection, settings.database_seconds)
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, lambda *_: self._notified())
            self.listening = True
            self._wake()  # for what was committed before
            while not await wait_for_ring(lost, settings.stale_seconds):
                await connection.execute("SELECT 1", timeout=_ANSWER_SECONDS)  # detects a dead connection
        finally:
            self.listening = False
            connection.terminate()  # not close(), which waits for the server

    def _notified(self) -> None:
        self._cause = Cause.NOTIFICATION
        self._wake()
