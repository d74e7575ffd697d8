"""The JSON models of the feed: a page, a line and an event (API section 6)."""

from typing import Annotated, Literal

from pydantic import Field

from app.sync.feed.records import RecordOut
from app.web.wire import MomentText, WireOut


class ChangesOut(WireOut):
    """The records after a cursor, in commit order, and the next cursor."""

    items: list[RecordOut]
    """The records, in the ledger's order; without a filter also without gaps."""
    cursor: str
    """The cursor for the next request: send it as `after`. It also passes records that a filter leaves out."""
    head: int
    """Sequence of the ledger's last record."""
    more: bool
    """Whether the ledger goes on beyond `cursor`; with a filter the next page may be empty."""


class ChangesEndOut(WireOut):
    """The last line of an answer in NDJSON lines, after the records; if it is missing, the answer was cut off."""

    cursor: str
    """The cursor for the next request: send it as `after`. It also passes records that a filter leaves out."""
    head: int
    """Sequence of the ledger's last record."""
    more: bool
    """Whether the ledger goes on beyond `cursor`: `limit` was reached, or the service had to end the answer."""


ChangeLine = RecordOut | ChangesEndOut
"""A line of an answer in lines: a record, or the last line."""


class ChangeFrameOut(WireOut):
    """The event `change` of the feed's event stream: one record of the ledger."""

    event: Literal["change"]
    """The event's name."""
    id: str
    """The cursor after this record: send it as `Last-Event-ID` to resume there."""
    data: RecordOut
    """The record."""


class ChangeHeartbeatOut(WireOut):
    """The data of a heartbeat: the last record that was sent to streams, and whether newer ones may be missing."""

    head: int
    """Sequence of the ledger's last record that was sent to streams."""
    at: MomentText
    """The service's time."""
    degraded: bool
    """Whether the ledger could not be read lately, so that `head` may be old."""


class ChangeHeartbeatFrameOut(WireOut):
    """The event `heartbeat` of the feed's event stream, which shows that the connection works while no records come."""

    event: Literal["heartbeat"]
    """The event's name."""
    id: str
    """The cursor after the last record that was sent on this stream or left out by its filter."""
    data: ChangeHeartbeatOut
    """The last record that was sent to streams, and whether newer ones may be missing."""


ChangeEvent = Annotated[ChangeFrameOut | ChangeHeartbeatFrameOut, Field(discriminator="event")]
"""An event of the stream: its fields, with `data` read as JSON."""
