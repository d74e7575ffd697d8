"""A ground is judged by what it states: examples of requests whose codes hid it (R6, R7, R10, R14, R65)."""

from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import check_body, deterrence_body, entry_body, extension_body, urgent_body, wna
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, amend, expect, file_amendment, impose, submit
from tests.support.takeovers import line, ndjson, taken

TAX = {
    "instrument": "decision",
    "reason_code": "tax",
    "stage": None,
    "subject_status": "tax_debtor",
    "law": "UU 19/2000 Pasal 29",
}
ACTION = {
    "instrument": "administrative_action",
    "reason_code": "immigration",
    "stage": None,
    "subject_status": "foreigner_under_measure",
}


async def faults_of(
    http: AsyncClient, actors: Actors, runtime: Runtime, agency: str, body: Json, slug: str = "validation"
) -> dict[str, str]:
    """Where a request is refused, and as what; urgent where it has a letter."""
    submitter = await actors.client("submitter", agency=agency)
    async with nothing_changed(runtime):
        if "letter" in body:
            answer = await http.post("/v1/urgent-entries", json=body, headers=submitter.once("k"))
        else:
            answer = await http.post("/v1/entries", json=body, headers=submitter.headers)
        return refused(answer, 422, slug)


@pytest.mark.parametrize(
    ("agency", "reason"),
    [("POLRI", "other"), ("DJBC", "customs"), ("IMIGRASI", "immigration"), ("DJKN", "state_receivable")],
)
async def test_r7_a_witness_is_not_listed_for_want_of_a_stage_or_a_crime(
    http: AsyncClient, actors: Actors, runtime: Runtime, agency: str, reason: str
) -> None:
    form = "request" if agency == "POLRI" else "decision"
    basis = {"instrument": form, "reason_code": reason, "stage": None, "subject_status": "witness"}
    for body in (entry_body(subject=wna(9001), basis=basis), urgent_body(subject=wna(9002), basis=basis)):
        found = await faults_of(http, actors, runtime, agency, body, "witness-not-allowed")
        assert found["/basis/subject_status"] == "witness"


@pytest.mark.parametrize(
    ("instrument", "reason"),
    [("decision", "deportation"), ("decision", "overstay"), ("administrative_action", "public_order")],
)
async def test_r65_a_victim_of_trafficking_is_deterred_by_no_form_of_administrative_action(
    http: AsyncClient, actors: Actors, runtime: Runtime, instrument: str, reason: str
) -> None:
    basis = {"instrument": instrument, "reason_code": reason, "subject_status": "other"}
    body = deterrence_body(basis={**basis, "trafficking_victim": True})
    found = await faults_of(http, actors, runtime, "IMIGRASI", body)
    assert found == {"/basis/trafficking_victim": "trafficking_victim"}
    await submit(http, await actors.client("submitter", agency="IMIGRASI"), deterrence_body(basis=basis))


async def test_r65_nor_prevented_by_it(http: AsyncClient, actors: Actors, runtime: Runtime) -> None:
    body = entry_body(subject=wna(9003), basis={**ACTION, "trafficking_victim": True})
    found = await faults_of(http, actors, runtime, "IMIGRASI", body)
    assert found == {"/basis/trafficking_victim": "trafficking_victim"}


@pytest.mark.parametrize("agency", ["KEMENKEU", "DJP", "DJBC"])
@pytest.mark.parametrize("code", [{"reason_code": "other"}, {"subject_status": "other"}, {}])
async def test_r10_the_ministrys_tax_ban_names_debt_and_doubt_as_its_directorates_does(
    http: AsyncClient, actors: Actors, runtime: Runtime, agency: str, code: dict[str, Any]
) -> None:
    found = await faults_of(http, actors, runtime, agency, entry_body(basis={**TAX, **code}))
    assert found == {"/basis/amount_idr": "tax_debt", "/basis/good_faith_doubt": "required"}
    whole = {"amount_idr": 100_000_000, "good_faith_doubt": "Assets were moved abroad."}
    body = entry_body(basis={**TAX, **code, **whole})
    await submit(http, await actors.client("submitter", agency=agency), body)


async def test_an_exit_ban_by_administrative_action_is_for_foreigners(
    http: AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    for instrument in ("administrative_action", "supervision_report"):
        basis = {**ACTION, "instrument": instrument}
        for body in (entry_body(basis=basis), urgent_body(basis=basis)):
            found = await faults_of(http, actors, runtime, "IMIGRASI", body)
            assert found == {"/basis/instrument": "foreigners_only"}
    body = entry_body(basis={**ACTION, "instrument": "decision"})
    assert await faults_of(http, actors, runtime, "IMIGRASI", body) == {
        "/basis/subject_status": "foreigners_only"
    }
    submitter = await actors.client("submitter", agency="IMIGRASI")
    entry = await submit(http, submitter, entry_body(subject=wna(9004), basis=ACTION))
    assert entry["citizenship"] == "WNA"


async def test_r6_a_body_of_letter_f_names_the_article_of_its_undang_undang(
    http: AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    form = {"instrument": "request", "reason_code": "terrorism"}
    for law in ("UU 5/2018", "Perpres 46/2010 Pasal 3"):
        body = entry_body(basis={**form, "law": law})
        assert await faults_of(http, actors, runtime, "BNPT", body) == {"/basis/law": "article_required"}
    body = entry_body(basis={**form, "law": "UU 5/2018 Pasal 43F"})
    await submit(http, await actors.client("submitter", agency="BNPT"), body)


async def test_r14_an_extension_rests_on_a_decision_of_its_own(
    http: AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock
) -> None:
    entry = await impose(http, actors)
    owner = await actors.client("submitter")
    clock.set("2027-05-10T10:00:00+07:00")

    async def faults(decided_on: str, **basis: Any) -> dict[str, str]:
        body = extension_body(entry, "2027-11-24", decided_on, extension={"basis": basis})
        return refused(await file_amendment(http, owner, entry, body), 422, "validation")

    number = f" {entry['basis']['number'].lower()} "
    issued_on = "/extension/basis/issued_on"
    async with nothing_changed(runtime):
        same = {"/extension/basis/number": "same_decision"}
        assert await faults("2027-05-08", number=number) == same
        assert await faults("2026-11-20", number=number) == {**same, issued_on: "not_later"}
        assert await faults("2020-05-08") == {issued_on: "not_later"}
        assert await faults("2026-11-21") == {issued_on: "stale"}
        assert await faults("2027-04-09") == {issued_on: "stale"}
    extended = await amend(http, actors, entry, extension_body(entry, "2027-11-24", "2027-04-10"))
    assert extended["extended_by"]["issued_on"] == "2027-04-10"


@pytest.mark.settings(deterrence_extensions=2)
async def test_r14_a_second_extension_differs_from_the_first_too(
    http: AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    entry = await impose(http, actors, deterrence_body(ends_on="2027-11-23"))
    entry = await amend(http, actors, entry, extension_body(entry, "2030-11-23", "2026-11-22"))
    owner = await actors.client("submitter", agency="IMIGRASI")
    again = {"basis": {"number": entry["extended_by"]["number"]}}
    body = extension_body(entry, "2032-11-23", "2026-11-22", extension=again)
    async with nothing_changed(runtime):
        found = refused(await file_amendment(http, owner, entry, body), 422, "validation")
    assert found == {
        "/extension/basis/number": "same_decision",
        "/extension/basis/issued_on": "not_later",
    }


async def test_a_document_number_that_only_fills_its_field_is_no_number_and_identifies_nobody(
    http: AsyncClient, actors: Actors, runtime: Runtime, tmp_path: Path
) -> None:
    filler = [{"type": "passport", "number": "0", "issuing_state": None}]
    found = await faults_of(http, actors, runtime, "KPK", entry_body(subject={"documents": filler}))
    assert found == {"/subject/documents/0/number": "empty"}
    case = {"case_reference": "Sprin.Dik-77/01/11/2026", "number": "R-77/2026"}
    two = [line(reference, entry=entry_body(subject={"documents": filler}, basis=case)) for reference in "ab"]
    assert (await taken(runtime, ndjson(tmp_path, *two)))["added"] == 2, "two persons in one case"
    counter = await actors.client("checkpoint")
    for sent, pointer in (
        ({"document": {"number": "0", "issuing_state": None}}, "/document/number"),
        ({"person": {"nik": "0000000000000000"}}, "/person/nik"),
    ):
        question = {"direction": "exit", **sent}
        answer = await http.post("/v1/checks", json=question, headers=counter.headers)
        assert refused(answer, 422, "validation") == {pointer: "nothing_to_look_for"}
    question = check_body(wna(9005), document={"number": "0", "issuing_state": None})
    answer = expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
    assert (answer["outcome"], answer["matches"]) == ("clear", [])
