"""What attempts change: deliveries, the health of endpoints, receipts of alerts, notices to officers."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from app.actor import Actor
from app.alerting.alerts.delivered import DeliveredAlert, note_unreached, store_received
from app.alerting.notices.administration import webhook_disabled, webhook_failing
from app.alerting.notices.service import notify
from app.db.unit import Unit
from app.kit.clock import rfc3339
from app.ledger.selecting import lock_erased
from app.sync.webhooks import queue, store
from app.sync.webhooks.domain import (
    DISABLE_AFTER,
    GONE,
    NOTIFY_AFTER,
    RECOVERED_TYPE,
    Attempt,
    Delivery,
    DeliveryState,
    DisabledReason,
    Endpoint,
    EndpointState,
    Settled,
    health_after,
    is_checkpoints,
    settle,
)
from app.sync.webhooks.planning import of_endpoint

logger = logging.getLogger(__name__)


class Result(NamedTuple):
    """What became of a claimed delivery: it was sent, or it was not needed any more.

    Attributes:
        delivery: the delivery, as it was claimed.
        actor: the endpoint's client.
        attempt: the attempt to send it; None if it was not needed any more, and so not sent.
        retry_after: seconds that the receiver requested to wait before the next attempt; None without a request.
    """

    delivery: Delivery
    actor: Actor
    attempt: Attempt | None
    retry_after: float | None = None

    def __str__(self) -> str:
        """Return the delivery's id, by which the log names it."""
        return self.delivery.id


async def store_results(unit: Unit, results: Sequence[Result], *, doubtful: bool) -> None:
    """Store the results of some deliveries: their new states, their attempts, and the health of their endpoints.

    An alert that a checkpoint's endpoint has taken counts as received: a receipt is stored. An endpoint that answers
    again after five failures or more gets a delivery of `endpoint.recovered`. Admins and duty officers are notified of
    endpoints that fail for an hour. Endpoints of clients other than checkpoints are disabled after five days or the
    answer 410, and the admins are notified. If a delivery was claimed again since, a failed attempt does not
    change its state; a success does. The results of deliveries that are deleted are ignored.

    Args:
        unit: the transaction.
        results: the results, in the order in which they came.
        doubtful: whether the clock is doubted: then no endpoint is disabled for the length of its failure.
    """
    if not results:
        return
    endpoints = await queue.lock_endpoints(unit, {each.delivery.endpoint_id for each in results})
    standing = await queue.read_standing(unit, {each.delivery.id for each in results})
    settled: dict[str, tuple[Delivery, Settled]] = {}
    known = [each for each in results if each.delivery.id in standing]
    for each in known:
        state, attempts = standing[each.delivery.id]
        if each.attempt is None:
            after = Settled(DeliveryState.DROPPED, None)
        else:
            after = settle(each.delivery, each.attempt, each.retry_after, unit.now)
        present = attempts == each.delivery.attempts or after.state is DeliveryState.DELIVERED
        if state == DeliveryState.DUE and present:
            settled[each.delivery.id] = (each.delivery, after)
    await queue.save_settled(unit, settled.values())
    await queue.save_attempts(unit, await _storable(unit, known))
    await store_received(unit, _taken(known))
    await _judge(unit, endpoints, known, doubtful=doubtful)


async def _storable(unit: Unit, results: Sequence[Result]) -> list[Attempt]:
    """Return the attempts, those about an entry that was erased meanwhile without what the receiver answered."""
    answered = {
        each.delivery.sequence
        for each in results
        if each.attempt is not None and each.attempt.answer and each.delivery.sequence is not None
    }
    erased = await lock_erased(unit, answered)
    return [
        replace(each.attempt, answer=None) if each.delivery.sequence in erased else each.attempt
        for each in results
        if each.attempt is not None
    ]


def _taken(results: Sequence[Result]) -> list[DeliveredAlert]:
    """Return the alerts that endpoints of checkpoints have taken."""
    return [
        DeliveredAlert(each.delivery.alert_id, each.actor.client_id, each.actor.checkpoint)
        for each in results
        if each.attempt is not None
        and each.attempt.succeeded
        and each.delivery.alert_id is not None
        and is_checkpoints(each.actor)
        and each.actor.checkpoint is not None
    ]


async def _judge(
    unit: Unit, endpoints: Mapping[str, Endpoint], results: Sequence[Result], *, doubtful: bool
) -> None:
    """Store the health of endpoints; announce recoveries, and disable or report those that fail for long."""
    attempts: dict[str, list[Attempt]] = {}
    actors: dict[str, Actor] = {}
    for each in results:
        if each.attempt is not None and each.delivery.endpoint_id in endpoints:
            attempts.setdefault(each.delivery.endpoint_id, []).append(each.attempt)
            actors[each.delivery.endpoint_id] = each.actor
    health = {
        endpoint_id: health_after(endpoints[endpoint_id], tried, unit.now)
        for endpoint_id, tried in attempts.items()
    }
    await queue.save_health(unit, health)
    failing = {endpoint_id for endpoint_id, each in health.items() if each.failures}
    await note_unreached(unit, {each for each in failing if is_checkpoints(actors[each])})
    for endpoint_id, after in health.items():
        endpoint, tried = endpoints[endpoint_id], attempts[endpoint_id]
        if endpoint.broken and any(each.succeeded for each in tried):
            await _announce_recovery(unit, endpoint)
        if endpoint.state is EndpointState.DISABLED:
            continue
        lasted = timedelta(0) if after.failing_since is None else unit.now - after.failing_since
        reason = None
        if not is_checkpoints(actors[endpoint_id]):
            reason = _reason_to_disable(tried, timedelta(0) if doubtful else lasted)
        if reason is not None:
            await _disable(unit, endpoint, reason)
        elif after.failing_since is not None and lasted >= NOTIFY_AFTER:
            await _report(unit, endpoint, after.failing_since)


def _reason_to_disable(attempts: Sequence[Attempt], lasted: timedelta) -> DisabledReason | None:
    """Return why an integrator's endpoint is to be disabled, after attempts and a time of failures; None if not."""
    if any(each.status == GONE for each in attempts):
        return DisabledReason.GONE
    return DisabledReason.FAILING if lasted >= DISABLE_AFTER else None


async def _disable(unit: Unit, endpoint: Endpoint, reason: DisabledReason) -> None:
    await queue.disable(unit, endpoint.id, reason)
    await notify(unit, [webhook_disabled(endpoint.id, endpoint.client_id, reason, unit.now)])
    about = {"endpoint": endpoint.id, "client": endpoint.client_id, "why": reason.value}
    logger.warning("an endpoint of webhooks is disabled", extra=about)


async def _report(unit: Unit, endpoint: Endpoint, since: datetime) -> None:
    """Notify admins and duty officers of an endpoint that has failed for long, once until it succeeds."""
    if await notify(unit, [webhook_failing(endpoint.id, endpoint.client_id, since)]):
        about = {"endpoint": endpoint.id, "client": endpoint.client_id, "since": rfc3339(since)}
        logger.warning("an endpoint of webhooks fails", extra=about)


async def _announce_recovery(unit: Unit, endpoint: Endpoint) -> None:
    """Make the delivery that shows an endpoint for how long it was not reached."""
    since = endpoint.failing_since
    facts: dict[str, str | int | None] = {
        "failing_since": None if since is None else rfc3339(since),
        "failures": endpoint.failures,
    }
    await store.add_deliveries(unit, [of_endpoint(unit, endpoint.id, RECOVERED_TYPE, facts)])
