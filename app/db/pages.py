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
    """Return rows for which `exclude` returns False, ordered by id; read page after page until there are enough.

    All such rows of the pages that were read are returned, so there may be more than `limit`. There are fewer only if
    the last page was read.

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
