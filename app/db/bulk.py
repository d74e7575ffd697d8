"""Inserting many rows of one table at the driver's own speed.

SQLAlchemy prepares the parameters of each row anew, which costs as much as the insert itself; here the statement
and the columns' conversions are worked out once, and the driver gets plain tuples.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table, insert

from app.db.unit import Unit

_Convert = Callable[[Any], Any]


class BulkInsert:
    """The insert of whole rows into a table; each row gives a value for every column."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._names = [column.name for column in table.columns]
        self._prepared: dict[str, tuple[str, list[tuple[str, _Convert]]]] = {}

    async def run(self, unit: Unit, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows; none of them is kept when one is refused."""
        dialect = unit.connection.dialect
        if dialect.name not in self._prepared:
            self._prepared[dialect.name] = self._prepare(dialect)
        statement, conversions = self._prepared[dialect.name]
        if conversions:
            rows = [{**row, **{name: convert(row[name]) for name, convert in conversions}} for row in rows]
        names = self._names
        await unit.connection.exec_driver_sql(
            statement, [tuple([row[name] for name in names]) for row in rows]
        )

    def _prepare(self, dialect: Any) -> tuple[str, list[tuple[str, _Convert]]]:
        compiled = insert(self._table).compile(dialect=dialect, column_keys=self._names)
        conversions: list[tuple[str, _Convert]] = []
        for column in self._table.columns:
            convert = column.type.dialect_impl(dialect).bind_processor(dialect)
            if convert is not None:
                conversions.append((column.name, convert))
        return str(compiled), conversions
