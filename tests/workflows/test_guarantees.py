"""The eight guarantees of delivery (docs/api.md, section 4), each tried on real processes or a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from app.settings import Settings
from tests.support.actors import Actors, Caller
from tests.support.bodies import urgent_body
from tests.support.clock import MORNING, SettableClock
from tests.support.pagers import Inbox
from tests.support.processes import Process, process
from tests.support.receivers import receiving
from tests.support.served import Served
from tests.support.sse import Events, listening
from tests.support.steps import Json, decide, expect, sound


async def alerts_of(stream: Events, count: int) -> list[Json]:
    """The next so many alerts of a stream."""
    return [(await stream.next("alert", within=20)).json for _ in range(count)]


async def notices(http: httpx2.AsyncClient, by: Caller, name: str) -> list[Json]:
    items = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [each for each in items if each["name"] == name]


@asynccontextmanager
async def two_processes(settings: Settings, folder: Path) -> AsyncIterator[tuple[Process, Process]]:
    """Two processes on one register; on SQLite one process, twice."""
    async with AsyncExitStack() as stack:
        for name in ("a", "b"):
            (folder / name).mkdir()
        first = await stack.enter_async_context(process(settings, folder / "a"))
        second = first
        if not settings.url.startswith("sqlite"):
            second = await stack.enter_async_context(process(settings, folder / "b"))
        yield first, second


async def test_guarantee_1_what_is_accepted_is_stored(
    settings: Settings, actors: Actors, tmp_path: Path
) -> None:
    submitter, counter = await actors.client("submitter"), await actors.client("checkpoint")
    body, key = urgent_body(), uuid4().hex
    async with process(settings, tmp_path) as service:
        post = service.http.post("/v1/urgent-entries", json=body, headers=submitter.once(key))
        first = expect(await post, 201)
        service.kill()
    async with process(settings, tmp_path) as service:
        post = service.http.post("/v1/urgent-entries", json=body, headers=submitter.once(key))
        assert expect(await post, 201) == first
        other = await service.http.post("/v1/urgent-entries", json=urgent_body(), headers=submitter.once(key))
        assert other.status_code == 422
        [alert] = expect(await service.http.get("/v1/alerts", headers=counter.headers), 200)["items"]
        assert (alert["id"], alert["sequence"]) == (first["alert"]["id"], first["alert"]["sequence"])


async def test_guarantee_2_each_recipient_gets_it_at_least_once_until_it_is_cancelled(
    served: Served, actors: Actors
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    counter = await actors.client("checkpoint")
    raised = await sound(served.http, submitter)
    cursors = []
    for _ in range(2):  # a line that breaks before the receipt: again, under the same id
        async with listening(served.http, counter.headers) as stream:
            event = await stream.next("alert")
            assert event.json["id"] == raised["alert"]["id"]
            cursors.append(event.id)
    await decide(served.http, duty, raised["entry"], "reject", "The letter is not the prosecutor's.")
    resumed = {**counter.headers, "Last-Event-ID": str(cursors[0])}
    async with listening(served.http, resumed) as stream:
        [cancel] = await alerts_of(stream, 1)
    assert (cancel["kind"], cancel["refers_to"]) == ("cancel", raised["alert"]["id"])
    async with listening(served.http, counter.headers) as stream:
        assert (await stream.next()).name == "heartbeat"  # nothing holds any more


async def test_guarantee_3_all_processes_bring_alerts_in_the_order_of_the_ledger(
    settings: Settings, actors: Actors, tmp_path: Path
) -> None:
    submitter = await actors.client("submitter")
    callers = [await actors.client("checkpoint", checkpoint=code) for code in ("CGK", "DPS")]
    async with (
        two_processes(settings, tmp_path) as services,
        listening(services[0].http, callers[0].headers) as here,
        listening(services[1].http, callers[1].headers) as there,
    ):
        posted = [sound(services[i % 2].http, submitter) for i in range(12)]
        raised = await asyncio.gather(*posted)
        orders = [[each["sequence"] for each in await alerts_of(stream, 12)] for stream in (here, there)]
    assert orders[0] == orders[1] == sorted(each["alert"]["sequence"] for each in raised)


async def test_guarantee_4_a_missed_alert_is_noticed_by_its_reader(
    served: Served, actors: Actors, counter: Caller
) -> None:
    submitter = await actors.client("submitter")
    raised = [(await sound(served.http, submitter))["alert"] for _ in range(3)]
    page = expect(await served.http.get("/v1/alerts", headers=counter.headers), 200)
    chain = [each["previous_sequence"] for each in page["items"]]
    assert chain[1:] == [each["sequence"] for each in raised[:2]]
    assert page["last_alert"] == raised[-1]["sequence"]
    async with listening(served.http, counter.headers) as stream:
        beat = (await stream.next("heartbeat", within=30)).json
    assert beat["last_alert"] == raised[-1]["sequence"]
    assert beat["head"] >= beat["last_alert"]


async def test_guarantee_5_alerts_are_read_again_by_cursor_or_refused_never_cut_short(
    served: Served, actors: Actors, clock: SettableClock, counter: Caller
) -> None:
    submitter = await actors.client("submitter")
    start = expect(await served.http.get("/v1/alerts", headers=counter.headers), 200)["cursor"]
    ids = [(await sound(served.http, submitter))["alert"]["id"] for _ in range(3)]
    clock.advance(days=90)
    read = await served.http.get("/v1/alerts", params={"after": start}, headers=counter.headers)
    kept = [each["id"] for each in expect(read, 200)["items"] if each["kind"] == "raise"]
    assert kept == ids
    epoch, _, _ = start.rpartition(".")
    for gone in (f"{epoch}.999999", "another-epoch.1"):
        answer = await served.http.get("/v1/alerts", params={"after": gone}, headers=counter.headers)
        assert answer.status_code == 410, gone


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


async def test_guarantee_6_machine_and_person_acknowledge_or_others_are_paged(
    settings: Settings, actors: Actors, tmp_path: Path, inbox: Inbox
) -> None:
    submitter, admin = await actors.client("submitter"), await actors.client("admin")
    counter = await actors.client("checkpoint")
    contact = {"channel": "command", "when": "always"}
    steps = [
        {"level": level, "contacts": [{**contact, "address": address}], "wait_seconds": 10}
        for level, address in (("checkpoint", "+6281"), ("supervisor", "+6282"), ("region", "+6283"))
    ]
    clock = tmp_path / "clock"
    async with process(settings, tmp_path, page_command=str(inbox.command)) as service:
        policy = service.http.put(
            "/v1/checkpoints/CGK/escalation", json={"steps": steps}, headers=admin.on('"0"')
        )
        expect(await policy, 200)
        alert = (await sound(service.http, submitter))["alert"]
        path = f"/v1/alerts/{alert['id']}/receipts"

        async def paged(after: float, count: int) -> list[str]:
            """The addresses that were paged, once so many were, when so many seconds have passed."""
            clock.write_text((MORNING + timedelta(seconds=after)).isoformat())
            async with asyncio.timeout(20):
                while len(inbox.addresses()) < count:  # noqa: ASYNC110 - another process writes them
                    await asyncio.sleep(0.05)
            return inbox.addresses()

        assert await paged(6, 1) == ["+6281"]
        expect(await service.http.post(path, json={"level": "received"}, headers=counter.headers), 201)
        assert await paged(61, 2) == ["+6281", "+6282"]
        assert await paged(72, 3) == ["+6281", "+6282", "+6283"]
        expect(await service.http.post(path, json={"level": "acknowledged"}, headers=counter.headers), 201)
        clock.write_text((MORNING + timedelta(hours=5)).isoformat())
        await asyncio.sleep(3)
        assert len(inbox.addresses()) == 3


async def test_guarantee_7_what_was_not_delivered_is_seen(
    served: Served, actors: Actors, clock: SettableClock, counter: Caller
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    alert = (await sound(served.http, submitter))["alert"]
    path = f"/v1/alerts/{alert['id']}/coverage"
    seen = expect(await served.http.get(path, headers=submitter.headers), 200)
    assert (seen["received"], len(seen["unreached"])) == (0, alert["recipients"])
    assert {each["line"] for each in seen["checkpoints"]} == {"down"}
    clock.advance(seconds=60)
    async with asyncio.timeout(20):
        while not (told := await notices(served.http, duty, "unacknowledged")):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    assert "CGK" in told[0]["checkpoints"]


@pytest.mark.settings(daily_drill=True)
async def test_guarantee_8_a_dead_way_is_seen_before_it_is_needed(
    served: Served, actors: Actors, clock: SettableClock, settings: Settings
) -> None:
    counter, duty = await actors.client("checkpoint"), await actors.client("duty_officer")
    submitter = await actors.client("submitter")
    alert = (await sound(served.http, submitter))["alert"]
    path = f"/v1/alerts/{alert['id']}/coverage"

    async def line() -> str:
        seen = expect(await served.http.get(path, headers=submitter.headers), 200)
        return str(next(each["line"] for each in seen["checkpoints"] if each["code"] == "CGK"))

    async with listening(served.http, counter.headers) as stream:
        await stream.next("alert")
        assert await line() == "connected"
    process_of_it = served.app.state.process
    async with asyncio.timeout(20):
        while process_of_it.hub.checkpoints(0) or await line() == "connected":
            clock.advance(seconds=settings.presence_seconds / 3)
            await asyncio.sleep(0.2)
    assert await line() in {"late", "down"}
    clock.advance(minutes=3)
    assert await line() == "down"
    clock.advance(days=1)
    period = {"first": "2026-11-24", "last": "2026-11-24"}
    async with asyncio.timeout(90):
        while True:
            drills = expect(await served.http.get("/v1/drills", params=period, headers=duty.headers), 200)
            if drills["items"]:
                break
            await asyncio.sleep(0.2)
    assert drills["items"][0]["unreceived"] == ["CGK"]


async def test_guarantee_8_the_watchdogs_silence_is_the_alarm(
    settings: Settings, actors: Actors, tmp_path: Path
) -> None:
    await actors.client("checkpoint")
    async with receiving() as receiver, process(settings, tmp_path, watchdog_url=receiver.url) as service:
        async with asyncio.timeout(20):
            while not receiver.taken:  # noqa: ASYNC110 - another process reports
                await asyncio.sleep(0.05)
        assert receiver.taken[0].event.keys() == {"head", "epoch", "at"}
        service.kill()
        assert len(receiver.taken) == 1
