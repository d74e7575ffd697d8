"""Retention walks every column of text: what may name a person is filled here, and is gone after its time (R64)."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import String, Table, select

from app.access.domain import SYSTEM
from app.db.types import Id
from app.runtime import Runtime
from app.schema import checks_metadata, metadata
from app.worker import Worker
from tests.api.register.test_departure_delays import delay_body
from tests.api.register.test_supervision import report_body
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, deterrence_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.crossings import ask, hit_of, namesakes, say
from tests.support.manifests import manifest_body, passenger, send
from tests.support.receivers import receiving
from tests.support.steps import Json, amend, decide, expect, impose, sound, submit
from tests.support.webhooks import LOOPBACK, dispatching, subscribe

MARK = "Sasmitaloka"
"""A word in whatever names a person here, or tells of their case."""

SHORTEST = 33
"""Characters from which on a column of text holds more than a code, an id or a state."""

Column = tuple[str, str]

KEPT: dict[str, str] = {
    "agency": "an authority's own words",
    "alembic_version": "the schema's",
    "audit": "acts, ids and keyed hashes; of persons only the officer who acted",
    "checkpoint": "a place",
    "checkpoint_closure": "when a place is closed, and why",
    "checkpoint_hours": "when a place is open",
    "client": "an officer's account, or a machine's",
    "cosignature": "witnesses' names, keys and signatures",
    "escalation_page": "officers' addresses, erased by their age; it names no person of an entry",
    "escalation_policy": "officers' addresses",
    "entry_seal": "officers that the seal names; who may be the subject is deleted with the person",
    "ledger_barred": "deleted with the person",
    "log_batch": "ids and hashes",
    "letter_head": "sizes and hashes of the ledger, signed, by the number of a record",
    "ledger_rollback": "the register's name, an epoch, sizes",
    "ledger_withdrawn": "ids of entries",
    "log_name": "the register's name",
    "log_origin": "the register's name, and its epochs",
    "log_witness": "addresses of witnesses, and what they answered",
    "notice": "codes and ids",
    "notice_address": "offices and roles",
    "office": "a place",
    "signed_head": "sizes and hashes of the ledger, signed",
    "signing_key": "public keys of the register",
    "pending_change": "what admins change: places, telephones, accounts",
    "webhook_delivery": "ids, types and times",
    "webhook_endpoint": "addresses of machines, and what their owners call them",
}
"""Tables whose texts name no subject of a measure, and why they stay."""

KEPT_COLUMNS: dict[Column, str] = {
    ("alert", "chase"): "codes of checkpoints",
    ("blob", "sha256"): "a hash of what is erased",
    ("blob", "media_type"): "a type",
    ("check_record", "matches"): "ids, scores and contacts",
    ("check_record", "clearances"): "ids",
    ("check_record", "noted"): "ids and scores",
    ("clearance", "number"): "emptied with the document that it repeats",
    ("correction_request", "filed_person"): "the officer who filed it",
    ("entry", "province"): "a place",
    ("entry_duty", "person"): "the officer who did it",
    ("entry_source", "origin"): "a list's or an agency's name",
    ("entry_source", "reference"): "the source's own number, by which a repeated import changes nothing",
    ("entry_source", "digest"): "a hash, for the same",
    ("entry_task", "agency"): "a code",
    ("entry_task", "cause"): "an id",
    ("entry_task", "reference"): "emptied with the person; nothing here leaves such a task",
    ("entry_version", "person"): "the officer who wrote it",
    ("idempotent_answer", "call"): "a path",
    ("idempotent_answer", "key"): "the caller's random key; deleted after a day",
    ("idempotent_answer", "headers"): "deleted after a day",
    ("ledger_record", "leaf"): "codes, dates and commitments",
    ("manifest", "document"): "a flight; deleted with the questions",
    ("manifest_key", "key"): "deleted at the departure",
    ("supervision_report", "office"): "a place",
    ("supervision_report", "province"): "a place",
    ("webhook_attempt", "error"): "the service's own words",
}
"""The same of single columns."""


def texts() -> set[Column]:
    """Every column of the schema that may hold words."""
    tables: list[Table] = [*metadata.sorted_tables, *checks_metadata.sorted_tables]
    return {
        (table.name, column.name)
        for table in tables
        for column in table.columns
        if isinstance(column.type, String)
        and (column.type.length or SHORTEST) >= SHORTEST
        and column.type.length != Id.length
    }


async def marked(runtime: Runtime) -> set[Column]:
    """The columns in which the mark stands, folded or not, in bytes or in text."""
    found: set[Column] = set()
    for whole, reading in ((metadata, runtime.reading), (checks_metadata, runtime.reading_checks)):
        async with reading(SYSTEM) as reader:
            for table in whole.sorted_tables:
                for row in await reader.run(select(table)):
                    found |= {(table.name, name) for name, value in row._mapping.items() if _has(value)}
    return found


def _has(value: Any) -> bool:
    return MARK.casefold() in repr(value).casefold()


def person(**given: Any) -> Json:
    return {"full_name": f"Aditya {MARK}", "address": f"Jalan {MARK}", "occupation": MARK, **given}


def case(**given: Any) -> Json:
    return {"reason": MARK, "signed_by": MARK, **given}


async def file(http: httpx2.AsyncClient, by: Caller, path: str, body: Json) -> Json:
    return expect(await http.post(f"/v1/{path}", json=body, headers=by.headers), 201)


async def fill(http: httpx2.AsyncClient, actors: Actors, counter: Caller, carrier: Caller) -> None:
    """Put the mark wherever somebody may write something about a person."""
    owner, supervisor = await actors.client("submitter"), await actors.client("supervisor")
    listed, question = namesakes()
    name = f"Muhammad Ali {MARK}"
    listed["subject"] |= {"full_name": name, "aliases": [{"name": MARK, "quality": "good"}]}
    listed["basis"] |= case()
    question["person"] |= {"name": name}
    question["officer_reference"] = MARK
    entry = await impose(http, actors, listed | {"ends_on": "2026-11-30"})
    hit = await hit_of(http, supervisor, await ask(http, counter, question))
    expect(await say(http, supervisor, hit, "not_same_person", note=MARK), 201)
    path = f"entries/{entry['id']}"
    delivery = {"name": "deliver_to_person", "done_at": "2026-11-23T03:00:00Z", "reference": MARK}
    await file(http, owner, f"{path}/duties", {**delivery, "note": MARK})
    objection = {"filed_on": "2026-11-23", "grounds": MARK, "objector": {"name": MARK, "capacity": "lawyer"}}
    filed = await file(http, owner, f"{path}/objections", objection)
    answer = {"outcome": "rejected", "reason": MARK, "letter": {"number": MARK, "issued_on": "2026-11-23"}}
    colleague = await actors.client("verifier")
    expect(
        await http.post(f"/v1/objections/{filed['id']}/answer", json=answer, headers=colleague.on('"1"')), 201
    )
    corrected = {**listed["subject"], **person(full_name=name, photo=None)}
    await amend(
        http, actors, entry, {"kind": "correction", "correction": {"subject": corrected, "basis": None}}
    )
    asked = {"entry_id": entry["id"], "kind": "identity", "statement": MARK, "evidence": MARK}
    asked["requester"] = {"name": MARK, "contact": MARK}
    request = await file(http, supervisor, "correction-requests", asked)
    decision = {"outcome": "refused", "reason": f"Pasal 94: {MARK}."}
    officer = await actors.client("approver")
    path = f"/v1/correction-requests/{request['id']}/decisions"
    expect(await http.post(path, json=decision, headers=officer.on('"1"')), 201)
    refused = await submit(http, owner, entry_body(subject=person(), basis=case()))
    await decide(http, colleague, refused, "return", MARK)
    urgent = await sound(http, owner, urgent_body(subject=person(), basis=case(), alert={"message": MARK}))
    receipt = {"level": "refused", "officer_reference": MARK, "note": MARK}
    await file(http, counter, f"alerts/{urgent['alert']['id']}/receipts", receipt)
    sponsor = {"name": MARK, "document": MARK, "phone": None, "address": MARK}
    traveller = {"name": MARK, "birth": {"date": "2001-02"}, "sex": "female", "document": None}
    delay = delay_body(note=MARK, sponsor=sponsor, traveller=traveller, group_reference=MARK)
    await file(http, supervisor, "departure-delays", delay)
    report = report_body(place=MARK, findings=MARK)
    report["subject"]["full_name"] = MARK
    await file(http, await actors.client("timpora"), "supervision-reports", report)
    banned = deterrence_body(subject=person(), basis=case(), ends_on="2026-12-20")
    await impose(http, actors, banned)
    await send(http, carrier, manifest_body(passenger(banned["subject"], MARK)))
    await ask(http, counter, check_body(banned["subject"]))


@pytest.mark.settings(
    photo_retention_days=30,
    personal_retention_days=100,
    question_days=30,
    delay_personal_days=30,
    delay_sponsor_days=60,
    webhook_networks=LOOPBACK,
)
async def test_every_text_about_a_person_is_erased_after_its_time(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    counter: Caller,
    carrier: Caller,
    clock: SettableClock,
) -> None:
    async with receiving() as receiver, dispatching(runtime) as hand:
        receiver.status, receiver.text = 200, MARK
        await subscribe(http, await actors.client("integrator"), receiver)
        await fill(http, actors, counter, carrier)
        await hand.settle()
    await worker.create_hits()
    before = await marked(runtime)
    left = {column for column in texts() - before if column[0] not in KEPT}
    assert left == KEPT_COLUMNS.keys(), "a new column of text is filled above, or says here why it may stay"
    assert {table for table, _ in before} & KEPT.keys() == set()
    clock.set("2026-12-25T00:00:00+07:00")
    await worker.end_by_law()
    clock.set("2027-06-01T00:00:00+07:00")
    for _ in range(3):
        await worker.end_by_law()
        await worker.retain()
        await worker.watch_manifests()
        await worker.tidy()
    assert await marked(runtime) == set()
