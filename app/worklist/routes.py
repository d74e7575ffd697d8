"""The officer's worklist (contract section 3)."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request

from app.access.domain import PERSON_ROLES
from app.access.guard import GuardedRoute, actor_for, runtime_of
from app.db.unit import Actor
from app.web.openapi import problems
from app.web.paging import DEFAULT_LIMIT, Limit
from app.web.wire import Moment, WireOut
from app.worklist import service

router = APIRouter(tags=["worklist"], route_class=GuardedRoute)


class WorkItemOut(WireOut):
    """Something that waits, or something to know.

    A `task` has `due_at`; a `notice` of a hit or a sighting has the check and its checkpoint.
    """

    kind: Literal["task", "notice"]
    name: Literal["verify", "approve", "countersign", "resubmit", "formalise", "hit", "sighting"]
    entry_id: str
    due_at: Moment | None
    at: Moment
    check_id: str | None
    checkpoint: str | None
    direction: str | None


class WorklistOut(WireOut):
    """Tasks, soonest first, then notices, newest first."""

    items: list[WorkItemOut]


@router.get("/worklist", summary="Read what waits for me", responses=problems("validation"))
async def read_worklist(
    actor: Annotated[Actor, actor_for(*sorted(PERSON_ROLES))],
    request: Request,
    limit: Limit = DEFAULT_LIMIT,
) -> WorklistOut:
    """What waits for the caller, with its deadline, and where the persons of their entries were seen."""
    runtime = runtime_of(request)
    async with runtime.reading(actor) as reader:
        tasks = await service.tasks(reader, runtime.settings)
        shut = await service.shut(reader)
    async with runtime.reading_checks(
        actor
    ) as checks:  # never two connections at once: the pool could lock up
        seen = await service.notices(checks, limit, shut)
    waiting = [
        WorkItemOut(
            kind="task",
            name=task.kind,
            entry_id=task.entry_id,
            due_at=task.due_at,
            at=task.since,
            check_id=None,
            checkpoint=None,
            direction=None,
        )
        for task in tasks[:limit]
    ]
    told = [
        WorkItemOut(
            kind="notice",
            name="sighting" if notice.sighting else "hit",
            entry_id=notice.entry_id,
            due_at=None,
            at=notice.at,
            check_id=notice.check_id,
            checkpoint=notice.checkpoint,
            direction=notice.direction,
        )
        for notice in seen
    ]
    return WorklistOut(items=waiting + told)
