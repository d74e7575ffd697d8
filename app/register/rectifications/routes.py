"""Routes to record, list, read and decide correction requests under the data-protection law (R63)."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.access.admission.guard import GuardedRoute, reader_for, unit_for
from app.access.domain import Role
from app.db.unit import Reader, Unit
from app.register.entries.ports import ports_of
from app.register.rectifications import service
from app.register.rectifications.domain import CorrectionRequest, RequestState
from app.register.rectifications.schemas import (
    CorrectionDecisionIn,
    CorrectionRequestIn,
    CorrectionRequestItemOut,
    CorrectionRequestOut,
)
from app.register.rectifications.store import place_of
from app.web.etag import UNCHANGED, IfNoneMatch, RequiredVersion, etag_of, not_modified
from app.web.openapi import REPEATS, problems
from app.web.openapi_headers import carrying
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_cursor
from app.web.wire import Code

router = APIRouter(prefix="/correction-requests", tags=["correction requests"], route_class=GuardedRoute)

_FILERS = (Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.SUPERVISOR)
_READERS = (*_FILERS, Role.AUDITOR)
RequestId = Annotated[str, Path(max_length=40, description="The request's id.")]


def _answered(response: Response, request: CorrectionRequest, now: datetime) -> CorrectionRequestOut:
    response.headers["ETag"] = _tag(request, now)
    return CorrectionRequestOut.of(request, now)


def _tag(request: CorrectionRequest, now: datetime) -> str:
    return etag_of(request.version, request.overdue(now), request.requester_name)


@router.post(
    "",
    status_code=201,
    summary="File a correction request",
    response_description="The request was filed, which acknowledges it; it is due 72 hours from now.",
    responses={
        **carrying(201, "ETag", "Location"),
        **problems("validation", "not-found", "wrong-state", *REPEATS),
    },
)
async def file_correction_request(
    unit: Annotated[Unit, unit_for(*_FILERS, despite_seals=True)],
    body: CorrectionRequestIn,
    response: Response,
) -> CorrectionRequestOut:
    """Record a request that states that an entry is about another person, or that its data are wrong or incomplete.

    The answer acknowledges the request; its decision is due 72 hours from now (UU 27/2022 art. 30). Immigration's
    officers and supervisors may file about any entry, other officers only about entries that they may see.
    """
    request = await service.file(unit, body.filed())
    response.headers["Location"] = f"/v1/correction-requests/{request.id}"
    return _answered(response, request, unit.now)


@router.get(
    "",
    summary="List correction requests",
    response_description="A page of correction requests, open ones first.",
    responses=problems("validation"),
)
async def list_correction_requests(
    reader: Annotated[Reader, reader_for(*_READERS)],
    state: Annotated[RequestState | None, Query(description="Only open, or only decided ones.")] = None,
    entry_id: Annotated[Code | None, Query(description="Only about this entry.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[CorrectionRequestItemOut]:
    """List the requests that the caller may see: open ones about a wrong person, other open ones, then decided ones.

    Requests of equal rank are listed oldest first.
    """
    after = decode_cursor(cursor, str, str) if cursor else None
    rows = await service.list_page(reader, state, entry_id, after and (after[0], after[1]), limit + 1)
    page, following = cut(rows, limit, lambda request: (place_of(request), request.id))
    items = [CorrectionRequestItemOut(**CorrectionRequestItemOut.members(each, reader.now)) for each in page]
    return Page(items=items, next_cursor=following)


@router.get(
    "/{request_id}",
    summary="Read a correction request",
    response_description="The request with its statement and its requester; the look was recorded.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=CorrectionRequestOut,
)
async def read_correction_request(
    unit: Annotated[Unit, unit_for(*_READERS)],
    request_id: RequestId,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> CorrectionRequestOut | Response:
    """Read one request with its statement and its requester; every access is recorded."""
    request = await service.read_and_log(unit, request_id)
    same = not_modified(if_none_match, _tag(request, unit.now))
    return same or _answered(response, request, unit.now)


@router.post(
    "/{request_id}/decisions",
    status_code=201,
    summary="Decide a correction request",
    response_description="The decision was recorded; this is the request after it.",
    responses={
        **carrying(201, "ETag"),
        **problems(
            "validation",
            "not-found",
            "wrong-state",
            "four-eyes",
            "stale-version",
            "version-required",
            *REPEATS,
        ),
    },
)
async def decide_correction_request(
    unit: Annotated[Unit, unit_for(Role.APPROVER)],
    request_id: RequestId,
    expected: RequiredVersion,
    body: CorrectionDecisionIn,
    request: Request,
    response: Response,
) -> CorrectionRequestOut:
    """Grant a request, wholly or in part, or refuse it and name the article of law.

    The approver must be another person than the officer that recorded the request. The decision does not change the
    entry; an amendment of the entry does, and `amendment_id` may name it.
    """
    ports = ports_of(request)
    decided = await service.decide(
        unit, request_id, expected, body.outcome, body.reason, body.amendment_id, ports.expect_amendment
    )
    return _answered(response, decided, unit.now)
