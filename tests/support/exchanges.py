"""What a request asks of the databases."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from app.runtime import Runtime


@contextmanager
def asked_by_me(runtime: Runtime) -> Iterator[list[str]]:
    """The statements that this task executes for the block's length; those of the loops beside it are their own."""
    asked: list[str] = []
    mine = asyncio.current_task()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if asyncio.current_task() is mine:
            asked.append(statement)

    databases = {id(each): each for each in (runtime.register, runtime.checks)}.values()
    engines = [each._engine for each in databases]  # type: ignore[attr-defined]  # both engines have one
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield asked
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
