"""API models of the worklist."""

from collections.abc import Collection, Iterable
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from app.alerting.notices.domain import Notice, TermName
from app.alerting.notices.names import MEANINGS as NOTICES
from app.alerting.notices.names import NoticeName
from app.border.checks.store import MatchedEntry
from app.casework.worklist.domain import MEANINGS as TASKS
from app.casework.worklist.domain import Task, TaskName
from app.register.entries.law.deadlines import DeadlineName
from app.web.wire import Moment, WireOut

_SEEN = {"hit": "one of your entries stopped somebody", "sighting": "somebody of your entries was seen"}
_NAMES = " ".join(
    f"`{name}`: {meaning}." for name, meaning in (*TASKS.items(), *NOTICES.items(), *_SEEN.items())
)


class RulingOut(WireOut):
    """The judgment that caused a task."""

    number: str
    """The judgment's number."""
    court: str
    """The court."""
    decided_on: date
    """The day of the judgment."""
    final_on: date | None
    """The day on which the judgment became final; null for one that takes effect before it is final."""


class WorkItemOut(WireOut):
    """A task or a notice: ids, names and times, without personal data.

    A task has at most one of `amendment_id`, `objection_id` and `request_id`: the object to act on. If it has none, the
    officer acts on the entry. Hits and sightings have a `check_id`; notices of the officers' stream have a `number`.
    """

    kind: Literal["task", "notice"]
    """`task`: something to do; `notice`: something to know."""
    name: Annotated[TaskName | NoticeName | Literal["hit", "sighting"], Field(description=_NAMES)]
    entry_id: Annotated[
        str | None, Field(description="Null only of a notice that is about no entry: a drill.")
    ]
    amendment_id: str | None
    """The amendment to act on; null where it is none."""
    objection_id: str | None
    """The objection to act on; null where it is none."""
    request_id: str | None
    """The correction request to act on; null where it is none."""
    alert_id: str | None
    """The alert that it is about; null where it is about none."""
    due_at: Moment | None
    """Until when it is to be done; null without a limit."""
    at: Annotated[Moment, Field(description="Since when it has waited, or when it happened.")]
    deadline: Annotated[
        DeadlineName | TermName | None,
        Field(description="Of a notice about a deadline that comes near or has passed: that deadline."),
    ]
    number: Annotated[int | None, Field(description="The notice's number in `GET /v1/notices`.")]
    check_id: str | None
    """Of a hit or a sighting: the check; else null."""
    checkpoint: str | None
    """Of a hit or a sighting: code of the checkpoint; else null."""
    direction: Literal["exit", "entry"] | None
    """Of a hit or a sighting: where the person was going; else null."""
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
        """Convert a task to the API's model."""
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
        """Convert a notice to the API's model."""
        content = notice.content
        check_id = content.detail.get("check_id")
        return cls._with(
            kind="notice",
            name=content.name,
            entry_id=content.entry_id,
            amendment_id=content.detail.get("amendment_id"),
            objection_id=content.detail.get("objection_id"),
            request_id=content.request_id,
            alert_id=content.alert_id,
            due_at=content.due_at,
            at=notice.at,
            deadline=content.detail.get("deadline"),
            number=notice.number,
            check_id=check_id,
            checkpoint=content.detail["checkpoints"][0] if check_id else None,
            direction=content.detail.get("direction"),
        )

    @classmethod
    def of_seen(cls, seen: MatchedEntry, *, in_force: bool) -> Self:
        """Convert a hit or a sighting to the API's model; `in_force` says whether its entry is in force now."""
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
    """The tasks and notices."""


def newest_first(
    notices: Iterable[Notice], seen: Iterable[MatchedEntry], in_force: Collection[str]
) -> list[WorkItemOut]:
    """Return notices, hits and sightings as one list, newest first.

    Notices with the name `hit` are left out, because these hits are in `seen` too.

    Args:
        notices: the notices.
        seen: the hits and sightings.
        in_force: ids of the entries that are in force now.
    """
    items = [WorkItemOut.of_seen(each, in_force=each.entry_id in in_force) for each in seen]
    others = (notice for notice in notices if notice.content.name is not NoticeName.HIT)
    items += map(WorkItemOut.of_notice, others)
    return sorted(items, key=lambda item: (item.at, item.number or 0, item.check_id or ""), reverse=True)
