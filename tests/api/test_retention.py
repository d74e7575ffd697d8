"""Retention: the photo, and later the person, are erased after the end; the ledger verifies as before (R64)."""

import asyncio
import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.entries.erasure import ERASED
from app.identity import names
from app.kit import merkle
from app.kit.canonical import canonical
from app.ledger.service import check_tail, root
from app.ledger.tables import record as record_table
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.crossings import cleared, namesakes
from tests.support.refusals import contents, nothing_changed, refused
from tests.support.steps import Json, amend, decide, etag, expect, file_amendment, impose, sound

DONE = {"name": "deliver_to_person", "done_at": "2026-11-23T03:00:00Z", "reference": "Budi Santoso, saudara"}
OBJECTION = {
    "filed_on": "2026-11-23",
    "objector": {"name": "Ratna Wulandari", "capacity": "lawyer"},
    "grounds": "Bukan orang yang dimaksud.",
}
ANSWER = {
    "outcome": "rejected",
    "reason": "Perkara menyebut namanya.",
    "letter": {"number": "B-77/KPK/2026", "issued_on": "2026-11-23"},
}
OWN_WORDS = {"reason": "Uang proyek Tirtamaya Raya.", "signed_by": "Tulus Harsono"}
LETTER = {"number": "S-99/LAIN/2026", "issued_on": "2026-11-23"}
PERSON = pytest.mark.settings(photo_retention_days=30, personal_retention_days=100)


async def read(http: httpx2.AsyncClient, by: Caller, path: str) -> Json:
    return expect(await http.get(path, headers=by.headers), 200)


async def changes(http: httpx2.AsyncClient, by: Caller) -> list[Json]:
    return (await read(http, by, "/v1/changes?limit=500"))["items"]


async def verify(http: httpx2.AsyncClient, by: Caller, runtime: Runtime) -> list[Json]:
    """Recompute the tree from the leaves as they are sent, and every commitment that is still open."""
    records = await changes(http, by)
    assert [each["sequence"] for each in records] == list(range(1, len(records) + 1))
    nodes: dict[merkle.Node, bytes] = {}
    for index, each in enumerate(records):
        nodes |= merkle.completed(index, merkle.leaf_hash(canonical(each["leaf"])), nodes)
        if each["personal"] is not None:
            bound = bytes.fromhex(each["salt"]) + canonical(each["personal"])
            assert hashlib.sha256(bound).hexdigest() == each["leaf"]["commitment"]
        else:
            assert (each["salt"], each["withheld"]) == (None, "erased")
    async with runtime.reading(SYSTEM) as reader:
        size, top = await root(reader)
        assert await check_tail(reader)
    assert size == len(records)
    assert top == merkle.root([nodes[peak] for peak in merkle.peaks(size)])
    return records


async def lived(http: httpx2.AsyncClient, actors: Actors, body: Json) -> Json:
    """An entry in force of which everything is on record that can be: a delivery, an objection, its answer."""
    entry, owner = await impose(http, actors, body), await actors.client("submitter")
    path = f"/v1/entries/{entry['id']}"
    expect(await http.post(f"{path}/duties", json=DONE, headers=owner.headers), 201)
    filed = expect(await http.post(f"{path}/objections", json=OBJECTION, headers=owner.headers), 201)
    colleague = await actors.client("verifier")
    answered = await http.post(
        f"/v1/objections/{filed['id']}/answer", json=ANSWER, headers=colleague.on('"1"')
    )
    expect(answered, 201)
    return entry


def secrets_of(body: Json) -> list[str]:
    """What names the person of a body, or tells their case."""
    subject, basis = body["subject"], body["basis"]
    return [
        subject["full_name"],
        names.fold(subject["full_name"]),
        subject["aliases"][0]["name"],
        subject["birth"]["date"],
        subject["nik"],
        subject["address"],
        subject["documents"][0]["number"],
        basis["number"],
        basis["reason"],
        basis["case_reference"],
        basis["signed_by"],
    ]


async def found_in(runtime: Runtime, secrets: list[str]) -> dict[str, list[str]]:
    """Tables in whose rows one of the texts stands."""
    told = {name: repr(rows) for name, rows in (await contents(runtime)).items()}
    found = {name: [secret for secret in secrets if secret in text] for name, text in told.items()}
    return {name: which for name, which in found.items() if which}


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
async def test_what_amendments_and_correction_requests_say_of_the_person_goes_too(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, worker: Worker, clock: SettableClock
):
    body = entry_body(ends_on="2026-11-30", basis=OWN_WORDS)
    owner, supervisor = await actors.client("submitter"), await actors.client("supervisor")
    entry = await impose(http, actors, body)
    subject = {**body["subject"], "full_name": "Wiratama Sagarmukti", "photo": None, "occupation": "dokter"}
    entry = await amend(
        http, actors, entry, {"kind": "correction", "correction": {"subject": subject, "basis": None}}
    )
    clock.advance(seconds=1)
    revocation = {"kind": "revocation", "letter": LETTER, "revocation": {"refers_to_number": "Lain-5"}}
    filed = expect(await file_amendment(http, await actors.client("approver"), entry, revocation), 201)
    asked = {
        "entry_id": entry["id"],
        "kind": "identity",
        "statement": "Nama saya Wiratama Jatmiko.",
        "evidence": "Akta kelahiran 17.",
        "requester": {"name": "Wiratama Jatmiko", "contact": "wiratama@example.com"},
    }
    request = expect(await http.post("/v1/correction-requests", json=asked, headers=supervisor.headers), 201)
    clock.set("2027-03-11T00:00:00+07:00")
    await worker.end_by_law()
    assert await worker.retain() == 0, "the request waits for its decision"
    decision = {"outcome": "refused", "reason": "Pasal 94: nama pada akta berbeda."}
    path = f"/v1/correction-requests/{request['id']}/decisions"
    expect(await http.post(path, json=decision, headers=(await actors.client("approver")).on('"1"')), 201)
    assert await worker.retain() == 2
    secrets = [
        *secrets_of(body),
        "Wiratama",
        "dokter",
        "Akta",
        "akta",
        "Lain-5",
        LETTER["number"],
        "wiratama",
    ]
    assert await found_in(runtime, secrets) == {}
    amendments = (await read(http, owner, f"/v1/entries/{entry['id']}/amendments"))["items"]
    assert [(each["kind"], each["state"]) for each in amendments] == [
        ("revocation", "referred"),
        ("correction", "approved"),
    ]
    assert amendments[0] == await read(http, owner, f"/v1/amendments/{filed['id']}")
    assert {each["reason"] for each in amendments} == {ERASED}
    told = await read(http, supervisor, f"/v1/correction-requests/{request['id']}")
    assert (told["outcome"], told["statement"], told["requester"]["name"]) == ("refused", ERASED, ERASED)


@PERSON
async def test_a_court_file_of_an_erased_entry_holds_what_is_left_and_its_proofs(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, tmp_path: Path
):
    body = entry_body(ends_on="2026-11-30", basis=OWN_WORDS)
    entry, approver = await lived(http, actors, body), await actors.client("approver")
    clock.set("2027-03-11T00:00:00+07:00")
    await worker.end_by_law()
    assert await worker.retain() == 2
    answer = await http.get(f"/v1/entries/{entry['id']}/evidence", headers=approver.headers)
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.testzip() is None
        told = {name: file.read(name) for name in file.namelist()}
    assert "entry/versions/0005.json" in told
    (tmp_path / "evidence.zip").write_bytes(answer.content)
    (tmp_path / "verify.py").write_bytes(told["verify.py"])
    command = [sys.executable, "-I", "-S", "-W", "ignore", "verify.py", "evidence.zip"]
    verified = await asyncio.to_thread(
        subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert verified.stdout.startswith("OK: "), verified.stderr
    secrets = [secret.encode() for secret in secrets_of(body)]
    assert [(name, secret) for name, data in told.items() for secret in secrets if secret in data] == []


@PERSON
async def test_an_urgent_entry_stays_as_long_as_the_formal_one_that_rests_on_it(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, runtime: Runtime
):
    submitter, duty_officer = await actors.client("submitter"), await actors.client("duty_officer")
    auditor = await actors.client("auditor")
    body = urgent_body(basis=OWN_WORDS)
    raised = await sound(http, submitter, body)
    counter = await actors.client("checkpoint")
    receipt = {"level": "acknowledged", "note": f"{body['subject']['full_name']} sudah dicari."}
    path = f"/v1/alerts/{raised['alert']['id']}/receipts"
    expect(await http.post(path, json=receipt, headers=counter.headers), 201)
    urgent = await decide(http, duty_officer, raised["entry"], "countersign")
    asked = {
        "basis": {**body["basis"], "number": "R-formal"},
        "starts_on": "2026-11-23",
        "ends_on": "2027-05-23",
    }
    path = f"/v1/entries/{urgent['id']}/formalisation"
    formal = expect(await http.post(path, json=asked, headers=submitter.on(etag(urgent))), 201)
    formal = await decide(http, await actors.client("verifier"), formal, "verify")
    await decide(http, await actors.client("approver"), formal, "approve")
    clock.set("2027-08-31T23:59:59+07:00")
    await worker.end_by_law()
    assert await worker.retain() == 2, "two photos; the persons stay"
    clock.set("2027-09-01T00:00:00+07:00")
    assert await worker.retain() == 2
    await worker.tidy()
    assert (await read(http, counter, "/v1/alerts"))["items"] == [], "erased alerts say nothing"
    await verify(http, auditor, runtime)
    assert await found_in(runtime, secrets_of(body)) == {}


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


@PERSON
async def test_a_rejected_request_is_erased_too(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, runtime: Runtime
):
    submitter = await actors.client("submitter")
    body = entry_body()
    entry = expect(await http.post("/v1/entries", json=body, headers=submitter.headers), 201)
    entry = await decide(http, await actors.client("verifier"), entry, "verify")
    await decide(http, await actors.client("approver"), entry, "reject", "Raka was never meant.")
    clock.advance(days=100)
    assert await worker.retain() == 2
    assert "was never meant" not in repr(await contents(runtime))
    left = await read(http, submitter, f"/v1/entries/{entry['id']}")
    assert (left["state"], left["subject"]["full_name"]) == ("rejected", ERASED)


@PERSON
async def test_whoever_was_cleared_against_an_entry_is_erased_with_it(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, worker: Worker, clock: SettableClock
):
    body, question = namesakes()
    counter = await actors.client("checkpoint")
    await impose(http, actors, body | {"ends_on": "2026-11-30"})
    clearance = await cleared(http, actors, counter, question)
    clock.set("2026-12-01T00:00:00+07:00")
    await worker.end_by_law()
    clock.set("2027-03-11T00:00:00+07:00")
    await worker.retain()
    by = await actors.client("duty_officer")
    left = expect(await http.get(f"/v1/clearances/{clearance['id']}", headers=by.headers), 200)
    assert (left["state"], left["document"], left["births"], left["names"]) == ("ended", None, [], [])
    await verify(http, await actors.client("auditor"), runtime)
    number = question["document"]["number"]
    assert {name for name in await found_in(runtime, [number]) if not name.startswith("check_")} == set()
