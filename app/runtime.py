"""What one process holds: settings, clock, databases, and what follows from events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar
from weakref import WeakValueDictionary

from app.db.clock import DatabaseClock
from app.db.database import Database
from app.db.engine import open_databases
from app.db.faults import Outage, outage
from app.db.outages import Outages
from app.db.unit import Actor, Follow, Reader, Unit, reading, writing
from app.kit.bell import Bell
from app.kit.clock import Clock, FileClock, Machine
from app.kit.plausibility import Plausibility
from app.settings import Settings

T = TypeVar("T", bound=Reader)


class ClockDoubted(RuntimeError):
    """What can't be undone was not done, because the clock is not plausible."""


class OpenHits(dict[frozenset[tuple[str, int]], str]):
    """The open hits of a document on a journey, by the entries, each in a version, that they are about."""


@dataclass(slots=True)
class Runtime:
    """One per process, shared by web, worker and command line; made by `open_runtime`.

    Attributes:
        clock: by which each instant is written and judged: the database server's on PostgreSQL, this machine's on
            SQLite, a test's where one is given.
        machine: the clocks of this machine.
        plausibility: whether they are to be believed; None for a test's clock, which always is.
        register: the register's database.
        checks: the checks' database; the same object on PostgreSQL.
        pepper: key of the keyed hashes of document numbers; empty until `access.pepper.take_pepper` has read it.
        bell: rung when the ledger has grown or access has changed, in whatever process.
        closing: set when the service is stopping, so that long polls end.
        counting: held while a table of figures is counted; one at a time in a process.
        unwritten: the want of room, or the damage, that kept the last transaction from being written, if one did.
        open_hits: of passengers who are being asked about, by the journey's key; shared, so that two who ask about
            one document at the same moment open one hit.
        in_flight: idempotency keys whose first request is still running in this process.
        outages: what is logged of times in which the databases can't serve.
    """

    settings: Settings
    clock: Clock
    machine: Machine
    plausibility: Plausibility | None
    register: Database
    checks: Database
    follow: Follow
    pepper: bytes = b""
    closing: bool = False
    bell: Bell = field(default_factory=Bell)
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)
    in_flight: set[tuple[str, str, str]] = field(default_factory=set)
    open_hits: WeakValueDictionary[str, OpenHits] = field(default_factory=WeakValueDictionary)
    unwritten: Outage | None = None
    outages: Outages = field(default_factory=Outages)

    def reading(self, actor: Actor) -> AbstractAsyncContextManager[Reader]:
        """A read transaction on the register."""
        return self._noted(reading(self.register, self.clock, actor), writing=False)

    def writing(self, actor: Actor) -> AbstractAsyncContextManager[Unit]:
        """A transaction on the register."""
        return self._noted(writing(self.register, self.clock, actor, self.follow), writing=True)

    @asynccontextmanager
    async def irreversible(self, actor: Actor, *, checks: bool = False) -> AsyncIterator[Unit]:
        """A transaction for what follows from time alone and can't be undone.

        Args:
            actor: who acts.
            checks: on the checks instead of the register.

        Raises:
            ClockDoubted: its moment is not plausible.
        """
        async with self.writing_checks(actor) if checks else self.writing(actor) as unit:
            doubt = self.doubt()  # after the moment was taken: a clock that was set before is seen here
            if doubt is not None:
                raise ClockDoubted(doubt)
            yield unit

    def doubt(self) -> str | None:
        """Why the clock may be wrong, so that what can't be undone must wait; None while it is plausible."""
        return None if self.plausibility is None else self.plausibility.doubt()

    def reading_checks(self, actor: Actor) -> AbstractAsyncContextManager[Reader]:
        """A read transaction on the checks."""
        return self._noted(reading(self.checks, self.clock, actor), writing=False)

    @asynccontextmanager
    async def checks_beside(self, register: Reader) -> AsyncIterator[Reader]:
        """A view of the checks for one who holds a transaction on the register.

        Where the checks lie in the register's database it is that same transaction: were each of many to hold
        one connection and wait for a second, none would ever get it.
        """
        if self.checks is self.register:
            yield register
            return
        async with self.reading_checks(register.actor) as checks:
            yield checks

    def writing_checks(self, actor: Actor, *, once: bool = False) -> AbstractAsyncContextManager[Unit]:
        """A transaction on the checks, `once` as in `Database.writing`.

        Nothing follows from it, and nobody is woken by it.
        """
        follow = Follow({}, self.follow.append)
        return self._noted(writing(self.checks, self.clock, actor, follow, once=once), writing=True)

    @asynccontextmanager
    async def _noted(self, transaction: AbstractAsyncContextManager[T], *, writing: bool) -> AsyncIterator[T]:
        """The transaction; whether it failed by an outage is noted.

        Where one fails for want of room or by damage, that is noted until the next is written: a small write may still
        find room where a larger one has failed, so a trial alone would not tell.
        """
        try:
            async with transaction as opened:
                yield opened
        except Exception as error:
            self.outages.failed(error, writing=writing)
            if writing and (why := outage(error)) in {Outage.FULL, Outage.DAMAGED}:
                self.unwritten = why
            raise
        self.outages.served(writing=writing)
        if writing:
            self.unwritten = None

    async def close(self) -> None:
        """Close every connection."""
        await self.register.dispose()
        if self.checks is not self.register:
            await self.checks.dispose()


def open_runtime(
    settings: Settings, follow: Follow, clock: Clock | None = None, machine: Machine | None = None
) -> Runtime:
    """A Runtime of these settings; connections are opened when first used.

    Args:
        settings: the deployment's.
        follow: what follows from events.
        clock: a test's clock, which is then the only one.
        machine: the clocks of this machine, where a test sets them.
    """
    register, checks = open_databases(settings)
    machine = machine or Machine()
    if clock is None and settings.test_clock is not None:
        clock = FileClock(settings.test_clock)
    if clock is not None:
        return Runtime(settings, clock, machine, None, register, checks, follow)
    clock = machine.wall if register.is_sqlite else DatabaseClock(machine)
    return Runtime(settings, clock, machine, Plausibility(machine, clock), register, checks, follow)
