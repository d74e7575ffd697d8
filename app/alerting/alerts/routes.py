"""Routes of urgent entries and alerts: issue, read, stream, confirm, coverage (API section 4)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, Security

from app.access.admission.guard import (
    GuardedRoute,
    actor_for,
    key_scheme,
    repeat_header,
    runtime_of,
    unit_for,
    within,
)
from app.access.admission.quotas import Quota
from app.access.domain import Role
from app.actor import Actor
from app.alerting.alerts import service
from app.alerting.alerts.arrivals import Transport
from app.alerting.alerts.confirming import serve_receipt
from app.alerting.alerts.rendering import at_gate, render_alert
from app.alerting.alerts.schemas import (
    AlertEvent,
    AlertOut,
    AlertsOut,
    DrillIn,
    IssuedOut,
    ReceiptIn,
    ReceiptOut,
    UrgentEntryOut,
    UrgentPreviewOut,
)
from app.alerting.alerts.stream import stream_alerts
from app.alerting.alerts.tail import tail_of
from app.alerting.streams.hub import Hub, hub_in
from app.db.unit import Unit
from app.ledger.polling import After, PageLimit, Wait, read_waiting
from app.register.entries import urgent
from app.register.entries.bodies import UrgentEntryBody
from app.register.entries.parameters import CONTENT, tag_of
from app.register.entries.ports import ports_of
from app.register.entries.schemas_out import EntryOut
from app.web.openapi import EVENTS, REPEATS, problems
from app.web.openapi_headers import carrying
from app.web.raw import RawRoute, documented

urgent_router = APIRouter(tags=["urgent entries"], route_class=GuardedRoute)
router = APIRouter(prefix="/alerts", tags=["alerts"], route_class=GuardedRoute)

AlertId = Annotated[str, Path(max_length=40, description="The alert's id.")]


async def hub_of(request: Request) -> Hub:
    """Return the hub of this process, which distributes alerts to its streams."""
    return hub_in(request)


TheHub = Annotated[Hub, Depends(hub_of)]


@urgent_router.post(
    "/urgent-entries",
    status_code=201,
    summary="Make an urgent entry",
    response_description="The urgent entry holds, and its alert is on its way to every checkpoint.",
    responses={
        **carrying(201, "ETag", "Location"),
        **problems(*CONTENT, "wrong-state", "urgent-not-repeatable", "idempotency-key-required", *REPEATS),
    },
)
@within(Quota.URGENT_ENTRIES)
async def make_urgent_entry(
    requested: UrgentEntryBody,
    unit: Annotated[Unit, unit_for(Role.SUBMITTER, repeats="required")],
    request: Request,
    response: Response,
    hub: TheHub,
) -> UrgentEntryOut:
    """Hold a person at every checkpoint at once, for at most twenty days, until the formal decision.

    The answer leaves only when the entry, the alert and its recipients are durably stored. Where `entry.state` is
    `submitted`, a duty officer must countersign first, because the entry is broad (`entry.breadth`) or the deployment
    always demands it: then nobody is held, `alert` is null, and the duty officers were notified.
    """
    settings = runtime_of(request).settings
    ports = ports_of(request)
    crossing = await ports.last_crossing(unit, requested.subject)
    entry = await urgent.submit_urgent(unit, requested, settings, crossing)
    issued = await service.raised_for(unit, entry, settings, hub.checkpoints(settings.presence_seconds))
    response.headers["Location"] = f"/v1/entries/{entry.id}"
    response.headers["ETag"] = tag_of(entry, unit)
    return UrgentEntryOut(
        entry=EntryOut.of(entry, unit.now, settings), alert=IssuedOut.of(issued) if issued else None
    )


@urgent_router.post(
    "/urgent-entries/preview",
    summary="See what an urgent entry would be",
    response_description="What the entry would be; nothing was filed.",
    responses=problems(*CONTENT, "wrong-state", "urgent-not-repeatable", "idempotency-not-allowed"),
)
@within(Quota.SEARCHES)
async def preview_urgent_entry(
    requested: UrgentEntryBody,
    unit: Annotated[Unit, unit_for(Role.SUBMITTER, repeats="refused")],
    request: Request,
) -> UrgentPreviewOut:
    """Judge an urgent entry, and count the travellers of the last 30 days that it would have stopped; file nothing.

    The body is that of an urgent entry. Every fault for which the entry would be refused is refused here too. The
    request is recorded in the audit trail, like a search.
    """
    entry = await urgent.preview_urgent(unit, requested, runtime_of(request).settings)
    return UrgentPreviewOut.of(entry)


@router.post(
    "",
    status_code=201,
    summary="Call a drill",
    response_description="The drill is on its way to the checkpoints.",
    responses=problems("validation", *REPEATS),
)
async def call_drill(
    unit: Annotated[Unit, unit_for(Role.DUTY_OFFICER)], body: DrillIn, request: Request, hub: TheHub
) -> IssuedOut:
    """Send a drill to the checkpoints: it is delivered like a real alert, and no check ever matches it."""
    settings = runtime_of(request).settings
    connected = hub.checkpoints(settings.presence_seconds)
    return IssuedOut.of(await service.drill(unit, body.message, body.checkpoints, settings, connected))


@router.get(
    "",
    summary="Read alerts",
    response_description="The alerts beyond the cursor; none if nothing came within `wait`.",
    responses=problems("validation", "cursor-gone"),
)
@within(Quota.POLLS)
async def read_alerts(
    actor: Annotated[Actor, actor_for(Role.CHECKPOINT)],
    request: Request,
    hub: TheHub,
    after: After = None,
    wait: Wait = 0,
    limit: PageLimit = 100,
) -> AlertsOut:
    """Read the alerts after a cursor. If there is none, wait up to `wait` seconds, at most 30, for the first.

    An alert that has ended since its issue shows only the id and version of its `entry`, and no identity. Autogates get
    documents, direction and `action`, and nothing else about the person.
    """
    tail_of(request).arrivals.note(actor, Transport.POLL)
    with hub.polling(actor):
        read = await read_waiting(
            request,
            actor,
            wait,
            lambda reader: service.read_alerts(reader, after, limit, request.url.path),
            tail_of(request),
            alerts_only=True,
        )
    page = read.page
    messages = (render_alert(record, to_gate=at_gate(actor), holding=read.holding) for record in page.records)
    items = [message for message in messages if message is not None]
    return AlertsOut(
        items=[AlertOut.model_validate(item) for item in items],
        cursor=page.head.cursor(page.position),
        last_alert=page.head.last_alert,
        head=page.head.size,
        more=page.more,
    )


@documented(stream_alerts)
@within(Quota.STREAMS)
async def open_alert_stream(  # type: ignore[empty-body]  # served by stream_alerts
    _key: Annotated[str | None, Security(key_scheme)],
    last_event_id: Annotated[
        str | None, Header(description="The last `id` that was seen; the stream goes on behind it.")
    ] = None,
    after: Annotated[
        str | None, Query(description="The same, for a client that can't send the header.")
    ] = None,
) -> AlertEvent:
    """Server-sent events: `alert`, and every 15 s `heartbeat` with the ledger's head; the `id` of each is a cursor.

    Without `Last-Event-ID`, all alerts that are neither expired nor cancelled come first. With it, all alerts after
    that id come first; one that has ended meanwhile shows only the id and version of its `entry`, and no identity.
    The stream is cut after a quarter of an hour; reconnect with the last id.
    """


router.add_api_route(
    "/stream",
    open_alert_stream,
    methods=["GET"],
    summary="Stream alerts",
    operation_id="open_alert_stream",
    response_description="The stream, which stays open; each frame is one of these events.",
    responses={
        **EVENTS,
        **problems("cursor-gone", "validation", "unavailable", "register-rolled-back"),
    },
    route_class_override=RawRoute,
)


@documented(serve_receipt)
async def confirm_alert(  # type: ignore[empty-body]  # served by serve_receipt
    _key: Annotated[str | None, Security(key_scheme)],
    alert_id: AlertId,
    body: ReceiptIn,
    idempotency_key: Annotated[str | None, repeat_header("allowed")] = None,
) -> ReceiptOut:
    """Confirm an alert for a checkpoint: a machine has received it, a person has acknowledged it, or it is refused."""


router.add_api_route(
    "/{alert_id}/receipts",
    confirm_alert,
    methods=["POST"],
    status_code=201,
    summary="Confirm an alert",
    operation_id="confirm_alert",
    response_description="The receipt was stored; it is this client's first of this level.",
    responses={
        200: {"model": ReceiptOut, "description": "This client has confirmed it before at this level."},
        **problems("validation", "not-found", *REPEATS),
    },
    route_class_override=RawRoute,
)
