"""Use cases of clearances: propose, decide, read, and end with their entry (R47)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from app.access.domain import Role
from app.access.service import record
from app.clearances import store
from app.clearances.domain import Bearer, Clearance, ClearanceState, EndReason, Verdict
from app.clearances.store import Filter, list_standing
from app.db.unit import Actor, Reader, Unit
from app.entries import store as entries
from app.entries.domain import Entry
from app.entries.events import EntryChanged
from app.entries.views import open_to
from app.entries.views import visible as may_see
from app.errors import Fault, Invalid, NotFound
from app.kit.ids import new_id
from app.ledger.domain import Draft, RecordType

__all__ = [
    "ClearanceDecided",
    "decide",
    "erase_of_entry",
    "follow_entry",
    "get",
    "list_page",
    "list_standing",
    "propose",
]

SEES_ALL = frozenset({Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR})
"""Roles that see the clearances of every agency and checkpoint."""


@dataclass(frozen=True, slots=True)
class ClearanceDecided:
    """A clearance has been granted, or taken back."""

    clearance: Clearance


async def propose(unit: Unit, entry: Entry, bearer: Bearer, hit_id: str) -> Clearance:
    """Propose to clear a bearer against an entry; the proposal, or what already stands or waits for the same.

    Args:
        unit: the transaction, which holds the entry's lock; its actor resolved the hit at a checkpoint.
        entry: the entry that it is against.
        bearer: the person that it clears.
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
    unit: Unit, clearance_id: str, expected: int, verdict: Verdict, reason: str | None
) -> Clearance:
    """A second person's word on a clearance: of Immigration, or of the owner.

    The entry is locked first, as in every change of it: either the change ends this clearance, or this call
    sees the change.

    Raises:
        NotFound: outside the actor's view.
        Invalid: a refusal or a withdrawal without its reason.
        WrongState, StaleVersion, SecondPairOfEyesNeeded: as `Clearance.decided`.
    """
    before = await get(unit, clearance_id)
    if verdict is not Verdict.CONFIRM and not reason:
        fault = Fault("/reason", "required", "A refused or withdrawn clearance needs a reason.")
        raise Invalid("The verdict needs its reason.", faults=[fault])
    entry = await entries.lock(unit, before.entry_id)
    if not may_see(entry, unit.actor):  # sealed: its named persons decide (R61)
        raise NotFound("There is no such clearance.")
    before = await store.lock(unit, clearance_id)
    clearance = before.decided(unit.actor, expected, verdict, reason, entry.at(unit.now), unit.now)
    await store.save(unit, clearance)
    await record(unit, f"clearance.{_ACTS[verdict]}", clearance.id, {"entry": clearance.entry_id})
    if verdict is not Verdict.REJECT:
        unit.happened(ClearanceDecided(clearance))
        await unit.conclude()
    return clearance


_ACTS = {Verdict.CONFIRM: "confirmed", Verdict.REJECT: "rejected", Verdict.WITHDRAW: "withdrawn"}


async def get(reader: Reader, clearance_id: str) -> Clearance:
    """A clearance within the actor's view.

    Raises:
        NotFound: there is none, it is outside the view, or against an entry whose seal keeps the actor out.
    """
    clearance = await store.find(reader, clearance_id)
    if clearance is None or not visible(clearance, reader.actor):
        raise NotFound("There is no such clearance.")
    entry = await entries.find(reader, clearance.entry_id)
    if entry is None or not open_to(entry, reader.actor):
        raise NotFound("There is no such clearance.")
    return clearance


async def list_page(reader: Reader, state: str | None, before: str | None, limit: int) -> list[Clearance]:
    """Clearances within the actor's view, newest first."""
    actor = reader.actor
    owner = actor.holds(Role.SUBMITTER, Role.VERIFIER)
    wanted = Filter(
        state=state,
        everywhere=actor.holds(*SEES_ALL),
        agency=actor.agency if owner else None,
        checkpoint=actor.checkpoint if actor.holds(Role.SUPERVISOR) else None,
    )
    return await store.list_page(reader, wanted, before, limit)


def visible(clearance: Clearance, actor: Actor) -> bool:
    """Whether a clearance is within an actor's view: their entries', their checkpoint's, or every one."""
    if actor.holds(*SEES_ALL):
        return True
    owns = actor.holds(Role.SUBMITTER, Role.VERIFIER) and actor.agency == clearance.agency
    return owns or (actor.holds(Role.SUPERVISOR) and actor.checkpoint == clearance.checkpoint)


async def follow_entry(unit: Unit, event: EntryChanged) -> Sequence[Draft]:
    """End the clearances of an entry that has another version, or has ended. A projector.

    Checks have known it since the entry's own commit: a clearance covers the version that it names, no other.
    """
    entry, drafts = event.entry, []
    if entry.version == 1:
        return ()  # nobody can have been cleared against what was not there
    ended = event.what is RecordType.ENTRY_ENDED
    for before in await store.list_live(unit, entry.id):
        if before.entry_version == entry.version and not ended:
            continue
        reason = EndReason.ENTRY_ENDED if ended else EndReason.ENTRY_CHANGED
        after = before.ended(reason, event.effective_at or unit.now)
        await store.save(unit, after)
        if before.state is ClearanceState.STANDING:  # of a proposal nobody was told
            drafts.append(_draft(after, RecordType.CLEARANCE_ENDED))
    return drafts


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase bearers and reasons of an entry's clearances; the decisions, times and deciders stay (R64)."""
    for clearance in await store.list_of_entry(unit, entry_id):
        await store.save(unit, clearance.erased())


async def tell_ledger(_unit: Unit, event: ClearanceDecided) -> Sequence[Draft]:
    """The ledger's record of a clearance that a second person has confirmed, or taken back. A projector."""
    stands = event.clearance.state is ClearanceState.STANDING
    return [_draft(event.clearance, RecordType.CLEARANCE_GRANTED if stands else RecordType.CLEARANCE_ENDED)]


def _draft(clearance: Clearance, what: RecordType) -> Draft:
    """Ids, versions and types in the leaf; who was cleared beside it, as everything about persons."""
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
