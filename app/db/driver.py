"""Compiles statements into the syntax of a driver."""

from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import Dialect

from app.kit.driver_statements import DriverStatement


def for_driver(statement: Select[Any], dialect: Dialect) -> DriverStatement:
    """Return a statement in the syntax of a dialect's driver, to be run without SQLAlchemy.

    Values that the statement contains are kept in the result (`fixed`). Values of parameters made by `bindparam`
    without a value must be given to `DriverStatement.arguments` at each run. All values must be texts or numbers,
    because they are given to the driver unchanged.
    """
    compiled = statement.compile(dialect=dialect)
    asked = [name for name, bound in compiled.binds.items() if bound.required]
    expanded = compiled.construct_expanded_state(dict.fromkeys(asked), escape_names=False)
    names = list(expanded.positiontup or ())
    fixed = {name: expanded.parameters[name] for name in names if name not in asked}
    return DriverStatement(text=expanded.statement, names=names, fixed=fixed)
