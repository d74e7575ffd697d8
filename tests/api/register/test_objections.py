"""Objections: filed while the measure is in force, answered by another person, changing nothing (art. 96; R38)."""

from typing import Any

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.register.objections import service
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, deterrence_body, entry_body, merged, revocation_body
from tests.support.clock import SettableClock
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
    submit,
)


def objection(**given: Any) -> Json:
    return merged(
        {
            "filed_on": "2026-11-23",
            "objector": {"name": "Ratna Wulandari", "capacity": "lawyer"},
            "grounds": "He is not the person of the case.",
            "letter": {"number": "12/RW/XI/2026", "issued_on": "2026-11-23"},
        },
        given,
    )


def answer(**given: Any) -> Json:
    return merged(
        {
            "outcome": "rejected",
            "reason": "The case names him.",
            "letter": {"number": "R-77/2026", "issued_on": "2026-11-23"},
        },
        given,
    )


async def file(
    http: httpx2.AsyncClient, by: Caller, entry: Json, body: Json | None = None
) -> httpx2.Response:
    path = f"/v1/entries/{entry['id']}/objections"
    return await http.post(path, json=body or objection(), headers=by.headers)


async def respond(
    http: httpx2.AsyncClient, by: Caller, filed: Json, body: Json | None = None, version: int = 1
) -> httpx2.Response:
    path = f"/v1/objections/{filed['id']}/answer"
    return await http.post(path, json=body or answer(), headers=by.on(f'"{version}"'))


async def test_it_is_recorded_read_and_answered_once(http: httpx2.AsyncClient, actors: Actors):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    response = await file(http, owner, entry)
    filed = expect(response, 201)
    assert response.headers["location"] == f"/v1/objections/{filed['id']}"
    assert filed["id"].startswith("obj_")
    assert (filed["agency"], filed["answer"], filed["answer_due_at"], filed["late"]) == (
        "KPK",
        None,
        "2026-12-07T16:59:59.000000Z",
        False,
    )
    assert filed["objector"] == {"name": "Ratna Wulandari", "capacity": "lawyer"}
    colleague = await actors.client("verifier")
    response = await respond(http, colleague, filed)
    told = expect(response, 201)
    assert told["answer"] == {
        "outcome": "rejected",
        "reason": "The case names him.",
        "letter": {"number": "R-77/2026", "issued_on": "2026-11-23"},
        "must_follow": [],
        "carry_out_by": None,
        "answered_by": colleague.id,
        "answered_at": "2026-11-23T03:00:00.000000Z",
    }
    read = await http.get(f"/v1/objections/{filed['id']}", headers=owner.headers)
    assert (read.json(), read.headers["etag"]) == (told, response.headers["etag"])
    same = {**owner.headers, "If-None-Match": read.headers["etag"]}
    assert (await http.get(f"/v1/objections/{filed['id']}", headers=same)).status_code == 304
    refused(await respond(http, colleague, filed, version=2), 409, "wrong-state")
    refused(await respond(http, colleague, filed), 412, "stale-version")


async def test_neither_the_objection_nor_its_answer_changes_what_checkpoints_are_told(
    http: httpx2.AsyncClient, actors: Actors
):
    body = entry_body()
    entry, counter = await impose(http, actors, body), await actors.client("checkpoint")
    owner, auditor = await actors.client("submitter"), await actors.client("auditor")
    filed = expect(await file(http, owner, entry), 201)
    granted = await respond(http, await actors.client("verifier"), filed, answer(outcome="granted"))
    assert expect(granted, 201)["answer"]["must_follow"] == ["annulment", "revocation"]
    assert expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200) == entry
    asked = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(asked, 200)["action"] == "refuse_exit"
    changes = expect(await http.get("/v1/changes", headers=auditor.headers), 200)
    assert changes["head"] == 1, "the ledger holds the entry alone"


async def test_it_is_filed_only_while_the_measure_is_in_force(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock
):
    owner = await actors.client("submitter")
    submitted = await submit(http, owner)
    later = await impose(http, actors, entry_body(starts_on="2026-12-01"))
    short = await impose(http, actors, entry_body(ends_on="2026-11-24"))
    clock.advance(days=2)
    for entry in (submitted, later, short):
        async with nothing_changed(runtime):
            response = await file(http, owner, entry, objection(filed_on="2026-11-25"))
            refused(response, 409, "wrong-state")
            assert "art. 96" in response.json()["detail"]


async def test_what_was_filed_in_time_is_recorded_after_the_end_too(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    owner = await actors.client("submitter")
    short = await impose(http, actors, entry_body(ends_on="2026-11-24"))
    clock.set("2027-02-01T09:00:00+07:00")
    filed = expect(await file(http, owner, short, objection(filed_on="2026-11-24")), 201)
    assert filed["answer_due_at"] == "2026-12-08T16:59:59.000000Z"
    colleague = await actors.client("verifier")
    letter = {"issued_on": "2027-02-01"}
    granted = answer(outcome="granted", letter=letter)
    expect(await respond(http, colleague, filed, granted), 201)
    assert await tasks(http, owner, "carry_out_objection") == [], "there is nothing left to end"


async def tasks(http: httpx2.AsyncClient, by: Caller, name: str) -> list[tuple[str, str, str]]:
    """What waits for somebody under a name: objection, entry, when it is due."""
    items = expect(await http.get("/v1/worklist", headers=by.headers), 200)["items"]
    found = [each for each in items if (each["kind"], each["name"]) == ("task", name)]
    return [(each["objection_id"], each["entry_id"], each["due_at"]) for each in found]


async def test_a_granted_one_is_a_task_of_the_owner_until_the_measure_is_to_end(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    stranger, verifier = await actors.client("submitter", agency="BNN"), await actors.client("verifier")
    filed = expect(await file(http, owner, entry), 201)
    granted = expect(await respond(http, verifier, filed, answer(outcome="granted")), 201)
    due_at = "2026-11-26T16:59:59.000000Z"
    assert granted["answer"]["carry_out_by"] == due_at
    task = (filed["id"], entry["id"], due_at)
    assert await tasks(http, owner, "carry_out_objection") == [task]
    assert await tasks(http, stranger, "carry_out_objection") == []
    revocation = revocation_body(entry)
    asked = expect(await file_amendment(http, owner, entry, revocation), 201)
    assert await tasks(http, owner, "carry_out_objection") == []
    await settle(http, verifier, asked, "return", "The letter is unsigned.")
    assert await tasks(http, owner, "carry_out_objection") == [task]
    clock.set("2026-11-26T23:59:59.999+07:00")
    await worker.notify_officers()
    assert await overdue(http, verifier, "carry_out_objection") == []
    clock.set("2026-11-27T00:00:00+07:00")
    await worker.notify_officers()
    await worker.notify_officers()
    assert await overdue(http, verifier, "carry_out_objection") == [filed["id"]]
    assert await overdue(http, await actors.client("approver"), "carry_out_objection") == [filed["id"]]
    await amend(http, actors, entry, revocation)
    assert await tasks(http, owner, "carry_out_objection") == []


async def overdue(http: httpx2.AsyncClient, by: Caller, deadline: str) -> list[str]:
    """The objections of which somebody was told that a deadline has passed."""
    notices = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [each["objection_id"] for each in notices if each["deadline"] == deadline]


async def test_one_that_was_answered_late_is_told_again_when_it_is_not_carried_out(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    filed = expect(await file(http, owner, entry), 201)
    clock.set("2026-12-08T09:00:00+07:00")
    await worker.notify_officers()
    verifier = await actors.client("verifier")
    assert await overdue(http, verifier, "answer_objection") == [filed["id"]]
    expect(await respond(http, verifier, filed, answer(outcome="granted")), 201)
    clock.advance(days=4)
    await worker.notify_officers()
    assert await overdue(http, verifier, "carry_out_objection") == [filed["id"]]


async def test_one_against_the_urgent_entry_is_seen_and_carried_out_at_its_formal_one(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    owner, verifier = await actors.client("submitter"), await actors.client("verifier")
    urgent = (await sound(http, owner))["entry"]
    urgent = await decide(http, await actors.client("duty_officer"), urgent, "countersign")
    filed = expect(await file(http, owner, urgent), 201)
    body = {name: value for name, value in entry_body().items() if name in {"basis", "starts_on", "ends_on"}}
    body["basis"]["case_reference"] = urgent["basis"]["case_reference"]
    formal = await approve(http, actors, expect(await formalise(http, owner, urgent, body), 201))
    clock.advance(days=1)
    second = expect(await file(http, owner, formal, objection(filed_on="2026-11-24")), 201)
    for entry in (urgent, formal):
        path = f"/v1/entries/{entry['id']}/objections"
        listed = expect(await http.get(path, headers=owner.headers), 200)["items"]
        assert [each["id"] for each in listed] == [second["id"], filed["id"]]
    expect(await respond(http, verifier, filed, answer(outcome="granted")), 201)
    assert [each[0] for each in await tasks(http, owner, "carry_out_objection")] == [filed["id"]]
    formal = expect(await http.get(f"/v1/entries/{formal['id']}", headers=owner.headers), 200)
    asked = expect(await file_amendment(http, owner, formal, revocation_body(formal)), 201)
    assert asked["state"] == "submitted"
    assert await tasks(http, owner, "carry_out_objection") == []


async def test_against_an_urgent_entry_it_is_filed_too(http: httpx2.AsyncClient, actors: Actors):
    owner = await actors.client("submitter")
    urgent = (await sound(http, owner))["entry"]
    expect(await file(http, owner, urgent), 201)


async def test_whoever_recorded_it_does_not_answer_it(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
):
    entry = await impose(http, actors)
    owner = await actors.client("submitter", person="1985031500")
    second_account = await actors.client("verifier", person="1985-03-15.00")
    filed = expect(await file(http, owner, entry), 201)
    async with nothing_changed(runtime):
        for by in (owner, second_account):
            refused(await respond(http, by, filed), 403, "four-eyes")


async def test_it_is_its_owners(http: httpx2.AsyncClient, actors: Actors, runtime: Runtime):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    filed = expect(await file(http, owner, entry), 201)
    other = await actors.client("submitter", agency="BNN")
    sees_all = await actors.client(["submitter", "approver"], agency="IMIGRASI")
    approver, auditor = await actors.client("approver"), await actors.client("auditor")
    paths = (f"/v1/entries/{entry['id']}/objections", f"/v1/objections/{filed['id']}")
    async with nothing_changed(runtime):
        refused(await file(http, other, entry), 404, "not-found")
        refused(await respond(http, other, filed), 404, "not-found")
        refused(await file(http, sees_all, entry), 403, "wrong-agency")
        refused(await respond(http, sees_all, filed), 403, "wrong-agency")
        refused(await file(http, approver, entry), 403, "wrong-role")
        for path in paths:
            refused(await http.get(path, headers=other.headers), 404, "not-found")
        missing = await http.get("/v1/objections/obj_missing", headers=owner.headers)
        refused(missing, 404, "not-found")
    for path in paths:
        expect(await http.get(path, headers=auditor.headers), 200)


WRONG = [
    (objection(filed_on="2026-11-24"), "/filed_on"),
    (objection(filed_on="2026-11-22"), "/filed_on"),
    (objection(filed_on=None), "/filed_on"),
    (objection(objector={"capacity": "friend"}), "/objector/capacity"),
    (objection(objector={"name": ...}), "/objector/name"),
    (objection(grounds=""), "/grounds"),
    (objection(letter={"issued_on": "2026-11-24"}), "/letter/issued_on"),
    (objection(outcome="granted"), "/outcome"),
]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_each_fault_is_told_where_it_stands(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    async with nothing_changed(runtime):
        for body, pointer in WRONG:
            with subtests.test(pointer):
                assert pointer in refused(await file(http, owner, entry, body), 422, "validation")
    filed = expect(await file(http, owner, entry, objection(letter=None)), 201)
    colleague = await actors.client("verifier")
    for body, pointer in (
        (answer(letter={"issued_on": "2026-11-24"}), "/letter/issued_on"),
        (answer(letter=...), "/letter"),
        (answer(outcome="perhaps"), "/outcome"),
    ):
        assert pointer in refused(await respond(http, colleague, filed, body), 422, "validation")
    without = await http.post(
        f"/v1/objections/{filed['id']}/answer", json=answer(), headers=colleague.headers
    )
    refused(without, 428, "version-required")


@pytest.mark.settings(public_holidays="2026-11-25, 2026-12-25")
async def test_an_administrative_action_has_a_clock_in_working_days(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    body = deterrence_body(basis={"instrument": "administrative_action"})
    entry, owner = await impose(http, actors, body), await actors.client("submitter", agency="IMIGRASI")
    filed = expect(await file(http, owner, entry), 201)
    assert (filed["file_until"], filed["late"]) == (None, False)
    assert filed["answer_due_at"] == "2026-12-08T16:59:59.000000Z"
    delivery = {"name": "deliver_to_person", "done_at": "2026-11-23T03:00:00Z", "reference": "17"}
    path = f"/v1/entries/{entry['id']}/duties"
    expect(await http.post(path, json=delivery, headers=owner.headers), 201)
    clock.advance(days=31)
    late = objection(filed_on="2026-12-24", letter=None)
    filed = expect(await file(http, owner, entry, late), 201)
    assert (filed["file_until"], filed["late"]) == ("2026-12-23", True)


@pytest.mark.settings(public_holidays="2026-11-25, 2026-12-25")
async def test_a_receipt_that_is_proved_later_tells_until_when_was_to_be_filed(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    body = deterrence_body(basis={"instrument": "administrative_action"})
    entry, owner = await impose(http, actors, body), await actors.client("submitter", agency="IMIGRASI")
    early = expect(await file(http, owner, entry), 201)
    clock.advance(days=31)
    late = expect(await file(http, owner, entry, objection(filed_on="2026-12-24", letter=None)), 201)
    assert [(each["file_until"], each["late"]) for each in (early, late)] == [(None, False)] * 2
    before = await http.get(f"/v1/objections/{late['id']}", headers=owner.headers)
    delivery = {"name": "deliver_to_person", "done_at": "2026-11-23T03:00:00Z", "reference": "17"}
    path = f"/v1/entries/{entry['id']}/duties"
    expect(await http.post(path, json=delivery, headers=owner.headers), 201)
    for filed, is_late in ((early, False), (late, True)):
        now = expect(await http.get(f"/v1/objections/{filed['id']}", headers=owner.headers), 200)
        assert now == {**filed, "file_until": "2026-12-23", "late": is_late}
    unchanged = {**owner.headers, "If-None-Match": before.headers["etag"]}
    expect(await http.get(f"/v1/objections/{late['id']}", headers=unchanged), 200)
    colleague = await actors.client("verifier", agency="IMIGRASI")
    answered = expect(await respond(http, colleague, late, answer(letter={"issued_on": "2026-12-24"})), 201)
    assert answered["file_until"] == "2026-12-23"


async def test_the_receipt_of_another_decision_gives_no_last_day_to_file(
    http: httpx2.AsyncClient, actors: Actors
):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    filed = expect(await file(http, owner, entry), 201)
    delivery = {"name": "deliver_to_person", "done_at": "2026-11-23T03:00:00Z", "reference": "17"}
    path = f"/v1/entries/{entry['id']}/duties"
    expect(await http.post(path, json=delivery, headers=owner.headers), 201)
    now = expect(await http.get(f"/v1/objections/{filed['id']}", headers=owner.headers), 200)
    assert now["file_until"] is None


@pytest.mark.parametrize(
    "last",
    [
        pytest.param("2027-01-08", id="as the government has set them"),
        pytest.param(
            "2027-01-08",
            id="corrected",
            marks=pytest.mark.settings(
                public_holidays="2027-01-04", public_holidays_removed="2026-12-24, 2030-01-01"
            ),
        ),
        pytest.param("2027-01-11", id="added", marks=pytest.mark.settings(public_holidays="2027-01-04")),
    ],
)
async def test_public_holidays_and_joint_leave_are_no_working_days(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, last: str
):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    clock.set("2026-12-21T09:00:00+07:00")
    body = objection(filed_on="2026-12-21")
    filed = expect(await file(http, owner, entry, body), 201)
    assert filed["answer_due_at"] == f"{last}T16:59:59.000000Z"


async def test_those_of_an_entry_are_listed_newest_first_in_pages(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    ids = []
    for _ in range(3):
        ids.append(expect(await file(http, owner, entry), 201)["id"])
        clock.advance(seconds=1)
    path = f"/v1/entries/{entry['id']}/objections"
    first = expect(await http.get(path, params={"limit": 2}, headers=owner.headers), 200)
    rest = expect(
        await http.get(path, params={"limit": 2, "cursor": first["next_cursor"]}, headers=owner.headers), 200
    )
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next_cursor"] is None


@pytest.mark.settings(objection_answer_days=12)
async def test_what_waits_for_an_answer_is_listed_for_the_worklist_soonest_due_first(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
):
    action = deterrence_body(basis={"instrument": "administrative_action"})
    owners = {code: await actors.client("submitter", agency=code) for code in ("KPK", "IMIGRASI")}
    ids: dict[str, str] = {}
    for code, body in (("KPK", entry_body()), ("IMIGRASI", action)):
        entry = await impose(http, actors, body)
        ids[code] = expect(await file(http, owners[code], entry), 201)["id"]
        done = expect(await file(http, owners[code], entry), 201)
        expect(await respond(http, await actors.client("verifier", agency=code), done), 201)
    async with runtime.reading(SYSTEM) as reader:
        listed = [
            [each.id for each in await service.list_open(reader, code)] for code in (None, "KPK", "BNN")
        ]
    assert listed == [[ids["IMIGRASI"], ids["KPK"]], [ids["KPK"]], []]
