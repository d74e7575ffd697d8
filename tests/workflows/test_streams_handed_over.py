"""A live stream has a connection and no task: its framing, its limits, its end, and that nothing is lost before."""

import asyncio
import io
import logging
import random
import re
import socket
import ssl
import struct
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.alerting.streams import hub as hub_module
from app.runtime import Runtime
from app.settings import Settings
from app.sync.feed import stream as feed_stream
from tests.support.actors import Actors, Caller
from tests.support.certificates import CERTIFICATE, KEY
from tests.support.changes import PATH, draft, write
from tests.support.cli import LONGEST
from tests.support.running import Running, running
from tests.support.served import Served
from tests.support.sse import listening
from tests.support.steps import expect, impose
from tests.support.waiting import until

ALERTS = "/v1/alerts/stream"
BEAT = b"event: heartbeat"


def asking(caller: Caller, path: str = ALERTS, version: str = "1.1") -> bytes:
    return f"GET {path} HTTP/{version}\r\nHost: x\r\nAuthorization: Bearer {caller.key}\r\n\r\n".encode()


def read_until(line: socket.socket, mark: bytes) -> bytes:
    """What comes up to a mark, or to the end."""
    came = b""
    while mark not in came and (part := line.recv(65536)):
        came += part
    return came


def read_rest(line: socket.socket) -> bytes:
    came = b""
    while part := line.recv(65536):
        came += part
    return came


@contextmanager
def opened(port: int, request: bytes) -> Iterator[tuple[socket.socket, bytes]]:
    """A connection with a stream, and what has come up to its first heartbeat."""
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST) as line:
        line.sendall(request)
        yield line, read_until(line, BEAT)


def unchunked(body: bytes) -> bytes:
    """The content of a chunked body, which must be whole."""
    content, rest = b"", body
    while True:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        assert rest[length : length + 2] == b"\r\n"
        if not length:
            assert rest == b"\r\n"
            return content
        content, rest = content + rest[:length], rest[length + 2 :]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_a_stream_is_framed_as_its_version_of_http_demands(
    served: Served, counter: Caller, version: str
) -> None:
    def read() -> bytes:
        with opened(served.port, asking(counter, version=version)) as (line, first):
            served.act(served.app.state.process.hub.publish, 0, b"event: alert\ndata: {}\n\n")
            second = read_until(line, b"data: {}\n\n")
            served.act(served.app.state.process.hub.close_all, "renew")
            return first + second + read_rest(line)

    head, _, body = (await asyncio.to_thread(read)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close" in head.split(b"\r\n")
    assert (b"transfer-encoding: chunked" in head) == (version == "1.1")
    content = unchunked(body) if version == "1.1" else body
    assert content.startswith(b"retry: ")
    assert re.search(rb"\n\nevent: alert\ndata: {}\n\nretry: \d{3}\n: renew\n\n\Z", content)


@pytest.mark.parametrize("path", ["/evidence", "/photo"])
async def test_an_answer_in_pieces_has_no_chunks_for_http_1_0(
    served: Served, actors: Actors, auditor: Caller, path: str
) -> None:
    """The evidence file has no length before it is made; the photo has one."""
    entry = await impose(served.http, actors)

    def read() -> bytes:
        with socket.create_connection(("127.0.0.1", served.port), timeout=LONGEST) as line:
            line.sendall(asking(auditor, f"/v1/entries/{entry['id']}{path}", "1.0"))
            return read_rest(line)

    head, _, body = (await asyncio.to_thread(read)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert b"connection: close" in head.lower()
    if path == "/evidence":
        assert zipfile.ZipFile(io.BytesIO(body)).testzip() is None
    else:
        assert b"content-length: %d\r\n" % len(body) in head.lower() + b"\r\n"


@pytest.mark.parametrize("when", ["with the request", "later"])
async def test_bytes_behind_the_request_end_the_stream_cleanly(
    served: Served, counter: Caller, when: str
) -> None:
    more = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

    def read() -> bytes:
        first = asking(counter) + (more if when == "with the request" else b"")
        with opened(served.port, first) as (line, came):
            if when == "later":
                line.sendall(more)
            return came + read_rest(line)

    body = (await asyncio.to_thread(read)).partition(b"\r\n\r\n")[2]
    assert unchunked(body).endswith(b"\n\n: bytes\n\n")
    await until(lambda: not served.app.state.process.hub.streams)


async def test_readers_that_break_off_while_frames_leave_harm_no_other(
    served: Served, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each breaks off with a reset, in the middle of a round over the streams."""
    monkeypatch.setattr(hub_module, "_SLICE", 5)
    caller = await actors.client("checkpoint", gateway=True)
    hub, frames = served.app.state.process.hub, 60

    def play() -> list[bytes]:
        with ExitStack() as stack:
            streams = [stack.enter_context(opened(served.port, asking(caller))) for _ in range(60)]
            chance = random.Random(63)
            leaving = [line for line, _ in streams[::2]]
            for number in range(frames):
                served.act(hub.publish, 0, b"event: alert\ndata: %d\n\n" % number)
                if leaving and chance.random() < 0.8:
                    line = leaving.pop()
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    line.close()
            served.act(hub.close_all, "renew")
            return [first + read_rest(line) for line, first in streams[1::2]]

    everything = b"".join(b"event: alert\ndata: %d\n\n" % number for number in range(frames))
    for came in await asyncio.to_thread(play):
        content = unchunked(came.partition(b"\r\n\r\n")[2])
        assert re.search(re.escape(everything) + rb"retry: \d{3}\n: renew\n\n\Z", content)
    await until(lambda: not hub.streams)


async def test_a_client_that_leaves_while_it_waits_for_admission_is_no_error(
    served: Served, actors: Actors, caplog: pytest.LogCaptureFixture
) -> None:
    hub, counter = served.app.state.process.hub, await actors.client("checkpoint")
    entrance, places = hub.entrance, hub.entrance._value
    served.act(setattr, entrance, "_value", 0)
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(asking(counter))
    await until(lambda: bool(entrance._waiters))
    writer.transport.abort()
    for _ in range(3):  # the server has noticed it before the last of them
        expect(await served.http.get("/healthz"), 200)
    for _ in range(places):
        served.act(entrance.release)
    await until(lambda: entrance._value == places)
    expect(await served.http.get("/healthz"), 200)
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []
    assert hub.streams == set()


async def test_readers_that_come_and_go_at_any_moment_get_every_number_once(
    served: Served, runtime: Runtime, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way from the missed pages to what is new, while frames are published and distributed in small parts."""
    monkeypatch.setattr(hub_module, "_SLICE", 2)
    monkeypatch.setattr(feed_stream, "_PAGE", 3)
    reader = await actors.client("integrator", agency="IMIGRASI", gateway=True)
    last = 120

    async def writing() -> None:
        chance, written = random.Random(1), 0
        while written < last:
            part = min(chance.randint(1, 4), last - written)
            await write(runtime, [draft("ent_1", written + each) for each in range(part)])
            written += part
            await asyncio.sleep(chance.random() * 0.03)

    async def following(seed: int) -> list[int]:
        chance, seen, cursor = random.Random(seed), list[int](), None
        while len(seen) < last:
            async with listening(served.http, reader.headers, PATH, cursor) as stream:
                for _ in range(min(chance.randint(1, 25), last - len(seen))):
                    event = await stream.next("change", within=30)
                    seen.append(event.json["sequence"])
                    cursor = event.id
        return seen

    async with asyncio.TaskGroup() as group:
        group.create_task(writing())
        readers = [group.create_task(following(seed)) for seed in range(6)]
    assert [each.result() for each in readers] == [list(range(1, last + 1))] * 6


@dataclass
class Service:
    """`cekal serve` with short limits."""

    running: Running
    port: int
    counter: Caller
    metrics: str

    def figure(self, name: str) -> float:
        """The value of a metric."""
        told = httpx2.get(self.metrics).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in told if line.rpartition(" ")[0] == name)

    def answered(self) -> list[dict[str, Any]]:
        """The lines of the access log about streams."""
        lines = self.running.lines()
        return [each for each in lines if each["message"] == "answered" and each["route"] == ALERTS]


@contextmanager
def service(settings: Settings, counter: Caller, folder: Path, **given: object) -> Iterator[Service]:
    limits = {"idle_seconds": 1, "known_idle_seconds": 1, "header_seconds": 1, "metrics_bind": "127.0.0.1:0"}
    with running(
        "serve", "--port", 0, cwd=folder, database_url=settings.url, **{**limits, **given}
    ) as process:
        port = process.heard("ready")["port"]
        yield Service(process, port, counter, f"http://127.0.0.1:{process.heard('metrics')['port']}/metrics")


HELD = 'cekal_quota_held{quota="streams"}'


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_a_live_stream_is_not_idle_and_its_request_is_in_progress_until_it_ends(
    settings: Settings, counter: Caller, tmp_path: Path
) -> None:
    with service(settings, counter, tmp_path, heartbeat_seconds=4) as here:
        with opened(here.port, asking(counter)) as (line, _):
            assert BEAT in read_until(line, BEAT), "two idle times later it is open"
            assert here.answered() == []
            assert [here.figure(name) for name in (HELD, "cekal_streams_open", "cekal_connections_open")] == [
                1,
                1,
                1,
            ]
        here.running.heard("answered")
        await until(lambda: len(here.answered()) == 1)
        [noted] = here.answered()
        assert (noted["status"], noted["client_id"], noted["ms"] > 1000) == (200, counter.id, True)
        assert [here.figure(name) for name in (HELD, "cekal_streams_open", "cekal_connections_open")] == [
            0,
            0,
            0,
        ]
        assert here.running.end() == 0


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_live_streams_count_against_their_key(
    settings: Settings, counter: Caller, tmp_path: Path
) -> None:
    with service(settings, counter, tmp_path, connections_per_key=8) as here, ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(opened(here.port, asking(counter)))
        poll = asking(counter, "/v1/alerts")
        with socket.create_connection(("127.0.0.1", here.port), timeout=LONGEST) as line:
            line.sendall(poll)
            assert b"connection: close" in read_until(line, b"\r\n\r\n")
        stack.close()
        await until(lambda: here.figure("cekal_streams_open") == 0)
        with socket.create_connection(("127.0.0.1", here.port), timeout=LONGEST) as line:
            line.sendall(poll)
            assert b"connection: close" not in read_until(line, b"\r\n\r\n")


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_over_tls_an_alert_comes_and_the_end_is_clean(
    settings: Settings, actors: Actors, counter: Caller, tmp_path: Path
) -> None:
    files = {"tls_certificate": tmp_path / "host.pem", "tls_key": tmp_path / "host.key"}
    files["tls_certificate"].write_text(CERTIFICATE)
    files["tls_key"].write_text(KEY)
    duty = await actors.client("duty_officer")
    trusted = ssl.create_default_context(cadata=CERTIFICATE)
    with service(settings, counter, tmp_path, **files) as here, ExitStack() as stack:
        lines = []
        for _ in range(3):
            plain = stack.enter_context(socket.create_connection(("127.0.0.1", here.port), timeout=LONGEST))
            line = trusted.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)
            line.sendall(asking(counter))
            lines.append((stack.enter_context(line), read_until(line, BEAT)))
        async with httpx2.AsyncClient(base_url=f"https://localhost:{here.port}", verify=trusted) as http:
            drill = {"kind": "exercise", "message": "Exercise."}
            expect(await http.post("/v1/alerts", json=drill, headers=duty.headers), 201)
        broken, *whole = lines
        broken[0].close()
        for line, _ in whole:
            assert b"Exercise." in read_until(line, b"Exercise.")
        assert here.running.end() == 0
        for line, _ in whole:
            assert read_rest(line).endswith(b": shutdown\n\n\r\n0\r\n\r\n")
