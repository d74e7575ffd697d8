"""What has to be done about an entry beside deciding on it, and the proof that it was done (R13, R18, R41, R42).

Recording a duty makes no new version: a decision on the version that its officer has read stays possible.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from app.access.domain import IMMIGRATION
from app.access.service import record
from app.db.unit import Actor, Reader, Unit
from app.entries import recorded, service, store, tasks
from app.entries.deadlines import Terms, annulled_on, deadlines
from app.entries.domain import Entry, State
from app.entries.events import DutyRecorded
from app.entries.recorded import Duty
from app.entries.tasks import EntryTaskName
from app.entries.views import visible
from app.errors import Fault, Invalid, NotFound, WrongAgency, WrongRole, WrongState
from app.kit.clock import day_begins, legal_day

__all__ = ["Done", "Duty", "DutyName", "discharge", "list_duties"]


class DutyName(StrEnum):
    """What can be recorded as done: most meet the deadline of their name, the last two a task of the worklist."""

    DELIVER_TO_PERSON = "deliver_to_person"
    DELIVER_TO_MINISTER = "deliver_to_minister"
    NOTIFY_REFUSAL = "notify_refusal"
    WITHDRAW_PASSPORT = "withdraw_passport"
    RESTORE = "restore"
    RELATED_ENTRY = "related_entry"
    CASE_CONFLICT = "case_conflict"


class Done(msgspec.Struct, frozen=True):
    """What an officer says was done.

    Attributes:
        reference: the proof: a receipt's number, the name of who received it.
    """

    name: DutyName
    done_at: datetime
    reference: str
    note: str | None = None


_OWNERS = frozenset(
    {DutyName.DELIVER_TO_PERSON, DutyName.DELIVER_TO_MINISTER, DutyName.RESTORE, DutyName.RELATED_ENTRY}
)
_TASKS = {
    DutyName.RELATED_ENTRY: EntryTaskName.RELATED_ENTRY,
    DutyName.CASE_CONFLICT: EntryTaskName.CASE_CONFLICT,
}
_OWNERS_ROLES = frozenset({"submitter", "verifier"})
_IMMIGRATIONS_ROLES = frozenset({"approver", "duty_officer", "submitter"})
_NOT_DUE = {
    DutyName.DELIVER_TO_PERSON: "Only an approved decision is delivered to the person (UU 6/2011 art. 94(3)).",
    DutyName.DELIVER_TO_MINISTER: "There is no decision to be delivered to the minister (UU 6/2011 art. 94(4)).",
    DutyName.WITHDRAW_PASSPORT: "Only the passport of an Indonesian is withdrawn, while an exit ban holds (R42).",
    DutyName.RESTORE: "A person is rehabilitated after a judgment has annulled the measure (R66).",
}


async def discharge(unit: Unit, entry_id: str, done: Done, terms: Terms) -> Entry:
    """Record that a duty was done; it is recorded once.

    Raises:
        NotFound: outside the actor's view.
        WrongAgency, WrongRole: it is another's duty.
        WrongState: nothing of the kind is due, or it was recorded before.
        Invalid: it was done in the future, or before what it follows from.
    """
    entry = await store.lock(unit, entry_id)
    if not visible(entry, unit.actor):
        raise NotFound("There is no such entry.")
    stands = (await recorded.with_met(unit, [entry.at(unit.now)]))[0]
    _expect_officer(stands, unit.actor, done.name)
    if done.name in _TASKS:
        return await _look_done(unit, stands, done)
    if done.name is DutyName.NOTIFY_REFUSAL:
        _expect_refused(stands, await recorded.list_duties(unit, entry_id))
    else:
        _expect_open(stands, done.name, terms)
    _expect_time(stands, done, unit.now)
    duty = Duty(
        name=done.name,
        version=entry.version,
        done_at=done.done_at,
        reference=done.reference,
        note=done.note,
        by=unit.actor.client_id,
        person=unit.actor.person,
        recorded_at=unit.now,
    )
    await recorded.add(unit, entry_id, duty)
    await record(unit, "duty.recorded", entry_id, {"name": done.name})
    unit.happened(DutyRecorded(stands, done.name, done.done_at))
    await unit.conclude()
    return (await service.as_known(unit, [entry]))[0].at(unit.now)


async def list_duties(reader: Reader, entry_id: str) -> list[Duty]:
    """What was recorded to have been done about an entry, in order.

    Raises:
        NotFound: outside the actor's view.
    """
    await service.get(reader, entry_id)
    return await recorded.list_duties(reader, entry_id)


async def _look_done(unit: Unit, entry: Entry, done: Done) -> Entry:
    """Close the entry's tasks of a name: its officer has looked, and says what was found."""
    if not await tasks.close(unit, entry.id, _TASKS[done.name], done.reference):
        raise WrongState("No such task is open about this entry.")
    await record(unit, f"task.{done.name}", entry.id, {"version": entry.version})
    return entry


def _expect_officer(entry: Entry, by: Actor, name: DutyName) -> None:
    if name in _OWNERS:
        entry.expect_owner(by)
        roles = _OWNERS_ROLES
    else:
        if by.agency != IMMIGRATION:
            raise WrongAgency("Only Immigration records this duty, its own or the Foreign Ministry's.")
        roles = _IMMIGRATIONS_ROLES
    if not by.holds(*roles):
        raise WrongRole(f"The duty {name} is recorded by: {', '.join(sorted(roles))}.")


def _expect_open(entry: Entry, name: DutyName, terms: Terms) -> None:
    running = {str(deadline.name): deadline for deadline in deadlines(entry, terms, entry.met)}
    deadline = running.get(name)
    if deadline is None:
        raise WrongState(_NOT_DUE[name])
    if deadline.met_at is not None:
        raise WrongState("This duty is on record as done; a duty is recorded once.")


def _expect_refused(entry: Entry, known: list[Duty]) -> None:
    if entry.state not in {State.RETURNED, State.REJECTED}:
        raise WrongState("Only a refused request has a notice of refusal (UU 6/2011 art. 94(6)).")
    if any(duty.name == DutyName.NOTIFY_REFUSAL and duty.version == entry.version for duty in known):
        raise WrongState("The notice of this refusal is on record; a duty is recorded once.")


def _expect_time(entry: Entry, done: Done, now: datetime) -> None:
    """Not in the future, nor before the legal day of the decision, or refusal, that it follows from."""
    follows = entry.decided_on if done.name is DutyName.DELIVER_TO_PERSON else entry.basis.issued_on
    if done.name is DutyName.RESTORE:
        follows = annulled_on(entry) or follows
    if done.name is DutyName.NOTIFY_REFUSAL:
        follows = legal_day(entry.rests_since or entry.updated_at)
    if done.done_at > now:
        fault = Fault("/done_at", "future", "A duty is recorded once it is done.")
    elif done.done_at < day_begins(follows):
        fault = Fault(
            "/done_at", "before_decision", "It can't be done before the decision that it follows from."
        )
    else:
        return
    raise Invalid("The duty can't have been done then.", faults=[fault])
