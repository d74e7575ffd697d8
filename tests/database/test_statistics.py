"""Statistics of tables that grow quickly: bulk writes and migrations renew them (PostgreSQL)."""

import pytest
from sqlalchemy import text

from app.db.migrate import upgrade
from app.runtime import Runtime

pytestmark = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)

NEVER = -1
FEW, MANY = 100, 5_000
"""Rows of one page, and of more than twenty."""


async def known(runtime: Runtime) -> int:
    """The number of rows that the server's planner knows of the table."""
    statement = text("SELECT reltuples::bigint FROM pg_class WHERE oid = 'growing'::regclass")
    async with runtime.register.reading() as connection:
        return int((await connection.execute(statement)).scalar_one())


async def add(runtime: Runtime, rows: int) -> None:
    """Add so many rows to the table, in one transaction."""
    async with runtime.register.writing() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS growing (number bigint)"))
        await connection.execute(text(f"INSERT INTO growing SELECT generate_series(1, {rows})"))


async def test_bulk_writes_renew_the_statistics_of_tables_that_have_doubled(runtime: Runtime):
    await add(runtime, MANY)
    assert await known(runtime) == NEVER
    async with runtime.register.bulk():
        await add(runtime, MANY)
        assert await known(runtime) == 2 * MANY
        await add(runtime, MANY)
        assert await known(runtime) == 2 * MANY
        await add(runtime, 2 * MANY)
        assert await known(runtime) == 5 * MANY
    await add(runtime, 10 * MANY)
    assert await known(runtime) == 5 * MANY


async def test_a_small_table_is_left_alone(runtime: Runtime):
    async with runtime.register.bulk():
        await add(runtime, FEW)
        await add(runtime, FEW)
    assert await known(runtime) == NEVER


async def test_a_migration_renews_the_statistics_of_tables_that_it_has_filled(runtime: Runtime):
    await add(runtime, MANY)
    await upgrade(runtime.register, runtime.checks)
    assert await known(runtime) == MANY
