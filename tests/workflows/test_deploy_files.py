"""The files of docs/deploy as they are shipped: proxies that carry the service, units that systemd takes."""

import asyncio
import base64
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image

from app.demo import papers
from app.demo.people import Person
from app.demo.server import any_free_port
from app.kit.clock import legal_day, system_clock
from app.settings import Settings
from app.wiring import wired_runtime
from tests.support.actors import Actors, Caller
from tests.support.certificates import CERTIFICATE, KEY
from tests.support.cli import LONGEST, ROOT
from tests.support.databases import PEPPER
from tests.support.running import running
from tests.support.sse import listening
from tests.support.steps import expect

DEPLOY = ROOT / "docs" / "deploy"
MIB = 1 << 20
CADDY = "{\n\tadmin off\n\tauto_https disable_redirects\n"
"""What a test needs beside the options of the shipped file: it may not take ports of the machine."""

NGINX = """{user} daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{ worker_connections 512; }}
http {{
    access_log off; default_type application/octet-stream;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/site;
}}
"""
"""What stands around a site in the nginx.conf of a distribution, with every file in one folder."""


def program(name: str) -> str:
    """Where a program is; it may lie outside of an ordinary user's path."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def shipped(name: str, **instead: object) -> str:
    """A shipped file with the places of this test instead of its own; each of them must be in it."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    for what, value in instead.items():
        pattern = {
            "site": r"^cekal\.example(?= \{)|(?<=listen )443",
            "service": r"127\.0\.0\.1:8000",
            "certificate": r"/etc/cekal/tls/chain\.pem",
            "key": r"/etc/cekal/tls/key\.pem",
        }[what]
        text, count = re.subn(pattern, str(value), text, flags=re.MULTILINE)
        assert count == 1, f"{name}: {what}"
    return text


@contextmanager
def proxy(name: str, folder: Path, service: int) -> Iterator[str]:
    """A proxy with the shipped file before a service, for the block's length; gives its address."""
    path, port, files = program(name), any_free_port(), {}
    for what, content in (("certificate", CERTIFICATE), ("key", KEY)):
        files[what] = folder / f"{what}.pem"
        files[what].write_text(content)
    places = {"service": f"127.0.0.1:{service}", **files}
    if name == "nginx":
        user = "user root;" if os.geteuid() == 0 else ""  # or its own may not enter the test's folder
        (folder / "site").write_text(shipped("nginx.conf", site=f"127.0.0.1:{port}", **places))
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
        command = [path, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    else:
        (folder / "Caddyfile").write_text(
            shipped("Caddyfile", site=f"https://127.0.0.1:{port}", **places).replace("{\n", CADDY, 1)
        )
        command = [path, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            command, env={"PATH": os.defpath, "HOME": str(folder)}, stdout=log, stderr=log
        )
    try:
        until = time.monotonic() + LONGEST
        while time.monotonic() < until and process.poll() is None:
            try:
                httpx2.get(f"https://127.0.0.1:{port}/healthz", verify=trusted())
            except httpx2.TransportError:
                time.sleep(0.05)
            else:
                break
        else:
            raise AssertionError((folder / "proxy.log").read_text() + str(list(folder.iterdir())))
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(LONGEST)


def trusted() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=CERTIFICATE)


@dataclass
class Behind:
    """A service behind a proxy."""

    name: str
    http: httpx2.AsyncClient
    officer: Caller
    counter: Caller
    bound: Caller
    foreign: Caller


@pytest.fixture(params=["nginx", "caddy"])
async def behind(request: pytest.FixtureRequest, sqlite_url: str, tmp_path: Path) -> AsyncIterator[Behind]:
    program(request.param)
    runtime = wired_runtime(Settings(database_url=sqlite_url, data_dir=tmp_path, key_pepper=PEPPER))
    actors = Actors(runtime)
    callers = [
        await actors.client("submitter"),
        await actors.client("checkpoint"),
        await actors.client("checkpoint", networks=["127.0.0.1/32"]),
        await actors.client("checkpoint", networks=["203.0.113.0/24"]),
    ]
    await runtime.close()
    settings = {"database_url": sqlite_url, "trusted_proxies": "127.0.0.1/32"}
    with running("serve", "--port", 0, cwd=tmp_path, **settings) as service:
        folder = tmp_path / "proxy"
        folder.mkdir()
        with proxy(request.param, folder, service.heard("ready")["port"]) as url:
            async with httpx2.AsyncClient(base_url=url, verify=trusted(), timeout=LONGEST) as http:
                yield Behind(request.param, http, *callers)


def large_photo(size: int) -> dict[str, Any]:
    """A JPEG of about so many bytes that can't be made smaller: noise."""
    side = int((size / 0.717) ** 0.5)
    image = Image.frombytes("L", (side, side), os.urandom(side * side))
    written = BytesIO()
    image.save(written, "JPEG", quality=90)
    return {"media_type": "image/jpeg", "data": base64.b64encode(written.getvalue()).decode()}


async def test_a_proxy_carries_large_bodies_streams_and_polls(behind: Behind):
    http, officer, counter = behind.http, behind.officer, behind.counter
    head = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["cursor"]
    poll = asyncio.create_task(
        http.get("/v1/alerts", params={"after": head, "wait": 30}, headers=counter.headers)
    )
    async with listening(http, counter.headers) as stream:
        await stream.next("heartbeat")
        body = papers.urgent_exit_ban(Person.invent(), legal_day(system_clock()))
        body["subject"]["photo"] = large_photo(930_000)
        sent = httpx2.Request("POST", "http://x", json=body)
        assert int(sent.headers["content-length"]) > 1.15 * MIB
        raised = expect(
            await http.post("/v1/urgent-entries", json=body, headers=officer.once("a-large-photo")), 201
        )
        told = await asyncio.wait_for(stream.next("alert"), 10)
        assert told.json["id"] == raised["alert"]["id"]
    polled = expect(await asyncio.wait_for(poll, 10), 200)
    assert [item["id"] for item in polled["items"]] == [raised["alert"]["id"]]


async def test_a_batch_as_large_as_the_service_takes_passes_and_a_larger_one_gets_its_own_problem(
    behind: Behind,
):
    headers = {**behind.counter.headers, "Content-Type": "application/json"}
    question = papers.scan(Person.invent(), "exit")
    batch = httpx2.Request("POST", "http://x", json={"items": [question]}).read()
    whole = batch + b" " * (8 * MIB - len(batch))
    answer = expect(await behind.http.post("/v1/checks/batch", content=whole, headers=headers), 200)
    assert [item["outcome"] for item in answer["items"]] == ["clear"]
    larger = whole + b" " * 1000
    try:
        refused = await behind.http.post("/v1/checks/batch", content=larger, headers=headers)
    except httpx2.TransportError:
        assert behind.name == "caddy", "it hands on the refusal, and closes, before the body is there"
        return
    assert expect(refused, 413)["type"] == "/problems/body-too-large"


async def test_the_service_sees_the_clients_address_and_not_what_a_client_says(behind: Behind):
    question = papers.scan(Person.invent(), "exit")
    lie = {"X-Forwarded-For": "203.0.113.5"}
    for who, status in ((behind.bound, 200), (behind.foreign, 401)):
        answer = await behind.http.post("/v1/checks", json=question, headers={**who.headers, **lie})
        assert answer.status_code == status
    assert (await behind.http.get("/metrics", headers=behind.counter.headers)).status_code == 404


UNITS = ("cekal.service", "cekal-witness.service", "cekal-backup.service", "cekal-backup.timer")


def test_systemd_takes_the_units(tmp_path: Path):
    verify = program("systemd-analyze")
    for name in UNITS:
        text = (DEPLOY / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/srv/cekal/bin/cekal", shutil.which("true") or "true"))
    told = subprocess.run(
        [verify, "verify", "--man=no", *(tmp_path / name for name in UNITS)],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    ours = [line for line in told.stderr.splitlines() if "cekal" in line]
    assert (told.returncode, ours) == (0, [])


def test_every_file_of_the_folder_is_explained_and_tried():
    page = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    tried = {
        *UNITS,
        "nginx.conf",
        "nginx-several.conf",
        "Caddyfile",
        "logrotate",
        "prometheus-rules.yml",
        "grafana-dashboard.json",
    }
    assert {path.name for path in DEPLOY.iterdir()} == tried
    assert {name for name in tried if f"(deploy/{name})" not in page} == set()


def test_logrotate_takes_its_file(tmp_path: Path):
    path = program("logrotate")
    file = tmp_path / "logrotate"
    file.write_text((DEPLOY / "logrotate").read_text(encoding="utf-8"))
    file.chmod(0o644)
    told = subprocess.run(
        [path, "--debug", "--state", tmp_path / "state", file],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )
    assert (told.returncode, "error" in told.stderr) == (0, False), told.stderr
