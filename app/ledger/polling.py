"""Long polling of the ledger, or of another numbered list: the alternative to every stream for callers that poll."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Protocol, TypeVar, cast

from fastapi import Query, Request

from app.access.admission.guard import admit, allow, gate_of, runtime_of
from app.access.admission.state import quotas_in, state_of
from app.actor import Actor
from app.db.unit import Reader
from app.kit.bell import wait_for_ring
from app.ledger.domain import Head
from app.web.methods import is_head
from app.web.parameters import DECIMAL, WHOLE

LONGEST_WAIT = 30.0
_ROUND_SECONDS = 1.0

After = Annotated[str | None, Query(max_length=100, description="A cursor; without it from the beginning.")]
Wait = Annotated[
    float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for news when there are none."), DECIMAL
]
PageLimit = Annotated[int, Query(ge=1, le=500, description="How many items at most."), WHOLE]


class Paged(Protocol):
    """A page of a list whose items are numbered, such as the ledger."""

    @property
    def records(self) -> Sequence[object]:
        """The page's items."""

    @property
    def head(self) -> Head:
        """The end of the list when the page was read."""

    @property
    def more(self) -> bool:
        """Whether the list has, or may have, further items after the page."""


class Followed(Protocol):
    """What a long poll must know of the task that follows a numbered list in this process: how far it has read."""

    @property
    def head(self) -> Head | None:
        """The end of the list when this process last read it; None before the first read."""


class LedgerFollowed(Followed, Protocol):
    """What a long poll must know of the task that follows the ledger: how far it has read, and why it has stopped."""

    @property
    def rollback_reason(self) -> str | None:
        """Why the ledger is followed no more: the database was restored or replaced; None while it is followed."""


def followed_of(scope: Mapping[str, Any]) -> LedgerFollowed:
    """Return the task of this process that follows the ledger; `scope` is a request, or its ASGI scope."""
    return cast(LedgerFollowed, scope["app"].state.process.tail)


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
    """Return the page that `read` reads; if it is empty, wait for up to `wait` seconds for new items, and read again.

    No transaction is open during the wait. The wait ends early when `followed` has read new items, and when the
    database was restored. The returned page may still be empty. If keys were changed meanwhile, the caller's key is
    checked again, so that a revoked key ends the poll. A HEAD request does not wait.

    Args:
        request: the poll.
        actor: the caller.
        wait: longest wait, in seconds.
        read: function that reads the page; each call gets a new transaction. Its errors are raised unchanged.
        followed: shows when this process has read new items of the list.
        alerts_only: whether only new alerts end the wait, and no other records.

    Raises:
        Unauthenticated: the key was revoked or expired during the wait.
        Invalid, CursorGone: the cursor can't be used; raised by `read`.
    """
    runtime, gate = runtime_of(request), gate_of(request)
    loop = asyncio.get_running_loop()
    until = loop.time() + (0 if is_head(request.scope) else wait)
    while True:
        allow(request, 0)
        async with quotas_in(request).reading(actor), runtime.reading(actor) as reader:
            page = await read(reader)
        if page.records or page.more or loop.time() >= until or runtime.closing:
            return page
        seen = page.head
        allow(request, until - loop.time())
        while (left := until - loop.time()) > 0 and not runtime.closing:
            rung = runtime.bell.listen()
            expired = actor.expires_at is not None and actor.expires_at <= runtime.clock()
            if expired or gate.version != state_of(request).access_version:
                await admit(request)
            if (
                followed_of(request).rollback_reason is not None
            ):  # a poll with an invalid cursor must end at once
                until = loop.time()
            here = followed.head
            if here is not None and (
                here.last_alert > seen.last_alert if alerts_only else here.size > seen.size
            ):
                break
            await wait_for_ring(rung, min(left, _ROUND_SECONDS))
