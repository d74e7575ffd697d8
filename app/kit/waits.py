"""How long a request may wait for what is not its sender's."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def uncounted(limit: asyncio.Timeout, wait: Awaitable[T]) -> T:
    """Wait for something that has a limit of its own, such as a body; by that time the other limit comes later.

    Args:
        limit: of the request, under way.
        wait: what is waited for.
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
    """Let a limit be so many seconds from now."""
    _set(limit, asyncio.get_running_loop().time() + seconds)


def _set(limit: asyncio.Timeout, until: float | None) -> None:
    if not limit.expired():  # else the task is about to be interrupted
        limit.reschedule(until)
