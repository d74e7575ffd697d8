"""What database tests stand on, besides a fresh register: nothing at all."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

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


async def told(address: str, *statements: str) -> None:
    """Tell a PostgreSQL server something, past the application."""
    connection = await asyncpg.connect(address)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close(timeout=2)
