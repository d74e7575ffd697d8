"""The hub of one process: who listens here, and how one frame reaches all of them.

A frame is encoded once for each kind of client; every stream of a kind gets the same bytes into its own bounded queue.
A stream that can't keep up is closed and resumes by its cursor: single events are never dropped.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from app.access.domain import Kind
from app.db.unit import Actor

STUCK_SECONDS = 5.0
"""How long a stream may take nothing before it is closed."""

STOPPING_SECONDS = 1.0
"""The same while the service is stopping."""

AT_ONCE = frozenset({"revoked", "expired"})
"""Reasons for which a stream ends without what still waits for it: its key no longer works."""

_AT_THE_ENTRANCE = 16
_JITTER = 0.1


class Stream:
    """One listener: its queue, what it is about if it is about one thing, and why it was closed, if it was."""

    __slots__ = (
        "_waiter",
        "about",
        "actor",
        "at_gate",
        "beat_at",
        "ends_at",
        "queue",
        "sending_since",
        "task",
        "why",
    )

    def __init__(self, actor: Actor, beat_at: float, ends_at: float, about: str | None = None) -> None:
        self.actor = actor
        self.at_gate = actor.kind == Kind.AUTOGATE
        self.about = about
        self.queue: list[tuple[int, bytes]] = []
        self.why: str | None = None
        self.beat_at = beat_at
        self.ends_at = ends_at
        self.sending_since: float | None = None
        self.task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None

    def put(self, sequence: int, frame: bytes, limit: int) -> None:
        """Queue a frame, or close the stream when its queue is full.

        A stream that was closed takes nothing any more, even when its queue has room again: a frame behind one
        that was left out would move the reader's cursor over the gap.
        """
        if self.why is not None:
            return
        if len(self.queue) >= limit:
            self.close("lagging")
            return
        self.queue.append((sequence, frame))
        self._wake()

    def close(self, why: str) -> None:
        """End the stream after what is queued, unless the reason lets nothing more out."""
        self.why = self.why or why
        if why in AT_ONCE:
            self.queue.clear()
        self._wake()

    def cut(self) -> None:
        """End the stream now, in the middle of what it is sending: its reader takes nothing."""
        self.why = "stuck"
        if self.task is not None:
            self.task.cancel()

    def take(self) -> list[tuple[int, bytes]]:
        """Everything that waits to be sent, out of the queue."""
        waiting, self.queue = self.queue, []
        return waiting

    async def wait(self) -> None:
        """Return when there is a frame to send or the stream was closed."""
        if not self.queue and self.why is None:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Hub:
    """Every stream and long poll of this process.

    Attributes:
        closing: set on shutdown: no new stream is let in.
        entrance: how many may be on their way in at once, so that a crowd that comes back after an outage
            needs no more memory at its peak than it will hold.
        changed: called when a checkpoint connects here first, or disconnects last.
    """

    def __init__(self, *, queue: int, limit: int, heartbeat_seconds: float, stream_minutes: float) -> None:
        self.streams: set[Stream] = set()
        self.closing = False
        self.entrance = asyncio.Semaphore(_AT_THE_ENTRANCE)
        self.changed: Callable[[], None] = lambda: None
        self.evicted = 0
        self._queue = queue
        self._limit = limit
        self._heartbeat = heartbeat_seconds
        self._life = stream_minutes * 60
        self._present: Counter[str] = Counter()
        self._seen: dict[str, float] = {}

    @property
    def full(self) -> bool:
        """Whether no further stream can be let in."""
        return self.closing or len(self.streams) >= self._limit

    def join(self, actor: Actor, about: str | None = None) -> Stream:
        """Let a stream in; from here on it gets every frame, or those about one thing."""
        now = asyncio.get_running_loop().time()
        spread = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads load, guards nothing
        beat_at = now + random.uniform(0.5, 1) * self._heartbeat  # noqa: S311 - as above
        stream = Stream(actor, beat_at, now + self._life * spread, about)
        stream.task = asyncio.current_task()
        self.streams.add(stream)
        self._come(actor.checkpoint)
        return stream

    def leave(self, stream: Stream) -> None:
        """Let a stream go."""
        self.streams.discard(stream)
        self._go(stream.actor.checkpoint)

    @contextmanager
    def polling(self, actor: Actor) -> Iterator[None]:
        """A long poll counts as connected while it waits, and for a while after."""
        self._come(actor.checkpoint)
        try:
            yield
        finally:
            if actor.checkpoint:
                self._seen[actor.checkpoint] = asyncio.get_running_loop().time()
            self._go(actor.checkpoint)

    def _come(self, checkpoint: str | None) -> None:
        if checkpoint:
            self._present[checkpoint] += 1
            if self._present[checkpoint] == 1:
                self.changed()

    def _go(self, checkpoint: str | None) -> None:
        if checkpoint:
            self._present[checkpoint] -= 1
            if not self._present[checkpoint]:
                del self._present[checkpoint]
                self.changed()

    def checkpoints(self, silent_seconds: float) -> set[str]:
        """Codes of the checkpoints that are connected here, or polled within so many seconds."""
        if not self._seen:
            return set(self._present)
        oldest = asyncio.get_running_loop().time() - silent_seconds
        self._seen = {code: at for code, at in self._seen.items() if at >= oldest}
        return {*self._present, *self._seen}

    def publish(self, sequence: int, frame: bytes, gates: bytes | None = None) -> None:
        """Give every stream the same bytes.

        Args:
            sequence: the frame's number.
            frame: the bytes.
            gates: other bytes for the streams of autogates; None where they get the same.
        """
        for stream in self.streams:
            stream.put(sequence, frame if gates is None or not stream.at_gate else gates, self._queue)

    def publish_to(self, sequence: int, frame: bytes, meant: Callable[[Actor], bool]) -> None:
        """Give the same bytes to those streams only whose actors they are meant for."""
        for stream in self.streams:
            if meant(stream.actor):
                stream.put(sequence, frame, self._queue)

    def publish_about(self, about: str, sequence: int, frame: bytes) -> None:
        """Give the same bytes to the streams that are about one thing."""
        for stream in self.streams:
            if stream.about == about:
                stream.put(sequence, frame, self._queue)

    def close_about(self, about: str, last: bytes) -> None:
        """End the streams that are about one thing, which is over, with a last frame."""
        for stream in list(self.streams):
            if stream.about == about:
                stream.put(0, last, self._queue)
                stream.close("closed")

    def tick(self, now: float, heartbeat: Callable[[], bytes]) -> None:
        """Once a second: heartbeats that are due, streams that have lived long enough, and stuck ones.

        Heartbeats are spread over the interval, so that thousands of them never stand before an alert.
        """
        frame: bytes | None = None
        patience = STOPPING_SECONDS if self.closing else STUCK_SECONDS
        for stream in list(self.streams):
            if stream.sending_since is not None and now - stream.sending_since > patience:
                self.evicted += 1
                stream.cut()
            elif now >= stream.ends_at:
                stream.close("renew")
            elif now >= stream.beat_at:
                frame = frame or heartbeat()
                stream.beat_at = now + self._heartbeat
                stream.put(0, frame, self._queue)

    def keys(self) -> set[str]:
        """Ids of the keys with which streams are open."""
        return {stream.actor.key_id for stream in self.streams if stream.actor.key_id}

    def close_keys(self, refused: set[str]) -> None:
        """Close the streams whose key is one of those that no longer work."""
        for stream in list(self.streams):
            if stream.actor.key_id in refused:
                stream.close("revoked")

    def close_expired(self, now: datetime) -> None:
        """Close the streams whose key has ended by an instant of legal time."""
        for stream in list(self.streams):
            if stream.actor.expires_at is not None and stream.actor.expires_at <= now:
                stream.close("expired")

    def close(self, why: str = "shutdown") -> None:
        """End every stream and let no more in: the service is stopping, or can't say any more what it streams."""
        self.closing = True
        for stream in list(self.streams):
            stream.close(why)
