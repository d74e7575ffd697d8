"""A unit of work: one transaction, one moment, one actor. A Reader is its read-only twin."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Executable, Result, Table
from sqlalchemy.dialects import postgresql, sqlite

from app.db.clock import read_clock
from app.db.database import Connection, Database
from app.kit.clock import Clock


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: what a key says of its client. Nothing of it ever comes from a request's body.

    Attributes:
        client_id: the client's id.
        person: nationwide employee number; None for machines.
        roles: the client's roles, as in the contract.
        agency: code of the agency it belongs to, if any.
        office: code of the office within the agency, if any.
        province: where that office lies, if known.
        checkpoint: code of the checkpoint it belongs to, if any.
        kind: `counter`, `autogate` or `manifest` for checkpoint clients.
        key_id: the key that was used.
        expires_at: when that key ends.
        gateway: whether many listen behind that key, which may open as many streams as a process takes.
    """

    client_id: str
    person: str | None
    roles: frozenset[str]
    agency: str | None = None
    office: str | None = None
    province: str | None = None
    checkpoint: str | None = None
    kind: str | None = None
    key_id: str | None = None
    expires_at: datetime | None = None
    gateway: bool = False

    def holds(self, *roles: str) -> bool:
        """Whether the actor has at least one of the roles."""
        return not self.roles.isdisjoint(roles)


@dataclass(slots=True)
class Reader:
    """A read transaction: a steady view on SQLite; on PostgreSQL each statement sees what is committed by then."""

    connection: Connection
    now: datetime
    actor: Actor

    async def run(self, statement: Executable, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        """Execute one statement."""
        return await self.connection.execute(statement, parameters)

    @property
    def is_sqlite(self) -> bool:
        """Whether the engine is SQLite."""
        return self.connection.dialect.name == "sqlite"


@dataclass(slots=True)
class Unit(Reader):
    """A write transaction.

    A use case changes its rows, says what `happened`, and as its last act `conclude`s: the projectors of each
    event add what must follow from it in the same transaction and say what the ledger is to hold; then all of
    it is appended, last, so that the lock on the ledger's numbers is held for the shortest time.

    Attributes:
        committing: the commit has begun: a caller that loses the database now can't know whether it was
            stored.
    """

    follow: "Follow"
    events: list[object] = field(default_factory=list)
    committing: bool = False

    def inserting(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """An INSERT that may say what is done on a conflict: the same words, a class of its own for each engine."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def happened(self, event: object) -> None:
        """Note an event of the domain, in order."""
        self.events.append(event)

    async def conclude(self) -> Sequence[Any]:
        """Let everything follow from the events, append to the ledger, and return the appended records."""
        drafts: list[Any] = []
        while self.events:
            events, self.events = self.events, []
            for happening in events:
                for projector in self.follow.projectors.get(type(happening), ()):
                    drafts.extend(await projector(self, happening))
        return await self.follow.append(self, drafts) if drafts else ()


Projector = Callable[[Unit, Any], Awaitable[Sequence[Any]]]
Append = Callable[[Unit, Sequence[Any]], Awaitable[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Follow:
    """What follows from events, and from a commit.

    Attributes:
        projectors: by type of event, what must follow from it in the same transaction.
        append: the ledger's append.
        acknowledge_within: how long checkpoints have to acknowledge an alert (R54).
        on_commit: called after each commit, to wake who waits for news.
    """

    projectors: Mapping[type, Sequence[Projector]]
    append: Append
    acknowledge_within: timedelta = timedelta(seconds=60)
    on_commit: list[Callable[[], None]] = field(default_factory=list)


@asynccontextmanager
async def reading(database: Database, clock: Clock, actor: Actor) -> AsyncIterator[Reader]:
    """A Reader for the block's length."""
    async with database.reading() as connection:
        await read_clock(clock, connection)
        yield Reader(connection, clock(), actor)


@asynccontextmanager
async def writing(
    database: Database, clock: Clock, actor: Actor, follow: Follow, *, once: bool = False
) -> AsyncIterator[Unit]:
    """A Unit for the block's length: committed at its end, rolled back when the block raises.

    The moment is taken inside the gate, so that on SQLite later commits never carry earlier times.

    Args:
        database: where.
        clock: the time.
        actor: who acts.
        follow: what follows from events and from the commit.
        once: as in `Database.writing`.
    """
    async with database.writing(once=once) as connection:
        await read_clock(clock, connection)
        unit = Unit(connection, clock(), actor, follow)
        yield unit
        unit.committing = True
    for wake in follow.on_commit:
        wake()
