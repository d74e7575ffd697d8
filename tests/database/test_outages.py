"""The database goes away under a running service: nothing is pretended, and all goes on when it is back."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from app import worker
from app.access.domain import SYSTEM
from app.alerting.alerts import tail
from app.border.checks import batcher
from app.border.checks.partitions import make_months
from app.border.checks.tables import check
from app.db import outages, sqlite
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from tests.database.conftest import told
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.served import Served, client_for, serving
from tests.support.sse import listening
from tests.support.steps import decide, expect, sound
from tests.support.waiting import until
from tests.support.wire import Wire, wire

QUESTION = check_body(entry_body()["subject"])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that tries again soon."""
    monkeypatch.setattr(tail, "_RETRY_SECONDS", 0.05)
    loops = tuple(replace(each, seconds=0.05) if each.seconds == 1 else each for each in worker.LOOPS)
    monkeypatch.setattr(worker, "LOOPS", loops)


@pytest.fixture
def on_postgresql(settings: Settings) -> None:
    if settings.url.startswith("sqlite"):
        pytest.skip("SQLite has no server that could go away")


@pytest.fixture
def on_sqlite(settings: Settings) -> None:
    if not settings.url.startswith("sqlite"):
        pytest.skip("only SQLite's files are locked as a whole")


async def ask(http: httpx2.AsyncClient, by: Caller) -> httpx2.Response:
    return await http.post("/v1/checks", json=QUESTION, headers=by.headers)


async def stored(runtime: Runtime) -> int:
    """How many checks are on record."""
    async with runtime.reading_checks(SYSTEM) as reader:
        return int((await reader.run(select(func.count()).select_from(check))).scalar_one())


@asynccontextmanager
async def wired(settings: Settings, clock: SettableClock) -> AsyncIterator[tuple[Served, Wire]]:
    """A service, and the wire to its PostgreSQL server."""
    with wire(settings.url) as line:
        app = create_app(settings.model_copy(update={"database_url": line.address}), clock)
        with serving(app) as url:
            async with client_for(url) as http:
                yield Served(url, app, http), line


class Outage:
    """One way in which PostgreSQL goes away and comes back."""

    def __init__(self, way: str, settings: Settings, line: Wire) -> None:
        self._way, self._line = way, line
        self._name = make_url(settings.url).database
        self._server = make_url(settings.url).set(database="postgres").render_as_string(hide_password=False)

    async def begin(self) -> None:
        """Let it go away, with every connection that there is."""
        if self._way == "stopped":
            await asyncio.to_thread(self._line.cut)
        else:
            await told(
                self._server,
                f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false",
                f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self._name}'",
            )

    async def end(self) -> None:
        """Let it come back."""
        if self._way == "stopped":
            await asyncio.to_thread(self._line.mend)
        else:
            await told(self._server, f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")


@pytest.mark.usefixtures("on_postgresql", "impatient")
@pytest.mark.parametrize("way", ["stopped", "closed"])
async def test_without_postgresql_no_check_is_answered_and_with_it_all_goes_on(
    settings: Settings, clock: SettableClock, runtime: Runtime, actors: Actors, counter: Caller, way: str
) -> None:
    submitter, stranger = await actors.client("submitter"), await actors.client("checkpoint")
    async with wired(settings, clock) as (service, line), listening(service.http, counter.headers) as stream:
        http, outage = service.http, Outage(way, settings, line)
        raised = await sound(http, submitter)
        await stream.next("alert")
        for _ in range(2):
            expect(await ask(http, counter), 200)
        await outage.begin()
        for caller in (counter, counter, stranger):
            refused = await ask(http, caller)
            assert expect(refused, 503)["type"] == "/problems/not-stored"
            assert int(refused.headers["retry-after"]) >= 1
        rows = await http.post("/v1/checks/batch", json={"items": [QUESTION] * 3}, headers=counter.headers)
        assert expect(rows, 503)["type"] == "/problems/not-stored"
        assert expect(await http.get("/readyz"), 503)["checks"] == {"database": "unreachable"}
        expect(await http.get("/healthz"), 200)
        await outage.end()
        expect(await ask(http, counter), 200)
        expect(await ask(http, stranger), 200)
        await runtime.register.dispose()  # its connections were broken as well
        assert await stored(runtime) == 4
        later = await sound(http, submitter)
        heard = await stream.next("alert")
        assert heard.json["id"] == later["alert"]["id"]
        assert heard.json["previous_sequence"] == raised["alert"]["sequence"]
        clock.advance(hours=25)  # the loops that act on time have come back too
        assert {(await stream.next("alert")).json["kind"] for _ in range(2)} == {"cancel"}


@pytest.mark.usefixtures("on_postgresql", "impatient")
@pytest.mark.parametrize("way", ["stopped", "closed"])
async def test_without_postgresql_every_other_call_says_so_and_pretends_nothing(
    settings: Settings, clock: SettableClock, runtime: Runtime, actors: Actors, counter: Caller, way: str
) -> None:
    submitter, admin = await actors.client("submitter"), await actors.client("admin")
    async with wired(settings, clock) as (service, line):
        http, outage = service.http, Outage(way, settings, line)
        raised = await sound(http, submitter)
        await outage.begin()
        for _ in range(3):
            expect(await ask(http, counter), 503)
        try:
            once = submitter.once("lost")
            told = [
                expect(await http.post("/v1/urgent-entries", json=urgent_body(), headers=once), 503),
                expect(await http.get("/v1/alerts?wait=1", headers=counter.headers), 503),
                expect(await http.get("/v1/alerts/stream", headers=counter.headers), 503),
                expect(await http.get("/v1/worklist", headers=submitter.headers), 503),
                expect(await http.get("/metrics", headers=admin.headers), 503),
                expect(await http.get(f"/v1/entries/{raised['entry']['id']}", headers=counter.headers), 503),
            ]
            assert {problem["type"] for problem in told} == {"/problems/unavailable"}
        finally:
            await outage.end()
        made = await http.post("/v1/urgent-entries", json=urgent_body(), headers=once)
        assert expect(made, 201)["alert"]["sequence"] == raised["alert"]["sequence"] + 2


@pytest.mark.usefixtures("on_postgresql")
async def test_a_postgresql_that_hangs_is_an_outage_too(
    settings: Settings,
    clock: SettableClock,
    runtime: Runtime,
    counter: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batcher, "LONGEST_ANSWER", 1.0)
    async with wired(settings, clock) as (service, line):
        for _ in range(2):
            expect(await ask(service.http, counter), 200)
        line.freeze()
        async with asyncio.timeout(8):
            answers = await asyncio.gather(*(ask(service.http, counter) for _ in range(2)))
        assert {expect(answer, 503)["type"] for answer in answers} == {"/problems/not-stored"}
        line.mend()
        expect(await ask(service.http, counter), 200)
        assert await stored(runtime) >= 3


@pytest.mark.usefixtures("on_sqlite")
async def test_a_file_of_checks_that_is_locked_for_long_stores_nothing_and_answers_nothing(
    served: Served, settings: Settings, runtime: Runtime, counter: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LOCK_SECONDS", 0.1)
    register = Path(make_url(settings.url).database or "")
    checks = register.with_name("register-checks.db")
    expect(await ask(served.http, counter), 200)
    with sqlite3.connect(checks, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert expect(await ask(served.http, counter), 503)["type"] == "/problems/not-stored"
        other.execute("ROLLBACK")
    other.close()
    expect(await ask(served.http, counter), 200)
    assert await stored(runtime) == 2


@pytest.mark.usefixtures("on_sqlite", "impatient")
async def test_a_register_that_is_locked_takes_no_entries_while_checks_go_on(
    served: Served,
    settings: Settings,
    actors: Actors,
    counter: Caller,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sqlite, "LOCK_SECONDS", 0.1)
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    async with listening(served.http, counter.headers) as stream:
        raised = await sound(served.http, submitter)
        await stream.next("alert")
        with sqlite3.connect(make_url(settings.url).database or "", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            clock.advance(hours=25)  # the loops that act on time fail meanwhile
            refused = await served.http.post(
                "/v1/urgent-entries", json=urgent_body(), headers=submitter.once("one")
            )
            assert expect(refused, 503)["type"] == "/problems/unavailable"
            expect(await ask(served.http, counter), 200)
            other.execute("ROLLBACK")
        other.close()
        assert (await stream.next("alert")).json["refers_to"] == raised["alert"]["id"]
        again = await sound(served.http, submitter)
        await decide(served.http, duty, again["entry"], "countersign")
        assert [(await stream.next("alert")).json["kind"] for _ in range(2)] == ["raise", "update"]


@pytest.mark.usefixtures("on_postgresql", "impatient")
@pytest.mark.parametrize("way", ["stopped", "closed"])
async def test_an_outage_is_logged_when_it_begins_and_once_more_when_it_is_over(
    settings: Settings,
    clock: SettableClock,
    counter: Caller,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    monkeypatch.setattr(outages, "SETTLED_SECONDS", 1.0)

    def told_of() -> list[logging.LogRecord]:
        return [each for each in caplog.records if each.name == "app.db.outages"]

    async with wired(settings, clock) as (service, line):
        outage = Outage(way, settings, line)
        expect(await ask(service.http, counter), 200)
        await outage.begin()
        for _ in range(30):
            expect(await ask(service.http, counter), 503)
        await asyncio.sleep(1.5)
        await outage.end()
        await until(lambda: len(told_of()) == 2, within=20)
    begun, over = told_of()
    assert (begun.levelname, over.levelname) == ("ERROR", "WARNING")
    assert 1 < vars(over)["seconds"] < 60
    loud = [
        each for each in caplog.records if each.levelno >= logging.WARNING and each.name.startswith("app.")
    ]
    assert loud == [begun, over], [each.message for each in loud]


@pytest.mark.usefixtures("on_postgresql", "impatient")
@pytest.mark.parametrize("way", ["stopped", "closed"])
async def test_an_outage_is_no_reason_to_say_that_a_month_has_no_partition(
    settings: Settings, clock: SettableClock, caplog: pytest.LogCaptureFixture, runtime: Runtime, way: str
) -> None:
    await make_months(runtime)
    with wire(settings.url) as line:
        beyond = wired_runtime(settings.model_copy(update={"database_url": line.address}), clock)
        gone = Outage(way, settings, line)
        await gone.begin()
        with pytest.raises((DBAPIError, OSError)) as caught:
            await make_months(beyond)
        await gone.end()
        await beyond.close()
    assert outages.outage(caught.value) is not None
    assert not [each for each in caplog.records if each.name == "app.border.checks.partitions"]


@pytest.mark.usefixtures("on_postgresql")
async def test_a_reader_of_all_checks_delays_their_next_partition_and_nothing_else(
    settings: Settings, clock: SettableClock, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    clock.set("2028-03-15T00:00:00Z")
    async with runtime.writing_checks(SYSTEM) as reader:  # which holds the table until it ends
        await reader.run(select(func.count()).select_from(check))
        await make_months(runtime)
    assert "no partition was made for the checks of 2028-03" in caplog.messages
