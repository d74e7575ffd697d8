"""Bulkheads: which part of the connections to PostgreSQL each kind of work may use, so that none waits for another.

All connections are of one pool, so that statements prepared on them serve everybody; what is bounded is how many of
them each kind of work holds at once. The parts add up to the pool's size, so work that has a place in a lane
gets a connection.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from enum import StrEnum
from typing import Final

from sqlalchemy.exc import TimeoutError as PoolTimeout


class Lane(StrEnum):
    """Kinds of work that never wait for one another's connections."""

    READS = "reads"
    WRITES = "writes"
    ADMISSION = "admission"
    """Looking up keys: short, and in front of everything else."""

    URGENT = "urgent"
    CHECKS = "checks"
    TAIL = "tail"
    WORKER = "worker"


WORKER_ROUNDS: Final = 3
"""So many rounds of the worker go on at once: each holds a connection for its lock, and needs another one to work."""

_RESERVED: Final = {
    Lane.ADMISSION: 3,
    Lane.URGENT: 4,
    Lane.CHECKS: 3,  # one for each batch on its way, and one more
    Lane.TAIL: 5,  # alerts, notices, manifests, presence; and one with which readiness is found out
    Lane.WORKER: WORKER_ROUNDS + 1,
}

_lane: ContextVar[Lane | None] = ContextVar("lane", default=None)


def shares(pool_size: int) -> dict[Lane, int]:
    """How many connections each lane has, where ordinary reads have `pool_size`."""
    return {Lane.READS: pool_size, Lane.WRITES: max(2, pool_size // 2), **_RESERVED}


def most_connections(pool_size: int) -> int:
    """How many connections a process opens at most, beside the one on which it is woken."""
    return sum(shares(pool_size).values())


@contextmanager
def using(lane: Lane | None) -> Iterator[None]:
    """Let every transaction that begins in the block, or in a task that is made there, use a lane.

    Without one that of the writes or of the reads is used.
    """
    token = _lane.set(lane)
    try:
        yield
    finally:
        _lane.reset(token)


class Lanes:
    """The places of one pool.

    Args:
        pool_size: how many of them ordinary reads have.
        patience: seconds that a place is waited for.
    """

    def __init__(self, pool_size: int, patience: float) -> None:
        self._patience = patience
        self._free = {lane: asyncio.Semaphore(places) for lane, places in shares(pool_size).items()}

    @asynccontextmanager
    async def place(self, *, writes: bool) -> AsyncIterator[None]:
        """Hold a place of the lane that is in use, or of the reads or writes, for the block's length.

        Raises:
            PoolTimeout: none became free in time.
        """
        free = self._free[_lane.get() or (Lane.WRITES if writes else Lane.READS)]
        if free.locked():
            await self._wait_for(free)
        else:
            await free.acquire()
        try:
            yield
        finally:
            free.release()

    async def _wait_for(self, free: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await free.acquire()
        except TimeoutError:
            raise PoolTimeout("no connection became free in time") from None
