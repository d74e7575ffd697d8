"""`cekal serve` and `cekal worker`: what they refuse before they start, how they start, and how they end."""

import contextlib
import json
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from app.db.lanes import most_connections
from app.settings import Settings
from tests.support.actors import Actors
from tests.support.cli import LONGEST, ROOT, Told, cekal, environment
from tests.support.databases import Run
from tests.support.running import running


def refused(told: Told, code: int, *words: str) -> None:
    """Hold that it did not start, and said why in a line."""
    assert told.code == code, told
    assert told.err.count("\n") == 1, told.err
    for word in words:
        assert word in told.err


def test_it_says_ready_with_its_address_and_ends_with_nought(settings: Settings, tmp_path: Path):
    with running("serve", "--port", 0, cwd=tmp_path, database_url=settings.url) as service:
        ready = service.heard("ready")
        assert (ready["host"], ready["database"]) == ("127.0.0.1", settings.url.partition(":")[0])
        url = f"http://127.0.0.1:{ready['port']}"
        assert httpx2.get(f"{url}/readyz").json()["status"] == "ready"
        assert "server" not in httpx2.get(f"{url}/healthz").headers
        assert service.end() == 0
        assert [line["message"] for line in service.lines()].count("ready") == 1


def test_a_checkpoint_for_manifests_that_is_none_is_warned_of(sqlite_url: str, tmp_path: Path):
    given = {"database_url": sqlite_url, "manifest_checkpoint": "ZZZ"}
    with running("serve", "--port", 0, cwd=tmp_path, **given) as service:
        service.heard("ready")
        [warned] = [line for line in service.lines() if "CEKAL_MANIFEST_CHECKPOINT" in line["message"]]
        assert (warned["level"].lower(), warned["checkpoint"]) == ("warning", "ZZZ")


@pytest.mark.parametrize(
    "sent",
    [
        b"FOO /v1/entries HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/checks HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
    ],
    ids=["an unknown method", "a length below nought", "TLS where HTTP is spoken"],
)
def test_what_is_no_http_gets_a_problem_too(sqlite_url: str, tmp_path: Path, sent: bytes):
    with running("serve", "--port", 0, cwd=tmp_path, database_url=sqlite_url) as service:
        address = ("127.0.0.1", service.heard("ready")["port"])
        with socket.create_connection(address, timeout=LONGEST) as connection:
            connection.sendall(sent)
            with connection.makefile("rb") as answer:
                head, _, body = answer.read().partition(b"\r\n\r\n")
    status, *headers = head.lower().split(b"\r\n")
    assert status == b"http/1.1 400 bad request"
    assert {b"content-type: application/problem+json", b"connection: close"} <= set(headers)
    assert f"content-length: {len(body)}".encode() in headers
    assert json.loads(body)["type"] == "/problems/bad-request"


async def test_it_ends_at_once_with_a_stream_open(settings: Settings, actors: Actors, tmp_path: Path):
    counter = await actors.client("checkpoint")
    with running("serve", "--port", 0, cwd=tmp_path, database_url=settings.url) as service:
        url = f"http://127.0.0.1:{service.heard('ready')['port']}"
        async with (
            httpx2.AsyncClient(base_url=url) as http,
            http.stream("GET", "/v1/alerts/stream", headers=counter.headers) as stream,
        ):
            assert stream.status_code == 200
            assert service.end(signal.SIGINT) == 0


def test_a_schema_of_another_program_is_refused_before_anything_starts(sqlite_url: str, tmp_path: Path):
    database = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    with contextlib.closing(database), database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
    refused(cekal("serve", cwd=tmp_path, database_url=sqlite_url), 1, "schema is 0000", "run `cekal migrate`")


def test_an_empty_file_is_no_register_yet(tmp_path: Path):
    (tmp_path / "empty.db").touch()
    told = cekal("serve", cwd=tmp_path, database_url="sqlite:///empty.db")
    refused(told, 1, "not there yet", "run `cekal migrate`")


def test_several_workers_need_postgresql(sqlite_url: str, tmp_path: Path):
    told = cekal("serve", "--workers", 2, cwd=tmp_path, database_url=sqlite_url)
    refused(told, 2, "SQLite takes one writer", "postgresql://")


def test_a_worker_alone_needs_postgresql(sqlite_url: str, tmp_path: Path):
    refused(cekal("worker", cwd=tmp_path, database_url=sqlite_url), 2, "cekal serve")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "register.example"])
def test_a_test_clock_is_for_loopback_only(sqlite_url: str, tmp_path: Path, host: str):
    (tmp_path / "clock").write_text("2026-11-23T10:00:00+07:00")
    settings = {"env": "test", "test_clock": "clock", "database_url": sqlite_url}
    refused(cekal("serve", "--host", host, cwd=tmp_path, **settings), 2, "CEKAL_TEST_CLOCK", "loopback")


def test_a_port_in_use_is_told(sqlite_url: str, tmp_path: Path):
    with running("serve", "--port", 0, cwd=tmp_path, database_url=sqlite_url) as service:
        port = service.heard("ready")["port"]
        told = cekal("serve", "--port", port, cwd=tmp_path, database_url=sqlite_url)
        refused(told, 1, f"Can't listen on 127.0.0.1 port {port}", "--port")


def test_metrics_have_an_address_of_their_own(sqlite_url: str, tmp_path: Path):
    settings = {"database_url": sqlite_url, "metrics_bind": "127.0.0.1:0"}
    with running("serve", "--port", 0, cwd=tmp_path, **settings) as service:
        told = service.heard("metrics")
        text = httpx2.get(f"http://127.0.0.1:{told['port']}/metrics").text
        assert "cekal_http_requests_total" in text
        ready = service.heard("ready")
        assert httpx2.get(f"http://127.0.0.1:{ready['port']}/metrics").status_code == 401
        assert service.end() == 0


def test_an_address_for_metrics_that_is_none_is_told(sqlite_url: str, tmp_path: Path):
    settings = {"database_url": sqlite_url, "metrics_bind": "9100"}
    refused(cekal("serve", cwd=tmp_path, **settings), 2, "CEKAL_METRICS_BIND", "host:port")


def test_an_address_for_metrics_in_use_keeps_it_from_starting(sqlite_url: str, tmp_path: Path):
    with running("serve", "--port", 0, cwd=tmp_path, database_url=sqlite_url) as service:
        taken = service.heard("ready")["port"]
        settings = {"database_url": sqlite_url, "metrics_bind": f"127.0.0.1:{taken}"}
        told = cekal("serve", "--port", 0, cwd=tmp_path, **settings)
    assert told.code == 1
    assert "CEKAL_METRICS_BIND can't be listened on" in told.err


def test_forwarded_addresses_are_believed_from_trusted_proxies_only(sqlite_url: str, tmp_path: Path):
    """A key that is bound to a network shows which address the service sees."""
    made = (
        "client",
        "create",
        "--role",
        "auditor",
        "--person",
        "19800101",
        "--network",
        "192.0.2.0/24",
        "--json",
    )
    key = cekal(*made, cwd=tmp_path, database_url=sqlite_url).json["key"]
    headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": "192.0.2.7"}
    statuses = []
    for settings in ({}, {"trusted_proxies": "127.0.0.0/8"}):
        with running("serve", "--port", 0, cwd=tmp_path, database_url=sqlite_url, **settings) as service:
            port = service.heard("ready")["port"]
            statuses.append(httpx2.get(f"http://127.0.0.1:{port}/v1/agencies", headers=headers).status_code)
            assert service.end() == 0
    assert statuses == [401, 200]


@pytest.mark.skipif(
    not Path("/proc/self/limits").is_file(), reason="limits are read from /proc, which is not here"
)
def test_it_may_open_as_many_connections_as_the_machine_allows(sqlite_url: str, tmp_path: Path):
    with running("serve", "--port", 0, cwd=tmp_path, database_url=sqlite_url) as service:
        service.heard("ready")
        limits = Path(f"/proc/{service.process.pid}/limits").read_text()
        [line] = [line for line in limits.splitlines() if line.startswith("Max open files")]
        soft, hard = line.split()[3:5]
        assert soft == hard


@pytest.mark.parametrize(("files", "code"), [(100, 1), (400, 124)])
def test_too_few_files_are_told_at_the_start(sqlite_url: str, tmp_path: Path, files: int, code: int):
    """With next to none it does not start; with few it says how many connections that leaves."""
    serve = f"ulimit -n {files}; exec timeout 8 {sys.executable} -m app.cli serve --port 0"
    told = subprocess.run(
        ["/bin/sh", "-c", serve],
        cwd=tmp_path,
        env=environment(database_url=sqlite_url),
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert told.returncode == code
    left = files - 128 - most_connections(10)
    assert ("raise it" if code == 1 else f'"connections":{left},') in told.stderr + told.stdout


def test_on_postgresql_several_processes_serve_and_end_together(run: Run, tmp_path: Path):
    with (
        run.postgresql() as url,
        running("serve", "--port", 0, "--workers", 2, cwd=tmp_path, database_url=url) as service,
    ):
        ready = service.heard("ready")
        until = time.monotonic() + LONGEST
        while sum(line["message"] == "ready" for line in service.lines()) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)
        address = f"http://127.0.0.1:{ready['port']}"
        assert httpx2.get(f"{address}/readyz").json()["status"] == "ready"
        too_large = {"x": "y" * 20_000}  # every process has the same limits, whichever takes the connection
        assert {httpx2.get(address, headers=too_large).status_code for _ in range(8)} == {431}
        assert service.end() == 0


def test_on_postgresql_a_worker_runs_alone_and_ends_when_told(run: Run, tmp_path: Path):
    with run.postgresql() as url, running("worker", cwd=tmp_path, database_url=url) as service:
        assert service.heard("ready")["job"] == "worker"
        assert service.end() == 0


def test_a_long_running_process_does_not_hold_the_libraries_of_the_command_line():
    script = (
        "import sys, app.asgi, app.cli.serving, app.worker;"
        "print([name for name in ('typer', 'rich', 'PIL', 'lxml', 'alembic') if name in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=ROOT,
        check=True,
    )
    assert told.stdout == "[]\n"
