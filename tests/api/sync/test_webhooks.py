"""Webhooks over HTTP, with receivers on real ports (API section 7)."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from jsonschema_rs import Draft202012Validator
from pydantic import TypeAdapter
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError

from app.access.domain import SYSTEM
from app.gauges import measure_webhooks
from app.runtime import Runtime
from app.schema import metadata
from app.settings import Settings
from app.sync.webhooks.schemas import RecordEventOut
from app.sync.webhooks.sending import Sender
from app.sync.webhooks.service import MOST_ENDPOINTS
from app.web.metrics import Metrics
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, urgent_body
from tests.support.certificates import CERTIFICATE, KEY
from tests.support.clock import SettableClock
from tests.support.receivers import Receiver, Taken, receiving
from tests.support.served import Served
from tests.support.steps import Json, approve, expect, impose, sound, submit
from tests.support.waiting import until
from tests.support.webhooks import ALERTS, ENTRIES, LOOPBACK, Hand, dispatching, subscribe

VALIDATOR = Draft202012Validator(TypeAdapter(RecordEventOut).json_schema(mode="serialization"))
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


async def change(http: httpx2.AsyncClient, by: Caller, endpoint: Json, **given: Any) -> httpx2.Response:
    """The answer to a change of an endpoint on its present version."""
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    tag = (await http.get(path, headers=by.headers)).headers["ETag"]
    kept = {name: endpoint[name] for name in ("url", "events", "payload", "networks", "ordered", "state")}
    return await http.put(path, json={**kept, **given}, headers=by.on(tag))


async def test_an_endpoint_is_its_clients_own_and_the_admins(
    http: httpx2.AsyncClient, actors: Actors, receiver: Receiver, integrator: Caller, auditor: Caller
) -> None:
    endpoint = await subscribe(http, integrator, receiver, description="A copy.", networks=["127.0.0.0/8"])
    assert endpoint["client_id"] == integrator.id
    assert endpoint["secret"].startswith("whsec_")
    assert endpoint["public_key"].startswith("whpk_")
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    shown = {name: value for name, value in endpoint.items() if name != "secret"}
    other, admin = await actors.client("integrator"), await actors.client("admin")
    for by in (integrator, admin, auditor):
        assert expect(await http.get(path, headers=by.headers), 200) == shown
        assert expect(await http.get("/v1/webhook-endpoints", headers=by.headers), 200)["items"] == [shown]
    assert expect(await http.get("/v1/webhook-endpoints", headers=other.headers), 200)["items"] == []
    expect(await http.get(path, headers=other.headers), 404)
    expect(await http.get(f"{path}/deliveries", headers=other.headers), 404)
    for call in ("test", "rotate-secret"):
        expect(await http.post(f"{path}/{call}", headers=other.headers), 404)
    expect(
        await http.post(f"{path}/replay", json={"after": "2026-11-23T00:00:00Z"}, headers=other.headers), 404
    )
    body = {"url": receiver.url, "events": ENTRIES}
    expect(await http.put(path, json=body, headers=other.on('"1"')), 404)
    expect(await http.delete(path, headers=other.headers), 404)
    expect(await http.post(f"{path}/test", headers=auditor.headers), 403)
    for role in ("submitter", "approver", "supervisor", "carrier"):
        officer = await actors.client(role)
        expect(await http.post("/v1/webhook-endpoints", json=body, headers=officer.headers), 403)

    asked = expect(await http.post(f"{path}/test", headers=admin.headers), 202)
    expect(await http.post(f"/v1/deliveries/{asked['id']}/retry", headers=other.headers), 404)
    assert (await http.delete(path, headers=integrator.headers)).status_code == 204
    expect(await http.get(path, headers=integrator.headers), 404)
    acts = expect(await http.get("/v1/audit", params={"about": endpoint["id"]}, headers=auditor.headers), 200)
    assert {each["act"] for each in acts["items"]} == {"webhook.deleted", "webhook.created"}


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"url": "https://10.0.0.1/"}, "/url"),
        ({"url": "https://169.254.169.254/latest"}, "/url"),
        ({"url": "http://8.8.8.8/"}, "/url"),
        ({"url": "http://no-such-name.invalid/"}, "/url"),
        ({"url": "https://2130706433/"}, "/url"),
        ({"url": "https://u:p@example.org/"}, "/url"),
        ({"url": "https://127.0.0.1/", "networks": ["10.0.0.0/8"]}, "/url"),
        ({"events": []}, "/events"),
        ({"events": ["entry.listed", "entry.listed"]}, "/events"),
        ({"events": ["endpoint.test"]}, "/events/0"),
        ({"networks": ["10.0.0.0/33"]}, "/networks/0"),
        ({"client_id": "cli_nobody"}, "/client_id"),
        ({"secret": "whsec_"}, "/secret"),
    ],
)
async def test_what_an_endpoint_may_not_be(
    http: httpx2.AsyncClient, receiver: Receiver, integrator: Caller, given: Json, pointer: str
) -> None:
    body = {"url": receiver.url, "events": ENTRIES, **given}
    problem = expect(await http.post("/v1/webhook-endpoints", json=body, headers=integrator.headers), 422)
    assert [each["pointer"] for each in problem["errors"]] == [pointer]


async def test_only_an_admin_names_another_client_which_reads_the_ledger_or_alerts(
    http: httpx2.AsyncClient, actors: Actors, receiver: Receiver, integrator: Caller, counter: Caller
) -> None:
    admin, owner = await actors.client("admin"), await actors.client("submitter")
    endpoint = await subscribe(http, admin, receiver, client_id=integrator.id)
    assert (endpoint["client_id"], endpoint["created_by"]) == (integrator.id, admin.id)
    expect(await http.get(f"/v1/webhook-endpoints/{endpoint['id']}", headers=integrator.headers), 200)
    body = {"url": receiver.url, "events": ALERTS, "client_id": integrator.id}
    expect(await http.post("/v1/webhook-endpoints", json=body, headers=counter.headers), 422)
    body["client_id"] = owner.id
    expect(await http.post("/v1/webhook-endpoints", json=body, headers=admin.headers), 422)
    body = {"url": receiver.url, "events": [*ALERTS, "entry.listed"]}
    problem = expect(await http.post("/v1/webhook-endpoints", json=body, headers=counter.headers), 422)
    assert [each["pointer"] for each in problem["errors"]] == ["/events/3"]


async def test_a_change_needs_the_version_that_was_read(
    http: httpx2.AsyncClient, receiver: Receiver, integrator: Caller
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    path, body = f"/v1/webhook-endpoints/{endpoint['id']}", {"url": receiver.url, "events": ["seal"]}
    expect(await http.put(path, json=body, headers=integrator.headers), 428)
    changed = expect(await change(http, integrator, endpoint, events=["seal"], ordered=True), 200)
    assert (changed["events"], changed["ordered"], changed["state"]) == (["seal"], True, "active")
    expect(await http.put(path, json=body, headers=integrator.on('"1"')), 412)
    unchanged = await http.get(path, headers=integrator.headers)
    again = {**integrator.headers, "If-None-Match": unchanged.headers["ETag"]}
    assert (await http.get(path, headers=again)).status_code == 304


async def test_a_secret_is_shown_once_and_no_backup_of_the_database_has_it(
    http: httpx2.AsyncClient, runtime: Runtime, receiver: Receiver, integrator: Caller
) -> None:
    body = {"url": receiver.url, "events": ENTRIES}
    first = expect(await http.post("/v1/webhook-endpoints", json=body, headers=integrator.once("same")), 201)
    expect(await http.post("/v1/webhook-endpoints", json=body, headers=integrator.once("same")), 409)
    assert len(expect(await http.get("/v1/webhook-endpoints", headers=integrator.headers), 200)["items"]) == 1
    shared = base64.b64decode(first["secret"].removeprefix("whsec_"))
    async with runtime.reading(SYSTEM) as reader:
        for table in metadata.sorted_tables:
            for row in await reader.run(select(table)):
                for value in row:
                    raw = value if isinstance(value, bytes) else str(value).encode()
                    assert shared not in raw
                    assert first["secret"].encode() not in raw


async def test_after_a_rotation_both_secrets_sign_until_the_overlap_is_over(
    http: httpx2.AsyncClient, clock: SettableClock, hand: Hand, receiver: Receiver, integrator: Caller
) -> None:
    clock.set(datetime.now(UTC))
    endpoint = await subscribe(http, integrator, receiver)
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    rotated = expect(
        await http.post(f"{path}/rotate-secret", json={"overlap_hours": 1}, headers=integrator.headers), 201
    )
    assert rotated["secret"] != endpoint["secret"]
    assert rotated["overlap_until"] is not None
    await http.post(f"{path}/test", headers=integrator.headers)
    await hand.settle()
    during = receiver.taken[-1]
    for each in (endpoint, rotated):
        Webhook(each["secret"]).verify(during.body, during.headers)
        assert signed_by_key(during, each["public_key"])

    clock.advance(hours=1)
    await http.post(f"{path}/test", headers=integrator.headers)
    await hand.settle()
    after = receiver.taken[-1]
    assert signed_by_key(after, rotated["public_key"])
    assert not signed_by_key(after, endpoint["public_key"])
    assert after.headers["webhook-signature"].count("v1,") == 1

    at_once = expect(
        await http.post(f"{path}/rotate-secret", json={"overlap_hours": 0}, headers=integrator.headers), 201
    )
    assert at_once["overlap_until"] is None
    await http.post(f"{path}/test", headers=integrator.headers)
    await hand.settle()
    assert not signed_by_key(receiver.taken[-1], rotated["public_key"])


async def test_a_replay_sends_the_records_of_a_span_once_more_with_the_same_ids(
    http: httpx2.AsyncClient,
    actors: Actors,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    integrator: Caller,
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    path = f"/v1/webhook-endpoints/{endpoint['id']}/replay"
    for _ in range(4):
        await impose(http, actors)
        clock.advance(minutes=1)
    await hand.settle()
    ids = [each.headers["webhook-id"] for each in receiver.taken]
    assert len(ids) == 4
    told = expect(await http.get("/v1/changes", headers=integrator.headers), 200)
    epoch = told["cursor"].rpartition(".")[0]

    for span, expected in (
        ({"after": f"{epoch}.1", "before": f"{epoch}.3"}, ids[1:3]),
        ({"after": told["items"][1]["at"], "before": told["items"][3]["at"]}, ids[1:3]),
        ({"after": f"{epoch}.2"}, ids[2:]),
        ({"after": f"{epoch}.4"}, []),
        ({"after": "2020-01-01T00:00:00+07:00"}, ids),
    ):
        receiver.taken.clear()
        expect(await http.post(path, json=span, headers=integrator.headers), 202)
        await hand.settle()
        assert [each.headers["webhook-id"] for each in receiver.taken] == expected
    assert (
        await http.post(path, json={"after": f"{epoch}.9"}, headers=integrator.headers)
    ).status_code == 410
    backwards = {"after": f"{epoch}.3", "before": f"{epoch}.1"}
    for wrong in (backwards, {"after": "yesterday"}, {}):
        expect(await http.post(path, json=wrong, headers=integrator.headers), 422)
    expect(await http.post(path, json={"after": f"{epoch}.0"}, headers=integrator.headers), 202)
    expect(await http.post(path, json={"after": f"{epoch}.0"}, headers=integrator.headers), 409)


@pytest.fixture
def tls() -> ssl.SSLContext:
    """The TLS context of the receiver `secure`."""
    return ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)


@pytest.fixture
async def secure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tls: ssl.SSLContext
) -> AsyncIterator[Receiver]:
    """A receiver with TLS, whose certificate is trusted."""
    files = tmp_path / "certificate.pem", tmp_path / "key.pem"
    files[0].write_text(CERTIFICATE)
    files[1].write_text(KEY)
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    tls.load_cert_chain(*files)
    async with receiving(ssl=tls) as opened:
        opened.url = opened.url.replace("127.0.0.1", "localhost")
        yield opened


async def test_receivers_see_the_certificate_of_the_deployment(
    secure: Receiver, tls: ssl.SSLContext, tmp_path: Path, settings: Settings
) -> None:
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(tmp_path / "certificate.pem")
    networks = {"webhook_networks": (*settings.webhook_networks, ip_network("::1/128"))}
    files = {
        "webhook_client_certificate": tmp_path / "certificate.pem",
        "webhook_client_key": tmp_path / "key.pem",
    }
    outcomes = []
    for given in (networks, {**networks, **files}):
        sender = Sender(settings.model_copy(update=given))
        outcomes.append(await sender.post(secure.url, (), {}, b"{}", 5))
        await sender.close()
    assert [each.status for each in outcomes] == [None, 204], "without one the receiver refuses"
    assert len(secure.taken) == 1


async def test_a_client_has_twenty_endpoints_at_most_also_when_it_makes_them_at_once(
    http: httpx2.AsyncClient, receiver: Receiver, integrator: Caller
) -> None:
    body = {"url": receiver.url, "events": ENTRIES}

    async def make() -> httpx2.Response:
        return await http.post("/v1/webhook-endpoints", json=body, headers=integrator.headers)

    for _ in range(MOST_ENDPOINTS - 2):
        expect(await make(), 201)
    answers = await asyncio.gather(*(make() for _ in range(6)))
    assert sorted(each.status_code for each in answers) == [201, 201, 409, 409, 409, 409]


FULL = pytest.mark.settings(webhook_networks=("127.0.0.0/8", "::1/128"), webhook_full_hosts={"localhost"})


@FULL
async def test_a_full_payload_is_an_admins_to_set_over_tls_to_a_host_that_the_deployment_names(
    http: httpx2.AsyncClient,
    actors: Actors,
    hand: Hand,
    receiver: Receiver,
    secure: Receiver,
    integrator: Caller,
) -> None:
    admin = await actors.client("admin")
    body = {"url": secure.url, "events": ENTRIES, "payload": "full", "client_id": integrator.id}
    expect(await http.post("/v1/webhook-endpoints", json=body, headers=integrator.headers), 403)
    for url in (
        receiver.url,
        secure.url.replace("https", "http"),
        secure.url.replace("localhost", "127.0.0.1"),
    ):
        wrong = {**body, "url": url}
        problem = expect(await http.post("/v1/webhook-endpoints", json=wrong, headers=admin.headers), 422)
        assert [each["pointer"] for each in problem["errors"]] == ["/payload"]
    endpoint = await subscribe(http, admin, secure, payload="full", client_id=integrator.id)
    expect(await change(http, integrator, endpoint, url=secure.url + "2"), 403)
    thin = await subscribe(http, integrator, receiver)
    expect(await change(http, integrator, thin, payload="full"), 403)

    entry = await impose(http, actors)
    await hand.settle()
    [taken] = secure.taken
    told = expect(await http.get("/v1/changes", headers=integrator.headers), 200)
    assert taken.event["data"] == told["items"][0], "one schema for feed and webhooks"
    assert taken.event["data"]["personal"]["subject"]["full_name"] == entry["subject"]["full_name"]
    VALIDATOR.validate(taken.event)
    VALIDATOR.validate(receiver.taken[0].event)


@FULL
async def test_a_receiver_gets_what_its_client_may_see_at_the_time_of_sending(
    http: httpx2.AsyncClient,
    actors: Actors,
    clock: SettableClock,
    hand: Hand,
    secure: Receiver,
    integrator: Caller,
) -> None:
    admin, owner = await actors.client("admin"), await actors.client("submitter")
    endpoint = await subscribe(http, admin, secure, payload="full", client_id=integrator.id)
    await impose(http, actors, deterrence_body())
    secure.status = 500
    entry = await approve(http, actors, await submit(http, owner))
    await hand.settle()
    foreign, own = (each.event["data"] for each in secure.taken)
    assert (foreign["personal"], foreign["salt"], foreign["withheld"]) == (None, None, "scope")
    assert own["personal"]["subject"]["full_name"] == entry["subject"]["full_name"]

    path = f"/v1/entries/{entry['id']}"
    shown = await http.get(path, headers=owner.headers)
    named = {"persons": [owner.person, (await actors.client("approver")).person]}
    sealed = await http.put(f"{path}/seal", json=named, headers=owner.on(shown.headers["ETag"]))
    assert sealed.status_code == 200, sealed.text
    secure.status = 204
    secure.taken.clear()
    clock.advance(seconds=10)
    await hand.settle()
    told = expect(await http.get("/v1/changes", headers=integrator.headers), 200)
    expect(
        await http.post(
            f"/v1/webhook-endpoints/{endpoint['id']}/replay",
            json={"after": told["cursor"].rpartition(".")[0] + ".1"},
            headers=integrator.headers,
        ),
        202,
    )
    await hand.settle()
    about = [each.event["data"] for each in secure.taken if each.event["subject"] == entry["id"]]
    assert len(about) >= 2, "a retry and a replay"
    assert not [each for each in about if each["personal"] or each["salt"]]
    assert not [each for each in secure.taken if entry["subject"]["full_name"] in each.body.decode()]


@FULL
async def test_a_checkpoint_gets_an_alert_as_it_reads_it_and_its_receipt_is_stored(
    http: httpx2.AsyncClient, actors: Actors, hand: Hand, secure: Receiver, counter: Caller
) -> None:
    admin, duty = await actors.client("admin"), await actors.client("duty_officer")
    endpoint = await subscribe(http, admin, secure, payload="full", client_id=counter.id, events=ALERTS)
    raised = await sound(http, await actors.client("submitter"), urgent_body())
    coverage = f"/v1/alerts/{raised['alert']['id']}/coverage"
    assert expect(await http.get(coverage, headers=duty.headers), 200)["received"] == 0
    await hand.settle()
    covered = expect(await http.get(coverage, headers=duty.headers), 200)
    assert (covered["received"], covered["connected"]) == (1, 0)
    assert [each["code"] for each in covered["checkpoints"] if each["received_at"]] == ["CGK"]
    await hand.dispatcher.care()
    assert expect(await http.get(coverage, headers=duty.headers), 200)["connected"] == 1

    [taken] = secure.taken
    reader = await actors.client("checkpoint", checkpoint="DPS")
    [alert] = expect(await http.get("/v1/alerts", headers=reader.headers), 200)["items"]
    data = taken.event["data"]
    assert data["personal"] == {
        name: value for name, value in alert.items() if name not in {"id", "sequence", "previous_sequence"}
    }
    assert (data["salt"], data["withheld"], taken.event["subject"]) == (None, None, alert["id"])
    VALIDATOR.validate(taken.event)

    secure.status = 500
    path = f"/v1/webhook-endpoints/{endpoint['id']}/test"
    expect(await http.post(path, headers=counter.headers), 202)
    await hand.settle()
    await hand.dispatcher.care()
    assert expect(await http.get(coverage, headers=duty.headers), 200)["connected"] == 1, "that is DPS"


@FULL
async def test_a_gate_of_immigration_gets_a_full_alert_as_a_gate_reads_it(
    http: httpx2.AsyncClient, actors: Actors, hand: Hand, secure: Receiver
) -> None:
    gate = await actors.client("checkpoint", kind="autogate", agency="IMIGRASI")
    await subscribe(
        http, await actors.client("admin"), secure, payload="full", client_id=gate.id, events=ALERTS
    )
    await sound(http, await actors.client("submitter"), urgent_body())
    await hand.settle()
    [taken] = secure.taken
    [alert] = expect(await http.get("/v1/alerts", headers=gate.headers), 200)["items"]
    numbers = {"id", "sequence", "previous_sequence"}
    data = taken.event["data"]
    assert data["personal"] == {name: value for name, value in alert.items() if name not in numbers}
    assert data["salt"] is None


@FULL
async def test_an_admin_of_immigration_gets_no_personal_part(
    http: httpx2.AsyncClient, actors: Actors, hand: Hand, secure: Receiver
) -> None:
    admin = await actors.client("admin", agency="IMIGRASI")
    await subscribe(http, admin, secure, payload="full")
    await impose(http, actors)
    await hand.settle()
    assert [each.event["data"]["withheld"] for each in secure.taken] == ["scope"]


async def test_a_gate_gets_no_more_than_a_gate_reads(
    http: httpx2.AsyncClient, actors: Actors, hand: Hand, receiver: Receiver
) -> None:
    gate = await actors.client("checkpoint", kind="autogate")
    await subscribe(http, gate, receiver, events=ALERTS)
    raised = await sound(http, await actors.client("submitter"), urgent_body())
    await hand.settle()
    [taken] = receiver.taken
    assert raised["entry"]["subject"]["full_name"] not in taken.body.decode()
    link = taken.event["data"]["link"]
    [alert] = expect(await http.get(link, headers=gate.headers), 200)["items"]
    assert alert["id"] == taken.event["data"]["alert_id"]


async def test_a_quiet_endpoint_of_a_checkpoint_is_tried_every_five_minutes(
    http: httpx2.AsyncClient,
    clock: SettableClock,
    hand: Hand,
    receiver: Receiver,
    counter: Caller,
    integrator: Caller,
) -> None:
    await subscribe(http, counter, receiver, events=ALERTS)
    await subscribe(http, integrator, receiver)
    for minutes, expected in ((0, 1), (4, 1), (1, 2), (5, 3)):
        clock.advance(minutes=minutes)
        await hand.dispatcher.care()
        await hand.settle()
        assert receiver.types == ["endpoint.test"] * expected


async def test_a_revoked_client_gets_nothing(
    http: httpx2.AsyncClient, actors: Actors, hand: Hand, receiver: Receiver, integrator: Caller
) -> None:
    await subscribe(http, integrator, receiver)
    admin = await actors.client("admin")
    await http.delete(f"/v1/clients/{integrator.id}", headers=admin.headers)
    await impose(http, actors)
    await hand.settle()
    assert receiver.taken == []


async def test_old_deliveries_are_forgotten_and_the_metrics_show_the_queue(
    http: httpx2.AsyncClient, clock: SettableClock, hand: Hand, receiver: Receiver, integrator: Caller
) -> None:
    endpoint = await subscribe(http, integrator, receiver)
    path = f"/v1/webhook-endpoints/{endpoint['id']}"
    await http.post(f"{path}/test", headers=integrator.headers)
    await hand.settle()
    receiver.status = 500
    for _ in range(6):
        await http.post(f"{path}/test", headers=integrator.headers)
    await hand.settle()
    clock.advance(seconds=40)
    await hand.dispatcher.care()
    metrics = Metrics()
    measure_webhooks(metrics, hand.dispatcher)
    lines = dict(
        line.rsplit(" ", 1) for line in metrics.exposition()[0].decode().splitlines() if line[0] != "#"
    )
    assert lines['cekal_webhook_deliveries_total{outcome="delivered"}'] == "1.0"
    assert lines['cekal_webhook_deliveries_total{outcome="failed"}'] == "5.0"
    assert lines['cekal_webhook_due{priority="ordinary"}'] == "6.0"
    assert lines["cekal_webhook_oldest_due_seconds"] == "40.0"
    assert lines["cekal_webhook_breakers_open"] == "1.0"

    clock.advance(days=30)
    await hand.dispatcher.care()
    page = expect(await http.get(f"{path}/deliveries", headers=integrator.headers), 200)
    assert [each["state"] for each in page["items"]] == ["due"] * 6


async def test_a_served_register_posts_an_alert_by_itself(
    served: Served, actors: Actors, receiver: Receiver, counter: Caller
) -> None:
    await subscribe(served.http, counter, receiver, events=ALERTS)
    raised = await sound(served.http, await actors.client("submitter"), urgent_body())
    await until(lambda: "alert.raised" in receiver.types)
    coverage = f"/v1/alerts/{raised['alert']['id']}/coverage"
    duty = await actors.client("duty_officer")
    async with asyncio.timeout(10):
        while expect(await served.http.get(coverage, headers=duty.headers), 200)["received"] == 0:  # noqa: ASYNC110 - stored by another process
            await asyncio.sleep(0.05)
