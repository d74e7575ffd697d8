"""Extending the time limit of a running request."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def uncounted(limit: asyncio.Timeout, wait: Awaitable[T]) -> T:
    """Await `wait` without a time limit and return its result; then extend `limit` by the time that it took.

    Args:
        limit: the running time limit of the request.
        wait: an awaitable that limits its own time, such as the arrival of a body.
    """
    loop = asyncio.get_running_loop()
    until, begun = limit.when(), loop.time()
    _set(limit, None)
    try:
        return await wait
    finally:
        if until is not None:
            _set(limit, until + loop.time() - begun)


def renew(limit: asyncio.Timeout, seconds: float) -> None:
    """Reschedule a limit to `seconds` from now; a limit that has expired stays expired."""
    _set(limit, asyncio.get_running_loop().time() + seconds)


def _set(limit: asyncio.Timeout, until: float | None) -> None:
    if not limit.expired():  # otherwise the task is about to be cancelled
        limit.reschedule(until)
