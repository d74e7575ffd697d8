"""Attackers of a service: each sort sends what one stolen key, or none, allows, until its time is over.

A process of its own with the lowest priority, so that it takes the service's attention rather than its processor. It
reads an `Attack` as JSON from standard input, and writes as JSON how often it was answered what.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from bench.processes import raise_file_limit

_NAME: Final = "\ufdfa" * 16
"""A ligature that folding makes eighteen characters of, as often as a name may have it."""

_ADDRESS: Final = "127.0.0.2"
"""Attackers are at another address than the honest, as they are in the world."""

_OPENED_AT_ONCE: Final = 200
_BETWEEN_TRIES: Final = 0.05
"""Seconds until a connection that was refused or cut is tried again."""


class Attack(msgspec.Struct, kw_only=True):
    """What to do.

    Attributes:
        name: a name in `ATTACKS`.
        key: a stolen key; empty for none.
        seconds: for how long.
        scale: its size in proportion: 1 is the whole attack.
    """

    name: str
    port: int
    key: str = ""
    seconds: float
    scale: float = 1.0


class Attacker:
    """One attack under way.

    Attributes:
        seen: what it was answered, by status, and how often its connections were cut.
    """

    def __init__(self, attack: Attack) -> None:
        self._attack = attack
        self.seen: Counter[str] = Counter()

    def of(self, count: int) -> int:
        """How many of something the attack has at its size."""
        return max(1, round(count * self._attack.scale))

    async def bomb(self) -> None:
        """Send header lines without end, on eight connections."""

        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n")
            while True:
                writer.write(b"a:b\r\n" * 4000)
                await writer.drain()
                if reader.at_eof():
                    return

        await self._crowd(8, one)

    async def idle(self) -> None:
        """Open connections and say nothing."""
        await self._crowd(10_000, self._listen)

    async def batches(self) -> None:
        """Ask in batches of a thousand names that are as long as folding can make them, eight at a time."""
        row = {"direction": "exit", "person": {"name": _NAME, "birth_date": "1970-05-17"}}
        body = msgspec.json.encode({"items": [row] * 1000})
        await self._crowd(8, self._asking("POST", "/v1/checks/batch", body))

    async def polls(self) -> None:
        """Wait for alerts in eight hundred long polls."""

        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            path = "/v1/alerts?limit=500"
            while True:
                writer.write(self._request("GET", path))
                status, newest = await self._answer(reader)
                self.seen[status] += 1
                if status == "200" and newest is not None:
                    path = f"/v1/alerts?after={msgspec.json.decode(newest)['cursor']}&wait=30"

        await self._crowd(800, one)

    async def streams(self) -> None:
        """Open ten thousand alert streams."""
        await self._crowd(10_000, self._asking("GET", "/v1/alerts/stream"))

    async def manifests(self) -> None:
        """Send a flight with five hundred passengers of one document again and again, four at a time."""
        passenger = {
            "reference": "0001",
            "document": {"type": "passport", "number": "B00000001", "issuing_state": "IDN"},
            "person": {"name": "Contoh Nomor 1", "birth_date": "1970-05-17", "nationality": "IDN"},
        }
        flight = {
            "flight": "GA880",
            "direction": "exit",
            "departs_at": (datetime.now(UTC) + timedelta(hours=6)).isoformat(timespec="seconds"),
            "from": "DPS",
            "to": "SYD",
            "passengers": [passenger] * 500,
        }
        await self._crowd(4, self._asking("POST", "/v1/manifests", msgspec.json.encode(flight)))

    async def _crowd(
        self, count: int, act: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
    ) -> None:
        """Keep so many connections busy; whichever is cut is opened anew."""
        opening = asyncio.Semaphore(_OPENED_AT_ONCE)

        async def again() -> None:
            while True:
                writer = None
                with suppress(OSError, asyncio.IncompleteReadError):
                    async with opening:
                        reader, writer = await asyncio.open_connection(
                            "127.0.0.1", self._attack.port, local_addr=(_ADDRESS, 0)
                        )
                    await act(reader, writer)
                self.seen["cut"] += 1
                if writer is not None:
                    writer.close()
                await asyncio.sleep(_BETWEEN_TRIES)

        async with asyncio.TaskGroup() as group:
            for _ in range(self.of(count)):
                group.create_task(again())

    def _asking(
        self, method: str, path: str, body: bytes = b""
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        request = self._request(method, path, body)

        async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                writer.write(request)
                await writer.drain()
                status, answer = await self._answer(reader)
                self.seen[status] += 1
                if answer is None:
                    await self._listen(reader, writer)
                    return

        return ask

    def _request(self, method: str, path: str, body: bytes = b"") -> bytes:
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self._attack.key}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"\r\n" + body

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[str, bytes | None]:
        """An answer's status, and its body; None for a stream, which has no end."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        status = head.split(b" ", 2)[1].decode("ascii", "replace")
        _, has_length, length = head.partition(b"content-length:")
        if not has_length:
            return status, None
        return status, await reader.readexactly(int(length.split(b"\r\n", 1)[0]))

    async def _listen(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass


ATTACKS: Final[dict[str, Callable[[Attacker], Awaitable[None]]]] = {
    "header bomb": Attacker.bomb,
    "10,000 idle connections": Attacker.idle,
    "batches of heavy names": Attacker.batches,
    "800 polls of one key": Attacker.polls,
    "10,000 streams of one key": Attacker.streams,
    "a carrier's flood": Attacker.manifests,
}
"""Every attack by its name in the report."""


async def carry_out(attack: Attack) -> dict[str, Any]:
    """Attack for as long as the order says; gives what was answered."""
    attacker = Attacker(attack)
    with suppress(TimeoutError):
        async with asyncio.timeout(attack.seconds):
            await ATTACKS[attack.name](attacker)
    return dict(attacker.seen)


if __name__ == "__main__":
    os.nice(19)
    raise_file_limit(12_000)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Attack)
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(carry_out(order))))
