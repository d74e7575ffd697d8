"""What officers are told, when, and who they are; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from app.access.domain import IMMIGRATION, Role
from app.alerts.domain import Alert, LastSeen
from app.amendments.domain import Amendment
from app.db.unit import Actor
from app.entries.deadlines import Deadline, DeadlineName
from app.entries.domain import EndedReason, Entry, State
from app.kit.clock import day_begins, legal_day, rfc3339
from app.ledger.domain import Head
from app.notices.names import DETAILS, NoticeName

RUNGS: Final = (30, 14, 7, 4)
"""Legal days before its last day at which a measure's end is told (R30); 4 is the day before the last day on
which an extension can still arrive."""

URGENT_RUNGS: Final = (10, 15, 18, 19)
"""Days of its twenty, the first counted, at which an urgent entry's end is told (R30)."""

HOLDING: Final = frozenset({State.PROVISIONAL, State.ACTIVE})


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice before it has a number.

    Attributes:
        name: what it is.
        key: the fact that it tells; a key is told once and never again.
        to: addresses of those who are told (see `address`).
        effective_at: when the fact became true, however late it is told.
        due_at: until when something can be done about it, or should have been done; None without a limit.
        agency: code of the owner.
        detail: further members: codes, dates and numbers only, never personal data.
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
    """A numbered notice. Numbers are dense, from 1, in commit order; `at` is when it was written."""

    number: int
    id: str
    at: datetime
    said: Draft


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder towards an end.

    Attributes:
        step: days before the last day; of an urgent entry, the day of its twenty.
        day: the legal day with whose beginning it is reached.
    """

    step: int
    day: date

    @property
    def at(self) -> datetime:
        """The instant, in UTC, from which it is reached."""
        return day_begins(self.day)


def address(agency: str, role: str) -> str:
    """Where those who hold a role at an agency are told."""
    return f"{agency}:{role}"


def post(checkpoint: str) -> str:
    """Where the supervisors of a checkpoint are told; no agency's code begins like this."""
    return address(f"@{checkpoint}", Role.SUPERVISOR)


ADMINS: Final = address("*", Role.ADMIN)
"""Where every admin is told; no agency's code begins like this."""


def in_person(number: str) -> str:
    """Where one person is told, by whichever account they read; no agency's code begins like this."""
    return address("#", number)


def addresses(actor: Actor) -> frozenset[str]:
    """Every address at which an actor is told."""
    mine = {address(actor.agency, role) for role in actor.roles} if actor.agency else set()
    if actor.checkpoint is not None and actor.holds(Role.SUPERVISOR):
        mine.add(post(actor.checkpoint))
    if actor.holds(Role.ADMIN):
        mine.add(ADMINS)
    if actor.person is not None:
        mine.add(in_person(actor.person))
    return frozenset(mine)


def owner(agency: str) -> tuple[str, ...]:
    """Addresses of an entry's owner: those who ask, and those who verify."""
    return address(agency, Role.SUBMITTER), address(agency, Role.VERIFIER)


APPROVERS: Final = address(IMMIGRATION, Role.APPROVER)
DUTY_OFFICERS: Final = address(IMMIGRATION, Role.DUTY_OFFICER)


class TermName(StrEnum):
    """Terms that run for something else than an entry; those of entries are `DeadlineName`s."""

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
"""Every deadline that the register knows, and who is told beside the owner once it has passed unmet."""

TOLD_AS_ENDS: Final = frozenset({DeadlineName.COUNTERSIGN_OR_LAPSE, DeadlineName.APPROVE_BEFORE_LAPSE})
"""Deadlines with which the entry itself ends: they are told by its end."""


def meant_for(actor: Actor, to: Sequence[str]) -> bool:
    """Whether an actor is told what is sent to these addresses; an auditor reads everything."""
    return actor.holds(Role.AUDITOR) or not addresses(actor).isdisjoint(to)


def ladder(starts_on: date, ends_on: date, *, urgent: bool) -> tuple[Rung, ...]:
    """The rungs of a period, earliest first; those before its first day do not exist (R30)."""
    if urgent:
        rungs = [Rung(day, starts_on + timedelta(days=day - 1)) for day in URGENT_RUNGS]
    else:
        rungs = [Rung(left, ends_on - timedelta(days=left)) for left in RUNGS]
    return tuple(rung for rung in rungs if starts_on <= rung.day <= ends_on)


def standing_since(versions: Sequence[Entry]) -> datetime:
    """From when an entry has been in force with the end that it has now.

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
    """The rungs that an entry in force has reached since it has had its end; none of one that is not in force.

    A rung that lay behind the entry when it came into force, or was extended, is none: nobody could have been
    told in time. Nor has an urgent entry one whose formal entry waits for its day: its end is no threat.
    """
    if entry.ends_on is None or entry.superseded_from is not None or not entry.in_force(now):
        return ()
    rungs = ladder(entry.starts_on, entry.ends_on, urgent=entry.urgent)
    return tuple(rung for rung in rungs if since <= rung.at <= now)


def rung_key(entry: Entry, rung: Rung) -> str:
    """A rung's key; with the end in it, so that an extended measure has a ladder of its own."""
    return f"ladder:{entry.id}:{entry.ends_on}:{rung.step}"


def ends_soon(entry: Entry, rung: Rung, deadlines: Sequence[Deadline]) -> Draft:
    """The notice of a rung: what must be done until when, to the owner and the Directorate (R30)."""
    wanted = {DeadlineName.EXTEND_BEFORE, DeadlineName.APPROVE_BEFORE_LAPSE}
    until = next((each.due_at for each in deadlines if each.name in wanted and each.met_at is None), None)
    assert entry.ends_on is not None, "only what ends has a ladder"
    return Draft(
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


def ended(entry: Entry, now: datetime) -> Draft:
    """The notice of an end: to the owner, and where a request lapsed for want of an act, to those who are above."""
    lapsed = entry.ended_reason is EndedReason.LAPSED
    return Draft(
        name=NoticeName.ENDED,
        key=f"ended:{entry.id}",
        to=(*owner(entry.agency), *(ESCALATED[DeadlineName.APPROVE_BEFORE_LAPSE] if lapsed else ())),
        effective_at=entry.ended_at or now,
        entry_id=entry.id,
        agency=entry.agency,
        detail={"reason": entry.ended_reason.value if entry.ended_reason else entry.state.value},
    )


def pending_undecided(entry: Entry, now: datetime) -> Draft:
    """The day's notice of an entry whose period is over and whose papers are undecided: to who decides, and the owner.

    Args:
        entry: the entry.
        now: an instant of the day.
    """
    over, until, waiting = entry.over_at, entry.pending_until, entry.waiting
    assert over is not None, "what waits past its end has one"
    assert until is not None, "as above"
    assert waiting is not None, "as above"
    today = legal_day(now)
    return Draft(
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


def pending_ended(entry: Entry, at: datetime) -> Draft:
    """The notice that nobody is referred any more for a measure whose papers were undecided at its end (R68)."""
    return Draft(
        name=NoticeName.PENDING_ENDED,
        key=f"{NoticeName.PENDING_ENDED}:{entry.id}",
        to=(APPROVERS, *owner(entry.agency)),
        effective_at=at,
        entry_id=entry.id,
        agency=entry.agency,
        detail={"reason": entry.ended_reason.value if entry.ended_reason else entry.state.value},
    )


def silence(alert: Alert, codes: Sequence[str]) -> Draft:
    """The notice of the checkpoints that have not acknowledged an alert in time (R54)."""
    named = alert.entry_id is not None and alert.agency is not None
    return Draft(
        name=NoticeName.UNACKNOWLEDGED,
        key=f"unacknowledged:{alert.id}",
        to=(*ESCALATED[TermName.ACKNOWLEDGE_ALERT], *(owner(str(alert.agency)) if named else ())),
        effective_at=alert.acknowledge_by,
        entry_id=alert.entry_id,
        alert_id=alert.id,
        agency=alert.agency,
        due_at=alert.acknowledge_by,
        detail={"checkpoints": list(codes), "deadline": TermName.ACKNOWLEDGE_ALERT.value},
    )


def silent(missed: Sequence[LastSeen], patience: timedelta) -> Draft:
    """The notice of checkpoints that were connected and are no longer, since the last of them is missed (R55)."""
    return _of_checkpoints(NoticeName.CHECKPOINTS_SILENT, missed, patience)


def back(found: Sequence[LastSeen]) -> Draft:
    """The notice that ends the silence of checkpoints (R55)."""
    return _of_checkpoints(NoticeName.CHECKPOINTS_BACK, found, timedelta(0))


def _of_checkpoints(name: NoticeName, some: Sequence[LastSeen], after: timedelta) -> Draft:
    return Draft(
        name=name,
        key=f"{name}:{some[0].code}:{rfc3339(some[0].seen_at)}",
        to=(DUTY_OFFICERS,),
        effective_at=max(each.seen_at for each in some) + after,
        detail={"checkpoints": [each.code for each in some]},
    )


def own_name(by: Actor, at: datetime) -> Draft:
    """The notice that somebody has looked for their own name: to Immigration, whatever was found (R61)."""
    return Draft(
        name=NoticeName.OWN_NAME_SEARCHED,
        key=f"{NoticeName.OWN_NAME_SEARCHED}:{by.client_id}:{legal_day(at)}",
        to=(DUTY_OFFICERS, APPROVERS),
        effective_at=at,
        agency=by.agency,
        detail={"client_id": by.client_id},
    )


def judgment_filed(amendment: Amendment) -> Draft:
    """The notice that another body has filed a judgment that would end entries of this owner (R37)."""
    return Draft(
        name=NoticeName.JUDGMENT_FILED,
        key=f"{NoticeName.JUDGMENT_FILED}:{amendment.id}",
        to=owner(amendment.owner),
        effective_at=amendment.received_at,
        entry_id=amendment.entry_id,
        agency=amendment.owner,
        due_at=amendment.due_at,
        detail={"amendment_id": amendment.id},
    )


def on_the_wire(notice: Notice) -> dict[str, Any]:
    """A notice as officers read it: the same for all its recipients."""
    said = notice.said
    return {
        "number": notice.number,
        "id": notice.id,
        "name": said.name.value,
        "at": rfc3339(notice.at),
        "effective_at": rfc3339(said.effective_at),
        "due_at": None if said.due_at is None else rfc3339(said.due_at),
        "entry_id": said.entry_id,
        "alert_id": said.alert_id,
        "request_id": said.request_id,
        "agency": said.agency,
        **{member: said.detail.get(member) for member in DETAILS},
    }


def frame(notice: Notice, head: Head) -> bytes:
    """A notice as one server-sent event: encoded once, the same bytes for everybody."""
    data = msgspec.json.encode(on_the_wire(notice))
    return b"id: %s\nevent: notice\ndata: %s\n\n" % (head.cursor(notice.number).encode(), data)
