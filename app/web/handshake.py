"""The TLS handshake of a connection, under the connection limits from the moment of its acceptance.

If the event loop did the handshake, the server would learn of a connection only after its handshake, and silent
connections would count against no limit.
"""

import asyncio
import socket
import ssl
from contextlib import suppress
from typing import Any, Final, Protocol, cast

from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState

from app.web.protocol import BoundedConfig, BoundedProtocol

_GOODBYE_SECONDS: Final = 2.0
"""Longest wait, in seconds, for the other end's confirmation of the end of TLS (close_notify)."""


class _Ending(Protocol):
    """The interface that uvicorn needs of open connections at shutdown."""

    def shutdown(self) -> None: ...


class HandshakeProtocol(asyncio.Protocol):
    """Does the TLS handshake of an accepted connection, and then passes the connection to a `BoundedProtocol`.

    It closes the connection without an answer if there are too many connections, if the handshake fails, or if it
    takes longer than `Limits.header_seconds`: before the end of the handshake no answer can be sent.

    Attributes:
        peer: address of the other end; None before it is known.
    """

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.peer: str | None = None
        self._config = config
        self._loop = _loop or asyncio.get_event_loop()
        connections: Any = server_state.connections  # typed by uvicorn as its own protocols alone
        self._open: set[_Ending] = connections
        self._tasks = server_state.tasks
        self._protocol = BoundedProtocol(config, server_state, app_state, self._loop)
        self._line: socket.socket | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection and begin its handshake, or close it when there are too many.

        The handshake uses a duplicate of the socket's descriptor, and the transport is abandoned, because it would read
        from the socket before TLS could be set up.
        """
        plain = cast("asyncio.Transport", transport)
        client = get_remote_addr(plain)
        self.peer = client[0] if client else None
        line: socket.socket = plain.get_extra_info("socket").dup()
        plain.abort()
        if not self._protocol.begin_handshake(self):
            line.close()
            return
        self._line = line
        self._open.add(self)
        task = self._loop.create_task(self._do_handshake(line))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cut(self) -> None:
        """Close the connection now; without effect once its handshake has ended."""
        if self._line is not None:
            with suppress(OSError):  # the other end has closed it already
                self._line.shutdown(socket.SHUT_RDWR)

    def shutdown(self) -> None:
        """Close the connection because the process ends."""
        self.cut()

    async def _do_handshake(self, line: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._protocol,
                line,
                ssl=self._config.tls,
                ssl_handshake_timeout=2
                * self._config.connections.limits.header_seconds,  # the watch's limit comes first
                ssl_shutdown_timeout=_GOODBYE_SECONDS,
            )
        except OSError as fault:  # also when it takes too long, and when the other end has gone
            self._protocol.fail_handshake(violation=isinstance(fault, ssl.SSLError))
        finally:
            self._line = None
            self._open.discard(self)
