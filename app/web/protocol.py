"""HTTP/1.1 with limits on bytes, time and number of connections, enforced before the application.

It extends uvicorn's protocol: the head of a request has limits, every wait for the client has an end, and each
refusal is a problem document. One timer checks all connections, because a timer for each would cost more.
"""

import asyncio
import math
import ssl
from collections.abc import Mapping
from typing import Any, Final, Protocol, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.utils import is_ssl
from uvicorn.server import ServerState

from app.web.connections import Connections
from app.web.problems import problem_response
from app.web.stream_connection import LEAVING_SECONDS, Sender, StreamConnection
from app.web.unchunked import unchunked
from app.web.watch import Watch

_LINGER_SECONDS: Final = 2.0
"""Seconds that a refused client may go on sending; closing at once would reset the connection and lose the answer."""
_LINGER_BYTES: Final = 256 * 1024
"""Number of bytes that a refused client may go on sending."""
_PROGRESS: Final = 16 * 1024
"""Bytes of an answer that the client must read within the idle time, or its connection is closed."""


class _Refused(Exception):
    """Stops the parser after a request was found to violate a limit."""


class BoundedConfig(Config):
    """uvicorn's configuration, with the shared state of a process's connections.

    Attributes:
        connections: the process's connections; set when its application is loaded.
        watch: the timer that ends overdue waits on these connections.
        tls: the TLS context; None for clear text.
    """

    connections: Connections
    watch: Watch
    tls: ssl.SSLContext | None = None

    def load(self) -> None:
        """Load uvicorn's configuration, but leave TLS to `web/handshake.py` instead of the event loop."""
        super().load()
        self.tls, self.ssl = self.ssl, None

    def bound(self, connections: Connections) -> None:
        """Make the server count its connections in `connections` and apply their limits; call it before the start."""
        self.connections = connections
        self.watch = Watch(connections)


class Handshake(Protocol):
    """The interface of a TLS handshake in progress.

    Attributes:
        peer: address of the other end.
    """

    peer: str | None

    def cut(self) -> None:
        """Close the connection now."""


class BoundedProtocol(HttpToolsProtocol):
    """Serves HTTP/1.1 on one connection, refuses requests that exceed a limit, and ends waits that last too long.

    Attributes:
        address: the address whose limit the connection counts against until it shows a valid key; None for a proxy's.
        key: id of the last valid key in a request on the connection; None before the first.
        due: when the wait for the client ends, in the event loop's seconds; infinite while nothing waits for the
            client.
    """

    config: BoundedConfig

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.address: str | None = None
        self.key: str | None = None
        self.due = math.inf
        self._handshake: Handshake | None = None
        self._running: RequestResponseCycle | None = None
        self._books = config.connections
        self._limits = config.connections.limits
        self._in_head = False
        self._fields = 0
        self._octets = 0
        self._got_on = False
        self._without_progress = 0
        self._last = self._leaving = False
        self._unsent = math.inf
        self._fault = "bad-request"

    @property
    def waits(self) -> bool:
        """Whether the server waits for the client to send a request or to read the answer."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body or self.flow.write_paused

    def begin_handshake(self, handshake: "Handshake") -> bool:
        """Count a connection that begins TLS, and limit its time. Returns whether it is accepted; if not, close it."""
        self._handshake = handshake
        self.due = self.loop.time() + self._limits.header_seconds
        return self._arrive(handshake.peer) is None

    def fail_handshake(self, *, violation: bool) -> None:
        """Stop counting a connection whose handshake failed; a `violation` of TLS is counted in `Connections.cut`."""
        if violation:
            self._books.cut["handshake"] += 1
        self._books.leave(self)
        self._handshake = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Accept the connection; or answer 429 (too many from its address) or 503 (too many in all), and close it."""
        self.connections.add(self)
        self.transport = transport
        self.flow = FlowControl(transport)
        # Not by the transport's `socket`: uvloop would keep a socket object until the connection ends.
        self.server, self.client = _address(transport, "sockname"), _address(transport, "peername")
        self.scheme = "https" if is_ssl(transport) else "http"
        if self._handshake is not None:  # it was counted when the handshake began
            self._handshake = None
            self.due = self.loop.time() + self._books.idle_seconds(self)
            return
        refused = self._arrive(self.client[0] if self.client else None)
        self.due = self.loop.time() + self._books.idle_seconds(self)
        if refused is not None:
            slug = "rate-limited" if refused == "address" else "unavailable"
            self._leaving = True
            self._write_problem(slug, "Too many connections are open.", retry_after=1)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Release the connection's state; `exc` is None for a regular close."""
        super().connection_lost(exc)
        self._books.leave(self)
        self._forget()

    def data_received(self, data: bytes) -> None:
        """Parse received data; a request that is malformed or exceeds a limit is refused, and the connection closed."""
        if self._leaving:
            self._without_progress += len(data)
            if self._without_progress > _LINGER_BYTES:
                self.transport.abort()
            return
        self._got_on = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # answered as a usual request; the connection closes afterwards
        except httptools.HttpParserError:
            self._refuse(self._fault)
            return
        if self._got_on:
            self._without_progress = 0
            return
        self._without_progress += len(data)
        if self._without_progress > self._limits.request_line_bytes + self._limits.header_bytes:
            self._refuse("headers-too-large")

    def on_message_begin(self) -> None:
        """Start the time limit of a new request's head."""
        super().on_message_begin()
        self.scope["state"]["connection"] = self
        self._got_on = self._in_head = True
        self._fields = self._octets = 0
        self.due = self.loop.time() + self._limits.header_seconds

    def on_url(self, url: bytes) -> None:
        """Collect a part of the request's target; stop the parser if the target is too long."""
        super().on_url(url)
        if len(self.url) > self._limits.request_line_bytes:
            self._judge("headers-too-large")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header or drop a trailer (RFC 9112 section 7.1.2); stop the parser if they exceed a limit."""
        self._fields += 1
        self._octets += len(name) + len(value) + 4
        if self._fields > self._limits.header_fields or self._octets > self._limits.header_bytes:
            self._judge("headers-too-large")
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Pass the request to the application."""
        self._in_head = False
        self._got_on = True
        self.due = self._due_while_answering()
        super().on_headers_complete()
        if (
            self._last or self.parser.should_upgrade()
        ):  # what follows an upgrade would be read as another protocol
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Collect a part of the body."""
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Mark the request as complete."""
        self._got_on = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the wait for the next request, with its time limit."""
        self.server_state.total_requests += 1
        self._unsent = math.inf
        if not self._in_head:
            self.due = self.loop.time() + self._books.idle_seconds(self)
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self.due = self._due_while_answering()
            self._start_asgi_task(cycle, app)

    def pause_writing(self) -> None:
        """Start the time limit of a client that reads more slowly than the server sends."""
        super().pause_writing()
        self._unsent = math.inf
        self.due = self.loop.time() + self._books.idle_seconds(self)

    def resume_writing(self) -> None:
        """End the time limit, because the client reads again."""
        super().resume_writing()
        if self._answering and not self._in_head:
            self.due = math.inf

    def begin_stream(self) -> None:
        """Make the connection close after the present answer; call it before the head of a stream's answer."""
        if self._running is not None:  # or else the connection is lost
            self._running.keep_alive = False

    def hand_over(self, sender: Sender) -> StreamConnection | None:
        """Replace this protocol by a `StreamConnection`, on which `sender` sends the rest of an answer that has begun.

        The request's task may then end. If the client sends more bytes, or has sent them already, the stream ends.
        Returns the connection, or None if it was lost.
        """
        if (running := self._running) is None:
            return None
        running.response_complete = True
        if running.disconnected or self.transport.is_closing():
            return None
        self.server_state.total_requests += 1
        chunked = bool(running.chunked_encoding)
        connection = StreamConnection(
            self.transport, sender, self._books, self.server_state.connections, chunked=chunked
        )
        self._books.replace(self, connection)
        self.connections.discard(self)
        connection.begin(slow=self.flow.write_paused)
        self.flow.resume_reading()
        if self.pipeline or self._in_head:
            self.loop.call_soon(connection.data_received, b"")
        self.pipeline.clear()
        self.parser = None  # type: ignore[assignment]  # as uvicorn does
        self._forget()
        return connection

    def show_key(self, key: str) -> None:
        """Count the connection against the key with the id `key`, instead of its address: a request has shown this key.

        If the key then has too many connections, the oldest other one that waits for its client is closed. If none
        waits, this one is closed after its present answer. A proxy's connection is ignored.
        """
        self._books.show_key(self, key)

    def shutdown(self) -> None:
        """Close the connection after its present or next answer, or after `LEAVING_SECONDS` without a request."""
        if self._answering:
            self.close_after_answer()
        elif self._last:
            self.transport.close()
        else:
            self.loop.call_later(LEAVING_SECONDS, self.shutdown)
        self._last = True

    def close_after_answer(self) -> None:
        """Close the connection after the answer to the last request received; if none is being answered, do nothing."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def cut(self) -> None:
        """Close the connection now."""
        self._leaving = True
        if self._handshake is not None:
            self._handshake.cut()
        elif self.scheme == "https" or self.transport.get_write_buffer_size() or self._answering:
            self.transport.abort()  # the other end could keep it open by not confirming the end of TLS
        else:
            self.transport.close()

    def expire(self, now: float) -> None:
        """Act on an overdue wait: extend it if the client still reads; answer 408 to a late head; otherwise close."""
        if self._handshake is not None:
            self._books.cut["handshake"] += 1
            self.due = math.inf
            self.cut()
            return
        unsent = self.transport.get_write_buffer_size()
        if unsent and not self._leaving and unsent <= self._unsent - _PROGRESS:
            self._unsent = unsent
            self.due = now + self._books.idle_seconds(self)
        elif self._leaving or self.transport.is_closing():
            self.transport.abort()
        elif self._in_head and not self._answering:
            self._refuse("request-timeout")
        else:
            self._books.cut["idle"] += 1
            self.cut()
            self.due = now + _LINGER_SECONDS

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing; uvicorn would log two lines for each request to upgrade."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle  # `self.cycle` is that of the last request that has come
        old: bool = cycle.scope["http_version"] == "1.0"
        super()._start_asgi_task(cycle, cast(Any, unchunked(app, cycle)) if old else app)

    def _forget(self) -> None:
        """Leave no reference cycle for the garbage collector."""
        self.scope = self.cycle = self._running = None  # type: ignore[assignment]

    def _arrive(self, peer: str | None) -> str | None:
        """Count the connection. Returns the exhausted limit if it was refused, or else None."""
        self.config.watch.begin(self.loop)
        self.address = self._books.address_of(peer)
        return self._books.arrive(self)

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _due_while_answering(self) -> float:
        """Return when to stop waiting for the client during an answer: never, unless sent data is still unread."""
        return self.loop.time() + self._books.idle_seconds(self) if self.flow.write_paused else math.inf

    def _judge(self, slug: str) -> None:
        self._fault = slug
        raise _Refused

    def _refuse(self, slug: str) -> None:
        """Answer a faulty request with a problem and close; during another answer, close without one."""
        self._books.cut[slug] += 1
        if self._answering or self.transport.is_closing():
            self.cut()
            return
        self._leaving = True
        self._without_progress = 0
        self.due = self.loop.time() + _LINGER_SECONDS
        self._write_problem(slug)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _write_problem(self, slug: str, detail: str | None = None, *, retry_after: int | None = None) -> None:
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        answer = problem_response(slug, detail, headers=headers)
        every = [*self.server_state.default_headers, *answer.raw_headers, (b"connection", b"close")]
        lines = [name + b": " + value + b"\r\n" for name, value in every]
        self.transport.write(b"".join([STATUS_LINE[answer.status_code], *lines, b"\r\n", bytes(answer.body)]))


def _address(transport: asyncio.Transport, end: str) -> tuple[str, int] | None:
    """Return the address and port of one end (`sockname` or `peername`); None for a Unix socket."""
    address = transport.get_extra_info(end)
    return (str(address[0]), int(address[1])) if isinstance(address, tuple) else None


def connection_of(scope: Mapping[str, Any]) -> BoundedProtocol:
    """Return the connection on which a request came; `scope` is the request's ASGI scope, or the `Request` itself.

    Raises:
        KeyError: the request did not come over a connection of this server.
    """
    return cast(BoundedProtocol, scope["state"]["connection"])
