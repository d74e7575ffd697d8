"""The carriers' calls (contract section 5)."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Query, Request, Security
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.access import idempotency
from app.access.domain import Checkpoint, Role
from app.access.gate import Gate
from app.access.guard import (
    GuardedRoute,
    actor_for,
    admit,
    admit_within,
    claim_repeat,
    in_time,
    key_scheme,
    runtime_of,
)
from app.access.place_store import list_places
from app.access.quotas import Quota
from app.db.unit import Actor
from app.errors import UnsupportedMediaType, WrongRole
from app.kit.pace import beside
from app.kit.waits import uncounted
from app.manifests import service, store
from app.manifests.cusres import reply
from app.manifests.domain import Item, Manifest, kind_of
from app.manifests.evenly import leave_evenly
from app.manifests.intake import Wanted, from_edifact, from_json, from_list
from app.manifests.schemas import ManifestIn, ManifestOut
from app.manifests.stream import stream_manifest
from app.runtime import Runtime
from app.web.openapi import REPEATS, problems
from app.web.raw import RawRoute, documented

router = APIRouter(prefix="/manifests", tags=["manifests"], route_class=GuardedRoute)

EDIFACT: Final = "application/edifact"
_JSON: Final = "application/json"
_MOST_PLACES: Final = 10_000

ManifestId = Annotated[str, Path(max_length=40, description="The manifest's id.")]
RepeatKey = Annotated[
    str | None,
    Header(description="Makes repeats of a POST safe: the first 2xx answer is given again for 24 hours."),
]

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
    "description": "What is answered of each passenger; as CUSRES if `Accept` prefers `application/edifact`: ERC is "
    "`0Z` for `board`, `1Z` for `do_not_board`, `2Z` for `contact`, `4Z` for a passenger who could not be asked about.",
    "content": {EDIFACT: {"schema": {"type": "string"}, "example": _CUSRES}},
}
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


def _prefers_edifact(accept: str) -> bool:
    """Whether an `Accept` header wants EDIFACT rather than JSON (RFC 9110 section 12.5.1)."""
    edifact = json = 0.0
    for part in accept.lower().split(","):
        media, *parameters = [each.strip() for each in part.split(";")]
        quality = _quality(next((each[2:] for each in parameters if each.startswith("q=")), "1"))
        if media == EDIFACT:
            edifact = quality
        elif media in {_JSON, "application/*", "*/*"}:
            json = max(json, quality)
    return edifact > 0 and edifact >= json


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _answered(
    request: Request, manifest: Manifest, items: list[Item], status: int, runtime: Runtime
) -> Response:
    headers = {"vary": "accept"}
    if status == 201:  # noqa: PLR2004 - Created
        headers["location"] = f"/v1/manifests/{manifest.id}"
    if _prefers_edifact(request.headers.get("accept", "")):
        return Response(reply(manifest, items, runtime.clock()), status, headers, EDIFACT)
    body = ManifestOut.of(manifest, items).model_dump_json(by_alias=True)
    return Response(body, status, headers, _JSON)


async def _read(request: Request, runtime: Runtime, actor: Actor) -> Wanted:
    """What is wanted; read beside the loop, because a thousand names take half a second to understand."""
    body = await request.body()
    now = runtime.clock()
    media = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    if media == _JSON:
        return await beside(from_json, body, now)
    if media != EDIFACT:
        raise UnsupportedMediaType("A manifest is application/json or application/edifact.")
    listed = await beside(from_edifact, body)
    async with runtime.reading(actor) as reader:
        places = {each.code: each for each in await list_places(reader, Checkpoint, None, _MOST_PLACES)}
    return await beside(from_list, listed, places, now)


async def serve_manifest(scope: Scope, receive: Receive, send: Send) -> None:
    """Take one manifest: asked about first, kept afterwards, so that no transaction waits for a thousand checks."""
    request = Request(scope, receive)
    async with in_time(request):
        response = await _take(request)
    await response(scope, receive, send)


async def _take(request: Request) -> Response:
    state, runtime = request.app.state, runtime_of(request)
    gate: Gate = state.gate
    version, began = gate.version, asyncio.get_running_loop().time()
    actor = await admit_within(request, Quota.MANIFESTS)
    if kind_of(actor) is None:
        raise WrongRole("This call is for: carrier, and checkpoints' clients of kind manifest.")
    async with AsyncExitStack() as request.state.stack:
        await uncounted(request.state.limit, request.body())
        claimed = await claim_repeat(request, actor, request.headers.get("idempotency-key"), "allowed")
        if claimed is not None:
            async with runtime.writing(actor) as unit:
                if (kept := await idempotency.recall(unit, claimed)) is not None:
                    return kept
        wanted = await _read(request, runtime, actor)
        await admit(request)  # once more, since there may be no good row whose answer would depend on it
        asking = service.ask(runtime, state.batcher.ask_row, actor, version, wanted)
        manifest, items = await uncounted(request.state.limit, asking)  # each check has a limit of its own
        async with runtime.writing(actor) as unit:
            request.state.unit = unit
            if claimed is not None and (kept := await idempotency.recall(unit, claimed)) is not None:
                return kept  # another process was faster
            items = await service.keep(unit, runtime, manifest, items, wanted)
            response = _answered(request, manifest, items, 201, runtime)
            if claimed is not None:
                await idempotency.keep(unit, claimed, response, secret=False)
        leaving = leave_evenly(runtime, manifest.kind, began, _documents(items))
        await uncounted(request.state.limit, leaving)
        return response


def _documents(items: Sequence[Item]) -> int:
    return sum(len(item.answers) for item in items)


@documented(serve_manifest)
async def send_manifest(  # type: ignore[empty-body]  # served by serve_manifest
    _key: Annotated[str | None, Security(key_scheme)], body: ManifestIn, idempotency_key: RepeatKey = None
) -> ManifestOut:
    """Ask about all passengers of a journey, up to 1000, as JSON or as a UN/EDIFACT PAXLST.

    Each answer is a check, stored before it is given. A passenger who can't be asked about gets a `problem` and spoils
    nothing. Until departure the answers follow the register: what changes is told on the manifest's stream. A carrier
    is told `board`, `do_not_board` or `contact` and nothing else; a person who may not leave boards, and is met at the
    counter. Its answer leaves at whole steps of a time that only the number of documents sets, so that the time says
    nothing either.
    """


router.add_api_route(
    "",
    send_manifest,
    methods=["POST"],
    status_code=201,
    summary="Send a manifest",
    operation_id="send_manifest",
    responses={
        201: _REPLY,
        **problems(
            "validation",
            "not-stored",
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
    responses={200: _REPLY, **problems("not-found")},
)
async def read_manifest(
    actor: Annotated[Actor, actor_for(Role.CARRIER, Role.CHECKPOINT, Role.AUDITOR)],
    manifest_id: ManifestId,
    request: Request,
) -> Response:
    """A manifest with its present answers, for its sender and for auditors; as JSON or as a CUSRES."""
    runtime, began = runtime_of(request), asyncio.get_running_loop().time()
    async with runtime.reading(actor) as reader:
        manifest = await service.find(reader, manifest_id)
        items = await store.list_items(reader, manifest_id)
    response = _answered(request, manifest, items, 200, runtime)
    await leave_evenly(runtime, kind_of(actor) or "", began, _documents(items))
    return response


@documented(stream_manifest)
async def open_manifest_stream(
    _key: Annotated[str | None, Security(key_scheme)],
    manifest_id: ManifestId,
    last_event_id: Annotated[
        str | None, Header(description="The last `id` that was seen; the stream goes on behind it.")
    ] = None,
    after: Annotated[str | None, Query(description="The same, for who can't send the header.")] = None,
) -> None:
    """Server-sent events for the manifest's sender: `change`, an item as in the manifest, with a cursor as `id`.

    Without a cursor first come all changes since the manifest was sent. Every 15 s comes `heartbeat`; at the departure
    comes `closed`, and the stream ends. It is cut after a quarter of an hour; reconnect with the last id.
    """


router.add_api_route(
    "/{manifest_id}/stream",
    open_manifest_stream,
    methods=["GET"],
    summary="Stream a manifest's changes",
    operation_id="open_manifest_stream",
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "The stream."},
        **problems("not-found", "cursor-gone", "validation", "unavailable", "register-rolled-back"),
    },
    route_class_override=RawRoute,
)
