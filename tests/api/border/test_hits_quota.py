"""Above its quota of hits a check joins an open hit, and is answered as ever.

It is the hit of its document; without a document and NIK, that of the same entries.
"""

import asyncio

import httpx2
import pytest
from fastapi import FastAPI

from app.actor import Actor
from app.border.hits.creation import create_hits
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from tests.api.border.test_hits import listed
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, check_body, deterrence_body, entry_body, merged
from tests.support.clock import SettableClock
from tests.support.crossings import ask, hit_of, say
from tests.support.lifespan import started
from tests.support.steps import expect, impose

FEW = pytest.mark.settings(quota_hits=2, quota_hits_per_second=0.001)
OF_AN_ANSWER = {"id", "checked_at", "hit_id", "registry"}


def hits(answers: list[Json]) -> list[str]:
    """The hits that answers belong to."""
    return [answer["hit_id"] for answer in answers]


async def listed_one(http: httpx2.AsyncClient, actors: Actors) -> Json:
    """A question about a person who is listed."""
    body = entry_body()
    await impose(http, actors, body)
    return check_body(body["subject"])


@FEW
async def test_checks_above_the_quota_join_the_open_hit_and_are_answered_as_ever(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, counter: Caller, clock: SettableClock
) -> None:
    question, supervisor = await listed_one(http, actors), await actors.client("supervisor")
    answers = []
    for _ in range(6):
        clock.advance(seconds=1)
        answers.append(await ask(http, counter, question))
    first, second, *others = hits(answers)
    assert first != second
    assert others == [second] * 4
    for answer in answers:
        assert {k: v for k, v in answer.items() if k not in OF_AN_ANSWER} == {
            k: v for k, v in answers[0].items() if k not in OF_AN_ANSWER
        }
        assert answer["outcome"] == "refuse"
    assert await create_hits(runtime) == 2
    assert await listed(http, supervisor) == sorted([first, second], reverse=True)
    hit = await hit_of(http, supervisor, answers[-1])
    assert hit["check"]["id"] == answers[1]["id"], "the check that opened it"
    expect(await say(http, supervisor, hit, "confirmed", "refuse_exit"), 201)
    again = hits([await ask(http, counter, question) for _ in range(3)])
    assert again[0] not in {first, second}, "a resolved one is not joined"
    assert again == [again[0]] * 3


@FEW
async def test_another_document_direction_or_entry_is_another_hit(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    question = check_body(body["subject"], "entry")
    other = await listed_one(http, actors)
    answers = [await ask(http, counter, question) for _ in range(3)]
    assert len(set(hits(answers))) == 2
    elsewhere = await ask(http, counter, other)
    assert elsewhere["hit_id"] not in hits(answers)
    assert (await ask(http, counter, other))["hit_id"] == elsewhere["hit_id"]
    second = merged(deterrence_body(subject=body["subject"]), {})
    await impose(http, actors, second)
    now_two = await ask(http, counter, question)
    assert len(now_two["matches"]) == 2
    assert now_two["hit_id"] not in hits(answers), "the hit names one entry only"


@FEW
async def test_travellers_without_a_number_join_the_open_hit_of_the_same_entries(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, counter: Caller, clock: SettableClock
) -> None:
    listed_person, supervisor = await listed_one(http, actors), await actors.client("supervisor")
    unnumbered = merged(listed_person, {"document": ...})
    spellings = [
        unnumbered,
        merged(unnumbered, {"person": {"name": unnumbered["person"]["name"].upper()}}),
        merged(unnumbered, {"person": {"sex": ..., "nationality": ...}}),
        merged(unnumbered, {"officer_reference": "counter 4"}),
    ]
    answers = []
    for question in spellings * 2:
        clock.advance(seconds=1)
        answers.append(await ask(http, counter, question))
    first, second, *others = hits(answers)
    assert first != second
    assert others == [second] * 6
    assert {answer["outcome"] for answer in answers} == {"refer"}
    assert [each["entry_id"] for each in answers[-1]["matches"]] == [answers[0]["matches"][0]["entry_id"]]
    document = await ask(http, counter, listed_person)
    assert document["hit_id"] not in {first, second}, "a document has a hit of its own"
    elsewhere = merged(await listed_one(http, actors), {"document": ...})
    assert (await ask(http, counter, elsewhere))["hit_id"] not in {first, second}, "another entry"
    assert await create_hits(runtime) == 4
    hit = await hit_of(http, supervisor, answers[-1])
    expect(await say(http, supervisor, hit, "confirmed", "refuse_exit"), 201)
    again = hits([await ask(http, counter, question) for question in spellings])
    assert again[0] not in {first, second}, "a resolved one is not joined"
    assert again == [again[0]] * 4


@FEW
async def test_the_rows_of_a_batch_join_the_hit_that_one_of_them_opens(
    http: httpx2.AsyncClient, app: FastAPI, actors: Actors, runtime: Runtime, counter: Caller
) -> None:
    question, other = await listed_one(http, actors), await listed_one(http, actors)
    await asyncio.gather(*(ask(http, counter, question) for _ in range(2)))
    sent = {"items": [question, other] * 20}
    answer = await http.post("/v1/checks/batch", json=sent, headers=counter.headers)
    answers = expect(answer, 200)["items"]
    assert len(set(hits(answers))) == 2
    assert len(set(hits(answers[1::2]))) == 1
    assert await create_hits(runtime) == 3
    assert app.state.process.batcher._check_service.joining.joined == 39


@FEW
@pytest.mark.parametrize("unnumbered", [False, True])
async def test_a_hit_that_another_process_opened_is_joined_too(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    counter: Caller,
    settings: Settings,
    clock: SettableClock,
    *,
    unnumbered: bool,
) -> None:
    question, supervisor = await listed_one(http, actors), await actors.client("supervisor")
    if unnumbered:
        question = merged(question, {"document": ...})
    asking = Actor("", None, frozenset(), checkpoint="CGK", key_id=counter.key_id)
    opened = []
    for _ in range(4):
        clock.advance(seconds=1)
        opened.append(await ask(http, counter, question))
    other = create_app(settings, clock, work=False)
    async with (
        started(other),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(other), base_url="http://testserver") as elsewhere,
    ):
        desk = other.state.process.batcher._check_service
        while desk.joining._may_open(asking):  # as if the key had opened these there
            pass
        clock.advance(seconds=1)
        joined = await ask(elsewhere, counter, question)
        assert joined["hit_id"] == opened[-1]["hit_id"] == opened[1]["hit_id"]
        await create_hits(runtime)
        hit = await hit_of(http, supervisor, joined)
        assert hit["check"]["id"] == opened[1]["id"]
        expect(await say(http, supervisor, hit, "confirmed", "refuse_exit"), 201)
        assert (await ask(elsewhere, counter, question))["hit_id"] not in hits(opened)


@pytest.mark.settings(quota_checkpoint_hits=1, quota_checkpoint_hits_per_second=0.001)
async def test_the_keys_of_a_checkpoint_have_a_quota_together(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    question = await listed_one(http, actors)
    neighbour, elsewhere = (
        await actors.client("checkpoint"),
        await actors.client("checkpoint", checkpoint="DPS"),
    )
    here = hits([await ask(http, by, question) for by in (counter, neighbour, counter)])
    assert here == [here[0]] * 3
    assert (await ask(http, elsewhere, question))["hit_id"] != here[0]
