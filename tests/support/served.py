"""A real server on a real port, for what only sockets show: streams, slow readers, broken connections."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from app.web.connections import Connections, Limits
from app.web.protocol import BoundedConfig, BoundedProtocol
from tests.support.contract import watch

LONGEST = 30.0
"""Seconds that starting and stopping may take."""


MANY = Limits(
    request_line_bytes=8192,
    header_fields=100,
    header_bytes=65536,
    header_seconds=LONGEST,
    idle_seconds=LONGEST,
    known_idle_seconds=LONGEST,
    total=5000,
    reserve=0,
    per_address=5000,
    per_key=5000,
)
"""Limits of connections that no test reaches; those that try the limits start `cekal serve`."""


class NeverServed(Exception):
    """The server did not start, or did not stop."""


@dataclass(slots=True)
class Served:
    """An application that is being served.

    Attributes:
        url: where, such as `http://127.0.0.1:40123`.
        app: the application; it lives on the server's own event loop, so look but don't await.
        http: a client for it whose answers are held against the OpenAPI document.
    """

    url: str
    app: FastAPI
    http: httpx2.AsyncClient

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return int(self.url.rpartition(":")[2])

    def act(self, function: Callable[..., object], *given: object) -> None:
        """Call a function on the server's event loop; what is open there takes no call from another thread."""
        self.app.state.loop.call_soon_threadsafe(function, *given)


def client_for(url: str) -> httpx2.AsyncClient:
    """A client without limits on connections, which never waits for ever."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    return watch(httpx2.AsyncClient(base_url=url, limits=limits, timeout=LONGEST))


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an application from a thread of its own for the block's length; gives its address.

    Raises:
        NeverServed: it did not start or stop in time.
    """

    async def noted(scope: Scope, receive: Receive, send: Send) -> None:
        app.state.loop = asyncio.get_running_loop()
        await app(scope, receive, send)

    with socket.create_server(("127.0.0.1", 0)) as door:
        config = BoundedConfig(
            noted,
            http=BoundedProtocol,
            lifespan="on",
            log_config=None,
            access_log=False,
            ws="none",
            timeout_graceful_shutdown=5,
        )
        config.bound(Connections(MANY))
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([door],), name="served", daemon=True)
        thread.start()
        until = time.monotonic() + LONGEST
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until:
                raise NeverServed("the server did not start")
            time.sleep(0.005)
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            # A process would be told by a signal to let its streams go; a thread gets none.
            app.state.loop.call_soon_threadsafe(app.state.process.hub.close)
            server.should_exit = True
            thread.join(LONGEST)
            if thread.is_alive():
                raise NeverServed("the server did not stop")
