"""Health, readiness, metrics, the OpenAPI document and the pages about problems (API section 8)."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from app import operation
from app.access.domain import SYSTEM
from app.db.faults import Outage
from app.errors import Unauthenticated
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from tests.support.actors import Actors
from tests.support.bodies import check_body, entry_body
from tests.support.clock import SettableMachine
from tests.support.databases import PEPPER
from tests.support.exchanges import asked_by_me
from tests.support.lifespan import client_of, started
from tests.support.steps import expect, impose


async def test_a_process_that_lives_says_so_to_everybody(http: httpx2.AsyncClient) -> None:
    assert expect(await http.get("/healthz"), 200) == {"status": "ok"}


async def test_a_service_that_can_work_is_ready(http: httpx2.AsyncClient) -> None:
    told = expect(await http.get("/readyz"), 200)
    assert told["status"] == "ready"
    assert set(told["checks"].values()) == {"ok"}
    assert set(told["checks"]) >= {"database", "writing", "schema", "ledger", "clock"}
    assert (told["held_back"], told["test_clock"]) == (None, None)


@pytest.mark.settings(readiness_seconds=60)
async def test_readiness_costs_no_look_up_a_call_but_what_the_process_knows_shows_at_once(
    http: httpx2.AsyncClient, app: FastAPI, runtime: Runtime
) -> None:
    with asked_by_me(app.state.process.runtime) as asked:
        expect(await http.get("/readyz"), 200)
        once = len(asked)
        assert once > 0
        for _ in range(5):
            expect(await http.get("/readyz"), 200)
        assert len(asked) == once
    app.state.process.runtime.unwritten = Outage.FULL
    assert expect(await http.get("/readyz"), 503)["checks"]["writing"] == str(Outage.FULL)
    app.state.process.runtime.unwritten = None
    app.state.process.tail.rollback_reason = "it has gone back"
    assert expect(await http.get("/readyz"), 503)["checks"]["ledger"] == "it has gone back"


async def test_many_who_ask_at_once_wait_for_one_look(
    http: httpx2.AsyncClient, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.state.process.runtime.settings = app.state.process.runtime.settings.model_copy(
        update={"readiness_seconds": 60.0}
    )
    asked, ask = [], operation._look

    async def look(runtime: Runtime) -> object:
        asked.append(runtime)
        return await ask(runtime)

    monkeypatch.setattr(operation, "_look", look)
    answers = await asyncio.gather(*(http.get("/readyz") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(asked) == 1


@pytest.mark.settings(readiness_seconds=0.2)
async def test_what_readiness_has_found_does_not_hold_for_long(
    http: httpx2.AsyncClient, runtime: Runtime
) -> None:
    expect(await http.get("/readyz"), 200)
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text("UPDATE alembic_version SET version_num = '0001'"))
    async with asyncio.timeout(5):
        while (await http.get("/readyz")).status_code == 200:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.02)


async def test_entries_whose_names_an_earlier_release_made_ready_are_counted(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    await impose(http, actors)
    assert (await http.get("/readyz")).json()["names_outdated"] == 0
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text("UPDATE entry SET norm_version = 1"))
    assert (await http.get("/readyz")).json()["names_outdated"] == 1


async def test_a_clock_that_differs_from_the_databases_is_not_ready(settings: Settings) -> None:
    machine, told = SettableMachine(), []
    app = create_app(settings, machine=machine.clocks, work=False)
    async with client_of(app) as http:
        for seconds in (-3, 0, 3):
            machine.ahead = timedelta(seconds=seconds)
            told.append((await http.get("/readyz")).status_code)
    assert told == ([200, 200, 200] if settings.url.startswith("sqlite") else [503, 200, 503])


async def test_another_schema_is_not_ready_and_names_the_command(
    http: httpx2.AsyncClient, runtime: Runtime
) -> None:
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text("UPDATE alembic_version SET version_num = '0001'"))
    told = expect(await http.get("/readyz"), 503)
    assert told["status"] == "not_ready"
    assert "cekal migrate" in told["checks"]["schema"]


async def test_a_ledger_whose_last_record_was_changed_is_not_ready(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    await impose(http, actors)
    assert (await http.get("/readyz")).json()["checks"]["ledger"] == "ok"
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text("UPDATE ledger_record SET leaf = replace(leaf, 'KPK', 'BNN')"))
    assert expect(await http.get("/readyz"), 503)["checks"]["ledger"] != "ok"


@pytest.mark.parametrize("lost", [1, 2])
async def test_a_ledger_whose_head_is_before_its_last_record_is_not_ready(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors, lost: int
) -> None:
    await impose(http, actors)
    await impose(http, actors)
    assert expect(await http.get("/readyz"), 200)["checks"]["ledger"] == "ok"
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text(f"UPDATE ledger_head SET size = size - {lost}"))
    assert expect(await http.get("/readyz"), 503)["checks"]["ledger"] == "the tail does not hold"


async def test_a_ledger_that_lost_its_last_record_is_not_ready(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    await impose(http, actors)
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text("DELETE FROM ledger_record"))
    assert expect(await http.get("/readyz"), 503)["checks"]["ledger"] != "ok"


async def test_a_service_that_is_stopping_is_not_ready(http: httpx2.AsyncClient, app: FastAPI) -> None:
    app.state.process.readiness.serving = False
    assert expect(await http.get("/readyz"), 503)["status"] == "not_ready"


async def test_a_test_clock_shows(engine_url: str, tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("2026-11-23T10:00:00+07:00\n")
    given = Settings(
        env="test", database_url=engine_url, data_dir=tmp_path, test_clock=file, key_pepper=PEPPER
    )
    app = create_app(given, work=False)
    async with (
        started(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://testserver") as http,
    ):
        for hour in ("03", "04"):
            file.write_text(f"2026-11-23T{hour}:00:00Z")
            told = expect(await http.get("/readyz"), 200)
            assert told["test_clock"].startswith(f"2026-11-23T{hour}:00:00")


async def test_metrics_are_for_admins_and_count_by_route(http: httpx2.AsyncClient, actors: Actors) -> None:
    counter, admin = await actors.client("checkpoint"), await actors.client("admin")
    expect(await http.get("/metrics"), 401)
    expect(await http.get("/metrics", headers=counter.headers), 403)
    asked = await http.post("/v1/checks", json=check_body(entry_body()["subject"]), headers=counter.headers)
    answer = expect(asked, 200)
    expect(await http.get(f"/v1/checks/{answer['id']}", headers=counter.headers), 200)
    await asyncio.sleep(0)  # requests are counted at the end of the event loop's turn
    told = await http.get("/metrics", headers=admin.headers)
    assert told.status_code == 200
    assert told.headers["content-type"].startswith("text/plain")
    lines = told.text.splitlines()
    assert 'cekal_http_requests_total{method="POST",route="/v1/checks",status="200"} 1.0' in lines
    assert 'cekal_http_requests_total{method="GET",route="/v1/checks/{check_id}",status="200"} 1.0' in lines
    assert answer["id"] not in told.text
    assert 'cekal_checks_total{outcome="clear"} 1.0' in lines
    assert {"cekal_streams_open 0.0", "cekal_streams_evicted_total 0.0", "cekal_ledger_size 0.0"} <= set(
        lines
    )


async def test_a_check_that_could_not_be_stored_is_not_counted_as_answered(
    runtime: Runtime, http: httpx2.AsyncClient, actors: Actors
) -> None:
    counter, admin = await actors.client("checkpoint"), await actors.client("admin")
    question = check_body(entry_body()["subject"])

    async def rename(table: str, name: str) -> None:
        async with runtime.writing_checks(SYSTEM) as unit:
            await unit.run(text(f"ALTER TABLE {table} RENAME TO {name}"))

    await rename("check_record", "moved")
    assert (await http.post("/v1/checks", json=question, headers=counter.headers)).status_code >= 500
    await rename("moved", "check_record")
    expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
    lines = (await http.get("/metrics", headers=admin.headers)).text.splitlines()
    assert 'cekal_checks_total{outcome="clear"} 1.0' in lines


async def test_the_documents_need_no_key(app: FastAPI) -> None:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://testserver") as http:
        document = expect(await http.get("/v1/openapi.json"), 200)
        page = await http.get("/docs")
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) >= {"/v1/checks", "/v1/alerts/stream", "/v1/changes", "/v1/worklist"}
    assert page.status_code == 200
    assert "/v1/openapi.json" in page.text


async def test_every_problem_explains_itself(http: httpx2.AsyncClient) -> None:
    problem = expect(await http.get("/v1/changes"), 401)
    assert problem["type"] == f"/problems/{Unauthenticated.slug}"
    page = await http.get(problem["type"])
    assert page.status_code == 200
    assert problem["title"] in page.text


@pytest.mark.parametrize("path", ["/nowhere", "/v1/nowhere", "/v1/entries/", "/v1/checks/", "/v1"])
async def test_an_unknown_path_is_a_problem_too(http: httpx2.AsyncClient, path: str) -> None:
    assert (await http.get(path)).headers["content-type"] == "application/problem+json"
