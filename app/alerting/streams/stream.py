"""One open stream: a task while it sends what its client missed, then a connection that its hub writes to."""

import asyncio
from collections.abc import Hashable
from typing import Final, NamedTuple, Protocol

from app.access.domain import Kind
from app.actor import Actor
from app.alerting.streams.framing import EVENTS, Ended, EventFraming
from app.ledger.domain import Head
from app.web.stream_connection import Frame, StreamConnection

AT_ONCE: Final = frozenset({"revoked", "expired"})
"""Reasons for closing a stream without sending what waits for its reader: its key no longer works."""

CUT: Final = frozenset({"stuck", "fault"})
"""Reasons for cutting a stream off: its reader takes nothing, or a frame for it can't be made."""

_UNNUMBERED: Final = Head("", 0, 0)
_NOTHING: Final = list[tuple[int, Frame]]()
"""The queue of a stream that queues no more; never changed."""


class Heartbeat(NamedTuple):
    """A heartbeat frame, the same for all streams of a hub.

    Attributes:
        reach: every event up to this number was published before the heartbeat.
        frame: the event without its `id`: the cursor is each stream's own.
    """

    reach: int
    frame: bytes


class Home(Protocol):
    """The interface of a hub for its streams.

    Attributes:
        evicted: number of streams cut because their reader took nothing.
        unsent_limit: how many bytes may wait for a reader.
        reconnect_ms: the longest time after which the client of a planned end should reconnect, in milliseconds.
    """

    evicted: int
    unsent_limit: int
    reconnect_ms: int

    def bring_up(self, stream: "Stream") -> None:
        """Write every published frame to the stream that it has not got yet."""

    def leave(self, stream: "Stream") -> None:
        """Remove a stream."""


class Stream:
    """One open stream.

    While its task sends what was missed, new frames wait in its queue. Then the task ends, and the hub writes each
    frame to the connection.

    Attributes:
        connection: the connection, once the task has handed it over.
        at_gate: whether its client is an autogate.
        about: its topic, if it has one.
        next: the number of the first publication of the hub that was not yet written to it.
        position: the number of the last event that it covers.
        end: encodes numbers as cursors.
        left: how many events may still be sent; None for any number.
        why: the reason if it was closed.
        beat_at: when its next heartbeat is due.
        ends_at: when its life ends.
        behind: whether the stream reads its events from the database, page by page, new ones included, until it has
            caught up; its queue then takes none.
        reading: whether a page of missed events is being read. If the queue becomes full meanwhile, the stream falls
            behind instead of being closed.
        sending_since: since when its task waits to send.
    """

    __slots__ = (
        "_home",
        "_queue",
        "_queued",
        "about",
        "actor",
        "at_gate",
        "beat_at",
        "behind",
        "connection",
        "end",
        "ends_at",
        "framing",
        "left",
        "next",
        "position",
        "reading",
        "sending_since",
        "task",
        "why",
    )

    def __init__(
        self, home: Home, actor: Actor, *, beat_at: float, ends_at: float, about: Hashable = None
    ) -> None:
        self.actor = actor
        self.at_gate = actor.kind == Kind.AUTOGATE
        self.about = about
        self.framing: EventFraming = EVENTS
        self.connection: StreamConnection | None = None
        self.task: asyncio.Task[None] | None = None
        self.next = 0
        self.position = 0
        self.end = _UNNUMBERED
        self.left: int | None = None
        self.why: str | None = None
        self.beat_at = beat_at
        self.ends_at = ends_at
        self.behind = False
        self.reading = False
        self.sending_since: float | None = None
        self._home = home
        self._queue: list[tuple[int, Frame]] = []
        self._queued = 0

    def put(self, number: int, frame: Frame) -> None:
        """Send a frame, or queue it while the task sends missed events.

        A stream is closed when its reader is too slow, and its client resumes by cursor: a single event is never
        dropped. A closed stream accepts no frame, even when there is room again: a frame after a dropped one would move
        the reader's cursor over the gap.

        Args:
            number: the event's number, or 0 for a frame that every reader gets.
            frame: the bytes.
        """
        if self.why is not None or self.behind:
            return
        if self.connection is not None:
            self._write(self.connection, number, frame)
        elif self._queued > self._home.unsent_limit:
            if self.reading:
                self.fall_behind()
            else:
                self.close("lagging")
        else:
            self._queue.append((number, frame))
            self._queued += len(frame.data)

    def _write(self, connection: StreamConnection, number: int, frame: Frame) -> None:
        if number and number <= self.position:
            return  # it was among those that were missed
        if connection.slow and connection.unsent > self._home.unsent_limit:
            self.close("lagging")
            return
        self.position = max(self.position, number)
        connection.write(frame)
        self.count(1)

    def count(self, events: int) -> None:
        """Count this number of events as sent, and close the stream once no further one may be sent."""
        if self.left is not None:
            self.left -= events
            if self.left <= 0:
                self.close("full")

    def beat(self, heartbeat: Heartbeat) -> None:
        """Send a heartbeat after every published event; its cursor is the one after every event that was sent.

        A reader that resumes there neither skips nor repeats an event. Nothing is sent while the task sends missed
        events, and while other bytes wait for the reader.
        """
        self._home.bring_up(self)
        if self.connection is None or self.why is not None:
            return
        self.position = max(self.position, heartbeat.reach)
        if self.framing.beats and not self.connection.slow:
            self.connection.write(Frame(self.identified(heartbeat.frame)))

    def identified(self, frame: bytes) -> bytes:
        """Return a heartbeat with its `id`: the cursor after every event that was sent."""
        return b"id: %b\n%b" % (self.end.cursor(self.position).encode(), frame)

    def go_live(self, connection: StreamConnection) -> None:
        """Take over the connection from the task and send what was queued; the hub writes all further frames."""
        self.connection, self.task = connection, None
        queue, self._queue = self._queue, _NOTHING
        why, self.why = self.why, None
        for number, frame in queue:
            self.put(number, frame)
        if why is not None:
            self.close(why)

    def close(self, why: str) -> None:
        """Close the stream after every published event is sent; `why` is the reason for the client.

        Without these events if its queue is full, or for a reason in `AT_ONCE`.
        """
        if why in AT_ONCE or why == "full":
            self._queue = _NOTHING
        elif self.connection is not None and self.why is None:
            self._home.bring_up(self)
        if self.why is None:
            self.why = why
            if self.connection is not None:
                self._finish(self.connection, why)

    def _finish(self, connection: StreamConnection, why: str) -> None:
        """Send the last bytes; where the key no longer works, a reader for which bytes wait gets none of them."""
        self._home.leave(self)
        if why in AT_ONCE and connection.unsent:
            connection.cut()
            return
        ended = Ended(why, self.end, self.position, self._home.reconnect_ms)
        connection.finish(self.framing.ending(ended))

    def lose(self, why: str) -> None:
        """Leave the hub, because the connection is lost for the reason `why`; only counted, nothing is sent."""
        self.why = self.why or why
        if why == "stuck":
            self._home.evicted += 1
        self._home.leave(self)

    def cut(self, why: str) -> None:
        """End the stream at once, in the middle of a frame: cancel its task, or cut its connection.

        `why` is only counted.
        """
        self.why = why
        if self.connection is not None:
            self._home.leave(self)
            self.connection.cut()
        elif self.task is not None:
            self.task.cancel()

    def fall_behind(self) -> None:
        """Drop the queued frames and queue no more; from now on the stream reads these events from the database."""
        self.behind = True
        self._queue = []
        self._queued = 0
