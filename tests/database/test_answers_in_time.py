"""Every request is answered in time, whatever hangs behind it; what is not known is not pretended."""

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url

from app.border.checks import batcher, routes
from app.main import create_app
from app.settings import Settings
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.served import client_for, serving
from tests.support.steps import Json, expect, sound
from tests.support.wire import wire

QUESTION = check_body(entry_body()["subject"])
ON_POSTGRESQL = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)

IN_TIME = 15.0
"""Seconds within which an answer that is due after one second has certainly come."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A desk that gives up soon."""
    monkeypatch.setattr(batcher, "LONGEST_ANSWER", 1.0)
    monkeypatch.setattr(routes, "LONGEST_ANSWER", 1.0)


@ON_POSTGRESQL
@pytest.mark.usefixtures("impatient")
@pytest.mark.settings(answer_seconds=1.0, database_seconds=600.0)
async def test_with_a_database_that_hangs_every_request_gets_its_503(
    settings: Settings, clock: SettableClock, actors: Actors, counter: Caller
) -> None:
    owner, admin = await actors.client("submitter"), await actors.client("admin")
    stranger = await actors.client("checkpoint", checkpoint="DPS")
    with wire(settings.url) as line:
        app = create_app(settings.model_copy(update={"database_url": line.address}), clock)
        with serving(app) as url:
            async with client_for(url) as http:
                raised = await sound(http, owner)
                expect(await http.post("/v1/checks", json=QUESTION, headers=counter.headers), 200)
                line.freeze()
                rows = {"items": [QUESTION] * 300}
                asked = [
                    http.post("/v1/checks", json=QUESTION, headers=counter.headers),
                    http.post("/v1/checks", json=QUESTION, headers=stranger.headers),
                    http.post("/v1/checks/batch", json=rows, headers=counter.headers),
                    http.post("/v1/urgent-entries", json=urgent_body(), headers=owner.once("one")),
                    http.post("/v1/entries", json=entry_body(), headers=owner.headers),
                    http.get(f"/v1/entries/{raised['entry']['id']}", headers=owner.headers),
                    http.get("/v1/worklist", headers=owner.headers),
                    http.get("/v1/alerts?wait=0", headers=counter.headers),
                    http.get("/v1/alerts/stream", headers=counter.headers),
                    http.get("/metrics", headers=admin.headers),
                ]
                async with asyncio.timeout(IN_TIME):
                    answers = await asyncio.gather(*asked)
                line.mend()
    for answer in answers:
        assert expect(answer, 503)["type"] in {"/problems/not-stored", "/problems/unavailable"}
        assert int(answer.headers["retry-after"]) >= 1
        assert "outcome" not in answer.json()


@contextmanager
def at_commit(app: FastAPI, act: Callable[[Any], None]) -> Iterator[None]:
    """Do something to the connection of the first transaction that is to be committed, before it is."""
    left = [act]

    def befall(connection: Connection) -> None:
        if left and not connection.get_execution_options().get("isolation_level"):
            left.pop()(connection.connection.driver_connection)

    engine = app.state.process.runtime.register._engine
    event.listen(engine, "commit", befall)
    yield
    event.remove(engine, "commit", befall)


async def repeated(http: httpx2.AsyncClient, body: Json, once: dict[str, str]) -> httpx2.Response:
    """The answer to a repeat, once the server has ended what the first request left there."""
    async with asyncio.timeout(IN_TIME):
        while True:
            again = await http.post("/v1/urgent-entries", json=body, headers=once)
            if again.status_code != 409:
                return again
            await asyncio.sleep(0.05)


@ON_POSTGRESQL
@pytest.mark.settings(answer_seconds=2.0, database_seconds=600.0)
async def test_an_urgent_entry_that_was_stored_unheard_is_answered_by_the_truth_when_repeated(
    app: FastAPI, http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    owner = await actors.client("submitter")
    once, body = owner.once("one"), urgent_body()
    hanging: list[int] = []

    def hang(line: Any) -> None:
        hanging.append(line.get_server_pid())
        os.kill(hanging[0], signal.SIGSTOP)

    with at_commit(app, hang):
        async with asyncio.timeout(IN_TIME):
            lost = await http.post("/v1/urgent-entries", json=body, headers=once)
    early = await http.post("/v1/urgent-entries", json=body, headers=once)
    os.kill(hanging[0], signal.SIGCONT)
    assert expect(lost, 503)["outcome"] == "unknown"
    expect(early, 409)  # nobody knows yet
    again = await repeated(http, body, once)
    assert expect(again, 201)["alert"]["sequence"] == 2
    assert again.headers["idempotency-replayed"] == "true"
    alerts = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
    assert [alert["id"] for alert in alerts] == [again.json()["alert"]["id"]]


@ON_POSTGRESQL
async def test_an_urgent_entry_that_was_not_stored_is_made_when_repeated(
    app: FastAPI, http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    owner = await actors.client("submitter")
    once, body = owner.once("one"), urgent_body()
    with at_commit(app, lambda line: line.terminate()):
        lost = await http.post("/v1/urgent-entries", json=body, headers=once)
    assert expect(lost, 503)["outcome"] == "unknown"
    again = await repeated(http, body, once)
    made = expect(again, 201)
    assert "idempotency-replayed" not in again.headers
    alerts = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
    assert [alert["id"] for alert in alerts] == [made["alert"]["id"]]


@ON_SQLITE
@pytest.mark.settings(answer_seconds=1.0)
async def test_writers_that_wait_for_a_locked_file_are_answered_in_time_together(
    http: httpx2.AsyncClient, settings: Settings, actors: Actors
) -> None:
    owner = await actors.client("submitter")
    with sqlite3.connect(make_url(settings.url).database or "", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        asked = [
            http.post("/v1/urgent-entries", json=urgent_body(), headers=owner.once(str(number)))
            for number in range(6)  # one after another would each wait as long as a lock is waited for
        ]
        async with asyncio.timeout(IN_TIME):
            answers = await asyncio.gather(*asked)
        other.execute("ROLLBACK")
    other.close()
    for answer in answers:
        assert expect(answer, 503)["type"] == "/problems/unavailable"
        assert int(answer.headers["retry-after"]) >= 1
    await sound(http, owner)


@pytest.mark.usefixtures("impatient")
@pytest.mark.settings(answer_seconds=1.0)
async def test_neither_a_slow_sender_nor_a_poll_that_asks_for_it_is_cut(
    settings: Settings, clock: SettableClock, actors: Actors, counter: Caller
) -> None:
    owner = await actors.client("submitter")
    urgent, question = json.dumps(urgent_body()).encode(), json.dumps(QUESTION).encode()

    async def slowly(body: bytes) -> AsyncIterator[bytes]:
        yield body[:20]
        await asyncio.sleep(1.5)
        yield body[20:]

    as_json = {"Content-Type": "application/json"}
    with serving(create_app(settings, clock)) as url:
        async with client_for(url) as http:
            empty, made, answered = await asyncio.gather(
                http.get("/v1/alerts", params={"wait": 2.5}, headers=counter.headers),
                http.post("/v1/entries", content=slowly(urgent), headers=owner.headers | as_json),
                http.post("/v1/checks", content=slowly(question), headers=counter.headers | as_json),
            )
            assert expect(empty, 200)["items"] == []
            assert made.status_code == 422  # it was read to its end, and is no entry
            expect(answered, 200)
