"""The ledger's tail: each process reads the new records, of any process, after its own position.

What a transaction of this process has just committed is published without being read, if nothing is missing before it.
A wake-up (a commit of this process, or PostgreSQL's NOTIFY) is only a hint. The ledger is read on every wake-up and at
least once a second, so that a lost wake-up delays alerts and loses none.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic, time_ns
from typing import Any, cast

from app.access.admission import gate as access
from app.access.admission.gate import Gate
from app.access.domain import SYSTEM
from app.alerting.alerts import presence, store
from app.alerting.alerts.arrivals import Arrivals
from app.alerting.alerts.missed import MissedAlerts, holding_if_late
from app.alerting.alerts.open_alerts import OpenAlerts
from app.alerting.alerts.rendering import frames_of
from app.alerting.alerts.wakeups import Cause, WakeUps
from app.alerting.streams.follower import Follower, RecordFollower
from app.alerting.streams.hub import Hub
from app.alerting.streams.stream import Heartbeat
from app.db.clock import read_clock
from app.db.lanes import Lane, using
from app.db.rollback import Rollback
from app.db.unit import Reader
from app.kit.bell import wait_for_ring
from app.kit.clock import rfc3339
from app.kit.ids import new_id
from app.ledger.domain import Head, Record
from app.ledger.service import as_read, list_after
from app.runtime import Runtime

logger = logging.getLogger(__name__)

_PAGE = 500
_AT_ONCE = 32
"""Records of one commit that are published at once; more are read in pages, between which others have their turn."""
_RETRY_SECONDS = 0.5
_GENTLE_SECONDS = 0.1
_AFTER_ALERTS_SECONDS = 0.02
"""Pause before followers of records publish, in which alerts are written to their streams first."""
_TICK_SECONDS = 1.0
_LEAVE_SECONDS = 0.5
_READ_SECONDS = 3.0
"""Longest time for one reading; records read by then are published, and the next reading continues after them."""


class Tail:
    """Reads new alerts from the ledger for this process, and publishes them to the process's streams.

    Attributes:
        followers: read other tables. They are woken together with the tail and read a little later, so that alerts
            never wait for them.
        takers: followers that get the ledger records which the tail has read, after the alerts among them are
            published; each with the event that wakes it.
        head: the ledger's head as last read; None before the first read.
        access_version: the version of the access rights as last read; -1 before the first read. It is set before the
            streams of revoked keys are closed.
        published: callback with the seconds between the issue of an alert and its publication to the streams.
        arrivals: measures the delay of receipts, by the channel that brought the alert.
        open_alerts: reads the alerts that a stream without a cursor begins with.
        missed_alerts: reads the alerts that a stream with a cursor begins with.
        wakeups: wakes the tail after commits.
        process: id of this process in the presence table.
        rollback_reason: why nothing is streamed any more: the database was restored or replaced; else None.
    """

    def __init__(self, runtime: Runtime, hub: Hub, gate: Gate, *followers: Follower) -> None:
        self.runtime = runtime
        self.hub = hub
        self.gate = gate
        self.followers = followers
        self.takers: dict[RecordFollower, asyncio.Event] = {}
        self.head: Head | None = None
        self.process = new_id("prc", runtime.clock())
        self.published: Callable[[float], None] = lambda _seconds: None
        self.arrivals = Arrivals()
        self.wakeups = WakeUps(runtime, self.wake)
        self._woken = asyncio.Event()
        self._others_woken = [asyncio.Event() for _ in followers]
        self._flush = asyncio.Event()
        self.open_alerts = OpenAlerts(runtime)
        self.missed_alerts = MissedAlerts(runtime)
        self._read_at = 0.0
        self._doubtful = False
        self._last: Record | None = None
        self.rollback_reason: str | None = None
        self.access_version = self._applied_version = -1
        hub.changed = self._flush.set
        hub.heartbeat = self.heartbeat
        runtime.follow.on_commit.append(self.committed)

    @property
    def _all(self) -> tuple["Tail | Follower | RecordFollower", ...]:
        return self, *self.followers, *self.takers

    @property
    def age(self) -> float:
        """Seconds since the ledger was last read to its end."""
        return monotonic() - self._read_at

    @property
    def degraded(self) -> bool:
        """Whether the ledger was not read for `stale_seconds`, so that streams of this process may lack alerts."""
        return self.age > self.runtime.settings.stale_seconds

    def hand_on_to(self, taker: RecordFollower) -> None:
        """Add a taker: a follower that gets the records which the tail reads. Call this before `start`."""
        self.takers[taker] = asyncio.Event()

    def wake(self) -> None:
        """Wake the tail and its followers, because there may be new records."""
        self._woken.set()
        for woken in self._others_woken:
            woken.set()

    def committed(self, records: Sequence[Record]) -> None:
        """Publish the records of a transaction that this process has just committed, and wake the tail.

        The tail reads the records from the ledger instead, and publishes them a little later, if there are more than
        `_AT_ONCE`, if others are missing before them, or while the database is in doubt after a failure.
        """
        if self.head is not None and 0 < len(records) <= _AT_ONCE:
            doubtful = self._doubtful or self.rollback_reason is not None or self.runtime.register.replaced
            if records[0].sequence == self.head.size + 1 and not doubtful:
                try:
                    self._go_on([as_read(record) for record in records], Cause.COMMIT, time_ns())
                except Exception:  # they are stored, and the act must be answered so
                    logger.exception("what was committed can't be published at once; the tail reads it")
        self.wakeups.committed()

    async def run(self) -> None:
        """Read and publish new rows of the ledger and of the followers' tables until cancelled; call `start` before.

        It also sends heartbeats, closes expired streams, and stores which checkpoints are connected. A failure of the
        database is logged and retried.
        """
        tasks = [self._follow(self._read_on, self._woken), self._tick(), self._note_presence()]
        for follower, woken in zip(self.followers, self._others_woken, strict=True):
            tasks.append(self._follow(follower.read_on, woken, _GENTLE_SECONDS))
        for taker, woken in self.takers.items():
            tasks.append(self._follow(taker.read_on, woken, _AFTER_ALERTS_SECONDS))
        if not self.runtime.register.is_sqlite:
            tasks.append(self.wakeups.listen())
        with using(Lane.TAIL):
            try:
                async with asyncio.TaskGroup() as group:
                    for task in tasks:
                        group.create_task(task)
            finally:
                await self._clear_presence()

    async def start(self) -> None:
        """Read the ledger's head; `run` publishes the records after it. Raises HeadMissing if the ledger has none."""
        async with self.runtime.reading(SYSTEM) as reader:
            self.head, self.access_version = await store.read_head_and_access(reader)
            self._last = await self._read_last(reader)
            self._applied_version = self.access_version
            self._read_at = monotonic()
            self.gate.renew(self.access_version)
            for follower in self.followers:
                await follower.start(reader)
        for taker in self.takers:
            taker.begin(self.head)

    async def _follow(
        self, read_on: Callable[[], Awaitable[None]], woken: asyncio.Event, pause: float = 0.0
    ) -> None:
        while True:
            if pause:
                await asyncio.sleep(pause)
            woken.clear()
            try:
                await read_on()
            except Exception as error:  # after any error: while this process runs, its streams must be served
                if not self.runtime.outages.failed(error):
                    logger.exception("what is streamed can't be read now; streams stay open")
                await asyncio.sleep(_RETRY_SECONDS)
            await wait_for_ring(woken, self.runtime.settings.poll_seconds)

    async def _read_on(self) -> None:
        """Publish new records, unless the database was replaced or restored."""
        if self.rollback_reason is None and (self.runtime.register.replaced or self.runtime.checks.replaced):
            self.runtime.settle(self.runtime.rollback)
            self._stop_streaming("the file of the database was replaced")
        if self.rollback_reason is not None:
            return
        begun = monotonic()
        try:
            async with asyncio.timeout(_READ_SECONDS):
                await self._publish_new()
        except BaseException:
            self._doubtful = True
            raise
        self._doubtful = False
        if self.rollback_reason is None:
            self._read_at = begun

    async def _publish_new(self) -> None:
        """Publish new alerts to the hub, then close the streams of keys that no longer work.

        The new records are read first, so that no other query delays alerts. Only after a failure is the database
        first compared with the last record that was read. Alerts that are read late show no identity if they have ended
        or their entry was sealed since.
        """
        assert self.head is not None, "start() comes first"
        cause, since, known = self.wakeups.take(), time_ns(), self.head
        async with self.runtime.reading(SYSTEM) as reader:
            if self._doubtful and not await self._unchanged(reader):
                return
            while page := await list_after(reader, self.head.size, _PAGE):
                holding = await holding_if_late(reader, page, self.runtime.settings.stale_seconds)
                # While they were read, `committed` may have published the first of them.
                if records := [record for record in page if record.sequence > self.head.size]:
                    self._go_on(records, cause, since, holding)
                    known = self.head
                if len(page) < _PAGE:
                    break
                since = time_ns()
            current, access_version = await store.read_head_and_access(reader)
            await read_clock(self.runtime.clock, reader.connection, older_than=_TICK_SECONDS)
            if not self._continues(current, known):
                return
            if access_version != self._applied_version:
                await self._close_refused(reader, access_version)

    def _go_on(
        self, records: Sequence[Record], cause: Cause, since: int, holding: Mapping[str, bool] | None = None
    ) -> None:
        """Publish records that follow on the last one, and move the position behind them; arguments as `_publish`.

        Nothing is awaited in between, so that a stream that joins gets each record once.
        """
        assert self.head is not None, "start() comes first"
        self._publish(records, cause, since, holding)
        last_alert = max((r.sequence for r in records if r.alert_id), default=self.head.last_alert)
        self.head = Head(self.head.epoch, records[-1].sequence, last_alert)
        self._last = records[-1]
        self.runtime.bell.ring()
        self._hand_on(records)

    def _publish(
        self, records: Sequence[Record], cause: Cause, since: int, holding: Mapping[str, bool] | None
    ) -> None:
        """Hand the alerts among new records to the streams.

        Args:
            records: the records.
            cause: what made them known here.
            since: when the tail began to read them, in nanoseconds since 1970.
            holding: which of them are open, if they are published late (`render_alert`); None at their issue.
        """
        assert self.head is not None, "start() comes first"
        read_at, epoch = time_ns(), self.head.epoch
        self.wakeups.found[cause] += 1
        frames = frames_of(records, epoch, holding)
        for record, message, to_gates in frames:
            if message is not None:
                self.hub.publish(record.sequence, message, to_gates)
        now = self.runtime.clock()
        for record, _, _ in frames:
            self.published((now - record.at).total_seconds())
        if frames and (traces := self.runtime.traces) is not None:
            ids = [record.alert_id for record, _, _ in frames if record.alert_id]
            traces.publish(
                ids, since, read_at, cause=cause, process=self.process, streams=len(self.hub.streams)
            )

    def _hand_on(self, records: Sequence[Record]) -> None:
        for taker, woken in self.takers.items():
            taker.take(records)
            woken.set()

    async def _close_refused(self, reader: Reader, access_version: int) -> None:
        """Close the streams of keys that no longer work, after a change of access rights."""
        self.access_version = access_version  # first: a stream that joins from now on checks its key itself
        used = set[str]().union(*(each.hub.keys() for each in self._all))
        refused = used - await access.list_valid_keys(reader, used)
        for each in self._all:
            each.hub.close_keys(refused)
        self._applied_version = access_version
        self.gate.renew(access_version)
        self.runtime.bell.ring()

    def _continues(self, current: Head, known: Head) -> bool:
        """Return whether the ledger's head `current` is a possible successor of the known one; else stop all streams.

        The known one is what was published before this reading or by it; what `committed` has published since may be
        too new for it. A reader with a cursor beyond the end of a restored ledger would silently miss the records that
        get these numbers next.
        """
        if current.epoch == known.epoch and current.size >= known.size:
            return True
        if current.epoch == known.epoch:
            self._note_rollback(current)
        self._stop_streaming(
            f"it ends at {current.size}, and this process has read {known.size}: the database was restored"
            if current.epoch == known.epoch
            else "it goes on in another epoch than this process has read: the register was restored, or is another one"
        )
        return False

    async def _unchanged(self, reader: Reader) -> bool:
        """Return whether the database, after a failure, still contains the last record that was read.

        A restored database may have grown again since then, so that other records have these numbers.
        """
        assert self.head is not None, "start() comes first"
        current, _ = await store.read_head_and_access(reader)
        if not self._continues(current, self.head):
            return False
        again = await self._read_last(reader)
        if (again and again.leaf) == (self._last and self._last.leaf):
            return True
        self._note_rollback(current)
        self._stop_streaming("it holds other records than this process has read: the database was restored")
        return False

    async def _read_last(self, reader: Reader) -> Record | None:
        """Return the ledger's present record at the position that was read last. Returns None for an empty ledger."""
        assert self.head is not None, "start() comes first"
        found = await list_after(reader, self.head.size - 1, 1) if self.head.size else ()
        return found[0] if found else None

    def _note_rollback(self, current: Head) -> None:
        """Refuse writes from now on: acknowledged records are lost, as far back as it may be."""
        assert self.head is not None, "start() comes first"
        self.runtime.keeper.remember(self.head.epoch, self.head.size)
        if self.runtime.rollback is None:
            self.runtime.settle(Rollback("", self.head.size, current.size))

    def _stop_streaming(self, why: str) -> None:
        """Close every stream for good, and log the reason."""
        self.rollback_reason = why
        logger.critical("streams are closed, for the ledger has gone back: %s", why)
        for each in self._all:
            each.hub.close("restored")
        self.runtime.bell.ring()

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                for each in self._all:
                    each.hub.tick(loop.time())
                    each.hub.close_expired(self.runtime.clock())
            except Exception:  # as in _follow
                logger.exception("a tick of the streams has failed")

    def heartbeat(self) -> Heartbeat:
        """Return a heartbeat frame with the ledger's head, by which a checkpoint detects that it missed an alert.

        The frame's `degraded` is true if the head may be old, because the ledger could not be read lately.
        """
        assert self.head is not None, "start() comes first"
        at = rfc3339(self.runtime.clock())
        degraded = "true" if self.degraded else "false"
        data = f'{{"head":{self.head.size},"last_alert":{self.head.last_alert},"at":"{at}","degraded":{degraded}}}'
        return Heartbeat(self.head.size, f"event: heartbeat\ndata: {data}\n\n".encode())

    async def _note_presence(self) -> None:
        settings = self.runtime.settings
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(settings.heartbeat_seconds):
                    await self._flush.wait()
                    await asyncio.sleep(0.1)  # many connect at the same time: store them in one transaction
            self._flush.clear()
            try:
                async with asyncio.timeout(_READ_SECONDS), self.runtime.writing(SYSTEM, always=True) as unit:
                    silence = settings.presence_seconds
                    connected, polling = self.hub.checkpoints(silence), self.hub.pollers(silence)
                    await presence.store_presence(unit, self.process, connected, polling)
            except Exception as error:  # as in _follow
                if not self.runtime.outages.failed(error):
                    logger.exception("presence can't be noted now")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _clear_presence(self) -> None:
        """Delete the presence rows of this process; those of a killed process are deleted later, by their age."""
        try:
            async with asyncio.timeout(_LEAVE_SECONDS), self.runtime.writing(SYSTEM, always=True) as unit:
                await presence.store_presence(unit, self.process, (), ())
        except Exception:  # the process ends in any case
            logger.warning("presence can't be taken back now", exc_info=True)


def tail_of(scope: Mapping[str, Any]) -> Tail:
    """Return this process's `Tail`, which follows the ledger; `scope` is a request, or its ASGI scope."""
    return cast(Tail, scope["app"].state.process.tail)
