"""Figures about the register and its use (contract section 8)."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from app.access.domain import Role
from app.access.guard import GuardedRoute, actor_for, allow, runtime_of, within
from app.access.quotas import Quota
from app.db.unit import Actor
from app.statistics.figures import Dimension
from app.statistics.schemas import StatisticsOut, csv_of
from app.statistics.service import count
from app.web.openapi import problems
from app.web.wire import LegalDay

router = APIRouter(tags=["administration"], route_class=GuardedRoute)

_CSV = "text/csv"


@router.get(
    "/statistics",
    summary="Read statistics",
    response_model=StatisticsOut,
    responses={200: {"content": {_CSV: {"schema": {"type": "string"}}}}, **problems("validation")},
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
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> StatisticsOut | Response:
    """Entries, checks, hits, deliveries and deadlines of a time; of all agencies, or for officers of their own.

    No cell tells of fewer persons than `smallest_cell`, and none can be worked out from the others of the same
    time. CSV with `Accept: text/csv`. Who asked for which table is recorded.
    """
    runtime = runtime_of(request)
    allow(request, runtime.settings.database_seconds)  # a table of two years is a statement that takes long
    counted = await count(runtime, actor, since, until, tuple(by or [Dimension.MONTH]))
    if _CSV in accept:
        name = f'attachment; filename="cekal-{"-".join(counted.table.by)}-{counted.last_on}.csv"'
        headers = {"Vary": "Accept", "Content-Disposition": name}
        return Response(csv_of(counted), media_type=_CSV, headers=headers)
    response.headers["Vary"] = "Accept"
    return StatisticsOut.of(counted)
