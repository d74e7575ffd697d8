"""The calls about amendments (contract section 3)."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from app.access.domain import Role
from app.access.guard import GuardedRoute, actor_for, reader_for, runtime_of, unit_for
from app.amendments import service
from app.amendments.domain import Amendment
from app.amendments.schemas import AmendmentIn, AmendmentOut
from app.amendments.wanted import AmendmentWanted
from app.db.unit import Actor, Reader, Unit
from app.entries.deadlines import Terms
from app.entries.ports import Ports
from app.entries.routes import CONTENT, EntryId, EntryReader
from app.entries.schemas import DecisionIn
from app.entries.service import log_look
from app.web.etag import RequiredVersion, etag_of
from app.web.openapi import REPEATS, problems
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, last_seen

of_entries = APIRouter(prefix="/entries", tags=["amendments"], route_class=GuardedRoute)
router = APIRouter(prefix="/amendments", tags=["amendments"], route_class=GuardedRoute)

_FILERS = (Role.SUBMITTER, Role.APPROVER, Role.DUTY_OFFICER)
Filer = Annotated[Unit, unit_for(*_FILERS)]
Decider = Annotated[Unit, unit_for(Role.VERIFIER, Role.APPROVER)]
AmendmentReader = Annotated[
    Reader,
    reader_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR),
]
AmendmentId = Annotated[str, Path(max_length=40, description="The amendment's id.")]


async def _asked_for(_: Annotated[Actor, actor_for(*_FILERS)], body: AmendmentIn) -> AmendmentWanted:
    return await asyncio.to_thread(body.wanted)


AskedFor = Annotated[AmendmentWanted, Depends(_asked_for)]
"""The amendment in a route's body; stands before the Unit, as `entries.preparing` says."""

VERSIONS = ("not-found", "wrong-state", "stale-version", "version-required")


def _answered(response: Response, amendment: Amendment) -> AmendmentOut:
    response.headers["ETag"] = etag_of(amendment.version)
    return AmendmentOut.of(amendment)


@of_entries.post(
    "/{entry_id}/amendments",
    status_code=201,
    summary="Ask for an amendment",
    responses=problems(*CONTENT, *VERSIONS, "extension-late", *REPEATS),
)
async def file_amendment(
    wanted: AskedFor,
    unit: Filer,
    entry_id: EntryId,
    expected: RequiredVersion,
    request: Request,
    response: Response,
) -> AmendmentOut:
    """Ask to extend, correct or revoke an entry, or to end it by a judgment; others decide.

    The owner asks; Immigration may bring a judgment too, or another body's letter, which becomes a question to the
    owner (`referred`) and changes nothing.
    """
    ports: Ports = request.app.state.ports
    settings = runtime_of(request).settings
    amendment = await service.file(unit, entry_id, expected, wanted, settings, ports.granted)
    response.headers["Location"] = f"/v1/amendments/{amendment.id}"
    return _answered(response, await service.current(unit, amendment))


@of_entries.get(
    "/{entry_id}/amendments", summary="List an entry's amendments", responses=problems("not-found")
)
async def list_amendments(
    reader: EntryReader, entry_id: EntryId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[AmendmentOut]:
    """An entry's amendments, newest first."""
    before = last_seen(cursor)
    rows = await service.list_page(reader, entry_id, before, limit + 1)
    page, after = cut(rows, limit, lambda amendment: (amendment.id,))
    return Page(items=[AmendmentOut.of(amendment) for amendment in page], next_cursor=after)


@router.get("/{amendment_id}", summary="Read an amendment", responses=problems("not-found"))
async def read_amendment(
    reader: AmendmentReader, amendment_id: AmendmentId, response: Response
) -> AmendmentOut:
    """One amendment, with every decision on it."""
    amendment = await service.get(reader, amendment_id)
    return _answered(response, await service.current(reader, amendment))


@router.get(
    "/{amendment_id}/photo",
    summary="See the photo that a correction brings",
    responses={
        200: {"content": {"image/jpeg": {}, "image/png": {}}, "description": "The photo."},
        **problems("not-found"),
    },
    response_class=Response,
)
async def read_amendment_photo(
    unit: Annotated[Unit, unit_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.AUDITOR)],
    amendment_id: AmendmentId,
) -> Response:
    """The photo that will take the place of the entry's, for those who decide on it."""
    blob = await service.photo(unit, amendment_id)
    await log_look(unit, "photo.seen", amendment_id, {"sha256": blob.sha256})
    return Response(blob.data, media_type=blob.media_type, headers={"Cache-Control": "no-store"})


@router.post(
    "/{amendment_id}/decisions",
    status_code=201,
    summary="Decide on an amendment",
    responses=problems(
        "validation",
        "wrong-agency",
        "four-eyes",
        "case-closed",
        "duplicate-entry",
        "extension-exhausted",
        *VERSIONS,
        *REPEATS,
    ),
)
async def decide_on_amendment(
    unit: Decider,
    amendment_id: AmendmentId,
    expected: RequiredVersion,
    body: DecisionIn,
    request: Request,
    response: Response,
) -> AmendmentOut:
    """Another pair of eyes: verify or return, approve, return or reject. Approved, it takes effect at once.

    The owner's verifier returns a `referred` letter with the reason why the measure holds.
    """
    terms = Terms.of(runtime_of(request).settings)
    decided = await service.decide(unit, amendment_id, expected, body.verdict, body.reason, terms)
    return _answered(response, await service.current(unit, decided))
