"""The officer's worklist (contract section 3)."""

from typing import Annotated

from fastapi import APIRouter, Request

from app.access.domain import PERSON_ROLES
from app.access.guard import GuardedRoute, actor_for, runtime_of
from app.db.unit import Actor
from app.web.openapi import problems
from app.web.paging import DEFAULT_LIMIT, Limit
from app.worklist import service
from app.worklist.schemas import WorkItemOut, WorklistOut, newest_first

router = APIRouter(tags=["worklist"], route_class=GuardedRoute)


@router.get("/worklist", summary="Read what waits for me", responses=problems("validation"))
async def read_worklist(
    actor: Annotated[Actor, actor_for(*sorted(PERSON_ROLES))],
    request: Request,
    limit: Limit = DEFAULT_LIMIT,
) -> WorklistOut:
    """What waits for the caller, with its deadline, and what they are to know.

    At most `limit` tasks, soonest first, then at most `limit` notices, newest first; the order is always the
    same. What the caller may not do for want of a second pair of eyes is left out.
    """
    runtime = runtime_of(request)
    async with runtime.reading(actor) as reader:
        shut = await service.shut(reader)
        tasks = await service.tasks(reader, runtime.settings, shut)
        told = await service.told(reader, limit)
    async with runtime.reading_checks(
        actor
    ) as checks:  # never two connections at once: the pool could lock up
        seen = await service.seen(checks, limit, shut)
    async with runtime.reading(actor) as reader:
        in_force = await service.in_force(reader, {each.entry_id for each in seen})
    notices = newest_first(told, seen, in_force)[:limit]
    return WorklistOut(items=[*map(WorkItemOut.of_task, tasks[:limit]), *notices])
