"""Duties about an entry in addition to its decision, and the proof that they were done (R13, R18, R41, R42).

The record of a duty makes no new version, so that a decision on the version that its officer has read stays
possible.
"""

from datetime import datetime
from enum import StrEnum

import msgspec

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import IMMIGRATION, Role
from app.actor import Actor
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid, NotFound, WrongAgency, WrongRole, WrongState
from app.kit.clock import day_begins, legal_day, rfc3339
from app.register.entries import service, store, tasks
from app.register.entries.domain import Entry, State
from app.register.entries.duties import store as recorded
from app.register.entries.duties.store import Duty
from app.register.entries.events import DutyRecorded
from app.register.entries.law.deadlines import Terms, annulled_on, deadlines
from app.register.entries.tasks import EntryTaskName
from app.register.entries.visibility import visible

__all__ = ["Done", "Duty", "DutyName", "discharge", "list_duties"]


class DutyName(StrEnum):
    """Names under which an officer reports something as done about an entry.

    `related_entry` and `case_conflict` are tasks of the worklist. The others are duties: what the law requires in
    addition to the decision, such as its delivery; a duty's deadline has the same name.
    """

    DELIVER_TO_PERSON = "deliver_to_person"
    DELIVER_TO_MINISTER = "deliver_to_minister"
    NOTIFY_REFUSAL = "notify_refusal"
    WITHDRAW_PASSPORT = "withdraw_passport"
    RESTORE = "restore"
    RELATED_ENTRY = "related_entry"
    CASE_CONFLICT = "case_conflict"


class Done(msgspec.Struct, frozen=True):
    """An officer's report that a duty, or a task of the worklist, was done.

    Attributes:
        name: the duty, or the task of the worklist.
        done_at: when it was done.
        reference: the proof, such as a receipt's number or the name of the recipient.
        note: a remark, if any.
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
_TASKS_CLOSED = {
    DutyName.RELATED_ENTRY: AuditAct.TASK_RELATED_ENTRY,
    DutyName.CASE_CONFLICT: AuditAct.TASK_CASE_CONFLICT,
}
_OWNERS_ROLES = frozenset({Role.SUBMITTER, Role.VERIFIER})
_IMMIGRATIONS_ROLES = frozenset({Role.APPROVER, Role.DUTY_OFFICER, Role.SUBMITTER})
_NOT_DUE = {
    DutyName.DELIVER_TO_PERSON: "Only an approved decision is delivered to the person (UU 6/2011 art. 94(3)).",
    DutyName.DELIVER_TO_MINISTER: "There is no decision to be delivered to the minister (UU 6/2011 art. 94(4)).",
    DutyName.WITHDRAW_PASSPORT: "Only the passport of an Indonesian is withdrawn, while an exit ban holds (R42).",
    DutyName.RESTORE: "A person is rehabilitated after a judgment has annulled the measure (R66).",
}


async def discharge(unit: Unit, entry_id: str, done: Done, terms: Terms) -> Entry:
    """Store an officer's report that a duty was done, or close tasks. Returns the entry, with the duty's time in `met`.

    A report that names a task of the worklist (`related_entry`, `case_conflict`) closes all open tasks of this name
    about the entry; no duty is stored. A task can be closed even after the person was erased from the entry, but then
    the finding is not stored. A duty is stored only while it is open, so a second report of it is refused. The entry
    keeps its version.

    Args:
        unit: the transaction.
        entry_id: id of the entry.
        done: the duty and its proof.
        terms: the deployment's periods, from which the entry's deadlines follow.

    Raises:
        NotFound: the actor sees no entry with this id.
        WrongAgency, WrongRole: the duty belongs to another agency or role.
        WrongState: the entry has no open duty or task of this name, the duty was recorded before, or the person was
            erased from the entry whose duty it is.
        Invalid: the time is in the future, or before the decision on which the duty is based.
    """
    entry = await store.lock(unit, entry_id)
    if not visible(entry, unit.actor):
        raise NotFound("There is no such entry.")
    current = (await recorded.with_done_times(unit, [entry.at(unit.now)]))[0]
    _expect_officer(current, unit.actor, done.name)
    if done.name in _TASKS:
        return await _close_task(unit, current, done)
    if entry.erased_at is not None:
        raise WrongState("The person was erased from this entry (UU 27/2022 art. 43); no duty is left.")
    if done.name is DutyName.NOTIFY_REFUSAL:
        _expect_refused(current, await recorded.list_duties(unit, entry_id))
    else:
        _expect_open(current, done.name, terms)
    _expect_time(current, done, unit.now)
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
    said = {"name": duty.name, "version": duty.version, "done_at": rfc3339(duty.done_at)}
    await record(unit, AuditAct.DUTY_RECORDED, entry_id, said)
    unit.happened(DutyRecorded(current, done.name, done.done_at))
    await unit.conclude()
    return await _as_read(unit, entry)


async def _as_read(unit: Unit, entry: Entry) -> Entry:
    """Return the entry in the form in which a later read gives it."""
    return (await service.with_attached_data(unit, [entry]))[0].at(unit.now)


async def list_duties(reader: Reader, entry_id: str) -> list[Duty]:
    """Return the duties done for an entry, in the order in which they were recorded.

    Raises:
        NotFound: the actor sees no entry with this id.
    """
    await service.get(reader, entry_id)
    return await recorded.list_duties(reader, entry_id)


async def _close_task(unit: Unit, entry: Entry, done: Done) -> Entry:
    """Close the entry's tasks of this name with the officer's finding, which is not stored if the person is erased."""
    finding = None if entry.erased_at is not None else done.reference
    if not await tasks.close(unit, entry.id, _TASKS[done.name], finding):
        raise WrongState("No such task is open about this entry.")
    await record(unit, _TASKS_CLOSED[done.name], entry.id, {"version": entry.version})
    return await _as_read(unit, entry)


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
    """Raise `Invalid` if a duty was done in the future, or before the day of the decision on which it is based."""
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
