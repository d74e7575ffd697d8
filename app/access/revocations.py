"""Use cases: an account or a key is ended, suspended until a second admin confirms it, or given back."""

from app.access import store
from app.access.domain import Client, Role, Standing
from app.access.pending import ChangeKind, PendingChange, SecondAdminAsked
from app.access.pending_store import drop_changes, find_pending
from app.access.proposals import propose
from app.db.unit import Unit
from app.errors import NotFound, WrongState


async def revoke_key(unit: Unit, client_id: str, key_id: str, *, final: bool = False) -> PendingChange | None:
    """End a key at once.

    A working key of another admin's account is only suspended until a second admin confirms: to end an
    admin's keys is to end the admin.

    Args:
        unit: the transaction; its actor revokes.
        client_id: whose key.
        key_id: the key.
        final: a second admin has confirmed it.

    Returns:
        The change that waits for a second admin; None when the key is revoked.

    Raises:
        NotFound: there is no such client, or it has no such key.
    """
    client = await store.lock_client(unit, client_id)  # or a confirmation at this moment would give it back
    keys = await store.list_keys(unit, client_id)
    found = next((key for key in keys if key.id == key_id), None)
    if found is None:
        raise NotFound("The client has no such key.")
    if found.standing is Standing.REVOKED:
        return None
    if not final and unit.actor.client_id != client_id:
        if found.standing is Standing.SUSPENDED:
            return await find_pending(unit, ChangeKind.KEY_REVOCATION, key_id)
        if Role.ADMIN in client.roles and found.standing is Standing.ACTIVE:
            return await _suspend_key(unit, client, key_id)
    await drop_changes(unit, ChangeKind.KEY_REVOCATION, key_id)
    await store.set_key_standing(unit, [key_id], Standing.REVOKED)
    await store.record(unit, "key.revoked", key_id, {"client": client_id})
    return None


async def _suspend_key(unit: Unit, admin: Client, key_id: str) -> PendingChange:
    await store.set_key_standing(unit, [key_id], Standing.SUSPENDED)
    await store.record(unit, "key.suspended", key_id, {"client": admin.id})
    change = await propose(unit, ChangeKind.KEY_REVOCATION, key_id, None)
    unit.happened(SecondAdminAsked(confirmed=False, change_id=change.id, client_id=admin.id))
    await unit.conclude()
    return change


async def revoke_client(unit: Unit, client_id: str, *, final: bool = False) -> PendingChange | None:
    """End a client and all its keys at once; the client stays on record.

    An admin who works is only suspended until a second admin confirms: one alone ends no other.

    Args:
        unit: the transaction; its actor revokes.
        client_id: who is revoked.
        final: a second admin has confirmed it, or it is done at the command line.

    Returns:
        The change that waits for a second admin; None when the client is revoked.

    Raises:
        NotFound: there is no such client.
    """
    client = await store.lock_client(unit, client_id)
    if client.standing is Standing.REVOKED:
        return None
    if not final:
        if client.standing is Standing.SUSPENDED:
            return await find_pending(unit, ChangeKind.REVOCATION, client_id)
        if Role.ADMIN in client.roles and client.standing is Standing.ACTIVE:
            return await _suspend(unit, client)
    await drop_changes(unit, ChangeKind.REVOCATION, client_id)
    keys = [key.id for key in await store.list_keys(unit, client_id) if key.standing is not Standing.REVOKED]
    for key_id in keys:
        await drop_changes(unit, ChangeKind.KEY_REVOCATION, key_id)
    if keys:
        await store.set_key_standing(unit, keys, Standing.REVOKED)
    await store.set_client_standing(unit, client_id, Standing.REVOKED)
    await store.record(unit, "client.revoked", client_id, {"keys": keys})
    return None


async def _suspend(unit: Unit, admin: Client) -> PendingChange:
    await store.set_client_standing(unit, admin.id, Standing.SUSPENDED)
    await store.record(unit, "client.suspended", admin.id, {})
    change = await propose(unit, ChangeKind.REVOCATION, admin.id, None)
    unit.happened(SecondAdminAsked(confirmed=False, change_id=change.id, client_id=admin.id))
    await unit.conclude()
    return change


async def reinstate_client(unit: Unit, client_id: str) -> None:
    """Let a suspended admin, and suspended keys of an admin, work again.

    For the command line, where access to the machine is access to the register.

    Raises:
        NotFound: there is no such client.
        WrongState: neither it nor a key of it is suspended.
    """
    client = await store.lock_client(unit, client_id)
    keys = [k.id for k in await store.list_keys(unit, client_id) if k.standing is Standing.SUSPENDED]
    if client.standing is not Standing.SUSPENDED and not keys:
        raise WrongState(f"The client is {client.standing}, not suspended.")
    if client.standing is Standing.SUSPENDED:
        await drop_changes(unit, ChangeKind.REVOCATION, client_id)
        await store.set_client_standing(unit, client_id, Standing.ACTIVE)
    for key_id in keys:
        await drop_changes(unit, ChangeKind.KEY_REVOCATION, key_id)
    if keys:
        await store.set_key_standing(unit, keys, Standing.ACTIVE)
    await store.record(unit, "client.reinstated", client_id, {"keys": keys})
