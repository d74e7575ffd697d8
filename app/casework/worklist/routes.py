"""Route of an officer's worklist (API section 3)."""

from typing import Annotated

from fastapi import APIRouter, Request

from app.access.admission.guard import GuardedRoute, actor_for, runtime_of
from app.access.domain import PERSON_ROLES
from app.actor import Actor
from app.alerting.notices.service import list_latest
from app.casework.worklist import service
from app.casework.worklist.schemas import WorkItemOut, WorklistOut, newest_first
from app.web.openapi import problems
from app.web.paging import DEFAULT_LIMIT, Limit

router = APIRouter(tags=["worklist"], route_class=GuardedRoute)


@router.get(
    "/worklist",
    summary="Read what waits for me",
    response_description="Tasks, soonest first, then notices, newest first.",
    responses=problems("validation"),
)
async def read_worklist(
    actor: Annotated[Actor, actor_for(*sorted(PERSON_ROLES))],
    request: Request,
    limit: Limit = DEFAULT_LIMIT,
) -> WorklistOut:
    """Read the caller's tasks with their deadlines, and their latest notices, hits and sightings.

    At most `limit` tasks, soonest first, then at most `limit` notices, newest first, in a stable order. Tasks that the
    caller may not do, because another person must decide, are omitted.
    """
    runtime = runtime_of(request)
    async with runtime.reading(actor) as reader:
        sealed = await service.list_sealed(reader)
        tasks = await service.tasks(reader, runtime.settings, sealed)
        notices = await list_latest(reader, limit)
    async with runtime.reading_checks(
        actor
    ) as checks:  # never two connections at the same time: the pool could deadlock
        seen = await service.latest_matches(checks, limit, sealed)
    async with runtime.reading(actor) as reader:
        in_force = await service.list_in_force(reader, {each.entry_id for each in seen})
    latest = newest_first(notices, seen, in_force)[:limit]
    return WorklistOut(items=[*map(WorkItemOut.of_task, tasks[:limit]), *latest])
