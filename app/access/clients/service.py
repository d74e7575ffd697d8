"""Use cases of clients and keys: admins register and confirm clients, and issue keys. The audit trail has every act."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.access import store
from app.access.acts import AuditAct
from app.access.domain import (
    KEYS_PER_CLIENT,
    AccountHolder,
    Agency,
    Checkpoint,
    Client,
    Key,
    Kind,
    Office,
    Role,
    Standing,
    client_faults,
    needs_second,
    new_secret,
    person_of,
)
from app.access.pending.domain import SecondAdminAsked
from app.access.pending.proposals import expect_second_admin
from app.access.places.service import expect_checkpoints
from app.access.places.store import find_place, lock_agencies, lock_agency
from app.access.store import (
    LONGEST_FOLDED_NAME,
    bears_name,
    folded_name,
    list_on_duty,
    list_persons,
    list_without_agency,
    record,
    version,
)
from app.db.unit import Unit
from app.errors import Fault, Invalid, NotFound, WrongState
from app.kit.ids import new_id

__all__ = [
    "LONGEST_FOLDED_NAME",
    "bears_name",
    "expect_checkpoints",
    "find_place",
    "list_on_duty",
    "list_persons",
    "list_without_agency",
    "lock_agency",
    "record",
    "version",
]


@dataclass(frozen=True, slots=True)
class NewClient:
    """The properties of a client to register.

    Attributes:
        name: of a person's account the holder's full name (see `Client`).
        kind: kind of a checkpoint's client; None for others.
        agency, office, checkpoint: the code of each; None without one.
        person: nationwide employee number of its holder; None for a machine.
        networks: networks from which it may call, in CIDR notation; empty for any.
    """

    name: str
    roles: frozenset[Role]
    kind: Kind | None = None
    agency: str | None = None
    office: str | None = None
    checkpoint: str | None = None
    person: str | None = None
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonsRegistered:
    """An event: persons got an account, so that the register's data about them must be hidden from them (R61).

    Attributes:
        persons: the persons, as described in these accounts.
    """

    persons: tuple[AccountHolder, ...]


async def register_client(unit: Unit, requested: NewClient, *, confirmed: bool = False) -> Client:
    """Register and return a client. It works at once, or only after a second admin's confirmation if `needs_second`.

    In the same transaction the register's data about the account's holder are hidden from the holder. All agencies are
    locked, so that no measure against the holder is filed at the same time without being hidden.

    Args:
        unit: the transaction; its actor is the creator.
        requested: the client's properties.
        confirmed: whether the client works at once in any case, because it is made at the command line.

    Raises:
        Invalid: the properties contradict each other, or name an unknown agency or checkpoint, or an office that the
            agency does not have, that is inactive or (for a supervision team) without a province; or the register has
            the person's number with more or fewer leading zeros.
    """
    faults = client_faults(
        requested.roles,
        kind=requested.kind,
        agency=requested.agency,
        office=requested.office,
        checkpoint=requested.checkpoint,
        person=requested.person,
        networks=requested.networks,
    )
    if requested.agency and await find_place(unit, Agency, requested.agency) is None:
        faults.append(Fault("/agency", "unknown", "There is no agency with this code."))
    faults += await _office_faults(unit, requested)
    if requested.checkpoint and await find_place(unit, Checkpoint, requested.checkpoint) is None:
        faults.append(Fault("/checkpoint", "unknown", "There is no checkpoint with this code."))
    if faults:
        raise Invalid("The client can't be made like this.", faults=faults)
    waits = needs_second(requested.roles, requested.agency) and not confirmed
    client = Client(
        id=new_id("cli", unit.now),
        name=requested.name,
        roles=requested.roles,
        kind=requested.kind,
        agency=requested.agency,
        office=requested.office,
        checkpoint=requested.checkpoint,
        person=requested.person,
        networks=requested.networks,
        standing=Standing.PENDING if waits else Standing.ACTIVE,
        created_at=unit.now,
        created_by=unit.actor.client_id,
        confirmed_by=None,
    )
    number = person_of(client)
    if number is not None:
        await lock_agencies(unit)
        await _expect_form(unit, number)
    await store.add_client(unit, client)
    await store.record(
        unit, AuditAct.CLIENT_REGISTERED, client.id, {"roles": sorted(client.roles), "waits": waits}
    )
    if number is not None:
        unit.happened(PersonsRegistered((AccountHolder(number, folded_name(client.name)),)))
    if waits:
        unit.happened(SecondAdminAsked(confirmed=False, client_id=client.id, **_home(client)))
    await unit.conclude()
    return client


async def close_data_of_account_holders(unit: Unit, after: str, limit: int) -> str | None:
    """Hide from some account holders the register's data about them, as `register_client` does for one.

    This is for accounts that an earlier release registered without hiding. Data that are hidden already do not change.

    Args:
        unit: the transaction.
        after: the account id after which to begin; empty for the beginning.
        limit: the greatest number of accounts to treat.

    Returns:
        The id of the last treated account, to pass as `after` of the next call. None if no account was left.
    """
    await lock_agencies(unit)
    accounts = await store.list_accounts(unit, after, limit)
    if not accounts:
        return None
    unit.happened(PersonsRegistered(tuple(person for _, person in accounts)))
    await unit.conclude()
    return accounts[-1][0]


async def _expect_form(unit: Unit, number: str) -> None:
    known = await store.find_number_variant(unit, number)
    if known is not None:
        detail = (
            f"The register has this number as {known}: one person, or four eyes could be two. Write it so."
        )
        raise Invalid("The client can't be made like this.", faults=[Fault("/person", "other_form", detail)])


async def _office_faults(unit: Unit, requested: NewClient) -> list[Fault]:
    if requested.office is None:
        return []
    if requested.agency is None:
        return [Fault("/agency", "required", "An office is one of an agency: name that too.")]
    office = await find_place(unit, Office, requested.office)
    if office is None or office.agency != requested.agency or not office.active:
        return [Fault("/office", "unknown", "The agency has no office with this code; see GET /v1/offices.")]
    if Role.TIMPORA in requested.roles and office.province is None:
        detail = "The office's province is not known; say it first with PUT /v1/offices/{code}."
        return [Fault("/office", "no_province", detail)]
    return []


async def issue_key(
    unit: Unit,
    client_id: str,
    expires_at: datetime | None,
    lifetime_days: int,
    *,
    confirmed: bool = False,
    gateway: bool = False,
) -> tuple[Key, str]:
    """Issue a key. It works at once, or only after a second admin's confirmation if the client `needs_second`.

    Args:
        unit: the transaction; its actor is the creator.
        client_id: id of the key's client.
        expires_at: when the key ends; None for `lifetime_days` from now.
        lifetime_days: the longest life of a key, in days.
        confirmed: whether the key works at once in any case, because it is made at the command line.
        gateway: whether a gateway serves many listeners with the key, so that it may open as many streams as a process
            accepts.

    Returns:
        The key, and its text, which is shown only once.

    Raises:
        NotFound: there is no client with this id.
        WrongState: the client is suspended or revoked, or has two keys that are neither revoked nor expired.
        Invalid: `expires_at` is in the past, or more than `lifetime_days` ahead.
    """
    client = await store.lock_client(unit, client_id)
    if client.standing in {Standing.SUSPENDED, Standing.REVOKED}:
        raise WrongState(f"The client is {client.standing}.")
    latest = unit.now + timedelta(days=lifetime_days)
    ends = expires_at or latest
    if not unit.now < ends <= latest:
        fault = Fault("/expires_at", "range", f"A key ends in the future, within {lifetime_days} days.")
        raise Invalid("The key can't end then.", faults=[fault])
    live = [key for key in await store.list_keys(unit, client_id) if key.live(unit.now)]
    if len(live) >= KEYS_PER_CLIENT:
        raise WrongState("The client has two live keys; revoke one first.")
    key_id = new_id("key", unit.now)
    text, secret_hash = new_secret(key_id)
    waits = needs_second(client.roles, client.agency) and not confirmed
    key = Key(
        id=key_id,
        client_id=client_id,
        secret_hash=secret_hash,
        standing=Standing.PENDING if waits else Standing.ACTIVE,
        created_at=unit.now,
        created_by=unit.actor.client_id,
        expires_at=ends,
        revoked_at=None,
        gateway=gateway,
    )
    await store.add_key(unit, key)
    detail = {"client": client_id, "waits": waits, **({"gateway": True} if gateway else {})}
    await store.record(unit, AuditAct.KEY_ISSUED, key.id, detail)
    if waits and client.standing is Standing.ACTIVE:  # a waiting client was reported already
        unit.happened(SecondAdminAsked(confirmed=False, client_id=client_id, key_id=key.id, **_home(client)))
        await unit.conclude()
    return key, text


async def confirm_client(unit: Unit, client_id: str) -> Client:
    """Confirm a client and its keys, as far as they wait for a second admin. Returns the client.

    The unit's actor is the second admin.

    Raises:
        NotFound: there is no client with this id.
        WrongState: neither the client nor one of its keys waits, or the client is suspended or revoked.
        SecondPairOfEyesNeeded: the actor's person created the client or a waiting key, or is the client's holder.
        WrongRole: the actor, or another account of the actor's person, is suspended.
    """
    await store.lock_clients(unit, {client_id, unit.actor.client_id})
    client = await store.get_client(unit, client_id)
    waiting = [key for key in await store.list_keys(unit, client_id) if key.standing is Standing.PENDING]
    if client.standing not in {Standing.PENDING, Standing.ACTIVE} or (
        client.standing is Standing.ACTIVE and not waiting
    ):
        raise WrongState("Nothing of this client waits for a confirmation.")
    makers: set[str | None] = {key.created_by for key in waiting}
    if client.standing is Standing.PENDING:
        makers.add(client.created_by)
    persons = {person_of(client)}
    for maker in makers - {None}:
        try:
            persons.add(person_of(await store.get_client(unit, str(maker))))
        except NotFound:
            continue  # made at the command line, without an account
    await expect_second_admin(unit, makers, persons - {None})
    if client.standing is Standing.PENDING:
        await store.set_client_standing(unit, client_id, Standing.ACTIVE, confirmed_by=unit.actor.client_id)
    if waiting:
        await store.set_key_standing(unit, [key.id for key in waiting], Standing.ACTIVE)
    await store.record(unit, AuditAct.CLIENT_CONFIRMED, client_id, {"keys": [key.id for key in waiting]})
    key_id = waiting[-1].id if waiting else None
    unit.happened(SecondAdminAsked(confirmed=True, client_id=client_id, key_id=key_id, **_home(client)))
    await unit.conclude()
    return await store.get_client(unit, client_id)


def _home(client: Client) -> dict[str, str | None]:
    return {"agency": client.agency, "checkpoint": client.checkpoint}
