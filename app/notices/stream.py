"""The officers' alert stream: notices as server-sent events, each officer getting only what is meant for them."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.domain import PERSON_ROLES
from app.access.guard import runtime_of
from app.alerts.stream import Feed, serve
from app.db.unit import Actor
from app.notices.domain import frame
from app.notices.service import missed_by
from app.notices.tail import NoticeTail


async def stream_notices(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one officer's stream until it is closed by either side."""
    tail: NoticeTail = scope["app"].state.notice_tail
    await serve(scope, receive, send, Feed(tail.hub, PERSON_ROLES, _begin, tail.heartbeat))


async def _begin(request: Request, actor: Actor, after: str | None) -> tuple[bytes, int]:
    """The notices behind a cursor, or without one those of the last day, as frames, and how far they reach.

    Raises:
        Invalid, CursorGone: as `missed_by`.
    """
    async with runtime_of(request).reading(actor) as reader:
        here, missed = await missed_by(reader, actor, after)
    return b"".join(frame(notice, here) for notice in missed), here.size
