"""Reading the ledger, or what is numbered like it, page by page, waiting for news: the pull twin of every stream."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Protocol, TypeVar

from fastapi import Query, Request

from app.access.guard import admit, allow, gate_of, runtime_of
from app.db.unit import Actor, Reader
from app.kit.bell import heard
from app.ledger.domain import Head
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

    @property
    def head(self) -> Head:
        """Where what is numbered ended when the page was read."""


class Followed(Protocol):
    """What reads on in this process, for all who wait here; it rings the process's bell when it has."""

    @property
    def head(self) -> Head | None:
        """The end as last read."""


P = TypeVar("P", bound=Paged)


async def read_waiting(
    request: Request,
    actor: Actor,
    wait: float,
    read: Callable[[Reader], Awaitable[P]],
    followed: Followed,
    *,
    alerts_only: bool = False,
) -> P:
    """A page, waiting for its first record for up to `wait` seconds.

    Who waits holds no transaction and opens none: the page is read again once the process itself has read further, and
    at the end. The key is looked at anew when anything about keys has changed, so that a revoked one ends the poll.

    Args:
        request: the poll.
        actor: who polls.
        wait: seconds.
        read: reads the page, in a transaction of its own each time.
        followed: what reads on in this process.
        alerts_only: whether records that are no alerts are no news.

    Raises:
        Unauthenticated: the key was revoked, or expired, meanwhile.
        Invalid, CursorGone: as `read`.
    """
    runtime, gate = runtime_of(request), gate_of(request)
    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while True:
        allow(request, 0)
        async with runtime.reading(actor) as reader:
            page = await read(reader)
        if page.records or loop.time() >= until or runtime.closing:
            return page
        seen = page.head
        allow(request, until - loop.time())
        while (left := until - loop.time()) > 0 and not runtime.closing:
            rung = runtime.bell.listen()
            expired = actor.expires_at is not None and actor.expires_at <= runtime.clock()
            if expired or gate.version != request.state.access_version:
                await admit(request)
            here = followed.head
            if here is not None and (
                here.last_alert > seen.last_alert if alerts_only else here.size > seen.size
            ):
                break
            await heard(rung, min(left, _ROUND_SECONDS))


async def read_ledger(request: Request, actor: Actor, after: str | None, limit: int, wait: float) -> Page:
    """A page of the ledger, waiting for its first record for up to `wait` seconds.

    Raises:
        Unauthenticated, Invalid, CursorGone: as `read_waiting` and `read_page`.
    """
    return await read_waiting(
        request, actor, wait, lambda reader: read_page(reader, after, limit), request.app.state.tail
    )
