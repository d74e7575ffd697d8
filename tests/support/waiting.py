"""Waiting for what becomes true elsewhere, where there is no event to wait for."""

import asyncio
from collections.abc import Awaitable, Callable

_ROUND = 0.005


async def until(holds: Callable[[], bool], within: float = 10.0) -> None:
    """Return as soon as a condition holds.

    Raises:
        TimeoutError: it did not within so many seconds.
    """
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - what is waited for lies in another thread or process
            await asyncio.sleep(_ROUND)


async def until_answered(holds: Callable[[], Awaitable[bool]], within: float = 20.0) -> None:
    """Return as soon as a condition holds that has to be asked for, such as by a request.

    Raises:
        TimeoutError: it did not within so many seconds.
    """
    async with asyncio.timeout(within):
        while not await holds():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
