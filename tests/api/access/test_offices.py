"""Offices: loaded once, described by admins, and whose people belong to them."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from app.access.places.reference import load_offices
from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import expect

POLDA = {"agency": "POLRI", "name": "Polda Kepulauan Riau", "city": "Batam", "province": "Kepulauan Riau"}
PATH = "/v1/offices/POLDA-KEPRI"


async def test_the_immigration_offices_are_there_for_everybody_to_read(http: AsyncClient, actors: Actors):
    counter = await actors.client("checkpoint")
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = expect(await http.get(f"/v1/offices?limit=100{cursor}", headers=counter.headers), 200)
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert {office["code"] for office in seen} == {office.code for office in load_offices()}
    assert {office["agency"] for office in seen} == {"IMIGRASI"}
    near = expect(
        await http.get("/v1/offices", params={"province": "Kepulauan Riau"}, headers=counter.headers), 200
    )["items"]
    assert [office for office in seen if office["province"] == "Kepulauan Riau"] == near != []
    none = await http.get("/v1/offices", params={"agency": "POLRI"}, headers=counter.headers)
    assert expect(none, 200)["items"] == []


async def test_an_admin_adds_an_office_and_changes_it_once_read(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin = await actors.client("admin")
    added = await http.put(PATH, json=POLDA, headers=admin.headers)
    assert expect(added, 201) == {"code": "POLDA-KEPRI", "active": True, **POLDA}
    assert added.headers["location"] == PATH
    read = await http.get(PATH, headers=admin.headers)
    assert (read.json(), read.headers["etag"]) == (added.json(), added.headers["etag"])
    same = await http.get(PATH, headers={**admin.headers, "If-None-Match": read.headers["etag"]})
    assert same.status_code == 304
    async with nothing_changed(runtime):
        refused(await http.put(PATH, json=POLDA, headers=admin.headers), 428, "version-required")
        refused(await http.put(PATH, json=POLDA, headers=admin.on('"2"')), 412, "stale-version")
    moved = {**POLDA, "city": "Tanjungpinang"}
    changed = await http.put(PATH, json=moved, headers=admin.on(read.headers["etag"]))
    assert expect(changed, 200)["city"] == "Tanjungpinang"
    assert changed.headers["etag"] != read.headers["etag"]


async def test_an_office_that_can_not_be_is_refused(http: AsyncClient, actors: Actors, runtime: Runtime):
    admin = await actors.client("admin")
    others = [await actors.client(role) for role in ("auditor", "approver", "submitter")]
    async with nothing_changed(runtime):
        for wrong, pointer in (
            ({"agency": "NSA"}, "/agency"),
            ({"province": "Atlantis"}, "/province"),
            ({"name": ""}, "/name"),
            ({"code": "X"}, "/code"),
        ):
            answer = await http.put(PATH, json={**POLDA, **wrong}, headers=admin.headers)
            assert list(refused(answer, 422, "validation")) == [pointer]
        stolen = await http.put("/v1/offices/KANIM-BATAM", json=POLDA, headers=admin.on('"1"'))
        assert refused(stolen, 422, "validation") == {"/agency": "fixed"}
        for by in others:
            refused(await http.put(PATH, json=POLDA, headers=by.headers), 403, "wrong-role")
        assert (await http.get("/v1/offices/NOWHERE", headers=admin.headers)).status_code == 404


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"office": "KANIM-NOWHERE"}, "unknown"),
        ({"office": "KANIM-BATAM", "agency": "KPK"}, "unknown"),
        ({"office": None, "roles": ["timpora"]}, "required"),
    ],
)
async def test_a_clients_office_is_one_of_its_agency(
    http: AsyncClient, actors: Actors, runtime: Runtime, given: dict[str, Any], code: str
):
    admin = await actors.client("admin")
    body = {"name": "desk", "roles": ["submitter"], "agency": "IMIGRASI", "person": "197001011990011001"}
    async with nothing_changed(runtime):
        answer = await http.post("/v1/clients", json={**body, **given}, headers=admin.headers)
        assert refused(answer, 422, "validation") == {"/office": code}
    known = {**body, "office": "KANIM-BATAM"}
    assert expect(await http.post("/v1/clients", json=known, headers=admin.headers), 201)["office"]


async def test_nobody_joins_an_office_that_is_closed(http: AsyncClient, actors: Actors):
    admin = await actors.client("admin")
    expect(await http.put(PATH, json={**POLDA, "active": False}, headers=admin.headers), 201)
    body = {"name": "desk", "roles": ["submitter"], "agency": "POLRI", "person": "197001011990011001"}
    answer = await http.post("/v1/clients", json={**body, "office": "POLDA-KEPRI"}, headers=admin.headers)
    assert refused(answer, 422, "validation") == {"/office": "unknown"}


async def test_a_team_needs_an_office_whose_province_is_known(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    admin = await actors.client("admin")
    expect(await http.put(PATH, json={**POLDA, "province": None}, headers=admin.headers), 201)
    body = {
        "name": "team",
        "roles": ["timpora"],
        "agency": "POLRI",
        "office": "POLDA-KEPRI",
        "person": "197001011990011001",
    }
    async with nothing_changed(runtime):
        answer = await http.post("/v1/clients", json=body, headers=admin.headers)
        assert refused(answer, 422, "validation") == {"/office": "no_province"}
    expect(await http.put(PATH, json=POLDA, headers=admin.on('"1"')), 200)
    client = expect(await http.post("/v1/clients", json=body, headers=admin.headers), 201)
    assert (client["state"], client["roles"]) == ("active", ["timpora"]), "it decides nothing"
