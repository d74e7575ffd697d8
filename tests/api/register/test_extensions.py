"""Extensions: once, in time, at most as long as the law allows (R22-R24; UU 6/2011 art. 97, 102)."""

import httpx2
import pytest

from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    check_body,
    deterrence_body,
    entry_body,
    extension_body,
    judgment_body,
    merged,
    urgent_body,
)
from tests.support.clock import SettableClock
from tests.support.feeds import alerts, records
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import (
    Json,
    amend,
    approve,
    decide,
    etag,
    expect,
    file_amendment,
    formalise,
    impose,
    settle,
    sound,
    submit,
)


@pytest.fixture
async def entry(http: httpx2.AsyncClient, actors: Actors) -> Json:
    """An exit ban of KPK from 23 November 2026 to 23 May 2027."""
    return await impose(http, actors)


async def test_an_extension_follows_its_period_and_is_told_as_one(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, clock: SettableClock
) -> None:
    body = extension_body(entry, "2027-11-24")
    extended = await amend(http, actors, entry, body)
    assert (extended["ends_on"], extended["extension_count"]) == ("2027-11-24", 1)
    assert extended["version"] == entry["version"] + 1
    assert extended["basis"]["number"] == entry["basis"]["number"]
    assert extended["extended_by"]["number"] == body["extension"]["basis"]["number"]
    last = (await records(http, await actors.client("auditor")))[-1]
    assert (last["type"], last["version"], last["leaf"]["ends_on"]) == (
        "entry.extended",
        extended["version"],
        "2027-11-24",
    )
    assert extended["sequence"] == last["sequence"]
    question = check_body(entry["subject"])
    clock.set("2027-11-24T23:59:59+07:00")
    counter = await actors.client("checkpoint")
    answer = await http.post("/v1/checks", json=question, headers=counter.headers)
    assert expect(answer, 200)["outcome"] == "refuse"
    clock.set("2027-11-25T00:00:00+07:00")
    answer = await http.post("/v1/checks", json=question, headers=counter.headers)
    assert expect(answer, 200)["outcome"] == "clear"


async def test_the_first_day_too_late_is_too_long(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, runtime: Runtime
) -> None:
    owner = await actors.client("submitter")
    async with nothing_changed(runtime):
        answer = await file_amendment(http, owner, entry, extension_body(entry, "2027-11-25"))
        assert refused(answer, 422, "period-too-long") == {"/extension/ends_on": "too_long"}
        answer = await file_amendment(http, owner, entry, extension_body(entry, "2027-05-23"))
        assert refused(answer, 422, "validation") == {"/extension/ends_on": "order"}
        other = extension_body(entry, "2027-11-24", extension={"basis": {"case_reference": "another"}})
        answer = await file_amendment(http, owner, entry, other)
        assert refused(answer, 422, "validation") == {"/extension/basis/case_reference": "other_case"}
        wrong = extension_body(entry, "2027-11-24", extension={"basis": {"instrument": "request"}})
        answer = await file_amendment(http, owner, entry, wrong)
        assert refused(answer, 422, "instrument-mismatch") == {"/extension/basis/instrument": "legal_form"}


async def test_three_days_before_the_end_is_the_last_moment_to_the_second(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, runtime: Runtime, worker: Worker
) -> None:
    late, in_time = await impose(http, actors), await impose(http, actors)
    owner = await actors.client("submitter")
    clock.set("2027-05-20T23:59:59.999+07:00")
    amendment = expect(
        await file_amendment(http, owner, in_time, extension_body(in_time, "2027-11-24", "2027-05-20")), 201
    )
    clock.set("2027-05-21T00:00:00+07:00")
    async with nothing_changed(runtime):
        answer = await file_amendment(http, owner, late, extension_body(late, "2027-11-24"))
        refused(answer, 409, "extension-late")
    assert "13/2025" in answer.json()["detail"]
    amendment = await settle(http, await actors.client("verifier"), amendment, "verify")
    await settle(http, await actors.client("approver"), amendment, "approve")
    clock.set("2027-05-24T00:00:00+07:00")
    await worker.end_by_law()
    for one, state in ((late, "ended"), (in_time, "active")):
        read = expect(await http.get(f"/v1/entries/{one['id']}", headers=owner.headers), 200)
        assert read["state"] == state


async def test_an_extension_meets_its_deadline_by_arriving_unless_it_is_refused(
    http: httpx2.AsyncClient, actors: Actors, entry: Json
) -> None:
    owner, verifier = await actors.client("submitter"), await actors.client("verifier")

    async def met_at() -> str | None:
        read = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
        return next(one["met_at"] for one in read["legal_deadlines"] if one["name"] == "extend_before")

    assert await met_at() is None
    for _ in range(2):
        filed = await file_amendment(http, owner, entry, extension_body(entry, "2027-11-24"))
        assert await met_at() == "2026-11-23T03:00:00.000000Z"
        await settle(http, verifier, expect(filed, 201), "return", "Unsigned.")
        assert await met_at() is None
    duties = await http.get(f"/v1/entries/{entry['id']}/duties", headers=owner.headers)
    assert expect(duties, 200)["items"] == []


async def test_a_second_extension_is_refused_and_the_wanted_list_is_named(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, runtime: Runtime
) -> None:
    extended = await amend(http, actors, entry, extension_body(entry, "2027-11-24"))
    owner = await actors.client("submitter")
    async with nothing_changed(runtime):
        answer = await file_amendment(http, owner, extended, extension_body(extended, "2028-05-24"))
        refused(answer, 409, "extension-exhausted")
    assert "DPO" in answer.json()["detail"]


def of_the_same(entry: Json) -> Json:
    """What another request against the same person in the same case has in common with an entry."""
    person = {name: entry["subject"][name] for name in ("full_name", "birth", "nik", "documents")}
    return {"subject": person, "basis": {"case_reference": entry["basis"]["case_reference"]}}


async def test_a_third_period_is_refused_also_as_an_entry_of_its_own(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, clock: SettableClock, runtime: Runtime
) -> None:
    await amend(http, actors, entry, extension_body(entry, "2027-11-24"))
    same, today = of_the_same(entry), "2027-11-25"
    clock.set(f"{today}T09:00:00+07:00")
    owner = await actors.client("submitter")
    fresh = {"issued_on": today, "received_on": today}
    ordinary = entry_body(starts_on=today, ends_on="2028-05-25", basis=fresh)
    urgent = urgent_body(basis=fresh, letter={"issued_on": today})
    async with nothing_changed(runtime):
        answer = await http.post("/v1/entries", json=merged(ordinary, same), headers=owner.headers)
        refused(answer, 409, "extension-exhausted")
        assert "DPO" in answer.json()["detail"]
        answer = await http.post("/v1/urgent-entries", json=merged(urgent, same), headers=owner.once("u"))
        refused(answer, 409, "extension-exhausted")
    another_case = merged(ordinary, {"subject": same["subject"]})
    assert (await submit(http, owner, another_case))["state"] == "submitted"


async def test_a_period_behind_another_of_its_case_is_not_extended(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    first = await impose(http, actors, entry_body(ends_on="2027-01-31"))
    following = entry_body(starts_on="2027-02-01", ends_on="2027-07-31")
    second = await impose(http, actors, merged(following, of_the_same(first)))
    owner = await actors.client("submitter")
    async with nothing_changed(runtime):
        answer = await file_amendment(http, owner, second, extension_body(second, "2028-01-31"))
        refused(answer, 409, "extension-exhausted")


async def test_of_an_extension_and_a_further_entry_only_the_first_approved_one_holds(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, runtime: Runtime
) -> None:
    owner, verifier = await actors.client("submitter"), await actors.client("verifier")
    approver = await actors.client("approver")
    extension = expect(await file_amendment(http, owner, entry, extension_body(entry, "2027-11-24")), 201)
    extension = await settle(http, verifier, extension, "verify")
    following = entry_body(starts_on="2027-05-24", ends_on="2027-11-24")
    second = await submit(http, owner, merged(following, of_the_same(entry)))
    second = await decide(http, verifier, second, "verify")
    await settle(http, approver, extension, "approve")
    async with nothing_changed(runtime):
        path, said = f"/v1/entries/{second['id']}/decisions", {"verdict": "approve"}
        refused(
            await http.post(path, json=said, headers=approver.on(etag(second))), 409, "extension-exhausted"
        )


async def test_an_extension_is_not_approved_behind_a_further_entry(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, runtime: Runtime
) -> None:
    owner, verifier = await actors.client("submitter"), await actors.client("verifier")
    approver = await actors.client("approver")
    extension = expect(await file_amendment(http, owner, entry, extension_body(entry, "2027-11-24")), 201)
    extension = await settle(http, verifier, extension, "verify")
    following = entry_body(starts_on="2027-05-24", ends_on="2027-11-24")
    await impose(http, actors, merged(following, of_the_same(entry)))
    async with nothing_changed(runtime):
        path, said = f"/v1/amendments/{extension['id']}/decisions", {"verdict": "approve"}
        answer = await http.post(path, json=said, headers=approver.on(etag(extension)))
        refused(answer, 409, "extension-exhausted")


async def test_what_was_annulled_is_no_period_of_its_case(http: httpx2.AsyncClient, actors: Actors) -> None:
    first = await impose(http, actors, entry_body(ends_on="2027-01-31"))
    await amend(http, actors, first, judgment_body(first, "annulment"))
    second = await impose(http, actors, merged(entry_body(), of_the_same(first)))
    extended = await amend(http, actors, second, extension_body(second, "2027-11-24"))
    assert extended["extension_count"] == 1


async def test_an_entry_ban_is_extended_by_ten_years_to_the_day_before_a_missing_leap_day(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    body = deterrence_body(starts_on="2026-11-23", ends_on="2028-02-28")
    entry = await impose(http, actors, body)
    owner = await actors.client("submitter", agency="IMIGRASI")
    answer = await file_amendment(http, owner, entry, extension_body(entry, "2038-03-01"))
    assert "until 2038-02-28" in answer.text
    extended = await amend(http, actors, entry, extension_body(entry, "2038-02-28"))
    assert extended["ends_on"] == "2038-02-28"


@pytest.mark.settings(deterrence_extensions=2)
async def test_a_deployment_may_let_entry_bans_be_extended_more_often(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    entry = await impose(http, actors, deterrence_body(ends_on="2027-11-23"))

    def left(of: Json) -> list[tuple[str, str | None]]:
        running = of["legal_deadlines"]
        return [(each["due_at"], each["met_at"]) for each in running if each["name"] == "extend_before"]

    entry = await amend(http, actors, entry, extension_body(entry, "2030-11-23", "2026-11-21"))
    assert left(entry) == [("2030-11-20T16:59:59.000000Z", None)], "the first one met the first deadline only"
    owner = await actors.client("submitter", agency="IMIGRASI")
    asked = expect(await file_amendment(http, owner, entry, extension_body(entry, "2032-11-23")), 201)
    entry = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert left(entry) == [("2030-11-20T16:59:59.000000Z", "2026-11-23T03:00:00.000000Z")]
    asked = await settle(http, await actors.client("verifier", agency="IMIGRASI"), asked, "verify")
    await settle(http, await actors.client("approver"), asked, "approve")
    entry = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (entry["extension_count"], entry["ends_on"], left(entry)) == (2, "2032-11-23", [])


async def test_neither_an_urgent_entry_nor_one_for_life_is_extended(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    owner = await actors.client("submitter")
    urgent = (await sound(http, owner, urgent_body()))["entry"]
    body = deterrence_body(
        ends_on=None, lifetime=True, basis={"lifetime_ground": "A danger to public order for good."}
    )
    immigration = await actors.client("submitter", agency="IMIGRASI")
    lifelong = expect(await http.post("/v1/entries", json=body, headers=immigration.headers), 201)
    lifelong = await decide(http, await actors.client("verifier", agency="IMIGRASI"), lifelong, "verify")
    for _ in range(2):
        lifelong = await decide(http, await actors.client("approver"), lifelong, "approve")
    async with nothing_changed(runtime):
        answer = await file_amendment(http, owner, urgent, extension_body(urgent, "2027-01-01"))
        refused(answer, 409, "wrong-state")
        answer = await file_amendment(http, immigration, lifelong, extension_body(lifelong, "2040-01-01"))
        refused(answer, 409, "wrong-state")


async def test_an_extended_formal_entry_updates_the_alert_of_its_urgent_one(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
    urgent = (await sound(http, owner, urgent_body()))["entry"]
    body = {"basis": urgent["basis"], "starts_on": "2026-11-23", "ends_on": "2027-05-23"}
    formal = await approve(http, actors, expect(await formalise(http, owner, urgent, body), 201))
    await amend(http, actors, formal, extension_body(formal, "2027-11-24"))
    told = (await alerts(http, counter))[-1]
    assert (told["kind"], told["entry"]["id"]) == ("update", formal["id"])
    assert told["entry"]["in_force_until"] == "2027-11-24T16:59:59.000000Z"
    assert told["expires_at"] == "2027-11-24T17:00:00.000000Z"


async def _approved(http: httpx2.AsyncClient, approver: Caller, amendment: Json) -> httpx2.Response:
    """The answer to an approval, which may be refused."""
    path, said = f"/v1/amendments/{amendment['id']}/decisions", {"verdict": "approve"}
    return await http.post(path, json=said, headers=approver.on(etag(amendment)))


async def _verified(http: httpx2.AsyncClient, actors: Actors, entry: Json, body: Json) -> Json:
    owner = await actors.client("submitter")
    filed = expect(await file_amendment(http, owner, entry, body), 201)
    return await settle(http, await actors.client("verifier"), filed, "verify")


@pytest.mark.parametrize("until", ["2027-11-24", "2027-07-31"], ids=["too_long", "within_the_length"])
async def test_an_extension_does_not_undo_a_correction_that_shortened_the_period_after_its_filing(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, runtime: Runtime, until: str
) -> None:
    approver = await actors.client("approver")
    extension = await _verified(http, actors, entry, extension_body(entry, until))
    shorter = {"kind": "correction", "correction": {"ends_on": "2027-01-31"}}
    assert (await amend(http, actors, entry, shorter))["ends_on"] == "2027-01-31"
    async with nothing_changed(runtime):
        answer = await _approved(http, approver, extension)
        refused(answer, 409, "wrong-state")
    assert answer.json()["differs"] == ["/ends_on"]
    await settle(http, approver, extension, "return", "The period is shorter now.")
    owner = await actors.client("submitter")
    entry = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (await amend(http, actors, entry, extension_body(entry, "2027-07-31")))["ends_on"] == "2027-07-31"


async def test_an_extension_is_judged_against_the_decision_that_a_correction_states(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, runtime: Runtime
) -> None:
    body = extension_body(entry, "2027-11-24")
    approver = await actors.client("approver")
    extension = await _verified(http, actors, entry, body)
    basis = {**entry["basis"], "number": body["extension"]["basis"]["number"]}
    await amend(http, actors, entry, {"kind": "correction", "correction": {"basis": basis}})
    async with nothing_changed(runtime):
        refused(await _approved(http, approver, extension), 409, "wrong-state")


async def test_an_extension_of_a_corrected_entry_is_judged_by_the_day_on_which_it_arrived(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, clock: SettableClock
) -> None:
    clock.set("2027-05-20T23:59:59+07:00")
    approver = await actors.client("approver")
    extension = await _verified(http, actors, entry, extension_body(entry, "2027-11-24", "2027-05-01"))
    subject = {**entry["subject"], "occupation": "Pedagang"}
    subject["photo"] = None
    await amend(http, actors, entry, {"kind": "correction", "correction": {"subject": subject}})
    clock.set("2027-05-26T09:00:00+07:00")
    assert expect(await _approved(http, approver, extension), 201)["state"] == "approved"


async def test_an_extension_whose_last_day_is_over_is_not_approved(
    http: httpx2.AsyncClient, actors: Actors, entry: Json, clock: SettableClock, runtime: Runtime
) -> None:
    approver = await actors.client("approver")
    extension = await _verified(http, actors, entry, extension_body(entry, "2027-05-25"))
    clock.set("2027-05-26T00:00:00+07:00")
    async with nothing_changed(runtime):
        refused(await _approved(http, approver, extension), 409, "wrong-state")
