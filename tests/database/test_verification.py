"""`cekal verify`: a whole register holds, and each kind of tampering is named."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text, update

from app.access.domain import SYSTEM
from app.ledger.service import append
from app.maintenance.verification.service import Verified, verify
from app.runtime import Runtime
from app.sync.heads.service import head_to_push
from app.sync.snapshots import store
from app.sync.snapshots.service import compute, order
from app.sync.witnesses.domain import Cosignature
from app.sync.witnesses.store import save_cosignatures
from app.sync.witnesses.tables import cosignature
from app.tlog.keys import KeyKind, SigningKey
from app.tlog.notes import Note
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.backups import in_silence
from tests.support.bodies import entry_body, urgent_body
from tests.support.cli import cekal
from tests.support.clock import SettableClock
from tests.support.steps import decide, expect, impose


@pytest.fixture
async def filled(
    http: httpx2.AsyncClient,
    actors: Actors,
    owner: Caller,
    worker: Worker,
    clock: SettableClock,
) -> None:
    """A register with a formal entry, two urgent ones, a countersignature, and heads signed in between."""
    await impose(http, actors, entry_body())
    await worker.sign_head()
    for number in range(2):
        body = urgent_body()
        body["subject"]["documents"][0]["number"] = f"Y{number:07d}"
        body["basis"]["case_reference"] = f"Case {number}"
        made = expect(await http.post("/v1/urgent-entries", json=body, headers=owner.once(f"u{number}")), 201)
        clock.advance(minutes=1)
    await decide(http, await actors.client("duty_officer"), made["entry"], "countersign")
    async with worker.runtime.writing(SYSTEM) as unit:
        await order(unit)
    assert await worker.seal_digest()
    await worker.sign_head()


async def tamper(runtime: Runtime, *statements: str) -> None:
    async with runtime.writing(SYSTEM) as unit:
        for statement in statements:
            await unit.run(text(statement))


async def verified(runtime: Runtime) -> Verified:
    return await verify(runtime, in_silence)


async def test_a_register_that_nobody_changed_holds(filled: None, runtime: Runtime) -> None:
    found = await verified(runtime)
    assert found.differences == []
    assert (found.heads, found.entries, found.unsigned, found.abandoned) == (2, 3, 0, [])
    assert found.records >= 6
    assert (found.digests, found.computed) == (1, 1)


@pytest.mark.parametrize("release", ["earlier", "this"])
async def test_an_upgrade_may_have_added_members_to_entries_whose_versions_are_of_before(
    filled: None, runtime: Runtime, release: str
) -> None:
    await tamper(
        runtime, 'UPDATE entry SET document = replace(document, \'"authors"\\:[\', \'"authors"\\:["1",\')'
    )
    if release == "earlier":
        await tamper(runtime, "UPDATE entry_version SET commitment = NULL, salt = NULL")
    found = await verified(runtime)
    assert found.holds == (release == "earlier")


COSIGNED = {
    "the signature": {"data": bytes(72)},
    "the instant": {"signed_at": datetime(2026, 11, 23, tzinfo=UTC)},
    "the name": {"name": "audit.example"},
    "the key": {"vkey": "no key"},
}


@pytest.mark.parametrize("what", [None, *COSIGNED])
async def test_a_changed_cosignature_is_named(
    filled: None, runtime: Runtime, clock: SettableClock, what: str | None
) -> None:
    key = SigningKey.generate(KeyKind.TIMED_ED25519)
    async with runtime.writing(SYSTEM) as unit:
        head = await head_to_push(unit)
        assert head is not None
        text = Note.parse(head.note.encode()).text
        signature = key.sign("ombudsman.example", text, int(clock().timestamp()))
        made = Cosignature(key.verifier("ombudsman.example"), signature.data, clock())
        await save_cosignatures(unit, head, [made])
        if what is not None:
            await unit.run(update(cosignature).values(COSIGNED[what]))
    found = await verified(runtime)
    assert found.cosignatures == 1
    assert [each.where[:11] for each in found.differences] == ([] if what is None else ["cosignature"])


TAMPERINGS = {
    "a leaf": (
        "UPDATE ledger_record SET leaf = replace(leaf, 'prevention', 'deterrence') WHERE sequence = 1",
        "ledger_node 0/0",
    ),
    "a leaf and its column": (
        (
            'UPDATE ledger_record SET leaf = replace(leaf, \'"agency":"KPK"\', \'"agency":"BNN"\'), agency = \'BNN\''
            " WHERE sequence = 1"
        ),
        "ledger_node 0/0",
    ),
    "a type": ("UPDATE ledger_record SET type = 'entry.unheard' WHERE sequence = 1", "ledger_record 1"),
    "a personal part that is no JSON": (
        "UPDATE ledger_record SET personal = 'x' WHERE sequence = 1",
        "ledger_record 1",
    ),
    "a column": ("UPDATE ledger_record SET agency = 'BNN' WHERE sequence = 1", "ledger_record 1"),
    "the personal part": (
        "UPDATE ledger_record SET personal = replace(personal, 'IDN', 'MYS') WHERE sequence = 1",
        "ledger_record 1",
    ),
    "a salt": ("UPDATE ledger_record SET salt = NULL WHERE sequence = 1", "ledger_record 1"),
    "a removed record": ("DELETE FROM ledger_record WHERE sequence = 2", "ledger_record 2"),
    "a removed last record": (
        "DELETE FROM ledger_record WHERE sequence = (SELECT max(sequence) FROM ledger_record)",
        None,
    ),
    "two swapped records": (
        (
            "UPDATE ledger_record SET sequence = -1 WHERE sequence = 1;"
            "UPDATE ledger_record SET sequence = 1 WHERE sequence = 2;"
            "UPDATE ledger_record SET sequence = 2 WHERE sequence = -1"
        ),
        "ledger_record 1",
    ),
    "an inner hash": (
        (
            'UPDATE ledger_node SET hash = (SELECT n.hash FROM ledger_node n WHERE n.level = 0 AND n."index" = 0)'
            ' WHERE level = 1 AND "index" = 0'
        ),
        "ledger_node 1/0",
    ),
    "a removed hash": ('DELETE FROM ledger_node WHERE level = 0 AND "index" = 1', "ledger_node 0/1"),
    "the head's size": ("UPDATE ledger_head SET size = size - 1", "signed_head"),
    "the head's last alert": ("UPDATE ledger_head SET last_alert = 0", "ledger_head"),
    "a signed root": (
        'UPDATE signed_head SET root = (SELECT hash FROM ledger_node WHERE level = 0 AND "index" = 0)',
        "signed_head",
    ),
    "a signed note": (
        "UPDATE signed_head SET note = replace(note, 'cekal.local', 'cekal.other')",
        "signed_head",
    ),
    "a signed size": ("UPDATE signed_head SET size = size + 1 WHERE size > 3", "signed_head"),
    "an entry's column": ("UPDATE entry SET ends_on = '2026-11-24'", "entry "),
    "an entry's document": (
        (
            'UPDATE entry SET document = replace(document, \'"state":"provisional"\', \'"state":"ended"\'),'
            " state = CASE state WHEN 'provisional' THEN 'ended' ELSE state END"
        ),
        "entry ",
    ),
    "a version's document": (
        "UPDATE entry_version SET document = replace(document, 'KPK', 'BNN')",
        "entry ",
    ),
    "a version's person": (
        "UPDATE entry_version SET document = replace(document, 'IDN', 'MYS')",
        "entry ",
    ),
    "a sealed digest": (
        "UPDATE sealed_digest SET entries = entries + 1",
        "sealed_digest of record",
    ),
    "a bucket": (
        "UPDATE sealed_digest SET buckets = (SELECT hash FROM ledger_node LIMIT 1)",
        "sealed_digest of record",
    ),
    "a removed digest": ("DELETE FROM sealed_digest", "sealed_digest of record"),
    "a digest without a seal": (
        "INSERT INTO sealed_digest SELECT sequence - 1, 1, entries, records, buckets, sealed_at FROM sealed_digest",
        "sealed_digest",
    ),
    "a removed version": ("DELETE FROM entry_version WHERE version = 1", "entry "),
}


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_tampering_is_named(filled: None, runtime: Runtime, what: str) -> None:
    statements, where = TAMPERINGS[what]
    await tamper(runtime, *statements.split(";"))
    found = await verified(runtime)
    assert not found.holds
    if where is not None:
        assert any(each.where.startswith(where) for each in found.differences), found.differences


async def test_an_inserted_record_is_named(filled: None, runtime: Runtime) -> None:
    await tamper(
        runtime,
        "INSERT INTO ledger_record SELECT sequence + 1, type, at, effective_at, entry_id, version, tombstone, alert_id,"
        " agency, leaf, personal, salt FROM ledger_record WHERE sequence = (SELECT max(sequence) FROM ledger_record)",
        "UPDATE ledger_head SET size = size + 1",
    )
    found = await verified(runtime)
    assert {each.where for each in found.differences} >= {f"ledger_record {found.records}", "ledger_node"}


@pytest.mark.parametrize("what", ["a bucket", "the hash of the leaves"])
async def test_a_wrong_digest_that_was_sealed_is_named(filled: None, runtime: Runtime, what: str) -> None:
    right = await compute(runtime, 5)
    first, *others = right.digest.buckets
    wrong = replace(right, leaves="00" * 32)
    if what == "a bucket":
        wrong = replace(right, digest=replace(right.digest, buckets=(*others, first)))
    async with runtime.writing(SYSTEM) as unit:
        (seal,) = await append(unit, [wrong.draft()])
        await store.add(unit, wrong.digest, seal.sequence)
    found = await verified(runtime)
    assert [(each.where, each.what) for each in found.differences] == [
        (f"ledger_record {seal.sequence}", "the digest that it seals is not that of the first 5 records")
    ]


async def test_an_erased_person_breaks_nothing(
    filled: None, worker: Worker, runtime: Runtime, clock: SettableClock
) -> None:
    clock.advance(days=365 * 12)
    await worker.end_by_law()
    clock.advance(days=365 * 12)
    assert await worker.retain()
    found = await verified(runtime)
    assert found.differences == []


async def test_the_command_names_what_differs_and_fails(
    filled: None, app: FastAPI, engine_url: str, runtime: Runtime, tmp_path: Path
) -> None:
    whole = cekal("verify", "--json", cwd=tmp_path, database_url=engine_url)
    assert (whole.code, whole.json["holds"], whole.json["differences"]) == (0, True, [])
    await tamper(runtime, "UPDATE ledger_record SET agency = 'BNN' WHERE sequence = 1")
    broken = cekal("verify", cwd=tmp_path, database_url=engine_url)
    assert broken.code == 1
    assert "ledger_record 1: the column agency differs from the leaf" in broken.out
