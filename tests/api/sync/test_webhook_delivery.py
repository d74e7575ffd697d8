"""How deliveries of webhooks fail, are tried again, and end (API section 7)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select

from app.access.domain import SYSTEM, Standing
from app.access.store import set_client_standing
from app.ledger import service as ledger
from app.runtime import Runtime
from app.sync.webhooks import store, tables
from app.sync.webhooks.domain import TEST_TYPE, DeliveryState, DisabledReason, Priority
from app.sync.webhooks.planning import of_endpoint
from app.sync.webhooks.queue import claim, disable
from app.sync.webhooks.service import erase_of_entry
from tests.support.actors import Actors, Caller
from tests.support.bodies import urgent_body
from tests.support.clock import SettableClock
from tests.support.interleaving import act_after
from tests.support.receivers import Receiver, receiving
from tests.support.steps import Json, decide, expect, impose, sound
from tests.support.waiting import until
from tests.support.webhooks import ALERTS, ENTRIES, LOOPBACK, Hand, deliveries, dispatching, subscribe

pytestmark = pytest.mark.settings(webhook_networks=LOOPBACK)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


@pytest.fixture
async def hand(runtime: Runtime) -> AsyncIterator[Hand]:
    async with dispatching(runtime) as opened:
        yield opened


@pytest.fixture
async def integrator(actors: Actors) -> Caller:
    return await actors.client("integrator")


async def ask_for_test(http: httpx2.AsyncClient, by: Caller, endpoint: Json) -> Json:
    """The delivery of a test."""
    path = f"/v1/webhook-endpoints/{endpoint['id']}/test"
    return expect(await http.post(path, headers=by.headers), 202)


async def read(http: httpx2.AsyncClient, by: Caller, endpoint: Json) -> Json:
    """An endpoint as it is now."""
    return expect(await http.get(f"/v1/webhook-endpoints/{endpoint['id']}", headers=by.headers), 200)


@pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("ended", ["client", "disabled", "deleted"])
async def test_nothing_is_sent_to_an_endpoint_that_ends_while_its_deliveries_are_claimed(
    http: httpx2.AsyncClient,
    runtime: Runtime,
    hand: Hand,
    receiver: Receiver,
    integrator: Caller,
    monkeypatch: pytest.MonkeyPatch,
    ended: str,
) -> None:
    """Each statement sees what was committed before it; on SQLite one writer runs at a time."""
    endpoint = await subscribe(http, integrator, receiver)
    asked = await ask_for_test(http, integrator, endpoint)

    async def end() -> None:
        async with runtime.writing(SYSTEM) as unit:
            if ended == "client":
                await set_client_standing(unit, integrator.id, Standing.SUSPENDED)
            elif ended == "disabled":
                await disable(unit, endpoint["id"], DisabledReason.OPERATOR)
            else:
                await store.hide_endpoint(unit, endpoint["id"])

    chosen = act_after(monkeypatch, "random()", end)
    async with runtime.writing(SYSTEM) as unit:
        assert await claim(unit, Priority.ORDINARY, 5) == []
    assert len(chosen) == 1
    await hand.settle()
    assert receiver.taken == []
    async with runtime.reading(SYSTEM) as reader:
        row = (await reader.run(select(tables.delivery).where(tables.delivery.c.id == asked["id"]))).one()
    assert (row.state, row.attempts, row.lease_until) == (DeliveryState.DUE, 0, None)


async def alert(http: httpx2.AsyncClient, actors: Actors) -> Json:
    """An urgent entry and its alert."""
    return await sound(http, await actors.client("submitter"), urgent_body())


async def test_a_failed_delivery_is_tried_again_with_the_same_id_and_a_time_of_its_own(
    http: httpx2.AsyncClient, clock: SettableClock, hand: Hand, receiver: Receiver, integrator: Caller
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    receiver.status, receiver.text = 500, "out of order, whsec_AAAAAAAAAAAAAAAA"
    await ask_for_test(http, integrator, endpoint)
    await hand.settle()
    clock.advance(seconds=3)
    await hand.settle()
    assert len(receiver.taken) == 1, "five seconds are not over"
    receiver.status = 200
    clock.advance(seconds=4)
    await hand.settle()
    first, second = receiver.taken
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 7
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    [delivery] = await deliveries(http, integrator, endpoint)
    assert (delivery["state"], delivery["attempts"], delivery["due_at"]) == ("delivered", 2, None)
    assert [(each["number"], each["status"], each["error"]) for each in delivery["log"]] == [
        (2, 200, None),
        (1, 500, None),
    ]
    assert delivery["log"][1]["answer"] == "out of order, [redacted]"


async def test_after_the_last_attempt_it_is_a_dead_letter_until_it_is_retried(
    http: httpx2.AsyncClient, clock: SettableClock, hand: Hand, receiver: Receiver, integrator: Caller
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    receiver.status = 503
    asked = await ask_for_test(http, integrator, endpoint)
    for seconds in (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400, 10**5):
        clock.advance(seconds=1.2 * seconds)
        await hand.settle()
    assert len(receiver.taken) == 10, "those of the schedule of Standard Webhooks"
    [dead] = await deliveries(http, integrator, endpoint, state="exhausted")
    assert (dead["id"], dead["attempts"]) == (asked["id"], 10)
    assert await deliveries(http, integrator, endpoint, state="due") == []

    receiver.status = 200
    again = expect(await http.post(f"/v1/deliveries/{dead['id']}/retry", headers=integrator.headers), 202)
    assert (again["state"], again["message_id"]) == ("due", dead["message_id"])
    expect(await http.post(f"/v1/deliveries/{dead['id']}/retry", headers=integrator.headers), 409)
    await hand.settle()
    assert receiver.taken[10].headers["webhook-id"] == dead["message_id"]
    delivered = await deliveries(http, integrator, endpoint, state="delivered")
    assert dead["id"] in [each["id"] for each in delivered]


@pytest.mark.parametrize(
    ("asked", "least", "most"), [("40", 40, 41), ("86400", 60, 61), ("1", 4, 7), ("soon", 4, 7)]
)
async def test_retry_after_lengthens_the_delay_within_bounds(
    http: httpx2.AsyncClient,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    integrator: Caller,
    asked: str,
    least: int,
    most: int,
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    receiver.status, receiver.headers = 429, {"Retry-After": asked}
    await ask_for_test(http, integrator, endpoint)
    await hand.settle()
    for passed, attempts in ((least - 1, 1), (most, 2)):
        clock.at = clock.at.replace(minute=0, second=0) + timedelta(seconds=passed)
        await hand.settle()
        assert len(receiver.taken) == attempts


async def test_a_redirect_is_a_failure_and_not_followed(
    http: httpx2.AsyncClient, hand: Hand, receiver: Receiver, integrator: Caller
) -> None:
    async with receiving() as elsewhere:
        endpoint = await subscribe(http, integrator, receiver)
        receiver.status, receiver.headers = 307, {"Location": elsewhere.url}
        await ask_for_test(http, integrator, endpoint)
        await hand.settle()
        assert elsewhere.taken == []
    [delivery] = await deliveries(http, integrator, endpoint)
    assert (delivery["state"], delivery["log"][0]["status"]) == ("due", 307)


async def test_a_receiver_that_is_gone_disables_an_integrators_endpoint_and_the_admins_are_notified(
    http: httpx2.AsyncClient,
    actors: Actors,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    integrator: Caller,
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    receiver.status = 410
    await ask_for_test(http, integrator, endpoint)
    await hand.settle()
    now = await read(http, integrator, endpoint)
    assert (now["state"], now["disabled_reason"]) == ("disabled", "gone")
    admin = await actors.client("admin")
    [notice] = expect(await http.get("/v1/notices", headers=admin.headers), 200)["items"]
    assert (notice["name"], notice["endpoint_id"], notice["client_id"], notice["reason"]) == (
        "webhook_disabled",
        endpoint["id"],
        integrator.id,
        "gone",
    )
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    expect(await http.post(f"{path}/test", headers=integrator.headers), 409)
    await impose(http, actors)
    await hand.settle()
    assert len(receiver.taken) == 1, "nothing is sent while it is disabled"

    receiver.status = 200
    tag = (await http.get(path, headers=integrator.headers)).headers["ETag"]
    expect(
        await http.put(path, json={"url": receiver.url, "events": ENTRIES}, headers=integrator.on(tag)), 200
    )
    clock.advance(seconds=10)
    await hand.settle()
    assert sorted(receiver.types[1:]) == ["endpoint.test", "entry.listed"], "what it missed comes then"


async def test_a_checkpoints_endpoint_is_never_disabled(
    http: httpx2.AsyncClient,
    actors: Actors,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    counter: Caller,
) -> None:
    endpoint = await subscribe(http, counter, receiver, events=ALERTS)
    receiver.status = 410
    await alert(http, actors)
    for _ in range(8):
        await hand.settle()
        clock.advance(days=1)
    now = await read(http, counter, endpoint)
    assert (now["state"], now["failures"]) == ("active", 8)
    [delivery] = await deliveries(http, counter, endpoint)
    assert delivery["state"] == "due"


async def test_admins_are_notified_after_an_hour_of_failures_once_and_integrators_are_disabled_after_five_days(
    http: httpx2.AsyncClient,
    actors: Actors,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    integrator: Caller,
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    admin = await actors.client("admin")
    receiver.status = 500

    async def notices() -> list[str]:
        return [
            each["name"]
            for each in expect(await http.get("/v1/notices", headers=admin.headers), 200)["items"]
        ]

    async def fail_for(**length: float) -> None:
        clock.advance(**length)
        await ask_for_test(http, integrator, endpoint)
        await hand.settle()

    await fail_for(seconds=0)
    await fail_for(minutes=59)
    assert await notices() == []
    await fail_for(minutes=2)
    await fail_for(hours=5)
    assert await notices() == ["webhook_failing"]
    await fail_for(days=4)
    assert (await read(http, integrator, endpoint))["state"] == "active"
    await fail_for(days=1)
    assert (await read(http, integrator, endpoint))["disabled_reason"] == "failing"
    assert await notices() == ["webhook_failing", "webhook_disabled"]


async def test_an_open_breaker_lets_one_probe_through_each_half_minute_with_the_oldest_delivery(
    http: httpx2.AsyncClient,
    actors: Actors,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    integrator: Caller,
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    receiver.status = 500
    for _ in range(8):
        await ask_for_test(http, integrator, endpoint)
        clock.advance(seconds=1)
    await hand.settle()
    assert len(receiver.taken) == 5, "then it opens"
    clock.advance(seconds=29)
    await hand.settle()
    assert len(receiver.taken) == 5
    clock.advance(seconds=1)
    await hand.settle()
    assert len(receiver.taken) == 6
    listed = await deliveries(http, integrator, endpoint)
    probed = receiver.taken[5].headers["webhook-id"]
    assert probed == listed[5]["message_id"], "the one that had been due for longest"
    assert (await read(http, integrator, endpoint))["failures"] == 6

    receiver.status = 200
    clock.advance(seconds=60)
    await hand.settle()
    assert {each["state"] for each in await deliveries(http, integrator, endpoint)} == {"delivered"}
    assert receiver.types.count("endpoint.recovered") == 1
    recovered = next(each.event for each in receiver.taken if each.event["type"] == "endpoint.recovered")
    assert recovered["data"]["failures"] == 6
    assert recovered["data"]["failing_since"] is not None
    assert (await read(http, integrator, endpoint))["failing_since"] is None


async def test_a_dead_endpoint_delays_no_other(
    http: httpx2.AsyncClient, actors: Actors, hand: Hand, receiver: Receiver, integrator: Caller
) -> None:
    async with AsyncExitStack() as stack:
        dead = await stack.enter_async_context(receiving())
        others = [await stack.enter_async_context(receiving()) for _ in range(5)]
        dead.hold.clear()
        for each in (dead, *others):
            await subscribe(http, integrator, each, events=[*ENTRIES, *ALERTS])
        for _ in range(3):
            await alert(http, actors)
            await impose(http, actors)
        expected = ["alert.raised", "entry.listed", "entry.provisional"] * 3

        async def all_have_it() -> None:
            while any(len(each.taken) < 9 for each in others):
                await hand.begin()
                await asyncio.sleep(0.01)

        await asyncio.wait_for(all_have_it(), 10)
        assert all(sorted(each.types) == sorted(expected) for each in others)
        assert len(dead.taken) <= 2, "at most two at once"
        assert dead.most_at_once <= 2
        dead.hold.set()
        await hand.settle()


async def test_a_first_attempt_of_an_alert_waits_for_no_data_of_its_endpoint(
    http: httpx2.AsyncClient,
    actors: Actors,
    hand: Hand,
    receiver: Receiver,
    counter: Caller,
    integrator: Caller,
) -> None:
    both = await actors.client(["integrator", "checkpoint"], agency="KPK")
    await subscribe(http, both, receiver, events=[*ENTRIES, *ALERTS])
    receiver.hold.clear()
    for _ in range(3):
        await impose(http, actors)
    await hand.begin()
    await until(lambda: receiver.at_once == 1)
    await alert(http, actors)
    await hand.begin()
    await until(lambda: receiver.at_once == 2)
    await asyncio.sleep(0.05)
    assert receiver.types == ["entry.listed", "alert.raised"], "of data one at a time, beside it an alert"
    receiver.hold.set()
    await hand.settle()
    assert receiver.most_at_once == 2


async def test_the_retries_of_an_alert_follow_their_own_schedule_until_it_is_cancelled(
    http: httpx2.AsyncClient,
    actors: Actors,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    counter: Caller,
) -> None:
    endpoint = await subscribe(http, counter, receiver, events=["alert.raised", "alert.cancelled"])
    receiver.status = 500
    raised = await alert(http, actors)
    await hand.settle()
    for passed in (2.5, 6.1, 12.1, 24.1):
        clock.advance(seconds=passed)
        await hand.settle()
    assert len(receiver.taken) == 5
    await decide(http, await actors.client("duty_officer"), raised["entry"], "reject", "A mistake.")
    receiver.status = 200
    clock.advance(seconds=37)
    await hand.settle()
    assert receiver.types[5:] == ["alert.cancelled", "endpoint.recovered"]
    states = {each["type"]: each["state"] for each in await deliveries(http, counter, endpoint)}
    assert states["alert.raised"] == "dropped"


async def test_an_alert_that_a_checkpoint_has_received_by_another_way_is_not_sent_again(
    http: httpx2.AsyncClient,
    actors: Actors,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    counter: Caller,
) -> None:
    endpoint = await subscribe(http, counter, receiver, events=ALERTS)
    receiver.status = 500
    raised = await alert(http, actors)
    await hand.settle()
    path = f"/v1/alerts/{raised['alert']['id']}/receipts"
    expect(await http.post(path, json={"level": "received"}, headers=counter.headers), 201)
    clock.advance(seconds=10)
    await hand.settle()
    assert len(receiver.taken) == 1
    [delivery] = await deliveries(http, counter, endpoint)
    assert delivery["state"] == "dropped"


async def test_after_a_crash_between_request_and_result_it_is_sent_again_when_the_lease_is_over(
    http: httpx2.AsyncClient, runtime: Runtime, clock: SettableClock, receiver: Receiver, integrator: Caller
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    asked = await ask_for_test(http, integrator, endpoint)
    receiver.hold.clear()
    async with dispatching(runtime) as first:
        await first.begin()
        await until(lambda: receiver.at_once == 1)
    receiver.hold.set()
    async with dispatching(runtime) as second:
        clock.advance(seconds=29)
        await second.settle()
        assert len(receiver.taken) == 1, "it belongs to the first process still"
        clock.advance(seconds=1)
        await second.settle()
    assert [each.headers["webhook-id"] for each in receiver.taken] == [asked["message_id"]] * 2
    [delivery] = await deliveries(http, integrator, endpoint)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)
    assert [each["number"] for each in delivery["log"]] == [2], "what came of the first nobody knows"


async def test_an_alert_that_is_under_way_is_claimed_by_nobody_else(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    hand: Hand,
    receiver: Receiver,
    counter: Caller,
) -> None:
    await subscribe(http, counter, receiver, events=ALERTS)
    receiver.hold.clear()
    await alert(http, actors)
    await hand.begin()
    await until(lambda: receiver.at_once == 1)
    async with dispatching(runtime) as other:
        await other.begin()
        assert other.flying == 0
    assert hand.flying == 1
    receiver.hold.set()
    await hand.settle()
    assert len(receiver.taken) == 1


async def test_two_processes_never_send_a_delivery_at_the_same_time(
    http: httpx2.AsyncClient,
    processes: list[Runtime],
    runtime: Runtime,
    receiver: Receiver,
    integrator: Caller,
) -> None:
    endpoints = [await subscribe(http, integrator, receiver) for _ in range(3)]
    for endpoint in endpoints:
        for _ in range(4):
            await ask_for_test(http, integrator, endpoint)
    for each in processes:
        each.pepper = runtime.pepper
    async with AsyncExitStack() as stack:
        hands = [await stack.enter_async_context(dispatching(each)) for each in processes]
        await asyncio.gather(*(each.settle() for each in hands))
        await asyncio.gather(*(each.settle() for each in hands))
    sent = [each.headers["webhook-id"] for each in receiver.taken]
    assert len(sent) == len(set(sent)) == 12
    assert receiver.most_at_once <= 3, "of each endpoint's data one at a time, whoever sends it"


async def test_an_ordered_endpoint_gets_the_records_of_an_entry_one_after_the_other(
    http: httpx2.AsyncClient,
    actors: Actors,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    integrator: Caller,
) -> None:
    await subscribe(http, integrator, receiver, ordered=True)
    raised = await alert(http, actors)
    receiver.status = 500
    await hand.settle()
    await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")
    other = await impose(http, actors)
    receiver.status = 200
    await hand.settle()
    assert receiver.types == ["entry.provisional", "entry.listed"], "other entries do not wait"
    assert receiver.taken[-1].event["subject"] == other["id"]
    clock.advance(seconds=10)
    await hand.settle()
    assert receiver.types[2:] == ["entry.provisional", "entry.countersigned"]


async def test_what_a_receiver_sent_back_is_erased_with_the_entry(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    hand: Hand,
    receiver: Receiver,
    integrator: Caller,
) -> None:
    entry = await impose(http, actors)
    receiver.status, receiver.text = 200, entry["subject"]["full_name"]
    endpoint = await subscribe(http, integrator, receiver)
    path = f"/v1/webhook-endpoints/{endpoint['id']}/replay"
    told = expect(await http.get("/v1/changes", headers=integrator.headers), 200)
    start = told["cursor"].rpartition(".")[0] + ".0"
    expect(await http.post(path, json={"after": start}, headers=integrator.headers), 202)
    await hand.settle()
    [delivery] = await deliveries(http, integrator, endpoint)
    assert delivery["log"][0]["answer"] == entry["subject"]["full_name"]
    async with runtime.reading(SYSTEM) as reader:
        rows = [
            str(row)
            for table in (tables.delivery, tables.endpoint)
            for row in await reader.run(select(table))
        ]
    assert rows
    assert not [row for row in rows if entry["subject"]["full_name"] in row]

    async with runtime.writing(SYSTEM) as unit:
        await erase_of_entry(unit, entry["id"])
    [delivery] = await deliveries(http, integrator, endpoint)
    assert delivery["log"][0]["answer"] is None
    assert delivery["log"][0]["status"] == 200


async def test_what_a_receiver_sends_back_after_the_erasure_is_not_stored(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    hand: Hand,
    receiver: Receiver,
    integrator: Caller,
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    gone, kept = [await impose(http, actors) for _ in range(2)]
    receiver.status, receiver.text = 500, gone["subject"]["full_name"]
    receiver.hold.clear()
    await hand.begin()
    await until(lambda: receiver.at_once > 0)
    async with runtime.writing(SYSTEM) as unit:
        await ledger.erase_of_entry(unit, gone["id"])
        await erase_of_entry(unit, gone["id"])
    receiver.hold.set()
    await hand.settle()
    answers = {
        each["entry_id"]: each["log"][0]["answer"] for each in await deliveries(http, integrator, endpoint)
    }
    assert answers == {gone["id"]: None, kept["id"]: gone["subject"]["full_name"]}


async def test_a_delivery_that_is_retried_while_old_ones_are_deleted_stays(
    http: httpx2.AsyncClient,
    runtime: Runtime,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    integrator: Caller,
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    asked = await ask_for_test(http, integrator, endpoint)
    await hand.settle()
    clock.advance(days=31)

    async def delete_old() -> None:
        async with runtime.writing(SYSTEM) as unit:
            await store.forget_finished(unit, unit.now - timedelta(days=30), 10)

    async with runtime.writing(SYSTEM) as unit:
        done = await store.get_delivery(unit, asked["id"])
        await store.save_delivery(unit, replace(done, state=DeliveryState.DUE, finished_at=None))
        deleting = asyncio.create_task(delete_old())
        await asyncio.wait([deleting], timeout=0.5)  # on SQLite it waits for the commit
    await deleting
    [kept] = await deliveries(http, integrator, endpoint)
    assert (kept["id"], kept["state"]) == (asked["id"], "due")


async def test_all_old_deliveries_are_deleted_at_once_however_many_they_are(
    http: httpx2.AsyncClient,
    runtime: Runtime,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    integrator: Caller,
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    async with runtime.writing(SYSTEM) as unit:
        made = [of_endpoint(unit, endpoint["id"], TEST_TYPE, {}) for _ in range(1200)]
        done = [replace(each, state=DeliveryState.DELIVERED, finished_at=unit.now) for each in made]
        await store.add_deliveries(unit, done)
    clock.advance(days=29)
    await hand.dispatcher.care()
    assert await count_rows(runtime) == [1, 1200, 0]
    clock.advance(days=2)
    await hand.dispatcher.care()
    assert await count_rows(runtime) == [1, 0, 0]


async def count_rows(runtime: Runtime) -> list[int]:
    """The numbers of endpoints, deliveries and attempts that are stored."""
    async with runtime.reading(SYSTEM) as reader:
        kept = (tables.endpoint, tables.delivery, tables.attempt)
        return [len((await reader.run(select(each))).all()) for each in kept]


async def test_a_deleted_endpoint_gets_nothing_more_and_its_rows_are_deleted_step_by_step(
    http: httpx2.AsyncClient, runtime: Runtime, hand: Hand, receiver: Receiver, integrator: Caller
) -> None:
    endpoint, kept = [await subscribe(http, integrator, receiver) for _ in range(2)]
    for each in (endpoint, endpoint, endpoint, kept):
        await ask_for_test(http, integrator, each)
    await hand.settle()
    await ask_for_test(http, integrator, endpoint)
    answer = await http.delete(f"/v1/webhook-endpoints/{endpoint['id']}", headers=integrator.headers)
    assert answer.status_code == 204
    await hand.settle()
    assert len(receiver.taken) == 4, "what was due is not sent any more"
    shown = expect(await http.get("/v1/webhook-endpoints", headers=integrator.headers), 200)["items"]
    assert [each["id"] for each in shown] == [kept["id"]]
    assert await count_rows(runtime) == [2, 5, 4]
    async with runtime.writing(SYSTEM) as unit:
        assert await store.remove_deleted(unit, endpoint["id"], 2)
    assert (await count_rows(runtime))[:2] == [2, 3]
    await hand.dispatcher.care()
    assert await count_rows(runtime) == [1, 1, 1]
