"""Sorted runs beside a table: every row is found exactly once at any time, whoever merges and whoever is cut off."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, insert, select

from app.access.domain import SYSTEM
from app.db import runs
from app.db.database import Database
from app.db.engine import open_databases
from app.db.runs import Merge, Runs
from app.db.types import any_of
from app.db.unit import Follow, Unit
from app.settings import Settings

_COLUMNS = (("key", BigInteger), ("entry", Text))
_TABLES = MetaData()
TABLE = Table(
    "keyed",
    _TABLES,
    *(Column(name, kind, primary_key=True, autoincrement=False) for name, kind in _COLUMNS),
    sqlite_with_rowid=False,
)
RECENT = Table(
    "recent_keyed",
    _TABLES,
    Column("run", BigInteger, primary_key=True, autoincrement=False),
    *(Column(name, kind, primary_key=True, autoincrement=False) for name, kind in _COLUMNS),
    sqlite_with_rowid=False,
)

Row = tuple[int, str]


@dataclass
class Store:
    """A table with runs beside it, in a database of its own."""

    database: Database
    keyed: Runs

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        async def nothing(*_: object) -> tuple[()]:
            return ()

        async with self.database.writing() as connection:
            yield Unit(connection, datetime.now(UTC), SYSTEM, Follow({}, nothing))

    async def add(self, rows: list[Row]) -> None:
        """Add rows as an import does, in a run of their own."""
        async with self.unit() as unit:
            run = await self.keyed.open(unit)
            await unit.run(insert(RECENT), [{"run": run, "key": key, "entry": entry} for key, entry in rows])

    async def due(self, *, everything: bool = False) -> Merge | None:
        async with self.unit() as unit:
            return await self.keyed.due(unit, everything=everything)

    async def move(self, merge: Merge, *places: int) -> None:
        for place in places or range(len(merge.starts) + 1):
            async with self.unit() as unit:
                await self.keyed.move(unit, merge, place)

    async def merge(self, *, everything: bool = False) -> None:
        while (merge := await self.due(everything=everything)) is not None:
            await self.move(merge)

    async def found(self, keys: list[int]) -> list[Row]:
        """What a reader finds under some keys, in the table and in its runs."""
        statements = (
            select(TABLE).where(any_of(TABLE.c.key, "keys")),
            select(RECENT.c.key, RECENT.c.entry).where(self.keyed.within(), any_of(RECENT.c.key, "keys")),
        )
        async with self.unit() as unit:
            found = [(await unit.run(each, {"keys": keys})).all() for each in statements]
        return sorted((key, entry) for rows in found for key, entry in rows)

    async def in_runs(self) -> dict[int, list[Row]]:
        """The rows of each run, in the order in which they are stored."""
        stored: dict[int, list[Row]] = {}
        async with self.unit() as unit:
            for run, key, entry in await unit.run(select(RECENT)):
                stored.setdefault(run, []).append((key, entry))
        return stored

    async def settled(self) -> list[Row]:
        async with self.unit() as unit:
            return [(key, entry) for key, entry in await unit.run(select(TABLE))]


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Store]:
    register, _ = open_databases(Settings(env="test", data_dir=tmp_path))
    async with register.writing() as connection:
        await connection.run_sync(_TABLES.create_all)
    yield Store(register, Runs(TABLE, RECENT))
    await register.dispose()


def rows_of(chance: random.Random, step: int, count: int) -> list[Row]:
    """New rows; some keys come again and again, as those of usual names do."""
    keys = [
        chance.randrange(5) if chance.random() < 0.2 else chance.randrange(-(2**63), 2**63)
        for _ in range(count)
    ]
    return [(key, f"{step}-{number}") for number, key in enumerate(keys)]


async def test_rows_are_found_exactly_once_before_between_and_after_merges(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SLICE", 10)
    monkeypatch.setattr(runs, "FAN", 4)
    chance, known = random.Random(1), list[Row]()
    for step in range(30):
        new = rows_of(chance, step, chance.randrange(1, 30))
        await kept.add(new)
        known += new
        while (merge := await kept.due()) is not None:
            for place in range(len(merge.starts) + 1):
                await kept.move(merge, place)
                assert await kept.found([key for key, _ in known]) == sorted(known)
    levels = [run % 64 for run in await kept.in_runs()]
    assert max(levels) == 2
    assert all(levels.count(level) < runs.FAN for level in levels)
    await kept.merge(everything=True)
    assert (await kept.settled(), await kept.in_runs()) == (sorted(known), {})
    assert await kept.found([key for key, _ in known]) == sorted(known)


async def test_slices_are_short(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SLICE", 80)
    for step in range(runs.FAN):
        await kept.add([(1000 * key + step, "one") for key in range(200)])
    merge = await kept.due()
    assert merge is not None
    assert len(merge.starts) == 200 * runs.FAN // 80
    sizes = []
    for place in range(len(merge.starts) + 1):
        before = sum(len(rows) for run, rows in (await kept.in_runs()).items() if run != merge.into)
        await kept.move(merge, place)
        sizes.append(
            before - sum(len(rows) for run, rows in (await kept.in_runs()).items() if run != merge.into)
        )
    assert (sum(sizes), max(sizes) <= 90) == (200 * runs.FAN, True)


async def test_a_merge_that_was_cut_off_is_completed_by_the_next(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SLICE", 10)
    chance = random.Random(2)
    known = [row for step in range(runs.FAN) for row in rows_of(chance, step, 20)]
    for step in range(runs.FAN):
        await kept.add(known[20 * step : 20 * step + 20])
    merge = await kept.due()
    assert merge is not None
    await kept.move(merge, 0, 1)
    again = await kept.due()
    assert again is not None
    assert set(again.runs) == set(merge.runs)
    await kept.merge()
    assert {run % 64 for run in await kept.in_runs()} == {1}
    await kept.merge(everything=True)
    assert (await kept.settled(), await kept.in_runs()) == (sorted(known), {})


async def test_two_processes_that_merge_the_same_runs_lose_no_row(
    kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SLICE", 10)
    chance, known = random.Random(3), list[Row]()
    for step in range(runs.FAN):
        known += (new := rows_of(chance, step, 20))
        await kept.add(new)
    first = await kept.due()
    assert first is not None
    await kept.move(first, 0)
    second = await kept.due(everything=True)
    assert second is not None
    assert first.into in second.runs
    await kept.move(second, 0, 1, 2)
    await kept.add(new := rows_of(chance, 9, 20))
    known += new
    await kept.move(first, *range(1, len(first.starts) + 1))
    assert await kept.found([key for key, _ in known]) == sorted(known)
    await kept.move(second, *range(3, len(second.starts) + 1))
    assert await kept.found([key for key, _ in known]) == sorted(known)
    await kept.merge(everything=True)
    assert (await kept.settled(), await kept.in_runs()) == (sorted(known), {})


async def test_a_search_by_key_leads_into_each_run_and_scans_none(kept: Store) -> None:
    for step in range(3):
        await kept.add([(key, str(step)) for key in range(10)])
    asked = select(RECENT.c.key).where(kept.keyed.within(), any_of(RECENT.c.key, "keys"))
    async with kept.unit() as unit:
        written = str(asked.compile(dialect=unit.connection.dialect))
        plan = await unit.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {written}", ("[1]",))
        steps = [row[3] for row in plan]
    assert "SEARCH recent_keyed USING PRIMARY KEY (run=? AND key=?)" in steps
    assert not [step for step in steps if step.startswith("SCAN recent_keyed")]
