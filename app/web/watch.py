"""The timer that ends overdue waits for clients: one for all connections, because a timer for each would cost more."""

import asyncio
import logging
import math
from typing import Final

from app.web.connections import Connections

_LOG_SECONDS: Final = 60.0
"""Shortest interval, in seconds, between log lines about refused connections; an attack must not fill the disk."""

_log = logging.getLogger(__name__)


class Watch:
    """A timer that ends the overdue waits on all connections of one process.

    Args:
        connections: the connections.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        limits = connections.limits
        self._pause = min(1.0, limits.header_seconds / 8, limits.idle_seconds / 8)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._logged_at = -math.inf
        self._logged = 0

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the timer on this event loop, unless it runs there already. A timer on another loop ends."""
        if loop is not self._loop:
            self._loop = loop
            loop.call_later(self._pause, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:
            return
        now = loop.time()
        for connection in self._connections.overdue(now):
            connection.expire(now)
        cut = self._connections.cut
        if cut.total() > self._logged and now - self._logged_at >= _LOG_SECONDS:
            self._logged, self._logged_at = cut.total(), now
            _log.warning("connections refused or ended so far", extra={"reasons": dict(cut)})
        loop.call_later(self._pause, self._look, loop)
