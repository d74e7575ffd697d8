"""A receiver of webhooks on a real port, whose answers a test chooses."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]


@dataclass(slots=True)
class Taken:
    """A request as it came, and when, by the monotonic clock."""

    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def event(self) -> Json:
        """The body, read."""
        read: Json = json.loads(self.body)
        return read


@dataclass(slots=True)
class Receiver:
    """What a receiver has taken, and how it answers.

    Attributes:
        url: where it is.
        status: the status of its answers, or a function of the request that gives it.
        headers: the headers of its answers.
        text: the body of its answers.
        hold: while it is clear, requests wait for their answer.
        at_once: requests that wait for their answer now.
        most_at_once: the most that ever did.
    """

    url: str = ""
    status: int | Callable[[Taken], int] = 204
    headers: dict[str, str] = field(default_factory=dict)
    text: str | Callable[[Taken], str] = ""
    taken: list[Taken] = field(default_factory=list)
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0

    @property
    def types(self) -> list[str]:
        """The types of the events that it has taken, in order."""
        return [each.event["type"] for each in self.taken]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Take a request."""
        came = Taken(dict(request.headers), await request.read())
        self.taken.append(came)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            await self.hold.wait()
        finally:
            self.at_once -= 1
        text = self.text(came) if callable(self.text) else self.text
        status = self.status(came) if callable(self.status) else self.status
        return web.Response(status=status, headers=self.headers, text=text or None)


@asynccontextmanager
async def receiving(*, ssl: Any = None, host: str = "127.0.0.1") -> AsyncIterator[Receiver]:
    """Run a receiver for the length of the block."""
    receiver = Receiver()
    receiver.hold.set()
    server = web.Server(receiver.answer)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0, ssl_context=ssl)
    await site.start()
    _, port = runner.addresses[0][:2]
    receiver.url = f"{'https' if ssl else 'http'}://{host}:{port}/hook"
    try:
        yield receiver
    finally:
        receiver.hold.set()
        await runner.cleanup()
