"""The watch goes on for all other manifests where one can't be treated."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import select, update

from app.access.domain import SYSTEM
from app.border.checks.tables import check as check_table
from app.border.manifests import tables
from app.register.entries.tables import version as version_table
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, deterrence_body
from tests.support.clock import SettableClock
from tests.support.manifests import manifest_body, passenger, read, send, statuses
from tests.support.poison import errors, refusing, spoil
from tests.support.steps import impose

PASSENGER = "a passenger can't be checked again now"


@pytest.fixture
def bodies() -> list[Json]:
    """Two entry bans, of which none is imposed yet."""
    return [deterrence_body() for _ in range(2)]


@pytest.fixture
async def manifests(http: httpx2.AsyncClient, carrier: Caller, bodies: list[Json]) -> list[Json]:
    """A manifest for each ban, with its person alone."""
    return [await send(http, carrier, manifest_body(passenger(body["subject"]))) for body in bodies]


async def shown(http: httpx2.AsyncClient, by: Caller, manifests: list[Json]) -> list[str | None]:
    return [status for each in manifests for status in statuses(await read(http, by, each))]


async def test_a_manifest_that_can_not_be_read_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    carrier: Caller,
    bodies: list[Json],
    manifests: list[Json],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for body in bodies:
        await impose(http, actors, body)
    own = select(tables.item.c.document).where(tables.item.c.manifest_id == manifests[0]["id"])
    async with runtime.reading(SYSTEM) as reader:
        document = (await reader.run(own)).scalar_one()
    await spoil(runtime, tables.item.c.manifest_id, manifests[0]["id"], document="{")
    assert await worker.watch_manifests() == 1
    assert errors(caplog) == ["a manifest can't be read"]
    assert await shown(http, carrier, manifests[1:]) == ["do_not_board"]
    assert await worker.watch_manifests() == 0
    assert errors(caplog) == ["a manifest can't be read"] * 2
    await spoil(runtime, tables.item.c.manifest_id, manifests[0]["id"], document=document)
    assert await worker.watch_manifests() == 1
    assert await shown(http, carrier, manifests) == ["do_not_board"] * 2


async def test_answers_that_can_not_be_stored_keep_no_others_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    carrier: Caller,
    bodies: list[Json],
    manifests: list[Json],
    caplog: pytest.LogCaptureFixture,
) -> None:
    untouched = await send(http, carrier, manifest_body(passenger(deterrence_body()["subject"])))
    for body in bodies:
        await impose(http, actors, body)
    async with refusing(runtime, tables.item.c.manifest_id, manifests[0]["id"]):
        await worker.watch_manifests()
    assert errors(caplog) == ["new answers about a manifest can't be stored now"]
    assert await shown(http, carrier, manifests) == ["board", "do_not_board"]
    async with runtime.reading(SYSTEM) as reader:
        rows = await reader.run(select(tables.manifest.c.id, tables.manifest.c.sequence))
        reached = {row.id: row.sequence for row in rows}
    assert reached[manifests[0]["id"]] < reached[manifests[1]["id"]] == reached[untouched["id"]]
    assert await worker.watch_manifests() == 1
    assert await shown(http, carrier, manifests) == ["do_not_board"] * 2


async def test_a_changed_entry_that_can_not_be_read_keeps_no_other_from_the_watch(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    carrier: Caller,
    bodies: list[Json],
    manifests: list[Json],
    caplog: pytest.LogCaptureFixture,
) -> None:
    entries = [(await impose(http, actors, body))["id"] for body in bodies]
    await spoil(runtime, version_table.c.entry_id, entries[0], document="{")
    assert await worker.watch_manifests() == 1
    assert errors(caplog) == ["passengers can't be compared with an entry"]
    assert await shown(http, carrier, manifests) == ["board", "do_not_board"]


async def test_an_earlier_check_that_can_not_be_read_keeps_no_other_passenger_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    carrier: Caller,
    bodies: list[Json],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for body in bodies:
        await impose(http, actors, body)
    people = [passenger(body["subject"], str(number)) for number, body in enumerate(bodies)]
    manifests = [await send(http, carrier, manifest_body(each)) for each in people]
    async with runtime.writing_checks(SYSTEM) as unit:
        own: Any = check_table.c.question.like(f"%{bodies[0]['subject']['documents'][0]['number']}%")
        assert (await unit.run(update(check_table).where(own).values(matches="{"))).rowcount == 1
    for body in bodies:
        await impose(http, actors, deterrence_body(subject=body["subject"]))
    assert await worker.watch_manifests() == 1
    assert errors(caplog) == [PASSENGER]
    assert await shown(http, carrier, manifests) == ["do_not_board"] * 2


async def test_a_manifest_that_can_not_be_closed_or_deleted_keeps_no_other_waiting(
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    manifests: list[Json],
    caplog: pytest.LogCaptureFixture,
) -> None:
    stuck, other = (each["id"] for each in manifests)

    async def stored() -> dict[str, bool]:
        """The manifests, and whether they are closed."""
        async with runtime.reading(SYSTEM) as reader:
            rows = await reader.run(select(tables.manifest.c.id, tables.manifest.c.closed_at))
            return {row.id: row.closed_at is not None for row in rows}

    clock.advance(days=2)
    async with refusing(runtime, tables.manifest.c.id, stuck):
        await worker.watch_manifests()
    assert errors(caplog) == ["a manifest can't be closed now"]
    assert await stored() == {stuck: False, other: True}
    await worker.watch_manifests()
    clock.advance(days=100)
    caplog.clear()
    async with refusing(runtime, tables.manifest.c.id, stuck):
        await worker.tidy()
    assert errors(caplog) == ["a manifest can't be deleted now"]
    assert await stored() == {stuck: True}
    await worker.tidy()
    assert await stored() == {}
