"""Where an urgent request's person was last seen: by every number, and after every supervisor's word (R34)."""

import pytest
from httpx2 import AsyncClient

from app.border.hits import crossings
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, check_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.crossings import ask, hit_of, say
from tests.support.steps import expect, impose, sound

SECOND = {"type": "travel_permit", "number": "A1234567", "issuing_state": "IDN", "expires_on": None}


async def crossing(http: AsyncClient, owner: Caller, body: Json) -> str:
    """What the answer to an urgent request says."""
    return str((await sound(http, owner, body))["entry"]["crossing"])


@pytest.mark.parametrize("first", [0, 1])
async def test_the_latest_crossing_counts_whichever_document_was_shown(
    http: AsyncClient, actors: Actors, clock: SettableClock, counter: Caller, owner: Caller, first: int
):
    body = urgent_body()
    papers = [*body["subject"]["documents"], {**SECOND, "number": f"A765432{first}"}]
    body["subject"]["documents"] = papers
    for paper, direction in ((papers[first], "exit"), (papers[1 - first], "entry")):
        shown = {name: paper[name] for name in ("number", "issuing_state", "type")}
        question = check_body(body["subject"], direction, document=shown)
        assert (await ask(http, counter, question))["outcome"] == "clear"
        clock.advance(hours=1)
    assert await crossing(http, owner, body) == "in_country"


async def test_who_was_checked_by_nik_alone_was_seen_too(
    http: AsyncClient, actors: Actors, counter: Caller, owner: Caller
):
    body = urgent_body()
    question = check_body(body["subject"], "exit", document=..., person={"nik": body["subject"]["nik"]})
    assert (await ask(http, counter, question))["outcome"] == "clear"
    assert await crossing(http, owner, body) == "departed"


async def test_who_was_let_pass_by_a_supervisor_has_crossed_and_who_was_not_has_not(
    http: AsyncClient, actors: Actors, clock: SettableClock, counter: Caller, owner: Caller
):
    body = urgent_body()
    listed = entry_body(subject=body["subject"])
    entered = check_body(body["subject"], "entry")
    assert (await ask(http, counter, entered))["outcome"] == "clear"
    clock.advance(hours=1)
    ban = await impose(http, actors, listed)
    supervisor = await actors.client("supervisor")
    leaving = check_body(body["subject"], "exit")
    stopped = await ask(http, counter, leaving)
    assert stopped["outcome"] == "refuse"
    assert await crossing(http, owner, urgent_of(body)) == "in_country", "nobody has said who it is"
    hit = await hit_of(http, supervisor, stopped)
    expect(await say(http, supervisor, hit, "confirmed", "refuse_exit"), 201)
    assert await crossing(http, owner, urgent_of(body)) == "in_country"
    clock.advance(hours=1)
    hit = await hit_of(http, supervisor, await ask(http, counter, leaving))
    expect(await say(http, supervisor, hit, "not_same_person", "allow"), 201)
    assert await crossing(http, owner, urgent_of(body)) == "departed"
    assert ban["in_force"] is True


async def test_a_crossing_is_found_behind_any_number_of_hits(
    http: AsyncClient,
    actors: Actors,
    clock: SettableClock,
    counter: Caller,
    owner: Caller,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(crossings, "_BATCH_SIZE", 2)
    body = urgent_body()
    assert (await ask(http, counter, check_body(body["subject"], "exit")))["outcome"] == "clear"
    await impose(http, actors, entry_body(subject=body["subject"]))
    for _ in range(4):
        clock.advance(minutes=1)
        assert (await ask(http, counter, check_body(body["subject"], "exit")))["outcome"] == "refuse"
    assert await crossing(http, owner, urgent_of(body)) == "departed"


def urgent_of(body: Json) -> Json:
    """Another urgent request about the same person, by another letter and in another case."""
    return urgent_body(subject=body["subject"])
