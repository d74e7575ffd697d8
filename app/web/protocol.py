"""HTTP/1.1 on one connection, bounded before the application: in bytes, in seconds, in how many there are.

It is uvicorn's protocol. What it adds: the head of a request has limits, every wait for the client ends, and each
refusal is a problem document. One timer looks at all connections, because a timer for each costs more.
"""

import asyncio
import logging
import math
from typing import Any, Final

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from app.web.connections import Connections
from app.web.problems import problem_response

_LINGER_SECONDS: Final = 2.0
"""How long a refused client may go on sending: closing at once would reset the connection under its answer."""
_LINGER_BYTES: Final = 256 * 1024
"""How much it may go on sending."""
_PROGRESS: Final = 16 * 1024
"""So many bytes of an answer must be taken within an idle time, or the client counts as gone."""
_LOG_SECONDS: Final = 60.0
"""What was cut or refused is logged so often at most: an attack must not fill the disk."""

_log = logging.getLogger(__name__)


class _Refused(Exception):
    """Ends the parser's work on a request that has been judged."""


class Watch:
    """Looks after the connections of one process: one timer ends every wait that is overdue.

    Args:
        connections: the connections.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        limits = connections.limits
        self._pause = min(1.0, limits.header_seconds / 8, limits.idle_seconds / 8)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._logged_at = -math.inf
        self._logged = 0

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look from now on; it has no effect when it was begun before on this loop."""
        if loop is not self._loop:
            self._loop = loop
            loop.call_later(self._pause, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        if loop is not self._loop:
            return
        now = loop.time()
        for connection in self._connections.overdue(now):
            if isinstance(connection, BoundedProtocol):
                connection.expire(now)
        cut = self._connections.cut
        if cut.total() > self._logged and now - self._logged_at >= _LOG_SECONDS:
            self._logged, self._logged_at = cut.total(), now
            _log.warning("connections refused or ended so far", extra={"reasons": dict(cut)})
        loop.call_later(self._pause, self._look, loop)


class BoundedConfig(Config):
    """uvicorn's configuration, with what the connections of a process have in common.

    Attributes:
        connections: the process's connections; set when its application is loaded.
        watch: what looks after them.
    """

    connections: Connections
    watch: Watch

    def bound(self, connections: Connections) -> None:
        """Set what holds for the connections of this process."""
        self.connections = connections
        self.watch = Watch(connections)


class BoundedProtocol(HttpToolsProtocol):
    """One connection.

    Attributes:
        address: what it counts against until a valid key is seen on it; None for a proxy's.
        key: id of the last valid key seen on it.
        due: when the wait for the client ends, in the loop's seconds; infinite while nobody waits for it.
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
        self._books = config.connections
        self._limits = config.connections.limits
        self._in_head = False
        self._fields = 0
        self._octets = 0
        self._got_on = False
        self._without_progress = 0
        self._leaving = False
        self._unsent = math.inf
        self._fault = "bad-request"

    @property
    def waits(self) -> bool:
        """Whether the client has the turn: to send a request, the rest of one, or to read the answer."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body or self.flow.write_paused

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Take the connection, or refuse it where there are too many."""
        super().connection_made(transport)
        self.config.watch.begin(self.loop)
        self.address = self._books.address_of(self.client[0] if self.client else None)
        self.due = self.loop.time() + self._books.idle_seconds(self)
        refused = self._books.arrive(self)
        if refused is not None:
            slug = "rate-limited" if refused == "address" else "unavailable"
            self._leaving = True
            self._write_problem(slug, "Too many connections are open.", retry_after=1)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of everything."""
        super().connection_lost(exc)
        self._books.leave(self)
        self.scope = self.cycle = None  # type: ignore[assignment]  # no circle is left for the garbage collector

    def data_received(self, data: bytes) -> None:
        """Read on, as far as the limits allow."""
        if self._leaving:
            self._without_progress += len(data)
            if self._without_progress > _LINGER_BYTES:
                self.transport.abort()
            return
        self._got_on = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # answered as if it asked for nothing; the connection closes afterwards
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
        """A request begins: its head is due."""
        super().on_message_begin()
        self.scope["state"]["connection"] = self
        self._got_on = self._in_head = True
        self._fields = self._octets = 0
        self.due = self.loop.time() + self._limits.header_seconds

    def on_url(self, url: bytes) -> None:
        """Read a part of the target."""
        super().on_url(url)
        if len(self.url) > self._limits.request_line_bytes:
            self._judge("headers-too-large")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header; those behind the body (RFC 9112 section 7.1.2) are counted and dropped."""
        self._fields += 1
        self._octets += len(name) + len(value) + 4
        if self._fields > self._limits.header_fields or self._octets > self._limits.header_bytes:
            self._judge("headers-too-large")
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        self._in_head = False
        self._got_on = True
        self.due = self._due_while_answering()
        super().on_headers_complete()
        if self.parser.should_upgrade():  # the parser takes what follows for another protocol's
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Read a part of the body."""
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._got_on = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, but not for ever."""
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
        """The client does not read as fast as it is answered: it has a while to begin."""
        super().pause_writing()
        self._unsent = math.inf
        self.due = self.loop.time() + self._books.idle_seconds(self)

    def resume_writing(self) -> None:
        """The client reads."""
        super().resume_writing()
        if self._answering and not self._in_head:
            self.due = math.inf

    def show_key(self, key: str) -> None:
        """A valid key was seen on this connection."""
        self._books.show_key(self, key)

    def close_after_answer(self) -> None:
        """Take no further request."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def cut(self) -> None:
        """Close the connection now."""
        self._leaving = True
        if self.transport.get_write_buffer_size() or self._answering:
            self.transport.abort()
        else:
            self.transport.close()

    def expire(self, now: float) -> None:
        """End a wait that is overdue."""
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
        """Nobody needs to know; uvicorn would log two lines for each."""

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _due_while_answering(self) -> float:
        """When a wait for the client ends while a request is answered: never, unless earlier answers are unread."""
        return self.loop.time() + self._books.idle_seconds(self) if self.flow.write_paused else math.inf

    def _judge(self, slug: str) -> None:
        self._fault = slug
        raise _Refused

    def _refuse(self, slug: str) -> None:
        """Answer what can't be read, and close; in the middle of an answer the break alone says so."""
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
