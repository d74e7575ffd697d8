"""What the rest of the program knows of a database, whichever engine it has."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection as SyncConnection
from sqlalchemy import Executable, Result
from sqlalchemy.engine import URL, Dialect

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
