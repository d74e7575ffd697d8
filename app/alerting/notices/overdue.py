"""Notices of missed deadlines: of entries, amendments, objections and correction requests (no I/O)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.alerting.notices.domain import ESCALATED, REPORTED_AS_ENDS, NoticeContent, TermName, owner
from app.alerting.notices.names import NoticeName
from app.kit.clock import day_begins, legal_day
from app.register.entries.domain import Entry, State
from app.register.entries.law.deadlines import Deadline, DeadlineName
from app.register.entries.receipts import received_on

REFUSAL_WARNED_DAYS: Final = 5
"""Legal days after its receipt from which an undecided request is reported to the people that decide on it (R18)."""

OVERDUE_KEY: Final = f"{NoticeName.OVERDUE}:"
"""Prefix of the key of an overdue notice. The id of the entry, amendment, objection or correction request follows."""


KEY_ENDS: Final = {TermName.CARRY_OUT_OBJECTION: f":{TermName.CARRY_OUT_OBJECTION}"}
"""Suffix of the key of an overdue notice, by deadline. An objection has two deadlines, to answer it and to carry it
out; the suffix gives the second one a key of its own."""


@dataclass(frozen=True, slots=True)
class OverdueAct:
    """A decision or answer that is overdue, about an amendment, objection or correction request.

    Attributes:
        name: the deadline that has passed.
        id: id of the amendment, objection or correction request.
        entry_id: id of the entry concerned.
        agency: code of the entry's owner.
        asked_by: of an amendment, code of the agency that filed it, which is notified too; else that of the owner.
        due_at: when the deadline passed.
    """

    name: TermName
    id: str
    entry_id: str
    agency: str
    asked_by: str
    due_at: datetime

    @property
    def key(self) -> str:
        """The key of the notice, by which only one is stored for each amendment, objection or correction request.

        A granted objection has a second key, for the notice that it was not carried out in time.
        """
        return f"{OVERDUE_KEY}{self.id}{KEY_ENDS.get(self.name, '')}"


_ID_MEMBERS: Final = {
    TermName.DECIDE_AMENDMENT: "amendment_id",
    TermName.ANSWER_LETTER: "amendment_id",
    TermName.ANSWER_OBJECTION: "objection_id",
    TermName.CARRY_OUT_OBJECTION: "objection_id",
}
"""The detail member with the id of the term's subject; a correction request has the notice's `request_id`."""


def overdue(late: OverdueAct) -> NoticeContent:
    """Return the notice that an act is overdue.

    It goes to the entry's owner, the agency that filed the amendment, and the officers that `ESCALATED` names.
    """
    member = _ID_MEMBERS.get(late.name)
    recipients = dict.fromkeys((*owner(late.agency), *owner(late.asked_by), *ESCALATED[late.name]))
    detail = {"deadline": late.name.value} | ({member: late.id} if member else {})
    return NoticeContent(
        name=NoticeName.OVERDUE,
        key=late.key,
        to=tuple(recipients),
        effective_at=late.due_at,
        entry_id=late.entry_id,
        request_id=None if member else late.id,
        agency=late.agency,
        due_at=late.due_at,
        detail=detail,
    )


def missed(entry: Entry, deadlines: Sequence[Deadline], now: datetime) -> list[NoticeContent]:
    """Return the notices of an entry's deadlines that have passed unmet, and the warning that a decision is due soon.

    The warning comes when a request has waited for its decision until the fifth day after its receipt (R18). A deadline
    whose passing ends the entry has no notice here, because the end has its own. For an ended entry only the duty
    `restore` (to clear the person's name) is reported.

    Args:
        entry: the entry.
        deadlines: the entry's deadlines.
        now: the present instant.
    """
    contents: list[NoticeContent] = []
    for each in deadlines:
        if entry.state is State.ENDED and each.name is not DeadlineName.RESTORE:
            continue
        warned_at = day_begins(received_on(entry) + timedelta(days=REFUSAL_WARNED_DAYS))
        if each.name is DeadlineName.REFUSE_OR_APPROVE and each.met_at is None and warned_at <= now:
            contents.append(_about(entry, each, NoticeName.DUE_SOON, warned_at))
        if each.name not in REPORTED_AS_ENDS and each.passed(now):
            contents.append(_about(entry, each, NoticeName.OVERDUE, each.due_at))
    return contents


def _about(entry: Entry, deadline: Deadline, name: NoticeName, since: datetime) -> NoticeContent:
    """Return a deadline's notice. Its key contains the due day, so that a resubmitted request gets a new notice."""
    return NoticeContent(
        name=name,
        key=f"{name}:{entry.id}:{deadline.name}:{legal_day(deadline.due_at)}",
        to=(*owner(entry.agency), *ESCALATED[deadline.name]),
        effective_at=since,
        entry_id=entry.id,
        agency=entry.agency,
        due_at=deadline.due_at,
        detail={"deadline": deadline.name.value},
    )
