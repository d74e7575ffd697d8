"""An account of delivery: alerts that were acknowledged to their writer, and what readers of every kind got of them.

Writer and readers behave as clients should: they go on at the next address when a connection breaks or is silent,
repeat with the same `Idempotency-Key`, and resume by their cursor. So whatever fails meanwhile, each acknowledged alert
must reach each reader in the end.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count, cycle
from typing import Any, Final, Self
from uuid import uuid4

import httpx2
import msgspec

from tests.support.actors import Actors, Caller
from tests.support.receivers import Receiver, receiving
from tests.support.sse import parsed

Json = dict[str, Any]

_WAIT: Final = 2.0
"""Seconds that a long poll asks for."""
_PAUSE: Final = 0.1
"""Seconds before a client tries again."""

_NOT_NOW: Final = frozenset({409, 429, 502, 503})
"""Statuses after which a client tries again: busy, away, or the first request with this key still runs."""


class Refused(Exception):
    """The service gave an answer that no client expects; the message holds it."""


class _Unavailable(Exception):
    """The service can't serve now."""


@dataclass(frozen=True, slots=True)
class Clients:
    """The callers that an account needs."""

    submitter: Caller
    streaming: Caller
    polling: Caller
    integrator: Caller

    @classmethod
    async def made(cls, actors: Actors) -> Self:
        """New callers of these kinds, the two checkpoints at different posts."""
        return cls(
            await actors.client("submitter"),
            await actors.client("checkpoint", checkpoint="CGK"),
            await actors.client("checkpoint", checkpoint="DPS"),
            await actors.client("integrator"),
        )


class Kept(msgspec.Struct, kw_only=True):
    """What one reader has got of the acknowledged alerts.

    Attributes:
        reader: `stream`, `poll`, `feed` or `webhook`.
        received: acknowledged alerts that it has got.
        missing: acknowledged alerts that it has not got.
        duplicates: arrivals of an alert that it had already.
        latest_ms: the longest time from the writer's first attempt to the alert's first arrival.
    """

    reader: str
    received: int
    missing: int
    duplicates: int
    latest_ms: float


class _Reader:
    """Reads from the first address, and from the next one whenever a connection breaks, until it is cancelled.

    Attributes:
        arrivals: ids of alerts and when they came, in order.
        gaps: records of the ledger that were left out between two that came.
    """

    def __init__(self, addresses: Sequence[str], by: Caller, path: str) -> None:
        self.arrivals: list[tuple[str, float]] = []
        self.gaps = 0
        self._addresses = cycle(addresses)
        self._by, self._path = by, path
        self._cursor: str | None = None
        self._sequence: int | None = None

    async def run(self, http: httpx2.AsyncClient) -> None:
        while True:
            with suppress(httpx2.TransportError, _Unavailable):
                await self._read(http, next(self._addresses) + self._path)
            await asyncio.sleep(_PAUSE)

    async def _read(self, http: httpx2.AsyncClient, url: str) -> None:
        headers = {**self._by.headers, "Accept": "text/event-stream"}
        if self._cursor is not None:
            headers["Last-Event-ID"] = self._cursor
        async with http.stream("GET", url, headers=headers) as response:
            await _expect(response, 200)
            async for event in parsed(response.aiter_lines()):
                if event.name in {"alert", "change"}:
                    self._take(event.json)
                self._cursor = event.id or self._cursor

    def _take(self, item: Json) -> None:
        """Note an alert, or a record of the ledger, whose numbers are dense."""
        if "leaf" in item:
            item = item["leaf"]
            if self._sequence is not None and item["sequence"] > self._sequence:
                self.gaps += item["sequence"] - self._sequence - 1
            self._sequence = item["sequence"]
            if item["type"] != "alert.raised":
                return
        self.arrivals.append((item["alert_id"] if "alert_id" in item else item["id"], time.monotonic()))


class _Poller(_Reader):
    """Reads page after page by long polls."""

    async def _read(self, http: httpx2.AsyncClient, url: str) -> None:
        asked = {"wait": str(_WAIT)} | ({} if self._cursor is None else {"after": self._cursor})
        async with http.stream("GET", url, params=asked, headers=self._by.headers) as response:
            await _expect(response, 200)
            page = msgspec.json.decode(await response.aread())
        for each in page["items"]:
            self._take(each)
        self._cursor = page["cursor"]


class Account:
    """What was acknowledged, and what a stream, a poll, a follower of the feed and a webhook got of it.

    Attributes:
        acknowledged: ids of alerts, and when their writer first asked for each.
        repeats: answers that were those of an earlier attempt.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        addresses: Sequence[str],
        clients: Clients,
        body: Callable[[], Json],
        receiver: Receiver,
    ) -> None:
        self.acknowledged: dict[str, float] = {}
        self.repeats = 0
        self._http, self._addresses = http, cycle(addresses)
        self._submitter, self._body, self._receiver = clients.submitter, body, receiver
        self._readers: dict[str, _Reader] = {
            "stream": _Reader(addresses, clients.streaming, "/v1/alerts/stream"),
            "poll": _Poller(addresses, clients.polling, "/v1/alerts"),
            "feed": _Reader(addresses, clients.integrator, "/v1/changes"),
        }
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(each.run(self._http)) for each in self._readers.values()]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def write(self, number: int) -> None:
        """Raise so many alerts, each repeated until it is acknowledged."""
        for _ in range(number):
            self._look()
            await self._raise()

    async def write_until(self, ended: asyncio.Event, every: float) -> None:
        """Raise an alert every so many seconds until an event; the last one is acknowledged."""
        while not ended.is_set():
            self._look()
            await self._raise()
            await asyncio.sleep(every)

    async def _raise(self) -> None:
        body, once, begun = self._body(), self._submitter.once(uuid4().hex), time.monotonic()
        for attempt in count():
            try:
                url = next(self._addresses) + "/v1/urgent-entries"
                async with self._http.stream("POST", url, json=body, headers=once) as response:
                    await _expect(response, 201)
                    made = msgspec.json.decode(await response.aread())
            except (httpx2.TransportError, _Unavailable):
                await asyncio.sleep(_PAUSE)
                continue
            self.repeats += bool(attempt and "idempotency-replayed" in response.headers)
            self.acknowledged[made["alert"]["id"]] = begun
            return

    def _look(self) -> None:
        """Raise what has ended a reader."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def settle(self, within: float) -> None:
        """Wait until every reader has got everything, at most so many seconds."""
        until = time.monotonic() + within
        while any(each.missing for each in self.report()) and time.monotonic() < until:
            self._look()
            await asyncio.sleep(0.05)

    def report(self) -> list[Kept]:
        """What each reader has got until now."""
        hooked = [(each.event["data"].get("alert_id"), each.at) for each in self._receiver.taken]
        arrivals = {name: each.arrivals for name, each in self._readers.items()}
        return [
            _compared(name, came, self.acknowledged)
            for name, came in {**arrivals, "webhook": [each for each in hooked if each[0]]}.items()
        ]

    @property
    def gaps(self) -> int:
        """Records that the follower of the feed has not got between two others."""
        return self._readers["feed"].gaps

    def order(self, reader: str) -> list[str]:
        """The ids of alerts of the `stream`, the `poll` or the `feed`, as they came."""
        return [each for each, _ in self._readers[reader].arrivals]


def _compared(reader: str, arrivals: Sequence[tuple[str, float]], acknowledged: Mapping[str, float]) -> Kept:
    first: dict[str, float] = {}
    for alert, at in arrivals:
        first.setdefault(alert, at)
    received = first.keys() & acknowledged.keys()
    return Kept(
        reader=reader,
        received=len(received),
        missing=len(acknowledged) - len(received),
        duplicates=len(arrivals) - len(first),
        latest_ms=1000 * max((first[each] - acknowledged[each] for each in received), default=0.0),
    )


async def _expect(response: httpx2.Response, status: int) -> None:
    if response.status_code in _NOT_NOW:
        raise _Unavailable
    if response.status_code != status:
        raise Refused(f"{response.status_code} {(await response.aread())[:300].decode()}")


@asynccontextmanager
async def accounting(
    addresses: Sequence[str], clients: Clients, body: Callable[[], Json], silence: float = 5.0
) -> AsyncIterator[Account]:
    """Readers of every kind for the block's length, and the account of what they get.

    Args:
        addresses: of the processes of the service, or of lines to them, such as `http://127.0.0.1:40123`.
        clients: who writes and who reads.
        body: makes an urgent entry.
        silence: seconds without a byte after which a client gives a connection up; longer than a heartbeat's pause.

    Raises:
        Refused: the service refuses the webhook's endpoint.
    """
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(receiving())
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=silence))
        asked = {"url": receiver.url, "events": ["alert.raised"]}
        path = f"{addresses[0]}/v1/webhook-endpoints"
        async with http.stream("POST", path, json=asked, headers=clients.integrator.headers) as response:
            await _expect(response, 201)
        async with Account(http, addresses, clients, body, receiver) as account:
            yield account
