"""The databases: how a transaction is opened on SQLite and on PostgreSQL.

PostgreSQL is spoken to by asyncpg. SQLite is called directly in the event loop's thread: a statement takes tens
of microseconds, handing it to another thread and back takes longer, and under load waits for Python's lock.
The one thing that may take long, the lock of another process, is waited for without blocking the loop. A commit's
flush to the disk is not: in a thread of its own it cost more processor time than the flush takes, and the slowest
hundredth of the checks waited four times as long.
"""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Engine, Executable, Result, create_engine, event
from sqlalchemy.engine import URL, Dialect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.util import greenlet_spawn

from app.db import journal
from app.db.faults import FileReplaced
from app.db.lanes import Lanes, most_connections
from app.db.lines import CONNECT_SECONDS, Limits, Lines
from app.settings import Settings

CHANNEL = "cekal"
"""PostgreSQL channel on which a commit wakes the other processes; its messages are empty."""

LOCK_SECONDS = 5.0
"""How long SQLite's write lock, held by another process, is waited for."""

_LOCK_ROUND = 0.005
_CLOSE_SECONDS = 0.5
"""How long a rollback or a farewell may take; then the connection is dropped, and the server does it by itself."""
_REST = 0.25
"""For how much of the time that it held the lock a process that writes much then leaves it to others."""

T = TypeVar("T")


class Connection(Protocol):
    """What a transaction offers on both engines."""

    @property
    def dialect(self) -> Dialect:
        """Which engine this is."""

    async def execute(self, statement: Executable, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        """Execute one statement."""

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        """Execute a statement in the driver's own words; see `bulk`."""

    async def run_sync(self, act: Callable[[SyncConnection], T]) -> T:
        """Call a function with the synchronous connection; for Alembic."""


class Database(Protocol):
    """One database."""

    is_sqlite: bool
    url: URL

    @property
    def replaced(self) -> bool:
        """Whether the file is another one than was opened first: then nothing is written any more."""

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        """A transaction that only reads."""

    def writing(self, *, once: bool = False) -> AbstractAsyncContextManager[Connection]:
        """A transaction: committed at the block's end, rolled back when the block raises.

        Args:
            once: the block executes one statement, which PostgreSQL then commits by itself: that saves it two
                exchanges of three.
        """

    def bulk(self) -> AbstractAsyncContextManager[None]:
        """For the block's length this process writes much, in short transactions: memory is spent to write less."""

    async def dispose(self) -> None:
        """Close every connection."""


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
                # Whoever waits in another process gets the lock, also on a machine on which its turns are rare.
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


def driver_url(address: str) -> URL:
    """The SQLAlchemy URL, with its driver, of `sqlite:///path` or `postgresql://…`.

    Raises:
        ValueError: it is no such address, names another database than these two, or SQLite without a file.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # whose messages may quote it
        raise ValueError("CEKAL_DATABASE_URL must be like sqlite:///path or postgresql://…/name") from None
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise ValueError("CEKAL_DATABASE_URL must name a file: sqlite:///path")
            return url.set(drivername="sqlite+pysqlite")
        case "postgresql" | "postgres":
            return url.set(drivername="postgresql+asyncpg")
        case other:
            raise ValueError(f"CEKAL_DATABASE_URL may be sqlite or postgresql, not {other}")


def libpq_address(url: URL) -> str:
    """A PostgreSQL server's address as libpq writes it, with its password and options such as `sslmode`."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def open_databases(settings: Settings) -> tuple[Database, Database]:
    """The register's database and the one of the checks.

    They are one and the same on PostgreSQL. On SQLite the checks, which grow for ever and are written all the
    time, have a file of their own beside the register's (`register.db` and `register-checks.db`).
    """
    url = driver_url(settings.url)
    if url.get_backend_name() != "sqlite":
        both = PostgreSQL(url, settings.pool_size, Limits(settings.database_seconds))
        return both, both
    path = Path(str(url.database))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f"{path.stem}-checks{path.suffix}")
    return SQLite(url), SQLite(url.set(database=str(beside)))


async def require_writable(*databases: Database) -> None:
    """Make sure that the files of SQLite may be written: a service that can only read them looks ready and is not.

    Raises:
        PermissionError: this user may not write them, or the folder that they lie in.
    """
    for database in databases:
        if not database.is_sqlite:
            continue
        try:
            async with database.writing() as connection:  # which alone does not tell
                await connection.exec_driver_sql("DELETE FROM alembic_version WHERE FALSE")
        except OperationalError as error:
            if "locked" not in str(error.orig):  # by another process, which may write at least
                detail = f"the register can't be written by this user: {error.orig}"
                raise PermissionError(errno.EACCES, detail, database.url.database) from None


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
