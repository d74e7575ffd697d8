"""Delayed departures: events about possible victims, which no check sees, and the patterns of recruiters."""

from typing import Any

import pytest
from httpx2 import AsyncClient
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.access.tables import audit
from app.register.departures.tables import traveller
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, deterrence_body, merged
from tests.support.clock import SettableClock
from tests.support.refusals import contents, nothing_changed, refused
from tests.support.steps import Json, expect

PATH = "/v1/departure-delays"
SPONSOR = {"name": "Jatmiko Sagara", "document": None, "phone": "0812-3456-7890", "address": None}
TRAVELLER = {
    "name": "Wulan Pucangan",
    "birth": {"date": "2001-02"},
    "sex": "female",
    "document": {"type": "passport", "number": "C7654321", "issuing_state": "IDN"},
}


def delay_body(**given: Any) -> Json:
    return merged(
        {
            "checkpoint": None,
            "occurred_at": "2026-11-23T02:00:00Z",
            "reason": "no_work_permit",
            "note": "Could not say who her employer would be.",
            "destination": "ARE",
            "sponsor": SPONSOR,
            "referral": "bp3mi",
            "traveller": TRAVELLER,
            "group_reference": "EK357/2026-11-23/1",
        },
        given,
    )


async def record(http: AsyncClient, by: Caller, **given: Any) -> Json:
    return expect(await http.post(PATH, json=delay_body(**given), headers=by.headers), 201)


async def ids(http: AsyncClient, by: Caller, **asked: Any) -> list[str]:
    answer = expect(await http.get(PATH, params=asked, headers=by.headers), 200)
    return [item["id"] for item in answer["items"]]


async def acts(runtime: Runtime) -> list[tuple[str, str | None]]:
    async with runtime.reading(SYSTEM) as reader:
        rows = await reader.run(select(audit.c.act, audit.c.object).order_by(audit.c.act))
        return [tuple(row) for row in rows if row.act.startswith("delay.")]


async def test_a_supervisor_records_a_delay_at_the_own_checkpoint(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    supervisor = await actors.client("supervisor")
    response = await http.post(PATH, json=delay_body(), headers=supervisor.headers)
    told = expect(response, 201)
    assert told["id"].startswith("dly_")
    assert response.headers["location"] == f"{PATH}/{told['id']}"
    assert (told["checkpoint"], told["recorded_by"]) == ("CGK", supervisor.id)
    assert (told["reason"], told["referral"], told["destination"]) == ("no_work_permit", "bp3mi", "ARE")
    assert told["sponsor"] == SPONSOR
    assert told["traveller"] == merged(TRAVELLER, {"document": {"expires_on": None}})
    assert told["note"] == delay_body()["note"]
    again = expect(await http.get(f"{PATH}/{told['id']}", headers=supervisor.headers), 200)
    assert again == told
    assert await acts(runtime) == [("delay.recorded", told["id"]), ("delay.seen", told["id"])]


async def test_a_list_shows_no_traveller(http: AsyncClient, actors: Actors):
    supervisor = await actors.client("supervisor")
    await record(http, supervisor)
    response = await http.get(PATH, headers=supervisor.headers)
    (item,) = expect(response, 200)["items"]
    assert not {"traveller", "note"} & set(item)
    assert "Pucangan" not in response.text


async def test_a_delay_becomes_no_entry_no_alert_and_no_match(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    supervisor, counter = await actors.client("supervisor"), await actors.client("checkpoint")
    before = await contents(runtime)
    await record(http, supervisor)
    after = await contents(runtime)
    changed = {name for name in after if after[name] != before[name]}
    delays = {"departure_delay", "departure_delay_traveller", "departure_delay_sponsor"}
    assert changed == {*delays, "audit"}
    subject = {
        "full_name": TRAVELLER["name"],
        "birth": {"date": "2001-02"},
        "sex": "female",
        "nationalities": ["IDN"],
        "documents": [TRAVELLER["document"]],
    }
    question = merged(check_body(subject), {"person": {"birth_date": "2001-02-03"}})
    answer = expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
    assert (answer["outcome"], answer["matches"]) == ("clear", [])


async def test_officers_of_immigration_name_the_checkpoint(http: AsyncClient, actors: Actors):
    for role in ("submitter", "duty_officer"):
        officer = await actors.client(role, agency="IMIGRASI")
        response = await http.post(PATH, json=delay_body(), headers=officer.headers)
        assert refused(response, 422, "validation") == {"/checkpoint": "required"}
        response = await http.post(PATH, json=delay_body(checkpoint="NOWHERE"), headers=officer.headers)
        assert refused(response, 422, "validation") == {"/checkpoint": "unknown"}
        assert (await record(http, officer, checkpoint="DPS"))["checkpoint"] == "DPS"


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({"checkpoint": "DPS"}, {"/checkpoint": "not_yours"}),
        ({"occurred_at": "2026-11-23T03:00:00.000001Z"}, {"/occurred_at": "future"}),
        ({"occurred_at": "2025-11-23T03:00:00Z"}, {"/occurred_at": "stale"}),
        ({"destination": "QQQ"}, {"/destination": "unknown_state"}),
        ({"reason": "other", "note": None}, {"/note": "required"}),
        (
            {"reason": "other", "note": None, "destination": "QQQ", "checkpoint": "DPS"},
            {"/note": "required", "/destination": "unknown_state", "/checkpoint": "not_yours"},
        ),
    ],
)
async def test_what_can_not_be_is_refused_fault_by_fault(
    http: AsyncClient, actors: Actors, runtime: Runtime, given: Json, faults: dict[str, str]
):
    supervisor = await actors.client("supervisor")
    async with nothing_changed(runtime):
        response = await http.post(PATH, json=delay_body(**given), headers=supervisor.headers)
        assert refused(response, 422, "validation") == faults


async def test_a_body_that_makes_no_sense_is_a_validation_problem(http: AsyncClient, actors: Actors):
    supervisor = await actors.client("supervisor")
    wrong = delay_body(reason="bored", traveller=..., sponsor={"name": ""}, ban_on=True)
    response = await http.post(PATH, json=wrong, headers=supervisor.headers)
    assert set(refused(response, 422, "validation")) == {"/reason", "/traveller", "/sponsor/name", "/ban_on"}


async def test_a_repeat_records_one_delay(http: AsyncClient, actors: Actors):
    supervisor = await actors.client("supervisor")
    answers = [
        await http.post(PATH, json=delay_body(), headers=supervisor.once("once-and-only")) for _ in range(2)
    ]
    assert answers[0].content == answers[1].content
    assert answers[1].headers["idempotency-replayed"] == "true"
    assert len(await ids(http, supervisor)) == 1


async def test_who_may_see_and_record_what(
    http: AsyncClient, actors: Actors, clock: SettableClock, subtests: pytest.Subtests
):
    here, there = await actors.client("supervisor"), await actors.client("supervisor", checkpoint="DPS")
    mine = (await record(http, here))["id"]
    clock.advance(seconds=1)
    theirs = (await record(http, there))["id"]
    assert await ids(http, here) == [mine]
    assert await ids(http, there) == [theirs]
    assert await ids(http, here, checkpoint="DPS") == []
    refused(await http.get(f"{PATH}/{theirs}", headers=here.headers), 404, "not-found")
    for role in ("auditor", "approver", "duty_officer", "submitter"):
        with subtests.test(role):
            reader = await actors.client(role, agency=None if role == "auditor" else "IMIGRASI")
            assert await ids(http, reader) == [theirs, mine]
            assert await ids(http, reader, checkpoint="CGK") == [mine]
            expect(await http.get(f"{PATH}/{theirs}", headers=reader.headers), 200)
    police = await actors.client("submitter", agency="POLRI")
    for path in (PATH, f"{PATH}/patterns", f"{PATH}/{mine}"):
        refused(await http.get(path, headers=police.headers), 403, "wrong-agency")
    refused(await http.post(PATH, json=delay_body(), headers=police.headers), 403, "wrong-agency")
    for role in ("checkpoint", "verifier", "admin"):
        with subtests.test(role):
            other = await actors.client(role)
            refused(await http.get(PATH, headers=other.headers), 403, "wrong-role")
            refused(await http.post(PATH, json=delay_body(), headers=other.headers), 403, "wrong-role")
    auditor = await actors.client("auditor")
    refused(await http.post(PATH, json=delay_body(), headers=auditor.headers), 403, "wrong-role")


async def test_lists_are_cut_into_pages_and_by_legal_days(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    supervisor, made = await actors.client("supervisor"), []
    for at in ("2026-11-21T16:59:59Z", "2026-11-21T17:00:00Z", "2026-11-22T17:00:00Z"):
        clock.advance(seconds=1)
        made.append((await record(http, supervisor, occurred_at=at))["id"])
    assert await ids(http, supervisor, **{"from": "2026-11-22"}) == [made[2], made[1]]
    assert await ids(http, supervisor, **{"from": "2026-11-22", "to": "2026-11-22"}) == [made[1]]
    assert await ids(http, supervisor, to="2026-11-21") == [made[0]]
    first = expect(await http.get(PATH, params={"limit": 2}, headers=supervisor.headers), 200)
    assert [item["id"] for item in first["items"]] == [made[2], made[1]]
    assert await ids(http, supervisor, limit=2, cursor=first["next_cursor"]) == [made[0]]


async def test_a_recruiter_met_at_several_checkpoints_stands_out(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    officer, made = await actors.client("submitter", agency="IMIGRASI"), []
    for place, sponsor in (
        ("CGK", SPONSOR),
        ("DPS", {"name": "SAGARA Djatmiko", "phone": None}),
        ("DPS", {"name": "Bu Melati", "phone": "+62 812 3456 7890"}),
        ("CGK", {"name": "Galih Lembayung", "phone": "0899"}),
        ("CGK", None),
    ):
        clock.advance(seconds=1)
        made.append((await record(http, officer, checkpoint=place, sponsor=sponsor))["id"])
    told = expect(await http.get(f"{PATH}/patterns", headers=officer.headers), 200)
    assert (told["by"], told["first_on"], told["last_on"], told["more"]) == (
        "sponsor",
        "2025-11-24",
        "2026-11-23",
        False,
    )
    (pattern,) = told["items"]
    assert (pattern["delay_id"], pattern["delays"]) == (made[0], 3)
    assert pattern["checkpoints"] == {"CGK": 1, "DPS": 2}
    assert pattern["sponsor_names"] == ["Bu Melati", "Jatmiko Sagara", "SAGARA Djatmiko"]
    assert await ids(http, officer, sponsor=pattern["delay_id"]) == made[2::-1]
    assert await ids(http, officer, sponsor=made[3]) == [made[3]]
    assert await ids(http, officer, sponsor="dly_unknown") == []
    by_place = {"by": "checkpoint", "at_least": 3}
    (place,) = expect(await http.get(f"{PATH}/patterns", params=by_place, headers=officer.headers), 200)[
        "items"
    ]
    assert (place["checkpoint"], place["delays"], place["groups"]) == ("CGK", 3, 1)
    supervisor = await actors.client("supervisor")
    own = expect(await http.get(f"{PATH}/patterns?at_least=1", headers=supervisor.headers), 200)["items"]
    assert [(p["delays"], p["checkpoints"]) for p in own] == [(1, {"CGK": 1}), (1, {"CGK": 1})]
    assert await ids(http, supervisor, sponsor=made[0]) == [made[0]]
    assert await ids(http, supervisor, sponsor=made[1]) == []


async def test_a_pattern_and_the_list_of_its_sponsor_follow_a_chain_of_any_length(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    officer, made = await actors.client("submitter", agency="IMIGRASI"), []
    for number in range(30):
        clock.advance(seconds=1)
        sponsor = {"name": "Bagas", "phone": f"0811{number:03}", "document": f"X1234{number + 1:03}"}
        if number % 2:
            sponsor = {"name": "Bagas", "phone": f"0811{number + 1:03}", "document": f"X1234{number:03}"}
        made.append((await record(http, officer, sponsor=sponsor, checkpoint="CGK"))["id"])
    told = expect(await http.get(f"{PATH}/patterns", headers=officer.headers), 200)
    assert [(pattern["delay_id"], pattern["delays"]) for pattern in told["items"]] == [(made[0], 30)]
    for delay_id in (made[0], made[14], made[29]):
        assert await ids(http, officer, sponsor=delay_id) == made[::-1]


@pytest.mark.parametrize(
    "period", [{"from": "2026-11-23", "to": "2026-11-22"}, {"from": "2020-01-01"}, {"from": "9998-12-31"}]
)
async def test_patterns_are_sought_in_a_time_that_makes_sense(
    http: AsyncClient, actors: Actors, period: Json
):
    auditor = await actors.client("auditor")
    response = await http.get(f"{PATH}/patterns", params=period, headers=auditor.headers)
    assert refused(response, 422, "validation") == {"": "period"}


@pytest.mark.settings(delay_sponsor_days=60)
async def test_who_had_sent_them_is_erased_once_no_pattern_needs_it(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker, runtime: Runtime
):
    supervisor = await actors.client("supervisor")
    old = await record(http, supervisor, occurred_at="2026-11-20T03:00:00Z")
    young = await record(http, supervisor)
    assert old["sponsor"] is not None
    clock.set("2027-01-19T03:00:00Z")
    await worker.tidy()
    assert expect(await http.get(f"{PATH}/{old['id']}", headers=supervisor.headers), 200) == old
    clock.advance(seconds=1)
    await worker.tidy()
    told = expect(await http.get(f"{PATH}/{old['id']}", headers=supervisor.headers), 200)
    erased = {"sponsor": None, "group_reference": None, "sponsor_erased_at": "2027-01-19T03:00:01.000000Z"}
    assert told == {**old, **erased}
    assert expect(await http.get(f"{PATH}/{young['id']}", headers=supervisor.headers), 200) == young
    assert ("delay.sponsors_erased", None) in await acts(runtime)
    patterns = expect(await http.get(f"{PATH}/patterns", headers=supervisor.headers), 200)
    assert patterns["items"] == []


@pytest.mark.settings(delay_personal_days=30)
async def test_who_was_delayed_is_erased_after_its_time_and_the_event_stays(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker, runtime: Runtime
):
    supervisor = await actors.client("supervisor")
    old = await record(http, supervisor, occurred_at="2026-11-20T03:00:00Z")
    young = await record(http, supervisor)
    clock.advance(days=27, seconds=1)
    await worker.tidy()
    told = expect(await http.get(f"{PATH}/{old['id']}", headers=supervisor.headers), 200)
    erased = {"traveller": None, "note": None, "traveller_erased_at": "2026-12-20T03:00:01.000000Z"}
    assert told == {**old, **erased}
    assert expect(await http.get(f"{PATH}/{young['id']}", headers=supervisor.headers), 200) == young
    async with runtime.reading(SYSTEM) as reader:
        left = (await reader.run(select(traveller.c.delay_id))).scalars().all()
    assert left == [young["id"]]
    assert ("delay.travellers_erased", None) in await acts(runtime)
    patterns = expect(await http.get(f"{PATH}/patterns", headers=supervisor.headers), 200)
    assert [pattern["delays"] for pattern in patterns["items"]] == [2]


async def test_a_victim_of_trafficking_is_not_banned_for_what_was_done_to_them(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter", agency="IMIGRASI")
    basis = {"instrument": "administrative_action", "trafficking_victim": True}
    async with nothing_changed(runtime):
        response = await http.post(
            "/v1/entries", json=deterrence_body(basis=basis), headers=submitter.headers
        )
        assert refused(response, 422, "validation") == {"/basis/trafficking_victim": "trafficking_victim"}
        assert "UU 6/2011 art. 86" in response.json()["detail"]


@pytest.mark.settings(delay_sponsor_days=60)
async def test_the_group_of_a_traveller_without_a_sponsor_is_erased_too(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker, runtime: Runtime
):
    supervisor = await actors.client("supervisor")
    old = await record(http, supervisor, sponsor=None)
    alone = await record(http, supervisor, sponsor=None, group_reference=None)
    clock.set("2027-01-22T02:00:00Z")
    await worker.tidy()
    assert expect(await http.get(f"{PATH}/{old['id']}", headers=supervisor.headers), 200) == old
    clock.advance(seconds=1)
    await worker.tidy()
    told = expect(await http.get(f"{PATH}/{old['id']}", headers=supervisor.headers), 200)
    assert told == {**old, "group_reference": None, "sponsor_erased_at": "2027-01-22T02:00:01.000000Z"}
    assert expect(await http.get(f"{PATH}/{alone['id']}", headers=supervisor.headers), 200) == alone
    async with nothing_changed(runtime):
        await worker.tidy()
