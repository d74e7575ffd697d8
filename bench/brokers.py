"""Brokers as rivals of the alert streams: nginx with nchan, and nats-server (Linux).

Neither stores anything, so each is fed by a register: an officer's urgent entry is committed there, and after its
answer the alert's frame is published to the broker. Each runs with one worker, where it has workers. They come from
Debian's packages `libnginx-mod-nchan` and `nats-server`; one that is not installed is left out.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import psutil

from bench.processes import Cores, Server, ServerFailed, free_port, used_by

_NCHAN: Final = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
_START_SECONDS: Final = 20.0
_CONNECTIONS: Final = 40_000


class Tree(Server):
    """A server that consists of a process and its children."""

    def cpu(self) -> float:
        """CPU seconds that all of them have used so far."""
        return sum(used_by(each) for each in self._all())

    def rss(self) -> float:
        """Resident memory of all of them now, in MB (10^6 bytes)."""
        return sum(float(each.memory_info().rss) for each in self._all()) / 1e6

    def pin(self, cores: frozenset[int]) -> None:
        """Keep every thread of all of them, and what they start from now on, on these cores."""
        for thread in [thread.id for each in self._all() for thread in each.threads()]:
            os.sched_setaffinity(thread, cores)

    def _all(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker.

    Attributes:
        name: its name.
        server: its process, and the port of its streams.
        stream: a whole request that opens a stream.
        ready: what a stream begins with once it is open; empty for the first event of an SSE stream.
        publish_port: where frames are published.
        publish: makes the request that publishes a frame.
    """

    name: str
    server: Server
    stream: bytes
    ready: bytes
    publish_port: int
    publish: Callable[[bytes], bytes]


@contextmanager
def brokers(folder: Path, cores: Cores) -> Iterator[list[Broker]]:
    """Run every installed broker for the block's length."""
    with ExitStack() as stack:
        folder.mkdir()
        yield [
            stack.enter_context(run(folder, cores))
            for present, run in (
                (has_nchan(), nchan),
                (_found("nats-server"), _nats),
            )
            if present
        ]


def _found(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def has_nchan() -> bool:
    """Whether nginx with nchan is installed."""
    return _NCHAN.exists() and _found("nginx") is not None


@contextmanager
def nchan(folder: Path, cores: Cores, kept: int = 0) -> Iterator[Broker]:
    """Run nginx with nchan for the block's length; the last `kept` messages stay in memory, for resumed streams."""
    port, home = free_port(), folder / "nchan"
    home.mkdir()
    storing = (
        f"nchan_message_buffer_length {kept}; nchan_message_timeout 0" if kept else "nchan_store_messages off"
    )
    settings = f"""
load_module {_NCHAN};
daemon off;
worker_processes 1;
worker_rlimit_nofile {_CONNECTIONS};
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections {_CONNECTIONS}; }}
http {{
    access_log off;
    client_body_temp_path {home}; proxy_temp_path {home}; fastcgi_temp_path {home};
    uwsgi_temp_path {home}; scgi_temp_path {home};
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location = /stream {{ nchan_subscriber eventsource; nchan_channel_id alerts; }}
        location = /publish {{ nchan_publisher; nchan_channel_id alerts; {storing}; }}
    }}
}}
"""
    (home / "nginx.conf").write_text(settings)
    command = [str(_found("nginx")), "-p", str(home), "-c", str(home / "nginx.conf")]
    with running("nchan", command, port, home, cores) as server:
        yield Broker("nchan", server, _get("/stream"), b"", port, _post_event)


@contextmanager
def _nats(folder: Path, cores: Cores) -> Iterator[Broker]:
    port, home = free_port(), folder / "nats"
    home.mkdir()
    settings = f'host: "127.0.0.1"\nport: {port}\nmax_connections: {_CONNECTIONS}\nping_interval: "30m"\n'
    (home / "nats.conf").write_text(settings)
    command = [str(_found("nats-server")), "-c", str(home / "nats.conf")]
    hello = b'CONNECT {"verbose":false,"pedantic":false}\r\n'

    def publish(frame: bytes) -> bytes:
        return hello + b"PUB alerts %d\r\n%b\r\nPING\r\n" % (len(frame), frame)

    with running("nats", command, port, home, cores) as server:
        yield Broker("nats", server, hello + b"SUB alerts 1\r\nPING\r\n", b"PONG\r\n", port, publish)


@contextmanager
def running(name: str, command: Sequence[str], port: int, home: Path, cores: Cores) -> Iterator[Server]:
    """Run a rival's own server for the block's length.

    Args:
        name: names it where it fails.
        command: starts it, in the foreground.
        port: where it listens once it has started.
        home: a folder of its own, which gets its log.
        cores: where it runs.

    Raises:
        ServerFailed: it did not start.
    """
    log = home / "log"
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    server = Tree(port, psutil.Process(process.pid))
    try:
        until = time.monotonic() + _START_SECONDS
        while not _listens(port):
            if time.monotonic() > until or process.poll() is not None:
                raise ServerFailed(f"{name} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        server.pin(cores.server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), timeout=1)):
        return True
    return False


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: broker\r\nAccept: text/event-stream\r\n\r\n".encode()


def _post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: broker\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body
    )


def _post_event(frame: bytes) -> bytes:
    """The data of a frame: nchan writes the event's other lines itself."""
    data = frame.partition(b"data: ")[2].partition(b"\n")[0]
    return _post("/publish", data, {"X-EventSource-Event": "alert", "Content-Type": "application/json"})


def publish_to_nchan(port: int, alerts: Sequence[bytes]) -> str:
    """Publish alerts to nchan's channel, in order. Returns the id of the first."""
    first = ""
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for data in alerts:
            connection.request("POST", "/publish", data, {"X-EventSource-Event": "alert"})
            said = connection.getresponse().read().decode()
            first = first or said.rpartition("last message id: ")[2].strip()
    return first
