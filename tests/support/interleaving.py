"""What commits between two statements of a transaction, at the moment that a test chooses."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import Executable, Result

from app.db.unit import Reader


def act_after(monkeypatch: pytest.MonkeyPatch, words: str, act: Callable[[], Awaitable[object]]) -> list[str]:
    """Do something once, right after the first statement that has these words was executed.

    Returns a list that gets this statement's text, so that a test can hold that there was one.
    """
    execute, found = Reader.run, list[str]()

    async def run(reader: Reader, statement: Executable, parameters: Any = None) -> Result[*tuple[Any, ...]]:
        result = await execute(reader, statement, parameters)
        text = str(statement.compile(dialect=reader.connection.dialect))  # type: ignore[attr-defined]
        if words in text and not found:
            found.append(text)
            await act()
        return result

    monkeypatch.setattr(Reader, "run", run)
    return found
