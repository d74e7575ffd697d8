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
        frame: the heartbeat as bytes, without its `id`: each stream adds its own cursor.
    """

    reach: int
    frame: bytes


class Home(Protocol):
    """The part of a hub that its streams use.

    Attributes:
        evicted: number of streams that were cut because their client read nothing.
        unsent_limit: number of bytes that may wait for a slow client.
        reconnect_ms: the longest time after which a client should reconnect after a planned end, in milliseconds.
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

    At first its task sends the events that the client missed, and new frames wait in its queue. Then the task hands the
    connection over and ends, and the hub writes each frame to the connection.

    Attributes:
        actor: the client.
        framing: the format of the stream.
        task: the task that sends the missed events; None once it has handed the connection over.
        connection: the connection; None until the task has handed it over.
        at_gate: whether the client is an autogate.
        about: the topic; None without one.
        next: the hub's number of the first published frame that was not written to the stream yet.
        position: number of the last event that was sent, or that was not meant for this client.
        head: a head that encodes event numbers as cursors.
        left: how many events may still be sent; None for any number.
        why: the reason for which the stream was closed; None while it is open.
        beat_at: when the next heartbeat is due, by the event loop's time.
        ends_at: when the life of the stream ends, by the event loop's time.
        behind: whether the task reads new events from the database too, page by page, because too many were missed or
            queued; the queue then takes no frames.
        reading: whether a page of missed events is being read. If the queue becomes full meanwhile, the stream falls
            behind instead of being closed.
        sending_since: since when the task has been waiting to send, by the event loop's time; None while it does not
            wait.
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
        "ends_at",
        "framing",
        "head",
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
        self.head = _UNNUMBERED
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

        If its client reads too slowly, the stream is closed (`lagging`), and the client resumes by its cursor: a single
        event is never left out. Does nothing on a closed stream, and while the stream is `behind`.

        Args:
            number: the event's number; an event up to `position` is not sent again. 0 for a frame that is always sent.
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
        """Subtract the number of sent events from `left`; at 0 close the stream for the reason `full`."""
        if self.left is not None:
            self.left -= events
            if self.left <= 0:
                self.close("full")

    def beat(self, heartbeat: Heartbeat) -> None:
        """Send all published events, then a heartbeat with the cursor of the last event.

        A client that resumes at this cursor neither skips nor repeats an event. Does nothing while the task sends
        missed events, or if the stream is closed. The heartbeat is left out while other bytes wait for the client.
        """
        self._home.bring_up(self)
        if self.connection is None or self.why is not None:
            return
        self.position = max(self.position, heartbeat.reach)
        if self.framing.beats and not self.connection.slow:
            self.connection.write(Frame(self.identified(heartbeat.frame)))

    def identified(self, frame: bytes) -> bytes:
        """Return a heartbeat's bytes with an `id` in front: the cursor behind the last event that was sent."""
        return b"id: %b\n%b" % (self.head.cursor(self.position).encode(), frame)

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

        For the reasons `full` and `AT_ONCE` (the key no longer works) events that are not sent yet are left out; for
        `lagging` they may be. If the stream is closed already, the first reason stays.
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
        ended = Ended(why, self.head, self.position, self._home.reconnect_ms)
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
        """Drop the queued frames and take no more; from now on the task reads these events from the database."""
        self.behind = True
        self._queue = []
        self._queued = 0
