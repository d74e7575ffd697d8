"""The stream of alerts as server-sent events (API section 4)."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.admission.guard import runtime_of
from app.access.domain import Role
from app.actor import Actor
from app.alerting.alerts.arrivals import Channel
from app.alerting.alerts.rendering import at_gate, frame
from app.alerting.alerts.store import still_holding
from app.alerting.alerts.tail import tail_of
from app.alerting.streams.hub import hub_in
from app.alerting.streams.serving import Begun, Feed, serve
from app.ledger.service import head, list_after

_PAGE = 500


async def stream_alerts(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one stream of alerts until the client or the server closes it."""
    feed = Feed(hub_in(scope), frozenset({Role.CHECKPOINT}), _begin_alerts)
    await serve(scope, receive, send, feed)


async def _begin_alerts(request: Request, actor: Actor, after: str | None) -> Begun:
    """Return the alerts after a cursor, or without a cursor all alerts that still hold.

    Alerts after a cursor that have ended since then show no identity.

    Raises:
        Invalid, CursorGone: as `Head.position`.
    """
    tail_of(request).arrivals.note(actor, Channel.STREAM)
    if not after:
        return Begun(*await tail_of(request).open_alerts(to_gate=at_gate(actor)))
    async with runtime_of(request).reading(actor) as reader:
        current = await head(reader)
        position = current.position(after, request.url.path)
        frames = []
        while True:
            records = await list_after(reader, position, _PAGE, alerts_only=True)
            holding = await still_holding(reader, records)
            frames += [
                frame(record, current.epoch, to_gate=at_gate(actor), holding=holding) or b""
                for record in records
            ]
            if records:
                position = records[-1].sequence
            if len(records) < _PAGE:
                return Begun(b"".join(frames), position, current)
