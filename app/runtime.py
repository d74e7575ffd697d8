"""What one process holds: settings, clock, databases, and the projectors and notifiers that follow events."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from weakref import WeakValueDictionary

from app.actor import Actor
from app.db.clock import DatabaseClock
from app.db.database import Database
from app.db.engine import open_databases
from app.db.faults import Outage, outage
from app.db.outages import Outages
from app.db.rollback import Rollback
from app.db.unit import Follow, Reader, Unit, reading, storing, writing
from app.errors import ClockInDoubt, RolledBack
from app.kit.bell import Bell
from app.kit.clock import Clock, FileClock, Machine
from app.kit.plausibility import Plausibility
from app.settings import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T", bound=Reader)
Item = TypeVar("Item")

ListDue = Callable[[Reader, Item | None, int], Awaitable[Sequence[Item]]]
"""A function that reads a batch of due items in a fixed order: those after an item (None: the first), up to a limit."""


class Done(NamedTuple, Generic[Item]):
    """The result of an act that was done with several items.

    Attributes:
        number: the sum of the numbers that the act has returned.
        failed: the items for which it has failed.
    """

    number: int
    failed: Sequence[Item]


class Keeper(Protocol):
    """The interface of the object that detects rollbacks: it compares the database with the mark.

    The mark is a file outside the database with the highest signed head.

    Attributes:
        fault: why the mark's file can't be used or written; None without a fault.
        woken: set it to have the database compared with the mark soon.
    """

    fault: str | None
    woken: asyncio.Event

    async def compare(self, reader: Reader) -> Rollback | None:
        """Return the evidence that the database was rolled back to an earlier state; None if there is none."""

    def remember(self, epoch: str, size: int) -> None:
        """Remember that this process has read a ledger of `size` records in `epoch`, more than the database has now."""


class Traces(Protocol):
    """Traces the way of alerts through this process; see `web.traces`."""

    def begin_request(self, scope: Mapping[str, Any]) -> None:
        """Begin to trace a request, given by its ASGI scope, until its answer was sent."""

    def transaction(self, opened: AbstractAsyncContextManager[Unit]) -> AbstractAsyncContextManager[Unit]:
        """Return a context manager that opens the transaction by `opened`, and traces its alerts after the commit."""

    def confirm(self, alert_id: str, **attributes: str | int) -> None:
        """Trace that the present request has confirmed an alert; call it after the commit of the receipt.

        `attributes` are attributes of the span.
        """

    def publish(self, alert_ids: Sequence[str], since: int, read_at: int, **attributes: str | int) -> None:
        """Trace the alerts with these ids, which were just published to the streams.

        `since` is when the reading of the ledger began and `read_at` when it ended, in nanoseconds since 1970;
        `attributes` are attributes of the spans.
        """

    def close(self) -> None:
        """Export the remaining traces, and end."""


class OpenHits(dict[frozenset[tuple[str, int]], str]):
    """The open hits of one document on one journey; a hit is a match of a traveller with entries.

    A key is the set of the matched entries, as pairs of id and version; its value is the id of their hit.

    Attributes:
        stored: ids of those hits that are known to be committed to the database.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stored: set[str] = set()


@dataclass(slots=True)
class Runtime:
    """The shared state of a process, used by web, worker and command line; made by `open_runtime`.

    Attributes:
        settings: the settings of the deployment.
        clock: the clock of every stored instant and decision: the database server's on PostgreSQL, this machine's
            on SQLite, or a test's if one is given.
        machine: the clocks of this machine.
        plausibility: decides whether the clocks are plausible; None for a test's clock, which always counts as such.
        register: the register's database.
        checks: the checks' database; the same object on PostgreSQL.
        follow: the functions that each write transaction calls: projectors and notifiers, which handle its events, and
            the ledger's append.
        pepper: key of the keyed hashes of document numbers; empty until `access.pepper.take_pepper` has read it.
        bell: rung when this process has read news of any process: ledger records, notices, or a change of access. Also
            rung when it stops following the ledger, and when it stops.
        closing: set when the service is stopping, so that long polls end.
        counting: a lock held while statistics are counted, so that a process makes one table of figures at a time.
        unwritten: the reason (a full disk, damage) that made the last write fail; None after a write that succeeded.
        open_hits: open hits of passengers that are being checked, by journey key. Simultaneous checks of one document
            share them, so that they open one hit together.
        in_flight: the client, call and idempotency key of each first request that still runs in this process.
        outages: logs the outages of the databases.
        keeper: compares the register with the mark.
        rollback: the evidence that the register was rolled back; writes are then refused. None without evidence.
        unsettled: whether the next write must first compare the register with the mark: True at the start and after
            each failure of the database, which may have been restored meanwhile.
        traces: makes the traces of alerts; None if the deployment has none.
    """

    settings: Settings
    clock: Clock
    machine: Machine
    plausibility: Plausibility | None
    register: Database
    checks: Database
    follow: Follow
    keeper: Keeper
    pepper: bytes = b""
    closing: bool = False
    bell: Bell = field(default_factory=Bell)
    counting: asyncio.Lock = field(default_factory=asyncio.Lock)
    in_flight: set[tuple[str, str, str]] = field(default_factory=set)
    open_hits: WeakValueDictionary[str, OpenHits] = field(default_factory=WeakValueDictionary)
    unwritten: Outage | None = None
    outages: Outages = field(default_factory=Outages)
    rollback: Rollback | None = None
    unsettled: bool = True
    traces: Traces | None = None

    def reading(self, actor: Actor) -> AbstractAsyncContextManager[Reader]:
        """Open a read transaction on the register."""
        return self._noted(reading(self.register, self.clock, actor), writing=False)

    @asynccontextmanager
    async def writing(self, actor: Actor, *, always: bool = False) -> AsyncIterator[Unit]:
        """Open a write transaction on the register.

        Args:
            actor: the actor of the acts.
            always: whether the transaction is opened even if the register was rolled back. Only a restoration, the
                notice of the rollback, the presence of checkpoints and the record that a photo was seen need this.

        Raises:
            RolledBack: the register was rolled back, and `always` is False.
        """
        if self.rollback is not None and not always:
            raise self.rollback.refusal()
        opened: AbstractAsyncContextManager[Unit] = writing(
            self.register, self.clock, actor, self.follow, doubt=self.doubt
        )
        if self.traces is not None:
            opened = self.traces.transaction(opened)
        async with self._noted(opened, writing=True) as unit:
            if self.unsettled and not always:
                self.settle(await self.keeper.compare(unit))
                if self.rollback is not None:
                    raise self.rollback.refusal()
            yield unit

    def settle(self, rollback: Rollback | None) -> None:
        """Set whether the register is rolled back (None: it is not), and log the beginning and the end of this state.

        A register whose database file was replaced counts as rolled back in any case.
        """
        if self.register.replaced:  # what this process reads is not what is there now
            rollback = Rollback("", 0, None)
        if rollback is not None and self.rollback is None:
            logger.critical("the register was rolled back, and writes are refused: %s", rollback)
            self.keeper.woken.set()  # other processes may not know it yet
        elif rollback is None and self.rollback is not None:
            logger.warning("the register was accepted as it is: writes go on")
        self.rollback, self.unsettled = rollback, False

    @asynccontextmanager
    async def irreversible(self, actor: Actor, *, checks: bool = False) -> AsyncIterator[Unit]:
        """Open a write transaction for acts that follow from time alone and can't be undone.

        Args:
            actor: the actor of the acts.
            checks: whether the transaction is on the checks instead of the register.

        Raises:
            ClockInDoubt: the transaction's moment is not plausible.
            RolledBack: the transaction is on the register, which was rolled back.
        """
        async with self.writing_checks(actor) if checks else self.writing(actor) as unit:
            unit.expect_plausible()
            yield unit

    def doubt(self) -> str | None:
        """Return why the clock may be wrong; None while it is plausible. With a doubt, irreversible acts must wait."""
        return None if self.plausibility is None else self.plausibility.doubt()

    def reading_checks(self, actor: Actor) -> AbstractAsyncContextManager[Reader]:
        """Open a read transaction on the checks."""
        return self._noted(reading(self.checks, self.clock, actor), writing=False)

    @asynccontextmanager
    async def checks_beside(self, register: Reader) -> AsyncIterator[Reader]:
        """Open a read transaction on the checks for a caller that already holds one on the register.

        Where the checks are stored in the register's database this is the same transaction: if many callers each held
        one connection and waited for a second, none would ever get it.
        """
        if self.checks is self.register:
            yield register
            return
        async with self.reading_checks(register.actor) as checks:
            yield checks

    def writing_checks(self, actor: Actor) -> AbstractAsyncContextManager[Unit]:
        """Open a write transaction on the checks.

        No projectors or notifiers run after its events, and its commit wakes no waiting task. It is opened also if the
        register was rolled back.
        """
        follow = Follow({}, self.follow.append)
        return self._noted(writing(self.checks, self.clock, actor, follow, doubt=self.doubt), writing=True)

    def storing_checks(self, register: Reader) -> AbstractAsyncContextManager[Unit]:
        """Open a transaction of one statement on the checks, for a caller that holds a Reader of the register.

        If the checks are stored in the register's database, the statement is executed on the reader's connection, which
        commits each statement: a second connection would cost as much as a query. Otherwise this is `writing_checks`.
        """
        if self.checks is not self.register:
            return self.writing_checks(register.actor)
        follow = Follow({}, self.follow.append)
        return self._noted(storing(register, follow, doubt=self.doubt), writing=True)

    @contextmanager
    def isolating(self, failure: str, **about: str) -> Iterator[None]:
        """Log an error of the block instead of raising it, so that the other items or parts of a round are done.

        Open the transaction of an item inside the block. An error that belongs to an outage is recorded as such.

        Args:
            failure: the text to log.
            about: details to log with it, such as the item's id.

        Raises:
            ClockInDoubt, RolledBack: the block has raised this error, and the other items would raise it too.
        """
        try:
            yield
        except (ClockInDoubt, RolledBack):
            raise
        except Exception as error:
            if not self.outages.failed(error):
                logger.exception(failure, extra=about)

    async def each_due(
        self, actor: Actor, list_due: ListDue[Item], limit: int, *, checks: bool = False
    ) -> AsyncIterator[Item]:
        """Yield each item that is due. The arguments are those of `due_in_batches`, which reads them."""
        async for batch in self.due_in_batches(actor, list_due, limit, checks=checks):
            for item in batch:
                yield item

    async def due_in_batches(
        self, actor: Actor, list_due: ListDue[Item], limit: int, *, checks: bool = False
    ) -> AsyncIterator[Sequence[Item]]:
        """Yield all items that are due, in batches; the next batch is read when the caller is done with the last one.

        It begins after the last item of that batch. So items that fail, and therefore stay due, never hide the items
        after them, however many they are.

        Args:
            actor: the actor that reads.
            list_due: reads a batch.
            limit: the greatest number of items in a batch.
            checks: whether `list_due` reads the checks instead of the register.
        """
        after: Item | None = None
        while True:
            async with self.reading_checks(actor) if checks else self.reading(actor) as reader:
                batch = await list_due(reader, after, limit)
            if batch:
                yield batch
            if len(batch) < limit:
                return
            after = batch[-1]

    async def do_together_or_apart(
        self, items: Sequence[Item], act: Callable[[Sequence[Item]], Awaitable[int]], failure: str
    ) -> Done[Item]:
        """Do an act with all items; after an error with each alone, so that one that fails does not delay the others.

        Args:
            items: the items.
            act: does the act with some items and returns a number; or raises an error, having changed nothing.
            failure: the text to log for an item that fails alone.

        Returns:
            The sum of the numbers, and the items that have failed alone.

        Raises:
            Exception: the database can't serve.
            ClockInDoubt, RolledBack: `act` has raised this error.
        """
        try:
            return Done(await act(items), [])
        except Exception as error:
            if isinstance(error, ClockInDoubt | RolledBack) or outage(error) is not None:
                raise
        number, left = 0, list(items)
        for item in items:
            with self.isolating(failure, item=str(item)):
                number += await act([item])
                left.remove(item)
        return Done(number, left)

    @asynccontextmanager
    async def _noted(self, transaction: AbstractAsyncContextManager[T], *, writing: bool) -> AsyncIterator[T]:
        """Enter the transaction, and record whether it fails by an outage of the database.

        A failure by a full disk or by damage is remembered until the next transaction is written. A small trial write
        may succeed where a larger one has failed, so a trial alone would not show the failure.
        """
        try:
            async with transaction as opened:
                yield opened
        except Exception as error:
            self.unsettled = self.outages.failed(error, writing=writing) or self.unsettled
            if writing and (why := outage(error)) in {Outage.FULL, Outage.DAMAGED}:
                self.unwritten = why
            raise
        self.outages.served(writing=writing)
        if writing:
            self.unwritten = None

    async def close(self) -> None:
        """Close every connection, and export the remaining traces."""
        if self.traces is not None:
            self.traces.close()
        await self.register.dispose()
        if self.checks is not self.register:
            await self.checks.dispose()


def open_runtime(
    settings: Settings,
    follow: Follow,
    keeper: Keeper,
    clock: Clock | None = None,
    machine: Machine | None = None,
) -> Runtime:
    """Return a Runtime with these settings; connections are opened when first used.

    Args:
        settings: the settings of the deployment.
        follow: the functions that each write transaction calls: projectors and notifiers, which handle its events, and
            the ledger's append.
        keeper: compares the register with the mark.
        clock: a test's clock, which then replaces all others.
        machine: the clocks of this machine, if a test sets them.

    Raises:
        ValueError: the database's address in the settings is malformed, or names no file or another kind of database.
    """
    register, checks = open_databases(settings)
    machine = machine or Machine()
    if clock is None and settings.test_clock is not None:
        clock = FileClock(settings.test_clock)
    if clock is not None:
        return Runtime(settings, clock, machine, None, register, checks, follow, keeper)
    clock = machine.wall if register.is_sqlite else DatabaseClock(machine)
    return Runtime(settings, clock, machine, Plausibility(machine, clock), register, checks, follow, keeper)
