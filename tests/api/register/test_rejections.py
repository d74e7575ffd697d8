"""What refuses by the word of two persons is taken back by two (API section 3; R32)."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, decide, etag, expect, formalise, sound

WHY = "The photo shows somebody else."


@pytest.fixture
async def countersigned(http: AsyncClient, actors: Actors) -> tuple[Json, Json, list[Caller]]:
    """The body of a countersigned urgent entry, the entry, and who wrote and who countersigned it."""
    body = urgent_body()
    people = [await actors.client("submitter"), await actors.client("duty_officer")]
    entry = (await sound(http, people[0], body))["entry"]
    return body, await decide(http, people[1], entry, "countersign"), people


async def attempt(http: AsyncClient, by: Caller, entry: Json, verdict: str, reason: str | None = WHY) -> Any:
    """The answer to a decision that may be refused."""
    path = f"/v1/entries/{entry['id']}/decisions"
    return await http.post(path, json={"verdict": verdict, "reason": reason}, headers=by.on(etag(entry)))


async def asked(http: AsyncClient, actors: Actors, body: Json) -> str:
    """What a counter is to do with the person."""
    counter = await actors.client("checkpoint")
    found = expect(
        await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers), 200
    )
    return str(found["action"])


async def records(http: AsyncClient, actors: Actors) -> list[str]:
    """What the ledger holds."""
    feed = await http.get("/v1/changes", headers=(await actors.client("auditor")).headers)
    return [record["type"] for record in expect(feed, 200)["items"]]


async def notices(http: AsyncClient, by: Caller) -> list[tuple[str, str | None]]:
    """The notices about rejections that somebody reads: name, and until when something is to be done."""
    told = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [(each["name"], each["due_at"]) for each in told if each["name"].startswith("rejection_")]


async def waits(http: AsyncClient, by: Caller) -> list[tuple[str, str, str | None]]:
    """The proposals that wait for somebody."""
    items = expect(await http.get("/v1/worklist", headers=by.headers), 200)["items"]
    return [
        (item["entry_id"], item["at"], item["due_at"])
        for item in items
        if item["name"] == "confirm_rejection"
    ]


async def test_a_duty_officer_proposes_and_nothing_changes_for_checkpoints(
    http: AsyncClient, actors: Actors, countersigned: tuple[Json, Json, list[Caller]]
):
    body, entry, (owner, duty) = countersigned
    approver, before = await actors.client("approver"), await records(http, actors)
    assert entry["rejection_proposed"] is None
    answer = await attempt(http, duty, entry, "reject")
    proposed = expect(answer, 201)
    assert (proposed["state"], proposed["in_force"], proposed["version"]) == ("provisional", True, 3)
    assert proposed["rejection_proposed"] == {
        "by": duty.id,
        "at": "2026-11-23T03:00:00.000000Z",
        "reason": WHY,
    }
    due_at = "2026-11-23T09:00:00.000000Z"
    assert {"name": "confirm_rejection", "due_at": due_at, "met_at": None} in proposed["legal_deadlines"]
    assert await asked(http, actors, body) == "refuse_exit"
    assert await records(http, actors) == before
    for by in (owner, approver):
        assert await notices(http, by) == [("rejection_proposed", due_at)]
    assert await waits(http, approver) == [(entry["id"], "2026-11-23T03:00:00.000000Z", due_at)]
    assert await waits(http, owner) == await waits(http, duty) == []


async def test_an_approver_confirms_it_and_then_it_is_over(
    http: AsyncClient, actors: Actors, countersigned: tuple[Json, Json, list[Caller]]
):
    body, entry, (owner, duty) = countersigned
    approver = await actors.client("approver")
    entry = await decide(http, duty, entry, "reject", WHY)
    rejected = await decide(http, approver, entry, "reject", "It is somebody else.")
    assert (rejected["state"], rejected["in_force"], rejected["rejection_proposed"]) == (
        "rejected",
        False,
        None,
    )
    assert await asked(http, actors, body) == "allow"
    assert (await records(http, actors))[-2:] == ["entry.ended", "alert.cancelled"]
    assert [name for name, _ in await notices(http, owner)] == ["rejection_proposed", "rejection_confirmed"]
    assert await waits(http, approver) == []
    history = await http.get(f"/v1/entries/{entry['id']}/history", headers=owner.headers)
    steps = [(step["event"], step["by"], step["reason"]) for step in expect(history, 200)["items"]]
    assert steps[2:] == [
        ("rejection_proposed", duty.id, WHY),
        ("rejected", approver.id, "It is somebody else."),
    ]


async def test_an_approver_keeps_it_and_it_holds_on(
    http: AsyncClient, actors: Actors, countersigned: tuple[Json, Json, list[Caller]]
):
    body, entry, (owner, duty) = countersigned
    approver = await actors.client("approver")
    entry = await decide(http, duty, entry, "reject", WHY)
    refused(await attempt(http, approver, entry, "keep", None), 422, "validation")
    kept = await decide(http, approver, entry, "keep", "It is the same person.")
    assert (kept["state"], kept["version"], kept["rejection_proposed"]) == ("provisional", 4, None)
    assert await asked(http, actors, body) == "refuse_exit"
    assert [name for name, _ in await notices(http, owner)] == ["rejection_proposed", "rejection_kept"]
    history = await http.get(f"/v1/entries/{entry['id']}/history", headers=owner.headers)
    assert expect(history, 200)["items"][-1]["event"] == "rejection_kept"
    again = await decide(http, duty, kept, "reject", "Look once more.")
    assert again["rejection_proposed"]["reason"] == "Look once more."


async def test_who_proposed_countersigned_or_wrote_it_does_not_confirm_nor_keep(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    owner, both = await actors.client("submitter"), ["duty_officer", "approver"]
    author = await actors.client(both, person=owner.person)
    signer, proposer = await actors.client(both), await actors.client(both)
    second_account = await actors.client("approver", person=proposer.person)
    entry = await decide(http, signer, (await sound(http, owner))["entry"], "countersign")
    refused(await attempt(http, author, entry, "reject"), 403, "four-eyes")
    entry = await decide(http, proposer, entry, "reject", WHY)
    async with nothing_changed(runtime):
        for by in (author, signer, proposer, second_account):
            for verdict in ("reject", "keep"):
                refused(await attempt(http, by, entry, verdict), 403, "four-eyes")
    assert [await waits(http, by) for by in (author, signer, proposer, second_account)] == [[]] * 4
    assert (await decide(http, await actors.client("approver"), entry, "reject", WHY))["state"] == "rejected"


async def test_without_a_proposal_an_approver_has_nothing_to_say_and_with_one_a_duty_officer_neither(
    http: AsyncClient,
    actors: Actors,
    runtime: Runtime,
    countersigned: tuple[Json, Json, list[Caller]],
):
    _, entry, (owner, duty) = countersigned
    approver = await actors.client("approver")
    fresh = (await sound(http, owner))["entry"]
    async with nothing_changed(runtime):
        for verdict in ("reject", "keep"):
            for waiting in (entry, fresh):
                refused(await attempt(http, approver, waiting, verdict), 409, "wrong-state")
        refused(await attempt(http, duty, entry, "keep"), 403, "wrong-role")
    entry, second = await decide(http, duty, entry, "reject", WHY), await actors.client("duty_officer")
    path = f"/v1/entries/{entry['id']}/decisions"
    async with nothing_changed(runtime):
        refused(await attempt(http, second, entry, "reject"), 409, "wrong-state")
        without = await http.post(path, json={"verdict": "keep", "reason": "No."}, headers=approver.headers)
        refused(without, 428, "version-required")
        stale = await http.post(path, json={"verdict": "keep", "reason": "No."}, headers=approver.on('"2"'))
        refused(stale, 412, "stale-version")


async def test_before_the_countersignature_one_rejects_at_once(http: AsyncClient, actors: Actors):
    body = urgent_body()
    entry = (await sound(http, await actors.client("submitter"), body))["entry"]
    rejected = await decide(http, await actors.client("duty_officer"), entry, "reject", WHY)
    assert (rejected["state"], rejected["rejection_proposed"]) == ("rejected", None)
    assert await asked(http, actors, body) == "allow"


async def test_a_proposal_is_void_when_the_entry_ends_otherwise(
    http: AsyncClient,
    actors: Actors,
    clock: SettableClock,
    countersigned: tuple[Json, Json, list[Caller]],
):
    _, entry, (owner, duty) = countersigned
    approver = await actors.client("approver")
    entry = await decide(http, duty, entry, "reject", WHY)
    clock.set("2026-12-13T08:00:00+07:00")
    read = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (read["state"], read["rejection_proposed"]) == ("ended", None)
    assert await waits(http, approver) == []
    refused(await attempt(http, approver, entry, "reject"), 409, "wrong-state")


@pytest.mark.parametrize("starts_on", ["2026-11-23", "2026-11-30"])
async def test_a_proposal_is_void_when_the_formal_entry_is_approved(
    http: AsyncClient,
    actors: Actors,
    countersigned: tuple[Json, Json, list[Caller]],
    starts_on: str,
):
    _, entry, (owner, duty) = countersigned
    approver = await actors.client("approver")
    entry = await decide(http, duty, entry, "reject", WHY)
    basis = {name: value for name, value in entry["basis"].items() if value is not None}
    basis |= {"number": "R-99/FORMAL/2026"}
    body = {"basis": basis, "starts_on": starts_on, "ends_on": "2027-05-20"}
    formal = expect(await formalise(http, owner, entry, body), 201)
    formal = await decide(http, await actors.client("verifier"), formal, "verify")
    await decide(http, await actors.client("approver"), formal, "approve")
    read = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert read["rejection_proposed"] is None
    assert await waits(http, approver) == []
