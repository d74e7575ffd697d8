"""`/v1/clearances`: a namesake is stopped once, not at every crossing; and nobody who is listed ever passes (R47)."""

import asyncio

import httpx2
import pytest

from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, check_body, entry_body, merged, revocation_body, without_photo
from tests.support.clock import SettableClock
from tests.support.crossings import ask, clearances, cleared, hit_of, judge, namesakes, say
from tests.support.refusals import refused
from tests.support.steps import amend, decide, expect, impose, submit

DOCUMENT = "B7654321"


async def proposed(http: httpx2.AsyncClient, actors: Actors, counter: Caller, question: Json) -> Json:
    """What a supervisor's `not_same_person` means for the one entry that was matched."""
    supervisor = await actors.client("supervisor")
    hit = await hit_of(http, supervisor, await ask(http, counter, question))
    resolved = expect(await say(http, supervisor, hit, "not_same_person"), 201)
    (proposal,) = resolved["resolutions"][-1]["clearances"]
    return dict(proposal)


async def records(http: httpx2.AsyncClient, actors: Actors) -> list[Json]:
    """The ledger's records of clearances."""
    auditor = await actors.client("auditor")
    items = expect(await http.get("/v1/changes", headers=auditor.headers), 200)["items"]
    return [record for record in items if record["type"].startswith("clearance.")]


async def test_the_namesake_of_2015_is_stopped_once(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body, question = namesakes()
    entry = await impose(http, actors, body)
    answer = await ask(http, counter, question)
    assert (answer["outcome"], answer["matches"][0]["level"]) == ("refer", "possible")
    supervisor, duty = await actors.client("supervisor"), await actors.client("duty_officer")
    hit = await hit_of(http, supervisor, answer)
    resolved = expect(await say(http, supervisor, hit, "not_same_person"), 201)
    (proposal,) = resolved["resolutions"][0]["clearances"]
    assert (proposal["entry_id"], proposal["obstacle"]) == (entry["id"], None)
    assert proposal["clearance_id"].startswith("clr_")

    assert (await ask(http, counter, question))["outcome"] == "refer"  # it waits for a second person
    (waiting,) = await clearances(http, duty, state="proposed")
    assert waiting["id"] == proposal["clearance_id"]
    assert waiting["document"] == {"number": DOCUMENT, "issuing_state": "IDN"}
    assert (waiting["births"], waiting["names"]) == ([{"date": "1985-09-14"}], [question["person"]["name"]])
    standing = expect(await judge(http, duty, waiting), 201)
    assert (standing["state"], standing["version"]) == ("standing", 2)

    for kind in ("counter", "autogate"):
        passes = await ask(http, await actors.client("checkpoint", kind=kind), question)
        assert (passes["outcome"], passes["action"], passes["hit_id"]) == ("clear", "allow", None)
        shown = [standing["id"]] if kind == "counter" else []  # a gate has no use for whose namesake it is
        assert (passes["matches"], passes["clearances"]) == ([], shown)
    again = await http.get(f"/v1/checks/{passes['id']}", headers=(await actors.client("auditor")).headers)
    assert expect(again, 200)["clearances"] == [standing["id"]]

    correction = {
        "kind": "correction",
        "correction": {"subject": without_photo(body["subject"], birth_place="Bogor")},
    }
    assert (await amend(http, actors, entry, correction))["version"] == entry["version"] + 1
    stopped = await ask(http, counter, question)
    assert (stopped["outcome"], stopped["clearances"]) == ("refer", [])
    (ended,) = await clearances(http, duty)
    assert (ended["state"], ended["ended_reason"]) == ("ended", "entry_changed")


async def test_the_ledger_tells_of_its_grant_and_its_end_without_naming_anybody(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body, question = namesakes()
    entry = await impose(http, actors, body)
    clearance = await cleared(http, actors, counter, question)
    after = await amend(http, actors, entry, revocation_body(entry))
    granted, ended = await records(http, actors)
    assert (granted["type"], ended["type"]) == ("clearance.granted", "clearance.ended")
    for record in (granted, ended):
        assert (record["entry_id"], record["version"]) == (entry["id"], entry["version"])
        assert record["leaf"]["clearance_id"] == clearance["id"]
        assert DOCUMENT not in str(record["leaf"])
        assert question["person"]["name"] not in str(record["leaf"])
        assert not record["tombstone"]
    assert granted["personal"] == {
        "document": {"number": DOCUMENT, "issuing_state": "IDN"},
        "births": [{"date": "1985-09-14"}],
        "names": [question["person"]["name"]],
    }
    assert (ended["personal"], ended["leaf"]["ended_reason"]) == ({}, "entry_ended")
    owner = await actors.client("submitter")
    history = expect(await http.get(f"/v1/entries/{entry['id']}/history", headers=owner.headers), 200)
    own = {item["version"]: item["sequence"] for item in history["items"]}
    assert after["sequence"] == own[after["version"]] < ended["sequence"]
    assert own[entry["version"]] == entry["sequence"] < granted["sequence"]


async def test_a_listed_document_is_never_cleared(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = entry_body()
    await impose(http, actors, body)
    question = check_body(body["subject"])
    proposal = await proposed(http, actors, counter, question)
    assert (proposal["clearance_id"], proposal["obstacle"]) == (None, "document_listed")
    assert "only this crossing" in proposal["text_en"]
    assert "hanya perlintasan ini" in proposal["text_id"]
    assert (await ask(http, counter, question))["outcome"] == "refuse"
    assert await clearances(http, await actors.client("duty_officer")) == []


@pytest.mark.parametrize(
    ("given", "obstacle"),
    [
        ({"document": ...}, "no_document"),
        ({"document": {"issuing_state": None}}, "no_issuing_state"),
        ({"person": {"birth_date": "1985"}}, "no_birth_date"),
    ],
)
async def test_what_can_not_be_bound_is_not_cleared_for_good(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, given: Json, obstacle: str
) -> None:
    body, question = namesakes()
    await impose(http, actors, body)
    assert (await proposed(http, actors, counter, merged(question, given)))["obstacle"] == obstacle


async def test_an_entry_that_has_changed_since_the_check_is_not_cleared_against(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body, question = namesakes()
    entry = await impose(http, actors, body)
    supervisor = await actors.client("supervisor")
    hit = await hit_of(http, supervisor, await ask(http, counter, question))
    await amend(http, actors, entry, revocation_body(entry))
    resolved = expect(await say(http, supervisor, hit, "not_same_person"), 201)
    (proposal,) = resolved["resolutions"][0]["clearances"]
    assert (proposal["clearance_id"], proposal["obstacle"]) == (None, "entry_changed")


@pytest.mark.parametrize(
    "given",
    [
        {"document": {"number": "B7654322"}},
        {"document": {"issuing_state": "MYS"}},
        {"document": ...},
        {"person": {"birth_date": "1985-09-15"}},
        {"person": {"birth_date": "1985"}},
    ],
)
async def test_it_covers_this_document_and_this_birth_date_only(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, given: Json
) -> None:
    body, question = namesakes()
    await impose(http, actors, body)
    clearance = await cleared(http, actors, counter, question)
    stopped = await ask(http, counter, merged(question, given))
    assert (stopped["outcome"], stopped["clearances"]) == ("refer", [])
    assert (await ask(http, counter, question))["clearances"] == [clearance["id"]]


async def test_it_never_counts_against_another_entry_nor_beside_a_listed_document(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body, question = namesakes()
    await impose(http, actors, body)
    clearance = await cleared(http, actors, counter, question)
    other = await impose(http, actors, merged(namesakes()[0], {"subject": {"birth": {"date": "1985-09"}}}))
    answer = await ask(http, counter, question)
    assert (answer["outcome"], answer["clearances"]) == ("refer", [clearance["id"]])
    assert [match["entry_id"] for match in answer["matches"]] == [other["id"]]
    listed = entry_body()
    await impose(http, actors, listed)
    held = check_body(listed["subject"], person=question["person"])
    assert (await ask(http, counter, held))["outcome"] == "refer"


async def test_a_second_person_decides_and_a_refusal_says_why(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body, question = namesakes()
    await impose(http, actors, body)
    supervisor = await actors.client("supervisor")
    hit = await hit_of(http, supervisor, await ask(http, counter, question))
    expect(await say(http, supervisor, hit, "not_same_person"), 201)
    (clearance,) = await clearances(http, supervisor)
    same = await actors.client("duty_officer", person=supervisor.person)
    refused(await judge(http, same, clearance), 403, "four-eyes")
    refused(await judge(http, same, clearance, "reject", "No."), 403, "four-eyes")
    for role in ("supervisor", "submitter", "auditor", "checkpoint"):
        refused(await judge(http, await actors.client(role), clearance), 403, "wrong-role")
    stranger = await actors.client("verifier", agency="BNN")
    refused(await judge(http, stranger, clearance), 404, "not-found")
    owner = await actors.client("verifier")
    assert "/reason" in refused(await judge(http, owner, clearance, "reject"), 422, "validation")
    refused(await judge(http, owner, clearance, "withdraw", "It was an error."), 409, "wrong-state")
    path = f"/v1/clearances/{clearance['id']}/decisions"
    body = {"verdict": "confirm"}
    refused(await http.post(path, json=body, headers=owner.headers), 428, "version-required")
    refused(await judge(http, owner, clearance | {"version": 9}), 412, "stale-version")
    rejected = expect(await judge(http, owner, clearance, "reject", "It is he."), 201)
    assert (rejected["state"], rejected["decisions"][0]["reason"]) == ("rejected", "It is he.")
    refused(await judge(http, await actors.client("approver"), rejected), 409, "wrong-state")
    assert (await ask(http, counter, question))["outcome"] == "refer"
    assert await records(http, actors) == []


async def test_a_standing_one_can_be_taken_back(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body, question = namesakes()
    await impose(http, actors, body)
    clearance = await cleared(http, actors, counter, question)
    owner = await actors.client("verifier")
    assert "/reason" in refused(await judge(http, owner, clearance, "withdraw"), 422, "validation")
    ended = expect(await judge(http, owner, clearance, "withdraw", "The face was not compared."), 201)
    assert (ended["state"], ended["ended_reason"]) == ("ended", "withdrawn")
    assert (await ask(http, counter, question))["outcome"] == "refer"
    assert [record["type"] for record in await records(http, actors)] == [
        "clearance.granted",
        "clearance.ended",
    ]


async def test_of_two_second_persons_at_once_one_decides(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body, question = namesakes()
    await impose(http, actors, body)
    proposal = await proposed(http, actors, counter, question)
    clearance = {"id": proposal["clearance_id"], "version": 1}
    answers = await asyncio.gather(
        judge(http, await actors.client("approver"), clearance),
        judge(http, await actors.client("verifier"), clearance, "reject", "It is he."),
    )
    assert sorted(each.status_code for each in answers) == [201, 409]


async def test_a_clearance_that_is_confirmed_while_its_entry_ends_never_stands_on(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, clock: SettableClock
) -> None:
    body, question = namesakes()
    await impose(http, actors, body)
    proposal = await proposed(http, actors, counter, question)
    clock.set("2027-05-24T00:00:00+07:00")
    clearance = {"id": proposal["clearance_id"], "version": 1}
    refused(await judge(http, await actors.client("approver"), clearance), 409, "wrong-state")


async def test_a_second_hit_of_the_same_traveller_names_the_clearance_that_waits(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body, question = namesakes()
    await impose(http, actors, body)
    first = await proposed(http, actors, counter, question)
    second = await proposed(http, actors, counter, question)
    assert first["clearance_id"] == second["clearance_id"] is not None


async def test_each_sees_the_clearances_that_concern_them(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body, question = namesakes()
    await impose(http, actors, body)
    clearance = await cleared(http, actors, counter, question)
    for role, given, sees in (
        ("supervisor", {}, True),
        ("supervisor", {"checkpoint": "DPS"}, False),
        ("submitter", {}, True),
        ("verifier", {"agency": "BNN"}, False),
        ("approver", {}, True),
        ("duty_officer", {}, True),
        ("auditor", {}, True),
    ):
        by = await actors.client(role, **given)
        assert [each["id"] for each in await clearances(http, by)] == [clearance["id"]] * sees, role
        one = await http.get(f"/v1/clearances/{clearance['id']}", headers=by.headers)
        assert one.status_code == (200 if sees else 404), role
    assert one.headers["ETag"].startswith('"2-')
    assert await clearances(http, by, state="proposed") == []
    nobody = await actors.client("integrator")
    refused(await http.get("/v1/clearances", headers=nobody.headers), 403, "wrong-role")


async def test_who_may_confirm_is_told(http: httpx2.AsyncClient, actors: Actors, counter: Caller) -> None:
    body, question = namesakes()
    await impose(http, actors, body)
    proposal = await proposed(http, actors, counter, question)
    for role in ("approver", "duty_officer", "verifier"):
        officer = await actors.client(role)
        items = expect(await http.get("/v1/notices", headers=officer.headers), 200)["items"]
        (notice,) = [each for each in items if each["name"] == "hit_resolved"]
        assert (notice["outcome"], notice["clearance_id"]) == ("not_same_person", proposal["clearance_id"])


async def test_what_is_sealed_is_decided_on_by_the_named_and_found_by_no_supervisor(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body, question = namesakes()
    owner, verifier = await actors.client("submitter"), await actors.client("verifier")
    approver, supervisor = await actors.client("approver"), await actors.client("supervisor")
    sealed = await submit(http, owner, body | {"sealed_for": [verifier.person, approver.person]})
    sealed = await decide(http, verifier, sealed, "verify")
    await decide(http, approver, sealed, "approve")
    answer = await ask(http, counter, question)
    wanted = {"name": question["person"]["name"], "hit_id": answer["hit_id"]}
    found = await http.post("/v1/entries/search", json=wanted, headers=supervisor.headers)
    assert expect(found, 200)["items"] == []
    proposal = await proposed(http, actors, counter, question)
    clearance = {"id": proposal["clearance_id"], "version": 1}
    refused(await judge(http, await actors.client("verifier"), clearance), 404, "not-found")
    refused(await judge(http, await actors.client("duty_officer"), clearance), 404, "not-found")
    expect(await judge(http, approver, clearance), 201)
