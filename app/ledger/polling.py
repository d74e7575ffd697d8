"""Reading the ledger, or what is numbered like it, page by page, waiting for news: the pull twin of every stream."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Protocol, TypeVar

from fastapi import Query, Request

from app.access.guard import admit, runtime_of
from app.db.unit import Actor, Reader
from app.kit.bell import heard
from app.ledger.service import Page, read_page

LONGEST_WAIT = 30.0
_ROUND_SECONDS = 1.0

After = Annotated[str | None, Query(max_length=100, description="A cursor; without it from the beginning.")]
Wait = Annotated[
    float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for news when there are none.")
]
PageLimit = Annotated[int, Query(ge=1, le=500, description="How many items at most.")]


class Paged(Protocol):
    """A page of something that is numbered."""

    @property
    def records(self) -> Sequence[object]:
        """What is on it."""


P = TypeVar("P", bound=Paged)


async def read_waiting(
    request: Request, actor: Actor, wait: float, read: Callable[[Reader], Awaitable[P]]
) -> P:
    """A page, waiting for its first record for up to `wait` seconds.

    After each wake-up, and once a second, the key is looked at anew, so that a revoked one ends the poll.

    Args:
        request: the poll.
        actor: who polls.
        wait: seconds.
        read: reads the page, in a transaction of its own each time.

    Raises:
        Unauthenticated: the key was revoked, or expired, meanwhile.
        Invalid, CursorGone: as `read`.
    """
    runtime = runtime_of(request)
    until = asyncio.get_running_loop().time() + wait
    while True:
        rung = runtime.bell.listen()
        async with runtime.reading(actor) as reader:
            page = await read(reader)
        left = until - asyncio.get_running_loop().time()
        if page.records or left <= 0 or runtime.closing:
            return page
        await heard(rung, min(left, _ROUND_SECONDS))
        await admit(request)


async def read_ledger(
    request: Request, actor: Actor, after: str | None, limit: int, wait: float, *, alerts_only: bool = False
) -> Page:
    """A page of the ledger, waiting for its first record for up to `wait` seconds.

    Raises:
        Unauthenticated, Invalid, CursorGone: as `read_waiting` and `read_page`.
    """
    return await read_waiting(
        request, actor, wait, lambda reader: read_page(reader, after, limit, alerts_only=alerts_only)
    )
