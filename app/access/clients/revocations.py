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
    """Revoke a key, or suspend a working key of another admin's account until a second admin confirms.

    In both cases the key stops working at the commit. Revoking another admin's keys has the same effect as revoking
    that admin, and needs a second admin as well. An actor's own key is revoked at once. A key that is revoked already
    does not change.

    Args:
        unit: the transaction; its actor revokes.
        client_id: id of the key's client.
        key_id: id of the key.
        final: whether the key is revoked in any case, because a second admin has confirmed the revocation.

    Returns:
        The change that waits for a second admin, or None if the key is revoked.

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
    """Revoke a client with all its keys, or suspend a working admin until a second admin confirms.

    In both cases its keys stop working at the commit. The client stays on record. A client that is revoked already does
    not change.

    Args:
        unit: the transaction; its actor revokes.
        client_id: id of the client.
        final: whether the client is revoked in any case, because a second admin has confirmed the revocation, or
            because the command line revokes.

    Returns:
        The change that waits for a second admin, or None if the client is revoked.

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
    """Make a suspended admin and the admin's suspended keys work again.

    The proposed revocations of the admin and the keys are dropped. Only the command line calls this; no second admin
    confirms.

    Raises:
        NotFound: there is no client with this id.
        WrongState: neither the client nor one of its keys is suspended.
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
        clients: standing of each such account, by its id.
        keys: standing of each such key, by the pair of the account's id and the key's id.
    """

    clients: Mapping[str, Standing]
    keys: Mapping[tuple[str, str], Standing]


async def list_ended(reader: Reader) -> Ended:
    """Return every account and key that is revoked or suspended."""
    return Ended(*await store.list_ended(reader))


async def end_again(unit: Unit, ended: Ended) -> int:
    """Revoke or suspend again the accounts and keys that a restore from a backup has made work again.

    `ended` has the accounts and keys that were revoked or suspended before the restore. A revoked one is revoked again.
    A suspended admin or admin's key is suspended again and waits for a second admin. An account or key that in the
    restored register waits for the confirmation of its creation is revoked in both cases, so that nobody confirms it.
    Accounts and keys that the restored register does not have are skipped.

    Returns:
        The number of accounts and keys that were revoked or suspended now. The keys of a revoked account are not
        counted.
    """
    again = 0
    for client_id, standing in ended.clients.items():
        with suppress(NotFound):  # it was created after this state
            if _works_again((await store.get_client(unit, client_id)).standing, standing):
                await revoke_client(unit, client_id, final=standing is Standing.REVOKED)
                again += 1
    for (client_id, key_id), standing in ended.keys.items():
        if any(
            key.id == key_id and _works_again(key.standing, standing)
            for key in await store.list_keys(unit, client_id)
        ):
            await revoke_key(unit, client_id, key_id, final=standing is Standing.REVOKED)
            again += 1
    return again


def _works_again(restored: Standing, former: Standing) -> bool:
    """Return whether a restored account or key works, or may work once it is confirmed, in contrast to before."""
    return restored not in {former, Standing.REVOKED}
