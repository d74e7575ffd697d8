"""The formal entry that follows an urgent one (API sections 3 and 4; R25, R26, R35)."""

import httpx2
import pytest
from sqlalchemy import update

from app.access.domain import SYSTEM
from app.register.entries.tables import entry as entry_table
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    check_body,
    entry_body,
    formal_body,
    merged,
    photo,
    urgent_body,
    without_photo,
)
from tests.support.clock import SettableClock
from tests.support.feeds import alerts, records
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import (
    Json,
    approve,
    decide,
    etag,
    expect,
    formalise,
    in_its_case,
    sound,
    submit,
)


@pytest.fixture
async def urgent(http: httpx2.AsyncClient, actors: Actors) -> Json:
    """An urgent entry of 23 November, countersigned; it ends on 12 December."""
    raised = await sound(http, await actors.client("submitter"), urgent_body())
    return await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")


async def outcome(http: httpx2.AsyncClient, counter: Caller, entry: Json) -> str:
    asked = await http.post("/v1/checks", json=check_body(entry["subject"]), headers=counter.headers)
    return str(expect(asked, 200)["outcome"])


async def read(http: httpx2.AsyncClient, by: Caller, entry: Json) -> Json:
    return expect(await http.get(f"/v1/entries/{entry['id']}", headers=by.headers), 200)


async def test_a_formal_entry_takes_over_at_once_and_everybody_is_told_once(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, urgent: Json
) -> None:
    owner = await actors.client("submitter")
    body = formal_body(starts_on="2026-11-23", ends_on="2027-05-23")
    answer = await formalise(http, owner, urgent, body)
    formal = expect(answer, 201)
    assert answer.headers["Location"] == f"/v1/entries/{formal['id']}"
    assert (formal["formalises"], formal["state"], formal["in_force"]) == (urgent["id"], "submitted", False)
    assert formal["subject"]["full_name"] == urgent["subject"]["full_name"]
    assert formal["subject"]["photo"]["sha256"] == urgent["subject"]["photo"]["sha256"]
    assert (await read(http, owner, urgent))["state"] == "provisional"
    formal = await approve(http, actors, formal)
    assert (formal["state"], formal["in_force"], formal["ends_on"]) == ("active", True, "2027-05-23")
    before = await read(http, owner, urgent)
    assert (before["state"], before["ended_reason"], before["in_force"]) == ("ended", "superseded", False)
    told = await alerts(http, counter)
    assert [alert["kind"] for alert in told] == ["raise", "update", "update"]
    last = told[-1]
    assert (last["refers_to"], last["action"], last["entry"]["id"]) == (
        told[0]["id"],
        "refuse_exit",
        formal["id"],
    )
    assert last["entry"]["in_force_until"] == "2027-05-23T16:59:59.000000Z"
    types = [record["type"] for record in await records(http, await actors.client("auditor"))]
    assert types[-3:] == ["entry.listed", "alert.updated", "entry.ended"]
    assert await outcome(http, counter, formal) == "refuse"
    photo = await http.get(f"/v1/entries/{formal['id']}/photo", headers=counter.headers)
    assert photo.status_code == 200


async def test_the_urgent_entry_stands_until_the_first_day_of_the_formal_one_whatever_runs(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    urgent: Json,
    clock: SettableClock,
    worker: Worker,
) -> None:
    owner = await actors.client("submitter")
    formal = await approve(http, actors, expect(await formalise(http, owner, urgent, formal_body()), 201))
    assert (formal["state"], formal["in_force"]) == ("active", False)
    assert (await read(http, owner, urgent))["state"] == "provisional"
    clock.set("2026-11-30T23:59:59+07:00")
    assert await outcome(http, counter, formal) == "refuse"
    assert (await read(http, owner, urgent))["in_force"] is True
    clock.set("2026-12-01T00:00:00+07:00")
    for _ in range(2):  # before and after the worker has been at it
        assert await outcome(http, counter, formal) == "refuse"
        ended = await read(http, owner, urgent)
        assert (ended["state"], ended["ended_reason"]) == ("ended", "superseded")
        assert ended["ended_at"] == "2026-11-30T17:00:00.000000Z"
        await worker.end_by_law()
        await worker.announce_begun()
    told = await alerts(http, counter)
    assert [alert["kind"] for alert in told] == ["raise", "update", "update", "update"]
    assert (told[-1]["action"], told[-1]["entry"]["id"]) == ("refuse_exit", formal["id"])
    clock.set("2027-06-02T00:00:00+07:00")
    assert await outcome(http, counter, formal) == "clear"
    await worker.end_by_law()
    assert (await alerts(http, counter))[-1]["kind"] == "cancel"


async def test_a_gap_needs_to_be_acknowledged_and_then_frees_the_person_for_its_days(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    urgent: Json,
    clock: SettableClock,
    worker: Worker,
    runtime: Runtime,
) -> None:
    owner = await actors.client("submitter")
    late = formal_body(starts_on="2026-12-14", ends_on="2027-06-14")
    async with nothing_changed(runtime):
        faults = refused(await formalise(http, owner, urgent, late), 422, "validation")
    assert faults == {"/starts_on": "gap_not_acknowledged"}
    just = formal_body(starts_on="2026-12-13", ends_on="2027-06-13")
    probe = expect(await formalise(http, owner, urgent, just), 201)
    probe = await decide(http, await actors.client("verifier"), probe, "verify")
    await decide(http, await actors.client("approver"), probe, "reject", "Try again.")
    answer = await formalise(http, owner, urgent, late | {"gap_acknowledged": True})
    formal = await approve(http, actors, expect(answer, 201))
    assert formal["gap_acknowledged"] is True
    clock.set("2026-12-13T00:00:00+07:00")
    assert await outcome(http, counter, formal) == "clear"
    await worker.end_by_law()
    assert (await read(http, owner, urgent))["ended_reason"] == "lapsed"
    assert [alert["kind"] for alert in await alerts(http, counter)] == ["raise", "update", "cancel"]
    clock.set("2026-12-14T00:00:00+07:00")
    assert await outcome(http, counter, formal) == "refuse"
    await worker.announce_begun()
    last = (await alerts(http, counter))[-1]
    assert (last["kind"], last["action"], last["entry"]["id"]) == ("raise", "refuse_exit", formal["id"])


async def test_a_formal_entry_that_can_not_be_announced_keeps_no_other_from_being_announced(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    clock: SettableClock,
    worker: Worker,
    runtime: Runtime,
) -> None:
    owner, duty = await actors.client("submitter"), await actors.client("duty_officer")
    formal = []
    for starts_on, ends_on in (("2026-11-30", "2027-05-30"), ("2026-12-01", "2027-06-01")):
        urgent = await decide(http, duty, (await sound(http, owner, urgent_body()))["entry"], "countersign")
        answer = await formalise(http, owner, urgent, formal_body(starts_on=starts_on, ends_on=ends_on))
        formal.append(await approve(http, actors, expect(answer, 201)))
    damaged, other = (each["id"] for each in formal)
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(update(entry_table).where(entry_table.c.id == damaged).values(document="{}"))
    clock.set("2026-12-02T00:00:00+07:00")
    assert await worker.announce_begun() == 1
    assert (await alerts(http, counter))[-1]["entry"]["id"] == other


async def test_who_made_or_countersigned_the_urgent_entry_does_not_approve_the_formal_one(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    made = await actors.client("submitter", person="197001011")
    raised = await sound(http, made, urgent_body())
    duty = await actors.client("duty_officer", person="197002022")
    urgent = await decide(http, duty, raised["entry"], "countersign")
    answer = await formalise(http, await actors.client("submitter"), urgent, formal_body())
    formal = await decide(http, await actors.client("verifier"), expect(answer, 201), "verify")
    for person in ("197001011", "197002022"):
        approver = await actors.client("approver", person=person)
        async with nothing_changed(runtime):
            path = f"/v1/entries/{formal['id']}/decisions"
            tried = await http.post(path, json={"verdict": "approve"}, headers=approver.on(etag(formal)))
            refused(tried, 403, "four-eyes")
    assert (await decide(http, await actors.client("approver"), formal, "approve"))["state"] == "active"


async def test_only_a_running_urgent_entry_of_the_own_agency_is_formalised_and_once(
    http: httpx2.AsyncClient, actors: Actors, urgent: Json, clock: SettableClock, runtime: Runtime
) -> None:
    owner, other = await actors.client("submitter"), await actors.client("submitter", agency="POLRI")
    plain = await submit(http, owner)
    body = formal_body()
    async with nothing_changed(runtime):
        refused(await formalise(http, other, urgent, body), 404, "not-found")
        refused(await formalise(http, owner, plain, body), 409, "wrong-state")
        refused(await formalise(http, owner, urgent | {"version": 1}, body), 412, "stale-version")
        path = f"/v1/entries/{urgent['id']}/formalisation"
        refused(await http.post(path, json=body, headers=owner.headers), 428, "version-required")
        too_long = formal_body(ends_on="2027-06-02")
        assert "/ends_on" in refused(await formalise(http, owner, urgent, too_long), 422, "period-too-long")
        refused(await formalise(http, owner, urgent, formal_body(extra=1)), 422, "validation")
    expect(await formalise(http, owner, urgent, body), 201)
    async with nothing_changed(runtime):
        refused(await formalise(http, owner, urgent, formal_body()), 409, "duplicate-entry")
    clock.set("2026-12-13T00:00:00+07:00")
    async with nothing_changed(runtime):
        refused(await formalise(http, owner, urgent, formal_body()), 409, "wrong-state")


async def test_papers_recorded_in_time_do_not_open_the_urgent_route_again(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, counter: Caller, runtime: Runtime
) -> None:
    owner, body = await actors.client("submitter"), urgent_body()
    raised = await sound(http, owner, body)
    urgent = await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")
    case = {"case_reference": body["basis"]["case_reference"]}
    formal = expect(await formalise(http, owner, urgent, formal_body(basis=case)), 201)
    clock.set("2026-12-13T08:00:00+07:00")
    again = merged(
        urgent_body(letter={"issued_on": "2026-12-13"}),
        {
            "subject": body["subject"],
            "basis": {**case, "issued_on": "2026-12-12", "received_on": "2026-12-13"},
        },
    )
    async with nothing_changed(runtime):
        answer = await http.post("/v1/urgent-entries", json=again, headers=owner.once("again"))
        refused(answer, 409, "urgent-not-repeatable")
    formal = await approve(http, actors, formal)
    assert formal["in_force"] is True
    assert await outcome(http, counter, formal) == "refuse"


async def test_a_returned_formal_entry_is_resubmitted_as_the_same_successor(
    http: httpx2.AsyncClient, actors: Actors, urgent: Json, runtime: Runtime
) -> None:
    owner = await actors.client("submitter")
    formal = expect(await formalise(http, owner, urgent, formal_body()), 201)
    formal = await decide(http, await actors.client("verifier"), formal, "return", "The letter is unsigned.")
    body = in_its_case(
        entry_body(**formal_body(), subject=without_photo(urgent["subject"], photo=photo())), urgent
    )
    path, headers = f"/v1/entries/{formal['id']}", owner.on(etag(formal))
    async with nothing_changed(runtime):
        late = body | {"starts_on": "2026-12-14", "ends_on": "2027-06-14"}
        faults = refused(await http.put(path, json=late, headers=headers), 422, "validation")
        assert faults == {"/starts_on": "gap_not_acknowledged"}
    again = expect(await http.put(path, json=body, headers=headers), 200)
    assert (again["state"], again["formalises"]) == ("submitted", urgent["id"])
