"""Routes to read and change agencies, checkpoints and offices (API section 8)."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Response

from app.access.admission.guard import GuardedRoute, reader_for, unit_for
from app.access.domain import Agency, Checkpoint, Office, P, Role
from app.access.pending.domain import PendingChange
from app.access.pending.schemas import WAITS, waiting
from app.access.places import service as places
from app.access.places import store
from app.access.schemas import AgencyIn, AgencyOut, CheckpointIn, CheckpointOut, OfficeIn, OfficeOut
from app.db.unit import Reader, Unit
from app.web.etag import UNCHANGED, IfNoneMatch, VersionIfAny, etag_of, not_modified
from app.web.openapi import problems
from app.web.openapi_headers import carrying
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_last_id
from app.web.wire import Code, Line, WireOut

Out = TypeVar("Out", bound=WireOut)

router = APIRouter(tags=["administration"], route_class=GuardedRoute)

AnyReader = Annotated[Reader, reader_for()]
Admin = Annotated[Unit, unit_for(Role.ADMIN)]
CodePath = Annotated[str, Path(pattern=r"^[A-Z0-9][A-Z0-9._-]{0,31}$", description="The code.")]

OfficePath = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="The code.")]


def _page(rows: Sequence[P], limit: int, shown: Callable[[P], Out]) -> Page[Out]:
    page, after = cut(rows, limit, lambda row: (row.code,))
    return Page(items=[shown(row) for row in page], next_cursor=after)


def _not_modified(if_none_match: str | None, response: Response, version: int) -> Response | None:
    """Set the version's ETag on the answer. Returns the 304 for a caller that already has this version, or None."""
    response.headers["ETag"] = tag = etag_of(version)
    return not_modified(if_none_match, tag)


def _changes(shown: type[WireOut]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route that changes a place."""
    added: dict[int | str, dict[str, Any]] = {
        201: {"model": shown, "description": "It was added.", **carrying(201, "ETag", "Location")[201]}
    }
    return {**added, **WAITS, **problems("validation", "stale-version", "version-required")}


def _changed(response: Response, path: str, version: int) -> None:
    response.headers["ETag"] = etag_of(version)
    if version == 1:
        response.status_code = 201
        response.headers["Location"] = path


@router.get(
    "/agencies",
    summary="List agencies",
    response_description="A page of agencies, by code.",
    responses=problems("validation"),
)
async def list_agencies(
    reader: AnyReader, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[AgencyOut]:
    """List the agencies that may order or request a measure (UU 6/2011 art. 91(2)), by code."""
    rows = await store.list_places(reader, Agency, decode_last_id(cursor), limit + 1)
    return _page(rows, limit, AgencyOut.of)


@router.get(
    "/agencies/{code}",
    summary="Read an agency",
    response_description="The agency.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=AgencyOut,
)
async def read_agency(
    reader: AnyReader, code: CodePath, response: Response, if_none_match: IfNoneMatch = None
) -> AgencyOut | Response:
    """Read one agency."""
    agency = await places.get(reader, Agency, code)
    return _not_modified(if_none_match, response, agency.version) or AgencyOut.of(agency)


@router.put(
    "/agencies/{code}",
    summary="Change or add an agency",
    response_description="The agency was changed.",
    responses={**carrying(200, "ETag"), **_changes(AgencyOut)},
    response_model=AgencyOut,
)
async def change_agency(
    unit: Admin, code: CodePath, expected: VersionIfAny, body: AgencyIn, response: Response
) -> AgencyOut | Response:
    """Replace the data of an agency, or add an agency (then without `If-Match`); the act is recorded.

    A change that makes the agency inactive, or changes its phone, waits for a second admin.
    """
    requested = Agency(code=code, **{**body.model_dump(), "legal_forms": tuple(body.legal_forms)})
    agency = await places.change(unit, requested, expected)
    if isinstance(agency, PendingChange):
        return waiting(agency)
    _changed(response, f"/v1/agencies/{code}", agency.version)
    return AgencyOut.of(agency)


@router.get(
    "/checkpoints",
    summary="List checkpoints",
    response_description="A page of checkpoints, by code.",
    responses=problems("validation"),
)
async def list_checkpoints(
    reader: AnyReader, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[CheckpointOut]:
    """List the places where people are examined, by code."""
    rows = await store.list_places(reader, Checkpoint, decode_last_id(cursor), limit + 1)
    return _page(rows, limit, CheckpointOut.of)


@router.get(
    "/checkpoints/{code}",
    summary="Read a checkpoint",
    response_description="The checkpoint.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=CheckpointOut,
)
async def read_checkpoint(
    reader: AnyReader, code: CodePath, response: Response, if_none_match: IfNoneMatch = None
) -> CheckpointOut | Response:
    """Read one checkpoint."""
    place = await places.get(reader, Checkpoint, code)
    return _not_modified(if_none_match, response, place.version) or CheckpointOut.of(place)


@router.put(
    "/checkpoints/{code}",
    summary="Change or add a checkpoint",
    response_description="The checkpoint was changed.",
    responses={**carrying(200, "ETag"), **_changes(CheckpointOut)},
    response_model=CheckpointOut,
)
async def change_checkpoint(
    unit: Admin, code: CodePath, expected: VersionIfAny, body: CheckpointIn, response: Response
) -> CheckpointOut | Response:
    """Replace the data of a checkpoint, or add a checkpoint (then without `If-Match`); the act is recorded.

    A change that makes it inactive waits for a second admin.
    """
    place = await places.change(unit, Checkpoint(code=code, **body.model_dump()), expected)
    if isinstance(place, PendingChange):
        return waiting(place)
    _changed(response, f"/v1/checkpoints/{code}", place.version)
    return CheckpointOut.of(place)


@router.get(
    "/offices",
    summary="List offices",
    response_description="A page of offices, by code.",
    responses=problems("validation"),
)
async def list_offices(
    reader: AnyReader,
    agency: Annotated[Code | None, Query(description="Only this agency's.")] = None,
    province: Annotated[Line | None, Query(description="Only those in this province.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[OfficeOut]:
    """List the offices of the agencies, by code."""
    rows = await store.list_places(
        reader, Office, decode_last_id(cursor), limit + 1, agency=agency, province=province
    )
    return _page(rows, limit, OfficeOut.of)


@router.get(
    "/offices/{code}",
    summary="Read an office",
    response_description="The office.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=OfficeOut,
)
async def read_office(
    reader: AnyReader, code: OfficePath, response: Response, if_none_match: IfNoneMatch = None
) -> OfficeOut | Response:
    """Read one office."""
    office = await places.get(reader, Office, code)
    return _not_modified(if_none_match, response, office.version) or OfficeOut.of(office)


@router.put(
    "/offices/{code}",
    summary="Change or add an office",
    response_description="The office was changed.",
    responses={**carrying(200, "ETag"), **_changes(OfficeOut)},
    response_model=OfficeOut,
)
async def change_office(
    unit: Admin, code: OfficePath, expected: VersionIfAny, body: OfficeIn, response: Response
) -> OfficeOut | Response:
    """Replace the data of an office, or add an office (then without `If-Match`); the act is recorded.

    A change that makes it inactive waits for a second admin.
    """
    office = await places.change(unit, Office(code=code, **body.model_dump()), expected)
    if isinstance(office, PendingChange):
        return waiting(office)
    _changed(response, f"/v1/offices/{code}", office.version)
    return OfficeOut.of(office)
