"""The format of a stream: server-sent events, unless a feed has a format of its own."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from app.ledger.domain import Head
from app.web.request_rules import EVENT_STREAM

Header = tuple[bytes, bytes]


class Ended(NamedTuple):
    """The end of a stream.

    Attributes:
        why: why it is closed.
        end: encodes numbers as cursors.
        position: the number of the last event that the stream covers.
    """

    why: str
    end: Head
    position: int


class EventFraming:
    """The format of server-sent events (WHATWG HTML section 9.2); a feed in another format has a framing of its own.

    Attributes:
        headers: the header fields of the answer.
        beats: whether the format has heartbeats.
    """

    headers: Sequence[Header] = (
        (b"content-type", EVENT_STREAM.encode() + b"; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    )
    beats = True

    def opening(self) -> bytes:
        """Return the first bytes of a stream: after how long a client reconnects, spread over some seconds."""
        return b"retry: %d\n\n" % random.randint(1000, 5000)  # noqa: S311 - spreads reconnects, guards nothing

    def ending(self, ended: Ended) -> bytes:
        """Return the last bytes of a stream."""
        return b": %b\n\n" % ended.why.encode()


EVENTS = EventFraming()
"""The framing of all streams of events."""
