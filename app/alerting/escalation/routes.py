"""Escalation policies of checkpoints, the coverage of alerts, and daily drills (API section 4)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.access.admission.guard import GuardedRoute, reader_for, runtime_of, unit_for
from app.access.domain import Role
from app.alerting.escalation import drills, service
from app.alerting.escalation.schemas import DrillOut, DrillsOut, EscalationPolicyIn, EscalationPolicyOut
from app.db.unit import Reader, Unit
from app.kit.clock import legal_day
from app.web.etag import UNCHANGED, IfNoneMatch, RequiredVersion, etag_of, not_modified
from app.web.openapi import problems
from app.web.openapi_headers import carrying
from app.web.wire import LegalDay

router = APIRouter(tags=["escalation"], route_class=GuardedRoute)

Admin = Annotated[Unit, unit_for(Role.ADMIN)]
CodePath = Annotated[str, Path(pattern=r"^[A-Z0-9][A-Z0-9._-]{0,31}$", description="The checkpoint's code.")]


@router.get(
    "/checkpoints/{code}/escalation",
    summary="Read a checkpoint's escalation policy",
    response_description="The people to which its alerts are escalated.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=EscalationPolicyOut,
)
async def read_policy(
    reader: Annotated[Reader, reader_for(Role.ADMIN, Role.DUTY_OFFICER, Role.AUDITOR)],
    code: CodePath,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> EscalationPolicyOut | Response:
    """Read the people that are paged when a checkpoint does not confirm or acknowledge an alert in time."""
    policy = await service.read_policy(reader, code)
    response.headers["ETag"] = tag = etag_of(policy.version)
    return not_modified(if_none_match, tag) or EscalationPolicyOut.of(code, policy)


@router.put(
    "/checkpoints/{code}/escalation",
    summary="Set a checkpoint's escalation policy",
    response_description="The escalation policy was set.",
    responses={
        **carrying(200, "ETag"),
        **problems("validation", "not-found", "stale-version", "version-required"),
    },
)
async def change_policy(
    unit: Admin,
    code: CodePath,
    expected: RequiredVersion,
    body: EscalationPolicyIn,
    request: Request,
    response: Response,
) -> EscalationPolicyOut:
    """Replace the people that are paged for a checkpoint; duty officers, admins and its supervisors are notified.

    The first step is due when no machine of the checkpoint has confirmed an alert within 5 seconds (up to 35 if it
    polls or reconnects), or no person has acknowledged it by `acknowledge_by`. The next steps follow, in a loop, until
    somebody there acknowledges the alert or it is over. A checkpoint that is closed and has no standby is not paged
    before it opens.
    """
    policy = await service.change_policy(unit, code, body.to_steps(), expected, runtime_of(request).settings)
    response.headers["ETag"] = etag_of(policy.version)
    return EscalationPolicyOut.of(code, policy)


@router.delete(
    "/checkpoints/{code}/escalation",
    status_code=204,
    summary="Delete a checkpoint's escalation policy",
    response_description="From now on the default applies: notices to its supervisors, then to the duty officers.",
    responses=problems("not-found", "stale-version", "version-required"),
    response_model=None,
)
async def delete_policy(unit: Admin, code: CodePath, expected: RequiredVersion) -> Response:
    """Delete a checkpoint's own escalation policy; duty officers, admins and its supervisors are notified."""
    await service.delete_policy(unit, code, expected)
    return Response(status_code=204)


@router.get(
    "/drills",
    summary="Read the daily drills",
    response_description="The figures of each day with a drill.",
    responses=problems("validation"),
)
async def read_drills(
    reader: Annotated[Reader, reader_for(Role.DUTY_OFFICER, Role.AUDITOR, Role.ADMIN)],
    first: Annotated[
        LegalDay | None, Query(description="First day of the period; by default 30 days before the last.")
    ] = None,
    last: Annotated[
        LegalDay | None, Query(description="Last day, at most 92 days after the first; by default today.")
    ] = None,
) -> DrillsOut:
    """Read the results of the daily drills of a period: which checkpoints and channels an alert would have reached."""
    until = last or legal_day(reader.now)
    figures = await drills.read_figures(reader, first or until - drills.USUAL_PERIOD, until)
    return DrillsOut(items=[DrillOut.of(each) for each in figures])
