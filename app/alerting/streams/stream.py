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
        reach: number of the last event that was published before the heartbeat.
        frame: the event without its `id`: the cursor is each stream's own.
    """

    reach: int
    frame: bytes


class Home(Protocol):
    """The part of a hub that its streams use.

    Attributes:
        evicted: number of streams that were cut because their client read nothing.
        unsent_limit: number of bytes that may wait for a slow client.
        reconnect_ms: the longest time after which the client of a planned end should reconnect, in milliseconds.
    """

    evicted: int
    unsent_limit: int
    reconnect_ms: int

    def bring_up(self, stream: "Stream") -> None:
        """Write to a stream all published frames that it has not got yet."""

    def leave(self, stream: "Stream") -> None:
        """Remove a stream; one that is not in the hub is ignored."""


class Stream:
    """One open stream: sends the frames of a hub to one client.

    While its task sends the missed events, new frames wait in its queue. Then the task ends, and the hub writes each
    frame to the connection.

    Attributes:
        actor: the client.
        framing: the format of the stream.
        task: the task that sends the missed events; None once it has handed the connection over.
        connection: the connection; None until the task has handed it over.
        at_gate: whether the client is an autogate.
        about: the topic; None without one.
        next: the number of the first publication of the hub that was not yet written to the stream.
        position: the number of the last event that the stream covers.
        end: a head of the feed, which encodes numbers as cursors.
        left: how many events may still be sent; None for any number.
        why: the reason for which the stream was closed; None while it is open.
        beat_at: when the next heartbeat is due, by the event loop's time.
        ends_at: when the life of the stream ends, by the event loop's time.
        behind: whether the stream reads its events from the database, page by page, new ones included, until it has
            caught up; its queue then takes no frames.
        reading: whether a page of missed events is being read. If the queue becomes full meanwhile, the stream falls
            behind instead of being closed.
        sending_since: since when its task waits to send, by the event loop's time; None while it does not wait.
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

        If its reader is too slow, the stream is closed, and the client resumes by cursor: a single event is never
        dropped. Nothing is sent on a closed stream, because a frame after a dropped one would move the client's cursor
        over the gap; nor while the stream is `behind`.

        Args:
            number: the event's number; an event that the stream covers already is not sent. 0 for a frame that is
                always sent.
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
        """Subtract a number of sent events from `left`, and close the stream if no further event may be sent."""
        if self.left is not None:
            self.left -= events
            if self.left <= 0:
                self.close("full")

    def beat(self, heartbeat: Heartbeat) -> None:
        """Send all published events, then a heartbeat; its cursor is behind the last event that was sent.

        A client that resumes at this cursor neither skips nor repeats an event. Nothing is sent while the task sends
        missed events; the heartbeat is left out while other bytes wait for the client.
        """
        self._home.bring_up(self)
        if self.connection is None or self.why is not None:
            return
        self.position = max(self.position, heartbeat.reach)
        if self.framing.beats and not self.connection.slow:
            self.connection.write(Frame(self.identified(heartbeat.frame)))

    def identified(self, frame: bytes) -> bytes:
        """Return the bytes of a heartbeat with its `id`, the cursor behind the last event that was sent."""
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
        """Close the stream after all published events are sent; `why` is the reason that the client gets.

        Events that are not sent yet are left out for the reasons `full` and `AT_ONCE`, and may be for `lagging`.
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
        """Remove the stream from its hub after its connection was lost; `why` is counted, nothing is sent."""
        self.why = self.why or why
        if why == "stuck":
            self._home.evicted += 1
        self._home.leave(self)

    def cut(self, why: str) -> None:
        """End the stream at once, even in the middle of a frame: cancel its task, or cut its connection.

        `why` is counted, not sent.
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
