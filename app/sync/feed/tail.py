"""Publishes new ledger records to the feed's streams in this process, after alerts were sent."""

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, NamedTuple, cast

from app.access.domain import SYSTEM
from app.alerting.streams.follower import LedgerFollower
from app.alerting.streams.hub import Hub
from app.alerting.streams.stream import Heartbeat, Stream
from app.kit.clock import rfc3339
from app.ledger.domain import Closures, Head, Record, Selection
from app.ledger.service import closures_among
from app.runtime import Runtime
from app.sync.feed.domain import within_scope
from app.sync.feed.rendering import render, text_of
from app.web.stream_connection import Frame

_AT_ONCE = 32
"""Records that are published before the next are read: they are written to every stream first."""

_WAITING = 2_000
"""Records that may wait here; beyond it every stream is closed, and its reader goes on from its cursor."""


class Asked(NamedTuple):
    """Which records, and which format, the reader of a stream requested; the hub keeps it as the stream's topic.

    Attributes:
        selection: the requested types of records, and the entry that the records must be about.
        as_lines: whether the stream consists of lines of NDJSON instead of server-sent events.
    """

    selection: Selection
    as_lines: bool


class FeedTail:
    """Publishes new records to the open streams of the feed in this process, after alerts were sent to their streams.

    Attributes:
        hub: the streams of the feed; each has an `Asked`, which selects its records.
        reach: the sequence of the last record that was published to the streams.
    """

    def __init__(self, runtime: Runtime, hub: Hub, ledger: LedgerFollower) -> None:
        self.runtime = runtime
        self.hub = hub
        self._ledger = ledger
        self._waiting: list[Record] = []
        self._since = 0.0
        self.reach = 0
        hub.heartbeat = self.heartbeat

    @property
    def _epoch(self) -> str:
        head = self._ledger.head
        assert head is not None, "start() comes first"
        return head.epoch

    def begin(self, head: Head) -> None:
        """Set `reach` to the head's last record; the first record that `take` gets must be the next one."""
        self.reach = head.size

    def take(self, records: Sequence[Record]) -> None:
        """Keep the next records of the ledger, so that `read_on` publishes them.

        If no stream is open, nothing is kept: a stream that joins later reads these records from the database. If too
        many records wait, they are dropped and all streams are closed; each client then reconnects with its last
        cursor.
        """
        if not self.hub.streams:
            self._waiting.clear()
        elif len(self._waiting) + len(records) > _WAITING:
            self._waiting.clear()
            self.hub.close_all("lagging")
        else:
            self._since = self._since if self._waiting else monotonic()
            self._waiting += records
            return
        self.reach = records[-1].sequence

    async def read_on(self) -> None:
        """Publish the records that `take` has kept to the streams."""
        while records := self._waiting[:_AT_ONCE]:
            async with self.runtime.reading(SYSTEM) as reader:
                closures = await closures_among(reader, records)
            if not self._waiting or self._waiting[0] is not records[0]:
                continue  # they were given up meanwhile
            for record in records:
                self.hub.publish_chosen(record.sequence, _Frames(record, self._epoch, closures).choose)
            del self._waiting[: len(records)]
            self._since = monotonic()
            self.reach = records[-1].sequence
            await self.hub.distributed()

    def heartbeat(self) -> Heartbeat:
        """Return a heartbeat frame with the sequence of the last record that was published to the streams (`head`).

        The frame's member `degraded` is true if newer records may be missing, because the ledger could not be read
        lately or records have waited too long to be published.
        """
        late = bool(self._waiting) and monotonic() - self._since > self.runtime.settings.stale_seconds
        degraded = "true" if late or self._ledger.degraded else "false"
        data = f'{{"head":{self.reach},"at":"{rfc3339(self.runtime.clock())}","degraded":{degraded}}}'
        return Heartbeat(self.reach, f"event: heartbeat\ndata: {data}\n\n".encode())


class _Frames:
    """The frames of one record: one for each format and for each kind of reader, made when first needed."""

    def __init__(self, record: Record, epoch: str, closures: Closures) -> None:
        self._record = record
        self._text = text_of(record)
        self._cursor = Head(epoch, record.sequence, 0).cursor()
        self._closures = closures
        self._made: dict[tuple[bool, bool], Frame] = {}

    def choose(self, stream: Stream) -> Frame | None:
        """Return the frame for a stream; None if the record is not in the stream's selection."""
        record, asked = self._record, stream.about
        assert isinstance(asked, Asked), "the hub has streams of the feed only"
        if not asked.selection.includes(record.type, record.entry_id):
            return None
        kind = (asked.as_lines, within_scope(record.entry_id, record.agency, stream.actor, self._closures))
        if kind not in self._made:
            data = render(self._text, in_scope=kind[1])
            self._made[kind] = Frame(line(data) if asked.as_lines else event(self._cursor, data))
        return self._made[kind]


def event(cursor: str, data: bytes) -> bytes:
    """Return a rendered record as a server-sent event `change` with the cursor as its id."""
    return b"id: %b\nevent: change\ndata: %b\n\n" % (cursor.encode(), data)


def line(data: bytes) -> bytes:
    """Return a rendered record as a line of NDJSON."""
    return data + b"\n"


def feed_tail_of(scope: Mapping[str, Any]) -> FeedTail:
    """Return this process's `FeedTail`, which publishes records to streams; `scope` is a request, or its ASGI scope."""
    return cast(FeedTail, scope["app"].state.process.feed_tail)
