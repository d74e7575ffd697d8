"""The daily drill, the notice of checkpoints that no alert would reach, and the watchdog."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from app.alerting.escalation import rounds
from app.runtime import Runtime
from app.settings import Settings
from app.worker import Worker
from tests.api.alerting.test_escalation import connect, contact, hours, receipt, set_policy
from tests.support.actors import Actors, Caller
from tests.support.admins import change_place
from tests.support.clock import SettableClock
from tests.support.pagers import Inbox
from tests.support.receivers import Receiver, receiving
from tests.support.steps import Json, expect

pytestmark = pytest.mark.settings(daily_drill=True)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


@pytest.fixture
def settings(settings: Settings, inbox: Inbox) -> Settings:
    """A deployment whose paging command fills the inbox."""
    return settings.model_copy(update={"page_command": str(inbox.command)})


async def drills(http: httpx2.AsyncClient, by: Caller, first: str, last: str) -> list[Json]:
    answer = await http.get("/v1/drills", params={"first": first, "last": last}, headers=by.headers)
    items: list[Json] = expect(answer, 200)["items"]
    return items


async def test_each_checkpoint_has_one_drill_a_day_with_figures_of_its_own(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, inbox: Inbox
) -> None:
    counter, elsewhere = (
        await actors.client("checkpoint"),
        await actors.client("checkpoint", checkpoint="DPS"),
    )
    duty, admin = await actors.client("duty_officer"), await actors.client("admin")
    contacts = [contact("+6281"), contact("+6282", "standby"), {"channel": "notice"}]
    steps = [
        {"level": "checkpoint", "contacts": contacts},
        {"level": "region", "contacts": [contact("+6281")]},
    ]
    await set_policy(http, admin, "CGK", steps)
    assert await worker.call_drills() == 0  # its first client came today
    clock.advance(days=1)
    assert await worker.call_drills() == 2
    assert await worker.call_drills() == 0
    [alert] = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
    assert (alert["kind"], alert["entry"], alert["chase"]) == ("exercise", None, ["CGK", "DPS"])
    clock.advance(seconds=2)
    await receipt(http, counter, alert, "acknowledged")
    await receipt(http, elsewhere, alert, "received")
    await worker.chase_alerts()
    await worker.escalation.finish()
    assert sorted(inbox.addresses()) == ["+6281", "+6282"]
    assert all("nothing to do" in message.text for message in inbox.messages())
    [figures] = await drills(http, duty, "2026-11-20", "2026-11-30")
    assert figures == {
        "day": "2026-11-24",
        "alerts": [alert["id"]],
        "checkpoints": 2,
        "unreceived": [],
        "unacknowledged": ["DPS"],
        "p50_ms": 2000,
        "p99_ms": 2000,
        "channels": [{"channel": "command", "sent": 2, "failed": 0, "waiting": 0}],
    }
    clock.advance(days=1)
    assert await worker.call_drills() == 2
    assert [each["day"] for each in await drills(http, duty, "2026-11-20", "2026-11-30")] == [
        "2026-11-24",
        "2026-11-25",
    ]


async def test_a_channel_that_fails_is_found_by_the_drill_before_there_is_an_alert(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, inbox: Inbox
) -> None:
    await actors.client("checkpoint")
    duty = await actors.client("duty_officer")
    await set_policy(
        http, await actors.client("admin"), "CGK", [{"level": "region", "contacts": [contact("+6281")]}]
    )
    inbox.fail(1)
    clock.advance(days=1)
    await worker.call_drills()
    await worker.chase_alerts()
    await worker.escalation.finish()
    [figures] = await drills(http, duty, "2026-11-24", "2026-11-24")
    assert figures["channels"] == [{"channel": "command", "sent": 0, "failed": 1, "waiting": 0}]
    told = expect(await http.get("/v1/notices", headers=duty.headers), 200)["items"]
    assert [each["checkpoints"] for each in told if each["name"] == "channel_failed"] == [["CGK"]]


async def test_a_closed_checkpoint_has_its_drill_when_it_opens(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock
) -> None:
    await actors.client("checkpoint")
    admin = await actors.client("admin")
    weekly = [
        {"weekday": day, "opens": "12:00", "closes": "20:00"}
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    ]
    await hours(http, admin, weekly=weekly)
    clock.advance(days=1, hours=1)
    assert await worker.call_drills() == 0
    clock.advance(hours=1)
    assert await worker.call_drills() == 1


@pytest.mark.settings(daily_drill=False)
async def test_a_deployment_may_do_without(actors: Actors, worker: Worker, clock: SettableClock) -> None:
    await actors.client("checkpoint")
    clock.advance(days=1)
    assert await worker.call_drills() == 0


@pytest.mark.parametrize(("first", "last"), [("2026-11-24", "2026-11-23"), ("2026-01-01", "2026-11-23")])
async def test_a_period_that_is_none_or_too_long_is_refused(
    http: httpx2.AsyncClient, actors: Actors, first: str, last: str
) -> None:
    duty = await actors.client("duty_officer")
    expect(await http.get("/v1/drills", params={"first": first, "last": last}, headers=duty.headers), 422)


async def unreachable(http: httpx2.AsyncClient, by: Caller) -> list[list[str]]:
    """The checkpoints that each notice names as unreachable."""
    told = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [each["checkpoints"] for each in told if each["name"] == "checkpoints_unreachable"]


@pytest.mark.parametrize("asked", [{"last": "0001-01-01"}, {"first": "9999-12-31", "last": "9999-12-31"}])
async def test_a_period_at_the_end_of_the_calendar_is_refused(
    http: httpx2.AsyncClient, actors: Actors, asked: dict[str, str]
) -> None:
    duty = await actors.client("duty_officer")
    expect(await http.get("/v1/drills", params=asked, headers=duty.headers), 422)


async def test_checkpoints_that_no_alert_would_reach_are_reported_once_a_day(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    runtime: Runtime,
    clock: SettableClock,
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    duty, admin = await actors.client("duty_officer"), await actors.client("admin")
    await connect(runtime, "DPS")
    await set_policy(http, admin, "CGK", [{"level": "region", "contacts": [contact("+6281")]}])
    await set_policy(http, admin, "SUB", [{"level": "region", "contacts": [{"channel": "notice"}]}])
    assert await worker.report_unreachable_checkpoints() == 0  # clients may still be connecting
    monkeypatch.setattr(rounds, "_SETTLED_SECONDS", 0)
    assert await worker.report_unreachable_checkpoints() > 100
    [codes] = await unreachable(http, duty)
    assert codes == sorted(codes)
    assert not {"DPS", "CGK"} & set(codes)
    assert "SUB" in codes  # an officer's notice wakes nobody
    await worker.report_unreachable_checkpoints()
    assert len(await unreachable(http, duty)) == 1
    await change_place(http, actors, "/v1/checkpoints/SUB", active=False)
    clock.advance(days=1)
    await worker.report_unreachable_checkpoints()
    later = (await unreachable(http, duty))[1]
    assert "SUB" not in later
    assert "DPS" in later  # it was connected a day ago


async def test_a_contact_whose_last_message_failed_does_not_count_until_one_is_sent(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    clock: SettableClock,
    inbox: Inbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "_SETTLED_SECONDS", 0)
    await actors.client("checkpoint")
    duty, admin = await actors.client("duty_officer"), await actors.client("admin")
    await set_policy(http, admin, "CGK", [{"level": "region", "contacts": [contact("+6281")]}])
    for day, code in enumerate((1, 0)):
        clock.advance(days=1)
        inbox.fail(code)
        await worker.call_drills()
        await worker.chase_alerts()
        await worker.escalation.finish()
        await worker.report_unreachable_checkpoints()
        assert ("CGK" in (await unreachable(http, duty))[day]) is bool(code)


async def received(receiver: Receiver, count: int) -> None:
    """Wait until a receiver has taken so many reports."""
    async with asyncio.timeout(10):
        while len(receiver.taken) < count:  # noqa: ASYNC110 - it runs in this loop, beside the test
            await asyncio.sleep(0.01)


async def test_the_watchdog_reports_each_minute_in_which_every_round_succeeded(worker: Worker) -> None:
    watchdog = worker.escalation.watchdog
    async with receiving() as receiver:
        watchdog.runtime.settings = watchdog.runtime.settings.model_copy(
            update={"watchdog_url": receiver.url}
        )
        await worker.chase_alerts()
        await received(receiver, 1)
        assert receiver.taken[0].event.keys() == {"head", "epoch", "at"}
        await watchdog.finish()
        await worker.chase_alerts()
        await watchdog.finish()
        assert len(receiver.taken) == 1
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(worker.escalation, "_take_steps", _fail)
            with pytest.raises(OSError, match="disk"):
                await worker.chase_alerts()
        watchdog._due = 0
        await worker.chase_alerts()
        await watchdog.finish()
        assert len(receiver.taken) == 1  # a round of that minute has failed
        watchdog._due = 0
        await worker.chase_alerts()
        await received(receiver, 2)
        await watchdog.finish()
    assert (watchdog.reported, watchdog.failed) == (2, 0)


async def test_a_watchdog_that_can_not_report_disturbs_nothing(worker: Worker) -> None:
    watchdog = worker.escalation.watchdog
    async with receiving() as receiver:
        receiver.status = 500
        watchdog.runtime.settings = watchdog.runtime.settings.model_copy(
            update={"watchdog_url": receiver.url}
        )
        await worker.chase_alerts()
        await received(receiver, 1)
        await watchdog.finish()
    watchdog._due = 0
    await worker.chase_alerts()
    await watchdog.finish()
    assert (watchdog.reported, watchdog.failed) == (0, 2)


async def _fail() -> int:
    raise OSError("no space left on the disk")
