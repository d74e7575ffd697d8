"""The load generator: some connections, each of which asks again as soon as it is answered.

A process of its own, plain sockets and epoll, request bytes made beforehand: asking costs it about a tenth of
what answering costs the server, so it is never what is measured. It reads a `Task` as JSON from standard input
and writes an `Outcome` as JSON to standard output.
"""

import select
import socket
import sys
import time
from array import array
from collections import Counter
from itertools import cycle, islice

import msgspec

from bench.figures import percentile

_LARGEST = 1 << 16
_PATIENCE = 5.0
"""Seconds that the last answers may take after the end."""


class Task(msgspec.Struct, kw_only=True):
    """What to ask, and for how long.

    Attributes:
        requests: whole HTTP requests, asked in turn.
        warm_up: seconds before the measurement begins.
        seconds: how long it lasts.
    """

    port: int
    requests: list[bytes]
    connections: int
    warm_up: float
    seconds: float


class Outcome(msgspec.Struct, kw_only=True):
    """What came of it.

    Attributes:
        served: answers in all, with those of the warm-up.
        answered: answers in the measured time.
        seconds: the measured time.
        p50_ms: their median latency.
        p99_ms: the latency that 99 % of them did not exceed.
        max_ms: the longest latency.
        failures: answers that were not 200, by status line; and connections that broke.
    """

    served: int
    answered: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    failures: dict[str, int]


class _Connection:
    __slots__ = ("asked_at", "buffer", "requests", "socket")

    def __init__(self, port: int, requests: list[bytes], begin: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests = islice(cycle(requests), begin, None)
        self.buffer = b""
        self.asked_at = 0.0

    def ask(self, now: float) -> None:
        self.asked_at = now
        self.socket.sendall(next(self.requests))

    def read(self) -> bytes | None:
        """A whole answer, or None while it is not all there; b"" when the connection is broken."""
        data = self.socket.recv(_LARGEST)
        if not data:
            return b""
        if self.buffer:
            data = self.buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + _length(data[:end]):
            self.buffer = data
            return None
        self.buffer = b""
        return data


def _length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def drive(task: Task) -> Outcome:
    """Carry out a task.

    Raises:
        OSError: the server does not take connections.
    """
    step = max(1, len(task.requests) // task.connections)
    opened = [_Connection(task.port, task.requests, i * step) for i in range(task.connections)]
    poll = select.epoll()
    by_number = {connection.socket.fileno(): connection for connection in opened}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    clock = time.perf_counter
    latencies = array("d")
    failures: Counter[str] = Counter()
    served = 0
    begin = clock() + task.warm_up
    end = begin + task.seconds
    for connection in opened:
        connection.ask(clock())
    while by_number and (now := clock()) < end + _PATIENCE:
        for number, _ in poll.poll(0.1):
            connection = by_number[number]
            answer = connection.read()
            now = clock()
            if answer is None:
                continue
            if not answer.startswith(b"HTTP/1.1 200"):
                failures[answer[:40].split(b"\r\n")[0].decode("ascii", "replace") or "connection broken"] += 1
            served += 1
            if begin <= now < end:
                latencies.append(now - connection.asked_at)
            if answer and now < end:
                connection.ask(now)
            else:
                poll.unregister(number)
                by_number.pop(number).socket.close()
    if by_number:
        failures["no answer"] += len(by_number)
    ordered = sorted(latencies) or [0.0]
    return Outcome(
        served=served,
        answered=len(latencies),
        seconds=task.seconds,
        p50_ms=percentile(ordered, 0.50) * 1000,
        p99_ms=percentile(ordered, 0.99) * 1000,
        max_ms=ordered[-1] * 1000,
        failures=dict(failures),
    )


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.json.encode(drive(given)))
