"""A clock that is not plausible ends nothing and erases nothing, and says so until it is set right, or accepted."""

import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select, text

from app.access.domain import SYSTEM
from app.access.store import list_audit
from app.alerting.notices.store import find_written_until, store_written_until
from app.border.checks.tables import check as check_table
from app.db.clock import read_clock
from app.errors import ClockInDoubt
from app.ledger.tables import record as record_table
from app.main import create_app
from app.maintenance.standstill.service import accept_clock
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, urgent_body
from tests.support.cli import cekal
from tests.support.clock import MORNING, SettableClock, SettableMachine, SettableServer
from tests.support.lifespan import client_of
from tests.support.steps import Json, expect, impose, sound

AHEAD = timedelta(days=400)
HELD_BACK = "ends by law, erasures and what else can't be undone are held back"


@pytest.fixture
def machine() -> SettableMachine:
    """A machine whose clock says the hour when every test begins."""
    return SettableMachine(MORNING - datetime.now(UTC))


@pytest.fixture
def server(machine: SettableMachine, monkeypatch: pytest.MonkeyPatch) -> SettableServer:
    """PostgreSQL's clock, which agrees with the machine's."""
    return SettableServer(monkeypatch, machine.ahead)


@pytest.fixture
async def here(settings: Settings, machine: SettableMachine, server: SettableServer) -> AsyncIterator[Worker]:
    """The loops of a process that goes by its machine's clock, or by the database's."""
    runtime = wired_runtime(settings, machine=machine.clocks)
    yield Worker(runtime)
    await runtime.close()


@pytest.fixture
async def lapsed(
    http: httpx2.AsyncClient, actors: Actors, machine: SettableMachine, server: SettableServer
) -> Json:
    """An urgent entry that was never countersigned: nothing has run since, for a month."""
    entry: Json = (await sound(http, await actors.client("submitter"), urgent_body()))["entry"]
    machine.ahead += timedelta(days=30)
    server.set_ahead(machine.ahead)
    return entry


async def ended(runtime: Runtime, entry: Json) -> int:
    """How many ends of an entry the ledger tells."""
    statement = select(func.count()).where(
        record_table.c.entry_id == entry["id"], record_table.c.type == "entry.ended"
    )
    async with runtime.reading(SYSTEM) as reader:
        return int((await reader.run(statement)).scalar_one())


async def doubts(http: httpx2.AsyncClient, actors: Actors) -> list[str]:
    """What an admin is notified of."""
    admin = await actors.client("admin")
    items = expect(await http.get("/v1/notices", headers=admin.headers), 200)["items"]
    return [each["name"] for each in items]


async def test_after_a_month_in_which_nothing_ran_what_is_over_ends(lapsed: Json, here: Worker) -> None:
    assert await here.end_by_law() == 1
    assert await ended(here.runtime, lapsed) == 1


async def test_a_clock_that_was_set_ends_nothing_and_the_admins_are_notified_once(
    lapsed: Json,
    here: Worker,
    machine: SettableMachine,
    http: httpx2.AsyncClient,
    actors: Actors,
    caplog: pytest.LogCaptureFixture,
) -> None:
    machine.ahead += AHEAD
    for _ in range(3):
        assert await here.end_by_law() == 0
    assert await ended(here.runtime, lapsed) == 0
    said = [each for each in caplog.records if HELD_BACK in each.message]
    assert [each.levelno for each in said] == [logging.CRITICAL]
    assert await doubts(http, actors) == ["clock_doubted"]
    machine.ahead -= AHEAD
    assert await here.end_by_law() == 1
    assert await ended(here.runtime, lapsed) == 1


async def test_what_was_held_back_goes_on_when_somebody_accepts_the_clock_which_is_recorded(
    lapsed: Json, here: Worker, machine: SettableMachine, settings: Settings, runtime: Runtime, tmp_path: Path
) -> None:
    async with runtime.writing(SYSTEM) as unit:
        await accept_clock(unit)  # an earlier one, of another clock
    machine.ahead += AHEAD
    assert await here.end_by_law() == 0
    said = cekal("clock", "accept", cwd=tmp_path, database_url=settings.url, env="test")
    assert said.code == 0, said.err
    assert re.fullmatch(r"Accepted: it is \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00\.\n", said.out)
    assert await here.end_by_law() == 1
    async with runtime.reading(SYSTEM) as reader:
        trail = await list_audit(reader, None, 10, "clock.accepted", None)
    assert [each["client_id"] for each in trail] == ["system"] * 2
    machine.ahead += AHEAD
    assert await here.standstill.holds()  # what was accepted is that clock, and no other


async def test_questions_and_measures_outlive_clocks_that_were_set(
    here: Worker,
    machine: SettableMachine,
    server: SettableServer,
    actors: Actors,
    http: httpx2.AsyncClient,
    counter: Caller,
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    expect(await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers), 200)
    async with here.runtime.reading(SYSTEM):
        pass  # as long as the clock is right
    machine.ahead += AHEAD
    server.set_ahead(machine.ahead)
    for act in (here.end_by_law, here.retain, here.tidy, here.notify_officers, here.announce_begun):
        await act()
    async with here.runtime.reading_checks(SYSTEM) as reader:
        assert None not in list((await reader.run(select(check_table.c.question))).scalars())
    assert await ended(here.runtime, entry) == 0
    assert await doubts(http, actors) == ["clock_doubted"]


async def test_a_clock_that_is_set_between_two_steps_of_a_round_undoes_nothing(
    here: Worker, machine: SettableMachine
) -> None:
    assert not await here.standstill.holds()
    machine.ahead += AHEAD
    with pytest.raises(ClockInDoubt):
        async with here.runtime.irreversible(SYSTEM) as unit:
            await unit.run(text("DELETE FROM alert"))


async def test_a_databases_clock_that_is_set_is_doubted(
    lapsed: Json, here: Worker, machine: SettableMachine, server: SettableServer
) -> None:
    async def read_again() -> None:
        async with here.runtime.reading(SYSTEM) as reader:
            await read_clock(here.runtime.clock, reader.connection, older_than=0)

    if here.runtime.register.is_sqlite:
        pytest.skip("on SQLite the machine's clock is the register's")
    server.set_ahead(machine.ahead + AHEAD)
    await read_again()
    assert await here.end_by_law() == 0
    assert "database's clock is 400 days" in str(here.runtime.doubt())
    server.set_ahead(machine.ahead)
    await read_again()
    assert await here.end_by_law() == 1


async def test_a_process_that_holds_back_says_so_and_goes_on_answering(
    settings: Settings, machine: SettableMachine, server: SettableServer, actors: Actors
) -> None:
    counter, admin = await actors.client("checkpoint"), await actors.client("admin")
    async with client_of(create_app(settings, machine=machine.clocks)) as http:
        assert (await http.get("/readyz")).json()["held_back"] is None
        assert "cekal_clock_doubted 0.0" in (await http.get("/metrics", headers=admin.headers)).text
        machine.ahead += timedelta(minutes=2)
        told = (await http.get("/readyz")).json()
        assert "while the service was running" in told["held_back"]
        assert told["status"] == ("ready" if settings.url.startswith("sqlite") else "not_ready")
        assert "cekal_clock_doubted 1.0" in (await http.get("/metrics", headers=admin.headers)).text
        body = check_body(urgent_body()["subject"])
        answer = expect(await http.post("/v1/checks", json=body, headers=counter.headers), 200)
        assert answer["outcome"] == "clear"


async def test_a_test_clock_is_never_doubted(runtime: Runtime, clock: SettableClock) -> None:
    clock.advance(AHEAD)
    assert runtime.doubt() is None
    assert not await Worker(runtime).standstill.holds()


async def test_the_ladder_of_warnings_is_climbed_again_after_a_clock_that_ran_ahead(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, runtime: Runtime
) -> None:
    async with runtime.writing(SYSTEM) as unit:
        await store_written_until(unit, "ladder", (clock() + AHEAD).date())
    entry = await impose(http, actors, entry_body())
    clock.set(f"{entry['ends_on']}T09:00:00+07:00")
    clock.advance(days=-7)
    assert await worker.notify_officers() > 0
    async with runtime.reading(SYSTEM) as reader:
        assert await find_written_until(reader, "ladder") == clock().date()
