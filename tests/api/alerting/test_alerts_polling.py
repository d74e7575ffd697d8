"""`GET /v1/alerts`: alerts beyond a cursor, at once or as soon as there are some."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from app.access.clients.revocations import revoke_key
from app.access.clients.service import version
from app.access.domain import SYSTEM
from app.actor import Actor
from app.alerting.alerts import service
from app.db.unit import Reader
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.steps import Json, decide, expect, impose, sound
from tests.support.waiting import until


async def page(http: httpx2.AsyncClient, by: Caller, **asked: str | float) -> Json:
    """A page of alerts."""
    return expect(await http.get("/v1/alerts", params=asked, headers=by.headers), 200)


async def test_a_cursor_is_never_null_and_goes_on_where_the_page_ended(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    submitter = await actors.client("submitter")
    empty = await page(http, counter)
    assert (empty["items"], empty["last_alert"], empty["head"], empty["more"]) == ([], 0, 0, False)
    for _ in range(3):
        await sound(http, submitter)
    told, cursor = [], empty["cursor"]
    for more in (True, True, False):
        one = await page(http, counter, after=cursor, limit=1)
        assert (one["more"], one["last_alert"], one["head"]) == (more, 6, 6)
        told += [alert["sequence"] for alert in one["items"]]
        cursor = one["cursor"]
    assert told == [2, 4, 6]
    assert (await page(http, counter, after=cursor))["items"] == []


async def test_a_cursor_steps_over_what_is_no_alert(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors)
    told = await page(http, counter)
    assert told["items"] == []
    assert told["cursor"].endswith(".1")


async def test_a_poll_waits_for_the_first_alert(
    http: httpx2.AsyncClient, app: FastAPI, actors: Actors, counter: Caller
) -> None:
    submitter = await actors.client("submitter")
    after = (await page(http, counter))["cursor"]
    waiting = asyncio.create_task(page(http, counter, after=after, wait=30))
    await until(lambda: app.state.process.runtime.bell._event is not None)
    assert not waiting.done()
    raised = await sound(http, submitter)
    async with asyncio.timeout(1):
        assert [alert["id"] for alert in (await waiting)["items"]] == [raised["alert"]["id"]]


async def test_a_poll_in_vain_ends_with_an_empty_page(http: httpx2.AsyncClient, counter: Caller) -> None:
    async with asyncio.timeout(2):
        assert (await page(http, counter, wait=0.2))["items"] == []


async def test_a_poll_is_not_woken_by_what_is_no_alert(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    after = (await page(http, counter))["cursor"]
    waiting = asyncio.create_task(page(http, counter, after=after, wait=5))
    await impose(http, actors)
    raised = await sound(http, await actors.client("submitter"))
    async with asyncio.timeout(2):
        assert [alert["id"] for alert in (await waiting)["items"]] == [raised["alert"]["id"]]


async def test_who_polls_counts_as_connected(
    http: httpx2.AsyncClient, app: FastAPI, actors: Actors, counter: Caller
) -> None:
    submitter = await actors.client("submitter")
    first = await sound(http, submitter)
    assert first["alert"]["connected"] == 0
    after = (await page(http, counter))["cursor"]
    waiting = asyncio.create_task(page(http, counter, after=after, wait=30))
    await until(lambda: app.state.process.runtime.bell._event is not None)
    second = await sound(http, submitter)
    await waiting
    third = await sound(http, submitter)
    assert [told["alert"]["connected"] for told in (second, third)] == [1, 1]
    other = await page(http, await actors.client("checkpoint", checkpoint="DPS"))
    assert len(other["items"]) == 3
    path = f"/v1/alerts/{third['alert']['id']}/coverage"
    assert expect(await http.get(path, headers=submitter.headers), 200)["connected"] == 2


@pytest.mark.parametrize("path", ["/v1/alerts", "/v1/changes"])
async def test_a_revoked_key_ends_its_poll_within_a_second(
    http: httpx2.AsyncClient, app: FastAPI, runtime: Runtime, actors: Actors, path: str
) -> None:
    counter = await actors.client("integrator" if path == "/v1/changes" else "checkpoint")
    waiting = asyncio.create_task(http.get(path, params={"wait": 30}, headers=counter.headers))
    await until(lambda: app.state.process.runtime.bell._event is not None)
    assert not waiting.done()
    async with runtime.writing(SYSTEM) as unit:  # in another process, as it were
        await revoke_key(unit, counter.id, counter.key_id)
    async with asyncio.timeout(1):
        assert expect(await waiting, 401)["type"] == "/problems/unauthenticated"


@pytest.mark.parametrize(("path", "restart"), [("/v1/alerts", "/v1/alerts"), ("/v1/changes", "/v1/snapshot")])
@pytest.mark.parametrize(
    ("cursor", "status", "slug"),
    [
        ("0123456789abcdef.0", 410, "cursor-gone"),
        ("beyond", 410, "cursor-gone"),
        ("nonsense", 422, "validation"),
        ("a.b", 422, "validation"),
        ("x" * 101, 422, "validation"),
    ],
)
async def test_a_cursor_of_another_register_is_gone_and_names_where_to_restart(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    path: str,
    restart: str,
    cursor: str,
    status: int,
    slug: str,
) -> None:
    by = await actors.client("integrator") if path == "/v1/changes" else counter
    if cursor == "beyond":
        cursor = (await page(http, counter))["cursor"].replace(".0", ".1")
    asked = await http.get(path, params={"after": cursor, "wait": 5}, headers=by.headers)
    problem = expect(asked, status)
    assert problem["type"] == f"/problems/{slug}"
    assert problem.get("restart") == (restart if status == 410 else None)


@pytest.mark.parametrize("asked", [{"wait": 31}, {"wait": -1}, {"wait": "nan"}, {"limit": 0}, {"limit": 501}])
async def test_there_are_limits_to_waiting_and_to_a_page(
    http: httpx2.AsyncClient, counter: Caller, asked: dict[str, str | int]
) -> None:
    expect(await http.get("/v1/alerts", params=asked, headers=counter.headers), 422)


@pytest.mark.parametrize("role", ["submitter", "duty_officer", "auditor", "integrator"])
async def test_alerts_are_read_by_checkpoints(http: httpx2.AsyncClient, actors: Actors, role: str) -> None:
    other = await actors.client(role, agency="KPK" if role == "integrator" else None)
    for path in ("/v1/alerts", "/v1/alerts/stream"):
        expect(await http.get(path, headers=other.headers), 403)


async def test_what_was_withdrawn_is_still_told_in_order(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    await decide(http, await actors.client("duty_officer"), raised["entry"], "reject", "A mistake.")
    assert [alert["kind"] for alert in (await page(http, counter))["items"]] == ["raise", "cancel"]


@pytest.mark.parametrize("path", ["/v1/alerts", "/v1/changes", "/v1/notices"])
async def test_a_poll_that_waits_opens_no_transaction(
    http: httpx2.AsyncClient, runtime: Runtime, app: FastAPI, actors: Actors, path: str
) -> None:
    roles = {"/v1/alerts": "checkpoint", "/v1/changes": "integrator", "/v1/notices": "approver"}
    caller = await actors.client(roles[path])
    async with runtime.reading(SYSTEM) as reader:
        settled = await version(reader)
    await until(lambda: app.state.process.gate.version == settled)
    reads: list[str] = []
    served: Runtime = app.state.process.runtime
    reading = type(served).reading

    def counted(self: Runtime, actor: Actor) -> AbstractAsyncContextManager[Reader]:
        if actor.client_id == caller.id:
            reads.append(actor.client_id)
        return reading(self, actor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(served), "reading", counted)
        patch.setattr(
            "app.ledger.polling.admit", reads.append
        )  # never called, or it would be awaited in vain
        page = expect(await http.get(path, params={"wait": 2.5}, headers=caller.headers), 200)
    assert page["items"] == []
    assert len(reads) == 2  # at the beginning and at the end


async def test_of_a_keys_polls_few_read_at_once_when_news_wakes_them(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, running, most = service.read_alerts, 0, 0

    async def counted(*args: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            await asyncio.sleep(0.01)
            return await read(*args)
        finally:
            running -= 1

    monkeypatch.setattr(service, "read_alerts", counted)
    submitter, other = await actors.client("submitter"), await actors.client("checkpoint")
    polls = [
        asyncio.create_task(http.get("/v1/alerts", params={"wait": 20}, headers=by.headers))
        for by in [counter] * 8 + [other]
    ]
    await asyncio.sleep(0.2)
    most = 0
    await sound(http, submitter)
    assert {len(expect(each, 200)["items"]) for each in await asyncio.gather(*polls)} == {1}
    assert most == 3, "two of the one, and the other's"
