"""After the fact: the checks of the day before an urgent entry are searched for its subject (R58)."""

import asyncio
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select, update

from app.access.domain import SYSTEM
from app.border.checks import store as checks
from app.border.checks.tables import check
from app.border.lookbacks import service
from app.border.lookbacks.domain import SETTLED
from app.border.lookbacks.service import look_back
from app.border.lookbacks.tables import lookback as table
from app.kit.clock import rfc3339
from app.kit.ids import first_id, new_id
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, check_body, mrz_of
from tests.support.clock import SettableClock
from tests.support.crossings import ask
from tests.support.lookbacks import searching, told, typed, wanted
from tests.support.steps import decide, expect, impose, sound


async def test_the_owner_hears_that_the_person_left_two_hours_ago(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    clock: SettableClock,
) -> None:
    body = wanted()
    gate = await actors.client("checkpoint", checkpoint="DPS", kind="autogate")
    left = await ask(http, gate, check_body(body["subject"]))
    assert left["outcome"] == "clear"
    others = await ask(http, counter, typed("Budi Hermawan"))
    clock.advance(hours=2)
    entry = (await sound(http, owner, body))["entry"]
    assert entry["crossing"] == "departed"
    assert await worker.look_back() == 1
    (notice,) = await told(http, owner)
    assert {
        name: notice[name] for name in ("entry_id", "agency", "effective_at", "checkpoints", "direction")
    } == {
        "entry_id": entry["id"],
        "agency": "KPK",
        "effective_at": left["checked_at"],
        "checkpoints": ["DPS"],
        "direction": "exit",
    }
    assert (notice["check_id"], notice["level"], notice["outcome"]) == (left["id"], "exact", "clear")
    assert notice["check_id"] != others["id"]
    assert notice["at"] == rfc3339(clock())
    worklist = expect(await http.get("/v1/worklist", headers=owner.headers), 200)["items"]
    (item,) = [each for each in worklist if each["name"] == "crossed_before"]
    assert (item["check_id"], item["checkpoint"], item["direction"]) == (left["id"], "DPS", "exit")
    assert (item["kind"], item["entry_id"], item["number"]) == ("notice", entry["id"], notice["number"])
    for other in ("duty_officer", "supervisor"):
        assert await told(http, await actors.client(other)) == []
    assert await told(http, await actors.client("submitter", agency="BNN")) == []


@pytest.mark.parametrize(
    ("asked", "level"),
    [
        (typed("Moehammad Djoko Soesilo"), "possible"),
        (typed("JOKO SUSILO"), "possible"),
        (typed("Djoko Soesilo", direction="entry"), None),
        (typed("Muhammad Joko Susilo", "1984-11-02"), None),
        (typed("Agus Hermawan"), None),
        (typed("Somebody Else", document={"number": "XI234S67"}), "possible"),
        (typed("Somebody Else", document={"number": "X1234567"}), "exact"),
        (typed("Somebody Else", "1990-12-24", document={"number": "X1234567"}), "probable"),
        (typed("Somebody Else", document={"number": "X1234567"}, direction="entry"), "exact"),
    ],
)
async def test_a_check_is_told_if_it_would_be_stopped_or_seen_now(
    http: httpx2.AsyncClient,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    clock: SettableClock,
    asked: Json,
    level: str | None,
) -> None:
    paper = {"type": "passport", "number": "X1234567", "issuing_state": "IDN", "expires_on": "2030-01-31"}
    answer = await ask(http, counter, asked)
    clock.advance(hours=23, minutes=59)
    await sound(http, owner, wanted(documents=[paper]))
    assert await worker.look_back() == (level is not None)
    assert [(each["check_id"], each["level"]) for each in await told(http, owner)] == (
        [(answer["id"], level)] if level else []
    )


async def test_a_zone_is_searched_by_name_and_birth(
    http: httpx2.AsyncClient, counter: Caller, owner: Caller, worker: Worker
) -> None:
    body = wanted()
    paper = {**body["subject"]["documents"][0], "number": "C7654321"}
    zone = mrz_of({**body["subject"], "full_name": "Djoko Soesilo", "documents": [paper]})
    answer = await ask(http, counter, {"direction": "exit", "mrz": zone})
    await sound(http, owner, body)
    await worker.look_back()
    assert [each["check_id"] for each in await told(http, owner)] == [answer["id"]]


async def test_what_is_older_than_a_day_is_not_searched(
    http: httpx2.AsyncClient, counter: Caller, owner: Caller, worker: Worker, clock: SettableClock
) -> None:
    body = wanted()
    await ask(http, counter, check_body(body["subject"]))
    clock.advance(hours=24, seconds=1)
    await sound(http, owner, body)
    assert await worker.look_back() == 0


async def test_what_was_asked_while_a_clock_ran_ahead_is_searched_too(
    http: httpx2.AsyncClient, counter: Caller, owner: Caller, worker: Worker, clock: SettableClock
) -> None:
    body = wanted()
    clock.advance(minutes=10)
    answers = [await ask(http, counter, check_body(body["subject"]))]
    answers.append(await ask(http, counter, typed("Djoko Soesilo")))
    clock.advance(minutes=-10)
    await sound(http, owner, body)
    await worker.look_back()
    assert sorted(each["check_id"] for each in await told(http, owner)) == sorted(a["id"] for a in answers)


async def test_each_check_is_told_once_and_the_search_ends(
    http: httpx2.AsyncClient,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    runtime: Runtime,
    clock: SettableClock,
) -> None:
    body = wanted()
    await ask(http, counter, check_body(body["subject"]))
    await sound(http, owner, body)
    assert await worker.look_back() == 1
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(update(table).values(before=first_id("chk", clock() + SETTLED), due_at=clock()))
    first, second = await asyncio.gather(worker.look_back(), look_back(runtime))
    assert first + second == 0
    assert await searching(runtime) == [True]
    hit = await ask(http, counter, check_body(body["subject"]))
    assert hit["outcome"] == "refer"
    assert await worker.look_back() == 0
    clock.advance(seconds=SETTLED.total_seconds())
    assert await worker.look_back() == 0
    assert await searching(runtime) == [False]
    assert len(await told(http, owner)) == 1


async def test_a_check_that_was_stored_late_is_found(
    http: httpx2.AsyncClient,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    runtime: Runtime,
    clock: SettableClock,
) -> None:
    body = wanted()
    await ask(http, counter, typed("Agus Hermawan"))
    await sound(http, owner, body)
    assert await worker.look_back() == 0
    at = clock() - timedelta(seconds=3)
    async with runtime.reading_checks(SYSTEM) as reader:
        row = (await reader.run(select(check))).one()._mapping
    late = {**row, "id": new_id("chk", at), "at": at, "question": json_of(check_body(body["subject"]))}
    async with runtime.writing_checks(SYSTEM) as unit:
        await checks.add(unit, [checks.Record(**late)], [])
    assert await worker.look_back() == 0
    clock.advance(seconds=SETTLED.total_seconds())
    assert await worker.look_back() == 1
    assert [each["check_id"] for each in await told(http, owner)] == [late["id"]]


async def test_where_the_question_is_erased_the_hash_of_the_document_is_left(
    http: httpx2.AsyncClient, counter: Caller, owner: Caller, worker: Worker, runtime: Runtime
) -> None:
    body = wanted()
    answer = await ask(http, counter, check_body(body["subject"]))
    async with runtime.writing_checks(SYSTEM) as unit:
        await unit.run(update(check).values(question=None))
    await sound(http, owner, body)
    assert await worker.look_back() == 1
    assert [(each["check_id"], each["level"]) for each in await told(http, owner)] == [
        (answer["id"], "probable")
    ]


async def test_a_search_goes_on_where_it_stopped_newest_checks_first(
    http: httpx2.AsyncClient,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    runtime: Runtime,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "_STEP_CHECKS", 2)
    monkeypatch.setattr(service, "_STEPS_PER_ROUND", 1)
    crossings = []
    for hour in range(5):
        crossings.append((await ask(http, counter, typed("Joko Susilo", direction="exit")))["id"])
        clock.advance(hours=1 + hour // 10)
    await sound(http, owner, wanted())
    rounds = [await worker.look_back()]
    while any(await searching(runtime)):
        rounds.append(await worker.look_back())
        assert len(rounds) < 10
        if rounds[-1] == 0:
            clock.advance(seconds=SETTLED.total_seconds())
    assert rounds[:3] == [2, 2, 1]
    assert sum(rounds) == 5
    assert [each["check_id"] for each in await told(http, owner)][:2] == crossings[:-3:-1]


async def test_after_a_standstill_the_search_is_caught_up(
    http: httpx2.AsyncClient, counter: Caller, owner: Caller, worker: Worker, clock: SettableClock
) -> None:
    body = wanted()
    answer = await ask(http, counter, check_body(body["subject"]))
    clock.advance(hours=20)
    await sound(http, owner, body)
    clock.advance(hours=23)  # countersigned or not, it is still in force; the worker stood still
    assert await worker.look_back() == 1
    assert [each["check_id"] for each in await told(http, owner)] == [answer["id"]]


async def test_nobody_is_pursued_for_an_entry_that_was_rejected_meanwhile(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    runtime: Runtime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    duty = await actors.client("duty_officer")
    body, other = wanted(), wanted()
    await ask(http, counter, check_body(body["subject"]))
    await decide(http, duty, (await sound(http, owner, other))["entry"], "reject", "A mistake.")
    assert await worker.look_back() == 0
    assert await searching(runtime) == []
    monkeypatch.setattr(
        service, "_STEPS_PER_ROUND", 0
    )  # it is begun, and nothing is read yet but by documents
    entry = (await sound(http, owner, body))["entry"]
    assert await worker.look_back() == 1
    monkeypatch.undo()
    await ask(http, counter, typed("Joko Susilo"))
    await decide(http, duty, entry, "reject", "A mistake.")
    assert await worker.look_back() == 0
    assert await searching(runtime) == [False]


@pytest.mark.settings(urgent_countersign_first=True)
async def test_where_the_countersignature_comes_first_the_search_begins_with_it(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    owner: Caller,
    worker: Worker,
    clock: SettableClock,
) -> None:
    body = wanted()
    entry = expect(await http.post("/v1/urgent-entries", json=body, headers=owner.once("once")), 201)["entry"]
    clock.advance(hours=1)
    answer = await ask(http, counter, check_body(body["subject"]))
    assert answer["outcome"] == "clear"
    assert await worker.look_back() == 0
    await decide(http, await actors.client("duty_officer"), entry, "countersign")
    assert await worker.look_back() == 1
    assert [each["check_id"] for each in await told(http, owner)] == [answer["id"]]


async def test_a_countersignature_later_begins_no_second_search_and_a_formal_entry_none(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller, worker: Worker, runtime: Runtime
) -> None:
    entry = (await sound(http, owner))["entry"]
    await worker.look_back()
    await decide(http, await actors.client("duty_officer"), entry, "countersign")
    await impose(http, actors)
    await worker.look_back()
    assert await searching(runtime) == [True]


def json_of(body: Json) -> str:
    """A question as it is stored."""
    return httpx2.Request("POST", "http://testserver", json=body).content.decode()
