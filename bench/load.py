"""The load generator: some connections; each asks again as soon as it is answered, or after a pause.

A process of its own, plain sockets and epoll, request bytes made beforehand: asking costs it about a tenth of
what answering costs the server, so it is never what is measured. It reads a `Task` as JSON from standard input
and writes an `Outcome` as JSON to standard output.
"""

import select
import socket
import sys
import time
from array import array
from collections import Counter, deque
from collections.abc import Iterable
from itertools import cycle

import msgspec

from bench.figures import percentile

_LARGEST = 1 << 16
_PATIENCE = 5.0
"""Seconds that the last answers may take after the end."""


class Task(msgspec.Struct, kw_only=True):
    """What to ask, and for how long.

    Attributes:
        requests: whole HTTP requests; each connection asks its own share of them in turn.
        warm_up: seconds before the measurement begins.
        seconds: how long it lasts.
        pause: seconds between an answer and the next question.
        once: whether each request is asked once; what is measured then begins with the first of them and ends with the
            last answer, for which `seconds` is the limit.
        status: the status of a good answer.
    """

    port: int
    requests: list[bytes]
    connections: int
    warm_up: float
    seconds: float
    pause: float = 0.0
    once: bool = False
    status: int = 200


class Outcome(msgspec.Struct, kw_only=True):
    """What came of it.

    Attributes:
        served: answers in all, with those of the warm-up.
        answered: answers in the measured time.
        seconds: the measured time.
        p50_ms: their median latency.
        p99_ms: the latency that 99 % of them did not exceed.
        max_ms: the longest latency.
        failures: answers of another status, by status line; and connections that broke or got no answer.
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

    def __init__(self, port: int, requests: Iterable[bytes]) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests = iter(requests)
        self.buffer = b""
        self.asked_at = 0.0

    def ask(self, now: float) -> bool:
        """Ask the next request. Returns whether there was one."""
        request = next(self.requests, None)
        if request is None:
            return False
        self.asked_at = now
        self.socket.sendall(request)
        return True

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


def _requests(task: Task) -> list[Iterable[bytes]]:
    """The requests of each connection."""
    if task.once:
        return [task.requests[i :: task.connections] for i in range(task.connections)]
    share = -(-len(task.requests) // task.connections)
    return [cycle(task.requests[i * share % len(task.requests) :][:share]) for i in range(task.connections)]


def drive(task: Task) -> Outcome:
    """Carry out a task.

    Raises:
        OSError: the server does not take connections.
    """
    load = _Load(task)
    load.run()
    ordered = sorted(load.latencies) or [0.0]
    return Outcome(
        served=load.served,
        answered=len(load.latencies),
        seconds=load.took if task.once else task.seconds,
        p50_ms=percentile(ordered, 0.50) * 1000,
        p99_ms=percentile(ordered, 0.99) * 1000,
        max_ms=ordered[-1] * 1000,
        failures=dict(load.failures),
    )


class _Load:
    """A task under way."""

    def __init__(self, task: Task) -> None:
        self.latencies = array("d")
        self.failures: Counter[str] = Counter()
        self.served = 0
        self.took = 0.0
        self._pause = task.pause
        self._good = b"HTTP/1.1 %d" % task.status
        self._poll = select.epoll()
        connections = [_Connection(task.port, each) for each in _requests(task)]
        self._by_number = {connection.socket.fileno(): connection for connection in connections}
        self._begin = time.perf_counter() + task.warm_up
        self._end = self._begin + task.seconds

    def run(self) -> None:
        """Ask until the time is over, or no request is left, and take the last answers."""
        clock = time.perf_counter
        for number in self._by_number:
            self._poll.register(number, select.EPOLLIN)
        due = deque((clock(), connection) for connection in self._by_number.values())
        while self._by_number and (now := clock()) < self._end + _PATIENCE:
            while due and due[0][0] <= now:
                self._ask(due.popleft()[1], now)
            for number, _ in self._poll.poll(max(0.0, due[0][0] - now) if due else 0.1):
                connection = self._by_number[number]
                answer = connection.read()
                now = clock()
                if answer is None:
                    continue
                self._note(answer, connection, now)
                if not answer or now >= self._end:
                    self._leave(connection)
                elif self._pause:
                    due.append((now + self._pause, connection))
                else:
                    self._ask(connection, now)
        if self._by_number:
            self.failures["no answer"] += len(self._by_number)

    def _ask(self, connection: _Connection, now: float) -> None:
        if not connection.ask(now):
            self._leave(connection)

    def _leave(self, connection: _Connection) -> None:
        number = connection.socket.fileno()
        self._poll.unregister(number)
        self._by_number.pop(number).socket.close()

    def _note(self, answer: bytes, connection: _Connection, now: float) -> None:
        if not answer.startswith(self._good):
            status = answer[:40].split(b"\r\n")[0].decode("ascii", "replace")
            self.failures[status or "connection broken"] += 1
        self.served += 1
        self.took = now - self._begin
        if self._begin <= now < self._end:
            self.latencies.append(now - connection.asked_at)


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.json.encode(drive(given)))
