"""What the owner's revocation reaches, and what may come after it (API section 3, "Revocation"; R36)."""

import pytest

from app.runtime import Runtime
from app.worker import Worker
from tests.support.bodies import entry_body, merged, revocation_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.offices import Offices, correction, given_again, same_case, time_passes
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json

DAY_21 = {"starts_on": "2026-12-13", "ends_on": "2027-06-13"}


def this_entry(entry: Json) -> Json:
    """A revocation of one entry alone."""
    return revocation_body(entry, revocation={"scope": "entry"})


async def test_a_verified_revocation_reaches_the_successor_that_was_approved_first(
    kpk: Offices, clock: SettableClock, worker: Worker, runtime: Runtime
):
    urgent = await kpk.urgent()
    formal = await kpk.decide(
        await kpk.formalise(urgent, starts_on="2026-11-23", ends_on="2027-05-23"), "verify"
    )
    revocation = await kpk.decide(await kpk.file(urgent, revocation_body(urgent)), "verify")
    assert revocation["ends"] == sorted([urgent["id"], formal["id"]])
    await kpk.decide(formal, "approve")
    assert await kpk.action(urgent["subject"]) == "refuse_exit"
    now = await kpk.read(revocation)
    assert now["ends"] == [formal["id"]]
    assert now["version"] != revocation["version"]
    async with nothing_changed(runtime):
        refused(await kpk.try_decide(revocation, "approve", stale=True), 412, "stale-version")
    await kpk.decide(revocation, "approve")
    assert (await kpk.read(formal))["ended_reason"] == "revoked"
    assert await kpk.last_word() == ("cancel", "release")
    for days in (0, 20, 100):
        clock.advance(days=days)
        await time_passes(worker)
        assert await kpk.action(urgent["subject"]) == "allow"


async def test_a_decision_on_a_list_is_stale_on_another_one_that_is_as_long(kpk: Offices, runtime: Runtime):
    urgent = await kpk.urgent()
    revocation = await kpk.file(urgent, revocation_body(urgent))
    first = await kpk.decide(await kpk.formalise(urgent), "verify")
    seen = await kpk.read(revocation)
    await kpk.decide(first, "reject", reason="Not his case.")
    second = await kpk.formalise(urgent)
    now = await kpk.read(revocation)
    assert (seen["ends"], now["ends"]) == tuple(
        sorted([urgent["id"], formal["id"]]) for formal in (first, second)
    )
    async with nothing_changed(runtime):
        refused(await kpk.try_decide(seen, "verify", stale=True), 412, "stale-version")
    await kpk.decide(revocation, "verify")
    await kpk.decide(revocation, "approve")
    assert (await kpk.read(second))["state"] == "rejected"


async def test_two_lists_never_have_one_version_and_versions_grow_by_the_changes_of_the_case(
    kpk: Offices, runtime: Runtime
):
    urgent = await kpk.urgent()
    revocation = await kpk.file(urgent, revocation_body(urgent))
    lists: dict[int, tuple[str, list[str]]] = {}

    async def look() -> Json:
        now = await kpk.read(revocation)
        assert lists.setdefault(now["version"], (now["state"], now["ends"])) == (now["state"], now["ends"])
        return now

    for verdict in ("verify", "reject"):
        await look()
        formal = await kpk.formalise(urgent)
        await look()
        formal = await kpk.decide(formal, "verify")
        await look()
        await kpk.decide(formal, "reject", reason="Unsigned.")
        await look()
        if verdict == "verify":
            await kpk.decide(revocation, "verify")
    basis = {**urgent["basis"], "case_reference": "Sprin.Dik-77/2026"}
    await kpk.amend(urgent, correction(basis=basis))
    beside = same_case({**urgent, "basis": basis}, starts_on="2026-12-13", ends_on="2027-06-13")
    await kpk.submit({**beside, "subject": given_again(urgent["subject"])})
    now = await look()
    assert max(lists) == now["version"] <= 16
    assert len({tuple(ends) for _, ends in lists.values()}) == 4
    async with nothing_changed(runtime):
        for version in lists.keys() - {now["version"]}:
            stale = {**revocation, "version": version}
            refused(await kpk.try_decide(stale, "approve", stale=True), 412, "stale-version")


async def test_a_list_that_the_law_has_shortened_has_another_version_before_the_end_is_recorded(
    kpk: Offices, clock: SettableClock, worker: Worker, runtime: Runtime
):
    body = entry_body(ends_on="2027-01-31")
    first = await kpk.impose(body)
    second = await kpk.impose(same_case(body, starts_on="2027-02-01", ends_on="2027-07-31"))
    revocation = await kpk.file(second, revocation_body(second))
    clock.set("2027-02-01T00:00:00+07:00")
    now = await kpk.read(revocation)
    assert (revocation["ends"], now["ends"]) == (sorted([first["id"], second["id"]]), [second["id"]])
    assert now["version"] == revocation["version"] + 1
    async with nothing_changed(runtime):
        refused(await kpk.try_decide(revocation, "verify", stale=True), 412, "stale-version")
    await time_passes(worker)
    assert (await kpk.read(revocation))["version"] == now["version"]
    assert (await kpk.decide(revocation, "verify"))["version"] == now["version"] + 1


async def test_a_revocation_reaches_a_successor_that_begins_later(kpk: Offices, clock: SettableClock):
    urgent = await kpk.urgent()
    formal = await kpk.decide(await kpk.formalise(urgent, **DAY_21), "verify")
    revocation = await kpk.decide(await kpk.file(urgent, revocation_body(urgent)), "verify")
    await kpk.decide(formal, "approve")
    await kpk.decide(revocation, "approve")
    for row in (urgent, formal):
        assert (await kpk.read(row))["ended_reason"] == "revoked"
    clock.set("2026-12-14T09:00:00+07:00")
    assert await kpk.action(urgent["subject"]) == "allow"


@pytest.mark.parametrize("state", ["submitted", "returned", "verified"])
async def test_a_revoked_urgent_entry_takes_its_waiting_formal_request_with_it(
    kpk: Offices, runtime: Runtime, clock: SettableClock, state: str
):
    urgent = await kpk.urgent()
    formal = await kpk.formalise(urgent)
    if state != "submitted":
        verdict = {"returned": "return", "verified": "verify"}[state]
        formal = await kpk.decide(formal, verdict, kpk.verifier, "Unsigned.")
    await kpk.amend(urgent, revocation_body(urgent))
    assert (await kpk.read(formal))["state"] == "rejected"
    async with nothing_changed(runtime):
        for verdict in ("verify", "approve"):
            refused(await kpk.try_decide(formal, verdict), 409, "wrong-state")
        body = same_case(entry_body(), entry_body())
        refused(await kpk.try_resubmit(formal, body), 409, "wrong-state")
    clock.set("2026-12-02T09:00:00+07:00")
    assert await kpk.action(urgent["subject"]) == "allow"


async def test_a_revocation_of_the_measure_ends_both_periods_and_closes_what_waits(
    kpk: Offices, clock: SettableClock
):
    body = entry_body(ends_on="2027-01-31")
    first = await kpk.impose(body)
    second = await kpk.submit(same_case(body, starts_on="2027-02-01", ends_on="2027-07-31"))
    second = await kpk.decide(second, "verify")
    amendment = await kpk.file(first, correction(merged(first["subject"], {"occupation": "baker"})))
    await kpk.amend(first, revocation_body(first))
    assert (await kpk.read(second))["state"] == "rejected"
    assert (await kpk.read(amendment))["state"] == "rejected"
    clock.set("2027-02-02T09:00:00+07:00")
    assert await kpk.action(body["subject"]) == "allow"


async def test_a_revocation_of_one_entry_leaves_the_other_period(kpk: Offices, clock: SettableClock):
    body = entry_body(ends_on="2027-01-31")
    first = await kpk.impose(body)
    second = await kpk.impose(same_case(body, starts_on="2027-02-01", ends_on="2027-07-31"))
    revocation = await kpk.file(first, this_entry(first))
    assert (revocation["ends"], revocation["revocation"]["scope"]) == ([first["id"]], "entry")
    await kpk.approve(revocation)
    assert (await kpk.read(second))["state"] == "active"
    assert await kpk.action(body["subject"]) == "allow"
    clock.set("2027-02-01T00:00:00+07:00")
    assert await kpk.action(body["subject"]) == "refuse_exit"


async def test_a_revocation_of_the_formal_entry_alone_gives_the_urgent_one_back(
    kpk: Offices, clock: SettableClock, worker: Worker
):
    urgent = await kpk.urgent()
    formal = await kpk.approve(await kpk.formalise(urgent))
    await kpk.amend(formal, this_entry(formal))
    assert await kpk.last_word() == ("update", "refuse_exit")
    clock.set("2026-12-12T23:00:00+07:00")
    await time_passes(worker)
    assert await kpk.action(urgent["subject"]) == "refuse_exit"
    clock.set("2026-12-13T00:00:00+07:00")
    await time_passes(worker)
    assert await kpk.action(urgent["subject"]) == "allow"
    assert await kpk.last_word() == ("cancel", "release")


async def test_a_revocation_of_an_urgent_entry_alone_leaves_its_formal_one(
    kpk: Offices, clock: SettableClock
):
    urgent = await kpk.urgent()
    formal = await kpk.approve(await kpk.formalise(urgent))
    revocation = await kpk.file(urgent, this_entry(urgent))
    assert revocation["ends"] == [urgent["id"]]
    await kpk.approve(revocation)
    assert await kpk.action(urgent["subject"]) == "allow"
    assert (await kpk.read(formal))["state"] == "active"
    clock.set("2026-12-01T00:00:00+07:00")
    assert await kpk.action(urgent["subject"]) == "refuse_exit"


@pytest.mark.parametrize("urgent", [False, True])
async def test_after_a_revocation_of_one_entry_the_same_decision_may_be_filed_again(
    kpk: Offices,
    runtime: Runtime,
    urgent: bool,  # noqa: FBT001 - a parameter of the test
):
    body = urgent_body() if urgent else entry_body()
    entry = await kpk.urgent(body) if urgent else await kpk.impose(body)
    async with nothing_changed(runtime):
        refused(await kpk.try_submit(body), 409, "duplicate-entry")
    await kpk.amend(entry, this_entry(entry))
    answer = await kpk.try_submit(body)
    assert answer.status_code == 201


async def test_after_a_revocation_of_the_measure_the_same_decision_may_not(kpk: Offices, runtime: Runtime):
    body = entry_body()
    entry = await kpk.impose(body)
    await kpk.amend(entry, revocation_body(entry))
    async with nothing_changed(runtime):
        refused(await kpk.try_submit(body), 409, "duplicate-entry")
    asked = merged(body, {"basis": {"number": "R-4711/anew"}})
    assert (await kpk.submit(asked))["state"] == "submitted"


async def test_immigration_refuses_the_owners_revocation_only_with_a_reason_and_the_owner_knows(
    kpk: Offices, runtime: Runtime
):
    entry = await kpk.impose(entry_body())
    revocation = await kpk.decide(await kpk.file(entry, revocation_body(entry)), "verify")
    async with nothing_changed(runtime):
        answer = await kpk.try_decide(revocation, "reject")
        assert refused(answer, 422, "validation") == {"/reason": "required"}
    await kpk.decide(revocation, "reject", reason="The number is another case's.")
    for officer in (kpk.submitter, kpk.verifier):
        told = await kpk.tasks(officer, "revocation_refused")
        assert sorted(item["kind"] for item in told) == ["notice", "task"]
        assert {item["amendment_id"] for item in told} == {revocation["id"]}
    assert await kpk.action(entry["subject"]) == "refuse_exit"
    assert (await kpk.amend(entry, revocation_body(entry)))["ended_reason"] == "revoked"
