"""Start and stop an application without a server, by the ASGI lifespan protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from starlette.types import ASGIApp, Message

from tests.support.contract import watch

LONGEST = 30.0
"""Seconds that starting and stopping may take."""


class NeverStarted(Exception):
    """The application said that it could not start."""


@asynccontextmanager
async def started(app: ASGIApp) -> AsyncIterator[None]:
    """The application's life for the block's length.

    All of it runs in one task of its own, as under a real server: fixtures are set up and torn down in
    different tasks, which task groups inside the application would not survive.

    Raises:
        NeverStarted: the application refused to start and raised nothing itself.
    """
    told: asyncio.Queue[Message] = asyncio.Queue()
    said: asyncio.Queue[Message] = asyncio.Queue()

    async def live() -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        await app(scope, told.get, said.put)

    life = asyncio.create_task(live(), name="lifespan")
    await told.put({"type": "lifespan.startup"})
    await _heard(said, life, "lifespan.startup.complete")
    try:
        yield
    finally:
        await told.put({"type": "lifespan.shutdown"})
        await _heard(said, life, "lifespan.shutdown.complete")
        await life


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application that is started for the block's length, its answers held against the contract."""
    async with started(app):
        transport = httpx2.ASGITransport(app)
        async with watch(httpx2.AsyncClient(transport=transport, base_url="http://testserver")) as client:
            yield client


async def _heard(said: asyncio.Queue[Message], life: asyncio.Task[None], requested: str) -> None:
    answer = asyncio.create_task(said.get())
    async with asyncio.timeout(LONGEST):
        await asyncio.wait({answer, life}, return_when=asyncio.FIRST_COMPLETED)
    if answer.done() and answer.result()["type"] == requested:
        return
    answer.cancel()
    await life  # raises what the application raised
    raise NeverStarted(requested)
