"""The stream of alerts as server-sent events (API section 4)."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.domain import Role
from app.actor import Actor
from app.alerting.alerts.arrivals import Transport
from app.alerting.alerts.rendering import at_gate
from app.alerting.alerts.tail import tail_of
from app.alerting.streams.hub import hub_in
from app.alerting.streams.serving import Begun, Feed, serve


async def stream_alerts(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one stream of alerts, at the ASGI level, until the client or the server closes it.

    Raises:
        CekalError: the stream is refused before its answer begins (`serve`).
    """
    feed = Feed(hub_in(scope), frozenset({Role.CHECKPOINT}), _begin_alerts)
    await serve(scope, receive, send, feed)


async def _begin_alerts(request: Request, actor: Actor, after: str | None) -> Begun:
    """Return the alerts after a cursor, or without a cursor all alerts that still hold.

    Alerts after a cursor that have ended since then show no identity.

    Raises:
        Invalid: the text is not a cursor.
        CursorGone: the cursor is of another register or epoch, or beyond the head.
    """
    tail, to_gate = tail_of(request), at_gate(actor)
    tail.arrivals.note(actor, Transport.STREAM)
    assert tail.head is not None, "the tail starts before any request"
    if not after:
        return Begun(*await tail.open_alerts.read(tail.head, to_gate=to_gate))
    return Begun(*await tail.missed_alerts.read(after, request.url.path, tail.head, to_gate=to_gate))
