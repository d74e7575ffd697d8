"""A register that is restored from a backup, under a running service and before a new one is started."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from app.access.domain import SYSTEM
from app.main import create_app
from app.maintenance.backups.restoring import accept
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from tests.support.actors import Actors, Caller
from tests.support.backups import in_silence
from tests.support.bodies import check_body, urgent_body
from tests.support.cli import cekal
from tests.support.clock import SettableClock
from tests.support.databases import PEPPER, Run
from tests.support.lifespan import client_of
from tests.support.processes import process
from tests.support.steps import expect, sound
from tests.support.waiting import until

from .conftest import told

Restore = Callable[[], Awaitable[None]]


@pytest.fixture
async def saved(
    engine_url: str, run: Run, runtime: Runtime, actors: Actors, tmp_path: Path
) -> AsyncIterator[Callable[[], Awaitable[Restore]]]:
    """Makes a backup of the register, and gives what restores it; nothing else may run while the backup is made."""
    dropped = []

    async def save_files() -> Restore:
        folder = Path(engine_url.removeprefix("sqlite:///")).parent
        names = [path.name for path in folder.glob("*.db")]
        for name in names:
            with closing(sqlite3.connect(folder / name)) as file:
                file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copy(folder / name, tmp_path / name)

        async def restore() -> None:
            for name in names:
                with (
                    closing(sqlite3.connect(tmp_path / name)) as kept,
                    closing(sqlite3.connect(folder / name)) as file,
                ):
                    kept.backup(file)

        return restore

    async def save_database() -> Restore:
        admin, name = f"{run.server()}/postgres", engine_url.rpartition("/")[2]
        await told(admin, _END.format(name), f"CREATE DATABASE {name}_saved TEMPLATE {name}")
        dropped.append(f"{name}_before")

        async def restore() -> None:
            await told(
                admin,
                f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
                _END.format(name),
                f"ALTER DATABASE {name} RENAME TO {name}_before",
                f"ALTER DATABASE {name}_saved RENAME TO {name}",
            )

        return restore

    yield save_files if runtime.register.is_sqlite else save_database
    await runtime.close()
    for name in dropped:
        await told(f"{run.server()}/postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def put_back_in_use(settings: Settings, clock: SettableClock) -> None:
    """Accept the database as it is, as `cekal restore` does."""
    runtime = wired_runtime(settings, clock)
    try:
        await accept(runtime, in_silence)
    finally:
        await runtime.close()


_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"


async def outcome(http: httpx2.AsyncClient, counter: Caller, subject: object) -> str:
    """What a counter is told of somebody who leaves."""
    asked = await http.post("/v1/checks", json=check_body(subject), headers=counter.headers)  # type: ignore[arg-type]
    return str(expect(asked, 200)["outcome"])


async def test_after_a_restore_the_running_service_says_so_and_a_new_one_goes_on(
    saved: Callable[[], Awaitable[Restore]],
    settings: Settings,
    clock: SettableClock,
    runtime: Runtime,
    actors: Actors,
    counter: Caller,
) -> None:
    owner, old, lost = await actors.client("submitter"), urgent_body(), urgent_body()
    app = create_app(settings, clock, work=False)
    async with client_of(app) as http:
        await sound(http, owner, old)
    await runtime.close()
    restore = await saved()
    clock.advance(hours=3)
    async with client_of(create_app(settings, clock, work=False)) as http:
        await sound(http, owner, lost)
        assert await outcome(http, counter, lost["subject"]) == "refer"
        page = expect(await http.get("/v1/alerts", headers=counter.headers), 200)
        await runtime.close()
        await restore()
        await until_rolled_back(http)
        refused = await http.post("/v1/urgent-entries", json=lost, headers=owner.once("refused"))
        assert expect(refused, 503)["type"] == "/problems/register-rolled-back"
    await put_back_in_use(settings, clock)
    async with client_of(create_app(settings, clock, work=False)) as http:
        told_gone = await http.get("/v1/alerts", params={"after": page["cursor"]}, headers=counter.headers)
        assert expect(told_gone, 410)["type"] == "/problems/cursor-gone"
        assert await outcome(http, counter, old["subject"]) == "refer"
        assert await outcome(http, counter, lost["subject"]) == "clear"
        again = await sound(http, owner, lost)
        assert await outcome(http, counter, lost["subject"]) == "refer"
        alerts = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
        assert alerts[-1]["id"] == again["alert"]["id"]
        assert expect(await http.get("/readyz"), 200)["checks"]["ledger"] == "ok"


async def test_processes_refuse_writes_until_the_command_has_accepted_the_database(
    saved: Callable[[], Awaitable[Restore]],
    settings: Settings,
    clock: SettableClock,
    run: Run,
    runtime: Runtime,
    actors: Actors,
    counter: Caller,
    tmp_path: Path,
) -> None:
    """One has a mark and serves while the database is put back; another, on a new disk, is started afterwards."""
    owner, integrator = await actors.client("submitter"), await actors.client("integrator")
    duty = await actors.client("duty_officer")
    async with client_of(create_app(settings, clock, work=False)) as http:
        await sound(http, owner)
    await runtime.close()
    restore = await saved()
    keys = str(run.signing_keys)
    places = [tmp_path / name for name in ("knowing", "new")]
    for place in places:
        place.mkdir()
    async with process(settings, places[0], signing_keys=keys) as knowing:
        await sound(knowing.http, owner)
        cursor = expect(await knowing.http.get("/v1/changes", headers=integrator.headers), 200)["cursor"]
        await until_marked(places[0], int(cursor.rpartition(".")[2]))
        await restore()
        await until_rolled_back(knowing.http)
        await refuses(knowing.http, owner, counter)
        await until_notified(knowing.http, duty)
        knowing.terminate()
        assert await knowing.ended() == 0
    async with process(settings, places[1], signing_keys=keys) as new:
        await refuses(new.http, owner, counter)
        new.terminate()
        assert await new.ended() == 0
    given = {"database_url": settings.url, "data_dir": places[0], "signing_keys": keys, "key_pepper": PEPPER}
    accepted = cekal("restore", "--json", cwd=tmp_path, **given).json
    assert (accepted["lost_by_mark"], accepted["unsigned"], accepted["holds"]) == (2, None, True)
    elsewhere = cekal("restore", cwd=tmp_path, **{**given, "signing_keys": tmp_path / "none"})
    assert f"{tmp_path / 'none'} does not hold" in elsewhere.out
    async with client_of(create_app(settings, clock, work=False)) as http:
        await sound(http, owner)
        gone = await http.get("/v1/changes", params={"after": cursor}, headers=integrator.headers)
        assert expect(gone, 410)["type"] == "/problems/cursor-gone"


async def refuses(http: httpx2.AsyncClient, owner: Caller, counter: Caller) -> None:
    """Hold that a process takes nothing, and goes on with checks."""
    refused = await http.post("/v1/urgent-entries", json=urgent_body(), headers=owner.once("refused"))
    assert expect(refused, 503)["type"] == "/problems/register-rolled-back"
    check = {"json": check_body(urgent_body()["subject"]), "headers": counter.headers}
    assert expect(await http.post("/v1/checks", **check), 200)["registry"]["stale"] is True


async def until_marked(folder: Path, size: int) -> None:
    """Wait until the mark in a folder is of so many records."""
    mark = folder / "register.mark"
    await until(lambda: mark.exists() and mark.read_text().split("\n")[1] == str(size), within=20)


async def until_notified(http: httpx2.AsyncClient, officer: Caller) -> None:
    async with asyncio.timeout(20):
        while True:
            items = expect(await http.get("/v1/notices", headers=officer.headers), 200)["items"]
            if "register_rolled_back" in [each["name"] for each in items]:
                return
            await asyncio.sleep(0.05)


async def until_rolled_back(http: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(20):
        while (await http.get("/readyz")).json().get("rolled_back") is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_without_a_head_calls_answer_503_and_not_500(
    http: httpx2.AsyncClient, runtime: Runtime, owner: Caller, counter: Caller, auditor: Caller
) -> None:
    """As while PostgreSQL's tables are restored under a running service: a backup has no head."""
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text("DELETE FROM ledger_head"))
    refused = await http.post("/v1/urgent-entries", json=urgent_body(), headers=owner.once("k"))
    assert expect(refused, 503)["type"] == "/problems/register-rolled-back"
    assert refused.headers["retry-after"]
    for path in ("/v1/changes", "/v1/head", "/v1/notices"):
        expect(await http.get(path, headers=auditor.headers), 503)
    question = check_body(urgent_body()["subject"])
    asked = await http.post("/v1/checks", json=question, headers=counter.headers)
    assert expect(asked, 503)["type"] == "/problems/not-stored"
    assert "cekal restore" in expect(await http.get("/readyz"), 503)["checks"]["ledger"]
