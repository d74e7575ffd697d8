"""How long alerts take to be received, by channel; and what made a process read them."""

import asyncio

import httpx2
import pytest
from fastapi import FastAPI

from app.access.domain import SYSTEM
from app.alerting.alerts import wakeups
from app.alerting.alerts.service import drill
from app.alerting.alerts.wakeups import Cause
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock
from tests.support.served import Served
from tests.support.sse import listening
from tests.support.steps import expect, sound
from tests.support.waiting import until


def received(app: FastAPI) -> dict[str, tuple[float, float]]:
    """How many receipts were measured, and the sum of their seconds, by channel; only channels that have any."""
    sample = app.state.process.metrics.registry.get_sample_value
    found = {}
    for channel in ("stream", "poll", "elsewhere"):
        count, total = (
            sample(f"cekal_alert_received_seconds_{part}", {"channel": channel}) for part in ("count", "sum")
        )
        if count:
            found[channel] = (count, total)
    return found


async def confirm(http: httpx2.AsyncClient, by: Caller, alert_id: str, level: str = "received") -> int:
    answer = await http.post(f"/v1/alerts/{alert_id}/receipts", json={"level": level}, headers=by.headers)
    return answer.status_code


async def test_a_receipt_is_measured_once_by_the_channel_of_its_key(
    served: Served, actors: Actors, clock: SettableClock
) -> None:
    http, app = served.http, served.app
    streaming, polling, away = [
        await actors.client("checkpoint", checkpoint=code) for code in ("CGK", "DPS", "SUB")
    ]
    expect(await http.get("/v1/alerts", headers=polling.headers), 200)
    async with listening(http, streaming.headers) as stream:
        await stream.next("heartbeat")
        raised = (await sound(http, await actors.client("submitter")))["alert"]["id"]
        await stream.next("alert")
        assert received(app) == {}
        for caller, seconds in ((streaming, 0.5), (polling, 2), (away, 40)):
            clock.advance(seconds=seconds)
            assert await confirm(http, caller, raised) == 201
        expected = {"stream": (1, 0.5), "poll": (1, 2.5), "elsewhere": (1, 42.5)}
        assert received(app) == expected
        assert await confirm(http, streaming, raised) == 200
        assert await confirm(http, streaming, raised, "acknowledged") == 201
        assert received(app) == expected, "a repeat, and a person's acknowledgement, are not an arrival"


async def test_the_channel_of_a_key_is_the_one_it_used_last(served: Served, actors: Actors) -> None:
    http, counter = served.http, await actors.client("checkpoint")
    async with listening(http, counter.headers) as stream:
        await stream.next("heartbeat")
    expect(await http.get("/v1/alerts", headers=counter.headers), 200)
    raised = (await sound(http, await actors.client("submitter")))["alert"]["id"]
    assert await confirm(http, counter, raised) == 201
    assert received(served.app).keys() == {"poll"}


async def written_elsewhere(app: FastAPI, runtime: Runtime) -> dict[Cause, int]:
    """How often each cause has made the application read news, after another process has written a record."""
    tail = app.state.process.tail
    await until(lambda: tail.wakeups.listening or runtime.register.is_sqlite)
    await asyncio.sleep(0.3)  # the beginning of the listening wakes it too
    before = dict(tail.wakeups.found)
    async with runtime.writing(SYSTEM) as unit:
        await drill(unit, "Exercise.", None, runtime.settings, ())
    await until(lambda: tail.wakeups.found != before)
    return {cause: number - before[cause] for cause, number in tail.wakeups.found.items()}


@pytest.mark.settings(poll_seconds=5)
@pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
async def test_records_of_other_processes_are_found_by_notification(served: Served, runtime: Runtime) -> None:
    found = await written_elsewhere(served.app, runtime)
    assert found == {Cause.COMMIT: 0, Cause.NOTIFICATION: 1, Cause.POLL: 0}


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that listens where nobody notifies."""
    monkeypatch.setattr(wakeups, "CHANNEL", "somewhere_else")


@pytest.mark.usefixtures("deaf")
async def test_where_no_notification_arrives_polls_find_the_records_of_others(
    served: Served, runtime: Runtime
) -> None:
    found = await written_elsewhere(served.app, runtime)
    assert found == {Cause.COMMIT: 0, Cause.NOTIFICATION: 0, Cause.POLL: 1}


@pytest.mark.settings(poll_seconds=5)
async def test_records_of_its_own_are_found_by_the_commit(served: Served, actors: Actors) -> None:
    found = served.app.state.process.tail.wakeups.found
    before = found[Cause.COMMIT]
    await sound(served.http, await actors.client("submitter"))
    await until(lambda: found[Cause.COMMIT] > before or found[Cause.NOTIFICATION] > 0)
    assert found[Cause.POLL] == 0
