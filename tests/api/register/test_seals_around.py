"""What belongs to a sealed entry is as closed as the entry: amendments, objections, requests, letters, notices."""

from typing import Any

import httpx2
import pytest

from app.actor import Actor
from app.alerting.notices.domain import Notice, ended
from app.alerting.notices.tail import _meant
from app.register.entries.seal_queries import Seal
from app.worker import Worker
from tests.api.register import test_correction_requests as requests
from tests.api.register import test_objections as objections
from tests.support.actors import Actors, Caller
from tests.support.bodies import entry_body, without_photo
from tests.support.clock import SettableClock
from tests.support.refusals import refused
from tests.support.steps import (
    Json,
    approve,
    decide,
    etag,
    expect,
    file_amendment,
    impose,
    settle,
    submit,
)
from tests.unit.register.entries.examples import NOW, entry

OFFICER = "Wirabumi Kertanegara Sasmita"
Case = tuple[Json, list[Caller], list[Caller]]


@pytest.fixture
async def sealed(http: httpx2.AsyncClient, actors: Actors) -> Case:
    """A sealed entry in force, those who see it, and those of the same roles who do not."""
    roles = ("submitter", "submitter", "verifier", "approver", "approver")
    insiders = [await actors.client(role) for role in roles]
    outsiders = [await actors.client(role) for role in ("submitter", "verifier", "approver", "duty_officer")]
    body = entry_body(sealed_for=[by.person for by in insiders])
    made = await submit(http, insiders[0], body)
    made = await decide(http, insiders[2], made, "verify")
    return await decide(http, insiders[3], made, "approve"), insiders, outsiders


async def status(http: httpx2.AsyncClient, by: Caller, path: str) -> int:
    """How a call to read something is answered."""
    return (await http.get(path, headers=by.headers)).status_code


async def test_its_amendments(http: httpx2.AsyncClient, sealed: Case) -> None:
    made, insiders, outsiders = sealed
    body = {"kind": "revocation", "revocation": {"refers_to_number": made["basis"]["number"]}}
    letter = {"number": "R-99/2026", "issued_on": "2026-11-23"}
    for by in (outsiders[0], outsiders[2]):
        refused(await file_amendment(http, by, made, {**body, "letter": letter}), 404, "not-found")
    amendment = expect(await file_amendment(http, insiders[0], made, {**body, "letter": letter}), 201)
    path = f"/v1/amendments/{amendment['id']}"
    assert {await status(http, by, path) for by in insiders} == {200}
    assert {await status(http, by, path) for by in outsiders} == {404}
    verdict = {"verdict": "verify", "reason": None}
    answer = await http.post(f"{path}/decisions", json=verdict, headers=outsiders[1].on(etag(amendment)))
    refused(answer, 404, "not-found")
    amendment = await settle(http, insiders[2], amendment, "verify")
    await settle(http, insiders[4], amendment, "approve")
    ended_entry = await http.get(f"/v1/entries/{made['id']}", headers=insiders[0].headers)
    assert expect(ended_entry, 200)["ended_reason"] == "revoked"
    assert {await status(http, by, f"/v1/entries/{made['id']}") for by in outsiders} == {404}


async def test_its_objections(http: httpx2.AsyncClient, sealed: Case) -> None:
    made, insiders, outsiders = sealed
    refused(await objections.file(http, outsiders[0], made), 404, "not-found")
    filed = expect(await objections.file(http, insiders[0], made), 201)
    path = f"/v1/objections/{filed['id']}"
    assert {await status(http, by, path) for by in insiders} == {200}
    assert {await status(http, by, path) for by in outsiders} == {404}
    refused(await objections.respond(http, outsiders[0], filed), 404, "not-found")
    expect(await objections.respond(http, insiders[1], filed), 201)


async def test_correction_requests_about_it(http: httpx2.AsyncClient, actors: Actors, sealed: Case) -> None:
    made, insiders, outsiders = sealed
    supervisor = await actors.client("supervisor")
    told = await requests.file(http, supervisor, made)
    path = f"/v1/correction-requests/{told['id']}"
    for by in (insiders[0], insiders[3], supervisor, await actors.client("auditor")):
        assert await status(http, by, path) == 200
        assert await requests.listed(http, by) == [told["id"]]
    for by in outsiders:
        assert await status(http, by, path) == 404
        assert await requests.listed(http, by) == []
    refusal = {"outcome": "refused", "reason": "He is the person (UU 27/2022 art. 30)."}
    refused(await requests.decide(http, outsiders[2], told, **refusal), 404, "not-found")
    expect(await requests.decide(http, insiders[3], told, **refusal), 201)


async def test_its_letter_and_its_duties(http: httpx2.AsyncClient, sealed: Case) -> None:
    made, insiders, outsiders = sealed
    for what in ("letter", "duties"):
        path = f"/v1/entries/{made['id']}/{what}"
        assert await status(http, insiders[0], path) == 200
        assert {await status(http, by, path) for by in outsiders} == {404}
    done = {"name": "deliver_to_person", "done_at": "2026-11-23T03:00:00Z", "reference": "R-1"}
    path = f"/v1/entries/{made['id']}/duties"
    refused(await http.post(path, json=done, headers=outsiders[0].headers), 404, "not-found")


async def test_notices_of_it(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, sealed: Case
) -> None:
    made, insiders, outsiders = sealed
    plain = await impose(http, actors)

    async def told(by: Caller) -> set[Any]:
        page = await http.get("/v1/notices", params={"limit": 1}, headers=by.headers)
        items, cursor = expect(page, 200)["items"], page.json()["cursor"]
        while page.json()["more"]:
            page = await http.get("/v1/notices", params={"limit": 1, "after": cursor}, headers=by.headers)
            items, cursor = items + expect(page, 200)["items"], page.json()["cursor"]
        return {item["entry_id"] for item in items if item["name"] == "ends_soon"}

    clock.set("2027-04-23T00:00:07+07:00")
    await worker.notify_officers()
    for by in (insiders[0], insiders[2], insiders[3], await actors.client("auditor")):
        assert await told(by) == {made["id"], plain["id"]}
    for by in outsiders[:3]:
        assert await told(by) == {plain["id"]}


def test_a_stream_is_told_what_a_page_would_hold() -> None:
    gone = ended(entry(agency="KPK"), NOW)
    notice = Notice(1, "ntc_1", NOW, gone)
    named, other = (Actor("cli_1", person, frozenset({"submitter"}), agency="KPK") for person in "AB")
    auditor = Actor("cli_1", "C", frozenset({"auditor"}))
    seal = Seal(frozenset({"A"}), frozenset())
    assert [_meant(notice, seal, by) for by in (named, other, auditor)] == [True, False, True]
    own = Seal(frozenset({"A"}), frozenset({"C"}))
    assert [_meant(notice, own, by) for by in (named, other, auditor)] == [True, False, False]
    assert [_meant(notice, None, by) for by in (named, other, auditor)] == [True, True, True]


async def test_a_correction_that_names_an_officer_seals_the_entry(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    await actors.client("supervisor", name=OFFICER)
    author = await actors.client("submitter")
    body = entry_body()
    made = await submit(http, author, body)
    made = await approve(http, actors, made)
    subject = without_photo(body["subject"], full_name=OFFICER)
    filer, verifier, approver = [await actors.client(role) for role in ("submitter", "verifier", "approver")]
    wanted = {
        "kind": "correction",
        "correction": {"subject": subject},
        "sealed_for": [verifier.person, approver.person],
    }
    asked = expect(await file_amendment(http, filer, made, wanted), 201)
    before = await actors.client("verifier")
    for path in (f"/v1/entries/{made['id']}", f"/v1/amendments/{asked['id']}"):
        assert await status(http, before, path) == 404, "sealed from the filing on"
    asked = await settle(http, verifier, asked, "verify")
    await settle(http, approver, asked, "approve")
    corrected = expect(await http.get(f"/v1/entries/{made['id']}", headers=author.headers), 200)
    assert corrected["subject"]["full_name"] == OFFICER
    assert corrected["sealed_for"] == sorted(by.person for by in (author, filer, verifier, approver))
    for role, seen in (("submitter", 404), ("approver", 404), ("auditor", 200)):
        by = await actors.client(role)
        assert await status(http, by, f"/v1/entries/{made['id']}") == seen
    assert await status(http, author, f"/v1/entries/{made['id']}") == 200, "its first author sees it still"
