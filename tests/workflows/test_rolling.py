"""One machine after another is restarted, and upgraded, while checkpoints and officers work."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

import httpx2
import pytest

from app.db.migrate import NEWEST
from app.demo.server import any_free_port
from app.settings import Settings
from tests.support.actors import Actors
from tests.support.clock import MORNING
from tests.support.databases import PEPPER, Run
from tests.support.load import Load
from tests.support.processes import Process, process
from tests.support.releases import PRESENT, Release, release
from tests.workflows.test_deploy_files import program
from tests.workflows.test_several_machines import balanced

LATE = 10.0
"""Seconds after which an alert would be late. It is below two, but for a machine that has other work."""

WHILE = 1.0
"""Seconds of work before the restarts, and between a migration and the first of them."""

TAKEN_BACK = 2.5
"""Seconds after which the proxy uses a process again that refused a connection: its fail_timeout, rounded up."""

BEFORE = "70b7010"
"""The commit of release 0.2.0, the one before the present program; its schema is 0036."""

OUTDATED = "outdated: run `cekal migrate`"
"""What release 0.2.0 says of every schema but its own, while it serves on."""

PROXY = "127.0.0.1/32"

ON_POSTGRESQL = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)


logger = logging.getLogger(__name__)


class Machines:
    """Two machines with a process of the service each, always at the same address."""

    def __init__(self, begin: Callable[[int], AbstractAsyncContextManager[Process]]) -> None:
        self._begin = begin
        self._running: dict[int, AsyncExitStack] = {}
        self.processes: dict[int, Process] = {}

    async def start(self, number: int) -> None:
        """Start a machine's process, and wait until it is ready."""
        self._running[number] = AsyncExitStack()
        self.processes[number] = await self._running[number].enter_async_context(self._begin(number))

    async def restart(self) -> None:
        """Tell one process after another to end, and start it again once it has ended."""
        for number, running in self.processes.items():
            running.terminate()
            assert await running.ended() == 0
            await self._running.pop(number).aclose()
            await self.start(number)
            await asyncio.sleep(TAKEN_BACK)

    async def __aenter__(self) -> Self:
        await asyncio.gather(self.start(0), self.start(1))
        return self

    async def __aexit__(self, *_: object) -> None:
        for each in self._running.values():
            await each.aclose()


@asynccontextmanager
async def at_work(
    load: Load, folders: list[Path], begin: Callable[[int], AbstractAsyncContextManager[Process]]
) -> AsyncIterator[Machines]:
    """Two machines under load for the block's length, behind the shipped proxy and for clients that know both."""
    async with Machines(begin) as machines, balanced(folders[2], *machines.processes.values()) as http:
        addresses = [each.url for each in machines.processes.values()]
        async with load.working([str(http.base_url)], addresses):
            await asyncio.sleep(WHILE)
            yield machines


def judge(load: Load, *folders: Path) -> None:
    """No request failed twice, each stream had each alert once, in order and in time, and no error was logged."""
    figures = {"answered": load.answered, "repeated": load.repeated, "latest": round(load.lateness, 2)}
    logger.info("%s", figures)
    assert load.failed == []
    assert len(load.raised) > 2 * len(folders)
    for stream in load.streams:
        assert [alert for alert, _ in stream.alerts] == load.expected
    assert all(stream.opened > 1 for stream in load.streams), "each was cut off at least once"
    assert load.lateness < LATE
    lines = [json.loads(line) for each in folders for line in (each / "service.log").read_text().splitlines()]
    assert [line for line in lines if line["level"] not in {"INFO", "WARNING"}] == []
    assert any(line["message"] == "ready" for line in lines)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """A folder for each of two machines and for the proxy."""
    program("nginx")
    made = [tmp_path / name for name in ("one", "two", "proxy")]
    for folder in made:
        folder.mkdir()
    return made


async def schema_at(service: Process) -> str:
    """What a process of any release says of the schema."""
    async with httpx2.AsyncClient(base_url=service.url, trust_env=False) as http:
        checks: dict[str, str] = (await http.get("/readyz")).json()["checks"]
    return checks["schema"]


@ON_POSTGRESQL
async def test_restarting_one_machine_after_another_fails_no_request_and_loses_no_alert(
    settings: Settings, actors: Actors, folders: list[Path]
) -> None:
    counter, submitter = await actors.client("checkpoint"), await actors.client("submitter")
    ports = [any_free_port(), any_free_port()]
    load = Load(counter.key, submitter.key)

    def begin(number: int) -> AbstractAsyncContextManager[Process]:
        given = {"trusted_proxies": PROXY, "signing_keys": str(settings.signing_keys)}
        return process(settings, folders[number], port=ports[number], **given)

    async with at_work(load, folders, begin) as machines:
        await machines.restart()
    judge(load, *folders[:2])


@pytest.fixture
def empty_url(run: Run) -> Iterator[str]:
    """The address of a database on PostgreSQL in which there is nothing yet."""
    with run.empty_database() as url:
        yield url


async def test_upgrading_one_machine_after_another_fails_no_request_and_loses_no_alert(
    empty_url: str, folders: list[Path], tmp_path: Path
) -> None:
    """The database is migrated under processes of the release before, which go on until each is replaced."""
    programs = [release(BEFORE, tmp_path / "before")] * 2
    clock, ports = tmp_path / "clock", [any_free_port(), any_free_port()]
    clock.write_text(MORNING.isoformat())
    given = {
        "env": "test",
        "database_url": empty_url,
        "data_dir": tmp_path,
        "key_pepper": PEPPER,
        "signing_keys": tmp_path / "keys",
        "test_clock": clock,
    }

    async def run_by(program: Release, *arguments: str) -> str:
        return await asyncio.to_thread(program.run, *arguments, **given)

    await run_by(programs[0], "migrate")
    load = Load(
        programs[0].key("--role", "checkpoint", "--checkpoint", "CGK", "--kind", "counter", **given),
        programs[0].key("--role", "submitter", "--agency", "KPK", "--person", "198001012005011001", **given),
    )

    def begin(number: int) -> AbstractAsyncContextManager[Process]:
        root, folder = programs[number].root, folders[number]
        settings: dict[str, str | None] = {"trusted_proxies": PROXY, "signing_keys": str(tmp_path / "keys")}
        if programs[number] is not PRESENT:
            settings["daily_drill"] = None  # it has no such setting
            folder /= "before"
            folder.mkdir()
        register = Settings(env="test", database_url=empty_url, data_dir=tmp_path)
        return process(register, folder, port=ports[number], root=root, **settings)

    async with at_work(load, folders, begin) as machines:
        assert f"has schema {NEWEST}" in await run_by(PRESENT, "migrate")
        await asyncio.sleep(WHILE)
        assert [await schema_at(each) for each in machines.processes.values()] == [OUTDATED] * 2
        programs[:] = [PRESENT] * 2
        await machines.restart()
        assert [await schema_at(each) for each in machines.processes.values()] == ["ok"] * 2
    judge(load, *folders[:2])
