"""Coverage of alerts (API section 4)."""

from typing import Annotated

from fastapi import APIRouter, Path, Request

from app.access.admission.guard import GuardedRoute, reader_for, runtime_of
from app.access.domain import Role
from app.alerting.coverage.schemas import CoverageOut
from app.alerting.coverage.service import cover
from app.alerting.streams.hub import hub_in
from app.db.unit import Reader
from app.web.openapi import problems

router = APIRouter(prefix="/alerts", tags=["alerts"], route_class=GuardedRoute)


@router.get(
    "/{alert_id}/coverage",
    summary="See who holds an alert",
    response_description="How far the alert has come until now.",
    responses=problems("not-found"),
)
async def read_coverage(
    reader: Annotated[
        Reader, reader_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR)
    ],
    alert_id: Annotated[str, Path(max_length=40, description="The alert's id.")],
    request: Request,
) -> CoverageOut:
    """Read which checkpoints have received and acknowledged the alert, when, and which have not."""
    settings = runtime_of(request).settings
    connected = hub_in(request).checkpoints(settings.presence_seconds)
    return CoverageOut.of(await cover(reader, alert_id, settings, connected))
