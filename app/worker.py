"""The loops that own time: lapses and expiries, what officers are told, ageing of questions, housekeeping.

Nothing depends on when they run: what they tell has been true since the instant it took effect, and after days
of standstill the same facts hold. On PostgreSQL one process at a time runs them, by a lock that ends with it. While the
clock is not plausible those stand still that only follow from time, and whose acts can't be undone.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import func, select

from app.access.domain import SYSTEM
from app.access.gate import Gate
from app.access.idempotency import KEPT
from app.access.store import forget_answers
from app.alerts import service as alert_service
from app.alerts import store as alerts
from app.alerts.service import announce_begun
from app.checks import store as checks
from app.checks.partitions import make_months
from app.checks.service import Desk
from app.db.database import Connection
from app.db.lanes import WORKER_ROUNDS, Lane, using
from app.departures import service as departures
from app.entries import service as entries
from app.entries import store as entry_store
from app.entries.renewal import renew_names
from app.hits import service as hits
from app.kit.bell import heard
from app.kit.ids import first_id
from app.lookbacks import service as lookbacks
from app.manifests.watch import Watch
from app.notices import rounds as notices
from app.notices.lookout import Lookout
from app.retention import service as retention
from app.runtime import Runtime
from app.standstill.service import Standstill
from app.supervision import service as supervision

logger = logging.getLogger(__name__)

LOCK = 0x63656B77
_SOME = 200
_FEW = 25
_OFTEN = 1.0
_AT_TIMES = 15.0
_SELDOM = 60.0
_BREATH = 0.02
_ALERTS_FIRST = 0.1
"""Seconds that a round rung by news leaves to the streams; of a thousand imported records it makes a few rounds."""


class Worker:
    """Runs the loops of one process until cancelled.

    Args:
        runtime: the process.
        desk: which asks about passengers anew; one of its own where the process answers no checks.
    """

    def __init__(self, runtime: Runtime, desk: Desk | None = None) -> None:
        self.runtime = runtime
        self.standstill = Standstill(runtime)
        self.lookout = Lookout(runtime)
        self.manifests = Watch(runtime, desk or Desk(runtime, Gate(runtime.settings), hits.resolved))
        self._compared = False  # whether the register was looked at that may have been restored from a backup
        self._at_once = asyncio.Semaphore(WORKER_ROUNDS)

    async def run(self) -> None:
        """Run every loop until cancelled."""
        async with asyncio.TaskGroup() as group:
            loops = (
                (_OFTEN, self.end_by_law),
                (_OFTEN, self.tell_silence),
                (_SELDOM, self.tidy),
                (_SELDOM, self.retain),
                (_AT_TIMES, self.tell_officers),
                (_AT_TIMES, self.renew_names),
                (_OFTEN, self.take_up_hits),
                (_OFTEN, self.watch_manifests),
                (_OFTEN, self.look_back),
                (_AT_TIMES, self.miss_checkpoints),
                (_OFTEN, self.announce_begun),
            )
            for number, (seconds, act) in enumerate(loops):
                at_news = act == self.watch_manifests
                group.create_task(self._every(seconds, act, LOCK + number, at_news=at_news))

    async def _every(
        self, seconds: float, act: Callable[[], Awaitable[object]], lock: int, *, at_news: bool
    ) -> None:
        """Rounds without end, so many seconds apart, or sooner when the ledger has grown."""
        while True:
            news = self.runtime.bell.listen()  # before the round, which may read too early for what comes now
            try:
                await self._once(act, lock)
            except Exception as error:  # whatever it was: time goes on, and so must the loops
                if not self.runtime.outages.failed(error):
                    logger.exception("a round of the worker has failed")
            if at_news:
                await heard(news, seconds)
                await asyncio.sleep(_ALERTS_FIRST)
            else:
                await asyncio.sleep(seconds)

    async def _once(self, act: Callable[[], Awaitable[object]], lock: int) -> None:
        """One round; on PostgreSQL only if no other process is at it.

        There a round holds a connection for its lock and needs a second one for its work: if all began together,
        no connection would be left with which any could go on.
        """
        if self.runtime.register.is_sqlite:
            await act()
            return
        # The lock lasts as long as the transaction.
        with using(Lane.WORKER):
            async with self._at_once, self.runtime.register.writing() as connection:
                if (await connection.execute(select(func.pg_try_advisory_xact_lock(lock)))).scalar_one():
                    await self._act(connection, act)

    async def _act(self, connection: Connection, act: Callable[[], Awaitable[object]]) -> None:
        """Do a round whose lock a transaction holds."""
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hold(connection, done))
            try:
                await act()
            finally:
                done.set()

    async def _hold(self, connection: Connection, done: asyncio.Event) -> None:
        """Keep a round's transaction from being ended as an idle one; where its lock is lost, the round ends too."""
        while not await heard(done, self.runtime.settings.database_seconds / 3):
            await connection.execute(select(1))

    async def end_by_law(self) -> int:
        """Tell the ends that the law has brought by itself; how many were told."""
        if await self.standstill.holds():
            return 0
        told = 0
        async with self.runtime.reading(SYSTEM) as reader:
            overdue = await entry_store.list_overdue(reader, _SOME)
        for entry_id in overdue:
            try:
                async with self.runtime.irreversible(SYSTEM) as unit:
                    told += await entries.end_by_law(unit, entry_id) is not None
            except Exception as error:  # one that can't be ended must not keep others in force for readers
                if not self.runtime.outages.failed(error):
                    logger.exception("an entry's end can't be told now", extra={"entry": entry_id})
        return told + await self._tell_pending()

    async def _tell_pending(self) -> int:
        """Tell the ends of alerted measures that aren't for good, for papers are undecided (R68); how many."""
        told = 0
        async with self.runtime.reading(SYSTEM) as reader:
            outdated = await alert_service.list_outdated(reader, _SOME)
        for entry_id in outdated:
            try:
                async with self.runtime.irreversible(SYSTEM) as unit:
                    told += await alert_service.tell_pending(unit, entry_id)
            except Exception as error:  # as above
                if not self.runtime.outages.failed(error):
                    logger.exception("undecided papers can't be told now", extra={"entry": entry_id})
        return told

    async def announce_begun(self) -> int:
        """Alert checkpoints of formal entries that have begun since an alert about their urgent one; how many."""
        if await self.standstill.holds():
            return 0
        async with self.runtime.reading(SYSTEM) as reader:
            begun = await alerts.list_begun(reader, _SOME)
        announced = 0
        for entry_id in begun:
            async with self.runtime.irreversible(SYSTEM) as unit:
                announced += await announce_begun(unit, entry_id)
        return announced

    async def tell_silence(self) -> int:
        """Tell which checkpoints have not acknowledged an alert in time (R54); how many alerts."""
        return await notices.tell_silence(self.runtime)

    async def miss_checkpoints(self) -> int:
        """Tell which checkpoints have fallen silent, and which are back (R55); how many."""
        return await self.lookout.look()

    async def tell_officers(self) -> int:
        """Tell ends that come near (R30), deadlines that passed (R18), undecided papers (R68); how many notices.

        A notice is told once: one that a wrong clock has told would be missing when its day comes.
        """
        if await self.standstill.holds():
            return 0
        told = await notices.warn(self.runtime) + await notices.escalate(self.runtime)
        return told + await notices.tell_undecided(self.runtime)

    async def retain(self) -> int:
        """Erase what retention has come to: photos, then persons; how many erasures were made (R64)."""
        if await self.standstill.holds():
            return 0
        erased = 0
        settings = self.runtime.settings
        for stage in retention.Stage:
            after = None
            while True:
                async with self.runtime.reading(SYSTEM) as reader:
                    due = await retention.list_due(reader, stage, settings, after, _SOME)
                for after in due:
                    try:
                        async with self.runtime.irreversible(SYSTEM) as unit:
                            erased += await retention.erase(unit, after[1], stage, settings)
                    except Exception as error:  # one entry that can't be erased now must not keep the others
                        if not self.runtime.outages.failed(error):
                            logger.exception("an entry can't be erased now", extra={"entry": after[1]})
                    await asyncio.sleep(_BREATH)  # thousands may be due at once, and checks come first
                if len(due) < _SOME:
                    break
        return erased + await self._retain_reports()

    async def _retain_reports(self) -> int:
        """Erase the foreigners from old supervision reports, in small steps; from how many."""
        erased, after = 0, ""
        while True:
            async with self.runtime.reading(SYSTEM) as reader:
                due = await supervision.list_due(reader, self.runtime.settings, after, _FEW)
            if due:
                after = due[-1].id
                async with self.runtime.irreversible(SYSTEM) as unit:
                    erased += await supervision.erase(unit, due)
            if len(due) < _FEW:
                return erased

    async def renew_names(self) -> int:
        """Make name keys of older rules anew, in small steps that let others write between; how many entries'."""
        renewed = 0
        while True:
            async with self.runtime.writing(SYSTEM) as unit:
                some = await renew_names(unit, _FEW)
            renewed += some
            if some < _FEW:
                return renewed

    async def take_up_hits(self) -> int:
        """Take up the hits that checks have opened, and tell those that nobody resolves; how many of both."""
        if not self._compared:
            await hits.queue_forgotten(self.runtime)
            self._compared = True
        new = await hits.take_up(self.runtime)
        return new if await self.standstill.holds() else new + await hits.remind(self.runtime)

    async def look_back(self) -> int:
        """Search past checks for the subjects of urgent entries (R58); how many notices."""
        return await lookbacks.look_back(self.runtime)

    async def watch_manifests(self) -> int:
        """Ask again about passengers that a change of the register touches; how many."""
        if not await self.standstill.holds():
            await self.manifests.close_departed()
        return await self.manifests.look()

    async def tidy(self) -> None:
        """Erase old questions and manifests, drop kept answers and absent processes, make next month's partition."""
        await make_months(self.runtime)
        if await self.standstill.holds():
            return
        async with self.runtime.irreversible(SYSTEM) as unit:
            await forget_answers(unit, unit.now - KEPT)
            await alerts.forget_absent(unit, timedelta(hours=1))
        await self._forget_delayed()
        await self.manifests.forget()
        days = timedelta(days=self.runtime.settings.question_days)
        while True:
            async with self.runtime.irreversible(SYSTEM, checks=True) as unit:
                if await checks.forget_questions(unit, first_id("chk", unit.now - days), _SOME) < _SOME:
                    return

    async def _forget_delayed(self) -> None:
        """Erase who the travellers of old delayed departures were, and who had sent them, in small steps."""
        settings = self.runtime.settings
        for erase, days in (
            (departures.erase_travellers, settings.delay_personal_days),
            (departures.erase_sponsors, settings.delay_sponsor_days),
        ):
            erased = _SOME
            while erased == _SOME:
                async with self.runtime.irreversible(SYSTEM) as unit:
                    erased = await erase(unit, days, _SOME)
