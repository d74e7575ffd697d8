"""Transactions on PostgreSQL, with the driver asyncpg."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Engine, Executable, Result, create_engine
from sqlalchemy.engine import URL, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import greenlet_spawn

from app.db.addresses import libpq_address
from app.db.database import Connection
from app.db.faults import Outage, outage
from app.db.lanes import InUse, Lanes, most_connections
from app.db.lines import CONNECT_SECONDS, Limits, Lines
from app.db.statistics import analyze, list_grown

logger = logging.getLogger(__name__)

CHANNEL = "cekal"
"""The PostgreSQL notification channel on which a commit wakes the other processes; its messages are empty."""

_CLOSE_SECONDS = 0.5
"""Seconds that a rollback or a close may take; then the connection is dropped, and the server rolls back."""

T = TypeVar("T")


class PostgreSQL:
    """A database on a PostgreSQL server.

    It runs SQLAlchemy's synchronous engine over asyncpg; each call runs in a greenlet that waits in the event loop.
    SQLAlchemy's asyncio extension works the same way, but imports the whole ORM: 8 MB per process.

    Every round trip has a time limit (see `lines`); when it passes, TimeoutError is raised. Each kind of work has a
    lane: a fixed number of connections. A transaction that gets none of its lane's connections in time raises
    PoolTimeout.

    Args:
        url: the server's address, with the driver.
        pool_size: the number of connections for ordinary reads. The pool opens more: as many as all lanes have
            together (`most_connections`).
        limits: time limits of each round trip, and of the wait for a connection.
    """

    is_sqlite = False
    replaced = False  # a replaced database ends every connection

    def __init__(self, url: URL, pool_size: int, limits: Limits) -> None:
        self.url = url
        self._limits = limits
        self._engine = create_engine(
            URL.create(url.drivername),
            # asyncpg parses the whole address, as libpq would, also one that names several servers.
            connect_args={"dsn": libpq_address(url), "timeout": min(CONNECT_SECONDS, limits.seconds)},
            pool_size=pool_size,
            max_overflow=most_connections(pool_size) - pool_size,
            pool_timeout=limits.seconds,
            hide_parameters=True,  # error messages, which level DEBUG logs, would contain them
            pool_use_lifo=True,  # the last used connection has the prepared statements needed next
        )
        self._each = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._lines = Lines(self._engine, limits)
        self._lanes = Lanes(pool_size, limits.seconds)
        self._in_bulk = False
        self._slow_to_analyze: set[str] = set()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """Open a connection for reads, without BEGIN: each statement sees the data committed before it anyway."""
        async with self._lanes.place(writes=False), self._checked_out(self._each) as connection:
            yield _Committed(connection, self._limits.exchange)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Connection]:
        """Open a transaction for the block."""
        async with self._lanes.place(writes=True), self._checked_out(self._engine) as connection:
            awaited = _Awaited(connection, self._limits.exchange)
            yield awaited
            await _within(self._limits.exchange, connection.commit)
            if self._in_bulk:
                with suppress(DBAPIError, TimeoutError):  # the rows are stored; autovacuum does it later
                    for table in await list_grown(awaited):
                        await analyze(awaited, table)
                        await _within(self._limits.exchange, connection.commit)

    @asynccontextmanager
    async def _checked_out(self, engine: Engine) -> AsyncIterator[SyncConnection]:
        """Take a connection from the pool for the block; uncommitted changes are rolled back at its end."""
        connection = await _within(self._limits.exchange, engine.connect)
        try:
            yield connection
        except BaseException:
            await _completed(self._give_back(connection))
            raise
        await self._give_back(connection)

    async def _give_back(self, connection: SyncConnection) -> None:
        """Return a connection to the pool; an error is ignored, because the outcome of the work is already known."""
        try:
            await _within(_CLOSE_SECONDS, connection.close)
        except (DBAPIError, TimeoutError):  # SQLAlchemy has then invalidated the connection
            connection.close()

    @asynccontextmanager
    async def bulk(self) -> AsyncIterator[None]:
        """Renew the statistics of tables that grow during the block, so that every process finds rows by an index.

        The server manages its memory and checkpoints itself.
        """
        self._in_bulk = True
        try:
            yield
        finally:
            self._in_bulk = False

    async def renew_statistics(self) -> None:
        """Renew the statistics of the tables that have more than doubled; the server then plans its statements anew.

        A table whose statistics take longer than a statement may is left to autovacuum from then on, after a warning.
        """
        async with self.reading() as connection:
            grown = await list_grown(connection)
        for table in grown:
            if table in self._slow_to_analyze:
                continue
            try:
                async with self.writing() as connection:
                    await analyze(connection, table)
            except DBAPIError as error:
                if outage(error) is not Outage.BUSY:
                    raise
                self._slow_to_analyze.add(table)
                logger.warning("the statistics of %s are left to autovacuum", table, exc_info=error)

    def in_use(self) -> Iterator[InUse]:
        """Yield the use of each lane of connections."""
        return self._lanes.in_use()

    async def dispose(self) -> None:
        """Close every connection, and drop those that don't answer."""
        with suppress(TimeoutError):
            await _within(_CLOSE_SECONDS, self._engine.dispose)
        self._lines.drop()


async def _within(seconds: float, act: Callable[..., T], *arguments: Any) -> T:
    """Run a synchronous function that talks to PostgreSQL, in a greenlet and with a time limit.

    Raises:
        TimeoutError: it did not end in time; its connection was dropped.
    """
    async with asyncio.timeout(seconds):
        return await greenlet_spawn(act, *arguments)


async def _completed(act: Awaitable[None]) -> None:
    """Run an awaitable to its end, even when the calling task is cancelled."""
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
    """The asynchronous interface of a synchronous connection, whose driver waits in the event loop."""

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

    async def fetch(self, statement: str, arguments: Sequence[Any]) -> Sequence[Any]:
        return await _within(self._seconds, _fetch, self._connection, statement, arguments)

    async def run_sync(self, act: Callable[[SyncConnection], T]) -> T:
        return await _within(self._seconds, act, self._connection)


class _Committed(_Awaited):
    """The interface of a connection that commits each statement, so that `fetch` may leave out SQLAlchemy's cursor."""

    __slots__ = ()

    async def fetch(self, statement: str, arguments: Sequence[Any]) -> Sequence[Any]:
        line = self._connection.connection
        driver: Any = line.driver_connection
        try:
            async with asyncio.timeout(self._seconds):
                rows: list[Any] = await driver.fetch(statement, *arguments)
                return rows
        except BaseException as error:
            adapter: Any = line.dbapi_connection
            with _failing(self._connection, statement):
                adapter._handle_exception(error)  # noqa: SLF001 - it alone knows SQLAlchemy's error for the driver's
            raise


def _fetch(connection: SyncConnection, statement: str, arguments: Sequence[Any]) -> Sequence[Any]:
    """Execute a statement on the driver's cursor. Returns its rows, none for a statement that returns none.

    Raises:
        DBAPIError: as SQLAlchemy's own calls; a connection that failed, or whose answer nobody awaits, is invalidated.
    """
    if not connection.in_transaction():
        connection.begin()  # otherwise there would be nothing to commit
    with _failing(connection, statement):
        cursor = connection.connection.cursor()
        cursor.execute(statement, arguments)
        return cursor.fetchall()


@contextmanager
def _failing(connection: SyncConnection, statement: str) -> Iterator[None]:
    """Turn an error of the driver in the block into SQLAlchemy's, and invalidate a connection that failed.

    Raises:
        DBAPIError: the driver has raised an error.
    """
    dialect = connection.dialect
    driver = dialect.loaded_dbapi
    try:
        yield
    except driver.Error as error:
        # A column's type was changed since this connection prepared the statement: a new connection prepares it anew.
        outdated = isinstance(error, driver.InvalidCachedStatementError)
        lost = outdated or dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement,
            None,
            error,
            driver.Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=dialect,
        ) from error
    except BaseException as error:
        connection.invalidate(error)
        raise
