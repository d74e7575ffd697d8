"""When a stream ends, why, and that the others go on."""

import asyncio
import socket
from dataclasses import replace
from datetime import datetime

import pytest
from starlette.requests import Request

from app import worker
from app.access.admission import gate
from app.access.admission.guard import admit
from app.access.clients.revocations import revoke_client, revoke_key
from app.access.clients.service import version
from app.access.domain import SYSTEM
from app.actor import Actor
from app.alerting.alerts import tail
from app.alerting.streams import serving as stream_serving
from app.db.unit import Reader
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from app.web import stream_connection
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock
from tests.support.served import Served, client_for, serving
from tests.support.sse import listening, raw_lines
from tests.support.steps import expect, sound
from tests.support.waiting import until

PROMPT = 2.0
"""The promised second, and one more for a busy machine."""


@pytest.mark.parametrize("process", ["this", "another"])
@pytest.mark.parametrize("what", ["key", "client"])
async def test_a_revocation_ends_open_streams_and_polls(
    served: Served, actors: Actors, runtime: Runtime, counter: Caller, process: str, what: str
) -> None:
    admin, other = await actors.client("admin"), await actors.client("checkpoint")
    async with (
        raw_lines(served.http, counter.headers) as lines,
        listening(served.http, other.headers) as unharmed,
    ):
        polling = asyncio.create_task(served.http.get("/v1/alerts?wait=30", headers=counter.headers))
        await unharmed.next("heartbeat")
        await until(lambda: served.app.state.process.runtime.bell._event is not None)
        if process == "this":
            path = f"/v1/clients/{counter.id}" + (f"/keys/{counter.key_id}" if what == "key" else "")
            assert (await served.http.delete(path, headers=admin.headers)).status_code == 204
        else:
            async with runtime.writing(SYSTEM) as unit:
                if what == "key":
                    await revoke_key(unit, counter.id, counter.key_id)
                else:
                    await revoke_client(unit, counter.id)
        async with asyncio.timeout(PROMPT):
            assert ": revoked" in [line async for line in lines]
            assert (await polling).status_code == 401
        raised = await sound(served.http, await actors.client("submitter"))
        assert (await unharmed.next("alert")).json["id"] == raised["alert"]["id"]


async def test_other_changes_of_access_end_no_stream(served: Served, actors: Actors, counter: Caller) -> None:
    async with listening(served.http, counter.headers) as open_stream:
        await open_stream.next("heartbeat")
        before = served.app.state.process.tail.access_version
        await actors.client("checkpoint")
        await until(lambda: served.app.state.process.tail.access_version != before)
        await sound(served.http, await actors.client("submitter"))
        await open_stream.next("alert")


@pytest.mark.parametrize("follower_is", ["done", "at_it"])
async def test_a_key_revoked_while_its_stream_was_on_the_way_in_opens_none(
    served: Served, runtime: Runtime, counter: Caller, monkeypatch: pytest.MonkeyPatch, follower_is: str
) -> None:
    """The follower closes the streams of a revoked key before this one, admitted in time, is among them."""
    admitted, answered = [], asyncio.Event()
    still_admitted = gate.list_valid_keys
    async with runtime.reading(SYSTEM) as reader:
        current = await version(reader)
    await until(
        lambda: served.app.state.process.tail._applied_version == current
    )  # or it would be at the key's own making

    async def admit_and_be_late(request: Request) -> Actor:
        actor = await admit(request)
        admitted.append(actor)
        if len(admitted) == 1:
            follower = request.app.state.process.tail
            before = follower.access_version
            async with request.app.state.process.runtime.writing(SYSTEM) as unit:
                await revoke_key(unit, counter.id, counter.key_id)
            await until(
                lambda: (follower._applied_version, follower.access_version)[follower_is == "at_it"] != before
            )
        return actor

    async def dawdle(reader: Reader, key_ids: set[str]) -> set[str]:
        found = await still_admitted(reader, key_ids)
        if admitted and follower_is == "at_it":
            await until(answered.is_set)
        return found

    monkeypatch.setattr(stream_serving, "admit", admit_and_be_late)
    monkeypatch.setattr(gate, "list_valid_keys", dawdle)
    expect(await served.http.get("/v1/alerts/stream", headers=counter.headers), 401)
    answered.set()
    assert len(admitted) == 1
    assert served.app.state.process.hub.streams == set()


async def test_a_stream_ends_with_its_key(
    served: Served, counter: Caller, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_TICK_SECONDS", 0.05)
    async with raw_lines(served.http, counter.headers) as lines:
        clock.advance(days=366)
        async with asyncio.timeout(PROMPT):
            assert {": expired", ": revoked"} & {line async for line in lines}
    expect(await served.http.get("/v1/alerts/stream", headers=counter.headers), 401)


@pytest.mark.settings(stream_minutes=0.005)
async def test_a_stream_is_cut_when_its_time_is_over(
    served: Served, counter: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_TICK_SECONDS", 0.05)
    async with raw_lines(served.http, counter.headers) as lines, asyncio.timeout(PROMPT):
        assert ": renew" in [line async for line in lines]


async def test_a_stopping_service_ends_its_streams_and_takes_no_more(served: Served, counter: Caller) -> None:
    async with raw_lines(served.http, counter.headers) as lines:
        served.app.state.process.hub.closing = True
        expect(await served.http.get("/v1/alerts/stream", headers=counter.headers), 503)
        served.act(served.app.state.process.hub.close)
        async with asyncio.timeout(PROMPT):
            assert ": shutdown" in [line async for line in lines]


def deaf(served: Served, caller: Caller) -> socket.socket:
    """A reader that opens a stream and never reads."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect(("127.0.0.1", served.port))
    reader.sendall(
        f"GET /v1/alerts/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {caller.key}\r\n\r\n".encode()
    )
    return reader


@pytest.mark.parametrize("slow_way", ["stuck", "lagging"])
async def test_a_reader_that_takes_nothing_is_closed_and_harms_nobody(
    served: Served, actors: Actors, counter: Caller, monkeypatch: pytest.MonkeyPatch, slow_way: str
) -> None:
    monkeypatch.setattr(stream_connection, "STUCK_SECONDS", 0.2 if slow_way == "stuck" else 3600)
    monkeypatch.setattr(
        served.app.state.process.hub, "unsent_limit", 1 << (40 if slow_way == "stuck" else 20)
    )
    here, frames = served.app.state.process.hub, 24
    frame = b"event: alert\ndata: %s\n\n" % (b"x" * 1_000_000)
    with deaf(served, counter):
        await until(lambda: len(here.streams) == 1)
        (slow,) = here.streams
        headers = (await actors.client("checkpoint")).headers
        async with listening(served.http, headers, promised=False) as good:
            await good.next("heartbeat")
            for _ in range(frames):  # without a number, so that the cursor stays before the real alert's
                served.act(here.publish, 0, frame)
                await good.next("alert")
            if slow_way == "stuck":
                await until(lambda: slow not in here.streams)
                assert here.evicted == 1
            assert slow.why == slow_way
            raised = await sound(served.http, await actors.client("submitter"))
            assert (await good.next("alert")).json["id"] == raised["alert"]["id"]
    await until(lambda: slow not in here.streams)


async def test_a_reader_that_leaves_is_let_go(served: Served, counter: Caller) -> None:
    async with listening(served.http, counter.headers) as leaving:
        await leaving.next("heartbeat")
        assert len(served.app.state.process.hub.streams) == 1
    await until(lambda: not served.app.state.process.hub.streams)


class UnreadableClock:
    """A clock that can't be read for a while, such as a file that is just being written."""

    def __init__(self, clock: SettableClock) -> None:
        self._clock = clock
        self.broken = False
        self.asked = 0

    def __call__(self) -> datetime:
        if self.broken:
            self.asked += 1
            raise ValueError("Invalid isoformat string: ''")
        return self._clock()


async def test_a_clock_that_can_not_be_read_for_a_moment_stops_no_loop(
    settings: Settings,
    clock: SettableClock,
    actors: Actors,
    counter: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tail, "_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(tail, "_TICK_SECONDS", 0.02)
    loops = tuple(replace(each, seconds=0.02) if each.seconds == 1 else each for each in worker.LOOPS)
    monkeypatch.setattr(worker, "LOOPS", loops)
    unreadable = UnreadableClock(clock)
    app = create_app(settings, unreadable)
    with serving(app) as url:
        async with client_for(url) as http, listening(http, counter.headers) as open_stream:
            await open_stream.next("heartbeat")
            unreadable.broken = True
            await until(lambda: unreadable.asked > 20)
            unreadable.broken = False
            raised = await sound(http, await actors.client("submitter"))
            assert (await open_stream.next("alert")).json["id"] == raised["alert"]["id"]
            clock.advance(hours=25)
            assert (await open_stream.next("alert")).json["kind"] == "cancel"
            clock.advance(days=366)
            await until(lambda: not app.state.process.hub.streams)
