"""Values stored as JSON in one column, next to the columns that index them (decision 0003)."""

from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Executable

from app.db.unit import Reader

T = TypeVar("T", bound=msgspec.Struct)

_encode = msgspec.json.Encoder().encode


def document(value: msgspec.Struct) -> str:
    """Return a value as JSON text, for a column that stores whole objects as JSON."""
    return _encode(value).decode()


class Documents(Generic[T]):
    """Runs statements and decodes the JSON in the first column of their rows to values of one class.

    Args:
        kind: the values' class.
    """

    def __init__(self, kind: type[T]) -> None:
        self.read = msgspec.json.Decoder(kind).decode

    async def one(self, reader: Reader, statement: Executable, parameters: Any = None) -> T | None:
        """Run a statement that gives at most one row, and return its value; None without a row.

        `parameters` has the values of the statement's bound parameters by name; None without any.

        Raises:
            MultipleResultsFound: the statement gives several rows.
        """
        found = (await reader.run(statement, parameters)).scalar_one_or_none()
        return None if found is None else self.read(found)

    async def all(self, reader: Reader, statement: Executable, parameters: Any = None) -> list[T]:
        """Run a statement and return the value in each of its rows, in the statement's order.

        `parameters` has the values of the statement's bound parameters by name; None without any.
        """
        return [self.read(found) for found in (await reader.run(statement, parameters)).scalars()]
