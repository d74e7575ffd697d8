"""What clients without a key can take of a service: bytes, seconds, connections; on a process that has short limits."""

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import psutil
import pytest

from tests.support.cli import LONGEST, cekal
from tests.support.databases import Run
from tests.support.running import running

PER_ADDRESS = 20
IDLE = 1.5
HEAD = 1.0
GREET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Target:
    """The service under siege."""

    port: int
    process: psutil.Process
    key: str
    metrics: str

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LONGEST)

    def holds(self, connection: socket.socket) -> bool:
        """Whether the service has its end of a connection open."""
        port = connection.getsockname()[1]
        return any(each.raddr and each.raddr.port == port for each in self.process.net_connections())

    def cut(self, reason: str) -> float:
        """How many connections were cut for a reason."""
        told = httpx2.get(self.metrics).text
        name = f'cekal_connections_cut_total{{reason="{reason}"}} '
        return sum(float(line.removeprefix(name)) for line in told.splitlines() if line.startswith(name))

    @property
    def keyed(self) -> bytes:
        return (
            b"GET /v1/alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + self.key.encode() + b"\r\n\r\n"
        )


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    run: Run = request.getfixturevalue("run")
    folder = tmp_path_factory.mktemp("besieged")
    limits = {
        "header_seconds": HEAD,
        "idle_seconds": IDLE,
        "known_idle_seconds": 60,
        "connections_per_address": PER_ADDRESS,
        "metrics_bind": "127.0.0.1:0",
    }
    with run.sqlite() as url:
        made = ("client", "create", "--role", "checkpoint", "--checkpoint", "CGK", "--kind", "counter")
        key = cekal(*made, "--json", cwd=folder, database_url=url).json["key"]
        with running("serve", "--port", 0, cwd=folder, database_url=url, **limits) as service:
            port = service.heard("ready")["port"]
            metrics = f"http://127.0.0.1:{service.heard('metrics')['port']}/metrics"
            yield Target(port, psutil.Process(service.process.pid), key, metrics)


def answer(connection: socket.socket) -> tuple[int, str]:
    """The status of the only answer on a connection, and its problem's type; (0, "") if it was cut without one."""
    came = b""
    while True:
        try:
            part = connection.recv(65536)
        except ConnectionError:
            break
        if not part:
            break
        came += part
    head, _, body = came.partition(b"\r\n\r\n")
    if not head:
        return 0, ""
    if body:
        assert b"content-type: application/problem+json" in head.lower()
    return int(head.split()[1]), json.loads(body)["type"] if body else ""


def status(connection: socket.socket, request: bytes) -> int:
    """The status of one answer on a connection that stays open."""
    connection.sendall(request)
    came = b""
    while b"\r\n\r\n" not in came:
        part = connection.recv(65536)
        if not part:
            return 0
        came += part
    head, _, body = came.partition(b"\r\n\r\n")
    [length] = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split()[1])


def flooded(connection: socket.socket, more: bytes, most: int) -> int:
    """Send the same again and again until the connection is cut; gives how many bytes were taken, at most so many."""
    sent = 0
    try:
        while sent < most:
            connection.sendall(more)
            sent += len(more)
    except ConnectionError:
        pass
    return sent


ENDLESS = {
    "header lines": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"a:b\r\n" * 4000),
    "one header": (b"GET / HTTP/1.1\r\nHost: x\r\na: ", b"b" * 16384),
    "a target": (b"GET /", b"a" * 16384),
    "empty lines": (b"", b"\r\n" * 8192),
    "a line of the chunked coding": (
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;",
        b"a" * 16384,
    ),
    "a header behind the body": (
        b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\na:",
        b"b" * 16384,
    ),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_has_no_end_is_cut_and_takes_no_memory(target: Target, kind: str):
    begin, more = ENDLESS[kind]
    before = target.process.memory_info().rss
    with target.connect() as connection:
        connection.sendall(begin)
        taken = flooded(connection, more, 60_000_000)
        assert taken < 20_000_000  # what the kernel buffers of a connection besides
    assert target.process.memory_info().rss - before < 10_000_000


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a:b\r\n" * 101 + b"\r\n", (431, "/problems/headers-too-large")),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\na: " + b"b" * 17000 + b"\r\n\r\n",
            (431, "/problems/headers-too-large"),
        ),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (431, "/problems/headers-too-large")),
        (b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", (400, "/problems/bad-request")),
        (
            b"POST /v1/checks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: "
            + b"0" * 4301
            + b"\r\n\r\n",
            (401, "/problems/unauthenticated"),
        ),
        (
            b"POST /v1/checks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
            (400, "/problems/bad-request"),
        ),
    ],
    ids=["many headers", "long headers", "a long target", "no host", "noughts", "two keys"],
)
def test_a_refusal_is_a_problem(target: Target, sent: bytes, expected: tuple[int, str]):
    with target.connect() as connection:
        connection.sendall(sent)
        assert answer(connection) == expected


def test_a_request_within_the_limits_is_served_however_it_is_cut(target: Target):
    filler = b"".join(b"a%d: %b\r\n" % (number, b"b" * 100) for number in range(90))
    request = GREET[:-2] + filler + b"\r\n"
    with target.connect() as connection:
        for begin in range(0, len(request) - 500, 500):
            connection.sendall(request[begin : begin + 500])
        assert status(connection, request[begin + 500 :]) == 200


def test_headers_that_drip_are_cut(target: Target):
    begun = time.monotonic()
    with target.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        connection.settimeout(0.2)
        came = b""
        while not came and time.monotonic() - begun < LONGEST:
            connection.sendall(b"a")
            try:
                came = connection.recv(65536)
            except TimeoutError:
                continue
    assert b" 408 " in came
    assert b"/problems/request-timeout" in came
    assert HEAD <= time.monotonic() - begun < HEAD + 3


@pytest.mark.parametrize("first", [b"", b"\r\n", GREET], ids=["silent", "an empty line", "after a request"])
def test_a_connection_without_a_key_may_not_idle(target: Target, first: bytes):
    begun = time.monotonic()
    with target.connect() as connection:
        if first == GREET:
            assert status(connection, first) == 200
        else:
            connection.sendall(first)
        assert answer(connection) == (0, "")
    assert IDLE <= time.monotonic() - begun < IDLE + 3


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_a_client_that_does_not_read_is_cut(target: Target, pause: float):
    """By the service, long before the system gives the line up; whether it asks all at once or goes on asking."""
    before = target.cut("idle")
    with target.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(20):
            connection.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(pause)
        until = time.monotonic() + LONGEST
        while target.holds(connection):
            assert time.monotonic() < until
            time.sleep(0.2)
    assert target.cut("idle") == before + 1


def test_with_a_key_a_connection_stays_and_crowds_at_its_address_do_not_touch_it(target: Target):
    with target.connect() as counter:
        assert status(counter, target.keyed) == 200
        crowd = [target.connect() for _ in range(3 * PER_ADDRESS)]
        try:
            with target.connect() as newcomer:
                assert status(newcomer, target.keyed) == 200
            open_now = [each for each in target.process.net_connections() if each.status == "ESTABLISHED"]
            assert len(open_now) <= PER_ADDRESS + 3
            assert status(counter, target.keyed) == 200
            time.sleep(IDLE + 1.5)
            assert status(counter, target.keyed) == 200
        finally:
            for each in crowd:
                each.close()


def test_what_was_cut_is_counted(target: Target):
    with target.connect() as connection:
        connection.sendall(b"\x16\x03\x01")
        assert answer(connection) == (400, "/problems/bad-request")
    text = httpx2.get(target.metrics).text
    [line] = [
        line
        for line in text.splitlines()
        if line.startswith('cekal_connections_cut_total{reason="bad-request"}')
    ]
    assert float(line.split()[1]) >= 1
    assert "\ncekal_connections_open " in text
