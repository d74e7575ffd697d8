"""What is told of deadlines that have passed unmet, wherever they stand; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.entries.deadlines import Deadline, DeadlineName
from app.entries.domain import Entry, State
from app.entries.receipts import received_on
from app.kit.clock import day_begins, legal_day
from app.notices.domain import ESCALATED, TOLD_AS_ENDS, Draft, TermName, owner
from app.notices.names import NoticeName

REFUSAL_WARNED_DAYS: Final = 5
"""Legal days after its receipt, from whose beginning an undecided request is told to those who decide (R18)."""

OVERDUE_KEY: Final = f"{NoticeName.OVERDUE}:"
"""What the key of a passed term begins with; the id of its subject follows."""


KEY_ENDS: Final = {TermName.CARRY_OUT_OBJECTION: f":{TermName.CARRY_OUT_OBJECTION}"}
"""What follows the id in the key of a subject's second term: the same objection was to be answered before."""


@dataclass(frozen=True, slots=True)
class Late:
    """Something beside an entry whose time is over, and which nobody has done.

    Attributes:
        id: of what is to be acted on.
        agency: who owns the entry.
        asked_by: who else has a stake in it: the agency that asks for an amendment.
    """

    name: TermName
    id: str
    entry_id: str
    agency: str
    asked_by: str
    due_at: datetime

    @property
    def key(self) -> str:
        """The fact that it tells."""
        return f"{OVERDUE_KEY}{self.id}{KEY_ENDS.get(self.name, '')}"


_CALLED: Final = {
    TermName.DECIDE_AMENDMENT: "amendment_id",
    TermName.ANSWER_LETTER: "amendment_id",
    TermName.ANSWER_OBJECTION: "objection_id",
    TermName.CARRY_OUT_OBJECTION: "objection_id",
}
"""As what the id of a term's subject stands in its notice; a correction request has a member of its own."""


def overdue(late: Late) -> Draft:
    """The notice of a term that passed, to the owner, to who asked, and to those above."""
    called = _CALLED.get(late.name)
    told = dict.fromkeys((*owner(late.agency), *owner(late.asked_by), *ESCALATED[late.name]))
    detail = {"deadline": late.name.value} | ({called: late.id} if called else {})
    return Draft(
        name=NoticeName.OVERDUE,
        key=late.key,
        to=tuple(told),
        effective_at=late.due_at,
        entry_id=late.entry_id,
        request_id=None if called else late.id,
        agency=late.agency,
        due_at=late.due_at,
        detail=detail,
    )


def missed(entry: Entry, deadlines: Sequence[Deadline], now: datetime) -> list[Draft]:
    """What is to be told of an entry's deadlines: those that passed unmet, and R18's on its fifth day already.

    Of an entry that has ended only its end is told, and that the person was not restored after it.
    """
    told: list[Draft] = []
    for each in deadlines:
        if entry.state is State.ENDED and each.name is not DeadlineName.RESTORE:
            continue
        warned_at = day_begins(received_on(entry) + timedelta(days=REFUSAL_WARNED_DAYS))
        if each.name is DeadlineName.REFUSE_OR_APPROVE and each.met_at is None and warned_at <= now:
            told.append(_about(entry, each, NoticeName.DUE_SOON, warned_at))
        if each.name not in TOLD_AS_ENDS and each.passed(now):
            told.append(_about(entry, each, NoticeName.OVERDUE, each.due_at))
    return told


def _about(entry: Entry, deadline: Deadline, name: NoticeName, since: datetime) -> Draft:
    """A deadline's notice. Its key holds what the deadline counts from: a resubmitted request has a new one."""
    return Draft(
        name=name,
        key=f"{name}:{entry.id}:{deadline.name}:{legal_day(deadline.due_at)}",
        to=(*owner(entry.agency), *ESCALATED[deadline.name]),
        effective_at=since,
        entry_id=entry.id,
        agency=entry.agency,
        due_at=deadline.due_at,
        detail={"deadline": deadline.name.value},
    )
