"""Makes one snapshot in a process of its own: `python -m app.sync.snapshots.making`.

The service starts it, so that checks and alerts share neither the interpreter nor the event loop with it. The order
comes on standard input, which no other user of the machine can read; the outcome goes to standard output. It imports
drivers and the rules of a snapshot, but no framework: it begins after a tenth of a second and takes little memory.
"""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from app.actor import Actor
from app.kit.driver_statements import DriverStatement
from app.kit.garbage import defer_searches
from app.ledger.domain import Closures, LedgerBroken
from app.ledger.folding import BEHIND_ALL, StateStatements, state_of
from app.sync.feed.domain import within_scope
from app.sync.feed.rendering import RecordMembers, complete, members_in
from app.sync.snapshots.domain import reader_in
from app.sync.snapshots.writing import Writer

if TYPE_CHECKING:
    import asyncio

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
        at_once: about how many records about entries are read at once.
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
    at_once: int


class Made(msgspec.Struct):
    """The result of an order.

    Attributes:
        fingerprint: SHA-256 of the file's bytes, in hexadecimal.
        length: bytes of the file's lines, before compression.
        records: number of records in the file.
        leaves: the hash of their leaves, as `ComputedDigest.leaves` describes it.
    """

    fingerprint: str
    length: int
    records: int
    leaves: str


Rows = Sequence[Sequence[Any]]
Answer = Callable[[], Rows]
"""Waits for the answer to a statement, and returns its rows."""


class _Database(Protocol):
    def ask(self, statement: DriverStatement, asked: Mapping[str, Any]) -> Answer:
        """Begin a statement; what it returns waits for its end. One statement is begun at a time."""


class _SQLite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def ask(self, statement: DriverStatement, asked: Mapping[str, Any]) -> Answer:
        return lambda: self._connection.execute(statement.text, statement.arguments(asked)).fetchall()


class _PostgreSQL:
    def __init__(self, loop: "asyncio.AbstractEventLoop", connection: Any) -> None:
        self._loop = loop
        self._connection = connection

    def ask(self, statement: DriverStatement, asked: Mapping[str, Any]) -> Answer:
        asking = self._connection.fetch(statement.text, *statement.arguments(asked))
        task = self._loop.create_task(asking)
        self._loop.call_soon(self._loop.stop)
        self._loop.run_forever()  # one turn, in which the statement is sent
        return lambda: self._loop.run_until_complete(task)


@contextmanager
def _opened(order: Order) -> Iterator[_Database]:
    if order.is_sqlite:
        # Each statement is a transaction of its own: a long one would keep the journal from being emptied.
        with closing(
            sqlite3.connect(order.database, order.seconds, isolation_level=None, uri=True)
        ) as connection:
            yield _SQLite(connection)
        return
    import asyncio  # which takes as long to load as all the rest

    import asyncpg

    with closing(asyncio.new_event_loop()) as loop:
        opening = asyncpg.connect(order.database, timeout=order.seconds, command_timeout=order.seconds)
        connection = loop.run_until_complete(opening)
        try:
            yield _PostgreSQL(loop, connection)
        finally:
            loop.run_until_complete(connection.close(timeout=order.seconds))


def make(order: Order) -> Made:
    """Read the state from the database, and write the file of the ordered snapshot.

    After an error the file may be incomplete; the caller removes it.

    Raises:
        LedgerBroken: a leaf can't be read.
        OSError: the file exists or can't be written, or the process that ordered the snapshot has ended.
        Exception: the database can't be read; the error is the driver's.
    """
    in_scope = cache(partial(_in_scope, reader_in(order.scope)))

    def records_of(rows: Rows, closed: frozenset[str]) -> list[RecordMembers]:
        records = []
        for agency, leaf, personal, salt in rows:
            try:
                record = members_in(leaf)
            except msgspec.DecodeError as error:
                raise LedgerBroken(f"a leaf can't be read: {error}") from None
            seen = in_scope(agency) and record.entry_id not in closed
            records.append(complete(record, leaf, personal, salt, in_scope=seen))
        return records

    with closing(Writer(Path(order.path))) as writer, _opened(order) as database:
        writer.add_line(order.first)
        for newest, clearances, closed in _parts(database, order):
            writer.add_records(state_of(records_of(newest, closed), records_of(clearances, closed)))
            if os.getppid() != _PARENT:
                raise OSError("the service that asked for the snapshot has ended")
        writer.add_line(order.last)
        fingerprint, leaves = writer.finish()
    return Made(fingerprint, writer.length, writer.records, leaves)


def _in_scope(reader: Actor, agency: str | None) -> bool:
    """Return whether the reader may see the personal parts of an agency's entries that were never sealed."""
    return within_scope(None, agency, reader, Closures())


class _Part(NamedTuple):
    """A part of the state: the values with which its statements are run, the answer with its newest records, its end.

    The end is the id of the part's last entry; None for the last part.
    """

    asked: Mapping[str, Any]
    newest: Answer
    end: str | None


def _begin(database: _Database, order: Order, after: str) -> _Part:
    """Begin to read the part of the state behind an entry."""
    asked = {"after": after, "count": order.at_once, "upto": order.sequence}
    ends = database.ask(order.statements.end, asked)()
    end = ends[0][0] if ends else None
    asked["last"] = end or BEHIND_ALL
    return _Part(asked, database.ask(order.statements.newest, asked), end)


def _parts(database: _Database, order: Order) -> Iterator[tuple[Rows, Rows, frozenset[str]]]:
    """Yield each part of the state: the rows of its newest records, those of its clearances, and its closed entries.

    PostgreSQL reads the next part while the caller works on one.
    """
    part: _Part | None = _begin(database, order, "")
    while part is not None:
        newest, clearances = part.newest(), database.ask(order.statements.clearances, part.asked)()
        closed = frozenset(row[0] for row in database.ask(order.statements.closed, part.asked)())
        part = None if part.end is None else _begin(database, order, part.end)
        yield newest, clearances, closed


_PARENT: Final = os.getppid()


def main() -> None:
    """Read an `Order` as JSON from standard input, make the snapshot, and write `Made` as JSON to standard output."""
    defer_searches()  # it makes next to no circular garbage
    if hasattr(os, "nice"):
        os.nice(_NICE)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    sys.stdout.buffer.write(msgspec.json.encode(make(order)))
    sys.stdout.flush()
    os._exit(0)  # all is written; to take down the interpreter would take a seventh as long as its start


if __name__ == "__main__":
    main()
