"""Statements that the driver executes itself keep what SQLAlchemy's own calls promise: commits, errors, time limits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    bindparam,
    column,
    insert,
    select,
    table,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.access.domain import SYSTEM
from app.border.checks import store
from app.border.checks.store import Record
from app.db.driver import CompiledStatement
from app.db.faults import Outage, outage
from app.db.lookups import LookUp
from app.db.types import Id, Instant, any_of
from app.db.unit import Reader, Unit
from app.kit.ids import new_id
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime

ON_POSTGRESQL = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)


def record(runtime: Runtime, **changed: object) -> Record:
    now = runtime.clock()
    made = Record(
        id=new_id("chk", now),
        at=now,
        client_id="client",
        checkpoint="CGK",
        kind="counter",
        direction="exit",
        outcome="clear",
        hit_id=None,
        sequence=1,
        question='{"name":"Ny. \\"É\\" \\\\x41"}',
        document_hash=bytes(range(256))[:32],
        matches=None,
        clearances=None,
        noted=None,
        truncated=True,
    )
    return made._replace(**changed)


@asynccontextmanager
async def beside_a_reader(runtime: Runtime) -> AsyncIterator[Unit]:
    """The unit in which a batch of checks is stored."""
    async with runtime.reading(SYSTEM) as reader, runtime.storing_checks(reader) as unit:
        yield unit


@asynccontextmanager
async def alone(runtime: Runtime) -> AsyncIterator[Unit]:
    """A transaction of its own."""
    async with runtime.writing_checks(SYSTEM) as unit:
        yield unit


@pytest.mark.parametrize("opened", [alone, beside_a_reader])
async def test_rows_inserted_together_are_committed_and_read_as_they_were(
    runtime: Runtime, opened: Callable[[Runtime], AbstractAsyncContextManager[Unit]]
):
    rows = [record(runtime), record(runtime, document_hash=None, truncated=False)]
    async with opened(runtime) as unit:
        await store.add(unit, rows, [])
    async with runtime.reading_checks(SYSTEM) as reader:
        found = await store.list_records(reader, [row.id for row in rows])
    assert {tuple(getattr(row, name) for name in Record._fields) for row in found} == set(rows)


async def test_a_transaction_that_fails_leaves_no_row_behind(runtime: Runtime):
    row = record(runtime)

    async def fail() -> None:
        async with runtime.writing_checks(SYSTEM) as unit:
            await store.add(unit, [row], [])
            raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        await fail()
    async with runtime.reading_checks(SYSTEM) as reader:
        assert await store.find(reader, row.id) is None


async def test_a_row_that_exists_is_an_integrity_error_and_the_connection_goes_on(runtime: Runtime):
    row = record(runtime)
    async with beside_a_reader(runtime) as unit:
        await store.add(unit, [row], [])

    async def repeat() -> None:
        async with beside_a_reader(runtime) as unit:
            await store.add(unit, [row], [])

    with pytest.raises(IntegrityError) as raised:
        await repeat()
    assert row.id not in str(raised.value), "no value of a row is logged"
    async with runtime.reading_checks(SYSTEM) as reader:
        assert await store.find(reader, row.id) is not None


@ON_POSTGRESQL
async def test_a_connection_that_ends_under_a_statement_is_an_outage(runtime: Runtime):
    async def end() -> None:
        async with runtime.reading(SYSTEM) as reader:
            await reader.connection.fetch("SELECT pg_terminate_backend(pg_backend_pid())", ())

    with pytest.raises(DBAPIError) as raised:
        await end()
    assert outage(raised.value) is Outage.UNREACHABLE
    async with runtime.reading(SYSTEM) as reader:
        assert (await reader.run(text("SELECT 1"))).scalar_one() == 1


@ON_POSTGRESQL
async def test_a_statement_that_is_given_up_leaves_its_connection_to_nobody(runtime: Runtime):
    lines: list[object] = []

    async def wait() -> None:
        async with runtime.reading(SYSTEM) as reader:
            lines.extend(await reader.connection.fetch("SELECT pg_backend_pid()", ()))
            waiting = asyncio.ensure_future(reader.connection.fetch("SELECT pg_sleep(60)", ()))
            await asyncio.sleep(0)
            waiting.cancel()
            await waiting

    with pytest.raises(asyncio.CancelledError):
        await wait()
    async with runtime.reading(SYSTEM) as reader:
        [(now,)] = await reader.connection.fetch("SELECT pg_backend_pid()", ())
    assert (now,) != tuple(lines[0])  # type: ignore[call-overload]


NUMBERS = table("numbers", column("number", Integer))
ALL = CompiledStatement(select(NUMBERS.c.number))
SOME = LookUp(lambda among, _: select(NUMBERS.c.number).where(among(NUMBERS.c.number, "numbers")), "numbers")


async def change(runtime: Runtime, *statements: str) -> None:
    async with runtime.writing(SYSTEM) as unit:
        for statement in statements:
            await unit.run(text(statement))


@ON_POSTGRESQL
async def test_a_statement_is_prepared_anew_after_a_migration_has_changed_its_columns(runtime: Runtime):
    await change(runtime, "CREATE TABLE numbers (number INTEGER)", "INSERT INTO numbers VALUES (7)")

    async def read(opened: AbstractAsyncContextManager[Reader]) -> list[int]:
        async with opened as reader:
            return [row[0] for row in await ALL.run(reader, {})]

    assert await read(runtime.reading(SYSTEM)) == [7]
    assert await read(runtime.writing(SYSTEM)) == [7]
    await change(runtime, "ALTER TABLE numbers ALTER COLUMN number TYPE BIGINT")
    assert await read(runtime.reading(SYSTEM)) == [7]
    with pytest.raises(DBAPIError):  # within a transaction, which has failed, the server prepares nothing
        await read(runtime.writing(SYSTEM))
    assert await read(runtime.writing(SYSTEM)) == [7]


async def test_what_the_driver_reads_first_is_of_the_snapshot_that_the_transaction_reads(
    sqlite_url: str, tmp_path: Path
):
    runtime = wired_runtime(Settings(env="test", database_url=sqlite_url, data_dir=tmp_path))
    await change(runtime, "CREATE TABLE numbers (number INTEGER)", "INSERT INTO numbers VALUES (7)")
    async with runtime.reading(SYSTEM) as reader:
        assert [row[0] for row in await SOME.rows(reader, [7, 8])] == [7]
        await change(runtime, "INSERT INTO numbers VALUES (8)")
        assert list((await reader.run(select(NUMBERS.c.number))).scalars()) == [7]
    await runtime.close()


KINDS = Table(
    "kinds",
    MetaData(),
    Column("id", Id, primary_key=True),
    Column("at", Instant),
    Column("holds", Boolean),
    Column("bytes", LargeBinary),
    Column("more", Integer),
)
ADD_KINDS = CompiledStatement(
    insert(KINDS)
    .values({column.name: bindparam(column.name) for column in KINDS.c})
    .returning(KINDS.c.holds, KINDS.c.at)
)
KINDS_OF = CompiledStatement(
    select(KINDS, (KINDS.c.more + 1).label("next"))
    .where(any_of(KINDS.c.id, "ids"), KINDS.c.at <= bindparam("until"))
    .order_by(KINDS.c.id)
)
ADVANCE = CompiledStatement(update(KINDS).values(more=KINDS.c.more + bindparam("by")))


async def test_values_come_and_go_through_the_driver_as_through_sqlalchemy(runtime: Runtime):
    kinds = "id VARCHAR(40), at {instant}, holds BOOLEAN, bytes {bytes}, more INTEGER"
    types = (
        {"instant": "TEXT", "bytes": "BLOB"}
        if runtime.register.is_sqlite
        else {"instant": "timestamptz", "bytes": "bytea"}
    )
    await change(runtime, f"CREATE TABLE kinds ({kinds.format(**types)})")
    at = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    full = {"id": "a", "at": at, "holds": True, "bytes": b"\0\xff", "more": 1}
    empty = {"id": "b", "at": at, "holds": False, "bytes": None, "more": None}
    async with runtime.writing(SYSTEM) as unit:
        [(holds, stored_at)] = await ADD_KINDS.run(unit, full)
        assert (holds is True, stored_at) == (True, at)
        await ADD_KINDS.run(unit, empty)
        assert not await ADVANCE.run(unit, {"by": 2})
        asked = {"ids": ["a", "b", "c"], "until": at}
        rows = [tuple(row) for row in await KINDS_OF.run(unit, asked)]
        assert rows == [tuple(row) for row in await unit.run(KINDS_OF._statement, asked)]
        assert rows == [("a", at, True, b"\0\xff", 3, 4), ("b", at, False, None, None, None)]
        assert [type(row[2]) for row in rows] == [bool, bool]
        assert not await KINDS_OF.run(unit, {**asked, "until": at - timedelta(seconds=1)})
