"""The stream of notices as server-sent events; each officer gets only the notices meant for them."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.admission.guard import runtime_of
from app.access.domain import PERSON_ROLES
from app.actor import Actor
from app.alerting.notices.domain import frame
from app.alerting.notices.service import read_missed
from app.alerting.notices.tail import notice_tail_of
from app.alerting.streams.serving import Begun, Feed, serve


async def stream_notices(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one officer's stream of notices, at the ASGI level, until the client or the server closes it.

    Raises:
        CekalError: the stream is refused before its answer begins (`serve`).
    """
    tail = notice_tail_of(scope)
    await serve(scope, receive, send, Feed(tail.hub, PERSON_ROLES, _begin))


async def _begin(request: Request, actor: Actor, after: str | None) -> Begun:
    """Return the notices after a cursor, or without a cursor those of the last day.

    Raises:
        Invalid: the text is not a cursor.
        CursorGone: the cursor is of another epoch.
    """
    async with runtime_of(request).reading(actor) as reader:
        current, missed = await read_missed(reader, actor, after, request.url.path)
    return Begun(b"".join(frame(notice, current) for notice in missed), current.size, current)
