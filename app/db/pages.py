"""Filtered reads that load page after page until enough rows match."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar


class _Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Named)


async def first_of(
    read: Callable[[str], Awaitable[Sequence[T]]], limit: int, exclude: Callable[[T], bool]
) -> list[T]:
    """Read pages until at least `limit` rows are not excluded, or no page follows.

    Returns all rows of these pages that are not excluded, so there may be more than `limit`.

    Args:
        read: returns the page of at most `limit` rows that follow an id, ordered by id.
        limit: the number of rows that suffices.
        exclude: returns whether a row is excluded.
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
