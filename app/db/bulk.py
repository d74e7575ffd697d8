"""Inserting many rows at the driver's own speed.

SQLAlchemy prepares the parameters of each row anew, which costs as much as the insert itself; here the statements
are worked out once, and the driver gets plain tuples.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table
from sqlalchemy.engine import Dialect

from app.db.unit import Unit
from app.kit.clock import rfc3339

_Row = tuple[Any, ...]
_Conversion = tuple[int, Callable[[Any], Any]]

_AsText = tuple[str, Callable[[Any], str] | None]

_AS_TEXT: dict[type, _AsText] = {
    str: ("text", None),
    int: ("bigint", str),
    bool: ("boolean", str),
    bytes: ("bytea", lambda data: f"\\x{data.hex()}"),
    date: ("date", date.isoformat),
    datetime: ("timestamptz", rfc3339),
}
"""PostgreSQL's type for each Python type that a column may hold, and how its values are written as text."""


class BulkInsert:
    """The insert of whole rows into one or more tables.

    On PostgreSQL it is one statement that takes each column as an array, for all tables together: one exchange
    with the server, and a fraction of the work that it has with rows one by one. The arrays are of texts, because
    for any other asyncpg first asks the server what that is, fifteen milliseconds on each new connection.

    Args:
        tables: each table with the names of the columns that its rows hold, in order.
    """

    def __init__(self, *tables: tuple[Table, Sequence[str]]) -> None:
        self._tables = tables
        self._types: list[list[_AsText]] = []
        self._together = ""
        self._singly: list[tuple[str, list[_Conversion]]] = []

    async def run(self, unit: Unit, *rows: Sequence[_Row]) -> None:
        """Insert rows, a sequence for each table; of one that is refused the transaction must not be committed."""
        if unit.is_sqlite:
            await self._run_singly(unit, rows)
            return
        if not self._together:
            self._types = [[_as_text(table, name) for name in names] for table, names in self._tables]
            self._together = self._compose(unit.connection.dialect)
        columns = [column for each in zip(self._types, rows, strict=True) for column in _as_texts(*each)]
        await unit.connection.exec_driver_sql(self._together, tuple(columns))

    async def _run_singly(self, unit: Unit, rows: Sequence[Sequence[_Row]]) -> None:
        if not self._singly:
            dialect = unit.connection.dialect
            self._singly = [_prepared(dialect, table, names) for table, names in self._tables]
        for (statement, conversions), own in zip(self._singly, rows, strict=True):
            values = [list(row) for row in own]
            for position, convert in conversions:
                for row in values:
                    row[position] = convert(row[position])
            if values:
                await unit.connection.exec_driver_sql(statement, [tuple(row) for row in values])

    def _compose(self, dialect: Dialect) -> str:
        """PostgreSQL's statement: the last table's insert, the others' in front of it."""
        inserts: list[str] = []
        count = 0
        for (table, plain), types in zip(self._tables, self._types, strict=True):
            names = _quoted(dialect, plain)
            arrays = ", ".join(f"${count + at}::text[]" for at in range(1, len(names) + 1))
            values = ", ".join(f"{name}::{kind}" for name, (kind, _) in zip(names, types, strict=True))
            listed = ", ".join(names)
            inserts.append(
                f"INSERT INTO {table.name} ({listed}) SELECT {values} FROM unnest({arrays}) AS row ({listed})"  # noqa: S608 - names of ours
            )
            count += len(names)
        *others, last = inserts
        before = ", ".join(f"part_{number} AS ({other})" for number, other in enumerate(others))
        return f"WITH {before} {last}" if others else last


def _prepared(dialect: Dialect, table: Table, names: Sequence[str]) -> tuple[str, list[_Conversion]]:
    """SQLite's statement, and the conversions of the columns that need one, by position."""
    processors = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    conversions: list[_Conversion] = [(at, act) for at, act in enumerate(processors) if act is not None]
    values = ", ".join("?" * len(names))
    listed = ", ".join(_quoted(dialect, names))
    return f"INSERT INTO {table.name} ({listed}) VALUES ({values})", conversions  # noqa: S608 - names of ours


def _quoted(dialect: Dialect, names: Sequence[str]) -> list[str]:
    """Names of columns, in quotation marks where one is a word of the engine's."""
    return [dialect.identifier_preparer.quote(name) for name in names]


def _as_text(table: Table, name: str) -> _AsText:
    return _AS_TEXT[table.c[name].type.python_type]


def _as_texts(types: Sequence[_AsText], rows: Sequence[_Row]) -> list[Sequence[str | None]]:
    """Rows as columns, whose values are texts."""
    columns = zip(*rows, strict=True) if rows else [()] * len(types)
    return [
        column if write is None else [None if value is None else write(value) for value in column]
        for (_, write), column in zip(types, columns, strict=True)
    ]
