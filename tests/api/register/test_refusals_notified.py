"""What Immigration refuses is notified to the owner, who keeps the task while the measure holds on (R18, R36)."""

import pytest
from httpx2 import AsyncClient

from tests.support.actors import Actors, Caller
from tests.support.bodies import entry_body, extension_body, revocation_body, without_photo
from tests.support.clock import SettableClock
from tests.support.steps import Json, amend, decide, expect, file_amendment, impose, settle, submit


async def told(http: AsyncClient, by: Caller) -> list[tuple[str, str | None]]:
    """The notices of refusals that somebody reads, and the amendment that each names."""
    items = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [(each["name"], each["amendment_id"]) for each in items if each["name"].endswith("_refused")]


async def keeps(http: AsyncClient, by: Caller) -> list[str]:
    """The refused revocations in somebody's worklist."""
    items = expect(await http.get("/v1/worklist", headers=by.headers), 200)["items"]
    found = [item for item in items if item["kind"] == "task" and item["name"] == "revocation_refused"]
    return [item["amendment_id"] for item in found]


async def verified(http: AsyncClient, actors: Actors, owner: Caller, entry: Json, body: Json) -> Json:
    """An amendment of the owner that waits for Immigration."""
    asked = expect(await file_amendment(http, owner, entry, body), 201)
    return await settle(http, await actors.client("verifier"), asked, "verify")


@pytest.mark.parametrize("verdict", ["reject", "return"])
async def test_the_owner_is_told_of_a_refused_revocation_and_keeps_the_task(
    http: AsyncClient, actors: Actors, verdict: str
):
    owner, stranger = await actors.client("submitter"), await actors.client("submitter", agency="POLRI")
    verifier, approver = await actors.client("verifier"), await actors.client("approver")
    entry = await impose(http, actors)
    asked = await verified(http, actors, owner, entry, revocation_body(entry))
    assert await told(http, owner) == []
    await settle(http, approver, asked, verdict, "The case goes on.")
    for by in (owner, verifier):
        assert await told(http, by) == [("revocation_refused", asked["id"])]
        assert await keeps(http, by) == [asked["id"]]
    for by in (stranger, approver):
        assert await told(http, by) == []
        assert await keeps(http, by) == []


async def test_the_task_gives_way_to_a_newer_revocation_and_returns_with_its_refusal(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    owner, approver = await actors.client("submitter"), await actors.client("approver")
    entry = await impose(http, actors)
    first = await verified(http, actors, owner, entry, revocation_body(entry))
    await settle(http, approver, first, "reject", "The case goes on.")
    clock.advance(minutes=1)
    second = await verified(http, actors, owner, entry, revocation_body(entry))
    assert await keeps(http, owner) == []
    await settle(http, approver, second, "return", "Not signed.")
    assert await keeps(http, owner) == [second["id"]]
    clock.advance(minutes=1)
    third = expect(await file_amendment(http, owner, entry, revocation_body(entry)), 201)
    await settle(http, await actors.client("verifier"), third, "return", "A slip.")
    assert await keeps(http, owner) == [second["id"]], "their own verifier's return is no refusal"
    clock.advance(minutes=1)
    await amend(http, actors, entry, revocation_body(entry))
    assert await keeps(http, owner) == [], "the measure is over"
    assert [amendment for _, amendment in await told(http, owner)] == [first["id"], second["id"]]


async def test_what_the_owners_own_verifier_returns_is_no_refusal(http: AsyncClient, actors: Actors):
    owner = await actors.client("submitter")
    entry = await impose(http, actors)
    asked = expect(await file_amendment(http, owner, entry, revocation_body(entry)), 201)
    await settle(http, await actors.client("verifier"), asked, "return", "A slip.")
    assert await told(http, owner) == []
    assert await keeps(http, owner) == []


async def test_a_letter_of_another_body_that_the_owner_returns_is_no_refusal(
    http: AsyncClient, actors: Actors
):
    owner, immigration = (
        await actors.client("submitter"),
        await actors.client("submitter", agency="IMIGRASI"),
    )
    entry = await impose(http, actors)
    asked = expect(await file_amendment(http, immigration, entry, revocation_body(entry)), 201)
    await settle(http, await actors.client("verifier"), asked, "return", "It holds.")
    assert await told(http, owner) == await told(http, immigration) == []
    assert await keeps(http, owner) == []


@pytest.mark.parametrize("kind", ["extension", "correction"])
async def test_the_owner_is_told_of_every_other_refused_amendment(
    http: AsyncClient, actors: Actors, kind: str
):
    owner, body = await actors.client("submitter"), entry_body(ends_on="2026-12-20")
    entry = await impose(http, actors, body)
    wanted = {
        "extension": extension_body(entry, "2027-01-20"),
        "correction": {
            "kind": "correction",
            "correction": {"subject": without_photo(body["subject"], address="Jalan Kenanga 9")},
        },
    }[kind]
    asked = await verified(http, actors, owner, entry, wanted)
    await settle(http, await actors.client("approver"), asked, "reject", "No ground.")
    assert await told(http, owner) == [("amendment_refused", asked["id"])]


async def test_the_owner_is_told_of_a_refused_request(http: AsyncClient, actors: Actors):
    owner = await actors.client("submitter")
    entry = await decide(http, await actors.client("verifier"), await submit(http, owner), "verify")
    await decide(http, await actors.client("approver"), entry, "reject", "No ground.")
    assert await told(http, owner) == [("request_refused", None)]
