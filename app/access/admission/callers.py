"""Callers by their keys: from the cache if the register's access version is unchanged, or else by a look-up.

The access version is a number that every change of clients, keys or offices raises. It is read once for all requests
that wait for it at the same time: after an outage thousands of clients come back within a second.
"""

import asyncio
from datetime import datetime

from app.access import store
from app.access.admission.gate import Gate
from app.access.domain import SYSTEM
from app.actor import Actor
from app.db.lanes import Lane, using
from app.runtime import Runtime


class Callers:
    """Finds the actors of a process's requests, from the gate's cache or by a look-up of the key.

    Args:
        runtime: the process's databases, clock and settings.
        gate: authenticates keys, and caches admitted callers.
    """

    def __init__(self, runtime: Runtime, gate: Gate) -> None:
        self._runtime = runtime
        self._gate = gate
        self._reading: asyncio.Task[tuple[int, datetime]] | None = None

    async def find(self, header: str | None, address: str | None) -> Actor:
        """Return the actor of the key in an `Authorization` header.

        Every change of access (for example a revoked key) that was committed before the call is respected.

        Args:
            header: the header's value, or None without the header.
            address: the client's network address, or None if unknown.

        Raises:
            Unauthenticated: the key is missing or not valid (as `Gate.admit`).
            RateLimited: too many attempts failed (as `Gate.admit`).
        """
        version = self._gate.version
        known = self._gate.recall(header, address)
        if known is not None and known.expires_at is not None:
            present, now = await self._version()
            if present == version and now < known.expires_at:
                return known
        with using(Lane.ADMISSION):
            async with self._runtime.reading(SYSTEM) as reader:
                return await self._gate.admit(reader, header, address)

    async def _version(self) -> tuple[int, datetime]:
        """Return the access version and the register's time, read after the call."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(_note_error)
        return await asyncio.shield(self._reading)  # a caller that leaves must not cancel it for the others

    async def _read(self) -> tuple[int, datetime]:
        self._reading = None  # it begins now: callers that come from now on need a later one
        with using(Lane.ADMISSION):
            async with self._runtime.reading(SYSTEM) as reader:
                return await store.version(reader), reader.now


def _note_error(task: asyncio.Task[tuple[int, datetime]]) -> None:
    """Look at the error of a reading whose callers have all left, or asyncio would log it."""
    if not task.cancelled():
        task.exception()
