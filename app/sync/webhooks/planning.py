"""Makes the deliveries of records that are in the ledger, in steps of bounded size.

Each endpoint has positions: sequences up to which its deliveries are made. A step makes those of the next records and
moves the positions forward. Whoever writes a record does nothing for its deliveries: an urgent entry takes as long with
a thousand endpoints as without one.
"""

from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from app.db.unit import Unit
from app.kit.ids import new_id
from app.ledger.domain import Head
from app.ledger.selecting import Numbered, list_numbers
from app.sync.webhooks import queue, store
from app.sync.webhooks.domain import Delivery, DeliveryState, message_id, priority_of
from app.sync.webhooks.queue import EndpointPositions

_MOST_ROWS: Final = 1000
"""Deliveries that a step makes at most, but for those of one record to all endpoints."""

_MOST_RECORDS: Final = 1000
"""Records that a step reads at most for the endpoints at one position."""


class _Part(NamedTuple):
    """A part of the ledger that endpoints follow.

    Attributes:
        column: the position that shows how far an endpoint has come.
        alerts: whether the part has alerts only, or other records only; None for both.
        replayed: whether its deliveries are sent for a second time.
        span: returns the last number that is done of an endpoint, and the last one that is to be.
    """

    column: str
    alerts: bool | None
    replayed: bool
    span: Callable[[EndpointPositions, int], tuple[int, int]]


_ALERTS = _Part("alert_position", True, False, lambda endpoint, size: (endpoint.alert_position, size))
_DATA = _Part("position", False, False, lambda endpoint, size: (endpoint.position, size))
_REPLAY = _Part(
    "replay_position",
    None,
    True,
    lambda endpoint, _: (endpoint.replay_position or 0, endpoint.replay_until or 0),
)


async def make_deliveries(unit: Unit, head: Head, among: Collection[str] | None = None) -> bool:
    """Store the next deliveries for endpoints that lack some: first of alerts, then of other records, then of replays.

    One call stores about 1000 deliveries at most. An endpoint with a full `BACKLOG` gets only deliveries of alerts.

    Args:
        unit: the transaction.
        head: the ledger's head, up to which deliveries are stored.
        among: the ids of the endpoints; None for all.

    Returns:
        Whether the limit was reached, so that more deliveries may be left to store.
    """
    behind = await queue.lock_behind(unit, head.size, among)
    roomy = [endpoint for endpoint in behind if not endpoint.full]
    left = await _make(unit, head, behind, _ALERTS, _MOST_ROWS)
    left = await _make(unit, head, roomy, _DATA, left)
    return await _make(unit, head, roomy, _REPLAY, left) <= 0


async def _make(
    unit: Unit, head: Head, endpoints: Sequence[EndpointPositions], part: _Part, most: int
) -> int:
    """Make at most `most` deliveries of a part. Returns how many more a step may make; 0 or less if it must end."""

    def span(endpoint: EndpointPositions) -> tuple[int, int]:
        return part.span(endpoint, head.size)

    def is_behind(endpoint: EndpointPositions) -> bool:
        after, upto = span(endpoint)
        return after < upto

    for (after, upto), group in groupby(sorted(filter(is_behind, endpoints), key=span), key=span):
        if most <= 0:
            return 0
        members = list(group)
        limit = min(_MOST_RECORDS, max(1, most // len(members)))
        found = await list_numbers(unit, after, upto, limit, alerts=part.alerts)
        reached = found[-1].sequence if len(found) == limit else upto
        made = [
            _delivery(unit, head, endpoint, record, replayed=part.replayed)
            for endpoint in members
            for record in found
            if record.type in endpoint.events
        ]
        await store.add_deliveries(unit, made)
        await queue.move(unit, part.column, reached, [endpoint.id for endpoint in members])
        most -= len(made) if reached == upto else max(len(made), most)
    return most


def _delivery(
    unit: Unit, head: Head, endpoint: EndpointPositions, record: Numbered, *, replayed: bool
) -> Delivery:
    urgent = record.alert_id is not None and not replayed
    return Delivery(
        id=new_id("dlv", unit.now),
        endpoint_id=endpoint.id,
        message_id=message_id(head.epoch, record.sequence),
        type=record.type,
        sequence=record.sequence,
        entry_id=record.entry_id,
        alert_id=record.alert_id,
        urgent=urgent,
        priority=priority_of(urgent=urgent, step=0),
        state=DeliveryState.DUE,
        step=0,
        attempts=0,
        due_at=unit.now,
        lease_until=None,
        created_at=unit.now,
        finished_at=None,
        facts={},
    )


def of_endpoint(unit: Unit, endpoint_id: str, kind: str, facts: dict[str, str | int | None]) -> Delivery:
    """Return a new delivery, due now, of an event about the endpoint itself, such as a test; it is not stored.

    Args:
        unit: the transaction.
        endpoint_id: the endpoint.
        kind: the event's type, such as `endpoint.test`.
        facts: further members of the event's data.
    """
    delivery_id = new_id("dlv", unit.now)
    return Delivery(
        id=delivery_id,
        endpoint_id=endpoint_id,
        message_id=delivery_id,
        type=kind,
        sequence=None,
        entry_id=None,
        alert_id=None,
        urgent=False,
        priority=priority_of(urgent=False, step=0),
        state=DeliveryState.DUE,
        step=0,
        attempts=0,
        due_at=unit.now,
        lease_until=None,
        created_at=unit.now,
        finished_at=None,
        facts=facts,
    )
