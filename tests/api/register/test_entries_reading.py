"""Reading entries: one's view, filters that know the time, pages, and versions (API sections 2 and 3)."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import deterrence_body, entry_body
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import decide, expect, impose, sound, submit


async def ids(http: AsyncClient, headers: dict[str, str], query: str = "") -> list[str]:
    """The ids that a list holds, in its order."""
    answer = expect(await http.get(f"/v1/entries{query}", headers=headers), 200)
    assert answer["next_cursor"] is None
    return [entry["id"] for entry in answer["items"]]


async def test_each_role_sees_its_view_and_nothing_beside_it(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    mine = (await submit(http, await actors.client("submitter")))["id"]
    clock.advance(seconds=1)
    police = await actors.client("submitter", agency="POLRI")
    body = entry_body(basis={"instrument": "request", "reason_code": "general_crime"})
    theirs = (await submit(http, police, body))["id"]
    for role in ("submitter", "verifier"):
        own = await actors.client(role)
        assert await ids(http, own.headers) == [mine]
        assert await ids(http, own.headers, "?agency=POLRI") == []
        assert (await http.get(f"/v1/entries/{theirs}", headers=own.headers)).status_code == 404
    for role in ("approver", "duty_officer", "auditor"):
        all_seeing = await actors.client(role)
        assert await ids(http, all_seeing.headers) == [theirs, mine], "newest first"
        assert await ids(http, all_seeing.headers, "?agency=KPK") == [mine]
        assert (await http.get(f"/v1/entries/{theirs}", headers=all_seeing.headers)).status_code == 200
    for role in ("supervisor", "checkpoint", "integrator", "carrier", "admin"):
        outside = await actors.client(role)
        refused(await http.get("/v1/entries", headers=outside.headers), 403, "wrong-role")
        refused(await http.get(f"/v1/entries/{mine}", headers=outside.headers), 403, "wrong-role")


async def test_filters_tell_how_entries_stand_now_and_not_what_was_stored(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    auditor = (await actors.client("auditor")).headers
    submitted = (await submit(http, await actors.client("submitter")))["id"]
    short = (await impose(http, actors, entry_body(ends_on="2026-11-30")))["id"]
    future = (await impose(http, actors, entry_body(starts_on="2026-12-15")))["id"]
    banned = (await impose(http, actors, deterrence_body()))["id"]
    urgent = (await sound(http, await actors.client("submitter")))["entry"]["id"]

    async def lists(expected: dict[str, set[str]]) -> None:
        for query, wanted in expected.items():
            assert set(await ids(http, auditor, query)) == wanted, query

    await lists(
        {
            "?state=submitted": {submitted},
            "?state=active": {short, future, banned},
            "?state=provisional": {urgent},
            "?state=ended": set(),
            "?in_force=true": {short, banned, urgent},
            "?in_force=false": {submitted, future},
            "?measure=deterrence": {banned},
            "?ending_before=2026-12-01": {short},
            "?ending_before=2026-11-30": set(),
            "?state=active&in_force=false": {future},
        }
    )
    clock.set("2026-12-20T00:00:00Z")
    await lists(
        {
            "?state=active": {future, banned},
            "?state=provisional": set(),
            "?state=ended": {short, urgent},
            "?in_force=true": {future, banned},
            "?in_force=false": {submitted, short, urgent},
        }
    )


MEANINGLESS = [
    "state=asleep",
    "measure=exile",
    "in_force=perhaps",
    "ending_before=soon",
    "limit=0",
    "limit=501",
    "cursor=x",
]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_a_filter_that_means_nothing_is_refused(
    http: AsyncClient, actors: Actors, subtests: pytest.Subtests
):
    for query in MEANINGLESS:
        with subtests.test(str(query)[:80]):
            auditor = await actors.client("auditor")
            response = await http.get(f"/v1/entries?{query}", headers=auditor.headers)
            refused(response, 422, "validation")


async def test_pages_hold_every_entry_once_while_others_are_added(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    submitter = await actors.client("submitter")
    before: list[str] = []
    found: list[str] = []
    for _ in range(5):
        clock.advance(seconds=1)
        before.append((await submit(http, submitter))["id"])
    cursor = ""
    while True:
        answer = expect(await http.get(f"/v1/entries?limit=2{cursor}", headers=submitter.headers), 200)
        assert answer.keys() == {"items", "next_cursor"}, "no totals"
        found += [entry["id"] for entry in answer["items"]]
        clock.advance(seconds=1)
        await submit(http, submitter)
        if answer["next_cursor"] is None:
            break
        assert len(answer["items"]) == 2
        cursor = f"&cursor={answer['next_cursor']}"
    assert found == before[::-1]


async def test_an_etag_changes_with_the_version_and_with_force_and_if_match_compares_the_version_alone(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    submitter, approver = await actors.client("submitter"), await actors.client("approver")
    entry = await submit(http, submitter, entry_body(starts_on="2026-12-01"))
    path = f"/v1/entries/{entry['id']}"

    async def tag() -> str:
        response = await http.get(path, headers=submitter.headers)
        found: str = response.headers["etag"]
        assert found[0] == found[-1] == '"', "strong"
        unchanged = await http.get(path, headers={**submitter.headers, "If-None-Match": found})
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        return found

    tags = [await tag(), await tag()]
    assert tags[0] == tags[1]
    entry = await decide(http, await actors.client("verifier"), entry, "verify")
    tags.append(await tag())
    decision = {"verdict": "approve", "reason": None}
    response = await http.post(f"{path}/decisions", json=decision, headers=approver.on(tags[-1]))
    assert expect(response, 201)["state"] == "active"
    tags.append(await tag())
    assert tags[-1] == response.headers["etag"][:-1] + '-gzip"', "the same version, compressed"
    clock.set("2026-12-15T00:00:00Z")
    tags.append(await tag())
    clock.set("2027-06-01T00:00:00Z")
    tags.append(await tag())
    assert len(set(tags)) == 5, "submitted, verified, active, in force, ended"
    assert {found.partition("-")[0] for found in tags[3:]} == {'"3'}, "time alone makes no version"


async def test_an_older_tag_of_the_same_version_still_serves_to_decide(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    raised = await sound(http, await actors.client("submitter"))
    duty = await actors.client("duty_officer")
    path = f"/v1/entries/{raised['entry']['id']}"
    read = (await http.get(path, headers=duty.headers)).headers["etag"]
    clock.advance(hours=5)
    response = await http.post(f"{path}/decisions", json={"verdict": "countersign"}, headers=duty.on(read))
    assert expect(response, 201)["countersigned_by"] == duty.id


IF_MATCH = [
    (None, 428, "version-required"),
    ("", 428, "version-required"),
    ("*", 428, "version-required"),
    ('"2-abc"', 412, "stale-version"),
    ('"0"', 412, "stale-version"),
    ('W/"1-abc"', 412, "stale-version"),
    ("yesterday", 412, "stale-version"),
    ('"1", "7"', 412, "stale-version"),
]


async def test_acts_name_the_version_that_was_read(
    http: AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    for if_match, status, slug in IF_MATCH:
        with subtests.test(str((if_match, status, slug))[:80]):
            entry = await submit(http, await actors.client("submitter"))
            verifier, submitter = await actors.client("verifier"), await actors.client("submitter")
            given = {} if if_match is None else {"If-Match": if_match}
            path = f"/v1/entries/{entry['id']}"
            async with nothing_changed(runtime):
                acts: list[Any] = [
                    await http.post(
                        f"{path}/decisions", json={"verdict": "verify"}, headers={**verifier.headers, **given}
                    ),
                    await http.put(path, json=entry_body(), headers={**submitter.headers, **given}),
                ]
                for answer in acts:
                    refused(answer, status, slug)


async def test_history_tells_every_step_to_those_who_may_read_the_entry(http: AsyncClient, actors: Actors):
    entry = await impose(http, actors)
    path = f"/v1/entries/{entry['id']}/history"
    items = expect(await http.get(path, headers=(await actors.client("verifier")).headers), 200)["items"]
    assert [step["event"] for step in items] == ["submitted", "verified", "approved"]
    assert [step["version"] for step in items] == [1, 2, 3]
    assert {tuple(step) for step in items} == {("version", "event", "by", "at", "reason", "sequence")}
    stranger = await actors.client("verifier", agency="POLRI")
    refused(await http.get(path, headers=stranger.headers), 404, "not-found")
