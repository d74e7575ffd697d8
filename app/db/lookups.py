"""Look-ups by lists of values that are made for every check, without SQLAlchemy's cost of each execution on SQLite.

SQLAlchemy processes a statement's parameters and rows in Python, and SQLite reads a list that is one parameter from a
JSON text. Both take longer than the search itself. Here a statement with a place for each value is composed once for
each length of its lists, and the driver receives the values as they are. On PostgreSQL a list is an array.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, bindparam
from sqlalchemy.engine import Dialect

from app.db.driver import CompiledStatement, Statement
from app.db.types import any_of
from app.db.unit import Reader

MOST_VALUES: Final = 4096
"""Greatest number of values of a list in one execution on SQLite, which allows 32,766 in all; a longer list takes
several."""

Among = Callable[[ColumnElement[Any], str], ColumnElement[bool]]
"""A function of a column and the name of a list; it returns the SQL condition that the column's value is in the list.
"""


class LookUp:
    """A SELECT that finds rows by one or more lists of values.

    On SQLite lists of more than `MOST_VALUES` are looked up in parts. Therefore conditions on two lists must be
    joined by OR: with AND, rows whose two values are in different parts would be missed. A row whose two values are in
    different parts is returned twice.

    Args:
        compose: returns the statement. Its first argument is the function that makes each condition on a list (see
            `Among`); its second is whether the statement is for SQLite. The statement's columns are texts, integers or
            bytes, because their values are not converted.
        names: the names of the lists.
    """

    def __init__(self, compose: Callable[[Among, bool], Statement], *names: str) -> None:
        self._compose = compose
        self._names = names
        self._with_arrays = CompiledStatement(compose(any_of, False))
        self._prepared: dict[tuple[int, ...], tuple[str, tuple[int, ...]]] = {}

    async def rows(self, reader: Reader, *lists: Sequence[Any]) -> Sequence[Any]:
        """Return the rows that any value of the lists finds; `lists` has a list for each of `names`, in their order."""
        if not reader.is_sqlite:
            arrays = map(list, lists)
            return await self._with_arrays.run(reader, dict(zip(self._names, arrays, strict=True)))
        longest = max(map(len, lists))
        if longest <= MOST_VALUES:
            return await self._found(reader, lists)
        found: list[Any] = []
        for begin in range(0, longest, MOST_VALUES):
            found += await self._found(reader, [each[begin : begin + MOST_VALUES] for each in lists])
        return found

    async def _found(self, reader: Reader, lists: Sequence[Sequence[Any]]) -> Sequence[Any]:
        # A power of two, so that few statements are composed; the places without a value are NULL, which finds nothing.
        lengths = tuple(1 << max(len(each) - 1, 0).bit_length() for each in lists)
        if lengths not in self._prepared:
            self._prepared[lengths] = self._prepare(reader.connection.dialect, lengths)
        text, order = self._prepared[lengths]
        values: list[Any] = []
        for place in order:
            values += lists[place]
            values += [None] * (lengths[place] - len(lists[place]))
        return await reader.connection.fetch(text, values)

    def _prepare(self, dialect: Dialect, lengths: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
        """Compose the statement for lists of these lengths. Returns it, and the list of each of its conditions."""
        compiled = self._compose(_among, True).compile(dialect=dialect)
        asked = {name: [None] * length for name, length in zip(self._names, lengths, strict=True)}
        expanded = compiled.construct_expanded_state(asked, escape_names=False)
        list_of = {
            part: self._names.index(name)
            for name, parts in expanded.parameter_expansion.items()
            for part in parts
        }
        order: list[int] = []
        for place, values in groupby(list_of[part] for part in expanded.positiontup or ()):
            order += [place] * (len(list(values)) // lengths[place])
        return expanded.statement, tuple(order)


def _among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    values: BindParameter[Any] = bindparam(name, expanding=True)
    return column.in_(values)
