"""`POST /v1/checks/batch`: up to 1000 questions at once, each on its own."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from app.runtime import Runtime
from tests.api.border.test_checks_refused import stored
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body
from tests.support.steps import expect, impose

BAD: list[Any] = [
    {"direction": "exit"},
    {"direction": "exit", "mrz": "P<IDN"},
    {"direction": "exit", "document": {"number": "X\ud800"}},
    {"direction": "exit", "document": {"number": "X1"}, "more": 1},
    {"direction": "exit", "document": {"number": "X\u0000"}},
    {"direction": float("inf"), "document": {"number": "X1"}},
    None,
    [],
    "X1234567",
    10**30,
]


async def ask(http: httpx2.AsyncClient, by: Caller, items: list[Any]) -> list[Any]:
    """The answers to a batch."""
    headers = {**by.headers, "Content-Type": "application/json"}
    sent = json.dumps({"items": items}).encode()
    answers = expect(await http.post("/v1/checks/batch", content=sent, headers=headers), 200)["items"]
    assert isinstance(answers, list)
    return answers


async def test_a_thousand_questions_are_answered_in_order_and_bad_ones_spoil_nothing(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, counter: Caller
) -> None:
    body = entry_body()
    await impose(http, actors, body)
    wanted, stranger = check_body(body["subject"]), check_body(entry_body()["subject"])
    items: list[Any] = [wanted if i % 100 == 0 else stranger for i in range(1000)]
    places = range(50, 1000, 95)
    for place, bad in zip(places, BAD, strict=True):
        items[place] = bad
    answers = await ask(http, counter, items)
    assert [i for i, answer in enumerate(answers) if "problem" in answer] == list(places)
    assert {answers[i]["problem"]["status"] for i in places} == {422}
    told = {i: answer["outcome"] for i, answer in enumerate(answers) if "problem" not in answer}
    assert {i for i, outcome in told.items() if outcome == "refuse"} == set(range(0, 1000, 100))
    assert len(told) == await stored(runtime) == 1000 - len(BAD)
    assert len({answer["id"] for answer in answers if "id" in answer}) == len(told)


async def test_a_row_gets_the_same_problem_as_a_question_of_its_own(
    http: httpx2.AsyncClient, counter: Caller
) -> None:
    for bad in (BAD[0], BAD[1], BAD[3], BAD[4]):
        alone = expect(await http.post("/v1/checks", json=bad, headers=counter.headers), 422)
        (row,) = await ask(http, counter, [bad])
        assert {**row["problem"], "request_id": None} == {**alone, "request_id": None}


async def test_a_thousand_and_one_are_too_many(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller
) -> None:
    body = {"items": [check_body(entry_body()["subject"])] * 1001}
    problem = expect(await http.post("/v1/checks/batch", json=body, headers=counter.headers), 413)
    assert problem["type"] == "/problems/body-too-large"
    assert await stored(runtime) == 0


async def test_an_empty_batch_has_empty_answers(http: httpx2.AsyncClient, counter: Caller) -> None:
    assert await ask(http, counter, []) == []


@pytest.mark.parametrize("body", [{}, [], "items", {"items": {}}, {"items": [], "more": 1}, 3])
async def test_a_batch_is_an_object_with_items(http: httpx2.AsyncClient, counter: Caller, body: Any) -> None:
    problem = expect(await http.post("/v1/checks/batch", json=body, headers=counter.headers), 422)
    assert problem["type"] == "/problems/validation"


def named(name: str) -> dict[str, Any]:
    """A question by name."""
    return {"direction": "exit", "person": {"name": name, "birth_date": "1970-05-17"}}


async def test_a_name_counts_as_long_as_it_is_when_its_ligatures_are_taken_apart(
    http: httpx2.AsyncClient, counter: Caller
) -> None:
    fits, swells = "\ufdfa" * 16, "\ufdfa" * 17  # 18 characters each
    answers = await ask(http, counter, [named(fits), named(swells)])
    assert answers[0]["outcome"] == "clear"
    assert answers[1]["problem"]["errors"][0]["pointer"] == "/person/name"
    alone = await http.post("/v1/checks", json=named(swells), headers=counter.headers)
    assert expect(alone, 422)["errors"] == answers[1]["problem"]["errors"]


async def test_a_batch_of_heavy_names_never_holds_the_loop_up(
    http: httpx2.AsyncClient, counter: Caller, longest_wait: Callable[[], float]
) -> None:
    heavy = " ".join(f"{chr(0x41 + i % 26)}{chr(0x41 + i * 7 % 26)}ßÆRTØ" for i in range(40))[:290]
    ligatures = [named("\ufdfa" * 300)] * 400
    answers = await ask(http, counter, [*ligatures, *(named(f"{heavy} {i}") for i in range(100))])
    assert ["problem" in answer for answer in answers] == [True] * 400 + [False] * 100
    assert longest_wait() < 0.5


@pytest.fixture
async def longest_wait() -> AsyncIterator[Callable[[], float]]:
    """How many seconds the loop has let a timer wait beyond its time, at most."""
    loop = asyncio.get_running_loop()
    waits = [0.0]

    async def watch() -> None:
        while True:
            due = loop.time() + 0.001
            await asyncio.sleep(0.001)
            waits.append(loop.time() - due)

    gc.collect()
    gc.freeze()  # or a collection of all that the tests hold could fall into what is measured
    watching = asyncio.create_task(watch())
    yield lambda: max(waits)
    watching.cancel()
    gc.unfreeze()
