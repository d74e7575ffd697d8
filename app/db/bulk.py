"""Inserts of many rows without SQLAlchemy's cost per row.

SQLAlchemy processes the parameters of each row, which costs as much as the insert itself. Here each statement is
composed once, and the driver receives plain tuples.
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
"""For each Python type of a column: PostgreSQL's type, and the function that formats a value as text (None: as is)."""


class BulkInsert:
    """An insert of complete rows into one or more tables.

    On PostgreSQL one statement takes each column of all tables as an array: one round trip, and a fraction of the
    server's work for single rows. The arrays contain texts, because for any other array type asyncpg first queries
    the server for its definition, which takes 15 ms on each new connection.

    Args:
        tables: each table with the names of its rows' columns, in order.
    """

    def __init__(self, *tables: tuple[Table, Sequence[str]]) -> None:
        self._tables = tables
        self._types: list[list[_AsText]] = []
        self._together = ""
        self._singly: list[tuple[str, list[_Conversion]]] = []

    async def run(self, unit: Unit, *rows: Sequence[_Row]) -> None:
        """Insert rows, one sequence for each table, in the order of the tables.

        Raises:
            DBAPIError: an insert failed, for example on a unique column; the caller must not commit the transaction.
        """
        if unit.is_sqlite:
            await self._run_singly(unit, rows)
            return
        if not self._together:
            self._types = [[_as_text(table, name) for name in names] for table, names in self._tables]
            self._together = self._compose(unit.connection.dialect)
        columns = [column for each in zip(self._types, rows, strict=True) for column in _as_texts(*each)]
        await unit.connection.fetch(self._together, columns)

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
        """Compose PostgreSQL's statement: the last table's insert, after a `WITH` clause with the other inserts."""
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
    """Return SQLite's statement, and the conversion functions of the columns that need one, by position."""
    processors = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    conversions: list[_Conversion] = [(at, act) for at, act in enumerate(processors) if act is not None]
    values = ", ".join("?" * len(names))
    listed = ", ".join(_quoted(dialect, names))
    return f"INSERT INTO {table.name} ({listed}) VALUES ({values})", conversions  # noqa: S608 - names of ours


def _quoted(dialect: Dialect, names: Sequence[str]) -> list[str]:
    """Return column names, quoted where a name is a reserved word of the engine."""
    return [dialect.identifier_preparer.quote(name) for name in names]


def _as_text(table: Table, name: str) -> _AsText:
    return _AS_TEXT[table.c[name].type.python_type]


def _as_texts(types: Sequence[_AsText], rows: Sequence[_Row]) -> list[Sequence[str | None]]:
    """Turn rows into columns of texts."""
    columns = zip(*rows, strict=True) if rows else [()] * len(types)
    return [
        column if write is None else [None if value is None else write(value) for value in column]
        for (_, write), column in zip(types, columns, strict=True)
    ]
