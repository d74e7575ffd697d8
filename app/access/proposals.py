"""What an admin proposes and a second admin confirms: the part that both have in common."""

from typing import Any

from app.access import pending_store, store
from app.access.pending import ChangeKind, ChangeState, PendingChange
from app.db.unit import Unit
from app.errors import SecondPairOfEyesNeeded, WrongRole
from app.kit.ids import new_id


async def propose(unit: Unit, kind: ChangeKind, about: str, wanted: dict[str, Any] | None) -> PendingChange:
    """Keep a change until another person confirms it; it takes the place of one that waits about the same thing.

    The caller holds the thing that it is about.
    """
    await pending_store.drop_changes(unit, kind, about)
    change = PendingChange(
        id=new_id("chg", unit.now),
        kind=kind,
        about=about,
        wanted=wanted,
        state=ChangeState.PENDING,
        proposed_at=unit.now,
        proposed_by=unit.actor.client_id,
        proposed_person=unit.actor.person,
    )
    await pending_store.add_change(unit, change)
    await store.record(unit, "change.proposed", change.id, {"kind": kind, "about": about})
    return change


async def expect_second_admin(unit: Unit, makers: set[str | None], persons: set[str | None]) -> None:
    """Make sure that the actor may confirm: no maker's or holder's account or person, and not suspended.

    The caller holds the actor's account (`store.lock_clients`), so that no suspension slips in before the commit.

    Args:
        unit: the transaction; its actor confirms.
        makers: accounts that made what waits.
        persons: numbers of the makers and of the holder, in the form in which they are compared.

    Raises:
        SecondPairOfEyesNeeded: the actor is one of them, by whichever account.
        WrongRole: the actor is suspended.
    """
    if unit.actor.client_id in makers or unit.actor.person in persons:
        raise SecondPairOfEyesNeeded(
            "A second admin must confirm: neither the maker of the change nor the person that it is about."
        )
    if await pending_store.is_suspended(unit, unit.actor):
        raise WrongRole("A suspended admin confirms nothing.")
