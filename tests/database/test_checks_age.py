"""Checks grow for ever: months as partitions on PostgreSQL, and clear questions that are forgotten in time."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text

from app.access.domain import SYSTEM
from app.border.checks.partitions import make_months
from app.border.checks.tables import ageing, check
from app.runtime import Runtime
from app.settings import Settings
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, merged, mrz_of
from tests.support.clock import SettableClock
from tests.support.steps import Json, expect, impose


async def ask(http: httpx2.AsyncClient, by: Caller, question: Json | None = None) -> Json:
    """The answer to a check."""
    sent = question or check_body(entry_body()["subject"])
    return expect(await http.post("/v1/checks", json=sent, headers=by.headers), 200)


async def rows(runtime: Runtime) -> dict[str, Any]:
    """Every check on record, by id."""
    async with runtime.reading_checks(SYSTEM) as reader:
        return {row.id: row for row in await reader.run(select(check))}


async def test_clear_questions_are_forgotten_after_ninety_days_and_the_records_stay(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    counter: Caller,
    clock: SettableClock,
    worker: Worker,
) -> None:
    body = entry_body()
    await impose(http, actors, body)
    question = merged(check_body(body["subject"]), {"mrz": mrz_of(body["subject"])})
    old = await ask(http, counter, question)
    clock.advance(days=1)
    new = await ask(http, counter, question)
    clock.advance(days=89)
    await worker.tidy()
    assert all(row.question for row in (await rows(runtime)).values())
    clock.advance(seconds=1)
    await worker.tidy()
    kept = await rows(runtime)
    assert kept[old["id"]].question is None
    assert kept[new["id"]].question is not None
    assert kept[old["id"]].document_hash == kept[new["id"]].document_hash
    assert (kept[old["id"]].outcome, kept[old["id"]].checkpoint) == ("refuse", "CGK")
    again = expect(await http.get(f"/v1/checks/{old['id']}", headers=counter.headers), 200)
    assert again == {**old, "mrz": None}


@pytest.mark.settings(question_days=1)
async def test_forgetting_goes_on_where_it_stopped_and_misses_none(
    http: httpx2.AsyncClient,
    runtime: Runtime,
    counter: Caller,
    clock: SettableClock,
    worker: Worker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.erasing.BATCH_SIZE", 3)
    for _ in range(3):
        for _ in range(4):
            await ask(http, counter)
        clock.advance(hours=13)
        await worker.tidy()
        async with runtime.reading_checks(SYSTEM) as reader:
            mark = (await reader.run(select(ageing.c.erased_before))).scalar_one_or_none() or ""
        told = await rows(runtime)
        limit = clock() - timedelta(days=1)
        assert {i for i, row in told.items() if row.question is None} == {
            i for i, row in told.items() if row.at < limit
        }
        assert all(row.id < mark for row in told.values() if row.question is None)
    assert len(told) == 12


@pytest.mark.settings(question_days=1)
async def test_what_comes_after_a_clock_that_ran_ahead_is_forgotten_in_its_time(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller, clock: SettableClock, worker: Worker
) -> None:
    await ask(http, counter)
    clock.advance(days=30)
    await worker.tidy()
    clock.advance(days=-30)
    await worker.tidy()
    answer = await ask(http, counter)
    clock.advance(days=2)
    await worker.tidy()
    assert (await rows(runtime))[answer["id"]].question is None


async def partitions(runtime: Runtime) -> dict[str, int]:
    """How many checks each partition holds."""
    async with runtime.reading_checks(SYSTEM) as reader:
        found = await reader.run(
            text("SELECT tableoid::regclass::text AS name, count(*) AS held FROM check_record GROUP BY 1")
        )
        return {row.name: row.held for row in found}


async def months(runtime: Runtime) -> set[str]:
    """The partitions that there are."""
    async with runtime.reading_checks(SYSTEM) as reader:
        statement = (
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'check_record'::regclass"
        )
        return set((await reader.run(text(statement))).scalars())


@pytest.fixture
def on_postgresql(settings: Settings) -> None:
    if settings.url.startswith("sqlite"):
        pytest.skip("SQLite has no partitions; checks have a file of their own there")


@pytest.mark.usefixtures("on_postgresql")
async def test_each_months_checks_lie_in_their_own_partition(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller, clock: SettableClock
) -> None:
    assert {"check_record_202611", "check_record_202612", "check_record_202701"} <= await months(runtime)
    for moment in ("2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00Z", "2027-01-31T23:59:59Z"):
        clock.set(moment)
        await ask(http, counter)
    assert await partitions(runtime) == {
        "check_record_202611": 1,
        "check_record_202612": 1,
        "check_record_202701": 1,
    }


@pytest.mark.usefixtures("on_postgresql")
async def test_months_are_made_ahead_by_many_at_once(
    app: FastAPI, runtime: Runtime, clock: SettableClock
) -> None:
    clock.set("2027-11-15T00:00:00Z")
    await asyncio.gather(*(make_months(process) for process in (runtime, app.state.process.runtime) * 3))
    assert {"check_record_202711", "check_record_202712", "check_record_202801"} <= await months(runtime)


@pytest.mark.usefixtures("on_postgresql")
async def test_a_check_whose_month_was_never_made_is_stored_all_the_same(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller, clock: SettableClock
) -> None:
    clock.set("2027-10-15T00:00:00Z")
    answer = await ask(http, counter)
    assert await partitions(runtime) == {"check_record_rest": 1}
    await make_months(runtime)  # this month stays in the rest; the next are made
    assert {"check_record_202711", "check_record_202712"} <= await months(runtime)
    assert "check_record_202710" not in await months(runtime)
    assert expect(await http.get(f"/v1/checks/{answer['id']}", headers=counter.headers), 200) == answer


@pytest.mark.usefixtures("on_postgresql")
async def test_reading_a_check_again_looks_into_one_partition(runtime: Runtime) -> None:
    async with runtime.reading_checks(SYSTEM) as reader:
        plan = await reader.run(
            text("EXPLAIN SELECT * FROM check_record WHERE id = 'chk_01kb000000aaaaaaaaaaaaaaaa'")
        )
        told = "\n".join(plan.scalars())
    assert told.count("Scan") == 1, told
