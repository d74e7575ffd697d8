"""Two at once: exactly one of them wins, whichever process they come by."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.ledger.service import head
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from app.worker import LOOPS, Worker
from tests.support.actors import Actors
from tests.support.bodies import urgent_body
from tests.support.clock import SettableClock
from tests.support.contract import watch
from tests.support.lifespan import started
from tests.support.steps import Json, decide, etag, expect, sound, submit


@pytest.fixture
async def neighbour(settings: Settings, clock: SettableClock) -> AsyncIterator[httpx2.AsyncClient]:
    """A second process on the same register."""
    app = create_app(settings, clock, work=False)
    async with started(app):
        transport = httpx2.ASGITransport(app)
        async with watch(httpx2.AsyncClient(transport=transport, base_url="http://testserver")) as client:
            yield client


async def at_once(
    places: list[httpx2.AsyncClient], actors: Actors, entry: Json, role: str, *verdicts: str
) -> list[httpx2.Response]:
    """Each verdict by an officer of their own, all at the same time."""
    officers = [await actors.client(role) for _ in verdicts]
    path = f"/v1/entries/{entry['id']}/decisions"
    return await asyncio.gather(
        *(
            places[i % len(places)].post(
                path, json={"verdict": verdict, "reason": "Because."}, headers=officers[i].on(etag(entry))
            )
            for i, verdict in enumerate(verdicts)
        )
    )


async def test_of_two_approvers_at_once_exactly_one_approves(
    http: httpx2.AsyncClient, neighbour: httpx2.AsyncClient, actors: Actors
) -> None:
    for _ in range(5):
        entry = await submit(http, await actors.client("submitter"))
        entry = await decide(http, await actors.client("verifier"), entry, "verify")
        answers = await at_once([http, neighbour], actors, entry, "approver", "approve", "approve")
        assert sorted(answer.status_code for answer in answers) == [201, 412]
    feed = await http.get("/v1/changes", headers=(await actors.client("auditor")).headers)
    assert [record["sequence"] for record in expect(feed, 200)["items"]] == [1, 2, 3, 4, 5]


async def test_of_many_verdicts_on_an_urgent_entry_exactly_one_counts(
    http: httpx2.AsyncClient, neighbour: httpx2.AsyncClient, actors: Actors
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    verdicts = ["countersign", "reject"] * 3
    answers = await at_once([http, neighbour], actors, raised["entry"], "duty_officer", *verdicts)
    assert sorted(answer.status_code for answer in answers) == [201, *[412] * 5]
    feed = await http.get("/v1/changes", headers=(await actors.client("auditor")).headers)
    assert len(expect(feed, 200)["items"]) == 4


async def test_an_urgent_request_sent_twice_at_once_is_made_once(
    http: httpx2.AsyncClient, neighbour: httpx2.AsyncClient, actors: Actors
) -> None:
    submitter, body = await actors.client("submitter"), urgent_body()
    answers = await asyncio.gather(
        *(
            place.post("/v1/urgent-entries", json=body, headers=submitter.once("the same"))
            for place in (http, neighbour, http, neighbour)
        )
    )
    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.json()["alert"]["sequence"] for answer in made} == {2}
    assert len([a for a in made if "idempotency-replayed" not in a.headers]) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}


async def test_one_case_asked_twice_at_once_under_two_keys_is_one_entry(
    http: httpx2.AsyncClient, neighbour: httpx2.AsyncClient, actors: Actors
) -> None:
    submitter, body = await actors.client("submitter"), urgent_body()
    answers = await asyncio.gather(
        *(
            place.post("/v1/urgent-entries", json=body, headers=submitter.once(key))
            for place, key in ((http, "one"), (neighbour, "two"))
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_two_workers_at_once_tell_an_end_once(
    http: httpx2.AsyncClient, processes: list[Runtime], clock: SettableClock, actors: Actors
) -> None:
    submitter = await actors.client("submitter")
    for _ in range(4):
        await sound(http, submitter)
    clock.advance(hours=25)
    told = await asyncio.gather(*(Worker(runtime).end_by_law() for runtime in processes))
    assert sum(told) == 4
    feed = await http.get("/v1/changes", headers=(await actors.client("auditor")).headers)
    types = [record["type"] for record in expect(feed, 200)["items"]]
    assert types == [*["entry.provisional", "alert.raised"] * 4, *["entry.ended", "alert.cancelled"] * 4]


@pytest.mark.settings(pool_size=2)
async def test_with_a_small_pool_all_loops_of_a_worker_may_begin_at_once(
    runtime: Runtime,
) -> None:
    looked: list[bool] = []

    async def look() -> None:
        async with runtime.reading(SYSTEM) as reader:
            looked.append((await head(reader)).size == 0)

    worker = Worker(runtime)
    async with asyncio.timeout(8):
        await asyncio.gather(*(worker.rounds.run(look, loop.lock) for loop in LOOPS))
    assert looked == [True] * len(LOOPS)


async def test_every_checkpoint_may_look_at_the_photo_at_once(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    counter = await actors.client("checkpoint")
    path = f"/v1/entries/{raised['entry']['id']}/photo"
    async with asyncio.timeout(8):
        answers = await asyncio.gather(*(http.get(path, headers=counter.headers) for _ in range(60)))
    assert {answer.status_code for answer in answers} == {200}


async def test_a_crowd_of_officers_looks_at_its_worklist_at_once(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    officer = await actors.client("submitter")
    async with asyncio.timeout(8):
        answers = await asyncio.gather(
            *(http.get("/v1/worklist", headers=officer.headers) for _ in range(60))
        )
    assert {answer.status_code for answer in answers} == {200}


async def test_a_crowd_of_urgent_entries_at_once_is_made(http: httpx2.AsyncClient, actors: Actors) -> None:
    submitter = await actors.client("submitter")
    async with asyncio.timeout(8):
        answers = await asyncio.gather(
            *(
                http.post("/v1/urgent-entries", json=urgent_body(), headers=submitter.once(str(number)))
                for number in range(30)
            )
        )
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json()["alert"]["sequence"] for answer in answers} == set(range(2, 62, 2))
