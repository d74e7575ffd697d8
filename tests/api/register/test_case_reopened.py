"""What a closed case still admits, and what comes first among refusals (API section 3)."""

from typing import Any

import pytest

from app.runtime import Runtime
from app.worker import Worker
from tests.support.bodies import entry_body, merged, urgent_body
from tests.support.clock import SettableClock
from tests.support.erasure import PERSON
from tests.support.offices import Offices, acquittal, correction, same_case
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, expect

LATER: Json = {"number": "77/PK/Pid.Sus/2026", "court": "Mahkamah Agung", "decided_on": "2026-11-23"}


async def closed(kpk: Offices, body: Json) -> Json:
    """An entry that an acquittal has ended, and the case with it."""
    entry = await kpk.impose(body)
    return await kpk.amend(entry, acquittal(entry))


def reopened(body: Json, other: Json | None = None, **later: Any) -> Json:
    """A request that names the later judgment."""
    return merged(same_case(body, other), {"basis": {"reopens": {**LATER, **later}}})


async def test_a_later_judgment_admits_one_request_with_two_approvers(kpk: Offices, runtime: Runtime):
    body = entry_body()
    await closed(kpk, body)
    entry = await kpk.submit(reopened(body))
    assert entry["basis"]["reopens"] == LATER
    async with nothing_changed(runtime):
        again = merged(reopened(body), {"starts_on": "2027-05-24", "ends_on": "2027-11-23"})
        refused(await kpk.try_submit(again), 409, "case-closed")
        refused(await kpk.try_submit(reopened(body, number="77 pk PID SUS 2026")), 409, "case-closed")
    await kpk.decide(entry, "verify")
    first = await kpk.decide(entry, "approve")
    assert (first["state"], first["in_force"]) == ("verified", False)
    assert await kpk.action(body["subject"]) == "allow"
    async with nothing_changed(runtime):
        refused(await kpk.try_decide(entry, "approve"), 403, "four-eyes")
    second = await kpk.decide(entry, "approve", kpk.second)
    assert (second["state"], second["in_force"]) == ("active", True)
    assert await kpk.action(body["subject"]) == "refuse_exit"


@pytest.mark.parametrize("decided_on", ["2026-11-09", "2026-11-10"])
async def test_an_earlier_judgment_reopens_nothing(kpk: Offices, runtime: Runtime, decided_on: str):
    body = entry_body()
    await closed(kpk, body)
    async with nothing_changed(runtime):
        refused(await kpk.try_submit(reopened(body, decided_on=decided_on)), 409, "case-closed")


async def test_a_rejected_request_has_not_used_the_later_judgment_up(kpk: Offices):
    body = entry_body()
    await closed(kpk, body)
    entry = await kpk.submit(reopened(body))
    await kpk.decide(entry, "verify")
    await kpk.decide(entry, "reject", reason="Unsigned.")
    assert (await kpk.submit(reopened(body)))["state"] == "submitted"


async def test_an_acquittal_after_the_reopening_closes_the_case_again(kpk: Offices, runtime: Runtime):
    body = entry_body()
    await closed(kpk, body)
    entry = await kpk.submit(reopened(body))
    await kpk.decide(entry, "verify")
    await kpk.decide(entry, "approve")
    entry = await kpk.decide(entry, "approve", kpk.second)
    filed = acquittal(entry, decided_on="2026-11-23", final_on="2026-11-23")
    assert (await kpk.amend(entry, filed))["ended_reason"] == "acquitted"
    async with nothing_changed(runtime):
        refused(await kpk.try_submit(reopened(body, number="78/PK/2026")), 409, "case-closed")


async def test_an_urgent_request_may_name_the_later_judgment(kpk: Offices):
    body = entry_body()
    await closed(kpk, body)
    made = await kpk.try_submit(reopened(body, urgent_body()))
    assert expect(made, 201)["entry"]["state"] == "provisional"
    assert await kpk.action(body["subject"]) == "refer_to_supervisor"


async def test_refusals_come_in_one_order(kpk: Offices, runtime: Runtime, clock: SettableClock):
    """412 before `case-closed` before `wrong-state`."""
    urgent = await kpk.urgent()
    formal = await kpk.decide(await kpk.formalise(urgent), "verify")
    await kpk.amend(urgent, acquittal(urgent))
    now = await kpk.read(urgent)
    stale = {**now, "version": now["version"] - 1}
    body = same_case({**now, "subject": {**now["subject"], "photo": None}})
    async with nothing_changed(runtime):
        path = f"/v1/entries/{urgent['id']}/formalisation"
        asked = {"basis": body["basis"], "starts_on": "2026-12-01", "ends_on": "2027-06-01"}
        for known, status, slug in ((stale, 412, "stale-version"), (now, 409, "case-closed")):
            headers = kpk.submitter.on(f'"{known["version"]}"')
            refused(await kpk.http.post(path, json=asked, headers=headers), status, slug)
        refused(await kpk.try_decide(formal, "approve", stale=True), 412, "stale-version")
        refused(await kpk.try_decide(formal, "approve"), 409, "case-closed")
        address = correction({**now["subject"], "address": "Jalan Baru 1"})
        refused(await kpk.try_file(urgent, address), 409, "case-closed")
        path = f"/v1/entries/{urgent['id']}/amendments"
        sent = {"reason": "As the letter says.", **address}
        answer = await kpk.http.post(path, json=sent, headers=kpk.submitter.on(f'"{stale["version"]}"'))
        refused(answer, 412, "stale-version")


async def test_without_an_acquittal_the_order_ends_with_the_state(kpk: Offices, runtime: Runtime):
    entry = await kpk.impose(entry_body())
    async with nothing_changed(runtime):
        refused(await kpk.try_decide({**entry, "version": 1}, "approve", stale=True), 412, "stale-version")
        refused(await kpk.try_decide(entry, "approve"), 409, "wrong-state")


async def test_a_case_is_closed_for_the_acquitted_person_alone(kpk: Offices):
    body = entry_body()
    await closed(kpk, body)
    stranger = same_case(body, subject=entry_body()["subject"])
    assert (await kpk.submit(stranger))["state"] == "submitted"


@PERSON
async def test_after_erasure_a_case_bars_nothing(kpk: Offices, worker: Worker, clock: SettableClock):
    body = entry_body()
    await closed(kpk, body)
    clock.set("2027-04-01T09:00:00+07:00")
    assert await worker.retain() > 0
    fresh = {"issued_on": "2027-04-01", "received_on": "2027-04-01"}
    asked = same_case(body, basis=fresh, starts_on="2027-04-01", ends_on="2027-10-01")
    assert (await kpk.submit(asked))["state"] == "submitted"
