"""After a correction: the checks of the day before it are searched for what is known only now (R40, R58)."""

from typing import Any

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.border.lookbacks import service, store
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, check_body, entry_body, formal_body, without_photo
from tests.support.clock import SettableClock
from tests.support.crossings import ask
from tests.support.lookbacks import NAME, searching, told, typed, wanted
from tests.support.steps import amend, approve, expect, formalise, impose, sound

OTHER = {"type": "passport", "number": "C7654321", "issuing_state": "IDN", "expires_on": "2031-05-31"}
"""The passport that `typed` shows."""


async def correct(http: httpx2.AsyncClient, actors: Actors, entry: Json, body: Json, **given: Any) -> Json:
    """The entry after its subject, as it was sent first, is corrected."""
    correction = {"subject": without_photo(body["subject"], **given)}
    return await amend(http, actors, entry, {"kind": "correction", "correction": correction})


def with_other(body: Json) -> list[Json]:
    """The documents of a subject, and the other passport."""
    return [*body["subject"]["documents"], OTHER]


@pytest.mark.parametrize("urgent", [True, False], ids=["urgent", "formal"])
async def test_who_crossed_an_hour_ago_on_the_passport_that_is_now_added_is_told(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    clock: SettableClock,
    *,
    urgent: bool,
) -> None:
    body = wanted() if urgent else entry_body()
    entry = (await sound(http, owner, body))["entry"] if urgent else await impose(http, actors, body)
    clock.advance(hours=3)
    await ask(http, counter, typed("Agus Hermawan", "1984-11-02"), document={"number": "C1111111"})
    left = await ask(http, counter, typed("Agus Hermawan", "1984-11-02"))
    assert left["outcome"] == "clear"
    assert await worker.look_back() == 0
    clock.advance(hours=1)
    await correct(http, actors, entry, body, documents=with_other(body))
    assert await worker.look_back() == 1
    (notice,) = await told(http, owner)
    assert (notice["check_id"], notice["entry_id"], notice["level"]) == (left["id"], entry["id"], "probable")
    assert (notice["effective_at"], notice["outcome"]) == (left["checked_at"], "clear")


@pytest.mark.parametrize(
    ("given", "question"),
    [
        ({"aliases": [{"name": "Slamet Riyadi", "quality": "good"}]}, typed("Slamet Riyadi")),
        ({"full_name": "Slamet Riyadi"}, typed("Slamet Riyadi")),
        ({"birth": {"date": "1984-11-02"}}, typed(NAME, "1984-11-02")),
        ({"birth_alternatives": [{"date": "1984-11-02"}]}, typed(NAME, "1984-11-02")),
        ({"nik": "3171011705700099"}, typed("Agus Hermawan", person={"nik": "3171011705700099"})),
        ({"documents": [{**OTHER, "issuing_state": None}]}, typed("Agus Hermawan", "1984-11-02")),
    ],
    ids=["alias", "name", "birth", "another birth", "nik", "a paper of an unknown state"],
)
async def test_whatever_a_check_compares_is_searched_for(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    clock: SettableClock,
    given: Json,
    question: Json,
) -> None:
    body = wanted()
    left = await ask(http, counter, question)
    entry = (await sound(http, owner, body))["entry"]
    assert await worker.look_back() == 0
    clock.advance(hours=2)
    await correct(http, actors, entry, body, **given)
    assert await worker.look_back() == 1
    assert [each["check_id"] for each in await told(http, owner)] == [left["id"]]


async def test_what_no_check_compares_begins_no_search(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, runtime: Runtime
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    (paper,) = body["subject"]["documents"]
    renewed = [{**paper, "expires_on": "2035-01-31"}]
    entry = await correct(http, actors, entry, body, occupation="farmer", documents=renewed)
    basis = {"kind": "correction", "correction": {"basis": {**body["basis"], "reason": "Suspected of more."}}}
    await amend(http, actors, entry, basis)
    await worker.look_back()
    assert await searching(runtime) == []


async def test_a_formal_entry_that_adds_a_passport_to_the_urgent_one_is_searched_for_too(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    clock: SettableClock,
) -> None:
    body = wanted()
    urgent = (await sound(http, owner, body))["entry"]
    clock.advance(hours=3)
    left = await ask(http, counter, typed("Agus Hermawan", "1984-11-02"))
    assert await worker.look_back() == 0
    subject = without_photo(body["subject"], documents=with_other(body))
    formal = formal_body(subject=subject, starts_on="2026-11-23", ends_on="2027-05-23")
    asked = expect(await formalise(http, owner, urgent, formal), 201)
    entry = await approve(http, actors, asked)
    assert await worker.look_back() == 1
    (notice,) = await told(http, owner)
    assert (notice["check_id"], notice["entry_id"]) == (left["id"], entry["id"])


async def test_an_entry_that_is_not_in_force_yet_is_not_searched_for(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, runtime: Runtime
) -> None:
    body = entry_body(starts_on="2026-12-01", ends_on="2027-05-31")
    await correct(http, actors, await impose(http, actors, body), body, documents=with_other(body))
    await worker.look_back()
    assert await searching(runtime) == []


async def test_the_owner_is_not_told_again_of_what_they_know(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    clock: SettableClock,
) -> None:
    body = wanted()
    await ask(http, counter, check_body(body["subject"]))
    unknown = await ask(http, counter, typed("Agus Hermawan", "1984-11-02"))
    urgent = (await sound(http, owner, body))["entry"]
    assert await worker.look_back() == 1
    clock.advance(minutes=5)
    assert (await ask(http, counter, check_body(body["subject"])))["outcome"] == "refer"
    before = await told(http, owner)
    corrected = await correct(http, actors, urgent, body, aliases=[{"name": "Slamet", "quality": "low"}])
    clock.advance(minutes=1)
    assert await worker.look_back() == 0
    formal = formal_body(starts_on="2026-11-23", ends_on="2027-05-23")
    entry = expect(await formalise(http, owner, corrected, formal), 201)
    entry = await approve(http, actors, entry)
    await correct(http, actors, entry, body, documents=with_other(body))
    assert await worker.look_back() == 1, "the urgent entry told the others"
    (news,) = [each for each in await told(http, owner) if each not in before]
    assert (news["check_id"], news["entry_id"]) == (unknown["id"], entry["id"])


async def test_a_correction_leaves_out_nothing_that_the_first_search_had_not_come_to(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body, other = wanted(), wanted(full_name="Slamet Riyadi")
    early = [await ask(http, counter, typed(name)) for name in ("Joko Susilo", "Slamet Riyadi")]
    clock.advance(hours=20)
    entry = (await sound(http, owner, body))["entry"]  # of which no round takes notice now
    with monkeypatch.context() as patched:
        patched.setattr(service, "_STEPS_PER_ROUND", 0)
        begun = (await sound(http, owner, other))["entry"]
        clock.advance(hours=5)
        for each, sent in ((entry, body), (begun, other)):
            await correct(http, actors, each, sent, documents=with_other(sent))
            await worker.look_back()
    await worker.look_back()
    crossed = [(each["entry_id"], each["check_id"]) for each in await told(http, owner)]
    assert (entry["id"], early[0]["id"]) in crossed
    assert (begun["id"], early[1]["id"]) in crossed


async def test_a_step_of_the_search_before_does_not_undo_the_one_that_a_correction_begins(
    http: httpx2.AsyncClient,
    actors: Actors,
    owner: Caller,
    worker: Worker,
    runtime: Runtime,
    clock: SettableClock,
) -> None:
    body = wanted()
    entry = (await sound(http, owner, body))["entry"]
    await worker.look_back()
    async with runtime.reading(SYSTEM) as reader:
        before = await store.find(reader, entry["id"])
    clock.advance(hours=1)
    await correct(http, actors, entry, body, documents=with_other(body))
    assert before is not None
    async with runtime.writing(SYSTEM) as unit:
        await store.save(unit, before.dropped())
        await store.add(unit, [before])
        left = await store.find(unit, entry["id"])
    assert left is not None
    assert (left.came_at, left.untouched) == (clock(), True)
