"""A unit of work: one transaction with one instant and one actor. A Reader is its read-only counterpart."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Executable, Result, Table
from sqlalchemy.dialects import postgresql, sqlite

from app.actor import Actor
from app.db.clock import read_clock
from app.db.database import Connection, Database
from app.errors import ClockInDoubt
from app.kit.clock import Clock

_DOUBT_SECONDS: Final = 60
"""Seconds after which to repeat an act that was refused for a doubtful clock; an operator must check it first."""


def _no_doubt() -> str | None:
    return None


def insert_of(table: Table, *, is_sqlite: bool) -> postgresql.Insert | sqlite.Insert:
    """Return an INSERT that supports `on_conflict_…`, in the class of SQLite's or PostgreSQL's dialect."""
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


@dataclass(slots=True)
class Reader:
    """A read transaction: on SQLite a snapshot; on PostgreSQL each statement sees what was committed before it.

    Attributes:
        connection: the transaction's connection.
        now: the instant of the transaction, by the register's clock; the same for everything in it.
        actor: the client or the part of the register that reads or acts.
    """

    connection: Connection
    now: datetime
    actor: Actor

    async def run(self, statement: Executable, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        """Execute one statement and return its result.

        `parameters` has the values of the bound parameters: a dict by name, or a list of such dicts; the
        statement is executed once for each. None is for a statement without bound parameters.
        """
        return await self.connection.execute(statement, parameters)

    @property
    def is_sqlite(self) -> bool:
        """Return whether the engine is SQLite."""
        return self.connection.dialect.name == "sqlite"


@dataclass(slots=True)
class Unit(Reader):
    """A write transaction.

    A use case changes its rows, reports events with `happened`, and at last calls `conclude`. The projectors of each
    event then change what depends on it in the same transaction and return drafts of ledger records. Officers are
    notified after them, and all drafts are appended last: these two lock the numbers of notices and of records, which
    every other transaction needs, for the shortest time, and after all rows that it may lock before.

    Attributes:
        follow: the projectors, the notifiers and the ledger's append that `conclude` calls.
        events: the events reported since the last `conclude`.
        records: all records that the transaction has appended to the ledger, in order; `follow.append` adds them.
        committing: whether the commit has begun; if the database is lost from then on, the outcome is unknown.
        doubt: returns why the clock may be wrong, or None while it is plausible.
    """

    follow: "Follow"
    events: list[object] = field(default_factory=list)
    records: list[Any] = field(default_factory=list)
    committing: bool = False
    doubt: Callable[[], str | None] = _no_doubt

    def expect_plausible(self) -> None:
        """Raise ClockInDoubt unless the clock is plausible; call it before acts that can't be undone.

        A change of the clock since the start of this transaction is noticed too, so that `now` is covered.

        Raises:
            ClockInDoubt: the clock is not plausible.
        """
        doubt = self.doubt()
        if doubt is not None:
            raise ClockInDoubt(
                f"What ends a measure or rests on a deadline waits: {doubt}.", retry_after=_DOUBT_SECONDS
            )

    def inserting(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """Return an INSERT that supports `on_conflict_…`, in the class of the engine's dialect."""
        return insert_of(table, is_sqlite=self.is_sqlite)

    def happened(self, event: object) -> None:
        """Report an event. Its projectors run only in `conclude`, in the order in which events were reported."""
        self.events.append(event)

    async def conclude(self) -> Sequence[Any]:
        """Run the projectors and notifiers of all events, and append the drafts to the ledger.

        Events that projectors report are included. Notifiers run after the last projector.

        Returns the new ledger records in the order of their numbers; an empty sequence if there were no drafts.
        """
        drafts: list[Any] = []
        followed: list[object] = []
        while self.events:
            events, self.events = self.events, []
            for event in events:
                for projector in self.follow.projectors.get(type(event), ()):
                    drafts.extend(await projector(self, event))
            followed += events
        for event in followed:
            for notify in self.follow.notifiers.get(type(event), ()):
                await notify(self, event)
        return await self.follow.append(self, drafts) if drafts else ()


Projector = Callable[[Unit, Any], Awaitable[Sequence[Any]]]
"""A function that handles an event. Returns drafts of ledger records: records that have no number yet."""

Notifier = Callable[[Unit, Any], Awaitable[None]]
"""A function that notifies officers of an event."""

Append = Callable[[Unit, Sequence[Any]], Awaitable[Sequence[Any]]]
"""A function that appends drafts to the ledger. Returns the records, with their numbers."""


@dataclass(frozen=True, slots=True)
class Follow:
    """What follows from the events of a unit and from its commit; `Unit.conclude` and `writing` call its functions.

    Attributes:
        projectors: by type of event, the functions that handle it in the same transaction.
        append: the function that appends drafts to the ledger.
        notifiers: by type of event, the functions that notify officers of it, after all projectors.
        acknowledge_within: how long checkpoints have to acknowledge an alert (R54).
        on_commit: functions called after each commit with the ledger records of the transaction, in order; many
            transactions have none.
    """

    projectors: Mapping[type, Sequence[Projector]]
    append: Append
    notifiers: Mapping[type, Sequence[Notifier]] = field(default_factory=dict)
    acknowledge_within: timedelta = timedelta(seconds=60)
    on_commit: list[Callable[[Sequence[Any]], None]] = field(default_factory=list)


@asynccontextmanager
async def reading(database: Database, clock: Clock, actor: Actor) -> AsyncIterator[Reader]:
    """Open a read transaction for the block and yield its Reader; `now` is the clock's time at the start."""
    async with database.reading() as connection:
        await read_clock(clock, connection)
        yield Reader(connection, clock(), actor)


@asynccontextmanager
async def writing(
    database: Database,
    clock: Clock,
    actor: Actor,
    follow: Follow,
    *,
    doubt: Callable[[], str | None] = _no_doubt,
) -> AsyncIterator[Unit]:
    """Open a write transaction for the block and yield its Unit; commit at the block's end, roll back when it raises.

    The transaction's instant is read after its turn among the writers has come. On SQLite, where one writer runs at a
    time, transactions are therefore committed in the order of their instants.

    Args:
        database: the database.
        clock: the register's clock.
        actor: the caller.
        follow: the functions to call for events and after the commit.
        doubt: returns why the clock may be wrong, or None while it is plausible.
    """
    async with database.writing() as connection:
        await read_clock(clock, connection)
        unit = Unit(connection, clock(), actor, follow, doubt=doubt)
        yield unit
        unit.committing = True
    for react in follow.on_commit:
        react(unit.records)


@asynccontextmanager
async def storing(
    reader: Reader, follow: Follow, *, doubt: Callable[[], str | None] = _no_doubt
) -> AsyncIterator[Unit]:
    """Yield a Unit for one writing statement on the connection of a Reader. For PostgreSQL only.

    A Reader's connection to PostgreSQL commits each statement at once. So nothing is rolled back if the block raises,
    and `follow.on_commit` is not called.

    Args:
        reader: the open read transaction; the Unit has its instant and actor.
        follow: the functions to call for events.
        doubt: returns why the clock may be wrong, or None while it is plausible.
    """
    yield Unit(reader.connection, reader.now, reader.actor, follow, doubt=doubt)
