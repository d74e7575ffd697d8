"""What one admin alone can't do: close places, change the phone that counters call, end another admin."""

import asyncio
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.access.clients.revocations import reinstate_client, revoke_client
from app.access.domain import SYSTEM
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.admins import confirm_change, propose
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import expect

Json = dict[str, Any]
PHONE = {"phone": "+62 21 2557 8300"}
CLOSED = {"active": False}
CHANGES = [
    ("/v1/agencies/KPK", CLOSED, "agency_change"),
    ("/v1/agencies/KPK", PHONE, "agency_change"),
    ("/v1/checkpoints/CGK", CLOSED, "checkpoint_change"),
    ("/v1/offices/KANIM-BATAM", CLOSED, "office_change"),
]


async def admitted(http: AsyncClient, by: Caller) -> bool:
    """Whether a caller's key works."""
    return (await http.get("/v1/agencies", headers=by.headers)).status_code == 200


async def pending(http: AsyncClient, by: Caller) -> list[Json]:
    """What waits for a second admin."""
    items: list[Json] = expect(await http.get("/v1/pending-changes", headers=by.headers), 200)["items"]
    return items


@pytest.mark.parametrize(("path", "wanted", "kind"), CHANGES)
async def test_a_place_is_closed_and_a_phone_changed_only_by_two_admins(
    http: AsyncClient, actors: Actors, runtime: Runtime, path: str, wanted: Json, kind: str
):
    admin, second = await actors.client("admin"), await actors.client("admin", person="1985-01")
    before = await http.get(path, headers=admin.headers)
    change = await propose(http, admin, path, **wanted)
    unchanged = await http.get(path, headers=admin.headers)
    assert (unchanged.content, unchanged.headers["etag"]) == (before.content, before.headers["etag"])
    assert (change["kind"], change["about"], change["state"]) == (kind, path.rpartition("/")[2], "pending")
    assert change["wanted"] == {**before.json(), **wanted}
    assert (change["proposed_by"], change["confirmed_by"]) == (admin.id, None)
    for by in (second, await actors.client("auditor")):
        assert await pending(http, by) == [change]
    same_person = await actors.client("admin", person=admin.person)
    others = [await actors.client(role) for role in ("auditor", "approver", "submitter")]
    async with nothing_changed(runtime):
        for by in (admin, same_person):
            refused(await confirm_change(http, by, change), 403, "four-eyes")
        for by in others:
            refused(await confirm_change(http, by, change), 403, "wrong-role")
        refused(await confirm_change(http, second, {"id": "chg_none"}), 404, "not-found")
    confirmed = expect(await confirm_change(http, second, change), 201)
    assert (confirmed["state"], confirmed["confirmed_by"]) == ("confirmed", second.id)
    after = await http.get(path, headers=admin.headers)
    assert after.json() == change["wanted"]
    assert after.headers["etag"].startswith('"2-')
    assert await pending(http, admin) == []
    refused(await confirm_change(http, second, change), 409, "wrong-state")
    trail = expect(await http.get("/v1/audit", headers=admin.headers), 200)["items"]
    acts = [(act["act"], act["client_id"]) for act in trail if act["client_id"] != "system"]
    assert set(acts) == {
        ("change.proposed", admin.id),
        ("change.confirmed", second.id),
        (f"{kind.removesuffix('_change')}.changed", second.id),
    }


async def test_other_changes_of_a_place_need_one_admin(http: AsyncClient, actors: Actors):
    admin = await actors.client("admin")
    body = {"name": "Pos Baru", "mode": "land", "zone": "Asia/Makassar", "active": False}
    expect(await http.put("/v1/checkpoints/NEW", json=body, headers=admin.headers), 201)
    opened = {**body, "active": True}
    expect(await http.put("/v1/checkpoints/NEW", json=opened, headers=admin.on('"1"')), 200)
    renamed = {**opened, "name": "Pos Lain"}
    expect(await http.put("/v1/checkpoints/NEW", json=renamed, headers=admin.on('"2"')), 200)
    assert await pending(http, admin) == []


async def test_a_change_that_waits_is_dropped_by_what_happens_to_its_place_meanwhile(
    http: AsyncClient, actors: Actors
):
    path = "/v1/checkpoints/CGK"
    admin, second = await actors.client("admin"), await actors.client("admin")
    first = await propose(http, admin, path, active=False)
    again = await propose(http, admin, path, active=False, name="Soekarno")
    assert await pending(http, admin) == [again]
    refused(await confirm_change(http, second, first), 409, "wrong-state")
    read = await http.get(path, headers=admin.headers)
    renamed = {name: value for name, value in read.json().items() if name != "code"} | {"city": "Tangerang"}
    expect(await http.put(path, json=renamed, headers=admin.on(read.headers["etag"])), 200)
    assert await pending(http, admin) == []
    refused(await confirm_change(http, second, again), 409, "wrong-state")
    assert expect(await http.get(path, headers=admin.headers), 200)["city"] == "Tangerang"


async def told(http: AsyncClient, by: Caller) -> list[tuple[str, str | None, str | None, str | None]]:
    """What a caller's notices say of second admins: name, change, account, agency."""
    items = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [(each["name"], each["change_id"], each["client_id"], each["agency"]) for each in items]


@pytest.mark.parametrize(
    ("path", "wanted", "agency", "to", "not_to"),
    [
        ("/v1/agencies/KPK", PHONE, "KPK", ("submitter", "KPK"), ("submitter", "BNN")),
        ("/v1/offices/KANIM-BATAM", CLOSED, "IMIGRASI", ("duty_officer", None), ("verifier", "KPK")),
        ("/v1/checkpoints/CGK", CLOSED, None, ("supervisor", None), ("submitter", "KPK")),
    ],
)
async def test_all_admins_and_whom_it_concerns_are_told_of_a_change_and_its_confirmation(
    http: AsyncClient,
    actors: Actors,
    path: str,
    wanted: Json,
    agency: str | None,
    to: tuple[str, str | None],
    not_to: tuple[str, str | None],
):
    admin, second, third = [await actors.client("admin") for _ in range(3)]
    officer, other = [await actors.client(role, agency=of) for role, of in (to, not_to)]
    change = await propose(http, admin, path, **wanted)
    expect(await confirm_change(http, second, change), 201)
    both = [(name, change["id"], None, agency) for name in ("change_proposed", "change_confirmed")]
    for by in (admin, second, third, officer):
        assert await told(http, by) == both
    assert await told(http, other) == []


async def test_all_admins_and_the_agency_are_told_of_an_account_a_key_and_a_suspension(
    http: AsyncClient, actors: Actors
):
    admin, second, third = [await actors.client("admin") for _ in range(3)]
    officer = await actors.client("submitter")
    body = {"name": "b", "roles": ["verifier"], "agency": "KPK", "person": "197001011990011001"}
    client = expect(await http.post("/v1/clients", json=body, headers=admin.headers), 201)["id"]
    path = f"/v1/clients/{client}"
    for _ in range(2):
        expect(await http.post(f"{path}/keys", headers=admin.headers), 201)
        expect(await http.post(f"{path}/confirmation", headers=second.headers), 201)
    steps = [(f"change_{step}", None, client, "KPK") for step in ("proposed", "confirmed")]
    assert await told(http, officer) == await told(http, third) == [*steps, *steps]
    change = await suspend(http, admin, second)
    assert (await told(http, third))[4:] == [("change_proposed", change["id"], second.id, None)]
    assert len(await told(http, officer)) == 4


async def test_what_needs_no_second_admin_is_no_notice(http: AsyncClient, actors: Actors):
    admin = await actors.client("admin")
    body = {"name": "counter", "roles": ["checkpoint"], "kind": "counter", "checkpoint": "CGK"}
    client = expect(await http.post("/v1/clients", json=body, headers=admin.headers), 201)["id"]
    expect(await http.post(f"/v1/clients/{client}/keys", headers=admin.headers), 201)
    assert await told(http, admin) == []


async def suspend(http: AsyncClient, by: Caller, admin: Caller) -> Json:
    """The revocation of an admin that waits for a second one."""
    return expect(await http.delete(f"/v1/clients/{admin.id}", headers=by.headers), 202)


async def state_of(http: AsyncClient, by: Caller, client: Caller) -> str:
    """A client's state."""
    return str(expect(await http.get(f"/v1/clients/{client.id}", headers=by.headers), 200)["state"])


async def test_revoking_an_admin_suspends_at_once_and_is_final_on_confirmation(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin, second, revoked = [await actors.client("admin") for _ in range(3)]
    change = await suspend(http, admin, revoked)
    assert (change["kind"], change["about"], change["wanted"]) == ("admin_revocation", revoked.id, None)
    assert await state_of(http, admin, revoked) == "suspended"
    assert not await admitted(http, revoked)
    refused(await confirm_change(http, revoked, change), 401, "unauthenticated")
    holder = await actors.client("admin", person=revoked.person)
    same_person = await actors.client("admin", person=admin.person)
    async with nothing_changed(runtime):
        assert await suspend(http, second, revoked) == change, "to revoke once more confirms nothing"
        for by in (admin, holder, same_person):
            refused(await confirm_change(http, by, change), 403, "four-eyes")
        for path in ("keys", "confirmation"):
            answer = await http.post(f"/v1/clients/{revoked.id}/{path}", headers=second.headers)
            refused(answer, 409, "wrong-state")
    assert expect(await confirm_change(http, second, change), 201)["state"] == "confirmed"
    assert await state_of(http, admin, revoked) == "revoked"
    assert not await admitted(http, revoked)
    assert (await http.delete(f"/v1/clients/{revoked.id}", headers=second.headers)).status_code == 204


async def test_a_suspended_admin_confirms_nothing_by_another_account_either(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin, suspended = await actors.client("admin"), await actors.client("admin")
    other_account = await actors.client("admin", person=suspended.person)
    closing = await propose(http, admin, "/v1/checkpoints/CGK", active=False)
    auditor = {"name": "a", "roles": ["auditor"], "person": "197001011990011001"}
    client = expect(await http.post("/v1/clients", json=auditor, headers=admin.headers), 201)
    await suspend(http, admin, suspended)
    async with nothing_changed(runtime):
        refused(await confirm_change(http, other_account, closing), 403, "wrong-role")
        path = f"/v1/clients/{client['id']}/confirmation"
        refused(await http.post(path, headers=other_account.headers), 403, "wrong-role")


async def test_of_two_admins_who_revoke_each_other_at_once_neither_ends_the_other(
    http: AsyncClient, actors: Actors
):
    one, other, third = [await actors.client("admin") for _ in range(3)]
    closing = await propose(http, third, "/v1/checkpoints/CGK", active=False)
    await asyncio.gather(
        http.delete(f"/v1/clients/{other.id}", headers=one.headers),
        http.delete(f"/v1/clients/{one.id}", headers=other.headers),
        confirm_change(http, other, closing),
    )
    states = {await state_of(http, third, each) for each in (one, other)}
    assert states <= {"suspended", "active"}
    assert "suspended" in states


async def test_an_admin_who_never_worked_is_revoked_at_once(http: AsyncClient, actors: Actors):
    admin = await actors.client("admin")
    body = {"name": "a", "roles": ["admin"], "person": "197001011990011001"}
    client = expect(await http.post("/v1/clients", json=body, headers=admin.headers), 201)
    assert (await http.delete(f"/v1/clients/{client['id']}", headers=admin.headers)).status_code == 204
    assert await pending(http, admin) == []


async def test_the_command_line_needs_no_second_and_is_recorded(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin, first, other = [await actors.client("admin") for _ in range(3)]
    changes = [await suspend(http, admin, each) for each in (first, other)]
    async with runtime.writing(SYSTEM) as unit:
        await reinstate_client(unit, first.id)
    async with runtime.writing(SYSTEM) as unit:
        assert await revoke_client(unit, other.id, final=True) is None
    assert await admitted(http, first)
    assert await state_of(http, admin, other) == "revoked"
    assert await pending(http, admin) == []
    for change in changes:
        refused(await confirm_change(http, first, change), 409, "wrong-state")
    for act, client in (("client.reinstated", first), ("client.revoked", other)):
        trail = expect(await http.get(f"/v1/audit?act={act}", headers=admin.headers), 200)["items"]
        assert [(each["object"], each["client_id"]) for each in trail] == [(client.id, "system")]
