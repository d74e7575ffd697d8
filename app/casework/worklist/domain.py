"""Tasks of officers and their order (no I/O)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.kit.clock import legal_day
from app.register.entries.domain import Ruling


class TaskName(StrEnum):
    """The kinds of tasks: a closed list of names."""

    VERIFY = "verify"
    APPROVE = "approve"
    COUNTERSIGN = "countersign"
    CONFIRM_REJECTION = "confirm_rejection"
    RESUBMIT = "resubmit"
    FORMALISE = "formalise"
    EXTEND = "extend"
    END_MEASURE = "end_measure"
    DELIVER_TO_PERSON = "deliver_to_person"
    DELIVER_TO_MINISTER = "deliver_to_minister"
    WITHDRAW_PASSPORT = "withdraw_passport"
    RESTORE = "restore"
    VERIFY_AMENDMENT = "verify_amendment"
    APPROVE_AMENDMENT = "approve_amendment"
    ANSWER_LETTER = "answer_letter"
    ANSWER_OBJECTION = "answer_objection"
    CARRY_OUT_OBJECTION = "carry_out_objection"
    DECIDE_CORRECTION_REQUEST = "decide_correction_request"
    PREPARE_CORRECTION = "prepare_correction"
    REVOCATION_REFUSED = "revocation_refused"
    RELATED_ENTRY = "related_entry"
    CASE_CONFLICT = "case_conflict"


MEANINGS = {
    TaskName.VERIFY: "a request of your agency waits for its verification",
    TaskName.APPROVE: "a verified request waits for its approval",
    TaskName.COUNTERSIGN: "an urgent entry waits for its countersignature",
    TaskName.CONFIRM_REJECTION: "a duty officer proposes to reject a countersigned urgent entry: decide `reject` or "
    "`keep`",
    TaskName.RESUBMIT: "a request of your agency was returned; due where an urgent entry lapses without it",
    TaskName.FORMALISE: "an urgent entry of your agency needs its formal decision before it lapses",
    TaskName.EXTEND: "a measure of your agency ends within thirty days and can still be extended",
    TaskName.END_MEASURE: "the case of a measure of your agency has left the stage in which alone it may order one: "
    "revoke it, or correct the stage",
    TaskName.DELIVER_TO_PERSON: "a decision of your agency is to reach the person",
    TaskName.DELIVER_TO_MINISTER: "a decision of your agency should have reached the minister",
    TaskName.WITHDRAW_PASSPORT: "an Indonesian's passport is to be withdrawn",
    TaskName.RESTORE: "a judgment has annulled a measure of your agency: rehabilitate the person by letter",
    TaskName.VERIFY_AMENDMENT: "an amendment of your agency waits for its verification",
    TaskName.APPROVE_AMENDMENT: "a verified amendment waits for its approval",
    TaskName.ANSWER_LETTER: "another body's letter asks your agency about an entry of yours",
    TaskName.ANSWER_OBJECTION: "an objection against an entry of your agency waits for its answer",
    TaskName.CARRY_OUT_OBJECTION: "your agency has granted an objection, and the measure still holds: ask for its "
    "annulment or revocation",
    TaskName.DECIDE_CORRECTION_REQUEST: "a correction request waits for its decision",
    TaskName.PREPARE_CORRECTION: "a correction request is about an entry of your agency",
    TaskName.REVOCATION_REFUSED: "Immigration has refused your agency's revocation (`amendment_id` has the reason), "
    "and the measure holds on: file another, or leave it",
    TaskName.RELATED_ENTRY: "a measure was ended (`amendment_id`, of an acquittal its `judgment`), and an entry of "
    "your agency may be against the same person: end it too, or record under `duties` what you found",
    TaskName.CASE_CONFLICT: "an entry contradicts an act in its own case, as an upgrade of the register found: get it "
    "ended, or record under `duties` what you found",
}
"""The meaning of each name, for the API's document."""


@dataclass(frozen=True, slots=True)
class Task:
    """A task that waits for an officer.

    Attributes:
        name: the kind of task.
        entry_id: id of the entry that the task is about.
        due_at: time limit by law or by the deployment's settings; None without a limit.
        since: when the task began to wait.
        first: whether the task comes before the other tasks due on the same day, because an innocent person may be
            stopped (R63).
        pressing: whether the task comes before all tasks that are not pressing: a person is banned after an acquittal
            (R67), or a measure is over and only this decision is missing (R68).
        amendment_id, objection_id, request_id: id of the object to act on; all None if it is the entry.
        judgment: the judgment that caused the task; None if none did.
    """

    name: TaskName
    entry_id: str
    due_at: datetime | None
    since: datetime
    first: bool = False
    pressing: bool = False
    amendment_id: str | None = None
    objection_id: str | None = None
    request_id: str | None = None
    judgment: Ruling | None = None

    @property
    def object_id(self) -> str:
        """The id of the amendment, objection or request to act on, or else of the entry."""
        return self.amendment_id or self.objection_id or self.request_id or self.entry_id


def in_order(tasks: list[Task]) -> list[Task]:
    """Return tasks in a stable order: pressing ones before others, then by due time, those without a limit last.

    Of the tasks due on the same day, those with `first` come first.
    """
    return sorted(tasks, key=_place)


def _place(task: Task) -> tuple[bool, bool, date, bool, datetime, datetime, str, str]:
    due_at = task.due_at or task.since
    return (
        not task.pressing,
        task.due_at is None,
        legal_day(due_at),
        not task.first,
        due_at,
        task.since,
        task.name,
        task.object_id,
    )
