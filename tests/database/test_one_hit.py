"""Two processes that are sent one document at the same instant open one hit: on PostgreSQL, where many serve."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from app.main import create_app
from app.settings import Settings
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, deterrence_body, entry_body
from tests.support.clock import SettableClock
from tests.support.contract import watch
from tests.support.crossings import say
from tests.support.lifespan import started
from tests.support.manifests import manifest_body, passenger, read, send, statuses
from tests.support.steps import expect, impose

ROUNDS = 100
pytestmark = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)


@pytest.fixture
async def second(
    settings: Settings, clock: SettableClock
) -> AsyncIterator[tuple[FastAPI, httpx2.AsyncClient]]:
    """Another process on the same register, and a way to it."""
    app = create_app(settings, clock, work=False)
    async with started(app):
        transport = httpx2.ASGITransport(app)
        async with watch(httpx2.AsyncClient(transport=transport, base_url="http://testserver")) as client:
            yield app, client


@pytest.fixture
async def neighbour(second: tuple[FastAPI, httpx2.AsyncClient]) -> httpx2.AsyncClient:
    return second[1]


@pytest.fixture
async def supervisor(actors: Actors) -> Caller:
    return await actors.client("supervisor", checkpoint="DPS")


async def hits(http: httpx2.AsyncClient, by: Caller) -> list[Json]:
    return list(expect(await http.get("/v1/hits", params={"limit": 500}, headers=by.headers), 200)["items"])


async def test_a_document_sent_to_two_processes_at_once_has_one_hit(
    http: httpx2.AsyncClient,
    neighbour: httpx2.AsyncClient,
    actors: Actors,
    carrier: Caller,
    supervisor: Caller,
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    person = passenger(body["subject"])
    for number in range(ROUNDS):
        sent = manifest_body(person, flight=f"GA{number}")
        answers = await asyncio.gather(*(send(place, carrier, sent) for place in (http, neighbour)))
        assert [statuses(answer) for answer in answers] == [["do_not_board"]] * 2
    assert len(await hits(http, supervisor)) == ROUNDS


async def test_lists_of_one_flight_that_name_the_same_documents_in_another_order_share_their_hits(
    http: httpx2.AsyncClient,
    neighbour: httpx2.AsyncClient,
    actors: Actors,
    carrier: Caller,
    supervisor: Caller,
) -> None:
    bodies = [deterrence_body() for _ in range(12)]
    for body in bodies:
        await impose(http, actors, body)
    people = [passenger(body["subject"], str(at)) for at, body in enumerate(bodies)]
    unlisted = [passenger(entry_body()["subject"], f"n{at}") for at in range(12)]
    mixed = [each for pair in zip(people, unlisted, strict=True) for each in pair]
    for number in range(5):
        flight = f"GA{number}"
        one, other = manifest_body(*mixed, flight=flight), manifest_body(*mixed[::-1], flight=flight)
        await asyncio.gather(send(http, carrier, one), send(neighbour, carrier, other))
        assert len(await hits(http, supervisor)) == len(bodies) * (number + 1)


async def test_a_watch_and_a_sender_at_once_share_the_hit(
    http: httpx2.AsyncClient,
    second: tuple[FastAPI, httpx2.AsyncClient],
    actors: Actors,
    worker: Worker,
    carrier: Caller,
    supervisor: Caller,
) -> None:
    body = deterrence_body()
    person = passenger(body["subject"])
    flights = [f"GA{number}" for number in range(20)]
    watched = [await send(http, carrier, manifest_body(person, flight=flight)) for flight in flights]
    await impose(http, actors, body)
    sent = (send(second[1], carrier, manifest_body(person, flight=flight)) for flight in flights)
    await asyncio.gather(worker.watch_manifests(), *sent)
    while {status for each in watched for status in statuses(await read(http, carrier, each))} != {
        "do_not_board"
    }:
        await worker.watch_manifests()
    assert len(await hits(http, supervisor)) == len(flights)


async def test_a_hit_behind_a_resolved_one_is_one_too(
    http: httpx2.AsyncClient,
    neighbour: httpx2.AsyncClient,
    actors: Actors,
    carrier: Caller,
    supervisor: Caller,
) -> None:
    """Another name on the document: what was said of the first traveller is not said of this one."""
    body = deterrence_body()
    await impose(http, actors, body)
    first = passenger(body["subject"], person={"nationality": None})
    await send(http, carrier, manifest_body(first))
    (hit,) = await hits(http, supervisor)
    expect(await say(http, supervisor, hit, "confirmed", "refuse_entry"), 201)
    other = passenger(body["subject"], person={"name": "Aldous Quillfeather"})
    for _ in range(3):
        places = (http, neighbour)
        await asyncio.gather(*(send(place, carrier, manifest_body(other)) for place in places))
        assert len(await hits(http, supervisor)) == 2
