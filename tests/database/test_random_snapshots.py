"""Random lives of entries: a copy begun from a snapshot ends as one that read every change, on both engines."""

import asyncio
import json
import random
from pathlib import Path

import pytest

from app.access.domain import SYSTEM
from app.ledger import service as ledger
from app.ledger.domain import Selection
from app.runtime import Runtime
from app.sync.feed.rendering import render
from app.sync.snapshots import service
from app.sync.snapshots.domain import EVERYTHING
from app.sync.snapshots.files import address_of
from app.sync.snapshots.making import Order, make
from app.worker import Worker
from tests.support.clock import SettableClock
from tests.support.lives import ACTS, IMMIGRATION, Life
from tests.support.snapshots import Copy, decompressed, digest, leaves
from tests.support.steps import Json


async def all_records(runtime: Runtime) -> list[Json]:
    async with runtime.reading(SYSTEM) as reader:
        changes = await ledger.read_changes(reader, None, 10_000, "", Selection())
    return [json.loads(render(each, in_scope=True)) for each in changes.records]


async def state(runtime: Runtime, sequence: int, path: Path) -> list[Json]:
    """The records of a snapshot that is made for all agencies and read in parts of three records."""
    async with runtime.reading(SYSTEM) as reader:
        statements = ledger.driver_statements(reader.connection.dialect)
    order = Order(
        path=str(path),
        scope=EVERYTHING,
        sequence=sequence,
        first=b"{}",
        last=b"{}",
        database=address_of(runtime.register),
        is_sqlite=runtime.register.is_sqlite,
        seconds=30.0,
        statements=statements,
        at_once=3,
    )
    made = await asyncio.to_thread(make, order)
    _, *records, _ = map(json.loads, decompressed(await asyncio.to_thread(path.read_bytes)).splitlines())
    assert made.records == len(records)
    assert made.leaves == leaves(records)
    return records


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.settings(personal_retention_days=20)
async def test_a_copy_begun_from_a_snapshot_is_the_copy_of_all_changes(
    runtime: Runtime, clock: SettableClock, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    lives = [Life(runtime, clock) for _ in range(4)]
    worker = Worker(runtime)
    sealed = []
    for step in range(160):
        await chance.choice(lives).act(chance.choice(ACTS), chance.randrange(2**16), chance.randrange(2**16))
        if step % 40 == 20:
            await worker.retain()
        if step in {60, 110}:
            async with runtime.writing(IMMIGRATION[0]) as unit:
                await service.order(unit)
            assert await worker.seal_digest()
            async with runtime.reading(SYSTEM) as reader:
                sealed.append(await service.digest_of(reader, None))
    records = await all_records(runtime)
    kinds = {each["type"] for each in records}
    assert {"entry.listed", "entry.ended", "seal"} <= kinds, "the lives are worth a look"
    assert all(each["entry_id"] or each["type"] == "seal" for each in records)
    versions = [(each["entry_id"], each["version"]) for each in records if each["type"].startswith("entry.")]
    assert len(versions) == len(set(versions)), "of each version one record"
    for each in sealed:
        begun, whole = Copy(), Copy()
        for record in await state(runtime, each.digest.sequence, tmp_path / f"{each.seal}.zst"):
            begun.take(record)
        assert digest(begun.records)[0] == each.digest.root.hex()
        for record in records:
            whole.take(record)
            if record["sequence"] == each.digest.sequence:
                assert (begun.entries, begun.clearances) == (whole.entries, whole.clearances)
            if record["sequence"] > each.digest.sequence:
                begun.take(record)
        assert (begun.entries, begun.clearances) == (whole.entries, whole.clearances)
