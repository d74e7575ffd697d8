"""Escalation: an alert that nobody confirms or acknowledges is chased, step by step, until somebody does."""

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.alerting.alerts.presence import note_contact, store_presence
from app.alerting.escalation import page_store
from app.alerting.escalation.domain import PAUSE, RECONNECTED_WITHIN, Level, Page, PageState
from app.runtime import Runtime
from app.settings import Settings
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.admins import change_place
from tests.support.clock import SettableClock
from tests.support.pagers import Inbox
from tests.support.steps import Json, decide, expect, sound

ACKNOWLEDGED = "acknowledged"


@pytest.fixture
def settings(settings: Settings, inbox: Inbox) -> Settings:
    """A deployment whose paging command fills the inbox."""
    return settings.model_copy(update={"page_command": str(inbox.command)})


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path / "inbox")


def contact(address: str, when: str = "always") -> Json:
    """A contact that is paged by the command."""
    return {"channel": "command", "address": address, "when": when}


STEPS = [
    {"level": "checkpoint", "contacts": [contact("+62810")]},
    {"level": "supervisor", "contacts": [contact("+62820"), {"channel": "notice"}], "wait_seconds": 30},
    {"level": "region", "contacts": [contact("+62830")]},
]


async def set_policy(http: httpx2.AsyncClient, admin: Caller, code: str, steps: list[Json]) -> Json:
    """The escalation policy of a checkpoint after it was set for the first time."""
    path = f"/v1/checkpoints/{code}/escalation"
    return expect(await http.put(path, json={"steps": steps}, headers=admin.on('"0"')), 200)


async def receipt(http: httpx2.AsyncClient, by: Caller, alert: Json, level: str) -> None:
    body = {"level": level, "note": "Out of order." if level == "refused" else None}
    answer = await http.post(f"/v1/alerts/{alert['id']}/receipts", json=body, headers=by.headers)
    assert answer.status_code in {200, 201}


async def connect(runtime: Runtime, *codes: str, polling: bool = False) -> None:
    """Let another process know checkpoints to be connected now."""
    async with runtime.writing(SYSTEM) as unit:
        await store_presence(unit, "prc_other", codes, codes if polling else ())
        await note_contact(unit)


async def pages(runtime: Runtime, alert: Json) -> list[Page]:
    async with runtime.reading(SYSTEM) as reader:
        return await page_store.list_pages(reader, alert["id"], 1000)


async def levels(runtime: Runtime, alert: Json, code: str = "CGK") -> list[str]:
    """The levels of the steps that were taken for an alert at a checkpoint."""
    found = {page.step: page.level.value for page in await pages(runtime, alert) if page.checkpoint == code}
    return [found[step] for step in sorted(found)]


class Story:
    """An alert that a checkpoint with an escalation policy, CGK, does not answer."""

    def __init__(self, worker: Worker, clock: SettableClock, alert: Json, raised: Json) -> None:
        self.worker, self.clock, self.alert, self.raised = worker, clock, alert, raised

    async def after(self, **time: float) -> list[str]:
        """The levels of the steps taken at CGK, once more time has passed."""
        self.clock.advance(**time)
        await self.worker.chase_alerts()
        await self.worker.escalation.finish()
        return await levels(self.worker.runtime, self.alert)


@pytest.fixture
async def story(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    clock: SettableClock,
    counter: Caller,
    inbox: Inbox,
) -> Story:
    await set_policy(http, await actors.client("admin"), "CGK", STEPS)
    raised = await sound(http, await actors.client("submitter"))
    return Story(worker, clock, raised["alert"], raised)


async def test_nobody_is_paged_before_a_connected_checkpoint_had_five_seconds(
    story: Story, runtime: Runtime
) -> None:
    await connect(runtime, "CGK")
    assert await story.after(seconds=4.9) == []
    assert await story.after(seconds=0.1) == ["checkpoint"]


async def test_a_checkpoint_that_polls_has_as_long_as_a_poll(story: Story, runtime: Runtime) -> None:
    await connect(runtime, "CGK", polling=True)
    assert await story.after(seconds=5) == []
    assert await story.after(seconds=29.9) == []
    assert await story.after(seconds=0.1) == ["checkpoint"]


async def test_late_comes_before_down(story: Story, runtime: Runtime) -> None:
    await connect(runtime, "CGK")
    async with runtime.writing(SYSTEM) as unit:
        await store_presence(unit, "prc_other", (), ())
    assert await story.after(seconds=5) == []
    assert await story.after(seconds=RECONNECTED_WITHIN.total_seconds() - 5) == ["checkpoint"]


async def test_a_checkpoint_that_is_down_is_chased_as_soon_as_its_receipt_is_missing(story: Story) -> None:
    assert await story.after(seconds=5) == ["checkpoint"]


async def test_a_machine_that_has_it_is_given_the_time_of_a_person(
    story: Story, http: httpx2.AsyncClient, counter: Caller
) -> None:
    await receipt(http, counter, story.alert, "received")
    assert await story.after(seconds=59.9) == []
    assert await story.after(seconds=0.1) == ["checkpoint"]


async def test_a_machine_that_gets_it_late_ends_the_chase_until_the_person_is_due(
    story: Story, http: httpx2.AsyncClient, counter: Caller
) -> None:
    assert await story.after(seconds=5) == ["checkpoint"]
    await receipt(http, counter, story.alert, "received")
    assert await story.after(seconds=54.9) == ["checkpoint"]
    assert await story.after(seconds=5.1) == ["checkpoint", "supervisor"]


async def test_while_the_person_has_time_no_further_step_is_taken(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    clock: SettableClock,
    counter: Caller,
    inbox: Inbox,
) -> None:
    steps = [{**step, "wait_seconds": 10} for step in STEPS]
    await set_policy(http, await actors.client("admin"), "CGK", steps)
    raised = await sound(http, await actors.client("submitter"))
    story = Story(worker, clock, raised["alert"], raised)
    assert await story.after(seconds=5) == ["checkpoint"]
    await receipt(http, counter, story.alert, "received")
    assert await story.after(seconds=54.9) == ["checkpoint"]
    assert await story.after(seconds=0.1) == ["checkpoint", "supervisor"]


async def test_the_steps_go_on_in_a_loop_at_growing_intervals(story: Story, inbox: Inbox) -> None:
    assert await story.after(seconds=5) == ["checkpoint"]
    assert await story.after(seconds=59) == ["checkpoint"]
    assert await story.after(seconds=1) == ["checkpoint", "supervisor"]
    assert await story.after(seconds=30) == ["checkpoint", "supervisor", "region"]
    minute = PAUSE.total_seconds()
    assert (await story.after(seconds=minute - 1))[3:] == []
    assert (await story.after(seconds=1))[3:] == ["checkpoint"]
    await story.after(seconds=60)
    await story.after(seconds=30)
    assert (await story.after(seconds=2 * minute - 1))[6:] == []
    assert (await story.after(seconds=1))[6:] == ["checkpoint"]
    assert inbox.addresses() == ["+62810", "+62820", "+62830"] * 2 + ["+62810"]


@pytest.mark.parametrize("steps", range(5))
async def test_an_acknowledgement_during_any_step_stops_all_that_follow(
    story: Story, http: httpx2.AsyncClient, counter: Caller, inbox: Inbox, steps: int
) -> None:
    taken: list[str] = []
    for seconds in (5, 60, 30, 300)[:steps]:
        taken = await story.after(seconds=seconds)
    assert len(taken) == steps
    await receipt(http, counter, story.alert, ACKNOWLEDGED)
    before = inbox.addresses()
    for _ in range(10):
        assert await story.after(hours=1) == taken
    assert inbox.addresses() == before


async def test_a_refusal_is_no_acknowledgement(
    story: Story, http: httpx2.AsyncClient, counter: Caller
) -> None:
    await receipt(http, counter, story.alert, "refused")
    assert await story.after(seconds=60) == ["checkpoint"]


async def test_a_page_that_waits_is_dropped_by_an_acknowledgement(
    story: Story, http: httpx2.AsyncClient, counter: Caller, inbox: Inbox, runtime: Runtime
) -> None:
    inbox.fail(75)
    await story.after(seconds=5)
    assert [page.state for page in await pages(runtime, story.alert)] == [PageState.DUE]
    inbox.fail(0)
    await receipt(http, counter, story.alert, ACKNOWLEDGED)
    await story.after(seconds=30)
    assert [page.state for page in await pages(runtime, story.alert)] == [PageState.DROPPED]
    assert len(inbox.addresses()) == 1


async def test_nothing_is_chased_after_the_alert_is_cancelled(
    story: Story, http: httpx2.AsyncClient, actors: Actors
) -> None:
    assert await story.after(seconds=5) == ["checkpoint"]
    duty = await actors.client("duty_officer")
    await decide(http, duty, story.raised["entry"], "reject", "The letter is not the prosecutor's.")
    assert await story.after(hours=1) == ["checkpoint"]


async def test_nothing_is_chased_after_the_alert_has_expired(story: Story) -> None:
    taken = await story.after(seconds=5)
    story.clock.advance(days=20)
    assert await story.after(hours=5) == taken
    assert await story.after(hours=5) == taken


async def test_a_later_alert_about_the_entry_takes_the_place_of_the_earlier(
    story: Story, http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    assert await story.after(seconds=5) == ["checkpoint"]
    await decide(http, await actors.client("duty_officer"), story.raised["entry"], "countersign")
    reader = await actors.client("checkpoint", checkpoint="DPS")
    update = expect(await http.get("/v1/alerts", headers=reader.headers), 200)["items"][-1]
    assert update["kind"] == "update"
    assert await story.after(seconds=60) == ["checkpoint"]
    assert await levels(runtime, update) == ["checkpoint"]


async def test_a_later_alert_takes_the_place_of_the_earlier_though_the_clock_stepped_back_between_them(
    story: Story, http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    assert await story.after(seconds=5) == ["checkpoint"]
    story.clock.advance(seconds=-20)
    await decide(http, await actors.client("duty_officer"), story.raised["entry"], "countersign")
    reader = await actors.client("checkpoint", checkpoint="DPS")
    update = expect(await http.get("/v1/alerts", headers=reader.headers), 200)["items"][-1]
    assert update["kind"] == "update"
    assert update["id"] < story.alert["id"]
    assert await story.after(seconds=300) == ["checkpoint"]
    assert await levels(runtime, update) != []


async def test_without_a_policy_supervisors_and_then_duty_officers_get_notices(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, runtime: Runtime
) -> None:
    for code in ("CGK", "DPS"):
        await actors.client("checkpoint", checkpoint=code)
    readers = {
        name: await actors.client(role, checkpoint=code)
        for name, role, code in (
            ("CGK", "supervisor", "CGK"),
            ("DPS", "supervisor", "DPS"),
            ("duty", "duty_officer", None),
        )
    }
    alert = (await sound(http, await actors.client("submitter")))["alert"]

    async def notified(by: str) -> list[list[str]]:
        answer = expect(await http.get("/v1/notices", headers=readers[by].headers), 200)
        return [each["checkpoints"] for each in answer["items"] if each["name"] == "unacknowledged"]

    clock.advance(seconds=5)
    await worker.chase_alerts()
    assert (await notified("CGK"), await notified("DPS"), await notified("duty")) == (
        [["CGK"]],
        [["DPS"]],
        [],
    )
    clock.advance(seconds=60)
    await worker.chase_alerts()
    assert await notified("duty") == [["CGK", "DPS"]]
    assert {page.checkpoint for page in await pages(runtime, alert)} == {"CGK", "DPS"}


async def test_a_recipient_at_which_nobody_can_acknowledge_is_not_chased(
    story: Story, runtime: Runtime
) -> None:
    await story.after(minutes=2)
    assert story.alert["recipients"] > 100
    assert {page.checkpoint for page in await pages(runtime, story.alert)} == {"CGK"}


async def test_a_drill_is_chased_as_an_alert(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, inbox: Inbox
) -> None:
    await set_policy(http, await actors.client("admin"), "CGK", STEPS)
    body = {"kind": "exercise", "message": "Drill", "checkpoints": ["CGK"]}
    duty = await actors.client("duty_officer")
    drill = expect(await http.post("/v1/alerts", json=body, headers=duty.headers), 201)
    clock.advance(seconds=5)
    await worker.chase_alerts()
    await worker.escalation.finish()
    [message] = inbox.messages()
    assert message.text.startswith("LATIHAN / DRILL: CGK: ")
    assert drill["id"] in message.text


async def hours(http: httpx2.AsyncClient, admin: Caller, **given: object) -> None:
    """Let CGK be open from 08:00 to 20:00 of Jakarta's time, or as given."""
    weekly = [
        {"weekday": day, "opens": "08:00", "closes": "20:00"}
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    ]
    body = {"weekly": weekly, **given}
    expect(await http.put("/v1/checkpoints/CGK/hours", json=body, headers=admin.on('"0"')), 200)


async def test_a_checkpoint_closed_for_the_night_is_not_paged_before_it_opens(
    http: httpx2.AsyncClient, actors: Actors, story: Story, inbox: Inbox, counter: Caller
) -> None:
    await hours(http, await actors.client("admin"))
    story.clock.advance(hours=12)  # 22:00
    alert = (await sound(http, await actors.client("submitter")))["alert"]
    night = Story(story.worker, story.clock, alert, {})
    await receipt(http, counter, story.alert, ACKNOWLEDGED)
    inbox.empty()
    for _ in range(10):
        assert await night.after(hours=1) == []  # 08:00: the people get the time that the alert gives them
    assert await night.after(seconds=59) == []
    assert await night.after(seconds=1) == ["checkpoint"]
    assert inbox.addresses() == ["+62810"]


async def test_the_standby_is_paged_in_place_of_the_people_of_the_day(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, inbox: Inbox
) -> None:
    admin = await actors.client("admin")
    contacts = [contact("+6281", "open"), contact("+6282", "standby"), contact("+6283")]
    await set_policy(http, admin, "CGK", [{"level": "checkpoint", "contacts": contacts}])
    await hours(http, admin, standby=True)
    submitter = await actors.client("submitter")
    await sound(http, submitter)
    clock.advance(seconds=5)
    await worker.chase_alerts()
    await worker.escalation.finish()
    assert set(inbox.addresses()) == {"+6281", "+6283"}
    inbox.empty()
    clock.advance(hours=12)
    await sound(http, submitter)
    clock.advance(seconds=5)
    await worker.chase_alerts()
    await worker.escalation.finish()
    assert set(inbox.addresses()) == {"+6282", "+6283"}


async def test_messages_name_no_person(story: Story, inbox: Inbox) -> None:
    await story.after(seconds=5)
    [message] = inbox.messages()
    entry = story.raised["entry"]
    assert story.alert["id"] in message.text
    assert "KPK" in message.text
    for personal in (entry["subject"]["full_name"], entry["subject"]["documents"][0]["number"], entry["id"]):
        assert personal not in message.text


async def test_a_channel_that_fails_for_a_while_is_tried_again(
    story: Story, inbox: Inbox, runtime: Runtime
) -> None:
    inbox.fail(75)
    await story.after(seconds=5)
    await story.after(seconds=5)
    inbox.fail(0)
    await story.after(seconds=15)
    [page] = await pages(runtime, story.alert)
    assert (page.state, page.attempts) == (PageState.SENT, 3)
    assert len({message.id for message in inbox.messages()}) == 1


@pytest.mark.parametrize(("code", "attempts"), [(1, 1), (75, 4)])
async def test_a_contact_that_can_not_be_paged_is_a_notice(
    http: httpx2.AsyncClient,
    story: Story,
    actors: Actors,
    inbox: Inbox,
    runtime: Runtime,
    code: int,
    attempts: int,
) -> None:
    inbox.fail(code)
    for seconds in (5, 5, 15, 30):
        await story.after(seconds=seconds)
    story.clock.advance(seconds=20)
    await story.after(seconds=0)
    page = (await pages(runtime, story.alert))[0]
    assert (page.state, page.attempts) == (PageState.FAILED, attempts)
    duty = await actors.client("duty_officer")
    told = expect(await http.get("/v1/notices", headers=duty.headers), 200)["items"]
    [notice] = [each for each in told if each["name"] == "channel_failed"]
    assert (notice["checkpoints"], notice["channel"]) == (["CGK"], "command")


async def test_a_page_whose_sender_was_killed_is_sent_again_with_the_same_id(
    story: Story, inbox: Inbox, runtime: Runtime
) -> None:
    story.clock.advance(seconds=5)
    await story.worker.escalation._find_missing()
    await story.worker.escalation._take_steps()
    async with runtime.writing(SYSTEM) as unit:
        [(claimed, _)] = await page_store.claim_pages(
            unit, "command", 8, timedelta(seconds=90), doubtful=False
        )
    await story.after(seconds=80)
    assert claimed.id not in {message.id for message in inbox.messages()}
    await story.after(seconds=10)
    assert [message.id for message in inbox.messages()].count(claimed.id) == 1


async def test_many_pages_are_sent_in_one_round_and_those_of_drills_last(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, inbox: Inbox
) -> None:
    admin = await actors.client("admin")
    for code in ("CGK", "DPS", "SUB", "BTH"):
        contacts = [contact(f"+{code}{number}") for number in range(10)]
        await set_policy(http, admin, code, [{"level": "checkpoint", "contacts": contacts}])
    alert = (await sound(http, await actors.client("submitter")))["alert"]
    clock.advance(seconds=5)
    async with worker.runtime.writing(SYSTEM) as unit:
        page = Page("drill", alert["id"], "CGK", 0, Level.CHECKPOINT, "command", "+drill", True, PageState.DUE, 0,
                    unit.now - timedelta(hours=1), unit.now - timedelta(hours=1))  # fmt: skip
        await page_store.add_pages(unit, [page])
    await worker.chase_alerts()
    await worker.escalation.finish()
    assert len(inbox.addresses()) == 41
    assert "+drill" not in inbox.addresses()[:24]


async def test_a_page_that_hangs_delays_none_that_becomes_due_meanwhile(
    story: Story, inbox: Inbox, runtime: Runtime
) -> None:
    async def paged(address: str) -> None:
        async with asyncio.timeout(20):
            while address not in inbox.addresses():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.05)

    inbox.hang("+62810")
    story.clock.advance(seconds=5)
    await story.worker.chase_alerts()
    await paged("+62810")
    story.clock.advance(seconds=60)
    await story.worker.chase_alerts()
    await paged("+62820")
    first = (await pages(runtime, story.alert))[0]
    assert (first.address, first.state) == ("+62810", PageState.DUE)  # it still hangs
    await story.worker.escalation.finish()


async def test_a_closure_that_is_withdrawn_is_noticed_within_the_hour(
    http: httpx2.AsyncClient, actors: Actors, story: Story
) -> None:
    admin = await actors.client("admin")
    closure = {"from": "2026-11-23T02:00:00Z", "until": "2027-06-01T00:00:00Z", "reason": "Works."}
    path = "/v1/checkpoints/CGK/closures"
    planned = expect(await http.post(path, json=closure, headers=admin.headers), 201)
    assert await story.after(minutes=5) == []
    assert (await http.delete(f"{path}/{planned['id']}", headers=admin.headers)).status_code == 204
    assert await story.after(hours=1) == ["checkpoint"]


async def test_a_step_whose_pages_all_fail_is_followed_at_once(
    story: Story, inbox: Inbox, runtime: Runtime
) -> None:
    inbox.fail(1)
    await story.after(seconds=5)
    assert await story.after(seconds=1) == ["checkpoint", "supervisor"]


async def test_a_checkpoint_that_is_closed_for_good_is_not_chased_any_more(
    http: httpx2.AsyncClient, actors: Actors, story: Story
) -> None:
    assert await story.after(seconds=5) == ["checkpoint"]
    await change_place(http, actors, "/v1/checkpoints/CGK", active=False)
    assert await story.after(hours=9) == ["checkpoint"]


async def test_after_an_outage_of_the_service_clients_may_reconnect_first(
    story: Story, runtime: Runtime
) -> None:
    await connect(runtime, "CGK", "DPS")
    async with runtime.writing(SYSTEM) as unit:
        await store_presence(unit, "prc_other", (), ())
    assert await story.after(minutes=3) == []
    assert await story.after(seconds=29) == []
    assert await story.after(seconds=1) == ["checkpoint"]


async def test_a_clock_that_is_not_plausible_ends_no_chase(story: Story, runtime: Runtime) -> None:
    assert await story.after(seconds=5) == ["checkpoint"]
    with pytest.MonkeyPatch.context() as doubted:
        doubted.setattr(type(story.worker.runtime), "doubt", lambda _self: "the clock is wrong")
        before = story.clock.at
        story.clock.advance(days=400)
        await story.worker.chase_alerts()
        await story.worker.escalation.finish()
        story.clock.set(before)
    assert len(await story.after(days=1)) > 1


async def test_coverage_shows_each_step_and_hides_addresses(
    http: httpx2.AsyncClient, story: Story, actors: Actors
) -> None:
    await story.after(seconds=5)
    await story.after(seconds=60)
    owner = await actors.client("submitter")
    answer = await http.get(f"/v1/alerts/{story.alert['id']}/coverage", headers=owner.headers)
    shown = expect(answer, 200)["pages"]
    assert [(page["checkpoint"], page["level"], page["channel"], page["state"]) for page in shown] == [
        ("CGK", "checkpoint", "command", "sent"),
        ("CGK", "supervisor", "command", "sent"),
        ("CGK", "supervisor", "notice", "sent"),
    ]
    assert "+62810" not in answer.text


async def test_addresses_are_erased_with_the_questions_of_checks(
    story: Story, runtime: Runtime, clock: SettableClock
) -> None:
    await story.after(seconds=5)
    days = runtime.settings.question_days
    clock.advance(days=days - 1)
    assert await story.worker.escalation.erase_addresses() == 0
    clock.advance(days=1, seconds=1)
    assert await story.worker.escalation.erase_addresses() > 0
    assert {page.address for page in await pages(runtime, story.alert)} == {None}


@pytest.mark.parametrize(
    ("steps", "pointer"),
    [
        ([], "/steps"),
        ([{"level": "checkpoint", "contacts": []}], "/steps/0/contacts"),
        ([{"level": "gate", "contacts": [{"channel": "notice"}]}], "/steps/0/level"),
        (
            [{"level": "region", "contacts": [{"channel": "pigeon", "address": "x"}]}],
            "/steps/0/contacts/0/channel",
        ),
        ([{"level": "region", "contacts": [{"channel": "command"}]}], "/steps/0/contacts/0/address"),
        (
            [{"level": "region", "contacts": [{"channel": "notice", "address": "me"}]}],
            "/steps/0/contacts/0/address",
        ),
        (
            [{"level": "region", "contacts": [{"channel": "notice"}], "wait_seconds": 1}],
            "/steps/0/wait_seconds",
        ),
    ],
)
async def test_a_policy_that_could_not_be_followed_is_refused(
    http: httpx2.AsyncClient, actors: Actors, inbox: Inbox, steps: list[Json], pointer: str
) -> None:
    admin = await actors.client("admin")
    path = "/v1/checkpoints/CGK/escalation"
    problem = expect(await http.put(path, json={"steps": steps}, headers=admin.on('"0"')), 422)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert expect(await http.get(path, headers=admin.headers), 200)["version"] == 0


async def test_a_policy_is_changed_by_who_has_read_it_and_the_change_is_known(
    http: httpx2.AsyncClient, actors: Actors, inbox: Inbox
) -> None:
    admin, duty = await actors.client("admin"), await actors.client("duty_officer")
    path = "/v1/checkpoints/CGK/escalation"
    set_first = await set_policy(http, admin, "CGK", STEPS)
    assert (set_first["version"], [step["level"] for step in set_first["steps"]]) == (
        1,
        ["checkpoint", "supervisor", "region"],
    )
    expect(await http.put(path, json={"steps": STEPS}, headers=admin.on('"0"')), 412)
    expect(await http.put(path, json={"steps": STEPS}, headers=admin.headers), 428)
    expect(
        await http.put("/v1/checkpoints/NONE/escalation", json={"steps": STEPS}, headers=admin.on('"0"')), 404
    )
    read = await http.get(path, headers=duty.headers)
    assert expect(read, 200) == set_first
    assert (
        await http.get(path, headers={**duty.headers, "If-None-Match": read.headers["etag"]})
    ).status_code == 304
    told = expect(await http.get("/v1/notices", headers=duty.headers), 200)["items"]
    assert [each["checkpoints"] for each in told if each["name"] == "escalation_changed"] == [["CGK"]]
    acts = expect(await http.get("/v1/audit?about=CGK", headers=admin.headers), 200)["items"]
    assert [act["act"] for act in acts if act["act"] == "escalation.changed"] == ["escalation.changed"]
    assert (await http.delete(path, headers=admin.on('"0"'))).status_code == 412
    assert (await http.delete(path, headers=admin.on('"1"'))).status_code == 204
    assert (await http.delete(path, headers=admin.on('"1"'))).status_code == 404
    assert expect(await http.get(path, headers=duty.headers), 200)["version"] == 2
    expect(await http.put(path, json={"steps": STEPS}, headers=admin.on('"1"')), 412)
