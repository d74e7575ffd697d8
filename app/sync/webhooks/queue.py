"""SQL statements by which deliveries are made from the ledger, claimed and settled.

Each statement is part of a round of a dispatcher: one short transaction. On PostgreSQL one process at a time is in
that transaction; requests are sent outside it. Whoever changes deliveries locks their endpoint first.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, ScalarSelect, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.sql import Select

from app.access.domain import Role, Standing
from app.access.tables import client as client_table
from app.actor import Actor
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.sync.webhooks import tables
from app.sync.webhooks.domain import (
    AT_ONCE,
    BREAKER_FAILURES,
    LEASE,
    Attempt,
    Delivery,
    DeliveryState,
    DisabledReason,
    Endpoint,
    EndpointState,
    Health,
    Priority,
    Settled,
)
from app.sync.webhooks.store import ENDPOINT, delivery_of, endpoint_of, list_of, readable

LOCK: Final = 0x63656B91
"""Number of the advisory lock on PostgreSQL under which a round runs."""

BACKLOG: Final = 1000
"""Number of due deliveries of an endpoint from which on only deliveries of alerts are made for it. First attempts of
alerts do not count."""

KEPT_ATTEMPTS: Final = 100
"""How many attempts of a delivery are kept; the newest are."""

_plain = msgspec.json.decode

_E, _D = tables.endpoint, tables.delivery
_DUE = _D.c.state == DeliveryState.DUE
_OF_IT = _D.c.endpoint_id == _E.c.id
_OWNER = client_table.alias("owner")
_WORKS = (_E.c.state == EndpointState.ACTIVE) & exists().where(
    _OWNER.c.id == _E.c.client_id, _OWNER.c.standing == Standing.ACTIVE
)
_FULL = exists(
    select(_D.c.id)
    .where(_OF_IT, _DUE, _D.c.priority == Priority.ORDINARY)
    .correlate(_E)
    .offset(BACKLOG - 1)
    .limit(1)
)
_ALERTS_BEHIND = _E.c.alert_position < bindparam("size")
_DATA_BEHIND = ((_E.c.position < bindparam("size")) | (_E.c.replay_position < _E.c.replay_until)) & ~_FULL
_BEHIND = _WORKS & or_(_ALERTS_BEHIND, _DATA_BEHIND)


async def lock_rounds(unit: Unit) -> None:
    """Take the lock that lets only one process do a dispatcher's round, until the commit; on SQLite nothing is done."""
    if not unit.is_sqlite:
        await unit.run(select(func.pg_advisory_xact_lock(LOCK)))


async def list_behind(reader: Reader, size: int, limit: int | None = None) -> list[str]:
    """Return the ids of active endpoints of active clients that lack deliveries, at most `limit` (None: all), by id.

    Deliveries can be lacking for the ledger's first `size` records or for the endpoint's replay. An endpoint with a
    full `BACKLOG` counts only if it lacks deliveries of alerts.
    """
    statement = select(_E.c.id).where(_BEHIND).order_by(_E.c.id).limit(limit)
    return list((await reader.run(statement, {"size": size})).scalars())


class EndpointPositions(NamedTuple):
    """The members of an `Endpoint` that are needed to store its deliveries, and whether its backlog is full.

    Attributes:
        full: whether the endpoint has `BACKLOG` due deliveries or more, so that only deliveries of alerts are added.
    """

    id: str
    events: tuple[str, ...]
    position: int
    alert_position: int
    replay_position: int | None
    replay_until: int | None
    full: bool


async def lock_behind(unit: Unit, size: int, among: Collection[str] | None = None) -> list[EndpointPositions]:
    """Lock the endpoints (with `among`: those ids) that lack deliveries, as `list_behind`; return them by id."""
    read = (_E.c.id, _E.c.events, _E.c.position, _E.c.alert_position, _E.c.replay_position, _E.c.replay_until)
    behind = select(*read, _FULL.label("full")).where(_BEHIND).order_by(_E.c.id)
    locked = behind.with_for_update(key_share=True, of=_E)
    if among is not None:
        locked = locked.where(_E.c.id.in_(sorted(among)))
    return readable(await unit.run(locked, {"size": size}), _positions)


def _positions(row: Any) -> EndpointPositions:
    return EndpointPositions(
        **{**row._mapping, "events": list_of(row.events), "full": bool(row.full)},
    )


async def move(unit: Unit, column: str, reached: int, endpoint_ids: Sequence[str]) -> None:
    """Set a position of some endpoints to `reached`: their deliveries of records up to this sequence are stored.

    Args:
        unit: the transaction.
        column: the position: `position`, `alert_position` or `replay_position`. With the last, a replay that has
            reached its last record is ended.
        reached: the sequence.
        endpoint_ids: the endpoints.
    """
    await unit.run(
        update(_E).where(any_of(_E.c.id, "ids")).values({column: reached}), {"ids": list(endpoint_ids)}
    )
    if column == "replay_position":
        ended = (any_of(_E.c.id, "ids"), _E.c.replay_position >= _E.c.replay_until)
        over = update(_E).where(*ended).values(replay_position=None, replay_until=None)
        await unit.run(over, {"ids": list(endpoint_ids)})


_NOW = bindparam("now", type_=_D.c.due_at.type)


def _first(*conditions: ColumnElement[bool]) -> ScalarSelect[str]:
    """Return the id of an endpoint's oldest delivery that may be sent now, of an alert if there is one."""
    before = tables.delivery.alias()
    waits = exists().where(
        before.c.endpoint_id == _D.c.endpoint_id,
        before.c.entry_id == _D.c.entry_id,
        before.c.state == DeliveryState.DUE,
        before.c.urgent == _D.c.urgent,
        before.c.sequence < _D.c.sequence,
    )
    free = or_(_D.c.lease_until.is_(None), _D.c.lease_until <= _NOW)
    return (
        select(_D.c.id)
        .where(_OF_IT, _DUE, _D.c.due_at <= _NOW, free, *conditions, or_(~_E.c.ordered, ~waits))
        .order_by(_D.c.urgent.desc(), _D.c.due_at, _D.c.sequence)
        .limit(1)
        .correlate(_E)
        .scalar_subquery()
    )


@cache
def _chosen(priority: Priority) -> Select[str, str]:
    """Select the endpoints with a delivery of a priority that may be sent now, and the delivery; some by lot.

    While a breaker is open, its probe is the oldest alert, or else the oldest delivery, sent as an ordinary one.
    """
    flying = select(func.count()).where(_OF_IT, _D.c.lease_until > _NOW).correlate(_E).scalar_subquery()
    works: Any = select(_E.c.id, _first(_D.c.priority == priority).label("delivery_id")).where(
        _WORKS, _E.c.failures < BREAKER_FAILURES, flying < AT_ONCE[priority]
    )
    if priority is Priority.ORDINARY:
        probed = or_(_E.c.probe_at.is_(None), _E.c.probe_at <= _NOW)
        probes = select(_E.c.id, _first().label("delivery_id")).where(
            _WORKS, _E.c.failures >= BREAKER_FAILURES, probed, flying == 0
        )
        works = works.union_all(probes)
    found = works.subquery()
    return (
        select(found.c.id, found.c.delivery_id)
        .where(found.c.delivery_id.is_not(None))
        .order_by(func.random())  # where there are more than places, all get their turn
        .limit(bindparam("limit"))
    )


async def has_due(reader: Reader, priority: Priority) -> bool:
    """Return whether `claim` would find a delivery of this priority now."""
    return (await reader.run(_chosen(priority), {"now": reader.now, "limit": 1})).first() is not None


async def claim(unit: Unit, priority: Priority, limit: int) -> list[tuple[Delivery, Endpoint, Actor]]:
    """Claim up to `limit` deliveries of a priority that may be sent now, one of each endpoint, for 30 s (`LEASE`).

    For this time no other process claims them. Each claim counts as an attempt. If more than `limit` endpoints have
    such a delivery, the endpoints are chosen at random. Nothing is claimed of an endpoint that is disabled or deleted,
    or whose client is not active.

    Returns:
        (delivery, endpoint, client) of each claimed delivery; only data that the client may see are sent.
    """
    if limit <= 0:
        return []
    rows = await unit.run(_chosen(priority), {"now": unit.now, "limit": limit})
    chosen = {row.id: row.delivery_id for row in rows}
    if not chosen:
        return []
    # on PostgreSQL an endpoint or client that was active in the statement before may have ended since
    working = select(*ENDPOINT).where(any_of(_E.c.id, "ids"), _E.c.state == EndpointState.ACTIVE)
    locked = working.order_by(_E.c.id).with_for_update(key_share=True, skip_locked=True)
    found = readable(await unit.run(locked, {"ids": sorted(chosen)}), endpoint_of)
    actors = await list_actors(unit, {each.client_id for each in found})
    endpoints = {each.id: each for each in found if each.client_id in actors}
    leased = (
        update(_D)
        .where(any_of(_D.c.id, "ids"), _DUE)
        .values(lease_until=unit.now + LEASE, attempts=_D.c.attempts + 1)
        .returning(_D)
    )
    taken = await unit.run(leased, {"ids": sorted(chosen[each] for each in endpoints)})
    claimed = []
    for delivery in map(delivery_of, taken.all()):
        endpoint = endpoints[delivery.endpoint_id]
        claimed.append((delivery, endpoint, actors[endpoint.client_id]))
    return claimed


async def list_actors(reader: Reader, client_ids: Collection[str]) -> dict[str, Actor]:
    """Return active clients as actors without a key, by id; unknown and inactive clients are omitted."""
    table = client_table
    statement = select(table).where(any_of(table.c.id, "ids"), table.c.standing == Standing.ACTIVE)
    rows = await reader.run(statement, {"ids": sorted(client_ids)})
    return {each.client_id: each for each in readable(rows, _actor)}


def _actor(row: Any) -> Actor:
    return Actor(
        client_id=row.id,
        person=row.person_key,
        roles=frozenset(_plain(row.roles)),
        agency=row.agency,
        office=row.office,
        checkpoint=row.checkpoint,
        kind=row.kind,
    )


async def lock_client(unit: Unit, client_id: str) -> None:
    """Lock a client until the commit, so that no other transaction makes an endpoint for it meanwhile."""
    owner = select(client_table.c.id).where(client_table.c.id == client_id)
    await unit.run(owner.with_for_update(key_share=True))


async def lock_endpoints(unit: Unit, endpoint_ids: Collection[str]) -> dict[str, Endpoint]:
    """Lock the endpoints with these ids until the commit, and return them by id.

    Unknown ids are omitted, and those of endpoints that can't be read.
    """
    named = select(*ENDPOINT).where(any_of(_E.c.id, "ids")).order_by(_E.c.id)
    rows = await unit.run(named.with_for_update(key_share=True), {"ids": sorted(endpoint_ids)})
    return {each.id: each for each in readable(rows, endpoint_of)}


async def read_standing(reader: Reader, delivery_ids: Collection[str]) -> dict[str, tuple[str, int]]:
    """Return (state, number of attempts) of each of these deliveries, by id; unknown ids are omitted."""
    statement = select(_D.c.id, _D.c.state, _D.c.attempts).where(any_of(_D.c.id, "ids"))
    rows = await reader.run(statement, {"ids": sorted(delivery_ids)})
    return {row.id: (row.state, row.attempts) for row in rows}


_SETTLE = (
    update(_D)
    .where(_D.c.id == bindparam("of"))
    .values(
        state=bindparam("state"),
        priority=bindparam("priority"),
        step=bindparam("step"),
        due_at=func.coalesce(bindparam("due", type_=_D.c.due_at.type), _D.c.due_at),
        lease_until=None,
        finished_at=bindparam("finished", type_=_D.c.finished_at.type),
    )
)


async def save_settled(unit: Unit, settled: Iterable[tuple[Delivery, Settled]]) -> None:
    """Store the new states of deliveries after their attempts, and end the time for which they were claimed."""
    rows = []
    for delivery, after in settled:
        open_still = after.state is DeliveryState.DUE
        rows.append(
            {
                "of": delivery.id,
                "state": after.state,
                "priority": Priority.ORDINARY,
                "step": delivery.step + open_still,
                "due": after.due_at,
                "finished": None if open_still else unit.now,
            }
        )
    if rows:
        await unit.run(_SETTLE, rows)


async def save_attempts(unit: Unit, attempts: Sequence[Attempt]) -> None:
    """Store the results of attempts; of each delivery concerned only the newest 100 (`KEPT_ATTEMPTS`) are kept."""
    if not attempts:
        return
    table = tables.attempt
    rows = [{name: getattr(each, name) for name in each.__slots__} for each in attempts]
    await unit.run(unit.inserting(table).on_conflict_do_nothing(), rows)
    old = [
        {"of": each.delivery_id, "last": each.number - KEPT_ATTEMPTS}
        for each in attempts
        if each.number > KEPT_ATTEMPTS
    ]
    if old:
        named = (table.c.delivery_id == bindparam("of"), table.c.number <= bindparam("last"))
        await unit.run(delete(table).where(*named), old)


_HEALTH = (
    update(_E)
    .where(_E.c.id == bindparam("of"))
    .values(
        failures=bindparam("failed"),
        failing_since=bindparam("since", type_=_E.c.failing_since.type),
        probe_at=bindparam("probe", type_=_E.c.probe_at.type),
        succeeded_at=bindparam("succeeded", type_=_E.c.succeeded_at.type),
    )
)


async def save_health(unit: Unit, health: Mapping[str, Health]) -> None:
    """Store the new health of endpoints; `health` is by endpoint id."""
    rows = [
        {
            "of": endpoint_id,
            "failed": each.failures,
            "since": each.failing_since,
            "probe": each.probe_at,
            "succeeded": each.succeeded_at,
        }
        for endpoint_id, each in sorted(health.items())
    ]
    if rows:
        await unit.run(_HEALTH, rows)


async def disable(unit: Unit, endpoint_id: str, reason: DisabledReason) -> None:
    """Disable an endpoint; its due deliveries wait until it is activated again."""
    changed = {"state": EndpointState.DISABLED, "disabled_reason": reason, "version": _E.c.version + 1}
    await unit.run(update(_E).where(_E.c.id == endpoint_id).values(**changed, updated_at=unit.now))


def _of_checkpoints() -> Select[str, str]:
    is_one = client_table.c.roles.contains(f'"{Role.CHECKPOINT}"')
    return (
        select(_E.c.id, client_table.c.checkpoint)
        .join(client_table, client_table.c.id == _E.c.client_id)
        .where(_WORKS, is_one, client_table.c.checkpoint.is_not(None))
        .order_by(_E.c.id)
    )


async def list_connected(reader: Reader, within: timedelta) -> dict[str, str]:
    """Return the checkpoints that are reachable by a working endpoint: a mapping of endpoint ids to checkpoint codes.

    An endpoint works if it is active, its last attempt has succeeded, and that was less than `within` ago.
    """
    works = (_E.c.failures == 0, _E.c.succeeded_at > reader.now - within)
    return {row.id: row.checkpoint for row in await reader.run(_of_checkpoints().where(*works))}


async def list_quiet(reader: Reader, silence: timedelta) -> list[str]:
    """Return the ids of the endpoints of checkpoints that need a test delivery.

    Such an endpoint is active, has had no success for the time `silence` or ever, and has no due delivery.
    """
    due = exists().where(_OF_IT, _DUE)
    quiet = or_(_E.c.succeeded_at.is_(None), _E.c.succeeded_at <= reader.now - silence)
    return [row.id for row in await reader.run(_of_checkpoints().where(quiet, ~due))]


async def measure(reader: Reader) -> tuple[dict[Priority, int], Any, int]:
    """Return figures on all deliveries and endpoints, for the metrics.

    Returns:
        (depths, oldest, broken): the number of deliveries due now by priority; since when the oldest of them has been
        due (a datetime or None); and the number of endpoints that only get probes because they keep failing.
    """
    overdue = select(_D.c.priority, func.count(), func.min(_D.c.due_at)).where(
        _DUE, _D.c.due_at <= reader.now
    )
    depths, oldest = dict.fromkeys(Priority, 0), []
    for priority, number, first in await reader.run(overdue.group_by(_D.c.priority)):
        depths[Priority(priority)] = number
        oldest.append(first)
    broken = select(func.count()).select_from(_E).where(_WORKS, _E.c.failures >= BREAKER_FAILURES)
    return depths, min(oldest, default=None), (await reader.run(broken)).scalar_one()
