"""Sealed entries of a case: acts end them too, and refusals do not give them away (R61; API section 3)."""

import pytest

from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.admins import change_place
from tests.support.bodies import entry_body, revocation_body
from tests.support.clock import SettableClock
from tests.support.offices import Offices, acquittal, same_case
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json

SECOND = {"starts_on": "2027-05-24", "ends_on": "2027-11-23"}


@pytest.fixture
async def inside(kpk: Offices, actors: Actors) -> Offices:
    """Officers that are named in an entry's seal."""
    return await Offices.opened(kpk.http, actors)


def sealed(body: Json, inside: Offices) -> Json:
    """The same request, sealed for some officers."""
    officers = (inside.verifier, inside.approver, inside.second)
    return {**body, "sealed_for": [officer.person for officer in officers]}


async def test_to_whoever_may_not_see_a_sibling_a_duplicate_has_no_id(
    kpk: Offices, inside: Offices, runtime: Runtime
):
    body = entry_body()
    entry = await inside.impose(sealed(body, inside))
    async with nothing_changed(runtime):
        refused(await inside.try_submit(same_case(body)), 409, "duplicate-entry")
    seen = await inside.try_submit(same_case(body))
    assert seen.json()["entry_id"] == entry["id"]
    answer = await kpk.try_submit(same_case(body))
    refused(answer, 409, "duplicate-entry")
    assert "entry_id" not in answer.json()
    assert entry["id"] not in answer.text


async def test_to_whoever_may_not_see_a_sibling_a_closed_case_has_no_id_and_no_judgment(
    kpk: Offices, inside: Offices
):
    body = entry_body()
    entry = await inside.impose(sealed(body, inside))
    filed = acquittal(entry)
    await inside.amend(entry, filed)
    seen = await inside.try_submit(same_case(body))
    refused(seen, 409, "case-closed")
    assert (seen.json()["entry_id"], seen.json()["judgment"]["number"]) == (
        entry["id"],
        filed["judgment"]["number"],
    )
    answer = await kpk.try_submit(same_case(body))
    refused(answer, 409, "case-closed")
    assert {"entry_id", "judgment"} & set(answer.json()) == set()
    assert filed["judgment"]["number"] not in answer.text


async def test_the_persons_of_the_seal_are_notified_who_asked(kpk: Offices, inside: Offices):
    body = entry_body()
    entry = await inside.impose(sealed(body, inside))
    before = len(await inside.tasks(inside.verifier))
    refused(await kpk.try_submit(same_case(body)), 409, "duplicate-entry")
    told = await inside.tasks(inside.verifier)
    assert len(told) == before + 1
    assert [item["entry_id"] for item in told if item["kind"] == "notice"] == [entry["id"]]
    assert all(item["entry_id"] != entry["id"] for item in await kpk.tasks(kpk.verifier))


@pytest.mark.parametrize("kind", ["acquittal", "revocation"])
async def test_an_act_ends_sealed_siblings_too_unnamed(
    kpk: Offices, inside: Offices, clock: SettableClock, kind: str
):
    body = entry_body()
    entry = await kpk.impose(body)
    hidden = await inside.impose(sealed(same_case(body, **SECOND), inside))
    amendment = await kpk.file(entry, acquittal(entry) if kind == "acquittal" else revocation_body(entry))
    assert amendment["ends"] == [entry["id"]]
    known = await kpk.read(amendment, inside.approver)
    assert known["ends"] == sorted([entry["id"], hidden["id"]])
    assert (await kpk.read(amendment, kpk.submitter))["ends"] == [entry["id"]]
    await kpk.decide(amendment, "verify")
    await kpk.decide(amendment, "approve")
    ended = await kpk.read(hidden, inside.approver)
    assert ended["ended_reason"] in {"acquitted", "revoked"}
    clock.set("2027-05-24T09:00:00+07:00")
    assert await kpk.action(body["subject"]) == "allow"


async def test_neither_a_seal_nor_an_agency_made_inactive_ends_anything(
    kpk: Offices, inside: Offices, actors: Actors
):
    entry = await kpk.impose(entry_body())
    path = f"/v1/entries/{entry['id']}/seal"
    persons = {"persons": [inside.verifier.person, inside.approver.person]}
    answer = await kpk.http.put(path, json=persons, headers=kpk.submitter.on(f'"{entry["version"]}"'))
    assert answer.status_code == 200
    assert await kpk.action(entry["subject"]) == "refuse_exit"
    assert not (await change_place(kpk.http, actors, "/v1/agencies/KPK", active=False))["active"]
    assert await kpk.action(entry["subject"]) == "refuse_exit"
    assert (await kpk.read(entry, inside.approver))["state"] == "active"
