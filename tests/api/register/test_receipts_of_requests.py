"""From which day a request's periods run: its letter's receipt, and its first one (art. 94(6); R14, R18)."""

import httpx2
import pytest

from app.worker import Worker
from tests.support.actors import Actors
from tests.support.bodies import entry_body, formal_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.refusals import refused
from tests.support.steps import Json, decide, etag, expect, formalise, sound, submit


def due(entry: Json, name: str = "refuse_or_approve") -> str:
    """When a deadline of an entry is due."""
    return next(str(each["due_at"]) for each in entry["legal_deadlines"] if each["name"] == name)


@pytest.mark.settings(statistics_smallest_cell=1)
async def test_the_seven_days_run_from_the_letters_receipt_wherever_they_are_counted(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
) -> None:
    body = entry_body(starts_on="2026-12-15", basis={"received_on": "2026-11-20"})
    entry = await submit(http, await actors.client("submitter"), body)
    assert due(entry) == "2026-11-27T16:59:59.000000Z"
    verifier, auditor = await actors.client("verifier"), await actors.client("auditor")
    listed = expect(await http.get("/v1/worklist", headers=verifier.headers), 200)["items"]
    assert [(each["name"], each["due_at"]) for each in listed] == [("verify", due(entry))]
    told: list[tuple[int, str]] = []
    for moment in (
        "2026-11-25T00:00:00+07:00",
        "2026-11-27T23:59:59.999+07:00",
        "2026-11-28T00:00:00+07:00",
    ):
        number = await worker.notify_officers() if not told else 0
        assert number == 0
        clock.set(moment)
        told.append((await worker.notify_officers(), moment))
    assert [number for number, _ in told] == [1, 0, 1]
    notices = expect(await http.get("/v1/notices", headers=verifier.headers), 200)["items"]
    assert [(each["name"], each["due_at"]) for each in notices] == [
        ("due_soon", due(entry)),
        ("overdue", due(entry)),
    ]
    counted = expect(await http.get("/v1/statistics?by=measure", headers=auditor.headers), 200)["total"]
    assert (counted["decision_missed"]["value"], counted["decision_met"]["value"]) == (1, 0)


async def test_a_letter_that_was_received_long_before_its_request_came_is_overdue_on_the_first_day(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker
) -> None:
    body = entry_body(starts_on="2026-12-15", basis={"issued_on": "2026-11-10", "received_on": "2026-11-11"})
    entry = await submit(http, await actors.client("submitter"), body)
    await worker.notify_officers()
    approver = await actors.client("approver")
    notices = expect(await http.get("/v1/notices", headers=approver.headers), 200)["items"]
    assert ("overdue", entry["id"], due(entry)) in [
        (each["name"], each["entry_id"], each["due_at"]) for each in notices
    ]


async def test_a_formal_decision_by_the_urgent_ones_letter_is_no_older_than_that(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    owner, body = await actors.client("submitter"), urgent_body(basis={"issued_on": "2026-10-25"})
    urgent = (await sound(http, owner, body))["entry"]
    urgent = await decide(http, await actors.client("duty_officer"), urgent, "countersign")
    clock.set("2026-12-05T09:00:00+07:00")
    case = body["basis"]["case_reference"]
    other = {"issued_on": "2026-10-25", "case_reference": case}
    faults = refused(await formalise(http, owner, urgent, formal_body(basis=other)), 422, "validation")
    assert faults == {"/basis/issued_on": "stale"}
    asked = await formalise(http, owner, urgent, formal_body(basis=body["basis"]))
    assert expect(asked, 201)["state"] == "submitted"


async def test_a_resubmission_counts_from_its_own_receipt_and_keeps_its_letters_first_day(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    owner, verifier = await actors.client("submitter"), await actors.client("verifier")
    body = entry_body(starts_on="2027-02-01", ends_on="2027-07-01")
    entry = await submit(http, owner, body)
    entry = await decide(http, verifier, entry, "return", "The photo is another person's.")
    clock.set("2027-01-10T23:30:00+07:00")
    path, headers = f"/v1/entries/{entry['id']}", owner.on(etag(entry))
    older = body | {"basis": body["basis"] | {"issued_on": "2026-10-20"}}
    assert refused(await http.put(path, json=older, headers=headers), 422, "validation") == {
        "/basis/issued_on": "stale"
    }
    again = expect(await http.put(path, json=body, headers=headers), 200)
    assert again["state"] == "submitted"
    assert due(again) == "2027-01-17T16:59:59.000000Z"
    assert (again["created_at"], again["basis"]["received_on"]) == (entry["created_at"], "2026-11-23")
    other = await http.post("/v1/entries", json=entry_body(starts_on="2027-02-01"), headers=owner.headers)
    assert "/basis/issued_on" in refused(other, 422, "validation"), (
        "a first request's letter is as old as today"
    )
