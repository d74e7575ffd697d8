"""Reading server-sent events as a checkpoint would (WHATWG HTML, section 9.2)."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.support.contract import contract


@asynccontextmanager
async def raw_lines(
    http: httpx2.AsyncClient, headers: Mapping[str, str], path: str = "/v1/alerts/stream"
) -> AsyncIterator[AsyncIterator[str]]:
    """A stream's lines behind its first heartbeat, up to its clean end; an unclean one raises."""
    async with http.stream("GET", path, headers=headers) as response:
        lines = response.aiter_lines()
        async for line in lines:
            if line == "event: heartbeat":
                break
        yield lines


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream."""

    name: str
    id: str | None
    data: str

    @property
    def json(self) -> Any:
        """What its data say."""
        return json.loads(self.data)


class Events:
    """The events of one open stream, in order; read as they come, so that waiting in vain loses nothing.

    With the stream's path each is held against the OpenAPI document.
    """

    def __init__(self, response: httpx2.Response, path: str | None = None) -> None:
        self.response = response
        self._path = path
        self._came: asyncio.Queue[Event | None] = asyncio.Queue()

    async def read(self) -> None:
        """Read until the stream ends."""
        try:
            async for event in parsed(self.response.aiter_lines()):
                self._came.put_nowait(event)
        finally:
            self._came.put_nowait(None)

    async def next(self, name: str | None = None, within: float = 10.0) -> Event:
        """The next event, or the next of this name.

        Raises:
            TimeoutError: none came within so many seconds.
            EOFError: the stream ended before.
        """
        async with asyncio.timeout(within):
            while (event := await self._came.get()) is not None:
                self._expect_promised(event)
                if name is None or event.name == name:
                    return event
        self._came.put_nowait(None)
        raise EOFError("the stream ended")

    async def rest(self, within: float = 10.0) -> list[Event]:
        """Everything up to the end of the stream.

        Raises:
            TimeoutError: it did not end within so many seconds.
        """
        events = []
        async with asyncio.timeout(within):
            while (event := await self._came.get()) is not None:
                self._expect_promised(event)
                events.append(event)
        self._came.put_nowait(None)
        return events

    def _expect_promised(self, event: Event) -> None:
        if self._path is not None:
            said = {"event": event.name, "data": event.json} | ({} if event.id is None else {"id": event.id})
            contract().check_event(self._path, said)


@asynccontextmanager
async def listening(
    http: httpx2.AsyncClient,
    headers: Mapping[str, str],
    path: str = "/v1/alerts/stream",
    last_event_id: str | None = None,
    *,
    promised: bool = True,
) -> AsyncIterator[Events]:
    """An open stream for the block's length.

    Args:
        http: a client of a real server; a client of the bare application would wait for the stream's end.
        headers: the caller's.
        path: which stream.
        last_event_id: where to resume.
        promised: whether the events are the service's, and so as its document promises.
    """
    asked = {**headers, "Accept": "text/event-stream"}
    if last_event_id is not None:
        asked["Last-Event-ID"] = last_event_id
    async with http.stream("GET", path, headers=asked) as response:
        events = Events(response, path.partition("?")[0] if promised else None)
        reading = asyncio.create_task(events.read())
        try:
            yield events
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def parsed(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    """The events in the lines of a stream."""
    name, seen, data = "message", None, list[str]()
    async for line in lines:
        if not line:
            if data:
                yield Event(name, seen, "\n".join(data))
            name, seen, data = "message", None, []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "id":
            seen = value
        elif field == "data":
            data.append(value)
