"""What the worker does every second costs no more where many more entries are in force (SQLite counts the steps)."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from app.worker import EVERY_SECOND, LOOPS, Worker
from tests.support.clock import SettableClock
from tests.support.takeovers import line, ndjson, taken

FEW, MORE = 20, 200
PLAIN = {"subject": {"photo": None}}


@pytest.fixture
async def on_sqlite(sqlite_url: str, clock: SettableClock, tmp_path: Path) -> AsyncIterator[Runtime]:
    runtime = wired_runtime(Settings(env="test", database_url=sqlite_url, data_dir=tmp_path), clock)
    yield runtime
    await runtime.close()


class Steps:
    """Counts what SQLite's virtual machine does on the connections of a register."""

    def __init__(self, runtime: Runtime) -> None:
        self.count = 0
        engine: Any = runtime.register
        event.listen(engine._engine, "checkout", self._watch)

    def _watch(self, connection: sqlite3.Connection, *_: object) -> None:
        connection.set_progress_handler(self._step, 10)

    def _step(self) -> int:
        self.count += 10
        return 0


async def test_no_loop_walks_through_all_entries_every_second(on_sqlite: Runtime, tmp_path: Path) -> None:
    worker, steps = Worker(on_sqlite), Steps(on_sqlite)
    # Verification reads a page of records in each round, however many there are.
    loops = [loop for loop in LOOPS if loop.seconds == EVERY_SECOND and loop.name != "verify_register"]

    async def counted() -> dict[str, int]:
        found = {}
        for loop in loops:
            await loop.act(worker)  # what is due is done
            steps.count = 0
            await loop.act(worker)
            found[loop.name] = steps.count
        return found

    lines = [line(f"old-{number}", entry=PLAIN) for number in range(MORE)]
    await taken(on_sqlite, ndjson(tmp_path, *lines[:FEW]), legacy=True)
    few = await counted()
    await taken(on_sqlite, ndjson(tmp_path, *lines), legacy=True)
    more = await counted()
    assert len(few) > 5
    assert {name: (few[name], count) for name, count in more.items() if count > few[name] + MORE} == {}
