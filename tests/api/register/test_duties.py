"""Duties about an entry: recorded with their proof, once, by who has to do them (R13, R18, R41, R42)."""

from typing import Any

import httpx2
import pytest

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, entry_body, formal_body, urgent_body, without_photo
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, amend, approve, decide, etag, expect, formalise, impose, sound, submit

DONE_AT = "2026-11-23T02:00:00Z"
DONE_LATER = "2026-11-23T03:00:00Z"


def duty(name: str, **given: Any) -> Json:
    return {"name": name, "done_at": DONE_AT, "reference": "Tanda terima 17, Sdr. Bagas", **given}


async def record(http: httpx2.AsyncClient, by: Caller, entry: Json, body: Json) -> httpx2.Response:
    return await http.post(f"/v1/entries/{entry['id']}/duties", json=body, headers=by.headers)


async def read(http: httpx2.AsyncClient, by: Caller, entry: Json, part: str = "") -> Json:
    return expect(await http.get(f"/v1/entries/{entry['id']}{part}", headers=by.headers), 200)


def met(entry: Json) -> dict[str, str | None]:
    return {each["name"]: each["met_at"] for each in entry["legal_deadlines"]}


async def test_a_delivery_meets_its_deadline_and_is_recorded_once(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    before = await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers)
    assert met(entry)["deliver_to_person"] is None
    answer = await record(http, owner, entry, duty("deliver_to_person", note="At his house."))
    told = expect(answer, 201)
    assert met(told)["deliver_to_person"] == "2026-11-23T02:00:00.000000Z"
    assert (told["version"], told["sequence"]) == (entry["version"], entry["sequence"])
    again = await http.get(
        f"/v1/entries/{entry['id']}", headers={**owner.headers, "If-None-Match": before.headers["etag"]}
    )
    assert again.status_code == 200
    assert again.headers["etag"].replace('-gzip"', '"') == answer.headers["etag"]  # each coding has its own
    assert again.headers["etag"] != before.headers["etag"]
    assert again.json() == told
    items = expect(await http.get("/v1/entries", headers=owner.headers), 200)["items"]
    assert items == [told]
    async with nothing_changed(runtime):
        refused(await record(http, owner, entry, duty("deliver_to_person")), 409, "wrong-state")


async def test_what_was_done_is_read_with_its_proof_and_stands_in_the_history(
    http: httpx2.AsyncClient, actors: Actors
):
    entry, owner = await impose(http, actors), await actors.client("verifier")
    await record(http, owner, entry, duty("deliver_to_person", note="At his house."))
    (done,) = (await read(http, owner, entry, "/duties"))["items"]
    assert done == {
        "name": "deliver_to_person",
        "done_at": "2026-11-23T02:00:00.000000Z",
        "reference": "Tanda terima 17, Sdr. Bagas",
        "note": "At his house.",
        "by": owner.id,
        "recorded_at": "2026-11-23T03:00:00.000000Z",
    }
    steps = (await read(http, owner, entry, "/history"))["items"]
    assert [(step["version"], step["event"]) for step in steps] == [
        (1, "submitted"),
        (2, "verified"),
        (3, "approved"),
        (3, "deliver_to_person"),
    ]
    stranger = await actors.client("submitter", agency="BNN")
    for part in ("/duties", "/history"):
        path = f"/v1/entries/{entry['id']}{part}"
        refused(await http.get(path, headers=stranger.headers), 404, "not-found")


async def test_a_record_leaves_the_version_that_an_approver_has_read(
    http: httpx2.AsyncClient, actors: Actors
):
    owner, approver = await actors.client("submitter"), await actors.client("approver")
    body = entry_body(basis={"received_on": None})
    entry = await submit(http, owner, body)
    entry = await decide(http, await actors.client("verifier"), entry, "verify")
    assert met(entry)["deliver_to_minister"] is None
    expect(await record(http, owner, entry, duty("deliver_to_minister")), 201)
    approved = await decide(http, approver, entry, "approve")
    assert met(approved)["deliver_to_minister"] == "2026-11-23T02:00:00.000000Z"


async def test_the_passport_is_withdrawn_by_immigration(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
):
    entry, duty_officer = await impose(http, actors), await actors.client("duty_officer")
    owner = await actors.client("submitter")
    async with nothing_changed(runtime):
        refused(await record(http, owner, entry, duty("withdraw_passport")), 403, "wrong-agency")
    told = expect(await record(http, duty_officer, entry, duty("withdraw_passport")), 201)
    assert met(told)["withdraw_passport"] == "2026-11-23T02:00:00.000000Z"
    both = expect(await record(http, owner, entry, duty("deliver_to_person")), 201)
    assert met(both)["withdraw_passport"] == met(both)["deliver_to_person"]


async def test_outside_ones_view_there_is_nothing_to_record_on(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
):
    entry, own = await impose(http, actors), await impose(http, actors, deterrence_body())
    approver = await actors.client("approver")
    strangers = [await actors.client("submitter", agency=code) for code in ("BNN", "IMIGRASI")]
    async with nothing_changed(runtime):
        for by in strangers:
            refused(await record(http, by, entry, duty("withdraw_passport")), 404, "not-found")
        refused(await record(http, approver, entry, duty("deliver_to_person")), 403, "wrong-agency")
        refused(await record(http, approver, own, duty("deliver_to_person")), 403, "wrong-role")


async def test_nothing_is_recorded_that_is_not_due(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
):
    owner, approver = await actors.client("submitter"), await actors.client("approver")
    submitted = await submit(http, owner)
    foreigner = await impose(http, actors, deterrence_body())
    async with nothing_changed(runtime):
        for by, entry, name in (
            (owner, submitted, "deliver_to_person"),
            (owner, submitted, "deliver_to_minister"),
            (approver, submitted, "withdraw_passport"),
            (approver, submitted, "notify_refusal"),
            (approver, foreigner, "withdraw_passport"),
        ):
            refused(await record(http, by, entry, duty(name)), 409, "wrong-state")


WRONG = [
    ({"done_at": "2026-11-23T03:00:01Z"}, "/done_at"),
    ({"done_at": "2026-11-19T16:59:59Z"}, "/done_at"),
    ({"done_at": "2026-11-23"}, "/done_at"),
    ({"reference": " "}, "/reference"),
    ({"reference": ...}, "/reference"),
    ({"name": "burn"}, "/name"),
    ({"by": "me"}, "/by"),
]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_each_fault_is_told_where_it_stands(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    for given, pointer in WRONG:
        with subtests.test(f"{given}"[:80]):
            body = {**duty("deliver_to_person"), **given}
            sent = {name: value for name, value in body.items() if value is not ...}
            async with nothing_changed(runtime):
                assert pointer in refused(await record(http, owner, entry, sent), 422, "validation")
    first = "2026-11-20T00:00:00+07:00"
    expect(await record(http, owner, entry, duty("deliver_to_person", done_at=first)), 201)


async def test_a_refusal_is_notified_once_for_each_refusal(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    owner, verifier = await actors.client("submitter"), await actors.client("verifier")
    approver = await actors.client("approver")
    body = entry_body()
    entry = await decide(http, verifier, await submit(http, owner, body), "verify")
    entry = await decide(http, approver, entry, "return", "The letter is missing.")
    assert met(entry) == {"refuse_or_approve": "2026-11-23T03:00:00.000000Z"}
    clock.advance(hours=2)
    told = expect(await record(http, approver, entry, duty("notify_refusal", done_at=NOON)), 201)
    assert met(told) == met(entry)
    refused(await record(http, approver, entry, duty("notify_refusal", done_at=NOON)), 409, "wrong-state")
    path = f"/v1/entries/{entry['id']}"
    entry = expect(await http.put(path, json=body, headers=owner.on(etag(entry))), 200)
    entry = await decide(http, verifier, entry, "return", "The photo shows somebody else.")
    early = await record(http, approver, entry, duty("notify_refusal", done_at="2026-11-22T10:00:00Z"))
    assert refused(early, 422, "validation") == {"/done_at": "before_decision"}
    expect(await record(http, approver, entry, duty("notify_refusal", done_at=NOON)), 201)
    items = (await read(http, owner, entry, "/duties"))["items"]
    assert [item["name"] for item in items] == ["notify_refusal"] * 2


NOON = "2026-11-23T05:00:00Z"


async def test_what_was_withdrawn_on_the_urgent_entry_counts_for_its_formal_one(
    http: httpx2.AsyncClient, actors: Actors
):
    submitter, duty_officer = await actors.client("submitter"), await actors.client("duty_officer")
    body = urgent_body()
    urgent = (await sound(http, submitter, body))["entry"]
    assert "withdraw_passport" not in met(urgent), "a hold takes nobody's passport"
    urgent = await decide(http, duty_officer, urgent, "countersign")
    expect(await record(http, duty_officer, urgent, duty("withdraw_passport", done_at=NOW)), 201)
    basis = {**body["basis"], "number": "R-formal"}
    asked = formal_body(basis=basis, starts_on="2026-11-23", ends_on="2027-05-23")
    formal = await approve(http, actors, expect(await formalise(http, submitter, urgent, asked), 201))
    assert met(formal)["withdraw_passport"] == "2026-11-23T03:00:00.000000Z"
    refused(await record(http, duty_officer, formal, duty("withdraw_passport")), 409, "wrong-state")


NOW = "2026-11-23T03:00:00Z"


async def test_a_repeat_with_its_key_is_answered_again(http: httpx2.AsyncClient, actors: Actors):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    path = f"/v1/entries/{entry['id']}/duties"
    first, second = [
        await http.post(path, json=duty("deliver_to_person"), headers=owner.once("k")) for _ in range(2)
    ]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content


@pytest.mark.parametrize("role", ["auditor", "admin", "supervisor", "checkpoint"])
async def test_others_record_nothing(http: httpx2.AsyncClient, actors: Actors, role: str):
    entry = await impose(http, actors)
    by = await actors.client(role)
    refused(await record(http, by, entry, duty("deliver_to_person")), 403, "wrong-role")


PASSPORT = {"type": "passport", "number": "B7654321", "issuing_state": "IDN", "expires_on": None}


def with_passport(subject: Json, **given: Any) -> Json:
    """A correction that adds a passport to what is known of the person."""
    told = without_photo(subject, documents=[*subject["documents"], {**PASSPORT, **given}])
    return {"kind": "correction", "correction": {"subject": told}}


def due(entry: Json, name: str = "withdraw_passport") -> tuple[str, str | None]:
    """When a duty is due, and when it was done."""
    (deadline,) = [each for each in entry["legal_deadlines"] if each["name"] == name]
    return deadline["due_at"], deadline["met_at"]


async def passports_due(http: httpx2.AsyncClient, by: Caller) -> list[tuple[str, str]]:
    items = expect(await http.get("/v1/worklist", headers=by.headers), 200)["items"]
    return [(each["entry_id"], each["due_at"]) for each in items if each["name"] == "withdraw_passport"]


async def test_a_passport_that_is_found_after_the_first_was_withdrawn_is_due_anew(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    body, duty_officer = entry_body(), await actors.client("duty_officer")
    entry = await impose(http, actors, body)
    expect(await record(http, duty_officer, entry, duty("withdraw_passport")), 201)
    assert await passports_due(http, duty_officer) == []
    clock.set("2026-12-10T23:30:00+07:00")
    found = await amend(http, actors, entry, with_passport(body["subject"]))
    last = "2026-12-13T16:59:59.000000Z"
    assert due(found) == (last, None)
    assert await passports_due(http, duty_officer) == [(entry["id"], last)]
    done_at = "2026-12-10T15:00:00Z"
    done = expect(await record(http, duty_officer, found, duty("withdraw_passport", done_at=done_at)), 201)
    assert due(done) == (last, "2026-12-10T15:00:00.000000Z")
    assert await passports_due(http, duty_officer) == []
    moved = await amend(
        http,
        actors,
        done,
        {"kind": "correction", "correction": {"basis": {**done["basis"], "law": "UU 31/1999"}}},
    )
    assert due(moved) == due(done)
    assert len((await read(http, duty_officer, entry, "/duties"))["items"]) == 2


async def test_a_first_passport_is_withdrawn_within_its_days_from_when_it_was_found(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    body = entry_body(subject={"documents": []})
    body["unknown"] = ["documents"]
    entry = await impose(http, actors, body)
    assert "withdraw_passport" not in met(entry)
    clock.set("2026-12-10T09:00:00+07:00")
    found = await amend(http, actors, entry, with_passport(body["subject"]))
    assert due(found) == ("2026-12-13T16:59:59.000000Z", None)


async def test_another_passport_does_not_postpone_what_was_due_before(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    body = entry_body()
    entry = await impose(http, actors, body)
    clock.set("2026-11-25T09:00:00+07:00")
    found = await amend(http, actors, entry, with_passport(body["subject"], type="diplomatic_passport"))
    assert due(found) == due(entry) == ("2026-11-26T16:59:59.000000Z", None)


async def test_a_third_passport_does_not_postpone_what_was_due_for_the_second(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    body, duty_officer = entry_body(), await actors.client("duty_officer")
    entry = await impose(http, actors, body)
    expect(await record(http, duty_officer, entry, duty("withdraw_passport")), 201)
    clock.set("2026-12-10T09:00:00+07:00")
    second = await amend(http, actors, entry, with_passport(body["subject"]))
    clock.set("2026-12-12T09:00:00+07:00")
    known = {**body["subject"], "documents": [*body["subject"]["documents"], PASSPORT]}
    third = await amend(http, actors, second, with_passport(known, type="diplomatic_passport"))
    assert due(third) == due(second) == ("2026-12-13T16:59:59.000000Z", None)


async def test_a_passport_that_the_formal_entry_adds_is_due_although_the_urgent_ones_was_withdrawn(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    owner, duty_officer, body = (
        await actors.client("submitter"),
        await actors.client("duty_officer"),
        urgent_body(),
    )
    urgent = (await sound(http, owner, body))["entry"]
    urgent = await decide(http, duty_officer, urgent, "countersign")
    expect(await record(http, duty_officer, urgent, duty("withdraw_passport", done_at=DONE_LATER)), 201)
    clock.set("2026-12-01T09:00:00+07:00")
    subject = {**body["subject"], "documents": [*body["subject"]["documents"], PASSPORT]}
    asked = {
        "starts_on": "2026-12-01",
        "ends_on": "2027-05-30",
        "subject": subject,
        "basis": {
            "case_reference": body["basis"]["case_reference"],
            "received_on": "2026-12-01",
            "late_reason": "The courier was ill.",
        },
    }
    formal = await approve(
        http, actors, expect(await formalise(http, owner, urgent, formal_body(**asked)), 201)
    )
    assert due(formal) == ("2026-12-04T16:59:59.000000Z", None)
    assert await passports_due(http, duty_officer) == [(formal["id"], "2026-12-04T16:59:59.000000Z")]


async def test_a_passport_that_was_found_during_the_urgent_entry_is_due_in_its_formal_one(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    owner, duty_officer, body = (
        await actors.client("submitter"),
        await actors.client("duty_officer"),
        urgent_body(),
    )
    urgent = (await sound(http, owner, body))["entry"]
    urgent = await decide(http, duty_officer, urgent, "countersign")
    urgent = expect(
        await record(http, duty_officer, urgent, duty("withdraw_passport", done_at=DONE_LATER)), 201
    )
    clock.set("2026-11-30T09:00:00+07:00")
    urgent = await amend(http, actors, urgent, with_passport(body["subject"]))
    assert due(urgent) == ("2026-12-03T16:59:59.000000Z", None)
    clock.set("2026-12-01T09:00:00+07:00")
    asked = {
        "starts_on": "2026-12-01",
        "ends_on": "2027-05-30",
        "subject": body["subject"],
        "basis": {
            "case_reference": body["basis"]["case_reference"],
            "received_on": "2026-12-01",
            "late_reason": "The courier was ill.",
        },
    }
    filed = expect(await formalise(http, owner, urgent, formal_body(**asked)), 201)
    formal = await approve(http, actors, filed)
    assert due(formal)[1] is None
    assert [each for each, _ in await passports_due(http, duty_officer)] == [formal["id"]]
    done = await record(http, duty_officer, formal, duty("withdraw_passport", done_at="2026-12-01T01:00:00Z"))
    assert due(expect(done, 201))[1] == "2026-12-01T01:00:00.000000Z"
    assert await passports_due(http, duty_officer) == []
