"""A wake-up signal within a process: many tasks wait for it, and one call wakes all of them."""

import asyncio


class Bell:
    """A signal that wakes every task that waits when it rings; a task that comes later waits for the next ring."""

    def __init__(self) -> None:
        self._event: asyncio.Event | None = None

    def ring(self) -> None:
        """Wake all tasks that wait now."""
        if self._event is not None:
            self._event.set()
            self._event = None

    def listen(self) -> asyncio.Event:
        """Return an event that the next ring sets.

        Call this before you look for new data: then no ring is missed between the look and the wait.
        """
        if self._event is None:
            self._event = asyncio.Event()
        return self._event


async def wait_for_ring(event: asyncio.Event, seconds: float) -> bool:
    """Wait at most `seconds` for an event, such as one of `Bell.listen`. Returns whether it was set in this time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
