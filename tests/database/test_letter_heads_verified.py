"""`cekal verify` and the heads that letters show: each column of a stored one that is changed is named."""

from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app.access.domain import SYSTEM
from app.maintenance.verification.service import Verified, verify
from app.runtime import Runtime
from app.sync.snapshots.service import order
from app.worker import Worker
from tests.api.casework.test_witnessed_papers import Witnesses, letter_of, trust, witnesses
from tests.support.actors import Actors
from tests.support.backups import in_silence
from tests.support.bodies import entry_body
from tests.support.heads import sign_head
from tests.support.steps import impose

__all__ = ["witnesses"]

WITNESSED = " WHERE standing = 'witnessed'"
CHANGES = {
    "the record: none that there is": (f"UPDATE letter_head SET sequence = 0{WITNESSED}", "does not cover"),
    "the record: one that a seal is": (f"UPDATE letter_head SET sequence = 2{WITNESSED}", "no version of"),
    "the record: one behind the head": (
        f"UPDATE letter_head SET sequence = size + 9{WITNESSED}",
        "does not cover",
    ),
    "what it rests on: less": (f"UPDATE letter_head SET standing = 'unwitnessed'{WITNESSED}", "standing"),
    "what it rests on: more": ("UPDATE letter_head SET standing = 'witnessed'", "standing"),
    "what it rests on: nothing yet": ("UPDATE letter_head SET standing = 'pending'", "standing"),
    "what it rests on: another word": ("UPDATE letter_head SET standing = 'sworn'", "standing"),
    "the size": ("UPDATE letter_head SET size = size + 1", "its size"),
    "the note's size": (
        f"UPDATE letter_head SET size = 1, note = replace(note, newline || 2, newline || 1){WITNESSED}",
        "its root",
    ),
    "the note's root": ("UPDATE letter_head SET note = replace(note, '=', 'A=')", "note"),
    "the note's origin": (
        "UPDATE letter_head SET note = replace(note, 'cekal.local', 'cekal.other')",
        "a signature",
    ),
    "a witness's signature": (
        f"UPDATE letter_head SET note = replace(note, 'w1.example', 'w3.example'){WITNESSED}",
        "a signature",
    ),
    "no signature": ("UPDATE letter_head SET note = 'x'", "note"),
}


async def verified(runtime: Runtime) -> Verified:
    return await verify(runtime, in_silence)


@pytest.fixture
async def shown(
    http: httpx2.AsyncClient,
    actors: Actors,
    witnesses: Witnesses,
    worker: Worker,
    app: FastAPI,
    tmp_path: Path,
) -> None:
    """Two letters whose heads are stored: one that the quorum cosigned, and one of a register without witnesses."""
    auditor = await actors.client("auditor")
    entry = await impose(http, actors, entry_body())
    async with worker.runtime.writing(SYSTEM) as unit:
        await order(unit)
    assert await worker.seal_digest()
    assert await witnesses.signed() == 2
    await letter_of(http, auditor, entry)
    trust(app, tmp_path, None)
    other = await impose(http, actors, entry_body())
    await sign_head(actors)
    await letter_of(http, auditor, other)


async def test_heads_that_nobody_changed_hold(shown: None, runtime: Runtime) -> None:
    found = await verified(runtime)
    assert found.differences == []
    assert found.letters == 2


@pytest.mark.parametrize("what", CHANGES)
async def test_a_changed_head_of_a_letter_is_named(shown: None, runtime: Runtime, what: str) -> None:
    statement, named = CHANGES[what]
    newline = "char(10)" if runtime.register.is_sqlite else "chr(10)"
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text(statement.replace("newline", newline)))
    found = [each for each in (await verified(runtime)).differences if each.where.startswith("letter_head")]
    assert found
    assert all(named in each.what for each in found), found
