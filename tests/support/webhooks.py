"""What tests of webhooks share: endpoints, and a dispatcher whose rounds a test runs by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2

from app.runtime import Runtime
from app.sync.webhooks.dispatcher import Dispatcher
from tests.support.actors import Caller
from tests.support.receivers import Receiver
from tests.support.steps import expect
from tests.support.waiting import until

Json = dict[str, Any]

ENTRIES = ["entry.listed", "entry.provisional", "entry.countersigned", "entry.ended", "entry.erased"]
ALERTS = ["alert.raised", "alert.updated", "alert.cancelled"]
LOOPBACK = ("127.0.0.0/8",)


async def subscribe(http: httpx2.AsyncClient, by: Caller, receiver: Receiver, **given: Any) -> Json:
    """A new endpoint at a receiver."""
    body = {"url": receiver.url, "events": ENTRIES, **given}
    return expect(await http.post("/v1/webhook-endpoints", json=body, headers=by.headers), 201)


async def deliveries(http: httpx2.AsyncClient, by: Caller, endpoint: Json, **asked: str) -> list[Json]:
    """The deliveries of an endpoint, oldest first."""
    path = f"/v1/webhook-endpoints/{endpoint['id']}/deliveries"
    page = expect(await http.get(path, params=asked, headers=by.headers), 200)
    items: list[Json] = page["items"]
    return sorted(items, key=lambda each: (each["created_at"], each["sequence"] or 0))


class Hand:
    """Runs the rounds of a dispatcher."""

    def __init__(self, runtime: Runtime) -> None:
        self.dispatcher = Dispatcher(runtime)

    async def settle(self) -> None:
        """Run rounds until nothing is due and every request has ended and is stored."""
        while True:
            while await self.dispatcher.round():
                pass
            if not self.flying and not self.dispatcher._results:
                return
            await until(lambda: self.dispatcher._results != [] or not self.flying)

    async def begin(self) -> None:
        """Run rounds until nothing more is due; requests may be under way."""
        while await self.dispatcher.round():
            pass

    @property
    def flying(self) -> int:
        """The requests under way."""
        return sum(self.dispatcher.in_flight.values())

    async def die(self) -> None:
        """End as a killed process does: requests that are under way are cut, and what came of them is lost."""
        for task in list(self.dispatcher._tasks):
            task.cancel()
        await until(lambda: not self.dispatcher._tasks)
        self.dispatcher._results.clear()
        await self.dispatcher._sender.close()


@asynccontextmanager
async def dispatching(runtime: Runtime) -> AsyncIterator[Hand]:
    """A dispatcher whose rounds are run by hand, and whose connections are closed at the end."""
    hand = Hand(runtime)
    try:
        yield hand
    finally:
        await hand.die()
