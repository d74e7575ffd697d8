"""Use cases that revoke an account or a key, suspend it until a second admin confirms, or make it work again."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from app.access import store
from app.access.acts import AuditAct
from app.access.domain import Client, Role, Standing
from app.access.pending.domain import ChangeKind, PendingChange, SecondAdminAsked
from app.access.pending.proposals import propose
from app.access.pending.store import drop_changes, find_pending
from app.db.unit import Reader, Unit
from app.errors import NotFound, WrongState


async def revoke_key(unit: Unit, client_id: str, key_id: str, *, final: bool = False) -> PendingChange | None:
    """End a key at once.

    A working key of another admin's account is only suspended until a second admin confirms, because revoking an
    admin's keys has the same effect as revoking the admin.

    Args:
        unit: the transaction; its actor revokes.
        client_id: the key's client.
        key_id: the key.
        final: whether a second admin has confirmed it.

    Returns:
        The change that waits for a second admin, or None when the key is revoked.

    Raises:
        NotFound: there is no client with this id, or it has no key with this id.
    """
    client = await store.lock_client(unit, client_id)  # a concurrent confirmation could reactivate it
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
    await store.record(unit, AuditAct.KEY_REVOKED, key_id, {"client": client_id})
    return None


async def _suspend_key(unit: Unit, admin: Client, key_id: str) -> PendingChange:
    await store.set_key_standing(unit, [key_id], Standing.SUSPENDED)
    await store.record(unit, AuditAct.KEY_SUSPENDED, key_id, {"client": admin.id})
    change = await propose(unit, ChangeKind.KEY_REVOCATION, key_id, None)
    unit.happened(SecondAdminAsked(confirmed=False, change_id=change.id, client_id=admin.id))
    await unit.conclude()
    return change


async def revoke_client(unit: Unit, client_id: str, *, final: bool = False) -> PendingChange | None:
    """End a client and all its keys at once; the client stays on record.

    A working admin is only suspended until a second admin confirms: one admin alone cannot revoke another.

    Args:
        unit: the transaction; its actor revokes.
        client_id: the client to revoke.
        final: whether a second admin has confirmed it, or it is done at the command line.

    Returns:
        The change that waits for a second admin, or None when the client is revoked.

    Raises:
        NotFound: there is no client with this id.
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
    await store.record(unit, AuditAct.CLIENT_REVOKED, client_id, {"keys": keys})
    return None


async def _suspend(unit: Unit, admin: Client) -> PendingChange:
    await store.set_client_standing(unit, admin.id, Standing.SUSPENDED)
    await store.record(unit, AuditAct.CLIENT_SUSPENDED, admin.id, {})
    change = await propose(unit, ChangeKind.REVOCATION, admin.id, None)
    unit.happened(SecondAdminAsked(confirmed=False, change_id=change.id, client_id=admin.id))
    await unit.conclude()
    return change


async def reinstate_client(unit: Unit, client_id: str) -> None:
    """Make a suspended admin, and an admin's suspended keys, work again.

    Only the command line calls this: access to the machine is access to the register.

    Raises:
        NotFound: there is no client with this id.
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
    await store.record(unit, AuditAct.CLIENT_REINSTATED, client_id, {"keys": keys})


@dataclass(frozen=True, slots=True)
class Ended:
    """The accounts and keys that are revoked or suspended.

    Attributes:
        clients: accounts by id.
        keys: keys by the pair of the account's id and their own.
    """

    clients: Mapping[str, Standing]
    keys: Mapping[tuple[str, str], Standing]


async def list_ended(reader: Reader) -> Ended:
    """Return every account and key that is revoked or suspended."""
    return Ended(*await store.list_ended(reader))


async def end_again(unit: Unit, ended: Ended) -> int:
    """Revoke or suspend what another state of this register (for example before a restore) had ended.

    A formerly suspended account or key is suspended, and waits for a second admin as before. Returns the number of
    accounts and keys that it ended.
    """
    again = 0
    for client_id, standing in ended.clients.items():
        with suppress(NotFound):  # it was created after this state
            if (await store.get_client(unit, client_id)).standing is Standing.ACTIVE:
                await revoke_client(unit, client_id, final=standing is Standing.REVOKED)
                again += 1
    for (client_id, key_id), standing in ended.keys.items():
        if any(
            key.id == key_id and key.standing is Standing.ACTIVE
            for key in await store.list_keys(unit, client_id)
        ):
            await revoke_key(unit, client_id, key_id, final=standing is Standing.REVOKED)
            again += 1
    return again
