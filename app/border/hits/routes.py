"""Routes for supervisors to list, examine and resolve hits (API section 5)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.access.admission.guard import GuardedRoute, actor_for, runtime_of, unit_for
from app.access.domain import Role
from app.actor import Actor
from app.border.hits import service
from app.border.hits.domain import HitState
from app.border.hits.schemas import HitInFullOut, HitOut, ResolutionIn
from app.db.unit import Unit
from app.web.etag import RequiredVersion, etag_of
from app.web.openapi import REPEATS, problems
from app.web.openapi_headers import carrying
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_last_id
from app.web.wire import Moment

router = APIRouter(prefix="/hits", tags=["hits"], route_class=GuardedRoute)

HitId = Annotated[str, Path(max_length=40, description="The hit's id.")]


@router.get(
    "",
    summary="List hits",
    response_description="A page of hits, newest first.",
    responses=problems("validation"),
)
async def list_hits(
    actor: Annotated[Actor, actor_for(Role.SUPERVISOR, Role.AUDITOR)],
    request: Request,
    state: Annotated[HitState | None, Query(description="Only those in this state.")] = None,
    since: Annotated[
        Moment | None, Query(alias="from", description="Only those opened at or after this instant.")
    ] = None,
    until: Annotated[
        Moment | None, Query(alias="to", description="Only those opened before this instant.")
    ] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[HitOut]:
    """List hits, newest first: a supervisor those of their checkpoint, an auditor all.

    Every check that is answered `refer` or `refuse` opens a hit or joins an existing one. The hit is in the list as
    soon as the answer was sent. Hits that matched an entry that may be about the caller are left out.
    """
    before = decode_last_id(cursor)
    runtime = runtime_of(request)
    await service.create_hits(runtime)
    async with runtime.reading(actor) as reader:
        rows = await service.list_page(reader, state, since, until, before, limit + 1)
        page, after = cut(rows, limit, lambda hit: (hit.id,))
        statuses = await service.entry_statuses(reader, page)
    return Page(items=[HitOut.of(hit, statuses) for hit in page], next_cursor=after)


@router.get(
    "/{hit_id}",
    summary="Examine a hit",
    response_description="The hit with its check and its traveller; the look was recorded.",
    responses={**carrying(200, "ETag"), **problems("not-found")},
)
async def examine_hit(
    unit: Annotated[Unit, unit_for(Role.SUPERVISOR, Role.AUDITOR)],
    hit_id: HitId,
    request: Request,
    response: Response,
) -> HitInFullOut:
    """Read a hit with the check's answer in the form for counters, and the traveller's data; every access is recorded.

    `entries` states for each matched entry whether its measure is in force now; it may have ended since the check.
    """
    examined = await service.examine(unit, hit_id, runtime_of(request))
    hit = examined.hit
    answer = HitInFullOut.examined(examined)
    states = [(each.state, each.in_force) for each in answer.entries]
    response.headers["ETag"] = etag_of(
        hit.version, hit.escalated_at, examined.parsed is None, hit.pending_until, states
    )
    return answer


@router.post(
    "/{hit_id}/resolutions",
    status_code=201,
    summary="Resolve a hit",
    response_description="The resolution was recorded; this is the hit after it.",
    responses={
        **carrying(201, "ETag"),
        **problems(
            "validation",
            "not-found",
            "wrong-state",
            "stale-version",
            "version-required",
            *REPEATS,
        ),
    },
)
async def resolve_hit(
    unit: Annotated[Unit, unit_for(Role.SUPERVISOR, despite_seals=True)],
    hit_id: HitId,
    expected: RequiredVersion,
    body: ResolutionIn,
    request: Request,
    response: Response,
) -> HitOut:
    """Resolve a hit: a supervisor states whether the traveller is the listed person, and the action taken.

    `confirmed` and `not_same_person` resolve the hit for good; a further resolution is refused (409). `unsure` leaves
    the hit open and can be sent repeatedly. A refusal needs a matched measure that is in force now, and can't go with
    `not_same_person`. `not_same_person` also proposes a clearance for each matched entry; a clearance takes effect once
    a second person has confirmed it. If none can be proposed for an entry, the answer names the `obstacle`, for example
    that the entry lists the traveller's document.
    """
    runtime = runtime_of(request)
    hit = await service.resolve(unit, hit_id, expected, body.outcome, body.action, body.note, runtime)
    response.headers["ETag"] = etag_of(hit.version, hit.escalated_at, hit.pending_until)
    return HitOut.of(hit, await service.entry_statuses(unit, [hit]))
