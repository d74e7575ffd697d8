"""Use cases of clearances: propose, decide, read, and end them when their entry changes (R47)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import Role
from app.actor import Actor
from app.border.clearances import store
from app.border.clearances.domain import Bearer, Clearance, ClearanceState, ClearanceVerdict, EndReason
from app.border.clearances.store import Filter, list_standing
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid, NotFound
from app.kit.ids import new_id
from app.ledger.domain import Draft, RecordType
from app.register.entries import store as entries
from app.register.entries.domain import Entry
from app.register.entries.events import EntryChanged
from app.register.entries.visibility import open_to
from app.register.entries.visibility import visible as may_see

__all__ = [
    "ClearanceDecided",
    "decide",
    "end_clearances",
    "erase_of_entry",
    "get",
    "list_page",
    "list_standing",
    "propose",
]

SEES_ALL = frozenset({Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR})
"""Roles that see the clearances of every agency and checkpoint."""


@dataclass(frozen=True, slots=True)
class ClearanceDecided:
    """An event: a clearance was confirmed or withdrawn. A rejection makes no event, because it changes no check."""

    clearance: Clearance


async def propose(unit: Unit, entry: Entry, bearer: Bearer, hit_id: str) -> Clearance:
    """Store a proposed clearance of a bearer against an entry, and return it.

    If the same bearer has a proposed or standing clearance against this version of the entry already, return that one.

    Args:
        unit: the transaction, which holds the entry's lock; its actor has resolved the hit at a checkpoint.
        entry: the entry.
        bearer: the cleared person.
        hit_id: the hit that was resolved.
    """
    for known in await store.list_live(unit, entry.id):
        if known.entry_version == entry.version and known.bearer == bearer:
            return known
    clearance = Clearance(
        id=new_id("clr", unit.now),
        version=1,
        state=ClearanceState.PROPOSED,
        entry_id=entry.id,
        entry_version=entry.version,
        agency=entry.agency,
        checkpoint=str(unit.actor.checkpoint),
        hit_id=hit_id,
        bearer=bearer,
        proposed_by=unit.actor.client_id,
        person=unit.actor.person,
        proposed_at=unit.now,
    )
    await store.add(unit, clearance)
    return clearance


async def decide(
    unit: Unit, clearance_id: str, expected: int, verdict: ClearanceVerdict, reason: str | None
) -> Clearance:
    """Store a second person's decision on a clearance, and return the clearance.

    `expected` is the clearance's version that the actor has read. The entry is locked first, as for every change of an
    entry: either a concurrent change ends this clearance, or this call sees the change.

    Raises:
        NotFound: the actor sees no clearance with this id, or does not see its entry.
        Invalid: a rejection or a withdrawal has no reason.
        WrongState: a withdrawal needs a standing clearance, a confirmation or rejection a proposed one; or the entry
            has changed or ended, so that the clearance can't be confirmed.
        StaleVersion: the clearance has changed since it was read.
        SecondPairOfEyesNeeded: the actor resolved the hit, and confirms or rejects the clearance.
    """
    before = await get(unit, clearance_id)
    if verdict is not ClearanceVerdict.CONFIRM and not reason:
        fault = Fault("/reason", "required", "A refused or withdrawn clearance needs a reason.")
        raise Invalid("The verdict needs its reason.", faults=[fault])
    entry = await entries.lock(unit, before.entry_id)
    if not may_see(entry, unit.actor):  # sealed: the persons named in the seal decide (R61)
        raise NotFound("There is no such clearance.")
    before = await store.lock(unit, clearance_id)
    clearance = before.decided(unit.actor, expected, verdict, reason, entry.at(unit.now), unit.now)
    await store.save(unit, clearance)
    await record(unit, _ACTS[verdict], clearance.id, {"entry": clearance.entry_id})
    if verdict is not ClearanceVerdict.REJECT:
        unit.happened(ClearanceDecided(clearance))
        await unit.conclude()
    return clearance


_ACTS = {
    ClearanceVerdict.CONFIRM: AuditAct.CLEARANCE_CONFIRMED,
    ClearanceVerdict.REJECT: AuditAct.CLEARANCE_REJECTED,
    ClearanceVerdict.WITHDRAW: AuditAct.CLEARANCE_WITHDRAWN,
}


async def get(reader: Reader, clearance_id: str) -> Clearance:
    """Return a clearance that the actor may see.

    Raises:
        NotFound: the actor sees no clearance with this id, or its entry is sealed from the actor.
    """
    clearance = await store.find(reader, clearance_id)
    if clearance is None or not visible(clearance, reader.actor):
        raise NotFound("There is no such clearance.")
    entry = await entries.find(reader, clearance.entry_id)
    if entry is None or not open_to(entry, reader.actor):
        raise NotFound("There is no such clearance.")
    return clearance


async def list_page(reader: Reader, state: str | None, before: str | None, limit: int) -> list[Clearance]:
    """Return a page of the clearances that the actor may see, newest first, at most `limit`.

    Clearances of entries that are sealed from the actor are omitted. `state` restricts the page to clearances in this
    state, `before` to clearances with an id before this one; None means no restriction.
    """
    actor = reader.actor
    owner = actor.holds(Role.SUBMITTER, Role.VERIFIER)
    selection = Filter(
        state=state,
        everywhere=actor.holds(*SEES_ALL),
        agency=actor.agency if owner else None,
        checkpoint=actor.checkpoint if actor.holds(Role.SUPERVISOR) else None,
    )
    return await store.list_page(reader, selection, before, limit)


def visible(clearance: Clearance, actor: Actor) -> bool:
    """Return whether an actor may see a clearance by role; the caller must check the seal of the clearance's entry.

    Holders of a role in `SEES_ALL` see every clearance. An agency's submitters and verifiers see those against the
    agency's entries, a supervisor those proposed at the supervisor's checkpoint.
    """
    if actor.holds(*SEES_ALL):
        return True
    owns = actor.holds(Role.SUBMITTER, Role.VERIFIER) and actor.agency == clearance.agency
    return owns or (actor.holds(Role.SUPERVISOR) and actor.checkpoint == clearance.checkpoint)


async def end_clearances(unit: Unit, event: EntryChanged) -> Sequence[Draft]:
    """End the proposed and standing clearances of the event's entry: those of earlier versions, or all if it has ended.

    Called as a projector: in the transaction of the event. Returns a ledger record to publish for each clearance that
    was standing.
    """
    entry, drafts = event.entry, []
    if entry.version == 1:
        return ()  # no clearance can exist before the first version
    ended = event.what is RecordType.ENTRY_ENDED
    for before in await store.list_live(unit, entry.id):
        if before.entry_version == entry.version and not ended:
            continue
        reason = EndReason.ENTRY_ENDED if ended else EndReason.ENTRY_CHANGED
        after = before.ended(reason, event.effective_at or unit.now)
        await store.save(unit, after)
        if before.state is ClearanceState.STANDING:  # a proposal has no record in the ledger
            drafts.append(draft_of(after, RecordType.CLEARANCE_ENDED))
    return drafts


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase the bearers and the reasons in an entry's clearances; verdicts, times and deciding officers stay (R64)."""
    for clearance in await store.list_of_entry(unit, entry_id):
        await store.save(unit, clearance.erased())


async def publish_clearance(_unit: Unit, event: ClearanceDecided) -> Sequence[Draft]:
    """Return the ledger record to publish for a clearance that was confirmed or withdrawn.

    Called as a projector: in the transaction of the event.
    """
    granted = event.clearance.state is ClearanceState.STANDING
    return [
        draft_of(event.clearance, RecordType.CLEARANCE_GRANTED if granted else RecordType.CLEARANCE_ENDED)
    ]


def draft_of(clearance: Clearance, what: RecordType) -> Draft:
    """Return the draft of the ledger record that a clearance was granted or has ended; `what` is the record's type.

    The public part has ids, versions and the reason of the end. The bearer's data are in the personal part, and only in
    the record of a granted clearance.
    """
    bearer, personal = clearance.bearer, dict[str, Any]()
    granted = what is RecordType.CLEARANCE_GRANTED
    if granted and bearer is not None:
        personal = {
            "document": {"number": bearer.number, "issuing_state": bearer.issuing_state},
            "births": [msgspec.to_builtins(birth) for birth in bearer.births],
            "names": list(bearer.names),
        }
    return Draft(
        type=what,
        entry_id=clearance.entry_id,
        version=clearance.entry_version,
        agency=clearance.agency,
        facts={
            "clearance_id": clearance.id,
            "hit_id": clearance.hit_id,
            "ended_reason": clearance.ended_reason.value if clearance.ended_reason else None,
        },
        personal=personal,
        effective_at=None if granted else clearance.ended_at,
    )
