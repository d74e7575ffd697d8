"""Nobody reads what the register holds about themselves, whenever they got their account (R61)."""

import asyncio
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.access.clients.service import NewClient, register_client
from app.access.domain import SYSTEM, Role
from app.actor import Actor
from app.initialise import initialise
from app.register.amendments import service as amendments
from app.register.amendments.schemas import AmendmentIn
from app.register.entries import service, store
from app.register.entries.schemas import EntryIn
from app.runtime import Runtime
from app.worker import Worker
from tests.api.register.test_seals import CARD, OFFICER, put_seal, sees, tasks
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    check_body,
    entry_body,
    formal_body,
    judgment_body,
    urgent_body,
    without_photo,
)
from tests.support.clock import SettableClock
from tests.support.erasure import PERSON
from tests.support.refusals import contents, nothing_changed, refused
from tests.support.steps import (
    Json,
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

NUMBER = "198503152010012001"
WAYS = {
    "name": ({"full_name": OFFICER.upper()}, {"name": f"Dr. {OFFICER}"}),
    "alias": ({"aliases": [{"name": OFFICER, "quality": "good"}]}, {"name": OFFICER}),
    "number": ({"documents": [CARD]}, {"person": NUMBER}),
    "number behind a label": (
        {"documents": [{**CARD, "number": "NIP: 19850315 201001 2 001"}]},
        {"person": NUMBER},
    ),
}


async def read(http: AsyncClient, by: Caller, path: str) -> int:
    """The status with which something is answered."""
    return (await http.get(path, headers=by.headers)).status_code


async def told(http: AsyncClient, by: Caller, name: str) -> list[Json]:
    """The notices of a name that somebody reads."""
    items = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [each for each in items if each["name"] == name]


async def entry_of(http: AsyncClient, by: Caller, entry: Json) -> Json:
    """The entry as it is now."""
    return expect(await http.get(f"/v1/entries/{entry['id']}", headers=by.headers), 200)


@pytest.mark.parametrize("way", WAYS)
async def test_an_account_that_is_made_later_does_not_open_what_is_about_its_holder(
    http: AsyncClient, actors: Actors, way: str
):
    subject, account = WAYS[way]
    author, verifier, approver = [await actors.client(role) for role in ("submitter", "verifier", "approver")]
    stranger = await actors.client("verifier")
    body = entry_body(subject=subject)
    entry = await submit(http, author, body)
    entry = await decide(http, approver, await decide(http, verifier, entry, "verify"), "approve")
    assert entry["sealed_for"] is None
    assert set((await sees(http, stranger, body, entry)).values()) == {True}
    for role in ("verifier", "approver", "auditor"):
        own = await actors.client(role, **account)
        assert set((await sees(http, own, body, entry)).values()) == {False}
        for path in ("letter", "evidence"):
            assert await read(http, own, f"/v1/entries/{entry['id']}/{path}") in {403, 404}
        assert entry["id"] not in await tasks(http, own)
        assert entry["id"] not in str(expect(await http.get("/v1/notices", headers=own.headers), 200))
        if role == "auditor":
            feed = expect(await http.get("/v1/changes", headers=own.headers), 200)["items"]
            assert {each["withheld"] for each in feed if each["entry_id"] == entry["id"]} == {"scope"}
    assert set((await sees(http, stranger, body, entry)).values()) == {False}
    now = await entry_of(http, author, entry)
    assert now["sealed_for"] == sorted([author.person, verifier.person, approver.person])
    assert "sealed" in [warning["code"] for warning in now["warnings"]]
    for insider in (author, verifier, approver, await actors.client("auditor")):
        assert set((await sees(http, insider, body, entry)).values()) == {True}
    for insider in (author, verifier, approver):
        assert {each["entry_id"] for each in await told(http, insider, "entry_sealed")} == {entry["id"]}
    assert await told(http, stranger, "entry_sealed") == []


async def test_neither_as_author_nor_by_being_named_does_anybody_see_what_may_be_about_them(
    http: AsyncClient, actors: Actors
):
    author, verifier = await actors.client("submitter"), await actors.client("verifier")
    body = entry_body(subject={"full_name": OFFICER}, sealed_for=[verifier.person])
    entry = await submit(http, author, body)
    for by in (author, verifier):
        assert set((await sees(http, by, body, entry)).values()) == {True}
    await actors.client("verifier", person=verifier.person, name=OFFICER)
    assert set((await sees(http, verifier, body, entry)).values()) == {False}
    assert verifier.person not in (await entry_of(http, author, entry))["sealed_for"]
    refused(
        await put_seal(http, author, await entry_of(http, author, entry), [verifier.person]),
        422,
        "validation",
    )


async def test_whoever_may_be_the_subject_of_what_they_file_names_others(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    namesake, verifier = await actors.client("submitter", name=OFFICER), await actors.client("verifier")
    async with nothing_changed(runtime):
        body = entry_body(subject={"full_name": OFFICER})
        answer = await http.post("/v1/entries", json=body, headers=namesake.headers)
        assert refused(answer, 422, "validation") == {"/sealed_for": "required"}
    entry = await submit(http, namesake, {**body, "sealed_for": [verifier.person]})
    assert entry["sealed_for"] == [verifier.person]
    assert await read(http, namesake, f"/v1/entries/{entry['id']}") == 404
    assert await read(http, verifier, f"/v1/entries/{entry['id']}") == 200


async def test_an_entry_corrected_from_an_officer_to_another_stays_closed_to_them(
    http: AsyncClient, actors: Actors
):
    author = await actors.client("submitter")
    body = entry_body(subject={"full_name": OFFICER})
    entry = await impose(http, actors, body)
    correction = {"subject": without_photo(body["subject"], full_name="Ratna Pucangan Wulandari")}
    asked = expect(
        await file_amendment(
            http,
            author,
            entry,
            {"kind": "correction", "correction": {**correction, "withdrawn_names": [OFFICER]}},
        ),
        201,
    )
    asked = await settle(http, await actors.client("verifier"), asked, "verify")
    for _ in range(2):
        asked = await settle(http, await actors.client("approver"), asked, "approve")
        if asked["state"] == "approved":
            break
    own = await actors.client("verifier", name=OFFICER)
    assert await read(http, own, f"/v1/entries/{entry['id']}/history") == 404


async def test_a_correction_that_waits_closes_its_entry_to_a_new_account(http: AsyncClient, actors: Actors):
    author, body = await actors.client("submitter"), entry_body()
    entry = await impose(http, actors, body)
    correction = {"subject": without_photo(body["subject"], full_name=OFFICER)}
    wanted = {"kind": "correction", "correction": correction}
    asked = expect(await file_amendment(http, author, entry, wanted), 201)
    stranger, own = await actors.client("verifier"), await actors.client("verifier", name=OFFICER)
    for by in (own, stranger):
        for path in (f"/v1/amendments/{asked['id']}", f"/v1/entries/{entry['id']}"):
            assert await read(http, by, path) == 404


@pytest.mark.parametrize("kind", ["counter", "autogate"])
async def test_a_supervisor_does_not_read_how_they_were_met_themselves(
    http: AsyncClient, actors: Actors, kind: str
):
    counter, colleague = await actors.client("checkpoint", kind=kind), await actors.client("supervisor")
    body = entry_body(subject={"full_name": OFFICER})
    await impose(http, actors, body)
    answer = expect(
        await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers), 200
    )
    own, auditor = [await actors.client(role, name=OFFICER) for role in ("supervisor", "auditor")]
    for by, seen in ((own, False), (auditor, False), (colleague, True)):
        assert await read(http, by, f"/v1/hits/{answer['hit_id']}") == (200 if seen else 404)
        hits = expect(await http.get("/v1/hits", headers=by.headers), 200)["items"]
        assert [each["id"] for each in hits] == ([answer["hit_id"]] if seen else [])
    assert await read(http, auditor, f"/v1/checks/{answer['id']}") == 404
    assert await read(http, await actors.client("auditor"), f"/v1/checks/{answer['id']}") == 200


async def test_an_auditor_is_not_shown_that_an_entry_about_themselves_was_like_a_traveller(
    http: AsyncClient, actors: Actors
):
    counter, supervisor = await actors.client("checkpoint"), await actors.client("supervisor")
    noted, stopping = entry_body(subject={"full_name": OFFICER, "aliases": []}), entry_body()
    about_them = await impose(http, actors, noted)
    await impose(http, actors, stopping)
    own, auditor = await actors.client("auditor", name=OFFICER), await actors.client("auditor")
    question = check_body(stopping["subject"])
    question["person"] = {"name": OFFICER, "birth_date": "1941-02-03"}
    answer = expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
    assert answer["hit_id"] is not None
    for by, ids in ((own, []), (auditor, [about_them["id"]])):
        read_again = expect(await http.get(f"/v1/checks/{answer['id']}", headers=by.headers), 200)
        hit = expect(await http.get(f"/v1/hits/{answer['hit_id']}", headers=by.headers), 200)
        for shown in (read_again, hit["check"]):
            assert [each["entry_id"] for each in shown["noted"]] == ids
    hit = expect(await http.get(f"/v1/hits/{answer['hit_id']}", headers=supervisor.headers), 200)
    assert (
        hit["check"]["noted"] == []
    )  # of likenesses that stop nobody a supervisor learns no more than a counter


async def test_an_urgent_entry_sealed_by_an_account_is_still_countersigned_and_its_alert_names_nobody(
    http: AsyncClient, actors: Actors
):
    counter, duty = await actors.client("checkpoint"), await actors.client("duty_officer")
    author = await actors.client("submitter")
    body = urgent_body(subject={"full_name": OFFICER})
    entry = (await sound(http, author, body))["entry"]
    own = await actors.client("duty_officer", name=OFFICER)
    entry = await entry_of(http, duty, entry)
    assert entry["sealed_for"] == sorted([author.person, duty.person])
    assert await read(http, own, f"/v1/entries/{entry['id']}") == 404
    alerts = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
    assert [(each["kind"], each["entry"]["full_name"]) for each in alerts] == [
        ("raise", None),
        ("update", None),
    ]
    assert (await decide(http, duty, entry, "countersign"))["countersigned_by"] == duty.id


async def test_founding_looks_again_at_accounts_that_were_made_before(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    author, own = await actors.client("submitter"), await actors.client("verifier", name="Bima")
    entry = await submit(http, author, entry_body(subject={"full_name": OFFICER}))
    async with runtime.register.writing() as connection:  # as an older version would have left it
        await connection.exec_driver_sql(
            f"UPDATE client SET folded_name = '{' '.join(sorted(OFFICER.upper().split()))}' WHERE id = '{own.id}'"
        )
    assert await read(http, own, f"/v1/entries/{entry['id']}") == 200
    await initialise(runtime)
    assert await read(http, own, f"/v1/entries/{entry['id']}") == 404
    async with nothing_changed(runtime):
        await initialise(runtime)


async def test_an_account_waits_for_a_request_that_is_not_committed_yet(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    author = await actors.client("submitter")
    by = Actor(author.id, author.person, frozenset({"submitter"}), agency="KPK")
    wanted = EntryIn.model_validate(entry_body(subject={"full_name": OFFICER})).requested()
    async with runtime.writing(by) as unit:
        entry = await service.submit(unit, wanted, runtime.settings)
        making = asyncio.create_task(actors.client("approver", name=OFFICER))
        await asyncio.sleep(0.3)
    own = await making
    assert entry.sealed_for is None
    assert await read(http, own, f"/v1/entries/{entry.id}") == 404


async def test_a_request_waits_for_an_account_that_is_not_committed_yet(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    author = await actors.client("submitter")
    account = NewClient(OFFICER, frozenset({Role.APPROVER}), agency="IMIGRASI", person=NUMBER)
    async with runtime.writing(SYSTEM) as unit:
        await register_client(unit, account, confirmed=True)
        asking = asyncio.create_task(submit(http, author, entry_body(subject={"full_name": OFFICER})))
        await asyncio.sleep(0.3)
    assert (await asking)["sealed_for"] == []


async def test_an_account_waits_for_a_correction_that_is_not_committed_yet(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    author, body = await actors.client("submitter"), entry_body()
    entry = await impose(http, actors, body)
    by = Actor(author.id, author.person, frozenset({"submitter"}), agency="KPK")
    named = without_photo(body["subject"], full_name=OFFICER)
    wanted = {"kind": "correction", "reason": "As the letter says.", "correction": {"subject": named}}
    requested = AmendmentIn.model_validate(wanted).requested()
    async with runtime.writing(by) as unit:
        filed = await amendments.file(unit, entry["id"], entry["version"], requested, runtime.settings)
        making = asyncio.create_task(actors.client("approver", name=OFFICER))
        await asyncio.sleep(0.3)
        assert not making.done()
    own = await making
    for path in (f"/v1/amendments/{filed.id}", f"/v1/entries/{entry['id']}"):
        assert await read(http, own, path) == 404


async def test_a_correction_waits_for_an_account_that_is_not_committed_yet(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    author, body = await actors.client("submitter"), entry_body()
    entry = await impose(http, actors, body)
    account = NewClient(OFFICER, frozenset({Role.APPROVER}), agency="IMIGRASI", person=NUMBER)
    named = without_photo(body["subject"], full_name=OFFICER)
    wanted = {"kind": "correction", "correction": {"subject": named}}
    async with runtime.writing(SYSTEM) as unit:
        await register_client(unit, account, confirmed=True)
        asking = asyncio.create_task(file_amendment(http, author, entry, wanted))
        await asyncio.sleep(0.3)
        assert not asking.done()
    expect(await asking, 201)
    async with runtime.reading(SYSTEM) as reader:
        kept = await store.find(reader, entry["id"])
    assert kept is not None
    assert NUMBER in kept.barred


@pytest.mark.parametrize("sealed", ["by wish", "by itself"])
async def test_a_sealed_urgent_entry_names_a_duty_officer_who_did_not_write_it(
    http: AsyncClient, actors: Actors, runtime: Runtime, sealed: str
):
    author, verifier = await actors.client("submitter"), await actors.client("verifier")
    both = await actors.client("duty_officer", person=author.person)
    duty, gone = await actors.client("duty_officer"), await actors.client("duty_officer")
    own, admin = await actors.client("duty_officer", name=OFFICER), await actors.client("admin")
    expect_gone = await http.delete(f"/v1/clients/{gone.id}", headers=admin.headers)
    assert expect_gone.status_code == 204
    by_wish = sealed == "by wish"
    body = urgent_body() if by_wish else urgent_body(subject={"full_name": OFFICER})
    refusals: list[tuple[list[Any] | None, dict[str, str]]] = [
        (persons, {"/sealed_for": "duty_officer_required"})
        for persons in ([verifier.person], [both.person], [gone.person])
    ]
    if not by_wish:
        refusals += [
            (None, {"/sealed_for": "duty_officer_required"}),
            ([own.person], {"/sealed_for/0": "subject"}),
        ]
    async with nothing_changed(runtime):
        for i, (persons, faults) in enumerate(refusals):
            wished = {**body, "sealed_for": persons}
            answer = await http.post("/v1/urgent-entries", json=wished, headers=author.once(f"k-{i}"))
            assert refused(answer, 422, "validation") == faults
            if "duty_officer_required" in faults.values():
                assert answer.json()["contact"]["agency"] == "IMIGRASI"
                assert "employee number of a duty officer" in answer.json()["errors"][0]["detail"]
    made = await sound(http, author, {**body, "sealed_for": [verifier.person, duty.person]})
    entry = await decide(http, duty, made["entry"], "countersign")
    assert entry["countersigned_by"] == duty.id
    async with nothing_changed(runtime):
        answer = await put_seal(http, author, entry, [verifier.person])
        assert refused(answer, 422, "validation") == {"/persons": "duty_officer_required"}
    assert expect(await put_seal(http, author, entry, [duty.person]), 200)["sealed_for"] == [duty.person]


async def test_a_formalisation_and_a_resubmission_may_be_sealed_too(http: AsyncClient, actors: Actors):
    author, verifier, stranger = [await actors.client(role) for role in ("submitter", "verifier", "verifier")]
    urgent = (await sound(http, author))["entry"]
    formal = formal_body(sealed_for=[verifier.person])
    made = expect(await formalise(http, author, urgent, formal), 201)
    assert made["sealed_for"] == sorted([author.person, verifier.person])
    for by, seen in ((verifier, 200), (stranger, 404)):
        assert await read(http, by, f"/v1/entries/{made['id']}") == seen
    again = await formalise(http, await actors.client("submitter"), urgent, formal_body())
    refused(again, 409, "duplicate-entry")
    assert made["id"] not in again.text
    assert [each["entry_id"] for each in await told(http, verifier, "sealed_entry_met")] == [made["id"]]
    body = entry_body()
    entry = await decide(http, verifier, await submit(http, author, body), "return", "Illegible.")
    path = f"/v1/entries/{entry['id']}"
    wished = {**body, "sealed_for": [verifier.person]}
    entry = expect(await http.put(path, json=wished, headers=author.on(etag(entry))), 200)
    assert entry["sealed_for"] == sorted([author.person, verifier.person])
    assert await read(http, stranger, path) == 404


async def test_what_the_owner_files_about_an_entry_may_seal_it_and_anothers_may_not(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    owner, verifier, approver = [await actors.client(role) for role in ("submitter", "verifier", "approver")]
    entry = await impose(http, actors)
    immigration = await actors.client("submitter", agency="IMIGRASI")
    theirs = judgment_body(entry) | {"sealed_for": [verifier.person]}
    async with nothing_changed(runtime):
        answer = await file_amendment(http, immigration, entry, theirs)
        assert refused(answer, 422, "validation") == {"/sealed_for": "owner_only"}
        unknown = judgment_body(entry) | {"sealed_for": ["196001011980011001"]}
        answer = await file_amendment(http, owner, entry, unknown)
        assert refused(answer, 422, "validation") == {"/sealed_for/0": "unknown"}
    wished = judgment_body(entry) | {"sealed_for": [verifier.person, approver.person]}
    asked = expect(await file_amendment(http, owner, entry, wished), 201)
    assert asked["warnings"] == []
    sealed = await entry_of(http, owner, entry)
    assert {verifier.person, approver.person, owner.person} <= {*sealed["sealed_for"]}
    assert sealed["version"] == entry["version"] + 1
    assert await read(http, await actors.client("verifier"), f"/v1/amendments/{asked['id']}") == 404
    asked = await settle(http, verifier, asked, "verify")
    assert (await settle(http, approver, asked, "approve"))["state"] == "approved"


async def test_whom_a_seal_names_is_notified_of_a_request_that_met_it_and_the_asker_of_nothing(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    author, verifier, outsider = [await actors.client(role) for role in ("submitter", "verifier", "verifier")]
    colleague = await actors.client("submitter")
    body = entry_body(sealed_for=[verifier.person])
    entry = await submit(http, author, body)
    plain = {name: value for name, value in body.items() if name != "sealed_for"}

    async def asks_again(by: Caller) -> None:
        answer = await http.post("/v1/entries", json=plain, headers=by.headers)
        refused(answer, 409, "duplicate-entry")
        assert (entry["id"] in answer.text) is (by is author)

    await asks_again(author)
    assert await told(http, verifier, "sealed_entry_met") == []
    for _ in range(2):
        await asks_again(colleague)
    for by in (author, verifier):
        [notice] = await told(http, by, "sealed_entry_met")
        assert (notice["entry_id"], notice["client_id"], notice["agency"]) == (
            entry["id"],
            colleague.id,
            "KPK",
        )
    for by in (colleague, outsider, await actors.client("approver")):
        assert await told(http, by, "sealed_entry_met") == []
    clock.advance(days=1)
    await asks_again(colleague)
    assert len(await told(http, verifier, "sealed_entry_met")) == 2
    listed = expect(await http.get("/v1/entries", headers=author.headers), 200)["items"]
    assert [each["id"] for each in listed] == [entry["id"]]


async def test_a_closed_case_of_a_sealed_entry_is_not_told_and_the_seal_hears_who_asked(
    http: AsyncClient, actors: Actors
):
    author, verifier, approver = [await actors.client(role) for role in ("submitter", "verifier", "approver")]
    body = entry_body(sealed_for=[verifier.person, approver.person])
    entry = await submit(http, author, body)
    entry = await decide(http, approver, await decide(http, verifier, entry, "verify"), "approve")
    asked = expect(await file_amendment(http, author, entry, judgment_body(entry)), 201)
    await settle(http, approver, await settle(http, verifier, asked, "verify"), "approve")
    colleague = await actors.client("submitter")
    wanted = urgent_body(subject=body["subject"], basis={"case_reference": body["basis"]["case_reference"]})
    answer = await http.post("/v1/urgent-entries", json=wanted, headers=colleague.once("k-1"))
    refused(answer, 409, "case-closed")
    assert {"entry_id", "judgment"}.isdisjoint(answer.json())
    [notice] = await told(http, verifier, "sealed_entry_met")
    assert (notice["entry_id"], notice["client_id"]) == (entry["id"], colleague.id)


@PERSON
async def test_an_erased_entry_does_not_say_by_its_seal_whom_it_was_about(
    http: AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock, worker: Worker
):
    own = await actors.client("supervisor", name=OFFICER)
    author = await actors.client("submitter")
    entry = await submit(http, author, entry_body(subject={"full_name": OFFICER}))
    verifier = await actors.client("verifier")
    expect(await put_seal(http, author, entry, [verifier.person]), 200)
    await decide(http, verifier, await entry_of(http, verifier, entry), "return", "Illegible.")

    async def names_them() -> set[str]:
        tables = {name: str(rows) for name, rows in (await contents(runtime)).items()}
        return {name for name, rows in tables.items() if str(own.person) in rows} - {"client"}

    assert await names_them() == {"entry", "entry_version", "entry_seal", "ledger_barred"}
    clock.advance(days=200)
    assert await worker.retain()
    assert await names_them() == set()
