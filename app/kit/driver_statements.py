"""Statements in the syntax of a database's driver, to hand to a process that has no SQLAlchemy."""

from collections.abc import Mapping
from typing import Any

import msgspec


class DriverStatement(msgspec.Struct):
    """A statement with positional parameters.

    Attributes:
        text: the statement.
        names: the name of each parameter, in order.
        fixed: values of parameters that are always the same, by name.
    """

    text: str
    names: list[str]
    fixed: dict[str, str | int]

    def arguments(self, asked: Mapping[str, Any]) -> list[Any]:
        """Return the values of all parameters in order; `asked` has those that are not fixed, and may have others.

        Raises:
            KeyError: one is missing.
        """
        return [self.fixed[name] if name in self.fixed else asked[name] for name in self.names]
