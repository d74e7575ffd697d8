"""The dispatcher: makes deliveries, claims them, sends them, and stores what came of them.

A round is one short transaction: it stores the results of finished requests, makes the next deliveries from the
ledger and claims what is due. A claim, also called a lease, lasts 30 s. The requests are sent after the commit. If the
process dies before it has stored the results, its claims end, and another process sends the events again with the same
ids.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from app.access.domain import SYSTEM
from app.alerting.alerts.delivered import note_connected
from app.db import lanes
from app.db.unit import Unit
from app.kit.bell import wait_for_ring
from app.kit.redaction import redact_text
from app.ledger import service as ledger
from app.runtime import Runtime
from app.sync.webhooks import queue, store
from app.sync.webhooks.domain import (
    ALERT_SECONDS,
    DATA_SECONDS,
    TEST_TYPE,
    Attempt,
    Ending,
    Endpoint,
    Priority,
    answer_start,
)
from app.sync.webhooks.planning import make_deliveries, of_endpoint
from app.sync.webhooks.rendering import Claimed, Rendered, render
from app.sync.webhooks.sending import Outcome, Sender, not_sent
from app.sync.webhooks.settling import Result, store_results
from app.sync.webhooks.signing import Secrets, SecretsUnreadable, signed_headers

logger = logging.getLogger(__name__)

PLACES: Final = {Priority.URGENT: 512, Priority.ORDINARY: 256}
"""Greatest number of requests that a process has in flight, by priority."""

POLL_SECONDS: Final = 1.0
_GATHER_SECONDS: Final = 0.03
_MANY: Final = 16
"""Requests under way above which a round waits for further results, so that one transaction stores many. News end
the pause."""

_RETRY_SECONDS: Final = 0.5
_CARE_SECONDS: Final = 15.0
QUIET_AFTER: Final = timedelta(minutes=5)
"""Time without a success after which the endpoint of a checkpoint is tried with a test."""

CONNECTED_FOR: Final = 2 * QUIET_AFTER
"""Time after its last success for which a checkpoint counts as connected by its endpoint."""

_KEPT_ANSWER: Final = 1024
_FORGET_AT_ONCE: Final = 500
_PAUSE_SECONDS: Final = 0.02


@dataclass(slots=True)
class Figures:
    """The figures of deliveries for the metrics.

    Attributes:
        outcomes: number of deliveries that this process has sent or dropped, by result.
        depths: number of deliveries in the register that are due now, by priority, as last read.
        oldest_due: since when the oldest of them has been due, as last read; None if none is due.
        broken: number of endpoints that fail so often that only a probe is sent each half minute, as last read.
    """

    outcomes: Counter[Ending] = field(default_factory=Counter)
    depths: dict[Priority, int] = field(default_factory=lambda: dict.fromkeys(Priority, 0))
    oldest_due: datetime | None = None
    broken: int = 0


class _Part(StrEnum):
    """A part of a round, beside the results that it stores."""

    MAKING = "making"
    CLAIMING = "claiming"


class Dispatcher:
    """Posts the ledger's records to endpoints of webhooks, and stores the results.

    For each endpoint and record it stores a delivery. It claims due deliveries for a limited time, sends them, and
    schedules further attempts of those that failed. On PostgreSQL several processes may each run a dispatcher.

    Attributes:
        figures: figures for the metrics.
        in_flight: number of running requests of this process, by priority.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.figures = Figures()
        self.in_flight = dict.fromkeys(Priority, 0)
        self._sender = Sender(runtime.settings)
        self._results: list[Result] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._rung = asyncio.Event()

    async def run(self) -> None:
        """Repeat `round` and `care` until cancelled, then cancel the running requests. Their errors are logged."""
        try:
            with lanes.using(lanes.Lane.WEBHOOKS):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._follow_bell())
                    group.create_task(self._repeat_care())
                    group.create_task(self._repeat_rounds())
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._sender.close()

    async def _follow_bell(self) -> None:
        """Wake the rounds when the ledger has grown."""
        while True:
            await self.runtime.bell.listen().wait()
            self._rung.set()
            self._woken.set()

    async def _repeat_rounds(self) -> None:
        while True:
            self._woken.clear()
            self._rung.clear()
            try:
                more = await self.round()
            except Exception as error:  # a failed round must not end the loop: what was claimed is sent again
                more = False
                if not self.runtime.outages.failed(error):
                    logger.exception("a round of webhooks has failed")
                await asyncio.sleep(_RETRY_SECONDS)
            if not more:
                await wait_for_ring(self._woken, POLL_SECONDS)
            if sum(self.in_flight.values()) > _MANY:
                await wait_for_ring(self._rung, _GATHER_SECONDS)

    async def _repeat_care(self) -> None:
        while True:
            await asyncio.sleep(_CARE_SECONDS)
            try:
                await self.care()
            except Exception as error:  # as for rounds
                if not self.runtime.outages.failed(error):
                    logger.exception("endpoints of webhooks can't be cared for now")

    async def round(self) -> bool:
        """Store the results of finished requests, store new deliveries, claim due ones, and begin to send them.

        The requests run on after the return. Nothing is done while the register is rolled back. All is done in one
        transaction; after an error each result and each part alone, and what fails alone is logged. A result that can't
        be stored is dropped, so that its event is sent again. If the database is out, the results are kept for the next
        round.

        Returns:
            Whether another round should follow at once, because deliveries were claimed, or because more are to be
            stored.
        """
        if self.runtime.rollback is not None:
            return False
        results, self._results = self._results, []
        more, claimed = False, list[tuple[Priority, Claimed]]()

        async def do(parts: Sequence[Result | _Part]) -> int:
            nonlocal more
            async with self.runtime.writing(SYSTEM) as unit:
                await queue.lock_rounds(unit)
                own = [part for part in parts if isinstance(part, Result)]
                await store_results(unit, own, doubtful=self.runtime.doubt() is not None)
                further = _Part.MAKING in parts and await make_deliveries(unit, await ledger.head(unit))
                found = await self._claim(unit) if _Part.CLAIMING in parts else []
            more = more or further
            claimed.extend(found)
            return len(parts)

        try:
            if not results and not await self._is_due():
                return False
            failure = "a part of a round of webhooks has failed"
            done = await self.runtime.do_together_or_apart([*results, *_Part], do, failure)
            if _Part.MAKING in done.failed:
                await self._make_apart()
        except BaseException:
            self._results = results + self._results
            raise
        if claimed:
            await self._send(claimed)
        return more or bool(claimed)

    async def _claim(self, unit: Unit) -> list[tuple[Priority, Claimed]]:
        """Claim the deliveries that are due, as many as this process has places for."""
        claimed = []
        for priority, places in PLACES.items():
            found = await queue.claim(unit, priority, places - self.in_flight[priority])
            claimed += [(priority, Claimed(*each)) for each in found]
        return claimed

    async def _make_apart(self) -> None:
        """Store the next deliveries of each endpoint alone, so that one that fails does not delay the others."""
        async with self.runtime.reading(SYSTEM) as reader:
            behind = await queue.list_behind(reader, (await ledger.head(reader)).size)
        for endpoint_id in behind:
            with self.runtime.isolating("deliveries can't be made now", endpoint=endpoint_id):
                async with self.runtime.writing(SYSTEM) as unit:
                    await queue.lock_rounds(unit)
                    await make_deliveries(unit, await ledger.head(unit), [endpoint_id])

    async def _is_due(self) -> bool:
        """Return whether there is something to make or to claim; most rounds find nothing, and write nothing."""
        async with self.runtime.reading(SYSTEM) as reader:
            if await queue.list_behind(reader, (await ledger.head(reader)).size, 1):
                return True
            for priority, places in PLACES.items():
                if self.in_flight[priority] < places and await queue.has_due(reader, priority):
                    return True
        return False

    async def _send(self, claimed: list[tuple[Priority, Claimed]]) -> None:
        priorities = {each.delivery.id: priority for priority, each in claimed}
        rendered: list[tuple[datetime, Rendered]] = []

        async def render_some(some: Sequence[Claimed]) -> int:
            async with self.runtime.reading(SYSTEM) as reader:
                found = await render(reader, some, self.runtime.settings)
            rendered.extend((reader.now, each) for each in found)
            return len(found)

        failure = "a delivery can't be rendered"
        done = await self.runtime.do_together_or_apart([each for _, each in claimed], render_some, failure)
        rendered += [(self.runtime.clock(), Rendered(each, needed=True, body=None)) for each in done.failed]
        for now, each in rendered:
            if not each.needed:
                self._finish(Result(each.claimed.delivery, each.claimed.actor, None), Ending.DROPPED)
                continue
            priority = priorities[each.claimed.delivery.id]
            self.in_flight[priority] += 1
            task = asyncio.create_task(self._deliver(priority, each, now))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _deliver(self, priority: Priority, rendered: Rendered, now: datetime) -> None:
        """Send one delivery, and keep what came of it for the next round."""
        delivery, endpoint, actor = rendered.claimed
        try:
            outcome = await self._post(rendered)
            attempt = Attempt(
                delivery_id=delivery.id,
                number=delivery.attempts,
                at=now,
                status=outcome.status,
                milliseconds=outcome.milliseconds,
                error=outcome.error,
                answer=redact_text(answer_start(outcome.answer, _KEPT_ANSWER)) or None,
            )
            self._finish(
                Result(delivery, actor, attempt, outcome.retry_after),
                Ending.DELIVERED if attempt.succeeded else Ending.FAILED,
            )
        except Exception:  # the lease ends, and it is tried again
            logger.exception(
                "a delivery can't be sent now", extra={"delivery": delivery.id, "endpoint": endpoint.id}
            )
        finally:
            self.in_flight[priority] -= 1

    def _finish(self, result: Result, outcome: Ending) -> None:
        self._results.append(result)
        self.figures.outcomes[outcome] += 1
        self._woken.set()

    async def _post(self, rendered: Rendered) -> Outcome:
        delivery, endpoint, _ = rendered.claimed
        now = self.runtime.clock()
        if rendered.body is None:
            return not_sent("The event can't be rendered: the service's log says why.")
        try:
            signers = self._signers(endpoint, now)
        except SecretsUnreadable as error:
            return not_sent(str(error))
        headers = signed_headers(delivery.message_id, int(now.timestamp()), rendered.body, signers)
        seconds = ALERT_SECONDS if delivery.alert_id is not None else DATA_SECONDS
        return await self._sender.post(endpoint.url, endpoint.networks, headers, rendered.body, seconds)

    def _signers(self, endpoint: Endpoint, now: datetime) -> list[Secrets]:
        """Return the secrets that sign now: the present ones, and during an overlap the former ones."""
        kept = [endpoint.secrets]
        if (
            endpoint.former_secrets is not None
            and endpoint.former_until is not None
            and now < endpoint.former_until
        ):
            kept.append(endpoint.former_secrets)
        return [Secrets.decrypt(each, self.runtime.pepper, endpoint.id) for each in kept]

    async def _remove(self, endpoint_id: str) -> None:
        """Delete what is stored of a deleted endpoint, step by step, so that other transactions have their turn."""
        more = True
        while more:
            async with self.runtime.writing(SYSTEM) as unit:
                await queue.lock_endpoints(unit, [endpoint_id])
                more = await store.remove_deleted(unit, endpoint_id, _FORGET_AT_ONCE)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _forget(self, kept: timedelta) -> None:
        """Delete all deliveries that finished longer ago than `kept`, step by step, while the clock is plausible."""
        more = True
        while more and self.runtime.doubt() is None:
            async with self.runtime.irreversible(SYSTEM) as unit:
                found = await store.forget_finished(unit, unit.now - kept, _FORGET_AT_ONCE)
            more = found == _FORGET_AT_ONCE
            await asyncio.sleep(_PAUSE_SECONDS)

    async def care(self) -> None:
        """Do the regular work beside sending: figures, connected checkpoints, test deliveries, deletion of old data.

        It reads the figures, stores which checkpoints are connected by an endpoint, and stores a test delivery for each
        checkpoint's endpoint without a success for 5 minutes. It deletes endpoints that were marked as deleted, and,
        unless the clock is doubted, deliveries that finished more than `webhook_log_days` ago. Nothing is done while
        the register is rolled back. Endpoints that can't be read are logged, and so is a part that fails, after which
        the others are done.
        """
        if self.runtime.rollback is not None:
            return
        kept = timedelta(days=self.runtime.settings.webhook_log_days)
        async with self.runtime.reading(SYSTEM) as reader:
            figures = self.figures
            figures.depths, figures.oldest_due, figures.broken = await queue.measure(reader)
            connected = await queue.list_connected(reader, CONNECTED_FOR)
            quiet = await queue.list_quiet(reader, QUIET_AFTER)
            old = await store.has_finished(reader, reader.now - kept)
            deleted = await store.list_deleted(reader)
            unreadable = await store.list_unreadable(reader)
        for endpoint_id in unreadable:  # rounds leave it out, many times a second
            logger.error("an endpoint of webhooks can't be read", extra={"endpoint": endpoint_id})
        if connected or quiet:
            with self.runtime.isolating("endpoints of checkpoints can't be cared for now"):
                await self._test(connected)
        if old:
            with self.runtime.isolating("old deliveries can't be deleted now"):
                await self._forget(kept)
        for endpoint_id in deleted:
            with self.runtime.isolating("a deleted endpoint can't be removed now", endpoint=endpoint_id):
                await self._remove(endpoint_id)

    async def _test(self, connected: Mapping[str, str]) -> None:
        """Store which checkpoints are connected, and a test delivery for each checkpoint's quiet endpoint.

        `connected` are the codes of the connected checkpoints, by the ids of their endpoints.
        """
        async with self.runtime.writing(SYSTEM) as unit:
            await queue.lock_rounds(unit)
            await note_connected(unit, connected)
            tests = [
                of_endpoint(unit, each, TEST_TYPE, {}) for each in await queue.list_quiet(unit, QUIET_AFTER)
            ]
            await store.add_deliveries(unit, tests)
