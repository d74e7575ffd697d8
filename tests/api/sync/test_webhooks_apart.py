"""Webhooks go on for all other endpoints where one can't be treated."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx2
import pytest
from sqlalchemy import Column, select

from app.access.domain import SYSTEM
from app.access.tables import client as client_table
from app.ledger.tables import record as record_table
from app.runtime import Runtime
from app.sync.webhooks import store, tables
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock
from tests.support.poison import errors, refusing, spoil
from tests.support.receivers import Receiver, receiving
from tests.support.steps import Json, expect, impose, sound
from tests.support.webhooks import LOOPBACK, Hand, deliveries, dispatching, subscribe

pytestmark = pytest.mark.settings(webhook_networks=LOOPBACK)

PART = "a part of a round of webhooks has failed"


@pytest.fixture
async def receivers() -> AsyncIterator[list[Receiver]]:
    async with receiving() as one, receiving() as other:
        yield [one, other]


@pytest.fixture
async def hand(runtime: Runtime) -> AsyncIterator[Hand]:
    async with dispatching(runtime) as opened:
        yield opened


@dataclass(frozen=True, slots=True)
class Party:
    """A client with an endpoint, and the receiver of what is sent there."""

    client: Caller
    receiver: Receiver
    endpoint: Json

    async def ask_for_test(self, http: httpx2.AsyncClient) -> str:
        """The id of a test delivery."""
        path = f"/v1/webhook-endpoints/{self.endpoint['id']}/test"
        asked = expect(await http.post(path, headers=self.client.headers), 202)
        return str(asked["id"])


@pytest.fixture
async def parties(http: httpx2.AsyncClient, actors: Actors, receivers: list[Receiver]) -> list[Party]:
    """Two endpoints of two clients; the first one is that which can't be treated."""
    made = []
    for receiver in receivers:
        client = await actors.client("integrator")
        made.append(Party(client, receiver, await subscribe(http, client, receiver)))
    return made


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (tables.endpoint.c.payload, "moon"),
        (tables.endpoint.c.events, "{"),
        (client_table.c.roles, "{"),
    ],
    ids=str,
)
async def test_an_endpoint_that_can_not_be_read_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    hand: Hand,
    parties: list[Party],
    caplog: pytest.LogCaptureFixture,
    column: Column[str],
    text: str,
) -> None:
    stuck, other = parties
    for each in parties:
        await each.ask_for_test(http)
    key, value = (
        (client_table.c.id, stuck.client.id)
        if column.table is client_table
        else (tables.endpoint.c.id, stuck.endpoint["id"])
    )
    async with runtime.reading(SYSTEM) as reader:
        kept = (await reader.run(select(column).where(key == value))).scalar_one()
    await spoil(runtime, key, value, **{column.name: text})
    await impose(http, actors)
    await hand.settle()
    assert stuck.receiver.types == []
    assert sorted(other.receiver.types) == ["endpoint.test", "entry.listed"]
    assert errors(caplog) == []
    await hand.dispatcher.care()
    unreadable = column.table is tables.endpoint
    assert errors(caplog) == ["an endpoint of webhooks can't be read"] * unreadable
    await spoil(runtime, key, value, **{column.name: kept})
    await hand.settle()
    assert sorted(stuck.receiver.types) == ["endpoint.test", "entry.listed"]


async def test_deliveries_that_can_not_be_made_keep_no_others_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    hand: Hand,
    parties: list[Party],
    caplog: pytest.LogCaptureFixture,
) -> None:
    stuck, other = parties
    await impose(http, actors)
    async with refusing(runtime, tables.delivery.c.endpoint_id, stuck.endpoint["id"]):
        await hand.dispatcher.round()
        assert errors(caplog) == [PART, "deliveries can't be made now"]
    await hand.settle()
    assert other.receiver.types == ["entry.listed"]
    assert stuck.receiver.types == ["entry.listed"]


async def test_a_result_that_can_not_be_stored_keeps_no_other_waiting_and_is_sent_again(
    http: httpx2.AsyncClient,
    runtime: Runtime,
    hand: Hand,
    clock: SettableClock,
    parties: list[Party],
    caplog: pytest.LogCaptureFixture,
) -> None:
    stuck, other = parties
    asked = [await each.ask_for_test(http) for each in parties]
    async with refusing(runtime, tables.attempt.c.delivery_id, asked[0]):
        await hand.settle()
    assert errors(caplog) == [PART]
    assert [vars(each)["item"] for each in caplog.records if each.message == PART] == asked[:1]
    states = [(await deliveries(http, each.client, each.endpoint))[0]["state"] for each in parties]
    assert states == ["due", "delivered"]
    clock.advance(seconds=31)
    await hand.settle()
    assert (len(stuck.receiver.taken), len(other.receiver.taken)) == (2, 1)
    [delivery] = await deliveries(http, stuck.client, stuck.endpoint)
    assert delivery["state"] == "delivered"


async def test_a_record_that_can_not_be_read_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    hand: Hand,
    receivers: list[Receiver],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for receiver, kind in zip(receivers, ("entry.provisional", "alert.raised"), strict=True):
        await subscribe(http, await actors.client("integrator"), receiver, events=[kind])
    await sound(http, await actors.client("submitter"))
    await spoil(runtime, record_table.c.type, "entry.provisional", leaf="{")
    await hand.settle()
    assert [receiver.types for receiver in receivers] == [[], ["alert.raised"]]
    assert set(errors(caplog)) == {"a delivery can't be rendered"}


async def test_a_deleted_endpoint_that_can_not_be_removed_keeps_no_other_waiting(
    runtime: Runtime, hand: Hand, parties: list[Party], caplog: pytest.LogCaptureFixture
) -> None:
    async with runtime.writing(SYSTEM) as unit:
        for each in parties:
            await store.hide_endpoint(unit, each.endpoint["id"])
    ids = sorted(each.endpoint["id"] for each in parties)
    async with refusing(runtime, tables.endpoint.c.id, ids[0]):
        await hand.dispatcher.care()
    assert errors(caplog) == ["a deleted endpoint can't be removed now"]
    async with runtime.reading(SYSTEM) as reader:
        assert await store.list_deleted(reader) == ids[:1]
    await hand.dispatcher.care()
    async with runtime.reading(SYSTEM) as reader:
        assert await store.list_deleted(reader) == []
