"""Broad entries: how many travellers an entry would have stopped, and what follows from too many."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from app.border.breadth import service as breadth_service
from app.border.breadth.service import Travellers
from app.register.entries.domain import Measure
from app.register.entries.schemas import UrgentEntryIn
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, check_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.crossings import ask
from tests.support.refusals import refused
from tests.support.served import Served
from tests.support.steps import decide, expect, file_amendment, impose, submit
from tests.support.waiting import until

GIVEN = ("Andi", "Bayu", "Citra", "Dewi", "Eko", "Fajar", "Gilang", "Hendra", "Intan", "Joko")
FAMILY = (
    "Saputra",
    "Wijaya",
    "Pratama",
    "Nugroho",
    "Hidayat",
    "Setiawan",
    "Kurniawan",
    "Santoso",
    "Gunawan",
    "Utomo",
)
Cross = Callable[[list[Json]], Awaitable[list[str]]]
"""Lets a counter ask about some travellers; gives what it is answered."""
COMMON = [f"{given} {family}" for given in GIVEN for family in FAMILY]
"""A hundred common names."""
ANY_AGE = {"from": "1930", "to": "2010"}


def traveller(number: int, name: str, **given: Any) -> Json:
    """A question about an innocent: a passport and a birth date of their own."""
    return {
        "direction": "exit",
        "document": {"number": f"B{number:07d}", "issuing_state": "IDN", "type": "passport"},
        "person": {
            "name": name,
            "birth_date": f"{1950 + number % 50}-{1 + number % 12:02}-{1 + number % 28:02}",
            "nationality": "IDN",
        },
        **given,
    }


def crowd(alike: int, others: int) -> list[Json]:
    """Innocent travellers: so many with one of the common names, and so many with another."""
    return [
        *(traveller(i, COMMON[i * 7 % len(COMMON)]) for i in range(alike)),
        *(traveller(10_000 + i, f"Wiralodra Tandirerung {'ABCDEFGHIJ'[i % 10]}uwono") for i in range(others)),
    ]


def broad(body: Json, **given: Any) -> Json:
    """The body of a broad entry: of a hundred common names, and of hardly a birth date."""
    aliases = [{"name": name, "quality": "good"} for name in COMMON[1:]]
    wide = {"full_name": COMMON[0], "aliases": aliases, "birth": ANY_AGE, "nik": None}
    return {**body, "subject": {**body["subject"], **wide, **given}, "unknown": ["nik"]}


def broad_urgent(**given: Any) -> Json:
    """The body of a broad urgent entry."""
    return broad(urgent_body(), **given)


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every count end, on a busy machine too: one that is cut short finds fewer travellers."""
    monkeypatch.setattr(breadth_service, "_COUNT_SECONDS", 60.0)
    monkeypatch.setattr(breadth_service, "_CATCH_UP_SECONDS", 60.0)


@pytest.fixture
def cross(http: httpx2.AsyncClient, app: FastAPI, counter: Caller) -> Cross:
    """A counter, and the loop that makes the process know the travellers that it asked about."""

    async def cross(questions: list[Json]) -> list[str]:
        answer = await http.post("/v1/checks/batch", json={"items": questions}, headers=counter.headers)
        while not await app.state.process.travellers.catch_up():
            pass
        return [each["outcome"] for each in expect(answer, 200)["items"]]

    return cross


async def make(http: httpx2.AsyncClient, by: Caller, body: Json, key: str = "k") -> Json:
    return expect(await http.post("/v1/urgent-entries", json=body, headers=by.once(key)), 201)


async def preview(http: httpx2.AsyncClient, by: Caller, body: Json) -> Json:
    return expect(await http.post("/v1/urgent-entries/preview", json=body, headers=by.headers), 200)


async def notices(http: httpx2.AsyncClient, by: Caller, name: str) -> list[Json]:
    items = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [each for each in items if each["name"] == name]


async def test_an_urgent_entry_that_would_have_stopped_too_many_waits_for_its_countersignature(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    cross: Cross,
    owner: Caller,
    clock: SettableClock,
) -> None:
    questions = crowd(alike=31, others=119)
    assert set(await cross(questions)) == {"clear"}
    clock.advance(minutes=5)
    answer = await make(http, owner, broad_urgent())
    entry = answer["entry"]
    assert (entry["state"], entry["in_force"], answer["alert"]) == ("submitted", False, None)
    breadth = entry["breadth"]
    assert (breadth["would_stop"], breadth["fewer_than"], breadth["at_most"]) == (31, None, 31)
    assert (breadth["travellers"], breadth["compared"]) == (150, 150)
    assert (breadth["limit"], breadth["broad"], breadth["shortfalls"]) == (30, True, [])
    assert breadth["since"].startswith("2026-11-23T03:00:00")
    assert breadth["until"].startswith("2026-11-23T03:05:00")
    warning = entry["warnings"][0]
    assert (warning["code"], warning["pointer"]) == ("broad", "/subject")
    assert "31 of 150 travellers" in warning["detail"]
    assert "call them" in warning["detail"]
    assert set(await cross(questions)) == {"clear"}, "nobody waits for it"
    assert (entry["starts_on"], entry["ends_on"]) == ("2026-11-23", "2026-12-12"), (
        "the law's days run all the same"
    )
    duty = await actors.client("duty_officer")
    seen = expect(await http.get(f"/v1/entries/{entry['id']}", headers=duty.headers), 200)
    assert seen["breadth"] == breadth, "those who decide see it"
    signed = await decide(http, duty, entry, "countersign")
    assert (signed["state"], signed["in_force"], signed["breadth"]) == ("provisional", True, breadth)
    assert 15 < (await cross(questions)).count("refer") <= 31, (
        "of a hundred names not all have room in the index"
    )
    alerts = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
    assert [each["kind"] for each in alerts] == ["raise"]


async def test_metrics_say_how_many_travellers_are_held_and_how_many_entries_were_broad(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller, cross: Cross
) -> None:
    await cross(crowd(alike=31, others=9))
    await make(http, owner, broad_urgent())
    await preview(http, owner, urgent_body())
    figures = (await http.get("/metrics", headers=(await actors.client("admin")).headers)).text.split("\n")
    assert {
        "cekal_breadth_travellers 40.0",
        "cekal_breadth_share 1.0",
        'cekal_breadth_counted_total{broad="true"} 1.0',
        'cekal_breadth_counted_total{broad="false"} 1.0',
    } <= set(figures)


async def test_one_that_would_have_stopped_fewer_holds_at_once_and_says_how_many(
    http: httpx2.AsyncClient, cross: Cross, owner: Caller
) -> None:
    await cross(crowd(alike=30, others=20))
    answer = await make(http, owner, broad_urgent())
    entry = answer["entry"]
    assert (entry["state"], entry["in_force"], answer["alert"]["kind"]) == ("provisional", True, "raise")
    assert (entry["breadth"]["would_stop"], entry["breadth"]["broad"]) == (30, False)
    assert "broad" not in {each["code"] for each in entry["warnings"]}


async def test_a_number_that_would_tell_who_has_travelled_is_not_told(
    http: httpx2.AsyncClient, counter: Caller, owner: Caller
) -> None:
    body = urgent_body()
    clear = (await make(http, owner, urgent_body(), "0"))["entry"]["breadth"]
    assert (clear["would_stop"], clear["travellers"], clear["shortfalls"]) == (None, 0, ["empty"])
    assert (clear["fewer_than"], clear["at_most"], clear["since"]) == (None, None, None)
    question = check_body(body["subject"])
    question["document"]["number"] = "B7654321"
    assert (await ask(http, counter, question))["outcome"] == "clear"
    seen = (await preview(http, owner, body))["breadth"]
    unseen = (await preview(http, owner, urgent_body()))["breadth"]
    assert seen == unseen
    assert (seen["would_stop"], seen["fewer_than"], seen["at_most"], seen["travellers"]) == (None, 5, 4, 1)


async def test_the_subject_is_none_of_those_whom_it_would_stop_by_mistake(
    http: httpx2.AsyncClient, cross: Cross, owner: Caller
) -> None:
    numbers = [f"C{i:07d}" for i in range(40)]
    name = COMMON[3]
    own = [
        traveller(i, name, document={"number": number, "issuing_state": "IDN", "type": "passport"})
        for i, number in enumerate(numbers)
    ]
    await cross(own)
    documents = [{"type": "passport", "number": number, "issuing_state": "IDN"} for number in numbers]
    listed = broad_urgent(documents=documents)
    entry = (await make(http, owner, listed))["entry"]
    assert (entry["state"], entry["breadth"]["would_stop"]) == ("provisional", None)
    other = await preview(http, owner, broad_urgent())
    assert other["breadth"]["would_stop"] == 40, "and of somebody else all would be"


async def test_a_traveller_counts_once_and_in_the_measures_direction_only(
    http: httpx2.AsyncClient, cross: Cross, owner: Caller, clock: SettableClock
) -> None:
    leaving = [traveller(i, COMMON[i]) for i in range(8)]
    returning = [traveller(i, COMMON[i], direction="entry") for i in range(4, 20)]
    for questions in (leaving, returning, leaving):
        await cross(questions)
        clock.advance(hours=1)
    breadth = (await preview(http, owner, broad_urgent()))["breadth"]
    assert (breadth["would_stop"], breadth["travellers"]) == (8, 20)


async def test_who_stands_on_a_manifest_only_does_not_count(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller, cross: Cross
) -> None:
    listed = await actors.client("checkpoint", kind="manifest")
    questions = {"items": crowd(alike=20, others=0)}
    expect(await http.post("/v1/checks/batch", json=questions, headers=listed.headers), 200)
    await cross(crowd(alike=6, others=0))
    assert (await preview(http, owner, broad_urgent()))["breadth"]["travellers"] == 6


async def test_only_the_last_thirty_days_count(
    http: httpx2.AsyncClient, cross: Cross, owner: Caller, clock: SettableClock
) -> None:
    await cross(crowd(alike=31, others=0))
    assert (await preview(http, owner, broad_urgent()))["state"] == "submitted"
    clock.advance(days=29)
    body = broad_urgent()
    issued = clock().date().isoformat()
    for part in ("basis", "letter"):
        body[part]["issued_on"] = issued
    body["basis"]["received_on"] = None
    assert (await preview(http, owner, body))["breadth"]["would_stop"] == 31
    clock.advance(days=1, minutes=11)
    after = await preview(http, owner, body)
    assert (after["state"], after["breadth"]["travellers"]) == ("provisional", 0)
    assert after["breadth"]["shortfalls"] == ["empty"]


@pytest.mark.settings(question_days=7)
async def test_a_shorter_retention_is_said(http: httpx2.AsyncClient, cross: Cross, owner: Caller) -> None:
    await cross(crowd(alike=6, others=0))
    breadth = (await preview(http, owner, broad_urgent()))["breadth"]
    assert (breadth["would_stop"], breadth["shortfalls"]) == (6, ["erased"])


async def test_travellers_without_a_document_and_by_their_zones_count_too(
    http: httpx2.AsyncClient, cross: Cross, owner: Caller
) -> None:
    named = [
        {each: part for each, part in q.items() if each != "document"} for q in crowd(alike=12, others=3)
    ]
    await cross(named)
    breadth = (await preview(http, owner, broad_urgent()))["breadth"]
    assert (breadth["would_stop"], breadth["travellers"]) == (12, 15)


async def test_a_preview_files_nothing_and_is_recorded(
    http: httpx2.AsyncClient, actors: Actors, auditor: Caller, counter: Caller, cross: Cross, owner: Caller
) -> None:
    await cross(crowd(alike=40, others=0))
    told = await preview(http, owner, broad_urgent())
    assert (told["state"], told["starts_on"], told["ends_on"]) == ("submitted", "2026-11-23", "2026-12-12")
    assert [each["code"] for each in told["warnings"]] == ["broad", "letter_unseen"]
    duty = await actors.client("duty_officer")
    assert expect(await http.get("/v1/entries", headers=duty.headers), 200)["items"] == []
    assert await notices(http, duty, "countersign_awaited") == []
    acts = expect(await http.get("/v1/audit", headers=auditor.headers), 200)["items"]
    assert "urgent_entry.previewed" in [each["act"] for each in acts]
    answer = await http.post("/v1/urgent-entries/preview", json=broad_urgent(), headers=owner.once("k"))
    refused(answer, 400, "idempotency-not-allowed")
    wrong = broad_urgent()
    wrong["starts_on"] = "2026-11-23"
    refused(
        await http.post("/v1/urgent-entries/preview", json=wrong, headers=owner.headers), 422, "validation"
    )


async def test_the_duty_officers_are_told_at_once_and_every_half_hour_until_somebody_decides(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    cross: Cross,
    owner: Caller,
    clock: SettableClock,
    worker: Worker,
) -> None:
    await cross(crowd(alike=40, others=0))
    duty, approver = await actors.client("duty_officer"), await actors.client("approver")
    entry = (await make(http, owner, broad_urgent()))["entry"]
    for each in (duty, approver, owner):
        (notice,) = await notices(http, each, "countersign_awaited")
        assert (notice["entry_id"], notice["due_at"]) == (entry["id"], "2026-11-24T03:00:00.000000Z")
    waiting = expect(await http.get("/v1/worklist", headers=duty.headers), 200)["items"]
    assert {(each["name"], each["entry_id"]) for each in waiting} == {
        ("countersign", entry["id"]),
        ("countersign_awaited", entry["id"]),
    }
    await worker.notify_officers()
    assert len(await notices(http, duty, "countersign_awaited")) == 1
    clock.advance(minutes=31)
    await worker.notify_officers()
    await worker.notify_officers()
    assert len(await notices(http, duty, "countersign_awaited")) == 2
    await decide(http, duty, entry, "countersign")
    clock.advance(hours=1)
    await worker.notify_officers()
    assert len(await notices(http, duty, "countersign_awaited")) == 2


async def test_one_that_has_lapsed_is_not_awaited_any_more(
    http: httpx2.AsyncClient,
    actors: Actors,
    owner: Caller,
    cross: Cross,
    clock: SettableClock,
    worker: Worker,
) -> None:
    await cross(crowd(alike=40, others=0))
    duty = await actors.client("duty_officer")
    body = broad_urgent()
    entry = (await make(http, owner, body))["entry"]
    clock.advance(hours=24, minutes=1)
    await worker.notify_officers()
    assert len(await notices(http, duty, "countersign_awaited")) == 1
    await worker.end_by_law()
    lapsed = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (lapsed["state"], lapsed["ended_reason"]) == ("ended", "lapsed")
    again = await make(http, owner, body, "again")
    assert (again["entry"]["state"], again["entry"]["ends_on"]) == ("submitted", entry["ends_on"])


async def test_who_crosses_while_it_waits_is_found_once_it_is_countersigned(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    cross: Cross,
    owner: Caller,
    clock: SettableClock,
    worker: Worker,
) -> None:
    await cross(crowd(alike=40, others=0))
    clock.advance(hours=25)
    body = broad_urgent()
    entry = (await make(http, owner, body))["entry"]
    clock.advance(hours=23)
    paper = {each: body["subject"]["documents"][0][each] for each in ("number", "issuing_state", "type")}
    gone = await ask(http, counter, traveller(77, "Somebody Else", document=paper))
    assert gone["outcome"] == "clear"
    await decide(http, await actors.client("duty_officer"), entry, "countersign")
    await worker.look_back()
    (notice,) = await notices(http, owner, "crossed_before")
    assert notice["check_id"] == gone["id"]


async def test_after_a_rejection_a_narrower_one_holds_at_once(
    http: httpx2.AsyncClient, actors: Actors, cross: Cross, owner: Caller
) -> None:
    await cross(crowd(alike=40, others=0))
    body = broad_urgent()
    entry = (await make(http, owner, body))["entry"]
    await decide(http, await actors.client("duty_officer"), entry, "reject", "Too many names.")
    body["subject"] |= {"aliases": [], "birth": {"date": "1970-05-17"}}
    again = await make(http, owner, body, "narrower")
    assert (again["entry"]["state"], again["alert"]["kind"]) == ("provisional", "raise")


async def test_those_who_decide_on_any_entry_see_how_broad_it_is_and_it_waits_for_them_as_ever(
    http: httpx2.AsyncClient, actors: Actors, cross: Cross, owner: Caller
) -> None:
    await cross(crowd(alike=40, others=0))
    body = broad(entry_body())
    entry = await submit(http, owner, body)
    assert (entry["state"], entry["breadth"]["would_stop"], entry["breadth"]["broad"]) == (
        "submitted",
        40,
        True,
    )
    assert [each["code"] for each in entry["warnings"]] == ["broad"]
    returned = await decide(http, await actors.client("verifier"), entry, "return", "Too broad.")
    narrow = {**body, "subject": {**body["subject"], "aliases": [], "birth": {"date": "1970-05-17"}}}
    headers = owner.on(f'"{returned["version"]}"')
    again = expect(await http.put(f"/v1/entries/{entry['id']}", json=narrow, headers=headers), 200)
    assert (again["breadth"]["would_stop"], again["warnings"]) == (None, [])


async def test_a_correction_that_widens_an_entry_says_so_to_those_who_decide(
    http: httpx2.AsyncClient, actors: Actors, cross: Cross, owner: Caller
) -> None:
    await cross(crowd(alike=40, others=0))
    asked_for = entry_body()
    entry = await impose(http, actors, asked_for)
    assert entry["breadth"]["would_stop"] is None
    aliases = broad_urgent()["subject"]["aliases"]
    wider = {**asked_for["subject"], "aliases": aliases, "birth": ANY_AGE}
    body = {"kind": "correction", "reason": "More names are known.", "correction": {"subject": wider}}
    amendment = expect(await file_amendment(http, owner, entry, body), 201)
    assert amendment["breadth"]["broad"]
    assert amendment["breadth"]["would_stop"] >= 39
    assert "broad" in [each["code"] for each in amendment["warnings"]]
    verifier = await actors.client("verifier")
    seen = expect(await http.get(f"/v1/amendments/{amendment['id']}", headers=verifier.headers), 200)
    assert seen["breadth"] == amendment["breadth"]


@pytest.mark.settings(urgent_breadth_limit=0)
async def test_the_limit_can_be_taken_away(http: httpx2.AsyncClient, cross: Cross, owner: Caller) -> None:
    await cross(crowd(alike=40, others=0))
    entry = (await make(http, owner, broad_urgent()))["entry"]
    assert (entry["state"], entry["breadth"]["would_stop"], entry["breadth"]["broad"]) == (
        "provisional",
        40,
        False,
    )


@pytest.mark.settings(breadth_sample=1000)
async def test_of_many_travellers_a_lot_is_drawn_and_the_number_is_an_estimate(
    http: httpx2.AsyncClient, cross: Cross, owner: Caller
) -> None:
    everybody = crowd(alike=600, others=1800)
    for i in range(0, len(everybody), 800):
        await cross(everybody[i : i + 800])
    breadth = (await preview(http, owner, broad_urgent()))["breadth"]
    assert "sampled" in breadth["shortfalls"], breadth
    assert breadth["compared"] <= 1000
    assert 2000 < breadth["travellers"] < 2800
    assert 400 < breadth["would_stop"] < 800
    assert breadth["at_most"] > breadth["would_stop"]


async def test_a_process_that_starts_later_draws_the_same(
    http: httpx2.AsyncClient, app: FastAPI, cross: Cross, owner: Caller
) -> None:
    questions = crowd(alike=31, others=119)
    await cross(questions)
    body = broad_urgent()
    told = (await preview(http, owner, body))["breadth"]
    later = Travellers(app.state.process.runtime)
    while not await later.catch_up():
        pass
    subject = UrgentEntryIn.model_validate(body).requested().subject
    breadth = await later.breadth(Measure.PREVENTION, subject)
    assert (breadth.would_stop, breadth.travellers) == (told["would_stop"], told["travellers"]) == (31, 150)


async def test_the_loop_makes_the_travellers_known_by_itself(
    served: Served, counter: Caller, owner: Caller
) -> None:
    questions = {"items": crowd(alike=31, others=9)}
    expect(await served.http.post("/v1/checks/batch", json=questions, headers=counter.headers), 200)
    await until(lambda: served.app.state.process.travellers.sample.size == 40)
    answer = await make(served.http, owner, broad_urgent())
    assert (answer["entry"]["state"], answer["entry"]["breadth"]["would_stop"]) == ("submitted", 31)
