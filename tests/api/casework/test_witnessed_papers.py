"""Papers of a register with witnesses: the first head with the quorum, kept; and what they say before it is there."""

import asyncio
import base64
import io
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.access.domain import SYSTEM
from app.casework.papers.letter import code
from app.casework.papers.store import find_letter_head
from app.runtime import Runtime
from app.sync.heads.service import head_to_push
from app.sync.witnesses import store
from app.sync.witnesses.domain import Cosignature
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import KeyKind, SigningKey
from app.tlog.notes import Note
from app.tlog.policy import Policy
from app.tlog.proofs import InclusionProof
from tests.api.casework.test_evidence import rewritten
from tests.support import letters
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock
from tests.support.evidence import verified
from tests.support.heads import sign_head
from tests.support.proofs import content_of, judged
from tests.support.steps import Json, impose

WITNESSES = ("w1.example", "w2.example")
KINDS = (KeyKind.TIMED_ED25519, KeyKind.TIMED_ML_DSA_44)


@dataclass
class Witnesses:
    """Two witnesses with a key of each kind, which cosign the newest head when a test says so."""

    runtime: Runtime
    actors: Actors
    keys: dict[str, list[SigningKey]]

    def policy(self, *kinds: KeyKind) -> str:
        """The policy that asks for both, by keys of these kinds."""
        lines = []
        for name in WITNESSES:
            keys = [key.verifier(name) for key in self.keys[name] if key.kind in kinds]
            lines += [f"witness {name}-{each.kind.name} {each} http://{name}" for each in keys]
            lines.append(f"group {name} any {' '.join(f'{name}-{each.kind.name}' for each in keys)}")
        return "\n".join([*lines, f"group both all {' '.join(WITNESSES)}", "quorum both", ""])

    async def cosign(self, *names: str) -> int:
        """Cosign the newest head; gives its size."""
        async with self.runtime.writing(SYSTEM) as unit:
            head = await head_to_push(unit)
            assert head is not None
            text, at = Note.parse(head.note.encode()).text, int(unit.now.timestamp())
            for name in names or WITNESSES:
                made = [
                    Cosignature(key.verifier(name), key.sign(name, text, at).data, unit.now)
                    for key in self.keys[name]
                ]
                await store.save_cosignatures(unit, head, made)
        return head.size

    async def signed(self, *names: str) -> int:
        """Let a head be signed and cosigned; gives its size."""
        await sign_head(self.actors)
        return await self.cosign(*names)


@pytest.fixture
def witnesses(app: FastAPI, runtime: Runtime, actors: Actors, tmp_path: Path) -> Witnesses:
    """The register has two witnesses, which take Ed25519 and ML-DSA."""
    keys = {name: [SigningKey.generate(kind) for kind in KINDS] for name in WITNESSES}
    made = Witnesses(runtime, actors, keys)
    trust(app, tmp_path, made.policy(*KINDS))
    return made


def trust(app: FastAPI, folder: Path, policy: str | None, **settings: object) -> None:
    """Start the register anew, as it were, with a policy of witnesses."""
    file = folder / f"witnesses-{policy and hash(policy)}"
    file.write_text(policy or "")
    process = app.state.process.runtime
    given = {"witness_policy": file if policy else None, **settings}
    process.settings = process.settings.model_copy(update=given)


async def letter_of(http: AsyncClient, by: Caller, entry: Json) -> bytes:
    answer = await http.get(f"/v1/entries/{entry['id']}/letter", headers=by.headers)
    assert answer.status_code == 200, answer.text
    return answer.content


async def evidence_of(http: AsyncClient, by: Caller, entry: Json) -> zipfile.ZipFile:
    answer = await http.get(f"/v1/entries/{entry['id']}/evidence", headers=by.headers)
    assert answer.status_code == 200, answer.text
    return zipfile.ZipFile(io.BytesIO(answer.content))


async def published(http: AsyncClient) -> str:
    """The policy as the register publishes it to everybody."""
    answer = await http.get("/v1/signing-keys", headers={"accept": "text/plain"})
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return answer.text


async def test_a_letter_is_not_yet_witnessed_then_witnessed_and_then_the_same_for_ever(
    http: AsyncClient, actors: Actors, witnesses: Witnesses, clock: SettableClock, tmp_path: Path
):
    entry, auditor = await impose(http, actors), await actors.client("auditor")
    bare = letters.text(await letter_of(http, auditor, entry))
    assert "belum disaksikan (not yet witnessed)" in bare
    assert "surat ini tidak memuat kode QR" in bare
    await witnesses.signed("w1.example")
    early = await letter_of(http, auditor, entry)
    assert "belum disaksikan (not yet witnessed)" in letters.text(early)
    async with witnesses.runtime.reading(SYSTEM) as reader:
        assert await find_letter_head(reader, entry["sequence"]) is None, "nothing is kept that is not final"
    policy = await published(http)
    text = letters.qr_text(early)
    assert "no quorum" in judged(tmp_path, policy, text)[1]
    assert judged(tmp_path, policy.replace("quorum both", "quorum none"), text)[0] == 0

    await impose(http, actors)
    size = await witnesses.signed()
    await impose(http, actors)
    assert await witnesses.signed() > size
    first, again = await asyncio.gather(*(letter_of(http, auditor, entry) for _ in range(2)))
    assert first == again != early
    text = letters.qr_text(first)
    leaf, covered, _ = letters.proved(text)
    assert (leaf["entry_id"], covered) == (entry["id"], size), "the first head with the quorum"
    words = letters.text(first)
    assert "tanda tangan register dan para saksinya" in words
    assert all(name in words for name in WITNESSES)
    assert judged(tmp_path, policy, text)[0] == 0
    evidence = await evidence_of(http, auditor, entry)
    proof = InclusionProof.parse(evidence.read(f"ledger/proofs/{entry['sequence']:08d}.tlog-proof"))
    assert Checkpoint.parse(proof.note.text).size == size
    assert len(proof.note.signatures) == 3 + 2 * len(WITNESSES)
    clock.advance(timedelta(seconds=50))
    await witnesses.signed()  # the same size, with newer signatures
    await impose(http, actors)
    await witnesses.signed()
    assert await letter_of(http, auditor, entry) == first


async def test_a_letter_waits_for_the_quorum_and_lets_others_write_meanwhile(
    http: AsyncClient, actors: Actors, witnesses: Witnesses, app: FastAPI, tmp_path: Path
):
    trust(app, tmp_path, witnesses.policy(*KINDS), letter_wait_seconds=30.0)
    entry, auditor = await impose(http, actors), await actors.client("auditor")
    asked = asyncio.create_task(letter_of(http, auditor, entry))
    paper = asyncio.create_task(evidence_of(http, auditor, entry))
    await asyncio.sleep(0.05)
    await impose(http, actors)
    assert not asked.done()
    await sign_head(actors)
    await witnesses.cosign("w1.example")
    await asyncio.sleep(0.25)
    assert not asked.done()
    assert not paper.done()
    await witnesses.cosign("w2.example")
    document = await asyncio.wait_for(asked, 20)
    assert "tanda tangan register dan para saksinya" in letters.text(document)
    with await paper as file:
        assert b'"witnessed": 1' in file.read("index.json")


async def test_a_register_without_witnesses_says_so_until_it_has_some(
    http: AsyncClient,
    actors: Actors,
    witnesses: Witnesses,
    app: FastAPI,
    clock: SettableClock,
    tmp_path: Path,
):
    trust(app, tmp_path, None)
    entry, auditor = await impose(http, actors), await actors.client("auditor")
    await sign_head(actors)
    first = await letter_of(http, auditor, entry)
    assert "Register ini tidak memakai saksi" in letters.text(first)
    policy = await published(http)
    assert policy.endswith("quorum none\n")
    assert judged(tmp_path, policy, letters.qr_text(first))[0] == 0
    clock.advance(timedelta(seconds=50))
    await sign_head(actors)
    trust(app, tmp_path, witnesses.policy(*KINDS))
    assert await letter_of(http, auditor, entry) == first
    await witnesses.cosign("w2.example")
    assert await letter_of(http, auditor, entry) == first
    await witnesses.cosign("w1.example")
    last = await letter_of(http, auditor, entry)
    assert judged(tmp_path, await published(http), letters.qr_text(last))[0] == 0
    trust(app, tmp_path, None)
    assert await letter_of(http, auditor, entry) == last


async def test_what_no_code_holds_is_in_the_proof_file(
    http: AsyncClient,
    actors: Actors,
    witnesses: Witnesses,
    app: FastAPI,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    trust(app, tmp_path, witnesses.policy(KeyKind.TIMED_ML_DSA_44))
    entry, auditor = await impose(http, actors), await actors.client("auditor")
    await witnesses.signed()
    document = await letter_of(http, auditor, entry)
    assert "berkas pembuktian memuatnya" in letters.text(document)
    policy = await published(http)
    assert "no quorum" in judged(tmp_path, policy, letters.qr_text(document))[1]
    with await evidence_of(http, auditor, entry) as file:
        told = verified(file, tmp_path, policy)
        assert told.returncode == 0, told.stderr
        assert document in (file.read(name) for name in file.namelist())
    trust(app, tmp_path, witnesses.policy(KeyKind.TIMED_ED25519))
    monkeypatch.setattr(code, "LARGEST", len(content_of(letters.qr_text(document))) + 2 * 76 - 1)
    assert await letter_of(http, auditor, entry) == document, "too many cosignatures for a code"
    monkeypatch.setattr(code, "LARGEST", code.LARGEST + 1)
    assert (
        judged(tmp_path, await published(http), letters.qr_text(await letter_of(http, auditor, entry)))[0]
        == 0
    )


def spoilt(line: bytes) -> bytes:
    """A signature line whose signature ends with another byte."""
    start, _, encoded = line.rstrip(b"\n").rpartition(b" ")
    data = base64.b64decode(encoded)
    return start + b" " + base64.b64encode(data[:-1] + bytes([data[-1] ^ 1])) + b"\n"


async def test_the_court_s_program_refuses_what_the_reader_s_keys_do_not_prove(
    http: AsyncClient, actors: Actors, witnesses: Witnesses, tmp_path: Path
):
    await impose(http, actors)
    entry, auditor = await impose(http, actors), await actors.client("auditor")
    await witnesses.signed()
    file = await evidence_of(http, auditor, entry)
    policy = await published(http)
    assert file.read("ledger/policy").decode() == policy
    assert verified(file, tmp_path, policy).returncode == 0
    name = f"ledger/proofs/{entry['sequence']:08d}.tlog-proof"
    proof, records = file.read(name), "ledger/records.ndjson"
    keys = {each.name: each.key for each in Policy.parse(policy.encode()).witnesses.values()}
    stranger = {n: SigningKey.generate(key.kind).verifier(key.name) for n, key in keys.items()}
    other_witnesses = policy
    for each, key in keys.items():
        other_witnesses = other_witnesses.replace(str(key), str(stranger[each]))
    lines = proof.splitlines(keepends=True)
    changes: dict[str, dict[str, bytes]] = {
        "the signature of": {name: b"".join([*lines[:-1], spoilt(lines[-1])])},
        "no quorum: the cosignatures": {name: b"".join(x for x in lines if b" w2.example" not in x)},
        "the path leads to another root": {name: b"".join([*lines[:2], b"A" * 43 + b"=\n", *lines[3:]])},
        "the path is not one of this record": {name: b"".join([*lines[:2], *lines[3:]])},
        "the proof is of another record": {name: proof.replace(b"\nindex 1\n", b"\nindex 0\n")},
        "no signed head covered it": {
            records: file.read(records).replace(b'"' + name.encode() + b'"', b"null")
        },
    }
    refusals = {why: (rewritten(file, changed), policy) for why, changed in changes.items()}
    refusals["no quorum: "] = file, other_witnesses
    refusals["a log that the policy does not name"] = (
        file,
        policy.replace("log cekal.local", "log other.local"),
    )
    for why, (forged, trusted) in refusals.items():
        told = verified(forged, tmp_path, trusted)
        assert (told.returncode, told.stdout) == (1, ""), why
        assert told.stderr.startswith("WRONG: "), told.stderr
        assert why in told.stderr
        assert told.stderr.count("\n") == 1
