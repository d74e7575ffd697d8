"""The clients of docs/examples, as a vendor would run them: through a cut line, a restored register and repeats.

Each language runs on each engine.
"""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.demo import papers
from app.demo.people import Person
from app.kit.clock import legal_day, system_clock
from app.settings import Settings
from app.wiring import wired_runtime
from tests.support.actors import Actors, Caller
from tests.support.cli import LONGEST, cekal
from tests.support.clients import Client
from tests.support.databases import PEPPER
from tests.support.relay import relay_to
from tests.support.running import running
from tests.support.steps import expect
from tests.support.tools import EXAMPLES

Json = dict[str, Any]


@pytest.fixture(params=["python", "typescript"])
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How a client is run."""
    if request.param == "python":
        return (sys.executable, str(EXAMPLES / "checkpoint.py"))
    return ("node", str(request.getfixturevalue("typescript_client") / "out" / "checkpoint.js"))


async def urgent(http: httpx2.AsyncClient, officer: Caller, person: Person) -> Json:
    """An urgent exit ban against a person, made today."""
    body = papers.urgent_exit_ban(person, legal_day(system_clock()))
    headers = officer.once(person.passport)
    return expect(await http.post("/v1/urgent-entries", json=body, headers=headers), 201)


async def test_a_vendors_client_misses_nothing(  # noqa: PLR0915 - one story
    command: tuple[str, ...], engine_url: str, tmp_path: Path
):
    settings = Settings(database_url=engine_url, data_dir=tmp_path, key_pepper=PEPPER)
    runtime = wired_runtime(settings)
    actors = Actors(runtime)
    officer, counter = await actors.client("submitter"), await actors.client("checkpoint")
    await runtime.close()
    first, second, third, stranger = (Person.invent() for _ in range(4))

    async with AsyncExitStack() as line:
        with running("serve", "--port", 0, cwd=tmp_path, database_url=engine_url) as service:
            port = service.heard("ready")["port"]
            relay = await line.enter_async_context(relay_to(port))
            environment = {
                "PATH": os.environ["PATH"],
                "CHECKPOINT_URL": f"http://127.0.0.1:{relay.port}",
                "CHECKPOINT_KEY": counter.key,
            }
            client = Client(command, environment, tmp_path, "listen", "alert")
            listening = await line.enter_async_context(client.listening())
            assert (await listening.next("connected"))["cursor"] is None

            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LONGEST) as http:
                raised = await urgent(http, officer, first)
                told = await listening.next("alert")
                assert (told["id"], told["kind"]) == (raised["alert"]["id"], "raise")
                assert (await listening.next("received"))["again"] is False
                answer = await client.asked("check", given=papers.scan(first, "exit"))
                assert (answer["action"], answer["matches"][0]["entry_id"]) == (
                    "refer_to_supervisor",
                    raised["entry"]["id"],
                )
                assert (await client.asked("check", given=papers.scan(stranger, "exit")))[
                    "outcome"
                ] == "clear"
                bad = await client.asked("check", given={"direction": "exit", "mrz": "?"})
                assert (bad["outcome"], bad["errors"]["status"]) == ("ask_again", 422)

                receipts = [await client.asked("acknowledge", told["id"], "Desk 4") for _ in range(2)]
                assert [receipt.pop("again") for receipt in receipts] == [False, True]
                assert receipts[0] == receipts[1], "a repeat is answered with the first"

                relay.cut()
                await listening.next("disconnected")
                missed = await urgent(http, officer, second)
                answer = await client.asked("check", given=papers.scan(first, "exit"))
                assert answer == {
                    "outcome": "unavailable",
                    "action": "refer_to_supervisor",
                    "held_by": [raised["alert"]["id"]],
                }
                answer = await client.asked("check", given=papers.typed(stranger, "exit", state="IDN"))
                assert answer == {"outcome": "unavailable", "action": None, "held_by": []}
                relay.target = port
                assert (await listening.next("connected"))["cursor"] is not None
                assert (await listening.next("alert"))["id"] == missed["alert"]["id"]
                await listening.next("received")
                path = f"/v1/alerts/{missed['alert']['id']}/coverage"
                coverage = expect(await http.get(path, headers=officer.headers), 200)
                assert coverage["received"] == 1
            relay.cut()
            assert service.end() == 0

        assert cekal("restore", cwd=tmp_path, database_url=engine_url).code == 0
        with running("serve", "--port", 0, cwd=tmp_path, database_url=engine_url) as service:
            relay.target = port = service.heard("ready")["port"]
            restored = await listening.next("restored")
            assert restored == {"event": "restored", "held": 2, "lost": []}
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LONGEST) as http:
                raised = await urgent(http, officer, third)
            assert (await listening.next("alert"))["id"] == raised["alert"]["id"]
            await listening.next("received")
            listening.process.kill()
            await listening.process.wait()
            again = await line.enter_async_context(client.listening())
            await again.next("connected")
            kept = json.loads((tmp_path / "checkpoint.json").read_text())
            assert len(kept["held"]) == 3
            assert kept["due"] == []


@pytest.mark.parametrize("absent", ["CHECKPOINT_URL", "CHECKPOINT_KEY"])
async def test_a_setting_that_is_absent_is_named(command: tuple[str, ...], tmp_path: Path, absent: str):
    """Without it a client could only say that the centre does not answer."""
    environment = {"PATH": os.environ["PATH"], "CHECKPOINT_URL": "http://127.0.0.1:1", "CHECKPOINT_KEY": "k"}
    del environment[absent]
    process = await Client(command, environment, tmp_path, "listen", "alert").started("check")
    out, err = await asyncio.wait_for(process.communicate(b"{}"), LONGEST)
    assert (process.returncode, out, err.decode().strip()) == (1, b"", f"Not set: {absent}.")


async def test_a_key_that_is_refused_ends_the_client(
    command: tuple[str, ...], engine_url: str, tmp_path: Path
):
    with running("serve", "--port", 0, cwd=tmp_path, database_url=engine_url) as service:
        url = f"http://127.0.0.1:{service.heard('ready')['port']}"
        environment = {"PATH": os.environ["PATH"], "CHECKPOINT_URL": url, "CHECKPOINT_KEY": "cekal_unknown"}
        process = await Client(command, environment, tmp_path, "listen", "alert").started("listen")
        _, err = await asyncio.wait_for(process.communicate(), LONGEST)
    assert process.returncode == 1
    assert b"have it replaced" in err
