"""Routes to file, list, read and decide amendments."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from app.access.acts import AuditAct
from app.access.admission.guard import GuardedRoute, actor_for, reader_for, runtime_of, unit_for
from app.access.domain import Role
from app.actor import Actor
from app.db.unit import Reader, Unit
from app.register.amendments import service
from app.register.amendments.domain import Amendment
from app.register.amendments.requested import RequestedAmendment
from app.register.amendments.schemas import AmendmentIn, AmendmentOut
from app.register.entries.bodies import prepared
from app.register.entries.parameters import CONTENT, EntryId, EntryReader
from app.register.entries.ports import ports_of
from app.register.entries.schemas import DecisionIn
from app.register.entries.service import log_look
from app.web.etag import RequiredVersion, etag_of
from app.web.openapi import BYTES, REPEATS, problems
from app.web.openapi_headers import carrying
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_last_id

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


async def _read_amendment(
    request: Request, _: Annotated[Actor, actor_for(*_FILERS)], body: AmendmentIn
) -> RequestedAmendment:
    return await prepared(request, body.requested)


AmendmentBody = Annotated[RequestedAmendment, Depends(_read_amendment)]
"""The requested amendment from the body; declared before the Unit, so that no transaction is open while it is read."""

VERSIONS = ("not-found", "wrong-state", "stale-version", "version-required")


def _answered(response: Response, amendment: Amendment) -> AmendmentOut:
    response.headers["ETag"] = etag_of(amendment.version)
    return AmendmentOut.of(amendment)


@of_entries.post(
    "/{entry_id}/amendments",
    status_code=201,
    summary="Ask for an amendment",
    response_description="The amendment was filed and waits for its decisions.",
    responses={
        **carrying(201, "ETag", "Location"),
        **problems(*CONTENT, *VERSIONS, "extension-late", "clock-in-doubt", *REPEATS),
    },
)
async def file_amendment(
    requested: AmendmentBody,
    unit: Filer,
    entry_id: EntryId,
    expected: RequiredVersion,
    request: Request,
    response: Response,
) -> AmendmentOut:
    """Request to extend, correct or revoke an entry, or to end it by a judgment; other persons decide.

    Usually the agency that owns the entry files the request. Immigration may also file a judgment for it, or a letter
    from another body. Such a letter, and an acquittal of only some charges, only asks the owner to end the measure
    (state `referred`) and changes nothing.
    """
    ports = ports_of(request)
    settings = runtime_of(request).settings
    amendment = await service.file(
        unit, entry_id, expected, requested, settings, ports.granted, ports.count_travellers
    )
    response.headers["Location"] = f"/v1/amendments/{amendment.id}"
    return _answered(response, await service.current(unit, amendment))


@of_entries.get(
    "/{entry_id}/amendments",
    summary="List an entry's amendments",
    response_description="A page of amendments, newest first.",
    responses=problems("not-found"),
)
async def list_amendments(
    reader: EntryReader, entry_id: EntryId, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[AmendmentOut]:
    """List an entry's amendments, newest first."""
    before = decode_last_id(cursor)
    rows = await service.list_page(reader, entry_id, before, limit + 1)
    page, after = cut(rows, limit, lambda amendment: (amendment.id,))
    return Page(items=[AmendmentOut.of(amendment) for amendment in page], next_cursor=after)


@router.get(
    "/{amendment_id}",
    summary="Read an amendment",
    response_description="The amendment, with every decision on it.",
    responses={**carrying(200, "ETag"), **problems("not-found")},
)
async def read_amendment(
    reader: AmendmentReader, amendment_id: AmendmentId, response: Response
) -> AmendmentOut:
    """Read one amendment, with every decision on it."""
    amendment = await service.get(reader, amendment_id)
    return _answered(response, await service.current(reader, amendment))


@router.get(
    "/{amendment_id}/photo",
    summary="See the photo that a correction brings",
    response_description="The photo.",
    responses={
        200: {"content": {"image/jpeg": BYTES, "image/png": BYTES}},
        **problems("not-found"),
    },
    response_class=Response,
)
async def read_amendment_photo(
    unit: Annotated[Unit, unit_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.AUDITOR)],
    amendment_id: AmendmentId,
) -> Response:
    """Read the photo that a correction would give the entry; every access is recorded."""
    blob = await service.photo(unit, amendment_id)
    await log_look(unit, AuditAct.PHOTO_SEEN, amendment_id, {"sha256": blob.sha256})
    return Response(blob.data, media_type=blob.media_type, headers={"Cache-Control": "no-store"})


@router.post(
    "/{amendment_id}/decisions",
    status_code=201,
    summary="Decide on an amendment",
    response_description="The decision was recorded; this is the amendment after it.",
    responses={
        **carrying(201, "ETag"),
        **problems(
            "validation",
            "wrong-agency",
            "four-eyes",
            "case-closed",
            "duplicate-entry",
            "extension-exhausted",
            "clock-in-doubt",
            *VERSIONS,
            *REPEATS,
        ),
    },
)
async def decide_on_amendment(
    unit: Decider,
    amendment_id: AmendmentId,
    expected: RequiredVersion,
    body: DecisionIn,
    request: Request,
    response: Response,
) -> AmendmentOut:
    """Decide on an amendment: verify, return, approve or reject. After its approval it takes effect at once.

    Its authors, and persons with an earlier decision on it, can't decide; on an extension or a correction, persons who
    wrote the entry can't either. A `referred` amendment can only be returned, by a verifier of the entry's owner, with
    the reason why the measure stays.
    """
    settings = runtime_of(request).settings
    decided = await service.decide(unit, amendment_id, expected, body.verdict, body.reason, settings)
    return _answered(response, await service.current(unit, decided))
