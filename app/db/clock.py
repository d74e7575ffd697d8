"""One clock for all processes of a register: that of the database server, or the machine's own where that is SQLite."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import func, select

from app.db.database import Connection
from app.kit.clock import Clock, Machine

OLDEST_READING: Final = 5.0
"""Seconds after which a transaction reads the server's clock before it begins. A process that follows the ledger reads
it each second beside that, so that no check ever does."""

_NOW = select(func.clock_timestamp())


class DatabaseClock:
    """The clock of the database server, carried on between two readings by seconds that nobody can set.

    Each reading says between which two bounds the server's time lies: it was told after the question left and before
    the answer came. What is carried on is corrected only as far as a reading contradicts it, so that a slow exchange
    makes nothing worse; a server whose clock was set is followed at once.

    Args:
        machine: the clocks of this machine; the wall clock counts only until the first reading.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._offset: float | None = None
        self._read_at = 0.0

    def __call__(self) -> datetime:
        """The server's time, in UTC."""
        if self._offset is None:
            return self._machine.wall()
        return datetime.fromtimestamp(self._machine.uptime() + self._offset, UTC)

    def is_older(self, seconds: float) -> bool:
        """Whether the last reading is older than so many seconds, or there was none."""
        return self._offset is None or self._machine.uptime() - self._read_at > seconds

    async def read(self, connection: Connection) -> None:
        """Ask the server for its time."""
        asked_at = self._machine.uptime()
        told: datetime = (await connection.execute(_NOW)).scalar_one()
        self.note(told, asked_at, self._machine.uptime())

    def note(self, told: datetime, asked_at: float, answered_at: float) -> None:
        """Take what the server said between two moments of this machine's uptime."""
        least, most = told.timestamp() - answered_at, told.timestamp() - asked_at
        known = (least + most) / 2 if self._offset is None else self._offset
        self._offset = min(max(known, least), most)
        self._read_at = answered_at


async def read_clock(clock: Clock, connection: Connection, *, older_than: float = OLDEST_READING) -> None:
    """Let a database's clock be read anew, if its last reading is older than so many seconds."""
    if isinstance(clock, DatabaseClock) and clock.is_older(older_than):
        await clock.read(connection)
