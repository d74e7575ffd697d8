"""Photos at checkpoints: for those who were told of the person, or have just met them."""

import httpx2
import pytest

from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, deterrence_body, entry_body
from tests.support.clock import SettableClock
from tests.support.steps import Json, decide, expect, impose, sound


async def status(http: httpx2.AsyncClient, by: Caller, entry: Json) -> int:
    """What comes of asking for an entry's photo."""
    asked = await http.get(f"/v1/entries/{entry['id']}/photo", headers=by.headers)
    if asked.status_code == 200:
        assert asked.headers["content-type"] == "image/jpeg"
        assert asked.headers["cache-control"] == "no-store"
        assert asked.content.startswith(b"\xff\xd8")
    return asked.status_code


async def test_a_checkpoint_that_met_nobody_sees_no_photo(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    assert await status(http, counter, await impose(http, actors)) == 404


async def test_after_a_match_the_photo_is_seen_there_for_a_day(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, clock: SettableClock
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    expect(await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers), 200)
    elsewhere = await actors.client("checkpoint", checkpoint="DPS")
    assert await status(http, counter, entry) == 200
    assert await status(http, elsewhere, entry) == 404
    clock.advance(hours=24)
    assert await status(http, counter, entry) == 200
    clock.advance(seconds=1)
    assert await status(http, counter, entry) == 404


@pytest.mark.parametrize("kind", ["autogate", "manifest"])
async def test_a_machine_that_shows_nobody_the_photo_does_not_get_it(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, kind: str
) -> None:
    machine = await actors.client("checkpoint", kind=kind)
    body = entry_body()
    entry = await impose(http, actors, body)
    expect(await http.post("/v1/checks", json=check_body(body["subject"]), headers=machine.headers), 200)
    alerted = (await sound(http, await actors.client("submitter")))["entry"]
    assert [await status(http, machine, each) for each in (entry, alerted)] == [404, 404]
    assert [await status(http, counter, each) for each in (entry, alerted)] == [200, 200]


async def test_a_sighting_shows_no_photo(http: httpx2.AsyncClient, actors: Actors, counter: Caller) -> None:
    body = deterrence_body()
    entry = await impose(http, actors, body)
    asked = await http.post("/v1/checks", json=check_body(body["subject"], "exit"), headers=counter.headers)
    assert expect(asked, 200)["outcome"] == "clear"
    assert await status(http, counter, entry) == 404


async def test_an_alert_shows_the_photo_everywhere_until_it_is_over(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, clock: SettableClock
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    entry = await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")
    assert await status(http, counter, entry) == 200
    clock.set("2026-12-12T23:59:59+07:00")  # the twentieth day
    assert await status(http, counter, entry) == 200
    clock.advance(seconds=1)
    assert await status(http, counter, entry) == 404


async def test_a_withdrawn_alert_shows_no_photo_any_more(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    await decide(http, await actors.client("duty_officer"), raised["entry"], "reject", "A mistake.")
    assert await status(http, counter, raised["entry"]) == 404


async def test_a_checkpoint_that_opened_later_was_not_told_and_sees_no_photo(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    admin = await actors.client("admin")
    place = {"name": "Pos Lintas Batas Baru", "mode": "land", "zone": "Asia/Makassar"}
    expect(await http.put("/v1/checkpoints/NEW-1", json=place, headers=admin.headers), 201)
    newcomer = await actors.client("checkpoint", checkpoint="NEW-1")
    assert await status(http, newcomer, raised["entry"]) == 404
