"""The failures of docs/operation.md, "What may fail", that clients and receivers bring about or live through."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import httpx2
import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.alerting.streams.framing import EVENTS
from app.runtime import Runtime
from app.sync.webhooks import dispatcher
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.erasure import PERSON
from tests.support.receivers import Receiver, Taken, receiving
from tests.support.relay import relay_to
from tests.support.served import Served, client_for
from tests.support.sse import listening
from tests.support.steps import Json, expect, impose, sound
from tests.support.waiting import until, until_answered
from tests.support.webhooks import ALERTS, LOOPBACK, deliveries, dispatching, subscribe

pytestmark = pytest.mark.settings(webhook_networks=LOOPBACK)

STREAMS = 100
"""Clients of a storm."""


async def notices(http: httpx2.AsyncClient, by: Caller) -> list[str]:
    """The names of an officer's notices."""
    page = expect(await http.get("/v1/notices", headers=by.headers), 200)
    return [each["name"] for each in page["items"]]


def came(receiver: Receiver, number: int) -> bool:
    """Whether a receiver has taken so many requests."""
    return len(receiver.taken) == number


async def alerts_behind(http: httpx2.AsyncClient, by: Caller, cursor: str) -> list[Json]:
    page = expect(await http.get("/v1/alerts", params={"after": cursor}, headers=by.headers), 200)
    items: list[Json] = page["items"]
    return items


async def test_client_away_for_days(
    served: Served, actors: Actors, clock: SettableClock, counter: Caller
) -> None:
    http, owner = served.http, await actors.client("submitter")
    duty = await actors.client("duty_officer")
    async with listening(http, counter.headers) as stream:
        await sound(http, owner)
        seen = await stream.next("alert")
    bodies = [urgent_body() for _ in range(2)]
    missed = [(await sound(http, owner, body))["alert"]["id"] for body in bodies]
    clock.advance(seconds=61)

    async def escalated() -> bool:
        return "unacknowledged" in await notices(http, duty)

    async def ended() -> bool:
        return len(await alerts_behind(http, counter, str(seen.id))) == 5

    await until_answered(escalated)
    clock.advance(days=3)  # all three have lapsed
    await until_answered(ended)
    async with listening(http, counter.headers, last_event_id=seen.id) as stream:
        events = [await stream.next("alert") for _ in range(5)]
    assert [each.json["id"] for each in events[:2]] == missed
    assert [(each.json["kind"], each.json["action"]) for each in events[2:]] == [("cancel", "release")] * 3
    assert [each.json["previous_sequence"] for each in events[1:]] == [
        each.json["sequence"] for each in events[:-1]
    ]
    names = [body["subject"]["full_name"] for body in bodies]
    assert [each.data for each in events if any(name in each.data for name in names)] == []


@PERSON
async def test_client_away_longer_than_retention(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock
) -> None:
    integrator, auditor = await actors.client("integrator"), await actors.client("auditor")
    before = expect(await http.get("/v1/changes", headers=integrator.headers), 200)["cursor"]
    await impose(http, actors, entry_body(ends_on="2026-11-30"))
    clock.advance(days=300)
    await worker.end_by_law()
    assert await worker.retain() > 0
    for by in (integrator, auditor):
        page = expect(
            await http.get("/v1/changes", params={"after": before, "limit": 500}, headers=by.headers), 200
        )
        numbers = [each["sequence"] for each in page["items"]]
        first = int(before.rpartition(".")[2]) + 1
        assert numbers == list(range(first, page["head"] + 1))
        about = {each["leaf"]["type"]: each["withheld"] for each in page["items"]}
        assert about == {"entry.listed": "erased", "entry.ended": "erased", "entry.erased": None}


async def test_duplicates(http: httpx2.AsyncClient, actors: Actors, counter: Caller) -> None:
    once, body = (await actors.client("submitter")).once(uuid4().hex), urgent_body()
    answers = [await http.post("/v1/urgent-entries", json=body, headers=once) for _ in range(3)]
    first, *repeats = [expect(each, 201) for each in answers]
    assert repeats == [first] * 2
    other = await http.post("/v1/urgent-entries", json=urgent_body(), headers=once)
    assert expect(other, 422)["type"] == "/problems/idempotency-mismatch"
    [alert] = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
    assert alert["id"] == first["alert"]["id"]
    path = f"/v1/alerts/{alert['id']}/receipts"
    receipts = [await http.post(path, json={"level": "received"}, headers=counter.headers) for _ in range(3)]
    assert [each.status_code for each in receipts] == [201, 200, 200]
    assert len({each.json()["at"] for each in receipts}) == 1


@asynccontextmanager
async def dribbling() -> AsyncIterator[Receiver]:
    """A receiver that answers byte by byte, and so slowly that its answer never ends."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            for each in b"HTTP/1.1 204 No Content\r\n" + b"X: y\r\n" * 1000:
                writer.write(bytes([each]))
                await writer.drain()
                await asyncio.sleep(0.05)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield Receiver(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook")


async def test_dead_webhook_endpoint(
    served: Served, actors: Actors, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "ALERT_SECONDS", 3.0)
    http, owner = served.http, await actors.client("submitter")
    admin = await actors.client("admin")
    async with receiving() as live, receiving() as failing, receiving() as hanging, dribbling() as slow:
        failing.status = 500
        hanging.hold.clear()
        await subscribe(http, await actors.client("checkpoint"), live, events=ALERTS)
        dead = []
        for receiver in (failing, hanging, slow):
            by = await actors.client("checkpoint", checkpoint="DPS")
            dead.append((by, await subscribe(http, by, receiver, events=ALERTS)))
        for taken in range(5):
            await sound(http, owner)
            await until(partial(came, live, taken + 1), within=2)

        async def all_fail() -> bool:
            paths = [(f"/v1/webhook-endpoints/{each['id']}", by.headers) for by, each in dead]
            now = [expect(await http.get(path, headers=headers), 200) for path, headers in paths]
            return all(each["failures"] >= 2 for each in now)

        async def admins_know() -> bool:
            return "webhook_failing" in await notices(http, admin)

        await until_answered(all_fail)
        why = [(await deliveries(http, by, each))[0]["log"][-1] for by, each in dead]
        late = "There was no answer in time."
        assert [(each["status"], each["error"]) for each in why] == [(500, None), (None, late), (None, late)]
        clock.advance(hours=2)
        hanging.hold.set()
        await until_answered(admins_know)


async def test_client_clock_skew(
    served: Served, actors: Actors, clock: SettableClock, counter: Caller
) -> None:
    clock.set(datetime.now(UTC) - timedelta(minutes=6))  # the receiver's, as it were, is fast
    http = served.http
    async with receiving() as receiver, listening(http, counter.headers) as stream:
        endpoint = await subscribe(http, counter, receiver, events=ALERTS)
        verifier = Webhook(endpoint["secret"])

        def judged(taken: Taken) -> int:
            try:
                verifier.verify(taken.body, {name.lower(): text for name, text in taken.headers.items()})
            except WebhookVerificationError:
                return 401
            return 204

        receiver.status = judged
        expect(await http.post(f"/v1/webhook-endpoints/{endpoint['id']}/test", headers=counter.headers), 202)

        def attempted(*statuses: int) -> Callable[[], Awaitable[bool]]:
            async def holds() -> bool:
                [each] = await deliveries(http, counter, endpoint)
                return [attempt["status"] for attempt in each["log"]] == list(statuses)

            return holds

        await until_answered(attempted(401))
        beat = (await stream.next("heartbeat", within=20)).json
        assert datetime.fromisoformat(beat["at"]) < datetime.now(UTC) - timedelta(minutes=5)
        clock.set(datetime.now(UTC))
        await until_answered(attempted(204, 401))


async def test_poisoned_event(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock
) -> None:
    owner, integrator = await actors.client("submitter"), await actors.client("integrator")
    async with receiving() as receiver, dispatching(runtime) as hand:
        endpoint = await subscribe(http, integrator, receiver, events=["entry.provisional"])
        entries = [(await sound(http, owner))["entry"]["id"] for _ in range(3)]

        def refuses(taken: Taken) -> int:
            return 500 if taken.event["subject"] == entries[0] else 204

        receiver.status = refuses
        await hand.settle()
        assert {each.event["subject"] for each in receiver.taken} == set(entries)
        for seconds in (6, 360, 2200, 8700, 22_000, 44_000):
            clock.advance(seconds=seconds)
            await hand.settle()
        [poisoned] = await deliveries(http, integrator, endpoint, state="due")
        assert poisoned["attempts"] >= 5
        clock.advance(seconds=31)  # the breaker has opened, and lets one probe through
        later = (await sound(http, owner))["entry"]["id"]
        await hand.settle()
        assert later in [each.event["subject"] for each in receiver.taken]
        for _ in range(6):
            clock.advance(days=2)
            await hand.settle()
        [dead] = await deliveries(http, integrator, endpoint, state="exhausted")
        assert dead["message_id"] == poisoned["message_id"]
        receiver.status = 204
        expect(await http.post(f"/v1/deliveries/{dead['id']}/retry", headers=integrator.headers), 202)
        await hand.settle()
        assert await deliveries(http, integrator, endpoint, state="exhausted") == []


async def test_reconnect_storm(served: Served, actors: Actors) -> None:
    owner, gateway = await actors.client("submitter"), await actors.client("checkpoint", gateway=True)
    lost, mended = asyncio.Event(), asyncio.Event()
    ready = asyncio.Semaphore(0)

    async def one(http: httpx2.AsyncClient) -> list[str]:
        async with listening(http, gateway.headers, promised=False) as stream:
            last = (await stream.next("heartbeat")).id
            ready.release()
            await lost.wait()
        await mended.wait()
        async with listening(http, gateway.headers, last_event_id=last, promised=False) as stream:
            return [(await stream.next("alert", within=30)).json["id"] for _ in range(3)]

    async with relay_to(served.port) as line, client_for(line.url) as http, asyncio.TaskGroup() as group:
        clients = [group.create_task(one(http)) for _ in range(STREAMS)]
        for _ in clients:
            await ready.acquire()
        line.cut()
        lost.set()
        raised = [(await sound(served.http, owner))["alert"]["id"] for _ in range(3)]
        line.target = served.port
        mended.set()
    assert [each.result() for each in clients] == [raised] * STREAMS
    pauses = {int(EVENTS.opening().removeprefix(b"retry: ")) for _ in range(STREAMS)}
    assert len(pauses) > STREAMS / 2
    assert 1000 <= min(pauses) <= max(pauses) <= 5000
