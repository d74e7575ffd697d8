"""Imports and cases: a closed case takes no line, and entries of a published list belong to no case (R67)."""

from pathlib import Path
from typing import Any

from app.register.entries.listing import Approvers
from app.register.lists.un_import import import_list
from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import deterrence_body, entry_body, merged, revocation_body
from tests.support.offices import Offices, acquittal, same_case
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
