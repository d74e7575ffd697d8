"""Where the hits of a manifest are opened: always at a checkpoint with supervisors that can resolve them."""

from collections.abc import Awaitable, Callable

import httpx2
import pytest

from tests.api.border.test_hits import listed
from tests.support.actors import Actors, Caller
from tests.support.admins import change_place
from tests.support.bodies import Json, deterrence_body, entry_body
from tests.support.crossings import hit_of, say
from tests.support.manifests import (
    EDIFACT,
    FLIGHT,
    PATH,
    manifest_body,
    passenger,
    paxlst,
    read,
    send,
    statuses,
)
from tests.support.steps import expect, impose

Way = Callable[[httpx2.AsyncClient, Caller, Json, str], Awaitable[Json]]
"""A way to send a passenger who arrives at a place; it returns the manifest."""


async def as_json(http: httpx2.AsyncClient, by: Caller, asked: Json, place: str) -> Json:
    return await send(http, by, manifest_body(asked, to=place))


async def as_paxlst(http: httpx2.AsyncClient, by: Caller, asked: Json, place: str) -> Json:
    listed_ = paxlst(asked, flight=FLIGHT.replace("LOC+87+DPS", f"LOC+87+{place}"))
    content = listed_.replace("LOC+179+DPS", f"LOC+179+{place}").encode()
    return expect(await http.post(PATH, content=content, headers={**by.headers, **EDIFACT}), 201)


async def as_declaration(http: httpx2.AsyncClient, by: Caller, asked: Json, place: str) -> Json:
    return await send(http, by, {"port": place, "arrives_on": "2026-11-24", "passengers": [asked]})


BOTH = pytest.mark.parametrize("sent", [as_json, as_paxlst])


async def banned(http: httpx2.AsyncClient, actors: Actors) -> Json:
    """A passenger that may not enter."""
    body = deterrence_body()
    await impose(http, actors, body)
    return passenger(body["subject"])


def places(manifest: Json) -> list[tuple[str, str]]:
    """The warnings about places."""
    return [(w["code"], w["pointer"]) for w in manifest["warnings"] if w["code"] != "direction_assumed"]


@BOTH
@pytest.mark.parametrize("place", ["ZZZ", "IDZZZ"])
async def test_a_hit_at_an_unknown_place_is_resolved_at_another_checkpoint(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, sent: Way, place: str
) -> None:
    manifest = await sent(http, carrier, await banned(http, actors), place)
    assert (manifest["to"], statuses(manifest)) == (place, ["do_not_board"])
    assert places(manifest) == [("checkpoint_unknown", "/to")]
    supervisor = await actors.client("supervisor")
    [hit_id] = await listed(http, supervisor)
    hit = await hit_of(http, supervisor, {"hit_id": hit_id})
    expect(await say(http, supervisor, hit, "not_same_person", "allow"), 201)
    now = await read(http, carrier, manifest)
    assert statuses(now) == ["board"]
    assert now["warnings"] == manifest["warnings"]


@BOTH
@pytest.mark.settings(manifest_checkpoint="SUB")
async def test_a_hit_at_a_closed_place_is_resolved_at_the_checkpoint_of_the_setting(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, sent: Way
) -> None:
    await change_place(http, actors, "/v1/checkpoints/DPS", active=False)
    manifest = await sent(http, carrier, await banned(http, actors), "DPS")
    assert places(manifest) == [("checkpoint_unknown", "/to")]
    assert len(await listed(http, await actors.client("supervisor", checkpoint="SUB"))) == 1
    assert await listed(http, await actors.client("supervisor", checkpoint="DPS")) == []


@BOTH
async def test_a_hit_of_a_checkpoint_s_own_manifest_stays_with_it(
    http: httpx2.AsyncClient, actors: Actors, desk: Caller, sent: Way
) -> None:
    manifest = await sent(http, desk, await banned(http, actors), "ZZZ")
    assert places(manifest) == [("checkpoint_unknown", "/to")]
    assert await listed(http, await actors.client("supervisor", checkpoint="DPS")) == [
        manifest["items"][0]["hit_id"]
    ]


@pytest.mark.parametrize("sent", [as_json, as_paxlst, as_declaration])
async def test_an_airport_s_locode_names_its_checkpoint(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, sent: Way
) -> None:
    manifest = await sent(http, carrier, await banned(http, actors), "IDDPS")
    assert (manifest["to"], manifest["warnings"]) == ("IDDPS", [])
    assert len(await listed(http, await actors.client("supervisor", checkpoint="DPS"))) == 1


async def test_who_leaves_from_an_unknown_place_is_warned_of_at_its_origin(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    body = entry_body()
    await impose(http, actors, body)
    leaving = manifest_body(passenger(body["subject"]), direction="exit", **{"from": "ZZZ"})
    manifest = await send(http, carrier, leaving)
    assert statuses(manifest) == ["board"]
    assert places(manifest) == [("checkpoint_unknown", "/from")]
    assert len(await listed(http, await actors.client("supervisor"))) == 1
