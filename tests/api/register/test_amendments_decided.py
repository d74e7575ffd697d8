"""Who asks for an amendment, who decides on it and who reads it (R31, R36)."""

import httpx2
import pytest

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    deterrence_body,
    entry_body,
    extension_body,
    judgment_body,
    revocation_body,
)
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, expect, file_amendment, impose, settle


@pytest.fixture
async def entry(http: httpx2.AsyncClient, actors: Actors) -> Json:
    """An exit ban of KPK that is in force."""
    return await impose(http, actors)


async def test_the_eyes_that_decide_are_of_other_persons_and_the_verifiers_of_the_asking_agency(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, runtime: Runtime
) -> None:
    author = await actors.client("submitter", person="19800101")
    amendment = expect(await file_amendment(http, author, entry, revocation_body(entry)), 201)
    path = f"/v1/amendments/{amendment['id']}/decisions"

    async def tried(by: Caller, verdict: str, version: int, reason: str | None = None) -> httpx2.Response:
        body = {"verdict": verdict, "reason": reason}
        return await http.post(path, json=body, headers=by.on(f'"{version}"'))

    same = await actors.client("verifier", person="1980-01-01")
    other = await actors.client(["verifier", "approver"], agency="IMIGRASI")
    verifier, approver = await actors.client("verifier"), await actors.client("approver")
    stranger = await actors.client("verifier", agency="POLRI")
    async with nothing_changed(runtime):
        refused(await tried(same, "verify", 1), 403, "four-eyes")
        refused(await tried(other, "verify", 1), 403, "wrong-agency")
        refused(await tried(verifier, "countersign", 1), 403, "wrong-role")
        refused(await tried(verifier, "approve", 1), 403, "wrong-role")
        refused(await tried(approver, "approve", 1), 409, "wrong-state")
        refused(await tried(verifier, "verify", 2), 412, "stale-version")
        refused(await tried(verifier, "return", 1), 422, "validation")
        refused(await tried(stranger, "verify", 1), 404, "not-found")
        refused(await http.post(path, json={"verdict": "verify"}, headers=verifier.headers), 428,
                "version-required")  # fmt: skip
    await settle(http, verifier, amendment, "verify")
    for person in (author.person, verifier.person):
        again = await actors.client("approver", person=person)
        async with nothing_changed(runtime):
            refused(await tried(again, "approve", 2), 403, "four-eyes")
    rejected = await settle(
        http, await actors.client("approver"), amendment | {"version": 2}, "reject", "No."
    )
    assert rejected["state"] == "rejected"
    async with nothing_changed(runtime):
        refused(await tried(approver, "approve", 3), 409, "wrong-state")
    assert (
        expect(await file_amendment(http, author, entry, revocation_body(entry)), 201)["state"] == "submitted"
    )


async def test_immigrations_own_amendments_are_decided_by_another_office(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    entry = await impose(http, actors, deterrence_body())
    by = await actors.client("submitter", agency="IMIGRASI", office="KANIM-BATAM")
    amendment = expect(await file_amendment(http, by, entry, revocation_body(entry)), 201)
    amendment = await settle(http, await actors.client("verifier", agency="IMIGRASI"), amendment, "verify")
    near = await actors.client("approver", office="KANIM-BATAM")
    async with nothing_changed(runtime):
        path = f"/v1/amendments/{amendment['id']}/decisions"
        refused(await http.post(path, json={"verdict": "approve"}, headers=near.on('"2"')), 403, "four-eyes")
    await settle(http, await actors.client("approver", office="KANIM-MEDAN"), amendment, "approve")


async def test_one_amendment_of_a_kind_waits_at_a_time_and_none_for_what_has_ended(
    http: httpx2.AsyncClient,
    actors: Actors,
    entry: Json,
    owner: Caller,
    runtime: Runtime,
    clock: SettableClock,
) -> None:
    expect(await file_amendment(http, owner, entry, revocation_body(entry)), 201)
    waiting = expect(await file_amendment(http, owner, entry, extension_body(entry, "2027-11-24")), 201)
    async with nothing_changed(runtime):
        refused(await file_amendment(http, owner, entry, revocation_body(entry)), 409, "wrong-state")
        refused(await file_amendment(http, owner, entry | {"version": 1}, judgment_body(entry)), 412,
                "stale-version")  # fmt: skip
    draft = expect(await http.post("/v1/entries", json=entry_body(), headers=owner.headers), 201)
    assert waiting["state"] == "submitted"
    refused(await file_amendment(http, owner, draft, revocation_body(draft)), 409, "wrong-state")
    clock.set("2027-05-24T00:00:00+07:00")
    async with nothing_changed(runtime):
        refused(
            await file_amendment(http, owner, entry, judgment_body(entry, "annulment")), 409, "wrong-state"
        )
    assert expect(await file_amendment(http, owner, entry, judgment_body(entry)), 201)["ends"] == []


async def test_only_the_owner_extends_and_corrects(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, runtime: Runtime
) -> None:
    roles = ("submitter", "approver", "duty_officer")
    strangers = [await actors.client(role, agency="IMIGRASI") for role in roles]
    verifier = await actors.client("verifier")
    async with nothing_changed(runtime):
        for by in strangers:
            answer = await file_amendment(http, by, entry, extension_body(entry, "2027-11-24"))
            refused(answer, 403, "wrong-agency")
        refused(await file_amendment(http, verifier, entry, revocation_body(entry)), 403, "wrong-role")


async def test_amendments_are_read_by_those_who_read_the_entry(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, owner: Caller
) -> None:
    amendment = expect(await file_amendment(http, owner, entry, revocation_body(entry)), 201)
    path = f"/v1/amendments/{amendment['id']}"
    for role in ("submitter", "verifier", "approver", "duty_officer", "auditor"):
        by = await actors.client(role)
        answer = await http.get(path, headers=by.headers)
        assert expect(answer, 200) == amendment
        assert answer.headers["ETag"].startswith('"1-')
    stranger = await actors.client("submitter", agency="POLRI")
    refused(await http.get(path, headers=stranger.headers), 404, "not-found")
    refused(
        await http.get(f"/v1/entries/{entry['id']}/amendments", headers=stranger.headers), 404, "not-found"
    )
    refused(await http.get("/v1/amendments/amd_unknown", headers=owner.headers), 404, "not-found")
