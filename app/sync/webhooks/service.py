"""Use cases of webhooks: endpoints are made, changed, tested and replayed by their owners; admins may do it for all."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import Role
from app.actor import Actor
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid, StaleVersion, WrongRole, WrongState
from app.kit.ids import new_id
from app.ledger import service as ledger
from app.ledger.selecting import last_before
from app.settings import Settings
from app.sync.webhooks import queue, store
from app.sync.webhooks.addresses import target_of
from app.sync.webhooks.domain import (
    TEST_TYPE,
    Attempt,
    Delivery,
    DeliveryState,
    DisabledReason,
    Endpoint,
    EndpointState,
    Payload,
    priority_of,
    reads_ledger,
    types_for,
)
from app.sync.webhooks.planning import of_endpoint
from app.sync.webhooks.rendering import may_be_full
from app.sync.webhooks.signing import Secrets
from app.sync.webhooks.store import erase_of_entry

__all__ = [
    "Logged",
    "Requested",
    "change",
    "create",
    "delete",
    "erase_of_entry",
    "list_all",
    "list_deliveries",
    "read",
    "replay",
    "retry",
    "rotate",
    "test",
]

MOST_ENDPOINTS = 20
"""Greatest number of endpoints of a client."""

OWNERS = (Role.INTEGRATOR, Role.CHECKPOINT, Role.ADMIN)
"""Roles of clients that may have endpoints."""


@dataclass(frozen=True, slots=True)
class Requested:
    """The properties of an endpoint as its owner requests them.

    Attributes:
        events: the types of records that are sent to it.
        networks: networks in which its address must be; empty for any that the deployment allows.
        ordered: whether a delivery about an entry waits until the earlier ones about this entry are finished.
    """

    url: str
    events: tuple[str, ...]
    payload: Payload = Payload.THIN
    description: str | None = None
    networks: tuple[str, ...] = ()
    ordered: bool = False
    state: EndpointState = EndpointState.ACTIVE


class Logged(NamedTuple):
    """A delivery with its newest attempts, newest first."""

    delivery: Delivery
    attempts: list[Attempt]


def _scope(actor: Actor) -> str | None:
    """Return the client whose endpoints an actor sees; None for all."""
    return None if actor.holds(Role.ADMIN, Role.AUDITOR) else actor.client_id


async def create(
    unit: Unit, requested: Requested, client_id: str | None, settings: Settings, pepper: bytes
) -> tuple[Endpoint, Secrets]:
    """Store a new endpoint of the client `client_id` (None: the actor), and record it in the audit trail.

    Returns:
        The endpoint, to which later records are posted, and its secrets, which can't be shown again.

    Raises:
        WrongRole: the actor is no admin, and requests the payload `full`.
        Invalid: the client is not the actor, and the actor is no admin; or the client is unknown or not active, or may
            not have an endpoint or these events; or the deployment does not allow the payload `full` to the host.
        WrongState: the client has `MOST_ENDPOINTS` endpoints already.
    """
    await queue.lock_client(unit, client_id or unit.actor.client_id)
    owner = await _owner(unit, client_id or unit.actor.client_id)
    _expect_allowed(unit.actor, owner, requested, settings)
    if await store.count_endpoints(unit, owner.client_id) >= MOST_ENDPOINTS:
        raise WrongState(f"The client has {MOST_ENDPOINTS} endpoints, which is the most.")
    endpoint_id = new_id("whe", unit.now)
    made = Secrets.generate()
    size = (await ledger.head(unit)).size
    endpoint = Endpoint(
        id=endpoint_id,
        client_id=owner.client_id,
        version=1,
        url=requested.url,
        events=requested.events,
        payload=requested.payload,
        description=requested.description,
        networks=requested.networks,
        ordered=requested.ordered,
        state=requested.state,
        disabled_reason=_reason(requested.state),
        secrets=made.encrypt(pepper, endpoint_id),
        public_key=made.public_text,
        former_secrets=None,
        former_until=None,
        position=size,
        alert_position=size,
        replay_position=None,
        replay_until=None,
        failures=0,
        failing_since=None,
        probe_at=None,
        succeeded_at=None,
        created_at=unit.now,
        created_by=unit.actor.client_id,
        updated_at=unit.now,
    )
    await store.add_endpoint(unit, endpoint)
    await record(unit, AuditAct.WEBHOOK_CREATED, endpoint_id, _facts(endpoint))
    return endpoint, made


async def change(
    unit: Unit, endpoint_id: str, requested: Requested, expected: int, settings: Settings
) -> Endpoint:
    """Replace the members of an endpoint that its owner may change. A change of state also resets its failures.

    Raises:
        NotFound: there is no endpoint with this id that the actor may see.
        StaleVersion: it was changed since the version `expected`, which the caller has read.
        WrongRole: the actor is no admin, and requests the payload `full`.
        Invalid: its client is not active or may not have these events, or the deployment does not allow the payload
            `full` to its host.
    """
    known = await store.lock_endpoint(unit, endpoint_id, _scope(unit.actor))
    if known.version != expected:
        raise StaleVersion("It has changed since it was read.", extra={"version": known.version})
    _expect_allowed(unit.actor, await _owner(unit, known.client_id), requested, settings)
    if requested.state is not known.state:
        known = replace(known, state=requested.state, disabled_reason=_reason(requested.state))
        known = replace(known, failures=0, failing_since=None, probe_at=None)
    saved = await store.save_endpoint(
        unit,
        replace(
            known,
            url=requested.url,
            events=requested.events,
            payload=requested.payload,
            description=requested.description,
            networks=requested.networks,
            ordered=requested.ordered,
        ),
    )
    await record(unit, AuditAct.WEBHOOK_CHANGED, endpoint_id, _facts(saved))
    return saved


def _reason(state: EndpointState) -> DisabledReason | None:
    return DisabledReason.OPERATOR if state is EndpointState.DISABLED else None


def _facts(endpoint: Endpoint) -> dict[str, Any]:
    """Return what the audit trail keeps of an endpoint; the path of its URL may contain a secret."""
    return {
        "client": endpoint.client_id,
        "host": target_of(endpoint.url).host,
        "events": list(endpoint.events),
        "payload": endpoint.payload,
        "state": endpoint.state,
        "version": endpoint.version,
    }


async def _owner(unit: Unit, client_id: str) -> Actor:
    """Return the client of an endpoint, if it may have one and the actor may make one for it.

    Raises:
        Invalid: it may not.
    """
    if client_id != unit.actor.client_id and not unit.actor.holds(Role.ADMIN):
        raise _fault("/client_id", "forbidden", "Only an admin makes an endpoint of another client.")
    owner = (await queue.list_actors(unit, [client_id])).get(client_id)
    if owner is None:
        raise _fault("/client_id", "unknown", "There is no working client with this id.")
    if not owner.holds(*OWNERS):
        raise _fault("/client_id", "role", "Only integrators, checkpoints and admins have endpoints.")
    return owner


def _expect_allowed(actor: Actor, owner: Actor, requested: Requested, settings: Settings) -> None:
    """Raise unless an endpoint of a client may be as requested.

    Raises:
        WrongRole: the payload is full, and the actor is no admin.
        Invalid: the client may not have these events, or the deployment does not allow a full payload to its host.
    """
    if requested.payload is Payload.FULL and not actor.holds(Role.ADMIN):
        raise WrongRole("Only an admin makes, or changes, an endpoint with a full payload.")
    allowed = types_for(owner.roles)
    why = (
        "There is no such type of record." if reads_ledger(owner.roles) else "A checkpoint gets alerts only."
    )
    faults = [
        Fault(f"/events/{i}", "unknown", why)
        for i, kind in enumerate(requested.events)
        if kind not in allowed
    ]
    if requested.payload is Payload.FULL and not may_be_full(requested.url, settings):
        detail = "A full payload goes over https to a host of CEKAL_WEBHOOK_FULL_HOSTS only."
        faults.append(Fault("/payload", "host_not_allowed", detail))
    if faults:
        raise Invalid("The endpoint can't be like this.", faults=faults)


def _fault(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid("The endpoint can't be like this.", faults=[Fault(pointer, code, detail)])


async def read(reader: Reader, endpoint_id: str) -> Endpoint:
    """Return an endpoint. Admins and auditors may read every endpoint, other clients only their own.

    Raises:
        NotFound: there is no endpoint with this id that the actor may see.
    """
    return await store.get_endpoint(reader, endpoint_id, _scope(reader.actor))


async def list_all(reader: Reader, after: str | None, limit: int) -> list[Endpoint]:
    """Return at most `limit` endpoints that the actor may see, by id; with `after`, only those with higher ids."""
    return await store.list_endpoints(reader, _scope(reader.actor), after, limit)


async def delete(unit: Unit, endpoint_id: str) -> None:
    """Mark an endpoint as deleted: nothing more is sent to it, and the dispatcher deletes its data step by step.

    Raises:
        NotFound: there is no endpoint with this id that the actor may see.
    """
    endpoint = await store.lock_endpoint(unit, endpoint_id, _scope(unit.actor))
    await store.hide_endpoint(unit, endpoint_id)
    await record(unit, AuditAct.WEBHOOK_DELETED, endpoint_id, {"client": endpoint.client_id})


async def test(unit: Unit, endpoint_id: str) -> Delivery:
    """Store a delivery of the event `endpoint.test`, due now, and return it; the dispatcher sends it.

    Raises:
        NotFound: there is no endpoint with this id that the actor may see.
        WrongState: the endpoint is disabled.
    """
    endpoint = await store.lock_endpoint(unit, endpoint_id, _scope(unit.actor))
    _expect_active(endpoint)
    delivery = of_endpoint(unit, endpoint.id, TEST_TYPE, {})
    await store.add_deliveries(unit, [delivery])
    return delivery


async def rotate(unit: Unit, endpoint_id: str, overlap: timedelta, pepper: bytes) -> tuple[Endpoint, Secrets]:
    """Replace an endpoint's secrets. For the time `overlap` the replaced ones sign too; zero ends their use at once.

    Secrets that an earlier rotation replaced stop signing at once, even during its overlap. The audit trail records the
    rotation.

    Returns:
        The endpoint, and its new secrets, which can't be shown again.

    Raises:
        NotFound: there is no endpoint with this id that the actor may see.
    """
    endpoint = await store.lock_endpoint(unit, endpoint_id, _scope(unit.actor))
    made = Secrets.generate()
    saved = await store.save_endpoint(
        unit,
        replace(
            endpoint,
            secrets=made.encrypt(pepper, endpoint_id),
            public_key=made.public_text,
            former_secrets=endpoint.secrets if overlap else None,
            former_until=unit.now + overlap if overlap else None,
        ),
    )
    await record(unit, AuditAct.WEBHOOK_ROTATED, endpoint_id, {"hours": overlap / timedelta(hours=1)})
    return saved, made


async def list_deliveries(
    reader: Reader, endpoint_id: str, state: DeliveryState | None, before: str | None, limit: int
) -> list[Logged]:
    """Return at most `limit` deliveries of an endpoint, newest first, each with its newest ten attempts.

    `state` None is for every state. With `before`, only deliveries older than the one with this id are returned.

    Raises:
        NotFound: there is no endpoint with this id that the actor may see.
    """
    await read(reader, endpoint_id)
    deliveries = await store.list_deliveries(reader, endpoint_id, state, before, limit)
    attempts = await store.list_attempts(reader, [each.id for each in deliveries])
    return [Logged(each, attempts[each.id]) for each in deliveries]


async def retry(unit: Unit, delivery_id: str) -> Logged:
    """Make a finished delivery due again, from the beginning of its schedule; its id and that of its event stay.

    Raises:
        NotFound: there is no delivery with this id, or the actor may not see its endpoint.
        WrongState: the delivery is due already, or its endpoint is disabled.
    """
    found = await store.get_delivery(unit, delivery_id)
    endpoint = await store.lock_endpoint(unit, found.endpoint_id, _scope(unit.actor))
    _expect_active(endpoint)
    delivery = await store.get_delivery(unit, delivery_id)
    if delivery.state is DeliveryState.DUE:
        raise WrongState("The delivery is due already.")
    again = replace(
        delivery,
        state=DeliveryState.DUE,
        priority=priority_of(urgent=delivery.urgent, step=0),
        step=0,
        due_at=unit.now,
        lease_until=None,
        finished_at=None,
    )
    await store.save_delivery(unit, again)
    await record(unit, AuditAct.WEBHOOK_RETRIED, delivery_id, {"endpoint": endpoint.id})
    return Logged(again, (await store.list_attempts(unit, [delivery_id]))[delivery_id])


class Span(NamedTuple):
    """The records of a replay: those with sequences above `after`, up to and including `until`."""

    after: int
    until: int


async def replay(unit: Unit, endpoint_id: str, after: str | datetime, before: str | datetime | None) -> Span:
    """Begin to send records of the endpoint's types once more. Returns their span; an empty span begins nothing.

    Args:
        unit: the transaction.
        endpoint_id: the endpoint.
        after: the cursor after which, or the instant from which on, records are sent.
        before: the cursor up to which, or the instant before which, records are sent; None for the ledger's end.

    Raises:
        NotFound: there is no endpoint with this id that the actor may see.
        WrongState: the endpoint is disabled, or a replay of it is running.
        Invalid: `before` is earlier than `after`, or a text is not a cursor.
        CursorGone: a cursor is of another epoch, or beyond the ledger's end.
    """
    endpoint = await store.lock_endpoint(unit, endpoint_id, _scope(unit.actor))
    _expect_active(endpoint)
    if endpoint.replay_until is not None:
        raise WrongState("A replay is running; it has to end first.")
    head = await ledger.head(unit)

    async def number(of: str | datetime) -> int:
        if isinstance(of, datetime):
            return await last_before(unit, of, head.size)
        return head.position(of, "/v1/changes")

    first, last = await number(after), head.size if before is None else await number(before)
    if last < first:
        fault = Fault("/before", "range", "A replay ends behind its beginning.")
        raise Invalid("There is nothing to replay.", faults=[fault])
    if first < last:
        await store.begin_replay(unit, endpoint_id, first, last)
    await record(unit, AuditAct.WEBHOOK_REPLAYED, endpoint_id, {"after": first, "until": last})
    return Span(first, last)


def _expect_active(endpoint: Endpoint) -> None:
    if endpoint.state is EndpointState.DISABLED:
        raise WrongState("The endpoint is disabled; activate it first.")
