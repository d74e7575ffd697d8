"""What database tests stand on: a fresh register, several processes on it, or nothing at all."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from tests.support.clock import SettableClock
from tests.support.databases import ENGINES, Run, finished


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> Iterator[str]:
    """The address of a database in which there is nothing yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'register.db'}"
        return
    name = f"empty_{uuid4().hex[:12]}"
    finished(told(f"{run.server()}/postgres", f"CREATE DATABASE {name}"))
    yield f"{run.server()}/{name}"
    finished(told(f"{run.server()}/postgres", f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def processes(settings: Settings, clock: SettableClock) -> AsyncIterator[list[Runtime]]:
    """Three processes, as it were, on one register."""
    opened = [wired_runtime(settings, clock) for _ in range(3)]
    yield opened
    for runtime in opened:
        await runtime.close()


async def told(address: str, *statements: str) -> None:
    """Tell a PostgreSQL server something, past the application."""
    connection = await asyncpg.connect(address)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close(timeout=2)
