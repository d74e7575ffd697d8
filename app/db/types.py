"""Column types and expressions with the same meaning on SQLite and PostgreSQL."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, DateTime, MetaData, String, Text, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.kit.clock import rfc3339

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""The register's tables."""

checks_metadata = MetaData(naming_convention=metadata.naming_convention)
"""The tables of checks; they grow without end, so on SQLite they are in a separate file."""


Id = String(40).with_variant(String(40, collation="C"), "postgresql")
"""An id or code, compared byte by byte, so that ids sort by the time of their creation."""

Key = String(200).with_variant(String(200, collation="C"), "postgresql")
"""A search key, compared byte by byte."""


def _instant_of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)  # its "Z" is read as UTC


def _instant_in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime: `timestamptz` on PostgreSQL, fixed-width RFC 3339 text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """The Python type of the column's values."""
        return datetime

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type of the column on this engine."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return an aware datetime in the form that the engine stores; None for None.

        Raises:
            ValueError: the datetime has no offset.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime is no instant")
        return rfc3339(value) if dialect.name == "sqlite" else value

    def result_processor(self, dialect: Dialect, _coltype: object) -> Callable[[Any], datetime | None]:
        """Return the function that converts a stored value to an aware UTC datetime, and NULL to None.

        The function that SQLAlchemy makes by default would call two more for each value, and rows have many values.
        """
        return _instant_of_text if dialect.name == "sqlite" else _instant_in_utc


class _List(TypeDecorator[list[Any]]):
    """The type of a list as one parameter: an array on PostgreSQL, a JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: type[TypeEngine[Any]]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the parameter's type on this engine."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(self.item))

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> Any:
        """Convert the list for the driver."""
        if value is None:
            return None
        return json.dumps(value) if dialect.name == "sqlite" else list(value)


class _AnyOf(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()
    _is_implicitly_boolean = True


@compiles(_AnyOf)
def _any_of_array(element: _AnyOf, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, values = element.clauses
    return f"{compiler.process(column, **kwargs)} = ANY ({compiler.process(values, **kwargs)})"


@compiles(_AnyOf, "sqlite")
def _any_of_json(element: _AnyOf, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, values = element.clauses
    inner = f"SELECT value FROM json_each({compiler.process(values, **kwargs)})"  # noqa: S608 - compiled from expressions, nothing typed
    return f"{compiler.process(column, **kwargs)} IN ({inner})"


def any_of(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the SQL condition that a column of texts or `BigInteger`s is in the list bound to the parameter `name`.

    Unlike `in_()`, the statement is the same for lists of any length, so it is compiled and prepared once.
    """
    item = BigInteger if isinstance(column.type, BigInteger) else Text
    return _AnyOf(column, bindparam(name, type_=_List(item)))


class _AnyPairOf(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()
    _is_implicitly_boolean = True


@compiles(_AnyPairOf)
def _any_pair_of(element: _AnyPairOf, compiler: SQLCompiler, **kwargs: Any) -> str:
    one, other, pairs = (compiler.process(clause, **kwargs) for clause in element.clauses)
    inner = f"SELECT (value->>0)::bigint, (value->>1)::bigint FROM json_array_elements({pairs}::json)"  # noqa: S608 - as above
    return f"({one}, {other}) IN ({inner})"


@compiles(_AnyPairOf, "sqlite")
def _any_pair_of_json(element: _AnyPairOf, compiler: SQLCompiler, **kwargs: Any) -> str:
    one, other, pairs = (compiler.process(clause, **kwargs) for clause in element.clauses)
    inner = f"SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each({pairs})"  # noqa: S608 - as above
    return f"({one}, {other}) IN ({inner})"


class _Pairs(TypeDecorator[list[tuple[int, int]]]):
    """The type of a list of pairs of integers as one parameter: a JSON text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[tuple[int, int]] | None, _dialect: Dialect) -> str:
        """Convert the list to JSON."""
        return json.dumps(value)


def any_pair_of(one: ColumnElement[int], other: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Return the SQL condition that the values of two columns of integers, together, are one of the pairs of a list.

    The list is the value of the bound parameter `name`: pairs of a value of `one` and a value of `other`.
    """
    return _AnyPairOf(one, other, bindparam(name, type_=_Pairs))


class InstantText(FunctionElement[str]):
    """An instant as RFC 3339 text in UTC with microseconds and `Z`, the same on both engines, made by the database."""

    inherit_cache = True
    type = Text()


@compiles(InstantText)
def _instant_text(element: InstantText, compiler: SQLCompiler, **kwargs: Any) -> str:
    [column] = element.clauses
    shape = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
    return f"to_char(timezone('UTC', {compiler.process(column, **kwargs)}), {shape})"


@compiles(InstantText, "sqlite")
def _stored_text(element: InstantText, compiler: SQLCompiler, **kwargs: Any) -> str:
    [column] = element.clauses
    return compiler.process(column, **kwargs)  # stored in this form
