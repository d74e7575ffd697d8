"""Quotas: what one key may take of what all share, and that a single check is never in question."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from app.access.admission.quotas import Quota, Quotas
from app.access.clients.revocations import revoke_key
from app.access.clients.service import version
from app.access.domain import SYSTEM
from app.actor import Actor
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, urgent_body, wni
from tests.support.exchanges import asked_by_me
from tests.support.manifests import manifest_body, stranger
from tests.support.refusals import refused
from tests.support.served import Served
from tests.support.sse import listening
from tests.support.steps import expect, impose
from tests.support.waiting import until

Call = Callable[[], Awaitable[httpx2.Response]]

SLOW = 0.001
"""So few a second are added to a rate that a test sees none."""


def quota_of(response: httpx2.Response) -> str:
    """The quota that a refusal names, which says when to come again."""
    refused(response, 429, "rate-limited")
    assert int(response.headers["retry-after"]) >= 1
    quota: str = response.json()["quota"]
    assert response.headers["ratelimit-policy"].startswith(f'"{quota}";q=')
    left = re.fullmatch(f'"{quota}";r=0(?:;t=([0-9]+))?', response.headers["ratelimit"])
    assert left is not None
    assert left[1] is None or int(response.headers["retry-after"]) >= int(left[1])
    return quota


def check(http: httpx2.AsyncClient, by: Caller) -> Awaitable[httpx2.Response]:
    """A single check."""
    return http.post("/v1/checks", json=check_body(wni(1)), headers=by.headers)


def batch(http: httpx2.AsyncClient, by: Caller) -> Awaitable[httpx2.Response]:
    """A batch of a few checks."""
    return http.post("/v1/checks/batch", json={"items": [check_body(wni(1))] * 3}, headers=by.headers)


def send_manifest(http: httpx2.AsyncClient, by: Caller) -> Awaitable[httpx2.Response]:
    """A manifest of one passenger."""
    return http.post("/v1/manifests", json=manifest_body(stranger()), headers=by.headers)


def urgent(http: httpx2.AsyncClient, by: Caller) -> Awaitable[httpx2.Response]:
    """An urgent entry."""
    return http.post("/v1/urgent-entries", json=urgent_body(), headers=by.once(uuid4().hex))


async def settled(app: FastAPI) -> None:
    """Wait until the process has seen the last change of keys, so that it remembers callers from here on."""
    runtime: Runtime = app.state.process.runtime
    async with runtime.reading(SYSTEM) as reader:
        newest = await version(reader)
    await until(lambda: app.state.process.gate.version == newest)


async def refused_without_a_look_up(app: FastAPI, call: Call, times: int = 3) -> str:
    """The quota that refuses a call, each time without any statement once this process knows the key."""
    await settled(app)
    quotas = {quota_of(await call())}
    with asked_by_me(app.state.process.runtime) as asked:
        quotas |= {quota_of(await call()) for _ in range(times)}
    assert asked == []
    (quota,) = quotas
    return quota


@pytest.mark.settings(quota_streams=2)
async def test_a_key_opens_so_many_streams_and_others_have_theirs(served: Served, actors: Actors) -> None:
    stolen, other = await actors.client("checkpoint"), await actors.client("checkpoint")
    gateway = await actors.client("checkpoint", gateway=True)
    async with AsyncExitStack() as stack:
        for _ in range(2):
            stream = await stack.enter_async_context(listening(served.http, stolen.headers))
            await stream.next("heartbeat")
        for _ in range(3):
            answer = await served.http.get("/v1/alerts/stream", headers=stolen.headers)
            assert quota_of(answer) == Quota.STREAMS
        for caller in (other, *[gateway] * 5):
            stream = await stack.enter_async_context(listening(served.http, caller.headers))
            assert stream.response.status_code == 200
    quotas: Quotas = served.app.state.process.quotas
    await until(lambda: {held for _, held, _ in quotas.in_use()} == {0})
    async with listening(served.http, stolen.headers) as stream:
        assert stream.response.headers["ratelimit"] == '"streams";r=1'


@pytest.mark.settings(quota_streams=2)
async def test_streams_of_all_kinds_count_together(served: Served, actors: Actors, carrier: Caller) -> None:
    manifests = [expect(await send_manifest(served.http, carrier), 201) for _ in range(3)]
    paths = [f"/v1/manifests/{manifest['id']}/stream" for manifest in manifests]
    async with AsyncExitStack() as stack:
        for path in paths[:2]:
            stream = await stack.enter_async_context(listening(served.http, carrier.headers, path))
            await stream.next("heartbeat")
        assert quota_of(await served.http.get(paths[2], headers=carrier.headers)) == Quota.STREAMS


@pytest.mark.settings(quota_polls=2)
async def test_a_key_has_so_many_polls_and_a_refusal_costs_no_look_up(
    http: httpx2.AsyncClient, app: FastAPI, actors: Actors, counter: Caller
) -> None:
    quotas: Quotas = app.state.process.quotas

    def poll(by: Caller, wait: float = 0) -> Awaitable[httpx2.Response]:
        return http.get("/v1/alerts", params={"wait": wait}, headers=by.headers)

    waiting = [asyncio.create_task(poll(counter, 30)) for _ in range(2)]  # type: ignore[arg-type]  # httpx2's are
    await until(lambda: (Quota.POLLS, 2, 0) in quotas.in_use())
    assert await refused_without_a_look_up(app, lambda: poll(counter)) == Quota.POLLS
    other = await poll(await actors.client("checkpoint"))
    assert expect(other, 200)["items"] == []
    assert other.headers["ratelimit"] == '"polls";r=1'
    expect(await check(http, counter), 200)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    expect(await poll(counter), 200)


@pytest.mark.parametrize(
    ("call", "role", "quota", "status"),
    [(batch, "checkpoint", Quota.BATCHES, 200), (send_manifest, "carrier", Quota.MANIFESTS, 201)],
)
@pytest.mark.settings(quota_batches=2, quota_manifests=2, quota_waiting=8)
async def test_batches_and_manifests_go_two_at_a_time_the_rest_wait_and_are_answered(
    http: httpx2.AsyncClient,
    app: FastAPI,
    actors: Actors,
    call: Callable[[httpx2.AsyncClient, Caller], Awaitable[httpx2.Response]],
    role: str,
    quota: Quota,
    status: int,
) -> None:
    caller, other = await actors.client(role), await actors.client(role)
    quotas: Quotas = app.state.process.quotas
    seen: set[tuple[int, int]] = set()

    async def watch() -> None:
        while True:
            seen.update((held, waiting) for name, held, waiting in quotas.in_use() if name is quota)
            await asyncio.sleep(0)

    await settled(app)
    assert (await call(http, caller)).status_code == status  # its key is remembered from here on
    watching = asyncio.create_task(watch())
    answers = await asyncio.gather(*(call(http, caller) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {status}, "eight at once are never refused"
    assert max(held for held, _ in seen) == 2
    assert max(waiting for _, waiting in seen) == 6
    *flood, innocent = await asyncio.gather(*(call(http, caller) for _ in range(30)), call(http, other))
    watching.cancel()
    assert innocent.status_code == status
    refusals = [answer for answer in flood if answer.status_code != status]
    assert len(refusals) == 30 - 2 - 8
    assert {quota_of(answer) for answer in refusals} == {quota}


@pytest.mark.settings(quota_manifests=1, answer_seconds=0.5)
async def test_the_wait_for_its_turn_is_not_counted_against_a_manifests_answer(
    http: httpx2.AsyncClient, app: FastAPI, carrier: Caller
) -> None:
    holder = Actor(carrier.id, None, frozenset(), key_id=carrier.key_id)
    leave = await app.state.process.quotas.enter(Quota.MANIFESTS, holder)
    waiting = asyncio.ensure_future(send_manifest(http, carrier))
    await until(lambda: (Quota.MANIFESTS, 1, 1) in app.state.process.quotas.in_use())
    await asyncio.sleep(1)  # longer than an answer may take
    leave()
    expect(await waiting, 201)


@pytest.mark.settings(quota_batches=1, quota_polls=1, quota_streams=1, quota_waiting=8)
async def test_a_single_check_is_never_in_question(http: httpx2.AsyncClient, counter: Caller) -> None:
    answers = await asyncio.gather(
        *(batch(http, counter) for _ in range(30)), *(check(http, counter) for _ in range(100))
    )
    assert {answer.status_code for answer in answers[:30]} == {200, 429}
    assert {answer.status_code for answer in answers[30:]} == {200}
    assert not any("ratelimit" in answer.headers for answer in answers[30:])


@pytest.mark.settings(quota_urgent_entries=2, quota_urgent_entries_per_second=SLOW)
async def test_a_key_makes_so_many_urgent_entries_and_others_go_on(
    http: httpx2.AsyncClient, app: FastAPI, actors: Actors
) -> None:
    stolen, honest = await actors.client("submitter"), await actors.client("submitter")
    for left in (1, 0):
        made = await urgent(http, stolen)
        expect(made, 201)
        assert made.headers["ratelimit-policy"] == '"urgent-entries";q=2;w=2000'
        assert made.headers["ratelimit"].startswith(f'"urgent-entries";r={left};t=')
    assert await refused_without_a_look_up(app, lambda: urgent(http, stolen)) == Quota.URGENT_ENTRIES
    expect(await urgent(http, honest), 201)
    expect(await http.get("/v1/entries", headers=stolen.headers), 200)
    async with app.state.process.runtime.writing(SYSTEM) as unit:
        await revoke_key(unit, stolen.id, stolen.key_id)
    await until(lambda: app.state.process.gate.recall(f"Bearer {stolen.key}", None) is None)
    assert (await urgent(http, stolen)).status_code == 401


@pytest.mark.settings(
    quota_searches=1,
    quota_exports=1,
    quota_searches_per_second=SLOW,
    quota_exports_per_second=SLOW,
)
async def test_searches_and_exports_have_quotas_of_their_own(
    http: httpx2.AsyncClient, app: FastAPI, actors: Actors
) -> None:
    entry = await impose(http, actors)
    auditor, other = await actors.client("auditor"), await actors.client("auditor")

    def search(by: Caller) -> Awaitable[httpx2.Response]:
        return http.post("/v1/entries/search", json={"name": "SOMEBODY"}, headers=by.headers)

    def explain(by: Caller) -> Awaitable[httpx2.Response]:
        asked = {**check_body(wni(1)), "entry_id": entry["id"]}
        return http.post("/v1/checks/explain", json=asked, headers=by.headers)

    def export(by: Caller) -> Awaitable[httpx2.Response]:
        return http.get(f"/v1/entries/{entry['id']}/evidence", headers=by.headers)

    def letter(by: Caller) -> Awaitable[httpx2.Response]:
        return http.get(f"/v1/entries/{entry['id']}/letter", headers=by.headers)

    def count(by: Caller) -> Awaitable[httpx2.Response]:
        return http.get("/v1/statistics", headers=by.headers)

    expect(await search(auditor), 200)
    assert (await export(auditor)).status_code == 200
    for call in (search, explain):
        assert await refused_without_a_look_up(app, partial(call, auditor)) == Quota.SEARCHES
    for call in (export, letter, count):
        assert await refused_without_a_look_up(app, partial(call, auditor)) == Quota.EXPORTS
    expect(await search(other), 200)
    expect(await count(other), 200)


@pytest.mark.settings(quota_searches=1, quota_searches_per_second=SLOW)
async def test_the_metrics_say_what_is_held_and_refused(http: httpx2.AsyncClient, actors: Actors) -> None:
    auditor, admin = await actors.client("auditor"), await actors.client("admin")
    for _ in range(3):
        await http.post("/v1/entries/search", json={"name": "SOMEBODY"}, headers=auditor.headers)
    text = (await http.get("/metrics", headers=admin.headers)).text
    assert 'cekal_quota_refused_total{quota="searches"} 2.0' in text
    assert 'cekal_quota_held{quota="streams"} 0.0' in text
    assert 'cekal_quota_waiting{quota="batches"} 0.0' in text


async def test_an_admin_marks_a_key_as_a_gateways(http: httpx2.AsyncClient, actors: Actors) -> None:
    admin, counter = await actors.client("admin"), await actors.client("checkpoint")
    path = f"/v1/clients/{counter.id}/keys"
    made = expect(await http.post(path, json={"gateway": True}, headers=admin.headers), 201)
    assert made["gateway"] is True
    listed = expect(await http.get(path, headers=admin.headers), 200)["items"]
    assert {key["id"]: key["gateway"] for key in listed} == {counter.key_id: False, made["id"]: True}
    trail = expect(await http.get("/v1/audit", params={"about": made["id"]}, headers=admin.headers), 200)
    assert trail["items"][0]["detail"]["gateway"] is True
