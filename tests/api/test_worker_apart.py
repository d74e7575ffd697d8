"""One item that fails does not keep the others of a round of the worker waiting."""

from collections import Counter
from typing import Any

import httpx2
import pytest
from sqlalchemy import ColumnElement, select, text, update

from app.access.domain import SYSTEM
from app.alerting.alerts.tables import alert as alert_table
from app.alerting.notices import rounds as notices
from app.alerting.notices.tables import notice as notice_table
from app.border.checks.tables import check as check_table
from app.border.hits import service as hits_service
from app.border.hits.tables import hit as hit_table
from app.border.lookbacks.tables import lookback as lookback_table
from app.db.types import metadata
from app.register.entries.tables import entry as entry_table
from app.register.supervision.tables import report as report_table
from app.runtime import Runtime
from app.worker import Worker
from tests.api.register.test_departure_delays import record as record_delay
from tests.api.register.test_supervision import report_body
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, formal_body, revocation_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.crossings import ask, namesakes
from tests.support.erasure import PERSON, found_in
from tests.support.poison import errors, refusing, spoil
from tests.support.steps import (
    Json,
    approve,
    decide,
    expect,
    file_amendment,
    formalise,
    impose,
    sound,
    submit,
)

BATCHES = (
    "app.alerting.alerts.rounds._BATCH_SIZE",
    "app.worker.SMALL_BATCH_SIZE",
    "app.erasing.BATCH_SIZE",
    "app.alerting.notices.rounds._BATCH_SIZE",
    "app.border.hits.creation._BATCH_SIZE",
    "app.border.hits.service._BATCH_SIZE",
    "app.border.lookbacks.service._BATCH_SIZE",
)


@pytest.fixture(params=["alone in its batch", "beside others"], autouse=True)
def _place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the item stands that fails: alone, so that it fills its batch, or among others that can be done."""
    if request.param == "alone in its batch":
        for name in BATCHES:
            monkeypatch.setattr(name, 1)


async def named(http: httpx2.AsyncClient, by: Caller, name: str) -> list[Json]:
    items = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [each for each in items if each["name"] == name]


async def stored(runtime: Runtime, *wanted: ColumnElement[Any]) -> list[Any]:
    """The rows of the register with these columns."""
    async with runtime.reading(SYSTEM) as reader:
        return list((await reader.run(select(*wanted))).all())


async def test_an_end_that_can_not_be_recorded_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    owner = await actors.client("submitter")
    entries = [(await sound(http, owner))["entry"]["id"] for _ in range(2)]
    await spoil(runtime, entry_table.c.id, entries[0], document="{")
    clock.advance(days=21)
    assert await worker.end_by_law() == 1
    assert errors(caplog) == ["an entry's end can't be recorded now"]
    rows = await stored(runtime, entry_table.c.id, entry_table.c.state)
    assert {entry_id: state for entry_id, state in rows if entry_id in entries} == {
        entries[0]: "provisional",
        entries[1]: "ended",
    }


async def test_a_beginning_that_can_not_be_announced_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    owner, duty = await actors.client("submitter"), await actors.client("duty_officer")
    formal = []
    for starts_on, ends_on in (("2026-11-30", "2027-05-30"), ("2026-12-01", "2027-06-01")):
        urgent = await decide(http, duty, (await sound(http, owner))["entry"], "countersign")
        answer = await formalise(http, owner, urgent, formal_body(starts_on=starts_on, ends_on=ends_on))
        formal.append((await approve(http, actors, expect(answer, 201)))["id"])
    await spoil(runtime, entry_table.c.id, formal[0], document="{")
    clock.set("2026-12-02T00:00:00+07:00")
    assert await worker.announce_begun() == 1
    assert errors(caplog) == ["a beginning can't be announced now"]
    assert formal[1] in {each.entry_id for each in await stored(runtime, alert_table.c.entry_id)}


async def test_a_wait_for_papers_that_can_not_be_announced_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    owner, duty = await actors.client("submitter"), await actors.client("duty_officer")
    entries = []
    for _ in range(2):
        urgent = await decide(http, duty, (await sound(http, owner))["entry"], "countersign")
        papers = formal_body(starts_on="2026-12-13", ends_on="2027-06-12")
        formal = expect(await formalise(http, owner, urgent, papers), 201)
        await decide(http, await actors.client("verifier"), formal, "verify")
        entries.append(urgent["id"])
    await spoil(runtime, entry_table.c.id, entries[0], document="{")
    alerts = Counter(each.entry_id for each in await stored(runtime, alert_table.c.entry_id))
    clock.set("2026-12-13T09:00:00+07:00")
    assert await worker.end_by_law() == 1
    assert errors(caplog) == ["undecided papers can't be announced now"]
    alerts[entries[1]] += 1
    assert Counter(each.entry_id for each in await stored(runtime, alert_table.c.entry_id)) == alerts


async def test_name_keys_that_can_not_be_renewed_keep_no_others_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    caplog: pytest.LogCaptureFixture,
) -> None:
    owner = await actors.client("submitter")
    entries = [(await submit(http, owner))["id"] for _ in range(3)]
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(update(entry_table).values(norm_version=0))
    await spoil(runtime, entry_table.c.id, entries[0], document="{")
    assert await worker.renew_names() == 2
    assert errors(caplog) == ["the name keys of an entry can't be renewed now"]
    rows = await stored(runtime, entry_table.c.id, entry_table.c.norm_version)
    assert {entry_id for entry_id, version in rows if version == 0} == {entries[0]}
    caplog.clear()
    assert await worker.renew_names() == 0
    assert errors(caplog) == ["the name keys of an entry can't be renewed now"]


async def test_a_reminder_that_can_not_be_written_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    counter: Caller,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hits = []
    for _ in range(2):
        body, question = namesakes()
        await impose(http, actors, body)
        hits.append((await ask(http, counter, question))["hit_id"])
        clock.advance(seconds=1)
    assert await worker.create_hits() == 2
    await spoil(runtime, hit_table.c.id, hits[0], document="{")
    clock.advance(hours=1)
    assert await worker.create_hits() == 1
    assert errors(caplog) == ["a hit's reminder can't be written now"]
    duty = await actors.client("duty_officer")
    assert [each["hit_id"] for each in await named(http, duty, "hit_unresolved")] == [hits[1]]


async def test_hits_are_created_though_those_that_were_lost_can_not_be_looked_for(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    counter: Caller,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fail(_: Runtime) -> None:
        raise ValueError

    monkeypatch.setattr(hits_service, "requeue_lost", fail)
    body, question = namesakes()
    await impose(http, actors, body)
    await ask(http, counter, question)
    assert await Worker(runtime).create_hits() == 1
    assert errors(caplog) == ["a part of a round of the worker has failed"]


async def test_an_alert_of_which_officers_can_not_be_notified_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    owner, duty = await actors.client("submitter"), await actors.client("duty_officer")
    alerts = []
    for _ in range(2):
        alerts.append((await sound(http, owner))["alert"]["id"])
        clock.advance(seconds=1)
    await spoil(runtime, alert_table.c.id, alerts[0], chase="{")
    clock.advance(minutes=2)
    assert await worker.notify_unacknowledged_alerts() == 1
    assert [each["alert_id"] for each in await named(http, duty, "unacknowledged")] == [alerts[1]]
    assert errors(caplog) == ["officers can't be notified of a missing acknowledgement now"]
    await spoil(runtime, alert_table.c.id, alerts[0], chase="[]")
    assert await worker.notify_unacknowledged_alerts() == 1


@PERSON
async def test_a_report_that_can_not_be_erased_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    team = await actors.client("timpora")
    reports = []
    for place in ("Galangan Batu Ampar", "Kawasan Muka Kuning"):
        body = report_body() | {"place": place}
        reports.append(
            expect(await http.post("/v1/supervision-reports", json=body, headers=team.headers), 201)
        )
        clock.advance(seconds=1)
    await spoil(runtime, report_table.c.id, reports[0]["id"], document="{")
    clock.advance(days=101)
    assert await worker.retain() == 1
    assert await found_in(runtime, ["Muka Kuning"]) == {}
    assert errors(caplog) == ["a supervision report can't be erased now"]


async def test_an_erasure_that_fails_keeps_no_other_erasure_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    counter: Caller,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    duty = await actors.client("duty_officer")
    drill = {"kind": "exercise", "message": "Latihan."}
    called = expect(await http.post("/v1/alerts", json=drill, headers=duty.headers), 201)
    said = {"level": "acknowledged", "officer_reference": "Hendrawan"}
    expect(await http.post(f"/v1/alerts/{called['id']}/receipts", json=said, headers=counter.headers), 201)
    clock.advance(days=91)
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text("ALTER TABLE idempotent_answer RENAME TO idempotent_answer_elsewhere"))
    await worker.tidy()
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text("ALTER TABLE idempotent_answer_elsewhere RENAME TO idempotent_answer"))
    assert await found_in(runtime, ["Hendrawan"]) == {}
    assert errors(caplog) == ["a part of a round of the worker has failed"]


async def test_a_hit_that_can_not_be_created_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    counter: Caller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = []
    for _ in range(2):
        body, question = namesakes()
        await impose(http, actors, body)
        asked.append(await ask(http, counter, question))
    async with runtime.writing_checks(SYSTEM) as unit:
        spoiled = update(check_table).where(check_table.c.hit_id == asked[0]["hit_id"])
        kept = await unit.run(select(check_table.c.matches).where(check_table.c.hit_id == asked[0]["hit_id"]))
        matches = kept.scalar_one()
        await unit.run(spoiled.values(matches="{"))
    assert await worker.create_hits() == 1
    async with runtime.reading(SYSTEM) as reader:
        assert list((await reader.run(select(hit_table.c.id))).scalars()) == [asked[1]["hit_id"]]
    assert errors(caplog) == ["a hit can't be created now"]
    async with runtime.writing_checks(SYSTEM) as unit:
        await unit.run(spoiled.values(matches=matches))
    assert await worker.create_hits() == 1


async def test_a_search_of_past_checks_that_fails_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    owner = await actors.client("submitter")
    entries = []
    for _ in range(2):
        entries.append((await sound(http, owner))["entry"]["id"])
        clock.advance(seconds=1)
    await spoil(runtime, entry_table.c.id, entries[0], document="{")
    await worker.look_back()
    waiting = select(lookback_table.c.entry_id).where(lookback_table.c.due_at <= clock())
    async with runtime.reading(SYSTEM) as reader:
        assert list((await reader.run(waiting)).scalars()) == [entries[0]]
    assert errors(caplog) == ["a search of past checks can't be continued now"]


async def test_an_entry_that_can_not_be_read_keeps_no_notice_of_another_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entries = []
    for _ in range(2):
        entries.append((await impose(http, actors))["id"])
        clock.advance(seconds=1)
    await spoil(runtime, entry_table.c.id, entries[0], document="{")
    clock.advance(days=10)
    assert await worker.notify_officers() > 0
    overdue = await named(http, await actors.client("verifier"), "overdue")
    assert {each["entry_id"] for each in overdue} == {entries[1]}
    assert set(errors(caplog)) == {"officers can't be notified about an entry now"}


async def test_a_near_end_of_which_an_owner_can_not_be_notified_is_tried_again_each_day(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    owner: Caller,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entries = [(await impose(http, actors))["id"] for _ in range(2)]
    [document] = [row.document for row in await stored(runtime, *entry_table.c) if row.id == entries[0]]
    await spoil(runtime, entry_table.c.id, entries[0], document="{")
    clock.set("2027-05-16T09:00:00+07:00")
    for _ in range(2):
        await notices.notify_ends_soon(runtime)
    assert {each["entry_id"] for each in await named(http, owner, "ends_soon")} == {entries[1]}
    assert errors(caplog) == ["officers can't be notified about an entry now"]
    await spoil(runtime, entry_table.c.id, entries[0], document=document)
    assert await notices.notify_ends_soon(runtime) == 0
    clock.advance(days=1)
    await notices.notify_ends_soon(runtime)
    assert {each["entry_id"] for each in await named(http, owner, "ends_soon")} == set(entries)


async def test_a_late_act_of_which_officers_can_not_be_notified_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    owner: Caller,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    late = []
    for _ in range(2):
        entry = await impose(http, actors)
        body = revocation_body(entry)
        late.append(expect(await file_amendment(http, owner, entry, body), 201)["id"])
    clock.advance(days=30)
    async with refusing(runtime, notice_table.c.key, f"overdue:{late[0]}"):
        await notices.notify_overdue(runtime)
    assert errors(caplog) == ["officers can't be notified of a late act now"]
    told = {each["amendment_id"] for each in await named(http, owner, "overdue")}
    assert told & set(late) == {late[1]}


@pytest.mark.settings(urgent_countersign_first=True)
async def test_an_urgent_entry_that_can_not_be_read_keeps_no_other_from_its_countersignature(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    entries = [(await sound(http, submitter))["entry"]["id"] for _ in range(2)]
    await spoil(runtime, entry_table.c.id, entries[0], document="{")
    clock.advance(minutes=31)
    assert await notices.notify_countersign_awaited(runtime) == 1
    assert errors(caplog) == ["officers can't be notified about an entry now"]
    awaited = Counter(each["entry_id"] for each in await named(http, duty, "countersign_awaited"))
    assert awaited == {entries[0]: 1, entries[1]: 2}


async def test_undecided_papers_that_can_not_be_read_keep_no_others_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    owner: Caller,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    duty, entries = await actors.client("duty_officer"), []
    for _ in range(2):
        urgent = await decide(http, duty, (await sound(http, owner))["entry"], "countersign")
        papers = formal_body(starts_on="2026-12-13", ends_on="2027-06-12")
        formal = expect(await formalise(http, owner, urgent, papers), 201)
        await decide(http, await actors.client("verifier"), formal, "verify")
        entries.append(urgent["id"])
    await spoil(runtime, entry_table.c.id, entries[0], document="{")
    clock.set("2026-12-13T09:00:00+07:00")
    assert await notices.notify_undecided(runtime) == 1
    assert errors(caplog) == ["officers can't be notified about an entry now"]
    assert [each["entry_id"] for each in await named(http, owner, "pending_undecided")] == [entries[1]]


async def test_a_past_check_that_can_not_be_compared_hides_no_other_from_the_search(
    http: httpx2.AsyncClient,
    runtime: Runtime,
    worker: Worker,
    counter: Caller,
    owner: Caller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = urgent_body()
    asked = [(await ask(http, counter, check_body(body["subject"])))["id"] for _ in range(3)]
    async with runtime.writing_checks(SYSTEM) as unit:
        spoiled = update(check_table).where(check_table.c.id == asked[1])
        await unit.run(spoiled.values(question="{", document_hash=b""))
    await sound(http, owner, body)
    assert await worker.look_back() == 2
    assert errors(caplog) == ["a past check can't be compared"]
    found = {each["check_id"] for each in await named(http, owner, "crossed_before")}
    assert found == {asked[0], asked[2]}


@pytest.mark.parametrize(
    ("name", "days"), [("departure_delay_traveller", 30), ("departure_delay_sponsor", 60)]
)
@pytest.mark.settings(delay_personal_days=30, delay_sponsor_days=60)
async def test_a_delayed_departure_that_can_not_be_erased_keeps_no_other_waiting(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    clock: SettableClock,
    caplog: pytest.LogCaptureFixture,
    name: str,
    days: int,
) -> None:
    officer = await actors.client("supervisor")
    stuck, _ = [
        (await record_delay(http, officer, occurred_at=f"2026-11-23T0{hour}:00:00Z"))["id"] for hour in (1, 2)
    ]
    column = metadata.tables[name].c.delay_id
    clock.advance(days=days)
    async with refusing(runtime, column, stuck):
        await worker.tidy()
    assert errors(caplog) == ["a delayed departure can't be erased now"]
    assert {row.delay_id for row in await stored(runtime, column)} == {stuck}
    await worker.tidy()
    assert await stored(runtime, column) == []
