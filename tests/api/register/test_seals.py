"""Sealed entries: seen by the persons they name, by their authors and by auditors only (R61)."""

from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import entry_body
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, decide, etag, expect, submit
from tests.support.takeovers import TWO, line, ndjson, taken

OFFICER = "Wirabumi Kertanegara Sasmita"
CARD = {"type": "other", "number": "19.850315 201001 2 001", "issuing_state": "IDN"}


async def team(actors: Actors) -> list[Caller]:
    """A submitter, a verifier and an approver."""
    return [await actors.client(role) for role in ("submitter", "verifier", "approver")]


async def sees(http: AsyncClient, by: Caller, body: Json, entry: Json) -> dict[str, bool]:
    """By which ways somebody gets to know of an entry."""
    path = f"/v1/entries/{entry['id']}"
    asked = {
        way: (await http.get(path + way, headers=by.headers)).status_code
        for way in ("", "/history", "/photo", "/amendments")
    }
    assert set(asked.values()) <= {200, 404}
    found = {way or "read": status == 200 for way, status in asked.items()}
    listed = expect(await http.get("/v1/entries", headers=by.headers), 200)["items"]
    found["list"] = entry["id"] in {each["id"] for each in listed}
    looked = {"name": body["subject"]["full_name"]}
    searched = expect(await http.post("/v1/entries/search", json=looked, headers=by.headers), 200)["items"]
    found["search"] = entry["id"] in {each["id"] for each in searched}
    return found


async def tasks(http: AsyncClient, by: Caller) -> set[str]:
    """The entries of which somebody's worklist tells."""
    items = expect(await http.get("/v1/worklist", headers=by.headers), 200)["items"]
    return {item["entry_id"] for item in items}


async def put_seal(http: AsyncClient, by: Caller, entry: Json, persons: list[str | None]) -> Any:
    """The answer to a change of a seal that may be refused."""
    path = f"/v1/entries/{entry['id']}/seal"
    return await http.put(path, json={"persons": persons}, headers=by.on(etag(entry)))


async def test_only_those_who_are_named_see_a_sealed_entry_and_four_eyes_still_decide(
    http: AsyncClient, actors: Actors
):
    submitter, verifier, approver = await team(actors)
    outsiders = [await actors.client(role) for role in ("submitter", "verifier", "approver", "duty_officer")]
    auditor = await actors.client("auditor")
    body = entry_body(sealed_for=[verifier.person, approver.person])
    entry = await submit(http, submitter, body)
    assert entry["sealed_for"] == sorted([verifier.person, approver.person])
    assert entry["warnings"] == []
    for insider in (submitter, verifier, approver, auditor):
        assert set((await sees(http, insider, body, entry)).values()) == {True}
    for outsider in outsiders:
        assert set((await sees(http, outsider, body, entry)).values()) == {False}
        assert entry["id"] not in await tasks(http, outsider)
        if outsider.agency == "KPK":
            refused(await put_seal(http, outsider, entry, [outsider.person]), 404, "not-found")
    path, verdict = f"/v1/entries/{entry['id']}/decisions", {"verdict": "verify"}
    for outsider in outsiders[1:]:
        refused(await http.post(path, json=verdict, headers=outsider.on(etag(entry))), 404, "not-found")
    assert entry["id"] in await tasks(http, verifier)
    entry = await decide(http, verifier, entry, "verify")
    assert entry["id"] in await tasks(http, approver)
    assert entry["id"] not in await tasks(http, outsiders[2])
    entry = await decide(http, approver, entry, "approve")
    assert (entry["state"], entry["in_force"]) == ("active", True)
    amendment = {
        "kind": "revocation",
        "reason": "Over.",
        "letter": {"number": "R-9", "issued_on": "2026-11-23"},
    }
    amendments = f"/v1/entries/{entry['id']}/amendments"
    for outsider in (outsiders[0], outsiders[2]):
        answer = await http.post(amendments, json=amendment, headers=outsider.on(etag(entry)))
        refused(answer, 404, "not-found")


async def test_a_person_is_named_by_a_number_with_its_label_too(http: AsyncClient, actors: Actors):
    submitter, verifier, approver = await team(actors)
    labelled = [f"NIP.{verifier.person}", f"NRP/{approver.person}"]
    entry = await submit(http, submitter, entry_body(sealed_for=labelled))
    assert entry["sealed_for"] == sorted([verifier.person, approver.person])
    entry = expect(await put_seal(http, submitter, entry, labelled[:1]), 200)
    assert entry["sealed_for"] == [verifier.person]
    assert (await decide(http, verifier, entry, "verify"))["state"] == "verified"


async def test_an_import_admits_its_approvers_and_those_it_names_as_their_accounts_have_them(
    http: AsyncClient, actors: Actors, runtime: Runtime, tmp_path: Path
):
    approver = await actors.client("approver", person=f"NIP.{TWO.first}")
    verifier = await actors.client("verifier")
    sealed = line(entry={"sealed_for": [f"NIP.{verifier.person}"]})
    assert (await taken(runtime, ndjson(tmp_path, sealed)))["added"] == 1
    for by in (approver, verifier):
        [entry] = expect(await http.get("/v1/entries", headers=by.headers), 200)["items"]
        assert {f"NIP{TWO.first}", verifier.person} <= {*entry["sealed_for"]}


async def test_an_entry_without_a_seal_says_so(http: AsyncClient, actors: Actors):
    assert (await submit(http, await actors.client("submitter")))["sealed_for"] is None


@pytest.mark.parametrize(
    ("subject", "client"),
    [
        ({"full_name": "SASMITA, Kertanegara Wirabumi"}, {"name": OFFICER}),
        ({"aliases": [{"name": OFFICER.upper(), "quality": "good"}]}, {"name": f"Dr. {OFFICER}, S.H."}),
        ({"documents": [CARD]}, {"person": "19850315.201001-2001"}),
        ({"documents": [{**CARD, "number": "NIP. 19850315 201001 2 001"}]}, {"person": "198503152010012001"}),
        ({"documents": [CARD]}, {"person": "NIP.198503152010012001"}),
    ],
)
async def test_the_register_seals_by_itself_what_is_about_its_own_people(
    http: AsyncClient, actors: Actors, subject: Json, client: dict[str, str]
):
    await actors.client("supervisor", **client)
    submitter, verifier, approver = await team(actors)
    body = entry_body(subject=subject)
    entry = await submit(http, submitter, body)
    assert entry["sealed_for"] == []
    warned = [(each["code"], each["pointer"]) for each in entry["warnings"]]
    assert ("sealed", "/subject") in warned
    assert set((await sees(http, verifier, body, entry)).values()) == {False}
    changed = await put_seal(http, submitter, entry, [verifier.person, approver.person])
    entry = expect(changed, 200)
    assert changed.headers["etag"].startswith(f'"{entry["version"]}-')
    assert entry["sealed_for"] == sorted([verifier.person, approver.person])
    entry = await decide(http, verifier, entry, "verify")
    entry = await decide(http, approver, entry, "approve")
    assert entry["state"] == "active"
    history = await http.get(f"/v1/entries/{entry['id']}/history", headers=approver.headers)
    assert [step["event"] for step in expect(history, 200)["items"]] == [
        "submitted",
        "sealed",
        "verified",
        "approved",
    ]


async def test_a_revoked_account_is_an_officers_still_and_a_machine_is_nobody(
    http: AsyncClient, actors: Actors
):
    admin, former = await actors.client("admin"), await actors.client("supervisor", name=OFFICER)
    await actors.client("checkpoint", name="Gerbang Utama Selatan")
    assert (await http.delete(f"/v1/clients/{former.id}", headers=admin.headers)).status_code == 204
    submitter = await actors.client("submitter")
    sealed = await submit(http, submitter, entry_body(subject={"full_name": OFFICER}))
    assert sealed["sealed_for"] == []
    plain = await submit(http, submitter, entry_body(subject={"full_name": "Gerbang Utama Selatan"}))
    assert plain["sealed_for"] is None


async def test_a_seal_is_changed_by_authors_and_named_persons_on_the_version_they_have_read(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter, verifier, approver = await team(actors)
    colleague = await actors.client("submitter")
    entry = await submit(http, submitter)
    path = f"/v1/entries/{entry['id']}/seal"
    body = {"persons": [verifier.person]}
    async with nothing_changed(runtime):
        refused(await http.put(path, json=body, headers=submitter.headers), 428, "version-required")
        refused(await http.put(path, json=body, headers=submitter.on('"7"')), 412, "stale-version")
        refused(await put_seal(http, colleague, entry, [colleague.person]), 403, "wrong-role")
        refused(await put_seal(http, approver, entry, [approver.person]), 403, "wrong-role")
    entry = expect(await put_seal(http, submitter, entry, [verifier.person]), 200)
    entry = expect(await put_seal(http, verifier, entry, [approver.person]), 200)
    assert entry["sealed_for"] == [approver.person]
    refused(await put_seal(http, verifier, entry, [verifier.person]), 404, "not-found")
    assert expect(await http.get(f"/v1/entries/{entry['id']}", headers=submitter.headers), 200)
    trail = await http.get(
        "/v1/audit", params={"act": "entry.sealed"}, headers=(await actors.client("auditor")).headers
    )
    acts = expect(trail, 200)["items"]
    assert {act["object"] for act in acts} == {entry["id"]}
    assert {act["client_id"]: act["detail"]["persons"] for act in acts} == {
        verifier.id: [approver.person],
        submitter.id: [verifier.person],
    }


async def test_an_entry_is_sealed_for_somebody_known_and_never_for_its_subject(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter, verifier, _ = await team(actors)
    namesake = await actors.client("verifier", name=OFFICER)
    numbered = await actors.client("verifier", person="198503152010012001")
    person = {"full_name": OFFICER, "documents": [CARD]}
    entry = await submit(http, submitter, entry_body(subject=person))
    refusals = [
        ([], {"": "too_short"}),
        (["no such person"], {"/0": "pattern"}),
        ([verifier.person, "196001011980011001"], {"/1": "unknown"}),
        ([namesake.person], {"/0": "subject"}),
        ([verifier.person, numbered.person], {"/1": "subject"}),
    ]
    async with nothing_changed(runtime):
        for persons, faults in refusals:
            told = refused(await put_seal(http, submitter, entry, persons), 422, "validation")
            assert set(told) == {f"/persons{pointer}" for pointer in faults}
            wished = entry_body(subject=person, sealed_for=persons)
            told = refused(
                await http.post("/v1/entries", json=wished, headers=submitter.headers), 422, "validation"
            )
            assert set(told) == {f"/sealed_for{pointer}" for pointer in faults}
            meant = {at: code for at, code in faults.items() if code in {"unknown", "subject"}}
            assert {at: told[f"/sealed_for{at}"] for at in meant} == meant


async def test_a_number_may_be_written_as_people_write_it(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter")
    verifier = await actors.client("verifier", person="1985.0315/2010-xy")
    entry = await submit(http, submitter, entry_body(sealed_for=["19850315-2010.XY"]))
    assert entry["sealed_for"] == ["198503152010XY"]
    assert (await http.get(f"/v1/entries/{entry['id']}", headers=verifier.headers)).status_code == 200


async def test_a_resubmission_keeps_the_seal_and_who_wrote_before(http: AsyncClient, actors: Actors):
    submitter, verifier, _ = await team(actors)
    second = await actors.client("submitter")
    stranger = await actors.client("verifier")
    body = entry_body(sealed_for=[verifier.person, second.person])
    entry = await decide(http, verifier, await submit(http, submitter, body), "return", "Illegible.")
    path = f"/v1/entries/{entry['id']}"
    plain = {name: value for name, value in body.items() if name != "sealed_for"}
    entry = expect(await http.put(path, json=plain, headers=second.on(etag(entry))), 200)
    assert set(entry["sealed_for"]) == {verifier.person, second.person, submitter.person}
    for by, status in ((submitter, 200), (verifier, 200), (stranger, 404)):
        assert (await http.get(path, headers=by.headers)).status_code == status


async def test_what_is_sealed_is_not_told_by_its_duplicates(http: AsyncClient, actors: Actors):
    submitter, verifier, _ = await team(actors)
    colleague = await actors.client("submitter")
    body = entry_body(sealed_for=[verifier.person])
    entry = await submit(http, submitter, body)
    plain = {name: value for name, value in body.items() if name != "sealed_for"}
    answer = await http.post("/v1/entries", json=plain, headers=colleague.headers)
    refused(answer, 409, "duplicate-entry")
    assert entry["id"] not in answer.text
    answer = await http.post("/v1/entries", json=plain, headers=submitter.headers)
    assert entry["id"] in answer.text
    namesake = entry_body(
        subject={"full_name": body["subject"]["full_name"], "birth": {"date": "1931-01-01"}}
    )
    assert entry["id"] not in str(await submit(http, colleague, namesake))


async def test_whoever_looks_for_their_own_name_is_put_on_record(http: AsyncClient, actors: Actors):
    officer, other = await actors.client("submitter", name=OFFICER), await actors.client("submitter")
    for by, name in ((officer, "sasmita WIRABUMI kertanegara"), (officer, "Raka"), (other, OFFICER)):
        expect(await http.post("/v1/entries/search", json={"name": name}, headers=by.headers), 200)
    by_number = {"document": "X1234567"}
    expect(await http.post("/v1/entries/search", json=by_number, headers=officer.headers), 200)
    trail = await http.get(
        "/v1/audit", params={"act": "search.own_name"}, headers=(await actors.client("admin")).headers
    )
    acts = expect(trail, 200)["items"]
    assert [(act["client_id"], act["person"], act["object"]) for act in acts] == [
        (officer.id, officer.person, officer.id)
    ]
    assert "SASMITA" not in str(acts).upper()


async def test_immigration_is_told_once_a_day_of_whoever_looks_for_their_own_name(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    officer, duty = await actors.client("submitter", name=OFFICER), await actors.client("duty_officer")

    async def looked_for_and_told(by: Caller, name: str) -> list[str]:
        expect(await http.post("/v1/entries/search", json={"name": name}, headers=by.headers), 200)
        told = expect(await http.get("/v1/notices", headers=duty.headers), 200)["items"]
        assert OFFICER.upper() not in str(told).upper()
        return [notice["client_id"] for notice in told if notice["name"] == "own_name_searched"]

    assert await looked_for_and_told(await actors.client("submitter"), OFFICER) == []
    assert await looked_for_and_told(officer, "Raka") == []
    assert await looked_for_and_told(officer, OFFICER) == [officer.id]
    assert await looked_for_and_told(officer, OFFICER) == [officer.id]
    clock.advance(days=1)
    assert await looked_for_and_told(officer, OFFICER) == [officer.id] * 2
    assert expect(await http.get("/v1/notices", headers=officer.headers), 200)["items"] == []
