"""A line between a client and a service that a test can cut and mend, and lead to another port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Relay:
    """Passes on bytes both ways.

    Attributes:
        port: where clients reach it.
        target: the port on 127.0.0.1 of the service; None while the line is cut.
    """

    def __init__(self, target: int) -> None:
        self.port = 0
        self.target: int | None = target
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Break every connection, and every new one, as a cable would."""
        self.target = None
        for writer in self._open:
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
            ways = [asyncio.create_task(_copy(reader, back)), asyncio.create_task(_copy(there, writer))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        finally:
            self._open -= {writer, back}
            for end in (writer, back):
                end.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def relay_to(port: int) -> AsyncIterator[Relay]:
    """A line to a port on 127.0.0.1 for the block's length."""
    relay = Relay(port)
    server = await asyncio.start_server(relay.pass_on, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        relay.cut()
        server.close()
