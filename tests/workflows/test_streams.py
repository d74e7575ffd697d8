"""Alert streams over real sockets: what arrives, in which order, and what a reconnect brings."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from app.alerting.alerts import missed, tail
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock
from tests.support.served import Served
from tests.support.sse import Event, Events, listening
from tests.support.steps import Json, decide, expect, sound
from tests.support.waiting import until

PLACES = ("CGK", "DPS", "SUB", "BTH")


async def drill(http: httpx2.AsyncClient, duty: Caller, message: str = "Exercise.") -> Json:
    """A drill, the shortest of all alerts."""
    wanted = {"kind": "exercise", "message": message}
    return expect(await http.post("/v1/alerts", json=wanted, headers=duty.headers), 201)


async def take(stream: Events, count: int) -> list[Event]:
    """The next so many alerts."""
    return [await stream.next("alert") for _ in range(count)]


async def test_every_stream_gets_the_same_bytes_and_counts_as_connected(
    served: Served, actors: Actors
) -> None:
    submitter = await actors.client("submitter")
    callers = [await actors.client("checkpoint", checkpoint=code) for code in PLACES]
    async with asyncio.TaskGroup() as group:
        streams: list[Events] = []
        done = asyncio.Event()

        async def listen(caller: Caller) -> None:
            async with listening(served.http, caller.headers) as stream:
                streams.append(stream)
                await done.wait()

        for caller in callers * 15:
            group.create_task(listen(caller))
        await until(lambda: len(served.app.state.process.hub.streams) == len(streams) == 60)
        raised = await sound(served.http, submitter)
        told = await asyncio.gather(*(stream.next("alert") for stream in streams))
        done.set()
    assert raised["alert"]["connected"] == len(PLACES)
    assert {event.data for event in told} == {told[0].data}
    assert told[0].json["id"] == raised["alert"]["id"]
    assert told[0].id is not None
    assert told[0].id.endswith(f".{raised['alert']['sequence']}")


async def test_a_stream_is_fed_by_the_words_of_the_long_poll(
    served: Served, actors: Actors, counter: Caller
) -> None:
    async with listening(served.http, counter.headers) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store"
        await sound(served.http, await actors.client("submitter"))
        (event,) = await take(stream, 1)
    page = expect(await served.http.get("/v1/alerts", headers=counter.headers), 200)
    assert page["items"] == [event.json]
    assert page["cursor"] == event.id


async def test_what_unicode_calls_the_end_of_a_line_ends_none_of_a_stream(
    served: Served, actors: Actors, counter: Caller
) -> None:
    message = "First\u2028second\u2029third."
    async with listening(served.http, counter.headers) as stream:
        await drill(served.http, await actors.client("duty_officer"), message)
        [event] = await take(stream, 1)
    assert event.json["message"] == message
    assert event.data.isascii()


async def test_without_a_last_event_first_come_the_alerts_that_still_hold(
    served: Served, actors: Actors, counter: Caller, clock: SettableClock
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    old = await drill(served.http, duty)
    clock.advance(hours=2)
    kept, withdrawn = await sound(served.http, submitter), await sound(served.http, submitter)
    await decide(served.http, duty, withdrawn["entry"], "reject", "A mistake.")
    signed = await decide(served.http, duty, kept["entry"], "countersign")
    await until(
        lambda: served.app.state.process.tail.head.last_alert > signed["sequence"]
    )  # or it would come as news
    async with listening(served.http, counter.headers) as stream:
        await stream.next("heartbeat")  # what holds comes before it
        later = await drill(served.http, duty)
        assert [event.json["id"] for event in await take(stream, 1)] == [later["id"]]
    async with listening(served.http, counter.headers) as stream:
        first, second, third = await take(stream, 3)
    assert [event.json["kind"] for event in (first, second, third)] == ["raise", "update", "exercise"]
    assert first.json["id"] == second.json["refers_to"] == kept["alert"]["id"]
    assert old["id"] not in {event.json["id"] for event in (first, second, third)}


async def test_a_last_event_resumes_behind_it_whatever_has_become_of_the_alerts(
    served: Served, actors: Actors, counter: Caller
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    async with listening(served.http, counter.headers) as stream:
        raised = await sound(served.http, submitter)
        (seen,) = await take(stream, 1)
    await decide(served.http, duty, raised["entry"], "reject", "A mistake.")
    await drill(served.http, duty)
    async with listening(served.http, counter.headers, last_event_id=seen.id) as stream:
        missed = await take(stream, 2)
    assert [event.json["kind"] for event in missed] == ["cancel", "exercise"]
    assert missed[0].json["previous_sequence"] == seen.json["sequence"]


async def _resume(served: Served, caller: Caller, cursor: str | None, count: int) -> list[str]:
    """The messages of so many alerts behind a cursor, and of any that came before the heartbeat behind them."""
    async with listening(served.http, caller.headers, last_event_id=cursor) as stream:
        events = await take(stream, count)
        assert (await stream.next()).name == "heartbeat"
    return [event.json["message"] for event in events]


async def test_clients_with_different_cursors_share_one_reading_of_what_they_missed(
    served: Served, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings: list[int] = []
    read_on = missed.list_after

    async def counted(*given: Any, **named: Any) -> Any:
        readings.append(given[1])
        return await read_on(*given, **named)

    monkeypatch.setattr(missed, "list_after", counted)
    monkeypatch.setattr(missed, "_CACHED_FOR", timedelta(minutes=1))
    gateway = await actors.client("checkpoint", gateway=True)
    duty = await actors.client("duty_officer")
    async with listening(served.http, gateway.headers) as stream:
        for number in range(4):
            await drill(served.http, duty, f"Exercise {number}.")
        cursors = [event.id for event in await take(stream, 4)]
    everything = [f"Exercise {number}." for number in range(4)]
    assert await _resume(served, gateway, cursors[1], 2) == everything[2:]
    assert await _resume(served, gateway, cursors[0], 3) == everything[1:]  # an older cursor is read anew
    assert len(readings) == 2
    resumed = await asyncio.gather(*(_resume(served, gateway, cursors[n % 3], 3 - n % 3) for n in range(12)))
    assert resumed == [everything[1 + n % 3 :] for n in range(12)]
    assert len(readings) == 2
    await drill(served.http, duty, "Exercise 4.")
    async with listening(served.http, gateway.headers, last_event_id=cursors[2]) as stream:
        latest = await take(stream, 2)  # the newest may come as news, behind the heartbeat
    assert [event.json["message"] for event in latest] == ["Exercise 3.", "Exercise 4."]


async def test_a_gate_that_reconnects_gets_no_identity_that_a_counter_was_sent(
    served: Served, actors: Actors, counter: Caller
) -> None:
    gate = await actors.client("checkpoint", kind="autogate")
    async with listening(served.http, counter.headers) as stream:
        await drill(served.http, await actors.client("duty_officer"))
        (first,) = await take(stream, 1)
        await sound(served.http, await actors.client("submitter"))
        await take(stream, 1)
    names = []
    for caller in (counter, gate, counter):
        async with listening(served.http, caller.headers, last_event_id=first.id) as stream:
            (resumed,) = await take(stream, 1)
        names.append(resumed.json["entry"]["full_name"])
    assert names[0] == names[2] is not None
    assert names[1] is None


async def test_an_alert_that_ended_shows_no_identity_however_soon_a_client_reconnects(
    served: Served, actors: Actors, counter: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missed, "_CACHED_FOR", timedelta(minutes=1))
    duty = await actors.client("duty_officer")
    async with listening(served.http, counter.headers) as stream:
        await drill(served.http, duty)
        (first,) = await take(stream, 1)
        raised = await sound(served.http, await actors.client("submitter"))
        await take(stream, 1)
        async with listening(served.http, counter.headers, last_event_id=first.id) as other:
            assert (await take(other, 1))[0].json["entry"]["full_name"] is not None
        await decide(served.http, duty, raised["entry"], "reject", "A mistake.")
        await take(stream, 1)
    async with listening(served.http, counter.headers, last_event_id=first.id) as stream:
        ended, cancelled = await take(stream, 2)
    assert ended.json["entry"]["full_name"] is None
    assert cancelled.json["kind"] == "cancel"


async def test_what_was_read_is_read_again_after_a_while(
    served: Served, actors: Actors, counter: Caller, clock: SettableClock
) -> None:
    async with listening(served.http, counter.headers) as stream:
        await drill(served.http, await actors.client("duty_officer"))
        (first,) = await take(stream, 1)
        await sound(served.http, await actors.client("submitter"))
        await take(stream, 1)
    names = []
    for days in (0, 30):
        clock.advance(days=days)
        async with listening(served.http, counter.headers, last_event_id=first.id) as stream:
            (resumed,) = await take(stream, 1)
        names.append(resumed.json["entry"]["full_name"])
    assert names[0] is not None
    assert names[1] is None


async def test_nothing_is_lost_or_doubled_by_a_checkpoint_that_keeps_reconnecting(
    served: Served, actors: Actors, counter: Caller
) -> None:
    duty, wanted = await actors.client("duty_officer"), 60

    async def publish() -> None:
        for number in range(wanted):
            await drill(served.http, duty, f"Exercise {number}.")

    publishing = asyncio.create_task(publish())
    seen: list[Event] = []
    while len(seen) < wanted:
        last = seen[-1].id if seen else None
        async with listening(served.http, counter.headers, last_event_id=last) as stream:
            seen += await take(stream, min(1 + len(seen) % 3, wanted - len(seen)))
    await publishing
    assert [event.json["message"] for event in seen] == [f"Exercise {number}." for number in range(wanted)]
    assert [event.json["previous_sequence"] for event in seen[1:]] == [e.json["sequence"] for e in seen[:-1]]


async def test_nothing_is_lost_or_doubled_by_checkpoints_that_come_while_alerts_leave(
    served: Served, actors: Actors
) -> None:
    duty, wanted = await actors.client("duty_officer"), 40
    gateway = await actors.client("checkpoint", gateway=True)
    last = asyncio.Event()

    async def listen() -> list[str]:
        async with listening(served.http, gateway.headers) as stream:
            seen = []
            while not seen or seen[-1] != f"Exercise {wanted - 1}.":
                seen.append((await stream.next("alert")).json["message"])
            await last.wait()
            return seen

    async with asyncio.TaskGroup() as group:
        listeners = []
        for number in range(wanted):
            listeners.append(group.create_task(listen()))
            await drill(served.http, duty, f"Exercise {number}.")
        last.set()
    everything = [f"Exercise {number}." for number in range(wanted)]
    assert [listener.result() for listener in listeners] == [everything] * wanted


@pytest.mark.parametrize(
    ("cursor", "status", "slug"),
    [("0123456789abcdef.0", 410, "cursor-gone"), ("nonsense", 422, "validation")],
)
async def test_a_cursor_of_another_register_opens_no_stream(
    served: Served, counter: Caller, cursor: str, status: int, slug: str
) -> None:
    headers = {**counter.headers, "Last-Event-ID": cursor}
    problem = expect(await served.http.get("/v1/alerts/stream", headers=headers), status)
    assert problem["type"] == f"/problems/{slug}"
    assert served.app.state.process.hub.streams == set()


@pytest.mark.settings(heartbeat_seconds=0.2)
async def test_a_heartbeat_says_where_the_ledger_ends(
    served: Served, actors: Actors, counter: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_TICK_SECONDS", 0.05)
    async with listening(served.http, counter.headers) as stream:
        first = await stream.next("heartbeat")
        assert first.id is not None
        assert first.id.endswith(".0")
        assert first.json == {
            "head": 0,
            "last_alert": 0,
            "at": "2026-11-23T03:00:00.000000Z",
            "degraded": False,
        }
        await sound(served.http, await actors.client("submitter"))
        alert = await stream.next("alert")
        assert alert.id == first.id.removesuffix("0") + "2"
        for _ in range(2):
            later = await stream.next("heartbeat")
        assert later.json == {
            "head": 2,
            "last_alert": 2,
            "at": "2026-11-23T03:00:00.000000Z",
            "degraded": False,
        }
        assert later.id == alert.id


async def test_a_stream_resumes_behind_a_heartbeat(served: Served, actors: Actors, counter: Caller) -> None:
    duty = await actors.client("duty_officer")
    await drill(served.http, duty)
    await until(lambda: served.app.state.process.tail.head.last_alert > 0)
    async with listening(served.http, counter.headers) as stream:
        (seen,) = await take(stream, 1)
        beat = await stream.next("heartbeat")
    assert beat.id == seen.id
    later = await drill(served.http, duty)
    async with listening(served.http, counter.headers, last_event_id=beat.id) as stream:
        (missed,) = await take(stream, 1)
    assert missed.json["id"] == later["id"]


@pytest.mark.settings(streams_limit=2)
async def test_beyond_the_limit_a_stream_is_refused_for_now(served: Served, counter: Caller) -> None:
    async with listening(served.http, counter.headers), listening(served.http, counter.headers) as second:
        await second.next("heartbeat")
        refused = await served.http.get("/v1/alerts/stream", headers=counter.headers)
        assert expect(refused, 503)["type"] == "/problems/unavailable"
        assert int(refused.headers["retry-after"]) > 0
    await until(lambda: not served.app.state.process.hub.streams)
    async with listening(served.http, counter.headers) as again:
        await again.next("heartbeat")
