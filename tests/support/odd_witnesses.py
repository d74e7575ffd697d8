"""Witnesses that do not do what they should: a real server on a real port that answers what a test says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = Callable[[bytes], bytes | None]
"""What is sent back for a request's body; None for nothing, ever."""


@dataclass
class OddWitness:
    """A server that answers as it was told to.

    Attributes:
        answer: what it answers.
        bodies: what it was sent.
    """

    answer: Answer
    url: str = ""
    bodies: list[bytes] = field(default_factory=list)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")
            )
            body = await reader.readexactly(length)
            self.bodies.append(body)
            said = self.answer(body)
            if said is None:
                await reader.read()
            else:
                writer.write(said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def said(status: int, body: bytes = b"", kind: str = "text/plain") -> bytes:
    """An answer of HTTP."""
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def odd_witness(answer: Answer) -> AsyncIterator[OddWitness]:
    """A server for the block's length."""
    odd = OddWitness(answer)
    server = await asyncio.start_server(odd._serve, "127.0.0.1", 0)
    odd.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield odd
    finally:
        server.close()
