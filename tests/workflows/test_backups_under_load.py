"""`cekal backup` and `cekal restore` as an operator runs them, beside a service that is at work."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import asyncpg
import httpx2
import pytest
from sqlalchemy.engine import make_url

from app.maintenance.backups.inventory import FILE
from app.settings import Settings
from tests.support.actors import Actors
from tests.support.backups import Load, back_up_under_load, elsewhere, find_programs, tally
from tests.support.cli import LONGEST, cekal, environment, started
from tests.support.clock import SettableClock
from tests.support.databases import Run
from tests.support.processes import process
from tests.support.steps import sound
from tests.support.waiting import until

TRIES = 2
"""`python -m bench.backups` makes twenty."""

ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def programs(monkeypatch: pytest.MonkeyPatch) -> None:
    find_programs(monkeypatch)


@pytest.fixture
def places(run: Run, settings: Settings, tmp_path: Path) -> Iterator[list[Settings]]:
    """Places without a register, one for each try."""
    with (
        elsewhere(run, settings, tmp_path / "first") as one,
        elsewhere(run, settings, tmp_path / "second") as two,
    ):
        yield [one, two]


async def test_a_backup_beside_a_busy_service_has_what_was_acknowledged_and_nothing_later(
    settings: Settings, actors: Actors, clock: SettableClock, tmp_path: Path, places: list[Settings]
) -> None:
    load = await Load.of(actors)
    async with process(settings, tmp_path, quota_urgent_entries="100000") as service:
        for number, place in zip(range(TRIES), places, strict=True):
            kept = tmp_path / f"backup-{number}"
            took = await back_up_under_load(load, service.http, settings, kept)
            found = await tally(load, kept, place, clock, took)
            assert found.holds, found
            assert min(found.entries, found.checks, found.meanwhile) > 0, found
    assert load.refused == []


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


@asynccontextmanager
async def nobody_writes(settings: Settings) -> AsyncIterator[None]:
    """Let every backup wait for the block's length, in the middle of its work."""
    url = make_url(settings.url)
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(url.database), isolation_level=None)) as file:
            file.execute("BEGIN IMMEDIATE")
            yield
        return
    connection = await asyncpg.connect(settings.url)
    try:
        await connection.execute("BEGIN; LOCK TABLE audit IN ACCESS EXCLUSIVE MODE")
        yield
    finally:
        await connection.close()


async def test_a_backup_that_is_killed_leaves_nothing_that_looks_whole(
    settings: Settings, tmp_path: Path, places: list[Settings]
) -> None:
    kept = tmp_path / "killed"
    given = {"database_url": settings.url, "data_dir": settings.data_dir}
    async with nobody_writes(settings):
        running = started("backup", kept, cwd=tmp_path, **given)
        try:
            await until(lambda: bool(names(kept)), within=LONGEST)
            running.send_signal(signal.SIGKILL)
        finally:
            running.kill()
            running.communicate()
    assert names(kept)
    assert {Path(name).suffix for name in names(kept)} == {".incomplete"}
    again = cekal("backup", kept, cwd=tmp_path, **given)
    assert (again.code, "unfinished" in again.err) == (1, True), again
    there = {"database_url": places[0].url, "data_dir": places[0].data_dir}
    refused = cekal("restore", kept, cwd=tmp_path, **there)
    assert (refused.code, "no finished backup" in refused.err) == (1, True), refused


async def test_a_disk_that_is_full_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    kept = tmp_path / "full"
    told = await asyncio.to_thread(
        subprocess.run,
        ["/bin/sh", "-c", 'ulimit -f 20; exec "$0" -m app.cli backup "$1"', sys.executable, str(kept)],
        cwd=tmp_path,
        env=environment(database_url=settings.url, data_dir=settings.data_dir),
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    assert told.returncode == 1, told
    assert "Traceback" not in told.stderr
    assert not names(kept), told.stderr


@ON_SQLITE
async def test_the_whole_way_at_the_command_line(
    settings: Settings, actors: Actors, tmp_path: Path, places: list[Settings]
) -> None:
    owner, kept, new = await actors.client("submitter"), tmp_path / "kept", places[0]
    async with process(settings, tmp_path) as service:
        entry = (await sound(service.http, owner))["entry"]
    given = {"database_url": settings.url, "data_dir": settings.data_dir}
    made = cekal("backup", kept, "--json", cwd=tmp_path, **given)
    assert (made.code, made.json["ledger"]["size"], made.err) == (0, 2, ""), made
    assert (made.json["photos"], FILE in names(kept)) == (1, True)
    there = {"database_url": new.url, "data_dir": new.data_dir}
    restored = cekal("restore", kept, "--json", cwd=tmp_path, **there)
    assert restored.code == 0, restored
    assert restored.json["kept_records"] == 2
    assert restored.json["old_epoch"] == made.json["ledger"]["epoch"]
    refused = cekal("restore", kept, cwd=tmp_path, **there)
    assert (refused.code, "--replace" in refused.err, refused.out) == (1, True, ""), refused
    accepted = cekal("restore", cwd=tmp_path, **there)
    assert (accepted.code, "goes on in epoch" in accepted.out) == (0, True), accepted
    assert cekal("restore", "--replace", cwd=tmp_path, **there).code == 2
    by_hand = {"database_url": f"sqlite:///{kept / 'register.db'}", "data_dir": kept}
    for command in (("clients",), ("serve", "--port", 0), ("migrate",)):
        refused = cekal(*command, cwd=tmp_path, **by_hand)
        assert (refused.code, "run `cekal restore`" in refused.err) == (1, True), refused
    async with process(new, new.data_dir) as service:
        found = await service.http.get(f"/v1/entries/{entry['id']}", headers=owner.headers)
        assert found.status_code == httpx2.codes.OK
