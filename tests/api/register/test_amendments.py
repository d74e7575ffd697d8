"""Corrections, revocations and judgments: who may ask, who decides, what follows (R36, R37, R39, R40)."""

from typing import Any

import httpx2
import pytest

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    check_body,
    deterrence_body,
    entry_body,
    judgment_body,
    merged,
    revocation_body,
    urgent_body,
    without_photo,
)
from tests.support.clock import SettableClock
from tests.support.feeds import alerts, records
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import (
    Json,
    amend,
    approve,
    decide,
    expect,
    file_amendment,
    formalise,
    impose,
    settle,
    sound,
)


@pytest.fixture
async def entry(http: httpx2.AsyncClient, actors: Actors) -> Json:
    """An exit ban of KPK that is in force."""
    return await impose(http, actors)


async def outcome(http: httpx2.AsyncClient, counter: Caller, question: Json) -> str:
    return str(expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)["outcome"])


async def test_a_correction_makes_a_new_version_that_counters_see_at_once_and_keeps_old_spellings(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    new_paper = {"type": "passport", "number": "Z7654321", "issuing_state": "IDN", "expires_on": None}
    subject = without_photo(body["subject"], full_name="Soekarto Wirjodiningrat", documents=[new_paper])
    corrected = await amend(http, actors, entry, {"kind": "correction", "correction": {"subject": subject}})
    assert corrected["version"] == entry["version"] + 1
    assert corrected["subject"]["full_name"] == "Soekarto Wirjodiningrat"
    assert {"name": body["subject"]["full_name"], "quality": "good"} in corrected["subject"]["aliases"]
    assert corrected["subject"]["photo"] == entry["subject"]["photo"]
    by_new = check_body(subject)
    assert await outcome(http, counter, by_new) == "refuse"
    by_old = {"direction": "exit", "document": check_body(body["subject"])["document"]}
    assert await outcome(http, counter, by_old) == "clear"
    last = (await records(http, await actors.client("auditor")))[-1]
    assert (last["type"], last["version"]) == ("entry.corrected", corrected["version"])
    history = await http.get(
        f"/v1/entries/{entry['id']}/history", headers=(await actors.client("auditor")).headers
    )
    assert expect(history, 200)["items"][-1]["event"] == "corrected"


async def test_a_withdrawn_spelling_does_not_stay(http: httpx2.AsyncClient, actors: Actors) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    wrong = body["subject"]["full_name"]
    correction = {
        "subject": without_photo(body["subject"], full_name="Right Name Entirely"),
        "withdrawn_names": [wrong.upper()],
    }
    corrected = await amend(http, actors, entry, {"kind": "correction", "correction": correction})
    assert wrong not in [alias["name"] for alias in corrected["subject"]["aliases"]]
    owner = await actors.client("submitter")
    correction = {"subject": without_photo(body["subject"]), "withdrawn_names": ["Never Heard"]}
    answer = await file_amendment(http, owner, corrected, {"kind": "correction", "correction": correction})
    assert refused(answer, 422, "validation") == {"/correction/withdrawn_names/0": "unknown"}


async def test_a_correction_is_as_lawful_as_a_new_entry(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    body = deterrence_body()
    entry = await impose(http, actors, body)
    owner = await actors.client("submitter", agency="IMIGRASI")

    async def tried(**correction: Any) -> httpx2.Response:
        return await file_amendment(http, owner, entry, {"kind": "correction", "correction": correction})

    async with nothing_changed(runtime):
        answer = await tried(
            subject=without_photo(body["subject"], nationalities=["NZL", "IDN"], nik="3171010101700001")
        )
        assert refused(answer, 422, "wni-cannot-be-deterred")["/correction/subject"] == "wni"
        answer = await tried(subject=without_photo(body["subject"], sex=None))
        assert refused(answer, 422, "missing-subject-data") == {"/correction/subject/sex": "required"}
        answer = await tried(subject=without_photo(body["subject"]))
        assert refused(answer, 422, "validation") == {"/correction": "no_change"}
        answer = await tried()
        assert refused(answer, 422, "validation") == {"/correction": "no_change"}
        photo = {"media_type": "image/jpeg", "data": "bm8gcGhvdG8="}
        answer = await tried(subject=merged(without_photo(body["subject"]), {"photo": photo}))
        assert "/correction/subject/photo/data" in refused(answer, 422, "photo-invalid")


async def test_the_new_photo_is_shown_to_those_who_decide_and_serves_after_the_approval(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    subject = merged(without_photo(body["subject"]), {"photo": _another_photo()})
    filed = await file_amendment(
        http, owner, entry, {"kind": "correction", "correction": {"subject": subject}}
    )
    amendment = expect(filed, 201)
    verifier = await actors.client("verifier")
    url = amendment["correction"]["subject"]["photo"]["url"]
    new = (await http.get(url, headers=verifier.headers)).content
    old = (await http.get(entry["subject"]["photo"]["url"], headers=verifier.headers)).content
    assert new != old
    stranger = await actors.client("verifier", agency="POLRI")
    assert (await http.get(url, headers=stranger.headers)).status_code == 404
    amendment = await settle(http, verifier, amendment, "verify")
    await settle(http, await actors.client("approver"), amendment, "approve")
    assert (await http.get(entry["subject"]["photo"]["url"], headers=verifier.headers)).content == new


async def test_the_owner_revokes_and_everybody_knows_at_once(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller, counter: Caller
) -> None:
    body = urgent_body()
    urgent = (await sound(http, owner, body))["entry"]
    revoked = await amend(http, actors, urgent, revocation_body(urgent))
    assert (revoked["state"], revoked["ended_reason"], revoked["in_force"]) == ("ended", "revoked", False)
    assert await outcome(http, counter, check_body(body["subject"])) == "clear"
    told = (await alerts(http, counter))[-1]
    assert (told["kind"], told["action"]) == ("cancel", "release")
    last = (await records(http, await actors.client("auditor")))[-2]
    assert (last["type"], last["tombstone"], last["leaf"]["ended_reason"]) == ("entry.ended", True, "revoked")


async def test_a_letter_of_another_body_becomes_a_question_and_changes_nothing(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, counter: Caller, runtime: Runtime
) -> None:
    police = await actors.client("submitter", agency="POLRI")
    async with nothing_changed(runtime):
        refused(await file_amendment(http, police, entry, revocation_body(entry)), 404, "not-found")
    immigration = await actors.client("submitter", agency="IMIGRASI")
    letter = revocation_body(entry, revocation={"refers_to_number": "NCB-Div HI/1030/V/2020"})
    amendment = expect(await file_amendment(http, immigration, entry, letter), 201)
    assert (amendment["state"], amendment["agency"], amendment["owner"]) == ("referred", "IMIGRASI", "KPK")
    deciders = (
        (await actors.client("verifier", agency="IMIGRASI"), "verify"),
        (await actors.client("verifier"), "verify"),
        (await actors.client("approver"), "approve"),
    )
    async with nothing_changed(runtime):
        path = f"/v1/amendments/{amendment['id']}/decisions"
        for by, verdict in deciders:
            refused(
                await http.post(path, json={"verdict": verdict}, headers=by.on('"1"')), 409, "wrong-state"
            )
    assert await outcome(http, counter, check_body(entry["subject"])) == "refuse"
    owner = await actors.client("submitter")
    listed = expect(await http.get(f"/v1/entries/{entry['id']}/amendments", headers=owner.headers), 200)
    assert [each["id"] for each in listed["items"]] == [amendment["id"]]
    again = expect(await file_amendment(http, immigration, entry, letter), 201)
    assert again["state"] == "referred"


async def test_a_revocation_refers_to_the_owners_own_letter(
    http: httpx2.AsyncClient, entry: Json, owner: Caller, runtime: Runtime
) -> None:
    async with nothing_changed(runtime):
        other = revocation_body(entry, revocation={"refers_to_number": "R-999/other"})
        answer = await file_amendment(http, owner, entry, other)
        assert refused(answer, 422, "validation") == {"/revocation/refers_to_number": "other_letter"}
        answer = await file_amendment(http, owner, entry, revocation_body(entry, letter=None))
        assert refused(answer, 422, "validation") == {"/letter": "required"}
        answer = await file_amendment(http, owner, entry, revocation_body(entry, revocation=None))
        assert refused(answer, 422, "validation") == {"/revocation": "required"}


@pytest.mark.parametrize(
    ("kind", "reason", "effective_at"),
    [
        ("acquittal", "acquitted", "2026-11-22T17:00:00.000000Z"),  # not before the entry began
        ("annulment", "annulled", None),
    ],
)
@pytest.mark.parametrize("agency", ["KPK", "IMIGRASI"])
async def test_a_judgment_in_the_same_case_ends_the_entry(
    http: httpx2.AsyncClient,
    actors: Actors,
    entry: Json,
    counter: Caller,
    kind: str,
    reason: str,
    effective_at: str | None,
    agency: str,
) -> None:
    by = await actors.client("submitter", agency=agency)
    amendment = expect(await file_amendment(http, by, entry, judgment_body(entry, kind)), 201)
    verifier = await actors.client("verifier", agency=agency)
    amendment = await settle(http, verifier, amendment, "verify")
    amendment = await settle(http, await actors.client("approver"), amendment, "approve")
    assert [step["verdict"] for step in amendment["decisions"]] == ["verify", "approve"]
    auditor = await actors.client("auditor")
    ended = expect(await http.get(f"/v1/entries/{entry['id']}", headers=auditor.headers), 200)
    assert (ended["state"], ended["ended_reason"]) == ("ended", reason)
    assert (await records(http, auditor))[-1]["effective_at"] == effective_at
    assert await outcome(http, counter, check_body(entry["subject"])) == "clear"


async def test_a_judgment_in_another_case_or_not_yet_final_has_no_effect(
    http: httpx2.AsyncClient, entry: Json, owner: Caller, runtime: Runtime
) -> None:
    async with nothing_changed(runtime):
        other = judgment_body(entry, judgment={"case_reference": "Another/1/2026"})
        answer = await file_amendment(http, owner, entry, other)
        assert refused(answer, 422, "validation") == {"/judgment/case_reference": "other_case"}
        assert "97(3)" in answer.json()["detail"]
        answer = await file_amendment(
            http, owner, entry, judgment_body(entry, judgment={"final_on": "2026-11-24"})
        )
        assert refused(answer, 422, "validation") == {"/judgment/final_on": "future"}
        answer = await file_amendment(
            http, owner, entry, judgment_body(entry, judgment={"final_on": "2026-11-09"})
        )
        assert refused(answer, 422, "validation") == {"/judgment/final_on": "order"}
        letter = {"number": "B-7/KEBERATAN/2026", "issued_on": "2026-11-23"}
        for nothing in ({}, {"letter": letter}):
            answer = await file_amendment(http, owner, entry, {"kind": "annulment", **nothing})
            assert refused(answer, 422, "validation") == {"/judgment": "required"}


async def test_only_the_part_of_its_kind_is_taken(
    http: httpx2.AsyncClient, entry: Json, owner: Caller, runtime: Runtime
) -> None:
    async with nothing_changed(runtime):
        mixed = {**revocation_body(entry), "judgment": judgment_body(entry)["judgment"]}
        answer = await file_amendment(http, owner, entry, mixed)
        assert refused(answer, 422, "validation") == {"/judgment": "other_kind"}
        answer = await file_amendment(http, owner, entry, {"kind": "pardon"})
        assert "/kind" in refused(answer, 422, "validation")
        answer = await file_amendment(http, owner, entry, revocation_body(entry, extra=1))
        assert "/extra" in refused(answer, 422, "validation")


async def test_a_formal_entry_revoked_before_its_first_day_gives_the_urgent_one_back(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller, counter: Caller, clock: SettableClock
) -> None:
    urgent = (await sound(http, owner, urgent_body()))["entry"]
    urgent = await decide(http, await actors.client("duty_officer"), urgent, "countersign")
    body = {"basis": urgent["basis"], "starts_on": "2026-12-01", "ends_on": "2027-06-01"}
    formal = await approve(http, actors, expect(await formalise(http, owner, urgent, body), 201))
    await amend(http, actors, formal, revocation_body(formal, revocation={"scope": "entry"}))
    told = (await alerts(http, counter))[-1]
    assert (told["kind"], told["entry"]["id"]) == ("update", urgent["id"])
    clock.set("2026-12-12T23:00:00+07:00")
    assert await outcome(http, counter, check_body(urgent["subject"])) == "refuse"
    clock.set("2026-12-13T00:00:00+07:00")
    assert await outcome(http, counter, check_body(urgent["subject"])) == "clear"


def _another_photo() -> Json:
    import base64
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.radial_gradient("L").resize((40, 50)).convert("RGB").save(out, "JPEG")
    return {"media_type": "image/jpeg", "data": base64.b64encode(out.getvalue()).decode()}
