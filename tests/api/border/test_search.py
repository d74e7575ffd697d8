"""Searching for a person: within one's view, recorded like a check, and never by the address line."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, entry_body
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import expect, impose, submit


async def found(http: AsyncClient, by: Caller, **wanted: Any) -> list[str]:
    """Ids of the entries that a search finds."""
    answer = expect(await http.post("/v1/entries/search", json=wanted, headers=by.headers), 200)
    return [entry["id"] for entry in answer["items"]]


async def test_a_person_is_found_by_document_nik_or_name_however_they_are_written(
    http: AsyncClient, actors: Actors
):
    submitter = await actors.client("submitter")
    body = entry_body(subject={"full_name": "Djoko Soesilo", "aliases": [{"name": "Sang Naga"}]})
    subject = body["subject"]
    entry = (await submit(http, submitter, body))["id"]
    await submit(http, submitter)
    number = subject["documents"][0]["number"]
    for wanted in (
        {"document": number},
        {"document": f"{number[:3].lower()} {number[3:5]}-{number[5:]}"},
        {"nik": subject["nik"]},
        {"name": "Joko Susilo"},
        {"name": "SUSILO, JOKO"},
        {"name": "sang naga"},
        {"name": "Djoko Soesilo", "birth": {"date": subject["birth"]["date"][:4]}},
        {"document": number, "measure": "prevention", "state": "submitted"},
    ):
        assert await found(http, submitter, **wanted) == [entry], wanted
    for wanted in (
        {"document": "X0000000"},
        {"nik": "0000000000000000"},
        {"name": "Djoko"},
        {"name": "Djoko Soesilo", "birth": {"date": "1901"}},
        {"document": number, "measure": "deterrence"},
        {"document": number, "state": "active"},
    ):
        assert await found(http, submitter, **wanted) == [], wanted


async def test_a_search_stays_within_the_callers_view(http: AsyncClient, actors: Actors):
    body = entry_body()
    entry = (await submit(http, await actors.client("submitter"), body))["id"]
    wanted = {"nik": body["subject"]["nik"]}
    for role, agency, finds in (
        ("submitter", "KPK", [entry]),
        ("verifier", "KPK", [entry]),
        ("submitter", "POLRI", []),
        ("verifier", "IMIGRASI", []),
        ("approver", None, [entry]),
        ("duty_officer", None, [entry]),
        ("auditor", None, [entry]),
    ):
        caller = await actors.client(role, agency=agency)
        assert await found(http, caller, **wanted) == finds, role
    for role in ("supervisor", "timpora", "checkpoint", "integrator", "admin"):
        caller = await actors.client(role)
        response = await http.post("/v1/entries/search", json=wanted, headers=caller.headers)
        refused(response, 403, "wrong-role")


async def test_the_state_that_is_asked_for_is_the_one_that_holds_now(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    body = entry_body(ends_on="2026-11-30")
    entry = await impose(http, actors, body)
    approver = await actors.client("approver")
    wanted = {"nik": body["subject"]["nik"]}
    assert await found(http, approver, **wanted, state="active") == [entry["id"]]
    clock.set("2026-12-01T00:00:00Z")
    assert await found(http, approver, **wanted, state="active") == []
    assert await found(http, approver, **wanted, state="ended") == [entry["id"]]


async def test_every_search_is_recorded_with_who_and_what_came_out_but_not_whom_it_was_for(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    submitter, auditor = await actors.client("submitter"), await actors.client("auditor")
    body = entry_body()
    entry = await submit(http, submitter, body)
    name = body["subject"]["full_name"]
    for asked in (name, name, "Nobody At All"):
        clock.advance(seconds=1)
        await found(http, submitter, name=asked)
    path = "/v1/audit?act=entries.searched"
    response = await http.get(path, headers=auditor.headers)
    acts = expect(response, 200)["items"]
    assert [(act["client_id"], act["person"], act["detail"]["found"]) for act in acts] == [
        (submitter.id, submitter.person, []),
        (submitter.id, submitter.person, [entry["id"]]),
        (submitter.id, submitter.person, [entry["id"]]),
    ]
    questions = [act["detail"]["question"] for act in acts]
    assert questions[1] == questions[2] != questions[0], "a keyed hash: equal questions can be told"
    assert name not in response.text


MEANINGLESS = [
    ({}, ""),
    ({"birth": {"date": "1970"}}, ""),
    ({"name": None, "document": None}, ""),
    ({"name": " "}, "/name"),
    ({"nik": "12x"}, "/nik"),
    ({"name": "A", "birth": {"date": "197"}}, "/birth/date"),
    ({"name": "A", "limit": 501}, "/limit"),
    ({"name": "A", "limit": "5"}, "/limit"),
    ({"name": "A", "cursor": "x"}, "/cursor"),
    ({"name": "A", "state": "asleep"}, "/state"),
    ({"name": "A", "hit_id": "hit_1"}, "/hit_id"),
    ({"name": "A", "shoe": 43}, "/shoe"),
]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_a_search_that_means_nothing_is_refused_and_not_recorded(
    http: AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    for wanted, pointer in MEANINGLESS:
        with subtests.test(str((wanted, pointer))[:80]):
            submitter = await actors.client("submitter")
            async with nothing_changed(runtime):
                response = await http.post("/v1/entries/search", json=wanted, headers=submitter.headers)
                assert list(refused(response, 422, "validation")) == [pointer]


async def test_results_come_in_pages_newest_first(http: AsyncClient, actors: Actors, clock: SettableClock):
    submitter = await actors.client("submitter", agency="IMIGRASI")
    name = "Aldous Quillfeather"
    made = []
    for _ in range(5):
        clock.advance(seconds=1)
        made.append((await submit(http, submitter, deterrence_body(subject={"full_name": name})))["id"])
    pages, cursor = [], None
    while True:
        wanted = {"name": name, "limit": 2, "cursor": cursor}
        answer = expect(await http.post("/v1/entries/search", json=wanted, headers=submitter.headers), 200)
        pages.append([entry["id"] for entry in answer["items"]])
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert pages == [made[:2:-1], made[2:0:-1], made[:1]]


async def test_a_search_takes_no_idempotency_key(http: AsyncClient, actors: Actors, runtime: Runtime):
    submitter = await actors.client("submitter")
    async with nothing_changed(runtime):
        response = await http.post("/v1/entries/search", json={"name": "A B"}, headers=submitter.once("k"))
        refused(response, 400, "idempotency-not-allowed")


async def test_an_officer_is_answered_whole_entries(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter")
    entry = await submit(http, submitter)
    wanted = {"document": entry["subject"]["documents"][0]["number"]}
    answer = await http.post("/v1/entries/search", json=wanted, headers=submitter.headers)
    assert expect(answer, 200)["items"] == [entry]
