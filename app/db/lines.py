"""Time limits of the connections to PostgreSQL, and the removal of connections that did not answer.

A server that hangs, or a network that loses packets, closes no connection, and a caller would wait for ever. So client
and server both limit each wait, and a connection that did not answer is dropped without the closing handshake, which
would be another wait. A "line" is one such connection.
"""

import socket
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

LONG_SECONDS: Final = 3600.0
"""Time limit for commands that may process the whole register: migrations, imports, evaluations."""

CONNECT_SECONDS: Final = 5.0
LOCK_SECONDS: Final = 5.0
"""Longest wait of a statement for a lock that another transaction holds."""

_LATER: Final = 1.0
"""Seconds by which the client's limit exceeds the server's, because the server's error is more precise."""

_PROBES: Final = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Time limits of a round trip to PostgreSQL.

    Attributes:
        seconds: time after which the server ends a statement.
    """

    seconds: float

    @property
    def exchange(self) -> float:
        """Seconds after which the client gives up a statement, a commit or the wait for a connection of the pool."""
        return self.seconds + _LATER

    @property
    def session(self) -> str:
        """The SQL statements that set the limits; run them first on each new connection.

        Connection poolers would refuse the limits as start-up parameters of the connection.
        """
        settings = {
            "statement_timeout": self.seconds,
            "lock_timeout": min(LOCK_SECONDS, self.seconds / 2),  # shorter than the limit of the statement
            "idle_in_transaction_session_timeout": self.seconds,
        }
        return "; ".join(f"SET {name} = {int(seconds * 1000)}" for name, seconds in settings.items())


class Lines:
    """Sets time limits on each new connection of an engine, and drops broken connections.

    When a connection fails, it is dropped together with all idle ones, which may be broken too.

    Args:
        engine: the engine, with asyncpg as driver; its connections are tracked from now on.
        limits: time limits of each connection.
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
            raise DisconnectionError("closed while it was idle")  # the pool then opens a new connection

    def _given_back(self, connection: Any, _record: Any) -> None:
        if connection is not None:
            self._idle.add(connection.driver_connection)

    def _failed(self, connection: Any, _record: Any, _error: Any) -> None:
        """Drop a connection that failed, and all idle ones, which may be broken too."""
        for line in (connection.driver_connection, *self._idle):
            line.terminate()

    def drop(self) -> None:
        """Drop every open connection, without waiting for the server."""
        for line in self._open:
            line.terminate()


def notice_cut_line(line: Any, seconds: float) -> None:
    """Make the operating system close a connection when the other end has acknowledged nothing for `seconds`.

    Args:
        line: asyncpg's connection; its socket is accessible only through a private attribute.
        seconds: limit of the silence, both of an idle connection and of sent data without acknowledgement.
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
