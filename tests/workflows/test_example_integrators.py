"""The integrators of docs/examples, as an agency would run them: through a cut line, a restore and a revoked key."""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app.access.clients.revocations import revoke_key
from app.access.domain import SYSTEM
from app.ledger.service import head
from app.ledger.tables import record
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from tests.support.actors import Actors
from tests.support.changes import draft, write
from tests.support.cli import LONGEST, cekal
from tests.support.clients import Client, Listening
from tests.support.databases import PEPPER
from tests.support.relay import relay_to
from tests.support.running import running
from tests.support.tools import EXAMPLES

Json = dict[str, Any]


@pytest.fixture(params=["python", "typescript"])
def command(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How an integrator is run."""
    if request.param == "python":
        return (sys.executable, str(EXAMPLES / "integrator.py"))
    return ("node", str(request.getfixturevalue("typescript_client") / "out" / "integrator.js"))


async def numbers(following: Listening, count: int) -> list[int]:
    """The numbers of the next so many records."""
    return [(await following.next("change"))["sequence"] for _ in range(count)]


async def size_of(runtime: Runtime) -> int:
    """The number of the ledger's records."""
    async with runtime.reading(SYSTEM) as reader:
        return (await head(reader)).size


async def entries(client: Client) -> list[Json]:
    """What its copy holds."""
    process = await client.started("show")
    out, err = await asyncio.wait_for(process.communicate(), LONGEST)
    assert process.returncode == 0, err.decode()
    return [json.loads(line) for line in out.splitlines()]


async def test_an_integrators_copy_stays_in_step(
    command: tuple[str, ...], engine_url: str, tmp_path: Path
) -> None:
    runtime = wired_runtime(Settings(database_url=engine_url, data_dir=tmp_path, key_pepper=PEPPER))
    caller = await Actors(runtime).client("integrator")
    await write(runtime, [draft("ent_1", 1), draft("ent_2", 1, agency="BNN"), draft("ent_1", 2)])

    async with AsyncExitStack() as line:
        with running("serve", "--port", 0, cwd=tmp_path, database_url=engine_url) as service:
            relay = await line.enter_async_context(relay_to(service.heard("ready")["port"]))
            environment = {
                "PATH": os.environ["PATH"],
                "INTEGRATOR_URL": f"http://127.0.0.1:{relay.port}",
                "INTEGRATOR_KEY": caller.key,
            }
            client = Client(command, environment, tmp_path, "follow", "change")
            following = await line.enter_async_context(client.listening())
            assert (await following.next("connected"))["cursor"] is None
            told = [await following.next("change") for _ in range(3)]
            assert [each["sequence"] for each in told] == [1, 2, 3]
            assert [each["withheld"] for each in told] == [None, "scope", None]
            assert await following.next("in_step") == {"event": "in_step", "sequence": 3, "entries": 2}
            await write(runtime, [draft("ent_3", 1)])
            assert await numbers(following, 1) == [4]

            target, _ = relay.target, relay.cut()
            await following.next("disconnected")
            await write(runtime, [draft("ent_3", 2), draft("ent_4", 1)])
            relay.target = target
            assert (await following.next("connected"))["cursor"].endswith(".4")
            assert await numbers(following, 2) == [5, 6]
            assert await following.next("in_step") == {"event": "in_step", "sequence": 6, "entries": 4}
            relay.cut()
            assert service.end() == 0

        assert cekal("restore", cwd=tmp_path, database_url=engine_url).code == 0
        with running("serve", "--port", 0, cwd=tmp_path, database_url=engine_url) as service:
            relay.target = service.heard("ready")["port"]
            await following.next("disconnected")
            assert (await following.next("connected"))["cursor"] is None
            # with the restore, and the seal of what the service noted before
            assert await numbers(following, size := await size_of(runtime)) == list(range(1, size + 1))
            assert await following.next("restored") == {"event": "restored", "entries": 4, "lost": []}
            following.process.kill()
            await following.process.wait()
            again = await line.enter_async_context(client.listening())
            assert (await again.next("connected"))["cursor"].endswith(f".{size}")
            assert (await again.next("in_step"))["sequence"] == size
            async with runtime.writing(SYSTEM) as unit:
                await revoke_key(unit, caller.id, caller.key_id)
            await asyncio.wait_for(again.process.wait(), LONGEST)
            assert again.process.returncode == 1
            assert again.process.stderr is not None
            assert b"have it replaced" in await again.process.stderr.read()
    await runtime.close()
    held = {each["id"]: each for each in await entries(client)}
    assert sorted(held) == ["ent_1", "ent_2", "ent_3", "ent_4"]
    assert {name: each["version"] for name, each in held.items()} == {
        "ent_1": 2,
        "ent_2": 1,
        "ent_3": 2,
        "ent_4": 1,
    }
    assert held["ent_3"]["personal"] == {"secret": "ent_3 2"}
    assert held["ent_2"]["personal"] is None


async def test_an_altered_record_stops_an_integrator(
    command: tuple[str, ...], engine_url: str, tmp_path: Path
) -> None:
    runtime = wired_runtime(Settings(database_url=engine_url, data_dir=tmp_path, key_pepper=PEPPER))
    caller = await Actors(runtime).client("integrator")
    await write(runtime, [draft("ent_1", 1), draft("ent_2", 1)])
    async with runtime.writing(SYSTEM) as unit:
        altered = {"personal": '{"secret": "another person"}'}
        await unit.run(update(record).where(record.c.sequence == 2).values(altered))
    await runtime.close()
    with running("serve", "--port", 0, cwd=tmp_path, database_url=engine_url) as service:
        url = f"http://127.0.0.1:{service.heard('ready')['port']}"
        environment = {"PATH": os.environ["PATH"], "INTEGRATOR_URL": url, "INTEGRATOR_KEY": caller.key}
        client = Client(command, environment, tmp_path, "follow", "change")
        process = await client.started("follow")
        _, err = await asyncio.wait_for(process.communicate(), LONGEST)
    assert process.returncode == 1
    assert b"Record 2 is not the one to which its leaf commits." in err
    assert [each["id"] for each in await entries(client)] == ["ent_1"]
