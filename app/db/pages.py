"""Reads page after page: where the next page begins, and filtered reads that go on until enough rows match."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, true, tuple_

Position = tuple[datetime, str]
"""The instant and the id of a row, for rows that are read in the order of both."""


def follows(after: Sequence[Any] | None, *order: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the SQL condition that a row comes after a position in the order of some columns.

    `after` has the values of these columns at the position. With None, for the first page, the condition is true.
    """
    return true() if after is None else tuple_(*order) > tuple_(*after, types=[each.type for each in order])


class _Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Named)


async def first_of(
    read: Callable[[str], Awaitable[Sequence[T]]], limit: int, exclude: Callable[[T], bool]
) -> list[T]:
    """Return at least `limit` rows for which `exclude` returns False, ordered by id; read as many pages as that takes.

    All such rows of the pages that were read are returned, so there may be more than `limit`. There are fewer only if
    no further pages exist.

    Args:
        read: returns a page: the first `limit` rows after an id ("" for the first page), ordered by id.
        limit: the number of rows that suffices; also the size of a page.
        exclude: returns whether a row is left out.
    """
    found: list[T] = []
    after = ""
    while len(found) < limit:
        page = await read(after)
        found += [row for row in page if not exclude(row)]
        if len(page) < limit:
            break
        after = page[-1].id
    return found
