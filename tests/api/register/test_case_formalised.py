"""A formal entry is of the urgent one's person, case and measure, and loses nothing by taking over (R25, R26, R35)."""

from typing import Any

import pytest

from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors
from tests.support.bodies import (
    deterrence_body,
    entry_body,
    extension_body,
    formal_body,
    merged,
    urgent_body,
    urgent_deterrence_body,
)
from tests.support.clock import SettableClock
from tests.support.offices import NEWER, Offices, correction, given_again, same_case, time_passes
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, expect

AT_ONCE = {"starts_on": "2026-11-23", "ends_on": "2027-05-23"}
THIRD = {"type": "passport", "number": "W3456789", "issuing_state": "IDN", "expires_on": None}


def with_passport(entry: Json, *more: Json) -> Json:
    """The correction that adds passports to an entry's person."""
    return correction({**entry["subject"], "documents": [*entry["subject"]["documents"], *more]})


def another() -> Json:
    """Somebody else, to be sent in full."""
    subject: Json = entry_body()["subject"]
    return subject


OTHERS: dict[str, Json] = {
    "another person": {"subject": ...},
    "another case": {"basis": {"case_reference": "Sprin.Dik-4711/2026"}},
    "no case": {"basis": {"case_reference": "ongoing investigation"}},
    "the case's digits in another order": {"basis": {"case_reference": ...}},
    "another person and case": {"subject": ..., "basis": {"case_reference": "Sprin.Dik-4711/2026"}},
}


@pytest.mark.parametrize("what", OTHERS)
async def test_a_formal_request_about_something_else_is_refused_with_pointers(
    kpk: Offices, runtime: Runtime, what: str
):
    urgent = await kpk.urgent()
    given = {**OTHERS[what]}
    if given.get("subject") is ...:
        given["subject"] = another()
    if given.get("basis") == {"case_reference": ...}:
        given["basis"] = {"case_reference": urgent["basis"]["case_reference"].replace("/01/11/", "/11/01/")}
    async with nothing_changed(runtime):
        faults = refused(await kpk.try_formalise(urgent, **given), 422, "formalisation-mismatch")
    wanted = {"/subject"} if "subject" in given else set()
    wanted |= {"/basis/case_reference"} if "basis" in given else set()
    assert {pointer for pointer in faults if pointer.startswith(tuple(wanted))} == set(faults)
    assert len(faults) >= len(wanted)
    assert await kpk.action(urgent["subject"]) == "refuse_exit"


async def test_a_formal_request_may_write_the_case_and_the_person_differently(kpk: Offices):
    urgent = await kpk.urgent()
    wrong = urgent["subject"]["aliases"][0]["name"]
    formal = await kpk.formalise(
        urgent,
        **AT_ONCE,
        basis={"case_reference": urgent["basis"]["case_reference"].upper().replace(".", " ")},
        subject=given_again(urgent["subject"], full_name="Rightly Spelled Prambanan", aliases=[]),
        withdrawn_names=[wrong],
    )
    formal = await kpk.approve(formal)
    aliases = [alias["name"] for alias in formal["subject"]["aliases"]]
    assert urgent["subject"]["full_name"] in aliases
    assert wrong not in aliases
    assert await kpk.action(urgent["subject"]) == "refuse_exit"


async def test_a_returned_formal_request_comes_back_as_the_same_matter(kpk: Offices, runtime: Runtime):
    urgent = await kpk.urgent()
    formal = await kpk.decide(await kpk.formalise(urgent), "return", kpk.verifier, "Unsigned.")
    mine = {**urgent, "subject": given_again(urgent["subject"])}
    body = same_case(mine, entry_body(**formal_body()))
    others = {
        "/subject": merged(body, {"subject": another()}),
        "/basis/case_reference": merged(body, {"basis": {"case_reference": "Sprin.Dik-4711/2026"}}),
    }
    for pointer, other in others.items():
        async with nothing_changed(runtime):
            faults = refused(await kpk.try_resubmit(formal, other), 422, "formalisation-mismatch")
        assert all(fault.startswith(pointer) for fault in faults), faults
    measure = merged(body, {"measure": "deterrence", "subject": another()})
    async with nothing_changed(runtime):
        assert (await kpk.try_resubmit(formal, measure)).status_code in {403, 422}
    assert await kpk.action(urgent["subject"]) == "refuse_exit"
    again = await kpk.try_resubmit(formal, body)
    assert (again.status_code, again.json()["formalises"]) == (200, urgent["id"])


async def test_a_formal_entry_ban_does_not_come_back_as_an_exit_ban(
    http: Any, actors: Actors, runtime: Runtime
):
    immigration = await Offices.opened(http, actors, "IMIGRASI")
    body = urgent_deterrence_body()
    urgent = await immigration.urgent(body)
    basis = deterrence_body()["basis"] | {"case_reference": body["basis"]["case_reference"]}
    period = {"starts_on": "2026-12-01", "ends_on": "2027-06-01"}
    formal = await immigration.formalise(urgent, basis=basis, **period)
    formal = await immigration.decide(formal, "return", immigration.verifier, "Unsigned.")
    exit_ban = merged(
        deterrence_body(**period),
        {
            "measure": "prevention",
            "subject": body["subject"],
            "basis": {**basis, "instrument": "administrative_action", "reason_code": "immigration"},
        },
    )
    async with nothing_changed(runtime):
        faults = refused(await immigration.try_resubmit(formal, exit_ban), 422, "formalisation-mismatch")
    assert set(faults) == {"/measure"}


@pytest.mark.parametrize("state", ["submitted", "returned", "verified"])
async def test_a_passport_found_while_the_formal_request_waits_stops_at_once_and_after_the_take_over(
    kpk: Offices, clock: SettableClock, worker: Worker, state: str
):
    urgent = await kpk.urgent()
    formal = await kpk.formalise(urgent)
    if state == "returned":
        formal = await kpk.decide(formal, "return", kpk.verifier, "Unsigned.")
    if state == "verified":
        formal = await kpk.decide(formal, "verify")
    await kpk.amend(urgent, with_passport(urgent, NEWER))
    assert await kpk.action(urgent["subject"], document=NEWER) == "refuse_exit"
    if state == "returned":
        body = same_case({**urgent, "subject": given_again(urgent["subject"])}, entry_body(**formal_body()))
        assert (await kpk.try_resubmit(formal, body)).status_code == 200
    if state != "verified":
        await kpk.decide(formal, "verify")
    await kpk.decide(formal, "approve")
    for moment in ("2026-11-24T09:00:00+07:00", "2026-12-01T00:00:00+07:00", "2027-05-31T09:00:00+07:00"):
        clock.set(moment)
        await time_passes(worker)
        assert await kpk.action(urgent["subject"], document=NEWER) == "refuse_exit"
        assert await kpk.action(urgent["subject"]) == "refuse_exit"


@pytest.mark.parametrize("approved", ["before the formal one", "after the formal one"])
async def test_a_correction_filed_before_the_formal_request_reaches_it(
    kpk: Offices, clock: SettableClock, approved: str
):
    urgent = await kpk.urgent()
    amendment = await kpk.file(urgent, with_passport(urgent, NEWER))
    formal = await kpk.formalise(urgent, subject=given_again(urgent["subject"]))
    if approved == "before the formal one":
        await kpk.approve(amendment)
    formal = await kpk.approve(formal)
    if approved == "after the formal one":
        await kpk.approve(amendment)
    numbers = {each["number"] for each in (await kpk.read(formal))["subject"]["documents"]}
    assert NEWER["number"] in numbers
    for moment in ("2026-11-23T11:00:00+07:00", "2026-12-01T00:00:00+07:00"):
        clock.set(moment)
        assert await kpk.action(urgent["subject"], document=NEWER) == "refuse_exit"


async def test_a_correction_of_an_urgent_entry_waits_on_the_worklists_after_the_take_over_too(kpk: Offices):
    urgent = await kpk.urgent()
    amendment = await kpk.file(urgent, with_passport(urgent, NEWER))
    today = {"starts_on": "2026-11-23", "ends_on": "2027-05-22", "subject": given_again(urgent["subject"])}
    formal = await kpk.approve(await kpk.formalise(urgent, **today))
    assert (await kpk.read(urgent))["ended_reason"] == "superseded"
    for by, verdict in ((kpk.verifier, "verify"), (kpk.approver, "approve")):
        waiting = await kpk.tasks(by, f"{verdict}_amendment")
        assert [task["amendment_id"] for task in waiting] == [amendment["id"]]
        await kpk.decide(amendment, verdict)
    assert NEWER["number"] in {each["number"] for each in (await kpk.read(formal))["subject"]["documents"]}
    assert await kpk.tasks(kpk.submitter, "end_measure") == []


async def test_what_a_linked_entry_got_meanwhile_is_no_longer_unknown_after_an_older_correction(kpk: Offices):
    subject = {"occupation": None}
    urgent = await kpk.urgent(urgent_body(subject=subject, unknown=["occupation"]))
    person = given_again(urgent["subject"])
    formal = await kpk.approve(
        await kpk.formalise(urgent, starts_on="2026-12-01", subject=person, unknown=["occupation"])
    )
    moved = await kpk.file(formal, correction(given_again(formal["subject"], address="Jalan Baru 1")))
    await kpk.amend(urgent, correction(given_again(urgent["subject"], occupation="dokter")))
    assert (await kpk.read(formal))["unknown"] == []
    await kpk.approve(moved)
    left = await kpk.read(formal)
    assert (left["subject"]["occupation"], left["subject"]["address"]) == ("dokter", "Jalan Baru 1")
    assert left["unknown"] == []


async def test_a_passport_corrected_into_the_waiting_formal_entry_is_no_way_out_meanwhile(
    kpk: Offices, clock: SettableClock
):
    """An approved formal entry that begins later is corrected: the urgent one, which still holds, must know."""
    urgent = await kpk.urgent()
    formal = await kpk.approve(await kpk.formalise(urgent))
    await kpk.amend(formal, with_passport(formal, NEWER))
    assert await kpk.action(urgent["subject"], document=NEWER) == "refuse_exit"
    clock.set("2026-12-02T09:00:00+07:00")
    assert await kpk.action(urgent["subject"], document=NEWER) == "refuse_exit"


async def test_where_both_changed_one_member_differently_the_approval_says_what_differs(
    kpk: Offices, runtime: Runtime
):
    urgent = await kpk.urgent()
    formal = await kpk.formalise(urgent, subject=given_again(urgent["subject"], address="Jalan Formal 1"))
    await kpk.decide(formal, "verify")
    await kpk.amend(urgent, correction(merged(urgent["subject"], {"address": "Jalan Mendesak 2"})))
    async with nothing_changed(runtime):
        answer = await kpk.try_decide(formal, "approve")
        assert answer.status_code == 409
    assert answer.json()["differs"] == ["/subject/address"]
    assert await kpk.action(urgent["subject"]) == "refuse_exit"


async def test_what_both_changed_alike_or_only_one_changed_differs_in_nothing(kpk: Offices):
    urgent = await kpk.urgent()
    subject = given_again(
        urgent["subject"], occupation="baker", documents=[*urgent["subject"]["documents"], THIRD]
    )
    formal = await kpk.formalise(urgent, **AT_ONCE, subject=subject)
    both = merged(urgent["subject"], {"occupation": "baker", "address": "Jalan Baru 3"})
    await kpk.amend(urgent, correction({**both, "documents": [*both["documents"], NEWER]}))
    formal = await kpk.approve(formal)
    said = formal["subject"]
    assert (said["occupation"], said["address"]) == ("baker", "Jalan Baru 3")
    for document in (NEWER, THIRD, urgent["subject"]["documents"][0]):
        assert await kpk.action(urgent["subject"], document=document) == "refuse_exit"


async def test_a_formal_request_never_takes_an_urgent_entry_back_to_the_person_it_was_corrected_from(
    kpk: Offices,
):
    """It is compared again at each decision: refused, or carried over to the person that the entry names now."""
    urgent, right = await kpk.urgent(), another()
    formal = await kpk.formalise(urgent, **AT_ONCE, subject=given_again(urgent["subject"]))
    amendment = await kpk.file(urgent, correction(right, withdrawn_names=[urgent["subject"]["full_name"]]))
    await kpk.decide(amendment, "verify")
    await kpk.decide(amendment, "approve")
    await kpk.decide(amendment, "approve", kpk.second)
    assert await kpk.action(right) == "refuse_exit"
    answer = await kpk.try_decide(formal, "verify")
    if answer.status_code == 201:
        answer = await kpk.try_decide(formal, "approve")
    assert answer.status_code in {201, 409, 422}
    assert await kpk.action(right) == "refuse_exit"


@pytest.mark.parametrize("signed", [True, False])
async def test_from_the_urgent_entry_to_the_formal_ones_first_day_no_day_is_uncovered(
    kpk: Offices,
    clock: SettableClock,
    worker: Worker,
    signed: bool,  # noqa: FBT001 - a parameter of the test
):
    urgent = await kpk.urgent(signed=signed)
    formal = await kpk.approve(await kpk.formalise(urgent, starts_on="2026-11-28", ends_on="2027-05-28"))
    now = await kpk.read(urgent)
    assert now["countersigned_at"] is not None
    assert formal["gap_acknowledged"] is False
    assert await kpk.action(urgent["subject"]) == "refuse_exit"
    assert await kpk.last_word() == ("update", "refuse_exit")
    for day in ("24", "25", "26", "27", "28", "29"):
        clock.set(f"2026-11-{day}T11:00:00+07:00")
        await time_passes(worker)
        assert await kpk.action(urgent["subject"]) == "refuse_exit", day
    assert (await kpk.last_word())[1] == "refuse_exit"


async def test_approving_a_formal_entry_of_today_supersedes_an_urgent_one_that_nobody_countersigned(
    kpk: Offices, clock: SettableClock, worker: Worker
):
    urgent = await kpk.urgent(signed=False)
    await kpk.approve(await kpk.formalise(urgent, **AT_ONCE))
    assert (await kpk.read(urgent))["ended_reason"] == "superseded"
    clock.advance(hours=25)
    await time_passes(worker)
    assert await kpk.action(urgent["subject"]) == "refuse_exit"
    assert await kpk.last_word() == ("update", "refuse_exit")


async def test_who_wrote_the_urgent_entry_does_not_countersign_it_by_approving_the_formal_one(
    kpk: Offices, actors: Actors, runtime: Runtime
):
    urgent = await kpk.urgent(signed=False)
    colleague = await Offices.opened(kpk.http, actors)
    formal = await colleague.decide(await colleague.formalise(urgent), "verify")
    author = await actors.client("approver", person=kpk.submitter.person)
    async with nothing_changed(runtime):
        refused(await kpk.try_decide(formal, "approve", author), 403, "four-eyes")


@pytest.mark.parametrize("worked", ["worked", "not worked"])
@pytest.mark.parametrize("approved_at", ["2026-12-12T23:59:00+07:00", "2026-12-13T08:00:00+07:00"])
async def test_papers_filed_in_time_and_approved_around_midnight_leave_alert_and_check_agreed(
    kpk: Offices, clock: SettableClock, worker: Worker, approved_at: str, worked: str
):
    urgent = await kpk.urgent()
    clock.set("2026-12-10T09:00:00+07:00")
    formal = await kpk.formalise(urgent, starts_on="2026-12-13", ends_on="2027-06-13")
    await kpk.decide(formal, "verify")
    clock.set(approved_at)
    if worked == "worked":
        await time_passes(worker)
    await kpk.decide(formal, "approve")
    assert await kpk.last_word() == ("update", "refuse_exit")
    assert await kpk.action(urgent["subject"]) == "refuse_exit"
    clock.set("2026-12-13T09:00:00+07:00")
    await time_passes(worker)
    assert await kpk.last_word() == ("update", "refuse_exit")
    assert await kpk.action(urgent["subject"]) == "refuse_exit"
    clock.set("2027-06-14T00:00:00+07:00")
    await time_passes(worker)
    assert await kpk.last_word() == ("cancel", "release")
    assert await kpk.action(urgent["subject"]) == "allow"


async def test_only_the_agency_of_the_urgent_entry_formalises_it(
    kpk: Offices, actors: Actors, runtime: Runtime
):
    urgent = await kpk.urgent(urgent_body())
    for agency, status, slug in (("POLRI", 404, "not-found"), ("IMIGRASI", 404, "not-found")):
        other = await Offices.opened(kpk.http, actors, agency)
        path = f"/v1/entries/{urgent['id']}/formalisation"
        body = formal_body(basis={"case_reference": urgent["basis"]["case_reference"]})
        async with nothing_changed(runtime):
            tag = f'"{urgent["version"]}"'
            answer = await kpk.http.post(path, json=body, headers=other.submitter.on(tag))
            refused(answer, status, slug)


async def test_an_ordinary_entry_that_takes_over_from_an_urgent_one_is_told_to_its_end(
    kpk: Offices, clock: SettableClock, worker: Worker
):
    """Whoever was alerted of the urgent entry is told of what replaced it, also where nobody formalised it."""
    body = urgent_body()
    await kpk.urgent(body)
    await kpk.impose(same_case(body, starts_on="2026-12-13", ends_on="2026-12-31"))
    for moment, action in (
        ("2026-12-12T23:00:00+07:00", "refuse_exit"),
        ("2026-12-14T09:00:00+07:00", "refuse_exit"),
        ("2027-01-01T09:00:00+07:00", "allow"),
    ):
        clock.set(moment)
        await time_passes(worker)
        assert await kpk.action(body["subject"]) == action
        assert (await kpk.last_word())[1] == {"allow": "release"}.get(action, action), moment


async def test_a_second_formal_entry_behind_an_urgent_one_bars_the_time_of_the_first(
    kpk: Offices, runtime: Runtime
):
    body = urgent_body()
    urgent = await kpk.urgent(body)
    returned = await kpk.decide(await kpk.formalise(urgent, ends_on="2026-12-03"), "verify")
    await kpk.decide(returned, "return", reason="The date is missing.")
    second = await kpk.impose(same_case(body, starts_on="2026-12-13", ends_on="2026-12-31"))
    assert second["formalises"] == urgent["id"]
    again = same_case(body, starts_on="2026-11-23", ends_on="2027-01-17")
    async with nothing_changed(runtime):
        answer = await kpk.try_resubmit(returned, again)
        refused(answer, 409, "duplicate-entry")
    assert answer.json()["entry_id"] == second["id"]
    again["ends_on"] = "2026-12-12"
    expect(await kpk.try_resubmit(returned, again), 200)


@pytest.mark.parametrize("first", ["the urgent entry", "the request"])
async def test_an_ordinary_entry_that_takes_over_keeps_what_the_urgent_one_lists(
    kpk: Offices, clock: SettableClock, worker: Worker, first: str
):
    """A passport that the urgent entry was corrected to have is not withdrawn by a request that is silent about it."""
    body = urgent_body()
    waiting = None
    if first == "the request":
        waiting = await kpk.submit(same_case(body, starts_on="2026-12-13", ends_on="2027-05-31"))
    urgent = await kpk.urgent(body)
    second = {"type": "passport", "number": "X7654321", "issuing_state": "IDN"}
    listed = {**body["subject"], "documents": [*body["subject"]["documents"], second]}
    await kpk.amend(urgent, correction(listed))
    waiting = waiting or await kpk.submit(same_case(body, starts_on="2026-12-13", ends_on="2027-05-31"))
    formal = await kpk.approve(waiting)
    assert formal["formalises"] == urgent["id"]
    assert second["number"] in [each["number"] for each in formal["subject"]["documents"]]
    clock.set("2026-12-14T09:00:00+07:00")
    await time_passes(worker)
    assert await kpk.action({**body["subject"], "documents": [second]}) == "refuse_exit"


async def test_a_measure_that_came_and_went_while_the_worker_stood_still_is_told_as_undecided(
    kpk: Offices, clock: SettableClock, worker: Worker
):
    urgent = await kpk.urgent()
    formal = await kpk.approve(await kpk.formalise(urgent, starts_on="2026-12-13", ends_on="2026-12-20"))
    clock.set("2026-12-10T09:00:00+07:00")
    await time_passes(worker)
    await kpk.decide(await kpk.file(formal, extension_body(formal, "2027-05-31", "2026-12-09")), "verify")
    clock.set("2026-12-21T09:00:00+07:00")
    await time_passes(worker)
    assert await kpk.action(urgent["subject"]) == "refer_to_supervisor"
    assert (await kpk.last_word())[1] == "refer_to_supervisor"
