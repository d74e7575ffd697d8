"""The supervisors' calls: what is open, who it was, what became of them (contract section 5)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.access.domain import Role
from app.access.guard import GuardedRoute, actor_for, runtime_of, unit_for
from app.db.unit import Actor, Unit
from app.hits import service
from app.hits.domain import HitState
from app.hits.schemas import HitInFullOut, HitOut, ResolutionIn
from app.web.etag import RequiredVersion, etag_of
from app.web.openapi import REPEATS, problems
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, last_seen
from app.web.wire import Moment

router = APIRouter(prefix="/hits", tags=["hits"], route_class=GuardedRoute)

HitId = Annotated[str, Path(max_length=40, description="The hit's id.")]


@router.get("", summary="List hits", responses=problems("validation"))
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
    """Hits, newest first: a supervisor's checkpoint's; an auditor sees all.

    Every check that is answered `refer` or `refuse` opens one; the list holds each whose answer has left.
    """
    before = last_seen(cursor)
    runtime = runtime_of(request)
    await service.take_up(runtime)
    async with runtime.reading(actor) as reader:
        rows = await service.list_page(reader, state, since, until, before, limit + 1)
        page, after = cut(rows, limit, lambda hit: (hit.id,))
        standing = await service.matched_now(reader, page)
    return Page(items=[HitOut.of(hit, standing) for hit in page], next_cursor=after)


@router.get("/{hit_id}", summary="Examine a hit", responses=problems("not-found"))
async def examine_hit(
    unit: Annotated[Unit, unit_for(Role.SUPERVISOR, Role.AUDITOR)],
    hit_id: HitId,
    request: Request,
    response: Response,
) -> HitInFullOut:
    """The check's answer as a counter sees it and the traveller as asked; every look is on record.

    `entries` says of each matched entry whether it still holds: it may have ended since the check.
    """
    examined = await service.examine(unit, hit_id, runtime_of(request))
    hit = examined.hit
    told = HitInFullOut.examined(examined)
    stands = [(each.state, each.in_force) for each in told.entries]
    response.headers["ETag"] = etag_of(
        hit.version, hit.escalated_at, examined.asked is None, hit.pending_until, stands
    )
    return told


@router.post(
    "/{hit_id}/resolutions",
    status_code=201,
    summary="Resolve a hit",
    responses=problems(
        "validation",
        "not-found",
        "wrong-state",
        "stale-version",
        "version-required",
        *REPEATS,
    ),
)
async def resolve_hit(
    unit: Annotated[Unit, unit_for(Role.SUPERVISOR, despite_seals=True)],
    hit_id: HitId,
    expected: RequiredVersion,
    body: ResolutionIn,
    request: Request,
    response: Response,
) -> HitOut:
    """A supervisor's word on who the traveller is; a machine never says it, and it is said once.

    `not_same_person` lets this crossing pass. Where nothing stands against it, it also proposes a clearance for
    each matched entry, which works once a second person has confirmed it. A refusal needs a measure that holds now.
    """
    runtime = runtime_of(request)
    hit = await service.resolve(unit, hit_id, expected, body.outcome, body.action, body.note, runtime)
    response.headers["ETag"] = etag_of(hit.version, hit.escalated_at, hit.pending_until)
    return HitOut.of(hit, await service.matched_now(unit, [hit]))
