"""A transaction on SQLite.

It is called directly in the event loop's thread: a statement takes tens of microseconds, handing it to another thread
and back takes longer, and under load waits for Python's lock. The one thing that may take long, the lock of another
process, is waited for without blocking the loop. A commit's flush to the disk is not: in a thread of its own it cost
more processor time than the flush takes, and the slowest hundredth of the checks waited four times as long.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Engine, Executable, Result, create_engine, event
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import OperationalError

from app.db import journal
from app.db.database import Connection
from app.db.faults import FileReplaced

LOCK_SECONDS = 5.0
"""How long SQLite's write lock, held by another process, is waited for."""

_LOCK_ROUND = 0.005
_REST = 0.25
"""For how much of the time that it held the lock a process that writes much then leaves it to others."""

T = TypeVar("T")


class SQLite:
    """A database in a file.

    Writers of this process queue at a gate, first come first served, because SQLite lets in one at a time and
    its own waiting is unfair: its p99 is twenty times its median under twelve writers.
    """

    is_sqlite = True

    def __init__(self, url: URL) -> None:
        self.url = url
        # Connections beyond the pool are opened as needed: waiting for one would block the whole loop.
        self._engine: Engine = create_engine(url, pool_size=4, max_overflow=-1, hide_parameters=True)
        self._writer = self._engine.execution_options(writes=True)
        self._gate = asyncio.Lock()
        self._file: tuple[int, int] | None = None
        self._pragmas: Sequence[str] = journal.PRAGMAS
        event.listen(self._engine, "do_connect", self._make_private)
        event.listen(self._engine, "connect", self._connected)
        event.listen(self._engine, "begin", _begun)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A transaction that only reads: the file as it was when it began."""
        with self._engine.connect() as connection:
            yield _Direct(connection)

    @asynccontextmanager
    async def writing(self, *, once: bool = False) -> AsyncIterator[Connection]:  # noqa: ARG002 - of `Database`
        """A transaction that holds the file's write lock.

        Args:
            once: makes no difference here, where nothing is exchanged.

        Raises:
            OperationalError: another process held the lock for longer than `LOCK_SECONDS`.
            FileReplaced: the file is another one than was opened.
        """
        async with self._gate:
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
                # Now a writer in another process gets the lock, also on a machine where its turns are rare.
                await asyncio.sleep(max(2 * _LOCK_ROUND, _REST * (loop.time() - begun)))

    @asynccontextmanager
    async def bulk(self) -> AsyncIterator[None]:
        """The block's connections have a large cache; the journal is brought into the file when it is long, and last.

        Every transaction is as durable as any other; only the copying from the journal into the file comes later.
        """
        await self._reopened(journal.BULK_PRAGMAS)
        try:
            yield
        finally:
            journal.shorten(self._engine)
            await self._reopened(journal.PRAGMAS)

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
        connection = self._writer.connect()  # refused by a new file whose journal another process changes
        try:
            connection.begin()
        except OperationalError:
            connection.close()
            raise
        return connection

    def _make_private(self, *_: Any) -> None:
        """Make a file that is not there yet, for nobody but its owner: SQLite's journals take over its mode."""
        with suppress(OSError):  # it is there, or SQLite says what is wrong
            os.close(os.open(str(self.url.database), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))

    @property
    def replaced(self) -> bool:
        """Whether the file is gone, or another one than was opened first."""
        return self._file is not None and self._file != self._file_now()

    def _file_now(self) -> tuple[int, int] | None:
        try:
            found = Path(str(self.url.database)).stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _connected(self, connection: Any, _record: Any) -> None:
        self._file = self._file or self._file_now()
        connection.isolation_level = None  # or the driver would emit a BEGIN of its own
        cursor = connection.cursor()
        for pragma in self._pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    async def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()


class _Direct:
    """A synchronous connection behind the asynchronous interface."""

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

    async def run_sync(self, act: Callable[[SyncConnection], T]) -> T:
        return act(self._connection)


def _begun(connection: SyncConnection) -> None:
    if not connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN")
        return
    # The driver would wait for another process's lock in the loop's thread; `_locked` waits beside it.
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA busy_timeout=0")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA {journal.PATIENCE}")
