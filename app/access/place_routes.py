"""Administration of places: agencies, checkpoints and offices (contract section 8)."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Response

from app.access import place_store as store
from app.access import places
from app.access.domain import Agency, Checkpoint, Office, P, Role
from app.access.guard import GuardedRoute, reader_for, unit_for
from app.access.pending import PendingChange
from app.access.pending_schemas import WAITS, waiting
from app.access.schemas import AgencyIn, AgencyOut, CheckpointIn, CheckpointOut, OfficeIn, OfficeOut
from app.db.unit import Reader, Unit
from app.web.etag import UNCHANGED, IfNoneMatch, VersionIfAny, etag_of, not_modified
from app.web.openapi import problems
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, last_seen
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


def _unless_known(if_none_match: str | None, response: Response, version: int) -> Response | None:
    """The answer to who has this version already; for others its tag."""
    response.headers["ETag"] = tag = etag_of(version)
    return not_modified(if_none_match, tag)


def _changes(shown: type[WireOut]) -> dict[int | str, dict[str, Any]]:
    """What a change may be answered with."""
    added: dict[int | str, dict[str, Any]] = {201: {"model": shown, "description": "It was added."}}
    return {**added, **WAITS, **problems("validation", "stale-version", "version-required")}


def _changed(response: Response, path: str, version: int) -> None:
    response.headers["ETag"] = etag_of(version)
    if version == 1:
        response.status_code = 201
        response.headers["Location"] = path


@router.get("/agencies", summary="List agencies", responses=problems("validation"))
async def list_agencies(
    reader: AnyReader, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[AgencyOut]:
    """The bodies that may order or request a measure (UU 6/2011 art. 91(2)), by code."""
    rows = await store.list_places(reader, Agency, last_seen(cursor), limit + 1)
    return _page(rows, limit, AgencyOut.of)


@router.get(
    "/agencies/{code}",
    summary="Read an agency",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=AgencyOut,
)
async def read_agency(
    reader: AnyReader, code: CodePath, response: Response, if_none_match: IfNoneMatch = None
) -> AgencyOut | Response:
    """One agency."""
    agency = await places.get(reader, Agency, code)
    return _unless_known(if_none_match, response, agency.version) or AgencyOut.of(agency)


@router.put(
    "/agencies/{code}",
    summary="Change or add an agency",
    responses=_changes(AgencyOut),
    response_model=AgencyOut,
)
async def change_agency(
    unit: Admin, code: CodePath, expected: VersionIfAny, body: AgencyIn, response: Response
) -> AgencyOut | Response:
    """Replace what is known of an agency, or add one, for which no `If-Match` is sent; recorded.

    What closes it, or changes its phone, waits for a second admin.
    """
    wanted = Agency(code=code, **{**body.model_dump(), "legal_forms": tuple(body.legal_forms)})
    agency = await places.change(unit, wanted, expected)
    if isinstance(agency, PendingChange):
        return waiting(agency)
    _changed(response, f"/v1/agencies/{code}", agency.version)
    return AgencyOut.of(agency)


@router.get("/checkpoints", summary="List checkpoints", responses=problems("validation"))
async def list_checkpoints(
    reader: AnyReader, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[CheckpointOut]:
    """The places where people are examined, by code."""
    rows = await store.list_places(reader, Checkpoint, last_seen(cursor), limit + 1)
    return _page(rows, limit, CheckpointOut.of)


@router.get(
    "/checkpoints/{code}",
    summary="Read a checkpoint",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=CheckpointOut,
)
async def read_checkpoint(
    reader: AnyReader, code: CodePath, response: Response, if_none_match: IfNoneMatch = None
) -> CheckpointOut | Response:
    """One checkpoint."""
    place = await places.get(reader, Checkpoint, code)
    return _unless_known(if_none_match, response, place.version) or CheckpointOut.of(place)


@router.put(
    "/checkpoints/{code}",
    summary="Change or add a checkpoint",
    responses=_changes(CheckpointOut),
    response_model=CheckpointOut,
)
async def change_checkpoint(
    unit: Admin, code: CodePath, expected: VersionIfAny, body: CheckpointIn, response: Response
) -> CheckpointOut | Response:
    """Replace what is known of a checkpoint, or add one, for which no `If-Match` is sent; recorded.

    What closes it waits for a second admin.
    """
    place = await places.change(unit, Checkpoint(code=code, **body.model_dump()), expected)
    if isinstance(place, PendingChange):
        return waiting(place)
    _changed(response, f"/v1/checkpoints/{code}", place.version)
    return CheckpointOut.of(place)


@router.get("/offices", summary="List offices", responses=problems("validation"))
async def list_offices(
    reader: AnyReader,
    agency: Annotated[Code | None, Query(description="Only this agency's.")] = None,
    province: Annotated[Line | None, Query(description="Only those in this province.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[OfficeOut]:
    """The offices of the agencies, by code."""
    rows = await store.list_places(
        reader, Office, last_seen(cursor), limit + 1, agency=agency, province=province
    )
    return _page(rows, limit, OfficeOut.of)


@router.get(
    "/offices/{code}",
    summary="Read an office",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=OfficeOut,
)
async def read_office(
    reader: AnyReader, code: OfficePath, response: Response, if_none_match: IfNoneMatch = None
) -> OfficeOut | Response:
    """One office."""
    office = await places.get(reader, Office, code)
    return _unless_known(if_none_match, response, office.version) or OfficeOut.of(office)


@router.put(
    "/offices/{code}",
    summary="Change or add an office",
    responses=_changes(OfficeOut),
    response_model=OfficeOut,
)
async def change_office(
    unit: Admin, code: OfficePath, expected: VersionIfAny, body: OfficeIn, response: Response
) -> OfficeOut | Response:
    """Replace what is known of an office, or add one, for which no `If-Match` is sent; recorded.

    What closes it waits for a second admin.
    """
    office = await places.change(unit, Office(code=code, **body.model_dump()), expected)
    if isinstance(office, PendingChange):
        return waiting(office)
    _changed(response, f"/v1/offices/{code}", office.version)
    return OfficeOut.of(office)
