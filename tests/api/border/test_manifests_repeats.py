"""A document has one hit on a journey, however often a carrier asks about it, and the answer says nothing of a ban."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from app.border.checks import batcher
from app.border.manifests import answer_delay
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, deterrence_body, entry_body
from tests.support.crossings import say
from tests.support.exchanges import databases_of, executing
from tests.support.manifests import PATH, manifest_body, passenger, read, send, statuses, stranger
from tests.support.steps import amend, expect, impose

ROWS = 70
"""More than one batch holds."""


GOES_ALONG = (
    "INSERT INTO check_match",
    "INSERT INTO check_opened_hit",
    "INSERT INTO check_journey_hit",
    "INSERT INTO manifest_key",
)
"""What SQLite, which exchanges nothing, executes in the same transaction only where there are such rows."""
STORES_CHECKS = "WITH part_0 AS (INSERT INTO check_"
"""One exchange with PostgreSQL, whatever is stored by it."""


@pytest.fixture
async def supervisor(actors: Actors) -> Caller:
    return await actors.client("supervisor", checkpoint="DPS")


async def hits(http: httpx2.AsyncClient, by: Caller) -> list[Json]:
    return list(expect(await http.get("/v1/hits", headers=by.headers), 200)["items"])


def named(body: Json, row: int, **given: Any) -> Json:
    """A passenger who shows the document of an entry's subject under another name in each row."""
    person = {"name": f"Aldous {'abcdefghij'[row % 10] * 3} Quillfeather", **given}
    return passenger(body["subject"], str(row), person=person)


@pytest.mark.parametrize("same_name", [True, False])
async def test_within_a_manifest(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, supervisor: Caller, *, same_name: bool
) -> None:
    body = deterrence_body()
    entry = await impose(http, actors, body)
    rows = [passenger(body["subject"], str(row)) if same_name else named(body, row) for row in range(ROWS)]
    sent = await send(http, carrier, manifest_body(*rows))
    assert "board" not in statuses(sent)
    (hit,) = await hits(http, supervisor)
    assert [each["entry_id"] for each in hit["entries"]] == [entry["id"]]


async def test_on_one_journey_and_no_other(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, supervisor: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    sent = manifest_body(passenger(body["subject"]))
    await asyncio.gather(*(send(http, carrier, sent) for _ in range(3)))
    assert len(await hits(http, supervisor)) == 1
    for again in (sent, {**sent, "departs_at": "2026-11-24T11:45:00+07:00"}):
        await send(http, carrier, again)
        assert len(await hits(http, supervisor)) == 1
    others = ({"flight": "GA881"}, {"departs_at": "2026-11-25T09:05:00+07:00"}, {"from": "MEL"})
    for number, other in enumerate(others, 2):
        await send(http, carrier, {**sent, **other})
        assert len(await hits(http, supervisor)) == number
    await send(http, await actors.client("carrier"), sent)
    assert len(await hits(http, supervisor)) == len(others) + 2


async def test_what_a_supervisor_has_said_holds_for_the_same_person_who_is_sent_again(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, supervisor: Caller, worker: Worker
) -> None:
    body = deterrence_body()
    entry = await impose(http, actors, body)
    sent = manifest_body(passenger(body["subject"], person={"nationality": None}))
    assert statuses(await send(http, carrier, sent)) == ["contact"]
    (hit,) = await hits(http, supervisor)
    expect(await say(http, supervisor, hit, "not_same_person"), 201)
    again = await send(http, carrier, sent)
    assert statuses(again) == ["board"]
    assert [each["id"] for each in await hits(http, supervisor)] == [hit["id"]]
    # Another entry in another version is another matter.
    correction = {"kind": "correction", "correction": {"subject": entry["subject"], "basis": body["basis"]}}
    correction["correction"]["subject"] = {**body["subject"], "occupation": "Trader"}
    await amend(http, actors, entry, correction)
    await worker.watch_manifests()
    assert statuses(await read(http, carrier, again)) == ["contact"]
    assert len(await hits(http, supervisor)) == 2


async def test_what_a_supervisor_has_said_is_not_about_another_name_on_the_document(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, supervisor: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    decoy = named(body, 1, nationality=None, birth_date="1999-01-31")
    manifest = await send(http, carrier, manifest_body(decoy))
    (hit,) = await hits(http, supervisor)
    person = passenger(body["subject"], "2", person={"nationality": None})
    listed = await send(http, carrier, manifest_body(decoy, person))
    assert len(await hits(http, supervisor)) == 1
    expect(await say(http, supervisor, hit, "not_same_person"), 201)
    assert statuses(await read(http, carrier, manifest)) == ["board"]
    assert statuses(await read(http, carrier, listed)) == ["board", "contact"]
    # Sent again, who is not that traveller has a hit of their own that waits for the supervisor.
    assert statuses(await send(http, carrier, manifest_body(person))) == ["contact"]
    assert sorted(each["state"] for each in await hits(http, supervisor)) == ["open", "resolved"]


@contextmanager
def exchanges(app: FastAPI) -> Iterator[list[str]]:
    """The statements and commits of what this test asks for; the loops beside it have their own."""
    made: list[str] = []
    others = asyncio.all_tasks() - {asyncio.current_task()}

    def note(said: str) -> None:
        if asyncio.current_task() not in others:
            made.append(said)

    runtime = app.state.process.runtime
    engines = [each._engine for each in databases_of(runtime)]

    def commit(_connection: Any) -> None:
        note("COMMIT")

    for engine in engines:
        event.listen(engine, "commit", commit)
    with executing(runtime, note):
        yield made
    for engine in engines:
        event.remove(engine, "commit", commit)


@pytest.mark.parametrize("kind", ["document", "name"])
async def test_a_carrier_is_answered_after_as_many_exchanges_with_a_ban_as_without(
    app: FastAPI,
    http: httpx2.AsyncClient,
    actors: Actors,
    carrier: Caller,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        batcher, "thread_time", lambda: 0.0
    )  # steps of rows grow and shrink by the processor's time
    monkeypatch.setattr(batcher, "LARGEST_BATCH", batcher.FEWEST_ROWS)
    body = entry_body()
    await impose(http, actors, body)
    await send(http, carrier, manifest_body(stranger()))  # the first one looks up the key
    counts = []
    for whose in (body["subject"], entry_body()["subject"], body["subject"]):
        rows = [passenger(whose, str(row)) for row in range(ROWS)]
        if kind == "name":
            rows = [{**row, "document": None} for row in rows]
        sent = manifest_body(*rows, direction="exit", flight=f"GA{len(counts)}")
        with exchanges(app) as made:
            manifest = await send(http, carrier, sent)
        assert set(statuses(manifest)) == {"board"}
        counts.append(
            sorted(
                STORES_CHECKS if each.startswith(STORES_CHECKS) else each
                for each in made
                if not each.startswith(GOES_ALONG)
            )
        )
    assert counts[0] == counts[1] == counts[2]


@pytest.mark.settings(carrier_answer_ms=40)
async def test_a_carriers_answers_leave_by_the_number_of_documents(
    http: httpx2.AsyncClient,
    carrier: Caller,
    desk: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[tuple[int, float]] = []
    known = answer_delay.send_after

    def noted(elapsed: float, documents: int, step: float) -> float:
        waits.append((documents, step))
        return known(elapsed, documents, step)

    monkeypatch.setattr(answer_delay, "send_after", noted)
    people = [stranger(str(row)) for row in range(3)]
    manifest = await send(http, carrier, manifest_body(*people))
    await http.get(f"{PATH}/{manifest['id']}", headers=carrier.headers)
    assert waits == [(3, 0.04)] * 2
    await send(http, desk, manifest_body(*people))
    assert len(waits) == 2
