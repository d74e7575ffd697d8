"""Checkpoints and officers at work on a service of several processes, for tests that restart these meanwhile.

A request that fails is repeated once. What fails then, and when each alert arrived, is kept for the test to judge.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final, Self
from uuid import uuid4

import httpx2

from app.demo.checkpoints import EventParser
from tests.support.bodies import check_body, entry_body, urgent_body

_PATIENCE: Final = 30.0
_CHECK_SECONDS: Final = 0.05
_ENTRY_SECONDS: Final = 0.4

QUESTION: Final = check_body(entry_body()["subject"])

Failure = httpx2.TransportError | httpx2.HTTPStatusError


@dataclass(slots=True)
class Heard:
    """What came by one checkpoint's stream.

    Attributes:
        ready: set at its first event.
        alerts: the id of each alert with the time of its arrival, in order; twice where it came twice.
        opened: how often the stream was opened.
    """

    ready: asyncio.Event = field(default_factory=asyncio.Event)
    alerts: list[tuple[str, float]] = field(default_factory=list)
    opened: int = 0


class Load:
    """The work of some checkpoints and officers.

    Args:
        counter: the key of a counter.
        submitter: the key of a submitter.

    Attributes:
        answered: number of answers by kind of request.
        repeated: number of failures that were followed by a repetition, by kind and failure.
        failed: what failed twice.
        raised: of each alert that was acknowledged its number, and the time of the acknowledgement.
        streams: what came by each stream.
    """

    def __init__(self, counter: str, submitter: str) -> None:
        self.answered: Counter[str] = Counter()
        self.repeated: Counter[tuple[str, str]] = Counter()
        self.failed: list[str] = []
        self.raised: dict[str, tuple[int, float]] = {}
        self.streams: list[Heard] = []
        self._counter = {"Authorization": f"Bearer {counter}"}
        self._submitter = {"Authorization": f"Bearer {submitter}"}
        self._stopped = asyncio.Event()

    @property
    def expected(self) -> list[str]:
        """The ids of all alerts in their order."""
        return sorted(self.raised, key=lambda alert: self.raised[alert])

    @property
    def lateness(self) -> float:
        """The longest time from an officer's answer to an alert's arrival, in seconds."""
        return max(at - self.raised[alert][1] for each in self.streams for alert, at in each.alerts)

    @asynccontextmanager
    async def working(self, *services: Sequence[str]) -> AsyncIterator[None]:
        """Work for the block's length; at its end no request is begun, and every alert is waited for.

        Args:
            services: addresses of the service, each list for clients of its own; after a failure they use the next one.

        Raises:
            TimeoutError: an alert did not come to a stream.
        """
        work, listening = list[asyncio.Task[None]](), list[asyncio.Task[None]]()
        async with asyncio.TaskGroup() as group:
            for addresses in services:
                for first in range(2):
                    ways = [*addresses[first:], *addresses[:first]]
                    heard = Heard()
                    self.streams.append(heard)
                    listening.append(group.create_task(self._listen(ways, heard)))
            async with asyncio.timeout(_PATIENCE):
                await asyncio.gather(*(each.ready.wait() for each in self.streams))
            for addresses in services:
                work += [group.create_task(act(addresses)) for act in (self._check, self._enter)]
            yield
            self._stopped.set()
            await asyncio.wait(work)
            async with asyncio.timeout(_PATIENCE):
                while any(len(each.alerts) < len(self.raised) for each in self.streams):  # noqa: ASYNC110 - many streams
                    await asyncio.sleep(0.02)
            for task in listening:
                task.cancel()

    async def _check(self, addresses: Sequence[str]) -> None:
        async with _Ways(addresses) as ways:
            while not self._stopped.is_set():
                await self._post(ways, "check", "/v1/checks", QUESTION, self._counter)
                await asyncio.sleep(_CHECK_SECONDS)

    async def _enter(self, addresses: Sequence[str]) -> None:
        async with _Ways(addresses) as ways:
            while not self._stopped.is_set():
                headers = {**self._submitter, "Idempotency-Key": uuid4().hex}
                made = await self._post(ways, "entry", "/v1/urgent-entries", urgent_body(), headers)
                if made is not None:
                    self.raised[made["alert"]["id"]] = made["alert"]["sequence"], perf_counter()
                await asyncio.sleep(_ENTRY_SECONDS)

    async def _post(
        self, ways: "_Ways", kind: str, path: str, body: Any, headers: dict[str, str]
    ) -> dict[str, Any] | None:
        for again in (False, True):
            try:
                answer = (await ways.http.post(path, json=body, headers=headers)).raise_for_status()
            except (httpx2.TransportError, httpx2.HTTPStatusError) as error:
                self._note(kind, error, again=again)
                await ways.turn(error)
            else:
                self.answered[kind] += 1
                made: dict[str, Any] = answer.json()
                return made
        return None

    async def _listen(self, addresses: Sequence[str], heard: Heard) -> None:
        """Keep a stream open, resumed by its last id after the time that the service names."""
        async with _Ways(addresses) as ways:
            cursor: str | None = None
            again = False
            while True:
                parser = EventParser(cursor)
                try:
                    await self._read(ways.http, parser, heard)
                    again = False
                except (httpx2.TransportError, httpx2.HTTPStatusError) as error:
                    self._note("stream", error, again=again)
                    await ways.turn(error)
                    again = not again
                cursor = parser.last_id
                if not again:
                    await asyncio.sleep(parser.retry)

    async def _read(self, http: httpx2.AsyncClient, parser: EventParser, heard: Heard) -> None:
        resume = {"Last-Event-ID": parser.last_id} if parser.last_id else {}
        async with http.stream("GET", "/v1/alerts/stream", headers={**self._counter, **resume}) as response:
            response.raise_for_status()
            heard.opened += 1
            async for chunk in response.aiter_raw():
                for event in parser.feed(chunk):
                    if event.name == "alert":
                        heard.alerts.append((json.loads(event.data)["id"], perf_counter()))
                    heard.ready.set()

    def _note(self, kind: str, error: Failure, *, again: bool) -> None:
        status = f" {error.response.status_code}" if isinstance(error, httpx2.HTTPStatusError) else ""
        if again:
            self.failed.append(f"{kind}: {error!r}")
        else:
            self.repeated[kind, f"{type(error).__name__}{status}"] += 1


class _Ways:
    """A client that knows some addresses of a service and uses one of them.

    Attributes:
        http: the client for the address that is used now.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self._clients = [
            httpx2.AsyncClient(base_url=each, timeout=_PATIENCE, trust_env=False) for each in addresses
        ]

    @property
    def http(self) -> httpx2.AsyncClient:
        return self._clients[0]

    async def turn(self, error: Failure) -> None:
        """Go to the next address after a failure; a client of only one waits as long as the answer says."""
        self._clients.append(self._clients.pop(0))
        if len(self._clients) == 1 and isinstance(error, httpx2.HTTPStatusError):
            await asyncio.sleep(float(error.response.headers.get("retry-after", 0)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._clients:
            await each.aclose()
