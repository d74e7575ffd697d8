"""The connection of a stream after its request was handled: it takes bytes to send, and reads nothing.

It replaces the connection's `BoundedProtocol`, with its parser, its request and its task. An open stream needs
none of them: they take several times the memory, and a task that wakes for each frame most of the time.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Any, Final, Protocol

from app.web.connections import Connections

STUCK_SECONDS = 5.0
"""Seconds for which a reader with waiting bytes may read none of them; then its connection is cut."""

LAST_SECONDS: Final = 30.0
"""Seconds in which the reader of a stream that has ended must read all waiting bytes; then its connection is cut."""

STOPPING_SECONDS = 1.0
"""The limit in place of `STUCK_SECONDS` while the service is stopping."""

LEAVING_SECONDS: Final = 0.3
"""Seconds for which a process that ends still serves its connections, and takes no new ones. In this time proxies stop
using the process, so that streams and polls that end afterwards are opened again at another one."""

HIGH_WATER: Final = 64 * 1024
"""Number of waiting bytes above which a reader counts as slow; the same with and without TLS."""

_LAST_CHUNK: Final = b"0\r\n\r\n"


class Frame:
    """A part of a stream, encoded once for all connections.

    Attributes:
        data: the bytes, at least one.
        chunk: these bytes as a chunk of HTTP/1.1 (RFC 9112 section 7.1).
    """

    __slots__ = ("chunk", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.chunk = b"%x\r\n%b\r\n" % (len(data), data)


class Sender(Protocol):
    """The interface of the object that sends on a stream's connection.

    None of its methods is called after `StreamConnection.finish`.
    """

    def close(self, why: str) -> None:
        """End the stream: `why` is `shutdown` if the process ends, `bytes` if the client has sent further bytes."""

    def lose(self, why: str) -> None:
        """Note that the connection is lost (`why` is `gone`), or is cut because its reader takes nothing (`stuck`)."""


class StreamConnection(asyncio.Protocol):
    """Sends the frames of one stream on its connection, and cuts the connection if its reader is stuck.

    Args:
        transport: the connection's transport.
        sender: the object that sends the stream's frames.
        books: the counts of the process's open connections, among which this one is counted.
        open_connections: uvicorn's set of its open connections.
        chunked: whether frames are sent as chunks of HTTP/1.1.

    Attributes:
        address: the client's address; None for a proxy's connection.
        key: id of the key of the stream's request.
        due: the time, in the event loop's seconds, by which the client must have read more of what waits for it, or is
            cut as stuck; infinite while it reads fast enough.
        slow: whether more than `HIGH_WATER` bytes wait for the reader.
    """

    __slots__ = (
        "_books",
        "_chunked",
        "_open",
        "_over",
        "_patience",
        "_sender",
        "_transport",
        "_unsent",
        "_until",
        "address",
        "due",
        "key",
        "slow",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        sender: Sender,
        books: Connections,
        open_connections: set[Any],
        *,
        chunked: bool,
    ) -> None:
        self.address: str | None = None
        self.key: str | None = None
        self.due = math.inf
        self.slow = False
        self._transport = transport
        self._sender: Sender | None = sender
        self._books = books
        self._open = open_connections
        self._chunked = chunked
        self._over: Callable[[], None] | None = None
        self._patience = STUCK_SECONDS
        self._unsent = 0
        self._until = math.inf

    @property
    def waits(self) -> bool:
        """Whether the server waits for the client to read."""
        return self.slow

    @property
    def unsent(self) -> int:
        """The number of bytes that wait for the reader."""
        return self._transport.get_write_buffer_size()

    def begin(self, *, slow: bool) -> None:
        """Become the protocol of the transport, in place of the one that handled the request.

        Args:
            slow: whether the transport had asked the former protocol to pause writing, because the client reads slowly.
        """
        self._open.add(self)
        self._transport.set_protocol(self)
        self._transport.set_write_buffer_limits(high=HIGH_WATER)
        if slow:
            self.pause_writing()

    def when_over(self, act: Callable[[], None]) -> None:
        """Call `act` once, when the stream ends or the connection is lost; at once if either has happened already.

        A second call replaces the function of the first.
        """
        if self._sender is None:
            act()
        else:
            self._over = act

    def write(self, frame: Frame) -> None:
        """Send a frame, even if many bytes wait already. On a closed connection nothing is sent."""
        data = frame.chunk if self._chunked else frame.data
        if self.slow:
            self._unsent += len(data)
        try:
            self._transport.write(data)
        except (OSError, RuntimeError):  # uvloop's closed transport raises, a moment before `connection_lost`
            self._lose("gone")

    def finish(self, last: bytes) -> None:
        """Send the last bytes, and close the connection once its reader has taken everything.

        A reader that is stuck, or that needs longer than `LAST_SECONDS`, is cut.
        """
        self._sender = None
        self._unsent = self.unsent
        self.due = self._time() + self._patience
        self._until = self._time() + LAST_SECONDS
        if self._chunked:
            last = Frame(last).chunk + _LAST_CHUNK
        try:
            self._transport.write(last)
            self._transport.close()
        except (OSError, RuntimeError):  # as in `write`
            self._transport.abort()
        self._conclude()

    def cut(self) -> None:
        """Close the connection now; bytes that wait for the reader are lost."""
        self._transport.abort()

    def close_after_answer(self) -> None:
        """Do nothing: the connection is closed after the stream in any case."""

    def expire(self, now: float) -> None:
        """End a wait that is over: give the reader more time if it has taken something, or else cut the connection.

        Call this only once `due` has passed. After the end of the stream there is no more time than `LAST_SECONDS`.
        """
        unsent = self.unsent
        if unsent < self._unsent and now < self._until:
            self._unsent, self.due = unsent, min(now + self._patience, self._until)
            return
        self._lose("stuck")
        self.cut()

    def shutdown(self) -> None:
        """End the stream after `LEAVING_SECONDS`; called by uvicorn when the process ends."""
        asyncio.get_running_loop().call_later(LEAVING_SECONDS, self._end)

    def _end(self) -> None:
        self._patience = STOPPING_SECONDS
        self.due = min(self.due, self._time() + STOPPING_SECONDS)
        if self._sender is not None:
            self._sender.close("shutdown")

    def data_received(self, _data: bytes) -> None:
        """End the stream: no further request is served on this connection."""
        if self._sender is not None:
            self._sender.close("bytes")

    def pause_writing(self) -> None:
        """Start the time limit of a reader that reads more slowly than the server sends."""
        self.slow = True
        self._unsent = self.unsent
        self.due = self._time() + self._patience

    def resume_writing(self) -> None:
        """End the time limit, because the reader has caught up."""
        self.slow = False
        if self._sender is not None:
            self.due = math.inf

    def connection_lost(self, _exc: Exception | None) -> None:
        """Release the connection's state."""
        self.due = math.inf
        self._books.leave(self)
        self._open.discard(self)
        self._lose("gone")

    def _lose(self, why: str) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.lose(why)
            self._conclude()

    def _conclude(self) -> None:
        over, self._over = self._over, None
        if over is not None:
            over()

    def _time(self) -> float:
        return asyncio.get_running_loop().time()
