"""Urgent entries: made at once, held for the supervisor, countersigned or over (API section 4)."""

import asyncio
import base64
import hashlib
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, urgent_body, urgent_deterrence_body, wna
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import decide, etag, expect, sound

Json = dict[str, Any]
LETTER = b"%PDF-1.7 a letter"


async def make(http: AsyncClient, by: Caller, body: Json, key: str = "k") -> Any:
    """The answer to an urgent entry that may be refused."""
    return await http.post("/v1/urgent-entries", json=body, headers=by.once(key))


async def asked(http: AsyncClient, by: Caller, body: Json, direction: str = "exit") -> tuple[str, str]:
    """What a counter is told about the person of an entry's body."""
    answer = await http.post("/v1/checks", json=check_body(body["subject"], direction), headers=by.headers)
    told = expect(answer, 200)
    return told["outcome"], told["action"]


async def test_an_urgent_entry_is_stored_told_and_held_for_the_supervisor(http: AsyncClient, actors: Actors):
    submitter, counter = await actors.client("submitter"), await actors.client("checkpoint")
    body = urgent_body()
    response = await make(http, submitter, body)
    answer = expect(response, 201)
    entry, alert = answer["entry"], answer["alert"]
    assert response.headers["location"] == f"/v1/entries/{entry['id']}"
    assert (entry["state"], entry["in_force"], entry["urgent"]) == ("provisional", True, True)
    assert (entry["starts_on"], entry["ends_on"], entry["lifetime"]) == ("2026-11-23", "2026-12-12", False)
    assert (alert["kind"], alert["recipients"], alert["connected"]) == ("raise", 171, 0)
    assert alert["sequence"] == entry["sequence"] + 1
    assert alert["expires_at"] == "2026-12-12T17:00:00.000000Z"
    assert await asked(http, counter, body) == ("refer", "refer_to_supervisor")
    assert await asked(http, counter, body, "entry") == ("clear", "allow")


async def test_a_countersignature_makes_counters_refuse(http: AsyncClient, actors: Actors):
    submitter, counter = await actors.client("submitter"), await actors.client("checkpoint")
    duty = await actors.client("duty_officer")
    body = urgent_body()
    entry = (await sound(http, submitter, body))["entry"]
    signed = await decide(http, duty, entry, "countersign")
    assert (signed["state"], signed["in_force"], signed["version"]) == ("provisional", True, 2)
    assert (signed["countersigned_by"], signed["countersigned_at"]) == (
        duty.id,
        "2026-11-23T03:00:00.000000Z",
    )
    assert await asked(http, counter, body) == ("refuse", "refuse_exit")


async def test_nobody_countersigns_their_own_not_even_at_night(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    officer = await actors.client(["submitter", "duty_officer"], agency="IMIGRASI", person="1985031500")
    second_account = await actors.client("duty_officer", person="1985-03-15.00")
    body = urgent_body(subject=wna(7001), basis={"instrument": "supervision_report", "stage": None})
    entry = expect(await make(http, officer, body), 201)["entry"]
    path = f"/v1/entries/{entry['id']}/decisions"
    async with nothing_changed(runtime):
        for by in (officer, second_account):
            for verdict in ("countersign", "reject"):
                decision = {"verdict": verdict, "reason": "Mine."}
                response = await http.post(path, json=decision, headers=by.on(etag(entry)))
                refused(response, 403, "four-eyes")
    assert (await decide(http, await actors.client("duty_officer"), entry, "countersign"))["version"] == 2


async def test_without_countersignature_it_lapses_after_a_day_and_may_be_made_again_within_its_twenty(
    http: AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock, worker: Worker
):
    submitter, counter = await actors.client("submitter"), await actors.client("checkpoint")
    body = urgent_body()
    entry = (await sound(http, submitter, body))["entry"]
    clock.advance(hours=23, minutes=59, seconds=59)
    assert await asked(http, counter, body) == ("refer", "refer_to_supervisor")
    clock.advance(seconds=1)
    assert await asked(http, counter, body) == ("clear", "allow"), "no job has run"
    path = f"/v1/entries/{entry['id']}"
    lapsed = expect(await http.get(path, headers=submitter.headers), 200)
    assert (lapsed["state"], lapsed["ended_reason"], lapsed["in_force"]) == ("ended", "lapsed", False)
    assert await worker.end_by_law() == 1
    told = expect(await http.get(path, headers=submitter.headers), 200)
    assert (told["ended_at"], told["version"]) == (lapsed["ended_at"], 2)
    repeated = expect(await make(http, submitter, body, "k-2"), 201)["entry"]
    assert (repeated["starts_on"], repeated["ends_on"]) == ("2026-11-24", entry["ends_on"])
    clock.set("2026-12-13T08:00:00+07:00")
    async with nothing_changed(runtime):
        response = await make(http, submitter, body, "k-3")
        refused(response, 409, "urgent-not-repeatable")


async def test_a_repetition_on_the_last_day_is_over_with_that_day(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
):
    submitter, counter = await actors.client("submitter"), await actors.client("checkpoint")
    body = urgent_body()
    entry = (await sound(http, submitter, body))["entry"]
    clock.set("2026-12-12T22:00:00+07:00")
    assert await worker.end_by_law() == 1
    repeated = expect(await make(http, submitter, body, "k-2"), 201)["entry"]
    assert repeated["ends_on"] == entry["ends_on"] == "2026-12-12"
    assert {each["due_at"] for each in repeated["legal_deadlines"]} == {"2026-12-12T17:00:00.000000Z"}
    assert await asked(http, counter, body) == ("refer", "refer_to_supervisor")
    clock.set("2026-12-13T00:00:00+07:00")
    assert await asked(http, counter, body) == ("clear", "allow"), "twenty days are over"
    decision = {"verdict": "countersign"}
    path, officer = f"/v1/entries/{repeated['id']}/decisions", await actors.client("duty_officer")
    refused(await http.post(path, json=decision, headers=officer.on(etag(repeated))), 409, "wrong-state")
    assert await worker.end_by_law() == 1


@pytest.mark.settings(countersign_lapse_hours=24 * 30)
async def test_a_long_wait_for_the_countersignature_ends_with_the_twentieth_day(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    submitter, counter = await actors.client("submitter"), await actors.client("checkpoint")
    body = urgent_body()
    await sound(http, submitter, body)
    clock.set("2026-12-12T23:59:59+07:00")
    assert await asked(http, counter, body) == ("refer", "refer_to_supervisor")
    clock.advance(seconds=1)
    assert await asked(http, counter, body) == ("clear", "allow")


async def test_a_rejected_request_may_be_made_again(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter")
    body = urgent_body()
    entry = (await sound(http, submitter, body))["entry"]
    await decide(http, await actors.client("duty_officer"), entry, "reject", "The photo shows somebody else.")
    assert expect(await make(http, submitter, body, "k-2"), 201)["alert"]["kind"] == "raise"


async def test_its_deadlines_are_told_and_met(http: AsyncClient, actors: Actors, clock: SettableClock):
    submitter = await actors.client("submitter")
    entry = (await sound(http, submitter))["entry"]
    assert entry["legal_deadlines"] == [
        {"name": "countersign", "due_at": "2026-11-23T09:00:00.000000Z", "met_at": None},
        {"name": "countersign_or_lapse", "due_at": "2026-11-24T03:00:00.000000Z", "met_at": None},
        {"name": "approve_before_lapse", "due_at": "2026-12-12T17:00:00.000000Z", "met_at": None},
    ]
    clock.advance(hours=7)
    signed = await decide(http, await actors.client("duty_officer"), entry, "countersign")
    assert signed["legal_deadlines"][0]["met_at"] == "2026-11-23T10:00:00.000000Z", "late, but it holds"


@pytest.mark.settings(urgent_countersign_first=True)
async def test_where_the_countersignature_comes_first_nobody_is_told_or_held_before_it(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    submitter, counter = await actors.client("submitter"), await actors.client("checkpoint")
    integrator = await actors.client("integrator")
    body = urgent_body()
    answer = expect(await make(http, submitter, body), 201)
    entry = answer["entry"]
    assert (entry["state"], entry["in_force"], answer["alert"]) == ("submitted", False, None)
    assert await asked(http, counter, body) == ("clear", "allow")
    assert expect(await http.get("/v1/changes", headers=integrator.headers), 200)["items"] == []
    clock.advance(hours=2)
    signed = await decide(http, await actors.client("duty_officer"), entry, "countersign")
    assert (signed["state"], signed["in_force"]) == ("provisional", True)
    assert await asked(http, counter, body) == ("refuse", "refuse_exit")
    alerts = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
    assert [(alert["kind"], alert["action"]) for alert in alerts] == [("raise", "refuse_exit")]


@pytest.mark.settings(urgent_countersign_first=True)
async def test_a_request_that_was_never_countersigned_lapses_too(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
):
    submitter = await actors.client("submitter")
    entry = expect(await make(http, submitter, urgent_body()), 201)["entry"]
    clock.advance(hours=24)
    assert await worker.end_by_law() == 1
    assert await worker.end_by_law() == 0
    lapsed = expect(await http.get(f"/v1/entries/{entry['id']}", headers=submitter.headers), 200)
    assert (lapsed["state"], lapsed["ended_reason"], lapsed["sequence"]) == ("ended", "lapsed", None)


REQUESTED = [
    ("2026-11-23T03:00:00Z", "2026-11-23"),
    ("2026-11-22T17:00:00Z", "2026-11-23"),
    ("2026-11-22T16:59:59Z", "2026-11-22"),
    ("2026-11-22T12:00:00+09:00", "2026-11-22"),
    (None, "2026-11-23"),
]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_its_first_day_is_the_legal_day_of_the_request(
    http: AsyncClient, actors: Actors, subtests: pytest.Subtests
):
    for requested_at, first_day in REQUESTED:
        with subtests.test(str((requested_at, first_day))[:80]):
            body = urgent_body(requested_at=requested_at)
            entry = expect(await make(http, await actors.client("submitter"), body), 201)["entry"]
            assert entry["starts_on"] == first_day
            assert entry["in_force"] is True, "from the commit, not from the request"


async def test_a_request_a_moment_ahead_of_our_clock_counts_as_made_now(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter")
    for ahead in ("2026-11-23T03:00:00.001Z", "2026-11-23T03:00:05Z", "2026-11-23T10:00:05+07:00"):
        entry = expect(await make(http, submitter, urgent_body(requested_at=ahead), ahead), 201)["entry"]
        assert entry["requested_at"] == "2026-11-23T03:00:00.000000Z"
    late = await make(http, submitter, urgent_body(requested_at="2026-11-23T03:00:05.001Z"))
    assert list(refused(late, 422, "validation")) == ["/requested_at"]


@pytest.mark.settings(clock_tolerance_seconds=0)
async def test_how_far_ahead_is_a_setting(http: AsyncClient, actors: Actors):
    body = urgent_body(requested_at="2026-11-23T03:00:00.001Z")
    refused(await make(http, await actors.client("submitter"), body), 422, "validation")


MISFITS = [
    ({"requested_at": "2026-11-22T02:59:59Z"}, "/requested_at"),
    ({"requested_at": "2026-11-23T03:10:00Z"}, "/requested_at"),
    ({"requested_at": "2026-11-23T03:00:00"}, "/requested_at"),
    ({"requested_at": "0001-01-01T00:00:00+14:00"}, "/requested_at"),
    ({"requested_at": "9999-12-31T23:59:59-14:00"}, "/requested_at"),
    ({"requested_at": 1795402800}, "/requested_at"),
    ({"letter": {"issued_on": "2026-11-24"}}, "/letter/issued_on"),
    ({"letter": {"sha256": "ABC"}}, "/letter/sha256"),
    ({"letter": {"number": ""}}, "/letter/number"),
    (
        {"letter": {"attachment": {"media_type": "application/pdf", "data": "%%"}}},
        "/letter/attachment/data",
    ),
    (
        {"letter": {"attachment": {"media_type": "application/pdf", "data": "TGV0dGVy"}}},
        "/letter/attachment/data",
    ),
    (
        {"letter": {"attachment": {"media_type": "text/html", "data": ""}}},
        "/letter/attachment/media_type",
    ),
    ({"alert": {"checkpoints": ["CGK", "NOWHERE"]}}, "/alert/checkpoints/1"),
    ({"alert": {"message": "x" * 1001}}, "/alert/message"),
    ({"substitute": {"absent_head": "Kepala Kantor"}}, "/substitute/mandate"),
]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_what_does_not_fit_an_urgent_request_is_refused_at_its_place(
    http: AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    for changes, pointer in MISFITS:
        with subtests.test(str((changes, pointer))[:80]):
            submitter = await actors.client("submitter")
            async with nothing_changed(runtime):
                response = await make(http, submitter, urgent_body(**changes))
                assert list(refused(response, 422, "validation")) == [pointer]


async def test_a_letter_that_is_attached_is_kept_and_seen(http: AsyncClient, actors: Actors):
    sent = {"media_type": "application/pdf", "data": base64.b64encode(LETTER).decode()}
    letter = {"sha256": hashlib.sha256(LETTER).hexdigest(), "attachment": sent}
    answer = await sound(http, await actors.client("submitter"), urgent_body(letter=letter))
    assert answer["entry"]["warnings"] == []
    assert answer["entry"]["letter"]["media_type"] == "application/pdf"


async def test_a_substitute_names_the_absent_head_and_the_mandate(http: AsyncClient, actors: Actors):
    substitute = {"absent_head": "Kepala Kantor", "mandate": "SK-7/2026"}
    answer = await sound(http, await actors.client("submitter"), urgent_body(substitute=substitute))
    assert answer["entry"]["substitute"] == substitute
    assert answer["entry"]["ends_on"] == "2026-12-12", "at most twenty days all the same"


async def test_where_the_person_was_last_seen_is_told_in_the_answer(http: AsyncClient, actors: Actors):
    submitter, counter = await actors.client("submitter"), await actors.client("checkpoint")
    for direction, crossing in ((None, "unknown"), ("exit", "departed"), ("entry", "in_country")):
        body = urgent_body()
        if direction:
            assert (await asked(http, counter, body, direction))[0] == "clear"
        assert (await sound(http, submitter, body))["entry"]["crossing"] == crossing


async def test_an_urgent_entry_ban_holds_foreigners_on_entry(http: AsyncClient, actors: Actors):
    submitter, counter = (
        await actors.client("submitter", agency="IMIGRASI"),
        await actors.client("checkpoint"),
    )
    body = urgent_deterrence_body()
    entry = (await sound(http, submitter, body))["entry"]
    assert (entry["measure"], entry["ends_on"]) == ("deterrence", "2026-12-12")
    assert await asked(http, counter, body, "entry") == ("refer", "refer_to_supervisor")
    await decide(http, await actors.client("duty_officer"), entry, "countersign")
    assert await asked(http, counter, body, "entry") == ("refuse", "refuse_entry")


@pytest.mark.settings(urgent_deterrence=False)
async def test_a_deployment_may_keep_the_urgent_route_to_exit_bans(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter", agency="IMIGRASI")
    async with nothing_changed(runtime):
        response = await make(http, submitter, urgent_deterrence_body())
        assert refused(response, 422, "validation") == {"/measure": "urgent_prevention_only"}


async def test_many_urgent_requests_at_once_are_all_stored_and_numbered_without_a_hole(
    http: AsyncClient, actors: Actors
):
    submitters = [await actors.client("submitter", agency=code) for code in ("KPK", "KPK", "KPK", "KPK")]
    requests = [make(http, by, urgent_body(), f"k-{i}") for by in submitters for i in range(3)]
    answers = [expect(answer, 201) for answer in await asyncio.gather(*requests)]
    numbers = [
        number for answer in answers for number in (answer["entry"]["sequence"], answer["alert"]["sequence"])
    ]
    assert sorted(numbers) == list(range(1, 25))
