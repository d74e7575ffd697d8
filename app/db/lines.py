"""The connections to PostgreSQL: how long an exchange on one may take, and what happens to those that did not answer.

A server that hangs, or a network that swallows packets, closes nothing: a caller that waits for it would wait
for ever. So each wait has an end, at both sides, and a connection that did not answer is dropped without a
farewell, which would be one more wait.
"""

import socket
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

LONG_SECONDS: Final = 3600.0
"""The limit for commands, which may work on the whole register: migrations, imports, evaluations."""

CONNECT_SECONDS: Final = 5.0
LOCK_SECONDS: Final = 5.0
"""How long a statement waits for a lock that another transaction holds."""

_LATER: Final = 1.0
"""Seconds by which the client gives up later than the server, whose answer is the better one."""

_PROBES: Final = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an exchange with PostgreSQL may take.

    Attributes:
        seconds: a statement, at the server.
    """

    seconds: float

    @property
    def exchange(self) -> float:
        """Seconds until the client gives up: a statement, a commit, the wait for a connection of the pool."""
        return self.seconds + _LATER

    @property
    def session(self) -> str:
        """What a new session is told; in a statement, since pools of connections refuse it while connecting."""
        told = {
            "statement_timeout": self.seconds,
            "lock_timeout": min(LOCK_SECONDS, self.seconds / 2),  # before the statement itself is too long
            "idle_in_transaction_session_timeout": self.seconds,
        }
        return "; ".join(f"SET {name} = {int(seconds * 1000)}" for name, seconds in told.items())


class Lines:
    """The connections of one engine.

    Args:
        engine: of asyncpg; its connections are watched from now on.
        limits: what holds for each of them.
    """

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self._limits = limits
        self._open: WeakSet[Any] = WeakSet()
        self._idle: WeakSet[Any] = WeakSet()
        event.listen(engine, "connect", self._connected)
        event.listen(engine, "checkout", self._taken)
        event.listen(engine, "checkin", self._given_back)
        event.listen(engine, "invalidate", self._failed)

    def _connected(self, connection: Any, _record: Any) -> None:
        self._open.add(connection.driver_connection)
        notice_cut_line(connection.driver_connection, self._limits.seconds)
        connection.run_async(lambda line: line.execute(self._limits.session))

    def _taken(self, connection: Any, _record: Any, _proxy: Any) -> None:
        line = connection.driver_connection
        self._idle.discard(line)
        if line.is_closed():
            raise DisconnectionError("closed while it was idle")  # the pool then connects anew

    def _given_back(self, connection: Any, _record: Any) -> None:
        if connection is not None:
            self._idle.add(connection.driver_connection)

    def _failed(self, connection: Any, _record: Any, _error: Any) -> None:
        """Drop a connection that was broken off; those that are idle since before are as doubtful."""
        for line in (connection.driver_connection, *self._idle):
            line.terminate()

    def drop(self) -> None:
        """Drop every connection that is open."""
        for line in self._open:
            line.terminate()


def notice_cut_line(line: Any, seconds: float) -> None:
    """Let the kernel close a connection whose other end has confirmed nothing for so long.

    Args:
        line: asyncpg's connection, which has no public way to its socket.
        seconds: above which the connection is closed, whether it is idle or waits for what was sent to arrive.
    """
    sock = line._transport.get_extra_info("socket")  # noqa: SLF001 - see above
    if sock is None or sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    probe = max(1, round(seconds / _PROBES))
    for level, name, value in (
        (socket.IPPROTO_TCP, "TCP_KEEPIDLE", probe),
        (socket.IPPROTO_TCP, "TCP_KEEPINTVL", probe),
        (socket.IPPROTO_TCP, "TCP_KEEPCNT", _PROBES),
        (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", int(seconds * 1000)),
    ):
        if hasattr(socket, name):  # not on every system
            sock.setsockopt(level, getattr(socket, name), value)
