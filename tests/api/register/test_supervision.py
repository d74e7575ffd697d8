"""Supervision reports: a province's team tells what it saw, and an entry ban may rest on it (R6)."""

import asyncio
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, decide, expect, submit

URL = "/v1/supervision-reports"


def report_body(**given: Any) -> Json:
    """What a team has seen of a foreigner."""
    return {
        "subject": {
            "full_name": "Aldous Quillfeather",
            "birth": {"date": "1970-05"},
            "nationalities": ["NZL"],
            "documents": [{"type": "passport", "number": "L7654321", "issuing_state": "NZL"}],
        },
        "place": "Galangan kapal, Batu Ampar, Batam",
        "observed_on": "2026-11-22",
        "findings": "Worked as a welder with a visit visa.",
        "officers": ["Siti Rahmawati", "Bagas Prambanan"],
        **given,
    }


async def file(http: AsyncClient, by: Caller, **given: Any) -> Json:
    """A report as filed."""
    answer = await http.post(URL, json=report_body(**given), headers=by.headers)
    report = expect(answer, 201)
    assert answer.headers["location"] == f"{URL}/{report['id']}"
    return report


async def test_a_report_gets_a_number_and_says_what_was_seen(http: AsyncClient, actors: Actors):
    team = await actors.client("timpora")
    report = await file(http, team)
    assert report["id"].startswith("svr_")
    assert report["number"] == "LPT-2026-000001"
    assert (report["agency"], report["office"], report["province"]) == (
        "IMIGRASI",
        "KANIM-BATAM",
        "Kepulauan Riau",
    )
    sent = report_body()
    assert {name: report[name] for name in sent if name != "subject"} == {
        name: sent[name] for name in sent if name != "subject"
    }
    assert report["subject"]["birth"] == {"date": "1970-05"}
    assert (report["grounds"], report["filed_by"]) == ([], team.id)
    read = await http.get(f"{URL}/{report['id']}", headers=team.headers)
    assert expect(read, 200) == report
    same = await http.get(
        f"{URL}/{report['id']}", headers={**team.headers, "If-None-Match": read.headers["etag"]}
    )
    assert same.status_code == 304


async def test_numbers_are_dense_in_each_legal_year(http: AsyncClient, actors: Actors, clock: SettableClock):
    team = await actors.client("timpora")
    wrong = report_body(observed_on="2026-11-24")
    together = [http.post(URL, json=report_body(), headers=team.headers) for _ in range(5)]
    together.insert(2, http.post(URL, json=wrong, headers=team.headers))
    answers = await asyncio.gather(*together)
    numbers = [answer.json()["number"] for answer in answers if answer.status_code == 201]
    assert sorted(numbers) == [f"LPT-2026-{ordinal:06d}" for ordinal in range(1, 6)]
    clock.set("2026-12-31T17:00:00Z")
    assert (await file(http, team))["number"] == "LPT-2027-000001", "in Jakarta it is the new year"


async def test_a_repeat_is_the_same_report(http: AsyncClient, actors: Actors):
    team = await actors.client("timpora")
    body = report_body()
    first, again = [await http.post(URL, json=body, headers=team.once("k")) for _ in range(2)]
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert len(expect(await http.get(URL, headers=team.headers), 200)["items"]) == 1


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"subject": {"full_name": "Raka", "nationalities": ["IDN"]}}, "/subject"),
        ({"subject": {"nationalities": ["NZL"]}}, "/subject/full_name"),
        ({"subject": {"full_name": "A", "photo": None}}, "/subject/photo"),
        ({"observed_on": "2026-11-24"}, "/observed_on"),
        ({"officers": []}, "/officers"),
        ({"findings": " "}, "/findings"),
        ({"number": "LPT-2026-000009"}, "/number"),
    ],
)
async def test_a_report_that_can_not_be_is_refused(
    http: AsyncClient, actors: Actors, runtime: Runtime, given: Json, pointer: str
):
    team = await actors.client("timpora")
    async with nothing_changed(runtime):
        answer = await http.post(URL, json=report_body(**given), headers=team.headers)
        assert list(refused(answer, 422, "validation")) == [pointer]


async def test_only_a_team_files(http: AsyncClient, actors: Actors, runtime: Runtime):
    others = [
        await actors.client(role) for role in ("submitter", "approver", "auditor", "supervisor", "admin")
    ]
    others.append(await actors.client("submitter", agency="IMIGRASI"))
    async with nothing_changed(runtime):
        for by in others:
            refused(await http.post(URL, json=report_body(), headers=by.headers), 403, "wrong-role")


async def test_immigration_and_the_auditor_read_every_report_a_team_its_provinces(
    http: AsyncClient, actors: Actors
):
    batam, medan = await actors.client("timpora"), await actors.client("timpora", office="KANIM-MEDAN")
    mine, theirs = await file(http, batam), await file(http, medan)
    everything = [
        await actors.client("submitter", agency="IMIGRASI"),
        await actors.client("verifier", agency="IMIGRASI"),
        await actors.client("approver"),
        await actors.client("auditor"),
    ]
    for by in everything:
        listed = expect(await http.get(URL, headers=by.headers), 200)["items"]
        assert {report["id"] for report in listed} == {mine["id"], theirs["id"]}
        expect(await http.get(f"{URL}/{mine['id']}", headers=by.headers), 200)
    for by, own, other in ((batam, mine, theirs), (medan, theirs, mine)):
        assert expect(await http.get(URL, headers=by.headers), 200)["items"] == [own]
        expect(await http.get(f"{URL}/{own['id']}", headers=by.headers), 200)
        refused(await http.get(f"{URL}/{other['id']}", headers=by.headers), 404, "not-found")
    outsider = await actors.client("submitter", agency="POLRI")
    refused(await http.get(URL, headers=outsider.headers), 403, "wrong-agency")
    refused(await http.get(f"{URL}/{mine['id']}", headers=outsider.headers), 404, "not-found")
    for role in ("supervisor", "checkpoint"):
        refused(await http.get(URL, headers=(await actors.client(role)).headers), 403, "wrong-role")


async def test_the_list_goes_on_where_a_page_ends(http: AsyncClient, actors: Actors, clock: SettableClock):
    team = await actors.client("timpora")
    filed = []
    for _ in range(3):
        filed.append((await file(http, team))["number"])
        clock.advance(seconds=1)
    first = expect(await http.get(f"{URL}?limit=2", headers=team.headers), 200)
    rest = expect(await http.get(f"{URL}?cursor={first['next_cursor']}", headers=team.headers), 200)
    seen = [report["number"] for report in (*first["items"], *rest["items"])]
    assert (seen, rest["next_cursor"]) == (filed[::-1], None)


async def test_an_entry_ban_rests_on_a_report_by_its_number(http: AsyncClient, actors: Actors):
    team = await actors.client("timpora")
    report, other = await file(http, team), await file(http, team)
    submitter = await actors.client("submitter", agency="IMIGRASI")
    before = (await http.get(f"{URL}/{report['id']}", headers=submitter.headers)).headers["etag"]
    basis = {"instrument": "supervision_report", "number": f" {report['number'].lower()}"}
    entry = await submit(http, submitter, deterrence_body(basis=basis))
    await submit(http, submitter, deterrence_body(basis={"number": other["number"]}))
    verifier = await actors.client("verifier", agency="IMIGRASI")
    entry = await decide(http, verifier, entry, "verify")
    entry = await decide(http, await actors.client("approver"), entry, "approve")
    assert entry["state"] == "active"
    told = await http.get(f"{URL}/{report['id']}", headers=submitter.headers)
    assert expect(told, 200)["grounds"] == [entry["id"]]
    assert told.headers["etag"] != before
    listed = expect(await http.get(URL, headers=team.headers), 200)["items"]
    assert {each["id"]: each["grounds"] for each in listed} == {report["id"]: [entry["id"]], other["id"]: []}


async def test_a_report_does_not_tell_of_a_sealed_entry(http: AsyncClient, actors: Actors):
    team = await actors.client("timpora")
    report = await file(http, team)
    submitter = await actors.client("submitter", agency="IMIGRASI")
    verifier = await actors.client("verifier", agency="IMIGRASI")
    basis = {"instrument": "supervision_report", "number": report["number"]}
    entry = await submit(http, submitter, deterrence_body(basis=basis, sealed_for=[verifier.person]))
    for by, grounds in (
        (verifier, [entry["id"]]),
        (await actors.client("auditor"), [entry["id"]]),
        (team, []),
        (await actors.client("approver"), []),
    ):
        assert expect(await http.get(f"{URL}/{report['id']}", headers=by.headers), 200)["grounds"] == grounds
