"""`/v1/hits`: every answer that is not `clear` opens one, and a supervisor says once who it was (R46)."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import httpx2
import pytest
from sqlalchemy import delete, insert, select

from app.access.domain import SYSTEM
from app.border.checks.hit_store import list_opened_hits
from app.border.checks.tables import opened_hit as queue
from app.border.hits.creation import create_hits
from app.border.hits.tables import hit as hit_table
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    Json,
    check_body,
    deterrence_body,
    entry_body,
    merged,
    revocation_body,
    urgent_body,
)
from tests.support.clock import SettableClock
from tests.support.crossings import ask, hit_of, namesakes, say
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import amend, approve, decide, expect, formalise, impose, sound


@pytest.fixture
async def supervisor(actors: Actors) -> Caller:
    return await actors.client("supervisor")


async def listed(http: httpx2.AsyncClient, by: Caller, **asked: Any) -> list[str]:
    """Ids of the hits that somebody sees, in order."""
    answer = expect(await http.get("/v1/hits", params=asked, headers=by.headers), 200)
    return [hit["id"] for hit in answer["items"]]


async def told(http: httpx2.AsyncClient, by: Caller) -> list[Json]:
    """What an officer was told of hits."""
    items = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [each for each in items if each["name"].startswith("hit")]


async def opened(http: httpx2.AsyncClient, actors: Actors, counter: Caller) -> tuple[Json, Json, Json]:
    """An entry, a question about its subject, and the answer that opened a hit."""
    body = entry_body()
    entry = await impose(http, actors, body)
    question = check_body(body["subject"])
    return entry, question, await ask(http, counter, question)


async def test_what_is_not_clear_opens_a_hit_with_all_that_tells_two_people_apart(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller
) -> None:
    entry, question, answer = await opened(http, actors, counter)
    assert (await ask(http, counter, check_body(entry_body()["subject"])))["hit_id"] is None
    assert await listed(http, supervisor) == [answer["hit_id"]]
    hit = await hit_of(http, supervisor, answer)
    assert (hit["state"], hit["version"], hit["outcome"]) == ("open", 1, "refuse")
    assert (hit["checkpoint"], hit["check_id"]) == ("CGK", answer["id"])
    assert hit["entries"] == [
        {
            "entry_id": entry["id"],
            "version": entry["version"],
            "agency": "KPK",
            "state": "active",
            "in_force": True,
        }
    ]
    assert (hit["opened_at"], hit["resolve_by"]) == (
        "2026-11-23T03:00:00.000000Z",
        "2026-11-23T03:30:00.000000Z",
    )
    assert hit["check"] == answer
    assert hit["asked"]["document"] == question["document"]
    assert hit["asked"]["person"]["name"] == question["person"]["name"]


async def test_a_supervisor_sees_what_an_autogate_is_not_shown(
    http: httpx2.AsyncClient, actors: Actors, supervisor: Caller
) -> None:
    gate = await actors.client("checkpoint", kind="autogate")
    entry, _, answer = await opened(http, actors, gate)
    assert answer["matches"] == []
    hit = await hit_of(http, supervisor, answer)
    assert [match["entry_id"] for match in hit["check"]["matches"]] == [entry["id"]]


async def test_a_look_is_on_record(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller
) -> None:
    _, _, answer = await opened(http, actors, counter)
    await hit_of(http, supervisor, answer)
    admin = await actors.client("auditor")
    trail = expect(await http.get("/v1/audit", headers=admin.headers), 200)["items"]
    assert [each["object"] for each in trail if each["act"] == "hit.examined"] == [answer["hit_id"]]


async def test_hits_are_the_supervisors_of_their_checkpoint_and_auditors(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    _, _, answer = await opened(http, actors, counter)
    path = f"/v1/hits/{answer['hit_id']}"
    auditor, elsewhere = await actors.client("auditor"), await actors.client("supervisor", checkpoint="DPS")
    assert await listed(http, auditor) == [answer["hit_id"]]
    assert await listed(http, elsewhere) == []
    refused(await http.get(path, headers=elsewhere.headers), 404, "not-found")
    refused(await say(http, elsewhere, {"id": answer["hit_id"], "version": 1}, "confirmed"), 404, "not-found")
    for role in ("checkpoint", "integrator", "submitter", "verifier", "approver", "duty_officer", "admin"):
        other = await actors.client(role)
        refused(await http.get("/v1/hits", headers=other.headers), 403, "wrong-role")
        refused(await http.get(path, headers=other.headers), 403, "wrong-role")
        hit = {"id": answer["hit_id"], "version": 1}
        refused(await say(http, other, hit, "confirmed", "refuse_exit"), 403, "wrong-role")
    refused(await say(http, auditor, {"id": answer["hit_id"], "version": 1}, "unsure"), 403, "wrong-role")


@pytest.mark.parametrize("hit_id", ["hit_1", "hit_01jd0000000000000000000000", "chk_", "x" * 40])
async def test_an_id_that_is_none_is_not_found(http: httpx2.AsyncClient, supervisor: Caller, hit_id: str):
    refused(await http.get(f"/v1/hits/{hit_id}", headers=supervisor.headers), 404, "not-found")
    refused(await say(http, supervisor, {"id": hit_id, "version": 1}, "unsure"), 404, "not-found")


async def test_the_list_is_filtered_and_paged_newest_first(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller, clock: SettableClock
) -> None:
    _, question, first = await opened(http, actors, counter)
    hits = [first["hit_id"]]
    for _ in range(2):
        clock.advance(minutes=1)
        hits.insert(0, (await ask(http, counter, question))["hit_id"])
    assert await listed(http, supervisor) == hits
    answer = expect(await http.get("/v1/hits", params={"limit": 2}, headers=supervisor.headers), 200)
    assert [hit["id"] for hit in answer["items"]] == hits[:2]
    assert await listed(http, supervisor, limit=2, cursor=answer["next_cursor"]) == hits[2:]
    assert await listed(http, supervisor, **{"from": "2026-11-23T03:01:00Z"}) == hits[:2]
    assert await listed(http, supervisor, to="2026-11-23T03:01:00Z") == hits[2:]
    middle = expect(await http.get(f"/v1/hits/{hits[1]}", headers=supervisor.headers), 200)
    expect(await say(http, supervisor, middle, "confirmed", "hold"), 201)
    assert await listed(http, supervisor, state="open") == [hits[0], hits[2]]
    assert await listed(http, supervisor, state="resolved") == [hits[1]]
    bad = await http.get("/v1/hits", params={"state": "lost", "from": "noon"}, headers=supervisor.headers)
    assert bad.status_code == 422


async def test_a_hit_whose_entry_has_ended_says_so_and_refuses_nobody(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    supervisor: Caller,
    clock: SettableClock,
    runtime: Runtime,
) -> None:
    entry, question, answer = await opened(http, actors, counter)
    later = await ask(http, counter, question)
    path = f"/v1/hits/{answer['hit_id']}"
    before = await http.get(path, headers=supervisor.headers)
    await amend(http, actors, entry, revocation_body(entry))
    after = await http.get(path, headers=supervisor.headers)
    assert before.headers["etag"] != after.headers["etag"]
    (matched,) = after.json()["entries"]
    assert (matched["state"], matched["in_force"]) == ("ended", False)
    items = expect(await http.get("/v1/hits", headers=supervisor.headers), 200)["items"]
    assert [(each["entries"][0]["state"], each["entries"][0]["in_force"]) for each in items] == [
        ("ended", False)
    ] * 2
    owner = await actors.client("verifier")
    noticed = expect(await http.get("/v1/worklist", headers=owner.headers), 200)["items"]
    assert {(each["entry_id"], each["in_force"]) for each in noticed if each["name"] == "hit"} == {
        (entry["id"], False)
    }
    async with nothing_changed(runtime):
        refused(await say(http, supervisor, after.json(), "confirmed", "refuse_exit"), 409, "wrong-state")
    resolved = expect(await say(http, supervisor, after.json(), "confirmed", "allow"), 201)
    assert resolved["entries"][0]["in_force"] is False
    hit = await hit_of(http, supervisor, later)
    expect(await say(http, supervisor, hit, "confirmed", "hand_over"), 201)


@pytest.mark.parametrize("over", [False, True])
async def test_nobody_is_refused_after_the_last_day_of_a_measure(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    supervisor: Caller,
    clock: SettableClock,
    *,
    over: bool,
) -> None:
    body = entry_body(ends_on="2026-11-23")
    await impose(http, actors, body)
    hit = await hit_of(http, supervisor, await ask(http, counter, check_body(body["subject"])))
    clock.set("2026-11-24T00:00:00+07:00" if over else "2026-11-23T23:59:59.999+07:00")
    said = await say(http, supervisor, hit, "confirmed", "refuse_exit")
    if over:
        refused(said, 409, "wrong-state")
    else:
        expect(said, 201)


async def test_the_formal_entry_that_took_over_holds_on_for_a_hit_on_the_urgent_one(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller
) -> None:
    owner, body = await actors.client("submitter"), urgent_body()
    urgent = (await sound(http, owner, body))["entry"]
    urgent = await decide(http, await actors.client("duty_officer"), urgent, "countersign")
    hit = await hit_of(http, supervisor, await ask(http, counter, check_body(body["subject"])))
    asked = {name: value for name, value in entry_body().items() if name in {"basis", "starts_on", "ends_on"}}
    asked["basis"]["case_reference"] = body["basis"]["case_reference"]
    formal = await approve(http, actors, expect(await formalise(http, owner, urgent, asked), 201))
    told = await hit_of(http, supervisor, {"hit_id": hit["id"]})
    assert [(each["entry_id"], each["state"], each["in_force"]) for each in told["entries"]] == [
        (urgent["id"], "ended", True)
    ]
    assert formal["in_force"] is True
    expect(await say(http, supervisor, told, "confirmed", "refuse_exit"), 201)


async def test_confirmed_is_said_once_and_told_to_the_owner(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller
) -> None:
    entry, _, answer = await opened(http, actors, counter)
    hit = await hit_of(http, supervisor, answer)
    resolved = expect(await say(http, supervisor, hit, "confirmed", "refuse_exit"), 201)
    assert (resolved["state"], resolved["version"]) == ("resolved", 2)
    (said,) = resolved["resolutions"]
    assert (said["outcome"], said["action"], said["by"]) == ("confirmed", "refuse_exit", supervisor.id)
    assert said["clearances"] == []
    refused(await say(http, supervisor, resolved, "not_same_person"), 409, "wrong-state")
    verifier = await actors.client("verifier")
    assert [(each["name"], each["outcome"], each["entry_id"]) for each in await told(http, verifier)] == [
        ("hit", "refuse", entry["id"]),
        ("hit_resolved", "confirmed", entry["id"]),
    ]
    assert {each["hit_id"] for each in await told(http, verifier)} == {answer["hit_id"]}
    assert {tuple(each["checkpoints"]) for each in await told(http, verifier)} == {("CGK",)}
    assert await told(http, await actors.client("verifier", agency="BNN")) == []
    assert await told(http, await actors.client("approver")) == []


async def test_unsure_is_kept_as_a_step_and_leaves_it_open(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller
) -> None:
    _, _, answer = await opened(http, actors, counter)
    hit = await hit_of(http, supervisor, answer)
    step = expect(await say(http, supervisor, hit, "unsure", None), 201)
    assert (step["state"], step["version"]) == ("open", 2)
    refused(await say(http, supervisor, hit, "confirmed", "hold"), 412, "stale-version")
    second = await actors.client("supervisor")
    done = expect(await say(http, second, step, "confirmed", "hand_over"), 201)
    assert [said["outcome"] for said in done["resolutions"]] == ["unsure", "confirmed"]
    assert [said["by"] for said in done["resolutions"]] == [supervisor.id, second.id]


@pytest.mark.parametrize(
    ("said", "pointer", "code"),
    [
        ({"outcome": "confirmed", "action": None}, "/action", "required"),
        ({"outcome": "confirmed", "action": "refuse_entry"}, "/action", "direction"),
        ({"outcome": "not_same_person", "action": "refuse_exit"}, "/action", "contradiction"),
        ({"outcome": "confirmed", "action": "shoot"}, "/action", None),
        ({"outcome": "perhaps", "action": "hold"}, "/outcome", None),
        ({"outcome": "confirmed", "action": "hold", "note": ""}, "/note", None),
        ({"outcome": "confirmed", "action": "hold", "note": None}, "/note", None),
        ({"outcome": "confirmed", "action": "hold", "checkpoint": "DPS"}, "/checkpoint", None),
    ],
)
async def test_a_word_that_does_not_fit_is_refused_and_the_hit_stays_open(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    supervisor: Caller,
    said: Json,
    pointer: str,
    code: str | None,
) -> None:
    _, _, answer = await opened(http, actors, counter)
    hit = await hit_of(http, supervisor, answer)
    faults = refused(await say(http, supervisor, hit, **said), 422, "validation")
    assert pointer in faults
    assert code in {None, faults[pointer]}
    assert (await hit_of(http, supervisor, answer))["version"] == 1


async def test_a_resolution_needs_the_version_that_was_read(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller
) -> None:
    _, _, answer = await opened(http, actors, counter)
    body = {"outcome": "confirmed", "action": "hold", "note": "Seen."}
    path = f"/v1/hits/{answer['hit_id']}/resolutions"
    refused(await http.post(path, json=body, headers=supervisor.headers), 428, "version-required")
    refused(await http.post(path, json=body, headers=supervisor.on('"7"')), 412, "stale-version")


async def test_of_two_supervisors_at_once_exactly_one_resolves(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller
) -> None:
    _, _, answer = await opened(http, actors, counter)
    hit = await hit_of(http, supervisor, answer)
    second = await actors.client("supervisor")
    answers = await asyncio.gather(
        say(http, supervisor, hit, "confirmed", "hold"), say(http, second, hit, "not_same_person")
    )
    assert sorted(each.status_code for each in answers) == [201, 409]
    assert len((await hit_of(http, supervisor, answer))["resolutions"]) == 1


async def test_a_hit_that_nobody_resolves_is_told_once(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    supervisor: Caller,
    worker: Worker,
    clock: SettableClock,
) -> None:
    _, question, answer = await opened(http, actors, counter)
    resolved = await hit_of(http, supervisor, await ask(http, counter, question))
    expect(await say(http, supervisor, resolved, "confirmed", "hold"), 201)
    duty, elsewhere = await actors.client("duty_officer"), await actors.client("supervisor", checkpoint="DPS")
    await worker.create_hits()
    clock.advance(minutes=29)
    assert await worker.create_hits() == 0
    clock.advance(minutes=1)
    assert await worker.create_hits() == 1
    assert await worker.create_hits() == 0
    for officer in (supervisor, duty):
        (notice,) = await told(http, officer)
        assert (notice["name"], notice["hit_id"]) == ("hit_unresolved", answer["hit_id"])
        assert notice["effective_at"] == "2026-11-23T03:30:00.000000Z"
    assert await told(http, elsewhere) == []
    hit = await hit_of(http, supervisor, answer)
    assert (hit["version"], hit["escalated_at"]) == (1, "2026-11-23T03:30:00.000000Z")
    expect(await say(http, supervisor, hit, "confirmed", "hold"), 201)


async def test_a_hit_is_found_again_after_a_crash_between_the_check_and_the_register(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, runtime: Runtime, clock: SettableClock
) -> None:
    _, question, first = await opened(http, actors, counter)
    second = await ask(http, counter, question)  # the process is gone before it has taken up either
    clock.advance(days=3)
    assert await create_hits(runtime) == 2
    assert await create_hits(runtime) == 0
    third = await ask(http, counter, question)
    assert await create_hits(runtime) == 1
    verifier = await actors.client("verifier")
    expected = sorted(answer["hit_id"] for answer in (first, second, third))
    assert sorted(each["hit_id"] for each in await told(http, verifier)) == expected
    async with runtime.reading(SYSTEM) as reader:
        assert list((await reader.run(select(hit_table.c.id).order_by(hit_table.c.id))).scalars()) == expected


async def test_a_check_that_commits_late_is_taken_up_too(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, runtime: Runtime
) -> None:
    _, question, early = await opened(http, actors, counter)
    late = await ask(http, counter, question)
    assert late["hit_id"] != early["hit_id"]
    row = {"check_id": early["id"], "hit_id": early["hit_id"]}
    async with runtime.writing_checks(
        SYSTEM
    ) as unit:  # as if the earlier check committed after the later one
        await unit.run(delete(queue).where(queue.c.check_id == early["id"]))
    assert await create_hits(runtime) == 1
    async with runtime.writing_checks(SYSTEM) as unit:
        await unit.run(insert(queue), row)
    assert await create_hits(runtime) == 1


async def test_hits_are_taken_up_after_a_clock_that_ran_ahead_and_each_is_read_once(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, runtime: Runtime, clock: SettableClock
) -> None:
    _, question, _ = await opened(http, actors, counter)
    clock.advance(hours=2)
    await ask(http, counter, question)
    assert await create_hits(runtime) == 2
    clock.advance(hours=-2)
    third = await ask(http, counter, question)
    async with runtime.reading_checks(SYSTEM) as reader:
        assert [each.hit_id for each in await list_opened_hits(reader, None, 10)] == [third["hit_id"]]
    assert await create_hits(runtime) == 1
    async with runtime.reading_checks(SYSTEM) as reader:
        assert await list_opened_hits(reader, None, 10) == []


async def test_hits_are_taken_up_again_by_a_register_that_was_restored_from_an_older_backup(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, runtime: Runtime
) -> None:
    if not runtime.register.is_sqlite:
        pytest.skip("checks and register are restored together there")
    _, question, first = await opened(http, actors, counter)
    assert await Worker(runtime).create_hits() == 1
    saved = sqlite3.connect(":memory:")
    with closing(sqlite3.connect(str(runtime.register.url.database))) as register:
        register.backup(saved)
    lost = [await ask(http, counter, question) for _ in range(3)]
    assert await Worker(runtime).create_hits() == 3
    with closing(sqlite3.connect(str(runtime.register.url.database))) as register:
        saved.backup(register)
    worker = Worker(runtime)
    assert await worker.create_hits() == 3
    assert await worker.create_hits() == 0
    async with runtime.reading(SYSTEM) as reader:
        known = set((await reader.run(select(hit_table.c.id))).scalars())
    assert known == {answer["hit_id"] for answer in (first, *lost)}


async def test_a_supervisor_searches_only_for_an_open_hit_of_theirs(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller
) -> None:
    entry, question, answer = await opened(http, actors, counter)
    wanted = {"name": question["person"]["name"], "hit_id": answer["hit_id"]}

    async def search(by: Caller, **given: Any) -> httpx2.Response:
        return await http.post("/v1/entries/search", json=merged(wanted, given), headers=by.headers)

    found = expect(await search(supervisor), 200)["items"]
    assert [each["id"] for each in found] == [entry["id"]]
    elsewhere = await actors.client("supervisor", checkpoint="DPS")
    refused(await search(elsewhere), 404, "not-found")
    refused(await search(supervisor, hit_id=...), 403, "wrong-role")
    assert "/hit_id" in refused(await search(await actors.client("submitter")), 422, "validation")
    assert "/hit_id" in refused(await search(await actors.client("auditor")), 422, "validation")
    hit = await hit_of(http, supervisor, answer)
    expect(await say(http, supervisor, hit, "confirmed", "hold"), 201)
    refused(await search(supervisor), 404, "not-found")
    trail = expect(await http.get("/v1/audit", headers=(await actors.client("auditor")).headers), 200)[
        "items"
    ]
    assert [each["detail"]["hit"] for each in trail if each["act"] == "entries.searched"] == [
        answer["hit_id"]
    ]


CASE = (
    "instrument",
    "law",
    "reason_code",
    "case_reference",
    "stage",
    "subject_status",
    "occupation",
    "address",
)
"""Some members of an entry that tell of the case or of the person's life."""


async def test_what_is_found_for_a_hit_tells_who_it_is_about_and_nothing_of_the_case(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller
) -> None:
    entry, question, answer = await opened(http, actors, counter)
    asked = {"name": question["person"]["name"], "hit_id": answer["hit_id"]}
    told = await http.post("/v1/entries/search", json=asked, headers=supervisor.headers)
    (found,) = expect(told, 200)["items"]
    identity = {name: found["subject"].pop(name) for name in list(found["subject"])}
    assert identity == {name: entry["subject"][name] for name in identity}
    assert {"full_name", "birth", "nationalities", "nik", "documents", "photo"} <= identity.keys()
    rest = {name: value for name, value in found.items() if name != "subject"}
    assert rest == {name: entry[name] for name in rest}
    assert {"measure", "agency", "in_force", "ends_on", "countersigned_at"} <= rest.keys()
    basis = entry["basis"]
    for member in CASE:
        assert f'"{member}"' not in told.text
    for words in (
        basis["number"],
        basis["reason"],
        basis["case_reference"],
        basis["law"],
        entry["submitted_by"],
    ):
        assert words not in told.text


async def test_a_search_for_a_hit_finds_nobody_but_its_traveller(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller
) -> None:
    entry, question, answer = await opened(http, actors, counter)
    other = entry_body()
    elder = entry_body(subject={"full_name": question["person"]["name"], "birth": {"date": "1931-02-03"}})
    again = entry_body(subject={"documents": [{**other["subject"]["documents"][0], **question["document"]}]})
    for body in (other, elder):
        await impose(http, actors, body)
    same_paper = await impose(http, actors, again)

    async def found(**wanted: Any) -> list[str]:
        asked = {**wanted, "hit_id": answer["hit_id"]}
        told = await http.post("/v1/entries/search", json=asked, headers=supervisor.headers)
        return [each["id"] for each in expect(told, 200)["items"]]

    assert await found(name=other["subject"]["full_name"]) == []
    assert await found(document=other["subject"]["documents"][0]["number"]) == []
    assert await found(nik=other["subject"]["nik"]) == []
    assert await found(name=question["person"]["name"]) == [entry["id"]]
    assert same_paper["id"] in await found(document=question["document"]["number"])


async def test_a_machine_sees_no_more_of_a_hit_than_its_id(http: httpx2.AsyncClient, actors: Actors) -> None:
    body, question = namesakes()
    await impose(http, actors, body)
    gate = await actors.client("checkpoint", kind="autogate")
    answer = await ask(http, gate, question)
    assert (answer["outcome"], answer["matches"], answer["clearances"]) == ("refer", [], [])
    refused(await http.get(f"/v1/hits/{answer['hit_id']}", headers=gate.headers), 403, "wrong-role")
    refused(await http.get("/v1/clearances", headers=gate.headers), 403, "wrong-role")


async def test_a_hit_with_two_entries_is_told_to_both_owners(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, supervisor: Caller
) -> None:
    body = deterrence_body()
    ban = await impose(http, actors, body)
    exit_ban = await impose(http, actors, entry_body(subject=body["subject"]))
    answer = await ask(http, counter, check_body(body["subject"], "entry"))
    hit = await hit_of(http, supervisor, answer)
    assert {each["entry_id"] for each in hit["entries"]} == {ban["id"], exit_ban["id"]}
    for agency, entry in (("KPK", exit_ban), ("IMIGRASI", ban)):
        (notice,) = await told(http, await actors.client("verifier", agency=agency))
        assert notice["entry_id"] == entry["id"]
