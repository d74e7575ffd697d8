"""The wire of the worklist."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from app.checks.store import Seen
from app.notices.domain import Notice
from app.notices.names import MEANINGS as NOTICES
from app.notices.names import NoticeName
from app.web.wire import Moment, WireOut
from app.worklist.domain import MEANINGS as TASKS
from app.worklist.domain import Task, TaskName

_SEEN = {"hit": "one of your entries stopped somebody", "sighting": "somebody of your entries was seen"}
_NAMES = " ".join(
    f"`{name}`: {meaning}." for name, meaning in (*TASKS.items(), *NOTICES.items(), *_SEEN.items())
)


class RulingOut(WireOut):
    """The judgment that left a task."""

    number: str
    court: str
    decided_on: date
    final_on: date | None


class WorkItemOut(WireOut):
    """Something that waits, or something to know: ids, names and times; who it is about stands in the entry.

    Of `amendment_id`, `objection_id` and `request_id` at most one is set: then it is what is acted on, otherwise
    the entry. A hit or a sighting has its check, a notice of the officers' stream its number.
    """

    kind: Literal["task", "notice"]
    name: Annotated[TaskName | NoticeName | Literal["hit", "sighting"], Field(description=_NAMES)]
    entry_id: Annotated[
        str | None, Field(description="Null only of a notice that is about no entry: a drill.")
    ]
    amendment_id: str | None
    objection_id: str | None
    request_id: str | None
    alert_id: str | None
    due_at: Moment | None
    at: Annotated[Moment, Field(description="Since when it has waited, or when it happened.")]
    deadline: Annotated[
        str | None, Field(description="Of a notice that a deadline passes or has passed: which.")
    ]
    number: Annotated[int | None, Field(description="The notice's number in `GET /v1/notices`.")]
    check_id: str | None
    checkpoint: str | None
    direction: str | None
    judgment: Annotated[RulingOut | None, Field(description="Of a task that a judgment left.")]
    in_force: Annotated[
        bool | None,
        Field(description="Of a hit or a sighting: whether the entry holds now; it may have ended since."),
    ]

    @classmethod
    def _with(cls, **members: Any) -> Self:
        return cls.model_validate({**dict.fromkeys(cls.model_fields), **members})

    @classmethod
    def of_task(cls, task: Task) -> Self:
        """A task on the wire."""
        return cls._with(
            kind="task",
            name=task.name,
            entry_id=task.entry_id,
            amendment_id=task.amendment_id,
            objection_id=task.objection_id,
            request_id=task.request_id,
            due_at=task.due_at,
            at=task.since,
            judgment=None
            if task.judgment is None
            else {member: getattr(task.judgment, member) for member in RulingOut.model_fields},
        )

    @classmethod
    def of_notice(cls, notice: Notice) -> Self:
        """A notice on the wire."""
        said = notice.said
        check_id = said.detail.get("check_id")
        return cls._with(
            kind="notice",
            name=said.name,
            entry_id=said.entry_id,
            amendment_id=said.detail.get("amendment_id"),
            objection_id=said.detail.get("objection_id"),
            request_id=said.request_id,
            alert_id=said.alert_id,
            due_at=said.due_at,
            at=notice.at,
            deadline=said.detail.get("deadline"),
            number=notice.number,
            check_id=check_id,
            checkpoint=said.detail["checkpoints"][0] if check_id else None,
            direction=said.detail.get("direction"),
        )

    @classmethod
    def of_seen(cls, seen: Seen, *, in_force: bool) -> Self:
        """A hit or a sighting on the wire."""
        return cls._with(
            kind="notice",
            name="sighting" if seen.sighting else "hit",
            entry_id=seen.entry_id,
            at=seen.at,
            check_id=seen.check_id,
            checkpoint=seen.checkpoint,
            direction=seen.direction,
            in_force=in_force,
        )


class WorklistOut(WireOut):
    """Tasks, soonest first, then notices, newest first."""

    items: list[WorkItemOut]


def newest_first(
    told: Iterable[Notice], seen: Iterable[Seen], in_force: Collection[str]
) -> list[WorkItemOut]:
    """Notices, hits and sightings in one order; a hit, which is told as well, by the check that saw it alone.

    Args:
        told: the notices.
        seen: hits and sightings.
        in_force: ids of those of their entries that hold now.
    """
    items = [WorkItemOut.of_seen(each, in_force=each.entry_id in in_force) for each in seen]
    others = (notice for notice in told if notice.said.name is not NoticeName.HIT)
    items += map(WorkItemOut.of_notice, others)
    return sorted(items, key=lambda item: (item.at, item.number or 0, item.check_id or ""), reverse=True)
