"""The register that tests are given: fresh, whole, on both engines, with the test's own clock."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import httpx2
import pytest

from app.access.domain import IMMIGRATION
from app.main import create_app
from app.settings import Settings
from app.worker import Worker
from tests.support import postgres
from tests.support.actors import Actors
from tests.support.bodies import Json, check_body, deterrence_body, entry_body, mrz_of, urgent_body
from tests.support.clock import SettableClock
from tests.support.databases import Run
from tests.support.served import Served, client_for, serving
from tests.support.sse import listening
from tests.support.steps import expect, impose, sound


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_begins_with_an_empty_register(http: httpx2.AsyncClient, actors: Actors, turn: int):
    submitter = await actors.client("submitter")
    listed = expect(await http.get("/v1/entries", headers=submitter.headers), 200)
    assert listed == {"items": [], "next_cursor": None}
    await impose(http, actors)


@pytest.mark.parametrize("make", [entry_body, deterrence_body])
async def test_the_bodies_are_accepted_without_a_warning_and_come_into_force(
    http: httpx2.AsyncClient, actors: Actors, make: Callable[..., Json]
):
    entry = await impose(http, actors, make())
    assert (entry["state"], entry["in_force"], entry["warnings"]) == ("active", True, [])


async def test_an_urgent_body_warns_of_the_unseen_letter_alone(http: httpx2.AsyncClient, actors: Actors):
    answer = await sound(http, await actors.client("submitter"))
    assert [warning["code"] for warning in answer["entry"]["warnings"]] == ["letter_unseen"]
    assert answer["alert"]["kind"] == "raise"


async def test_a_check_by_the_zone_or_by_what_was_typed_finds_the_person(
    http: httpx2.AsyncClient, actors: Actors
):
    body = entry_body()
    entry = await impose(http, actors, body)
    counter = await actors.client("checkpoint")
    for asked in (check_body(body["subject"]), {"direction": "exit", "mrz": mrz_of(body["subject"])}):
        answer = expect(await http.post("/v1/checks", json=asked, headers=counter.headers), 200)
        assert answer["outcome"] == "refuse"
        assert [match["entry_id"] for match in answer["matches"]] == [entry["id"]]


async def test_the_registers_time_is_the_tests(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
):
    answer = await sound(http, await actors.client("submitter"))
    auditor = await actors.client("auditor")
    path = f"/v1/entries/{answer['entry']['id']}"
    clock.advance(timedelta(days=30))
    assert expect(await http.get(path, headers=auditor.headers), 200)["ended_reason"] == "lapsed"
    assert await worker.end_by_law() == 1


async def test_callers_are_what_their_roles_need(http: httpx2.AsyncClient, actors: Actors):
    submitter, approver = await actors.client("submitter"), await actors.client(["approver", "duty_officer"])
    assert (submitter.agency, approver.agency) == ("KPK", IMMIGRATION)
    assert submitter.person != approver.person
    counter = await actors.client("checkpoint", checkpoint="DPS", kind="autogate")
    assert (counter.person, counter.checkpoint) == (None, "DPS")
    integrator, admin = await actors.client("integrator"), await actors.client("admin")
    for caller in (submitter, approver, counter, integrator, admin):
        expect(await http.get("/v1/agencies", headers=caller.headers), 200)


@pytest.mark.settings(urgent_countersign_first=True)
@pytest.mark.settings(countersign_within_hours=2)
def test_marks_change_the_deployment(settings: Settings):
    assert settings.urgent_countersign_first
    assert settings.countersign_within_hours == 2


async def test_a_served_register_streams_alerts_over_a_socket(served: Served, actors: Actors):
    counter, submitter = await actors.client("checkpoint"), await actors.client("submitter")
    async with listening(served.http, counter.headers) as stream:
        assert (await stream.next("heartbeat")).json["last_alert"] == 0
        body = urgent_body()
        await sound(served.http, submitter, body)
        alert = (await stream.next("alert")).json
        assert alert["entry"]["full_name"] == body["subject"]["full_name"]


async def test_a_server_stops_though_streams_are_open(
    clock: SettableClock, settings: Settings, actors: Actors
):
    counter = await actors.client("checkpoint")
    with serving(create_app(settings, clock)) as url:
        http = client_for(url)
        opened = listening(http, counter.headers)
        stream = await opened.__aenter__()
        await stream.next("heartbeat")
    assert await asyncio.wait_for(stream.rest(), 5) == []
    await opened.__aexit__(None, None, None)
    await http.aclose()


def test_postgresql_runs_from_programs_that_others_may_not_reach(monkeypatch: pytest.MonkeyPatch):
    """A checkout under a closed folder, such as root's home, on a machine where tests run as root."""
    if not postgres._whom():
        pytest.skip("only root needs another user to run PostgreSQL")
    monkeypatch.setattr(postgres, "_open_to_all", lambda _: False)
    run = Run.begin()
    try:
        server = run.server()
        assert server.startswith("postgresql://")
    finally:
        run.end()
    assert not run.folder.exists()
