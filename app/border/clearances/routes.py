"""Routes to list, read and decide clearances (API section 5)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app.access.admission.guard import GuardedRoute, reader_for, unit_for
from app.access.domain import Role
from app.border.clearances import service
from app.border.clearances.domain import Clearance, ClearanceState
from app.border.clearances.schemas import ClearanceDecisionIn, ClearanceOut
from app.db.unit import Reader, Unit
from app.web.etag import UNCHANGED, IfNoneMatch, RequiredVersion, etag_of, not_modified
from app.web.openapi import REPEATS, problems
from app.web.openapi_headers import carrying
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_last_id

router = APIRouter(prefix="/clearances", tags=["hits"], route_class=GuardedRoute)

ClearanceReader = Annotated[
    Reader,
    reader_for(
        Role.SUPERVISOR,
        Role.SUBMITTER,
        Role.VERIFIER,
        Role.APPROVER,
        Role.DUTY_OFFICER,
        Role.AUDITOR,
    ),
]
Decider = Annotated[Unit, unit_for(Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER)]
ClearanceId = Annotated[str, Path(max_length=40, description="The clearance's id.")]


def _answered(response: Response, clearance: Clearance) -> ClearanceOut:
    response.headers["ETag"] = _tag(clearance)
    return ClearanceOut.of(clearance)


def _tag(clearance: Clearance) -> str:
    return etag_of(clearance.version, clearance.bearer is None)


@router.get(
    "",
    summary="List clearances",
    response_description="A page of clearances, newest first.",
    responses=problems("validation"),
)
async def list_clearances(
    reader: ClearanceReader,
    state: Annotated[ClearanceState | None, Query(description="Only those in this state.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[ClearanceOut]:
    """List the clearances that the caller may see, newest first.

    Immigration's approvers and duty officers, and auditors, see all of them; an agency's officers see those against the
    agency's entries; a supervisor sees those proposed at the supervisor's checkpoint.
    """
    before = decode_last_id(cursor)
    rows = await service.list_page(reader, state.value if state else None, before, limit + 1)
    page, after = cut(rows, limit, lambda clearance: (clearance.id,))
    return Page(items=[ClearanceOut.of(clearance) for clearance in page], next_cursor=after)


@router.get(
    "/{clearance_id}",
    summary="Read a clearance",
    response_description="The clearance, with the decisions on it.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=ClearanceOut,
)
async def read_clearance(
    reader: ClearanceReader,
    clearance_id: ClearanceId,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> ClearanceOut | Response:
    """Read one clearance, with the decisions on it."""
    clearance = await service.get(reader, clearance_id)
    return not_modified(if_none_match, _tag(clearance)) or _answered(response, clearance)


@router.post(
    "/{clearance_id}/decisions",
    status_code=201,
    summary="Decide on a clearance",
    response_description="The decision was recorded; this is the clearance after it.",
    responses={
        **carrying(201, "ETag"),
        **problems(
            "validation",
            "not-found",
            "four-eyes",
            "wrong-state",
            "stale-version",
            "version-required",
            *REPEATS,
        ),
    },
)
async def decide_clearance(
    unit: Decider,
    clearance_id: ClearanceId,
    expected: RequiredVersion,
    body: ClearanceDecisionIn,
    response: Response,
) -> ClearanceOut:
    """Confirm, reject or withdraw a clearance, as an approver or duty officer of Immigration or the owner's verifier.

    The supervisor that resolved the hit can't confirm or reject the clearance. After a confirmation, checks of the
    traveller with this document do not stop them because of this entry; the answers name the clearance. A change of the
    entry ends the clearance.
    """
    clearance = await service.decide(unit, clearance_id, expected, body.verdict, body.reason)
    return _answered(response, clearance)
