"""The whole life of a measure, from the urgent call to the court's file (issue of the law's clock)."""

import io
import zipfile
from pathlib import Path

import httpx2

from app.worker import Worker
from tests.support import letters
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, extension_body, judgment_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.evidence import verified
from tests.support.feeds import alerts, records
from tests.support.refusals import refused
from tests.support.steps import Json, amend, approve, decide, expect, file_amendment, formalise, sound


async def outcome(http: httpx2.AsyncClient, counter: Caller, subject: Json) -> str:
    answer = await http.post("/v1/checks", json=check_body(subject), headers=counter.headers)
    return str(expect(answer, 200)["outcome"])


async def test_a_measure_from_the_urgent_call_to_the_courts_file(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, worker: Worker, tmp_path: Path
) -> None:
    owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
    body = urgent_body()
    raised = await sound(http, owner, body)
    urgent, subject = raised["entry"], body["subject"]
    receipt = {"level": "acknowledged", "officer_reference": "Desk 4", "note": None}
    path = f"/v1/alerts/{raised['alert']['id']}/receipts"
    expect(await http.post(path, json=receipt, headers=counter.headers), 201)
    assert await outcome(http, counter, subject) == "refer"
    urgent = await decide(http, await actors.client("duty_officer"), urgent, "countersign")
    assert await outcome(http, counter, subject) == "refuse"

    clock.set("2026-12-10T09:00:00+07:00")
    formal_basis = {**entry_body()["basis"], "issued_on": "2026-12-09", "received_on": "2026-12-10"}
    formal_body = {"basis": formal_basis, "starts_on": "2026-12-10", "ends_on": "2027-06-10"}
    formal = await approve(http, actors, expect(await formalise(http, owner, urgent, formal_body), 201))
    assert formal["in_force"] is True

    clock.set("2027-06-01T09:00:00+07:00")
    extension = extension_body(formal, "2027-12-11", extension={"basis": {"issued_on": "2027-05-31"}})
    extended = await amend(http, actors, formal, extension)
    assert (extended["ends_on"], extended["extension_count"]) == ("2027-12-11", 1)
    again = await file_amendment(http, owner, extended, extension_body(extended, "2028-06-11"))
    refused(again, 409, "extension-exhausted")
    assert await outcome(http, counter, subject) == "refuse"
    letter = await http.get(f"/v1/entries/{formal['id']}/letter", headers=owner.headers)
    assert "PERPANJANGAN" in letters.text(letter.content).upper()

    clock.set("2027-08-01T09:00:00+07:00")
    judgment = judgment_body(extended, judgment={"decided_on": "2027-07-20", "final_on": "2027-07-30"})
    acquitted = await amend(http, actors, extended, judgment)
    assert (acquitted["state"], acquitted["ended_reason"]) == ("ended", "acquitted")
    assert await outcome(http, counter, subject) == "clear"
    last = (await alerts(http, counter))[-1]
    assert (last["kind"], last["action"], last["entry"]["id"]) == ("cancel", "release", formal["id"])
    auditor = await actors.client("auditor")
    ended = [r for r in await records(http, auditor) if r["type"] == "entry.ended"]
    assert [(r["entry_id"], r["leaf"]["ended_reason"]) for r in ended] == [
        (urgent["id"], "superseded"),
        (formal["id"], "acquitted"),
    ]
    assert await worker.end_by_law() == 0

    await worker.sign_head()
    for one in (urgent, formal):
        answer = await http.get(f"/v1/entries/{one['id']}/evidence", headers=auditor.headers)
        assert answer.status_code == 200
        file = zipfile.ZipFile(io.BytesIO(answer.content))
        folder = tmp_path / one["id"]
        folder.mkdir()
        said = verified(file, folder)
        assert said.returncode == 0, said.stdout + said.stderr
