"""Values stored as JSON in one column, next to the columns that index them (decision 0003)."""

from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Executable

from app.db.unit import Reader

T = TypeVar("T", bound=msgspec.Struct)

_encode = msgspec.json.Encoder().encode


def document(value: msgspec.Struct) -> str:
    """Encode a value as JSON for its column."""
    return _encode(value).decode()


class Documents(Generic[T]):
    """Decodes values of one class from the first column of a statement's rows.

    Args:
        kind: the values' class.
    """

    def __init__(self, kind: type[T]) -> None:
        self.read = msgspec.json.Decoder(kind).decode

    async def one(self, reader: Reader, statement: Executable, parameters: Any = None) -> T | None:
        """Return the value in the statement's only row, or None without a row; `parameters` has the bound values.

        Raises:
            MultipleResultsFound: the statement gives several rows.
        """
        found = (await reader.run(statement, parameters)).scalar_one_or_none()
        return None if found is None else self.read(found)

    async def all(self, reader: Reader, statement: Executable, parameters: Any = None) -> list[T]:
        """Return the value in each row of a statement that selects the document column, in the statement's order.

        `parameters` has the bound values.
        """
        return [self.read(found) for found in (await reader.run(statement, parameters)).scalars()]
