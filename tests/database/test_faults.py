"""A database that answers but can't serve: read-only, without rights, gone, closed, full. Every way says 503."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from app import operation
from app.access.domain import SYSTEM
from app.alerting.alerts import tail as tail_module
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from tests.database.conftest import told
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.contract import watch
from tests.support.lifespan import started
from tests.support.served import Served
from tests.support.sse import listening
from tests.support.steps import expect

QUESTION = check_body(entry_body()["subject"])
ON_POSTGRESQL = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)

Ask = Callable[[httpx2.AsyncClient, Caller, Caller], Awaitable[httpx2.Response]]


async def check(http: httpx2.AsyncClient, counter: Caller, _: Caller) -> httpx2.Response:
    return await http.post("/v1/checks", json=QUESTION, headers=counter.headers)


async def batch(http: httpx2.AsyncClient, counter: Caller, _: Caller) -> httpx2.Response:
    return await http.post("/v1/checks/batch", json={"items": [QUESTION] * 3}, headers=counter.headers)


async def raise_urgent(http: httpx2.AsyncClient, _: Caller, owner: Caller) -> httpx2.Response:
    return await http.post("/v1/urgent-entries", json=urgent_body(), headers=owner.once(uuid4().hex))


async def poll(http: httpx2.AsyncClient, counter: Caller, _: Caller) -> httpx2.Response:
    return await http.get("/v1/alerts?wait=1", headers=counter.headers)


async def stream(http: httpx2.AsyncClient, counter: Caller, _: Caller) -> httpx2.Response:
    return await http.get("/v1/alerts/stream", headers=counter.headers)


async def worklist(http: httpx2.AsyncClient, _: Caller, owner: Caller) -> httpx2.Response:
    return await http.get("/v1/worklist", headers=owner.headers)


WRITES: tuple[Ask, ...] = (check, raise_urgent)
ALL: tuple[Ask, ...] = (*WRITES, batch, poll, stream, worklist)


class Server:
    """A PostgreSQL database that is used by a role of its own, and what may happen to both."""

    def __init__(self, settings: Settings) -> None:
        self._url = make_url(settings.url)
        self.name, self.role = self._url.database, f"role_{uuid4().hex[:12]}"
        self._server = self._url.set(database="postgres").render_as_string(hide_password=False)
        self._address = self._url.render_as_string(hide_password=False)
        self.settings = settings.model_copy(
            update={"database_url": self._url.set(username=self.role).render_as_string(hide_password=False)}
        )

    async def make(self) -> None:
        await told(self._server, f"CREATE ROLE {self.role} LOGIN")
        await self._grant()

    async def _grant(self) -> None:
        await told(
            self._address,
            f"GRANT ALL ON SCHEMA public TO {self.role}",
            f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {self.role}",
            f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {self.role}",
        )

    async def drop(self) -> None:
        await told(
            self._address,
            f"REASSIGN OWNED BY {self.role} TO postgres",
            f"DROP OWNED BY {self.role}",
            f"DROP ROLE {self.role}",
        )

    async def befall(self, way: str) -> None:
        """Let it happen, and end every connection that is open."""
        ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'"
        match way:
            case "read-only":
                await told(self._server, f"ALTER DATABASE {self.name} SET default_transaction_read_only = on")
            case "without rights":
                await told(self._address, f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {self.role}")
            case "renamed":
                await told(
                    self._server,
                    f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false",
                    ended,
                    "SELECT pg_sleep(0.2)",
                    f"ALTER DATABASE {self.name} RENAME TO {self.name}_away",
                )
            case "not let in":
                await told(self._server, f"ALTER ROLE {self.role} NOLOGIN")
        await told(self._server, ended)

    async def mend(self, way: str) -> None:
        """Undo it."""
        match way:
            case "read-only":
                await told(self._server, f"ALTER DATABASE {self.name} RESET default_transaction_read_only")
            case "without rights":
                await self._grant()
            case "renamed":
                await told(
                    self._server,
                    f"ALTER DATABASE {self.name}_away RENAME TO {self.name}",
                    f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true",
                )
            case "not let in":
                await told(self._server, f"ALTER ROLE {self.role} LOGIN")
        ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'"
        await told(self._server, ended)


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Server]:
    server = Server(settings)
    await server.make()
    yield server
    await server.drop()


@asynccontextmanager
async def client_of(settings: Settings, clock: SettableClock) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a service with these settings."""
    app = create_app(settings, clock, work=False)
    async with (
        started(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://cekal") as http,
    ):
        yield watch(http)


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("way", "asks"),
    [("read-only", WRITES), ("without rights", ALL), ("renamed", ALL), ("not let in", ALL)],
)
async def test_a_postgresql_that_cannot_serve_is_told_to_every_caller(
    server: Server, clock: SettableClock, actors: Actors, counter: Caller, way: str, asks: tuple[Ask, ...]
) -> None:
    owner = await actors.client("submitter")
    async with client_of(server.settings, clock) as http:
        for _ in range(2):
            expect(await check(http, counter, owner), 200)
        await server.befall(way)
        try:
            for ask in asks * 2:
                refused = await ask(http, counter, owner)
                assert refused.status_code == 503, (ask.__name__, refused.text)
                assert int(refused.headers["retry-after"]) >= 1
                assert refused.json()["type"] in {"/problems/not-stored", "/problems/unavailable"}
        finally:
            await server.mend(way)
        for ask in (check, raise_urgent):
            answers = [await ask(http, counter, owner) for _ in range(8)]  # the first find connections ended
            assert answers[-1].is_success, answers[-1].text


@ON_SQLITE
async def test_a_full_disk_is_told_to_every_caller_on_sqlite(
    settings: Settings, clock: SettableClock, actors: Actors, counter: Caller
) -> None:
    owner = await actors.client("submitter")
    app = create_app(settings, clock, work=False)
    full: list[bool] = []

    def limited(connection: sqlite3.Connection, *_: object) -> None:
        """No page more than the file has, once the disk is full."""
        pages = connection.execute("PRAGMA page_count").fetchone()[0] if full else 2**30
        connection.execute(f"PRAGMA max_page_count = {pages}")

    for database in (app.state.process.runtime.register, app.state.process.runtime.checks):
        event.listen(database._engine, "checkout", limited)
    async with (
        started(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://cekal") as http,
    ):
        expect(await check(http, counter, owner), 200)
        full.append(True)
        answers = [await ask(http, counter, owner) for ask in (check, raise_urgent) for _ in range(60)]
        refused = [answer for answer in answers if answer.status_code not in {200, 201}]
        assert refused
        assert {answer.status_code for answer in refused} == {503}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
        full.clear()
        expect(await check(http, counter, owner), 200)
        expect(await raise_urgent(http, counter, owner), 201)


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("way", "checks"),
    [
        ("read-only", {"writing": "the database can only be read"}),
        ("without rights", {"database": "the database's user lacks rights that the service needs"}),
        ("renamed", {"database": "the database refuses this service's user, or does not exist"}),
        ("not let in", {"database": "the database refuses this service's user, or does not exist"}),
    ],
)
async def test_a_postgresql_that_cannot_serve_is_not_ready(
    server: Server,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    checks: dict[str, str],
) -> None:
    monkeypatch.setattr(operation, "_PROBED_SECONDS", 0.0)
    clock.set(datetime.now(UTC))
    async with client_of(server.settings, clock) as http:
        expect(await http.get("/readyz"), 200)
        await server.befall(way)
        try:
            answers = [await http.get("/readyz") for _ in range(8)]  # the first find connections ended
            assert {answer.status_code for answer in answers} == {503}
            assert expect(answers[-1], 503)["checks"].items() >= checks.items()
        finally:
            await server.mend(way)
        clock.set(datetime.now(UTC))
        answers = [await http.get("/readyz") for _ in range(8)]
        assert answers[-1].status_code == 200, [answer.json()["checks"] for answer in answers]


@ON_POSTGRESQL
async def test_rights_that_only_writing_needs_are_missed_as_well(
    server: Server, settings: Settings, clock: SettableClock
) -> None:
    clock.set(datetime.now(UTC))
    await told(settings.url, f"REVOKE INSERT ON check_record FROM {server.role}")
    async with client_of(server.settings, clock) as http:
        answer = expect(await http.get("/readyz"), 503)
    assert answer["checks"]["writing"] == "the database's user lacks rights that the service needs"


async def test_it_is_tried_seldom_whether_the_database_can_be_written(
    http: httpx2.AsyncClient, app: FastAPI, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.set(datetime.now(UTC))
    tried = []

    async def try_it(*databases: object) -> None:
        tried.append(databases)

    monkeypatch.setattr(operation, "why_unwritable", try_it)
    for _ in range(5):
        expect(await http.get("/readyz"), 200)
    assert len(tried) == 1
    assert len(tried[0]) == (2 if app.state.process.runtime.register.is_sqlite else 1)


async def test_what_was_to_be_written_and_could_not_be_is_not_ready_until_the_next_is(
    http: httpx2.AsyncClient, app: FastAPI, clock: SettableClock
) -> None:
    clock.set(datetime.now(UTC))
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    with pytest.raises(OperationalError):
        async with app.state.process.runtime.writing(SYSTEM):
            raise OperationalError("INSERT", None, full)
    assert expect(await http.get("/readyz"), 503)["checks"]["writing"] == "the database has no room left"
    async with app.state.process.runtime.writing(SYSTEM):
        pass
    expect(await http.get("/readyz"), 200)


@pytest.mark.parametrize(
    "changes",
    [
        ["UPDATE ledger_head SET epoch = 'ep_another'"],
        [
            "UPDATE ledger_head SET size = size - 1",
            "DELETE FROM ledger_record WHERE sequence > (SELECT size FROM ledger_head)",
        ],
    ],
    ids=["another epoch", "fewer records"],
)
async def test_a_ledger_that_has_gone_back_ends_streams(
    served: Served,
    runtime: Runtime,
    actors: Actors,
    counter: Caller,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
    changes: list[str],
) -> None:
    owner = await actors.client("submitter")
    async with listening(served.http, counter.headers) as stream:
        expect(await raise_urgent(served.http, counter, owner), 201)
        await stream.next("alert")
        async with runtime.writing(SYSTEM) as unit:
            for change in changes:
                await unit.run(text(change))
        await stream.rest()
    again = await served.http.get("/v1/alerts/stream", headers=counter.headers)
    assert expect(again, 503)["type"] == "/problems/register-rolled-back"
    critical = [each.getMessage() for each in caplog.records if each.levelname == "CRITICAL"]
    (why,) = (each for each in critical if each.startswith("streams are closed"))
    assert "restored" in why or "another register" in why
    ready = await served.http.get("/readyz")
    if len(changes) == 1:  # another process may serve this one
        assert "another epoch" in expect(ready, 503)["checks"]["ledger"]
    else:  # no other process knows more, and checks must go on
        assert expect(ready, 200)["rolled_back"]["known_size"] == 2


@pytest.mark.settings(stale_seconds=0.3, heartbeat_seconds=0.2)
async def test_a_ledger_that_cannot_be_read_is_said_in_heartbeats_readiness_and_metrics(
    served: Served, counter: Caller, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.set(datetime.now(UTC))
    monkeypatch.setattr(tail_module, "_TICK_SECONDS", 0.05)
    monkeypatch.setattr(tail_module, "_RETRY_SECONDS", 0.05)
    following = served.app.state.process.tail
    before = following._publish_new

    async def fail() -> None:
        raise ConnectionResetError("gone")

    async with listening(served.http, counter.headers) as stream:
        assert (await stream.next("heartbeat")).json["degraded"] is False
        following._publish_new = fail
        async with asyncio.timeout(5):
            while not (await stream.next("heartbeat")).json["degraded"]:
                pass
        assert "not read for" in expect(await served.http.get("/readyz"), 503)["checks"]["ledger"]
        text_of = served.app.state.process.metrics.exposition()[0].decode()
        (age,) = [
            line.split()[1] for line in text_of.splitlines() if line.startswith("cekal_tail_age_seconds ")
        ]
        assert float(age) > 0.3
        following._publish_new = before
        async with asyncio.timeout(5):
            while (await stream.next("heartbeat")).json["degraded"]:
                pass
        expect(await served.http.get("/readyz"), 200)
