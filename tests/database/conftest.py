"""What database tests stand on: a fresh register, several processes on it, or nothing at all."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.support.databases import ENGINES, Run


@pytest.fixture(params=ENGINES)
def empty_url(request: pytest.FixtureRequest, run: Run, tmp_path: Path) -> Iterator[str]:
    """The address of a database in which there is nothing yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'register.db'}"
        return
    with run.empty_database() as url:
        yield url


async def told(address: str, *statements: str) -> None:
    """Tell a PostgreSQL server something, past the application."""
    connection = await asyncpg.connect(address)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close(timeout=2)
