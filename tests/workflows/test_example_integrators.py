"""The integrators of docs/examples, as an agency would run them: through a cut line, a restore and a revoked key."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import update

from app.access.clients.revocations import revoke_key
from app.access.domain import SYSTEM
from app.ledger.tables import record
from app.runtime import Runtime
from app.settings import Settings
from app.sync.heads.service import list_uses
from app.sync.snapshots.service import order
from app.tlog.keys import KeyKind
from app.wiring import wired_runtime
from tests.support.actors import Actors, Caller
from tests.support.changes import LINES, draft, write
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


async def records(following: Listening, *entry_ids: str | None) -> list[Json]:
    """The next records but seals: they are about these entries."""
    found = [await following.next("change") for _ in entry_ids]
    assert [each["entry_id"] for each in found] == list(entry_ids)
    return found


async def in_step(following: Listening, count: int) -> None:
    """The copy is in step, with so many entries."""
    said = await following.next("in_step")
    assert (said["sequence"], said["entries"]) == (following.sequence, count)


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
            told = await records(following, "ent_1", "ent_2", "ent_1")
            assert [each["withheld"] for each in told] == [None, "scope", None]
            await in_step(following, 2)
            await write(runtime, [draft("ent_3", 1)])
            await records(following, "ent_3")

            target, _ = relay.target, relay.cut()
            await following.next("disconnected")
            await write(runtime, [draft("ent_3", 2), draft("ent_4", 1)])
            relay.target = target
            assert (await following.next("connected"))["cursor"].endswith(f".{following.sequence}")
            await records(following, "ent_3", "ent_4")
            await in_step(following, 4)
            relay.cut()
            assert service.end() == 0

        assert cekal("restore", cwd=tmp_path, database_url=engine_url).code == 0
        with running("serve", "--port", 0, cwd=tmp_path, database_url=engine_url) as service:
            relay.target = service.heard("ready")["port"]
            await following.next("disconnected")
            assert (await following.next("connected"))["cursor"] is None
            following.sequence = 0
            await records(following, "ent_1", "ent_2", "ent_1", "ent_3", "ent_3", "ent_4", None)
            assert await following.next("restored") == {"event": "restored", "entries": 4, "lost": []}
            following.process.kill()
            await following.process.wait()
            again = await line.enter_async_context(client.listening())
            cursor = (await again.next("connected"))["cursor"]
            assert int(cursor.rpartition(".")[2]) >= following.sequence
            assert (await again.next("in_step"))["entries"] == 4
            async with runtime.writing(SYSTEM) as unit:
                await revoke_key(unit, caller.id, caller.key_id)
            await asyncio.wait_for(again.process.wait(), LONGEST)
            assert again.process.returncode == 1
            assert again.process.stderr is not None
            assert b"have it replaced" in await again.process.stderr.read()
    await runtime.close()
    held = {each["id"]: each for each in await entries(client)}
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


async def sealed_snapshot(url: str, runtime: Runtime, by: Caller) -> list[bytes]:
    """The lines of a snapshot, ordered now and sealed by the service that runs there."""
    async with runtime.writing(SYSTEM) as unit:
        await order(unit)
    headers = {**by.headers, "Accept": LINES}
    async with httpx2.AsyncClient(base_url=url, headers=headers) as http, asyncio.timeout(LONGEST):
        while (got := await http.get("/v1/snapshot")).status_code != 200:  # noqa: ASYNC110 - the service is another process
            await asyncio.sleep(0.1)
    return got.content.splitlines(keepends=True)


async def test_an_integrator_begins_with_a_snapshot(
    command: tuple[str, ...], engine_url: str, tmp_path: Path
) -> None:
    runtime = wired_runtime(Settings(database_url=engine_url, data_dir=tmp_path, key_pepper=PEPPER))
    caller = await Actors(runtime).client("integrator")
    old = [*(draft(f"ent_{n}", 1) for n in (1, 2, 3)), draft("ent_2", 2)]
    await write(runtime, [*old, draft("ent_4", 1, agency="BNN")])
    with running("serve", "--port", 0, cwd=tmp_path, database_url=engine_url) as service:
        url = f"http://127.0.0.1:{service.heard('ready')['port']}"
        await sealed_snapshot(url, runtime, caller)
        await write(runtime, [draft("ent_1", 2)])
        environment = {"PATH": os.environ["PATH"], "INTEGRATOR_URL": url, "INTEGRATOR_KEY": caller.key}
        environment["INTEGRATOR_TRUSTS"] = await trusted_key(runtime)
        client = Client(command, environment, tmp_path, "follow", "change")
        async with client.listening() as following:
            begun = await following.next("begun")
            assert begun["entries"] == 4
            assert (await following.next("connected"))["cursor"].endswith(f".{begun['sequence']}")
            following.sequence = begun["sequence"]
            await records(following, "ent_1")
    await runtime.close()
    held = {each["id"]: (each["version"], each["personal"]) for each in await entries(client)}
    assert held["ent_1"] == (2, {"secret": "ent_1 2"})
    assert (held["ent_2"], held["ent_4"]) == ((2, {"secret": "ent_2 2"}), (1, None))


async def test_an_integrator_refuses_a_wrong_snapshot(
    command: tuple[str, ...], sqlite_url: str, tmp_path: Path
) -> None:
    runtime = wired_runtime(Settings(database_url=sqlite_url, data_dir=tmp_path, key_pepper=PEPPER))
    caller = await Actors(runtime).client("integrator")
    await write(runtime, [draft(f"ent_{n}", 1) for n in (1, 2, 3)])
    with running("serve", "--port", 0, cwd=tmp_path, database_url=sqlite_url) as service:
        lines = await sealed_snapshot(f"http://127.0.0.1:{service.heard('ready')['port']}", runtime, caller)
    trusted = await trusted_key(runtime)
    await runtime.close()
    first, records, last = lines[0], lines[1:-1], lines[-1]
    wrong = [
        ([first, *records[1:], last], trusted, "not the one whose digest was sealed"),
        ([first, *records, last.replace(b'"v":1', b'"v":2')], trusted, "not in the ledger"),
        ([line.replace(b"ent_3 1", b"ent_3 9") for line in lines], trusted, "to which its leaf commits"),
        ([first.replace(b'"cursor":"', b'"cursor":"0'), *records, last], trusted, "of another register"),
        (lines, trusted[:-4] + "AAAA", "not signed by the register that you trust"),
    ]
    environment = {"PATH": os.environ["PATH"], "INTEGRATOR_KEY": caller.key}
    client = Client(command, environment, tmp_path, "follow", "change")
    for altered, key, why in wrong:
        async with answering(altered) as url:
            environment |= {"INTEGRATOR_URL": url, "INTEGRATOR_TRUSTS": key}
            process = await client.started("follow")
            _, err = await asyncio.wait_for(process.communicate(), LONGEST)
        assert (process.returncode, why in err.decode()) == (1, True), (why, err)
    async with answering([first, *records]) as url:
        environment |= {"INTEGRATOR_URL": url}
        async with client.listening() as following:
            assert (await following.next("disconnected"))["event"] == "disconnected", "cut: it tries again"
    assert await entries(client) == []


async def trusted_key(runtime: Runtime) -> str:
    """The public key by which integrators know the register."""
    async with runtime.reading(SYSTEM) as reader:
        uses = await list_uses(reader)
    return next(str(use.key).split("+", 2)[2] for use in uses if use.key.kind is KeyKind.ED25519)


@asynccontextmanager
async def answering(lines: list[bytes]) -> AsyncIterator[str]:
    """A service that answers every request with these lines."""
    body = b"".join(lines)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {LINES}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
