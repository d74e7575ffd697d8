"""Clients: persons and machines, admins alone, and the second admin's word (API section 2)."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import entry_body
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import expect

Json = dict[str, Any]
SUBMITTER = {"name": "desk", "roles": ["submitter"], "agency": "KPK", "person": "197001011990011001"}
VERIFIER = {**SUBMITTER, "name": "second desk", "roles": ["verifier"]}
COUNTER = {"name": "counter 4", "roles": ["checkpoint"], "kind": "counter", "checkpoint": "CGK"}


async def register(http: AsyncClient, by: Caller, body: Json) -> Json:
    """A client as registered over HTTP."""
    response = await http.post("/v1/clients", json=body, headers=by.headers)
    client = expect(response, 201)
    assert response.headers["location"] == f"/v1/clients/{client['id']}"
    return client


async def issue(http: AsyncClient, by: Caller, client_id: str) -> Json:
    """A key as issued over HTTP."""
    return expect(await http.post(f"/v1/clients/{client_id}/keys", headers=by.headers), 201)


async def confirm(http: AsyncClient, by: Caller, client_id: str) -> Any:
    """The answer to a confirmation that may be refused."""
    return await http.post(f"/v1/clients/{client_id}/confirmation", headers=by.headers)


async def works(http: AsyncClient, key: str) -> bool:
    """Whether a key is admitted."""
    response = await http.get("/v1/agencies", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code in {200, 401}
    return response.status_code == 200


CONTRADICTIONS = [
    ({"person": None}, {"/person": "required"}),
    ({"roles": ["checkpoint"], "checkpoint": "CGK", "kind": "counter"}, {"/person": "forbidden"}),
    ({"roles": ["submitter", "integrator"]}, {"/roles": "mixed", "/person": "forbidden"}),
    ({"roles": ["admin", "submitter"]}, {"/roles": "admin_alone"}),
    ({"roles": ["admin", "auditor"]}, {"/roles": "admin_alone"}),
    ({"roles": ["approver"]}, {"/agency": "immigration_only"}),
    ({"roles": ["duty_officer"], "agency": "POLRI"}, {"/agency": "immigration_only"}),
    ({"agency": None}, {"/agency": "required"}),
    ({"agency": "NSA"}, {"/agency": "unknown"}),
    ({"roles": ["auditor"], "agency": None, "office": "KANIM-BATAM"}, {"/agency": "required"}),
    ({"roles": ["auditor"], "office": "KANIM-NOWHERE"}, {"/office": "unknown"}),
    ({"roles": ["supervisor"]}, {"/checkpoint": "required"}),
    ({"roles": ["supervisor"], "checkpoint": "NOWHERE"}, {"/checkpoint": "unknown"}),
    ({"checkpoint": "CGK"}, {"/checkpoint": "forbidden"}),
    ({"kind": "counter"}, {"/kind": "forbidden"}),
    ({"networks": ["10.0.0.0/8", "everywhere"]}, {"/networks/1": "cidr"}),
    ({"roles": []}, {"/roles": "too_short"}),
    ({"roles": ["submitter", "king"]}, {"/roles/1": "enum"}),
    ({"person": "a b"}, {"/person": "string_pattern_mismatch"}),
    ({"name": ""}, {"/name": "string_too_short"}),
    ({"standing": "active"}, {"/standing": "unknown_member"}),
]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_a_client_that_contradicts_itself_is_refused(
    http: AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    for changes, faults in CONTRADICTIONS:
        with subtests.test(str((changes, faults))[:80]):
            admin = await actors.client("admin")
            async with nothing_changed(runtime):
                response = await http.post(
                    "/v1/clients", json={**SUBMITTER, **changes}, headers=admin.headers
                )
                assert refused(response, 422, "validation") == faults


async def test_a_client_that_neither_decides_nor_reads_everything_works_at_once(
    http: AsyncClient, actors: Actors
):
    admin = await actors.client("admin")
    supervisor = {"name": "s", "roles": ["supervisor"], "checkpoint": "CGK", "person": "197001011990011001"}
    feed = {"name": "feed", "roles": ["integrator"], "agency": "KPK"}
    for body in (supervisor, COUNTER, feed, {"name": "airline", "roles": ["carrier"]}):
        client = await register(http, admin, body)
        assert (client["state"], client["created_by"], client["confirmed_by"]) == ("active", admin.id, None)
        key = await issue(http, admin, client["id"])
        assert key["state"] == "active"
        assert await works(http, key["key"])


CONFIRMED = [
    SUBMITTER,
    VERIFIER,
    {**VERIFIER, "roles": ["submitter", "verifier"]},
    {**SUBMITTER, "roles": ["approver"], "agency": "IMIGRASI"},
    {**SUBMITTER, "roles": ["duty_officer"], "agency": "IMIGRASI"},
    {"name": "admin", "roles": ["admin"], "person": "197001011990011001"},
    {"name": "auditor", "roles": ["auditor"], "person": "197001011990011001"},
    {"name": "feed", "roles": ["integrator"], "agency": "IMIGRASI"},
]


async def test_what_decides_or_reads_everything_works_only_after_a_second_admin(
    http: AsyncClient, actors: Actors, subtests: pytest.Subtests
):
    for body in CONFIRMED:
        with subtests.test(str(body)[:80]):
            admin, second = await actors.client("admin"), await actors.client("admin")
            client = await register(http, admin, body)
            assert client["state"] == "pending"
            key = await issue(http, admin, client["id"])
            assert key["state"] == "pending"
            assert not await works(http, key["key"])
            refused(await confirm(http, admin, client["id"]), 403, "four-eyes")
            assert not await works(http, key["key"])
            confirmed = expect(await confirm(http, second, client["id"]), 201)
            assert (confirmed["state"], confirmed["confirmed_by"]) == ("active", second.id)
            assert await works(http, key["key"])
            refused(await confirm(http, second, client["id"]), 409, "wrong-state")


@pytest.mark.parametrize(
    "more", [{}, {"roles": ["integrator", "checkpoint"], "kind": "counter", "checkpoint": "CGK"}]
)
async def test_an_integrator_belongs_to_an_agency(http: AsyncClient, actors: Actors, more: dict[str, Any]):
    body = {"name": "feed of everything", "roles": ["integrator"], **more}
    admin = await actors.client("admin")
    told = refused(await http.post("/v1/clients", json=body, headers=admin.headers), 422, "validation")
    assert told == {"/agency": "required"}


async def test_a_clients_tag_changes_with_its_standing_alone(http: AsyncClient, actors: Actors):
    admin, second = await actors.client("admin"), await actors.client("admin")
    client = await register(http, admin, VERIFIER)
    path = f"/v1/clients/{client['id']}"
    tags = []
    acts = (
        (admin, "POST", f"{path}/keys"),
        (second, "POST", f"{path}/confirmation"),
        (admin, "DELETE", path),
    )
    for by, method, where in acts:
        read = await http.get(path, headers=admin.headers)
        tags.append(read.headers["etag"])
        assert read.json()["state"] == ("active" if method == "DELETE" else "pending")
        same = await http.get(path, headers={**admin.headers, "If-None-Match": tags[-1]})
        assert same.status_code == 304
        assert (await http.request(method, where, headers=by.headers)).is_success
    tags.append((await http.get(path, headers=admin.headers)).headers["etag"])
    assert tags[0] == tags[1]
    assert len(set(tags)) == 3


async def test_a_new_key_of_a_confirmed_decider_waits_as_well(http: AsyncClient, actors: Actors):
    admin, second = await actors.client("admin"), await actors.client("admin")
    decider = await actors.client("approver")
    key = await issue(http, admin, decider.id)
    assert not await works(http, key["key"])
    assert await works(http, decider.key), "the old key goes on"
    refused(await confirm(http, admin, decider.id), 403, "four-eyes")
    expect(await confirm(http, second, decider.id), 201)
    assert await works(http, key["key"])


async def test_the_second_admin_is_another_person_than_maker_and_holder(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin = await actors.client("admin", person="19850315")
    same_person = await actors.client("admin", person="1985-03.15")
    holder = await actors.client("admin", person="1970/0101/1990/0110/01")
    key_maker, outsider = await actors.client("admin"), await actors.client("admin")
    client = await register(http, admin, VERIFIER)
    await issue(http, key_maker, client["id"])
    async with nothing_changed(runtime):
        for by in (admin, same_person, holder, key_maker):
            refused(await confirm(http, by, client["id"]), 403, "four-eyes")
    expect(await confirm(http, outsider, client["id"]), 201)


async def test_a_number_with_other_leading_zeros_or_another_label_is_the_person_whom_the_register_has(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin = await actors.client("admin", person="05001")
    await actors.client("submitter", person="7-100")
    async with nothing_changed(runtime):
        for written in ("5001", "005001", "50-01", "007100", "NIP.05001", "NRP5001", "nip-7100"):
            answer = await http.post(
                "/v1/clients", json={**VERIFIER, "person": written}, headers=admin.headers
            )
            assert refused(answer, 422, "validation") == {"/person": "other_form"}
    for written in ("05001", "0-5001", "7100", "50010", "15001", "NIP.8800", "nip8800"):
        await register(http, admin, {**VERIFIER, "person": written})
    async with nothing_changed(runtime):
        answer = await http.post("/v1/clients", json={**VERIFIER, "person": "8800"}, headers=admin.headers)
        assert refused(answer, 422, "validation") == {"/person": "other_form"}


async def test_only_an_admin_administers_and_an_auditor_looks_on(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    decider = await actors.client("approver")
    auditor = await actors.client("auditor")
    path = f"/v1/clients/{decider.id}"
    submitter = await actors.client("submitter")
    async with nothing_changed(runtime):
        for by in (auditor, decider, submitter):
            for method, where in (
                ("POST", "/v1/clients"),
                ("DELETE", path),
                ("POST", f"{path}/keys"),
                ("DELETE", f"{path}/keys/{decider.key_id}"),
                ("POST", f"{path}/confirmation"),
                ("PUT", "/v1/agencies/KPK"),
                ("PUT", "/v1/checkpoints/CGK"),
            ):
                body = SUBMITTER if method in {"POST", "PUT"} else None
                refused(await http.request(method, where, json=body, headers=by.headers), 403, "wrong-role")
    for where in ("/v1/clients", path, f"{path}/keys", "/v1/audit"):
        assert (await http.get(where, headers=auditor.headers)).status_code == 200


async def test_every_administrative_act_is_recorded_with_who_did_it(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    admin, second = await actors.client("admin"), await actors.client("admin")
    client = await register(http, admin, VERIFIER)
    clock.advance(seconds=1)
    key = await issue(http, admin, client["id"])
    clock.advance(seconds=1)
    await confirm(http, second, client["id"])
    clock.advance(seconds=1)
    await http.delete(f"/v1/clients/{client['id']}/keys/{key['id']}", headers=second.headers)
    clock.advance(seconds=1)
    await http.delete(f"/v1/clients/{client['id']}", headers=admin.headers)
    clock.advance(seconds=1)
    place = {"name": "Bandara Baru", "mode": "air", "zone": "Asia/Makassar"}
    expect(await http.put("/v1/checkpoints/NEW", json=place, headers=admin.headers), 201)
    whole = expect(await http.get("/v1/audit?limit=500", headers=admin.headers), 200)["items"]
    trail = [act for act in whole if act["client_id"] != "system"]
    assert [(act["act"], act["object"], act["client_id"]) for act in trail] == [
        ("checkpoint.changed", "NEW", admin.id),
        ("client.revoked", client["id"], admin.id),
        ("key.revoked", key["id"], second.id),
        ("client.confirmed", client["id"], second.id),
        ("key.issued", key["id"], admin.id),
        ("client.registered", client["id"], admin.id),
    ]
    assert {act["person"] for act in trail} == {admin.person, second.person}
    assert key["key"].split("_", 2)[2] not in str(trail)


async def test_a_revoked_client_stays_on_record_and_can_not_come_back(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin, second = await actors.client("admin"), await actors.client("admin")
    counter = await actors.client("checkpoint")
    path = f"/v1/clients/{counter.id}"
    for _ in range(2):
        assert (await http.delete(path, headers=admin.headers)).status_code == 204
    assert expect(await http.get(path, headers=admin.headers), 200)["state"] == "revoked"
    assert not await works(http, counter.key)
    async with nothing_changed(runtime):
        refused(await http.post(f"{path}/keys", headers=admin.headers), 409, "wrong-state")
        refused(await confirm(http, second, counter.id), 409, "wrong-state")
        refused(await http.delete("/v1/clients/cli_nobody", headers=admin.headers), 404, "not-found")


async def test_the_kind_agency_and_person_of_an_act_come_from_the_key(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter", agency="POLRI", person="1985.0315")
    body = entry_body(basis={"instrument": "request", "reason_code": "general_crime"})
    entry = expect(await http.post("/v1/entries", json=body, headers=submitter.headers), 201)
    assert (entry["agency"], entry["submitted_by"]) == ("POLRI", submitter.id)


async def test_lists_of_clients_show_no_secret(http: AsyncClient, actors: Actors):
    admin = await actors.client("admin")
    client = await register(http, admin, SUBMITTER)
    key = await issue(http, admin, client["id"])
    for path in ("/v1/clients", f"/v1/clients/{client['id']}", f"/v1/clients/{client['id']}/keys"):
        told = (await http.get(path, headers=admin.headers)).text
        assert client["id"] in told or key["id"] in told
        assert key["key"].split("_", 2)[2] not in told
        assert "hash" not in told
