"""A service whose database hangs is told to end, and ends."""

import asyncio
import signal
from pathlib import Path

import pytest

from app.settings import Settings
from tests.support.actors import Actors
from tests.support.backends import backends, stopped
from tests.support.bodies import check_body, entry_body, urgent_body
from tests.support.processes import process
from tests.support.running import running
from tests.support.sse import listening
from tests.support.steps import expect
from tests.support.wire import wire

pytestmark = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)

QUESTION = check_body(entry_body()["subject"])

ENDED = 8.0
"""Seconds: the five that it may take, and some for a busy machine."""


@pytest.mark.parametrize("way", ["stopped backends", "frozen network"])
async def test_told_to_end_it_ends_although_the_database_hangs(
    settings: Settings, actors: Actors, tmp_path: Path, way: str
) -> None:
    counter, owner = await actors.client("checkpoint"), await actors.client("submitter")
    with wire(settings.url) as line:
        given = settings.model_copy(update={"database_url": line.address})
        async with process(given, tmp_path) as service, listening(service.http, counter.headers) as stream:
            await stream.next("heartbeat")
            expect(await service.http.post("/v1/checks", json=QUESTION, headers=counter.headers), 200)

            async def end() -> None:
                asked = [
                    service.http.post("/v1/checks", json=QUESTION, headers=counter.headers),
                    service.http.get("/v1/worklist", headers=owner.headers),
                    service.http.post("/v1/urgent-entries", json=urgent_body(), headers=owner.once("one")),
                ]
                asking = [asyncio.ensure_future(each) for each in asked]
                await asyncio.sleep(0.5)
                service.terminate()
                async with asyncio.timeout(ENDED):
                    assert await service.ended() == 0
                for answer in await asyncio.gather(*asking):
                    if way == "stopped backends" and answer.status_code in {200, 201}:
                        continue  # a new connection, whose backend works
                    assert expect(answer, 503)["type"] in {"/problems/not-stored", "/problems/unavailable"}

            if way == "frozen network":
                line.freeze()
                await end()
                line.mend()
            else:
                async with stopped(settings.url) as pids:
                    assert pids
                    await end()


async def test_a_worker_alone_ends_although_the_database_hangs(settings: Settings, tmp_path: Path) -> None:
    with running("worker", cwd=tmp_path, database_url=settings.url) as service:
        service.heard("ready")
        while not await backends(settings.url):  # noqa: ASYNC110 - another process tells no event
            await asyncio.sleep(0.05)
        async with stopped(settings.url):
            await asyncio.sleep(1.5)
            service.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(service.process.wait, ENDED) == 0
