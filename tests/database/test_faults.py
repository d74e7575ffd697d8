"""A database that answers but can't serve: read-only, without rights, gone, closed, full. Every way says 503."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import event
from sqlalchemy.engine import make_url

from app.main import create_app
from app.settings import Settings
from tests.database.conftest import told
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.contract import watch
from tests.support.lifespan import started
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

    for database in (app.state.runtime.register, app.state.runtime.checks):
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
