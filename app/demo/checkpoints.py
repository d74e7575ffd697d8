"""A checkpoint's system, as an integrator would write it: one open stream, resumed by its last id, with receipts.

The stream is server-sent events (WHATWG HTML, section 9.2). A checkpoint keeps the id of the last event that
it has handled; after any break it reconnects with `Last-Event-ID` and gets what it missed. Each alert is
confirmed with a receipt, which may be repeated safely.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx2

from app.demo.cast import Holder
from app.demo.server import http_client

SILENCE = 45.0
"""Seconds without a byte, three heartbeats, after which a stream is taken for dead."""

RECEIPTS_AT_ONCE = 16
_ATTEMPTS = 6
_PATIENCE = 30.0


class Event(NamedTuple):
    """One event of a stream."""

    name: str
    data: str


class EventParser:
    """Turns the bytes of one connection into events.

    Attributes:
        last_id: id of the last event that was complete; what `Last-Event-ID` says after a break.
        retry: seconds to wait before reconnecting, as the server wishes.
    """

    def __init__(self, last_id: str | None) -> None:
        self.last_id = last_id
        self.retry = 3.0
        self._rest = b""
        self._name = ""
        self._data: list[str] = []
        self._id = last_id

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that are complete with these bytes."""
        lines = (self._rest + chunk).splitlines(keepends=True)  # of bytes: at LF, CR LF and CR, nothing else
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            event = self._take(line.rstrip(b"\r\n").decode(errors="replace"))
            if event is not None:
                yield event

    def _take(self, line: str) -> Event | None:
        if not line:
            event = Event(self._name or "message", "\n".join(self._data)) if self._data else None
            self.last_id, self._name, self._data = self._id, "", []
            return event
        name, _, value = line.partition(":")  # a comment is a field without a name
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isdecimal():
            self.retry = int(value) / 1000
        return None


@dataclass(slots=True)
class Spread:
    """How far one alert has come.

    Attributes:
        alert: what the alert says.
        came: by checkpoint, when it came, on the clock of `time.perf_counter`.
        confirmed: checkpoints whose receipt the register has.
    """

    alert: dict[str, Any]
    came: dict[str, float] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)

    def milliseconds(self, since: float) -> list[float]:
        """The time that each checkpoint waited since a moment of the same clock, shortest first."""
        return sorted((at - since) * 1000 for at in self.came.values())


class CheckpointSystem:
    """One checkpoint's connection to the register."""

    def __init__(self, code: str, holder: Holder, crowd: "Crowd", cursor: str) -> None:
        self.code = code
        self.connected = False
        self._holder = holder
        self._crowd = crowd
        self._cursor: str | None = cursor
        self._to_confirm: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """Listen and confirm until cancelled, or until the key is refused."""
        confirming = asyncio.create_task(self._confirm_all())
        try:
            while True:
                wait = 1.0
                try:
                    async with self._open() as response:
                        if response.status_code in {401, 403}:
                            return  # a key that was revoked does not get better by trying
                        if response.status_code == 410:  # noqa: PLR2004 - another register: start anew
                            self._cursor = None
                        elif response.is_success:
                            wait = await self._listen(response)
                except httpx2.TransportError:
                    pass  # the register is away, or silent for too long
                finally:
                    self.connected = False
                    self._crowd.changed.set()
                await asyncio.sleep(wait)
        finally:
            confirming.cancel()
            await asyncio.gather(confirming, return_exceptions=True)

    def _open(self) -> AbstractAsyncContextManager[httpx2.Response]:
        resume = {"Last-Event-ID": self._cursor} if self._cursor else {}
        headers = {**self._holder.headers, **resume, "Accept": "text/event-stream"}
        return self._crowd.streams.stream("GET", "/v1/alerts/stream", headers=headers)

    async def _listen(self, response: httpx2.Response) -> float:
        parser = EventParser(self._cursor)
        async for chunk in response.aiter_raw():
            for event in parser.feed(chunk):
                self.connected = True
                if event.name == "alert":
                    self._take(json.loads(event.data))
            self._cursor = parser.last_id
            self._crowd.changed.set()
        return parser.retry

    def _take(self, alert: dict[str, Any]) -> None:
        spread = self._crowd.spreads.setdefault(alert["id"], Spread(alert))
        if self.code not in spread.came:
            spread.came[self.code] = time.perf_counter()
            self._to_confirm.put_nowait(alert["id"])

    async def _confirm_all(self) -> None:
        while True:
            alert_id = await self._to_confirm.get()
            for attempt in range(_ATTEMPTS):
                if await self._confirm(alert_id):
                    self._crowd.spreads[alert_id].confirmed.add(self.code)
                    self._crowd.changed.set()
                    break
                await asyncio.sleep(0.2 * 2**attempt)

    async def _confirm(self, alert_id: str) -> bool:
        path = f"/v1/alerts/{alert_id}/receipts"
        try:
            answer = await self._crowd.receipts.post(
                path, json={"level": "received"}, headers=self._holder.headers
            )
        except httpx2.TransportError:
            return False
        return answer.is_success


class Crowd:
    """Every checkpoint's system at once, all in this process, each with a connection of its own.

    Attributes:
        spreads: by alert, how far it has come; in the order in which they came.
        changed: set whenever a checkpoint connects, hears, confirms or is cut off.
    """

    def __init__(self, url: str, counters: dict[str, Holder], cursor: str) -> None:
        self.spreads: dict[str, Spread] = {}
        self.changed = asyncio.Event()
        self.streams = http_client(url, None, SILENCE)
        self.receipts = http_client(url, RECEIPTS_AT_ONCE)
        self.systems = {
            code: CheckpointSystem(code, holder, self, cursor) for code, holder in counters.items()
        }
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self.systems)

    def connect(self, code: str) -> None:
        """Let a checkpoint connect, or reconnect."""
        self._tasks[code] = asyncio.create_task(self.systems[code].run())

    async def cut(self, code: str) -> None:
        """Break a checkpoint's connection, as a cable would."""
        task = self._tasks.pop(code)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def gather(self) -> int:
        """Let all connect; how many have heard the register's first heartbeat in time."""
        for code in self.systems:
            self.connect(code)
        await self._until(lambda: self.connected == len(self))
        return self.connected

    @property
    def connected(self) -> int:
        """How many have an open stream."""
        return sum(system.connected for system in self.systems.values())

    async def hear(self, kind: str, about: str, count: int, *, confirmed: bool = False) -> Spread:
        """Wait for an alert.

        Args:
            kind: `raise`, `update`, `cancel` or `exercise`.
            about: id of the entry, or of the alert itself.
            count: how many checkpoints must have it.
            confirmed: whether their receipts must have been taken too.

        Returns:
            How far it has come; short of `count` where patience ended.

        Raises:
            TimeoutError: no checkpoint has heard of it.
        """

        def found() -> Spread | None:
            for spread in self.spreads.values():
                entry = spread.alert["entry"] or {}
                if spread.alert["kind"] == kind and about in {spread.alert["id"], entry.get("id")}:
                    return spread
            return None

        def enough() -> bool:
            spread = found()
            return spread is not None and len(spread.confirmed if confirmed else spread.came) >= count

        await self._until(enough)
        spread = found()
        if spread is None:
            raise TimeoutError(f"no checkpoint has heard of the {kind} alert")
        return spread

    async def part(self) -> None:
        """End every connection."""
        for code in list(self._tasks):
            self._tasks[code].cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self.streams.aclose()
        await self.receipts.aclose()

    async def _until(self, holds: Callable[[], bool]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while not holds():
                    self.changed.clear()
                    await self.changed.wait()
