"""Limits on request bodies: their size, their arrival time, and repeated JSON members, which make them ambiguous."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from app.errors import Fault, Invalid, MalformedJson
from app.kit import json_text
from app.web.faults import pointer_to

_MAX_FAULTS = 100
_PATIENCE = 20
"""Time limit of a whole body, as a multiple of the limit for its next part: 2 MB at 7 kB/s with the default."""
_SWEEPS = 8
"""Number of searches for overdue bodies within the time limit of one part."""


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The largest allowed size of a request's body, in bytes; call it with the request's path.

    Attributes:
        usual: the limit for every path that is not in `larger`.
        larger: the limits for single paths: from path to bytes.
    """

    usual: int = 2_000_000
    larger: Mapping[str, int] = field(default_factory=dict)

    def __call__(self, path: str) -> int:
        """Return the limit for a path, in bytes."""
        return self.larger.get(path, self.usual)


def body_too_large_error() -> HTTPException:
    """Return the HTTPException (413) for a body above its limit (RFC 9110 section 15.5.14).

    The connection stays open, and the server discards the remaining body: closing it would reset the connection while
    the client is still sending, and the client would never read the answer.
    """
    return HTTPException(413)


def body_late_error() -> HTTPException:
    """Return the HTTPException (408) for a body that did not arrive in time.

    Its answer closes the connection, because further bytes of the body could still come.
    """
    return HTTPException(408, headers={"Connection": "close"})


def read_json(body: bytes) -> Any:
    """Return a parsed JSON body. Of repeated members the result has the last; `expect_single` can still find them.

    Raises:
        MalformedJson: the body is not JSON.
    """
    try:
        return json_text.read(body)
    except json_text.NotJson:
        raise MalformedJson("The body is no JSON.") from None


def expect_single(sent: Any, *, inside: bool = True) -> None:
    """Raise Invalid if parsed JSON contains an object with repeated members (RFC 7493 section 2.3).

    Args:
        sent: a body that `read_json` returned, or a row of one.
        inside: whether to check nested objects too. Pass False for a body of rows if each row is checked on its own.

    Raises:
        Invalid: with a pointer to each repeated member (fault code `repeated_member`), up to 100 of them.
    """
    repeated = islice(json_text.repeated_members(sent, inside=inside), _MAX_FAULTS)
    if faults := [Fault(pointer_to(path), "repeated_member", _REPEATED) for path in repeated]:
        raise Invalid(_REPEATED, faults=faults)


def expect_members(body: bytes, members: int) -> None:
    """Raise Invalid if an object in a JSON body has a repeated member; call it after the body was parsed.

    A parser keeps only one of several members with the same name. A body has at least one colon for each member.
    If it has exactly `members` colons, nothing was dropped, and the body is not parsed a second time.

    Args:
        body: the body.
        members: the number of members, at all depths, that the parser has kept.

    Raises:
        Invalid: a member of an object is repeated.
        MalformedJson: the body is not valid JSON.
    """
    if body.count(b":") != members:
        expect_single(read_json(body))


_REPEATED = "A member of an object is given more than once, and readers differ in which of the two they take."


class BodyWatch:
    """Ends the wait for each request body that arrives too slowly, by an HTTPException (408) in the waiting task.

    One timer checks all arriving bodies, because a timer for each would cost more than reading a usual body.

    Args:
        timeout: longest wait for each part of a body, in seconds; the whole body may take twenty times as long.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._waits: dict[_Body, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def guard(self, receive: Receive, limit: int) -> Receive:
        """Return a function to use in place of `receive`, which limits the size and the arrival time of the body.

        The returned function raises HTTPException: 413 if the body has more than `limit` bytes, 408 if it does not
        arrive in time.
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
    """The arriving body of one request."""

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
        if not self._open:  # the only remaining message is the disconnect, for which streams wait
            return await self._receive()
        self._task = asyncio.current_task()
        self.due = min(self._loop.time() + self._timeout, self._last)
        self._waits[self] = None
        try:
            message = await self._receive()
        except asyncio.CancelledError:
            if self._given_up and self._task is not None and self._task.uncancel() == 0:
                raise body_late_error() from None
            raise
        finally:
            del self._waits[self]
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise body_too_large_error()
        self._open = message.get("more_body", False)
        return message

    def give_up(self) -> None:
        """End the wait."""
        self._given_up = True
        if self._task is not None:
            self._task.cancel()
