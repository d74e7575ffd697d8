"""`GET /v1/worklist`: the tasks of each officer, soonest first, and the notices."""

from typing import Any

import httpx2
import pytest

from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.steps import Json, decide, expect, impose, sound, submit


async def waiting(http: httpx2.AsyncClient, by: Caller, kind: str = "task", **asked: Any) -> list[Json]:
    """Tasks, or notices, of an officer."""
    told = expect(await http.get("/v1/worklist", params=asked, headers=by.headers), 200)["items"]
    return [item for item in told if item["kind"] == kind]


def names(items: list[Json]) -> list[tuple[str, str]]:
    return [(item["name"], item["entry_id"]) for item in items]


async def test_an_entry_waits_for_one_after_the_other(http: httpx2.AsyncClient, actors: Actors) -> None:
    submitter, verifier = await actors.client("submitter"), await actors.client("verifier")
    approver = await actors.client("approver")

    async def tasks() -> list[list[tuple[str, str]]]:
        return [names(await waiting(http, by)) for by in (submitter, verifier, approver)]

    entry = await submit(http, submitter)
    assert await tasks() == [[], [("verify", entry["id"])], []]
    entry = await decide(http, verifier, entry, "verify")
    assert await tasks() == [[], [], [("approve", entry["id"])]]
    entry = await decide(http, approver, entry, "return", "The letter is missing.")
    assert await tasks() == [[("resubmit", entry["id"])], [], []]


async def test_what_one_may_not_do_for_want_of_a_second_pair_of_eyes_does_not_wait(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    both = await actors.client(["submitter", "verifier"])
    await submit(http, both)
    assert await waiting(http, both) == []


async def test_no_number_of_requests_that_others_must_decide_hides_ones_own(
    http: httpx2.AsyncClient, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.casework.worklist.service._LIMIT", 2)
    both = await actors.client(["submitter", "verifier"])
    for _ in range(5):
        await submit(http, both)
    others = [await submit(http, await actors.client("submitter")) for _ in range(3)]
    shown = names(await waiting(http, both))
    assert len(shown) == 2
    assert set(shown) < {("verify", entry["id"]) for entry in others}


async def test_another_agency_sees_nothing_of_it(http: httpx2.AsyncClient, actors: Actors) -> None:
    await submit(http, await actors.client("submitter"))
    assert await waiting(http, await actors.client("verifier", agency="BNN")) == []


async def test_an_urgent_entry_waits_for_its_countersignature_and_its_formalisation(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    raised = await sound(http, submitter)
    (task,) = await waiting(http, duty)
    assert (task["name"], task["due_at"]) == ("countersign", "2026-11-23T09:00:00.000000Z")
    (task,) = await waiting(http, submitter)
    assert (task["name"], task["due_at"]) == ("formalise", "2026-12-12T17:00:00.000000Z")
    await decide(http, duty, raised["entry"], "countersign")
    assert [task["name"] for task in await waiting(http, duty)] == ["withdraw_passport"]


async def test_what_has_lapsed_waits_for_nobody(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    await sound(http, submitter)
    clock.advance(hours=24)
    assert await waiting(http, duty) == []
    assert await waiting(http, submitter) == []


async def test_the_soonest_comes_first(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    ids = []
    for _ in range(3):
        ids.append((await sound(http, submitter, urgent_body()))["entry"]["id"])
        clock.advance(minutes=10)
    told = await waiting(http, duty)
    assert [item["entry_id"] for item in told] == ids
    assert [item["due_at"] for item in told] == sorted(item["due_at"] for item in told)
    assert len(await waiting(http, duty, limit=2)) == 2


async def test_hits_and_sightings_are_noticed_newest_first(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    counter, owner = await actors.client("checkpoint"), await actors.client("verifier")
    ids = []
    for direction in ("exit", "entry"):
        asked = await http.post(
            "/v1/checks", json=check_body(body["subject"], direction), headers=counter.headers
        )
        ids.append(expect(asked, 200)["id"])
        clock.advance(seconds=1)
    told = await waiting(http, owner, "notice")
    assert [(item["name"], item["check_id"], item["direction"]) for item in told] == [
        ("sighting", ids[1], "entry"),
        ("hit", ids[0], "exit"),
    ]
    assert {(item["entry_id"], item["checkpoint"]) for item in told} == {(entry["id"], "CGK")}
    assert await waiting(http, await actors.client("verifier", agency="BNN"), "notice") == []
    assert len(await waiting(http, await actors.client("duty_officer"), "notice")) == 2


@pytest.mark.parametrize("role", ["checkpoint", "integrator", "carrier"])
async def test_machines_have_no_worklist(http: httpx2.AsyncClient, actors: Actors, role: str) -> None:
    agency = "KPK" if role == "integrator" else None
    caller = await actors.client(role, agency=agency)
    expect(await http.get("/v1/worklist", headers=caller.headers), 403)


@pytest.mark.parametrize(
    "role", ["submitter", "verifier", "approver", "duty_officer", "supervisor", "auditor", "admin"]
)
async def test_every_person_has_one(http: httpx2.AsyncClient, actors: Actors, role: str) -> None:
    assert expect(await http.get("/v1/worklist", headers=(await actors.client(role)).headers), 200) == {
        "items": []
    }
