"""The evidence file of an entry: all that is on record, verified by a program that knows nothing of the register."""

import base64
import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.actor import Actor
from app.casework.papers.evidence import file as evidence
from app.casework.papers.evidence.archive import Archive
from app.casework.papers.evidence.case import open_case
from app.runtime import Runtime
from app.tlog.policy import Policy
from app.tlog.proofs import InclusionProof
from app.worker import Worker
from tests.api.register.test_supervision import report_body
from tests.support import letters
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    check_body,
    deterrence_body,
    entry_body,
    extension_body,
    formal_body,
    revocation_body,
    urgent_body,
)
from tests.support.clock import SettableClock
from tests.support.evidence import verified
from tests.support.heads import sign_head
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, amend, approve, decide, expect, formalise, impose, sound, submit

ATTACHMENT = b"%PDF-1.4\nThe letter itself.\n"


async def file_of(http: AsyncClient, actors: Actors, by: Caller, entry: Json) -> zipfile.ZipFile:
    """The evidence file as it was downloaded once a head covered the entry's records."""
    await sign_head(actors)
    answer = await http.get(f"/v1/entries/{entry['id']}/evidence", headers=by.headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert f'filename="{entry["id"]}-v' in answer.headers["content-disposition"]
    return zipfile.ZipFile(io.BytesIO(answer.content))


def content(file: zipfile.ZipFile, name: str) -> Any:
    text = file.read(name).decode()
    return [json.loads(line) for line in text.splitlines()] if name.endswith(".ndjson") else json.loads(text)


def rewritten(file: zipfile.ZipFile, changes: dict[str, bytes]) -> zipfile.ZipFile:
    """The file with some of its content replaced, its list of hashes put right again."""
    index = json.loads(file.read("index.json"))
    for each in index["files"]:
        if each["name"] in changes:
            each["sha256"] = hashlib.sha256(changes[each["name"]]).hexdigest()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in file.namelist():
            fresh = json.dumps(index).encode() if name == "index.json" else changes.get(name, file.read(name))
            made.writestr(name, fresh)
    return zipfile.ZipFile(out)


@pytest.fixture
async def case(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
) -> tuple[Json, dict[str, Any]]:
    """A life: urgent with its letter, alerted, received, countersigned, hit, sighted, and at last lapsed."""
    submitter, officer = await actors.client("submitter"), await actors.client("duty_officer")
    counter = await actors.client("checkpoint")
    sent = urgent_body(letter={"sha256": hashlib.sha256(ATTACHMENT).hexdigest()})
    data = base64.b64encode(ATTACHMENT).decode()
    sent["letter"]["attachment"] = {"media_type": "application/pdf", "data": data}
    answer = await sound(http, submitter, sent)
    path = f"/v1/alerts/{answer['alert']['id']}/receipts"
    for level in ("received", "acknowledged"):
        expect(await http.post(path, json={"level": level}, headers=counter.headers), 201)
    entry = await decide(http, officer, answer["entry"], "countersign", "Letter and person were checked.")
    clock.advance(minutes=5)
    hit = expect(
        await http.post("/v1/checks", json=check_body(sent["subject"]), headers=counter.headers), 200
    )
    clock.advance(minutes=5)
    home = check_body(sent["subject"], "entry")
    expect(await http.post("/v1/checks", json=home, headers=counter.headers), 200)
    other = entry_body()
    await impose(http, actors, other)
    expect(await http.post("/v1/checks", json=check_body(other["subject"]), headers=counter.headers), 200)
    clock.advance(timedelta(days=21))
    await worker.create_hits()
    await worker.end_by_law()
    entry = expect(await http.get(f"/v1/entries/{entry['id']}", headers=submitter.headers), 200)
    return entry, {"hit": hit, "subject": sent["subject"], "alert": answer["alert"], "officer": officer}


async def test_programs_without_code_of_ours_verify_all_of_it(
    http: AsyncClient, actors: Actors, case: tuple[Json, dict[str, Any]], tmp_path: Path
):
    entry, _ = case
    auditor = await actors.client("auditor")
    file = await file_of(http, actors, auditor, entry)
    told = verified(file, tmp_path)
    assert told.returncode == 0, told.stdout + told.stderr
    index = content(file, "index.json")
    root = index["ledger"]["root"]
    count = len(content(file, "ledger/records.ndjson"))
    assert f"OK: {len(index['files'])} files, {count} records, each proved by the policy's log" in told.stdout
    for name in ("verify.py", "verify_file.py"):
        program = file.read(name).decode()
        assert program in file.read("VERIFY.md").decode(), "the explanation prints it"
    proofs = [content(file, "index.json")["ledger"][name] for name in ("records", "proved", "witnessed")]
    assert proofs == [count, count, 0]
    for record in content(file, "ledger/records.ndjson"):
        proof = InclusionProof.parse(file.read(record["proof"]))
        keys = [peer.key for peer in Policy.parse(file.read("ledger/policy")).logs]
        opened = proof.verify(bytes.fromhex(record["leaf_hash"]), keys)
        assert set(opened.signed) == set(keys), "plain, timed, and ML-DSA"
    assert opened.checkpoint.root.hex() == root


async def test_everything_on_record_is_in_it(
    http: AsyncClient, actors: Actors, case: tuple[Json, dict[str, Any]]
):
    entry, known = case
    file = await file_of(http, actors, await actors.client("submitter"), entry)
    names = set(file.namelist())
    versions = [content(file, f"entry/versions/{n:04d}.json") for n in range(1, entry["version"] + 1)]
    assert [v["event"] for v in versions] == ["submitted_urgently", "countersigned", "lapsed"]
    assert versions[1]["person"] == known["officer"].person
    assert versions[1]["reason"] == "Letter and person were checked."
    acts = content(file, "entry/decisions.json")
    assert [act["act"] for act in acts] == ["submitted_urgently", "countersigned", "lapsed"]
    assert {name for name in names if name.startswith("letters/")} == {
        f"letters/{sequence:08d}-{kind}.pdf"
        for sequence, kind in ((versions_sequence(file, 2), "urgent"), (versions_sequence(file, 3), "ending"))
    }
    assert file.read(f"attachments/{hashlib.sha256(ATTACHMENT).hexdigest()}.pdf") == ATTACHMENT
    photo = entry["subject"]["photo"]["sha256"]
    assert hashlib.sha256(file.read(f"photos/{photo}.jpg")).hexdigest() == photo
    raised = content(file, f"alerts/{known['alert']['id']}.json")
    assert len(raised["recipients"]) == known["alert"]["recipients"]
    assert {receipt["level"] for receipt in raised["receipts"]} == {"received", "acknowledged"}
    kinds = {content(file, name)["alert"]["kind"] for name in names if name.startswith("alerts/")}
    assert kinds == {"raise", "update", "cancel"}
    matches = content(file, "checks/matches.ndjson")
    assert matches[0]["check_id"] == known["hit"]["id"]
    assert [m["sighting"] for m in matches] == [False, True]
    assert [m["hit"] and m["hit"]["state"] for m in matches] == ["open", None]
    assert content(file, "entry/clearances.json") == []
    assert matches[0]["check"]["question"]["person"]["name"] == known["subject"]["full_name"]
    assert "document_hash" not in matches[0]["check"]
    clients = {client["id"]: client for client in content(file, "clients.json")}
    assert clients[known["officer"].id]["person"] == known["officer"].person
    looks = [act["act"] for act in content(file, "audit.ndjson")]
    assert looks == ["evidence.asked"]


def versions_sequence(file: zipfile.ZipFile, version: int) -> int:
    """The ledger's number of the record that tells a version."""
    records = [record["leaf"] for record in content(file, "ledger/records.ndjson")]
    (sequence,) = [
        r["sequence"] for r in records if r["version"] == version and r["type"].startswith("entry.")
    ]
    return int(sequence)


async def test_nothing_of_other_entries_is_in_it(
    http: AsyncClient, actors: Actors, case: tuple[Json, dict[str, Any]]
):
    entry, _ = case
    file = await file_of(http, actors, await actors.client("auditor"), entry)
    for record in content(file, "ledger/records.ndjson"):
        assert record["leaf"]["entry_id"] == entry["id"]
    for match in content(file, "checks/matches.ndjson"):
        assert match["entry_id"] == entry["id"]
        assert {each["entry_id"] for each in match["check"]["matches"]} <= {entry["id"]}


async def test_the_letters_in_it_are_those_that_were_issued(
    http: AsyncClient, actors: Actors, tmp_path: Path
):
    entry, auditor = await impose(http, actors), await actors.client("auditor")
    await sign_head(actors)
    issued = (await http.get(f"/v1/entries/{entry['id']}/letter", headers=auditor.headers)).content
    revoked = await amend(http, actors, entry, revocation_body(entry))
    await sign_head(actors)
    last = (await http.get(f"/v1/entries/{entry['id']}/letter", headers=auditor.headers)).content
    file = await file_of(http, actors, auditor, revoked)
    assert file.read(f"letters/{entry['sequence']:08d}-decision.pdf") == issued
    assert file.read(f"letters/{revoked['sequence']:08d}-revocation.pdf") == last
    found = letters.proved(letters.qr_text(last))
    records = content(file, "ledger/records.ndjson")
    assert found[0] in [record["leaf"] for record in records]
    assert verified(file, tmp_path).returncode == 0


async def test_an_urgent_entry_and_its_formal_one_hold_each_other_s_letters(
    http: AsyncClient, actors: Actors, tmp_path: Path
):
    auditor, submitter = await actors.client("auditor"), await actors.client("submitter")
    raised = await sound(http, submitter)
    urgent = await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")
    asked = expect(await formalise(http, submitter, urgent, formal_body()), 201)
    formal = await approve(http, actors, asked)
    for of, other, relation in ((urgent, formal, "formalised_by"), (formal, urgent, "formalises")):
        file = await file_of(http, actors, auditor, of)
        (linked,) = content(file, "index.json")["linked"]
        assert (linked["entry_id"], linked["relation"]) == (other["id"], relation)
        assert linked["evidence"] == f"/v1/entries/{other['id']}/evidence"
        own = await file_of(http, actors, auditor, other)
        theirs = sorted(name for name in own.namelist() if name.startswith("letters/"))
        assert theirs
        assert linked["letters"] == [f"linked/{other['id']}/{name}" for name in theirs]
        assert all(file.read(f"linked/{other['id']}/{name}") == own.read(name) for name in theirs)
        assert other["id"] in file.read("index.html").decode()
        assert verified(file, tmp_path).returncode == 0


async def test_amendments_objections_and_duties_are_in_it(
    http: AsyncClient, actors: Actors, clock: SettableClock, tmp_path: Path
):
    entry, owner = await impose(http, actors), await actors.client("submitter")
    duty = {"name": "deliver_to_person", "done_at": "2026-11-23T03:00:00Z", "reference": "Receipt 1"}
    path = f"/v1/entries/{entry['id']}"
    expect(await http.post(f"{path}/duties", json=duty, headers=owner.headers), 201)
    clock.set("2027-05-10T03:00:00Z")
    await amend(http, actors, entry, extension_body(entry, "2027-11-23", "2027-05-08"))
    file = await file_of(http, actors, owner, entry)
    (amendment,) = content(file, "entry/amendments.json")
    assert (amendment["kind"], amendment["state"]) == ("extension", "approved")
    assert [step["verdict"] for step in amendment["steps"]] == ["verify", "approve"]
    acts = [act["act"] for act in content(file, "entry/decisions.json")]
    assert set(acts[-4:]) == {"extension_filed", "extension_verify", "extension_approve", "extended"}
    duties = {each["name"]: each["reference"] for each in content(file, "entry/duties.json")}
    assert duties["deliver_to_person"] == "Receipt 1"
    assert content(file, "entry/objections.json") == []
    assert any(name.endswith("-extension.pdf") for name in file.namelist())
    assert verified(file, tmp_path).returncode == 0


async def test_the_index_tells_people_and_programs_what_is_in_it(http: AsyncClient, actors: Actors):
    body = entry_body(subject={"full_name": "Raka <script>alert(1)</script> & Co"})
    entry, auditor = await impose(http, actors, body), await actors.client("auditor")
    file = await file_of(http, actors, auditor, entry)
    index = content(file, "index.json")
    assert (index["format"], index["entry_id"]) == ("cekal-evidence/2", entry["id"])
    assert index["made_by"] == {"client_id": auditor.id, "person": auditor.person, "agency": None}
    assert index["made_at"] == "2026-11-23T03:00:00.000000Z"
    listed = {each["name"]: each for each in index["files"]}
    assert set(file.namelist()) == {*listed, "index.json"}
    for name, told in listed.items():
        data = file.read(name)
        assert (told["sha256"], told["size"]) == (hashlib.sha256(data).hexdigest(), len(data))
    page = file.read("index.html").decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page, "it needs nothing from elsewhere"
    assert index["ledger"]["root"] in page
    assert all(name in page for name in listed if name != "index.html")
    assert "Keputusan" in page
    assert "Decisions" in page
    for act in ("diajukan / submitted", "diverifikasi / verified", "disetujui / approved"):
        assert f"<td>{act}</td>" in page
    assert "<td>ditetapkan / active</td>" in page


async def test_the_hash_of_its_index_is_on_record(http: AsyncClient, actors: Actors):
    entry, auditor = await impose(http, actors), await actors.client("auditor")
    file = await file_of(http, actors, auditor, entry)
    (made,) = expect(await http.get("/v1/audit?act=evidence.made", headers=auditor.headers), 200)["items"]
    assert made["object"] == entry["id"]
    assert made["detail"]["index_sha256"] == hashlib.sha256(file.read("index.json")).hexdigest()
    (asked,) = expect(await http.get("/v1/audit?act=evidence.asked", headers=auditor.headers), 200)["items"]
    assert (asked["object"], asked["client_id"]) == (entry["id"], auditor.id)


async def test_every_forgery_is_found(http: AsyncClient, actors: Actors, tmp_path: Path):
    body = entry_body()
    entry, auditor = await impose(http, actors, body), await actors.client("auditor")
    await impose(http, actors)
    file = await file_of(http, actors, auditor, entry)
    name = body["subject"]["full_name"].encode()
    version, records = "entry/versions/0003.json", "ledger/records.ndjson"
    longer = file.read(records) + file.read(records).replace(b'"sequence":1', b'"sequence":2')
    forged = {
        "another set of files": {},
        "a version's person": {version: file.read(version).replace(name, b"Somebody Else")},
        "a record's person": {records: file.read(records).replace(name, b"Somebody Else")},
        "a record's state": {records: file.read(records).replace(b'"state":"active"', b'"state":"ended"')},
        "a record too many": {records: longer},
    }
    for what, changes in forged.items():
        changed = rewritten(file, changes)
        if not changes:
            with zipfile.ZipFile(changed.fp, "a") as more:  # type: ignore[arg-type]  # a BytesIO
                more.writestr("letters/another.pdf", b"%PDF")
            changed = zipfile.ZipFile(changed.fp)  # type: ignore[arg-type]
        told = verified(changed, tmp_path)
        assert told.returncode == 1, what
        assert "WRONG" in told.stderr, what
    assert verified(file, tmp_path).returncode == 0


async def test_the_same_case_at_the_same_moment_has_the_same_bytes(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    entry, auditor = await impose(http, actors), await actors.client("auditor")
    async with runtime.writing(actor_of(auditor)) as unit:
        case = await open_case(unit, entry["id"], Policy.without_witnesses())
    first, second = [b"".join([piece async for piece in evidence.pieces(runtime, case)]) for _ in range(2)]
    first_file, second_file = (zipfile.ZipFile(io.BytesIO(each)) for each in (first, second))
    names = [
        name for name in first_file.namelist() if name not in {"audit.ndjson", "index.html", "index.json"}
    ]
    assert all(first_file.read(name) == second_file.read(name) for name in names)
    assert first_file.namelist() == second_file.namelist()
    assert {info.date_time for info in first_file.infolist()} == {(2026, 11, 23, 10, 0, 0)}


def actor_of(caller: Caller) -> Actor:
    return Actor(caller.id, caller.person, frozenset({"auditor"}))


async def test_it_leaves_in_pieces(http: AsyncClient, actors: Actors, runtime: Runtime):
    entry, auditor = await impose(http, actors), await actors.client("auditor")
    async with runtime.writing(actor_of(auditor)) as unit:
        case = await open_case(unit, entry["id"], Policy.without_witnesses())
    sizes = [len(piece) async for piece in evidence.pieces(runtime, case)]
    assert len(sizes) > 15
    assert max(sizes) < 300_000


def test_a_piece_holds_only_what_came_since_the_last_one(clock: SettableClock):
    archive = Archive(clock())
    mebibyte = bytes(1024 * 1024)
    sizes = []
    for number in range(20):
        archive.add(f"photos/{number}.jpg", mebibyte, "image/jpeg", ("Foto", "Photo"))
        sizes.append(len(archive.piece()))
    assert max(sizes) < len(mebibyte) + 1000
    assert len(archive.end()) < 5000


async def test_it_is_for_the_owner_s_officers_approvers_and_auditors(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    entry = await submit(http, await actors.client("submitter"))
    path = f"/v1/entries/{entry['id']}/evidence"
    for role in ("submitter", "verifier", "approver", "auditor"):
        assert (await http.get(path, headers=(await actors.client(role)).headers)).status_code == 200
    strangers = [await actors.client(role, agency="POLRI") for role in ("submitter", "verifier")]
    others = ("duty_officer", "supervisor", "checkpoint", "integrator", "carrier", "admin")
    outsiders = [await actors.client(role) for role in others]
    async with nothing_changed(runtime):
        for stranger in strangers:
            refused(await http.get(path, headers=stranger.headers), 404, "not-found")
        for outsider in outsiders:
            refused(await http.get(path, headers=outsider.headers), 403, "wrong-role")
        refused(await http.get(path), 401, "unauthenticated")


@pytest.mark.settings(photo_retention_days=30, personal_retention_days=100)
async def test_after_each_stage_of_erasure_what_is_left_still_verifies(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker, tmp_path: Path
):
    body = entry_body()
    entry = await impose(http, actors, body)
    entry = await amend(http, actors, entry, revocation_body(entry))
    photo = entry["subject"]["photo"]["sha256"]
    clock.advance(days=31)
    await worker.retain()
    auditor = await actors.client("auditor")
    file = await file_of(http, actors, auditor, entry)
    assert [gone["sha256"] for gone in content(file, "index.json")["erased"]] == [photo]
    (name,) = [name for name in file.namelist() if name.endswith("-revocation.pdf")]
    assert "(foto telah dihapus)" in letters.text(file.read(name))
    assert verified(file, tmp_path).returncode == 0
    clock.advance(days=100)
    await worker.retain()
    file = await file_of(http, actors, auditor, entry)
    told = verified(file, tmp_path)
    assert told.returncode == 0, told.stderr
    *lived, erased = content(file, "ledger/records.ndjson")
    assert {(record["personal"], record["salt"]) for record in lived} == {(None, None)}
    assert erased["leaf"]["type"] == "entry.erased"
    assert not [name for name in file.namelist() if name.startswith(("letters/", "photos/"))]
    person = (body["subject"]["full_name"], body["subject"]["nik"], body["basis"]["number"])
    everything = b"".join(file.read(name) for name in file.namelist()).decode()
    assert [secret for secret in person if secret in everything] == []


async def test_a_supervision_team_gets_no_papers_of_what_it_reads(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    report = report_body()
    team = await actors.client("timpora")
    filed = expect(await http.post("/v1/supervision-reports", json=report, headers=team.headers), 201)
    body = deterrence_body(basis={"instrument": "supervision_report", "number": filed["number"]})
    entry = await impose(http, actors, body)
    mixed = await actors.client(("timpora", "submitter"), agency="IMIGRASI", office="KANIM-BATAM")
    expect(await http.get(f"/v1/entries/{entry['id']}", headers=mixed.headers), 200)
    (rests_on,) = content(await file_of(http, actors, mixed, entry), "entry/supervision-reports.json")
    assert (rests_on["number"], rests_on["id"]) == (filed["number"], filed["id"])
    async with nothing_changed(runtime):
        for paper in ("letter", "evidence"):
            refused(
                await http.get(f"/v1/entries/{entry['id']}/{paper}", headers=team.headers), 403, "wrong-role"
            )
