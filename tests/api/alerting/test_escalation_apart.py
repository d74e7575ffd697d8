"""Escalation goes on for all other checkpoints and alerts where one can't be treated."""

from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.alerting.alerts.tables import alert as alert_table
from app.alerting.escalation import tables
from app.alerting.escalation.domain import PageState
from app.alerting.hours.tables import hours as hours_table
from app.runtime import Runtime
from app.settings import Settings
from app.worker import Worker
from tests.api.alerting.test_escalation import contact, hours, levels, pages, set_policy
from tests.support.actors import Actors
from tests.support.clock import SettableClock
from tests.support.pagers import Inbox
from tests.support.poison import errors, refusing, spoil
from tests.support.receivers import receiving
from tests.support.steps import Json, expect, sound

CODES = ("CGK", "DPS")
STEP = "a step of escalation can't be taken now"


@pytest.fixture
def settings(settings: Settings, inbox: Inbox) -> Settings:
    """A deployment whose paging command fills the inbox."""
    return settings.model_copy(update={"page_command": str(inbox.command)})


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


@pytest.fixture(params=["alone in its batch", "beside others"])
def _place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the item stands that fails: alone, so that it fills its batch, or among others that can be done."""
    if request.param == "alone in its batch":
        monkeypatch.setattr("app.alerting.escalation.rounds._BATCH_SIZE", 1)


@pytest.fixture
async def alert(http: httpx2.AsyncClient, actors: Actors) -> Json:
    """An alert that no checkpoint answers; two of them page each somebody by the command, and then duty officers."""
    admin = await actors.client("admin")
    for number, code in enumerate(CODES):
        await actors.client("checkpoint", checkpoint=code)
        steps = [
            {"level": "checkpoint", "contacts": [contact(f"+6281{number}")]},
            {"level": "region", "contacts": [{"channel": "notice"}]},
        ]
        await set_policy(http, admin, code, steps)
    raised: Json = (await sound(http, await actors.client("submitter")))["alert"]
    return raised


async def chase(worker: Worker, clock: SettableClock, seconds: float) -> int:
    """One round of escalation, after some seconds. Returns what was begun and taken."""
    clock.advance(seconds=seconds)
    done = await worker.chase_alerts()
    await worker.escalation.finish()
    return done


@pytest.mark.usefixtures("_place")
async def test_a_step_that_can_not_be_taken_keeps_no_other_waiting(
    alert: Json,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    inbox: Inbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    watchdog = worker.escalation.watchdog
    async with receiving() as receiver:
        watchdog.runtime.settings = watchdog.runtime.settings.model_copy(
            update={"watchdog_url": receiver.url}
        )
        async with refusing(runtime, tables.page.c.checkpoint, "CGK"):
            assert await chase(worker, clock, 5) == 2 + 1
            assert errors(caplog) == [STEP]
            assert inbox.addresses() == ["+62811"]
            caplog.clear()
            assert await chase(worker, clock, 60) == 1
            assert errors(caplog) == [STEP]
            assert await levels(runtime, alert, "DPS") == ["checkpoint", "region"]
        assert await chase(worker, clock, 0) == 1
        watchdog._due = 0
        await chase(worker, clock, 0)
        assert receiver.taken == []  # silence is the alarm
        watchdog._due = 0
        await chase(worker, clock, 0)
        assert len(receiver.taken) == 1
    assert await levels(runtime, alert, "CGK") == ["checkpoint"]
    assert inbox.addresses() == ["+62811", "+62810"]


@pytest.mark.usefixtures("_place")
async def test_an_alert_that_can_not_be_chased_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    alert: Json,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock.advance(seconds=1)
    later = (await sound(http, await actors.client("submitter")))["alert"]
    async with refusing(runtime, tables.chased_alert.c.alert_id, alert["id"]):
        await chase(worker, clock, 5)
        assert errors(caplog) == ["missing receipts of an alert can't be chased now"]
        assert await levels(runtime, alert) == []
        assert await levels(runtime, later) == ["checkpoint"]
    await chase(worker, clock, 0)
    assert await levels(runtime, alert) == ["checkpoint"]
    caplog.clear()
    async with refusing(runtime, tables.chased_alert.c.alert_id, alert["id"]):
        await chase(worker, clock, 60)
    assert errors(caplog) == ["missing acknowledgements of an alert can't be chased now"]
    judged = select(tables.chased_alert).where(tables.chased_alert.c.acknowledgements_judged_at.is_not(None))
    async with runtime.reading(SYSTEM) as reader:
        assert [row.alert_id for row in await reader.run(judged)] == [later["id"]]


async def test_for_a_policy_that_can_not_be_read_the_default_is_followed_until_it_is_replaced(
    http: httpx2.AsyncClient,
    actors: Actors,
    alert: Json,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    inbox: Inbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await spoil(runtime, tables.policy.c.checkpoint, "CGK", steps='[{"level": "moon", "contacts": []}]')
    assert await chase(worker, clock, 5) == 2 + 2
    assert errors(caplog) == ["an escalation policy can't be read"]
    assert inbox.addresses() == ["+62811"]
    supervisor = await actors.client("supervisor")
    told = expect(await http.get("/v1/notices", headers=supervisor.headers), 200)["items"]
    assert [each["checkpoints"] for each in told if each["name"] == "unacknowledged"] == [["CGK"]]
    admin, path = await actors.client("admin"), "/v1/checkpoints/CGK/escalation"
    read = expect(await http.get(path, headers=admin.headers), 200)
    assert ([step["level"] for step in read["steps"]], read["version"]) == (["supervisor", "region"], 1)
    steps = [{"level": "checkpoint", "contacts": [contact("+62819")]}]
    expect(await http.put(path, json={"steps": steps}, headers=admin.on('"1"')), 200)
    await chase(worker, clock, 60)
    assert "+62819" in inbox.addresses()


async def test_a_checkpoint_whose_hours_can_not_be_read_counts_as_open_until_they_are_replaced(
    http: httpx2.AsyncClient,
    actors: Actors,
    alert: Json,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    inbox: Inbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    admin = await actors.client("admin")
    night = [{"weekday": "monday", "opens": "20:00", "closes": "21:00"}]
    await hours(http, admin, weekly=night)
    await spoil(runtime, hours_table.c.checkpoint, "CGK", weekly="{")
    assert await chase(worker, clock, 5) == 2 + 2
    assert errors(caplog) == ["the hours of a checkpoint can't be read"]
    assert sorted(inbox.addresses()) == ["+62810", "+62811"]
    body = {"weekly": night}
    expect(await http.put("/v1/checkpoints/CGK/hours", json=body, headers=admin.on('"1"')), 200)
    assert await chase(worker, clock, 60) == 1


async def test_a_page_that_can_not_be_read_keeps_no_other_waiting(
    alert: Json,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    inbox: Inbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock.advance(seconds=5)
    await worker.escalation._find_missing()
    await worker.escalation._take_steps()
    await spoil(runtime, tables.page.c.checkpoint, "CGK", level="moon")
    await chase(worker, clock, 0)
    assert inbox.addresses() == ["+62811"]
    assert errors(caplog) == ["a page can't be read"]
    await spoil(runtime, tables.page.c.checkpoint, "CGK", level="checkpoint")
    await chase(worker, clock, 600)
    assert "+62810" in inbox.addresses()


async def test_a_page_that_can_not_be_made_has_failed_and_the_next_step_follows_at_once(
    alert: Json,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock.advance(seconds=5)
    await worker.escalation._find_missing()
    await worker.escalation._take_steps()
    await spoil(runtime, alert_table.c.id, alert["id"], kind="moon")
    await chase(worker, clock, 0)
    assert errors(caplog) == ["a page can't be sent"] * len(CODES)
    assert {page.state for page in await pages(runtime, alert)} == {PageState.FAILED}
    await chase(worker, clock, 0)
    assert await levels(runtime, alert) == ["checkpoint", "region"]


@pytest.mark.settings(daily_drill=True)
async def test_a_daily_drill_that_can_not_be_called_keeps_no_other_waiting(
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for code in CODES:
        await actors.client("checkpoint", checkpoint=code)
    clock.advance(days=1)
    async with refusing(runtime, tables.drill.c.checkpoint, "CGK"):
        assert await worker.call_drills() == 1
        assert errors(caplog) == ["a daily drill can't be called now"]
        assert await worker.call_drills() == 0
    async with runtime.reading(SYSTEM) as reader:
        assert [row.checkpoint for row in await reader.run(select(tables.drill))] == ["DPS"]
    assert await worker.call_drills() == 1
