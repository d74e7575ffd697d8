"""What a correction may do in a case: name another person, shorten the period, enter no closed case (R37, R39)."""

from typing import Any

import pytest

from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import (
    deterrence_body,
    entry_body,
    extension_body,
    merged,
    revocation_body,
    urgent_body,
)
from tests.support.clock import SettableClock
from tests.support.offices import NEWER, Offices, acquittal, correction, given_again, same_case
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, expect

LIFELONG: Json = {
    "ends_on": None,
    "lifetime": True,
    "basis": {"lifetime_ground": "A danger to public order."},
}


def other_person(body: Json) -> Json:
    """The correction to somebody else, whose data come from another body."""
    names = [body["subject"]["full_name"], *(alias["name"] for alias in body["subject"]["aliases"])]
    other = deterrence_body() if body["measure"] == "deterrence" else entry_body()
    return correction(other["subject"], withdrawn_names=names)


@pytest.fixture
async def immigration(kpk: Offices, actors: Actors) -> Offices:
    """Officers of Immigration, for its own entry bans."""
    return await Offices.opened(kpk.http, actors, "IMIGRASI")


async def test_a_correction_to_another_person_takes_two_approvers(
    kpk: Offices, actors: Actors, runtime: Runtime
):
    body = entry_body()
    entry = await kpk.impose(body)
    asked = other_person(body)
    amendment = await kpk.decide(await kpk.file(entry, asked), "verify")
    assert amendment["approvals"] == 0
    amendment = await kpk.decide(amendment, "approve")
    assert (amendment["state"], amendment["approvals"]) == ("verified", 1)
    assert (await kpk.read(entry))["subject"] == entry["subject"]
    other = asked["correction"]["subject"]
    assert await kpk.action(body["subject"]) == "refuse_exit"
    assert await kpk.action(other) == "allow"
    for person in (kpk.approver.person, kpk.verifier.person, kpk.submitter.person):
        again = await actors.client("approver", person=person)
        async with nothing_changed(runtime):
            refused(await kpk.try_decide(amendment, "approve", again), 403, "four-eyes")
    amendment = await kpk.decide(amendment, "approve", kpk.second)
    assert (amendment["state"], amendment["approvals"]) == ("approved", 2)
    assert await kpk.action(body["subject"]) == "allow"
    assert await kpk.action(other) == "refuse_exit"


async def test_the_same_for_an_urgent_entry_and_an_entry_ban_for_life(kpk: Offices, immigration: Offices):
    body = urgent_body()
    urgent = await kpk.urgent(body)
    for_life = deterrence_body(**LIFELONG)
    entry = await immigration.decide(await immigration.submit(for_life), "verify")
    entry = await immigration.decide(entry, "approve")
    entry = await immigration.decide(entry, "approve", immigration.second)
    assert entry["in_force"] is True
    for office, row, said in ((kpk, urgent, body), (immigration, entry, for_life)):
        amendment = await office.decide(await office.file(row, other_person(said)), "verify")
        amendment = await office.decide(amendment, "approve")
        assert (amendment["state"], amendment["approvals"]) == ("verified", 1)
        assert (await office.read(row))["subject"] == row["subject"]
        amendment = await office.decide(amendment, "approve", office.second)
        assert amendment["state"] == "approved"


async def test_a_correction_of_the_same_person_takes_one_approver(kpk: Offices):
    entry = await kpk.impose(entry_body())
    changes: list[Json] = [
        {"address": "Jalan Baru 1"},
        {"full_name": "Rightly Spelled Prambanan"},
        {"birth": {"date": "1971"}},
        {
            "documents": [
                *entry["subject"]["documents"],
                {"type": "passport", "number": "Q1", "issuing_state": "IDN"},
            ]
        },
    ]
    for change in changes:
        now = await kpk.read(entry)
        amendment = await kpk.decide(
            await kpk.file(entry, correction({**now["subject"], **change})), "verify"
        )
        amendment = await kpk.decide(amendment, "approve")
        assert (amendment["state"], amendment["approvals"]) == ("approved", 1), change


async def test_a_correction_makes_a_period_shorter_never_longer(
    kpk: Offices, clock: SettableClock, runtime: Runtime
):
    entry = await kpk.impose(entry_body())
    for day in ("2027-05-23", "2027-05-24", "2026-11-22", "2026-11-01", "2037-01-01"):
        async with nothing_changed(runtime):
            faults = refused(await kpk.try_file(entry, correction(ends_on=day)), 422, "validation")
        assert set(faults) == {"/correction/ends_on"}, day
    corrected = await kpk.amend(entry, correction(ends_on="2026-12-31"))
    assert corrected["ends_on"] == "2026-12-31"
    async with nothing_changed(runtime):
        refused(await kpk.try_file(entry, correction(ends_on="2027-01-01")), 422, "validation")
    clock.set("2026-12-31T23:59:59+07:00")
    assert await kpk.action(entry["subject"]) == "refuse_exit"
    clock.set("2027-01-01T00:00:00+07:00")
    assert await kpk.action(entry["subject"]) == "allow"


async def test_a_shorter_period_is_judged_on_the_day_of_its_approval(
    kpk: Offices, clock: SettableClock, runtime: Runtime
):
    entry = await kpk.impose(entry_body())
    today = await kpk.decide(await kpk.file(entry, correction(ends_on="2026-11-24")), "verify")
    clock.set("2026-11-25T00:00:00+07:00")
    async with nothing_changed(runtime):
        answer = await kpk.try_decide(today, "approve")
        assert answer.status_code in {409, 422}
    assert await kpk.action(entry["subject"]) == "refuse_exit"


async def test_a_shorter_period_asked_for_before_an_extension_was_approved_does_not_undo_it(
    kpk: Offices, runtime: Runtime
):
    entry = await kpk.impose(entry_body())
    shorter = await kpk.decide(await kpk.file(entry, correction(ends_on="2026-12-31")), "verify")
    longer = await kpk.amend(entry, extension_body(entry, "2027-11-23"))
    async with nothing_changed(runtime):
        answer = await kpk.try_decide(shorter, "approve")
        refused(answer, 409, "wrong-state")
    assert answer.json()["differs"] == ["/ends_on"]
    await kpk.decide(shorter, "return", kpk.approver, "It was extended since.")
    assert (await kpk.amend(longer, correction(ends_on="2026-12-31")))["ends_on"] == "2026-12-31"


async def test_a_ban_for_life_becomes_one_of_at_most_ten_years_and_never_one_for_life(
    immigration: Offices, runtime: Runtime
):
    entry = await immigration.decide(await immigration.submit(deterrence_body(**LIFELONG)), "verify")
    entry = await immigration.decide(entry, "approve")
    entry = await immigration.decide(entry, "approve", immigration.second)
    async with nothing_changed(runtime):
        faults = refused(
            await immigration.try_file(entry, correction(ends_on="2036-11-24")), 422, "period-too-long"
        )
    assert set(faults) == {"/correction/ends_on"}
    shorter = await immigration.amend(entry, correction(ends_on="2036-11-23"))
    assert (shorter["ends_on"], shorter["lifetime"]) == ("2036-11-23", False)
    assert await immigration.ask(entry["subject"], direction="entry") != {}
    async with nothing_changed(runtime):
        answer = await immigration.try_file(entry, correction(ends_on=None))
        refused(answer, 422, "validation")
        answer = await immigration.try_file(entry, correction(ends_on="2036-11-23", lifetime=True))
        refused(answer, 422, "validation")


async def test_a_correction_into_a_closed_case_is_refused(kpk: Offices, runtime: Runtime):
    body = entry_body()
    closed = await kpk.impose(body)
    filed = acquittal(closed)
    await kpk.amend(closed, filed)
    beside = await kpk.impose(merged(entry_body(), {"subject": body["subject"]}))
    basis = {**(await kpk.read(beside))["basis"], "case_reference": body["basis"]["case_reference"]}
    stranger = await kpk.impose(same_case(body, subject=given_again(entry_body()["subject"])))
    for entry, asked in ((beside, correction(basis=basis)), (stranger, correction(body["subject"]))):
        async with nothing_changed(runtime):
            answer = await kpk.try_file(entry, asked)
            refused(answer, 409, "case-closed")
        assert answer.json()["judgment"]["number"] == filed["judgment"]["number"]


async def test_a_correction_of_a_case_that_was_closed_meanwhile_is_not_approved(
    kpk: Offices, runtime: Runtime
):
    body = entry_body()
    closing = await kpk.impose(body)
    beside = await kpk.impose(merged(entry_body(), {"subject": body["subject"]}))
    basis = {**beside["basis"], "case_reference": body["basis"]["case_reference"]}
    period = {"ends_on": "2026-12-01"}
    amendment = await kpk.try_file(beside, correction(basis=basis, **period))
    refused(amendment, 409, "duplicate-entry")
    closing = await kpk.amend(closing, correction(ends_on="2026-11-30"))
    later = await kpk.impose(
        merged(entry_body(starts_on="2026-12-01", ends_on="2027-06-01"), {"subject": body["subject"]})
    )
    basis = {**later["basis"], "case_reference": body["basis"]["case_reference"]}
    waiting = await kpk.decide(await kpk.file(later, correction(basis=basis)), "verify")
    await kpk.amend(closing, acquittal(closing))
    async with nothing_changed(runtime):
        refused(await kpk.try_decide(waiting, "approve"), 409, "case-closed")
    assert (await kpk.read(later))["state"] == "active"


async def test_a_correction_into_a_case_with_an_entry_of_that_time_is_a_duplicate(
    kpk: Offices, immigration: Offices, runtime: Runtime
):
    body = entry_body()
    first = await kpk.impose(body)
    beside = await kpk.impose(merged(entry_body(), {"subject": body["subject"]}))
    stranger = await kpk.impose(same_case(body, subject=entry_body()["subject"]))
    basis = {**beside["basis"], "case_reference": body["basis"]["case_reference"].upper()}
    for entry, asked in ((beside, correction(basis=basis)), (stranger, correction(body["subject"]))):
        async with nothing_changed(runtime):
            answer = await kpk.try_file(entry, asked)
            refused(answer, 409, "duplicate-entry")
        assert answer.json()["entry_id"] == first["id"]
    expect(await kpk.try_file(beside, correction({**beside["subject"], "occupation": "baker"})), 201)


async def test_the_papers_of_a_revoked_urgent_entry_bar_another_urgent_one_of_their_case(
    kpk: Offices, runtime: Runtime
):
    body = urgent_body()
    revoked = await kpk.urgent(body)
    papers = await kpk.formalise(revoked)
    await kpk.amend(revoked, revocation_body(revoked, revocation={"scope": "entry"}))
    beside = await kpk.urgent(merged(urgent_body(), {"subject": body["subject"]}))
    moved = correction(basis={**beside["basis"], "case_reference": body["basis"]["case_reference"]})
    async with nothing_changed(runtime):
        for answer in (
            await kpk.try_submit(same_case(body, urgent_body())),
            await kpk.try_file(beside, moved),
        ):
            refused(answer, 409, "duplicate-entry")
            assert answer.json()["entry_id"] == papers["id"]


async def test_a_correction_of_the_case_takes_no_row_of_its_own_case_into_the_time_of_another(
    kpk: Offices, runtime: Runtime
):
    body = urgent_body()
    later = {"starts_on": "2026-12-13", "ends_on": "2027-01-31"}
    there = await kpk.impose(same_case(body, **later))
    urgent = await kpk.urgent(merged(urgent_body(), {"subject": body["subject"]}))
    await kpk.approve(await kpk.formalise(urgent, **later))
    moved = correction(basis={**urgent["basis"], "case_reference": body["basis"]["case_reference"]})
    async with nothing_changed(runtime):
        answer = await kpk.try_file(urgent, moved)
        refused(answer, 409, "duplicate-entry")
    assert answer.json()["entry_id"] == there["id"]


@pytest.mark.parametrize("which", ["urgent", "formal"])
async def test_neither_row_of_a_formalisation_bars_the_others_correction(kpk: Offices, which: str):
    urgent = await kpk.urgent()
    formal = await kpk.approve(await kpk.formalise(urgent))
    row = {"urgent": urgent, "formal": formal}[which]
    basis: dict[str, Any] = {**row["basis"], "reason": "Said more clearly."}
    corrected = await kpk.amend(row, correction(basis=basis))
    assert corrected["basis"]["reason"] == "Said more clearly."


@pytest.mark.parametrize("last", ["urgent", "formal"])
async def test_a_correction_filed_before_another_ones_approval_does_not_undo_it(kpk: Offices, last: str):
    """What it did not change it does not take back: a passport that was added meanwhile stays."""
    urgent = await kpk.urgent()
    formal = await kpk.approve(await kpk.formalise(urgent))
    rows = {"urgent": urgent, "formal": formal}
    later = await kpk.file(rows.pop(last), correction({**urgent["subject"], "address": "Jalan Baru 1"}))
    (other,) = rows.values()
    await kpk.amend(
        other, correction({**other["subject"], "documents": [*other["subject"]["documents"], NEWER]})
    )
    assert await kpk.action(urgent["subject"], document=NEWER) == "refuse_exit"
    answer = await kpk.try_decide(await kpk.decide(later, "verify"), "approve")
    assert answer.status_code in {201, 409}
    assert await kpk.action(urgent["subject"], document=NEWER) == "refuse_exit"


async def test_two_corrections_that_each_withdraw_what_the_other_keeps_do_not_withdraw_all(
    kpk: Offices, runtime: Runtime
):
    body = urgent_body()
    first = body["subject"]["documents"]
    second = {"type": "passport", "number": "X7654321", "issuing_state": "IDN"}
    urgent = await kpk.urgent(merged(body, {"subject": {"documents": [*first, second]}}))
    formal = await kpk.approve(await kpk.formalise(urgent, starts_on="2026-12-13", ends_on="2027-06-12"))
    keeping_first = correction({**body["subject"], "documents": first})
    waiting = await kpk.decide(await kpk.file(urgent, keeping_first), "verify")
    await kpk.amend(formal, correction({**body["subject"], "documents": [second]}))
    async with nothing_changed(runtime):
        answer = await kpk.try_decide(waiting, "approve")
        refused(answer, 409, "wrong-state")
    assert answer.json()["differs"] == ["/subject/documents"]
    assert await kpk.action({**body["subject"], "documents": [second]}) == "refuse_exit"
