"""What stands around an erased entry goes with it: amendments, requests, clearances, hits, reports (R64)."""

import asyncio
import io
import json
import zipfile
from pathlib import Path

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.register.entries import tasks
from app.register.entries.erasure import ERASED
from app.register.entries.tasks import EntryTask, EntryTaskName
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors
from tests.support.bodies import (
    deterrence_body,
    entry_body,
    extension_body,
    formal_body,
    judgment_body,
    merged,
    revocation_body,
    urgent_body,
)
from tests.support.clock import SettableClock
from tests.support.crossings import ask, cleared, hit_of, namesakes, say
from tests.support.erasure import LETTER, OWN_WORDS, PERSON, found_in, lived, read, secrets_of, verify
from tests.support.evidence import verified
from tests.support.refusals import contents, nothing_changed, refused
from tests.support.steps import (
    amend,
    approve,
    decide,
    etag,
    expect,
    file_amendment,
    formalise,
    impose,
    settle,
    sound,
)


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
    decided = await http.post(path, json=decision, headers=(await actors.client("approver")).on('"1"'))
    tag = {**supervisor.headers, "If-None-Match": decided.headers["etag"]}
    one = f"/v1/correction-requests/{request['id']}"
    assert (decided.status_code, (await http.get(one, headers=tag)).status_code) == (201, 304)
    assert await worker.retain() == 2
    assert expect(await http.get(one, headers=tag), 200)["statement"] == ERASED, (
        "a copy from before is no longer good"
    )
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
    verifier, verdict = await actors.client("verifier"), {"verdict": "return", "reason": "Lain."}
    async with nothing_changed(runtime):
        path = f"/v1/amendments/{filed['id']}/decisions"
        returned = await http.post(path, json=verdict, headers=verifier.on(f'"{filed["version"]}"'))
        refused(returned, 409, "wrong-state")
        again = await http.post("/v1/correction-requests", json=asked, headers=supervisor.headers)
        refused(again, 409, "wrong-state")
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
    await worker.sign_head()
    answer = await http.get(f"/v1/entries/{entry['id']}/evidence", headers=approver.headers)
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.testzip() is None
        told = {name: file.read(name) for name in file.namelist()}
        said = await asyncio.to_thread(verified, file, tmp_path)
    assert "entry/versions/0005.json" in told
    assert said.stdout.startswith("OK: "), said.stderr
    secrets = [secret.encode() for secret in secrets_of(body)]
    assert [(name, secret) for name, data in told.items() for secret in secrets if secret in data] == []


@PERSON
async def test_a_court_file_of_an_erased_entry_that_a_judgment_ended_names_the_judgment_as_erased(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock
):
    entry, auditor = await impose(http, actors, entry_body(basis=OWN_WORDS)), await actors.client("auditor")
    document = judgment_body(entry)["judgment"]["sha256"]
    await amend(http, actors, entry, judgment_body(entry))
    path = f"/v1/entries/{entry['id']}/evidence"
    kept = await http.get(path, headers=auditor.headers)
    with zipfile.ZipFile(io.BytesIO(kept.content)) as file:
        titles = {each["name"]: each["title_en"] for each in json.loads(file.read("index.json"))["files"]}
    assert titles[f"attachments/{document}.pdf"] == "Judgment of a court"
    clock.advance(days=120)
    assert await worker.retain() == 2
    left = await http.get(path, headers=auditor.headers)
    with zipfile.ZipFile(io.BytesIO(left.content)) as file:
        erased = json.loads(file.read("index.json"))["erased"]
        page = file.read("index.html").decode()
    assert {each["kind"]: each["sha256"] for each in erased}["judgment"] == document
    assert f"<td>putusan / judgment</td><td>{document}</td>" in page


@PERSON
async def test_an_urgent_entry_stays_as_long_as_the_formal_one_that_rests_on_it(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, runtime: Runtime
):
    submitter, duty_officer = await actors.client("submitter"), await actors.client("duty_officer")
    auditor = await actors.client("auditor")
    body = urgent_body(basis=OWN_WORDS)
    raised = await sound(http, submitter, body)
    counter = await actors.client("checkpoint")
    name = body["subject"]["full_name"]
    receipt = {"level": "acknowledged", "note": f"{name} sudah dicari.", "officer_reference": f"CGK/{name}"}
    path = f"/v1/alerts/{raised['alert']['id']}/receipts"
    expect(await http.post(path, json=receipt, headers=counter.headers), 201)
    urgent = await decide(http, duty_officer, raised["entry"], "countersign")
    basis = {**body["basis"], "number": "R-formal"}
    asked = formal_body(basis=basis, starts_on="2026-11-23", ends_on="2027-05-23")
    await approve(http, actors, expect(await formalise(http, submitter, urgent, asked), 201))
    clock.set("2027-08-31T23:59:59+07:00")
    await worker.end_by_law()
    assert await worker.retain() == 2, "two photos; the persons stay"
    clock.set("2027-09-01T00:00:00+07:00")
    assert await worker.retain() == 2
    await worker.tidy()
    assert (await read(http, counter, "/v1/alerts"))["items"] == [], "erased alerts say nothing"
    late = await actors.client("checkpoint", checkpoint="DPS")
    expect(await http.post(path, json=receipt, headers=late.headers), 201)
    await verify(http, auditor, runtime)
    assert await found_in(runtime, secrets_of(body)) == {}


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


@PERSON
async def test_a_returned_request_that_nobody_takes_up_is_erased_and_holds_its_urgent_entry_no_longer(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, runtime: Runtime
):
    owner, duty = await actors.client("submitter"), await actors.client("duty_officer")
    body = urgent_body(basis=OWN_WORDS)
    urgent = await decide(http, duty, (await sound(http, owner, body))["entry"], "countersign")
    basis = {**body["basis"], "number": "R-formal"}
    asked = formal_body(basis=basis, starts_on="2026-11-23", ends_on="2027-05-23")
    formal = expect(await formalise(http, owner, urgent, asked), 201)
    clock.set("2026-12-12T09:00:00+07:00")
    formal = await decide(http, await actors.client("verifier"), formal, "return", "Tulus did not sign.")
    clock.set("2027-03-22T08:59:59+07:00")
    await worker.end_by_law()
    assert await worker.retain() == 2, "two photos"
    async with nothing_changed(runtime):
        assert await worker.retain() == 0
    clock.set("2027-03-23T00:00:00+07:00")
    assert await worker.retain() == 2
    await worker.tidy()
    assert await found_in(runtime, [*secrets_of(body), "Tulus"]) == {}
    left = await read(http, owner, f"/v1/entries/{formal['id']}")
    assert (left["state"], left["ended_at"]) == ("returned", None)
    again = await http.put(f"/v1/entries/{formal['id']}", json=entry_body(), headers=owner.on(etag(left)))
    refused(again, 409, "wrong-state")
    items = (await read(http, owner, "/v1/worklist"))["items"]
    assert [item for item in items if item["name"] == "resubmit"] == []
    told = {"name": "notify_refusal", "done_at": "2026-12-12T03:00:00Z", "reference": "Budi Santoso, saudara"}
    late = await http.post(f"/v1/entries/{formal['id']}/duties", json=told, headers=duty.headers)
    refused(late, 409, "wrong-state")


@PERSON
async def test_a_request_that_is_taken_up_after_its_photo_was_erased_has_a_photo_to_be_erased_again(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock
):
    owner, verifier = await actors.client("submitter"), await actors.client("verifier")
    body = entry_body(starts_on="2026-12-24", ends_on="2027-05-23")
    entry = expect(await http.post("/v1/entries", json=body, headers=owner.headers), 201)
    entry = await decide(http, verifier, entry, "return", "The photo is another person's.")
    clock.advance(days=31)
    assert await worker.retain() == 1
    body["basis"] |= {"issued_on": "2026-12-24", "received_on": None}
    path = f"/v1/entries/{entry['id']}"
    entry = expect(await http.put(path, json=body, headers=owner.on(etag(entry))), 200)
    clock.advance(days=100)
    assert await worker.retain() == 0, "it waits again"
    assert (await http.get(f"{path}/photo", headers=owner.headers)).status_code == 200
    entry = await decide(http, verifier, entry, "return", "Too old.")
    clock.advance(days=31)
    assert await worker.retain() == 1
    assert (await http.get(f"{path}/photo", headers=owner.headers)).status_code == 404


@PERSON
async def test_what_supervisors_wrote_of_a_hit_goes_with_the_last_entry_that_it_matched(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, runtime: Runtime
):
    body, question = namesakes()
    other = entry_body(ends_on="2026-12-20") | {name: body[name] for name in ("subject", "unknown")}
    first = await impose(http, actors, body | {"ends_on": "2026-11-30"})
    await impose(http, actors, other)
    counter, supervisor = await actors.client("checkpoint"), await actors.client("supervisor")
    hit = await hit_of(http, supervisor, await ask(http, counter, question))
    assert len(hit["entries"]) == 2
    expect(await say(http, supervisor, hit, "confirmed", "hold", note="Dikenali dari tahi lalat."), 201)
    clock.set("2027-03-20T00:00:00+07:00")
    await worker.end_by_law()
    assert await worker.retain() == 3, "two photos, one person"
    assert (await read(http, await actors.client("auditor"), f"/v1/entries/{first['id']}"))["erased_at"]
    assert await found_in(runtime, ["tahi lalat"]) != {}
    clock.set("2027-03-31T00:00:00+07:00")
    assert await worker.retain() == 1
    assert await found_in(runtime, ["tahi lalat"]) == {}
    (said,) = (await hit_of(http, supervisor, {"hit_id": hit["id"]}))["resolutions"]
    assert (said["outcome"], said["action"], said["note"]) == ("confirmed", "hold", ERASED)


@PERSON
async def test_a_supervision_report_names_nobody_after_its_time_once_no_entry_rests_on_it(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, runtime: Runtime
):
    team = await actors.client("timpora")
    seen = {
        "subject": {"full_name": "Evander Okonjwe", "nationalities": ["NZL"], "address": "Jalan Kenanga 7"},
        "place": "Galangan Batu Ampar",
        "observed_on": "2026-11-22",
        "findings": "Worked as a welder.",
        "officers": ["Siti Rahmawati"],
    }
    reports = [
        expect(await http.post("/v1/supervision-reports", json=seen, headers=team.headers), 201)
        for _ in range(2)
    ]
    basis = {"instrument": "supervision_report", "number": reports[1]["number"]}
    await impose(http, actors, deterrence_body(basis=basis, ends_on="2027-01-31"))
    clock.set("2027-03-03T02:59:59Z")
    assert await worker.retain() == 0
    clock.set("2027-03-03T03:00:01Z")
    await worker.end_by_law()
    assert await worker.retain() == 2, "the entry's photo, and the first report"
    told = await read(http, team, f"/v1/supervision-reports/{reports[0]['id']}")
    assert told["erased_at"] == "2027-03-03T03:00:01.000000Z"
    assert (told["subject"]["full_name"], told["place"], told["findings"]) == (ERASED, ERASED, ERASED)
    assert (told["officers"], told["number"]) == (["Siti Rahmawati"], reports[0]["number"])
    resting = f"/v1/supervision-reports/{reports[1]['id']}"
    assert (await read(http, team, resting))["findings"] == "Worked as a welder."
    clock.set("2027-05-12T00:00:00+07:00")
    assert await worker.retain() == 2, "the person of the entry, then the report"
    assert (await read(http, team, resting))["erased_at"] is not None
    assert await found_in(runtime, ["Okonjwe", "Kenanga", "Galangan", "welder"]) == {}
    async with nothing_changed(runtime):
        assert await worker.retain() == 0


@PERSON
@pytest.mark.parametrize("name", ["related_entry", "case_conflict"])
async def test_a_task_about_an_erased_entry_is_closed_without_its_finding(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    name: str,
):
    entry = await impose(http, actors, entry_body(ends_on="2026-11-30"))
    async with runtime.writing(SYSTEM) as unit:
        await tasks.add(unit, EntryTask(EntryTaskName(name), entry["id"], "KPK", "amd_1", unit.now))
    clock.set("2027-03-11T00:00:00+07:00")
    await worker.end_by_law()
    assert await worker.retain() == 2
    by = await actors.client("submitter" if name == "related_entry" else "approver")
    done = {"name": name, "done_at": "2027-03-10T00:00:00Z", "reference": "Wiratama, anak terdakwa."}
    path = f"/v1/entries/{entry['id']}/duties"
    expect(await http.post(path, json=done, headers=by.headers), 201)
    assert await found_in(runtime, ["Wiratama"]) == {}
    refused(await http.post(path, json=done, headers=by.headers), 409, "wrong-state")


@PERSON
async def test_what_an_undecided_acquittal_is_about_stays_until_it_is_decided(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, worker: Worker, clock: SettableClock
):
    owner, body = await actors.client("submitter"), entry_body(ends_on="2026-11-30")
    entry = await impose(http, actors, body)
    filed = expect(await file_amendment(http, owner, entry, judgment_body(entry)), 201)
    verified = await settle(http, await actors.client("verifier"), filed, "verify")
    clock.set("2027-08-01T00:00:00Z")
    await worker.end_by_law()
    async with nothing_changed(runtime):
        assert await worker.retain() == 0
    verified = await read(http, owner, f"/v1/amendments/{verified['id']}")
    await settle(http, await actors.client("approver"), verified, "approve")
    again = merged(
        entry_body(starts_on="2027-08-01", ends_on="2027-09-01"),
        {
            "subject": body["subject"],
            "basis": {
                "case_reference": body["basis"]["case_reference"],
                "issued_on": "2027-08-01",
                "received_on": "2027-08-01",
            },
        },
    )
    refused(await http.post("/v1/entries", json=again, headers=owner.headers), 409, "case-closed")
    assert await worker.retain() == 2
    assert (await read(http, owner, f"/v1/entries/{entry['id']}"))["erased_at"] is not None


@PERSON
async def test_a_judgment_that_still_ends_a_later_period_keeps_the_entry_that_it_names(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, worker: Worker, clock: SettableClock
):
    owner, body = await actors.client("submitter"), entry_body(ends_on="2026-11-30")
    first = await impose(http, actors, body)
    same = {"subject": body["subject"], "basis": {"case_reference": body["basis"]["case_reference"]}}
    second = await impose(
        http, actors, merged(entry_body(starts_on="2026-12-01", ends_on="2027-05-31"), same)
    )
    judgment = judgment_body(
        first, "annulment", judgment={"decided_on": "2026-11-23", "final_on": "2026-11-23"}
    )
    filed = expect(await file_amendment(http, owner, first, judgment), 201)
    clock.set("2027-03-11T00:00:00+07:00")
    await worker.end_by_law()
    verified = await settle(
        http,
        await actors.client("verifier"),
        await read(http, owner, f"/v1/amendments/{filed['id']}"),
        "verify",
    )
    async with nothing_changed(runtime):
        assert await worker.retain() == 0
    clock.set("2027-06-01T00:00:00+07:00")
    await worker.end_by_law()
    assert await worker.retain() == 2, "nothing is left that the judgment could end"
    path, said = f"/v1/amendments/{verified['id']}/decisions", {"verdict": "approve"}
    approver = await actors.client("approver")
    refused(await http.post(path, json=said, headers=approver.on(etag(verified))), 409, "wrong-state")
    assert (await read(http, owner, f"/v1/entries/{second['id']}"))["erased_at"] is None


@PERSON
async def test_what_can_take_effect_no_more_holds_no_erasure_back(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock
):
    owner = await actors.client("submitter")
    entry = await impose(http, actors, entry_body(ends_on="2026-11-30"))
    revocation = revocation_body(entry)
    expect(await file_amendment(http, owner, entry, revocation), 201)
    expect(await file_amendment(http, owner, entry, extension_body(entry, "2027-02-28")), 201)
    partial = judgment_body(entry, judgment={"all_charges": False})
    expect(await file_amendment(http, owner, entry, partial), 201)
    clock.set("2027-03-11T00:00:00+07:00")
    await worker.end_by_law()
    assert await worker.retain() == 2


@PERSON
async def test_no_judgment_is_filed_on_an_erased_entry(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, worker: Worker, clock: SettableClock
):
    owner = await actors.client("submitter")
    entry = await impose(http, actors, entry_body(ends_on="2026-11-30"))
    clock.set("2027-03-11T00:00:00+07:00")
    await worker.end_by_law()
    assert await worker.retain() == 2
    entry = await read(http, owner, f"/v1/entries/{entry['id']}")
    async with nothing_changed(runtime):
        refused(await file_amendment(http, owner, entry, judgment_body(entry)), 409, "wrong-state")
