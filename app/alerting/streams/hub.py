"""The hub of one process: its open streams, and the distribution of frames to them.

A frame is encoded once for each kind of client, and the same bytes are written to the connection of every stream of
that kind, some streams in each turn of the event loop. A stream that can't keep up is closed, and its client resumes
by cursor: single events are never dropped.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple, cast

from app.actor import Actor
from app.alerting.streams.stream import Heartbeat, Stream
from app.web.stream_connection import STOPPING_SECONDS, STUCK_SECONDS, Frame, StreamConnection

_ADMISSIONS = 16
_JITTER = 0.1
_SLICE: Final = 1000
"""Streams that are written to in one turn of the event loop, some milliseconds; then other requests have theirs."""

logger = logging.getLogger(__name__)


class _Publication(NamedTuple):
    """What is being distributed.

    Attributes:
        number: its number.
        choose: function that returns the frame for a stream, or None if it is not meant for it.
    """

    number: int
    choose: Callable[[Stream], Frame | None]


RECONNECT_MS: Final = 900
"""Longest time, in milliseconds, after which a client should reconnect after a planned end, if streams are few."""

REOPENED_A_SECOND: Final = 1000
"""Number of streams that should reconnect in each second after their process ends, so that others can admit them."""


class Hub:
    """The open streams and long polls of one kind of events in this process, such as alerts.

    What is published goes to every stream as a frame: the bytes of one event. Each stream gets the frames in order,
    also those that are published while others are being written.

    Args:
        unsent_limit: number of bytes that may wait for a slow reader.
        limit: greatest number of streams.
        heartbeat_seconds: time between two heartbeats of a stream.
        stream_minutes: life of a stream, after which it is closed.

    Attributes:
        closing: whether new streams are refused, because the service is stopping.
        entrance: semaphore that limits concurrent admissions, to bound the memory when many clients reconnect after an
            outage.
        changed: callback, called when the first stream or poll of a checkpoint begins, and when its last one ends.
        heartbeat: function that makes the heartbeat frame; set by the follower that publishes here.
        evicted: number of streams that were cut because their client read nothing.
        ended: number of streams that have ended, by reason; `gone` if the client has disconnected.
        reconnect_ms: the longest time after which a client should reconnect after a planned end, in milliseconds.
    """

    def __init__(
        self, *, unsent_limit: int, limit: int, heartbeat_seconds: float, stream_minutes: float
    ) -> None:
        self.streams: set[Stream] = set()
        self.closing = False
        self.entrance = asyncio.Semaphore(_ADMISSIONS)
        self.changed: Callable[[], None] = lambda: None
        self.heartbeat: Callable[[], Heartbeat] = lambda: Heartbeat(0, b"")
        self.evicted = 0
        self.ended: Counter[str] = Counter()
        self.unsent_limit = unsent_limit
        self.reconnect_ms = RECONNECT_MS
        self._limit = limit
        self._heartbeat = heartbeat_seconds
        self._life = stream_minutes * 60
        self._present: Counter[str] = Counter()
        self._seen: dict[str, float] = {}
        self._arriving: set[Stream] = set()
        self._publications: list[_Publication] = []
        self._first = 0
        self._round: Iterator[Stream] = iter(())
        self._round_until = 0
        self._distributed = asyncio.Event()
        self._distributed.set()

    @property
    def full(self) -> bool:
        """Whether no further stream can be admitted: the hub has its greatest number, or the service is stopping."""
        return self.closing or len(self.streams) >= self._limit

    def join(self, actor: Actor, about: Hashable = None) -> Stream:
        """Add a stream that the present task serves, and return it; from now on it gets the published frames.

        `about` is the stream's topic, such as a manifest; None for none. Frames of `publish_about` go only to the
        streams of their topic. Whether the hub is `full` is not examined.
        """
        now = asyncio.get_running_loop().time()
        spread = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads load, guards nothing
        beat_at = now + random.uniform(0.5, 1) * self._heartbeat  # noqa: S311 - as above
        stream = Stream(self, actor, beat_at=beat_at, ends_at=now + self._life * spread, about=about)
        stream.task = asyncio.current_task()
        self.streams.add(stream)
        self._arriving.add(stream)
        self._count_in(actor.checkpoint)
        return stream

    def go_live(self, stream: Stream, connection: StreamConnection) -> None:
        """Hand a stream's connection over to the hub: the queued frames are sent, then each published one."""
        self._arriving.discard(stream)
        stream.next = self._end
        stream.go_live(connection)

    def leave(self, stream: Stream) -> None:
        """Remove a stream and count its end; a stream that is not in the hub is ignored."""
        if stream in self.streams:
            self.streams.discard(stream)
            self._arriving.discard(stream)
            self.ended[stream.why or "gone"] += 1
            self._count_out(stream.actor.checkpoint)

    @contextmanager
    def polling(self, actor: Actor) -> Iterator[None]:
        """Count the actor's checkpoint as connected during the `with` block (a long poll), and remember its end."""
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
        """Return the codes of checkpoints with an open stream or poll here, or a poll in the last `silent_seconds`."""
        if not self._seen:
            return set(self._present)
        oldest = asyncio.get_running_loop().time() - silent_seconds
        self._seen = {code: at for code, at in self._seen.items() if at >= oldest}
        return {*self._present, *self._seen}

    def pollers(self, silent_seconds: float) -> set[str]:
        """Return the codes of checkpoints that poll, or did so in the last `silent_seconds`, without a stream here."""
        return self.checkpoints(silent_seconds) - {stream.actor.checkpoint or "" for stream in self.streams}

    def publish(self, sequence: int, frame: bytes, gates: bytes | None = None) -> None:
        """Publish a frame to every stream.

        Args:
            sequence: the event's number.
            frame: the event as bytes.
            gates: the bytes for autogates' streams; None if these get the same bytes.
        """
        usual = Frame(frame)
        gate = usual if gates is None else Frame(gates)
        self.publish_chosen(sequence, lambda stream: gate if stream.at_gate else usual)

    def publish_to(self, sequence: int, frame: bytes, meant: Callable[[Actor], bool]) -> None:
        """Publish the frame of event number `sequence` to the streams of the actors for which `meant` returns true."""
        made = Frame(frame)
        self.publish_chosen(sequence, lambda stream: made if meant(stream.actor) else None)

    def publish_about(self, about: str, sequence: int, frame: bytes) -> None:
        """Publish the frame of event number `sequence` to the streams of the topic `about`."""
        made = Frame(frame)
        self.publish_chosen(sequence, lambda stream: made if stream.about == about else None)

    def publish_chosen(self, sequence: int, choose: Callable[[Stream], Frame | None]) -> None:
        """Publish to each stream the frame that `choose` returns for it; None sends it nothing.

        `sequence` is the event's number. The streams that are open now get it in the next turns of the event loop.
        """
        publication = _Publication(sequence, choose)
        for stream in list(self._arriving):
            self._give(stream, publication)
        if len(self.streams) == len(self._arriving):
            return
        self._publications.append(publication)
        if self._distributed.is_set():
            self._distributed.clear()
            asyncio.get_running_loop().call_soon(self._distribute)

    async def distributed(self) -> None:
        """Wait until every published frame was written to the streams."""
        await self._distributed.wait()

    @property
    def _end(self) -> int:
        return self._first + len(self._publications)

    def _distribute(self) -> None:
        """Write to some streams, and go on in the next turn until every stream has got everything."""
        some = list(islice(self._round, _SLICE))
        if not some and self._round_until != self._end:
            self._round, self._round_until = iter(list(self.streams)), self._end
            some = list(islice(self._round, _SLICE))
        if some:
            for stream in some:
                self.bring_up(stream)
            asyncio.get_running_loop().call_soon(self._distribute)
        else:
            self._first = self._end
            self._publications.clear()
            self._distributed.set()

    def bring_up(self, stream: Stream) -> None:
        """Write to a stream all published frames that it has not got yet; do nothing before `go_live`."""
        end, begin = self._end, stream.next - self._first
        if stream.next == end or stream.connection is None:
            return
        stream.next = end  # first, for a write may end the stream, which comes back here
        for publication in islice(self._publications, begin, None):
            self._give(stream, publication)

    def _give(self, stream: Stream, publication: _Publication) -> None:
        try:
            frame = publication.choose(stream)
            if frame is not None:
                stream.put(publication.number, frame)
        except Exception:  # one stream must not end the distribution to the others
            logger.exception("a frame can't be sent to a stream, which is cut")
            stream.cut("fault")

    def close_about(self, about: str, last: bytes) -> None:
        """Send the frame `last` to the streams of the topic `about`, after all published frames, and close them.

        The reason for closing is `closed`.
        """
        made = Frame(last)
        for stream in list(self.streams):
            if stream.about == about:
                self.bring_up(stream)
                stream.put(0, made)
                stream.close("closed")

    def tick(self, now: float) -> None:
        """Send the heartbeats that are due, close streams at the end of their life, and cut stuck streams.

        A stream is stuck if its task has waited to send for 5 seconds, or for 1 while the service is stopping. The
        follower calls this once a second; `now` is the event loop's time. Heartbeats are spread over the interval, so
        that an alert never waits for thousands of them.
        """
        made: Heartbeat | None = None
        patience = STOPPING_SECONDS if self.closing else STUCK_SECONDS
        for stream in list(self.streams):
            if stream.sending_since is not None and now - stream.sending_since > patience:
                self.evicted += 1
                stream.cut("stuck")
            elif now >= stream.ends_at:
                stream.close("renew")
            elif now >= stream.beat_at and stream.connection is not None:
                made = made or self.heartbeat()
                stream.beat_at = now + self._heartbeat
                stream.beat(made)

    def complete(self, stream: Stream) -> None:
        """Close a stream with the reason `complete`, after the frames published so far.

        Its cursor is then that of the last published event, also if that event is not meant for it. Formats with
        heartbeats get one before the end.
        """
        stream.beat(self.heartbeat())
        stream.close("complete")

    def keys(self) -> set[str]:
        """Return the ids of the API keys of all open streams."""
        return {stream.actor.key_id for stream in self.streams if stream.actor.key_id}

    def close_keys(self, refused: set[str]) -> None:
        """Close the streams that were opened with the API keys with these ids, for the reason `revoked`."""
        for stream in list(self.streams):
            if stream.actor.key_id in refused:
                stream.close("revoked")

    def close_expired(self, now: datetime) -> None:
        """Close the streams whose API key has expired by this instant."""
        for stream in list(self.streams):
            if stream.actor.expires_at is not None and stream.actor.expires_at <= now:
                stream.close("expired")

    def close(self, why: str = "shutdown") -> None:
        """Close every stream, with the reason `why` sent to clients, and admit no further stream."""
        self.closing = True
        self.reconnect_ms = max(RECONNECT_MS, len(self.streams) * 1000 // REOPENED_A_SECOND)
        self.close_all(why)

    def close_all(self, why: str) -> None:
        """Close every stream, with the reason `why` sent to clients; new ones are still admitted."""
        for stream in list(self.streams):
            stream.close(why)


def hub_in(scope: Mapping[str, Any]) -> Hub:
    """Return the hub of alerts of this process; `scope` is a request, or its ASGI scope."""
    return cast(Hub, scope["app"].state.process.hub)
