"""Inserts of many rows without SQLAlchemy's cost per row.

SQLAlchemy processes the parameters of each row, which costs as much as the insert itself. Here each statement is
composed once, and the driver receives plain tuples.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import Table
from sqlalchemy.engine import Dialect

from app.db.unit import Unit

_Row = tuple[Any, ...]
_Conversion = tuple[int, Callable[[Any], Any]]

_TYPES: dict[type, str] = {
    str: "text",
    int: "bigint",
    bool: "boolean",
    bytes: "bytea",
    date: "date",
    datetime: "timestamptz",
}
"""For each Python type of a column, PostgreSQL's type, which reads the text that JSON has of it."""

_encode = msgspec.json.Encoder().encode


class BulkInsert:
    """An insert of complete rows into one or more tables.

    On PostgreSQL one statement inserts all rows, in one round trip. Its parameters are JSON texts, one for each table.
    Inserts of single rows cost the server several times as much, and arrays of columns cost the driver a third more.

    Args:
        tables: each table with the names of its rows' columns, in order.
    """

    def __init__(self, *tables: tuple[Table, Sequence[str]]) -> None:
        self._tables = tables
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
            self._together = self._compose(unit.connection.dialect)
        texts = [_as_json(names, own) for (_, names), own in zip(self._tables, rows, strict=True)]
        await unit.connection.fetch(self._together, texts)

    async def _run_singly(self, unit: Unit, rows: Sequence[Sequence[_Row]]) -> None:
        if not self._singly:
            dialect = unit.connection.dialect
            self._singly = [_prepared(dialect, table, names) for table, names in self._tables]
        for (statement, conversions), own in zip(self._singly, rows, strict=True):
            if own:
                await unit.connection.exec_driver_sql(statement, _converted(own, conversions))

    def _compose(self, dialect: Dialect) -> str:
        """Compose PostgreSQL's statement: the last table's insert, after a `WITH` clause with the other inserts."""
        inserts: list[str] = []
        for number, (table, plain) in enumerate(self._tables, 1):
            names = _quoted(dialect, plain)
            kinds = [_TYPES[table.c[name].type.python_type] for name in plain]
            typed = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
            listed = ", ".join(names)
            rows = f"json_to_recordset(${number}::text::json) AS row ({typed})"
            inserts.append(f"INSERT INTO {table.name} ({listed}) SELECT {listed} FROM {rows}")  # noqa: S608 - names of ours
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


def _converted(rows: Sequence[_Row], conversions: Sequence[_Conversion]) -> list[_Row]:
    """Return rows with the values that SQLite stores; most rows have none to convert."""
    if not conversions:
        return list(rows)
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for position, convert in conversions:
        columns[position] = map(convert, columns[position])
    return list(zip(*columns, strict=True))


def _quoted(dialect: Dialect, names: Sequence[str]) -> list[str]:
    """Return column names, quoted where a name is a reserved word of the engine."""
    return [dialect.identifier_preparer.quote(name) for name in names]


def _as_json(names: Sequence[str], rows: Sequence[_Row]) -> str:
    """Return rows as a JSON list of objects; bytes as `bytea` reads them, in hexadecimal digits."""
    return _encode(
        [
            {
                name: f"\\x{bytes(value).hex()}"
                if isinstance(value, bytes | bytearray | memoryview)
                else value
                for name, value in zip(names, row, strict=True)
            }
            for row in rows
        ]
    ).decode()
