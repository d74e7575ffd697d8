"""Opening hours of checkpoints and their planned closures (API section 8)."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.access.admission.guard import GuardedRoute, reader_for, runtime_of, unit_for
from app.access.domain import Role
from app.alerting.hours import service
from app.alerting.hours.schemas import ClosureIn, ClosureOut, HoursIn, HoursOut
from app.alerting.hours.service import HoursView
from app.db.unit import Reader, Unit
from app.web.etag import UNCHANGED, IfNoneMatch, RequiredVersion, etag_of, not_modified
from app.web.openapi import REPEATS, problems
from app.web.openapi_headers import carrying

router = APIRouter(prefix="/checkpoints/{code}", tags=["administration"], route_class=GuardedRoute)

Admin = Annotated[Unit, unit_for(Role.ADMIN)]
CodePath = Annotated[str, Path(pattern=r"^[A-Z0-9][A-Z0-9._-]{0,31}$", description="The checkpoint's code.")]


def _tag(view: HoursView) -> str:
    return etag_of(view.hours.version, view.place.zone, view.closures, view.duty, view.next_opening)


@router.get(
    "/hours",
    summary="Read a checkpoint's opening hours",
    response_description="Its hours, its planned closures, and whether it is open now.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=HoursOut,
)
async def read_hours(
    reader: Annotated[
        Reader,
        reader_for(Role.CHECKPOINT, Role.SUPERVISOR, Role.DUTY_OFFICER, Role.AUDITOR, Role.ADMIN),
    ],
    code: CodePath,
    request: Request,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> HoursOut | Response:
    """Read when a checkpoint is open; one whose hours were never set is open around the clock."""
    view = await service.read_hours(reader, code, runtime_of(request).settings.holidays)
    response.headers["ETag"] = tag = _tag(view)
    return not_modified(if_none_match, tag) or HoursOut.of(view)


@router.put(
    "/hours",
    summary="Set a checkpoint's opening hours",
    response_description="The hours were set.",
    responses={
        **carrying(200, "ETag"),
        **problems("validation", "not-found", "stale-version", "version-required"),
    },
)
async def change_hours(
    unit: Admin,
    code: CodePath,
    expected: RequiredVersion,
    body: HoursIn,
    request: Request,
    response: Response,
) -> HoursOut:
    """Replace the opening hours of a checkpoint; its planned closures stay. The act is recorded.

    Alerts go to a closed checkpoint as to any other. If it has no `standby`, its silence is not reported, and while it
    has sent no receipt of an alert it is in `closed` of the coverage, not in `unreached`.
    """
    await service.change_hours(unit, code, body.hours(), expected)
    view = await service.read_hours(unit, code, runtime_of(request).settings.holidays)
    response.headers["ETag"] = _tag(view)
    return HoursOut.of(view)


@router.post(
    "/closures",
    status_code=201,
    summary="Plan a closure of a checkpoint",
    response_description="The closure was planned.",
    responses=problems("validation", "not-found", *REPEATS),
)
async def plan_closure(unit: Admin, code: CodePath, body: ClosureIn) -> ClosureOut:
    """Plan that a checkpoint is closed from one instant to another, whatever its hours say. The act is recorded."""
    return ClosureOut.of(await service.plan_closure(unit, code, body.begins, body.ends, body.reason))


@router.delete(
    "/closures/{closure_id}",
    status_code=204,
    summary="Withdraw a closure of a checkpoint",
    response_description="The closure was withdrawn; one that had begun is over.",
    responses=problems("not-found"),
    response_model=None,
)
async def withdraw_closure(
    unit: Admin,
    code: CodePath,
    closure_id: Annotated[str, Path(max_length=40, description="The closure's id.")],
) -> Response:
    """Withdraw a planned closure, or end one that has begun, so that the hours apply at once. The act is recorded."""
    await service.withdraw_closure(unit, code, closure_id)
    return Response(status_code=204)
