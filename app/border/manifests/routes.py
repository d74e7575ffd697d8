"""Routes of carriers: send a manifest, read it, follow its changes (API section 5)."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Query, Request, Security
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.access.admission import idempotency
from app.access.admission.guard import (
    GuardedRoute,
    actor_for,
    admit,
    admit_within,
    claim_repeat,
    gate_of,
    in_time,
    key_scheme,
    repeat_header,
    runtime_of,
    within,
)
from app.access.admission.quotas import Quota
from app.access.admission.state import state_of
from app.access.domain import Checkpoint, Role
from app.access.places.store import list_places
from app.actor import Actor
from app.border.checks.batcher import batcher_of
from app.border.manifests import service, store
from app.border.manifests.answer_delay import delay_answer
from app.border.manifests.cusres import reply
from app.border.manifests.domain import Item, Manifest, kind_of
from app.border.manifests.intake import (
    ManifestRequest,
    at_checkpoint,
    at_port,
    from_edifact,
    from_json,
    from_list,
)
from app.border.manifests.places import checkpoint_named
from app.border.manifests.schemas import DeclarationIn, ManifestEvent, ManifestIn, ManifestOut
from app.border.manifests.stream import stream_manifest
from app.db.unit import Reader
from app.errors import WrongRole
from app.kit.pace import run_in_pool
from app.kit.waits import uncounted
from app.ledger.service import head
from app.runtime import Runtime
from app.web.accept import JSON, accepted_by, media_type, preferred
from app.web.etag import etag_of_bytes
from app.web.openapi import EVENTS, REPEATS, in_parts, problems
from app.web.openapi_headers import carrying
from app.web.parts import WantedPart
from app.web.raw import RawRoute, documented, while_connected
from app.web.request_rules import expect_rules

router = APIRouter(prefix="/manifests", tags=["manifests"], route_class=GuardedRoute)

EDIFACT: Final = "application/edifact"
_MAX_PLACES: Final = 10_000

ManifestId = Annotated[str, Path(max_length=40, description="The manifest's id.")]
RepeatKey = Annotated[str | None, repeat_header("allowed")]

_PAXLST = """UNA:+.? '
UNB+UNOA:4+GARUDA+CEKAL+261123:0300+26112301++APIS'
UNH+PAX001+PAXLST:D:05B:UN:IATA'
BGM+745'
TDT+20+GA880+++GA'
LOC+125+SYD'
DTM+189:2611240905:201'
LOC+87+DPS'
DTM+232:2611241230:201'
NAD+FL+++QUILLFEATHER:ALDOUS'
ATT+2++M'
DTM+329:710203'
LOC+178+SYD'
LOC+179+DPS'
NAT+2+NZL'
RFF+AVF:ABC123'
RFF+ABO:0001'
DOC+P:110:111+LM0123456'
DTM+36:300131'
LOC+91+NZL'
CNT+42:1'
UNT+20+PAX001'
UNZ+1+26112301'
"""
_CUSRES = """UNA:+.? '
UNB+UNOA:4+CEKAL+GARUDA+261123:0300+26112301++APIS'
UNH+PAX001+CUSRES:D:05B:UN:IATA'
BGM+962'
RFF+AF:GA880'
DTM+189:2611240905:201'
DTM+232:2611241230:201'
LOC+125+SYD'
LOC+87+DPS'
ERP+2'
RFF+AVF:ABC123'
RFF+ABO:0001'
ERC+0Z'
FTX+AAP+++OK TO BOARD'
UNT+13+PAX001'
UNZ+1+26112301'
"""

_REPLY: Final[dict[str, Any]] = {
    "description": "The answer for each passenger; as CUSRES if `Accept` prefers `application/edifact`: ERC is `0Z` "
    "for `board`, `1Z` for `do_not_board`, `2Z` for `contact`, `4Z` for a passenger that could not be checked.",
    "content": {EDIFACT: {"schema": {"type": "string"}, "example": _CUSRES}},
}
_PARTS: Final = in_parts(JSON, EDIFACT)
_VARIES: Final = {"vary": "accept"}
_MADE: Final = {**_REPLY, **carrying(201, "Location")[201]}
_SENT: Final[dict[str, Any]] = {
    "requestBody": {
        "content": {
            EDIFACT: {
                "schema": {
                    "type": "string",
                    "description": "A PAXLST of directory D.02B to D.05B, with a service string or without, of one "
                    "journey. Wrong counts and missing parts are warned of; a message that breaks off is refused.",
                },
                "example": _PAXLST,
            }
        }
    }
}


async def _shown(
    request: Request, reader: Reader, manifest: Manifest, items: list[Item]
) -> tuple[bytes, str]:
    """Return a manifest with its answers in the format that the request prefers, and its media type."""
    if preferred(accepted_by(request.scope["headers"]), (JSON, EDIFACT)) == EDIFACT:
        return reply(manifest, items, runtime_of(request).clock()), EDIFACT
    body = ManifestOut.of(manifest, items, await head(reader)).model_dump_json(by_alias=True)
    return body.encode(), JSON


async def _read(request: Request, runtime: Runtime, actor: Actor) -> ManifestRequest:
    """Read a manifest's request in a thread, because parsing a thousand names takes half a second."""
    body = await request.body()
    now = runtime.clock()
    async with runtime.reading(actor) as reader:
        places = {each.code: each for each in await list_places(reader, Checkpoint, None, _MAX_PLACES)}
    if media_type(request.headers.get("content-type", JSON))[0] == JSON:
        requested = await run_in_pool(from_json, body, now)
    else:
        requested = await run_in_pool(from_list, await run_in_pool(from_edifact, body), places, now)
    if requested.arrives_on is not None:
        port = checkpoint_named(requested.destination, places)
        return at_port(requested, port, now, runtime.settings.question_days)
    return at_checkpoint(requested, places, actor.checkpoint or runtime.settings.manifest_checkpoint)


async def serve_manifest(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer `POST /v1/manifests` at the ASGI level: check the passengers, then store the manifest.

    No transaction is open during the checks.

    Raises:
        CekalError: there is no answer, for any reason; the middleware sends the error to the caller as a problem.
    """
    request = Request(scope, receive)
    async with in_time(request):
        response = await _take(request)
    await response(scope, receive, send)


async def _take(request: Request) -> Response:
    state, runtime, gate = state_of(request), runtime_of(request), gate_of(request)
    version, began = gate.version, asyncio.get_running_loop().time()
    actor = await admit_within(request, Quota.MANIFESTS)
    expect_rules(request.scope)
    if kind_of(actor) is None:
        raise WrongRole("This call is for: carrier, and checkpoints' clients of kind manifest.")
    async with AsyncExitStack() as state.stack:
        await uncounted(state.limit, request.body())
        claimed = await claim_repeat(request, actor, request.headers.get("idempotency-key"), "allowed")
        if claimed is not None:
            async with runtime.writing(actor) as unit:
                if (kept := await idempotency.recall(unit, claimed)) is not None:
                    return kept
        requested = await _read(request, runtime, actor)
        await admit(request)  # again, since a manifest without valid rows has no check that verifies the key
        asking = while_connected(
            request.receive,
            service.check_passengers(runtime, batcher_of(request).ask_row, actor, version, requested),
        )
        manifest, items = await uncounted(state.limit, asking)  # each check has a limit of its own
        async with runtime.writing(actor) as unit:
            state.unit = unit
            if claimed is not None and (kept := await idempotency.recall(unit, claimed)) is not None:
                return kept  # another process was faster
            items = await service.store_manifest(unit, runtime, manifest, items, requested)
            body, media = await _shown(request, unit, manifest, items)
            headers = {**_VARIES, "location": f"/v1/manifests/{manifest.id}"}
            response = Response(body, 201, headers, media)
            if claimed is not None:
                await idempotency.keep(unit, claimed, response, secret=False)
        leaving = delay_answer(runtime, manifest.kind, began, _documents(items))
        await uncounted(state.limit, leaving)
        return response


def _documents(items: Sequence[Item]) -> int:
    return sum(len(item.answers) for item in items)


@documented(serve_manifest)
@within(Quota.MANIFESTS)
async def send_manifest(  # type: ignore[empty-body]  # served by serve_manifest
    _key: Annotated[str | None, Security(key_scheme)],
    body: ManifestIn | DeclarationIn,
    idempotency_key: RepeatKey = None,
) -> ManifestOut:
    """Check all passengers of a journey, up to 1000, sent as JSON or as a UN/EDIFACT PAXLST.

    Arrivals without a flight are declared by `port` and `arrives_on` in place of the journey. Each passenger is
    checked, and the check is stored before it is answered. A passenger that can't be checked gets a `problem`, which
    does not affect the others. Until `watched_until` (the departure, or 72 hours after the day of arrival begins in the
    port's time) the answers follow the register, and changes are sent on the manifest's stream. A carrier gets only
    `board`, `do_not_board` or `contact`. A person that may not leave gets `board`, and is met at the counter. The time
    of a carrier's answer depends only on the number of documents, so that it does not reveal such a person.
    """


router.add_api_route(
    "",
    send_manifest,
    methods=["POST"],
    status_code=201,
    summary="Send a manifest",
    operation_id="send_manifest",
    responses={
        201: _MADE,
        **problems(
            "validation",
            "not-stored",
            "register-rolled-back",
            *REPEATS,
        ),
    },
    openapi_extra=_SENT,
    route_class_override=RawRoute,
)


@router.get(
    "/{manifest_id}",
    summary="Read a manifest",
    response_model=ManifestOut,
    responses={**_PARTS, 200: {**_REPLY, **_PARTS[200]}, **problems("not-found")},
)
async def read_manifest(
    actor: Annotated[Actor, actor_for(Role.CARRIER, Role.CHECKPOINT, Role.AUDITOR)],
    manifest_id: ManifestId,
    request: Request,
    conditions: WantedPart,
) -> Response:
    """Read a manifest with its present answers, for its sender and for auditors.

    The answer is JSON, or the EDIFACT message CUSRES if the header `Accept` prefers `application/edifact`.
    """
    runtime, began = runtime_of(request), asyncio.get_running_loop().time()
    async with runtime.reading(actor) as reader:
        manifest = await service.find(reader, manifest_id)
        items = await store.list_items(reader, manifest_id)
        body, media = await _shown(request, reader, manifest, items)
    response = conditions.answer(body, media, etag_of_bytes(manifest.number, body), _VARIES)
    await delay_answer(runtime, kind_of(actor) or "", began, _documents(items))
    return response


@documented(stream_manifest)
@within(Quota.STREAMS)
async def open_manifest_stream(  # type: ignore[empty-body]  # served by stream_manifest
    _key: Annotated[str | None, Security(key_scheme)],
    manifest_id: ManifestId,
    last_event_id: Annotated[
        str | None, Header(description="The last `id` that was received; the stream continues after it.")
    ] = None,
    after: Annotated[
        str | None, Query(description="The last `id`, from a client that can't send `Last-Event-ID`.")
    ] = None,
) -> ManifestEvent:
    """Follow the changed answers of a manifest as server-sent events, for its sender.

    Each changed answer is an event `change`: its data are an item as in the manifest, its `id` is a cursor. A client
    that sends a cursor gets the changes after it. Without a cursor it gets, for each answer that has changed since the
    manifest was sent, the present one. An event `heartbeat` comes every 15 s, with a cursor too. When the watch ends,
    an event `closed` comes, and the stream ends. The server ends a stream after a quarter of an hour: reconnect with
    the last id.
    """


router.add_api_route(
    "/{manifest_id}/stream",
    open_manifest_stream,
    methods=["GET"],
    summary="Stream a manifest's changes",
    operation_id="open_manifest_stream",
    response_description="The stream, which stays open; each frame is one of these events.",
    responses={
        **EVENTS,
        **problems("not-found", "cursor-gone", "validation", "unavailable", "register-rolled-back"),
    },
    route_class_override=RawRoute,
)
