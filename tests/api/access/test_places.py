"""Agencies and checkpoints: changed only by who has read them, added once."""

import asyncio
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import expect

AGENCY = {
    "name_id": "Badan Baru",
    "name_en": "New Body",
    "basis": "UU 6/2011 Art. 91(2)f",
    "legal_forms": ["request"],
}
CHECKPOINT = {"name": "Pos Lintas Batas Baru", "mode": "land", "zone": "Asia/Makassar"}
PLACES = [("/v1/agencies/KPK", "name_en"), ("/v1/checkpoints/CGK", "name")]
NEW = [("/v1/agencies/NEW", AGENCY), ("/v1/checkpoints/NEW", CHECKPOINT)]


@pytest.mark.parametrize(("path", "member"), PLACES)
async def test_a_place_is_changed_only_by_who_has_read_it(
    http: AsyncClient, actors: Actors, runtime: Runtime, path: str, member: str
):
    admin = await actors.client("admin")
    read = await http.get(path, headers=admin.headers)
    first = read.headers["etag"]
    assert first.startswith('"1-')
    place = {name: value for name, value in read.json().items() if name != "code"}
    wanted = {**place, member: "Another name"}
    async with nothing_changed(runtime):
        refused(await http.put(path, json=wanted, headers=admin.headers), 428, "version-required")
        refused(await http.put(path, json=wanted, headers=admin.on("*")), 428, "version-required")
        refused(await http.put(path, json=wanted, headers=admin.on('"7"')), 412, "stale-version")
        refused(await http.put(path, json=wanted, headers=admin.on(f"W/{first}")), 412, "stale-version")
    changed = await http.put(path, json=wanted, headers=admin.on(first))
    assert expect(changed, 200)[member] == "Another name"
    second = changed.headers["etag"]
    assert second.startswith('"2-')
    stale = await http.put(path, json=place, headers=admin.on(first))
    refused(stale, 412, "stale-version")
    assert stale.json()["version"] == 2
    again = await http.get(path, headers=admin.headers)
    assert (again.headers["etag"], again.json()[member]) == (second, "Another name")


@pytest.mark.parametrize(("path", "member"), PLACES)
async def test_a_copy_that_is_still_good_is_not_sent_again(
    http: AsyncClient, actors: Actors, path: str, member: str
):
    counter = await actors.client("checkpoint")
    tag = (await http.get(path, headers=counter.headers)).headers["etag"]
    same = await http.get(path, headers={**counter.headers, "If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    other = await http.get(path, headers={**counter.headers, "If-None-Match": '"9-0"'})
    assert member in expect(other, 200)


@pytest.mark.parametrize(("path", "body"), NEW)
async def test_a_new_place_is_added_once(
    http: AsyncClient, actors: Actors, runtime: Runtime, path: str, body: dict[str, Any]
):
    admin = await actors.client("admin")
    async with nothing_changed(runtime):
        refused(await http.put(path, json=body, headers=admin.on('"1"')), 412, "stale-version")
    added = await http.put(path, json=body, headers=admin.headers)
    expect(added, 201)
    assert added.headers["location"] == path
    read = await http.get(path, headers=admin.headers)
    assert (read.json(), read.headers["etag"]) == (added.json(), added.headers["etag"])
    refused(await http.put(path, json=body, headers=admin.headers), 428, "version-required")


@pytest.mark.parametrize(("path", "body"), NEW)
async def test_of_two_admins_who_add_the_same_one_is_first(
    http: AsyncClient, actors: Actors, path: str, body: dict[str, Any]
):
    admins = [await actors.client("admin") for _ in range(4)]
    answers = await asyncio.gather(*(http.put(path, json=body, headers=by.headers) for by in admins))
    assert sorted(answer.status_code for answer in answers) == [201, 428, 428, 428]


@pytest.mark.parametrize(("path", "member"), PLACES)
async def test_of_two_admins_who_change_the_same_version_one_is_first(
    http: AsyncClient, actors: Actors, path: str, member: str
):
    admins = [await actors.client("admin") for _ in range(4)]
    read = await http.get(path, headers=admins[0].headers)
    place = {name: value for name, value in read.json().items() if name != "code"}
    answers = await asyncio.gather(
        *(http.put(path, json={**place, member: by.id}, headers=by.on(read.headers["etag"])) for by in admins)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
