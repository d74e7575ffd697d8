"""What one process holds: settings, clock, databases, and what follows from events."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from app.db.engine import Database, open_databases
from app.db.faults import Outage, outage
from app.db.outages import Outages
from app.db.unit import Actor, Follow, Reader, Unit, reading, writing
from app.kit.bell import Bell
from app.kit.clock import Clock, FileClock, system_clock
from app.settings import Settings

T = TypeVar("T", bound=Reader)


@dataclass(slots=True)
class Runtime:
    """One per process, shared by web, worker and command line; made by `open_runtime`.

    Attributes:
        register: the register's database.
        checks: the checks' database; the same object on PostgreSQL.
        pepper: key of the keyed hashes of document numbers; empty until `access.service.take_pepper` has read it.
        bell: rung when the ledger has grown or access has changed, in whatever process.
        closing: set when the service is stopping, so that long polls end.
        counting: held while a table of figures is counted; one at a time in a process.
        unwritten: the want of room, or the damage, that kept the last transaction from being written, if one did.
        in_flight: idempotency keys whose first request is still running in this process.
        outages: what is logged of times in which the databases can't serve.
    """

    settings: Settings
    clock: Clock
    register: Database
    checks: Database
    follow: Follow
    pepper: bytes = b""
    closing: bool = False
    bell: Bell = field(default_factory=Bell)
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)
    in_flight: set[tuple[str, str, str]] = field(default_factory=set)
    unwritten: Outage | None = None
    outages: Outages = field(default_factory=Outages)

    def reading(self, actor: Actor) -> AbstractAsyncContextManager[Reader]:
        """A read transaction on the register."""
        return self._noted(reading(self.register, self.clock(), actor), writing=False)

    def writing(self, actor: Actor) -> AbstractAsyncContextManager[Unit]:
        """A transaction on the register."""
        return self._noted(writing(self.register, self.clock, actor, self.follow), writing=True)

    def reading_checks(self, actor: Actor) -> AbstractAsyncContextManager[Reader]:
        """A read transaction on the checks."""
        return self._noted(reading(self.checks, self.clock(), actor), writing=False)

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


def open_runtime(settings: Settings, follow: Follow, clock: Clock | None = None) -> Runtime:
    """A Runtime of these settings; connections are opened when first used."""
    if clock is None:
        clock = FileClock(settings.test_clock) if settings.test_clock else system_clock
    register, checks = open_databases(settings)
    return Runtime(settings, clock, register, checks, follow)
