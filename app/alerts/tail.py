"""Following the ledger: each process reads on from its own position, whichever process wrote.

A wake-up (a commit of this process, or PostgreSQL's NOTIFY) is only a hint; the ledger is the truth. It is read
on every wake-up and at least once a second, so that a lost wake-up makes it slow, never lossy.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Protocol

from app.access import gate as access
from app.access.domain import SYSTEM
from app.access.gate import Gate
from app.alerts import store
from app.alerts.hub import Hub
from app.alerts.telling import frame
from app.db.addresses import libpq_address
from app.db.clock import read_clock
from app.db.lanes import Lane, using
from app.db.lines import CONNECT_SECONDS, notice_cut_line
from app.db.postgresql import CHANNEL
from app.db.unit import Reader
from app.kit.bell import heard
from app.kit.clock import rfc3339
from app.kit.ids import new_id
from app.ledger.domain import Head, Record
from app.ledger.service import list_after, list_of_alerts
from app.runtime import Runtime

logger = logging.getLogger(__name__)

_PAGE = 500
_RETRY_SECONDS = 0.5
_GENTLE_SECONDS = 0.1
_TICK_SECONDS = 1.0
_LEAVE_SECONDS = 0.5
_STANDING_SECONDS = 1.0
_READ_SECONDS = 3.0
"""How long one reading may take; what has come by then is told, and the next goes on from there."""


class Follower(Protocol):
    """Somebody who follows another numbered table beside the ledger, and tells a hub of its own."""

    hub: Hub

    async def start(self, reader: Reader) -> None:
        """Take the table's present end as the place to follow from."""

    async def read_on(self) -> None:
        """Read what is new, and tell it."""

    def heartbeat(self) -> bytes:
        """The frame that says how far the table has come."""


class Tail:
    """Reads the ledger on behalf of one process, and tells the hub.

    Attributes:
        beside: who is woken as the tail is; they read a moment later, so that alerts never wait for them.
        head: the ledger's end as last read; None before the first read.
        access_version: the access version up to which streams with revoked keys were closed.
        published: told of each alert how many seconds after its issue it left for the streams.
        process: this process's name among those who note presence.
        gone_back: what is wrong when the database is no longer the one that was followed: restored, or another one.
    """

    def __init__(self, runtime: Runtime, hub: Hub, gate: Gate, *beside: Follower) -> None:
        self.runtime = runtime
        self.hub = hub
        self.gate = gate
        self.beside = beside
        self.head: Head | None = None
        self.process = new_id("prc", runtime.clock())
        self.published: Callable[[float], None] = lambda _seconds: None
        self._woken = asyncio.Event()
        self._others_woken = [asyncio.Event() for _ in beside]
        self._flush = asyncio.Event()
        self._standing: dict[bool, tuple[bytes, int, float]] = {}
        self._read_at = 0.0
        self._doubtful = False
        self._last: Record | None = None
        self.gone_back: str | None = None
        self.access_version = self._settled = -1
        hub.changed = self._flush.set
        runtime.follow.on_commit.append(self.wake)

    @property
    def _all(self) -> tuple["Tail | Follower", ...]:
        return self, *self.beside

    @property
    def age(self) -> float:
        """Seconds since the ledger was last read to its end; only what was read is known here."""
        return monotonic() - self._read_at

    @property
    def degraded(self) -> bool:
        """Whether the ledger could not be read lately: there may be alerts that no stream here has."""
        return self.age > self.runtime.settings.stale_seconds

    def wake(self) -> None:
        """There may be news."""
        self._woken.set()
        for woken in self._others_woken:
            woken.set()

    async def run(self) -> None:
        """Follow until cancelled."""
        tasks = [self._follow(self._read_on, self._woken), self._tick(), self._note_presence()]
        for follower, woken in zip(self.beside, self._others_woken, strict=True):
            tasks.append(self._follow(follower.read_on, woken, _GENTLE_SECONDS))
        if not self.runtime.register.is_sqlite:
            tasks.append(self._listen())
        with using(Lane.TAIL):
            try:
                async with asyncio.TaskGroup() as group:
                    for task in tasks:
                        group.create_task(task)
            finally:
                await self._take_leave()

    async def start(self) -> None:
        """Take the ledger's present end as the place to follow from."""
        async with self.runtime.reading(SYSTEM) as reader:
            self.head, self.access_version = await store.news(reader)
            self._last = await self._read_last(reader)
            self._settled = self.access_version
            self._read_at = monotonic()
            self.gate.renew(self.access_version)
            for follower in self.beside:
                await follower.start(reader)

    async def _follow(
        self, read_on: Callable[[], Awaitable[None]], woken: asyncio.Event, pause: float = 0.0
    ) -> None:
        while True:
            if pause:
                await asyncio.sleep(pause)
            woken.clear()
            try:
                await read_on()
            except Exception as error:  # whatever it was: while this process lives, its streams must be fed
                if not self.runtime.outages.failed(error):
                    logger.exception("what is streamed can't be read now; streams stay open")
                await asyncio.sleep(_RETRY_SECONDS)
            await heard(woken, self.runtime.settings.poll_seconds)

    async def _read_on(self) -> None:
        """Tell what is new, unless the database is no longer the one that was followed."""
        if self.gone_back is None and (self.runtime.register.replaced or self.runtime.checks.replaced):
            self._go_back("the file of the database was replaced")
        if self.gone_back is not None:
            return
        begun = monotonic()
        try:
            async with asyncio.timeout(_READ_SECONDS):
                await self._tell_new()
        except BaseException:
            self._doubtful = True
            raise
        self._doubtful = False
        if self.gone_back is None:
            self._read_at = begun

    async def _tell_new(self) -> None:
        """Tell what is new: alerts first, with no exchange before them but their own.

        After a failure it is first looked at whether the database that is back is the one that was there before.
        """
        assert self.head is not None, "start() comes first"
        async with self.runtime.reading(SYSTEM) as reader:
            if self._doubtful and not await self._unchanged(reader):
                return
            while records := await list_after(reader, self.head.size, _PAGE):
                epoch = self.head.epoch
                told = [(r, frame(r, epoch), frame(r, epoch, to_gate=True)) for r in records if r.alert_id]
                for record, message, to_gates in told:
                    if message is not None:
                        self.hub.publish(record.sequence, message, to_gates)
                now = self.runtime.clock()
                for record in records:
                    if record.alert_id:
                        self.published((now - record.at).total_seconds())
                last_alert = max((r.sequence for r in records if r.alert_id), default=self.head.last_alert)
                self.head = Head(self.head.epoch, records[-1].sequence, last_alert)
                self._last = records[-1]
                self.runtime.bell.ring()
                if len(records) < _PAGE:
                    break
            there, access_version = await store.news(reader)
            await read_clock(self.runtime.clock, reader.connection, older_than=_TICK_SECONDS)
            if not self._same(there):
                return
            if access_version != self._settled:
                await self._close_refused(reader, access_version)

    async def _close_refused(self, reader: Reader, access_version: int) -> None:
        """Close the streams whose keys no longer work, now that access has changed."""
        self.access_version = access_version  # first: a stream that joins meanwhile looks for itself
        used = set[str]().union(*(each.hub.keys() for each in self._all))
        refused = used - await access.still_admitted(reader, used)
        for each in self._all:
            each.hub.close_keys(refused)
        self._settled = access_version
        self.gate.renew(access_version)
        self.runtime.bell.ring()

    def _same(self, there: Head) -> bool:
        """Whether the ledger's end is one that can come after what was read; else nothing more is streamed here.

        Who has a cursor beyond a restored ledger's end would miss, without a word, what gets these numbers next.
        """
        assert self.head is not None, "start() comes first"
        if there.epoch == self.head.epoch and there.size >= self.head.size:
            return True
        self._go_back(
            f"it ends at {there.size}, and this process has read {self.head.size}: the database was restored"
            if there.epoch == self.head.epoch
            else "it is another register's than the one that this process has read"
        )
        return False

    async def _unchanged(self, reader: Reader) -> bool:
        """Whether the database, back after a failure, still holds what was last read of it.

        One that was restored may have grown again meanwhile: then other records have these numbers.
        """
        if not self._same((await store.news(reader))[0]):
            return False
        again = await self._read_last(reader)
        if (again and again.leaf) == (self._last and self._last.leaf):
            return True
        self._go_back("it holds other records than this process has read: the database was restored")
        return False

    async def _read_last(self, reader: Reader) -> Record | None:
        """The record that was read last, as it is now."""
        assert self.head is not None, "start() comes first"
        found = await list_after(reader, self.head.size - 1, 1) if self.head.size else ()
        return found[0] if found else None

    def _go_back(self, why: str) -> None:
        """Stream nothing more, and say so."""
        self.gone_back = why
        logger.critical("streams are closed, for the ledger has gone back: %s", why)
        for each in self._all:
            each.hub.close("restored")

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                for each in self._all:
                    each.hub.tick(loop.time(), each.heartbeat)
                    each.hub.close_expired(self.runtime.clock())
            except Exception:  # as in _follow
                logger.exception("a tick of the streams has failed")

    async def standing(self, *, to_gate: bool) -> tuple[bytes, int]:
        """The alerts that are neither expired nor cancelled, as frames, and the sequence up to which they reach.

        A stream that has joined the hub gets everything behind that sequence from there. The frames are made
        once for all of a kind that come within a second: after an outage thousands come at once.
        """
        assert self.head is not None, "start() comes first"
        loop = asyncio.get_running_loop()
        known = self._standing.get(to_gate)
        if known is None or known[1] != self.head.size or loop.time() > known[2]:
            here = self.head
            async with self.runtime.reading(SYSTEM) as reader:
                holding = await store.list_open(reader)
                records = await list_of_alerts(reader, list(holding))
            told = (
                frame(record, here.epoch, to_gate=to_gate, holding=holding)
                for record in records
                if record.sequence <= here.size
            )
            frames = [each or b"" for each in told]
            known = self._standing[to_gate] = (b"".join(frames), here.size, loop.time() + _STANDING_SECONDS)
        return known[:2]

    def heartbeat(self) -> bytes:
        """A heartbeat's frame: the ledger's end, so that a checkpoint sees by itself that it missed something.

        `degraded` says that the end is an old one, because the ledger could not be read lately.
        """
        assert self.head is not None, "start() comes first"
        at = rfc3339(self.runtime.clock())
        degraded = "true" if self.degraded else "false"
        data = f'{{"head":{self.head.size},"last_alert":{self.head.last_alert},"at":"{at}","degraded":{degraded}}}'
        return f"event: heartbeat\ndata: {data}\n\n".encode()

    async def _note_presence(self) -> None:
        settings = self.runtime.settings
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(settings.heartbeat_seconds):
                    await self._flush.wait()
                    await asyncio.sleep(0.1)  # connections come in crowds: note them together
            self._flush.clear()
            try:
                async with asyncio.timeout(_READ_SECONDS), self.runtime.writing(SYSTEM) as unit:
                    await store.see(unit, self.process, self.hub.checkpoints(settings.presence_seconds))
            except Exception as error:  # as in _follow
                if not self.runtime.outages.failed(error):
                    logger.exception("presence can't be noted now")
                await asyncio.sleep(_RETRY_SECONDS)

    async def _take_leave(self) -> None:
        """Nobody is connected here any more; a process that is killed is forgotten after its silence."""
        try:
            async with asyncio.timeout(_LEAVE_SECONDS), self.runtime.writing(SYSTEM) as unit:
                await store.see(unit, self.process, ())
        except Exception:  # the process ends all the same
            logger.warning("presence can't be taken back now", exc_info=True)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except Exception as error:  # as in _follow
                if not self.runtime.outages.failed(error):
                    logger.exception("no wake-ups from PostgreSQL now; reading once a second")
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen_once(self) -> None:
        import asyncpg  # SQLite does without it

        address, settings = libpq_address(self.runtime.register.url), self.runtime.settings
        connection = await asyncpg.connect(address, timeout=CONNECT_SECONDS)
        try:
            notice_cut_line(connection, settings.database_seconds)
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, lambda *_: self.wake())
            self.wake()
            while not await heard(lost, settings.stale_seconds):
                await connection.execute("SELECT 1", timeout=_READ_SECONDS)  # or it hangs, and wakes nobody
        finally:
            connection.terminate()  # without a farewell, which would be one more wait
