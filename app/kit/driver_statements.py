"""Statements in the syntax of a database's driver, to hand to a process that has no SQLAlchemy."""

from collections.abc import Mapping
from typing import Any

import msgspec


class DriverStatement(msgspec.Struct):
    """An SQL statement with positional parameters, in the syntax of a database's driver.

    Attributes:
        text: the statement.
        names: the name of each parameter, in the order of its positions in the statement.
        fixed: the values of the parameters that are the same at each run, by name.
    """

    text: str
    names: list[str]
    fixed: dict[str, str | int]

    def arguments(self, asked: Mapping[str, Any]) -> list[Any]:
        """Return the values of all parameters for one run, in the order of `names`.

        `asked` has, by name, the value of each parameter that is not fixed; other members are ignored.

        Raises:
            KeyError: `asked` lacks the value of a parameter.
        """
        return [self.fixed[name] if name in self.fixed else asked[name] for name in self.names]
