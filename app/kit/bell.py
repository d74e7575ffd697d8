"""A bell: many wait, one rings, all wake."""

import asyncio


class Bell:
    """Wakes every task that waits at the moment it rings; a later task waits for the next ring."""

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None

    def ring(self) -> None:
        """Wake all who wait now."""
        if self._event is not None:
            self._event.set()
            self._event = None

    def listen(self) -> asyncio.Event:
        """An event that the next ring sets; take it before looking for news, so that none is missed."""
        if self._event is None:
            self._event = asyncio.Event()
        return self._event


async def heard(event: asyncio.Event, seconds: float) -> bool:
    """Wait for a ring for at most so many seconds; whether it rang."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
