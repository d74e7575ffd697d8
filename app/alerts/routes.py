"""Urgent entries and alerts (contract section 4)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response, Security

from app.access.domain import Role
from app.access.guard import (
    GuardedRoute,
    actor_for,
    key_scheme,
    reader_for,
    runtime_of,
    unit_for,
    within,
)
from app.access.quotas import Quota
from app.alerts import service
from app.alerts.hub import Hub
from app.alerts.schemas import (
    AlertOut,
    AlertsOut,
    CoverageOut,
    DrillIn,
    IssuedOut,
    ReceiptIn,
    ReceiptOut,
    UrgentEntryOut,
)
from app.alerts.store import receipt_at
from app.alerts.stream import stream_alerts
from app.alerts.telling import at_gate, on_the_wire
from app.db.unit import Actor, Reader, Unit
from app.entries import service as entries
from app.entries.answers import EntryOut
from app.entries.ports import Ports
from app.entries.preparing import UrgentlyAskedFor
from app.entries.routes import CONTENT, tag_of
from app.ledger.polling import After, PageLimit, Wait, read_waiting
from app.web.openapi import REPEATS, problems
from app.web.raw import RawRoute, documented

urgent_router = APIRouter(tags=["urgent entries"], route_class=GuardedRoute)
router = APIRouter(prefix="/alerts", tags=["alerts"], route_class=GuardedRoute)

AlertId = Annotated[str, Path(max_length=40, description="The alert's id.")]


async def hub_of(request: Request) -> Hub:
    """The process's hub."""
    return request.app.state.hub  # type: ignore[no-any-return]  # Starlette's state is untyped


TheHub = Annotated[Hub, Depends(hub_of)]


@urgent_router.post(
    "/urgent-entries",
    status_code=201,
    summary="Make an urgent entry",
    responses=problems(
        *CONTENT, "wrong-state", "urgent-not-repeatable", "idempotency-key-required", *REPEATS
    ),
)
@within(Quota.URGENT_ENTRIES)
async def make_urgent_entry(
    wanted: UrgentlyAskedFor,
    unit: Annotated[Unit, unit_for(Role.SUBMITTER, repeats="required")],
    request: Request,
    response: Response,
    hub: TheHub,
) -> UrgentEntryOut:
    """Hold a person at every checkpoint at once, for at most twenty days, until the formal decision.

    The answer leaves only when the entry, the alert and its recipients are durably stored.
    """
    settings = runtime_of(request).settings
    ports: Ports = request.app.state.ports
    crossing = await ports.last_crossing(unit, wanted.subject)
    entry = await entries.submit_urgent(unit, wanted, settings, crossing)
    issued = await service.raised_for(unit, entry, settings, hub.checkpoints(settings.presence_seconds))
    response.headers["Location"] = f"/v1/entries/{entry.id}"
    response.headers["ETag"] = tag_of(entry, unit)
    return UrgentEntryOut(
        entry=EntryOut.of(entry, unit.now, settings), alert=IssuedOut.of(issued) if issued else None
    )


@router.post("", status_code=201, summary="Call a drill", responses=problems("validation", *REPEATS))
async def call_drill(
    unit: Annotated[Unit, unit_for(Role.DUTY_OFFICER)], body: DrillIn, request: Request, hub: TheHub
) -> IssuedOut:
    """Send an exercise to the checkpoints: delivered like the real thing, never matched by a check."""
    settings = runtime_of(request).settings
    here = hub.checkpoints(settings.presence_seconds)
    return IssuedOut.of(await service.drill(unit, body.message, body.checkpoints, settings, here))


@router.get("", summary="Read alerts", responses=problems("validation", "cursor-gone"))
@within(Quota.POLLS)
async def read_alerts(
    actor: Annotated[Actor, actor_for(Role.CHECKPOINT)],
    request: Request,
    hub: TheHub,
    after: After = None,
    wait: Wait = 0,
    limit: PageLimit = 100,
) -> AlertsOut:
    """Alerts beyond a cursor, waiting up to 30 seconds for the first.

    Those that have ended meanwhile keep their numbers, and name nobody any more: `entry` has its ids only. An
    autogate is told documents, direction and `action`, and nothing else of the person.
    """
    with hub.polling(actor):
        read = await read_waiting(
            request,
            actor,
            wait,
            lambda reader: service.read_alerts(reader, after, limit),
            request.app.state.tail,
            alerts_only=True,
        )
    page = read.page
    told = (on_the_wire(record, to_gate=at_gate(actor), holding=read.holding) for record in page.records)
    items = [message for message in told if message is not None]
    return AlertsOut(
        items=[AlertOut.model_validate(item) for item in items],
        cursor=page.head.cursor(page.position),
        last_alert=page.head.last_alert,
        head=page.head.size,
        more=page.more,
    )


@documented(stream_alerts)
async def open_alert_stream(
    _key: Annotated[str | None, Security(key_scheme)],
    last_event_id: Annotated[
        str | None, Header(description="The last `id` that was seen; the stream goes on behind it.")
    ] = None,
) -> None:
    """Server-sent events: `alert` with a cursor as `id`, and `heartbeat` with the ledger's head every 15 s.

    Without `Last-Event-ID` first come all alerts that are neither expired nor cancelled; with it, those that have
    ended meanwhile come with their `entry`'s ids only. The stream is cut after a quarter of an hour; reconnect with
    the last id.
    """


router.add_api_route(
    "/stream",
    open_alert_stream,
    methods=["GET"],
    summary="Stream alerts",
    operation_id="open_alert_stream",
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The stream."},
        **problems("cursor-gone", "validation", "unavailable", "register-rolled-back"),
    },
    route_class_override=RawRoute,
)


@router.post(
    "/{alert_id}/receipts",
    status_code=201,
    summary="Confirm an alert",
    responses={
        200: {"model": ReceiptOut, "description": "It was confirmed before."},
        **problems("validation", "not-found"),
    },
)
async def confirm_alert(
    unit: Annotated[Unit, unit_for(Role.CHECKPOINT)], alert_id: AlertId, body: ReceiptIn, response: Response
) -> ReceiptOut:
    """A checkpoint's word: the machine has it, a person has seen it, or it can't be acted on and why."""
    first = await service.receive(unit, alert_id, body.level, body.officer_reference, body.note)
    response.status_code = 201 if first else 200
    at = await receipt_at(unit, alert_id, body.level)
    return ReceiptOut(alert_id=alert_id, level=body.level, at=at)


@router.get("/{alert_id}/coverage", summary="See who holds an alert", responses=problems("not-found"))
async def read_coverage(
    reader: Annotated[
        Reader, reader_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR)
    ],
    alert_id: AlertId,
    request: Request,
    hub: TheHub,
) -> CoverageOut:
    """How many checkpoints have the alert, since when, and which do not."""
    settings = runtime_of(request).settings
    here = hub.checkpoints(settings.presence_seconds)
    return CoverageOut.of(await service.cover(reader, alert_id, settings, here))
