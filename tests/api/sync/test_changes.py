"""`GET /v1/changes`: the ledger as integrators and replicas follow it (API section 6)."""

import asyncio
import hashlib

import httpx2
import pytest
from fastapi import FastAPI

from app.access.domain import SYSTEM
from app.kit.canonical import canonical
from app.ledger import service as ledger
from app.runtime import Runtime
from app.tlog import merkle
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, entry_body, urgent_body
from tests.support.changes import draft, write
from tests.support.interleaving import act_after
from tests.support.ledger import root
from tests.support.steps import Json, decide, expect, impose, sound
from tests.support.waiting import until


@pytest.fixture
async def replica(actors: Actors) -> Caller:
    return await actors.client("integrator", agency="IMIGRASI")


async def page(http: httpx2.AsyncClient, by: Caller, **asked: str | float) -> Json:
    """A page of the ledger."""
    return expect(await http.get("/v1/changes", params=asked, headers=by.headers), 200)


async def story(http: httpx2.AsyncClient, actors: Actors) -> list[Json]:
    """An entry that is listed, and an urgent one that is countersigned and rejected."""
    listed = entry_body()
    await impose(http, actors, listed)
    urgent = urgent_body()
    raised = await sound(http, await actors.client("submitter"), urgent)
    duty = await actors.client("duty_officer")
    entry = await decide(http, duty, raised["entry"], "countersign")
    entry = await decide(http, await actors.client("duty_officer"), entry, "reject", "A mistake.")
    await decide(http, await actors.client("approver"), entry, "reject", "Indeed.")
    return [listed, urgent]


async def test_every_step_that_checkpoints_care_for_is_a_record_with_the_next_number(
    http: httpx2.AsyncClient, actors: Actors, replica: Caller
) -> None:
    await story(http, actors)
    told = await page(http, replica)
    assert [(record["sequence"], record["type"], record["version"]) for record in told["items"]] == [
        (1, "entry.listed", 3),
        (2, "entry.provisional", 1),
        (3, "alert.raised", 1),
        (4, "entry.countersigned", 2),
        (5, "alert.updated", 2),
        (6, "entry.ended", 4),
        (7, "alert.cancelled", 4),
    ]
    assert [record["tombstone"] for record in told["items"]] == [False] * 5 + [True, False]
    assert (told["head"], told["more"]) == (7, False)
    assert told["cursor"].endswith(".7")


async def test_what_is_not_decided_yet_is_told_to_nobody(
    http: httpx2.AsyncClient, actors: Actors, replica: Caller
) -> None:
    await http.post("/v1/entries", json=entry_body(), headers=(await actors.client("submitter")).headers)
    assert (await page(http, replica))["head"] == 0


async def test_the_leaf_tells_nothing_about_the_person(
    http: httpx2.AsyncClient, actors: Actors, replica: Caller
) -> None:
    bodies = await story(http, actors)
    leaves = str([record["leaf"] for record in (await page(http, replica))["items"]])
    for body in bodies:
        subject, basis = body["subject"], body["basis"]
        secrets = (
            subject["full_name"],
            subject["nik"],
            subject["documents"][0]["number"],
            subject["birth"]["date"],
            basis["case_reference"],
            basis["reason"],
            basis["number"],
        )
        assert not [secret for secret in secrets if secret in leaves]


async def test_every_leaf_is_in_the_tree_and_bound_to_its_personal_part(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, replica: Caller
) -> None:
    await story(http, actors)
    records = (await page(http, replica))["items"]
    for record in records:
        bound = hashlib.sha256(bytes.fromhex(record["salt"]) + canonical(record["personal"])).hexdigest()
        assert record["leaf"]["commitment"] == bound
        assert record["leaf"]["sequence"] == record["sequence"]
        assert record["withheld"] is None
    nodes: dict[merkle.Node, bytes] = {}
    for index, record in enumerate(records):
        nodes |= merkle.completed(index, merkle.leaf_hash(canonical(record["leaf"])), nodes)
    async with runtime.reading(SYSTEM) as reader:
        size, stored = await root(reader)
    assert (size, stored) == (7, merkle.root([nodes[peak] for peak in merkle.peaks(7)]))


@pytest.mark.parametrize(
    ("role", "agency", "seen"),
    [
        ("integrator", "IMIGRASI", ["KPK", "IMIGRASI"]),
        ("integrator", "KPK", ["KPK"]),
        ("integrator", "BNN", []),
        ("integrator", None, []),
        ("auditor", None, ["KPK", "IMIGRASI"]),
    ],
)
async def test_out_of_scope_every_record_is_sent_and_its_personal_part_withheld(
    http: httpx2.AsyncClient, actors: Actors, role: str, agency: str | None, seen: list[str]
) -> None:
    await impose(http, actors, entry_body())
    await impose(http, actors, deterrence_body())
    if (role, agency) == ("integrator", None):
        by = await actors.integrator_of_nobody()
    else:
        by = await actors.client(role, agency=agency)
    told = (await page(http, by))["items"]
    assert [record["sequence"] for record in told] == [1, 2]
    assert [record["leaf"]["agency"] for record in told if record["personal"]] == seen
    for record in told:
        shown = record["leaf"]["agency"] in seen
        assert (record["salt"] is not None) == shown
        assert record["withheld"] == (None if shown else "scope")


@pytest.mark.parametrize(
    "role", ["submitter", "verifier", "approver", "duty_officer", "supervisor", "admin", "checkpoint"]
)
async def test_officers_and_counters_have_no_use_for_the_ledger(
    http: httpx2.AsyncClient, actors: Actors, role: str
) -> None:
    caller = await actors.client(role)
    expect(await http.get("/v1/changes", headers=caller.headers), 403)


async def test_pages_follow_each_other_without_hole_or_double(
    http: httpx2.AsyncClient, actors: Actors, replica: Caller
) -> None:
    await story(http, actors)
    numbers, cursor = [], (await page(http, replica, limit=1))["cursor"]
    while True:
        told = await page(http, replica, after=cursor, limit=2)
        numbers += [record["sequence"] for record in told["items"]]
        cursor = told["cursor"]
        if not told["more"]:
            break
    assert numbers == [2, 3, 4, 5, 6, 7]


async def test_a_reader_may_wait_for_news(
    http: httpx2.AsyncClient, app: FastAPI, actors: Actors, replica: Caller
) -> None:
    after = (await page(http, replica))["cursor"]
    waiting = asyncio.create_task(page(http, replica, after=after, wait=30))
    await until(lambda: app.state.process.runtime.bell._event is not None)
    assert not waiting.done()
    await impose(http, actors)
    async with asyncio.timeout(1):
        assert [record["type"] for record in (await waiting)["items"]] == ["entry.listed"]


async def test_one_cursor_serves_changes_and_alerts(
    http: httpx2.AsyncClient, actors: Actors, replica: Caller
) -> None:
    await story(http, actors)
    after = (await page(http, replica, limit=3))["cursor"]
    counter = await actors.client("checkpoint")
    told = expect(await http.get("/v1/alerts", params={"after": after}, headers=counter.headers), 200)
    assert [alert["sequence"] for alert in told["items"]] == [5, 7]
    assert told["cursor"] == (await page(http, replica, after=after))["cursor"]


async def test_a_failed_act_leaves_no_number_behind(
    http: httpx2.AsyncClient, actors: Actors, replica: Caller
) -> None:
    submitter = await actors.client("submitter")
    wrong = urgent_body(alert={"checkpoints": ["NOWHERE"]})
    expect(await http.post("/v1/urgent-entries", json=wrong, headers=submitter.once("one")), 422)
    await sound(http, submitter)
    assert [record["sequence"] for record in (await page(http, replica))["items"]] == [1, 2]


@pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)
async def test_what_is_erased_while_a_page_is_read_is_not_shown_to_who_was_barred(
    http: httpx2.AsyncClient, runtime: Runtime, auditor: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each statement sees what was committed before it, and the erasure takes the list of the barred with it."""
    assert auditor.person is not None
    await write(runtime, [draft("ent_1", 1), draft("ent_2", 1)])
    async with runtime.writing(SYSTEM) as unit:
        await ledger.close(unit, "ent_1", [auditor.person])
        await ledger.close(unit, "ent_2")

    async def erase() -> None:
        async with runtime.writing(SYSTEM) as unit:
            await ledger.erase_of_entry(unit, "ent_1")

    read = act_after(monkeypatch, "FROM ledger_record", erase)
    items = (await page(http, auditor))["items"]
    assert len(read) == 1
    assert [(each["personal"], each["withheld"]) for each in items] == [
        (None, "scope"),
        ({"secret": "ent_2 1"}, None),
    ]
    assert (await page(http, auditor))["items"][0]["withheld"] == "erased"
