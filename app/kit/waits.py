"""Extending the time limit of a running request."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def uncounted(limit: asyncio.Timeout, wait: Awaitable[T]) -> T:
    """Await something and return its result; the limit is extended by the time that this takes.

    Args:
        limit: the request's running time limit.
        wait: the awaitable, which has its own limit (for example the arrival of a body).
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
