"""Compiles statements into the syntax of a driver, and executes them without SQLAlchemy's cost."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import CompoundSelect, Select, UpdateBase
from sqlalchemy.engine import Dialect

from app.db.database import Connection
from app.db.unit import Reader
from app.kit.driver_statements import DriverStatement

Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]

_NO_VALUES: Final[Mapping[str, Any]] = MappingProxyType({})


class CompiledStatement:
    """A statement that is compiled once, and that the driver executes itself: SQLAlchemy takes four times as long.

    Args:
        statement: a SELECT, INSERT or UPDATE. The driver of PostgreSQL takes and gives all values as they are (instants
            are in UTC); on SQLite they are converted as the columns' types say.
    """

    def __init__(self, statement: Statement | UpdateBase) -> None:
        self._statement = statement
        self._for_postgresql: DriverStatement | None = None
        self._for_sqlite: _ConvertingStatement | None = None

    async def run(self, reader: Reader, values: Mapping[str, Any] = _NO_VALUES) -> Sequence[Any]:
        """Execute the statement with these values of its bound parameters, by name. Returns its rows.

        Several values for one parameter must be a Python list; the driver takes no other sequence. A row has its values
        by position; a statement without rows returns none.
        """
        connection = reader.connection
        if reader.is_sqlite:
            if self._for_sqlite is None:
                self._for_sqlite = _ConvertingStatement(self._statement, connection.dialect)
            return await self._for_sqlite.run(connection, values)
        if self._for_postgresql is None:
            self._for_postgresql = for_driver(self._statement, connection.dialect)
        return await connection.fetch(self._for_postgresql.text, self._for_postgresql.arguments(values))


class _ConvertingStatement:
    """A statement for SQLite's driver, with the conversions of its parameters and of its rows' values."""

    def __init__(self, statement: Statement | UpdateBase, dialect: Dialect) -> None:
        self._compiled = for_driver(statement, dialect)
        types = {name: bound.type for name, bound in statement.compile(dialect=dialect).binds.items()}
        self._of_parameters = {
            name: convert
            for name in self._compiled.names
            if name not in self._compiled.fixed
            and (convert := types[name].dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        self._of_columns = [
            (position, convert)
            for position, column in enumerate(statement.exported_columns)
            if (convert := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
        ]

    async def run(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Execute the statement on a connection with these values by name. Returns its rows as sequences of values."""
        converted = {name: convert(values[name]) for name, convert in self._of_parameters.items()}
        rows = await connection.fetch(self._compiled.text, self._compiled.arguments({**values, **converted}))
        return [self._converted(row) for row in rows] if self._of_columns else rows

    def _converted(self, row: Sequence[Any]) -> Sequence[Any]:
        values = list(row)
        for position, convert in self._of_columns:
            values[position] = convert(values[position])
        return values


def for_driver(statement: Statement | UpdateBase, dialect: Dialect) -> DriverStatement:
    """Return a statement in the syntax of a dialect's driver, to be run without SQLAlchemy.

    Values that the statement contains are kept in the result (`fixed`). Values of parameters made by `bindparam`
    without a value must be given to `DriverStatement.arguments` at each run. All values must be texts, numbers or lists
    of these, because they are given to the driver unchanged.
    """
    compiled = statement.compile(dialect=dialect)
    asked = [name for name, bound in compiled.binds.items() if bound.required]
    expanded = compiled.construct_expanded_state(dict.fromkeys(asked), escape_names=False)
    names = list(expanded.positiontup or ())
    fixed = {name: expanded.parameters[name] for name in names if name not in asked}
    return DriverStatement(text=expanded.statement, names=names, fixed=fixed)
