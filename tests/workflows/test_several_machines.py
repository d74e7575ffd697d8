"""Two processes behind the shipped proxy: an alert crosses, and the end of one of them costs no answer."""

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from app.demo.server import any_free_port
from app.settings import Settings
from tests.support.actors import Actors
from tests.support.bodies import check_body, entry_body
from tests.support.processes import Process, process
from tests.support.served import client_for
from tests.support.sse import Events, listening
from tests.support.steps import expect, sound
from tests.workflows.test_deploy_files import DEPLOY, NGINX, program

pytestmark = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)


def _started(path: str, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "proxy.log").open("wb") as log:
        command = [path, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
        return subprocess.Popen(command, stdout=log, stderr=log)


@asynccontextmanager
async def balanced(folder: Path, *services: Process) -> AsyncIterator[httpx2.AsyncClient]:
    """The shipped proxy before two processes, for the block's length; gives a client for it."""
    path, port = program("nginx"), any_free_port()
    site = (DEPLOY / "nginx-several.conf").read_text(encoding="utf-8")
    for name, service in zip(("register-1:8000", "register-2:8000"), services, strict=True):
        assert site.count(name) == 1
        site = site.replace(name, service.url.removeprefix("http://"))
    site, replaced = re.subn(r"(?<=listen )8080", f"127.0.0.1:{port}", site)
    assert replaced == 1
    user = "user root;" if os.geteuid() == 0 else ""  # or its own may not enter the test's folder
    (folder / "site").write_text(site)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user))
    running = _started(path, folder)
    try:
        async with client_for(f"http://127.0.0.1:{port}") as http, asyncio.timeout(60):
            while True:
                assert running.poll() is None, (folder / "proxy.log").read_text()
                try:
                    await http.get("/healthz")
                    break
                except httpx2.TransportError:
                    await asyncio.sleep(0.05)
            yield http
    finally:
        running.terminate()
        running.wait(20)


async def ends(stream: Events) -> bool:
    """Whether a stream ends within two seconds."""
    try:
        await stream.next("end", within=2)
    except EOFError:
        return True
    except TimeoutError:
        return False
    raise AssertionError("there is no such event")


async def test_the_end_of_one_process_costs_no_answer_and_no_alert(
    settings: Settings, actors: Actors, tmp_path: Path
) -> None:
    program("nginx")
    counter, owner = await actors.client("checkpoint"), await actors.client("submitter")
    question = check_body(entry_body()["subject"])
    folders = [tmp_path / name for name in ("one", "two", "proxy")]
    for folder in folders:
        folder.mkdir()
    given = {"trusted_proxies": "127.0.0.1/32"}
    async with (
        process(settings, folders[0], **given) as one,
        process(settings, folders[1], **given) as two,
        balanced(folders[2], one, two) as http,
    ):
        async with listening(http, counter.headers) as stream, listening(http, counter.headers) as other:
            for each in (stream, other):
                await each.next("heartbeat")
            raised = await sound(http, owner)
            seen = [await each.next("alert") for each in (stream, other)]
            assert {event.json["id"] for event in seen} == {raised["alert"]["id"]}
            one.kill()  # as a machine that loses its power
            for _ in range(20):
                expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
            assert sorted([await ends(stream), await ends(other)]) == [False, True], "each process had one"
        async with listening(http, counter.headers, last_event_id=seen[0].id) as stream:
            again = await sound(http, owner)
            assert (await stream.next("alert")).json["id"] == again["alert"]["id"]
