"""Officers' acts while the clock is in doubt: what ends a measure or rests on a deadline waits, what holds goes on."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from fastapi import FastAPI

from app.access.domain import SYSTEM
from app.db.clock import read_clock
from app.main import create_app
from app.maintenance.standstill.service import accept_clock
from app.settings import Settings
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    check_body,
    entry_body,
    extension_body,
    formal_body,
    judgment_body,
    revocation_body,
    urgent_body,
)
from tests.support.clock import MORNING, SettableMachine, SettableServer
from tests.support.lifespan import started
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import (
    Json,
    approve,
    decide,
    etag,
    expect,
    file_amendment,
    formalise,
    impose,
    settle,
    sound,
    submit,
)

DAYS = 40
"""More than the twenty days of an urgent entry."""


@pytest.fixture
def machine() -> SettableMachine:
    """A machine whose clock says the hour when every test begins."""
    return SettableMachine(MORNING - datetime.now(UTC))


@pytest.fixture
def server(machine: SettableMachine, monkeypatch: pytest.MonkeyPatch) -> SettableServer:
    """PostgreSQL's clock, which agrees with the machine's."""
    return SettableServer(monkeypatch, machine.ahead)


@pytest.fixture
async def app(settings: Settings, machine: SettableMachine, server: SettableServer) -> AsyncIterator[FastAPI]:
    """An application that goes by its machine's clock, or by the database's."""
    application = create_app(settings, machine=machine.clocks, work=False)
    async with started(application):
        yield application


@pytest.fixture
async def verifier(actors: Actors) -> Caller:
    return await actors.client("verifier")


@pytest.fixture
async def approver(actors: Actors) -> Caller:
    return await actors.client("approver")


class Clocks:
    """The clocks of the register."""

    def __init__(self, app: FastAPI, machine: SettableMachine, server: SettableServer) -> None:
        self.runtime = app.state.process.runtime
        self._machine, self._server = machine, server

    async def move(self, days: int) -> None:
        """Set every clock so far ahead, or back; the process sees that its own was set."""
        self._machine.ahead += timedelta(days=days)
        self._server.set_ahead(self._machine.ahead)
        async with self.runtime.reading(SYSTEM) as reader:
            await read_clock(self.runtime.clock, reader.connection, older_than=0)


@pytest.fixture
def clocks(app: FastAPI, machine: SettableMachine, server: SettableServer) -> Clocks:
    return Clocks(app, machine, server)


def in_doubt(answer: httpx2.Response) -> None:
    refused(answer, 503, "clock-in-doubt")
    assert answer.headers["retry-after"] == "60"


async def on_amendment(
    http: httpx2.AsyncClient, by: Caller, amendment: Json, verdict: str
) -> httpx2.Response:
    path, body = f"/v1/amendments/{amendment['id']}/decisions", {"verdict": verdict, "reason": "Because."}
    return await http.post(path, json=body, headers=by.on(etag(amendment)))


async def on_entry(http: httpx2.AsyncClient, by: Caller, entry: Json, verdict: str) -> httpx2.Response:
    path, body = f"/v1/entries/{entry['id']}/decisions", {"verdict": verdict, "reason": "Because."}
    return await http.post(path, json=body, headers=by.on(etag(entry)))


ASKED = {
    "revocation": revocation_body,
    "acquittal": judgment_body,
    "annulment": lambda entry: judgment_body(entry, "annulment"),
    "extension": lambda entry: extension_body(entry, "2027-11-24"),
    "correction": lambda _: {"kind": "correction", "correction": {"ends_on": "2027-01-31"}},
}


@pytest.mark.parametrize("kind", ASKED)
async def test_what_ends_or_changes_a_measure_waits(
    http: httpx2.AsyncClient,
    actors: Actors,
    owner: Caller,
    verifier: Caller,
    approver: Caller,
    clocks: Clocks,
    kind: str,
) -> None:
    entry = await impose(http, actors)
    amendment = expect(await file_amendment(http, owner, entry, ASKED[kind](entry)), 201)
    await clocks.move(1)
    amendment = await settle(http, verifier, amendment, "verify")
    async with nothing_changed(clocks.runtime):
        in_doubt(await on_amendment(http, approver, amendment, "approve"))
    await clocks.move(-1)
    expect(await on_amendment(http, approver, amendment, "approve"), 201)


async def test_it_goes_on_once_somebody_has_accepted_the_clock(
    http: httpx2.AsyncClient,
    actors: Actors,
    owner: Caller,
    verifier: Caller,
    approver: Caller,
    clocks: Clocks,
) -> None:
    entry = await impose(http, actors)
    amendment = expect(await file_amendment(http, owner, entry, revocation_body(entry)), 201)
    amendment = await settle(http, verifier, amendment, "verify")
    await clocks.move(1)
    in_doubt(await on_amendment(http, approver, amendment, "approve"))
    rounds = Worker(clocks.runtime)
    await rounds.end_by_law()
    async with clocks.runtime.writing(SYSTEM) as unit:
        await accept_clock(unit)
    await rounds.end_by_law()
    expect(await on_amendment(http, approver, amendment, "approve"), 201)


@pytest.mark.parametrize("verdict", ["return", "reject"])
async def test_papers_for_which_a_measure_waits_past_its_end_are_not_refused(
    http: httpx2.AsyncClient,
    actors: Actors,
    owner: Caller,
    verifier: Caller,
    approver: Caller,
    clocks: Clocks,
    verdict: str,
) -> None:
    """Refused, the measure would be over at once, by a clock that may be wrong."""
    entry = await impose(http, actors)
    extension = expect(await file_amendment(http, owner, entry, ASKED["extension"](entry)), 201)
    extension = await settle(http, verifier, extension, "verify")
    urgent = (await sound(http, owner))["entry"]
    urgent = await decide(http, await actors.client("duty_officer"), urgent, "countersign")
    formal = expect(await formalise(http, owner, urgent, formal_body()), 201)
    formal = await decide(http, await actors.client("verifier"), formal, "verify")
    await clocks.move(1)
    async with nothing_changed(clocks.runtime):
        in_doubt(await on_amendment(http, approver, extension, verdict))
        in_doubt(await on_entry(http, approver, formal, verdict))
    await clocks.move(-1)
    expect(await on_amendment(http, approver, extension, verdict), 201)
    expect(await on_entry(http, approver, formal, verdict), 201)


@pytest.mark.parametrize("verdict", ["countersign", "reject"])
async def test_urgent_entries_checks_alerts_and_ordinary_entries_go_on(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller, counter: Caller, clocks: Clocks, verdict: str
) -> None:
    await clocks.move(1)
    body = urgent_body()
    raised = await sound(http, owner, body)
    asked = check_body(body["subject"])

    async def action() -> str:
        answer = await http.post("/v1/checks", json=asked, headers=counter.headers)
        return str(expect(answer, 200)["action"])

    assert await action() == "refer_to_supervisor"
    told = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
    assert [each["id"] for each in told] == [raised["alert"]["id"]]
    officer = await actors.client("duty_officer")
    expect(await on_entry(http, officer, raised["entry"], verdict), 201)
    assert await action() == ("refuse_exit" if verdict == "countersign" else "allow")
    other = entry_body(starts_on="2026-11-24")
    assert (await approve(http, actors, await submit(http, owner, other)))["state"] == "active"
    assert clocks.runtime.doubt()


async def test_a_verdict_by_the_clock_alone_is_not_spoken(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller, approver: Caller, clocks: Clocks
) -> None:
    """Too late, or over: a clock that is wrong must not say so."""
    ending = await impose(http, actors, entry_body(ends_on="2026-12-20"))
    urgent = (await sound(http, owner))["entry"]
    officer = await actors.client("duty_officer")
    await clocks.move(DAYS)
    extension = extension_body(ending, "2027-06-20")
    revocation = revocation_body(ending)
    async with nothing_changed(clocks.runtime):
        in_doubt(await file_amendment(http, owner, ending, extension))
        in_doubt(await file_amendment(http, owner, ending, revocation))
        in_doubt(await on_entry(http, officer, urgent, "countersign"))
        in_doubt(await formalise(http, owner, urgent, formal_body()))
    await clocks.move(2 - DAYS)
    soon = await impose(http, actors, entry_body(ends_on="2026-11-27"))
    in_doubt(await file_amendment(http, owner, soon, extension_body(soon, "2027-05-27")))
    await clocks.move(-2)
    expect(await on_entry(http, officer, urgent, "countersign"), 201)
    expect(await file_amendment(http, owner, ending, extension), 201)


async def test_a_formal_entry_ends_its_urgent_one_later(
    http: httpx2.AsyncClient,
    actors: Actors,
    owner: Caller,
    approver: Caller,
    counter: Caller,
    clocks: Clocks,
) -> None:
    """By a clock that is ahead the formal entry has begun; by the right one nobody would hold the person till then."""
    body = urgent_body()
    urgent = (await sound(http, owner, body))["entry"]
    urgent = await decide(http, await actors.client("duty_officer"), urgent, "countersign")
    formal = expect(await formalise(http, owner, urgent, formal_body(starts_on="2026-12-05")), 201)
    formal = await decide(http, await actors.client("verifier"), formal, "verify")
    await clocks.move(14)
    formal = await decide(http, approver, formal, "approve")
    await clocks.move(-14)
    answer = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(answer, 200)["action"] == "refuse_exit"
    path = f"/v1/entries/{urgent['id']}"
    assert expect(await http.get(path, headers=owner.headers), 200)["state"] == "provisional"
