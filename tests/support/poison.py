"""Rows that make each act with them fail: some that can't be read, and some that can't be changed."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import Column, Table, update

from app.access.domain import SYSTEM
from app.runtime import Runtime


async def spoil(runtime: Runtime, key: Column[str], value: str, **values: object) -> None:
    """Store in the row with this key what no program can read."""
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(update(key.table).where(key == value).values(**values))


_ROWS = {"INSERT": "NEW", "UPDATE": "NEW", "DELETE": "OLD"}


@asynccontextmanager
async def refusing(runtime: Runtime, key: Column[str], value: str) -> AsyncIterator[None]:
    """Let the register's database refuse each change of a table's rows with this value, during the block."""
    table: Table = key.table
    is_sqlite = runtime.register.is_sqlite
    begin, end = [], []
    for act, row in _ROWS.items():
        when = f"{row}.{key.name} = '{value}'"
        if is_sqlite:
            fail = f"WHEN {when} BEGIN SELECT RAISE(ABORT, 'refused'); END"
        else:
            fail = f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse()"
        begin.append(f"CREATE TRIGGER refused_{act} BEFORE {act} ON {table.name} {fail}")
        end.append(f"DROP TRIGGER refused_{act}" + ("" if is_sqlite else f" ON {table.name}"))
    if not is_sqlite:
        body = "BEGIN RAISE EXCEPTION 'refused'; END"
        begin.insert(0, f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
        end.append("DROP FUNCTION refuse")
    await _execute(runtime, begin)
    yield
    await _execute(runtime, end)


async def _execute(runtime: Runtime, statements: list[str]) -> None:
    async with runtime.register.writing() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The messages of the errors that were logged, in order."""
    return [each.message for each in caplog.records if each.levelno >= logging.ERROR]
