"""Imports and cases: a closed case takes no line, and entries of a published list belong to no case (R67)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.register.entries.listing import Approvers
from app.register.lists.un_import import import_list
from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import deterrence_body, entry_body, merged, revocation_body
from tests.support.offices import Offices, acquittal, same_case
from tests.support.steps import Json
from tests.support.takeovers import line, ndjson, taken
from tests.support.un_editions import born, individual, national, passport, write

TWO = Approvers.named("19800101 200501 1 001", "19750505 200003 1 002")
ALVAR = individual(national("New Zealand") + passport() + born("1970-05-17"))


async def test_an_import_skips_a_line_of_a_closed_case(kpk: Offices, runtime: Runtime, tmp_path: Path):
    body = entry_body()
    entry = await kpk.impose(body)
    await kpk.amend(entry, acquittal(entry))
    path = ndjson(tmp_path, line("old-1", entry=same_case(body)), line("old-2", entry=entry_body()))
    report = await taken(runtime, path)
    assert report["added"] == 1
    (skipped,) = report["skipped"]
    assert (skipped["id"], skipped["reason"].split(":")[0]) == ("old-1", "case_closed")
    assert await kpk.action(body["subject"]) == "allow"


def of_the_letter(body: Json) -> tuple[Json, Json]:
    """A correction of an entry's letter, and the line of an older register with the former one."""
    further = entry_body(basis={"number": body["basis"]["number"]})
    return {"basis": {**body["basis"], "number": "B-77/2026"}}, merged(further, {"subject": body["subject"]})


def of_the_case(body: Json) -> tuple[Json, Json]:
    """A correction of an entry's case, and the line with the former one."""
    return {"basis": {**body["basis"], "case_reference": "Sprin.Dik-77/2026"}}, same_case(body)


def of_the_person(body: Json) -> tuple[Json, Json]:
    """A correction of an entry's name and passport, and the line with the former ones alone."""
    subject = body["subject"]
    paper = {**subject["documents"][0], "number": "Y7654321"}
    corrected = {**subject, "full_name": "Rangkuti Wiralodra", "documents": [paper], "photo": None}
    line = merged(same_case(body), {"subject": {"nik": None}, "unknown": ["nik"]})
    return {"subject": corrected, "withdrawn_names": [subject["full_name"]]}, line


@pytest.mark.parametrize("former", [of_the_letter, of_the_case, of_the_person])
async def test_an_import_skips_a_line_that_repeats_the_former_content_of_a_corrected_entry(
    kpk: Offices, runtime: Runtime, tmp_path: Path, former: Callable[[Json], tuple[Json, Json]]
):
    body = entry_body()
    changed, repeated = former(body)
    entry = await kpk.amend(await kpk.impose(body), {"kind": "correction", "correction": changed})
    assert entry["version"] > 3
    report = await taken(runtime, ndjson(tmp_path, line("old-1", entry=repeated)))
    (skipped,) = report["skipped"]
    assert (report["added"], skipped["reason"].split(":")[0]) == (0, "duplicate_entry")


async def test_an_import_skips_a_line_of_a_case_that_was_closed_under_another_name(
    kpk: Offices, runtime: Runtime, tmp_path: Path
):
    body = entry_body()
    changed, _ = of_the_case(body)
    entry = await kpk.amend(await kpk.impose(body), {"kind": "correction", "correction": changed})
    await kpk.amend(entry, acquittal(entry))
    report = await taken(runtime, ndjson(tmp_path, line("old-1", entry=same_case(body))))
    (skipped,) = report["skipped"]
    assert (report["added"], skipped["reason"].split(":")[0]) == (0, "case_closed")


async def test_an_acquittal_ends_what_was_imported_in_the_case(
    kpk: Offices, runtime: Runtime, tmp_path: Path
):
    body = entry_body()
    await taken(runtime, ndjson(tmp_path, line("old-1", entry=body)))
    second = await kpk.impose(same_case(body, starts_on="2027-05-24", ends_on="2027-11-23"))
    await kpk.amend(second, acquittal(second))
    assert await kpk.action(body["subject"]) == "allow"


async def listed_beside_own(
    kpk: Offices, actors: Actors, runtime: Runtime, tmp_path: Path
) -> tuple[dict[str, Any], Offices, dict[str, Any]]:
    """An entry of a published list, its agency, and that agency's own entry on the same person and case."""
    await import_list(runtime, write(tmp_path, ALVAR, generated="2026-05-04T12:00:00Z"), TWO)
    found = (await kpk.http.get("/v1/entries", headers=kpk.approver.headers)).json()["items"]
    (listed,) = [each for each in found if each["measure"] == "deterrence"]
    immigration = await Offices.opened(kpk.http, actors, listed["agency"])
    body = deterrence_body(basis={"case_reference": listed["basis"]["case_reference"]})
    body = merged(
        body, {"subject": {"documents": listed["subject"]["documents"], "birth": {"date": "1970-05-17"}}}
    )
    body["subject"]["full_name"] = listed["subject"]["full_name"]
    own = await immigration.impose(body)
    return listed, immigration, own


async def test_an_entry_of_a_published_list_belongs_to_no_case(
    kpk: Offices, actors: Actors, runtime: Runtime, tmp_path: Path
):
    listed, immigration, own = await listed_beside_own(kpk, actors, runtime, tmp_path)
    await immigration.amend(own, revocation_body(own))
    assert (await kpk.read(listed))["state"] == "active"


async def test_a_list_that_names_somebody_no_more_ends_only_its_own_entry(
    kpk: Offices, actors: Actors, runtime: Runtime, tmp_path: Path
):
    listed, _, own = await listed_beside_own(kpk, actors, runtime, tmp_path)
    other = individual(national("Peru") + passport("PE765432", "Peru"), data_id="700002", name="BELVA")
    path = write(tmp_path, other, generated="2026-06-04T12:00:00Z")
    await import_list(runtime, path, TWO, allow_shrink=True)
    assert (await kpk.read(listed))["state"] == "ended"
    assert (await kpk.read(own))["state"] == "active"
