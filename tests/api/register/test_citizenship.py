"""Who has Indonesian papers and is no citizen: the note at filing, and the document of a loss (R4)."""

import base64
import hashlib
import io
import zipfile
from pathlib import Path
from typing import Any

from httpx2 import AsyncClient

from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    check_body,
    deterrence_body,
    entry_body,
    merged,
    urgent_deterrence_body,
    without_photo,
)
from tests.support.clock import SettableClock
from tests.support.erasure import PERSON, found_in
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import (
    Json,
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
    submit,
)
from tests.support.takeovers import entries, line, ndjson, taken

NIK = "3171010101700001"
NOTE = "Holds a permanent stay permit (KITAP) since 2019."
DECREE = b"%PDF-1.4\nThe decree on the loss of citizenship.\n"
SHA256 = hashlib.sha256(DECREE).hexdigest()
ATTACHED = {"media_type": "application/pdf", "data": base64.b64encode(DECREE).decode()}
TOLD = {
    "number": "AHU-12.AH.10.01/2019",
    "authority": "Menteri Hukum dan HAM",
    "issued_on": "2019-03-01",
    "sha256": SHA256,
}
LOSS = {**TOLD, "attachment": ATTACHED}
FORMER = {"type": "passport", "number": "X7654321", "issuing_state": "IDN", "expires_on": "2030-01-31"}
PERMIT = {"type": "travel_permit", "number": "XD765432", "issuing_state": "IDN", "expires_on": "2027-01-31"}


def ban(**subject: Any) -> Json:
    """An entry ban of a foreigner, with more about the person."""
    return deterrence_body(subject=subject)


def with_paper(paper: Json, **subject: Any) -> Json:
    """An entry ban of a foreigner who has another document too."""
    body = ban(**subject)
    return merged(body, {"subject": {"documents": [*body["subject"]["documents"], paper]}})


def former(**loss: Any) -> Json:
    """An entry ban of a New Zealander whose Indonesian passport has not expired, after the loss of citizenship."""
    return with_paper(FORMER, citizenship_loss=merged(LOSS, loss))


async def outcome(http: AsyncClient, by: Caller, subject: Json, **person: Any) -> tuple[str, list[str]]:
    """A check at entry by the foreign passport: its outcome, and what its match says of citizenship."""
    question = check_body(subject, "entry", person=person)
    answer = expect(await http.post("/v1/checks", json=question, headers=by.headers), 200)
    reasons = [reason["result"] for match in answer["matches"] for reason in match["reasons"]]
    return answer["outcome"], [result for result in reasons if result == "claims_wni"]


async def test_what_foreigners_have_too_takes_a_note_and_checks_still_only_refer(
    http: AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    submitter = await actors.client("submitter", agency="IMIGRASI")
    expired = {**FORMER, "expires_on": "2026-11-22"}
    for body in (ban(nik=NIK), with_paper(PERMIT), with_paper(expired)):
        async with nothing_changed(runtime):
            answer = await http.post("/v1/entries", json=body, headers=submitter.headers)
            assert refused(answer, 422, "wni-cannot-be-deterred") == {"/subject": "wni"}
        entry = await submit(http, submitter, merged(body, {"subject": {"citizenship_note": NOTE}}))
        assert (entry["citizenship"], entry["subject"]["citizenship_note"]) == ("WNA", NOTE)
        assert ("citizenship_doubt", "/subject/citizenship_note") in {
            (warning["code"], warning["pointer"]) for warning in entry["warnings"]
        }
        assert (await approve(http, actors, entry))["state"] == "active"
        counter = await actors.client("checkpoint")
        assert await outcome(http, counter, body["subject"]) == ("refer", ["claims_wni"])


async def test_a_foreigner_without_such_papers_is_refused_entry_as_before(
    http: AsyncClient, actors: Actors
) -> None:
    body = ban(citizenship_note=NOTE)
    await impose(http, actors, body)
    counter = await actors.client("checkpoint")
    assert await outcome(http, counter, body["subject"]) == ("refuse", [])
    assert await outcome(http, counter, body["subject"], nik=NIK) == ("refer", ["claims_wni"])


async def test_nationality_and_valid_passport_take_the_document_of_the_loss_and_two_approvers(
    http: AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    submitter = await actors.client("submitter", agency="IMIGRASI")
    lost = former()
    undated = with_paper({**FORMER, "expires_on": None}, citizenship_note=NOTE)
    national = merged(ban(nationalities=["NZL", "IDN"], citizenship_note=NOTE), {"unknown": ["nik"]})
    async with nothing_changed(runtime):
        for body in (merged(lost, {"subject": {"citizenship_loss": ...}}), undated, national):
            answer = await http.post("/v1/entries", json=body, headers=submitter.headers)
            assert refused(answer, 422, "wni-cannot-be-deterred") == {"/subject": "wni"}
        answer = await http.post("/v1/entries", json=former(attachment=None), headers=submitter.headers)
        faults = {"/subject/citizenship_loss/attachment": "required"}
        assert refused(answer, 422, "missing-subject-data") == faults
        answer = await http.post("/v1/entries", json=former(sha256="ab" * 32), headers=submitter.headers)
        faults = {"/subject/citizenship_loss/attachment/data": "sha256"}
        assert refused(answer, 422, "validation") == faults
        answer = await http.post(
            "/v1/entries", json=former(issued_on="2026-11-24"), headers=submitter.headers
        )
        assert refused(answer, 422, "validation") == {"/subject/citizenship_loss/issued_on": "future"}
    entry = await submit(http, submitter, lost)
    assert (entry["citizenship"], entry["subject"]["citizenship_loss"]) == ("WNA", TOLD)
    first = await approve(http, actors, entry)
    assert (first["state"], first["in_force"], first["second_approval_at"]) == ("verified", False, None)
    second = await decide(http, await actors.client("approver"), first, "approve")
    assert (second["state"], second["in_force"]) == ("active", True)
    assert second["second_approval_at"] == "2026-11-23T03:00:00.000000Z"
    counter = await actors.client("checkpoint")
    assert await outcome(http, counter, lost["subject"]) == ("refer", ["claims_wni"])


async def test_the_same_person_does_not_approve_a_loss_of_citizenship_twice(
    http: AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    submitter = await actors.client("submitter", agency="IMIGRASI")
    entry = await submit(http, submitter, former())
    entry = await decide(http, await actors.client("verifier", agency="IMIGRASI"), entry, "verify")
    approver = await actors.client("approver")
    entry = await decide(http, approver, entry, "approve")
    async with nothing_changed(runtime):
        path, said = f"/v1/entries/{entry['id']}/decisions", {"verdict": "approve"}
        refused(await http.post(path, json=said, headers=approver.on(etag(entry))), 403, "four-eyes")


async def evidence(http: AsyncClient, by: Caller, entry: Json) -> zipfile.ZipFile:
    """The evidence file of an entry."""
    answer = await http.get(f"/v1/entries/{entry['id']}/evidence", headers=by.headers)
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


async def test_the_document_of_the_loss_stays_with_each_entry_that_names_it(
    http: AsyncClient, actors: Actors
) -> None:
    submitter = await actors.client("submitter", agency="IMIGRASI")
    body = urgent_deterrence_body()
    documents = [*body["subject"]["documents"], FORMER]
    body = merged(body, {"subject": {"documents": documents, "citizenship_loss": LOSS}})
    urgent = (await sound(http, submitter, body))["entry"]
    assert (urgent["citizenship"], urgent["subject"]["citizenship_loss"]) == ("WNA", TOLD)
    formal = {"basis": deterrence_body()["basis"], "starts_on": "2026-12-01", "ends_on": "2036-12-01"}
    formal["basis"]["case_reference"] = urgent["basis"]["case_reference"]
    kept = expect(await formalise(http, submitter, urgent, formal), 201)
    assert (kept["citizenship"], kept["subject"]["citizenship_loss"]) == ("WNA", TOLD)
    auditor = await actors.client("auditor")
    for entry in (urgent, kept):
        file = await evidence(http, auditor, entry)
        assert file.read(f"attachments/{SHA256}.pdf") == DECREE
        assert "Document of the loss of citizenship" in file.read("index.html").decode()


async def test_a_returned_request_is_sent_again_with_the_loss(
    http: AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    submitter = await actors.client("submitter", agency="IMIGRASI")
    body = former()
    entry = await submit(
        http,
        submitter,
        merged(body, {"subject": {"documents": [], "citizenship_loss": ...}, "unknown": ["documents"]}),
    )
    verifier = await actors.client("verifier", agency="IMIGRASI")
    entry = await decide(http, verifier, entry, "return", "The passport is known.")
    answer = await http.put(f"/v1/entries/{entry['id']}", json=body, headers=submitter.on(etag(entry)))
    again = expect(answer, 200)
    assert (again["citizenship"], again["subject"]["citizenship_loss"]) == ("WNA", TOLD)
    first = await approve(http, actors, again)
    assert first["state"] == "verified"


async def test_a_correction_brings_note_or_loss_and_repeats_the_loss_without_its_bytes(
    http: AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    owner = await actors.client("submitter", agency="IMIGRASI")
    body = ban()
    entry = await impose(http, actors, body)

    def correction(**subject: Any) -> Json:
        return {"kind": "correction", "correction": {"subject": without_photo(body["subject"], **subject)}}

    async with nothing_changed(runtime):
        answer = await file_amendment(http, owner, entry, correction(nik=NIK))
        assert refused(answer, 422, "wni-cannot-be-deterred") == {"/correction/subject": "wni"}
        other = {**LOSS, "sha256": "ab" * 32}
        answer = await file_amendment(http, owner, entry, correction(nik=NIK, citizenship_loss=other))
        faults = {"/correction/subject/citizenship_loss/attachment/data": "sha256"}
        assert refused(answer, 422, "validation") == faults
        answer = await file_amendment(http, owner, entry, correction(nik=NIK, citizenship_loss=TOLD))
        faults = {"/correction/subject/citizenship_loss/attachment": "required"}
        assert refused(answer, 422, "missing-subject-data") == faults
    noted = await amend(http, actors, entry, correction(nik=NIK, citizenship_note=NOTE))
    assert (noted["citizenship"], noted["subject"]["citizenship_note"]) == ("WNA", NOTE)
    assert "citizenship_doubt" in [warning["code"] for warning in noted["warnings"]]
    documents = [*body["subject"]["documents"], FORMER]
    asked = await file_amendment(http, owner, noted, correction(documents=documents, citizenship_loss=LOSS))
    amendment = expect(asked, 201)
    assert amendment["correction"]["subject"]["citizenship_loss"] == TOLD
    amendment = await settle(http, await actors.client("verifier", agency="IMIGRASI"), amendment, "verify")
    amendment = await settle(http, await actors.client("approver"), amendment, "approve")
    assert (amendment["state"], amendment["approvals"]) == ("verified", 1), "two approve a loss"
    amendment = await settle(http, await actors.client("approver"), amendment, "approve")
    assert (amendment["state"], amendment["approvals"]) == ("approved", 2)
    read = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (read["citizenship"], read["subject"]["citizenship_loss"]) == ("WNA", TOLD)
    auditor = await actors.client("auditor")
    assert f"attachments/{SHA256}.pdf" in (await evidence(http, auditor, entry)).namelist()


async def test_a_correction_repeats_the_loss_without_its_bytes(http: AsyncClient, actors: Actors) -> None:
    owner = await actors.client("submitter", agency="IMIGRASI")
    body = former()
    first = await approve(http, actors, await submit(http, owner, body))
    entry = await decide(http, await actors.client("approver"), first, "approve")
    moved = without_photo(body["subject"], address="1 Terrace End, Wellington", citizenship_loss=TOLD)
    asked = await file_amendment(http, owner, entry, {"kind": "correction", "correction": {"subject": moved}})
    assert expect(asked, 201)["correction"]["subject"]["citizenship_loss"] == TOLD


async def test_an_older_register_brings_note_and_loss_too(runtime: Runtime, tmp_path: Path) -> None:
    file = ndjson(
        tmp_path,
        line("a", agency="IMIGRASI", entry=with_paper(PERMIT, citizenship_note=NOTE)),
        line("b", agency="IMIGRASI", entry=former()),
        line("c", agency="IMIGRASI", entry=former(attachment=None)),
        line("d", agency="IMIGRASI", entry=ban(nik=NIK)),
    )
    report = await taken(runtime, file)
    assert report["added"] == 2
    assert [skipped["reason"].split(":")[0] for skipped in report["skipped"]] == [
        "missing_subject_data at /entry/subject/citizenship_loss/attachment",
        "wni_cannot_be_deterred at /entry/subject",
    ]
    noted, lost = sorted(await entries(runtime), key=lambda entry: entry.subject.citizenship_loss is not None)
    assert (noted.citizenship, noted.subject.citizenship_note) == ("WNA", NOTE)
    assert lost.subject.citizenship_loss is not None
    assert (lost.citizenship, lost.subject.citizenship_loss.sha256) == ("WNA", SHA256)


@PERSON
async def test_note_and_loss_go_with_the_person(
    http: AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock, worker: Worker
) -> None:
    owner = await actors.client("submitter")
    loss = {**LOSS, "authority": "Wakil Menteri Prasangka"}
    body = entry_body(ends_on="2026-12-23", subject={"citizenship_note": NOTE, "citizenship_loss": loss})
    first = await approve(http, actors, await submit(http, owner, body))
    entry = await decide(http, await actors.client("approver"), first, "approve")
    secrets = [NOTE, "Wakil Menteri Prasangka", "AHU-12.AH.10.01/2019", "The decree on the loss"]
    found = await found_in(runtime, secrets)
    assert {secret for which in found.values() for secret in which} == set(secrets)
    clock.set("2026-12-24T00:00:00+07:00")
    await worker.end_by_law()
    clock.advance(days=101)
    assert await worker.retain() == 2, "the blobs, the person"
    assert await found_in(runtime, secrets) == {}
    read = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (read["subject"]["citizenship_note"], read["subject"]["citizenship_loss"]) == (None, None)
