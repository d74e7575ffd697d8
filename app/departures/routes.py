"""Delayed departures of suspected non-procedural workers (R65)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.access.domain import Role
from app.access.guard import GuardedRoute, reader_for, runtime_of, unit_for
from app.db.unit import Reader, Unit
from app.departures import service
from app.departures.domain import By
from app.departures.schemas import DelayIn, DelayItemOut, DelayOut, DelayPatternOut, DelayPatternsOut
from app.web.openapi import REPEATS, problems
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, last_seen
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
    responses=problems("validation", "wrong-agency", *REPEATS),
)
async def record_departure_delay(
    unit: Annotated[Unit, unit_for(Role.SUPERVISOR, Role.SUBMITTER, Role.DUTY_OFFICER)],
    body: DelayIn,
    request: Request,
    response: Response,
) -> DelayOut:
    """Record that a suspected non-procedural worker's departure was delayed: an event, never an entry.

    The traveller is a possible victim: no check ever matches them, and who they are is erased after its time.
    For a supervisor of the checkpoint, and for Immigration's submitters and duty officers, who name one.
    """
    told = body.told()
    delay = await service.record_delay(unit, told, runtime_of(request).settings)
    response.headers["Location"] = f"/v1/departure-delays/{delay.id}"
    return DelayOut.of(delay, told.traveller)


@router.get("", summary="List delayed departures", responses=problems("validation", "wrong-agency"))
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
    """Delayed departures without their travellers, newest record first; a supervisor's own checkpoint only."""
    rows = await service.list_page(
        reader,
        checkpoint=checkpoint,
        since=since,
        until=until,
        sponsor_of=sponsor,
        before=last_seen(cursor),
        limit=limit + 1,
    )
    page, after = cut(rows, limit, lambda delay: (delay.id,))
    return Page(items=[DelayItemOut(**DelayItemOut.members(delay)) for delay in page], next_cursor=after)


@router.get(
    "/patterns",
    summary="Find patterns in delayed departures",
    responses=problems("validation", "wrong-agency"),
)
async def find_delay_patterns(
    reader: DelayReader,
    by: Annotated[By, Query(description="What the delays are put together by.")] = "sponsor",
    since: Since = None,
    until: Until = None,
    at_least: Annotated[int, Query(ge=1, le=1000, description="How many delays make a pattern.")] = 2,
    limit: Limit = DEFAULT_LIMIT,
) -> DelayPatternsOut:
    """Sponsors met at several checkpoints, checkpoints, destinations: leads to recruiters, never a ban.

    Sponsors are taken for one who share a telephone, a document, or a folded name of two words or more. The
    time is the last twelve months unless given, at most five years.
    """
    first, last, found = await service.patterns(reader, by, since, until, at_least)
    items = [DelayPatternOut.of(pattern, by) for pattern in found[:limit]]
    return DelayPatternsOut(by=by, first_on=first, last_on=last, items=items, more=len(found) > limit)


@router.get(
    "/{delay_id}", summary="Read a delayed departure", responses=problems("wrong-agency", "not-found")
)
async def read_departure_delay(unit: Annotated[Unit, unit_for(*_READERS)], delay_id: DelayId) -> DelayOut:
    """One delayed departure with its traveller, unless erased; every look is recorded."""
    return DelayOut.of(*await service.look_at(unit, delay_id))
