"""Content, times and recipients of notices (no I/O)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from app.access.domain import IMMIGRATION, Role
from app.actor import Actor
from app.alerting.alerts.domain import Alert, LastSeen
from app.alerting.notices.names import DETAILS, NoticeName
from app.kit.clock import day_begins, legal_day, rfc3339
from app.kit.json_text import on_one_line
from app.ledger.domain import Head
from app.register.amendments.domain import Amendment
from app.register.entries.domain import EndedReason, Entry, State
from app.register.entries.law.deadlines import Deadline, DeadlineName
from app.register.entries.law.periods import URGENT_DAYS

RUNGS: Final = (30, 14, 7, 4)  # 4: the day before the last one on which an extension can still arrive
"""Numbers of legal days before a measure's last day on which its end is announced (R30)."""

URGENT_RUNGS: Final = (10, 15, 18, 19)
"""Days on which the end of an urgent entry is announced: their numbers among its last twenty days (R30)."""

AWAITED_EVERY: Final = timedelta(minutes=30)
"""Interval of the notices that an urgent entry holds nobody before its countersignature."""

HOLDING: Final = frozenset({State.PROVISIONAL, State.ACTIVE})
"""States of entries that are in force within their period."""


@dataclass(frozen=True, slots=True)
class NoticeContent:
    """The content of a notice and its recipients, before `notify` stores it with a number as a `Notice`.

    Attributes:
        name: the kind of notice.
        key: identifies the reported fact: a second notice with the same key is not stored.
        to: addresses of the recipients (`address`, `post`, `in_person`).
        effective_at: when the fact became true, which may be long before the notice.
        request_id: id of the correction request that the notice is about; None if it is about none.
        agency: code of the agency concerned, mostly the entry's owner; None without one.
        due_at: time limit for the act that the notice is about; None without a limit.
        detail: further members, see `DETAILS`: codes, dates and numbers only, never personal data.
    """

    name: NoticeName
    key: str
    to: tuple[str, ...]
    effective_at: datetime
    entry_id: str | None = None
    alert_id: str | None = None
    request_id: str | None = None
    agency: str | None = None
    due_at: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """A numbered notice. Numbers are dense, from 1, in commit order; `at` is when it was stored."""

    number: int
    id: str
    at: datetime
    content: NoticeContent


@dataclass(frozen=True, slots=True)
class Rung:
    """One of the days before a measure's end on which its owner is notified. All rungs of a measure are its ladder.

    Attributes:
        step: number of days before the last day; for an urgent entry, the number of the day among its last twenty.
        day: the legal day; the rung is reached when this day begins.
    """

    step: int
    day: date

    @property
    def at(self) -> datetime:
        """The instant, in UTC, at which the rung is reached."""
        return day_begins(self.day)


def address(agency: str, role: str) -> str:
    """Return the address, for notices, of all clients with a role at an agency."""
    return f"{agency}:{role}"


def post(checkpoint: str) -> str:
    """Return the address, for notices, of the supervisors of a checkpoint. It begins with `@`, unlike agency codes."""
    return address(f"@{checkpoint}", Role.SUPERVISOR)


ADMINS: Final = address("*", Role.ADMIN)
"""Address of every admin; no agency code is `*`."""


def in_person(number: str) -> str:
    """Return the address, for notices, of the person with this employee number. `#` keeps it apart from agencies."""
    return address("#", number)


def addresses(actor: Actor) -> frozenset[str]:
    """Return all addresses of an actor: of their roles at the agency, of the supervisor's post, and of the person."""
    result = {address(actor.agency, role) for role in actor.roles} if actor.agency else set()
    if actor.checkpoint is not None and actor.holds(Role.SUPERVISOR):
        result.add(post(actor.checkpoint))
    if actor.holds(Role.ADMIN):
        result.add(ADMINS)
    if actor.person is not None:
        result.add(in_person(actor.person))
    return frozenset(result)


def owner(agency: str) -> tuple[str, ...]:
    """Return the addresses of notices to an entry's owner: those of the agency's submitters and of its verifiers."""
    return address(agency, Role.SUBMITTER), address(agency, Role.VERIFIER)


APPROVERS: Final = address(IMMIGRATION, Role.APPROVER)
DUTY_OFFICERS: Final = address(IMMIGRATION, Role.DUTY_OFFICER)


class TermName(StrEnum):
    """Names of the deadlines of amendments, objections, requests, hits and alerts; an entry's are `DeadlineName`s."""

    DECIDE_AMENDMENT = "decide_amendment"
    ANSWER_LETTER = "answer_letter"
    ANSWER_OBJECTION = "answer_objection"
    CARRY_OUT_OBJECTION = "carry_out_objection"
    DECIDE_CORRECTION_REQUEST = "decide_correction_request"
    RESOLVE_HIT = "resolve_hit"
    ACKNOWLEDGE_ALERT = "acknowledge_alert"


ESCALATED: Final[Mapping[DeadlineName | TermName, tuple[str, ...]]] = {
    DeadlineName.COUNTERSIGN: (DUTY_OFFICERS, APPROVERS),
    DeadlineName.COUNTERSIGN_OR_LAPSE: (DUTY_OFFICERS, APPROVERS),
    DeadlineName.CONFIRM_REJECTION: (APPROVERS,),
    DeadlineName.APPROVE_BEFORE_LAPSE: (DUTY_OFFICERS, APPROVERS),
    DeadlineName.DECIDE_BY_FIRST_DAY: (APPROVERS,),
    DeadlineName.REFUSE_OR_APPROVE: (APPROVERS,),
    DeadlineName.DELIVER_TO_MINISTER: (APPROVERS,),
    DeadlineName.DELIVER_TO_PERSON: (APPROVERS,),
    DeadlineName.EXTEND_BEFORE: (APPROVERS,),
    DeadlineName.WITHDRAW_PASSPORT: (DUTY_OFFICERS, APPROVERS),
    DeadlineName.RESTORE: (APPROVERS,),
    TermName.DECIDE_AMENDMENT: (APPROVERS,),
    TermName.ANSWER_LETTER: (APPROVERS,),
    TermName.ANSWER_OBJECTION: (APPROVERS,),
    TermName.CARRY_OUT_OBJECTION: (APPROVERS,),
    TermName.DECIDE_CORRECTION_REQUEST: (DUTY_OFFICERS, APPROVERS),
    TermName.RESOLVE_HIT: (DUTY_OFFICERS,),
    TermName.ACKNOWLEDGE_ALERT: (DUTY_OFFICERS,),
}
"""Every deadline, with the addresses notified beside the owner (of a hit: the supervisors) once it has passed unmet."""

REPORTED_AS_ENDS: Final = frozenset({DeadlineName.COUNTERSIGN_OR_LAPSE, DeadlineName.APPROVE_BEFORE_LAPSE})
"""Deadlines at which the entry itself ends, which is reported by the notice of the end."""


def meant_for(actor: Actor, to: Sequence[str]) -> bool:
    """Return whether an actor has one of the addresses `to` of a notice, or is an auditor; seals are not examined."""
    return actor.holds(Role.AUDITOR) or not addresses(actor).isdisjoint(to)


def ladder(starts_on: date, ends_on: date, *, urgent: bool) -> tuple[Rung, ...]:
    """Return the rungs of a measure that are within its days, earliest first (R30). Urgent entries have other rungs."""
    if urgent:
        rungs = [Rung(day, ends_on - timedelta(days=URGENT_DAYS - day)) for day in URGENT_RUNGS]
    else:
        rungs = [Rung(left, ends_on - timedelta(days=left)) for left in RUNGS]
    return tuple(rung for rung in rungs if starts_on <= rung.day <= ends_on)


def in_force_since(versions: Sequence[Entry]) -> datetime:
    """Return since when an entry has been in force with its present end.

    Args:
        versions: every version of the entry, oldest first; the last one is in force.
    """
    last = versions[-1]
    since = last.updated_at
    for former in reversed(versions):
        if former.state not in HOLDING or former.ends_on != last.ends_on:
            break
        since = former.updated_at
    return since if last.in_force_from is None else max(since, last.in_force_from)


def rungs_reached(entry: Entry, since: datetime, now: datetime) -> tuple[Rung, ...]:
    """Return the rungs (days before its end with a notice) that an entry has reached by `now`, earliest first.

    The result is empty if the entry is not in force, has no end, or is urgent and followed by an approved formal
    entry. Rungs before `since` are omitted: nobody could have been notified in time.

    Args:
        entry: the entry.
        since: since when the entry has been in force with its present end (see `in_force_since`).
        now: the present instant.
    """
    if entry.ends_on is None or entry.superseded_from is not None or not entry.in_force(now):
        return ()
    rungs = ladder(entry.starts_on, entry.ends_on, urgent=entry.urgent)
    return tuple(rung for rung in rungs if since <= rung.at <= now)


def rung_key(entry: Entry, rung: Rung) -> str:
    """Return the key of the notice about a rung. It contains the entry's end: an extension leads to new notices."""
    return f"ladder:{entry.id}:{entry.ends_on}:{rung.step}"


def ends_soon(entry: Entry, rung: Rung, deadlines: Sequence[Deadline]) -> NoticeContent:
    """Return the notice, to owner and approvers, that an entry has reached a rung before its end (R30).

    The notice's `due_at` is that of the first unmet deadline in `deadlines` to extend or formalise the entry; None if
    there is none.
    """
    requested = {DeadlineName.EXTEND_BEFORE, DeadlineName.APPROVE_BEFORE_LAPSE}
    until = next((each.due_at for each in deadlines if each.name in requested and each.met_at is None), None)
    assert entry.ends_on is not None, "only what ends has a ladder"
    return NoticeContent(
        name=NoticeName.ENDS_SOON,
        key=rung_key(entry, rung),
        to=(*owner(entry.agency), APPROVERS),
        effective_at=rung.at,
        entry_id=entry.id,
        agency=entry.agency,
        due_at=until,
        detail={
            "ends_on": entry.ends_on.isoformat(),
            "days_left": (entry.ends_on - rung.day).days,
            "urgent_day": rung.step if entry.urgent else None,
        },
    )


def ended(entry: Entry, now: datetime) -> NoticeContent:
    """Return the notice to the owner that an entry has ended; of a lapsed entry also to duty officers and approvers."""
    lapsed = entry.ended_reason is EndedReason.LAPSED
    return NoticeContent(
        name=NoticeName.ENDED,
        key=f"ended:{entry.id}",
        to=(*owner(entry.agency), *(ESCALATED[DeadlineName.APPROVE_BEFORE_LAPSE] if lapsed else ())),
        effective_at=entry.ended_at or now,
        entry_id=entry.id,
        agency=entry.agency,
        detail={"reason": entry.ended_reason.value if entry.ended_reason else entry.state.value},
    )


def countersign_awaited(entry: Entry, now: datetime) -> NoticeContent:
    """Return the notice, to duty officers, approvers and owner, that an urgent entry waits for its countersignature.

    By its key one notice is stored for each half hour since the receipt of the entry.
    """
    times = max(0, (now - entry.received_at) // AWAITED_EVERY)
    return NoticeContent(
        name=NoticeName.COUNTERSIGN_AWAITED,
        key=f"{NoticeName.COUNTERSIGN_AWAITED}:{entry.id}:{times}",
        to=(DUTY_OFFICERS, APPROVERS, *owner(entry.agency)),
        effective_at=entry.received_at + times * AWAITED_EVERY,
        entry_id=entry.id,
        agency=entry.agency,
        due_at=entry.over_at,
    )


def pending_undecided(entry: Entry, now: datetime) -> NoticeContent:
    """Return the notice, to approvers and owner, that an entry is over while papers that arrived in time are undecided.

    Args:
        entry: the entry; it must wait for undecided papers (`pending_until`).
        now: an instant of the notice's legal day, which its key contains: an entry has one such notice a day at most.
    """
    over, until, waiting = entry.over_at, entry.pending_until, entry.waiting
    assert over is not None, "what waits past its end has one"
    assert until is not None, "as above"
    assert waiting is not None, "as above"
    today = legal_day(now)
    return NoticeContent(
        name=NoticeName.PENDING_UNDECIDED,
        key=f"{NoticeName.PENDING_UNDECIDED}:{entry.id}:{today}",
        to=(APPROVERS, *owner(entry.agency)),
        effective_at=max(over, day_begins(today)),
        entry_id=entry.id,
        agency=entry.agency,
        due_at=until,
        detail={
            "ends_on": entry.ends_on and entry.ends_on.isoformat(),
            "amendment_id": None if entry.urgent else waiting.papers,
        },
    )


def pending_ended(entry: Entry, at: datetime) -> NoticeContent:
    """Return the notice, to approvers and owner, that the wait for an entry's undecided papers is over (R68)."""
    return NoticeContent(
        name=NoticeName.PENDING_ENDED,
        key=f"{NoticeName.PENDING_ENDED}:{entry.id}",
        to=(APPROVERS, *owner(entry.agency)),
        effective_at=at,
        entry_id=entry.id,
        agency=entry.agency,
        detail={"reason": entry.ended_reason.value if entry.ended_reason else entry.state.value},
    )


def not_acknowledged(alert: Alert, codes: Sequence[str]) -> NoticeContent:
    """Return the notice, to duty officers and entry's owner, that checkpoints did not acknowledge an alert (R54)."""
    owned = alert.entry_id is not None and alert.agency is not None
    return NoticeContent(
        name=NoticeName.UNACKNOWLEDGED,
        key=f"unacknowledged:{alert.id}",
        to=(*ESCALATED[TermName.ACKNOWLEDGE_ALERT], *(owner(str(alert.agency)) if owned else ())),
        effective_at=alert.acknowledge_by,
        entry_id=alert.entry_id,
        alert_id=alert.id,
        agency=alert.agency,
        due_at=alert.acknowledge_by,
        detail={"checkpoints": list(codes), "deadline": TermName.ACKNOWLEDGE_ALERT.value},
    )


def checkpoints_silent(missed: Sequence[LastSeen], patience: timedelta) -> NoticeContent:
    """Return the notice to duty officers that checkpoints, at least one, were not connected for `patience` (R55)."""
    return _of_checkpoints(NoticeName.CHECKPOINTS_SILENT, missed, patience)


def checkpoints_back(returned: Sequence[LastSeen]) -> NoticeContent:
    """Return the notice to duty officers that silent checkpoints, at least one, are connected again (R55)."""
    return _of_checkpoints(NoticeName.CHECKPOINTS_BACK, returned, timedelta(0))


def _of_checkpoints(name: NoticeName, checkpoints: Sequence[LastSeen], after: timedelta) -> NoticeContent:
    return NoticeContent(
        name=name,
        key=f"{name}:{checkpoints[0].code}:{rfc3339(checkpoints[0].seen_at)}",
        to=(DUTY_OFFICERS,),
        effective_at=max(each.seen_at for each in checkpoints) + after,
        detail={"checkpoints": [each.code for each in checkpoints]},
    )


def own_name(by: Actor, at: datetime) -> NoticeContent:
    """Return the notice to duty officers and approvers that a user has searched for their own name (R61)."""
    return NoticeContent(
        name=NoticeName.OWN_NAME_SEARCHED,
        key=f"{NoticeName.OWN_NAME_SEARCHED}:{by.client_id}:{legal_day(at)}",
        to=(DUTY_OFFICERS, APPROVERS),
        effective_at=at,
        agency=by.agency,
        detail={"client_id": by.client_id},
    )


def judgment_filed(amendment: Amendment) -> NoticeContent:
    """Return the notice to an entry's owner that another body has filed a judgment that would end the entry (R37)."""
    return NoticeContent(
        name=NoticeName.JUDGMENT_FILED,
        key=f"{NoticeName.JUDGMENT_FILED}:{amendment.id}",
        to=owner(amendment.owner),
        effective_at=amendment.received_at,
        entry_id=amendment.entry_id,
        agency=amendment.owner,
        due_at=amendment.due_at,
        detail={"amendment_id": amendment.id},
    )


def render_notice(notice: Notice) -> dict[str, Any]:
    """Return a notice as the JSON that officers read: the same for all its recipients."""
    content = notice.content
    return {
        "number": notice.number,
        "id": notice.id,
        "name": content.name.value,
        "at": rfc3339(notice.at),
        "effective_at": rfc3339(content.effective_at),
        "due_at": None if content.due_at is None else rfc3339(content.due_at),
        "entry_id": content.entry_id,
        "alert_id": content.alert_id,
        "request_id": content.request_id,
        "agency": content.agency,
        **{member: content.detail.get(member) for member in DETAILS},
    }


def frame(notice: Notice, head: Head) -> bytes:
    """Return a notice as a server-sent event. Its `id` is the notice's cursor: the epoch of `head`, and the number."""
    data = on_one_line(msgspec.json.encode(render_notice(notice)))
    return b"id: %s\nevent: notice\ndata: %s\n\n" % (head.cursor(notice.number).encode(), data)
