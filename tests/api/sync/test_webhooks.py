"""Webhooks over HTTP, with receivers on real ports (API section 7)."""

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.receivers import Receiver, Taken, receiving
from tests.support.steps import Json, decide, expect, impose, sound
from tests.support.webhooks import ALERTS, ENTRIES, LOOPBACK, Hand, deliveries, dispatching, subscribe

pytestmark = pytest.mark.settings(webhook_networks=LOOPBACK)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as opened:
        yield opened


@pytest.fixture
async def hand(runtime: Runtime) -> AsyncIterator[Hand]:
    async with dispatching(runtime) as opened:
        yield opened


@pytest.fixture
async def integrator(actors: Actors) -> Caller:
    return await actors.client("integrator")


def signed_by_key(taken: Taken, public_key: str) -> bool:
    """Whether a `v1a` signature of a request is by a key, as the specification describes it."""
    signed = b".".join(
        [taken.headers["webhook-id"].encode(), taken.headers["webhook-timestamp"].encode(), taken.body]
    )
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    for each in taken.headers["webhook-signature"].split(" "):
        name, _, data = each.partition(",")
        if name == "v1a":
            try:
                key.verify(base64.b64decode(data), signed)
            except InvalidSignature:
                continue
            return True
    return False


async def test_an_integrator_gets_thin_events_of_its_types_signed_in_order(
    http: httpx2.AsyncClient, actors: Actors, hand: Hand, receiver: Receiver, integrator: Caller
) -> None:
    endpoint = await subscribe(http, integrator, receiver, events=ENTRIES)
    entry = await impose(http, actors)
    raised = await sound(http, await actors.client("submitter"), urgent_body())
    await hand.settle()

    assert receiver.types == ["entry.listed", "entry.provisional"]
    first = receiver.taken[0]
    told = expect(await http.get("/v1/changes", headers=integrator.headers), 200)
    event = first.event
    record = told["items"][0]
    assert event["data"] == {
        "sequence": 1,
        "type": "entry.listed",
        "at": record["at"],
        "entry_id": entry["id"],
        "alert_id": None,
        "version": 3,
        "link": event["data"]["link"],
    }
    assert expect(await http.get(event["data"]["link"], headers=integrator.headers), 200)["items"] == [record]
    assert (event["specversion"], event["datacontenttype"]) == ("1.0", "application/json")
    assert (event["subject"], event["time"], event["sequence"]) == (
        entry["id"],
        record["at"],
        "000000000000001",
    )
    assert event["id"] == first.headers["webhook-id"]
    assert "." not in event["id"]
    assert entry["subject"]["full_name"] not in first.body.decode()
    assert raised["entry"]["id"] == receiver.taken[1].event["subject"]
    for taken in receiver.taken:
        assert signed_by_key(taken, endpoint["public_key"])


async def test_the_library_of_the_specification_verifies_what_is_sent(
    http: httpx2.AsyncClient, clock: SettableClock, hand: Hand, receiver: Receiver, integrator: Caller
) -> None:
    clock.set(datetime.now(UTC))
    endpoint = await subscribe(http, integrator, receiver)
    path = f"/v1/webhook-endpoints/{endpoint['id']}/test"
    asked = expect(await http.post(path, headers=integrator.headers), 202)
    await hand.settle()
    [taken] = receiver.taken
    assert Webhook(endpoint["secret"]).verify(taken.body, taken.headers) == taken.event
    assert taken.event["data"] == {"endpoint_id": endpoint["id"], "failing_since": None, "failures": None}
    assert (taken.event["id"], taken.event["sequence"]) == (asked["message_id"], None)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint["secret"]).verify(taken.body.replace(b"test", b"tess", 1), taken.headers)
