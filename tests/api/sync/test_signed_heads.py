"""Signed heads, proofs and the tiled log, held against an independent implementation."""

import hashlib
import json
from pathlib import Path

import httpx2
import pytest
import tlog_scales.tlog as oracle
from sqlalchemy import text
from tlog_scales.signing import NoteSignature, Vkey

from app.access.domain import SYSTEM
from app.runtime import Runtime
from app.sync.heads import signing
from app.sync.heads.domain import OVERLAP
from app.sync.heads.keyfiles import folder_of, read_keys
from app.sync.heads.service import NameRefused, check_name, rotate_keys
from app.tlog import merkle
from app.tlog.keys import VerifierKey
from app.tlog.notes import Note
from app.tlog.proofs import InclusionProof
from app.tlog.signed import open_checkpoint
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, urgent_body
from tests.support.cli import cekal
from tests.support.clock import SettableClock
from tests.support.steps import expect


async def make_entries(http: httpx2.AsyncClient, owner: Caller, count: int) -> None:
    for number in range(count):
        body = urgent_body()
        body["subject"]["documents"][0]["number"] = f"Z{number:07d}"
        body["basis"]["number"] = f"SP/{number}/XI/2026"
        body["basis"]["case_reference"] = f"Case {number}"
        expect(await http.post("/v1/urgent-entries", json=body, headers=owner.once(f"k{number}")), 201)


async def head_of(http: httpx2.AsyncClient, caller: Caller) -> Json:
    return dict(expect(await http.get("/v1/head", headers=caller.headers), 200))


async def vkeys(http: httpx2.AsyncClient) -> list[VerifierKey]:
    items = expect(await http.get("/v1/signing-keys"), 200)["items"]
    return [VerifierKey.parse(each["vkey"]) for each in items]


async def test_the_head_is_signed_three_times_and_says_what_the_ledger_holds(
    http: httpx2.AsyncClient, worker: Worker, owner: Caller, auditor: Caller
) -> None:
    expect(await http.get("/v1/head", headers=auditor.headers), 503)
    await make_entries(http, owner, 3)
    assert await worker.sign_head()
    assert not await worker.sign_head(), "nothing has changed"
    head = await head_of(http, auditor)
    changes = expect(await http.get("/v1/changes", headers=auditor.headers), 200)
    leaves = [merkle.leaf_hash(json.dumps(r["leaf"]).encode()) for r in changes["items"]]
    assert head["size"] == changes["head"] == len(leaves)
    assert head["origin"] == f"cekal.local/{head['epoch']}"
    opened = open_checkpoint(Note.parse(head["checkpoint"].encode()), await vkeys(http))
    assert {key.kind.name for key in opened.signed} == {"ED25519", "TIMED_ED25519", "TIMED_ML_DSA_44"}
    assert opened.checkpoint.root.hex() == head["root"]
    assert (head["signed_at"], head["valid_until"]) == (
        "2026-11-23T03:00:00.000000Z",
        "2026-11-23T03:03:00.000000Z",
    )
    plain = await http.get("/v1/head", headers={**auditor.headers, "accept": "text/plain"})
    assert (
        plain.text == head["checkpoint"] == (await http.get("/log/checkpoint", headers=auditor.headers)).text
    )


async def test_an_independent_implementation_accepts_the_head_and_reads_the_log(
    http: httpx2.AsyncClient, worker: Worker, owner: Caller, auditor: Caller
) -> None:
    await make_entries(http, owner, 7)
    await worker.sign_head()
    head = await head_of(http, auditor)
    checkpoint = oracle.Checkpoint.from_text(head["checkpoint"])
    lines = [line for line in head["checkpoint"].splitlines() if line.startswith("\N{EM DASH}")]
    for key in await vkeys(http):
        vkey = Vkey.from_string(str(key))
        (signature,) = [each for line in lines if vkey.match(each := NoteSignature.from_line(line))]
        vkey.get_verifier().verify_note(signature, checkpoint)


@pytest.mark.settings(log_public=True)
async def test_tiles_hold_every_leaf_and_hash(
    http: httpx2.AsyncClient, worker: Worker, owner: Caller, auditor: Caller
) -> None:
    await make_entries(http, owner, 5)
    await worker.sign_head()
    size = (await head_of(http, auditor))["size"]
    hashes = (await http.get(f"/log/tile/0/000.p/{size}")).content
    bundle = (await http.get(f"/log/tile/entries/000.p/{size}")).content
    at, leaves = 0, []
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2], "big")
        leaves.append(bundle[at + 2 : at + 2 + length])
        at += 2 + length
    assert [hashes[i : i + 32] for i in range(0, len(hashes), 32)] == [merkle.leaf_hash(x) for x in leaves]
    assert all("full_name" not in leaf.decode() and "salt" not in leaf.decode() for leaf in leaves)
    for path in (f"0/000.p/{size + 1}", "0/000", "0/0", "x/000", "entries/000.p/0", "64/000", "0/001"):
        expect(await http.get(f"/log/tile/{path}"), 404)


async def test_the_log_asks_for_a_key_unless_the_deployment_publishes_it(
    http: httpx2.AsyncClient, worker: Worker, counter: Caller
) -> None:
    await worker.sign_head()
    expect(await http.get("/log/checkpoint"), 401)
    expect(await http.get("/log/tile/0/000.p/1"), 401)
    expect(await http.get("/v1/head"), 401)
    assert (await http.get("/log/checkpoint", headers=counter.headers)).status_code == 200


async def test_proofs_lead_to_the_root_and_a_forged_leaf_does_not(
    http: httpx2.AsyncClient, worker: Worker, owner: Caller, auditor: Caller
) -> None:
    await make_entries(http, owner, 4)
    await worker.sign_head()
    head, keys = await head_of(http, auditor), await vkeys(http)
    root, size = bytes.fromhex(head["root"]), head["size"]
    for sequence in range(1, size + 1):
        where = f"/v1/proofs/inclusion?sequence={sequence}"
        proof = expect(await http.get(where, headers=auditor.headers), 200)
        leaf, path = bytes.fromhex(proof["leaf_hash"]), [bytes.fromhex(step) for step in proof["path"]]
        merkle.verify_inclusion(sequence - 1, size, leaf, path, root)
        file = await http.get(where, headers={**auditor.headers, "accept": "text/plain"})
        parsed = InclusionProof.parse(file.content)
        assert len(parsed.verify(leaf, keys).signed) == 3
        with pytest.raises(merkle.ProofInvalid):
            parsed.verify(hashlib.sha256(leaf).digest(), keys)
    for old in range(1, size + 1):
        proof = expect(await http.get(f"/v1/proofs/consistency?from={old}", headers=auditor.headers), 200)
        path = [bytes.fromhex(step) for step in proof["path"]]
        merkle.verify_consistency(old, size, bytes.fromhex(proof["from_root"]), root, path)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("inclusion?sequence=0", 422),
        ("inclusion?sequence=99", 422),
        ("inclusion?sequence=1&size=99", 422),
        ("inclusion?sequence=+1", 422),
        ("inclusion", 422),
        ("consistency?from=0", 422),
        ("consistency?from=9", 422),
        ("consistency?from=2&to=1", 422),
        ("consistency?from=1&to=99", 422),
    ],
)
async def test_sizes_beyond_the_tree_are_refused(
    http: httpx2.AsyncClient, owner: Caller, auditor: Caller, query: str, status: int
) -> None:
    await make_entries(http, owner, 1)
    expect(await http.get(f"/v1/proofs/{query}", headers=auditor.headers), status)


async def test_a_proof_file_of_a_size_that_was_never_signed_is_not_there(
    http: httpx2.AsyncClient, worker: Worker, owner: Caller, auditor: Caller
) -> None:
    await make_entries(http, owner, 2)
    await worker.sign_head()
    plain = {**auditor.headers, "accept": "text/plain"}
    size = (await head_of(http, auditor))["size"]
    assert (await http.get(f"/v1/proofs/inclusion?sequence=1&size={size}", headers=plain)).status_code == 200
    expect(await http.get("/v1/proofs/inclusion?sequence=1&size=1", headers=plain), 404)


async def test_the_same_head_is_signed_again_within_the_minute(
    http: httpx2.AsyncClient, worker: Worker, auditor: Caller, clock: SettableClock
) -> None:
    await worker.sign_head()
    first = await head_of(http, auditor)
    clock.advance(seconds=44)
    assert not await worker.sign_head()
    clock.advance(seconds=2)
    assert await worker.sign_head()
    second = await head_of(http, auditor)
    assert (first["size"], first["root"]) == (second["size"], second["root"])
    assert first["signed_at"] < second["signed_at"]


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE ledger_record SET leaf = replace(leaf, 'false', 'true') WHERE sequence = 2",
        "DELETE FROM ledger_record WHERE sequence = 2",
        "UPDATE ledger_record SET sequence = -1 WHERE sequence = 2",
        'DELETE FROM ledger_node WHERE level = 2 AND "index" = 0',
    ],
)
async def test_a_changed_leaf_or_hash_is_never_signed(
    http: httpx2.AsyncClient, worker: Worker, owner: Caller, runtime: Runtime, tampering: str
) -> None:
    await make_entries(http, owner, 2)
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text(tampering))
    assert not await worker.sign_head()
    assert worker.signer.failing


async def test_hashes_that_contradict_the_last_signed_head_are_never_signed(
    http: httpx2.AsyncClient, worker: Worker, owner: Caller, runtime: Runtime, clock: SettableClock
) -> None:
    await make_entries(http, owner, 2)
    await worker.sign_head()
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text('DELETE FROM ledger_node WHERE level = 2 AND "index" = 0'))
    fresh = Worker(worker.runtime)
    clock.advance(minutes=1)
    assert not await fresh.sign_head(), "another process, or the same after a restart, reads the hashes again"
    assert "contradict" in str(fresh.signer.failing)


async def test_rotated_keys_sign_beside_the_former_ones_and_then_alone(
    http: httpx2.AsyncClient, worker: Worker, runtime: Runtime, clock: SettableClock, auditor: Caller
) -> None:
    await worker.sign_head()
    former = set(await vkeys(http))
    async with runtime.writing(SYSTEM) as unit:
        await rotate_keys(unit, runtime.settings)
    clock.advance(minutes=1)
    await worker.sign_head()
    note = Note.parse((await head_of(http, auditor))["checkpoint"].encode())
    both = set(await vkeys(http))
    assert len(both) == 6
    assert set(open_checkpoint(note, both).signed) == both
    assert set(open_checkpoint(note, former).signed) == former, "who knows only the former keys can go on"
    clock.advance(seconds=OVERLAP.total_seconds())
    await worker.sign_head()
    note = Note.parse((await head_of(http, auditor))["checkpoint"].encode())
    assert set(open_checkpoint(note, both).signed) == both - former
    ends = {each["used_until"] for each in expect(await http.get("/v1/signing-keys"), 200)["items"]}
    assert ends == {None, "2026-12-23T03:00:00.000000Z"}


async def test_the_admins_learn_that_no_head_was_signed_for_three_minutes(
    http: httpx2.AsyncClient,
    worker: Worker,
    actors: Actors,
    clock: SettableClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    admin = await actors.client("admin")

    async def names() -> list[str]:
        items = expect(await http.get("/v1/notices", headers=admin.headers), 200)["items"]
        return [each["name"] for each in items]

    await worker.sign_head()
    assert (await http.get("/readyz")).json()["head_signed_at"] == "2026-11-23T03:00:00.000000Z"
    monkeypatch.setattr(signing, "folder_of", lambda _: tmp_path / "nowhere")
    monkeypatch.setattr(signing, "_LOOK_SECONDS", 0.0)
    clock.advance(seconds=179)
    await worker.sign_head()
    assert "head_unsigned" not in await names()
    clock.advance(seconds=2)
    await worker.sign_head()
    await worker.sign_head()
    assert (await names()).count("head_unsigned") == 1


async def test_no_head_is_dated_before_the_newest_one(
    http: httpx2.AsyncClient, owner: Caller, worker: Worker, clock: SettableClock
) -> None:
    await worker.sign_head()
    clock.advance(seconds=-1)
    await make_entries(http, owner, 1)
    assert not await worker.sign_head()
    assert worker.signer.failing is None, "clocks of machines differ by as much"
    clock.advance(seconds=-59)
    assert not await worker.sign_head()
    clock.advance(seconds=30)
    assert not await worker.sign_head()
    assert "which is not yet" in str(worker.signer.failing)
    clock.advance(seconds=76)
    assert await worker.sign_head()


async def test_another_name_than_the_stored_one_is_refused(runtime: Runtime) -> None:
    settings = runtime.settings.model_copy(update={"register_name": "other.example"})
    async with runtime.reading(SYSTEM) as reader:
        with pytest.raises(NameRefused, match="never changes"):
            await check_name(reader, settings)


def test_the_keys_are_listed_and_rotated_from_the_command_line(engine_url: str, tmp_path: Path) -> None:
    at = {"cwd": tmp_path, "database_url": engine_url}
    first = cekal("keys", "list", "--json", **at).json["items"]
    assert {each["used_until"] for each in first} == {None}
    both = cekal("keys", "rotate", "--json", **at).json["items"]
    assert len(both) == 2 * len(first) == 6
    assert len([each for each in both if each["used_until"]]) == 3


async def test_a_machine_without_the_private_keys_signs_nothing_and_says_so_once(
    worker: Worker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    runtime: Runtime,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Silent beside a machine that signs; an error, once, when that one stops; and a word when it signs again."""
    caplog.set_level("INFO", "app.sync.heads.signing")
    monkeypatch.setattr(signing, "_LOOK_SECONDS", 0.0)
    other = signing.Signer(runtime)
    assert await other.sign()
    monkeypatch.setattr(signing, "folder_of", lambda _: tmp_path / "nowhere")

    async def said(seconds: float) -> list[tuple[str, str]]:
        clock.advance(seconds=seconds)
        caplog.clear()
        for _ in range(3):
            assert not await worker.sign_head()
        return [(record.levelname, record.message) for record in caplog.records]

    assert await said(46) == [("INFO", "another machine signs the heads")]
    assert "copy the folder" in str(worker.signer.failing)
    assert await said(60) == []
    assert await said(120) == [("ERROR", "no head is signed")]
    assert await said(120) == []
    monkeypatch.setattr(signing, "folder_of", folder_of)
    caplog.clear()
    assert await worker.sign_head()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert worker.signer.failing is None
    assert len(read_keys(folder_of(runtime.settings))) >= 3
