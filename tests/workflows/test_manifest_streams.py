"""A manifest's stream over real sockets: changes within a second, from where it resumes, and when it ends."""

import asyncio
from pathlib import Path
from time import perf_counter

import pytest

from app.access.clients.revocations import revoke_key
from app.access.domain import SYSTEM
from app.alerting.alerts import tail
from app.runtime import Runtime
from app.settings import Settings
from tests.api.border.test_manifests_watch import revocation
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, deterrence_body, urgent_body, urgent_deterrence_body
from tests.support.clock import SettableClock
from tests.support.manifests import PATH, manifest_body, passenger, read, send, stranger
from tests.support.processes import process
from tests.support.served import Served
from tests.support.sse import Event, listening, raw_lines
from tests.support.steps import decide, expect, impose, sound
from tests.support.waiting import until

PROMPT = 2.0
"""The promised second, and one more for a busy machine."""


def stream_of(manifest: Json) -> str:
    return f"{PATH}/{manifest['id']}/stream"


def number(event: Event) -> int:
    """Which change of its manifest an event is, by its cursor."""
    return int(str(event.id).rpartition(".")[2])


async def test_an_urgent_entry_a_countersignature_and_an_end_are_pushed_within_a_second(
    served: Served, actors: Actors, carrier: Caller
) -> None:
    http, body = served.http, urgent_deterrence_body()
    manifest = await send(http, carrier, manifest_body(stranger("a"), passenger(body["subject"], "b")))
    submitter = await actors.client("submitter", agency="IMIGRASI")
    officer = await actors.client("duty_officer")
    async with listening(http, carrier.headers, stream_of(manifest)) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store"
        await stream.next("heartbeat")
        begun = perf_counter()
        entry = (await sound(http, submitter, body))["entry"]
        event = await stream.next("change", within=PROMPT)
        assert perf_counter() - begun < PROMPT
        assert (number(event), event.json["reference"], event.json["status"]) == (1, "b", "contact")
        await decide(http, officer, entry, "countersign")
        event = await stream.next("change", within=PROMPT)
        assert (number(event), event.json["status"]) == (2, "do_not_board")
        assert event.json == (await read(http, carrier, manifest))["items"][1]


async def test_a_revocation_is_pushed(served: Served, actors: Actors, carrier: Caller) -> None:
    body = deterrence_body()
    entry = await impose(served.http, actors, body)
    manifest = await send(served.http, carrier, manifest_body(passenger(body["subject"])))
    async with listening(served.http, carrier.headers, stream_of(manifest)) as stream:
        await stream.next("heartbeat")
        await revocation(served.http, actors, entry)
        assert (await stream.next("change", within=PROMPT)).json["status"] == "board"


async def test_a_carrier_is_not_told_of_a_prevention(served: Served, actors: Actors, carrier: Caller) -> None:
    desk = await actors.client("checkpoint", checkpoint="DPS", kind="manifest")
    body = urgent_body()
    sent = manifest_body(passenger(body["subject"]), direction="exit")
    told, own = await send(served.http, carrier, sent), await send(served.http, desk, sent)
    async with (
        listening(served.http, carrier.headers, stream_of(told)) as carriers,
        listening(served.http, desk.headers, stream_of(own)) as checkpoints,
    ):
        await carriers.next("heartbeat")
        await checkpoints.next("heartbeat")
        await sound(served.http, await actors.client("submitter"), body)
        event = await checkpoints.next("change", within=PROMPT)
        assert (event.json["outcome"], event.json["action"]) == ("refer", "refer_to_supervisor")
        assert event.json["hit_id"].startswith("hit_")
        with pytest.raises(TimeoutError):
            await carriers.next("change", within=0.5)


async def test_a_stream_resumes_behind_the_last_change_and_without_it_begins_with_the_first(
    served: Served, actors: Actors, carrier: Caller
) -> None:
    http, body = served.http, urgent_deterrence_body()
    other = deterrence_body()
    people = [passenger(each["subject"], name) for name, each in (("b", body), ("c", other))]
    manifest = await send(http, carrier, manifest_body(*people))
    async with listening(http, carrier.headers, stream_of(manifest)) as stream:
        await stream.next("heartbeat")
        await sound(http, await actors.client("submitter", agency="IMIGRASI"), body)
        first = await stream.next("change", within=PROMPT)
        await impose(http, actors, other)
        second = await stream.next("change", within=PROMPT)
    async with listening(http, carrier.headers, stream_of(manifest)) as stream:
        assert [(await stream.next("change")), (await stream.next("change"))] == [first, second]
    async with listening(http, carrier.headers, stream_of(manifest), last_event_id=first.id) as stream:
        assert (await stream.next()) == second
    cursor = (await read(http, carrier, manifest))["cursor"]
    async with listening(http, carrier.headers, f"{stream_of(manifest)}?after={cursor}") as stream:
        beat = await stream.next()
        assert (beat.name, beat.id) == ("heartbeat", cursor)


@pytest.mark.parametrize(
    ("cursor", "status"),
    [
        ("{epoch}.99", 410),
        ("0123456789abcdef-manifest.0", 410),
        ("0", 422),
        ("{epoch}.-1", 422),
        ("abc", 422),
        ("{epoch}." + "9" * 30, 422),
    ],
)
async def test_a_cursor_that_is_none_opens_no_stream(
    served: Served, carrier: Caller, cursor: str, status: int
) -> None:
    manifest = await send(served.http, carrier, manifest_body(stranger()))
    epoch = manifest["cursor"].partition(".")[0]
    headers = {**carrier.headers, "Last-Event-ID": cursor.format(epoch=epoch)}
    problem = expect(await served.http.get(stream_of(manifest), headers=headers), status)
    if status == 410:
        assert problem["restart"] == f"{PATH}/{manifest['id']}"
    assert not served.app.state.process.manifest_tail.hub.streams


async def test_a_stream_is_the_senders_alone(served: Served, actors: Actors, carrier: Caller) -> None:
    manifest = await send(served.http, carrier, manifest_body(stranger()))
    for role, status in (("carrier", 404), ("checkpoint", 404), ("auditor", 403), ("submitter", 403)):
        caller = await actors.client(role)
        expect(await served.http.get(stream_of(manifest), headers=caller.headers), status)
    assert not served.app.state.process.manifest_tail.hub.streams


async def test_the_departure_ends_the_stream_with_a_last_word(
    served: Served, carrier: Caller, clock: SettableClock
) -> None:
    manifest = await send(served.http, carrier, manifest_body(stranger()))
    async with listening(served.http, carrier.headers, stream_of(manifest)) as stream:
        await stream.next("heartbeat")
        clock.advance(days=1)
        await stream.next("closed")
        assert await stream.rest() == []
    async with listening(served.http, carrier.headers, stream_of(manifest)) as stream:
        assert [event.name for event in await stream.rest()] == ["heartbeat", "closed"]


async def test_a_revoked_key_ends_the_stream_within_a_second(
    served: Served, carrier: Caller, runtime: Runtime
) -> None:
    manifest = await send(served.http, carrier, manifest_body(stranger()))
    async with raw_lines(served.http, carrier.headers, stream_of(manifest)) as lines:
        async with runtime.writing(SYSTEM) as unit:
            await revoke_key(unit, carrier.id, carrier.key_id)
        async with asyncio.timeout(PROMPT):
            assert ": revoked" in [line async for line in lines]


@pytest.mark.settings(heartbeat_seconds=0.2)
async def test_heartbeats_come_while_nothing_changes(
    served: Served, carrier: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_TICK_SECONDS", 0.05)
    manifest = await send(served.http, carrier, manifest_body(stranger()))
    async with listening(served.http, carrier.headers, stream_of(manifest)) as stream:
        for _ in range(3):
            assert set((await stream.next("heartbeat")).json) == {"at"}


async def test_a_stopping_service_ends_its_streams_cleanly(
    settings: Settings, actors: Actors, tmp_path: Path, carrier: Caller
) -> None:
    async with process(settings, tmp_path) as running:
        manifest = await send(running.http, carrier, manifest_body(stranger()))
        async with raw_lines(running.http, carrier.headers, stream_of(manifest)) as lines:
            running.terminate()
            async with asyncio.timeout(5):
                assert ": shutdown" in [line async for line in lines]
        assert await running.ended() in {0, -15}


async def test_a_change_is_pushed_on_another_process(
    settings: Settings, actors: Actors, tmp_path: Path, carrier: Caller, served: Served
) -> None:
    """On PostgreSQL the two share the work; on SQLite they may, though the command line refuses more workers."""
    body = urgent_deterrence_body()
    async with process(settings, tmp_path) as other:
        manifest = await send(other.http, carrier, manifest_body(passenger(body["subject"])))
        submitter = await actors.client("submitter", agency="IMIGRASI")
        async with (
            listening(other.http, carrier.headers, stream_of(manifest)) as there,
            listening(served.http, carrier.headers, stream_of(manifest)) as here,
        ):
            await there.next("heartbeat")
            await here.next("heartbeat")
            await sound(served.http, submitter, body)
            for stream in (here, there):
                assert (await stream.next("change", within=PROMPT)).json["status"] == "contact"
    await until(lambda: not served.app.state.process.manifest_tail.hub.streams)
