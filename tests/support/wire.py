"""A wire between a service and its PostgreSQL server that can be cut, frozen and mended."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy.engine import make_url


class Wire:
    """Hands on what comes on a port of its own, from a thread of its own.

    Attributes:
        address: the database's address by way of this wire.
    """

    def __init__(self, address: str) -> None:
        self._far = make_url(address)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._thread.start()
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._port = 0
        self.mend()
        self.address = self._far.set(port=self._port).render_as_string(hide_password=False)

    def mend(self) -> None:
        """Let everything through, for the first time or again."""
        self._do(self._mend())

    def cut(self) -> None:
        """Break every connection and refuse new ones, like a server that was stopped."""
        self._do(self._cut())

    def freeze(self) -> None:
        """Keep every connection open and let nothing through, like a server that hangs."""
        self._do(self._freeze())

    def end(self) -> None:
        """Cut the wire for good."""
        self.mend()
        self.cut()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, act: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(act, self._loop).result(10)

    async def _mend(self) -> None:
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._take, "127.0.0.1", self._port)
            self._port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()
        while self._open:  # noqa: ASYNC110 - the last of them is not told by an event
            await asyncio.sleep(0.001)

    async def _freeze(self) -> None:
        self._flows.clear()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._far.host, self._far.port)
        ends = {writer, far_writer}
        self._open |= ends
        try:
            with suppress(OSError):
                await asyncio.gather(self._hand_on(reader, far_writer), self._hand_on(far_reader, writer))
        finally:
            self._open -= ends
            for end in ends:
                end.transport.abort()

    async def _hand_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            await self._flows.wait()
            target.write(data)
            await target.drain()
        target.transport.abort()


@contextmanager
def wire(address: str) -> Iterator[Wire]:
    """A wire to the PostgreSQL server of an address, for the block's length."""
    made = Wire(address)
    try:
        yield made
    finally:
        made.end()
