"""Correction requests of the persons concerned: 72 hours, the wrong person first, four eyes (R63)."""

from typing import Any

import pytest
from httpx2 import AsyncClient
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.access.tables import audit
from app.actor import Actor
from app.register.rectifications.service import open_requests
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, merged, without_photo
from tests.support.clock import SettableClock
from tests.support.refusals import contents, nothing_changed, refused
from tests.support.steps import Json, expect, file_amendment, impose, submit

PATH = "/v1/correction-requests"


def request_body(entry: Json, **given: Any) -> Json:
    return merged(
        {
            "entry_id": entry["id"],
            "kind": "wrong_person",
            "statement": "I am another person of the same name.",
            "evidence": "Passport C7654321, born in another year.",
            "requester": {"name": "Wulan Pucangan", "contact": "wulan@example.com"},
        },
        given,
    )


async def file(http: AsyncClient, by: Caller, entry: Json, **given: Any) -> Json:
    return expect(await http.post(PATH, json=request_body(entry, **given), headers=by.headers), 201)


async def decide(http: AsyncClient, by: Caller, told: Json, **body: Any) -> Any:
    return await http.post(f"{PATH}/{told['id']}/decisions", json=body, headers=by.on(f'"{told["version"]}"'))


async def listed(http: AsyncClient, by: Caller, **asked: Any) -> list[str]:
    answer = expect(await http.get(PATH, params=asked, headers=by.headers), 200)
    return [item["id"] for item in answer["items"]]


async def test_a_request_is_acknowledged_at_once_and_due_in_72_hours(http: AsyncClient, actors: Actors):
    entry = await impose(http, actors)
    supervisor = await actors.client("supervisor")
    response = await http.post(PATH, json=request_body(entry), headers=supervisor.headers)
    told = expect(response, 201)
    assert told["id"].startswith("cor_")
    assert response.headers["location"] == f"{PATH}/{told['id']}"
    assert (told["state"], told["priority"], told["agency"]) == ("open", "high", "KPK")
    assert told["received_at"] == told["acknowledged_at"] == "2026-11-23T03:00:00.000000Z"
    assert (told["due_at"], told["overdue"]) == ("2026-11-26T03:00:00.000000Z", False)
    read = await http.get(f"{PATH}/{told['id']}", headers=supervisor.headers)
    assert expect(read, 200) == told
    tag = read.headers["etag"]
    again = await http.get(f"{PATH}/{told['id']}", headers={**supervisor.headers, "If-None-Match": tag})
    assert (again.status_code, tag) == (304, response.headers["etag"])


async def test_a_repeat_files_one_request(http: AsyncClient, actors: Actors):
    entry = await impose(http, actors)
    supervisor = await actors.client("supervisor")
    for _ in range(2):
        response = await http.post(PATH, json=request_body(entry), headers=supervisor.once("once"))
        expect(response, 201)
    assert response.headers["idempotency-replayed"] == "true"
    assert len(await listed(http, supervisor)) == 1


async def test_deciding_changes_no_entry_and_no_answer_to_a_check(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    body = entry_body()
    entry = await impose(http, actors, body)
    told = await file(http, await actors.client("supervisor"), entry)
    approver, counter = await actors.client("approver"), await actors.client("checkpoint")
    asked = {
        "kind": "correction",
        "correction": {"subject": without_photo(body["subject"], occupation="baker")},
    }
    owner = await actors.client("submitter")
    amendment = expect(await file_amendment(http, owner, entry, asked), 201)["id"]
    other = expect(await file_amendment(http, owner, await impose(http, actors), asked), 201)["id"]
    before = await contents(runtime)
    for wrong in ("amd_01m0", other):
        response = await decide(http, approver, told, outcome="granted", amendment_id=wrong)
        assert refused(response, 422, "validation") == {"/amendment_id": "unknown"}
    response = await decide(http, approver, told, outcome="granted", amendment_id=amendment)
    decided = expect(response, 201)
    after = await contents(runtime)
    assert {name for name in after if after[name] != before[name]} == {"correction_request", "audit"}
    assert decided == {
        **told,
        "version": 2,
        "state": "decided",
        "outcome": "granted",
        "amendment_id": amendment,
        "decided_by": approver.id,
        "decided_at": "2026-11-23T03:00:00.000000Z",
    }
    assert response.headers["etag"].startswith('"2-')
    asked = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(asked, 200)["outcome"] == "refuse"


@pytest.mark.parametrize(
    ("decision", "faults"),
    [
        ({"outcome": "refused"}, {"/reason": "required"}),
        ({"outcome": "partly"}, {"/reason": "required"}),
        ({"outcome": "refused", "reason": "No."}, {"/reason": "article_required"}),
        (
            {"outcome": "refused", "reason": "UU 27/2022 Pasal 33", "amendment_id": "amd_1"},
            {"/amendment_id": "contradiction"},
        ),
        ({"outcome": "granted", "amendment_id": "ent_1"}, {"/amendment_id": "string_pattern_mismatch"}),
        ({"outcome": "maybe"}, {"/outcome": "enum"}),
    ],
)
async def test_a_decision_says_why(
    http: AsyncClient, actors: Actors, runtime: Runtime, decision: Json, faults: dict[str, str]
):
    told = await file(http, await actors.client("supervisor"), await impose(http, actors))
    approver = await actors.client("approver")
    async with nothing_changed(runtime):
        response = await decide(http, approver, told, **decision)
        assert refused(response, 422, "validation") == faults
    fine = {"outcome": "refused", "reason": "It would endanger security (UU 27/2022 Pasal 33)."}
    expect(await decide(http, approver, told, **fine), 201)


async def test_another_person_decides_what_was_read_and_once(http: AsyncClient, actors: Actors):
    entry = await impose(http, actors)
    filer = await actors.client("approver", person="198503152010015555")
    told = await file(http, filer, entry)
    same = await actors.client("approver", person="19850315 201001 5555")
    for own in (filer, same):
        refused(await decide(http, own, told, outcome="granted"), 403, "four-eyes")
    other = await actors.client("approver")
    path = f"{PATH}/{told['id']}/decisions"
    body = {"outcome": "granted"}
    refused(await http.post(path, json=body, headers=other.headers), 428, "version-required")
    refused(await http.post(path, json=body, headers=other.on('"7"')), 412, "stale-version")
    decided = expect(await decide(http, other, told, outcome="granted"), 201)
    refused(await decide(http, other, told, outcome="granted"), 412, "stale-version")
    refused(await decide(http, other, decided, outcome="granted"), 409, "wrong-state")
    for role in ("verifier", "duty_officer", "supervisor", "auditor"):
        refused(await decide(http, await actors.client(role), told, outcome="granted"), 403, "wrong-role")
    unknown = {"id": "cor_unknown", "version": 1}
    refused(await decide(http, other, unknown, outcome="granted"), 404, "not-found")


async def test_who_files_about_which_entry(http: AsyncClient, actors: Actors, runtime: Runtime):
    entry = await submit(http, await actors.client("submitter"))
    for role, agency in (
        ("submitter", "KPK"),
        ("verifier", "KPK"),
        ("submitter", "IMIGRASI"),
        ("approver", "IMIGRASI"),
        ("duty_officer", "IMIGRASI"),
        ("supervisor", None),
    ):
        await file(http, await actors.client(role, agency=agency), entry)
    other, supervisor = await actors.client("submitter", agency="BNN"), await actors.client("supervisor")
    nowhere = request_body({"id": "ent_unknown"})
    async with nothing_changed(runtime):
        refused(await http.post(PATH, json=request_body(entry), headers=other.headers), 404, "not-found")
        refused(await http.post(PATH, json=nowhere, headers=supervisor.headers), 404, "not-found")
    for role in ("auditor", "admin", "checkpoint"):
        caller = await actors.client(role)
        refused(await http.post(PATH, json=request_body(entry), headers=caller.headers), 403, "wrong-role")


async def test_the_wrong_person_comes_first_and_the_decided_last(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    entry, supervisor, made = await impose(http, actors), await actors.client("supervisor"), []
    for kind in ("identity", "wrong_person", "completion", "wrong_person", "wrong_person"):
        made.append(await file(http, supervisor, entry, kind=kind))
        clock.advance(minutes=1)
    approver = await actors.client("approver")
    expect(await decide(http, approver, made[1], outcome="granted"), 201)
    order = [made[i]["id"] for i in (3, 4, 0, 2, 1)]
    assert await listed(http, approver) == order
    assert await listed(http, approver, state="open") == order[:-1]
    assert await listed(http, approver, state="decided") == order[-1:]
    assert await listed(http, approver, entry_id=entry["id"], limit=1) == order[:1]
    assert await listed(http, approver, entry_id="ent_other") == []
    told, cursor = [], None
    while not told or cursor:
        asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = expect(await http.get(PATH, params=asked, headers=approver.headers), 200)
        told += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert told == order


async def test_who_sees_which_request(http: AsyncClient, actors: Actors):
    entry = await impose(http, actors)
    filer = await actors.client("supervisor")
    told = (await file(http, filer, entry))["id"]
    for role in ("approver", "duty_officer", "auditor", "submitter", "verifier"):
        reader = await actors.client(role)
        assert await listed(http, reader) == [told], role
        expect(await http.get(f"{PATH}/{told}", headers=reader.headers), 200)
    assert await listed(http, filer) == [told]
    for role, agency in (("submitter", "BNN"), ("submitter", "IMIGRASI"), ("supervisor", None)):
        other = await actors.client(role, agency=agency)
        assert await listed(http, other) == [], role
        refused(await http.get(f"{PATH}/{told}", headers=other.headers), 404, "not-found")
    refused(await http.get(PATH, headers=(await actors.client("admin")).headers), 403, "wrong-role")


async def test_lists_show_neither_who_asked_nor_what_was_said_and_looks_are_recorded(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    told = await file(http, await actors.client("supervisor"), await impose(http, actors))
    auditor = await actors.client("auditor")
    response = await http.get(PATH, headers=auditor.headers)
    assert "Wulan" not in response.text
    assert "another person" not in response.text
    expect(await http.get(f"{PATH}/{told['id']}", headers=auditor.headers), 200)
    async with runtime.reading(SYSTEM) as reader:
        acts = select(audit.c.act, audit.c.client_id).where(audit.c.object == told["id"])
        found = {tuple(row) for row in await reader.run(acts)}
    assert found == {("correction.requested", told["filed_by"]), ("correction.seen", auditor.id)}


async def test_a_late_decision_is_taken_and_says_so(http: AsyncClient, actors: Actors, clock: SettableClock):
    entry, approver = await impose(http, actors), await actors.client("approver")
    supervisor = await actors.client("supervisor")
    in_time, late = await file(http, supervisor, entry), await file(http, supervisor, entry)
    clock.advance(hours=72)
    assert expect(await decide(http, approver, in_time, outcome="granted"), 201)["overdue"] is False
    first = await http.get(f"{PATH}/{late['id']}", headers=approver.headers)
    clock.advance(microseconds=1)
    second = await http.get(f"{PATH}/{late['id']}", headers=approver.headers)
    assert (first.json()["overdue"], second.json()["overdue"]) == (False, True)
    assert first.headers["etag"] != second.headers["etag"]
    assert expect(await decide(http, approver, late, outcome="granted"), 201)["overdue"] is True


async def test_what_waits_for_whom(http: AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock):
    entry = await impose(http, actors)
    filer, approver = await actors.client("approver"), await actors.client("approver")
    made = []
    for kind in ("identity", "wrong_person"):
        made.append(await file(http, filer, entry, kind=kind))
        clock.advance(minutes=1)

    async def waiting(by: Caller, *roles: str) -> list[tuple[str, str, str]]:
        actor = Actor(by.id, by.person, frozenset(roles), by.agency)
        async with runtime.reading(actor) as reader:
            return [(r.request_id, r.entry_id, r.priority) for r in await open_requests(reader)]

    both = [(made[1]["id"], entry["id"], "high"), (made[0]["id"], entry["id"], "normal")]
    assert await waiting(approver, "approver") == both
    assert await waiting(filer, "approver") == []
    assert await waiting(await actors.client("verifier"), "verifier") == both
    assert await waiting(await actors.client("submitter", agency="BNN"), "submitter") == []
    assert await waiting(await actors.client("auditor"), "auditor") == []
    expect(await decide(http, approver, made[1], outcome="granted"), 201)
    assert await waiting(approver, "approver") == both[1:]
