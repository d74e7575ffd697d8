"""What commits between two statements of a transaction, or while it waits, at the moment that a test chooses."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Executable, Result, text

from app.access.domain import SYSTEM
from app.db.driver import CompiledStatement
from app.db.unit import Reader
from app.runtime import Runtime


def act_after(monkeypatch: pytest.MonkeyPatch, words: str, act: Callable[[], Awaitable[object]]) -> list[str]:
    """Do something once, right after the first statement that has these words was executed.

    Returns a list that gets this statement's text, so that a test can hold that there was one.
    """
    execute, fetch, found = Reader.run, CompiledStatement.run, list[str]()

    async def note(reader: Reader, statement: Any) -> None:
        text = str(statement.compile(dialect=reader.connection.dialect))
        if words in text and not found:
            found.append(text)
            await act()

    async def run(reader: Reader, statement: Executable, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        result = await execute(reader, statement, parameters)
        await note(reader, statement)
        return result

    async def fetched(compiled: CompiledStatement, reader: Reader, *values: Any) -> Any:
        rows = await fetch(compiled, reader, *values)
        await note(reader, compiled._statement)
        return rows

    monkeypatch.setattr(Reader, "run", run)
    monkeypatch.setattr(CompiledStatement, "run", fetched)
    return found


async def waits_for_lock(runtime: Runtime) -> bool:
    """Whether a transaction waits for a lock that another one holds; on PostgreSQL."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with runtime.reading(SYSTEM) as reader:
        return bool((await reader.run(text(waiting))).scalar_one())
