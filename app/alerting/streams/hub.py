"""The hub of one process: its open streams, and the distribution of frames to them.

A frame is encoded once for each kind of client, and the same bytes are put into the bounded queue of every stream of
that kind. A stream that can't keep up is closed, and its client resumes by cursor: single events are never dropped.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple, cast

from app.access.domain import Kind
from app.actor import Actor

STUCK_SECONDS = 5.0
"""How long the sending of a frame may block before the stream is closed."""

STOPPING_SECONDS = 1.0
"""How long the sending of a frame may block while the service is stopping."""

AT_ONCE = frozenset({"revoked", "expired"})
"""Reasons for closing a stream without sending its queued frames: its key no longer works."""
_ADMISSIONS = 16
_JITTER = 0.1


class Heartbeat(NamedTuple):
    """A heartbeat frame, the same for all streams of a hub.

    Attributes:
        reach: every event up to this number was published before the heartbeat.
        frame: the event without its `id`: the cursor is each stream's own.
    """

    reach: int
    frame: bytes


class Stream:
    """One open stream: its queue of frames, its topic if it has one, and the reason if it was closed.

    Attributes:
        behind: whether the stream reads its events from the database, page by page, new ones included, until it has
            caught up; its queue then takes none.
        reading: whether a page of missed events is being read. If the queue becomes full meanwhile, the stream falls
            behind instead of being closed.
    """

    __slots__ = (
        "_waiter",
        "about",
        "actor",
        "at_gate",
        "beat_at",
        "behind",
        "ends_at",
        "queue",
        "reading",
        "sending_since",
        "task",
        "why",
    )

    def __init__(self, actor: Actor, beat_at: float, ends_at: float, about: Hashable = None) -> None:
        self.actor = actor
        self.at_gate = actor.kind == Kind.AUTOGATE
        self.about = about
        self.behind = False
        self.reading = False
        self.queue: list[tuple[int, bytes]] = []
        self.why: str | None = None
        self.beat_at = beat_at
        self.ends_at = ends_at
        self.sending_since: float | None = None
        self.task: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None

    def put(self, sequence: int, frame: bytes, limit: int) -> None:
        """Queue a frame, or close the stream when its queue is full.

        A closed stream accepts no frame, even when its queue has room again: a frame after a dropped one would move
        the reader's cursor over the gap.
        """
        if self.why is not None or self.behind:
            return
        if len(self.queue) >= limit:
            if self.reading:
                self.fall_behind()
            else:
                self.close("lagging")
            return
        self.queue.append((sequence, frame))
        self._wake()

    def beat(self, reach: int, frame: bytes, limit: int) -> None:
        """Queue a heartbeat, as `put` does; its number is negative, and `~number` is its reach.

        Args:
            reach: every event up to this number that is meant for the stream was queued before.
            frame: the bytes, without the `id`, which the stream's writer adds.
            limit: how many frames the queue holds.
        """
        self.put(~reach, frame, limit)

    def close(self, why: str) -> None:
        """Close the stream after its queued frames are sent, or at once for a reason in `AT_ONCE`."""
        self.why = self.why or why
        if why in AT_ONCE:
            self.queue.clear()
        self._wake()

    def cut(self) -> None:
        """Cancel the stream in the middle of a frame, because its client reads nothing."""
        self.why = "stuck"
        if self.task is not None:
            self.task.cancel()

    def fall_behind(self) -> None:
        """Drop the queued frames and take no more: the stream reads these events from the database."""
        self.behind = True
        self.queue.clear()

    def take(self) -> list[tuple[int, bytes]]:
        """Remove and return every queued frame."""
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
    """The open streams and long polls of one kind in this process, and what is sent to all of them.

    Attributes:
        closing: whether new streams are refused, because the service is stopping.
        entrance: semaphore that limits concurrent admissions, to bound the memory when many clients reconnect after
            an outage.
        changed: callback for the first connection and the last disconnection of a checkpoint.
        evicted: number of streams cut because their client read nothing.
    """

    def __init__(self, *, queue: int, limit: int, heartbeat_seconds: float, stream_minutes: float) -> None:
        self.streams: set[Stream] = set()
        self.closing = False
        self.entrance = asyncio.Semaphore(_ADMISSIONS)
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
        """Whether no further stream can be admitted."""
        return self.closing or len(self.streams) >= self._limit

    def join(self, actor: Actor, about: Hashable = None) -> Stream:
        """Add a stream for an actor and return it; from now on it gets every frame, or those of the topic `about`."""
        now = asyncio.get_running_loop().time()
        spread = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads load, guards nothing
        beat_at = now + random.uniform(0.5, 1) * self._heartbeat  # noqa: S311 - as above
        stream = Stream(actor, beat_at, now + self._life * spread, about)
        stream.task = asyncio.current_task()
        self.streams.add(stream)
        self._count_in(actor.checkpoint)
        return stream

    def leave(self, stream: Stream) -> None:
        """Remove a stream."""
        self.streams.discard(stream)
        self._count_out(stream.actor.checkpoint)

    @contextmanager
    def polling(self, actor: Actor) -> Iterator[None]:
        """Count a checkpoint as connected while it polls, and for a while afterwards."""
        self._count_in(actor.checkpoint)
        try:
            yield
        finally:
            if actor.checkpoint:
                self._seen[actor.checkpoint] = asyncio.get_running_loop().time()
            self._count_out(actor.checkpoint)

    def _count_in(self, checkpoint: str | None) -> None:
        if checkpoint:
            self._present[checkpoint] += 1
            if self._present[checkpoint] == 1:
                self.changed()

    def _count_out(self, checkpoint: str | None) -> None:
        if checkpoint:
            self._present[checkpoint] -= 1
            if not self._present[checkpoint]:
                del self._present[checkpoint]
                self.changed()

    def checkpoints(self, silent_seconds: float) -> set[str]:
        """Return the codes of checkpoints with a stream here, or with a poll in the last `silent_seconds`."""
        if not self._seen:
            return set(self._present)
        oldest = asyncio.get_running_loop().time() - silent_seconds
        self._seen = {code: at for code, at in self._seen.items() if at >= oldest}
        return {*self._present, *self._seen}

    def pollers(self, silent_seconds: float) -> set[str]:
        """Return the codes of checkpoints that poll and have no stream here; arguments as for `checkpoints`."""
        return self.checkpoints(silent_seconds) - {stream.actor.checkpoint or "" for stream in self.streams}

    def publish(self, sequence: int, frame: bytes, gates: bytes | None = None) -> None:
        """Queue a frame for every stream.

        Args:
            sequence: the frame's number.
            frame: the bytes.
            gates: the bytes for autogates' streams, when they differ; else None.
        """
        for stream in self.streams:
            stream.put(sequence, frame if gates is None or not stream.at_gate else gates, self._queue)

    def publish_to(self, sequence: int, frame: bytes, meant: Callable[[Actor], bool]) -> None:
        """Queue a frame for the streams of those actors for which `meant` returns true."""
        for stream in self.streams:
            if meant(stream.actor):
                stream.put(sequence, frame, self._queue)

    def publish_chosen(self, sequence: int, choose: Callable[[Stream], bytes | None]) -> None:
        """Queue for each stream the frame that `choose` returns for it, if any."""
        for stream in self.streams:
            if (frame := choose(stream)) is not None:
                stream.put(sequence, frame, self._queue)

    def publish_about(self, about: str, sequence: int, frame: bytes) -> None:
        """Queue a frame for the streams of the topic `about`."""
        for stream in self.streams:
            if stream.about == about:
                stream.put(sequence, frame, self._queue)

    def close_about(self, about: str, last: bytes) -> None:
        """Close the streams of a topic that is over, after a last frame."""
        for stream in list(self.streams):
            if stream.about == about:
                stream.put(0, last, self._queue)
                stream.close("closed")

    def tick(self, now: float, heartbeat: Callable[[], Heartbeat]) -> None:
        """Queue the heartbeats that are due, close streams at the end of their life, and cut stuck ones.

        Called once a second. Heartbeats are spread over the interval, so that an alert never waits for thousands.
        """
        made: Heartbeat | None = None
        patience = STOPPING_SECONDS if self.closing else STUCK_SECONDS
        for stream in list(self.streams):
            if stream.sending_since is not None and now - stream.sending_since > patience:
                self.evicted += 1
                stream.cut()
            elif now >= stream.ends_at:
                stream.close("renew")
            elif now >= stream.beat_at:
                made = made or heartbeat()
                stream.beat_at = now + self._heartbeat
                stream.beat(made.reach, made.frame, self._queue)

    def complete(self, stream: Stream, heartbeat: Callable[[], Heartbeat]) -> None:
        """Close a stream whose time is over, after everything that was published until now."""
        made = heartbeat()
        stream.beat(made.reach, made.frame, self._queue)
        stream.close("complete")

    def keys(self) -> set[str]:
        """Return the ids of the API keys of all open streams."""
        return {stream.actor.key_id for stream in self.streams if stream.actor.key_id}

    def close_keys(self, refused: set[str]) -> None:
        """Close the streams of these keys, which no longer work."""
        for stream in list(self.streams):
            if stream.actor.key_id in refused:
                stream.close("revoked")

    def close_expired(self, now: datetime) -> None:
        """Close the streams with a key that has expired by this instant."""
        for stream in list(self.streams):
            if stream.actor.expires_at is not None and stream.actor.expires_at <= now:
                stream.close("expired")

    def close(self, why: str = "shutdown") -> None:
        """Close every stream and admit no more: the service is stopping, or its database was restored."""
        self.closing = True
        self.close_all(why)

    def close_all(self, why: str) -> None:
        """Close every stream; new ones are still admitted."""
        for stream in list(self.streams):
            stream.close(why)


def hub_in(scope: Mapping[str, Any]) -> Hub:
    """Return the hub of alerts of this process; `scope` is a request, or its ASGI scope."""
    return cast(Hub, scope["app"].state.process.hub)
