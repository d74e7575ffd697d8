"""Compiles statements into the syntax of a driver, and executes them without SQLAlchemy's cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Select
from sqlalchemy.engine import Dialect

from app.db.unit import Reader
from app.kit.driver_statements import DriverStatement

Statement = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


class DriverSelect:
    """A SELECT that PostgreSQL's driver executes itself, since SQLAlchemy would take four times the driver's time.

    On SQLite, SQLAlchemy executes the statement.

    Args:
        statement: the statement; its result's values are used as the driver gives them (instants are in UTC).
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._compiled: DriverStatement | None = None

    async def run(self, reader: Reader, values: Mapping[str, Any]) -> Sequence[Any]:
        """Execute the statement with these values of its bound parameters, by name. Returns its rows.

        Several values for one parameter must be a Python list; the driver takes no other sequence.
        """
        if reader.is_sqlite:  # it has types of its own for lists and instants
            return (await reader.run(self._statement, values)).all()
        if self._compiled is None:
            self._compiled = for_driver(self._statement, reader.connection.dialect)
        return await reader.connection.fetch(self._compiled.text, self._compiled.arguments(values))


def for_driver(statement: Statement, dialect: Dialect) -> DriverStatement:
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
