"""`GET /v1/statistics`: what is counted, where, for which readers; what is hidden; JSON and CSV."""

import asyncio
import csv
import io
from typing import Any

import pytest
from httpx2 import AsyncClient
from sqlalchemy import select, update

from app.access.domain import SYSTEM
from app.access.tables import audit, office
from app.casework.statistics import store
from app.casework.statistics.figures import Figure
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, deterrence_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.refusals import refused
from tests.support.steps import Json, decide, expect, impose, sound, submit

PATH = "/v1/statistics"
NOTHING_SMALL = pytest.mark.settings(statistics_smallest_cell=1)


async def read(http: AsyncClient, by: Caller, *dimensions: str, **asked: Any) -> Json:
    params = {"by": list(dimensions), **asked} if dimensions else asked
    return expect(await http.get(PATH, params=params, headers=by.headers), 200)


def told(figures: Json, *names: str) -> list[Any]:
    """The values of figures; a hidden one as "hidden"."""
    return ["hidden" if figures[n]["suppressed"] else figures[n]["value"] for n in names]


def table(answer: Json, *names: str) -> dict[Any, list[Any]]:
    """The values of figures in each row and total, by the values of the dimensions."""
    rows = [*answer["rows"], *answer["totals"], {"group": {}, "figures": answer["total"]}]
    return {
        tuple(row["group"].get(dimension) for dimension in answer["by"]): told(row["figures"], *names)
        for row in rows
    }


@NOTHING_SMALL
async def test_entries_are_counted_by_what_they_are_and_when(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    auditor = await actors.client("auditor")
    await impose(http, actors)
    await impose(http, actors, deterrence_body())
    await sound(http, await actors.client("submitter"))
    clock.advance(days=9)  # 2 December
    late = entry_body(
        basis={"issued_on": "2026-12-01", "received_on": "2026-12-02", "reason_code": "narcotics"}
    )
    await submit(http, await actors.client("submitter"), late)
    names = ("entries_made", "entries_urgent", "entries_in_force", "decision_met", "countersign_missed")
    assert table(await read(http, auditor, "measure"), *names) == {
        ("deterrence",): [1, 0, 1, 1, 0],
        ("prevention",): [3, 1, 1, 1, 1],
        (None,): [4, 1, 2, 2, 1],
    }
    by_month = table(await read(http, auditor, "month", **{"from": "2026-10-01"}), *names)
    assert by_month == {
        ("2026-10",): [0, 0, 0, 0, 0],
        ("2026-11",): [3, 1, 2, 2, 1],
        ("2026-12",): [1, 0, 2, 0, 0],
        (None,): [4, 1, 2, 2, 1],
    }
    assert table(await read(http, auditor, "agency", "reason"), "entries_made", "entries_ended") == {
        ("IMIGRASI", "overstay"): [1, 0],
        ("KPK", "corruption"): [2, 1],
        ("KPK", "narcotics"): [1, 0],
        ("IMIGRASI", None): [1, 0],
        ("KPK", None): [3, 1],
        (None, "corruption"): [2, 1],
        (None, "narcotics"): [1, 0],
        (None, "overstay"): [1, 0],
        (None, None): [4, 1],
    }
    assert table(await read(http, auditor, "province"), "entries_made") == {
        ("Kepulauan Riau",): [1],
        ("unknown",): [3],
        (None,): [4],
    }


@NOTHING_SMALL
async def test_an_office_that_has_moved_counts_in_its_present_province(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    await impose(http, actors, deterrence_body())
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(update(office).where(office.c.code == "KANIM-BATAM").values(province="Aceh"))
    answer = await read(http, await actors.client("auditor"), "province")
    assert table(answer, "entries_made") == {("Aceh",): [1], (None,): [1]}


@NOTHING_SMALL
async def test_what_happened_outside_the_legal_days_is_not_counted(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    auditor = await actors.client("auditor")
    clock.set("2026-11-23T16:59:59.999Z")
    await submit(http, await actors.client("submitter"))
    clock.set("2026-11-23T17:00:00Z")
    await submit(http, await actors.client("submitter"))
    clock.advance(days=3)
    for first, last, number in (
        ("2026-11-23", "2026-11-23", 1),
        ("2026-11-24", "2026-11-24", 1),
        ("2026-11-23", "2026-11-24", 2),
        ("2026-11-25", "2026-11-26", 0),
    ):
        answer = await read(http, auditor, "measure", **{"from": first, "to": last})
        assert answer["total"]["entries_made"]["value"] == number, (first, last)


@NOTHING_SMALL
async def test_ends_are_counted_by_their_reason_and_what_stood_then_is_told_later(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
):
    auditor, submitter = await actors.client("auditor"), await actors.client("submitter")
    duty = await actors.client("duty_officer")
    await decide(http, duty, (await sound(http, submitter))["entry"], "countersign")
    await decide(http, duty, (await sound(http, submitter))["entry"], "reject", "No such case.")
    await impose(http, actors, entry_body(ends_on="2026-12-01"))
    clock.advance(days=30)
    names = ("entries_in_force", "entries_rejected", "entries_ended", "ended_expired", "ended_lapsed")
    for _ in range(2):  # the same before and after the ends are told
        answer = await read(http, auditor, "measure", **{"from": "2026-11-01"})
        assert table(answer, *names)["prevention",] == [0, 1, 2, 1, 1]
        then = await read(http, auditor, "measure", **{"from": "2026-11-01", "to": "2026-11-30"})
        assert table(then, *names)["prevention",] == [2, 1, 0, 0, 0]
        await worker.end_by_law()
    assert told(answer["total"], "countersign_met", "countersign_missed") == [1, 0]


@NOTHING_SMALL
async def test_deadlines_are_met_or_missed_or_still_open(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    auditor, submitter = await actors.client("auditor"), await actors.client("submitter")
    verifier, approver = await actors.client("verifier"), await actors.client("approver")
    names = ("decision_met", "decision_missed", "minister_met", "minister_missed", "countersign_missed")

    async def now() -> list[Any]:
        return told((await read(http, auditor, "measure"))["total"], *names)

    waiting = await submit(http, submitter)
    late = entry_body(basis={"issued_on": "2026-11-16", "late_reason": "The courier was ill."})
    answered = await submit(http, submitter, late)
    await decide(http, verifier, answered, "return", "The letter is missing.")
    await sound(http, submitter)
    assert await now() == [1, 0, 1, 0, 0]  # a returned request owes no delivery
    clock.set("2026-11-30T23:59:59.999+07:00")
    assert await now() == [1, 0, 1, 0, 1]
    clock.set("2026-12-01T00:00:00+07:00")
    assert await now() == [1, 1, 1, 0, 1]
    verified = await decide(http, verifier, waiting, "verify")
    await decide(http, approver, verified, "approve")
    assert await now() == [1, 1, 1, 0, 1]


async def _take_for_another(http: AsyncClient, supervisor: Caller) -> None:
    """Resolve the oldest hit of a checkpoint: it was somebody else."""
    hits = expect(await http.get("/v1/hits", headers=supervisor.headers), 200)["items"]
    said = {"outcome": "not_same_person", "action": "allow", "note": "Another face, another birth place."}
    path, on = f"/v1/hits/{hits[-1]['id']}/resolutions", supervisor.on(f'"{hits[-1]["version"]}"')
    expect(await http.post(path, json=said, headers=on), 201)


@NOTHING_SMALL
async def test_checks_and_hits_are_counted_at_their_checkpoint(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    auditor, body, other = await actors.client("auditor"), entry_body(), deterrence_body()
    await impose(http, actors, body)
    await impose(http, actors, other)
    jakarta, bali = await actors.client("checkpoint"), await actors.client("checkpoint", checkpoint="DPS")
    for by, subject, direction in (
        (jakarta, body, "exit"),
        (bali, body, "exit"),
        (bali, body, "entry"),
        (bali, other, "entry"),
        (bali, entry_body(), "exit"),
    ):
        question = check_body(subject["subject"], direction)
        expect(await http.post("/v1/checks", json=question, headers=by.headers), 200)
        clock.advance(hours=20)
    await _take_for_another(http, await actors.client("supervisor", checkpoint="DPS"))
    names = ("checks", "hits", "refusals", "referrals", "false_hits")
    assert table(await read(http, auditor, "province"), *names) == {
        ("Bali",): [4, 2, 2, 0, 1],
        ("Banten",): [1, 1, 1, 0, 0],
        ("Kepulauan Riau",): [0, 0, 0, 0, 0],
        ("unknown",): [0, 0, 0, 0, 0],
        (None,): [5, 3, 3, 0, 1],
    }
    by_agency = table(await read(http, auditor, "agency", "province"), *names)
    assert by_agency["KPK", "Bali"] == [None, 1, 1, 0, 1]
    assert by_agency["IMIGRASI", "Bali"] == [None, 1, 1, 0, 0]
    assert by_agency["KPK", None] == [None, 2, 2, 0, 1]
    officer = await actors.client("verifier")
    own = table(await read(http, officer, "province"), *names)
    assert own[None,] == [None, 2, 2, 0, 1]
    immigration = await actors.client("submitter", agency="IMIGRASI")
    assert table(await read(http, immigration, "province"), *names)[None,] == [5, 1, 1, 0, 0]


@NOTHING_SMALL
async def test_how_fast_alerts_come_and_whether_they_are_acknowledged(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    auditor = await actors.client("auditor")
    raised = await sound(http, await actors.client("submitter"), urgent_body())
    path = f"/v1/alerts/{raised['alert']['id']}/receipts"
    for place, wait, level in (
        ("CGK", 200, "received"),
        ("CGK", 300, "acknowledged"),
        ("DPS", 500, "received"),
        ("SUB", 60_000, "acknowledged"),
    ):
        clock.advance(milliseconds=wait)
        counter = await actors.client("checkpoint", checkpoint=place)
        expect(await http.post(path, json={"level": level}, headers=counter.headers), 201)
    names = ("delivery_median_ms", "delivery_p99_ms", "acknowledge_met", "acknowledge_missed")
    assert table(await read(http, auditor, "agency"), *names) == {
        ("KPK",): [1000, 61000, 1, raised["alert"]["recipients"] - 1],
        (None,): [1000, 61000, 1, raised["alert"]["recipients"] - 1],
    }
    drill = {"kind": "exercise", "message": "A drill.", "checkpoints": None}
    expect(
        await http.post("/v1/alerts", json=drill, headers=(await actors.client("duty_officer")).headers), 201
    )
    assert told((await read(http, auditor))["total"], *names)[:2] == [1000, 61000]


@NOTHING_SMALL
async def test_delays_and_corrections_are_counted_too(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    supervisor, auditor = await actors.client("supervisor"), await actors.client("auditor")
    entry = await impose(http, actors)
    delay = {
        "occurred_at": "2026-10-31T17:00:00Z",
        "reason": "no_work_permit",
        "referral": "bp3mi",
        "traveller": {"name": "Wulan Pucangan"},
    }
    expect(await http.post("/v1/departure-delays", json=delay, headers=supervisor.headers), 201)
    request = {
        "entry_id": entry["id"],
        "kind": "identity",
        "statement": "Born in another year.",
        "requester": {"name": "Wulan", "contact": "wulan@example.com"},
    }
    made = [
        expect(await http.post("/v1/correction-requests", json=request, headers=supervisor.headers), 201)
        for _ in range(3)
    ]
    approver = await actors.client("approver")
    body = {"outcome": "granted"}
    for told_before in made[:1]:
        path = f"/v1/correction-requests/{told_before['id']}/decisions"
        expect(await http.post(path, json=body, headers=approver.on('"1"')), 201)
    names = ("departure_delays", "correction_met", "correction_missed")
    assert table(await read(http, auditor, "month"), *names)["2026-11",] == [1, 1, 0]
    clock.advance(hours=73)
    assert table(await read(http, auditor, "month"), *names)["2026-11",] == [1, 1, 2]
    assert table(await read(http, auditor, "agency"), *names) == {
        ("KPK",): [None, 1, 2],
        (None,): [None, 1, 2],
    }


async def test_what_tells_of_few_persons_is_hidden_with_what_would_tell_it(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    auditor = await actors.client("auditor")
    for agency, number, instrument, reason in (
        ("KPK", 6, "order", "corruption"),
        ("BNN", 2, "request", "narcotics"),
        ("POLRI", 7, "request", "general_crime"),
    ):
        submitter = await actors.client("submitter", agency=agency)
        for _ in range(number):
            await submit(http, submitter, entry_body(basis={"instrument": instrument, "reason_code": reason}))
            clock.advance(seconds=1)
    names = ("entries_made", "entries_urgent", "entries_rejected")
    assert table(await read(http, auditor, "agency"), *names) == {
        ("BNN",): ["hidden", 0, 0],
        ("KPK",): ["hidden", 0, 0],
        ("POLRI",): [7, 0, 0],
        (None,): [15, 0, 0],
    }
    bnn = await actors.client("verifier", agency="BNN")
    own = await read(http, bnn, "month")
    assert (own["agency"], own["smallest_cell"]) == ("BNN", 5)
    assert told(own["total"], *names)[0] == "hidden"
    response = await http.get(
        PATH, params={"by": ["agency"]}, headers={**auditor.headers, "Accept": "text/csv"}
    )
    assert response.headers["content-type"].startswith("text/csv")
    assert response.headers["vary"] == "Accept, accept-encoding"
    lines = list(csv.DictReader(io.StringIO(response.text)))
    assert list(lines[0]) == ["agency", *Figure]
    assert (await read(http, auditor, "agency"))["total"].keys() == {*Figure}
    assert [(line["agency"], line["entries_made"], line["checks"]) for line in lines] == [
        ("BNN", "suppressed", ""),
        ("KPK", "suppressed", ""),
        ("POLRI", "7", ""),
        ("total", "15", ""),
    ]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"from": "2026-11-24"}, "period"),
        ({"to": "2026-11-24"}, "future"),
        ({"from": "2024-11-01"}, "period"),
        ({"by": ["month", "month"]}, "twice"),
        ({"by": ["person"]}, "enum"),
        ({"by": ["month", "agency", "reason"]}, "too_long"),
        ({"from": "yesterday"}, "day"),
    ],
)
async def test_what_can_not_be_counted_is_refused(http: AsyncClient, actors: Actors, asked: Json, code: str):
    auditor = await actors.client("auditor")
    faults = refused(await http.get(PATH, params=asked, headers=auditor.headers), 422, "validation")
    assert code in faults.values()


@NOTHING_SMALL
async def test_while_a_table_is_counted_entries_are_written_and_the_next_table_waits_its_turn(
    http: AsyncClient, actors: Actors, monkeypatch: pytest.MonkeyPatch
):
    auditor, submitter = await actors.client("auditor"), await actors.client("submitter")
    await submit(http, submitter)
    counting, go_on, begun = store.list_alerts, asyncio.Event(), asyncio.Event()
    calls = []

    async def interrupted(*args: Any) -> list[store.Sent]:
        calls.append(1)
        begun.set()
        await go_on.wait()
        return await counting(*args)

    monkeypatch.setattr(store, "list_alerts", interrupted)
    first = asyncio.create_task(read(http, auditor, "measure"))
    await begun.wait()
    second = asyncio.create_task(read(http, auditor, "measure"))
    await submit(http, submitter)
    assert (len(calls), second.done()) == (1, False)
    go_on.set()
    made = [(await task)["total"]["entries_made"]["value"] for task in (first, second)]
    assert made == [1, 2]


async def test_who_reads_whose_figures(http: AsyncClient, actors: Actors, runtime: Runtime):
    for role in ("auditor", "approver", "admin"):
        assert (await read(http, await actors.client(role)))["agency"] is None, role
    for role, agency in (("submitter", "KPK"), ("verifier", "BNN"), ("duty_officer", "IMIGRASI")):
        assert (await read(http, await actors.client(role, agency=agency)))["agency"] == agency, role
    for role in ("supervisor", "checkpoint", "carrier"):
        other = await actors.client(role)
        refused(await http.get(PATH, headers=other.headers), 403, "wrong-role")
    async with runtime.reading(SYSTEM) as reader:
        acts = await reader.run(select(audit.c.object).where(audit.c.act == "statistics.read"))
        assert sorted(map(str, acts.scalars())) == ["BNN", "IMIGRASI", "KPK", "None", "None", "None"]


async def test_an_empty_register_has_a_row_for_each_month(http: AsyncClient, actors: Actors):
    answer = await read(http, await actors.client("auditor"))
    assert (answer["from_on"], answer["to_on"]) == ("2025-11-24", "2026-11-23")
    months = ["2025-11", "2025-12", *(f"2026-{month:02}" for month in range(1, 12))]
    assert [row["group"]["month"] for row in answer["rows"]] == months
    assert all(value["value"] in {0, None} for value in answer["total"].values())
