"""A service ends in time when it is asked to: while its database hangs, and while streams are open."""

import asyncio
import signal
import socket
from pathlib import Path

import pytest

from app.settings import Settings
from tests.support.actors import Actors, Caller
from tests.support.backends import backends, stopped
from tests.support.bodies import check_body, entry_body, urgent_body
from tests.support.cli import LONGEST
from tests.support.processes import process
from tests.support.running import running
from tests.support.sse import listening
from tests.support.steps import expect
from tests.support.wire import wire

ON_POSTGRESQL = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)

QUESTION = check_body(entry_body()["subject"])

PROMISED = 5.0
"""Seconds within which the service ends (docs/operation.md)."""

ALLOWANCE = 1.0
"""Seconds more on a machine that runs other tests at the same time."""

ENDED = PROMISED + ALLOWANCE


@ON_POSTGRESQL
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


@ON_POSTGRESQL
async def test_a_worker_alone_ends_although_the_database_hangs(settings: Settings, tmp_path: Path) -> None:
    with running("worker", cwd=tmp_path, database_url=settings.url) as service:
        service.heard("ready")
        while not await backends(settings.url):  # noqa: ASYNC110 - another process tells no event
            await asyncio.sleep(0.05)
        async with stopped(settings.url):
            await asyncio.sleep(1.5)
            service.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(service.process.wait, ENDED) == 0


def asked(address: tuple[str, int], path: str, caller: Caller) -> socket.socket:
    """A connection on which something was asked."""
    connection = socket.create_connection(address, timeout=LONGEST)
    key = f"Authorization: Bearer {caller.key}"
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: register\r\n{key}\r\n\r\n".encode())
    return connection


@pytest.mark.parametrize(
    ("engine_url", "workers"), [("sqlite", 1), ("postgresql", 2)], indirect=["engine_url"]
)
async def test_a_service_with_streams_open_ends_in_time(
    settings: Settings, actors: Actors, tmp_path: Path, workers: int
) -> None:
    """Streams of both kinds on each process, and a long poll: each is ended cleanly, none is waited for."""
    counter, owner = await actors.client("checkpoint"), await actors.client("submitter")
    with running(
        "serve", "--port", 0, "--workers", workers, cwd=tmp_path, database_url=settings.url
    ) as service:
        ready = service.heard("ready")
        while sum(line["message"] == "ready" for line in service.lines()) < workers:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
        address = ("127.0.0.1", ready["port"])
        kinds = [(counter, "/v1/alerts/stream"), (owner, "/v1/notices/stream")] * 12
        streams = [asked(address, path, caller) for caller, path in kinds]
        for stream in streams:
            assert (await asyncio.to_thread(stream.recv, 15)) == b"HTTP/1.1 200 OK"
        poll = asked(address, "/v1/alerts?wait=30", counter)
        await asyncio.sleep(0.5)
        service.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(service.process.wait, ENDED) == 0
        for stream in streams:
            with stream, stream.makefile("rb") as rest:
                assert rest.read().endswith(b": shutdown\n\n\r\n0\r\n\r\n")
        with poll, poll.makefile("rb") as rest:
            assert rest.readline() == b"HTTP/1.1 200 OK\r\n"
