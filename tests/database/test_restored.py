"""The database is put back to an earlier state under the running service: it says so, and pretends nothing."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.access.domain import SYSTEM
from app.alerting.alerts import tail
from app.runtime import Runtime
from app.settings import Settings
from tests.database.conftest import told
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.served import Served
from tests.support.sse import Events, listening
from tests.support.steps import expect, sound
from tests.support.waiting import until

ON_POSTGRESQL = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)

QUESTION = check_body(entry_body()["subject"])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, clock: SettableClock) -> None:
    monkeypatch.setattr(tail, "_RETRY_SECONDS", 0.05)
    clock.set(datetime.now(UTC))


async def says_so(
    served: Served, streams: list[Events], counter: Caller, caplog: pytest.LogCaptureFixture
) -> str:
    """Hold that streams end with a word, that none is opened, that it is not ready and was logged; gives why."""
    async with asyncio.timeout(20):
        for stream in streams:
            await stream.rest()
    again = await served.http.get("/v1/alerts/stream", headers=counter.headers)
    assert expect(again, 503)["type"] == "/problems/register-rolled-back"
    assert int(again.headers["retry-after"]) >= 1
    critical = [each.getMessage() for each in caplog.records if each.levelname == "CRITICAL"]
    assert len(critical) == len(set(critical)), "each once"
    (why,) = (each for each in critical if each.startswith("streams are closed"))
    return why


async def is_rolled_back(served: Served, owner: Caller, counter: Caller) -> None:
    """Hold that it takes nothing, that checks go on, and that /readyz says so."""
    refused = await served.http.post("/v1/urgent-entries", json=urgent_body(), headers=owner.once("refused"))
    assert expect(refused, 503)["type"] == "/problems/register-rolled-back"
    asked = await served.http.post("/v1/checks", json=QUESTION, headers=counter.headers)
    assert expect(asked, 200)["registry"]["stale"] is True
    ready = (await served.http.get("/readyz")).json()
    assert ready["rolled_back"]["problem"] == "register-rolled-back"


def put_back(backup: Path, file: Path) -> None:
    """Put a backup in the place of SQLite's file, as an operator would."""
    for journal in ("-wal", "-shm"):
        Path(f"{file}{journal}").unlink(missing_ok=True)
    backup.replace(file)


@ON_SQLITE
@pytest.mark.parametrize("name", ["register.db", "register-checks.db"])
async def test_a_file_that_was_replaced_takes_nothing_more(
    served: Served,
    settings: Settings,
    actors: Actors,
    counter: Caller,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    owner, follower = await actors.client("submitter"), await actors.client("integrator")
    file = Path(make_url(settings.url).database or "").with_name(name)
    backup = file.with_suffix(".backup")
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    async with (
        listening(served.http, counter.headers) as alerts,
        listening(served.http, owner.headers, "/v1/notices/stream") as notices,
        listening(served.http, follower.headers, "/v1/changes") as changes,
    ):
        await sound(served.http, owner)
        await alerts.next("alert")
        put_back(backup, file)
        assert "replaced" in await says_so(served, [alerts, notices, changes], counter, caplog)
    assert "replaced" in expect(await served.http.get("/readyz"), 503)["checks"]["ledger"]
    if name == "register.db":
        once = owner.once("lost otherwise")
        refused = await served.http.post("/v1/urgent-entries", json=urgent_body(), headers=once)
        assert expect(refused, 503)["type"] == "/problems/register-rolled-back"
    else:
        refused = await served.http.post("/v1/checks", json=QUESTION, headers=counter.headers)
        assert expect(refused, 503)["type"] == "/problems/not-stored"


@ON_POSTGRESQL
async def test_a_database_that_was_restored_closes_every_stream(
    served: Served, settings: Settings, actors: Actors, counter: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    owner, follower = await actors.client("submitter"), await actors.client("integrator")
    url = make_url(settings.url)
    server = url.set(database="postgres").render_as_string(hide_password=False)
    ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.database}'"
    backup = f"{url.database}_backup"
    await told(
        server, ended, "SELECT pg_sleep(0.2)", f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false"
    )
    await told(server, ended, "SELECT pg_sleep(0.2)", f"CREATE DATABASE {backup} TEMPLATE {url.database}")
    await told(server, f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")
    following = served.app.state.process.tail
    await until(lambda: not following._doubtful and following.age < 0.5, within=20)
    async with (
        listening(served.http, counter.headers) as alerts,
        listening(served.http, owner.headers, "/v1/notices/stream") as notices,
        listening(served.http, follower.headers, "/v1/changes") as changes,
    ):
        await sound(served.http, owner)
        await alerts.next("alert")
        await told(
            server,
            f"DROP DATABASE {url.database} WITH (FORCE)",
            f"ALTER DATABASE {backup} RENAME TO {url.database}",
        )
        assert "restored" in await says_so(served, [alerts, notices, changes], counter, caplog)
    await is_rolled_back(served, owner, counter)
    expect(await served.http.get("/readyz"), 200)  # no process knows more, so none is taken away


async def test_a_restored_database_that_has_grown_again_is_known_by_its_records(
    served: Served,
    runtime: Runtime,
    actors: Actors,
    counter: Caller,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = await actors.client("submitter")
    following = served.app.state.process.tail
    reading = following._publish_new

    async def fail() -> None:
        raise ConnectionResetError("gone")

    async with listening(served.http, counter.headers) as alerts:
        await sound(served.http, owner)
        await alerts.next("alert")
        following._publish_new = fail
        await until(lambda: following._doubtful)
        async with runtime.writing(SYSTEM) as unit:
            await unit.run(text("UPDATE ledger_record SET leaf = :leaf"), {"leaf": '{"other": true}'})
            await unit.run(text("UPDATE ledger_head SET size = size + 1"))
        following._publish_new = reading
        assert "other records" in await says_so(served, [alerts], counter, caplog)
    await is_rolled_back(served, owner, counter)
