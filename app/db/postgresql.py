"""A transaction on PostgreSQL, which is spoken to by asyncpg."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Engine, Executable, Result, create_engine
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import greenlet_spawn

from app.db.addresses import libpq_address
from app.db.database import Connection
from app.db.lanes import Lanes, most_connections
from app.db.lines import CONNECT_SECONDS, Limits, Lines

CHANNEL = "cekal"
"""PostgreSQL channel on which a commit wakes the other processes; its messages are empty."""

_CLOSE_SECONDS = 0.5
"""How long a rollback or a farewell may take; then the connection is dropped, and the server does it by itself."""

T = TypeVar("T")


class PostgreSQL:
    """A database on a PostgreSQL server.

    SQLAlchemy's synchronous engine over asyncpg, each call in a greenlet that waits in the event loop. That is what
    its own asyncio extension does, which imports the whole ORM besides: eight megabytes a process.

    Every exchange has an end (see `lines`), which raises TimeoutError.
    """

    is_sqlite = False
    replaced = False  # the server's doing, which ends every connection

    def __init__(self, url: URL, pool_size: int, limits: Limits) -> None:
        self.url = url
        self._limits = limits
        self._engine = create_engine(
            url.set(query={}),
            # All options are read by asyncpg, as libpq would.
            connect_args={"dsn": libpq_address(url), "timeout": min(CONNECT_SECONDS, limits.seconds)},
            pool_size=pool_size,
            max_overflow=most_connections(pool_size) - pool_size,
            pool_timeout=limits.seconds,
            hide_parameters=True,  # in the messages of its errors, which level DEBUG writes
            pool_use_lifo=True,  # the connection used last has the statements prepared that are needed next
        )
        self._each = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._lines = Lines(self._engine, limits)
        self._lanes = Lanes(pool_size, limits.seconds)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection that only reads; without BEGIN, because each statement sees its own moment anyway."""
        async with self._lanes.place(writes=False), self._checked_out(self._each) as connection:
            yield _Awaited(connection, self._limits.exchange)

    @asynccontextmanager
    async def writing(self, *, once: bool = False) -> AsyncIterator[Connection]:
        """A transaction; of one statement that commits itself, if it is only to write `once`."""
        engine = self._each if once else self._engine
        async with self._lanes.place(writes=True), self._checked_out(engine) as connection:
            yield _Awaited(connection, self._limits.exchange)
            if not once:
                await _within(self._limits.exchange, connection.commit)

    @asynccontextmanager
    async def _checked_out(self, engine: Engine) -> AsyncIterator[SyncConnection]:
        """A connection of the pool; what was not committed is rolled back before it returns there."""
        connection = await _within(self._limits.exchange, engine.connect)
        try:
            yield connection
        except BaseException:
            await _completed(self._give_back(connection))
            raise
        await self._give_back(connection)

    async def _give_back(self, connection: SyncConnection) -> None:
        """Return a connection to the pool; what was done on it is done, or has failed, so a fault here is none."""
        try:
            await _within(_CLOSE_SECONDS, connection.close)
        except (DBAPIError, TimeoutError):  # by which SQLAlchemy has given it up
            connection.close()

    @asynccontextmanager
    async def bulk(self) -> AsyncIterator[None]:
        """No difference: the server has its own memory and checkpoints."""
        yield

    async def dispose(self) -> None:
        """Close every connection; those that don't answer are dropped."""
        with suppress(TimeoutError):
            await _within(_CLOSE_SECONDS, self._engine.dispose)
        self._lines.drop()


async def _within(seconds: float, act: Callable[..., T], *arguments: Any) -> T:
    """One exchange with PostgreSQL: what a synchronous function awaits on its way.

    Raises:
        TimeoutError: it did not end in time; its connection has been dropped.
    """
    async with asyncio.timeout(seconds):
        return await greenlet_spawn(act, *arguments)


async def _completed(act: Awaitable[None]) -> None:
    """Wait for an act that must come to its end, even where the one who waits is cancelled."""
    task = asyncio.ensure_future(act)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    task.result()


class _Awaited:
    """A synchronous connection whose driver waits in the event loop."""

    __slots__ = ("_connection", "_seconds")

    def __init__(self, connection: SyncConnection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds

    @property
    def dialect(self) -> Dialect:
        return self._connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        return await _within(self._seconds, self._connection.execute, statement, parameters)

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        return await _within(self._seconds, self._connection.exec_driver_sql, statement, parameters)

    async def run_sync(self, act: Callable[[SyncConnection], T]) -> T:
        return await _within(self._seconds, act, self._connection)
