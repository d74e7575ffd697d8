"""The interface of a database and of its transactions, the same for both engines."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Executable, Result
from sqlalchemy.engine import URL, Dialect

from app.db.lanes import InUse

T = TypeVar("T")


class Connection(Protocol):
    """The interface of a transaction's connection.

    A statement that fails raises SQLAlchemy's DBAPIError; one that gets no answer in time raises TimeoutError.
    """

    @property
    def dialect(self) -> Dialect:
        """The SQLAlchemy dialect of the engine."""

    async def execute(self, statement: Executable, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        """Execute one statement and return its result.

        `parameters` has the values of the bound parameters: a dict by name, or a list of such dicts; the
        statement is executed once for each. None is for a statement without bound parameters.
        """

    async def exec_driver_sql(self, statement: str, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        """Execute a statement in the driver's own syntax, without SQLAlchemy (see `bulk`). Returns its result.

        `parameters` are in the driver's own form too.
        """

    async def fetch(self, statement: str, arguments: Sequence[Any]) -> Sequence[Any]:
        """Execute a statement in the driver's own syntax by the driver itself, which is several times faster.

        Returns the rows as the driver gives them; an empty sequence for a statement without rows. Errors are raised as
        SQLAlchemy's classes.
        """

    async def run_sync(self, act: Callable[[SyncConnection], T]) -> T:
        """Call `act` with the underlying synchronous connection and return its result; Alembic needs this."""


class Database(Protocol):
    """The interface of a database.

    Attributes:
        is_sqlite: whether the engine is SQLite; otherwise it is PostgreSQL.
        url: the address, with the driver.
    """

    is_sqlite: bool
    url: URL

    @property
    def replaced(self) -> bool:
        """Whether SQLite's file was replaced since it was opened; writes are then refused. False on PostgreSQL."""

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        """Open a connection for reads for the block.

        On SQLite the block is one transaction. On PostgreSQL each statement is a transaction of its own: it sees what
        was committed before it, and if it writes, it is committed at once (see `unit.storing`).

        Raises:
            PoolTimeout: no connection to PostgreSQL became free in time.
        """

    def writing(self) -> AbstractAsyncContextManager[Connection]:
        """Open a transaction for the block: committed at its end, rolled back when it raises.

        Raises:
            FileReplaced: SQLite's file was replaced since it was opened.
            DBAPIError: SQLite's write lock was held by another process for too long, or the commit failed.
            TimeoutError: PostgreSQL did not answer the commit in time, so that its outcome is unknown.
            PoolTimeout: no connection to PostgreSQL became free in time.
        """

    def bulk(self) -> AbstractAsyncContextManager[None]:
        """Tune the database for many short write transactions during the block.

        SQLite gets more memory and writes to the disk less often; PostgreSQL renews the statistics of growing tables.
        """

    async def renew_statistics(self) -> None:
        """Renew the planner's statistics of the tables that have more than doubled since the last time.

        Does nothing on SQLite, whose planner needs none for the statements of this program.

        Raises:
            DBAPIError: the database can't be reached or does not work.
            TimeoutError: PostgreSQL did not answer in time.
            PoolTimeout: no connection to PostgreSQL became free in time.
        """

    def in_use(self) -> Iterator[InUse]:
        """Yield how many transactions run and wait in each lane: a kind of work with connections of its own.

        For SQLite, which has no lanes, yield one item: the use of its queue of writers, as that of `Lane.WRITES`.
        """

    async def dispose(self) -> None:
        """Close every connection."""
