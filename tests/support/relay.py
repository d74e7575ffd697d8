"""A line between a client and a service that a test can cut, stall, slow down, reset, and lead to another port."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Relay:
    """Passes on bytes both ways.

    Attributes:
        port: where clients reach it.
        target: the port on 127.0.0.1 of the service; None while the line is cut.
        delay: seconds that each piece of bytes waits on its way.
        flows_there: while it is clear, nothing reaches the service, and connections stay open.
        flows_back: while it is clear, nothing reaches the clients, and connections stay open.
    """

    def __init__(self, target: int | None) -> None:
        self.port = 0
        self.target = target
        self.delay = 0.0
        self.flows_there, self.flows_back = asyncio.Event(), asyncio.Event()
        self.flows_there.set()
        self.flows_back.set()
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """Break every connection in both directions with a TCP reset; new ones are taken."""
        for writer in list(self._open):
            writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            writer.transport.abort()

    def cut(self) -> None:
        """Break every connection, and every new one, as a cable would."""
        self.target = None
        for writer in list(self._open):
            writer.transport.abort()

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either end closes it."""
        try:
            if self.target is None:
                raise ConnectionError
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        try:
            ways = [
                asyncio.create_task(self._copy(reader, back, self.flows_there)),
                asyncio.create_task(self._copy(there, writer, self.flows_back)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        finally:
            self._open -= {writer, back}
            for end in (writer, back):
                end.transport.abort()

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flows: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await flows.wait()
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def relay_to(port: int | None = None) -> AsyncIterator[Relay]:
    """A line to a port on 127.0.0.1 for the block's length; without one it is cut until it gets one."""
    relay = Relay(port)
    server = await asyncio.start_server(relay.pass_on, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        relay.cut()
        server.close()
