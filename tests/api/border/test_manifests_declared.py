"""Arrivals declared by port and day, without a flight: asked about and watched like the passengers of a journey."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.admins import change_place
from tests.support.bodies import Json, deterrence_body, urgent_deterrence_body
from tests.support.clock import SettableClock
from tests.support.manifests import PATH, changes, manifest_body, passenger, read, send, statuses, stranger
from tests.support.steps import decide, expect, impose, sound


def declaration(*passengers: Any, port: str = "DPS", arrives_on: str = "2026-11-24", **given: Any) -> Json:
    """Arrivals at Denpasar on the day after a test begins."""
    return {"port": port, "arrives_on": arrives_on, "passengers": list(passengers), **given}


async def refused(http: httpx2.AsyncClient, by: Caller, body: Json) -> list[tuple[str, str]]:
    problem = expect(await http.post(PATH, json=body, headers=by.headers), 422)
    return [(fault["pointer"], fault["code"]) for fault in problem["errors"]]


async def test_declared_arrivals_are_asked_about_as_entering(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    manifest = await send(
        http, carrier, declaration(stranger("a"), passenger(body["subject"], "b"), {"reference": "c"})
    )
    assert statuses(manifest) == ["board", "do_not_board", None]
    assert {
        name: manifest[name]
        for name in ("flight", "direction", "departs_at", "from", "to", "port", "arrives_on")
    } == {
        "flight": "",
        "direction": "entry",
        "departs_at": None,
        "from": "",
        "to": "DPS",
        "port": "DPS",
        "arrives_on": "2026-11-24",
    }
    assert await read(http, carrier, manifest) == manifest


async def test_a_journey_names_no_port_and_no_day(http: httpx2.AsyncClient, carrier: Caller) -> None:
    manifest = await send(http, carrier, manifest_body(stranger()))
    assert (manifest["port"], manifest["arrives_on"], manifest["flight"]) == (None, None, "GA880")


async def test_an_urgent_entry_finds_who_declared_their_arrival_before(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller, clock: SettableClock
) -> None:
    body = urgent_deterrence_body()
    unnumbered = passenger(body["subject"], "c", document=...)
    declared = declaration(
        stranger("a"), passenger(body["subject"], "b"), unnumbered, arrives_on="2026-12-01"
    )
    manifest = await send(http, carrier, declared)
    assert statuses(manifest) == ["board", "board", "board"]
    clock.advance(days=7)
    submitter = await actors.client("submitter", agency="IMIGRASI")
    entry = (await sound(http, submitter, {**body, "requested_at": clock().isoformat()}))["entry"]
    assert await worker.watch_manifests() == 2
    now = await read(http, carrier, manifest)
    assert statuses(now) == ["board", "contact", "contact"]
    assert (changes(now), now["items"][0]) == (2, manifest["items"][0])
    await decide(http, await actors.client("duty_officer"), entry, "countersign")
    assert await worker.watch_manifests() == 2
    assert statuses(await read(http, carrier, manifest)) == ["board", "do_not_board", "contact"]


@pytest.mark.parametrize(
    ("port", "begins"),
    [("CGK", "2026-11-23T17:00"), ("DPS", "2026-11-23T16:00"), ("SKOUW", "2026-11-23T15:00")],
)
async def test_the_watch_ends_72_hours_after_the_day_begins_at_the_port(
    http: httpx2.AsyncClient, worker: Worker, carrier: Caller, clock: SettableClock, port: str, begins: str
) -> None:
    manifest = await send(http, carrier, declaration(stranger(), port=port))
    ends = datetime.fromisoformat(begins).replace(tzinfo=UTC) + timedelta(hours=72)
    assert datetime.fromisoformat(manifest["watched_until"]) == ends
    clock.set(ends - timedelta(seconds=1))
    await worker.watch_manifests()
    assert (await read(http, carrier, manifest))["closed_at"] is None
    clock.set(ends)
    await worker.watch_manifests()
    assert (await read(http, carrier, manifest))["closed_at"] == manifest["watched_until"]


@pytest.mark.parametrize(
    ("now", "day", "faults"),
    [
        ("2026-11-23T15:59:59Z", "2026-11-22", []),  # 23:59:59 on the 23rd in Denpasar
        ("2026-11-23T16:00:00Z", "2026-11-22", [("/arrives_on", "past")]),
        ("2026-11-23T15:59:59Z", "2026-12-24", [("/arrives_on", "too_far")]),
        ("2026-11-23T16:00:00Z", "2026-12-24", []),
        ("2026-11-23T16:00:00Z", "9998-12-31", [("/arrives_on", "too_far")]),
        ("2026-11-23T16:00:00Z", "1900-01-01", [("/arrives_on", "past")]),
    ],
)
async def test_a_day_is_from_yesterday_to_thirty_days_ahead_at_the_port(
    http: httpx2.AsyncClient,
    carrier: Caller,
    clock: SettableClock,
    now: str,
    day: str,
    faults: list[tuple[str, str]],
) -> None:
    clock.set(now)
    body = declaration(stranger(), arrives_on=day)
    if faults:
        assert await refused(http, carrier, body) == faults
    else:
        assert (await send(http, carrier, body))["closed_at"] is None


@pytest.mark.settings(question_days=9)
async def test_no_arrival_is_watched_for_longer_than_its_question_is_kept(
    http: httpx2.AsyncClient, carrier: Caller
) -> None:
    manifest = await send(http, carrier, declaration(stranger(), arrives_on="2026-11-28"))
    assert manifest["watched_until"] < "2026-12-02T03:00:00Z"
    too_far = declaration(stranger(), arrives_on="2026-11-29")
    assert await refused(http, carrier, too_far) == [("/arrives_on", "too_far")]


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({"port": "NOWHERE"}, [("/port", "unknown")]),
        ({"arrives_on": "2026-11-31"}, [("/arrives_on", "day")]),
        ({"arrives_on": ...}, [("/arrives_on", "missing")]),
        ({"port": ...}, [("/port", "missing")]),
        ({"flight": "GA880"}, [("/flight", "unknown")]),
        ({"direction": "exit"}, [("/direction", "unknown")]),
        ({"passengers": ...}, [("/passengers", "missing")]),
    ],
)
async def test_faulty_declarations_are_refused(
    http: httpx2.AsyncClient, carrier: Caller, given: Json, faults: list[tuple[str, str]]
) -> None:
    body = {name: value for name, value in {**declaration(stranger()), **given}.items() if value is not ...}
    assert [pointer for pointer, _ in await refused(http, carrier, body)] == [
        pointer for pointer, _ in faults
    ]


async def test_nobody_arrives_at_a_port_that_is_not_active(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    await change_place(http, actors, "/v1/checkpoints/DPS", active=False)
    assert await refused(http, carrier, declaration(stranger())) == [("/port", "unknown")]


async def test_a_repeated_declaration_opens_no_second_hit(
    http: httpx2.AsyncClient, actors: Actors, desk: Caller, clock: SettableClock
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    first = await send(http, desk, declaration(passenger(body["subject"])))
    clock.advance(days=1)  # the day of sending does not count, the declared one does
    second = await send(http, desk, declaration(passenger(body["subject"])))
    assert first["items"][0]["hit_id"] == second["items"][0]["hit_id"] is not None
    other = await send(http, desk, declaration(passenger(body["subject"]), arrives_on="2026-11-25"))
    assert other["items"][0]["hit_id"] != first["items"][0]["hit_id"]
