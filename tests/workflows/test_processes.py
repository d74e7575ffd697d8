"""Several processes on one register, and one that is told to end."""

import asyncio
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock
from tests.support.processes import process
from tests.support.served import Served, client_for, serving
from tests.support.sse import listening
from tests.support.steps import becomes, connected, expect, sound


async def test_what_is_raised_at_one_process_arrives_at_another_and_presence_counts_both(
    served: Served, settings: Settings, clock: SettableClock, actors: Actors
) -> None:
    submitter, counter = await actors.client("submitter"), await actors.client("checkpoint")
    elsewhere = await actors.client("checkpoint", checkpoint="DPS")
    neighbour = ExitStack()
    async with (
        client_for(neighbour.enter_context(serving(create_app(settings, clock)))) as http,
        listening(http, elsewhere.headers) as there,
        listening(served.http, counter.headers) as here,
    ):
        first = await sound(served.http, submitter)
        ids = [(await stream.next("alert", within=5)).json["id"] for stream in (here, there)]
        assert ids == [first["alert"]["id"]] * 2
        for asked in (served.http, http):
            await becomes(asked, submitter, first["alert"], 2)
        second = await sound(served.http, submitter)
        assert second["alert"]["connected"] == 2
        for stream in (here, there):
            told = (await stream.next("alert", within=5)).json
            assert told["previous_sequence"] == first["alert"]["sequence"]
        poller = await actors.client("checkpoint", checkpoint="SUB")
        expect(await http.get("/v1/alerts", headers=poller.headers), 200)
        await becomes(served.http, submitter, first["alert"], 3)
        await asyncio.to_thread(neighbour.close)
        assert await connected(served.http, submitter, first["alert"]) == 1


async def test_on_postgresql_another_process_is_woken_and_does_not_wait_for_its_next_look(
    served: Served, settings: Settings, clock: SettableClock, actors: Actors
) -> None:
    if settings.url.startswith("sqlite"):
        pytest.skip("SQLite has no wake-ups between processes")
    counter, submitter = await actors.client("checkpoint"), await actors.client("submitter")
    encrypted_if_offered = f"{settings.url}?sslmode=prefer"
    patient = create_app(
        settings.model_copy(update={"poll_seconds": 3600.0, "database_url": encrypted_if_offered}), clock
    )
    with serving(patient) as url:
        async with client_for(url) as http, listening(http, counter.headers) as stream:
            await stream.next("heartbeat")
            raised = await sound(served.http, submitter)
            assert (await stream.next("alert", within=5)).json["id"] == raised["alert"]["id"]


async def test_told_to_end_it_ends_streams_and_polls_cleanly_and_exits_with_nought(
    settings: Settings, actors: Actors, tmp_path: Path
) -> None:
    counter, submitter = await actors.client("checkpoint"), await actors.client("submitter")
    async with process(settings, tmp_path) as service:

        async def read(opened: asyncio.Event, path: str, by: Caller) -> list[str]:
            told = []
            async with service.http.stream("GET", path, headers=by.headers) as response:
                async for line in response.aiter_lines():  # raises where the end is not clean
                    told.append(line)
                    opened.set()
            return told

        wanted = [("/v1/alerts/stream", counter)] * 5 + [("/v1/notices/stream", submitter)] * 2
        events = [asyncio.Event() for _ in wanted]
        reading = [
            asyncio.create_task(read(opened, *each)) for opened, each in zip(events, wanted, strict=True)
        ]
        await asyncio.gather(*(opened.wait() for opened in events))
        raised = await sound(service.http, submitter)
        after = expect(await service.http.get("/v1/alerts", headers=counter.headers), 200)["cursor"]
        poll = {"after": after, "wait": 30}
        elsewhere = await actors.client("checkpoint", checkpoint="DPS")
        polling = asyncio.create_task(service.http.get("/v1/alerts", params=poll, headers=elsewhere.headers))
        await becomes(service.http, submitter, raised["alert"], 2)
        service.terminate()
        async with asyncio.timeout(5):
            ends = await asyncio.gather(*reading)
            page = expect(await polling, 200)
            assert await service.ended() == 0
        assert all(": shutdown" in lines for lines in ends)
        assert (page["items"], page["cursor"]) == ([], after)


async def test_who_reads_nothing_does_not_keep_it_from_ending(
    settings: Settings, actors: Actors, tmp_path: Path
) -> None:
    counter, submitter = await actors.client("checkpoint"), await actors.client("submitter")
    async with process(settings, tmp_path) as service:
        with socket.create_connection(("127.0.0.1", service.http.base_url.port or 0)) as deaf:
            asked = (
                f"GET /v1/alerts/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {counter.key}\r\n\r\n"
            )
            deaf.sendall(asked.encode())
            raised = await sound(service.http, submitter)
            await becomes(service.http, submitter, raised["alert"], 1)
            service.terminate()
            async with asyncio.timeout(5):
                assert await service.ended() == 0
