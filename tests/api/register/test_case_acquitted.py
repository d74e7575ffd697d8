"""What an acquittal does to a whole case: the owner's every exit ban of the person in it (art. 97(3); R37, R67)."""

from datetime import timedelta
from typing import Any

import pytest

from app.runtime import Runtime
from app.worker import Worker
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
from tests.support.offices import NEWER, Offices, acquittal, correction, given_again, same_case, time_passes
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, etag, expect

DAY_21 = {"starts_on": "2026-12-13", "ends_on": "2027-06-13"}
LATER = ("2026-11-24T09:00:00+07:00", "2026-12-13T00:00:00+07:00", "2027-06-13T09:00:00+07:00")


async def all_over(kpk: Offices, subject: Json, *entries: Json) -> None:
    """Every entry of a case is over by the acquittal, and the counter lets the person pass."""
    for entry in entries:
        now = await kpk.read(entry)
        assert (now["state"], now["ended_reason"], now["in_force"]) == ("ended", "acquitted", False)
    assert await kpk.action(subject) == "allow"


@pytest.mark.parametrize("filed_on", ["formal", "urgent"])
async def test_an_acquittal_filed_on_either_row_ends_the_urgent_and_the_formal_entry(
    kpk: Offices, clock: SettableClock, worker: Worker, filed_on: str
):
    urgent = await kpk.urgent()
    formal = await kpk.approve(await kpk.formalise(urgent, **DAY_21))
    rows = {"formal": formal, "urgent": urgent}
    amendment = await kpk.file(rows[filed_on], acquittal(urgent))
    assert amendment["ends"] == sorted([urgent["id"], formal["id"]])
    await kpk.approve(amendment)
    await all_over(kpk, urgent["subject"], urgent, formal)
    assert await kpk.last_word() == ("cancel", "release")
    for moment in LATER:
        clock.set(moment)
        await time_passes(worker)
        assert await kpk.action(urgent["subject"]) == "allow"
        assert await kpk.last_word() == ("cancel", "release")


@pytest.mark.parametrize("filed_on", ["formal", "urgent"])
async def test_an_acquittal_after_the_take_over_ends_what_took_over(
    kpk: Offices, clock: SettableClock, filed_on: str
):
    urgent = await kpk.urgent()
    formal = await kpk.approve(await kpk.formalise(urgent))
    clock.set("2026-12-02T09:00:00+07:00")
    assert await kpk.action(urgent["subject"]) == "refuse_exit"
    await kpk.amend({"formal": formal, "urgent": urgent}[filed_on], acquittal(urgent))
    await all_over(kpk, urgent["subject"], formal)
    assert await kpk.last_word() == ("cancel", "release")


async def test_an_acquittal_rejects_a_formal_request_that_waits_and_bars_its_approval(
    kpk: Offices, runtime: Runtime
):
    urgent = await kpk.urgent()
    formal = await kpk.decide(await kpk.formalise(urgent), "verify")
    await kpk.amend(urgent, acquittal(urgent))
    closed = await kpk.read(formal)
    assert closed["state"] == "rejected"
    async with nothing_changed(runtime):
        refused(await kpk.try_decide(formal, "approve", stale=True), 412, "stale-version")
        refused(await kpk.try_decide(formal, "approve"), 409, "case-closed")
    path = f"/v1/entries/{formal['id']}/history"
    history = (await kpk.http.get(path, headers=kpk.submitter.headers)).json()["items"]
    judgment = acquittal(urgent)["judgment"]
    assert history[-1]["event"] == "rejected"
    assert judgment["court"] in history[-1]["reason"], "the judgment is the reason"
    await all_over(kpk, urgent["subject"], urgent)


@pytest.mark.parametrize("named", [0, 1])
async def test_an_acquittal_ends_both_of_two_successive_entries(
    kpk: Offices, clock: SettableClock, named: int
):
    body = entry_body(ends_on="2027-01-31")
    following = same_case(body, starts_on="2027-02-01", ends_on="2027-07-31")
    rows = [await kpk.impose(body), await kpk.impose(following)]
    await kpk.amend(rows[named], acquittal(rows[0]))
    await all_over(kpk, body["subject"], *rows)
    clock.set("2027-02-01T09:00:00+07:00")
    assert await kpk.action(body["subject"]) == "allow"


REQUESTS = {
    "an ordinary request": lambda body: same_case(body, starts_on="2026-11-24", ends_on="2027-05-24"),
    "an urgent request": lambda body: same_case(body, urgent_body()),
    "one with the case written differently": lambda body: merged(
        same_case(body),
        {"basis": {"case_reference": body["basis"]["case_reference"].upper().replace(".", " ")}},
    ),
    "one that says less of the person": lambda body: merged(
        same_case(body), {"subject": {"documents": [], "nik": None}, "unknown": ["documents", "nik"]}
    ),
    "one with another passport": lambda body: same_case(body, subject={"documents": [NEWER]}),
}


@pytest.mark.parametrize("asked", REQUESTS.values(), ids=REQUESTS.keys())
async def test_an_acquittal_closes_the_case_for_every_later_request(
    kpk: Offices, runtime: Runtime, asked: Any
):
    body = entry_body()
    entry = await kpk.impose(body)
    filed = acquittal(entry)
    await kpk.amend(entry, filed)
    async with nothing_changed(runtime):
        answer = await kpk.try_submit(asked(body))
        refused(answer, 409, "case-closed")
    problem = answer.json()
    assert problem["entry_id"] == entry["id"]
    assert problem["judgment"] == {name: filed["judgment"][name] for name in ("number", "court", "final_on")}


async def test_another_case_and_another_owner_are_not_closed(kpk: Offices, actors: Actors):
    body = entry_body()
    entry = await kpk.impose(body)
    police = await Offices.opened(kpk.http, actors, "POLRI")
    asked = same_case(body, basis={"instrument": "request", "number": "B/7/XI/2026"})
    other = await police.impose(asked)
    await kpk.amend(entry, acquittal(entry))
    assert await kpk.action(body["subject"]) == "refuse_exit"
    assert (await kpk.read(other))["state"] == "active"
    fresh = merged(entry_body(), {"subject": body["subject"]})
    assert (await kpk.submit(fresh))["state"] == "submitted"
    related = await kpk.tasks(police.submitter, "related_entry")
    assert [task["entry_id"] for task in related] == [other["id"]]
    assert await kpk.tasks(kpk.submitter, "related_entry") == []
    body = {"name": "related_entry", "done_at": other["created_at"], "reference": "B/9/XI/2026"}
    path = f"/v1/entries/{other['id']}"
    closed = await kpk.http.post(f"{path}/duties", json=body, headers=police.submitter.headers)
    plain = {**police.submitter.headers, "Accept-Encoding": "identity"}
    shown = await kpk.http.get(path, headers=plain)
    assert (expect(closed, 201), closed.headers["etag"]) == (expect(shown, 200), shown.headers["etag"])
    assert await kpk.tasks(police.submitter, "related_entry") == []


async def test_a_returned_request_is_not_resubmitted_into_a_closed_case(kpk: Offices, runtime: Runtime):
    urgent = await kpk.urgent()
    formal = await kpk.decide(await kpk.formalise(urgent), "return", kpk.verifier, "Unsigned.")
    await kpk.amend(urgent, acquittal(urgent))
    body = same_case({**urgent, "subject": given_again(urgent["subject"])}, entry_body(**DAY_21))
    async with nothing_changed(runtime):
        refused(await kpk.try_resubmit(formal, body), 409, "case-closed")


async def test_father_and_son_of_one_name_are_two_persons_in_one_case(kpk: Offices, clock: SettableClock):
    father = entry_body(subject={"birth": {"date": "1950-02-03"}, "nik": None}, unknown=["nik"])
    son = same_case(
        father,
        subject={"birth": {"date": "1980-06-07"}, "documents": [NEWER], "aliases": []},
        unknown=["nik"],
    )
    rows = [await kpk.impose(father), await kpk.impose(son)]
    amendment = await kpk.file(rows[0], acquittal(rows[0]))
    assert amendment["ends"] == [rows[0]["id"]]
    await kpk.approve(amendment)
    assert (await kpk.read(rows[1]))["state"] == "active"
    assert await kpk.action(son["subject"]) == "refuse_exit"
    assert (await kpk.ask(father["subject"]))["outcome"] != "refuse"
    for officer in (kpk.submitter, kpk.verifier):
        assert [task["entry_id"] for task in await kpk.tasks(officer, "related_entry")] == [rows[1]["id"]]


async def test_an_acquittal_of_some_charges_only_is_a_task_and_changes_nothing(kpk: Offices):
    entry = await kpk.impose(entry_body())
    amendment = await kpk.file(entry, acquittal(entry, all_charges=False))
    assert amendment["ends"] == []
    assert await kpk.read(entry) == entry
    waiting = [task for task in await kpk.tasks(kpk.submitter) if task["amendment_id"] == amendment["id"]]
    waiting += [task for task in await kpk.tasks(kpk.verifier) if task["amendment_id"] == amendment["id"]]
    assert waiting != [], "the owner decides what becomes of the other charges"
    assert await kpk.action(entry["subject"]) == "refuse_exit"
    again = await kpk.try_submit(entry_body(subject=entry_body()["subject"]))
    assert again.status_code == 201


async def test_an_acquittal_says_whether_it_is_of_every_charge(kpk: Offices, runtime: Runtime):
    entry = await kpk.impose(entry_body())
    async with nothing_changed(runtime):
        for given in (None, ...):
            answer = await kpk.try_file(entry, acquittal(entry, all_charges=given))
            assert "/judgment/all_charges" in refused(answer, 422, "validation")
        answer = await kpk.try_file(entry, acquittal(entry, effect="immediate", final_on=None))
        assert refused(answer, 422, "validation") != {}
        answer = await kpk.try_file(entry, acquittal(entry, final_on=None))
        assert "/judgment/final_on" in refused(answer, 422, "validation")


async def test_there_is_no_acquittal_on_an_entry_ban(http: Any, actors: Actors, runtime: Runtime):
    immigration = await Offices.opened(http, actors, "IMIGRASI")
    entry = await immigration.impose(deterrence_body())
    async with nothing_changed(runtime):
        refused(await immigration.try_file(entry, acquittal(entry)), 422, "validation")


async def ended_how(kpk: Offices, how: str, body: Json, clock: SettableClock) -> Json:
    """An entry of a body that has ended in a way."""
    if how == "lapsed":
        urgent = await kpk.urgent(same_case(body, urgent_body()))
        clock.set("2026-12-13T09:00:00+07:00")
        return urgent
    entry = await kpk.impose(body)
    if how == "revoked":
        return await kpk.amend(entry, revocation_body(entry))
    clock.set("2027-05-24T09:00:00+07:00")
    return entry


@pytest.mark.parametrize("worked", ["worked", "not worked"])
@pytest.mark.parametrize("how", ["expired", "lapsed", "revoked"])
async def test_an_acquittal_of_what_has_ended_closes_the_case(
    kpk: Offices, clock: SettableClock, worker: Worker, how: str, worked: str
):
    body = entry_body()
    entry = await ended_how(kpk, how, body, clock)
    if worked == "worked":
        await time_passes(worker)
    amendment = await kpk.file(entry, acquittal(entry))
    assert amendment["ends"] == []
    await kpk.approve(amendment)
    today = clock().date()
    fresh = {"issued_on": today.isoformat(), "received_on": today.isoformat()}
    period = {"starts_on": today.isoformat(), "ends_on": (today + timedelta(days=30)).isoformat()}
    asked = same_case(body, basis=fresh, **period)
    refused(await kpk.try_submit(asked), 409, "case-closed")
    urgent = same_case(body, urgent_body(letter={"issued_on": today.isoformat()}), basis=fresh)
    refused(await kpk.try_submit(urgent), 409, "case-closed")


async def test_an_acquittal_of_the_first_of_two_periods_that_is_over_ends_the_second(
    kpk: Offices, clock: SettableClock
):
    body = entry_body(ends_on="2027-01-31")
    first = await kpk.impose(body)
    second = await kpk.impose(same_case(body, starts_on="2027-02-01", ends_on="2027-07-31"))
    clock.set("2027-03-01T09:00:00+07:00")
    assert await kpk.action(body["subject"]) == "refuse_exit"
    await kpk.amend(first, acquittal(first))
    await all_over(kpk, body["subject"], second)
    assert (await kpk.read(first))["ended_reason"] == "expired", "what had ended keeps its reason"


async def test_what_waits_is_closed_with_the_case(kpk: Offices, runtime: Runtime):
    body = entry_body()
    entry = await kpk.impose(body)
    waiting = [
        await kpk.file(entry, extension_body(entry, "2027-11-24")),
        await kpk.file(entry, correction(merged(entry["subject"], {"occupation": "baker"}))),
        await kpk.file(entry, revocation_body(entry)),
    ]
    verified = await kpk.decide(waiting[0], "verify")
    await kpk.amend(entry, acquittal(entry))
    for amendment in waiting:
        assert (await kpk.read(amendment))["state"] == "rejected"
    async with nothing_changed(runtime):
        refused(await kpk.try_decide(verified, "approve", stale=True), 412, "stale-version")
        refused(await kpk.try_decide(verified, "approve"), 409, "case-closed")


async def test_an_amendment_shows_what_it_ends_and_changes_its_version_with_it(
    kpk: Offices, runtime: Runtime
):
    urgent = await kpk.urgent()
    amendment = await kpk.file(urgent, acquittal(urgent))
    assert amendment["ends"] == [urgent["id"]]
    formal = await kpk.formalise(urgent)
    now = await kpk.read(amendment)
    assert now["ends"] == sorted([urgent["id"], formal["id"]])
    assert now["version"] != amendment["version"]
    async with nothing_changed(runtime):
        refused(await kpk.try_decide(amendment, "verify", stale=True), 412, "stale-version")
    answer = await kpk.http.get(f"/v1/amendments/{amendment['id']}", headers=kpk.approver.headers)
    assert answer.headers["etag"].startswith(etag(now).rstrip('"'))
    await kpk.approve(amendment)
    await all_over(kpk, urgent["subject"], urgent)


async def test_an_acquittal_is_first_in_the_worklists_and_due_at_once(kpk: Offices, clock: SettableClock):
    entries = [await kpk.impose(entry_body()) for _ in range(2)]
    await kpk.file(entries[0], revocation_body(entries[0]))
    await kpk.submit(entry_body())
    clock.advance(hours=3)
    amendment = await kpk.file(entries[1], acquittal(entries[1]))
    assert amendment["due_at"] == "2026-11-23T06:00:00.000000Z"
    assert (await kpk.tasks(kpk.verifier))[0]["amendment_id"] == amendment["id"]
    await kpk.decide(amendment, "verify")
    assert (await kpk.tasks(kpk.approver))[0]["amendment_id"] == amendment["id"]
