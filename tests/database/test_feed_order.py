"""The ledger under twelve writers: no hole, no loss, and every reader sees one order."""

import asyncio
import itertools
import json
from contextlib import suppress
from typing import Any

from app.access.domain import SYSTEM
from app.kit.canonical import canonical
from app.ledger.domain import Draft, RecordType, Selection
from app.ledger.service import Changes, Page, append, list_after, read_alerts, read_changes
from app.runtime import Runtime
from app.tlog import merkle
from tests.support.ledger import root

Json = dict[str, Any]

WRITERS = 12
EACH = 20


class ChangedTheirMind(Exception):
    """A transaction that fails when everything is done."""


def draft(writer: int, number: int, *, alert: bool) -> Draft:
    facts = {"writer": writer, "number": number}
    kind = RecordType.ALERT_RAISED if alert else RecordType.ENTRY_LISTED
    return Draft(kind, "ent_1", 1, "KPK", facts, {}, alert_id=f"alr_{writer}_{number}" if alert else None)


async def write(runtime: Runtime, writer: int) -> None:
    """Append one, two or three records at a time; every fifth transaction fails at its end."""
    for number in range(EACH):
        drafts = [draft(writer, number * 3 + i, alert=i == 1) for i in range(1 + number % 3)]
        with suppress(ChangedTheirMind):
            async with runtime.writing(SYSTEM) as unit:
                await append(unit, drafts)
                if number % 5 == 4:
                    raise ChangedTheirMind


async def follow(
    runtime: Runtime, seen: dict[int, Json], written: asyncio.Event, *, alerts_only: bool
) -> None:
    """Read on from where one stands, page by page, until all is written and read; fill in each leaf by its number."""
    cursor = None
    while True:
        over = written.is_set()
        async with runtime.reading(SYSTEM) as reader:
            page: Page | Changes
            if alerts_only:
                page = await read_alerts(reader, cursor, 7, "/v1/alerts")
                leaves = [record.leaf for record in page.records]
            else:
                page = await read_changes(reader, cursor, 7, "/v1/changes", Selection())
                leaves = [json.loads(record.leaf) for record in page.records]
        for leaf in leaves:
            assert leaf["sequence"] not in seen
            seen[leaf["sequence"]] = leaf
        cursor = page.head.cursor(page.position)
        if over and not page.more and not leaves:
            return
        await asyncio.sleep(0)


async def test_a_reader_behind_twelve_writers_misses_nothing_and_sees_nothing_twice(
    processes: list[Runtime],
) -> None:
    written, seen, alerts = asyncio.Event(), dict[int, Json](), dict[int, Json]()
    async with asyncio.TaskGroup() as readers:
        readers.create_task(follow(processes[2], seen, written, alerts_only=False))
        readers.create_task(follow(processes[2], alerts, written, alerts_only=True))
        async with asyncio.TaskGroup() as writers:
            for writer in range(WRITERS):
                writers.create_task(write(processes[writer % 2], writer))
        written.set()
    kept = [number for number in range(EACH) if number % 5 != 4]
    expected = WRITERS * sum(1 + number % 3 for number in kept)
    assert list(seen) == list(range(1, expected + 1))
    assert list(alerts) == [number for number, leaf in seen.items() if "alert_id" in leaf]
    told = {(leaf["writer"], leaf["number"]) for leaf in seen.values()}
    assert told == {(w, n * 3 + i) for w in range(WRITERS) for n in kept for i in range(1 + n % 3)}
    for writer in range(WRITERS):
        own = [leaf["number"] for leaf in seen.values() if leaf["writer"] == writer]
        assert own == sorted(own)


async def test_the_chain_of_alerts_and_the_tree_hold_under_twelve_writers(processes: list[Runtime]) -> None:
    async with asyncio.TaskGroup() as writers:
        for writer in range(WRITERS):
            writers.create_task(write(processes[writer % 2], writer))
    async with processes[2].reading(SYSTEM) as reader:
        records = await list_after(reader, 0, 10_000)
        size, stored = await root(reader)
    alerts = [record for record in records if record.alert_id]
    assert alerts[0].leaf["previous_sequence"] is None
    assert all(b.leaf["previous_sequence"] == a.sequence for a, b in itertools.pairwise(alerts))
    nodes: dict[merkle.Node, bytes] = {}
    for index, record in enumerate(records):
        nodes |= merkle.completed(index, merkle.leaf_hash(canonical(record.leaf)), nodes)
    assert size == len(records)
    assert stored == merkle.root([nodes[peak] for peak in merkle.peaks(size)])
