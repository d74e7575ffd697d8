"""Receipts that arrive together share a transaction: each gets its own answer, and none spoils another's."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, event, func, select
from sqlalchemy.exc import IntegrityError

from app.access.admission.idempotency import claim
from app.access.clients.revocations import revoke_key
from app.access.domain import SYSTEM, Role
from app.access.tables import state
from app.actor import Actor
from app.alerting.alerts import receipts as module
from app.alerting.alerts.domain import Receipt, ReceiptLevel
from app.alerting.alerts.receipts import Confirmation, Confirmed, Receipts
from app.alerting.alerts.tables import receipt as receipt_table
from app.db.unit import Unit
from app.errors import IdempotencyMismatch, NotFound, Unauthenticated
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock
from tests.support.steps import expect, sound

SOON = 30.0
"""Seconds within which everything has certainly been answered."""


@contextmanager
def at_commits(runtime: Runtime, act: Callable[[Any], None]) -> Iterator[None]:
    """Do something with the driver's connection before each commit of a process during the block."""

    def befall(connection: Connection) -> None:
        if not connection.get_execution_options().get("isolation_level"):  # else it only reads
            act(connection.connection.driver_connection)

    engine: Any = runtime.register._engine  # type: ignore[attr-defined]  # both engines have one
    event.listen(engine, "commit", befall)
    yield
    event.remove(engine, "commit", befall)


@contextmanager
def commits(runtime: Runtime) -> Iterator[list[str]]:
    """One item for each commit of a process on the register during the block."""
    made: list[str] = []
    with at_commits(runtime, lambda _: made.append("commit")):
        yield made


@contextmanager
def failing(runtime: Runtime) -> Iterator[None]:
    """A database that stores nothing for a process: SQLite's file is locked, PostgreSQL is lost at each commit."""
    if not runtime.register.is_sqlite:
        with at_commits(runtime, lambda line: line.terminate()):
            yield
        return
    with closing(sqlite3.connect(runtime.register.url.database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.fixture
async def alert_id(http: httpx2.AsyncClient, actors: Actors) -> str:
    raised = await sound(http, await actors.client("submitter"))
    made: str = raised["alert"]["id"]
    return made


async def count_stored(runtime: Runtime) -> int:
    async with runtime.reading(SYSTEM) as reader:
        counted: int = (await reader.run(select(func.count()).select_from(receipt_table))).scalar_one()
        return counted


def asked(alert_id: str, client: str, level: ReceiptLevel = ReceiptLevel.RECEIVED) -> Confirmation:
    """A confirmation of a client of CGK."""
    actor = Actor(client_id=client, person=None, roles=frozenset({Role.CHECKPOINT}), checkpoint="CGK")
    return Confirmation(Receipt(alert_id, client, level, "CGK"), actor)


async def store_all(receipts: Receipts, *asked: Confirmation) -> list[Any]:
    """Store receipts that arrive at the same time. Returns the answer or the error of each."""
    async with asyncio.timeout(SOON):
        return await asyncio.gather(*map(receipts.store, asked), return_exceptions=True)


def statuses(answers: list[Any]) -> list[Any]:
    """The status of each answer, or the type of the error in its place."""
    return [each.response.status_code if isinstance(each, Confirmed) else type(each) for each in answers]


async def test_receipts_that_arrive_together_are_stored_by_one_commit(
    runtime: Runtime, alert_id: str
) -> None:
    crowd = [asked(alert_id, f"cli_{number}") for number in range(50)]
    with commits(runtime) as made:
        answers = await store_all(Receipts(runtime, 1), *crowd)
    assert statuses(answers) == [201] * 50
    assert len(made) == 1
    assert await count_stored(runtime) == 50


async def test_no_transaction_has_more_than_the_limit(
    runtime: Runtime, alert_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LARGEST_BATCH", 3)
    with commits(runtime) as made:
        answers = await store_all(Receipts(runtime, 1), *(asked(alert_id, f"cli_{n}") for n in range(7)))
    assert (statuses(answers), len(made)) == ([201] * 7, 3)


async def test_every_checkpoint_of_a_crowd_gets_its_own_answer(
    http: httpx2.AsyncClient, app: FastAPI, actors: Actors, alert_id: str, clock: SettableClock
) -> None:
    path, places = f"/v1/alerts/{alert_id}/receipts", ("CGK", "DPS", "SUB")
    crowd = [await actors.client("checkpoint", checkpoint=places[number % 3]) for number in range(12)]

    async def send(level: str) -> list[httpx2.Response]:
        body = {"level": level, "officer_reference": "Shift 3"}
        return await asyncio.gather(*(http.post(path, json=body, headers=each.headers) for each in crowd))

    first = [expect(answer, 201) for answer in await send("received")]
    assert first == [{"alert_id": alert_id, "level": "received", "at": first[0]["at"]}] * 12
    clock.advance(seconds=5)
    with commits(app.state.process.runtime) as made:  # every key is cached now
        acknowledged = [expect(answer, 201) for answer in await send("acknowledged")]
    assert len(made) < 12
    assert {answer["level"] for answer in acknowledged} == {"acknowledged"}
    assert [expect(answer, 200) for answer in await send("received")] == first
    runtime: Runtime = app.state.process.runtime
    async with runtime.reading(SYSTEM) as reader:
        rows = (await reader.run(select(receipt_table))).all()
    assert Counter((row.client_id, row.checkpoint) for row in rows) == {
        (each.id, each.checkpoint): 2 for each in crowd
    }
    assert {row.officer_reference for row in rows} == {"Shift 3"}
    assert len({row.salt for row in rows}) == 24


async def test_bad_receipts_spoil_no_other(
    http: httpx2.AsyncClient, actors: Actors, alert_id: str, counter: Caller
) -> None:
    guest = await actors.client("submitter")
    others = [await actors.client("checkpoint", checkpoint="DPS") for _ in range(3)]

    async def send(by: dict[str, str], to: str, **body: str) -> int:
        return (await http.post(f"/v1/alerts/{to}/receipts", json=body, headers=by)).status_code

    answers = await asyncio.gather(
        send(others[0].headers, alert_id, level="received"),
        send(counter.headers, "alr_nothing", level="received"),
        send(others[1].headers, alert_id, level="received"),
        send(counter.headers, alert_id, level="refused"),
        send(counter.headers, alert_id, level="seen"),
        send(counter.headers, "x" * 41, level="received"),
        send(guest.headers, alert_id, level="received"),
        send({}, alert_id, level="received"),
        send(others[2].headers, alert_id, level="received"),
    )
    assert answers == [201, 404, 201, 422, 422, 422, 403, 401, 201]


async def test_unknown_alerts_in_a_transaction_are_refused_alone(runtime: Runtime, alert_id: str) -> None:
    with commits(runtime) as made:
        answers = await store_all(
            Receipts(runtime, 1),
            asked(alert_id, "one"),
            asked("alr_nothing", "two"),
            asked(alert_id, "three"),
        )
    assert (statuses(answers), len(made)) == ([201, NotFound, 201], 1)


async def test_a_row_that_the_database_refuses_spoils_no_other(runtime: Runtime, alert_id: str) -> None:
    bad = asked(alert_id, "two")
    bad.receipt = replace(bad.receipt, checkpoint=None)  # type: ignore[arg-type]  # a fault of the program
    answers = await store_all(Receipts(runtime, 1), asked(alert_id, "one"), bad, asked(alert_id, "three"))
    assert statuses(answers) == [201, IntegrityError, 201]
    assert await count_stored(runtime) == 2


async def test_the_same_receipt_twice_in_a_transaction_is_new_once(runtime: Runtime, alert_id: str) -> None:
    acknowledged = asked(alert_id, "one", ReceiptLevel.ACKNOWLEDGED)
    crowd = (asked(alert_id, "one"), asked(alert_id, "two"), asked(alert_id, "one"), acknowledged)
    with commits(runtime) as made:
        answers = await store_all(Receipts(runtime, 1), *crowd)
    assert (statuses(answers), len(made)) == ([201, 201, 200, 201], 1)
    assert answers[0].response.body == answers[2].response.body
    assert [each.first_at is None for each in answers] == [False, False, True, False]
    assert await count_stored(runtime) == 3


@pytest.mark.settings(answer_seconds=3.0)
async def test_a_transaction_that_fails_answers_all_and_stores_none(
    http: httpx2.AsyncClient, app: FastAPI, runtime: Runtime, actors: Actors, alert_id: str
) -> None:
    path, body = f"/v1/alerts/{alert_id}/receipts", {"level": "received"}
    crowd = [await actors.client("checkpoint") for _ in range(6)]

    async def send() -> list[httpx2.Response]:
        return await asyncio.gather(*(http.post(path, json=body, headers=each.headers) for each in crowd))

    with failing(app.state.process.runtime):
        async with asyncio.timeout(SOON):
            lost = await send()
    for answer in lost:
        problem = expect(answer, 503)
        assert problem["type"] == "/problems/unavailable"
        assert problem.get("outcome") == (None if runtime.register.is_sqlite else "unknown")
        assert int(answer.headers["retry-after"]) >= 1
    assert await count_stored(runtime) == 0
    assert [answer.status_code for answer in await send()] == [201] * 6


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_a_receipt_whose_caller_is_gone_before_its_transaction_is_not_stored(
    runtime: Runtime, alert_id: str
) -> None:
    receipts = Receipts(runtime, 1)
    with failing(runtime):
        gone = asyncio.create_task(receipts.store(asked(alert_id, "one")))
        stays = asyncio.create_task(receipts.store(asked(alert_id, "two")))
        await asyncio.sleep(0.3)  # the transaction waits for the file's lock
        gone.cancel()
    assert statuses([await stays]) == [201]
    assert await count_stored(runtime) == 1


async def test_a_receipt_whose_caller_goes_while_it_is_written_is_not_stored(
    runtime: Runtime, alert_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add, under_way, gone = module.add_receipts, asyncio.Event(), asyncio.Event()

    async def add_slowly(unit: Unit, receipts: Sequence[Receipt]) -> Sequence[tuple[bool, datetime]]:
        under_way.set()
        await gone.wait()
        return await add(unit, receipts)

    monkeypatch.setattr(module, "add_receipts", add_slowly)
    receipts = Receipts(runtime, 1)
    leaves = asyncio.create_task(receipts.store(asked(alert_id, "one")))
    stays = asyncio.create_task(receipts.store(asked(alert_id, "two")))
    await under_way.wait()
    leaves.cancel()
    await asyncio.wait([leaves])
    gone.set()
    assert statuses([await stays]) == [201]
    assert await count_stored(runtime) == 1


async def test_repeats_by_key_are_answered_within_a_shared_transaction(
    http: httpx2.AsyncClient, actors: Actors, alert_id: str
) -> None:
    path = f"/v1/alerts/{alert_id}/receipts"
    crowd = [await actors.client("checkpoint") for _ in range(3)]

    async def send(level: str) -> list[httpx2.Response]:
        sent = (http.post(path, json={"level": level}, headers=each.once("k")) for each in crowd)
        return await asyncio.gather(*sent)

    first = await send("received")
    assert [answer.status_code for answer in first] == [201] * 3
    again = await send("received")
    assert [answer.content for answer in again] == [answer.content for answer in first]
    assert [answer.status_code for answer in again] == [201] * 3
    assert {answer.headers["idempotency-replayed"] for answer in again} == {"true"}
    for answer in await send("acknowledged"):
        assert expect(answer, 422)["type"] == "/problems/idempotency-mismatch"


async def test_a_cached_key_is_refused_once_access_has_changed(
    runtime: Runtime, alert_id: str, clock: SettableClock
) -> None:
    async with runtime.reading(SYSTEM) as reader:
        version = (await reader.run(select(state.c.version))).scalar_one()
    cached = [asked(alert_id, f"cli_{number}") for number in range(4)]
    cached[0].access_version, cached[1].access_version = version, version - 1
    cached[2].access_version = cached[3].access_version = version
    cached[2].actor = replace(cached[2].actor, expires_at=clock())
    cached[3].actor = replace(cached[3].actor, expires_at=clock() + timedelta(seconds=1))
    answers = await store_all(Receipts(runtime, 1), *cached)
    assert statuses(answers) == [201, Unauthenticated, Unauthenticated, 201]


@pytest.mark.parametrize("body", [{"level": "received"}, {"level": "seen"}], ids=["valid", "faulty"])
async def test_a_key_that_another_process_revokes_works_no_longer(
    http: httpx2.AsyncClient, runtime: Runtime, alert_id: str, counter: Caller, body: dict[str, str]
) -> None:
    path = f"/v1/alerts/{alert_id}/receipts"
    for status in (201, 200):
        expect(await http.post(path, json={"level": "received"}, headers=counter.headers), status)
    async with runtime.writing(SYSTEM) as unit:
        await revoke_key(unit, counter.id, counter.key_id)
    expect(await http.post(path, json=body, headers=counter.headers), 401)


async def test_a_caller_who_left_before_its_transaction_stores_nothing(
    runtime: Runtime, alert_id: str
) -> None:
    receipts = Receipts(runtime, 1)
    leaving = asyncio.create_task(receipts.store(asked(alert_id, "one")))
    staying = asyncio.create_task(receipts.store(asked(alert_id, "two")))
    await asyncio.sleep(0)
    leaving.cancel()
    async with asyncio.timeout(SOON):
        assert (await staying).response.status_code == 201
    assert await count_stored(runtime) == 1


async def test_a_receipt_that_arrives_as_a_transaction_ends_is_stored(
    runtime: Runtime, alert_id: str
) -> None:
    receipts = Receipts(runtime, 1)
    for number in range(5):
        [answer] = await store_all(receipts, asked(alert_id, f"cli_{number}"))
        assert answer.response.status_code == 201


async def test_processes_that_store_the_same_receipts_do_not_wait_for_each_other_for_ever(
    processes: list[Runtime], alert_id: str
) -> None:
    crowd = [asked(alert_id, f"cli_{number}") for number in range(150)]
    orders = (crowd, crowd[::-1], [*crowd[75:], *crowd[:75]])
    answers = await asyncio.gather(
        *(
            store_all(Receipts(runtime, 1), *(replace(each) for each in order))
            for runtime, order in zip(processes, orders, strict=True)
        )
    )
    assert Counter(status for each in answers for status in statuses(each)) == {201: 150, 200: 300}


@pytest.mark.parametrize(
    ("sent", "status", "pointers"),
    [
        (b"", 422, [""]),
        (b"{", 400, None),
        (b'{"level":"received","level":"refused"}', 422, ["/level"]),
        (b"[]", 422, [""]),
        (b'{"level":"received","place":"CGK"}', 422, ["/place"]),
    ],
    ids=["missing", "malformed", "repeated-member", "list", "unknown-member"],
)
async def test_a_body_with_faults_is_refused_whether_or_not_the_key_is_cached(
    http: httpx2.AsyncClient,
    runtime: Runtime,
    alert_id: str,
    counter: Caller,
    sent: bytes,
    status: int,
    pointers: list[str] | None,
) -> None:
    path = f"/v1/alerts/{alert_id}/receipts"
    headers = {**counter.headers, "Content-Type": "application/json"}
    problems = []
    for _ in range(2):
        problem = expect(await http.post(path, content=sent, headers=headers), status)
        problems.append([each["pointer"] for each in problem["errors"]] if "errors" in problem else None)
    assert problems == [pointers, pointers]
    assert await count_stored(runtime) == 0


async def test_a_mismatch_in_a_transaction_is_refused_alone(runtime: Runtime, alert_id: str) -> None:
    def by_key(body: bytes) -> Confirmation:
        claimed = claim("one", "POST", f"/v1/alerts/{alert_id}/receipts", "k", body)
        return replace(asked(alert_id, "one"), claim=claimed)

    receipts = Receipts(runtime, 1)
    assert statuses(await store_all(receipts, by_key(b"first"))) == [201]
    answers = await store_all(receipts, asked(alert_id, "two"), by_key(b"other"), asked(alert_id, "three"))
    assert statuses(answers) == [201, IdempotencyMismatch, 201]


async def test_rows_are_inserted_in_the_order_of_their_keys(runtime: Runtime, alert_id: str) -> None:
    inserted: list[list[str]] = []

    def note(*given: Any) -> None:
        _, _, statement, parameters, _, many = given
        if many and "INSERT INTO alert_receipt" in statement:
            inserted.append([row[1] for row in parameters])

    engine: Any = runtime.register._engine  # type: ignore[attr-defined]  # both engines have one
    event.listen(engine, "before_cursor_execute", note)
    await store_all(Receipts(runtime, 1), *(asked(alert_id, f"cli_{number}") for number in (3, 1, 2)))
    event.remove(engine, "before_cursor_execute", note)
    assert inserted == [["cli_1", "cli_2", "cli_3"]]
