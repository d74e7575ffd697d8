"""Use case: a second admin confirms a change of a place, or the revocation of an admin or of an admin's key."""

from app.access import pending_store, place_store, revocations, store
from app.access.domain import Client, person_of
from app.access.pending import (
    ChangeKind,
    ChangeState,
    PendingChange,
    SecondAdminAsked,
    place_of,
)
from app.access.places import concerned, keep
from app.access.proposals import expect_second_admin
from app.db.unit import Unit
from app.errors import NotFound, WrongState


async def confirm(unit: Unit, change_id: str) -> PendingChange:
    """Carry out a change that another admin has proposed.

    What it is about is held first, and the change itself last, in the same order as a proposal or its withdrawal.

    Raises:
        NotFound: there is no such change.
        WrongState: it does not wait any more.
        SecondPairOfEyesNeeded, WrongRole: as `expect_second_admin`.
    """
    change = await pending_store.get_change(unit, change_id)
    persons = {change.proposed_person}
    admin = await _admin_of(unit, change)
    if admin is not None:
        await store.lock_clients(unit, {unit.actor.client_id, admin.id})
        persons.add(person_of(admin))
    else:
        await store.lock_clients(unit, {unit.actor.client_id})
        version = await place_store.hold_version(unit, place_of(change, 1))
    change = await pending_store.get_change(unit, change_id, held=True)
    if change.state is not ChangeState.PENDING:
        raise WrongState(f"The change is {change.state}.")
    await expect_second_admin(unit, {change.proposed_by}, persons - {None})
    await pending_store.set_confirmed(unit, change_id)
    await store.record(unit, "change.confirmed", change_id, {"kind": change.kind, "about": change.about})
    if admin is not None:
        if change.kind is ChangeKind.KEY_REVOCATION:
            await revocations.revoke_key(unit, admin.id, change.about, final=True)
        else:
            await revocations.revoke_client(unit, admin.id, final=True)
        unit.happened(SecondAdminAsked(confirmed=True, change_id=change_id, client_id=admin.id))
    else:
        place = place_of(change, version + 1)
        await keep(unit, place)
        unit.happened(SecondAdminAsked(confirmed=True, change_id=change_id, **concerned(place)))
    await unit.conclude()
    return await pending_store.get_change(unit, change_id)


async def _admin_of(unit: Unit, change: PendingChange) -> Client | None:
    """The admin whose account, or key, a change revokes; None where it is about a place."""
    if change.kind is ChangeKind.REVOCATION:
        return await store.get_client(unit, change.about)
    if change.kind is not ChangeKind.KEY_REVOCATION:
        return None
    found = await store.find_key(unit, change.about)
    if found is None:
        raise NotFound("There is no such key.")
    return found[1]
