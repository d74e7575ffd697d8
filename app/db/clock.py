"""One clock for all processes of a register: the database server's clock, or on SQLite the machine's clock."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import func, select

from app.db.database import Connection
from app.kit.clock import Clock, Machine

OLDEST_READING: Final = 5.0
"""Age of a reading, in seconds, above which a transaction reads the server's clock when it begins.

A process that follows the ledger reads the clock each second too, so that checks seldom have to."""

_NOW = select(func.clock_timestamp())


class DatabaseClock:
    """The clock of the database server, extrapolated between readings with this machine's uptime.

    Each reading gives two bounds of the server's time: the server read its clock after the query was sent and before
    the answer arrived. The extrapolated time is changed only as far as it is outside these bounds, so that a slow
    round trip does not worsen it, and a server clock that was set takes effect at once.

    Args:
        machine: the clocks of this machine; the wall clock is used only until the first reading.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._offset: float | None = None
        self._read_at = 0.0

    def __call__(self) -> datetime:
        """Return the server's time, in UTC."""
        if self._offset is None:
            return self._machine.wall()
        return datetime.fromtimestamp(self._machine.uptime() + self._offset, UTC)

    def is_older(self, seconds: float) -> bool:
        """Return whether the last reading is older than `seconds`, or the clock was never read."""
        return self._offset is None or self._machine.uptime() - self._read_at > seconds

    async def read(self, connection: Connection) -> None:
        """Query the server's time and correct this clock by it."""
        asked_at = self._machine.uptime()
        server_time: datetime = (await connection.execute(_NOW)).scalar_one()
        self.note(server_time, asked_at, self._machine.uptime())

    def note(self, server_time: datetime, asked_at: float, answered_at: float) -> None:
        """Correct this clock by a reading.

        Args:
            server_time: the server's time.
            asked_at: this machine's uptime when the query was sent, in seconds.
            answered_at: this machine's uptime when the answer arrived, in seconds.
        """
        earliest, latest = server_time.timestamp() - answered_at, server_time.timestamp() - asked_at
        known = (earliest + latest) / 2 if self._offset is None else self._offset
        self._offset = min(max(known, earliest), latest)
        self._read_at = answered_at


async def read_clock(clock: Clock, connection: Connection, *, older_than: float = OLDEST_READING) -> None:
    """Correct a `DatabaseClock` by the server if its last reading is older than `older_than` seconds.

    A clock of another class is left alone.
    """
    if isinstance(clock, DatabaseClock) and clock.is_older(older_than):
        await clock.read(connection)
