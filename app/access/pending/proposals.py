"""Proposing a change as one admin, and checking that another person is its second admin."""

from typing import Any

from app.access import store
from app.access.acts import AuditAct
from app.access.pending import store as pending_store
from app.access.pending.domain import ChangeKind, ChangeState, PendingChange
from app.actor import is_another_person
from app.db.unit import Unit
from app.errors import SecondPairOfEyesNeeded, WrongRole
from app.kit.ids import new_id


async def propose(unit: Unit, kind: ChangeKind, about: str, proposed: dict[str, Any] | None) -> PendingChange:
    """Store and return a change that waits for another person's confirmation.

    If an earlier change of the same object still waits, it is dropped. The caller must hold the lock of the object.

    Args:
        unit: the transaction; its actor proposes.
        kind: the kind of change.
        about: code of the place, or id of the account or key.
        proposed: the values of the proposed place by name (`facts_of`); None for a revocation.
    """
    await pending_store.drop_changes(unit, kind, about)
    change = PendingChange(
        id=new_id("chg", unit.now),
        kind=kind,
        about=about,
        proposed=proposed,
        state=ChangeState.PENDING,
        proposed_at=unit.now,
        proposed_by=unit.actor.client_id,
        proposed_person=unit.actor.person,
    )
    await pending_store.add_change(unit, change)
    await store.record(unit, AuditAct.CHANGE_PROPOSED, change.id, {"kind": kind, "about": about})
    return change


async def expect_second_admin(unit: Unit, makers: set[str | None], persons: set[str | None]) -> None:
    """Raise an error unless the actor may confirm: not suspended, not a proposer, and not the account's holder.

    The caller must lock the actor's account (`store.lock_clients`), so that it cannot be suspended before the commit.

    Args:
        unit: the transaction; its actor confirms.
        makers: ids of the clients that made the proposal.
        persons: employee numbers, in normal form, of the proposers and of the holder of the account that the proposal
            is about.

    Raises:
        SecondPairOfEyesNeeded: the actor's client is one of `makers`, or the actor's person one of `persons`.
        WrongRole: the actor's account does not work, or another account of the same person is suspended.
    """
    if unit.actor.client_id in makers or not is_another_person(unit.actor, *persons):
        raise SecondPairOfEyesNeeded(
            "A second admin must confirm: neither the maker of the change nor the person that it is about."
        )
    if await pending_store.is_suspended(unit, unit.actor):
        raise WrongRole("A suspended admin confirms nothing.")
