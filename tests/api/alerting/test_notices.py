"""What officers are told: ends that come near, deadlines that passed, ends, silent checkpoints (R18, R30, R54)."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest

from app.alerting.notices import rounds
from app.alerting.notices.domain import ladder
from app.kit.clock import legal_day, rfc3339
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, entry_body, extension_body, merged, urgent_body
from tests.support.clock import SettableClock
from tests.support.steps import Json, decide, expect, file_amendment, impose, sound, submit

pytestmark = pytest.mark.settings(withdraw_passport_days=3650)
"""So long that no passport is overdue, but where a test says otherwise."""


async def told(http: httpx2.AsyncClient, by: Caller, **asked: Any) -> list[Json]:
    """The notices that an officer can read, from the beginning."""
    return list(expect(await http.get("/v1/notices", params=asked, headers=by.headers), 200)["items"])


def facts(notices: list[Json]) -> list[tuple[str, Any]]:
    """What was told, in a few words."""
    members = {"ends_soon": "days_left", "overdue": "deadline", "due_soon": "deadline", "ended": "reason"}
    return [(each["name"], each[members[each["name"]]]) for each in notices]


@pytest.fixture
async def verifier(actors: Actors) -> Caller:
    return await actors.client("verifier")


async def test_the_owner_and_the_directorate_are_told_of_an_end_that_comes_near(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    entry = await impose(http, actors, entry_body(starts_on="2026-11-23", ends_on="2027-05-23"))
    approver, duty = await actors.client("approver"), await actors.client("duty_officer")
    other = await actors.client("verifier", agency="BNN")
    clock.set("2027-04-22T23:59:59.999+07:00")
    await worker.notify_officers()
    assert [each for each in await told(http, verifier) if each["name"] == "ends_soon"] == []
    late = clock.set("2027-04-23T00:00:07+07:00")
    assert await worker.notify_officers() == 1
    (notice,) = [each for each in await told(http, verifier) if each["name"] == "ends_soon"]
    assert notice == {
        "number": 2,
        "id": notice["id"],
        "name": "ends_soon",
        "at": rfc3339(late),
        "effective_at": "2027-04-22T17:00:00.000000Z",
        "due_at": "2027-05-20T16:59:59.000000Z",
        "entry_id": entry["id"],
        "alert_id": None,
        "request_id": None,
        "agency": "KPK",
        "deadline": None,
        "ends_on": "2027-05-23",
        "days_left": 30,
        "urgent_day": None,
        "reason": None,
        "checkpoints": None,
        "hit_id": None,
        "outcome": None,
        "clearance_id": None,
        "check_id": None,
        "direction": None,
        "level": None,
        "amendment_id": None,
        "objection_id": None,
        "change_id": None,
        "channel": None,
        "endpoint_id": None,
        "client_id": None,
    }
    for reader in (await actors.client("submitter"), approver, await actors.client("auditor")):
        assert notice in await told(http, reader)
    for reader in (duty, other, await actors.client("supervisor"), await actors.client("admin")):
        assert await told(http, reader) == []


async def test_an_end_that_comes_near_leaves_nothing_to_do_once_its_extension_has_come(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    entry = await impose(http, actors, entry_body(starts_on="2026-11-23", ends_on="2027-05-23"))
    filed = await file_amendment(
        http, await actors.client("submitter"), entry, extension_body(entry, "2027-11-24")
    )
    expect(filed, 201)
    clock.set("2027-04-23T00:00:07+07:00")
    await worker.notify_officers()
    (notice,) = [each for each in await told(http, verifier) if each["name"] == "ends_soon"]
    assert (notice["days_left"], notice["due_at"]) == (30, None)


async def test_an_urgent_entry_is_warned_of_on_days_ten_fifteen_eighteen_and_nineteen(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")
    seen = []
    for day in range(1, 21):
        clock.set("2026-11-23T12:00:00+07:00")
        clock.advance(days=day - 1)
        if await worker.notify_officers():
            seen.append(day)
    assert seen == [10, 15, 18, 19]
    clock.set("2026-12-13T00:00:01+07:00")
    assert await worker.end_by_law() == 1
    notices = await told(http, verifier)
    assert [each["urgent_day"] for each in notices] == [10, 15, 18, 19, None]
    assert facts(notices)[-1] == ("ended", "lapsed")
    assert notices[-1] in await told(http, await actors.client("duty_officer"))


@pytest.mark.settings(urgent_countersign_first=True)
async def test_a_repeated_urgent_entry_is_warned_of_on_the_days_of_the_first_request(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    body = urgent_body()
    await sound(http, submitter, body)
    clock.advance(days=3)
    await worker.end_by_law()
    again = {"subject": body["subject"], "basis": {"case_reference": body["basis"]["case_reference"]}}
    raised = await sound(http, submitter, merged(urgent_body(), again))
    assert (raised["entry"]["starts_on"], raised["entry"]["ends_on"]) == ("2026-11-26", "2026-12-12")
    await decide(http, duty, raised["entry"], "countersign")
    for day in range(4, 21):
        clock.set("2026-11-23T12:00:00+07:00")
        clock.advance(days=day - 1)
        await worker.notify_officers()
    warned = [each for each in await told(http, verifier) if each["name"] == "ends_soon"]
    assert [(each["urgent_day"], each["days_left"]) for each in warned] == [
        (10, 10),
        (15, 5),
        (18, 2),
        (19, 1),
    ]


async def test_after_three_days_of_standstill_what_was_missed_goes_out_once(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    raised = await sound(http, submitter)
    await decide(http, duty, raised["entry"], "countersign")
    held = (await sound(http, submitter))["entry"]["id"]
    clock.advance(hours=1)
    waiting = await submit(http, submitter)
    short = await impose(http, actors, entry_body(ends_on="2026-12-12"))  # 7 and 4 days: 5 and 8 December
    clock.set("2026-12-04T20:00:00+07:00")
    await worker.end_by_law()
    before = await worker.notify_officers()
    known = [each["number"] for each in await told(http, verifier)]
    assert before > 0
    clock.set("2026-12-08T11:00:00+07:00")  # the worker stood still all the while
    assert await worker.notify_officers() == 3
    assert await worker.notify_officers() == 0
    fresh = [each for each in await told(http, verifier) if each["number"] not in known]
    assert sorted((each["entry_id"], each["days_left"]) for each in fresh) == sorted(
        [(short["id"], 7), (short["id"], 4), (raised["entry"]["id"], 5)]
    )
    numbers = [each["number"] for each in await told(http, await actors.client("auditor"))]
    assert numbers == list(range(1, len(numbers) + 1))
    by_entry = {each["entry_id"] for each in await told(http, verifier)}
    assert by_entry == {short["id"], raised["entry"]["id"], waiting["id"], held}


async def test_a_register_that_was_never_looked_at_is_told_of_what_lies_behind(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    await impose(http, actors)
    clock.set("2027-05-20T09:00:00+07:00")
    assert await worker.notify_officers() == 5
    assert Counter(facts(await told(http, verifier))) == Counter(
        [*(("ends_soon", left) for left in (30, 14, 7, 4)), ("overdue", "deliver_to_person")]
    )


async def test_what_came_into_force_late_is_not_warned_of_for_the_days_before(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    entry = await submit(http, await actors.client("submitter"), entry_body(ends_on="2026-12-10"))
    clock.set("2026-12-01T09:00:00+07:00")
    entry = await decide(http, verifier, entry, "verify")
    entry = await decide(http, await actors.client("approver"), entry, "approve")
    clock.set("2026-12-07T09:00:00+07:00")
    await worker.notify_officers()
    warned = [each for each in await told(http, verifier) if each["name"] == "ends_soon"]
    assert [each["days_left"] for each in warned] == [7, 4]


async def test_a_transaction_of_last_night_that_commits_this_morning_is_still_seen(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    clock.set("2026-12-06T00:00:30+07:00")
    await worker.notify_officers()
    clock.set("2026-12-05T23:59:59+07:00")
    await impose(http, actors, entry_body(ends_on="2026-12-10"))
    clock.set("2026-12-06T00:59:59+07:00")
    await worker.notify_officers()
    assert ("ends_soon", 4) in facts(await told(http, verifier))


async def test_a_countersignature_that_does_not_come_is_told_to_those_above_and_the_owner(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    clock.advance(hours=6)
    assert await worker.notify_officers() == 0
    clock.advance(seconds=1)
    assert await worker.notify_officers() == 1
    assert await worker.notify_officers() == 0
    for reader in (verifier, await actors.client("duty_officer"), await actors.client("approver")):
        (notice,) = await told(http, reader)
        assert (notice["name"], notice["deadline"]) == ("overdue", "countersign")
        assert notice["due_at"] == notice["effective_at"] == "2026-11-23T09:00:00.000000Z"
        assert notice["entry_id"] == raised["entry"]["id"]


@pytest.mark.settings(urgent_countersign_first=True)
async def test_of_many_urgent_entries_that_hold_nobody_each_is_told_every_half_hour(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    clock: SettableClock,
    verifier: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rounds, "_BATCH_SIZE", 2)
    submitter = await actors.client("submitter")
    filed = [(await sound(http, submitter))["entry"]["id"] for _ in range(5)]
    clock.advance(minutes=31)
    await worker.notify_officers()
    awaited = [
        each["entry_id"] for each in await told(http, verifier) if each["name"] == "countersign_awaited"
    ]
    assert Counter(awaited) == dict.fromkeys(filed, 2)


async def test_a_countersigned_entry_escalates_nothing(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    clock.advance(hours=5)
    await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")
    clock.advance(hours=10)
    assert await worker.notify_officers() == 0


async def test_an_undecided_request_is_told_on_day_five_and_when_its_seven_days_are_over(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    entry = await submit(http, await actors.client("submitter"), entry_body(starts_on="2026-12-15"))
    clock.set("2026-11-27T23:59:59.999+07:00")
    assert await worker.notify_officers() == 0
    clock.set("2026-11-28T00:00:00+07:00")
    assert await worker.notify_officers() == 1
    clock.set("2026-11-30T23:59:59.999+07:00")
    assert await worker.notify_officers() == 0
    clock.set("2026-12-01T00:00:00+07:00")
    assert await worker.notify_officers() == 1
    assert await worker.notify_officers() == 0
    assert facts(await told(http, await actors.client("approver"))) == [
        ("due_soon", "refuse_or_approve"),
        ("overdue", "refuse_or_approve"),
    ]
    entry = await decide(http, verifier, entry, "return", "The photo is another person's.")
    clock.advance(days=30)
    assert await worker.notify_officers() == 0


async def test_a_decision_that_did_not_reach_the_person_is_told_once(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    entry = await impose(http, actors)
    due = next(each for each in entry["legal_deadlines"] if each["name"] == "deliver_to_person")["due_at"]
    clock.set(due)
    clock.advance(hours=-1)
    assert await worker.notify_officers() == 0
    clock.advance(hours=1, seconds=1)
    assert await worker.notify_officers() == 1
    clock.advance(days=40)
    assert await worker.notify_officers() == 0
    (notice,) = await told(http, verifier)
    assert (notice["deadline"], notice["due_at"]) == ("deliver_to_person", due)


async def test_an_owner_is_told_of_every_end(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    await decide(http, duty, (await sound(http, submitter))["entry"], "reject", "A mistake.")
    await sound(http, submitter)
    await impose(http, actors, entry_body(ends_on="2026-11-24"))
    clock.advance(days=2)
    assert await worker.end_by_law() == 2
    assert Counter(facts(await told(http, verifier))) == Counter(
        [("ended", "rejected"), ("ended", "lapsed"), ("ended", "expired")]
    )
    assert facts(await told(http, duty)) == [("ended", "lapsed")]


async def test_silent_checkpoints_are_named_to_the_duty_officers_and_the_owner(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    alert = raised["alert"]["id"]
    path = f"/v1/alerts/{alert}/receipts"
    counter = await actors.client("checkpoint", checkpoint="DPS")
    expect(await http.post(path, json={"level": "acknowledged"}, headers=counter.headers), 201)
    clock.advance(seconds=61)
    assert await worker.notify_unacknowledged_alerts() == 1
    assert await worker.notify_unacknowledged_alerts() == 0
    duty = await actors.client("duty_officer")
    for reader in (verifier, duty):
        (notice,) = await told(http, reader)
        assert (notice["name"], notice["alert_id"]) == ("unacknowledged", alert)
        assert notice["entry_id"] == raised["entry"]["id"]
        assert "CGK" in notice["checkpoints"]
        assert "DPS" not in notice["checkpoints"]
        assert len(notice["checkpoints"]) == raised["alert"]["recipients"] - 1
    drill = {"kind": "exercise", "message": "Exercise.", "checkpoints": ["CGK"]}
    expect(await http.post("/v1/alerts", json=drill, headers=duty.headers), 201)
    clock.advance(seconds=61)
    await worker.notify_unacknowledged_alerts()
    assert [each["checkpoints"] for each in await told(http, duty)][1:] == [["CGK"]]
    assert len(await told(http, verifier)) == 1


async def test_a_checkpoint_that_acknowledged_only_the_newest_alert_of_a_family_is_not_named(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    duty = await actors.client("duty_officer")
    await decide(http, duty, raised["entry"], "countersign")
    counter = await actors.client("checkpoint", checkpoint="DPS")
    first, update = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
    assert (first["kind"], update["kind"]) == ("raise", "update")
    path = f"/v1/alerts/{update['id']}/receipts"
    expect(await http.post(path, json={"level": "acknowledged"}, headers=counter.headers), 201)
    clock.advance(seconds=61)
    assert await worker.notify_unacknowledged_alerts() == 1
    assert await worker.notify_unacknowledged_alerts() == 0
    (notice,) = [each for each in await told(http, duty) if each["name"] == "unacknowledged"]
    assert notice["alert_id"] == update["id"]
    assert "CGK" in notice["checkpoints"]
    assert "DPS" not in notice["checkpoints"]


async def test_a_year_of_a_few_entries(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock
) -> None:
    """Day by day: the worker runs when the arithmetic of a day says so, and once a week besides."""
    half_year = await impose(http, actors)
    decade = await impose(http, actors, deterrence_body())
    urgent = (await sound(http, await actors.client("submitter")))["entry"]
    await decide(http, await actors.client("duty_officer"), urgent, "countersign")
    short = await impose(http, actors, entry_body(ends_on="2026-12-03"))
    spans = [
        (each, *map(date.fromisoformat, (each["starts_on"], each["ends_on"])))
        for each in (half_year, decade, urgent, short)
    ]
    rungs = {rung.day for each, *span in spans for rung in ladder(*span, urgent=each["urgent"])}
    rungs |= {ends_on - timedelta(days=2) for _, _, ends_on in spans}  # no extension can arrive any more
    for day in range(365):
        clock.advance(days=1)
        if day % 7 == 0 or legal_day(clock()) in rungs:
            await worker.end_by_law()
            await worker.notify_officers()
    notices = await told(http, await actors.client("auditor"), limit=500)
    seen = {
        each["id"]: facts([notice for notice in notices if notice["entry_id"] == each["id"]])
        for each in (half_year, decade, urgent, short)
    }
    undelivered = ("overdue", "deliver_to_person")
    assert seen[half_year["id"]] == [
        undelivered,
        *(("ends_soon", left) for left in (30, 14, 7, 4)),
        ("overdue", "extend_before"),
        ("ended", "expired"),
    ]
    assert seen[decade["id"]] == [undelivered]
    assert seen[urgent["id"]] == [*(("ends_soon", left) for left in (10, 5, 2, 1)), ("ended", "lapsed")]
    assert Counter(seen[short["id"]]) == Counter(
        [
            ("ends_soon", 7),
            ("ends_soon", 4),
            undelivered,
            ("overdue", "extend_before"),
            ("ended", "expired"),
        ]
    )
    assert [each["number"] for each in notices] == list(range(1, len(notices) + 1))


async def test_a_cursor_goes_on_where_the_page_ended_and_waits_for_news(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock, verifier: Caller
) -> None:
    submitter = await actors.client("submitter")
    for _ in range(3):
        await sound(http, submitter)
    clock.advance(hours=6, seconds=1)
    assert await worker.notify_officers() == 3
    seen, cursor = [], None
    for more in (True, True, False):
        asked = {"limit": 1} | ({"after": cursor} if cursor else {})
        page = expect(await http.get("/v1/notices", params=asked, headers=verifier.headers), 200)
        assert (page["more"], page["head"]) == (more, 3)
        seen += [each["number"] for each in page["items"]]
        cursor = page["cursor"]
    assert seen == [1, 2, 3]
    page = expect(await http.get(f"/v1/notices?after={cursor}&wait=0.1", headers=verifier.headers), 200)
    assert (page["items"], page["cursor"]) == ([], cursor)


@pytest.mark.parametrize(
    ("cursor", "status", "slug"),
    [("0123456789abcdef.0", 410, "cursor-gone"), ("nonsense", 422, "validation")],
)
async def test_a_cursor_of_another_feed_is_none(
    http: httpx2.AsyncClient, verifier: Caller, cursor: str, status: int, slug: str
) -> None:
    problem = expect(await http.get(f"/v1/notices?after={cursor}", headers=verifier.headers), status)
    assert problem["type"] == f"/problems/{slug}"


async def test_the_ledgers_cursor_is_not_taken_for_one_of_the_notices(
    http: httpx2.AsyncClient, actors: Actors, verifier: Caller
) -> None:
    changes = expect(await http.get("/v1/changes", headers=(await actors.client("auditor")).headers), 200)
    problem = expect(await http.get(f"/v1/notices?after={changes['cursor']}", headers=verifier.headers), 410)
    assert problem["restart"] == "/v1/notices"


@pytest.mark.parametrize("role", ["checkpoint", "integrator", "carrier"])
async def test_machines_are_told_nothing(http: httpx2.AsyncClient, actors: Actors, role: str) -> None:
    caller = await actors.client(role, agency="KPK" if role == "integrator" else None)
    expect(await http.get("/v1/notices", headers=caller.headers), 403)


@pytest.mark.settings(withdraw_passport_days=3)
async def test_a_passport_that_is_not_withdrawn_in_time_is_told_once_to_owner_and_immigration(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
) -> None:
    entry = await impose(http, actors)
    duty, owner = await actors.client("duty_officer"), await actors.client("submitter")
    clock.set("2026-11-26T23:59:59+07:00")
    assert await worker.notify_officers() == 0
    clock.set("2026-11-27T00:00:00+07:00")
    assert await worker.notify_officers() == 1
    assert await worker.notify_officers() == 0
    for by in (duty, owner):
        (notice,) = await told(http, by)
        assert (notice["name"], notice["deadline"]) == ("overdue", "withdraw_passport")
        assert notice["entry_id"] == entry["id"]
