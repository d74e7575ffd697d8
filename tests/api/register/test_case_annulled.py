"""Who may annul a measure, on what, and what that ends (API section 3, "Annulment"; R36, R37, R66)."""

from typing import Any

import pytest

from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import deterrence_body, entry_body, judgment_body, merged, urgent_body
from tests.support.clock import SettableClock
from tests.support.offices import ATTACHED, Offices, annulment, same_case
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, expect

DAY_21 = {"starts_on": "2026-12-13", "ends_on": "2027-06-13"}
LETTER = {"number": "B-7/2026", "issued_on": "2026-11-23"}
LETTERS: list[Json] = [
    {"letter": LETTER},
    {"letter": {"number": "NCB-Div HI/1030/V/2001", "issued_on": "2001-05-05"}},
    {"letter": {"number": "Surat Kapolri 1", "issued_on": "2026-11-20"}},
    {"letter": {"number": "R-1/DAK.01.03/2026", "issued_on": "2026-11-23"}},
]


async def objected(kpk: Offices, entry: Json, outcome: str = "granted") -> Json:
    """An objection against an entry and its answer."""
    body = {
        "filed_on": "2026-11-23",
        "objector": {"name": "Ratna Wulandari", "capacity": "lawyer"},
        "grounds": "He is not the person of the case.",
    }
    path = f"/v1/entries/{entry['id']}/objections"
    filed = expect(await kpk.http.post(path, json=body, headers=kpk.submitter.headers), 201)
    answer = {"outcome": outcome, "reason": "Looked into.", "letter": LETTER}
    path, headers = f"/v1/objections/{filed['id']}/answer", kpk.verifier.on('"1"')
    return expect(await kpk.http.post(path, json=answer, headers=headers), 201)


async def mistaken(
    kpk: Offices, actors: Actors, entry: Json, outcome: str = "granted", kind: str = "wrong_person"
) -> Json:
    """A correction request of the person concerned and its answer."""
    body = {
        "entry_id": entry["id"],
        "kind": kind,
        "statement": "I am another person of the same name.",
        "evidence": "Passport C7654321, born in another year.",
        "requester": {"name": "Wulan Pucangan", "contact": "wulan@example.com"},
    }
    by = await actors.client("supervisor")
    told = expect(await kpk.http.post("/v1/correction-requests", json=body, headers=by.headers), 201)
    decision = {"outcome": outcome, "reason": "UU 27/2022 Pasal 33: partly another person."}
    path = f"/v1/correction-requests/{told['id']}/decisions"
    return expect(await kpk.http.post(path, json=decision, headers=kpk.approver.on('"1"')), 201)


@pytest.mark.parametrize("effect", ["final", "immediate"])
@pytest.mark.parametrize("filed_on", ["formal", "urgent"])
async def test_a_praperadilan_judgment_ends_the_urgent_entry_with_the_formal_one(
    kpk: Offices, clock: SettableClock, filed_on: str, effect: str
):
    urgent = await kpk.urgent()
    formal = await kpk.approve(await kpk.formalise(urgent, **DAY_21))
    given = {"effect": effect} | ({"final_on": None} if effect == "immediate" else {})
    await kpk.amend({"formal": formal, "urgent": urgent}[filed_on], annulment(urgent, **given))
    for row in (urgent, formal):
        assert (await kpk.read(row))["ended_reason"] == "annulled"
    assert await kpk.last_word() == ("cancel", "release")
    for moment in ("2026-11-23T11:00:00+07:00", "2026-12-14T09:00:00+07:00"):
        clock.set(moment)
        assert await kpk.action(urgent["subject"]) == "allow"


async def test_after_an_annulment_a_newer_decision_is_accepted_and_warned_and_an_older_one_refused(
    kpk: Offices, runtime: Runtime
):
    body = entry_body(basis={"issued_on": "2026-11-16", "received_on": "2026-11-17"})
    entry = await kpk.impose(body)
    await kpk.amend(entry, annulment(entry, decided_on="2026-11-19", final_on="2026-11-19"))
    old = same_case(body, basis={"issued_on": "2026-11-18", "received_on": "2026-11-20"})
    async with nothing_changed(runtime):
        refused(await kpk.try_submit(old), 409, "wrong-state")
        refused(await kpk.try_submit(same_case(body, urgent_body(), basis=old["basis"])), 409, "wrong-state")
    same_day = same_case(body, basis={"issued_on": "2026-11-19", "received_on": "2026-11-20"})
    entry = await kpk.submit(same_day)
    assert "annulled_before" in [warning["code"] for warning in entry["warnings"]]
    assert (await kpk.approve(entry))["state"] == "active"
    assert await kpk.action(body["subject"]) == "refuse_exit"


async def test_an_annulment_that_is_filed_late_leaves_what_was_decided_after_the_judgment(
    kpk: Offices, clock: SettableClock, runtime: Runtime
):
    body = entry_body(ends_on="2026-11-30")
    entry = await kpk.impose(body)
    clock.set("2026-12-07T09:00:00+07:00")
    days = {"starts_on": "2026-12-07", "ends_on": "2027-06-06"}
    later = await kpk.impose(
        same_case(body, basis={"issued_on": "2026-12-04", "received_on": "2026-12-07"}, **days)
    )
    late = annulment(entry, decided_on="2026-12-02", final_on="2026-12-02")
    async with nothing_changed(runtime):
        refused(await kpk.try_file(entry, late), 409, "wrong-state")
    assert await kpk.action(body["subject"]) == "refuse_exit"
    reached = await kpk.file(entry, annulment(entry, decided_on="2026-12-05", final_on="2026-12-05"))
    assert reached["ends"] == [later["id"]], "a decision of before the judgment is of the annulled measure"


async def test_restoration_is_due_within_three_days_of_the_judgment(kpk: Offices):
    entry = await kpk.impose(entry_body())
    ended = await kpk.amend(entry, annulment(entry, decided_on="2026-11-22", final_on="2026-11-23"))
    due = [each["due_at"] for each in ended["legal_deadlines"] if each["name"] == "restore"]
    assert due == ["2026-11-25T16:59:59.000000Z"]


async def test_a_granted_objection_ends_the_entry_alone(kpk: Offices, clock: SettableClock):
    urgent = await kpk.urgent()
    formal = await kpk.approve(await kpk.formalise(urgent, starts_on="2026-12-01"))
    objection = await objected(kpk, urgent)
    asked = {"kind": "annulment", "grounds": objection["id"]}
    amendment = await kpk.file(formal, asked)
    assert (amendment["ends"], amendment["grounds"]) == ([formal["id"]], objection["id"])
    await kpk.approve(amendment)
    assert (await kpk.read(formal))["ended_reason"] == "annulled"
    assert (await kpk.read(urgent))["state"] == "provisional"
    assert await kpk.action(urgent["subject"]) == "refuse_exit"
    assert await kpk.last_word() == ("update", "refuse_exit")
    clock.set("2026-12-13T00:00:00+07:00")
    assert await kpk.action(urgent["subject"]) == "allow"


async def test_a_granted_correction_request_about_the_wrong_person_ends_the_entry(
    kpk: Offices, actors: Actors
):
    body = entry_body()
    entry = await kpk.impose(body)
    request = await mistaken(kpk, actors, entry)
    assert request["id"].startswith("cor_")
    ended = await kpk.amend(entry, {"kind": "annulment", "grounds": request["id"]})
    assert ended["ended_reason"] == "annulled"
    assert await kpk.action(entry["subject"]) == "allow"
    again = await kpk.submit(same_case(body))
    assert again["state"] == "submitted", "grounds close nothing"


async def test_other_grounds_annul_nothing(kpk: Offices, actors: Actors, runtime: Runtime):
    entry, other = [await kpk.impose(entry_body()) for _ in range(2)]
    grounds = {
        "unknown objection": "obj_01aaaaaaaaaaaaaaaaaaaaaaaa",
        "unknown request": "cor_01aaaaaaaaaaaaaaaaaaaaaaaa",
        "rejected objection": (await objected(kpk, entry, "rejected"))["id"],
        "objection against another": (await objected(kpk, other))["id"],
        "refused request": (await mistaken(kpk, actors, entry, "refused"))["id"],
        "partly granted request": (await mistaken(kpk, actors, entry, "partly"))["id"],
        "request for other data": (await mistaken(kpk, actors, entry, kind="identity"))["id"],
        "request about another": (await mistaken(kpk, actors, other))["id"],
        "no id": "B-7/2026",
        "the entry itself": entry["id"],
    }
    for given in grounds.values():
        async with nothing_changed(runtime):
            answer = await kpk.try_file(entry, {"kind": "annulment", "grounds": given})
            assert "/grounds" in refused(answer, 422, "validation"), given
    assert await kpk.action(entry["subject"]) == "refuse_exit"


async def test_the_owner_does_not_annul_on_a_letter_either(kpk: Offices, runtime: Runtime):
    entry = await kpk.impose(entry_body())
    async with nothing_changed(runtime):
        for given in ({}, {"grounds": None, "judgment": None}, *LETTERS):
            answer = await kpk.try_file(entry, {"kind": "annulment", **given})
            refused(answer, 422, "validation")


@pytest.mark.parametrize("role", ["submitter", "approver", "duty_officer"])
async def test_immigrations_officers_take_no_ban_away_by_another_bodys_letter(
    kpk: Offices, actors: Actors, runtime: Runtime, role: str
):
    by, verifier = (
        await actors.client(role, agency="IMIGRASI"),
        await actors.client("verifier", agency="IMIGRASI"),
    )
    entry = await kpk.impose(entry_body())
    for given in LETTERS:
        amendment = await kpk.file(entry, {"kind": "annulment", **given}, by)
        assert (amendment["state"], amendment["ends"]) == ("referred", [])
        async with nothing_changed(runtime):
            for decider, verdict in (
                (verifier, "verify"),
                (kpk.verifier, "verify"),
                (kpk.approver, "approve"),
            ):
                refused(await kpk.try_decide(amendment, verdict, decider), 409, "wrong-state")
        asked = [task for task in await kpk.tasks(kpk.verifier) if task["amendment_id"] == amendment["id"]]
        assert [task["name"] for task in asked] == ["answer_letter"]
    assert await kpk.action(entry["subject"]) == "refuse_exit"


MISSING: list[tuple[Json, str]] = [
    ({"attachment": ..., "sha256": ...}, "/judgment"),
    ({"attachment": None}, "/judgment/attachment"),
    ({"sha256": None}, "/judgment/sha256"),
    ({"sha256": "0" * 64}, "/judgment/attachment"),
    ({"attachment": {"media_type": "application/pdf", "data": "!"}}, "/judgment/attachment"),
]


@pytest.mark.parametrize("kind", ["acquittal", "annulment"])
async def test_a_judgment_of_another_body_carries_its_document(
    kpk: Offices, actors: Actors, runtime: Runtime, kind: str
):
    entry = await kpk.impose(entry_body())
    by = await actors.client("submitter", agency="IMIGRASI")
    whole = {**ATTACHED, "all_charges": True if kind == "acquittal" else ...}
    for missing, pointer in MISSING:
        async with nothing_changed(runtime):
            body = judgment_body(entry, kind, judgment={**whole, **missing})
            faults = refused(await kpk.try_file(entry, body, by), 422, "validation")
        assert any(fault.startswith(pointer) for fault in faults), (missing, faults)
    assert (await kpk.file(entry, judgment_body(entry, kind, judgment=whole), by))["state"] == "submitted"


async def test_the_owner_is_notified_at_filing_whom_anothers_judgment_would_end(kpk: Offices, actors: Actors):
    urgent = await kpk.urgent()
    formal = await kpk.approve(await kpk.formalise(urgent, **DAY_21))
    by = await actors.client("submitter", agency="IMIGRASI")
    amendment = await kpk.file(formal, annulment(urgent), by)
    told = [item for item in await kpk.tasks(kpk.submitter) if item["amendment_id"] == amendment["id"]]
    assert [item["kind"] for item in told] == ["notice"]
    known = await kpk.read(amendment, kpk.submitter)
    assert known["ends"] == sorted([urgent["id"], formal["id"]])
    verifier = await actors.client("verifier", agency="IMIGRASI")
    await kpk.decide(amendment, "verify", verifier)
    await kpk.decide(amendment, "approve")
    assert await kpk.action(urgent["subject"]) == "allow"


async def test_an_owners_judgment_needs_no_document(kpk: Offices):
    entry = await kpk.impose(entry_body())
    bare = annulment(entry, attachment=..., sha256=...)
    assert (await kpk.amend(entry, bare))["ended_reason"] == "annulled"


async def test_an_annulment_at_once_names_no_day_of_finality_and_another_one_does(
    kpk: Offices, runtime: Runtime
):
    entry = await kpk.impose(entry_body())
    async with nothing_changed(runtime):
        answer = await kpk.try_file(entry, annulment(entry, effect="immediate"))
        assert "/judgment/final_on" in refused(answer, 422, "validation")
        answer = await kpk.try_file(entry, annulment(entry, final_on=None))
        assert "/judgment/final_on" in refused(answer, 422, "validation")
        answer = await kpk.try_file(entry, annulment(entry, effect="some day"))
        assert "/judgment/effect" in refused(answer, 422, "validation")


async def test_an_entry_ban_is_annulled_by_the_administrative_court(http: Any, actors: Actors):
    immigration = await Offices.opened(http, actors, "IMIGRASI")
    entry = await immigration.impose(deterrence_body())
    ended = await immigration.amend(entry, annulment(entry))
    assert ended["ended_reason"] == "annulled"
    asked = merged(same_case(deterrence_body(), deterrence_body()), {"subject": deterrence_body()["subject"]})
    assert (await immigration.submit(asked))["state"] == "submitted"
