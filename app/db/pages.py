"""Reading on from page to page, until there is enough of what is wanted."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar


class _Named(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_Named)


async def first_of(
    read: Callable[[str], Awaitable[Sequence[T]]], limit: int, but: Callable[[T], bool]
) -> list[T]:
    """The first rows that are wanted, however many stand before them that are not; a page's worth or more.

    Args:
        read: gives the page behind an id, in the order of ids; at most `limit` rows.
        limit: how many are enough.
        but: whether a row is not wanted.
    """
    found: list[T] = []
    after = ""
    while len(found) < limit:
        page = await read(after)
        found += [row for row in page if not but(row)]
        if len(page) < limit:
            break
        after = page[-1].id
    return found
