"""The use case of a second admin: confirm the change of a place, or the revocation of an admin or an admin's key."""

from dataclasses import replace
from functools import partial

from app.access import store
from app.access.acts import AuditAct
from app.access.clients import revocations
from app.access.domain import Client, person_of
from app.access.pending import store as pending_store
from app.access.pending.domain import (
    ChangeKind,
    ChangeState,
    PendingChange,
    Place,
    SecondAdminAsked,
    place_of,
)
from app.access.pending.proposals import expect_second_admin
from app.access.places import store as place_store
from app.access.places.service import concerned, keep
from app.db.unit import Unit
from app.errors import NotFound, WrongState


async def confirm(unit: Unit, change_id: str) -> PendingChange:
    """Confirm and carry out a change that another admin has proposed. Returns the confirmed change.

    The changed object is locked first and the change last, in the same order as by `propose`, which prevents deadlocks.

    Raises:
        NotFound: there is no change with this id.
        WrongState: the change no longer waits.
        SecondPairOfEyesNeeded: the actor's person proposed the change, or is the holder of the account to revoke.
        WrongRole: the actor, or another account of the actor's person, is suspended.
    """
    change = await pending_store.get_change(unit, change_id)
    persons = {change.proposed_person}
    place = place_of(change)
    if place is None:
        admin = await _admin_of(unit, change)
        await store.lock_clients(unit, {unit.actor.client_id, admin.id})
        persons.add(person_of(admin))
        carry_out = partial(_revoke, unit, change, admin)
    else:
        await store.lock_clients(unit, {unit.actor.client_id})
        version = await place_store.lock_version(unit, place)
        carry_out = partial(_change_place, unit, replace(place, version=version + 1))
    change = await pending_store.get_change(unit, change_id, held=True)
    if change.state is not ChangeState.PENDING:
        raise WrongState(f"The change is {change.state}.")
    await expect_second_admin(unit, {change.proposed_by}, persons - {None})
    await pending_store.set_confirmed(unit, change_id)
    await store.record(
        unit, AuditAct.CHANGE_CONFIRMED, change_id, {"kind": change.kind, "about": change.about}
    )
    concerns = await carry_out()
    unit.happened(SecondAdminAsked(confirmed=True, change_id=change_id, **concerns))
    await unit.conclude()
    return await pending_store.get_change(unit, change_id)


async def _admin_of(unit: Unit, change: PendingChange) -> Client:
    """Return the admin whose account or key a change revokes."""
    if change.kind is ChangeKind.REVOCATION:
        return await store.get_client(unit, change.about)
    found = await store.find_key(unit, change.about)
    if found is None:
        raise NotFound("There is no such key.")
    return found[1]


async def _revoke(unit: Unit, change: PendingChange, admin: Client) -> dict[str, str]:
    """Revoke an admin, or a key of an admin. Returns the account as an argument for `SecondAdminAsked`."""
    if change.kind is ChangeKind.KEY_REVOCATION:
        await revocations.revoke_key(unit, admin.id, change.about, final=True)
    else:
        await revocations.revoke_client(unit, admin.id, final=True)
    return {"client_id": admin.id}


async def _change_place(unit: Unit, place: Place) -> dict[str, str]:
    """Store a changed place. Returns what it concerns as an argument for `SecondAdminAsked`."""
    await keep(unit, place)
    return concerned(place)
