"""What else waits: duties, extensions, amendments, objections, correction requests, and what officers were told."""

from typing import Any

import httpx2

from app.actor import Actor
from app.register.amendments.waiting import list_waiting
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, deterrence_body, entry_body, extension_body, revocation_body
from tests.support.clock import SettableClock
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
    submit,
)


async def items(http: httpx2.AsyncClient, by: Caller, kind: str = "task", **asked: Any) -> list[Json]:
    """Tasks, or notices, of an officer."""
    told = expect(await http.get("/v1/worklist", params=asked, headers=by.headers), 200)["items"]
    return [item for item in told if item["kind"] == kind]


async def named(http: httpx2.AsyncClient, by: Caller, name: str) -> list[Json]:
    """An officer's tasks of one name."""
    return [item for item in await items(http, by) if item["name"] == name]


async def done(http: httpx2.AsyncClient, by: Caller, entry: Json, name: str, at: str) -> None:
    """Record a duty."""
    body = {"name": name, "done_at": at, "reference": "Receipt 17"}
    expect(await http.post(f"/v1/entries/{entry['id']}/duties", json=body, headers=by.headers), 201)


async def asked_formally(http: httpx2.AsyncClient, by: Caller, urgent: Json, **period: str) -> Json:
    """The formal entry behind an urgent one, as it was asked for."""
    basis = {name: value for name, value in urgent["basis"].items() if value is not None}
    body = {"basis": {**basis, "number": "R-99/FORMAL/2026"}, "gap_acknowledged": False, **period}
    return expect(await formalise(http, by, urgent, body), 201)


async def test_a_measure_can_be_extended_from_thirty_days_before_its_end_until_three(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, owner: Caller
) -> None:
    entry = await impose(http, actors, entry_body(ends_on="2027-05-23"))
    clock.set("2027-04-22T23:59:59+07:00")
    assert await named(http, owner, "extend") == []
    clock.set("2027-04-23T00:00:00+07:00")
    (task,) = await named(http, owner, "extend")
    assert (task["entry_id"], task["due_at"]) == (entry["id"], "2027-05-20T16:59:59.000000Z")
    assert await named(http, await actors.client("submitter", agency="BNN"), "extend") == []
    assert await named(http, await actors.client("verifier"), "extend") == []
    clock.set("2027-05-20T23:59:59+07:00")
    assert len(await named(http, owner, "extend")) == 1
    clock.advance(seconds=1)
    assert await named(http, owner, "extend") == []


async def test_an_extension_that_was_asked_for_waits_for_others(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, owner: Caller
) -> None:
    entry = await impose(http, actors)
    clock.set("2027-05-01T09:00:00+07:00")
    verifier, approver = await actors.client("verifier"), await actors.client("approver")
    body = extension_body(entry, "2027-11-23")
    body["extension"]["basis"]["issued_on"] = "2027-05-01"
    asked = expect(await file_amendment(http, owner, entry, body), 201)
    assert await named(http, owner, "extend") == []
    (task,) = await named(http, verifier, "verify_amendment")
    assert (task["entry_id"], task["amendment_id"]) == (entry["id"], asked["id"])
    assert task["due_at"] == asked["due_at"] == "2027-05-08T16:59:59.000000Z"
    asked = await settle(http, verifier, asked, "verify")
    assert await named(http, verifier, "verify_amendment") == []
    (task,) = await named(http, approver, "approve_amendment")
    assert task["amendment_id"] == asked["id"]
    await settle(http, approver, asked, "approve")
    assert await named(http, approver, "approve_amendment") == []
    assert await named(http, owner, "extend") == []
    clock.set("2027-11-10T09:00:00+07:00")
    assert await named(http, owner, "extend") == []  # once only


async def test_who_wrote_an_amendment_is_not_asked_to_verify_it(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    both = await actors.client(["submitter", "verifier"])
    entry = await impose(http, actors)
    expect(await file_amendment(http, both, entry, revocation_body(entry)), 201)
    assert await named(http, both, "verify_amendment") == []
    assert len(await named(http, await actors.client("verifier"), "verify_amendment")) == 1


async def test_an_amendment_of_immigrations_own_entry_waits_for_another_office(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    entry = await impose(http, actors, deterrence_body())
    immigration = await actors.client("submitter", agency="IMIGRASI")
    asked = expect(await file_amendment(http, immigration, entry, revocation_body(entry)), 201)
    await settle(http, await actors.client("verifier", agency="IMIGRASI"), asked, "verify")
    same = await actors.client("approver", office="KANIM-BATAM")
    assert await named(http, same, "approve_amendment") == []
    assert len(await named(http, await actors.client("approver"), "approve_amendment")) == 1


async def test_immigrations_own_request_waits_for_another_office(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    entry = await submit(http, await actors.client("submitter", agency="IMIGRASI"), deterrence_body())
    await decide(http, await actors.client("verifier", agency="IMIGRASI"), entry, "verify")
    assert await items(http, await actors.client("approver", office="KANIM-BATAM")) == []
    assert len(await items(http, await actors.client("approver"))) == 1


async def test_anothers_letter_is_a_question_to_the_owner(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller
) -> None:
    entry = await impose(http, actors)
    immigration = await actors.client("submitter", agency="IMIGRASI")
    asked = expect(await file_amendment(http, immigration, entry, revocation_body(entry)), 201)
    (task,) = await named(http, owner, "answer_letter")
    assert (task["entry_id"], task["amendment_id"]) == (entry["id"], asked["id"])
    assert await named(http, immigration, "answer_letter") == []


async def test_a_decision_is_to_reach_the_person_until_its_proof_is_recorded(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, owner: Caller
) -> None:
    submitted = await submit(http, owner)
    assert await named(http, owner, "deliver_to_person") == []
    entry = await approve(http, actors, submitted)
    due = {each["name"]: each["due_at"] for each in entry["legal_deadlines"]}
    for reader in (owner, await actors.client("verifier")):
        (task,) = await named(http, reader, "deliver_to_person")
        assert (task["entry_id"], task["due_at"]) == (entry["id"], due["deliver_to_person"])
    assert await named(http, await actors.client("approver"), "deliver_to_person") == []
    clock.advance(days=30)
    assert len(await named(http, owner, "deliver_to_person")) == 1
    await done(http, owner, entry, "deliver_to_person", "2026-12-01T02:00:00Z")
    assert await named(http, owner, "deliver_to_person") == []
    clock.set("2027-05-10T09:00:00+07:00")
    body = extension_body(entry, "2027-11-23")
    body["extension"]["basis"]["issued_on"] = "2027-05-10"
    await amend(http, actors, entry, body)
    (task,) = await named(http, owner, "deliver_to_person")
    assert task["due_at"] == "2027-05-17T16:59:59.000000Z"


async def test_the_minister_is_thought_of_when_the_time_is_over(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, owner: Caller
) -> None:
    entry = await submit(http, owner, entry_body(basis={"issued_on": "2026-11-21", "received_on": None}))
    received = await submit(http, owner)
    clock.set("2026-11-24T23:59:59+07:00")
    assert await named(http, owner, "deliver_to_minister") == []
    clock.advance(seconds=1)
    (task,) = await named(http, owner, "deliver_to_minister")
    assert (task["entry_id"], task["due_at"]) == (entry["id"], "2026-11-24T16:59:59.000000Z")
    assert task["entry_id"] != received["id"]
    await done(http, owner, entry, "deliver_to_minister", "2026-11-24T17:00:00Z")
    assert await named(http, owner, "deliver_to_minister") == []


async def test_a_passport_is_withdrawn_by_immigration(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller
) -> None:
    entry = await impose(http, actors)
    duty, approver = await actors.client("duty_officer"), await actors.client("approver")
    for reader in (duty, approver, await actors.client("submitter", agency="IMIGRASI")):
        (task,) = await named(http, reader, "withdraw_passport")
        assert (task["entry_id"], task["due_at"]) == (entry["id"], "2026-11-26T16:59:59.000000Z")
    assert await named(http, owner, "withdraw_passport") == []
    await done(http, duty, entry, "withdraw_passport", "2026-11-23T02:00:00Z")
    assert await named(http, approver, "withdraw_passport") == []


async def test_a_passport_withdrawn_on_the_urgent_entry_is_not_withdrawn_again(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller
) -> None:
    duty = await actors.client("duty_officer")
    urgent = await decide(http, duty, (await sound(http, owner))["entry"], "countersign")
    formal = await asked_formally(http, owner, urgent, starts_on="2026-11-23", ends_on="2027-05-23")
    await done(http, duty, urgent, "withdraw_passport", "2026-11-23T03:00:00Z")
    formal = await approve(http, actors, formal)
    assert formal["state"] == "active"
    assert await named(http, duty, "withdraw_passport") == []


async def test_nothing_tells_of_an_entry_whose_seal_keeps_one_out(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
) -> None:
    named_person = await actors.client("verifier")
    body = entry_body(ends_on="2026-12-03", sealed_for=[named_person.person])
    submitter, approver = await actors.client("submitter"), await actors.client("approver")
    body["sealed_for"].append(approver.person)
    entry = await decide(http, named_person, await submit(http, submitter, body), "verify")
    await decide(http, approver, entry, "approve")
    clock.set("2026-11-30T09:00:00+07:00")
    assert await worker.notify_officers() > 0
    outsiders = [await actors.client(role) for role in ("submitter", "verifier", "approver", "duty_officer")]
    for reader in outsiders:
        assert await items(http, reader) + await items(http, reader, "notice") == []
    assert await named(http, named_person, "deliver_to_person") != []
    assert await items(http, named_person, "notice") != []


async def test_what_has_ended_is_nobodys_duty_any_more(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, owner: Caller
) -> None:
    await impose(http, actors, entry_body(ends_on="2026-11-24"))
    clock.set("2026-11-25T00:00:00+07:00")
    assert await items(http, owner) == []
    assert await items(http, await actors.client("duty_officer")) == []


async def test_an_objection_waits_for_another_officer_of_the_owner(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller
) -> None:
    entry = await impose(http, actors)
    body = {
        "filed_on": "2026-11-23",
        "objector": {"name": "Ratna Wulandari", "capacity": "lawyer"},
        "grounds": "He is not the person of the case.",
    }
    path = f"/v1/entries/{entry['id']}/objections"
    filed = expect(await http.post(path, json=body, headers=owner.headers), 201)
    assert await named(http, owner, "answer_objection") == []
    (task,) = await named(http, await actors.client("verifier"), "answer_objection")
    assert (task["entry_id"], task["objection_id"]) == (entry["id"], filed["id"])
    assert await named(http, await actors.client("verifier", agency="BNN"), "answer_objection") == []


async def test_correction_requests_wait_the_wrong_person_first_within_a_day_and_escalate(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, worker: Worker, owner: Caller
) -> None:
    entry, supervisor = await impose(http, actors), await actors.client("supervisor")

    async def file(kind: str) -> str:
        body = {
            "entry_id": entry["id"],
            "kind": kind,
            "statement": "I am another person of the same name.",
            "requester": {"name": "Wulan Pucangan", "contact": "wulan@example.com"},
        }
        asked = await http.post("/v1/correction-requests", json=body, headers=supervisor.headers)
        return str(expect(asked, 201)["id"])

    first = await file("identity")
    clock.advance(hours=1)
    wrong = await file("wrong_person")
    approver = await actors.client("approver")
    tasks = await named(http, approver, "decide_correction_request")
    assert [task["request_id"] for task in tasks] == [wrong, first]
    assert [task["due_at"] for task in tasks] == [
        "2026-11-26T04:00:00.000000Z",
        "2026-11-26T03:00:00.000000Z",
    ]
    tasks = await named(http, owner, "prepare_correction")
    assert [task["request_id"] for task in tasks] == [wrong, first]
    clock.advance(hours=72)
    await worker.notify_officers()
    for reader in (approver, owner, await actors.client("duty_officer")):
        notices = [each for each in await items(http, reader, "notice") if each["request_id"]]
        assert [(each["name"], each["request_id"]) for each in notices] == [("overdue", first)]
        assert notices[0]["deadline"] == "decide_correction_request"


async def test_a_returned_formalisation_is_due_before_its_urgent_entry_lapses(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller
) -> None:
    ordinary = await submit(http, owner)
    urgent = (await sound(http, owner))["entry"]
    formal = await asked_formally(http, owner, urgent, starts_on="2026-12-13", ends_on="2027-06-12")
    verifier = await actors.client("verifier")
    for asked in (ordinary, formal):
        await decide(http, verifier, asked, "return", "The signature is missing.")
    first, last = await named(http, owner, "resubmit")
    assert (first["entry_id"], first["due_at"]) == (formal["id"], "2026-12-12T17:00:00.000000Z")
    assert (last["entry_id"], last["due_at"]) == (ordinary["id"], None)


async def test_an_urgent_entry_is_not_to_be_formalised_twice(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller
) -> None:
    deciding = await actors.client(["duty_officer", "approver"])
    urgent = (await sound(http, owner))["entry"]
    urgent = await decide(http, deciding, urgent, "countersign")
    assert len(await named(http, owner, "formalise")) == 1
    formal = await asked_formally(http, owner, urgent, starts_on="2026-12-13", ends_on="2027-06-12")
    assert await named(http, owner, "formalise") == []
    verifier = await actors.client("verifier")
    (task,) = await named(http, verifier, "verify")
    assert task["entry_id"] == formal["id"]
    await decide(http, verifier, formal, "verify")
    assert await named(http, deciding, "approve") == []  # who countersigned does not approve
    (task,) = await named(http, await actors.client("approver"), "approve")
    assert task["due_at"] == "2026-11-30T16:59:59.000000Z"


async def test_notices_and_hits_stand_newest_first_and_name_nobody(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
) -> None:
    body = entry_body(ends_on="2026-12-10")
    entry, verifier = await impose(http, actors, body), await actors.client("verifier")
    counter = await actors.client("checkpoint")
    for day in ("2026-12-03", "2026-12-06"):
        clock.set(f"{day}T09:00:00+07:00")
        await worker.notify_officers()
        clock.advance(hours=1)
        asked = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
        expect(asked, 200)
    notices = await items(http, verifier, "notice")
    assert [each["name"] for each in notices[:3]] == ["hit", "ends_soon", "hit"]
    assert sorted(each["name"] for each in notices[3:]) == ["ends_soon", "ends_soon", "overdue", "overdue"]
    assert [each["at"] for each in notices] == sorted((each["at"] for each in notices), reverse=True)
    assert {each["entry_id"] for each in notices} == {entry["id"]}
    assert len(await items(http, verifier, "notice", limit=2)) == 2
    everything = (await http.get("/v1/worklist", headers=verifier.headers)).text
    for secret in (body["subject"]["full_name"], body["subject"]["documents"][0]["number"]):
        assert secret not in everything
    assert len(await items(http, await actors.client("auditor"), "notice")) == 7


async def test_a_case_that_leaves_the_investigation_asks_kpk_to_end_its_ban(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    basis = {**body["basis"], "stage": "prosecution"}
    correction = {"kind": "correction", "correction": {"basis": basis}}
    amendment = expect(await file_amendment(http, owner, entry, correction), 201)
    assert [warning["code"] for warning in amendment["warnings"]] == ["power_ended"]
    assert await named(http, owner, "end_measure") == []
    amendment = await settle(http, await actors.client("verifier"), amendment, "verify")
    await settle(http, await actors.client("approver"), amendment, "approve")
    entry = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    for by in (owner, await actors.client("verifier")):
        (task,) = await named(http, by, "end_measure")
        assert (task["entry_id"], task["due_at"]) == (entry["id"], None)
    assert await named(http, await actors.client("verifier", agency="BNN"), "end_measure") == []
    problem = expect(await file_amendment(http, owner, entry, extension_body(entry, "2027-11-24")), 422)
    assert problem["type"] == "/problems/stage-not-allowed"
    await amend(http, actors, entry, revocation_body(entry))
    assert await named(http, owner, "end_measure") == []


async def test_no_number_of_amendments_that_others_must_decide_hides_ones_own(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller, runtime: Runtime
) -> None:
    both = await actors.client(["submitter", "verifier"])
    for _ in range(3):
        entry = await impose(http, actors)
        expect(await file_amendment(http, both, entry, revocation_body(entry)), 201)
    entry = await impose(http, actors)
    amendment = expect(await file_amendment(http, owner, entry, revocation_body(entry)), 201)
    verifier = Actor(both.id, both.person, frozenset({"verifier"}), "KPK")
    async with runtime.reading(verifier) as reader:
        assert [each.id for each in await list_waiting(reader, limit=1)] == [amendment["id"]]
