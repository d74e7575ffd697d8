"""Compiles statements into the syntax of a driver."""

from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import Dialect

from app.kit.driver_statements import DriverStatement


def for_driver(statement: Select[Any], dialect: Dialect) -> DriverStatement:
    """Return a statement in the syntax of a dialect's driver.

    Parameters with values in the statement are fixed. Those made by `bindparam` without a value must be given to
    `DriverStatement.arguments`. Values go to the driver as they are, so all of them must be texts or numbers.
    """
    compiled = statement.compile(dialect=dialect)
    asked = [name for name, bound in compiled.binds.items() if bound.required]
    expanded = compiled.construct_expanded_state(dict.fromkeys(asked), escape_names=False)
    names = list(expanded.positiontup or ())
    fixed = {name: expanded.parameters[name] for name in names if name not in asked}
    return DriverStatement(text=expanded.statement, names=names, fixed=fixed)
