"""Open streams of a hub on real sockets, without a server and without a request."""

import asyncio
import socket
from collections.abc import AsyncIterator, Hashable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from app.actor import Actor
from app.alerting.streams.hub import Hub
from app.alerting.streams.stream import Stream
from app.web.connections import Connections
from app.web.stream_connection import StreamConnection
from tests.support.served import MANY
from tests.support.waiting import until


@dataclass(eq=False)
class Listener:
    """A stream and its reader's end of the connection."""

    stream: Stream
    peer: socket.socket
    connections: set[Any]

    async def received(self) -> bytes:
        """What has come since the last call, once the event loop has sent what it had."""
        for _ in range(8):
            await asyncio.sleep(0)
        came = b""
        with suppress(BlockingIOError):
            while part := self.peer.recv(1 << 20):
                came += part
        return came

    async def rest(self) -> bytes:
        """What comes until the connection's end."""
        came, loop = b"", asyncio.get_running_loop()
        async with asyncio.timeout(10):
            while part := await loop.sock_recv(self.peer, 1 << 20):
                came += part
        return came


@asynccontextmanager
async def listeners(
    hub: Hub, actors: Sequence[Actor], *, about: Hashable = None, chunked: bool = False
) -> AsyncIterator[list[Listener]]:
    """Streams of these actors, live."""
    opened = [await connect(hub, hub.join(actor, about), chunked=chunked) for actor in actors]
    try:
        yield opened
    finally:
        for each in opened:
            each.peer.close()
            if each.connections and each.stream.connection is not None:
                each.stream.connection.cut()
        await until(lambda: not any(each.connections for each in opened))


async def connect(hub: Hub, stream: Stream, *, chunked: bool = False) -> Listener:
    """Hand a connection of a stream that has joined to its hub."""
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    peer.setblocking(False)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, ours)
    kept = set[Any]()
    connection = StreamConnection(transport, stream, Connections(MANY), kept, chunked=chunked)
    connection.begin(slow=False)
    hub.go_live(stream, connection)
    return Listener(stream, peer, kept)
