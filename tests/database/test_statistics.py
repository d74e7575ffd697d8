"""Statistics of tables that grow quickly: bulk writes, migrations and the worker renew them (PostgreSQL)."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from app.access.domain import SYSTEM
from app.border.checks.tables import check
from app.db.migrate import upgrade
from app.runtime import Runtime
from app.worker import Worker
from bench.registers import fill_checks

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


async def test_the_worker_renews_the_statistics_of_tables_that_have_doubled(runtime: Runtime):
    worker = Worker(runtime)
    await add(runtime, MANY)
    await worker.renew_statistics()
    assert await known(runtime) == MANY
    await add(runtime, MANY // 2)
    await worker.renew_statistics()
    assert await known(runtime) == MANY
    await add(runtime, 2 * MANY)
    await worker.renew_statistics()
    assert await known(runtime) == MANY * 7 // 2


async def test_a_page_of_a_new_months_checks_is_read_without_what_follows_it(runtime: Runtime):
    await fill_checks(runtime, MANY, within=timedelta(minutes=1))
    async with runtime.reading_checks(SYSTEM) as reader:
        first, last = (await reader.run(select(func.min(check.c.id), func.max(check.c.id)))).one()
    page = text(
        f"EXPLAIN SELECT * FROM check_record WHERE id >= '{first}' AND id < '{last}' ORDER BY id LIMIT 500"
    )

    async def plan() -> str:
        async with runtime.checks.reading() as connection:
            return "\n".join((await connection.execute(page)).scalars())

    assert "Sort" in await plan()
    await Worker(runtime).renew_statistics()
    assert "Sort" not in await plan()


@pytest.mark.settings(database_seconds=1.0)
async def test_a_table_whose_statistics_take_too_long_takes_none_from_another(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
):
    await add(runtime, MANY)
    body = "BEGIN PERFORM pg_sleep(0.01); RETURN number; END"
    async with runtime.register.writing() as connection:
        for statement in (
            "CREATE TABLE slow (number bigint)",
            "INSERT INTO slow SELECT generate_series(1, 5000)",
            f"CREATE FUNCTION slowly(number bigint) RETURNS bigint IMMUTABLE LANGUAGE plpgsql AS '{body}'",
            "CREATE STATISTICS of_slow ON slowly(number) FROM slow",
        ):
            await connection.execute(text(statement))
    for _ in range(2):
        await runtime.register.renew_statistics()
    assert [record.message for record in caplog.records if "autovacuum" in record.message] == [
        "the statistics of public.slow are left to autovacuum"
    ]
    columns = text("SELECT count(*) FROM pg_stats WHERE tablename = 'growing'")
    async with runtime.register.reading() as connection:
        assert (await connection.execute(columns)).scalar_one() == 1
