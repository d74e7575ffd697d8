"""Route of the statistics: figures about the register and its use (API section 8)."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.access.admission.guard import GuardedRoute, actor_for, allow, runtime_of, within
from app.access.admission.quotas import Quota
from app.access.domain import Role
from app.actor import Actor
from app.casework.statistics.figures import Dimension
from app.casework.statistics.schemas import StatisticsOut, csv_of
from app.casework.statistics.service import count
from app.web.accept import JSON, accepted_by, preferred
from app.web.openapi import problems
from app.web.openapi_headers import carrying
from app.web.wire import LegalDay

router = APIRouter(tags=["administration"], route_class=GuardedRoute)

_CSV = "text/csv"


@router.get(
    "/statistics",
    summary="Read statistics",
    response_model=StatisticsOut,
    response_description="The figures of the time, as JSON or as CSV.",
    responses={
        200: {
            "content": {_CSV: {"schema": {"type": "string"}}},
            **carrying(200, "Content-Disposition")[200],
        },
        **problems("validation"),
    },
)
@within(Quota.EXPORTS)
async def read_statistics(
    actor: Annotated[
        Actor,
        actor_for(Role.AUDITOR, Role.APPROVER, Role.ADMIN, Role.SUBMITTER, Role.VERIFIER, Role.DUTY_OFFICER),
    ],
    request: Request,
    response: Response,
    by: Annotated[
        list[Dimension] | None,
        Query(min_length=1, max_length=2, description="One dimension or two; by month unless given."),
    ] = None,
    since: Annotated[
        LegalDay | None,
        Query(alias="from", description="First legal day; a year before the last unless given."),
    ] = None,
    until: Annotated[
        LegalDay | None,
        Query(alias="to", description="Last legal day; today unless given. At most two years."),
    ] = None,
) -> StatisticsOut | Response:
    """Count the entries, checks, hits, deliveries and deadlines of a period; officers get their own agency's figures.

    Cells that count fewer persons than `smallest_cell` are hidden, and can't be computed from the other cells of the
    same period. The answer is CSV with `Accept: text/csv`. Every access is recorded with the requested table.
    """
    runtime = runtime_of(request)
    allow(request, runtime.settings.database_seconds)  # a table of two years is a statement that takes long
    counted = await count(runtime, actor, since, until, tuple(by or [Dimension.MONTH]))
    if preferred(accepted_by(request.scope["headers"]), (JSON, _CSV)) == _CSV:
        name = f'attachment; filename="cekal-{"-".join(counted.table.by)}-{counted.last_on}.csv"'
        headers = {"Vary": "Accept", "Content-Disposition": name}
        return Response(csv_of(counted), media_type=_CSV, headers=headers)
    response.headers["Vary"] = "Accept"
    return StatisticsOut.of(counted)
