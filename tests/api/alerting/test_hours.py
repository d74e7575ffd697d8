"""Opening hours of checkpoints: set by admins, read by those on duty; what closed means for alerts (API section 8)."""

import asyncio

import httpx2
import pytest
from sqlalchemy import event

from app.access.domain import SYSTEM
from app.alerting.hours.domain import DutyState
from app.alerting.hours.service import duty_of
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock
from tests.support.steps import Json, expect, sound

PATH = "/v1/checkpoints/CGK/hours"
CLOSURES = "/v1/checkpoints/CGK/closures"
MORNINGS = {
    "weekly": [{"weekday": day, "opens": "06:00", "closes": "11:00"} for day in ("monday", "tuesday")],
    "exceptions": [{"day": "2026-11-24", "openings": []}],
    "standby": False,
}


async def set_hours(http: httpx2.AsyncClient, by: Caller, path: str = PATH, **hours: object) -> Json:
    """Hours that an admin has set in place of those that were there."""
    read = await http.get(path, headers=by.headers)
    return expect(await http.put(path, json=hours, headers=by.on(read.headers["etag"])), 200)


async def plan(http: httpx2.AsyncClient, by: Caller, begins: str, ends: str) -> httpx2.Response:
    body = {"from": begins, "until": ends, "reason": "The runway is repaired."}
    return await http.post(CLOSURES, json=body, headers=by.headers)


async def test_hours_that_were_never_set_are_around_the_clock(
    http: httpx2.AsyncClient, counter: Caller
) -> None:
    answer = await http.get(PATH, headers=counter.headers)
    assert expect(answer, 200) == {
        "checkpoint": "CGK",
        "zone": "Asia/Jakarta",
        "weekly": [],
        "exceptions": [],
        "closed_on_holidays": False,
        "standby": False,
        "closures": [],
        "duty": {"state": "open", "until": None},
        "next_opening": None,
    }
    assert answer.headers["etag"].startswith('"0-')
    headers = {**counter.headers, "If-None-Match": answer.headers["etag"]}
    assert (await http.get(PATH, headers=headers)).status_code == 304
    expect(await http.get("/v1/checkpoints/NOWHERE/hours", headers=counter.headers), 404)


async def test_hours_are_set_on_the_version_that_was_read(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    admin = await actors.client("admin")
    expect(await http.put(PATH, json=MORNINGS, headers=admin.headers), 428)
    expect(await http.put("/v1/checkpoints/NOWHERE/hours", json=MORNINGS, headers=admin.on('"0"')), 404)
    first = await http.put(PATH, json=MORNINGS, headers=admin.on('"0"'))
    answer = expect(first, 200)
    assert answer["weekly"] == MORNINGS["weekly"]
    assert answer["exceptions"] == MORNINGS["exceptions"]
    assert answer["duty"] == {"state": "open", "until": "2026-11-23T04:00:00.000000Z"}
    assert answer["next_opening"] == "2026-11-29T23:00:00.000000Z"  # Tuesday is an exception
    assert first.headers["etag"].startswith('"1-')
    stale = expect(await http.put(PATH, json={}, headers=admin.on('"0"')), 412)
    assert stale["version"] == 1
    read = await http.get(PATH, headers=admin.headers)
    assert (expect(read, 200), read.headers["etag"]) == (answer, first.headers["etag"])
    clock.advance(hours=2)
    later = await http.get(PATH, headers={**admin.headers, "If-None-Match": first.headers["etag"]})
    assert expect(later, 200)["duty"]["state"] == "closed"
    assert expect(await http.put(PATH, json={}, headers=admin.on(first.headers["etag"])), 200)["weekly"] == []
    trail = expect(await http.get("/v1/audit?act=hours.changed", headers=admin.headers), 200)["items"]
    assert [(each["object"], each["detail"]) for each in trail] == [
        ("CGK", {"version": 2}),
        ("CGK", {"version": 1}),
    ]


async def test_of_two_admins_at_once_one_sets_the_hours(http: httpx2.AsyncClient, actors: Actors) -> None:
    admins = [await actors.client("admin") for _ in range(4)]
    answers = await asyncio.gather(
        *(http.put(PATH, json=MORNINGS, headers=admin.on('"0"')) for admin in admins)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"weekly": [{"weekday": "monday", "opens": "24:00", "closes": "06:00"}]}, "/weekly/0/opens"),
        ({"weekly": [{"weekday": "monday", "opens": "6:00", "closes": "07:00"}]}, "/weekly/0/opens"),
        ({"weekly": [{"weekday": "senin", "opens": "06:00", "closes": "07:00"}]}, "/weekly/0/weekday"),
        ({"exceptions": [{"day": "2026-02-30", "openings": []}]}, "/exceptions/0/day"),
        (
            {"exceptions": [{"day": "2026-02-03", "openings": []}, {"day": "2026-02-03", "openings": []}]},
            "/exceptions/1/day",
        ),
        ({"standby": "yes"}, "/standby"),
        ({"closures": []}, "/closures"),
    ],
)
async def test_faulty_hours_are_refused(
    http: httpx2.AsyncClient, actors: Actors, body: Json, pointer: str
) -> None:
    admin = await actors.client("admin")
    problem = expect(await http.put(PATH, json=body, headers=admin.on('"0"')), 422)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


async def test_a_closure_closes_from_its_beginning_and_can_be_withdrawn(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    admin = await actors.client("admin")
    closure = expect(await plan(http, admin, "2026-11-23T11:00:00+07:00", "2026-11-24T07:00:00+07:00"), 201)
    assert (closure["from"], closure["until"]) == (
        "2026-11-23T04:00:00.000000Z",
        "2026-11-24T00:00:00.000000Z",
    )
    before = expect(await http.get(PATH, headers=admin.headers), 200)
    assert before["closures"] == [closure]
    assert before["duty"] == {"state": "open", "until": closure["from"]}
    clock.advance(hours=2)
    during = expect(await http.get(PATH, headers=admin.headers), 200)
    assert during["duty"] == {"state": "closed", "until": closure["until"]}
    elsewhere = f"/v1/checkpoints/DPS/closures/{closure['id']}"
    expect(await http.delete(elsewhere, headers=admin.headers), 404)
    assert (await http.delete(f"{CLOSURES}/{closure['id']}", headers=admin.headers)).status_code == 204
    expect(await http.delete(f"{CLOSURES}/{closure['id']}", headers=admin.headers), 404)
    after = expect(await http.get(PATH, headers=admin.headers), 200)
    assert (after["closures"], after["duty"]["state"]) == ([], "open")
    for act in ("closure.planned", "closure.withdrawn"):
        (line,) = expect(await http.get(f"/v1/audit?act={act}", headers=admin.headers), 200)["items"]
        assert (line["object"], line["detail"]) == ("CGK", {"closure": closure["id"]})


async def test_a_closure_that_is_over_is_shown_no_more_and_stays(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    admin = await actors.client("admin")
    closure = expect(await plan(http, admin, "2026-11-23T04:00:00Z", "2026-11-23T05:00:00Z"), 201)
    clock.advance(hours=2)
    assert expect(await http.get(PATH, headers=admin.headers), 200)["closures"] == []
    expect(await http.delete(f"{CLOSURES}/{closure['id']}", headers=admin.headers), 404)


@pytest.mark.parametrize(
    ("begins", "ends", "pointer"),
    [
        ("2026-11-24T00:00:00Z", "2026-11-24T00:00:00Z", "/until"),
        ("2026-11-22T00:00:00Z", "2026-11-23T03:00:00Z", "/until"),
        ("2026-11-24T00:00:00Z", "2028-12-01T00:00:00Z", "/until"),
        ("2026-11-24T00:00:00Z", "9999-12-31T23:59:59-12:00", "/until"),
        ("0001-01-01T00:00:00+12:00", "2026-11-24T00:00:00Z", "/from"),
        ("2026-11-24", "2026-11-25T00:00:00Z", "/from"),
    ],
)
async def test_faulty_closures_are_refused(
    http: httpx2.AsyncClient, actors: Actors, begins: str, ends: str, pointer: str
) -> None:
    problem = expect(await plan(http, await actors.client("admin"), begins, ends), 422)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]


async def test_closures_are_limited_in_number(http: httpx2.AsyncClient, actors: Actors) -> None:
    admin = await actors.client("admin")
    for hour in range(100):
        expect(
            await plan(
                http, admin, "2026-11-24T00:00:00Z", f"2026-11-2{5 + hour // 24}T{hour % 24:02}:00:00Z"
            ),
            201,
        )
    problem = expect(await plan(http, admin, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z"), 422)
    assert [fault["code"] for fault in problem["errors"]] == ["too_many"]
    expect(
        await http.post(
            "/v1/checkpoints/NOWHERE/closures",
            headers=admin.headers,
            json={"from": "2026-11-24T00:00:00Z", "until": "2026-11-25T00:00:00Z", "reason": "x"},
        ),
        404,
    )


@pytest.mark.settings(public_holidays="2026-11-23")
async def test_a_holiday_of_the_deployment_closes(http: httpx2.AsyncClient, actors: Actors) -> None:
    shown = await set_hours(http, await actors.client("admin"), closed_on_holidays=True)
    assert shown["duty"] == {"state": "closed", "until": "2026-11-23T17:00:00.000000Z"}


async def test_coverage_sets_closed_checkpoints_apart(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    admin, submitter = await actors.client("admin"), await actors.client("submitter")
    nights = [{"weekday": "monday", "opens": "20:00", "closes": "23:00"}]
    for code, standby in (("DPS", False), ("SUB", True), ("BTH", False)):
        await set_hours(http, admin, f"/v1/checkpoints/{code}/hours", weekly=nights, standby=standby)
    alert = (await sound(http, submitter))["alert"]
    received = await actors.client("checkpoint", checkpoint="BTH")
    path = f"/v1/alerts/{alert['id']}"
    expect(await http.post(f"{path}/receipts", json={"level": "received"}, headers=received.headers), 201)

    shown = expect(await http.get(f"{path}/coverage", headers=submitter.headers), 200)
    assert shown["closed"] == ["DPS"]
    assert {"CGK", "SUB"} <= set(shown["unreached"])
    assert not {"DPS", "BTH"} & set(shown["unreached"])
    assert len(shown["unreached"]) + len(shown["closed"]) + shown["received"] == shown["recipients"]
    duties = {place["code"]: place["duty"] for place in shown["checkpoints"]}
    assert [duties[code] for code in ("CGK", "DPS", "SUB", "BTH")] == ["open", "closed", "standby", "closed"]

    clock.advance(hours=11)  # 21:00 in Jakarta, 22:00 in Denpasar
    shown = expect(await http.get(f"{path}/coverage", headers=submitter.headers), 200)
    assert (shown["closed"], "DPS" in shown["unreached"]) == ([], True)


async def test_duties_of_many_checkpoints_are_read_in_one_statement(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors
) -> None:
    admin = await actors.client("admin")
    await set_hours(http, admin, weekly=[{"weekday": "sunday", "opens": "08:00", "closes": "16:00"}])
    for day in (24, 25):
        expect(await plan(http, admin, f"2026-11-{day}T00:00:00Z", f"2026-11-{day}T05:00:00Z"), 201)
    statements: list[str] = []
    engine = runtime.register._engine
    async with runtime.reading(SYSTEM) as reader:
        event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
        duties = await duty_of(reader, ["CGK", "DPS", "NOWHERE"], reader.now, frozenset())
        assert await duty_of(reader, [], reader.now, frozenset()) == {}
    assert {code: duty.state for code, duty in duties.items()} == {
        "CGK": DutyState.CLOSED,
        "DPS": DutyState.OPEN,
        "NOWHERE": DutyState.OPEN,
    }
    assert len([each for each in statements if each != "BEGIN"]) == 1
