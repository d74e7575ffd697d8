"""Endpoints, deliveries, and when a failed delivery is tried again; pure."""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.access.domain import Role
from app.actor import Actor
from app.ledger.domain import RecordType

TEST_TYPE: Final = "endpoint.test"
RECOVERED_TYPE: Final = "endpoint.recovered"
"""The types of events about the endpoint itself; every endpoint gets them."""

BREAKER_FAILURES: Final = 5
"""Failures in a row after which an endpoint's breaker opens."""

PROBE_EVERY: Final = timedelta(seconds=30)
"""Time between two attempts while an endpoint's breaker is open."""

LEASE: Final = timedelta(seconds=30)
"""How long a claimed delivery belongs to its process; the longest attempt takes half of it."""

DATA_SECONDS: Final = 15.0
ALERT_SECONDS: Final = 5.0
"""Longest attempts, in seconds: of an alert, and of any other event."""

NOTIFY_AFTER: Final = timedelta(hours=1)
"""How long an endpoint fails before the admins are notified."""

DISABLE_AFTER: Final = timedelta(days=5)
"""How long the endpoint of an integrator fails before it is disabled."""

LONGEST_OVERLAP_HOURS: Final = 168
DEFAULT_OVERLAP_HOURS: Final = 24

_ALERT_DELAYS: Final = (2, 5, 10, 20, 30, 60)
_DATA_DELAYS: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds between two attempts, first to last: those of data are the schedule of Standard Webhooks."""

_JITTER: Final = 0.2
_LONGEST_ALERT_DELAY: Final = 60.0

GONE: Final = 410
"""The status by which a receiver says that the endpoint is gone for good."""


class EndpointState(StrEnum):
    """Whether deliveries are made and sent."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    """The reason why an endpoint is disabled."""

    OPERATOR = "operator"
    GONE = "gone"
    FAILING = "failing"


class Payload(StrEnum):
    """The content of a delivery: ids and links, or the record as its receiver may see it."""

    THIN = "thin"
    FULL = "full"


class DeliveryState(StrEnum):
    """State of a delivery.

    `due`: it waits for its next attempt, or is being sent. `exhausted`: its schedule ended without success; a dead
    letter. `dropped`: it was not needed any more: the alert is over, or the checkpoint has it by another way.
    """

    DUE = "due"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    DROPPED = "dropped"


class Priority(StrEnum):
    """The queue of a due delivery: first attempts of alerts have one of their own, so that they wait for nothing."""

    URGENT = "urgent"
    ORDINARY = "ordinary"


class Ending(StrEnum):
    """The result of a claimed delivery for now, as the metrics count it."""

    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


AT_ONCE: Final = {Priority.URGENT: 2, Priority.ORDINARY: 1}
"""Most deliveries of an endpoint in flight when one of this priority is claimed: the last place is kept for alerts."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A receiver of deliveries.

    Attributes:
        client_id: the client that it belongs to, whose view decides what is sent.
        by_admin: whether an admin made it, or its last change; only then its payload may be full.
        networks: networks in which its address must be; empty for any that the deployment allows.
        ordered: whether a delivery about an entry waits until the one before it about this entry is settled.
        secrets: its secrets, encrypted.
        former_secrets: the secrets before the last rotation, encrypted; they sign too until `former_until`.
        position: every record up to this number, alerts excepted, has its delivery.
        alert_position: every alert up to this number has its delivery.
        replay_position: every record of the running replay up to this number has its delivery; None without a replay.
        replay_until: last number of the replay; None while none is running.
        failures: failed attempts since the last success.
        failing_since: the first of these; None while there are none.
        probe_at: when the next attempt may be made while the breaker is open.
        succeeded_at: the last success.
        deleted_at: when its owner deleted it: it is disabled, and only the dispatcher sees it; None before.
    """

    id: str
    client_id: str
    version: int
    url: str
    events: tuple[str, ...]
    payload: Payload
    by_admin: bool
    description: str | None
    networks: tuple[str, ...]
    ordered: bool
    state: EndpointState
    disabled_reason: DisabledReason | None
    secrets: bytes
    public_key: str
    former_secrets: bytes | None
    former_until: datetime | None
    position: int
    alert_position: int
    replay_position: int | None
    replay_until: int | None
    failures: int
    failing_since: datetime | None
    probe_at: datetime | None
    succeeded_at: datetime | None
    created_at: datetime
    created_by: str
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def broken(self) -> bool:
        """Whether the breaker is open: attempts are rare probes."""
        return self.failures >= BREAKER_FAILURES


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint; its content is read from the ledger when it is sent.

    Attributes:
        message_id: id of the event, the same for each attempt, each replay and each endpoint (`webhook-id`).
        sequence: number of the ledger's record; None for an event about the endpoint.
        alert_id: the alert, where the event is one.
        urgent: whether it follows the schedule of alerts.
        step: failed attempts on its schedule; a retry by hand begins anew.
        attempts: attempts so far.
        lease_until: until when the present attempt may take; None outside one.
        facts: content of an event about the endpoint.
    """

    id: str
    endpoint_id: str
    message_id: str
    type: str
    sequence: int | None
    entry_id: str | None
    alert_id: str | None
    urgent: bool
    priority: Priority
    state: DeliveryState
    step: int
    attempts: int
    due_at: datetime
    lease_until: datetime | None
    created_at: datetime
    finished_at: datetime | None
    facts: dict[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one attempt.

    Attributes:
        number: from 1, in the order of the delivery's attempts.
        status: the HTTP status; None without an answer.
        milliseconds: its duration.
        error: why there was no answer, in words; None with one.
        answer: the beginning of the answer, without secrets.
    """

    delivery_id: str
    number: int
    at: datetime
    status: int | None
    milliseconds: int
    error: str | None
    answer: str | None

    @property
    def succeeded(self) -> bool:
        """Whether the receiver has taken the event: any 2xx; a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - the class of success


def reads_ledger(roles: Collection[str]) -> bool:
    """Return whether an endpoint of a client with these roles gets every type of record, and not only alerts."""
    return not frozenset(roles).isdisjoint({Role.INTEGRATOR, Role.ADMIN})


def types_for(roles: Collection[str]) -> tuple[str, ...]:
    """Return the types of records that an endpoint of a client with these roles may receive."""
    every = reads_ledger(roles)
    return tuple(kind.value for kind in RecordType if every or kind.is_alert)


def is_checkpoints(actor: Actor) -> bool:
    """Return whether an endpoint's client is a checkpoint: it gets alerts as counters do, and is never disabled."""
    return actor.holds(Role.CHECKPOINT)


def message_id(epoch: str, sequence: int) -> str:
    """Return the id of the event of the record `sequence` in an epoch; it has no dot, as Standard Webhooks demands."""
    return f"{epoch}-{sequence}"


def delay_after(
    failures: int, *, urgent: bool, retry_after: float | None = None, spread: float | None = None
) -> timedelta | None:
    """Return the time until the next attempt, or None if the schedule is over.

    Args:
        failures: failed attempts on the schedule, at least 1.
        urgent: whether it is the schedule of alerts, which has no end of its own.
        retry_after: seconds that the receiver requested. They lengthen the delay, to twice as long or a minute at most;
            that of an alert to a minute at most.
        spread: a number from -1 to 1 in place of the random one, by which the delay differs by a fifth at most.
    """
    delays = _ALERT_DELAYS if urgent else _DATA_DELAYS
    if failures > len(delays) and not urgent:
        return None
    base = delays[min(failures, len(delays)) - 1]
    lot = random.uniform(-1, 1) if spread is None else spread  # noqa: S311 - no secret
    seconds = base * (1 + _JITTER * lot)
    if retry_after is not None:
        longest = _LONGEST_ALERT_DELAY if urgent else max(2.0 * base, 60.0)
        seconds = max(seconds, min(retry_after, longest))
    return timedelta(seconds=seconds)


def priority_of(*, urgent: bool, step: int) -> Priority:
    """Return the priority of a due delivery: only first attempts (`step` 0) of alerts are urgent."""
    return Priority.URGENT if urgent and step == 0 else Priority.ORDINARY


def first_answer_lines(answer: bytes, longest: int) -> str:
    """Return at most the first `longest` bytes of an answer, as text that each database can store."""
    return answer[:longest].decode("utf-8", "replace").replace("\0", "\ufffd")


@dataclass(frozen=True, slots=True)
class Settled:
    """The changes of a delivery by an attempt.

    Attributes:
        state: the delivery's state after it.
        due_at: when the next attempt is due; None without one.
    """

    state: DeliveryState
    due_at: datetime | None


def settle(delivery: Delivery, attempt: Attempt, retry_after: float | None, now: datetime) -> Settled:
    """Return the changes of a delivery by an attempt.

    Args:
        delivery: the delivery, as it was claimed.
        attempt: the result of the attempt.
        retry_after: seconds that the receiver requested; None without a request.
        now: the present.
    """
    if attempt.succeeded:
        return Settled(DeliveryState.DELIVERED, None)
    delay = delay_after(delivery.step + 1, urgent=delivery.urgent, retry_after=retry_after)
    return (
        Settled(DeliveryState.EXHAUSTED, None) if delay is None else Settled(DeliveryState.DUE, now + delay)
    )


@dataclass(frozen=True, slots=True)
class Health:
    """The changes of an endpoint by the attempts of a round.

    Attributes:
        failures: failed attempts since the last success.
        failing_since: the first of these; None while there are none.
        probe_at: when the next attempt may be made while the breaker is open.
        succeeded_at: the last success.
    """

    failures: int
    failing_since: datetime | None
    probe_at: datetime | None
    succeeded_at: datetime | None


def health_after(endpoint: Endpoint, attempts: Sequence[Attempt], now: datetime) -> Health:
    """Return an endpoint's health after some attempts, in their order."""
    failures, since, succeeded = endpoint.failures, endpoint.failing_since, endpoint.succeeded_at
    for attempt in attempts:
        if attempt.succeeded:
            failures, since, succeeded = 0, None, attempt.at
        else:
            failures, since = failures + 1, since or attempt.at
    probe_at = now + PROBE_EVERY if failures >= BREAKER_FAILURES else None
    return Health(failures, since, probe_at, succeeded)
