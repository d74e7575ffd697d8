"""Rounds of the worker's loops, each run by one process at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from sqlalchemy import func, select

from app.db.database import Connection, Database
from app.db.lanes import Lane, using
from app.kit.bell import wait_for_ring


class Rounds:
    """Runs rounds: single passes of the worker's loops. On PostgreSQL only one process at a time runs the same round.

    On PostgreSQL a round holds one connection for its lock and needs a second one for its work. A semaphore limits the
    simultaneous rounds, so that their locks never use up all connections.

    Args:
        database: the register's database.
        at_once: the greatest number of simultaneous rounds.
        alive_seconds: time between two statements that keep the transaction with the lock alive.
    """

    def __init__(self, database: Database, at_once: int, alive_seconds: float) -> None:
        self._database = database
        self._at_once = asyncio.Semaphore(at_once)
        self._alive_seconds: Final = alive_seconds

    async def run(self, act: Callable[[], Awaitable[object]], lock: int) -> None:
        """Run a round to its end, or do nothing if it is running already, in another process or in this one.

        On SQLite nothing is checked, since one process runs the loops.

        Args:
            act: the round.
            lock: the number of the round's advisory lock on PostgreSQL; rounds with the same number are the same round.

        Raises:
            Exception: the round's own error; or, on PostgreSQL, an error of the connection that holds the lock. The
                loss of the lock cancels the round.
        """
        if self._database.is_sqlite:
            await act()
            return
        with using(Lane.WORKER):
            async with self._at_once, self._database.writing() as connection:
                if (await connection.execute(select(func.pg_try_advisory_xact_lock(lock)))).scalar_one():
                    await self._act(connection, act)

    async def _act(self, connection: Connection, act: Callable[[], Awaitable[object]]) -> None:
        """Run a round, and keep the transaction that holds its lock alive. Raises the error that came first."""
        done = asyncio.Event()
        errors: Sequence[Exception] = ()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hold(connection, done))
                try:
                    await act()
                finally:
                    done.set()
        except ExceptionGroup as failed:
            errors = failed.exceptions
        if errors:  # not above, where the group would become the error's context
            raise errors[0]

    async def _hold(self, connection: Connection, done: asyncio.Event) -> None:
        """Send statements until `done`, so that the server does not end the transaction as idle.

        An error of the connection, and so the loss of the lock, cancels the round.
        """
        while not await wait_for_ring(done, self._alive_seconds):
            await connection.execute(select(1))
