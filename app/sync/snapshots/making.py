"""Makes one snapshot in a process of its own: `python -m app.sync.snapshots.making`.

The service starts it, so that checks and alerts share neither the interpreter nor the event loop with it. The order
comes on standard input, which no other user of the machine can read; the outcome goes to standard output. It imports
drivers and the rules of a snapshot, but no framework: it begins after a tenth of a second and takes little memory.
"""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from app.kit.driver_statements import DriverStatement
from app.ledger.domain import RecordText
from app.ledger.folding import BEHIND_ALL, StateStatements, state_of
from app.sync.snapshots.domain import Digest, reader_in
from app.sync.snapshots.writing import Writer

_PAGE: Final = 1000
"""Records about entries that are read at once: some milliseconds, and about a megabyte."""

_NICE: Final = 5
"""How much it gives way to the service when the processor is short."""


class Order(msgspec.Struct):
    """The order to make a snapshot, which the service sends to a process of its own.

    Attributes:
        path: the file to be made; it must not exist.
        scope: which personal parts the file contains (see `scope_of`).
        sequence: the file contains the state after the ledger's first `sequence` records.
        first: the first line of the file, in JSON.
        last: the last line of the file, in JSON.
        database: the URI of SQLite's file, or the address of PostgreSQL's database in libpq's form.
        is_sqlite: whether `database` is SQLite's.
        seconds: longest time for one answer of the database.
        statements: the statements that read the state, in the driver's syntax.
    """

    path: str
    scope: str
    sequence: int
    first: bytes
    last: bytes
    database: str
    is_sqlite: bool
    seconds: float
    statements: StateStatements


class Made(msgspec.Struct):
    """The result of an order.

    Attributes:
        fingerprint: SHA-256 of the file's bytes, in hexadecimal.
        length: bytes of the file's lines, before compression.
        digest: the digest of the file's records.
    """

    fingerprint: str
    length: int
    digest: Digest


class _Database(Protocol):
    async def rows(self, statement: DriverStatement, asked: Mapping[str, Any]) -> Sequence[Any]: ...


class _SQLite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def rows(self, statement: DriverStatement, asked: Mapping[str, Any]) -> Sequence[Any]:
        return self._connection.execute(statement.text, statement.arguments(asked)).fetchall()


class _PostgreSQL:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def rows(self, statement: DriverStatement, asked: Mapping[str, Any]) -> Sequence[Any]:
        rows: Sequence[Any] = await self._connection.fetch(statement.text, *statement.arguments(asked))
        return rows


@asynccontextmanager
async def _opened(order: Order) -> AsyncIterator[_Database]:
    if order.is_sqlite:
        # Each statement is a transaction of its own: a long one would keep the journal from being emptied.
        with closing(
            sqlite3.connect(order.database, order.seconds, isolation_level=None, uri=True)
        ) as connection:
            yield _SQLite(connection)
        return
    import asyncpg

    connection = await asyncpg.connect(order.database, timeout=order.seconds, command_timeout=order.seconds)
    try:
        yield _PostgreSQL(connection)
    finally:
        await connection.close(timeout=order.seconds)


async def make(order: Order) -> Made:
    """Read the state from the database, and write the file of the ordered snapshot.

    After an error the file may be incomplete; the caller removes it.

    Raises:
        LedgerBroken: the leaf of a clearance can't be read.
        OSError: the file exists or can't be written, or the process that ordered the snapshot has ended.
        Exception: the database can't be read; the error is the driver's.
    """
    writer = Writer(Path(order.path), reader_in(order.scope))
    writer.add_line(order.first)
    async with _opened(order) as database:
        after: str | None = ""
        reading = asyncio.ensure_future(_read(database, order, ""))
        while after is not None:
            records, closed, after = await reading
            if after is not None:
                reading = asyncio.ensure_future(_read(database, order, after))
                await asyncio.sleep(0)  # PostgreSQL works on the next part while this one is written
            writer.add_records(records, closed)
            if os.getppid() != _PARENT:
                raise OSError("the service that asked for the snapshot has ended")
    writer.add_line(order.last)
    fingerprint = await asyncio.to_thread(writer.finish)
    return Made(fingerprint, writer.length, writer.digest.digest(order.sequence).digest)


async def _read(
    database: _Database, order: Order, after: str
) -> tuple[list[RecordText], frozenset[str], str | None]:
    """Read a part of the state, as `list_state` does, and then what of it is closed: gives also where to go on."""
    asked = {"after": after, "count": _PAGE, "upto": order.sequence}
    ends = await database.rows(order.statements.end, asked)
    end = ends[0][0] if ends else None
    asked["last"] = end or BEHIND_ALL
    newest = await database.rows(order.statements.newest, asked)
    clearances = await database.rows(order.statements.clearances, asked)
    closed = frozenset(row[0] for row in await database.rows(order.statements.closed, asked))
    records = state_of(map(RecordText._make, newest), map(RecordText._make, clearances))
    return records, closed, end


_PARENT: Final = os.getppid()


def main() -> None:
    """Read an `Order` as JSON from standard input, make the snapshot, and write `Made` as JSON to standard output."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(make(order))))


if __name__ == "__main__":
    main()
