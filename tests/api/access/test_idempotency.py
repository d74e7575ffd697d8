"""Repeats: the first answer again, byte for byte, and never a second act (API section 2)."""

import asyncio
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy import select, text

from app.access.admission import idempotency
from app.access.clients.service import lock_agency
from app.access.domain import SYSTEM
from app.access.tables import answer
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from tests.support.actors import Actors
from tests.support.bodies import check_body, entry_body, urgent_body, wni
from tests.support.clock import SettableClock
from tests.support.contract import watch
from tests.support.lifespan import started
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import decide, expect, submit
from tests.support.waiting import until

URGENT = "/v1/urgent-entries"
CLAIMS = text("""
    SELECT count(*) FROM pg_locks JOIN pg_database ON oid = database
    WHERE locktype = 'advisory' AND datname = current_database()
""")
ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
"""For what no database has a say in."""


async def test_a_repeat_gives_the_first_answer_byte_for_byte_and_acts_once(
    http: AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock
):
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    body = urgent_body()
    first = await http.post(URGENT, json=body, headers=submitter.once("k-1"))
    entry = expect(first, 201)["entry"]
    assert "idempotency-replayed" not in first.headers
    await decide(http, duty, entry, "countersign")
    clock.advance(hours=23, minutes=59)
    async with nothing_changed(runtime):
        for _ in range(2):
            again = await http.post(URGENT, json=body, headers=submitter.once("k-1"))
            assert (again.status_code, again.content) == (201, first.content)
            assert again.headers["idempotency-replayed"] == "true"
            for name in ("location", "etag", "content-type"):
                assert again.headers[name] == first.headers[name]


async def test_an_answer_is_kept_for_a_day_and_then_the_act_is_done_anew(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    admin = await actors.client("admin")
    body = {"name": "feed", "roles": ["integrator"], "agency": "KPK"}
    first = expect(await http.post("/v1/clients", json=body, headers=admin.once("k")), 201)
    clock.advance(hours=24)
    second = await http.post("/v1/clients", json=body, headers=admin.once("k"))
    assert expect(second, 201)["id"] != first["id"]
    assert "idempotency-replayed" not in second.headers


async def test_a_key_belongs_to_one_client_and_one_call(http: AsyncClient, actors: Actors):
    one, other = await actors.client("submitter"), await actors.client("submitter")
    first = expect(await http.post("/v1/entries", json=entry_body(), headers=one.once("k")), 201)
    others = expect(await http.post("/v1/entries", json=entry_body(), headers=other.once("k")), 201)
    urgent = expect(await http.post(URGENT, json=urgent_body(), headers=one.once("k")), 201)
    assert len({first["id"], others["id"], urgent["entry"]["id"]}) == 3


async def test_permission_is_checked_anew_before_a_repeat_is_answered(http: AsyncClient, actors: Actors):
    submitter, admin = await actors.client("submitter"), await actors.client("admin")
    body = entry_body()
    first = await http.post("/v1/entries", json=body, headers=submitter.once("k"))
    rotated = expect(await http.post(f"/v1/clients/{submitter.id}/keys", headers=admin.headers), 201)["key"]
    second = await actors.client("admin")
    expect(await http.post(f"/v1/clients/{submitter.id}/confirmation", headers=second.headers), 201)
    await http.delete(f"/v1/clients/{submitter.id}/keys/{submitter.key_id}", headers=admin.headers)
    refused(await http.post("/v1/entries", json=body, headers=submitter.once("k")), 401, "unauthenticated")
    with_new_key = {"Authorization": f"Bearer {rotated}", "Idempotency-Key": "k"}
    again = await http.post("/v1/entries", json=body, headers=with_new_key)
    assert again.content == first.content, "the client's other key is the same client"


async def test_another_body_is_a_mismatch_down_to_a_blank(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter")
    headers = {**submitter.once("k"), "Content-Type": "application/json"}
    body = httpx2.Request("POST", "http://x", json=entry_body()).content
    expect(await http.post("/v1/entries", content=body, headers=headers), 201)
    async with nothing_changed(runtime):
        for other in (body + b" ", b"{}"):
            refused(
                await http.post("/v1/entries", content=other, headers=headers), 422, "idempotency-mismatch"
            )


async def test_a_refusal_is_not_kept_so_that_a_mended_request_may_use_the_key(
    http: AsyncClient, actors: Actors
):
    submitter = await actors.client("submitter")
    wrong = entry_body(subject={"sex": None})
    refused(
        await http.post("/v1/entries", json=wrong, headers=submitter.once("k")), 422, "missing-subject-data"
    )
    mended = {**wrong, "subject": {**wrong["subject"], "sex": "male"}}
    expect(await http.post("/v1/entries", json=mended, headers=submitter.once("k")), 201)


async def test_a_repeat_while_the_first_is_running_is_told_to_come_again(
    http: AsyncClient, app: FastAPI, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter")
    body = urgent_body()
    async with runtime.writing(SYSTEM) as unit, asyncio.timeout(5):
        await lock_agency(unit, "KPK")
        first = asyncio.create_task(http.post(URGENT, json=body, headers=submitter.once("k")))
        await until(lambda: bool(app.state.process.runtime.in_flight))
        answer = await http.post(URGENT, json=body, headers=submitter.once("k"))
        refused(answer, 409, "idempotency-in-flight")
        assert int(answer.headers["retry-after"]) >= 1
    expect(await first, 201)
    again = await http.post(URGENT, json=body, headers=submitter.once("k"))
    assert again.content == first.result().content


@pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
async def test_a_repeat_at_another_process_is_told_to_come_again_too(
    http: AsyncClient, actors: Actors, runtime: Runtime, settings: Settings, clock: SettableClock
):
    submitter = await actors.client("submitter")
    body = urgent_body()
    other = create_app(settings, clock, work=False)
    transport = httpx2.ASGITransport(other)
    async with started(other), watch(AsyncClient(transport=transport, base_url="http://other")) as elsewhere:
        async with runtime.writing(SYSTEM) as unit, asyncio.timeout(5):
            await lock_agency(unit, "KPK")
            first = asyncio.create_task(http.post(URGENT, json=body, headers=submitter.once("k")))
            while not (await unit.run(CLAIMS)).scalar_one():  # noqa: ASYNC110 - another process's lock
                await asyncio.sleep(0.005)
            answer = await elsewhere.post(URGENT, json=body, headers=submitter.once("k"))
            refused(answer, 409, "idempotency-in-flight")
        expect(await first, 201)
        again = await elsewhere.post(URGENT, json=body, headers=submitter.once("k"))
        assert again.content == first.result().content


async def test_twenty_repeats_at_once_act_once(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter")
    body = urgent_body()
    requests = [http.post(URGENT, json=body, headers=submitter.once("k")) for _ in range(20)]
    answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    listed = expect(await http.get("/v1/entries", headers=submitter.headers), 200)
    assert len(listed["items"]) == 1


async def test_an_answer_that_held_a_secret_is_never_given_again(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin, feed = await actors.client("admin"), await actors.client("integrator", agency="KPK")
    path = f"/v1/clients/{feed.id}/keys"
    secret = expect(await http.post(path, headers=admin.once("k")), 201)["key"]
    async with nothing_changed(runtime):
        response = await http.post(path, headers=admin.once("k"))
        refused(response, 409, "secret-already-shown")
        assert secret not in response.text
    assert secret.split("_", 2)[2] not in await _kept(runtime)
    assert len(expect(await http.get(path, headers=admin.headers), 200)["items"]) == 2


async def test_image_bytes_are_not_kept_with_an_answer(http: AsyncClient, actors: Actors, runtime: Runtime):
    submitter = await actors.client("submitter")
    body = entry_body()
    expect(await http.post("/v1/entries", json=body, headers=submitter.once("k")), 201)
    kept = await _kept(runtime)
    assert body["subject"]["full_name"] in kept
    assert body["subject"]["photo"]["data"][100:140] not in kept


async def _kept(runtime: Runtime) -> str:
    async with runtime.reading(SYSTEM) as reader:
        return repr([tuple(row) for row in await reader.run(select(answer))])


async def test_an_answer_that_can_not_be_kept_undoes_its_act(
    http: AsyncClient, actors: Actors, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
):
    submitter = await actors.client("submitter")

    async def broken(*_: Any, **__: Any) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(idempotency, "keep", broken)
    async with nothing_changed(runtime):
        response = await http.post("/v1/entries", json=entry_body(), headers=submitter.once("k"))
        refused(response, 503, "unavailable")


async def test_an_urgent_entry_needs_a_key(http: AsyncClient, actors: Actors, runtime: Runtime):
    submitter = await actors.client("submitter")
    async with nothing_changed(runtime):
        response = await http.post(URGENT, json=urgent_body(), headers=submitter.headers)
        refused(response, 400, "idempotency-key-required")


async def test_checks_batches_and_searches_take_no_key(http: AsyncClient, actors: Actors, runtime: Runtime):
    counter, submitter = await actors.client("checkpoint"), await actors.client("submitter")
    check = check_body(wni(1))
    async with nothing_changed(runtime):
        for caller, path, body in (
            (counter, "/v1/checks", check),
            (counter, "/v1/checks/batch", {"items": [check]}),
            (submitter, "/v1/entries/search", {"name": "A B"}),
        ):
            refused(
                await http.post(path, json=body, headers=caller.once("k")), 400, "idempotency-not-allowed"
            )


UNUSABLE = ["", "x" * 256, "tab\there", "é"]


@ON_SQLITE
async def test_a_key_that_can_not_be_kept_is_refused(
    http: AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    for key in UNUSABLE:
        with subtests.test(str(key)[:80]):
            submitter = await actors.client("submitter")
            headers = [
                (b"Authorization", f"Bearer {submitter.key}".encode()),
                (b"Idempotency-Key", key.encode()),
            ]
            async with nothing_changed(runtime):
                refused(await http.post("/v1/entries", json=entry_body(), headers=headers), 422, "validation")


@ON_SQLITE
async def test_a_key_of_255_characters_works(http: AsyncClient, actors: Actors, app: FastAPI):
    submitter = await actors.client("submitter")
    body = entry_body()
    expect(await http.post("/v1/entries", json=body, headers=submitter.once("~" * 255)), 201)
    again = await http.post("/v1/entries", json=body, headers=submitter.once("~" * 255))
    assert again.headers["idempotency-replayed"] == "true"
    assert app.state.process.runtime.in_flight == set(), "nothing is left behind"


async def test_a_decision_may_be_repeated_although_its_version_is_gone(http: AsyncClient, actors: Actors):
    entry = await submit(http, await actors.client("submitter"))
    verifier = await actors.client("verifier")
    path = f"/v1/entries/{entry['id']}/decisions"
    headers = {**verifier.on('"1"'), "Idempotency-Key": "k"}
    first = await http.post(path, json={"verdict": "verify"}, headers=headers)
    again = await http.post(path, json={"verdict": "verify"}, headers=headers)
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    refused(
        await http.post(path, json={"verdict": "verify"}, headers=verifier.on('"1"')), 412, "stale-version"
    )
