"""Decisions: who may say what about an entry, and what follows (API sections 2 and 3)."""

import asyncio
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, entry_body
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import decide, etag, expect, impose, sound, submit

Json = dict[str, Any]


async def attempt(
    http: AsyncClient, by: Caller, entry: Json, verdict: str, reason: str | None = "Because."
) -> Any:
    """The answer to a decision that may be refused."""
    path = f"/v1/entries/{entry['id']}/decisions"
    return await http.post(path, json={"verdict": verdict, "reason": reason}, headers=by.on(etag(entry)))


async def changes(http: AsyncClient, by: Caller) -> list[Json]:
    """The ledger's records, as one who may read the feed sees them."""
    items: list[Json] = expect(await http.get("/v1/changes", headers=by.headers), 200)["items"]
    return items


async def test_three_persons_bring_an_entry_into_force_and_the_ledger_tells_it_once(
    http: AsyncClient, actors: Actors
):
    submitter, verifier = await actors.client("submitter"), await actors.client("verifier")
    approver, integrator = await actors.client("approver"), await actors.client("integrator")
    entry = await submit(http, submitter)
    verified = await decide(http, verifier, entry, "verify")
    assert (verified["state"], verified["version"], verified["in_force"]) == ("verified", 2, False)
    assert await changes(http, integrator) == []
    active = await decide(http, approver, verified, "approve")
    assert (active["state"], active["version"], active["in_force"], active["sequence"]) == (
        "active",
        3,
        True,
        1,
    )
    told = await changes(http, integrator)
    assert [(record["type"], record["entry_id"], record["version"]) for record in told] == [
        ("entry.listed", entry["id"], 3)
    ]


async def test_the_four_eyes_are_persons_not_accounts(http: AsyncClient, actors: Actors, runtime: Runtime):
    author = await actors.client("submitter", person="19850315 1".replace(" ", ""))
    authors_verifier = await actors.client("verifier", person="1985-03151")
    entry = await submit(http, author)
    async with nothing_changed(runtime):
        refused(await attempt(http, authors_verifier, entry, "verify"), 403, "four-eyes")
        refused(await attempt(http, authors_verifier, entry, "return"), 403, "four-eyes")
    verifier = await actors.client("verifier", person="199001011")
    entry = await decide(http, verifier, entry, "verify")
    for person in ("198503151", "1990.0101.1"):
        approver = await actors.client("approver", person=person)
        async with nothing_changed(runtime):
            for verdict in ("approve", "reject", "return"):
                refused(await attempt(http, approver, entry, verdict), 403, "four-eyes")
    third = await actors.client("approver")
    assert (await decide(http, third, entry, "approve"))["state"] == "active"


async def test_one_account_with_both_roles_can_not_do_both(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    both = await actors.client(["submitter", "verifier"])
    entry = await submit(http, both)
    async with nothing_changed(runtime):
        refused(await attempt(http, both, entry, "verify"), 403, "four-eyes")


async def test_a_verifier_belongs_to_the_entrys_agency_whatever_else_they_see(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    entry = await submit(http, await actors.client("submitter"))
    everywhere = await actors.client(["verifier", "approver"], agency="IMIGRASI")
    auditing = await actors.client(["verifier", "auditor"], agency="POLRI")
    async with nothing_changed(runtime):
        for by in (everywhere, auditing):
            refused(await attempt(http, by, entry, "verify"), 403, "wrong-agency")
            refused(await attempt(http, by, entry, "return"), 403, "wrong-agency")


async def test_immigrations_own_entries_are_approved_in_another_office(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    batam = {"agency": "IMIGRASI", "office": "KANIM-BATAM"}
    entry = await submit(http, await actors.client("submitter", **batam), deterrence_body())
    entry = await decide(http, await actors.client("verifier", **batam), entry, "verify")
    neighbour = await actors.client("approver", office="KANIM-BATAM")
    async with nothing_changed(runtime):
        refused(await attempt(http, neighbour, entry, "approve"), 403, "four-eyes")
    elsewhere = await actors.client("approver", office="KANIM-MEDAN")
    assert (await decide(http, elsewhere, entry, "approve"))["state"] == "active"


async def test_each_verdict_needs_its_role_and_its_state(http: AsyncClient, actors: Actors, runtime: Runtime):
    verifier, approver = await actors.client("verifier"), await actors.client("approver")
    duty = await actors.client("duty_officer")
    entry = await submit(http, await actors.client("submitter"))
    async with nothing_changed(runtime):
        refused(await attempt(http, verifier, entry, "approve"), 403, "wrong-role")
        refused(await attempt(http, duty, entry, "verify"), 403, "wrong-role")
        refused(await attempt(http, approver, entry, "approve"), 409, "wrong-state")
        refused(await attempt(http, approver, entry, "return"), 409, "wrong-state")
        refused(await attempt(http, duty, entry, "countersign"), 409, "wrong-state")
        refused(await attempt(http, verifier, entry, "bless"), 422, "validation")
    entry = await decide(http, verifier, entry, "verify")
    other = await actors.client("verifier")
    async with nothing_changed(runtime):
        refused(await attempt(http, other, entry, "verify"), 409, "wrong-state")
        refused(await attempt(http, other, entry, "return"), 409, "wrong-state")
        refused(await attempt(http, duty, entry, "reject"), 409, "wrong-state")
    entry = await decide(http, approver, entry, "approve")
    async with nothing_changed(runtime):
        for verdict in ("approve", "return", "reject"):
            refused(await attempt(http, approver, entry, verdict), 409, "wrong-state")


async def test_a_refusal_says_why(http: AsyncClient, actors: Actors, runtime: Runtime):
    verifier, approver = await actors.client("verifier"), await actors.client("approver")
    entry = await submit(http, await actors.client("submitter"))
    async with nothing_changed(runtime):
        assert refused(await attempt(http, verifier, entry, "return", None), 422, "validation") == {
            "/reason": "required"
        }
    entry = await decide(http, verifier, entry, "verify")
    async with nothing_changed(runtime):
        refused(await attempt(http, approver, entry, "reject", None), 422, "validation")
        refused(await attempt(http, approver, entry, "reject", "  "), 422, "validation")


async def test_a_returned_entry_is_resubmitted_by_any_submitter_of_its_agency_and_verified_by_who_returned_it(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    author, colleague = await actors.client("submitter"), await actors.client(["submitter", "verifier"])
    verifier, approver = await actors.client("verifier"), await actors.client("approver")
    body = entry_body()
    entry = await submit(http, author, body)
    path = f"/v1/entries/{entry['id']}"
    refused(await http.put(path, json=body, headers=colleague.on('"1"')), 409, "wrong-state")
    entry = await decide(http, verifier, entry, "return", "The photo shows somebody else.")
    assert (entry["state"], entry["version"]) == ("returned", 2)
    async with nothing_changed(runtime):
        refused(await attempt(http, verifier, entry, "verify"), 409, "wrong-state")
        refused(await http.put(path, json=body, headers=colleague.on('"1"')), 412, "stale-version")
        refused(
            await http.put(path, json={**body, "ends_on": "2028-01-01"}, headers=colleague.on('"2"')),
            422,
            "period-too-long",
        )
    again = {**body, "ends_on": "2027-01-01"}
    entry = expect(await http.put(path, json=again, headers=colleague.on('"2"')), 200)
    assert (entry["state"], entry["version"], entry["ends_on"]) == ("submitted", 3, "2027-01-01")
    assert entry["id"] == path.rpartition("/")[2]
    async with nothing_changed(runtime):
        refused(await attempt(http, colleague, entry, "verify"), 403, "four-eyes")
    entry = await decide(http, verifier, entry, "verify")
    assert (await decide(http, approver, entry, "approve"))["state"] == "active"
    history = expect(await http.get(f"{path}/history", headers=author.headers), 200)["items"]
    assert [
        (step["version"], step["event"], step["by"], step["reason"], step["sequence"]) for step in history
    ] == [
        (1, "submitted", author.id, None, None),
        (2, "returned", verifier.id, "The photo shows somebody else.", None),
        (3, "resubmitted", colleague.id, None, None),
        (4, "verified", verifier.id, None, None),
        (5, "approved", approver.id, None, 1),
    ]


async def test_another_agencys_submitter_who_sees_everything_does_not_rewrite_a_returned_entry(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    entry = await submit(http, await actors.client("submitter"))
    entry = await decide(http, await actors.client("verifier"), entry, "return", "Incomplete.")
    immigration = await actors.client(["submitter", "approver"], agency="IMIGRASI", office="KANIM-MEDAN")
    async with nothing_changed(runtime):
        path, body = f"/v1/entries/{entry['id']}", deterrence_body()
        refused(await http.put(path, json=body, headers=immigration.on('"2"')), 403, "wrong-agency")


async def test_an_approver_returns_what_a_verifier_let_pass(http: AsyncClient, actors: Actors):
    entry = await submit(http, await actors.client("submitter"))
    entry = await decide(http, await actors.client("verifier"), entry, "verify")
    entry = await decide(http, await actors.client("approver"), entry, "return", "The article is wrong.")
    assert (entry["state"], entry["in_force"]) == ("returned", False)


async def test_a_rejected_entry_is_over_and_never_in_the_ledger(http: AsyncClient, actors: Actors):
    entry = await submit(http, await actors.client("submitter"))
    entry = await decide(http, await actors.client("verifier"), entry, "verify")
    entry = await decide(http, await actors.client("approver"), entry, "reject", "No ground.")
    assert (entry["state"], entry["ended_reason"], entry["in_force"]) == ("rejected", None, False)
    assert await changes(http, await actors.client("integrator")) == []


async def test_of_two_approvers_at_once_one_decides_and_the_other_has_read_too_early(
    http: AsyncClient, actors: Actors
):
    entry = await submit(http, await actors.client("submitter"))
    entry = await decide(http, await actors.client("verifier"), entry, "verify")
    approvers = [await actors.client("approver") for _ in range(6)]
    answers = await asyncio.gather(*(attempt(http, by, entry, "approve") for by in approvers))
    assert sorted(answer.status_code for answer in answers) == [201] + [412] * 5
    assert len(await changes(http, await actors.client("integrator"))) == 1


async def test_an_approval_after_the_period_is_over_is_refused(
    http: AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock
):
    entry = await submit(http, await actors.client("submitter"), entry_body(ends_on="2026-12-01"))
    entry = await decide(http, await actors.client("verifier"), entry, "verify")
    approver = await actors.client("approver")
    clock.set("2026-12-01T17:00:00Z")
    async with nothing_changed(runtime):
        refused(await attempt(http, approver, entry, "approve"), 409, "wrong-state")


async def test_an_entry_approved_before_its_first_day_is_active_and_not_yet_in_force(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    entry = await impose(http, actors, entry_body(starts_on="2026-12-01"))
    assert (entry["state"], entry["in_force"]) == ("active", False)
    auditor = await actors.client("auditor")

    async def stands(at: str) -> tuple[str, bool, str | None]:
        clock.set(at)
        found = expect(await http.get(f"/v1/entries/{entry['id']}", headers=auditor.headers), 200)
        return found["state"], found["in_force"], found["ended_reason"]

    assert await stands("2026-11-30T16:59:59.999999Z") == ("active", False, None)
    assert await stands("2026-11-30T17:00:00Z") == ("active", True, None)
    assert await stands("2027-05-23T16:59:59.999999Z") == ("active", True, None)
    assert await stands("2027-05-23T17:00:00Z") == ("ended", False, "expired")


VERDICTS = ["verify", "approve", "return"]


async def test_an_urgent_entry_is_not_decided_like_an_ordinary_one(
    http: AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    for verdict in VERDICTS:
        with subtests.test(str(verdict)[:80]):
            raised = await sound(http, await actors.client("submitter"))
            by = await actors.client("approver" if verdict == "approve" else "verifier")
            async with nothing_changed(runtime):
                refused(await attempt(http, by, raised["entry"], verdict), 409, "wrong-state")


async def test_r18_a_request_is_refused_within_seven_days_and_its_deadline_is_seen_by_who_decides(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    verifier = await actors.client("verifier")
    entry = await submit(http, await actors.client("submitter"), entry_body(starts_on="2026-12-15"))
    due = {"name": "refuse_or_approve", "due_at": "2026-11-30T16:59:59.000000Z"}
    assert {**due, "met_at": None} in entry["legal_deadlines"]
    (task,) = expect(await http.get("/v1/worklist", headers=verifier.headers), 200)["items"]
    assert (task["name"], task["due_at"]) == ("verify", due["due_at"])
    clock.advance(days=6)
    returned = await decide(http, verifier, entry, "return", "The photo shows somebody else.")
    assert returned["legal_deadlines"] == [{**due, "met_at": "2026-11-29T03:00:00.000000Z"}]


async def test_an_approved_entry_tells_what_the_law_wants_next_soonest_first(
    http: AsyncClient, actors: Actors
):
    entry = await impose(http, actors)
    told = [(each["name"], each["due_at"], each["met_at"]) for each in entry["legal_deadlines"]]
    assert told == [
        ("deliver_to_minister", "2026-11-23T16:59:59.000000Z", "2026-11-22T17:00:00.000000Z"),
        ("withdraw_passport", "2026-11-26T16:59:59.000000Z", None),
        ("deliver_to_person", "2026-11-27T16:59:59.000000Z", None),
        ("extend_before", "2027-05-20T16:59:59.000000Z", None),
    ]


async def test_of_many_who_resubmit_at_once_one_is_heard(http: AsyncClient, actors: Actors):
    submitters = [await actors.client("submitter") for _ in range(5)]
    body = entry_body()
    entry = await submit(http, submitters[0], body)
    await decide(http, await actors.client("verifier"), entry, "return", "Incomplete.")
    path = f"/v1/entries/{entry['id']}"
    answers = await asyncio.gather(*(http.put(path, json=body, headers=by.on('"2"')) for by in submitters))
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 4
