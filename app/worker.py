"""The loops that act on time: lapses and expiries, notices to officers, erasures, housekeeping.

The answers of the register do not depend on when the loops run: a measure ends at its end, even if the loop that
records the end runs days later. On PostgreSQL one process at a time runs each loop, under an advisory lock that ends
with the process. While the clock is not plausible, acts that follow from time alone and can't be undone are suspended;
in a register that was rolled back all of them are.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from app import erasing
from app.access.admission.gate import Gate
from app.access.domain import SYSTEM
from app.alerting.alerts import rounds as alerts
from app.alerting.escalation.rounds import Escalation
from app.alerting.notices import rounds as notices
from app.alerting.notices.lookout import Lookout
from app.border.checks.partitions import make_months
from app.border.checks.service import CheckService
from app.border.hits import service as hits
from app.border.lookbacks import service as lookbacks
from app.border.manifests.watch import Watch
from app.db.lanes import WORKER_ROUNDS, Lane, using
from app.db.rounds import Rounds
from app.errors import RolledBack
from app.kit.bell import wait_for_ring
from app.maintenance.standstill.service import Standstill
from app.maintenance.verification.continuous import ContinuousVerification
from app.register.entries.names.renewal import list_outdated, renew_names
from app.runtime import Runtime
from app.sync.heads.keeper import keeper_of
from app.sync.heads.service import head_to_push
from app.sync.heads.signing import Signer
from app.sync.querylog.sealing import Sealer
from app.sync.snapshots.sealing import DigestSealer
from app.sync.webhooks.dispatcher import Dispatcher
from app.sync.witnesses.pushing import Pusher

logger = logging.getLogger(__name__)

EVERY_SECOND = 1.0
EVERY_QUARTER_MINUTE = 15.0
EVERY_MINUTE = 60.0

SMALL_BATCH_SIZE = 25
"""Batch size for acts that block other writers until their transaction ends."""

LAST_SECONDS = 2.0
"""Seconds that the last acts of a worker may take: a process ends within five seconds."""

ALERTS_FIRST_SECONDS = 0.1
"""Seconds between a new ledger record and the round that it triggers. The streams deliver alerts first, and many
records of an import lead to few rounds."""


class Worker:
    """Runs the loops that do what is due at a time (ends, notices, erasures), until cancelled; one per process.

    Args:
        runtime: the runtime of the process.
        check_service: the service that checks passengers again; None makes one for the worker.
    """

    def __init__(self, runtime: Runtime, check_service: CheckService | None = None) -> None:
        self.runtime = runtime
        self.standstill = Standstill(runtime)
        self.lookout = Lookout(runtime)
        self.escalation = Escalation(runtime)
        self.signer = Signer(runtime)
        self.sealer = Sealer(runtime)
        self.digest_sealer = DigestSealer(runtime)
        self.verification = ContinuousVerification(runtime)
        self.pusher = Pusher(runtime, head_to_push)
        self.dispatcher = Dispatcher(runtime)
        self.manifests = Watch(
            runtime, check_service or CheckService(runtime, Gate(runtime.settings), hits.list_resolved_ids)
        )
        self._compared = False  # whether hits missing after a restoration from a backup were already queued
        self.rounds = Rounds(runtime.register, WORKER_ROUNDS, runtime.settings.database_seconds / 3)

    async def run(self) -> None:
        """Run every loop until cancelled; an error of a round is logged, and the loop goes on."""
        try:
            async with asyncio.TaskGroup() as group:
                for loop in LOOPS:
                    group.create_task(self._repeat(loop))
                group.create_task(self.pusher.run())
                group.create_task(self.dispatcher.run())
                group.create_task(self._keep_mark())
        finally:
            await self._finish()

    async def _finish(self) -> None:
        """Seal and sign what the query log has at the end of the process, and wait for pages; two seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await self._try(SEALING, partial(self.sealer.seal, at_end=True))
                await self._try(SIGNING, self.sign_head)
                await self.escalation.finish()

    async def _keep_mark(self) -> None:
        """Compare the database with the mark, and raise the mark, each second and when there is a reason."""
        keeper = keeper_of(self.runtime)
        while True:
            keeper.woken.clear()
            try:
                with using(Lane.TAIL):
                    await keeper.round(self.runtime)
            except Exception as error:  # as in _repeat
                if not self.runtime.outages.failed(error):
                    logger.exception("the database can't be compared with the mark now")
            await wait_for_ring(keeper.woken, EVERY_SECOND)

    async def _repeat(self, loop: "Loop") -> None:
        """Run the rounds of a loop until cancelled; an error is logged and ends only its round."""
        while True:
            news = self.runtime.bell.listen()  # before the round, which may miss records written during it
            await self._try(loop, partial(loop.act, self))
            if loop.at_news:
                await wait_for_ring(news, loop.seconds)
                await asyncio.sleep(ALERTS_FIRST_SECONDS)
            else:
                await asyncio.sleep(loop.seconds)

    async def _try(self, loop: "Loop", act: Callable[[], Awaitable[object]]) -> None:
        """Run one round, unless the register was rolled back and the loop writes; an error is logged."""
        if self.runtime.rollback is not None and not loop.despite_rollback:
            return
        try:
            await self.rounds.run(act, loop.lock)
        except RolledBack as refused:  # the beginning of that state is logged, and /readyz says it
            logger.debug("a round of the worker is held back: %s", refused)
        except Exception as error:  # an error of one round must not end the loop
            if not self.runtime.outages.failed(error):
                logger.exception("a round of the worker has failed", extra={"loop": loop.name})

    async def end_by_law(self) -> int:
        """Store the ends of measures whose period is over, in batches.

        If papers that extend or follow such a measure arrived in time and are still undecided, alert checkpoints that
        it is pending (R68). If an entry fails, the error is logged and the others are done. Returns the number of ends
        and alerts; 0 while irreversible acts are suspended.
        """
        if await self.standstill.holds():
            return 0
        return await self._do_each(
            partial(alerts.store_ends, self.runtime), partial(alerts.alert_pending, self.runtime)
        )

    async def announce_begun(self) -> int:
        """Alert checkpoints to formal entries whose period has begun, if they were alerted to the urgent entry before.

        The urgent entry is the one from which the formal entry took over. Returns the number of alerts; 0 while
        irreversible acts are suspended.
        """
        if await self.standstill.holds():
            return 0
        return await alerts.announce_begun(self.runtime)

    async def notify_unacknowledged_alerts(self) -> int:
        """Notify officers of alerts that checkpoints have not acknowledged in time (R54).

        Returns the number of alerts.
        """
        return await notices.notify_unacknowledged(self.runtime)

    async def chase_alerts(self) -> int:
        """Page people about alerts for which checkpoints have not sent a receipt or an acknowledgement in time.

        A chase is the series of pages for one alert at one checkpoint. Returns the number of chases that were begun and
        of steps that were taken, together.
        """
        return await self.escalation.chase()

    async def call_drills(self) -> int:
        """Call the daily drills that are due. Returns the number of checkpoints at which a drill was called."""
        return await self.escalation.call_drills()

    async def report_unreachable_checkpoints(self) -> int:
        """Notify officers, once a day, of the checkpoints that no alert would reach. Returns their number."""
        return await self.escalation.report_unreachable()

    async def report_silent_checkpoints(self) -> int:
        """Notify officers of checkpoints whose streams have fallen silent or have returned (R55).

        Returns the number of silent and returned checkpoints together.
        """
        return await self.lookout.look()

    async def sign_head(self) -> bool:
        """Sign the ledger's head if it is new or its newest signature is old. Returns whether it was signed."""
        signed = await self.signer.sign()
        if signed is not None:
            keeper_of(self.runtime).woken.set()
        return signed is not None

    async def seal_queries(self) -> int:
        """Store a hash of each batch of waiting lines of the query log in the ledger, which seals the lines.

        The lines are checks, receipts, acts and versions. Returns the number of batches.
        """
        return await self.sealer.seal()

    async def verify_register(self) -> bool:
        """Do the next step of the verification of the whole register.

        Returns whether it was the last step of a pass.
        """
        return await self.verification.step()

    async def seal_digest(self) -> bool:
        """Store a digest (a hash of the register's state) in the ledger if that is due. Returns whether it was due."""
        return await self.digest_sealer.seal()

    async def notify_officers(self) -> int:
        """Notify officers of near ends (R30), missed deadlines (R18) and undecided papers (R68).

        Every half hour, notify them also of each urgent entry that stops nobody before its countersignature. Returns
        the number of notices; 0 while irreversible acts are suspended, because a wrong clock would send a notice, which
        is sent only once, on a wrong day.
        """
        if await self.standstill.holds():
            return 0
        return await self._do_each(
            partial(notices.notify_ends_soon, self.runtime),
            partial(notices.notify_overdue, self.runtime),
            partial(notices.notify_countersign_awaited, self.runtime),
            partial(notices.notify_undecided, self.runtime),
        )

    async def retain(self) -> int:
        """Erase photos and persons whose retention is over (R64), and foreigners from old supervision reports.

        Returns the number of erasures; 0 while irreversible acts are suspended.
        """
        if await self.standstill.holds():
            return 0
        return await self._do_each(
            partial(erasing.erase_retained, self.runtime), partial(erasing.erase_reports, self.runtime)
        )

    async def renew_names(self) -> int:
        """Recompute the name keys that were made by older rules, in small batches between which others can write.

        An entry that fails is logged, and the others go on. Returns the number of entries.
        """

        async def renew(some: Sequence[str]) -> int:
            async with self.runtime.writing(SYSTEM) as unit:
                return await renew_names(unit, some)

        renewed, failure = 0, "the name keys of an entry can't be renewed now"
        async for batch in self.runtime.due_in_batches(SYSTEM, list_outdated, SMALL_BATCH_SIZE):
            renewed += (await self.runtime.do_together_or_apart(batch, renew, failure)).number
        return renewed

    async def create_hits(self) -> int:
        """Create the hits that checks have queued, and send reminders of unresolved ones.

        Returns the number of hits and reminders. No reminder is sent while irreversible acts are suspended.
        """
        creating = self._requeue_lost_hits, partial(hits.create_hits, self.runtime)
        if await self.standstill.holds():
            return await self._do_each(*creating)
        return await self._do_each(*creating, partial(hits.remind, self.runtime))

    async def _requeue_lost_hits(self) -> None:
        """Queue again, once in the life of this process, the hits that the register has lost."""
        if not self._compared:
            await hits.requeue_lost(self.runtime)
            self._compared = True

    async def look_back(self) -> int:
        """Search past checks for the subjects of urgent entries (R58). Returns the number of notices about finds."""
        return await lookbacks.look_back(self.runtime)

    async def watch_manifests(self) -> int:
        """Check again the passengers of open manifests that changes of entries may affect; close departed manifests.

        Returns the number of checked passengers. No manifest is closed while irreversible acts are suspended.
        """
        if await self.standstill.holds():
            return await self.manifests.look()
        return await self._do_each(self.manifests.close_departed, self.manifests.look)

    async def renew_statistics(self) -> None:
        """Renew PostgreSQL's statistics of the tables that have more than doubled, such as a new month's checks."""
        await self.runtime.register.renew_statistics()
        if self.runtime.checks is not self.runtime.register:
            await self.runtime.checks.renew_statistics()

    async def tidy(self) -> None:
        """Create next month's partition of the table of checks, and erase data whose time is over.

        Erased are answers stored for repeated requests, old rows about connected checkpoints, persons in delayed
        departures, closed manifests, addresses and answers of channels in pages, what officers wrote in receipts of
        drills, and questions of checks with their salts. Nothing is erased while irreversible acts are suspended.
        """
        await self._do_each(partial(make_months, self.runtime))
        if await self.standstill.holds():
            return
        await self._do_each(
            partial(erasing.erase_answers, self.runtime),
            partial(erasing.erase_absent, self.runtime),
            partial(erasing.erase_travellers, self.runtime),
            partial(erasing.erase_sponsors, self.runtime),
            self.manifests.forget,
            self.escalation.erase_addresses,
            partial(erasing.erase_drill_receipts, self.runtime),
            partial(erasing.erase_questions, self.runtime),
        )

    async def _do_each(self, *parts: Callable[[], Awaitable[int | None]]) -> int:
        """Do the parts of a round one after another, also after one that fails. Returns the sum of their numbers."""
        done = 0
        for part in parts:
            with self.runtime.isolating("a part of a round of the worker has failed"):
                done += await part() or 0
        return done


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop of the worker: an act that is repeated, each time as one round.

    Attributes:
        act: does one round; a method of `Worker`.
        seconds: the time between two rounds.
        lock: the number of its advisory lock on PostgreSQL. It never changes, and no other loop ever gets it: during
            an upgrade two releases run side by side, and the same loop must not run in both.
        at_news: whether a round also begins as soon as the ledger has grown.
        despite_rollback: whether rounds go on in a register that was rolled back.
    """

    act: Callable[[Worker], Awaitable[object]]
    seconds: float
    lock: int
    at_news: bool = False
    despite_rollback: bool = False

    @property
    def name(self) -> str:
        """The loop's name in the log."""
        return self.act.__name__


SEALING = Loop(Worker.seal_queries, EVERY_QUARTER_MINUTE, 0x63656B83)
SIGNING = Loop(Worker.sign_head, EVERY_SECOND, 0x63656B82, at_news=True)

LOOPS = (
    Loop(Worker.end_by_law, EVERY_SECOND, 0x63656B77),
    Loop(Worker.notify_unacknowledged_alerts, EVERY_SECOND, 0x63656B78),
    Loop(Worker.tidy, EVERY_MINUTE, 0x63656B79, despite_rollback=True),  # checks need next month's partition
    Loop(Worker.renew_statistics, EVERY_QUARTER_MINUTE, 0x63656B96, despite_rollback=True),  # checks go on
    Loop(Worker.retain, EVERY_MINUTE, 0x63656B7A),
    Loop(Worker.notify_officers, EVERY_QUARTER_MINUTE, 0x63656B7B),
    Loop(Worker.renew_names, EVERY_QUARTER_MINUTE, 0x63656B7C),
    Loop(Worker.create_hits, EVERY_SECOND, 0x63656B7D),
    Loop(Worker.watch_manifests, EVERY_SECOND, 0x63656B7E, at_news=True),
    Loop(Worker.look_back, EVERY_SECOND, 0x63656B7F),
    Loop(Worker.report_silent_checkpoints, EVERY_QUARTER_MINUTE, 0x63656B80),
    Loop(Worker.announce_begun, EVERY_SECOND, 0x63656B81),
    Loop(Worker.chase_alerts, EVERY_SECOND, 0x63656B93),
    Loop(Worker.call_drills, EVERY_MINUTE, 0x63656B94),
    Loop(Worker.report_unreachable_checkpoints, EVERY_MINUTE, 0x63656B95),
    SIGNING,
    SEALING,
    Loop(Worker.verify_register, EVERY_SECOND, 0x63656B84),
    Loop(Worker.seal_digest, EVERY_SECOND, 0x63656B90),
)
