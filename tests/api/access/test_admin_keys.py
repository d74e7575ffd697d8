"""What one admin alone can't do to another admin's keys, or to what an account is."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.access.clients.revocations import reinstate_client, revoke_client
from app.access.domain import SYSTEM
from app.errors import WrongState
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.admins import confirm_change
from tests.support.clock import MORNING
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import expect

Json = dict[str, Any]


async def admitted(http: AsyncClient, key: str) -> bool:
    """Whether a key works."""
    answer = await http.get("/v1/agencies", headers={"Authorization": f"Bearer {key}"})
    return answer.status_code == 200


async def key_states(http: AsyncClient, by: Caller, client: Caller) -> dict[str, str]:
    """The states of a client's keys, by id."""
    items = expect(await http.get(f"/v1/clients/{client.id}/keys", headers=by.headers), 200)["items"]
    return {each["id"]: each["state"] for each in items}


def key_path(of: Caller) -> str:
    return f"/v1/clients/{of.id}/keys/{of.key_id}"


async def suspend_key(http: AsyncClient, by: Caller, of: Caller) -> Json:
    """The revocation of an admin's key that waits for a second admin."""
    return expect(await http.delete(key_path(of), headers=by.headers), 202)


async def pending(http: AsyncClient, by: Caller) -> list[Json]:
    items: list[Json] = expect(await http.get("/v1/pending-changes", headers=by.headers), 200)["items"]
    return items


async def test_another_admins_key_is_suspended_at_once_and_revoked_on_confirmation(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin, second, robbed = [await actors.client("admin") for _ in range(3)]
    change = await suspend_key(http, admin, robbed)
    assert (change["kind"], change["about"], change["wanted"]) == (
        "admin_key_revocation",
        robbed.key_id,
        None,
    )
    assert not await admitted(http, robbed.key)
    assert await key_states(http, admin, robbed) == {robbed.key_id: "suspended"}
    assert await pending(http, second) == [change]
    same_person = await actors.client("admin", person=admin.person)
    holder = await actors.client("admin", person=robbed.person)
    async with nothing_changed(runtime):
        assert await suspend_key(http, second, robbed) == change, "to revoke once more confirms nothing"
        for by in (admin, same_person, holder):
            refused(await confirm_change(http, by, change), 403, "four-eyes")
        refused(await confirm_change(http, robbed, change), 401, "unauthenticated")
        answer = await http.post(f"/v1/clients/{robbed.id}/confirmation", headers=second.headers)
        refused(answer, 409, "wrong-state")
    assert expect(await confirm_change(http, second, change), 201)["state"] == "confirmed"
    assert await key_states(http, admin, robbed) == {robbed.key_id: "revoked"}
    assert await pending(http, second) == []
    told = expect(await http.get("/v1/notices", headers=second.headers), 200)["items"]
    assert [(each["name"], each["change_id"], each["client_id"]) for each in told] == [
        ("change_proposed", change["id"], robbed.id),
        ("change_confirmed", change["id"], robbed.id),
    ]
    trail = expect(await http.get(f"/v1/audit?about={robbed.key_id}", headers=admin.headers), 200)["items"]
    acts = [(act["act"], act["client_id"]) for act in trail if act["client_id"] != "system"]
    assert sorted(acts) == sorted([("key.revoked", second.id), ("key.suspended", admin.id)])


async def test_ones_own_key_and_one_that_does_not_work_yet_end_at_once(http: AsyncClient, actors: Actors):
    admin, second = await actors.client("admin"), await actors.client("admin")
    waiting = expect(await http.post(f"/v1/clients/{second.id}/keys", headers=admin.headers), 201)
    path = f"/v1/clients/{second.id}/keys/{waiting['id']}"
    assert (await http.delete(path, headers=admin.headers)).status_code == 204
    assert (await http.delete(key_path(admin), headers=admin.headers)).status_code == 204
    assert not await admitted(http, admin.key)
    assert await pending(http, second) == []


async def test_the_holder_ends_a_suspended_key_by_the_other_one(http: AsyncClient, actors: Actors):
    admin, second, robbed = [await actors.client("admin") for _ in range(3)]
    fresh = expect(await http.post(f"/v1/clients/{robbed.id}/keys", headers=robbed.headers), 201)
    expect(await http.post(f"/v1/clients/{robbed.id}/confirmation", headers=second.headers), 201)
    change = await suspend_key(http, admin, robbed)
    assert await admitted(http, fresh["key"]), "the other key goes on"
    by_other = {"Authorization": f"Bearer {fresh['key']}"}
    assert (await http.delete(key_path(robbed), headers=by_other)).status_code == 204
    assert await pending(http, second) == []
    refused(await confirm_change(http, second, change), 409, "wrong-state")
    assert (await key_states(http, admin, robbed))[robbed.key_id] == "revoked"


async def test_a_suspended_key_counts_against_the_two_and_comes_back_by_no_route(
    http: AsyncClient, actors: Actors
):
    admin, second, robbed = [await actors.client("admin") for _ in range(3)]
    await suspend_key(http, admin, robbed)
    path = f"/v1/clients/{robbed.id}"
    waiting = expect(await http.post(f"{path}/keys", headers=admin.headers), 201)
    refused(await http.post(f"{path}/keys", headers=admin.headers), 409, "wrong-state")
    expect(await http.post(f"{path}/confirmation", headers=second.headers), 201)
    assert await key_states(http, admin, robbed) == {robbed.key_id: "suspended", waiting["id"]: "active"}
    assert not await admitted(http, robbed.key)


async def test_the_keys_of_a_suspended_admin_can_be_ended_by_two_only(http: AsyncClient, actors: Actors):
    admin, second, robbed = [await actors.client("admin") for _ in range(3)]
    account = expect(await http.delete(f"/v1/clients/{robbed.id}", headers=admin.headers), 202)
    key = await suspend_key(http, admin, robbed)
    expect(await confirm_change(http, second, account), 201)
    assert await key_states(http, admin, robbed) == {robbed.key_id: "revoked"}
    assert await pending(http, second) == [], "the account's end is the key's end"
    refused(await confirm_change(http, second, key), 409, "wrong-state")


async def test_other_clients_keys_end_at_once(http: AsyncClient, actors: Actors):
    admin, counter = await actors.client("admin"), await actors.client("checkpoint")
    assert (await http.delete(key_path(counter), headers=admin.headers)).status_code == 204
    assert not await admitted(http, counter.key)


async def test_the_command_line_gives_suspended_keys_back(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin, second, robbed = [await actors.client("admin") for _ in range(3)]
    change = await suspend_key(http, admin, robbed)
    async with runtime.writing(SYSTEM) as unit:
        await reinstate_client(unit, robbed.id)
    assert await admitted(http, robbed.key)
    refused(await confirm_change(http, second, change), 409, "wrong-state")
    with pytest.raises(WrongState):
        async with runtime.writing(SYSTEM) as unit:
            await reinstate_client(unit, robbed.id)
    await suspend_key(http, admin, robbed)
    async with runtime.writing(SYSTEM) as unit:
        await revoke_client(unit, robbed.id, final=True)
    assert await pending(http, second) == []


async def test_of_two_admins_who_revoke_each_others_keys_at_once_one_works_on(
    http: AsyncClient, actors: Actors
):
    one, other, third = [await actors.client("admin") for _ in range(3)]
    answers = await asyncio.gather(
        http.delete(key_path(other), headers=one.headers), http.delete(key_path(one), headers=other.headers)
    )
    assert {answer.status_code for answer in answers} <= {202, 401}
    for each in (one, other):
        assert (await key_states(http, third, each))[each.key_id] in {"active", "suspended"}


@pytest.mark.parametrize(
    "changed",
    [
        {"networks": []},
        {"roles": ["auditor"]},
        {"person": "1985"},
        {"kind": "counter"},
        {"agency": "IMIGRASI"},
        {"checkpoint": "CGK"},
        {"state": "active"},
        {"created_by": None},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_nothing_of_an_account_is_changed_by_any_call(
    http: AsyncClient, actors: Actors, runtime: Runtime, changed: Json
):
    admin = await actors.client("admin")
    client = await actors.client("checkpoint", kind="autogate", networks=["10.0.0.0/8"])
    body = expect(await http.get(f"/v1/clients/{client.id}", headers=admin.headers), 200) | changed
    async with nothing_changed(runtime):
        for method in ("PUT", "PATCH", "POST"):
            answer = await http.request(
                method, f"/v1/clients/{client.id}", json=body, headers=admin.on('"1"')
            )
            refused(answer, 405, "method-not-allowed")
        for word in ("reinstatement", "reinstate", "activation"):
            answer = await http.post(f"/v1/clients/{client.id}/{word}", headers=admin.headers)
            refused(answer, 404, "not-found")


async def test_a_keys_life_is_neither_longer_than_the_setting_nor_changed(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin = await actors.client("admin")
    path = f"/v1/clients/{admin.id}/keys"
    for end in (MORNING + timedelta(days=365, seconds=1), MORNING):
        async with nothing_changed(runtime):
            body = {"expires_at": end.isoformat()}
            told = refused(await http.post(path, json=body, headers=admin.headers), 422, "validation")
            assert told == {"/expires_at": "range"}
    async with nothing_changed(runtime):
        for method in ("PUT", "PATCH", "POST"):
            answer = await http.request(method, key_path(admin), json={}, headers=admin.on('"1"'))
            refused(answer, 405, "method-not-allowed")
