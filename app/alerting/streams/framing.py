"""The format of a stream: server-sent events, unless a feed has a format of its own."""

import random
from collections.abc import Sequence
from typing import Final, NamedTuple

from app.ledger.domain import Head
from app.web.request_rules import EVENT_STREAM

Header = tuple[bytes, bytes]


class Ended(NamedTuple):
    """The data from which the last bytes of a stream are made.

    Attributes:
        why: the reason for which the stream is closed, as a short word.
        head: a head that encodes the stream's event numbers as cursors.
        position: number of the last event that the client has got or that was not meant for it.
        reconnect_ms: the longest time after which the client should reconnect if the end is planned, in milliseconds.
    """

    why: str
    head: Head
    position: int
    reconnect_ms: int


PLANNED: Final = frozenset({"renew", "shutdown"})
"""Reasons of a planned end: the client finds the service again at once, in this process or another."""

_SOONEST_MS: Final = 100


class EventFraming:
    """The bytes around the events of a stream, as server-sent events (WHATWG HTML section 9.2).

    A feed in another format uses a subclass, whose opening may be empty and whose ending may hold something else.

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
        """Return the first bytes of a stream: the time after which a client reconnects, 1 to 5 seconds at random."""
        return b"retry: %d\n\n" % random.randint(1000, 5000)  # noqa: S311 - spreads reconnects, guards nothing

    def ending(self, ended: Ended) -> bytes:
        """Return the last bytes of a stream: the reason, and at a planned end the time until the client reconnects."""
        if ended.why not in PLANNED:
            return b": %b\n\n" % ended.why.encode()
        wait = random.randint(_SOONEST_MS, ended.reconnect_ms)  # noqa: S311 - as above
        return b"retry: %d\n: %b\n\n" % (wait, ended.why.encode())


EVENTS = EventFraming()
"""The framing of all streams of events."""
