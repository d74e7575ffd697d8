"""Routes to record and read delayed departures, and to find who sends the workers (R65)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.access.admission.guard import GuardedRoute, reader_for, runtime_of, unit_for
from app.access.domain import Role
from app.db.unit import Reader, Unit
from app.register.departures import service
from app.register.departures.domain import GroupBy
from app.register.departures.schemas import DelayIn, DelayItemOut, DelayOut, DelayPatternOut, DelayPatternsOut
from app.web.openapi import REPEATS, problems
from app.web.openapi_headers import carrying
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_last_id
from app.web.parameters import WHOLE
from app.web.wire import Code, LegalDay

router = APIRouter(prefix="/departure-delays", tags=["departure delays"], route_class=GuardedRoute)

_READERS = (Role.SUPERVISOR, Role.SUBMITTER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR)
DelayReader = Annotated[Reader, reader_for(*_READERS)]
DelayId = Annotated[str, Path(max_length=40, description="The delay's id.")]
Since = Annotated[LegalDay | None, Query(alias="from", description="First legal day on which it occurred.")]
Until = Annotated[LegalDay | None, Query(alias="to", description="Last legal day on which it occurred.")]


@router.post(
    "",
    status_code=201,
    summary="Record a delayed departure",
    response_description="The delayed departure was recorded.",
    responses={**carrying(201, "Location"), **problems("validation", "wrong-agency", *REPEATS)},
)
async def record_departure_delay(
    unit: Annotated[Unit, unit_for(Role.SUPERVISOR, Role.SUBMITTER, Role.DUTY_OFFICER)],
    body: DelayIn,
    request: Request,
    response: Response,
) -> DelayOut:
    """Record that a worker's departure was delayed, for example for missing papers; this creates no entry.

    The traveller is a possible victim: no check ever matches them, and their identity is erased after a retention
    period. A supervisor records for the own checkpoint. Submitters and duty officers of Immigration must name the
    checkpoint.
    """
    submitted = body.submitted()
    delay = await service.record_delay(unit, submitted, runtime_of(request).settings)
    response.headers["Location"] = f"/v1/departure-delays/{delay.id}"
    return DelayOut.of(delay, submitted.traveller)


@router.get(
    "",
    summary="List delayed departures",
    response_description="A page of delayed departures without their travellers, newest first.",
    responses=problems("validation", "wrong-agency"),
)
async def list_departure_delays(
    reader: DelayReader,
    checkpoint: Annotated[Code | None, Query(description="Only at this checkpoint.")] = None,
    since: Since = None,
    until: Until = None,
    sponsor: Annotated[
        Code | None, Query(description="A delay's id: only those of the same sponsor as that one.")
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[DelayItemOut]:
    """List delayed departures without their travellers, newest first; for a supervisor those of their checkpoint."""
    rows = await service.list_page(
        reader,
        checkpoint=checkpoint,
        since=since,
        until=until,
        sponsor_of=sponsor,
        before=decode_last_id(cursor),
        limit=limit + 1,
    )
    page, after = cut(rows, limit, lambda delay: (delay.id,))
    return Page(items=[DelayItemOut(**DelayItemOut.members(delay)) for delay in page], next_cursor=after)


@router.get(
    "/patterns",
    summary="Find patterns in delayed departures",
    response_description="The patterns of the time, the widest first.",
    responses=problems("validation", "wrong-agency"),
)
async def find_delay_patterns(
    reader: DelayReader,
    by: Annotated[GroupBy, Query(description="What the delays are put together by.")] = "sponsor",
    since: Since = None,
    until: Until = None,
    at_least: Annotated[int, Query(ge=1, le=1000, description="How many delays make a pattern."), WHOLE] = 2,
    limit: Limit = DEFAULT_LIMIT,
) -> DelayPatternsOut:
    """Find sponsors, checkpoints or destinations with several delayed departures, as hints at recruiters.

    Two sponsors count as one if they share a telephone, a document, or a name of two or more words (spelling variants
    count as equal), or if a chain of other sponsors links them by such data. A name of one word counts only for a
    sponsor without telephone and document. The period is at most five years; unless given, it is the last 364 days and
    today.
    """
    first, last, found = await service.patterns(reader, by, since, until, at_least)
    items = [DelayPatternOut.of(pattern, by) for pattern in found[:limit]]
    return DelayPatternsOut(by=by, first_on=first, last_on=last, items=items, more=len(found) > limit)


@router.get(
    "/{delay_id}",
    summary="Read a delayed departure",
    response_description="The delayed departure with its traveller; the look was recorded.",
    responses=problems("wrong-agency", "not-found"),
)
async def read_departure_delay(unit: Annotated[Unit, unit_for(*_READERS)], delay_id: DelayId) -> DelayOut:
    """Read one delayed departure with its traveller, unless erased; every access is recorded."""
    return DelayOut.of(*await service.read_and_log(unit, delay_id))
