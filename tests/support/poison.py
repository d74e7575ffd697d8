"""Rows that make each act with them fail: some that can't be read, and some that can't be written."""

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


@asynccontextmanager
async def refusing(runtime: Runtime, key: Column[str], value: str) -> AsyncIterator[None]:
    """Let the register's database refuse each row of a table with this value, during the block."""
    table: Table = key.table
    if runtime.register.is_sqlite:
        begin = [
            f"CREATE TRIGGER refused_{act} BEFORE {act} ON {table.name} WHEN NEW.{key.name} = '{value}' "
            "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            for act in ("INSERT", "UPDATE")
        ]
        end = ["DROP TRIGGER refused_INSERT", "DROP TRIGGER refused_UPDATE"]
    else:
        begin = [f"ALTER TABLE {table.name} ADD CONSTRAINT refused CHECK ({key.name} <> '{value}') NOT VALID"]
        end = [f"ALTER TABLE {table.name} DROP CONSTRAINT refused"]
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
