"""`/v1/manifests`: passengers asked about before departure (API section 5, R48)."""

import json
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from app.access.clients.revocations import revoke_key
from app.access.domain import SYSTEM
from app.border.checks.tables import check
from app.runtime import Runtime
from tests.api.border.test_checks_batch import BAD
from tests.api.border.test_checks_refused import stored
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, deterrence_body, entry_body
from tests.support.clock import SettableClock
from tests.support.crossings import hit_of, namesakes
from tests.support.manifests import PATH, manifest_body, passenger, read, send, statuses, stranger
from tests.support.steps import expect, impose


async def banned(http: httpx2.AsyncClient, actors: Actors) -> Json:
    """A passenger who may not enter."""
    body = deterrence_body()
    await impose(http, actors, body)
    return passenger(body["subject"], "banned")


async def held(http: httpx2.AsyncClient, actors: Actors) -> Json:
    """A passenger who may not leave."""
    body = entry_body()
    await impose(http, actors, body)
    return passenger(body["subject"], "held")


async def test_each_passenger_is_answered_in_the_order_of_the_list(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    sent = manifest_body(stranger("a"), await banned(http, actors), stranger("c"))
    response = await http.post(PATH, json=sent, headers=carrier.headers)
    manifest = expect(response, 201)
    assert response.headers["location"] == f"{PATH}/{manifest['id']}"
    assert manifest["id"].startswith("mft_")
    assert [item["reference"] for item in manifest["items"]] == ["a", "banned", "c"]
    assert statuses(manifest) == ["board", "do_not_board", "board"]
    assert {name: manifest[name] for name in ("flight", "direction", "from", "to", "departs_at")} == {
        "flight": "GA880",
        "direction": "entry",
        "from": "SYD",
        "to": "DPS",
        "departs_at": "2026-11-24T02:05:00.000000Z",
    }
    assert (manifest["watched_until"], manifest["closed_at"]) == (manifest["departs_at"], None)
    assert await read(http, carrier, manifest) == manifest


async def test_every_answer_is_a_stored_check_of_the_place_where_the_traveller_is_met(
    http: httpx2.AsyncClient, carrier: Caller, runtime: Runtime
) -> None:
    await send(http, carrier, manifest_body(stranger(), stranger(), direction="exit"))
    async with runtime.reading_checks(SYSTEM) as reader:
        rows = (await reader.run(select(check.c.client_id, check.c.checkpoint, check.c.kind))).all()
    assert [tuple(row) for row in rows] == [(carrier.id, "DPS", "carrier")] * 2


async def test_a_carrier_never_learns_of_a_prevention_nor_of_anything_but_its_status(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    listed = await held(http, actors)
    manifest = await send(http, carrier, manifest_body(listed, stranger("free"), direction="exit"))
    first, second = manifest["items"]
    assert {**first, "reference": None} == {**second, "reference": None}
    assert first["status"] == "board"
    assert (first["outcome"], first["action"], first["hit_id"]) == (None, None, None)


async def test_a_doubtful_passenger_is_a_matter_for_a_call(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    doubtful = passenger(body["subject"], person={"nationality": None})
    manifest = await send(http, carrier, manifest_body(doubtful))
    assert statuses(manifest) == ["contact"]


async def test_a_checkpoints_manifest_client_sees_what_the_counter_will_do(
    http: httpx2.AsyncClient, actors: Actors, desk: Caller
) -> None:
    listed = await held(http, actors)
    manifest = await send(http, desk, manifest_body(listed, stranger(), direction="exit"))
    first, second = manifest["items"]
    assert (first["status"], first["outcome"], first["action"]) == ("board", "refuse", "refuse_exit")
    assert first["hit_id"].startswith("hit_")
    assert (second["outcome"], second["action"], second["hit_id"]) == ("clear", "allow", None)
    assert await read(http, desk, manifest) == manifest


async def test_a_hit_waits_for_the_supervisor_where_the_traveller_will_be_met(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    supervisor = await actors.client("supervisor", checkpoint="DPS")
    body, asked = namesakes()
    await impose(http, actors, body)
    del asked["direction"]
    await send(http, carrier, manifest_body({"reference": "1", **asked}, direction="exit"))
    hits = expect(await http.get("/v1/hits", headers=supervisor.headers), 200)["items"]
    assert [(hit["checkpoint"], hit["outcome"]) for hit in hits] == [("DPS", "refer")]
    assert (await hit_of(http, supervisor, {"hit_id": hits[0]["id"]}))["state"] == "open"


async def test_a_passenger_on_a_list_has_not_crossed(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    from tests.support.bodies import urgent_body
    from tests.support.steps import sound

    body = urgent_body()
    await send(http, carrier, manifest_body(passenger(body["subject"]), direction="exit"))
    raised = await sound(http, await actors.client("submitter"), body)
    assert raised["entry"]["crossing"] == "unknown"


async def test_a_thousand_passengers_are_answered_and_bad_rows_spoil_nothing(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, runtime: Runtime
) -> None:
    listed, nobody = await banned(http, actors), stranger()
    rows: list[Any] = [listed if i % 100 == 0 else {**nobody, "reference": str(i)} for i in range(1000)]
    places = range(50, 1000, 95)
    for place, bad in zip(places, BAD, strict=True):
        rows[place] = {"reference": "bad", **bad, "direction": "exit"} if isinstance(bad, dict) else bad
    content = json.dumps(manifest_body(*rows)).encode()
    headers = {**carrier.headers, "Content-Type": "application/json"}
    manifest = expect(await http.post(PATH, content=content, headers=headers), 201)
    told = statuses(manifest)
    assert [i for i, status in enumerate(told) if status is None] == list(places)
    assert {manifest["items"][i]["problem"]["status"] for i in places} == {422}
    assert [i for i, status in enumerate(told) if status == "do_not_board"] == list(range(0, 1000, 100))
    assert await stored(runtime) == 1000 - len(BAD)


async def test_more_than_a_thousand_or_a_large_body_are_too_much(
    http: httpx2.AsyncClient, carrier: Caller, runtime: Runtime
) -> None:
    many = manifest_body(*[stranger()] * 1001)
    problem = expect(await http.post(PATH, json=many, headers=carrier.headers), 413)
    assert problem["type"] == "/problems/body-too-large"
    large = b"UNB+UNOA:4+" + b"A" * (8 * 1024 * 1024)
    headers = {**carrier.headers, "Content-Type": "application/edifact"}
    expect(await http.post(PATH, content=large, headers=headers), 413)
    assert await stored(runtime) == 0


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"direction": "sideways"}, "/direction"),
        ({"departs_at": "tomorrow"}, "/departs_at"),
        ({"departs_at": "2026-11-24T09:05:00"}, "/departs_at"),
        ({"departs_at": "0001-01-01T00:00:00+14:00"}, "/departs_at"),
        ({"departs_at": "9999-12-31T23:59:59-12:00"}, "/departs_at"),
        ({"flight": ""}, "/flight"),
        ({"to": "D\u0000S"}, "/to"),
        ({"from": ...}, "/from"),
        ({"more": 1}, "/more"),
        ({"passengers": ...}, "/passengers"),
        ({"passengers": {}}, "/passengers"),
    ],
)
async def test_a_faulty_journey_is_refused_whole(
    http: httpx2.AsyncClient, carrier: Caller, runtime: Runtime, given: Json, pointer: str
) -> None:
    body = {**manifest_body(stranger()), **given}
    body = {name: value for name, value in body.items() if value is not ...}
    problem = expect(await http.post(PATH, json=body, headers=carrier.headers), 422)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert await stored(runtime) == 0


@pytest.mark.parametrize("content", [b"", b"[", b"[]", b"3", b'"GA880"', b"null", b"\xff", b"[" * 100_000])
async def test_what_is_no_manifest_is_refused(
    http: httpx2.AsyncClient, carrier: Caller, content: bytes
) -> None:
    headers = {**carrier.headers, "Content-Type": "application/json"}
    assert (await http.post(PATH, content=content, headers=headers)).status_code in {400, 422}


async def test_other_media_types_are_not_taken(http: httpx2.AsyncClient, carrier: Caller) -> None:
    headers = {**carrier.headers, "Content-Type": "text/csv"}
    expect(await http.post(PATH, content=b"a,b", headers=headers), 415)


async def test_a_manifest_without_passengers_has_no_answers_and_is_not_watched(
    http: httpx2.AsyncClient, carrier: Caller
) -> None:
    manifest = await send(http, carrier, manifest_body())
    assert manifest["items"] == []
    assert manifest["closed_at"] is not None


@pytest.mark.parametrize("role", ["submitter", "supervisor", "auditor", "admin", "integrator", "checkpoint"])
async def test_only_carriers_and_manifest_clients_send_manifests(
    http: httpx2.AsyncClient, actors: Actors, role: str, runtime: Runtime
) -> None:
    caller = await actors.client(role)
    response = await http.post(PATH, json=manifest_body(stranger()), headers=caller.headers)
    assert expect(response, 403)["type"] == "/problems/wrong-role"
    assert await stored(runtime) == 0


async def test_a_manifest_is_its_senders_and_the_auditors(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, desk: Caller
) -> None:
    manifest = await send(http, carrier, manifest_body(stranger()))
    auditor, other = await actors.client("auditor"), await actors.client("carrier")
    assert await read(http, auditor, manifest) == manifest
    for caller in (other, desk):
        expect(await http.get(f"{PATH}/{manifest['id']}", headers=caller.headers), 404)
    submitter = await actors.client("submitter")
    expect(await http.get(f"{PATH}/{manifest['id']}", headers=submitter.headers), 403)
    expect(await http.get(f"{PATH}/mft_nobody", headers=carrier.headers), 404)


async def test_a_carrier_asks_by_manifest_only(http: httpx2.AsyncClient, carrier: Caller) -> None:
    question = {"direction": "exit", "document": {"number": "X1"}}
    expect(await http.post("/v1/checks", json=question, headers=carrier.headers), 403)


async def test_a_repeat_gets_the_first_answer_again_and_asks_nobody(
    http: httpx2.AsyncClient, carrier: Caller, runtime: Runtime
) -> None:
    sent = manifest_body(stranger())
    first = await http.post(PATH, json=sent, headers=carrier.once("again"))
    again = await http.post(PATH, json=sent, headers=carrier.once("again"))
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert await stored(runtime) == 1
    other = await http.post(PATH, json=manifest_body(stranger()), headers=carrier.once("again"))
    assert expect(other, 422)["type"] == "/problems/idempotency-mismatch"


async def test_a_revoked_key_gets_no_answer(
    http: httpx2.AsyncClient, carrier: Caller, runtime: Runtime
) -> None:
    async with runtime.writing(SYSTEM) as unit:
        await revoke_key(unit, carrier.id, carrier.key_id)
    expect(await http.post(PATH, json=manifest_body(stranger()), headers=carrier.headers), 401)


async def test_a_departed_flight_is_answered_but_not_watched(
    http: httpx2.AsyncClient, carrier: Caller, clock: SettableClock, runtime: Runtime
) -> None:
    clock.advance(days=2)
    manifest = await send(http, carrier, manifest_body(stranger()))
    assert statuses(manifest) == ["board"]
    assert manifest["closed_at"] is not None
    async with runtime.reading(SYSTEM) as reader:
        from app.border.manifests.tables import key

        assert (await reader.run(select(func.count()).select_from(key))).scalar_one() == 0
