"""The officers' alert stream over real sockets: who is told what, from where it resumes, and when it ends."""

import asyncio

import pytest

from app.access.clients.revocations import revoke_key
from app.access.domain import SYSTEM
from app.alerting.alerts import tail
from app.alerting.notices.domain import APPROVERS, NoticeContent, owner
from app.alerting.notices.names import NoticeName
from app.alerting.notices.service import notify
from app.kit.clock import rfc3339
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock
from tests.support.served import Served
from tests.support.sse import Events, listening, raw_lines
from tests.support.steps import expect, sound
from tests.support.waiting import until

PATH = "/v1/notices/stream"
PROMPT = 2.0
"""The promised second, and one more for a busy machine."""


@pytest.fixture
async def verifier(actors: Actors) -> Caller:
    return await actors.client("verifier")


async def announce(runtime: Runtime, key: str, *to: str) -> None:
    """Tell something in another process."""
    async with runtime.writing(SYSTEM) as unit:
        await notify(
            unit, [NoticeContent(NoticeName.OVERDUE, key, to, unit.now, detail={"checkpoints": [key]})]
        )


async def take(stream: Events, count: int) -> list[str]:
    """What the next so many notices notify."""
    return [(await stream.next("notice")).json["checkpoints"][0] for _ in range(count)]


def open_streams(served: Served) -> int:
    return len(served.app.state.process.notice_tail.hub.streams)


async def test_each_officer_gets_what_is_meant_for_their_agency_and_roles(
    served: Served, actors: Actors, runtime: Runtime, verifier: Caller
) -> None:
    approver, other = await actors.client("approver"), await actors.client("submitter", agency="BNN")
    auditor = await actors.client("auditor")
    async with (
        listening(served.http, verifier.headers, PATH) as owners,
        listening(served.http, approver.headers, PATH) as directorate,
        listening(served.http, other.headers, PATH) as others,
        listening(served.http, auditor.headers, PATH) as all_of_it,
    ):
        for stream in (owners, directorate, others, all_of_it):
            await stream.next("heartbeat")
        await announce(runtime, "one", *owner("KPK"), APPROVERS)
        await announce(runtime, "two", *owner("BNN"))
        await announce(runtime, "three", *owner("KPK"))
        await announce(runtime, "four", APPROVERS, *owner("BNN"))
        assert await take(all_of_it, 4) == ["one", "two", "three", "four"]
        assert await take(owners, 2) == ["one", "three"]
        assert await take(directorate, 2) == ["one", "four"]
        assert await take(others, 2) == ["two", "four"]


async def test_the_stream_and_the_page_say_the_same_with_one_cursor(
    served: Served, runtime: Runtime, verifier: Caller
) -> None:
    async with listening(served.http, verifier.headers, PATH) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store"
        await stream.next("heartbeat")
        await announce(runtime, "one", *owner("KPK"))
        event = await stream.next("notice")
    async with listening(served.http, verifier.headers, PATH, last_event_id=event.id) as stream:
        beat = await stream.next()
    assert (beat.name, beat.id) == ("heartbeat", event.id)
    page = expect(await served.http.get("/v1/notices", headers=verifier.headers), 200)
    assert page["items"] == [event.json]
    assert page["cursor"] == event.id


async def test_a_last_event_resumes_behind_it_and_without_one_comes_the_last_day(
    served: Served, runtime: Runtime, verifier: Caller, clock: SettableClock
) -> None:
    await announce(runtime, "old", *owner("KPK"))
    clock.advance(hours=25)
    await announce(runtime, "one", *owner("KPK"))
    await announce(runtime, "not yours", *owner("BNN"))
    async with listening(served.http, verifier.headers, PATH) as stream:
        event = await stream.next("notice")
        assert event.json["checkpoints"][0] == "one"
        await announce(runtime, "two", *owner("KPK"))
        assert await take(stream, 1) == ["two"]
    await announce(runtime, "three", *owner("KPK"))
    async with listening(served.http, verifier.headers, PATH, last_event_id=event.id) as stream:
        assert await take(stream, 2) == ["two", "three"]


@pytest.mark.settings(quota_streams=30)
async def test_nothing_is_lost_or_doubled_by_officers_who_come_while_notices_are_written(
    served: Served, runtime: Runtime, verifier: Caller
) -> None:
    wanted = [f"notice {number}" for number in range(30)]

    async def listen() -> list[str]:
        async with listening(served.http, verifier.headers, PATH) as stream:
            return await take(stream, len(wanted))

    async with asyncio.TaskGroup() as group:
        listeners = []
        for key in wanted:
            listeners.append(group.create_task(listen()))
            await announce(runtime, key, *owner("KPK"))
    assert [listener.result() for listener in listeners] == [wanted] * len(wanted)


async def test_the_worker_tells_a_waiting_officer(
    served: Served, actors: Actors, verifier: Caller, clock: SettableClock
) -> None:
    raised = await sound(served.http, await actors.client("submitter"))
    polling = asyncio.create_task(served.http.get("/v1/notices?wait=30", headers=verifier.headers))
    async with listening(served.http, verifier.headers, PATH) as stream:
        await stream.next("heartbeat")
        clock.advance(hours=25)
        event = await stream.next("notice", within=20)
    told = expect(await polling, 200)["items"]
    assert event.json in told
    assert {each["entry_id"] for each in told} == {raised["entry"]["id"]}


@pytest.mark.settings(heartbeat_seconds=0.2)
async def test_a_heartbeat_says_how_far_the_notices_have_come(
    served: Served, runtime: Runtime, verifier: Caller, monkeypatch: pytest.MonkeyPatch, clock: SettableClock
) -> None:
    monkeypatch.setattr(tail, "_TICK_SECONDS", 0.05)
    async with listening(served.http, verifier.headers, PATH) as stream:
        first = await stream.next("heartbeat")
        assert first.json == {"head": 0, "at": rfc3339(clock())}
        assert first.id is not None
        assert first.id.endswith("-notices.0")
        await announce(runtime, "one", *owner("KPK"))
        notice = await stream.next("notice")
        for _ in range(2):
            later = await stream.next("heartbeat")
        assert (later.id, later.json["head"]) == (notice.id, 1)


@pytest.mark.parametrize("role", ["checkpoint", "integrator"])
async def test_machines_open_no_stream_of_officers(served: Served, actors: Actors, role: str) -> None:
    caller = await actors.client(role, agency="KPK" if role == "integrator" else None)
    expect(await served.http.get(PATH, headers=caller.headers), 403)
    assert open_streams(served) == 0


async def test_a_cursor_of_another_register_opens_no_stream(served: Served, verifier: Caller) -> None:
    headers = {**verifier.headers, "Last-Event-ID": "0123456789abcdef-notices.0"}
    problem = expect(await served.http.get(PATH, headers=headers), 410)
    assert problem["restart"] == PATH
    assert open_streams(served) == 0


async def test_a_revoked_key_ends_the_stream_and_no_other(
    served: Served, actors: Actors, runtime: Runtime, verifier: Caller
) -> None:
    other = await actors.client("verifier")
    async with (
        raw_lines(served.http, verifier.headers, PATH) as lines,
        listening(served.http, other.headers, PATH) as unharmed,
    ):
        await unharmed.next("heartbeat")
        async with runtime.writing(SYSTEM) as unit:
            await revoke_key(unit, verifier.id, verifier.key_id)
        async with asyncio.timeout(PROMPT):
            assert ": revoked" in [line async for line in lines]
        await announce(runtime, "one", *owner("KPK"))
        assert await take(unharmed, 1) == ["one"]


@pytest.mark.settings(stream_minutes=0.005)
async def test_a_stream_is_cut_when_its_time_is_over(
    served: Served, verifier: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "_TICK_SECONDS", 0.05)
    async with raw_lines(served.http, verifier.headers, PATH) as lines, asyncio.timeout(PROMPT):
        assert ": renew" in [line async for line in lines]


async def test_a_stopping_service_ends_its_streams_and_takes_no_more(
    served: Served, verifier: Caller
) -> None:
    hub = served.app.state.process.notice_tail.hub
    async with raw_lines(served.http, verifier.headers, PATH) as lines:
        hub.closing = True
        expect(await served.http.get(PATH, headers=verifier.headers), 503)
        served.act(hub.close)
        async with asyncio.timeout(PROMPT):
            assert ": shutdown" in [line async for line in lines]
    await until(lambda: open_streams(served) == 0)
