"""Transactions on SQLite.

SQLite is called directly in the event loop's thread: a statement takes tens of microseconds; a thread switch takes
longer and, under load, waits for Python's global interpreter lock. The one long wait, for another process's write
lock, does not block the loop. A commit's flush to the disk does: in a separate thread it cost more processor time
than the flush takes, and the 99th percentile of the checks' latency was four times as long.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Engine, Executable, Result, create_engine, event
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import DBAPIError, OperationalError

from app.db import journal
from app.db.database import Connection
from app.db.faults import FileReplaced
from app.db.lanes import InUse, Lane

LOCK_SECONDS = 5.0
"""Longest wait, in seconds, for SQLite's write lock while another process holds it."""

_LOCK_ROUND = 0.005
_REST = 0.25
"""Rest of a bulk writer after each transaction, as a fraction of the time that it held the write lock."""

T = TypeVar("T")


class SQLite:
    """Opens read and write transactions on a SQLite file.

    Writers of this process wait in a first-in, first-out queue. SQLite allows one writer at a time, and its own waiting
    is unfair: with twelve writers, the 99th percentile of the waits is twenty times their median.

    Args:
        url: the file's address.
    """

    is_sqlite = True

    def __init__(self, url: URL) -> None:
        self.url = url
        # Connections beyond the pool are opened as needed: waiting for one would block the whole loop.
        self._engine: Engine = create_engine(url, pool_size=4, max_overflow=-1, hide_parameters=True)
        self._writer = self._engine.execution_options(writes=True)
        self._gate = asyncio.Lock()
        self._waiting = 0
        self._file: tuple[int, int] | None = None
        self._pragmas: Sequence[str] = journal.PRAGMAS
        event.listen(self._engine, "do_connect", self._make_private)
        event.listen(self._engine, "connect", self._connected)
        event.listen(self._engine, "begin", _begun)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """Open a transaction for reads for the block; it sees the file as it was at its first statement."""
        with self._engine.connect() as connection:
            yield _Direct(connection)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """Open a transaction for the block that holds the file's write lock.

        Raises:
            OperationalError: another process held the lock for longer than `LOCK_SECONDS`.
            FileReplaced: the file was replaced since it was opened.
        """
        async with self._turn():
            if self.replaced:
                raise FileReplaced(str(self.url.database))
            connection = await self._locked()
            loop = asyncio.get_running_loop()
            begun = loop.time()
            with connection:
                yield _Direct(connection)
                connection.commit()
            if self._pragmas is journal.BULK_PRAGMAS:
                if journal.size(self.url) > journal.LONG:
                    journal.shorten(self._engine)
                # Now a writer in another process can get the lock, even on a machine where it seldom runs.
                await asyncio.sleep(max(2 * _LOCK_ROUND, _REST * (loop.time() - begun)))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait for this writer's turn, and hold it during the block."""
        self._waiting += 1
        try:
            await self._gate.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._gate.release()

    def in_use(self) -> Iterator[InUse]:
        """Yield the use of the queue of writers."""
        yield InUse(Lane.WRITES, int(self._gate.locked()), self._waiting)

    @asynccontextmanager
    async def bulk(self) -> AsyncIterator[None]:
        """Use a large cache during the block; copy the journal into the file when it is long, and at the block's end.

        Transactions stay as durable as usual; only the copy from the journal into the file is delayed.
        """
        await self._reopened(journal.BULK_PRAGMAS)
        try:
            yield
        finally:
            journal.shorten(self._engine)
            await self._reopened(journal.PRAGMAS)

    async def renew_statistics(self) -> None:
        """Do nothing: SQLite's planner finds the indexes of this program's statements without statistics."""

    async def _reopened(self, pragmas: Sequence[str]) -> None:
        self._pragmas = pragmas
        self._engine.dispose()

    async def _locked(self) -> SyncConnection:
        loop = asyncio.get_running_loop()
        until = loop.time() + LOCK_SECONDS
        while True:
            try:
                return self._begin()
            except OperationalError as error:
                if "locked" not in str(error.orig) or loop.time() >= until:
                    raise
                await asyncio.sleep(_LOCK_ROUND)

    def _begin(self) -> SyncConnection:
        connection = self._writer.connect()  # fails while another process changes a new file's journal
        try:
            connection.begin()
        except OperationalError:
            connection.close()
            raise
        return connection

    def _make_private(self, *_: Any) -> None:
        """Create a missing file with access for its owner only; SQLite's journals inherit this mode."""
        with suppress(OSError):  # the file exists, or SQLite reports the fault
            os.close(os.open(str(self.url.database), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    @property
    def replaced(self) -> bool:
        """Whether the file was deleted or replaced since it was first opened."""
        return self._file is not None and self._file != self._file_now()

    def _file_now(self) -> tuple[int, int] | None:
        try:
            found = Path(str(self.url.database)).stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _connected(self, connection: Any, _record: Any) -> None:
        self._file = self._file or self._file_now()
        connection.isolation_level = None  # otherwise the driver would emit its own BEGIN
        cursor = connection.cursor()
        for pragma in self._pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    async def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()


class _Direct:
    """The asynchronous interface of a synchronous connection."""

    __slots__ = ("_connection",)

    def __init__(self, connection: SyncConnection) -> None:
        self._connection = connection

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        return self._connection.execute(statement, parameters)

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        return self._connection.exec_driver_sql(statement, parameters)

    async def fetch(self, statement: str, arguments: Sequence[Any]) -> Sequence[Any]:
        if not self._connection.in_transaction():
            self._connection.begin()
        driver: Any = self._connection.connection.driver_connection
        try:
            rows: list[Any] = driver.execute(statement, arguments).fetchall()
        except sqlite3.Error as error:
            raise DBAPIError.instance(
                statement, None, error, sqlite3.Error, hide_parameters=True, dialect=self.dialect
            ) from error
        return rows

    async def run_sync(self, act: Callable[[SyncConnection], T]) -> T:
        return act(self._connection)


def _begun(connection: SyncConnection) -> None:
    if not connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN")
        return
    # The driver would block the loop while it waits for another process's lock; `_locked` waits without blocking.
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA busy_timeout=0")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA {journal.PATIENCE}")
