"""PostgreSQL's present processes are stopped while new connections work: nothing that lives rests on memory."""

import asyncio

import httpx2
import pytest

from app.access.clients.revocations import revoke_key
from app.access.domain import SYSTEM
from app.alerting.alerts import tail
from app.main import create_app
from app.settings import Settings
from app.wiring import wired_runtime
from tests.support.actors import Actors, Caller
from tests.support.backends import stopped
from tests.support.bodies import urgent_body
from tests.support.clock import SettableClock
from tests.support.served import Served, client_for, serving
from tests.support.sse import listening
from tests.support.steps import Json, expect, sound
from tests.support.wire import wire

pytestmark = [
    pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True),
    pytest.mark.settings(
        stale_seconds=1.0,
        heartbeat_seconds=0.5,
        database_seconds=4.0,
        answer_seconds=3.0,
        acknowledge_seconds=60,
    ),
]

SOON = 30.0
"""Seconds within which what takes a few has certainly happened."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "_TICK_SECONDS", 0.1)
    monkeypatch.setattr(tail, "_RETRY_SECONDS", 0.1)


async def raised(http: httpx2.AsyncClient, by: Caller) -> Json:
    """An urgent entry, repeated with the same key until it is answered by something else than 503 and 409."""
    once, body = by.once("one"), urgent_body()
    async with asyncio.timeout(SOON):
        while True:
            answer = await http.post("/v1/urgent-entries", json=body, headers=once)
            if answer.status_code not in {503, 409}:
                return expect(answer, 201)
            await asyncio.sleep(0.1)


async def test_an_alert_reaches_the_streams_and_a_revoked_key_ends_its_own(
    served: Served, settings: Settings, actors: Actors, counter: Caller
) -> None:
    owner, other = await actors.client("submitter"), await actors.client("checkpoint", checkpoint="DPS")
    async with (
        listening(served.http, counter.headers) as stream,
        listening(served.http, other.headers) as closing,
    ):
        await stream.next("heartbeat")
        await sound(served.http, owner)  # connections of every part are open now
        await stream.next("alert")
        async with stopped(settings.url) as pids:
            assert len(pids) > 2
            entry = await raised(served.http, owner)
            assert (await stream.next("alert", within=SOON)).json["id"] == entry["alert"]["id"]
            elsewhere = wired_runtime(settings)
            async with elsewhere.writing(SYSTEM) as unit:
                await revoke_key(unit, other.id, other.key_id)
            await elsewhere.close()
            await closing.rest(within=SOON)
            async with asyncio.timeout(SOON):
                while (await stream.next("heartbeat")).json["degraded"]:
                    pass


async def test_what_a_process_has_not_read_it_does_not_pretend_to_know(
    settings: Settings, clock: SettableClock, actors: Actors, counter: Caller
) -> None:
    short = await actors.client("checkpoint", checkpoint="DPS")
    with wire(settings.url) as line:
        app = create_app(settings.model_copy(update={"database_url": line.address}), clock)
        with serving(app) as url:
            async with (
                client_for(url) as http,
                listening(http, counter.headers) as stream,
                listening(http, short.headers) as ending,
            ):
                assert (await stream.next("heartbeat")).json["degraded"] is False
                line.freeze()
                async with asyncio.timeout(SOON):
                    while not (await stream.next("heartbeat")).json["degraded"]:
                        pass
                expect(await http.get("/readyz"), 503)
                measured = app.state.process.metrics.exposition()[0].decode()
                age = measured.partition("\ncekal_tail_age_seconds ")[2].partition("\n")[0]
                assert float(age) > settings.stale_seconds
                clock.advance(days=settings.key_lifetime_days + 1)  # the process knows when a key ends
                await ending.rest(within=SOON)
                await stream.rest(within=SOON)
                line.mend()


async def test_what_officers_missed_meanwhile_they_are_told_once_it_is_back(
    served: Served, settings: Settings, actors: Actors, counter: Caller, clock: SettableClock
) -> None:
    owner, duty = await actors.client("submitter"), await actors.client("duty_officer")
    async with listening(served.http, counter.headers) as stream:
        await sound(served.http, owner)
        alert = (await stream.next("alert")).json
        before = expect(await served.http.get("/v1/notices", headers=duty.headers), 200)["items"]
        async with stopped(settings.url):
            clock.advance(seconds=61)  # and nobody has acknowledged it
            await asyncio.sleep(6)
        async with asyncio.timeout(SOON):
            while True:
                answer = await served.http.get("/v1/notices", headers=duty.headers)
                if answer.is_success and len(answer.json()["items"]) > len(before):
                    break
                await asyncio.sleep(0.2)
        (told,) = answer.json()["items"][len(before) :]
        assert told["alert_id"] == alert["id"], told
