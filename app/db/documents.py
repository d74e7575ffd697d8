"""Values that are kept whole, as JSON in one column beside those by which they are found (decision 0003)."""

from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import Executable

from app.db.unit import Reader

T = TypeVar("T", bound=msgspec.Struct)

_encode = msgspec.json.Encoder().encode


def document(value: msgspec.Struct) -> str:
    """A value as its column holds it."""
    return _encode(value).decode()


class Documents(Generic[T]):
    """Reads values of one kind: whatever a statement's first column is the document of.

    Args:
        kind: the values' class.
    """

    def __init__(self, kind: type[T]) -> None:
        self.read = msgspec.json.Decoder(kind).decode

    async def one(self, reader: Reader, statement: Executable, parameters: Any = None) -> T | None:
        """The value that a statement finds; None where it finds none."""
        found = (await reader.run(statement, parameters)).scalar_one_or_none()
        return None if found is None else self.read(found)

    async def all(self, reader: Reader, statement: Executable, parameters: Any = None) -> list[T]:
        """Every value that a statement finds, in its order."""
        return [self.read(found) for found in (await reader.run(statement, parameters)).scalars()]
