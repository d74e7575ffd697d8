"""Bulkheads: each kind of work has its own share of the connections to PostgreSQL, so that none waits for another.

All connections are in one pool, so that all kinds of work share prepared statements. A lane limits how many
connections a kind of work holds at once. The limits add up to the number of connections that the pool may open
(`most_connections`), so work with a place in its lane always gets a connection.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy.exc import TimeoutError as PoolTimeout


class Lane(StrEnum):
    """A kind of work that has a fixed number of a process's connections to PostgreSQL for itself."""

    READS = "reads"
    """Reading transactions that have no other lane."""

    WRITES = "writes"
    """Writing transactions that have no other lane."""

    ADMISSION = "admission"
    """Look-ups of access keys: short, and needed before every other work."""

    URGENT = "urgent"
    """Urgent entries."""

    CHECKS = "checks"
    """Checks of travellers."""

    TAIL = "tail"
    """Short reads that a process repeats: of new rows for its streams, and of the database's state."""

    WORKER = "worker"
    """Rounds of the worker's loops, which do what is due at a time, and the pushing of heads to witnesses."""

    WEBHOOKS = "webhooks"
    """Deliveries of ledger records to other systems."""


class InUse(NamedTuple):
    """The use of a lane: `held` transactions have a connection of it, and `waiting` ones wait for a connection."""

    lane: Lane
    held: int
    waiting: int


WORKER_ROUNDS: Final = 3
"""Number of the worker's rounds that run at once; each holds one connection for its lock and needs a second one."""

_RESERVED: Final = {
    Lane.ADMISSION: 3,
    Lane.URGENT: 4,
    Lane.CHECKS: 4,  # two batches of single questions, a step of rows, and one of a manifest's watch
    Lane.TAIL: 7,  # alerts, notices, manifests, changes, presence, the readiness probe, and the keeper of the mark
    Lane.WORKER: WORKER_ROUNDS + 1,
    Lane.WEBHOOKS: 2,  # a round of the dispatcher, and its care for endpoints
}

_lane: ContextVar[Lane | None] = ContextVar("lane", default=None)


def shares(pool_size: int) -> dict[Lane, int]:
    """Return the number of connections of each lane.

    `pool_size` is not the size of the pool, but the number of connections for ordinary reads (`Lane.READS`). Writes
    get half of it, but at least 2. The other lanes have fixed numbers.
    """
    return {Lane.READS: pool_size, Lane.WRITES: max(2, pool_size // 2), **_RESERVED}


def most_connections(pool_size: int) -> int:
    """Return the largest number of connections that the pool of a process opens: the sum of all lanes.

    The connection on which the process listens for wake-ups is not among them.

    Args:
        pool_size: the number of connections for ordinary reads (`Lane.READS`).
    """
    return sum(shares(pool_size).values())


@contextmanager
def using(lane: Lane | None) -> Iterator[None]:
    """Select the lane of every transaction that begins in the block or in a task created there.

    With None, as outside such blocks, a writing transaction uses `Lane.WRITES` and a reading one `Lane.READS`.
    """
    token = _lane.set(lane)
    try:
        yield
    finally:
        _lane.reset(token)


def selected_lane() -> Lane | None:
    """Return the lane that the enclosing `using` block has selected; None if none is selected."""
    return _lane.get()


class Lanes:
    """Limits how many transactions of each lane hold a connection at the same time. A place is the right to hold one.

    Args:
        pool_size: not the size of the pool, but the number of places for ordinary reads (`Lane.READS`). Writes get half
            of it, but at least 2. The other lanes have fixed numbers of places (see `shares`).
        patience: longest wait for a place, in seconds.
    """

    def __init__(self, pool_size: int, patience: float) -> None:
        self._patience = patience
        self._free = {lane: asyncio.Semaphore(places) for lane, places in shares(pool_size).items()}
        self._held = dict.fromkeys(self._free, 0)
        self._waiting = dict.fromkeys(self._free, 0)

    def in_use(self) -> Iterator[InUse]:
        """Yield the use of each lane."""
        for lane, held in self._held.items():
            yield InUse(lane, held, self._waiting[lane])

    @asynccontextmanager
    async def place(self, *, writes: bool) -> AsyncIterator[None]:
        """Wait for a place and hold it during the block.

        It is a place of the lane that `using` has selected. Without a selection `writes` decides: True for
        `Lane.WRITES`, False for `Lane.READS`.

        Raises:
            PoolTimeout: no place became free in time.
        """
        lane = _lane.get() or (Lane.WRITES if writes else Lane.READS)
        free = self._free[lane]
        if free.locked():
            await self._wait_for(lane)
        else:
            await free.acquire()
        self._held[lane] += 1
        try:
            yield
        finally:
            self._held[lane] -= 1
            free.release()

    async def _wait_for(self, lane: Lane) -> None:
        self._waiting[lane] += 1
        try:
            async with asyncio.timeout(self._patience):
                await self._free[lane].acquire()
        except TimeoutError:
            raise PoolTimeout("no connection became free in time") from None
        finally:
            self._waiting[lane] -= 1
