"""Ends that the law brings by itself, and how they are told (API section 4; R25, R32, R35)."""

import httpx2
import pytest
from sqlalchemy import update

from app.access.domain import SYSTEM
from app.register.entries.tables import entry as entry_table
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, merged, urgent_body
from tests.support.clock import SettableClock
from tests.support.feeds import alerts, records
from tests.support.steps import decide, etag, expect, impose, sound


async def test_without_countersignature_it_lapses_after_a_day_and_is_told(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, clock: SettableClock, worker: Worker
) -> None:
    submitter, body = await actors.client("submitter"), urgent_body()
    raised = await sound(http, submitter, body)
    question = check_body(body["subject"])
    clock.advance(hours=24, seconds=-1)
    assert await worker.end_by_law() == 0
    assert (await http.post("/v1/checks", json=question, headers=counter.headers)).json()[
        "outcome"
    ] == "refer"
    clock.advance(seconds=1)
    assert (await http.post("/v1/checks", json=question, headers=counter.headers)).json()[
        "outcome"
    ] == "clear"
    late = clock.advance(hours=5)
    assert await worker.end_by_law() == 1
    assert await worker.end_by_law() == 0
    read = await http.get(f"/v1/entries/{raised['entry']['id']}", headers=submitter.headers)
    entry = expect(read, 200)
    assert (entry["state"], entry["ended_reason"]) == ("ended", "lapsed")
    assert entry["ended_at"] == "2026-11-24T03:00:00.000000Z"
    told = (await alerts(http, counter))[-1]
    assert (told["kind"], told["action"]) == ("cancel", "release")
    assert told["issued_at"] == late.isoformat(timespec="microseconds").replace("+00:00", "Z")
    ended = [
        record for record in await records(http, await actors.client("auditor")) if record["effective_at"]
    ]
    assert [(record["type"], record["effective_at"]) for record in ended] == [
        ("entry.ended", "2026-11-24T03:00:00.000000Z"),
        ("alert.cancelled", "2026-11-24T03:00:00.000000Z"),
    ]
    again = merged(
        urgent_body(),
        {"subject": body["subject"], "basis": {"case_reference": body["basis"]["case_reference"]}},
    )
    repeated = await http.post("/v1/urgent-entries", json=again, headers=submitter.once("again"))
    assert (
        expect(repeated, 201)["entry"]["ends_on"] == "2026-12-12"
    )  # Immigration's omission gives no day more
    assert (await alerts(http, counter))[-1]["kind"] == "raise"


async def test_at_the_end_of_day_twenty_it_lapses_though_countersigned(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, clock: SettableClock, worker: Worker
) -> None:
    submitter, body = await actors.client("submitter"), urgent_body()
    raised = await sound(http, submitter, body)
    await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")
    clock.set("2026-12-12T23:59:59.999+07:00")
    assert await worker.end_by_law() == 0
    asked = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(asked, 200)["outcome"] == "refuse"
    clock.set("2026-12-13T00:00:00+07:00")
    assert await worker.end_by_law() == 1
    assert [alert["kind"] for alert in await alerts(http, counter)] == ["raise", "update", "cancel"]
    last = (await records(http, await actors.client("auditor")))[-1]
    assert (last["type"], last["effective_at"]) == ("alert.cancelled", "2026-12-12T17:00:00.000000Z")
    again = merged(
        urgent_body(),
        {"subject": body["subject"], "basis": {"case_reference": body["basis"]["case_reference"]}},
    )
    refused = await http.post("/v1/urgent-entries", json=again, headers=submitter.once("again"))
    assert expect(refused, 409)["type"] == "/problems/urgent-not-repeatable"


async def test_an_entry_that_can_not_be_ended_keeps_no_other_from_being_told(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    counter: Caller,
    clock: SettableClock,
    worker: Worker,
) -> None:
    submitter = await actors.client("submitter")
    damaged, sound_one = [(await sound(http, submitter))["entry"]["id"] for _ in range(2)]
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(update(entry_table).where(entry_table.c.id == damaged).values(document="{}"))
    clock.advance(hours=25)
    assert await worker.end_by_law() == 1
    assert [a["entry"]["id"] for a in await alerts(http, counter) if a["kind"] == "cancel"] == [sound_one]


async def test_another_case_against_the_same_person_may_follow_a_lapse(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
) -> None:
    submitter, body = await actors.client("submitter"), urgent_body()
    await sound(http, submitter, body)
    clock.advance(days=2)
    await worker.end_by_law()
    raised = await sound(http, submitter, urgent_body(subject=body["subject"]))
    assert raised["alert"]["kind"] == "raise"


@pytest.mark.settings(urgent_countersign_first=True)
async def test_a_request_that_nobody_countersigns_lapses_without_a_word_and_is_repeated_within_its_days(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, clock: SettableClock, worker: Worker
) -> None:
    submitter, body = await actors.client("submitter"), urgent_body()
    raised = await sound(http, submitter, body)
    clock.advance(hours=24)
    late = {"verdict": "countersign"}
    path = f"/v1/entries/{raised['entry']['id']}/decisions"
    duty = await actors.client("duty_officer")
    for told in (0, 1):
        refused = await http.post(path, json=late, headers=duty.on(etag(raised["entry"])))
        assert refused.status_code in {409, 412}
        assert await worker.end_by_law() == 1 - told
    assert await alerts(http, counter) == []
    again = merged(
        urgent_body(),
        {"subject": body["subject"], "basis": {"case_reference": body["basis"]["case_reference"]}},
    )
    repeated = await http.post("/v1/urgent-entries", json=again, headers=submitter.once("again"))
    assert expect(repeated, 201)["entry"]["ends_on"] == "2026-12-12"
    clock.set("2026-12-13T00:00:00+07:00")
    repeated = await http.post("/v1/urgent-entries", json=again, headers=submitter.once("late"))
    assert expect(repeated, 409)["type"] == "/problems/urgent-not-repeatable"


async def test_what_the_law_ends_is_told_for_ordinary_entries_too_but_alerts_nobody(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, clock: SettableClock, worker: Worker
) -> None:
    await impose(http, actors, entry_body())
    clock.set("2027-05-25T12:00:00+07:00")
    await actors.client("checkpoint")
    assert await worker.end_by_law() == 1
    last = (await records(http, await actors.client("auditor")))[-1]
    assert (last["type"], last["tombstone"]) == ("entry.ended", True)
    assert last["effective_at"] == "2027-05-23T17:00:00.000000Z"
    assert await alerts(http, counter) == []
