"""Retention: the photo, and later the person, are erased after the end; the ledger verifies as before (R64)."""

import asyncio
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.ledger.tables import record as record_table
from app.register.entries.erasure import ERASED
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors
from tests.support.bodies import check_body, entry_body
from tests.support.clock import SettableClock
from tests.support.erasure import (
    ANSWER,
    DONE,
    OBJECTION,
    OWN_WORDS,
    PERSON,
    changes,
    found_in,
    lived,
    read,
    secrets_of,
    verify,
)
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import expect, impose


async def test_the_photo_goes_ninety_days_after_the_end_and_the_record_stays_closed(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, worker: Worker, clock: SettableClock
):
    owner, auditor = await actors.client("submitter"), await actors.client("auditor")
    live = await impose(http, actors, entry_body(ends_on="2027-05-23"))
    entry = await impose(http, actors, entry_body(ends_on="2026-11-30"))
    photo = f"/v1/entries/{entry['id']}/photo"
    clock.set("2026-12-01T00:00:00+07:00")
    await worker.end_by_law()
    before = await changes(http, auditor)
    clock.set("2027-02-28T23:59:59+07:00")
    assert await worker.retain() == 0
    assert (await http.get(photo, headers=owner.headers)).status_code == 200
    clock.set("2027-03-01T00:00:00+07:00")
    assert await worker.retain() == 1
    answer = await http.get(photo, headers=owner.headers)
    refused(answer, 404, "not-found")
    assert "erased on 2027-03-01" in answer.json()["detail"]
    assert (await http.get(f"/v1/entries/{live['id']}/photo", headers=owner.headers)).status_code == 200
    kept = await read(http, owner, f"/v1/entries/{entry['id']}")
    assert (kept["state"], kept["subject"]["full_name"]) == ("ended", entry["subject"]["full_name"])
    assert kept["erased_at"] is None
    assert await changes(http, auditor) == before
    async with nothing_changed(runtime):
        assert await worker.retain() == 0, "once"
    clock.advance(days=5000)
    await worker.end_by_law()
    assert await worker.retain() == 1, "the photo of the other; no person without a schedule"


@PERSON
async def test_the_person_is_erased_everywhere_and_the_ledger_verifies_as_before(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, worker: Worker, clock: SettableClock
):
    body = entry_body(ends_on="2026-11-30", basis=OWN_WORDS)
    auditor = await actors.client("auditor")
    entry = await lived(http, actors, body)
    live = await impose(http, actors)
    clock.set("2026-12-01T00:00:00+07:00")
    await worker.end_by_law()
    secrets = [*secrets_of(body), "Budi Santoso", "Ratna", "Bukan orang", "menyebut", "B-77/KPK"]
    assert len(await found_in(runtime, secrets)) >= 6, "or the test would prove nothing"
    before = await verify(http, auditor, runtime)
    clock.set("2027-03-11T00:00:00+07:00")
    assert await worker.retain() == 2, "one photo, one person"
    assert await found_in(runtime, secrets) == {}
    after = await verify(http, auditor, runtime)
    assert [each["leaf"] for each in after[: len(before)]] == [each["leaf"] for each in before]
    mine = [each["sequence"] for each in before if each["entry_id"] == entry["id"]]
    assert [each["sequence"] for each in after if each["withheld"] == "erased"] == mine
    (theirs,) = (each for each in after if each["entry_id"] == live["id"])
    assert theirs in before
    told = after[-1]
    assert (told["type"], told["entry_id"], told["tombstone"]) == ("entry.erased", entry["id"], True)
    assert told["version"] == before[mine[-1] - 1]["version"] + 1
    assert (told["personal"]["subject"]["full_name"], told["withheld"]) == (ERASED, None)
    async with nothing_changed(runtime):
        assert await worker.retain() == 0, "once"


@PERSON
@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_in_the_file_itself_nothing_of_the_person_is_left(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, worker: Worker, clock: SettableClock
):
    body = entry_body(ends_on="2026-11-30", basis=OWN_WORDS)
    await lived(http, actors, body)
    clock.set("2026-12-01T00:00:00+07:00")
    await worker.end_by_law()

    async def file() -> bytes:
        async with runtime.reading(SYSTEM) as reader:
            await reader.connection.exec_driver_sql("COMMIT")
            await reader.connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            await reader.connection.exec_driver_sql("BEGIN")
        return await asyncio.to_thread(Path(str(runtime.register.url.database)).read_bytes)

    secrets = [secret.encode() for secret in secrets_of(body)]
    assert [secret for secret in secrets if secret not in await file()] == []
    clock.set("2027-03-11T00:00:00+07:00")
    assert await worker.retain() == 2
    assert [secret for secret in secrets if secret in await file()] == []


@PERSON
async def test_an_erased_entry_is_still_read_and_says_so(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock
):
    body = entry_body(ends_on="2026-11-30")
    owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
    entry = await lived(http, actors, body)
    path = f"/v1/entries/{entry['id']}"
    clock.set("2027-03-11T00:00:00+07:00")
    await worker.end_by_law()
    ended = await http.get(path, headers=owner.headers)
    assert await worker.retain() == 2
    response = await http.get(path, headers={**owner.headers, "If-None-Match": ended.headers["etag"]})
    left = expect(response, 200)
    assert (left["subject"]["full_name"], left["basis"]["number"]) == (ERASED, ERASED)
    assert (left["subject"]["documents"], left["subject"]["photo"]) == ([], None)
    assert left["erased_at"] == "2027-03-10T17:00:00.000000Z"
    assert (left["state"], left["ended_reason"], left["ended_at"]) == (
        "ended",
        "expired",
        "2026-11-30T17:00:00.000000Z",
    )
    assert (left["version"], left["legal_deadlines"]) == (ended.json()["version"] + 1, [])
    steps = (await read(http, owner, f"{path}/history"))["items"]
    assert [step["event"] for step in steps][-2:] == ["expired", "erased"]
    assert {step["reason"] for step in steps} == {None}
    (done,) = (await read(http, owner, f"{path}/duties"))["items"]
    assert (done["name"], done["reference"]) == ("deliver_to_person", None)
    (objection,) = (await read(http, owner, f"{path}/objections"))["items"]
    assert objection["objector"] == {"name": None, "capacity": "lawyer"}
    assert (objection["grounds"], objection["answer"]["outcome"]) == (None, "rejected")
    assert "erased on 2027-03-11" in (await http.get(f"{path}/photo", headers=owner.headers)).json()["detail"]
    listed = (await read(http, owner, "/v1/entries"))["items"]
    assert listed == [left]
    for wanted in (
        {"name": body["subject"]["full_name"]},
        {"document": body["subject"]["documents"][0]["number"]},
        {"nik": body["subject"]["nik"]},
    ):
        asked = await http.post("/v1/entries/search", json=wanted, headers=owner.headers)
        assert expect(asked, 200)["items"] == []
    asked = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(asked, 200)["outcome"] == "clear"
    refused(await http.get(f"{path}/letter", headers=owner.headers), 409, "wrong-state")
    for part, what in (("duties", DONE), ("objections", OBJECTION)):
        refused(await http.post(f"{path}/{part}", json=what, headers=owner.headers), 409, "wrong-state")


@PERSON
async def test_what_an_open_objection_is_about_stays_until_it_is_answered(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, worker: Worker, clock: SettableClock
):
    owner = await actors.client("submitter")
    entry = await impose(http, actors, entry_body(ends_on="2026-11-30"))
    path = f"/v1/entries/{entry['id']}/objections"
    filed = expect(await http.post(path, json=OBJECTION, headers=owner.headers), 201)
    behind = await impose(http, actors, entry_body(ends_on="2026-12-01"))
    clock.set("2027-08-01T00:00:00Z")
    await worker.end_by_law()
    assert await worker.retain() == 2, "what waits keeps nothing else waiting"
    assert (await read(http, owner, f"/v1/entries/{behind['id']}"))["erased_at"] is not None
    async with nothing_changed(runtime):
        assert await worker.retain() == 0
    late = {**ANSWER, "letter": {"number": "1", "issued_on": "2027-07-31"}}
    answer = f"/v1/objections/{filed['id']}/answer"
    colleague = await actors.client("verifier")
    expect(await http.post(answer, json=late, headers=colleague.on('"1"')), 201)
    assert await worker.retain() == 2
    assert (await read(http, owner, f"/v1/entries/{entry['id']}"))["erased_at"] is not None


@PERSON
async def test_after_any_downtime_the_same_is_erased(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, runtime: Runtime
):
    ids = [(await impose(http, actors, entry_body(ends_on="2026-11-30")))["id"] for _ in range(3)]
    clock.advance(days=3000)
    assert await worker.retain() == 0, "their ends are not told yet"
    assert await worker.end_by_law() == 3
    assert await worker.retain() == 6
    async with runtime.reading(SYSTEM) as reader:
        rows = await reader.run(
            select(record_table.c.entry_id).where(record_table.c.type == "entry.erased").distinct()
        )
        assert sorted(rows.scalars()) == sorted(ids)
