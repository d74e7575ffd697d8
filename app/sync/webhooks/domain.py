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

ALERT_SECONDS: Final = 5.0
"""Longest attempt to deliver an alert, in seconds."""

DATA_SECONDS: Final = 15.0
"""Longest attempt to deliver any other event, in seconds."""

NOTIFY_AFTER: Final = timedelta(hours=1)
"""How long an endpoint fails before the admins and the duty officers are notified."""

DISABLE_AFTER: Final = timedelta(days=5)
"""How long an endpoint fails before it is disabled. Endpoints of checkpoints are never disabled for failing."""

LONGEST_OVERLAP_HOURS: Final = 168
"""The longest time for which former secrets may sign beside new ones."""

DEFAULT_OVERLAP_HOURS: Final = 24
"""For how long former secrets sign beside new ones if the owner gives no time."""

_ALERT_DELAYS: Final = (2, 5, 10, 20, 30, 60)
_DATA_DELAYS: Final = (5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds between two attempts, first to last: those of data are the schedule of Standard Webhooks."""

_JITTER: Final = 0.2
_LONGEST_ALERT_DELAY: Final = 60.0

GONE: Final = 410
"""The status by which a receiver says that the endpoint is gone for good."""


class EndpointState(StrEnum):
    """State of an endpoint: while it is `disabled`, no deliveries are stored for it, and none is sent."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    """The reason why an endpoint is disabled.

    `operator`: its owner or an admin has disabled it. `gone`: the receiver answered 410. `failing`: every attempt has
    failed for five days.
    """

    OPERATOR = "operator"
    GONE = "gone"
    FAILING = "failing"


class Payload(StrEnum):
    """What is posted of a record: `thin`, its ids and a link; `full`, the whole record as its receiver may see it.

    At the link the receiver reads the record with its key. An endpoint with `full` gets `thin` if the deployment does
    not name its host (`CEKAL_WEBHOOK_FULL_HOSTS`).
    """

    THIN = "thin"
    FULL = "full"


class DeliveryState(StrEnum):
    """State of a delivery.

    `due`: it waits for its next attempt, or is being sent. `delivered`: the receiver has taken it. `exhausted`: all
    attempts of its schedule have failed; a dead letter. `dropped`: it was not sent, because its alert is over, or
    because the client has received the alert by another way.
    """

    DUE = "due"
    DELIVERED = "delivered"
    EXHAUSTED = "exhausted"
    DROPPED = "dropped"


class Priority(StrEnum):
    """The queue of a due delivery: `urgent` for first attempts of alerts, so that they wait for no other delivery."""

    URGENT = "urgent"
    ORDINARY = "ordinary"


class Ending(StrEnum):
    """The result of a claimed delivery, for metrics: it was delivered, its attempt failed, or it was dropped unsent."""

    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"


AT_ONCE: Final = {Priority.URGENT: 2, Priority.ORDINARY: 1}
"""While so many deliveries of an endpoint are in flight, no further one of this priority is claimed. So the second
place is for first attempts of alerts."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address of a client to which records of the ledger are posted, with its settings and its health.

    Attributes:
        client_id: the client to which it belongs; the data that are sent are those that this client may see.
        events: the types of records that are sent.
        networks: networks in which its address must be; empty for any that the deployment allows.
        ordered: whether a delivery about an entry waits until the earlier ones about this entry are delivered,
            exhausted or dropped; alerts wait only for alerts, other records only for other records.
        secrets: its secrets, encrypted.
        public_key: the public key with which receivers verify its `v1a` signatures, as text.
        former_secrets: the secrets before the last rotation, encrypted; they sign too until `former_until`. None
            without a rotation, or after one without an overlap.
        position: sequence up to which deliveries are stored of the records that are not about an alert.
        alert_position: sequence up to which deliveries are stored of the records about alerts.
        replay_position: sequence up to which deliveries are stored for the replay; None without a replay.
        replay_until: sequence of the replay's last record; None without a replay.
        failures: number of failed attempts since the last success.
        failing_since: when the first of these attempts was made; None without one.
        probe_at: after many failures in a row, when the next attempt may be made; else None.
        succeeded_at: when the last successful attempt began; None before the first success.
        deleted_at: when its owner deleted it: it is disabled, and only the dispatcher sees it; None before.
    """

    id: str
    client_id: str
    version: int
    url: str
    events: tuple[str, ...]
    payload: Payload
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
        """Whether the last five or more attempts have failed: then only a probe is sent each half minute."""
        return self.failures >= BREAKER_FAILURES


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event that is posted to one endpoint: a record of the ledger, or an event about the endpoint itself.

    The record's content is not stored here; it is read from the ledger when the delivery is sent.

    Attributes:
        message_id: id of the event (`webhook-id`). For a record it is the same for each attempt, each endpoint and each
            replay of one epoch; for an event about the endpoint it is the delivery's id.
        type: type of the record or of the event about the endpoint.
        sequence: number of the ledger's record; None for an event about the endpoint.
        entry_id: the entry that the record is about; None if it is about none.
        alert_id: the alert that the record is about; None if it is about none.
        urgent: whether it follows the schedule of alerts; a replayed alert does not.
        priority: the queue in which it waits for its next attempt.
        step: number of failed attempts on its schedule; a retry by hand sets it to 0.
        attempts: number of attempts so far, the present one included.
        due_at: when the next attempt is due; no meaning once the delivery is finished.
        lease_until: until when the present attempt belongs to the process that claimed the delivery; then it may be
            claimed again. None if no attempt is running.
        finished_at: when it was delivered, exhausted or dropped; None while it is due.
        facts: members of the data of an event about the endpoint; empty for a record.
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
        number: number of the attempt, from 1 for the first of its delivery.
        at: when it began.
        status: the HTTP status; None without an answer.
        milliseconds: duration of the attempt.
        error: why there was no answer, in words; None if there was one.
        answer: the beginning of the answer, without what looks like a secret; None if it is empty or erased.
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
        """Whether the receiver has taken the event: its answer has a status from 200 to 299."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - the class of success


def reads_ledger(roles: Collection[str]) -> bool:
    """Return whether an endpoint of a client with these roles gets every type of record, and not only alerts."""
    return not frozenset(roles).isdisjoint({Role.INTEGRATOR, Role.ADMIN})


def types_for(roles: Collection[str]) -> tuple[str, ...]:
    """Return the types of records that an endpoint of a client with these roles may get: all, or alerts only."""
    every = reads_ledger(roles)
    return tuple(kind.value for kind in RecordType if every or kind.is_alert)


def is_checkpoints(actor: Actor) -> bool:
    """Return whether a client has the role `checkpoint`; neither failures nor the answer 410 disable its endpoints."""
    return actor.holds(Role.CHECKPOINT)


def message_id(epoch: str, sequence: int) -> str:
    """Return the `webhook-id` of a record's event: epoch and sequence, joined by a dash."""
    return f"{epoch}-{sequence}"


def delay_after(
    failures: int, *, urgent: bool, retry_after: float | None = None, spread: float | None = None
) -> timedelta | None:
    """Return the time to wait before the next attempt; None if there is no further attempt on the schedule.

    Args:
        failures: number of failed attempts on the schedule, at least 1.
        urgent: whether the schedule is that of alerts. It never ends: from the sixth failure on the delay is a minute.
        retry_after: seconds that the receiver requested to wait; None without a request. If they are more than the
            delay, they replace it up to a limit: for alerts a minute; for other records a minute or twice the delay,
            whichever is longer.
        spread: a number from -1 to 1 that shortens or lengthens the delay by up to a fifth; None for a random one.
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


def answer_start(answer: bytes, longest: int) -> str:
    """Return the first `longest` bytes of an answer as text; each NUL, and what is not UTF-8, is replaced by U+FFFD."""
    return answer[:longest].decode("utf-8", "replace").replace("\0", "\ufffd")


@dataclass(frozen=True, slots=True)
class Settled:
    """The new state of a delivery after an attempt, or after it was dropped.

    Attributes:
        state: the new state.
        due_at: when the next attempt is due; None if there will be none.
    """

    state: DeliveryState
    due_at: datetime | None


def settle(delivery: Delivery, attempt: Attempt, retry_after: float | None, now: datetime) -> Settled:
    """Return the state that a delivery has after an attempt: delivered, due again, or exhausted. Nothing is stored.

    Args:
        delivery: the delivery, as it was claimed.
        attempt: the result of the attempt.
        retry_after: seconds that the receiver requested to wait; None without a request.
        now: the present instant, from which the time of the next attempt is counted.
    """
    if attempt.succeeded:
        return Settled(DeliveryState.DELIVERED, None)
    delay = delay_after(delivery.step + 1, urgent=delivery.urgent, retry_after=retry_after)
    return (
        Settled(DeliveryState.EXHAUSTED, None) if delay is None else Settled(DeliveryState.DUE, now + delay)
    )


@dataclass(frozen=True, slots=True)
class Health:
    """How an endpoint's latest attempts ended; `Endpoint` has the same members.

    Attributes:
        failures: number of failed attempts since the last success.
        failing_since: when the first of these attempts was made; None without one.
        probe_at: after five or more failures in a row, when the next attempt may be made; else None.
        succeeded_at: when the last successful attempt began; None before the first success.
    """

    failures: int
    failing_since: datetime | None
    probe_at: datetime | None
    succeeded_at: datetime | None


def health_after(endpoint: Endpoint, attempts: Sequence[Attempt], now: datetime) -> Health:
    """Return an endpoint's health after further attempts. Nothing is stored.

    Args:
        endpoint: the endpoint, with its health before these attempts.
        attempts: the attempts, in the order in which they ended.
        now: the present instant; a next probe may be made half a minute later.
    """
    failures, since, succeeded = endpoint.failures, endpoint.failing_since, endpoint.succeeded_at
    for attempt in attempts:
        if attempt.succeeded:
            failures, since, succeeded = 0, None, attempt.at
        else:
            failures, since = failures + 1, since or attempt.at
    probe_at = now + PROBE_EVERY if failures >= BREAKER_FAILURES else None
    return Health(failures, since, probe_at, succeeded)
