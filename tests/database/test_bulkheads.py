"""Kinds of work have connections of their own to PostgreSQL: none stands behind another that is slow or stuck."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response
from sqlalchemy import text

from app.access.domain import SYSTEM
from app.db.lanes import Lane, most_connections, shares
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, wni
from tests.support.steps import Json, expect, sound, submit
from tests.support.waiting import until

pytestmark = [
    pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True),
    pytest.mark.settings(pool_size=2),
]

SLOW_READERS = 12
WRITERS = 19


async def check(http: AsyncClient, by: Caller) -> Response:
    """A check about somebody who is not listed."""
    return await http.post("/v1/checks", json=check_body(wni(1)), headers=by.headers)


@asynccontextmanager
async def slow_readers(runtime: Runtime) -> AsyncIterator[None]:
    """More readers than there are connections for, each of which takes its time; ended at the block's end."""

    async def read() -> None:
        async with runtime.reading(SYSTEM) as reader:
            await reader.run(text("SELECT pg_sleep(60)"))

    readers = [asyncio.create_task(read()) for _ in range(SLOW_READERS)]
    free = runtime.register._lanes._free[Lane.READS]  # type: ignore[attr-defined]  # PostgreSQL's
    await until(free.locked)
    yield
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


@asynccontextmanager
async def held_ledger(url: str) -> AsyncIterator[None]:
    """Another program's lock on the ledger's row, for the block's length."""
    connection = await asyncpg.connect(url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT * FROM ledger_head FOR UPDATE")
        yield
        await transaction.rollback()
    finally:
        await connection.close(timeout=2)


async def test_an_alert_and_a_check_pass_a_crowd_of_slow_readers(
    http: AsyncClient, app: FastAPI, actors: Actors
) -> None:
    submitter, counter, reader = [
        await actors.client(role) for role in ("submitter", "checkpoint", "checkpoint")
    ]
    async with slow_readers(app.state.process.runtime):
        stuck = asyncio.create_task(http.get("/v1/agencies", headers=reader.headers))
        async with asyncio.timeout(8):
            raised = await sound(http, submitter)
            await until(lambda: app.state.process.tail.head.last_alert == raised["alert"]["sequence"])
            expect(await check(http, counter), 200)
            await submit(http, submitter)  # ordinary writers have theirs too
        assert not stuck.done(), "the readers were no crowd"
    expect(await stuck, 200)


async def test_checks_and_reads_go_on_while_writers_wait_for_the_ledger(
    http: AsyncClient, app: FastAPI, actors: Actors, engine_url: str
) -> None:
    duty, counter = await actors.client("duty_officer"), await actors.client("checkpoint")
    drill = {"kind": "exercise", "message": "Exercise."}

    async def write() -> Json:
        return expect(await http.post("/v1/alerts", json=drill, headers=duty.headers), 201)

    async with held_ledger(engine_url):
        writers = [asyncio.create_task(write()) for _ in range(WRITERS)]
        free = app.state.process.runtime.register._lanes._free[Lane.WRITES]
        await until(free.locked)
        async with asyncio.timeout(8):
            for _ in range(5):
                expect(await check(http, counter), 200)
            expect(await http.get("/v1/alerts", headers=counter.headers), 200)
        assert not any(writer.done() for writer in writers)
    assert len({drilled["id"] for drilled in await asyncio.gather(*writers)}) == WRITERS


async def test_the_lanes_are_the_pool_and_leave_nothing_taken(
    http: AsyncClient, app: FastAPI, actors: Actors
) -> None:
    submitter = await actors.client("submitter")
    await asyncio.gather(*(submit(http, submitter, entry_body()) for _ in range(30)))
    database = app.state.process.runtime.register
    pool = database._engine.pool
    assert pool.size() + pool._max_overflow == most_connections(2) == sum(shares(2).values())
    taken = {lane: free for lane, free in database._lanes._free.items() if free._value != shares(2)[lane]}
    assert set(taken) <= {Lane.TAIL}, "all but the tail is at rest"
