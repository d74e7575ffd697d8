"""Pagination of lists by a limit and an opaque cursor, without totals and offsets."""

import base64
import binascii
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Query
from pydantic import Field

from app.errors import Fault, Invalid
from app.web.parameters import WHOLE
from app.web.wire import WireOut

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 500
_LONGEST_CURSOR = 1024

T = TypeVar("T")
R = TypeVar("R")

Limit = Annotated[
    int,
    Query(ge=1, le=LARGEST_LIMIT, description="How many items a page holds at most.", examples=[50]),
    WHOLE,
]
"""The query parameter `limit`; write `limit: Limit = DEFAULT_LIMIT`."""

Cursor = Annotated[
    str | None,
    Query(max_length=_LONGEST_CURSOR, description="Where to go on: `next_cursor` of the page before."),
]
"""The query parameter `cursor`; write `cursor: Cursor = None`."""


class Page(WireOut, Generic[T]):
    """One page of a list.

    Attributes:
        items: the page's items, in the list's order.
        next_cursor: the cursor of the next page; None on the last page.
    """

    items: list[T]
    """The items of this page, in the list's order."""
    next_cursor: Annotated[
        str | None, Field(description="Send it as `cursor` to get the next page; null on the last page.")
    ]

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Return the schema's name in the OpenAPI document: `EntryPage` for a page of `EntryOut`."""
        return "".join(each.__name__.removesuffix("Out") for each in params) + "Page"


def encode_cursor(*values: Any) -> str:
    """Return the opaque cursor for a position in a list.

    `values` are the sort keys of the page's last item, such as its id. Each must be a text, a number or a boolean:
    these keep their types in `decode_cursor`, while a date, for example, comes back as text.
    """
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).rstrip(b"=").decode()


def decode_cursor(cursor: str, *kinds: type, pointer: str = "") -> tuple[Any, ...]:
    """Return the position in a cursor: the sort keys of the last item of the page before.

    Args:
        cursor: the cursor that a client sent.
        kinds: the types that the position's values must have, in order.
        pointer: JSON pointer to the cursor, if it was in a body.

    Raises:
        Invalid: it is not a cursor of this list (fault code `cursor`).
    """
    with suppress(binascii.Error, ValueError):
        if len(cursor) <= _LONGEST_CURSOR:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            values = msgspec.json.decode(raw, type=tuple[Any, ...])
            fits = len(values) == len(kinds) and all(map(isinstance, values, kinds))
            fits = fits and not any(isinstance(value, str) and "\0" in value for value in values)
            if fits and encode_cursor(*values) == cursor:  # each position has only one encoding
                return values
    raise Invalid(
        "The cursor is not one that this list has given.",
        faults=[Fault(pointer, "cursor", "The cursor is not one that this list has given.")],
    )


def decode_last_id(cursor: str | None, *, pointer: str = "") -> str | None:
    """Return the last id (or code) of the page before, from the cursor of a list sorted by ids; None without a cursor.

    `pointer` is the JSON pointer to the cursor, if it was in a body.

    Raises:
        Invalid: it is not a cursor of this list (fault code `cursor`).
    """
    return str(decode_cursor(cursor, str, pointer=pointer)[0]) if cursor else None


def cut(
    rows: Sequence[R], limit: int, position: Callable[[R], Sequence[Any]]
) -> tuple[Sequence[R], str | None]:
    """Cut rows to a page; the store must be queried for one row more than `limit`, to detect whether more follow.

    Args:
        rows: up to `limit + 1` rows, in the list's order.
        limit: number of rows of a page.
        position: returns the sort keys of a row, of the types that `encode_cursor` takes.

    Returns:
        The page's rows, and the cursor of the next page, or None if this is the last page.
    """
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode_cursor(*position(rows[limit - 1]))
