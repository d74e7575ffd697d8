"""Thousands of listeners in one process: plain sockets and epoll, which note when each of them has the frame.

The same process posts what makes the server publish, so beginning and end are read from one clock. It takes
orders as JSON lines from standard input, an `Opening` first and then any number of `Post`s, and answers each
with a JSON line: `Opened`, `Reached`.
"""

import select
import socket
import sys
import time
from statistics import median

import msgspec

from bench.processes import raise_file_limit

_LARGEST = 1 << 16
_AT_ONCE = 64
_PATIENCE = 60.0
"""Seconds that opening all streams, or reaching all of them, may take."""

_QUIET = 0.3
"""Seconds without a byte after which the streams have got all that they begin with."""


class Opening(msgspec.Struct, kw_only=True):
    """Which streams to open.

    Attributes:
        requests: whole HTTP requests, taken in turn.
        count: how many streams.
        mark: what a frame begins with that is waited for.
        ready: what a connection begins with once it listens; empty for a whole HTTP answer's first event.
    """

    port: int
    requests: list[bytes]
    count: int
    mark: bytes = b"event: alert\n"
    ready: bytes = b""


class Opened(msgspec.Struct, kw_only=True):
    """How many streams are open, and how long that took."""

    count: int
    seconds: float
    failures: list[str]


class Post(msgspec.Struct, kw_only=True):
    """A whole HTTP request after which every stream is to get one frame; port 0 is that of the streams.

    Attributes:
        relay: what is sent to the streams' broker once the request was answered; empty where there is no broker.
        relay_port: where it is sent.
    """

    request: bytes
    port: int = 0
    relay: bytes = b""
    relay_port: int = 0


class Reached(msgspec.Struct, kw_only=True):
    """When, in milliseconds after the request's first byte was sent.

    Attributes:
        status: the answer's status line.
        answered_ms: when the answer came.
        first_ms: when the first stream had the frame.
        median_ms: when half of them had it.
        last_ms: when all had it that got it at all.
        count: how many got it.
        frame: one frame as it came.
    """

    status: str
    answered_ms: float
    first_ms: float
    median_ms: float
    last_ms: float
    count: int
    frame: bytes


class Crowd:
    """Every listener of one server."""

    def __init__(self, port: int, mark: bytes) -> None:
        self._port = port
        self._mark = mark
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._carried: dict[int, bytes] = {}

    def open(self, opening: Opening) -> Opened:
        """Open the streams, some at a time; each counts once its first bytes of the body are there."""
        begin = time.perf_counter()
        waiting: dict[int, bytes] = {}
        failures: list[str] = []
        asked = 0
        while (asked < opening.count or waiting) and time.perf_counter() - begin < _PATIENCE * 3:
            while asked < opening.count and len(waiting) < _AT_ONCE:
                opened = socket.create_connection(("127.0.0.1", self._port))
                opened.sendall(opening.requests[asked % len(opening.requests)])
                opened.setblocking(False)
                self._sockets[opened.fileno()] = opened
                self._carried[opened.fileno()] = b""
                self._poll.register(opened.fileno(), select.EPOLLIN)
                waiting[opened.fileno()] = b""
                asked += 1
            for number, _ in self._poll.poll(1.0):
                data = self._sockets[number].recv(_LARGEST)
                if number not in waiting:
                    continue  # a heartbeat
                waiting[number] += data
                _, end, body = waiting[number].partition(b"\r\n\r\n")
                if opening.ready:
                    if opening.ready in waiting[number]:
                        del waiting[number]
                elif not data or (end and not waiting[number].startswith(b"HTTP/1.1 200")):
                    failures.append(waiting.pop(number)[:100].decode("ascii", "replace") or "closed")
                    self._poll.unregister(number)
                elif end and b"\n\n" in body:
                    del waiting[number]
        failures += ["no answer"] * len(waiting)
        seconds = time.perf_counter() - begin
        self._drain()
        return Opened(count=asked - len(failures), seconds=seconds, failures=sorted(set(failures)))

    def _drain(self) -> None:
        """Read what the streams begin with, so that none of its alerts is taken for that of a post."""
        while ready := self._poll.poll(_QUIET):
            for number, _ in ready:
                if not _received(self._sockets[number]):
                    self._poll.unregister(number)

    def post(self, post: Post, expected: int) -> Reached:
        """Post, and note when each listener has its frame."""
        clock = time.perf_counter
        poster = socket.create_connection(("127.0.0.1", post.port or self._port))
        relay: socket.socket | None = None
        self._poll.register(poster.fileno(), select.EPOLLIN)
        arrived: list[float] = []
        status, answered, frame = "", 0.0, b""
        begin = clock()
        poster.sendall(post.request)
        while (len(arrived) < expected or not status) and clock() - begin < _PATIENCE:
            if status and not status.startswith("HTTP/1.1 2"):
                break  # no frame will come
            for number, _ in self._poll.poll(1.0):
                if number == poster.fileno():
                    line = _received(poster).split(b"\r\n")[0].decode("ascii", "replace")
                    if not status:
                        status, answered = line or "connection broken", clock() - begin
                        if post.relay and status.startswith("HTTP/1.1 2"):
                            relay = socket.create_connection(("127.0.0.1", post.relay_port))
                            relay.sendall(post.relay)
                    continue
                came = _received(self._sockets[number])
                if not came:
                    self._poll.unregister(number)  # the stream has ended
                data = self._carried[number] + came
                if self._mark in data:
                    arrived.append(clock() - begin)
                    frame = frame or data
                    data = b""
                self._carried[number] = data[-len(self._mark) :]
        self._poll.unregister(poster.fileno())
        poster.close()
        if relay is not None:
            relay.close()
        return Reached(
            status=status or "no answer",
            answered_ms=answered * 1000,
            first_ms=min(arrived, default=0.0) * 1000,
            median_ms=median(arrived or [0.0]) * 1000,
            last_ms=max(arrived, default=0.0) * 1000,
            count=len(arrived),
            frame=frame,
        )


def _received(connection: socket.socket) -> bytes:
    """What has come on a connection; nothing where it was closed or broken."""
    try:
        return connection.recv(_LARGEST)
    except ConnectionError:
        return b""


def obey() -> None:
    """Carry out orders until standard input ends."""
    encode = msgspec.json.encode
    opening = msgspec.json.decode(sys.stdin.buffer.readline(), type=Opening)
    raise_file_limit(opening.count + 100)
    crowd = Crowd(opening.port, opening.mark)
    opened = crowd.open(opening)
    sys.stdout.buffer.write(encode(opened) + b"\n")
    sys.stdout.buffer.flush()
    for line in sys.stdin.buffer:
        reached = crowd.post(msgspec.json.decode(line, type=Post), opened.count)
        sys.stdout.buffer.write(encode(reached) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    obey()
