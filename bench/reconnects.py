"""Thousands of clients that reconnect at once and resume their streams: plain sockets and epoll, in one process.

It reads a `Storm` as JSON from standard input, and writes `Resumed` as JSON to standard output.
"""

import errno
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Sequence
from statistics import median

import msgspec

from bench.processes import raise_file_limit

_LARGEST = 1 << 16
_AT_ONCE = 64
"""Connections that are begun before the next look at the others."""

_EVENT = b"event: alert\n"
_FRAME_END = b"\n\n"


class Storm(msgspec.Struct, kw_only=True):
    """Which clients come back, and what they missed.

    Attributes:
        requests: whole HTTP requests that resume a stream, taken in turn.
        count: how many clients.
        missed: for each missed alert, in order, bytes that only its frame has.
        addresses: how many addresses of this machine the clients come from, in turn.
        seconds: how long to wait for the last client.
    """

    port: int
    requests: list[bytes]
    count: int
    missed: list[bytes]
    addresses: int
    seconds: float


class Resumed(msgspec.Struct, kw_only=True):
    """When clients had everything that they missed, in seconds after the first of them began to connect.

    Attributes:
        count: how many had everything, in order and once.
        connected_s: when the last connection was open.
        first_s: when the first client had everything.
        median_s: when half of the clients had it that got it.
        last_s: when all of these had it.
        failures: how many clients failed, by what happened to them.
    """

    count: int
    connected_s: float
    first_s: float
    median_s: float
    last_s: float
    failures: dict[str, int]


class _Client:
    """One client: its connection, what has come on it, and how much of what it missed is among that."""

    __slots__ = ("_at", "_data", "_found", "asked", "request", "socket")

    def __init__(self, storm: Storm, number: int) -> None:
        self.request = storm.requests[number % len(storm.requests)]
        self.asked = False
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind((_address(number % storm.addresses), 0))
        code = self.socket.connect_ex(("127.0.0.1", storm.port))
        if code not in {0, errno.EINPROGRESS}:
            raise OSError(code, "a client can't connect")
        self._data = bytearray()
        self._found = 0
        self._at = 0

    def ask(self) -> None:
        """Send the request on a connection that is open now.

        Raises:
            OSError: the connection was refused or broken.
        """
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, "not connected")
        self.socket.sendall(self.request)
        self.asked = True

    def receive(self, missed: Sequence[bytes]) -> bool:
        """Take what has come. Returns whether everything that was missed is there.

        Raises:
            OSError: the connection was closed or broken, the answer is a refusal, or an alert came twice.
        """
        came = self.socket.recv(_LARGEST)
        self._data += came
        if len(self._data) > len(b"HTTP/1.1 200") and not self._data.startswith(b"HTTP/1.1 200"):
            raise OSError(0, self._data[:60].split(b"\r\n")[0].decode("ascii", "replace"))
        if not came:
            raise OSError(0, "closed")
        while self._found < len(missed):
            at = self._data.find(missed[self._found], self._at)
            if at < 0:
                return False
            self._found, self._at = self._found + 1, at + len(missed[self._found])
        if self._data.find(_FRAME_END, self._at) < 0:
            return False
        if self._data.count(_EVENT) != len(missed):
            raise OSError(0, f"{self._data.count(_EVENT)} alerts in place of {len(missed)}")
        return True


def _address(number: int) -> str:
    """The n-th of the machine's own addresses that clients come from."""
    return f"127.0.{1 + number // 250}.{1 + number % 250}"


class _Crowd:
    """Every client of a storm."""

    def __init__(self, storm: Storm) -> None:
        self.resumed: list[float] = []
        self.connected = 0.0
        self.failures: Counter[str] = Counter()
        self._storm = storm
        self._poll = select.epoll()
        self._clients: dict[int, _Client] = {}
        self._done: list[_Client] = []
        self._begin = 0.0

    def run(self) -> None:
        """Connect all clients, and wait until the last of them has everything; streams stay open until then."""
        clock, storm = time.perf_counter, self._storm
        self._begin = clock()
        for number in range(storm.count):
            client = _Client(storm, number)
            self._clients[client.socket.fileno()] = client
            self._poll.register(client.socket.fileno(), select.EPOLLOUT)
            if number % _AT_ONCE == _AT_ONCE - 1:
                self._attend(0.0)
        while self._clients and clock() - self._begin < storm.seconds:
            self._attend(1.0)
        if self._clients:
            self.failures["not everything in time"] += len(self._clients)

    def _attend(self, patience: float) -> None:
        for number, _ in self._poll.poll(patience):
            client = self._clients[number]
            try:
                if not client.asked:
                    client.ask()
                    self.connected = time.perf_counter() - self._begin
                    self._poll.modify(number, select.EPOLLIN)
                elif client.receive(self._storm.missed):
                    self.resumed.append(time.perf_counter() - self._begin)
                    self._leave(number)
            except OSError as error:
                self.failures[error.strerror or type(error).__name__] += 1
                self._leave(number)

    def _leave(self, number: int) -> None:
        self._poll.unregister(number)
        self._done.append(self._clients.pop(number))


def reconnect(storm: Storm) -> Resumed:
    """Let every client connect and resume at once."""
    raise_file_limit(storm.count + 100)
    crowd = _Crowd(storm)
    crowd.run()
    return Resumed(
        count=len(crowd.resumed),
        connected_s=crowd.connected,
        first_s=min(crowd.resumed, default=0.0),
        median_s=median(crowd.resumed or [0.0]),
        last_s=max(crowd.resumed, default=0.0),
        failures=dict(crowd.failures),
    )


if __name__ == "__main__":
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Storm)
    sys.stdout.buffer.write(msgspec.json.encode(reconnect(given)))
