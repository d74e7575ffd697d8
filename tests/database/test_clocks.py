"""Machines whose clocks differ: what is committed holds everywhere at once, and each instant is by one clock."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.border.checks.questions import Question
from app.border.checks.service import CheckService
from app.db.clock import DatabaseClock
from app.db.database import Connection
from app.errors import CekalError
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    Json,
    check_body,
    entry_body,
    extension_body,
    formal_body,
    merged,
    urgent_body,
)
from tests.support.clock import MORNING, SettableClock, SettableMachine, SettableServer
from tests.support.lifespan import client_of
from tests.support.offices import NEWER, correction
from tests.support.served import client_for, serving
from tests.support.sse import listening
from tests.support.steps import (
    approve,
    decide,
    expect,
    file_amendment,
    formalise,
    impose,
    settle,
    sound,
)

BEHIND = timedelta(minutes=10)


@pytest.fixture
def late_clock(clock: SettableClock) -> SettableClock:
    """A clock that is ten minutes behind."""
    return SettableClock(clock() - BEHIND)


@pytest.fixture
async def behind(settings: Settings, late_clock: SettableClock) -> AsyncIterator[httpx2.AsyncClient]:
    """A second process on the same register, whose machine's clock is ten minutes behind."""
    async with client_of(create_app(settings, late_clock, work=False)) as client:
        yield client


async def answer(http: httpx2.AsyncClient, counter: Caller, subject: Json) -> str:
    """What a counter is told of a person who leaves."""
    asked = await http.post("/v1/checks", json=check_body(subject), headers=counter.headers)
    return str(expect(asked, 200)["outcome"])


async def test_an_urgent_entry_holds_where_the_clock_is_behind(
    http: httpx2.AsyncClient, behind: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    body = urgent_body()
    entry = (await sound(http, submitter, body))["entry"]
    assert await answer(behind, counter, body["subject"]) == "refer"
    there = expect(await behind.get(f"/v1/entries/{entry['id']}", headers=submitter.headers), 200)
    assert there["in_force"] is True
    for wanted in (True, False):
        listed = await behind.get("/v1/entries", params={"in_force": wanted}, headers=submitter.headers)
        ids = [each["id"] for each in expect(listed, 200)["items"]]
        assert ids == ([entry["id"]] if wanted else [])
    await decide(http, duty, entry, "countersign")
    assert await answer(behind, counter, body["subject"]) == "refuse"


@pytest.mark.settings(urgent_countersign_first=True)
async def test_an_urgent_entry_holds_from_its_countersignature_where_the_clock_is_behind(
    http: httpx2.AsyncClient, behind: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    body = urgent_body()
    entry = (await sound(http, submitter, body))["entry"]
    assert await answer(behind, counter, body["subject"]) == "clear"
    await decide(http, duty, entry, "countersign")
    assert await answer(behind, counter, body["subject"]) == "refuse"


async def test_a_formal_entry_that_took_over_at_its_first_midnight_holds_where_it_is_still_the_day_before(
    http: httpx2.AsyncClient,
    behind: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    clock: SettableClock,
    late_clock: SettableClock,
) -> None:
    clock.set("2026-11-24T00:01:00+07:00")
    late_clock.set(clock() - BEHIND)
    submitter = await actors.client("submitter")
    body = urgent_body()
    urgent = (await sound(http, submitter, body))["entry"]
    wanted = formal_body(subject=body["subject"], starts_on="2026-11-24", ends_on="2027-05-23")
    formal = expect(await formalise(http, submitter, urgent, wanted), 201)
    formal = await approve(http, actors, formal)
    assert (formal["state"], formal["in_force"]) == ("active", True)
    assert await answer(behind, counter, body["subject"]) == "refuse"


async def test_an_extension_that_was_approved_late_refuses_again_where_the_clock_is_behind(
    http: httpx2.AsyncClient,
    behind: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    clock: SettableClock,
    late_clock: SettableClock,
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    over = datetime.fromisoformat(f"{entry['ends_on']}T00:00:00+07:00") + timedelta(days=1)
    clock.set(over - timedelta(days=5))
    asked = await file_amendment(
        http,
        await actors.client("submitter"),
        entry,
        extension_body(entry, "2027-11-24", decided_on="2027-05-18"),
    )
    extension = await settle(http, await actors.client("verifier"), expect(asked, 201), "verify")
    clock.set(over + timedelta(hours=1))
    late_clock.set(clock() - BEHIND)
    assert await answer(behind, counter, body["subject"]) == "refer"  # its papers are undecided
    await settle(http, await actors.client("approver"), extension, "approve")
    assert await answer(behind, counter, body["subject"]) == "refuse"


async def test_after_the_alert_has_arrived_no_check_is_clear_where_the_clock_is_behind(
    http: httpx2.AsyncClient, settings: Settings, late_clock: SettableClock, actors: Actors, counter: Caller
) -> None:
    submitter, body = await actors.client("submitter"), urgent_body()
    with serving(create_app(settings, late_clock)) as url:
        async with client_for(url) as there, listening(there, counter.headers) as stream:
            await stream.next("heartbeat")
            await sound(http, submitter, body)
            assert (await stream.next("alert", within=5)).json["kind"] == "raise"
            assert await answer(there, counter, body["subject"]) == "refer"


async def test_an_amendment_is_decided_where_the_clock_is_behind_the_one_that_filed_it(
    http: httpx2.AsyncClient,
    behind: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    clock: SettableClock,
    late_clock: SettableClock,
) -> None:
    late_clock.set(clock() - timedelta(seconds=2))
    body = entry_body()
    entry = await impose(http, actors, body)
    corrected = merged(body["subject"], {"documents": [*body["subject"]["documents"], NEWER]})
    asked = await file_amendment(http, await actors.client("submitter"), entry, correction(corrected))
    amendment = await settle(behind, await actors.client("verifier"), expect(asked, 201), "verify")
    await settle(behind, await actors.client("approver"), amendment, "approve")
    for place in (http, behind):
        assert await answer(place, counter, {**body["subject"], "documents": [NEWER]}) == "refuse"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> SettableServer:
    """PostgreSQL's clock, at the hour when every test begins."""
    return SettableServer(monkeypatch, MORNING - datetime.now(UTC))


async def test_on_postgresql_instants_are_by_the_servers_clock_whatever_the_machine_says(
    settings: Settings, runtime: Runtime, actors: Actors, counter: Caller, server: SettableServer
) -> None:
    if runtime.register.is_sqlite:
        pytest.skip("on SQLite the machine's clock is the register's")
    submitter = await actors.client("submitter")
    ahead, right = SettableMachine(timedelta(seconds=1.5)), SettableMachine()

    async def there() -> datetime:
        async with runtime.reading(SYSTEM) as reader:
            moment: datetime = (await reader.run(server.time)).scalar_one()
            return moment

    async with (
        client_of(create_app(settings, machine=ahead.clocks, work=False)) as here,
        client_of(create_app(settings, machine=right.clocks, work=False)) as elsewhere,
    ):
        for _ in range(5):
            body = urgent_body()
            before = await there()
            entry = (await sound(here, submitter, body))["entry"]
            assert await answer(elsewhere, counter, body["subject"]) == "refer"
            slack = timedelta(milliseconds=200)  # by as much as the reading may have been slow
            assert before - slack <= datetime.fromisoformat(entry["received_at"]) <= (await there()) + slack


async def test_a_command_that_serves_nothing_writes_by_the_servers_clock_too(
    settings: Settings, server: SettableServer
) -> None:
    server.set_ahead(timedelta(days=2))
    machine = SettableMachine(timedelta(days=1))
    runtime = wired_runtime(settings, machine=machine.clocks)
    try:
        async with runtime.writing(SYSTEM) as unit:
            ahead = unit.now - datetime.now(UTC)
    finally:
        await runtime.close()
    assert round(ahead / timedelta(days=1), 2) == (1 if runtime.register.is_sqlite else 2)


async def test_no_check_reads_the_servers_clock_while_the_ledger_is_followed(
    settings: Settings, clock: SettableClock, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.set(datetime.now(UTC))
    counter, readers = await actors.client("checkpoint"), list[str]()
    reading, answering = DatabaseClock.read, CheckService.answer

    async def noted(self: DatabaseClock, connection: Connection) -> None:
        task = asyncio.current_task()
        readers.append(task.get_name() if task else "")
        await reading(self, connection)

    async def named(self: CheckService, questions: Sequence[Question]) -> list[bytes | CekalError]:
        task = asyncio.current_task()
        assert task is not None
        task.set_name("check")
        return await answering(self, questions)

    monkeypatch.setattr(DatabaseClock, "read", noted)
    monkeypatch.setattr(CheckService, "answer", named)
    async with client_of(create_app(settings, work=False)) as http:
        until = asyncio.get_running_loop().time() + 2.5
        while asyncio.get_running_loop().time() < until:
            assert await answer(http, counter, urgent_body()["subject"]) == "clear"
            await asyncio.sleep(0.1)
    assert "check" not in readers
    assert bool(readers) is settings.url.startswith("postgresql")
