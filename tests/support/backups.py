"""Backups in tests: made and put back in this process, or by the command beside a service."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import func, select

from app.access.domain import SYSTEM
from app.border.checks.tables import check as check_table
from app.border.checks.tables import match as match_table
from app.kit.clock import Clock
from app.kit.stages import Amount, ReportProgress
from app.ledger import service as ledger
from app.maintenance.backups.inventory import read_inventory
from app.maintenance.backups.restoring import Restored, restore
from app.register.entries.tables import entry as entry_table
from app.settings import Settings
from app.wiring import wired_runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, urgent_body
from tests.support.cli import cekal
from tests.support.databases import Run
from tests.support.postgres import programs_folder
from tests.support.waiting import until

_AT_WORK = 4


def find_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process find PostgreSQL's programs of the server's version."""
    monkeypatch.setenv("PATH", f"{programs_folder()}{os.pathsep}{os.environ['PATH']}")


@contextmanager
def in_silence(_what: str, _amount: Amount) -> Iterator[ReportProgress]:
    """A stage that is not shown."""
    yield lambda _done, _total: None


@contextmanager
def elsewhere(run: Run, settings: Settings, folder: Path) -> Iterator[Settings]:
    """Settings of a register of the same engine that is not there yet, for the block's length."""
    if settings.url.startswith("sqlite"):
        folder.mkdir()
        yield settings.model_copy(
            update={"database_url": f"sqlite:///{folder / 'register.db'}", "data_dir": folder}
        )
        return
    with run.empty_database() as url:
        yield settings.model_copy(update={"database_url": url})


async def put_back(
    settings: Settings, folder: Path, clock: Clock | None = None, *, replace: bool = False
) -> Restored:
    """Put a backup back as the register of some settings."""
    return await restore(settings, folder, partial(wired_runtime, clock=clock), in_silence, replace=replace)


@dataclass(slots=True)
class Said:
    """What a service has acknowledged.

    Attributes:
        asked_at: by id, when the request that led to it was sent.
        acknowledged_at: by id, when its answer had come.
    """

    asked_at: dict[str, datetime] = field(default_factory=dict)
    acknowledged_at: dict[str, datetime] = field(default_factory=dict)

    def before(self, moment: datetime) -> set[str]:
        """Ids that were acknowledged before a moment."""
        return {each for each, at in self.acknowledged_at.items() if at < moment}

    def asked_after(self, moment: datetime) -> set[str]:
        """Ids that nobody had asked for at a moment."""
        return {each for each, at in self.asked_at.items() if at > moment}

    def note(self, name: str, asked_at: datetime) -> None:
        """Note what has just been acknowledged."""
        self.asked_at[name] = asked_at
        self.acknowledged_at[name] = datetime.now(UTC)


@dataclass(slots=True)
class Load:
    """Officers and counters who work until they are told to end.

    Attributes:
        entries: urgent entries that were answered 201.
        checks: checks that were answered 200.
        refused: answers of another kind.
    """

    owner: Caller
    counter: Caller
    entries: Said = field(default_factory=Said)
    checks: Said = field(default_factory=Said)
    refused: list[str] = field(default_factory=list)
    _listed: list[Any] = field(default_factory=list)
    _ended: bool = False

    @classmethod
    async def of(cls, actors: Actors) -> "Load":
        """A load with keys of its own."""
        return cls(await actors.client("submitter"), await actors.client("checkpoint"))

    @asynccontextmanager
    async def working(self, http: httpx2.AsyncClient) -> AsyncIterator[None]:
        """Let four officers and four counters work for the block's length; some have been at it when it begins."""
        self._ended = False
        known = len(self.entries.asked_at), len(self.checks.asked_at)
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_WORK):
                group.create_task(self._sound(http))
                group.create_task(self._ask(http))
            try:
                await until(
                    lambda: (
                        len(self.entries.asked_at) >= known[0] + _AT_WORK
                        and len(self.checks.asked_at) >= known[1] + _AT_WORK
                    ),
                    within=60,
                )
                yield
            finally:
                self._ended = True

    async def _sound(self, http: httpx2.AsyncClient) -> None:
        while not self._ended:
            body, headers, at = urgent_body(), self.owner.once(uuid4().hex), datetime.now(UTC)
            answer = await http.post("/v1/urgent-entries", json=body, headers=headers)
            if self._is(answer, 201):
                self.entries.note(answer.json()["entry"]["id"], at)
                self._listed.append(body["subject"])

    async def _ask(self, http: httpx2.AsyncClient) -> None:
        while not self._ended:
            subject = self._listed[-1] if self._listed else urgent_body()["subject"]
            at = datetime.now(UTC)
            answer = await http.post("/v1/checks", json=check_body(subject), headers=self.counter.headers)
            if self._is(answer, 200):
                self.checks.note(answer.json()["id"], at)

    def _is(self, answer: httpx2.Response, status: int) -> bool:
        if answer.status_code != status:
            self.refused.append(f"{answer.status_code} {answer.text[:200]}")
        return answer.status_code == status


@dataclass(frozen=True, slots=True)
class Tally:
    """What a backup made under load has and lacks.

    Attributes:
        entries: urgent entries that were acknowledged before its moment.
        checks: checks that were.
        missing_entries: those of the entries that are not in it.
        missing_checks: those of the checks.
        too_late: how many are in it that nobody had asked for at its moment.
        unmatched: how many of its checks name an entry, or a state of the register, that it does not have.
        meanwhile: how many acts were acknowledged while it was made.
        seconds: how long it took.
    """

    entries: int
    checks: int
    missing_entries: int
    missing_checks: int
    too_late: int
    unmatched: int
    meanwhile: int
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether it is what it should be."""
        return not (self.missing_entries or self.missing_checks or self.too_late or self.unmatched)


async def back_up_under_load(load: Load, http: httpx2.AsyncClient, settings: Settings, folder: Path) -> float:
    """Run `cekal backup` beside officers and counters at work; gives how many seconds it took.

    Raises:
        AssertionError: it failed.
    """
    async with load.working(http):
        begun = time.monotonic()
        told = await asyncio.to_thread(
            cekal, "backup", folder, cwd=folder.parent, database_url=settings.url, data_dir=settings.data_dir
        )
        took = time.monotonic() - begun
    assert told.code == 0, told.err
    return took


async def tally(load: Load, folder: Path, new: Settings, clock: Clock, seconds: float) -> Tally:
    """Restore a backup and compare it with what was acknowledged."""
    moment = read_inventory(folder).moment
    await put_back(new, folder, clock)
    runtime = wired_runtime(new, clock)
    try:
        async with runtime.reading(SYSTEM) as register, runtime.reading_checks(SYSTEM) as checks:
            entries = set((await register.run(select(entry_table.c.id))).scalars())
            asked = set((await checks.run(select(check_table.c.id))).scalars())
            matched = set((await checks.run(select(match_table.c.entry_id))).scalars())
            furthest = (await checks.run(select(func.max(check_table.c.sequence)))).scalar_one() or 0
            size = (await ledger.head(register)).size
    finally:
        await runtime.close()
    before = load.entries.before(moment), load.checks.before(moment)
    late = load.entries.asked_after(moment) & entries | load.checks.asked_after(moment) & asked
    return Tally(
        entries=len(before[0]),
        checks=len(before[1]),
        missing_entries=len(before[0] - entries),
        missing_checks=len(before[1] - asked),
        too_late=len(late),
        unmatched=len(matched - entries) + (furthest > size - 1),
        meanwhile=len(load.entries.asked_at) + len(load.checks.asked_at) - len(before[0]) - len(before[1]),
        seconds=seconds,
    )
