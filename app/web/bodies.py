"""Request bodies that are too large, or that never come."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

_PATIENCE = 20
"""A whole body may take so many times the wait for its next part: 2 MB at 7 kB/s with the default."""
_SWEEPS = 8
"""Overdue bodies are looked for so many times within one wait."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How many bytes a body may have, by path.

    Attributes:
        usual: the limit of every path not named.
        larger: limits of single paths.
    """

    usual: int = 2_000_000
    larger: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, path: str) -> int:
        """The limit for a path, in bytes."""
        return self.larger.get(path, self.usual)


def too_large() -> HTTPException:
    """The refusal of a body that is larger than its limit (RFC 9110 section 15.5.14).

    The connection stays open, and the server drops what still comes: closing it would reset it under a client
    that is still sending, which then never reads the answer.
    """
    return HTTPException(413)


def too_late() -> HTTPException:
    """The refusal of a body that did not come in time; the rest of it could come at any moment, so close."""
    return HTTPException(408, headers={"Connection": "close"})


class BodyWatch:
    """Ends the waits for bodies that take too long.

    One timer looks at all of them, because a timer for each costs more than reading a usual body.

    Args:
        timeout: seconds to wait for each part of a body; the whole may take twenty times as long.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._waits: dict[_Body, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def guard(self, receive: Receive, limit: int) -> Receive:
        """A `receive` that counts the body, at most `limit` bytes, and does not wait for it for ever.

        It raises HTTPException: 413 when the body is too large, 408 when it does not come in time.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._sweep(loop)
        return _Body(self._waits, receive, limit, self._timeout, loop).receive

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:  # another loop has taken over
            return
        now = loop.time()
        for body in [body for body in self._waits if body.due <= now]:
            body.give_up()
        loop.call_later(self._timeout / _SWEEPS, self._sweep, loop)


class _Body:
    """One request's body on its way in."""

    __slots__ = (
        "_given_up", "_last", "_left", "_loop", "_open", "_receive", "_task", "_timeout", "_waits", "due"
    )  # fmt: skip

    def __init__(
        self,
        waits: dict["_Body", None],
        receive: Receive,
        limit: int,
        timeout: float,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._waits = waits
        self._receive = receive
        self._left = limit
        self._timeout = timeout
        self._loop = loop
        self._last = loop.time() + timeout * _PATIENCE
        self._task: asyncio.Task[object] | None = None
        self._open = True
        self._given_up = False
        self.due = 0.0

    async def receive(self) -> Message:
        """Receive one ASGI message."""
        if not self._open:  # what is left to come is the end of the connection, for which streams wait
            return await self._receive()
        self._task = asyncio.current_task()
        self.due = min(self._loop.time() + self._timeout, self._last)
        self._waits[self] = None
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if self._given_up and self._task is not None and self._task.uncancel() == 0:
                raise too_late() from None
            raise
        finally:
            del self._waits[self]
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise too_large()
        self._open = message.get("more_body", False)
        return message

    def give_up(self) -> None:
        """End the wait."""
        self._given_up = True
        if self._task is not None:
            self._task.cancel()
