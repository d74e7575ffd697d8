"""Receipts, coverage and drills: who holds an alert, since when (API section 4; R54, R59)."""

import asyncio

import httpx2
import pytest
from sqlalchemy import func, select

from app.access.domain import SYSTEM
from app.access.tables import audit
from app.alerting.alerts.tables import receipt as receipt_table
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.admins import change_place
from tests.support.clock import SettableClock
from tests.support.erasure import found_in
from tests.support.steps import Json, decide, expect, sound


async def receipt(
    http: httpx2.AsyncClient, by: Caller, alert: Json, level: str, note: str | None = None
) -> httpx2.Response:
    """A checkpoint's word about an alert."""
    body = {"level": level, "note": note}
    return await http.post(f"/v1/alerts/{alert['id']}/receipts", json=body, headers=by.headers)


async def coverage(http: httpx2.AsyncClient, by: Caller, alert: Json) -> Json:
    """How far an alert has come."""
    return expect(await http.get(f"/v1/alerts/{alert['id']}/coverage", headers=by.headers), 200)


async def test_a_receipt_is_new_once_and_then_only_repeated(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, clock: SettableClock
) -> None:
    alert = (await sound(http, await actors.client("submitter")))["alert"]
    first = expect(await receipt(http, counter, alert, "received"), 201)
    assert first == {"alert_id": alert["id"], "level": "received", "at": "2026-11-23T03:00:00.000000Z"}
    clock.advance(seconds=5)
    assert expect(await receipt(http, counter, alert, "received"), 200) == first
    assert expect(await receipt(http, counter, alert, "acknowledged"), 201)["at"] > first["at"]


async def test_a_refusal_says_why(http: httpx2.AsyncClient, actors: Actors, counter: Caller) -> None:
    submitter = await actors.client("submitter")
    alert = (await sound(http, submitter))["alert"]
    problem = expect(await receipt(http, counter, alert, "refused"), 422)
    assert [fault["pointer"] for fault in problem["errors"]] == ["/note"]
    assert (await coverage(http, submitter, alert))["refused"] == 0
    expect(await receipt(http, counter, alert, "refused", "The gate is closed."), 201)
    assert (await coverage(http, submitter, alert))["refused"] == 1


async def test_a_receipt_is_for_an_alert_that_exists(http: httpx2.AsyncClient, counter: Caller) -> None:
    expect(await receipt(http, counter, {"id": "alr_nothing"}, "received"), 404)
    expect(await receipt(http, counter, {"id": "alr_nothing"}, "seen"), 422)


@pytest.mark.parametrize("role", ["submitter", "duty_officer", "supervisor", "auditor"])
async def test_only_checkpoints_give_receipts(http: httpx2.AsyncClient, actors: Actors, role: str) -> None:
    alert = (await sound(http, await actors.client("submitter")))["alert"]
    expect(await receipt(http, await actors.client(role), alert, "received"), 403)


async def test_many_repeats_at_once_are_one_receipt(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    alert = (await sound(http, await actors.client("submitter")))["alert"]
    answers = await asyncio.gather(*(receipt(http, counter, alert, "received") for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [*[200] * 7, 201]


async def test_coverage_counts_checkpoints_not_clients(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    submitter = await actors.client("submitter")
    alert = (await sound(http, submitter))["alert"]
    before = await coverage(http, submitter, alert)
    assert (before["recipients"], before["received"]) == (alert["recipients"], 0)
    assert len(before["unreached"]) == len(before["checkpoints"]) == alert["recipients"]
    assert (before["p50_ms"], before["p99_ms"]) == (None, None)
    lanes = [await actors.client("checkpoint") for _ in range(3)]
    elsewhere = await actors.client("checkpoint", checkpoint="DPS", kind="autogate")
    clock.advance(milliseconds=200)
    for lane in lanes:
        await receipt(http, lane, alert, "received")
        clock.advance(milliseconds=100)
    await receipt(http, elsewhere, alert, "received")
    await receipt(http, lanes[2], alert, "acknowledged")
    told = await coverage(http, submitter, alert)
    assert (told["received"], told["acknowledged"], told["refused"]) == (2, 1, 0)
    assert {place["code"]: place["ms"] for place in told["checkpoints"] if place["received_at"]} == {
        "CGK": 200,
        "DPS": 500,
    }
    assert (told["p50_ms"], told["p99_ms"]) == (200, 500)
    assert len(told["unreached"]) == alert["recipients"] - 2
    assert not {"CGK", "DPS"} & set(told["unreached"])
    (reached,) = [place for place in told["checkpoints"] if place["code"] == "CGK"]
    assert reached["acknowledged_at"] == "2026-11-23T03:00:00.500000Z"


async def test_coverage_is_for_the_owner_the_duty_officer_and_auditors(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    alert = (await sound(http, await actors.client("submitter")))["alert"]
    path = f"/v1/alerts/{alert['id']}/coverage"
    told = {}
    for role in ("submitter", "verifier", "duty_officer", "auditor"):
        told[role] = (await http.get(path, headers=(await actors.client(role)).headers)).status_code
    assert set(told.values()) == {200}
    other = await actors.client("submitter", agency="BNN")
    assert (await http.get(path, headers=other.headers)).status_code == 404
    assert (await http.get(path, headers=counter.headers)).status_code == 403


async def test_recipients_are_fixed_when_the_first_alert_leaves(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    submitter, admin = await actors.client("submitter"), await actors.client("admin")
    raised = await sound(http, submitter)
    place = {"name": "Pos Lintas Batas Baru", "mode": "land", "zone": "Asia/Makassar"}
    expect(await http.put("/v1/checkpoints/NEW-1", json=place, headers=admin.headers), 201)
    await change_place(http, actors, "/v1/checkpoints/SUB", active=False)
    duty = await actors.client("duty_officer")
    await decide(http, duty, raised["entry"], "countersign")
    reader = await actors.client("checkpoint", checkpoint="DPS")
    update = expect(await http.get("/v1/alerts", headers=reader.headers), 200)["items"][-1]
    codes = {place["code"] for place in (await coverage(http, duty, update))["checkpoints"]}
    assert "SUB" in codes
    assert "NEW-1" not in codes
    later = (await sound(http, submitter))["alert"]
    codes = {place["code"] for place in (await coverage(http, duty, later))["checkpoints"]}
    assert "NEW-1" in codes
    assert "SUB" not in codes


async def test_a_drill_is_delivered_receipted_and_never_matched(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    duty = await actors.client("duty_officer")
    wanted = {"kind": "exercise", "message": "Exercise: Raka Prambanan", "checkpoints": ["CGK", "DPS"]}
    drill = expect(await http.post("/v1/alerts", json=wanted, headers=duty.headers), 201)
    assert (drill["kind"], drill["recipients"]) == ("exercise", 2)
    (told,) = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
    assert (told["id"], told["kind"], told["message"]) == (drill["id"], "exercise", wanted["message"])
    assert (told["entry"], told["action"], told["direction"]) == (None, None, None)
    expect(await receipt(http, counter, drill, "acknowledged"), 201)
    assert (await coverage(http, duty, drill))["unreached"] == ["DPS"]
    asked = {"direction": "exit", "person": {"name": "Raka Prambanan", "birth_date": "1970"}}
    answer = expect(await http.post("/v1/checks", json=asked, headers=counter.headers), 200)
    assert (answer["outcome"], answer["matches"]) == ("clear", [])


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "raise", "message": "x"},
        {"kind": "exercise"},
        {"kind": "exercise", "message": "x", "checkpoints": ["NOWHERE"]},
        {"kind": "exercise", "message": "x", "checkpoints": []},
        {"kind": "exercise", "message": "x" * 1001},
        {"kind": "exercise", "message": "x", "entry": "ent_1"},
    ],
)
async def test_a_drill_with_faults_is_not_sent(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, wanted: Json
) -> None:
    duty = await actors.client("duty_officer")
    problem = expect(await http.post("/v1/alerts", json=wanted, headers=duty.headers), 422)
    assert "Kind" not in str(problem["errors"]), "no class is named"
    assert expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"] == []


async def test_only_a_duty_officer_calls_a_drill(http: httpx2.AsyncClient, actors: Actors) -> None:
    wanted = {"kind": "exercise", "message": "x"}
    for role in ("submitter", "approver", "checkpoint", "admin"):
        caller = await actors.client(role)
        expect(await http.post("/v1/alerts", json=wanted, headers=caller.headers), 403)


async def test_silence_is_put_on_record_once_an_alert_is_overdue(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    counter: Caller,
    clock: SettableClock,
    worker: Worker,
) -> None:
    alert = (await sound(http, await actors.client("submitter")))["alert"]
    await receipt(http, counter, alert, "acknowledged")
    clock.advance(seconds=59)
    assert await worker.notify_unacknowledged_alerts() == 0
    clock.advance(seconds=1)
    assert await worker.notify_unacknowledged_alerts() == 1
    assert await worker.notify_unacknowledged_alerts() == 0
    async with runtime.reading(SYSTEM) as reader:
        told = (await reader.run(select(audit).where(audit.c.act == "alert.unacknowledged"))).all()
    assert [row.object for row in told] == [alert["id"]]
    assert f'"unacknowledged":{alert["recipients"] - 1}' in told[0].detail.replace(" ", "")
    assert '"chase":[]' in told[0].detail.replace(" ", "")


async def test_nobody_is_chased_for_an_alert_that_was_withdrawn(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    await decide(http, await actors.client("duty_officer"), raised["entry"], "reject", "A mistake.")
    clock.advance(minutes=2)
    assert await worker.notify_unacknowledged_alerts() == 0


async def test_what_officers_write_in_receipts_of_drills_is_erased_after_question_days(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    counter: Caller,
    clock: SettableClock,
    worker: Worker,
) -> None:
    duty = await actors.client("duty_officer")
    drill = {"kind": "exercise", "message": "Latihan."}
    drills = [expect(await http.post("/v1/alerts", json=drill, headers=duty.headers), 201) for _ in range(2)]
    raised = (await sound(http, await actors.client("submitter")))["alert"]

    async def acknowledge(alert: Json, officer: str) -> None:
        body = {"level": "acknowledged", "officer_reference": officer, "note": f"Dari {officer}."}
        path = f"/v1/alerts/{alert['id']}/receipts"
        expect(await http.post(path, json=body, headers=counter.headers), 201)

    await acknowledge(drills[0], "Hendrawan")
    await acknowledge(raised, "Mulyadi")
    clock.advance(days=89)
    await acknowledge(drills[1], "Kusnadi")
    await worker.tidy()
    assert await found_in(runtime, ["Hendrawan"]) != {}
    clock.advance(days=1, seconds=1)
    await worker.tidy()
    assert await found_in(runtime, ["Hendrawan"]) == {}
    assert await found_in(runtime, ["Kusnadi"]) != {}, "its term began with the receipt"
    assert await found_in(runtime, ["Mulyadi"]) != {}, "it goes with the person of the entry"
    clock.advance(days=89)
    await worker.tidy()
    assert await found_in(runtime, ["Kusnadi"]) == {}
    assert (await coverage(http, duty, drills[0]))["acknowledged"] == 1
    salted = select(func.count()).where(receipt_table.c.salt.is_not(None))
    async with runtime.reading(SYSTEM) as reader:
        assert (await reader.run(salted)).scalar_one() == 1, "without the salt nobody can guess the texts"
