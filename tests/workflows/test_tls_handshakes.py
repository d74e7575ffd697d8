"""Connections whose TLS handshake is never completed: counted, bounded and in nobody's way; on a real `cekal serve`."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.support.bodies import check_body, entry_body
from tests.support.certificates import CERTIFICATE, KEY
from tests.support.cli import LONGEST, cekal
from tests.support.databases import Run
from tests.support.running import Running, running

SILENT = 200
PER_ADDRESS = 20
HEAD = 2.0
IDLE = 1.5
SOON = 2.5
"""Time for the service to look at its connections, and for the kernel to close them."""


@dataclass(frozen=True, slots=True)
class Target:
    """A service that speaks TLS, and the key of a counter."""

    service: Running
    port: int
    key: str
    metrics: str

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LONGEST)

    def counter(self) -> httpx2.Client:
        trusted = ssl.create_default_context(cadata=CERTIFICATE)
        given: dict[str, Any] = {"headers": {"Authorization": f"Bearer {self.key}"}, "timeout": LONGEST}
        return httpx2.Client(base_url=f"https://127.0.0.1:{self.port}", verify=trusted, **given)

    def held(self, lines: list[socket.socket]) -> int:
        """How many of these connections the service has open."""
        ours = {line.getsockname()[1] for line in lines}
        theirs = psutil.Process(self.service.process.pid).net_connections()
        return sum(bool(each.raddr) and each.raddr.port in ours for each in theirs)

    def accepted(self, lines: list[socket.socket]) -> bool:
        """Whether the service comes to have all of these connections open."""
        until = time.monotonic() + LONGEST
        while self.held(lines) < len(lines) and time.monotonic() < until:
            time.sleep(0.05)
        return self.held(lines) == len(lines)

    def cut(self, reason: str) -> float:
        """How many connections were cut for a reason."""
        told = httpx2.get(self.metrics).text
        name = f'cekal_connections_cut_total{{reason="{reason}"}} '
        return sum(float(line.removeprefix(name)) for line in told.splitlines() if line.startswith(name))


@dataclass(frozen=True, slots=True)
class Register:
    """A register with a counter's key, and a certificate."""

    folder: Path
    url: str
    key: str
    pem: Path

    @contextmanager
    def served(self, **limits: object) -> Iterator[Target]:
        """A service of it with short limits."""
        given = {"header_seconds": HEAD, "idle_seconds": IDLE, "tls_certificate": self.pem} | limits
        more = {"cwd": self.folder, "database_url": self.url, "metrics_bind": "127.0.0.1:0"}
        with running("serve", "--port", 0, **more, **given) as service:
            port = service.heard("ready")["port"]
            metrics = f"http://127.0.0.1:{service.heard('metrics')['port']}/metrics"
            yield Target(service, port, self.key, metrics)


@pytest.fixture(scope="module")
def register(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    run: Run = request.getfixturevalue("run")
    folder = tmp_path_factory.mktemp("handshakes")
    pem = folder / "host.pem"
    pem.write_text(CERTIFICATE + KEY)
    pem.chmod(0o600)
    with run.sqlite() as url:
        made = ("client", "create", "--role", "checkpoint", "--checkpoint", "CGK", "--kind", "counter")
        key = cekal(*made, "--json", cwd=folder, database_url=url).json["key"]
        yield Register(folder, url, key, pem)


def check(counter: httpx2.Client) -> int:
    return counter.post("/v1/checks", json=check_body(entry_body()["subject"])).status_code


def hello() -> bytes:
    """What a client says first."""
    said = ssl.MemoryBIO()
    speaker = ssl.create_default_context(cadata=CERTIFICATE).wrap_bio(
        ssl.MemoryBIO(), said, server_hostname="localhost"
    )
    with pytest.raises(ssl.SSLWantReadError):
        speaker.do_handshake()
    return said.read()


def test_silent_connections_are_closed_in_the_time_for_headers_and_are_in_nobodys_way(register: Register):
    with register.served(connections_per_address=2 * SILENT) as given, ExitStack() as lines:
        kept = lines.enter_context(given.counter())
        assert check(kept) == 200
        begun = time.monotonic()
        silent = [lines.enter_context(given.connect()) for _ in range(SILENT)]
        assert given.accepted(silent)
        while time.monotonic() < begun + HEAD:
            assert check(kept) == 200
            with given.counter() as newcomer:
                assert check(newcomer) == 200
        until = time.monotonic() + SOON
        while given.held(silent) and time.monotonic() < until:
            time.sleep(0.1)
        assert given.held(silent) == 0
        assert given.cut("handshake") == SILENT
        assert check(kept) == 200


def test_unfinished_handshakes_count_against_their_address(register: Register):
    limits = {"connections_per_address": PER_ADDRESS, "header_seconds": 60}
    with register.served(**limits) as given, ExitStack() as lines:
        kept = lines.enter_context(given.counter())
        assert check(kept) == 200
        silent = [lines.enter_context(given.connect()) for _ in range(SILENT)]
        with given.counter() as newcomer:
            assert check(newcomer) == 200
        assert check(kept) == 200
        assert given.held(silent) <= PER_ADDRESS
        assert given.cut("address") >= SILENT - PER_ADDRESS


def test_unfinished_handshakes_count_in_all(register: Register):
    limits = {"connections_limit": 100, "connections_reserve": 50, "header_seconds": 60}
    with register.served(**limits) as given, ExitStack() as lines:
        silent = [lines.enter_context(given.connect()) for _ in range(SILENT)]
        with given.counter() as newcomer:
            assert check(newcomer) == 200
            assert given.held(silent) <= 50
        assert given.cut("total") >= SILENT - 50


@pytest.mark.parametrize("at_once", [0, -1], ids=["a byte at a time", "all but its last byte"])
def test_a_handshake_that_drips_is_closed(register: Register, at_once: int):
    said = hello()[:-1]
    with register.served() as given, given.connect() as line:
        begun = time.monotonic()
        line.settimeout(0.2)
        line.sendall(said[:at_once])
        said = said[at_once:][:-1]
        came, closed = b"", False
        while not closed and time.monotonic() - begun < LONGEST:
            try:
                line.sendall(said[:1])
                said = said[1:]
                came = line.recv(100)
                closed = not came
            except TimeoutError:
                continue
            except ConnectionError:
                closed = True
        assert HEAD <= time.monotonic() - begun < HEAD + SOON
        assert not came
        assert given.cut("handshake") == 1


def test_what_is_no_handshake_is_closed_at_once(register: Register):
    with register.served(header_seconds=60) as given, given.connect() as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        with suppress(ConnectionResetError):
            while line.recv(100):
                pass
        assert given.cut("handshake") == 1


def test_who_never_confirms_the_end_of_tls_is_closed(register: Register):
    """An idle connection is ended by the service, and its other end says nothing to that."""
    with register.served() as given, given.connect() as line:
        ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
        speaker = ssl.create_default_context(cadata=CERTIFICATE).wrap_bio(
            theirs, ours, server_hostname="localhost"
        )
        while True:
            try:
                speaker.do_handshake()
                break
            except ssl.SSLWantReadError:
                line.sendall(ours.read())
                theirs.write(line.recv(65536))
        line.sendall(ours.read())
        begun = time.monotonic()
        assert given.held([line]) == 1
        while given.held([line]) and time.monotonic() - begun < LONGEST:
            time.sleep(0.1)
        assert time.monotonic() - begun < IDLE + 2 + SOON
        assert given.cut("idle") == 1


def test_unfinished_handshakes_do_not_delay_the_end_of_the_process(register: Register):
    with register.served(header_seconds=60) as given, ExitStack() as lines:
        silent = [lines.enter_context(given.connect()) for _ in range(PER_ADDRESS)]
        assert given.accepted(silent)
        begun = time.monotonic()
        assert given.service.end() == 0
        assert time.monotonic() - begun < 2.5
        assert not [line for line in given.service.lines() if line["level"] == "ERROR"]
