"""A checkpoint's system, as an integrator would write it: one open stream, resumed by its last id, with receipts.

The stream is server-sent events (WHATWG HTML, section 9.2). A checkpoint keeps the id of the last event that
it has handled; after an interruption it reconnects with `Last-Event-ID` and receives the events it missed. It confirms
each alert with a receipt, which may be repeated safely.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx2

from app.demo.cast import Holder
from app.demo.server import http_client

SILENCE = 45.0
"""Seconds without a byte (three heartbeats) after which a stream is considered dead."""

RECEIPTS_AT_ONCE = 16
_ATTEMPTS = 6
_CANCEL_AGAIN_SECONDS = 1.0
_PATIENCE = 30.0


class Event(NamedTuple):
    """An event of a stream: its name (`alert`, `heartbeat`) and its data, a JSON text."""

    name: str
    data: str


class EventParser:
    """A parser that turns the bytes of one connection into events.

    Attributes:
        last_id: the id of the last complete event, sent as `Last-Event-ID` after an interruption.
        retry: the seconds to wait before reconnecting, as requested by the server.
    """

    def __init__(self, last_id: str | None) -> None:
        self.last_id = last_id
        self.retry = 3.0
        self._rest = b""
        self._name = ""
        self._data: list[str] = []
        self._id = last_id

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Yield the events that further bytes complete. The bytes are parsed only while the caller iterates."""
        lines = (self._rest + chunk).splitlines(keepends=True)  # of bytes: at LF, CR LF and CR, nothing else
        self._rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            event = self._handle(line.rstrip(b"\r\n").decode(errors="replace"))
            if event is not None:
                yield event

    def _handle(self, line: str) -> Event | None:
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
class Delivery:
    """The progress of one alert: the checkpoints that have received and confirmed it.

    Attributes:
        alert: the content of the alert.
        arrived: the time of arrival by checkpoint, in seconds of `time.perf_counter`.
        confirmed: the checkpoints whose receipt the register has accepted.
    """

    alert: dict[str, Any]
    arrived: dict[str, float] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)

    def milliseconds(self, since: float) -> list[float]:
        """Return the milliseconds from `since` to each checkpoint's arrival, sorted.

        `since` is in seconds of `time.perf_counter`.
        """
        return sorted((at - since) * 1000 for at in self.arrived.values())


class CheckpointSystem:
    """Receives the alerts of one checkpoint by a stream of its own, and confirms each with a receipt.

    Args:
        code: the checkpoint's code.
        holder: the checkpoint's client, with whose key it calls.
        crowd: the group of all checkpoints' systems; each alert that arrives is recorded in it.
        cursor: the id of the event after which the stream begins.

    Attributes:
        connected: whether its stream is open.
        active: whether `listen` and `confirm` go on. Set it to False before you cancel them, because a library may lose
            the cancellation.
    """

    def __init__(self, code: str, holder: Holder, crowd: "Crowd", cursor: str) -> None:
        self.code = code
        self.connected = False
        self.active = True
        self._holder = holder
        self._crowd = crowd
        self._cursor: str | None = cursor
        self._to_confirm: asyncio.Queue[str] = asyncio.Queue()

    async def listen(self) -> None:
        """Keep a stream open and receive alerts, until cancelled, `active` is False, or the key is refused."""
        while self.active:
            wait = 1.0
            try:
                async with self._open() as response:
                    if response.status_code in {401, 403}:
                        return  # a revoked key stays revoked
                    if response.status_code == 410:  # noqa: PLR2004 - another register: start anew
                        self._cursor = None
                    elif response.is_success:
                        wait = await self._listen(response)
            except httpx2.TransportError:
                pass  # the register can't be reached, or was silent for too long
            finally:
                self.connected = False
                self._crowd.changed.set()
            if self.active:
                await asyncio.sleep(wait)

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
                    self._handle(json.loads(event.data))
            self._cursor = parser.last_id
            self._crowd.changed.set()
        return parser.retry

    def _handle(self, alert: dict[str, Any]) -> None:
        delivery = self._crowd.deliveries.setdefault(alert["id"], Delivery(alert))
        if self.code not in delivery.arrived:
            delivery.arrived[self.code] = time.perf_counter()
            self._to_confirm.put_nowait(alert["id"])

    async def confirm(self) -> None:
        """Send a receipt for each received alert, until cancelled. An alert is skipped after six failed attempts."""
        while self.active:
            alert_id = await self._to_confirm.get()
            for attempt in range(_ATTEMPTS):
                if await self._confirm(alert_id):
                    self._crowd.deliveries[alert_id].confirmed.add(self.code)
                    self._crowd.changed.set()
                    break
                if not self.active:
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
    """The systems of all checkpoints, run in this process, each with its own connection.

    Args:
        url: the register's address.
        counters: the client of each checkpoint, by code.
        cursor: the cursor after which the streams begin.

    Attributes:
        deliveries: the progress of each alert by its id, in order of arrival.
        changed: set whenever a checkpoint connects, receives an alert, confirms one or is disconnected.
    """

    def __init__(self, url: str, counters: dict[str, Holder], cursor: str) -> None:
        self.deliveries: dict[str, Delivery] = {}
        self.changed = asyncio.Event()
        self.streams = http_client(url, None, SILENCE)
        self.receipts = http_client(url, RECEIPTS_AT_ONCE)
        self.systems = {
            code: CheckpointSystem(code, holder, self, cursor) for code, holder in counters.items()
        }
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        return len(self.systems)

    def connect(self, code: str) -> None:
        """Start the system of the checkpoint with this code, which connects or reconnects."""
        system = self.systems[code]
        system.active = True
        self._tasks[code] = [asyncio.create_task(system.listen()), asyncio.create_task(system.confirm())]

    async def disconnect(self, code: str) -> None:
        """Disconnect a checkpoint, as a broken cable would."""
        self.systems[code].active = False
        await end_tasks(self._tasks.pop(code))

    async def connect_all(self) -> int:
        """Connect all checkpoints, and wait at most 30 seconds for their streams. Returns how many are open then."""
        for code in self.systems:
            self.connect(code)
        return await self.wait_for_connections(len(self))

    async def wait_for_connections(self, count: int) -> int:
        """Wait, 30 seconds at most, until exactly `count` checkpoints have an open stream. Returns how many have."""
        await self._until(lambda: self.connected == count)
        return self.connected

    @property
    def connected(self) -> int:
        """The number of checkpoints with an open stream."""
        return sum(system.connected for system in self.systems.values())

    async def wait_for_alert(self, kind: str, about: str, count: int, *, confirmed: bool = False) -> Delivery:
        """Wait, 30 seconds at most, until enough checkpoints have received an alert.

        Args:
            kind: the alert's kind: `raise`, `update`, `cancel` or `exercise`.
            about: the id of the alert, or of the entry that it is about.
            count: the number of checkpoints that must have received it.
            confirmed: whether the register must also have accepted the receipts of that many checkpoints.

        Returns:
            The progress of the alert. If the time has passed, it has fewer than `count` checkpoints.

        Raises:
            TimeoutError: no checkpoint has received the alert in this time.
        """

        def found() -> Delivery | None:
            for delivery in self.deliveries.values():
                entry = delivery.alert["entry"] or {}
                if delivery.alert["kind"] == kind and about in {delivery.alert["id"], entry.get("id")}:
                    return delivery
            return None

        def enough() -> bool:
            delivery = found()
            return (
                delivery is not None and len(delivery.confirmed if confirmed else delivery.arrived) >= count
            )

        await self._until(enough)
        delivery = found()
        if delivery is None:
            raise TimeoutError(f"no checkpoint has heard of the {kind} alert")
        return delivery

    async def disconnect_all(self) -> None:
        """Disconnect all checkpoints for good, and close the HTTP clients."""
        for system in self.systems.values():
            system.active = False
        await end_tasks(task for tasks in self._tasks.values() for task in tasks)
        await self.streams.aclose()
        await self.receipts.aclose()

    async def _until(self, holds: Callable[[], bool]) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                while not holds():
                    self.changed.clear()
                    await self.changed.wait()


async def end_tasks(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait for their end; a task that is still running is cancelled again each second.

    A library loses a cancellation if its own timeout ends in the same turn of the event loop. `asyncio.run` cancels
    the remaining tasks only once, and would then wait for ever.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_CANCEL_AGAIN_SECONDS)
