"""What a request asks of the databases."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from app.db import postgresql, sqlite
from app.runtime import Runtime


@contextmanager
def executing(runtime: Runtime, note: Callable[[str], None]) -> Iterator[None]:
    """Call `note` with each statement before it is executed, for the block's length; by SQLAlchemy or by the driver."""
    engines = [each._engine for each in databases_of(runtime)]
    by_cursor = postgresql._fetch
    by_line = {each: each.fetch for each in (postgresql._Committed, sqlite._Direct)}

    def noting(fetch: Callable[..., Any]) -> Any:
        def fetched(connection: Any, statement: str, arguments: Sequence[Any]) -> Any:
            note(statement)
            return fetch(connection, statement, arguments)

        return fetched

    def executed(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        note(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", executed)
    postgresql._fetch = noting(by_cursor)
    for kind, fetch in by_line.items():
        kind.fetch = noting(fetch)  # type: ignore[method-assign]
    try:
        yield
    finally:
        postgresql._fetch = by_cursor
        for kind, fetch in by_line.items():
            kind.fetch = fetch  # type: ignore[method-assign]
        for engine in engines:
            event.remove(engine, "before_cursor_execute", executed)


def databases_of(runtime: Runtime) -> list[Any]:
    """The databases of a process, each once."""
    return list({id(each): each for each in (runtime.register, runtime.checks)}.values())


@contextmanager
def asked_by_me(runtime: Runtime) -> Iterator[list[str]]:
    """The statements that this task executes for the block's length; those of the loops beside it are their own."""
    asked: list[str] = []
    mine = asyncio.current_task()

    def note(statement: str) -> None:
        if asyncio.current_task() is mine:
            asked.append(statement)

    with executing(runtime, note):
        yield asked
