"""`cekal import entries`, again: what a later file, or another line of the same, changes and what not."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.register.entries import listing, store
from app.register.entries.domain import State
from app.register.lists import takeover
from app.register.lists.takeover import take_over
from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import entry_body, merged
from tests.support.refusals import nothing_changed, refused
from tests.support.takeovers import TWO, entries, line, ndjson, records, taken, told


async def test_the_same_file_again_changes_nothing(runtime: Runtime, tmp_path: Path):
    path = ndjson(tmp_path, line("old-1"), line("old-2"))
    await taken(runtime, path)
    before = await entries(runtime), await records(runtime)
    assert await taken(runtime, path) == told(unchanged=2)
    assert (await entries(runtime), await records(runtime)) == before


async def test_a_takeover_that_was_cut_off_goes_on_where_it_stood(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(takeover, "STEP", 2)
    path = ndjson(tmp_path, *(line(f"old-{n}") for n in range(5)))
    whole, steps = listing.import_items, []

    async def cut_off(*given: Any) -> Any:
        if len(steps) == 2:
            raise ConnectionResetError("the database went away")
        steps.append(given)
        return await whole(*given)

    with monkeypatch.context() as patch:
        patch.setattr(listing, "import_items", cut_off)
        with pytest.raises(ConnectionResetError):
            await take_over(runtime, path, TWO)
    assert len(await entries(runtime)) == 4
    assert await taken(runtime, path) == told(added=1, unchanged=4)
    assert [record.sequence for record in await records(runtime)] == [1, 2, 3, 4, 5]


async def test_a_changed_line_corrects_its_entry(runtime: Runtime, tmp_path: Path):
    first = line()
    await taken(runtime, ndjson(tmp_path, first))
    mended = merged(first, {"entry": {"subject": {"full_name": "Raka Baru"}, "ends_on": "2027-04-23"}})
    assert await taken(runtime, ndjson(tmp_path, mended)) == told(changed=1)
    [entry] = await entries(runtime)
    assert (entry.version, entry.subject.full_name, entry.ends_on) == (2, "Raka Baru", date(2027, 4, 23))
    assert [record.type for record in await records(runtime)] == ["entry.listed", "entry.corrected"]


async def test_a_new_user_never_sees_an_entry_that_an_earlier_line_brought_about_them(
    runtime: Runtime, actors: Actors, tmp_path: Path
):
    first = line(entry=entry_body(subject={"full_name": "Wirabumi Kertanegara Sasmita"}))
    await taken(runtime, ndjson(tmp_path, first))
    mended = merged(
        first, {"entry": {"subject": {"full_name": "Raka Baru"}, "basis": {"number": "R-2/2026"}}}
    )
    assert await taken(runtime, ndjson(tmp_path, mended)) == told(changed=1)
    [entry] = await entries(runtime)
    assert [each.subject.full_name for each in entry.former] == ["Wirabumi Kertanegara Sasmita"]
    auditor = await actors.client("auditor", name="SASMITA Wirabumi Kertanegara")
    [sealed] = await entries(runtime)
    assert sealed.barred == (auditor.person,)


async def test_a_letter_that_an_earlier_line_named_is_not_filed_again(
    runtime: Runtime, http: httpx2.AsyncClient, actors: Actors, tmp_path: Path
):
    body = entry_body()
    first = line(entry=body)
    await taken(runtime, ndjson(tmp_path, first))
    mended = merged(
        first, {"entry": {"basis": {"number": "R-2/2026", "case_reference": "Sprin.Dik-77/2026"}}}
    )
    assert await taken(runtime, ndjson(tmp_path, mended)) == told(changed=1)
    owner = await actors.client("submitter")
    async with nothing_changed(runtime):
        answer = await http.post("/v1/entries", json=body, headers=owner.headers)
        refused(answer, 409, "duplicate-entry")


async def test_a_line_written_otherwise_but_saying_the_same_changes_nothing(runtime: Runtime, tmp_path: Path):
    first = line()
    await taken(runtime, ndjson(tmp_path, first))
    other = json.dumps(dict(reversed(first.items())), indent=None, separators=(" ,", ": "))
    assert await taken(runtime, ndjson(tmp_path, other)) == told(unchanged=1)
    assert len(await records(runtime)) == 1


async def test_a_line_with_a_longer_period_follows_its_ended_entry(runtime: Runtime, tmp_path: Path):
    body = entry_body(starts_on="2026-04-01", ends_on="2026-10-01", basis={"issued_on": "2026-03-30"})
    body["basis"]["received_on"] = "2026-03-31"
    over = line(entry=body, approved_on="2026-04-01")
    await taken(runtime, ndjson(tmp_path, over))
    extended = merged(
        over,
        {
            "entry": {"starts_on": "2026-10-02", "ends_on": "2027-04-02"},
            "extension_count": 1,
            "first_started_on": "2026-04-01",
        },
    )
    assert await taken(runtime, ndjson(tmp_path, extended)) == told(added=1)
    assert sorted(entry.state.value for entry in await entries(runtime)) == ["active", "ended"]


async def test_what_officers_have_changed_here_is_no_longer_changed_by_the_older_register(
    runtime: Runtime, tmp_path: Path
):
    first = line()
    await taken(runtime, ndjson(tmp_path, first))
    [entry] = await entries(runtime)
    async with runtime.writing(SYSTEM) as unit:
        await store.save(unit, entry.replace(version=2, ends_on=date(2027, 1, 1)), "corrected")
    mended = merged(first, {"entry": {"subject": {"full_name": "Raka Baru"}}})
    report = await taken(runtime, ndjson(tmp_path, mended))
    [skipped] = report["skipped"]
    assert skipped["reason"].startswith("wrong_state: The entry was changed here since")
    assert (await entries(runtime))[0].ends_on == date(2027, 1, 1)


async def test_a_line_that_is_gone_ends_nothing(runtime: Runtime, tmp_path: Path):
    await taken(runtime, ndjson(tmp_path, line("old-1"), line("old-2")))
    assert await taken(runtime, ndjson(tmp_path, line("old-3"))) == told(added=1)
    assert {entry.state for entry in await entries(runtime)} == {State.ACTIVE}


async def test_one_letter_names_a_person_once_also_within_one_file(runtime: Runtime, tmp_path: Path):
    first = line("old-1")
    twin = {**first, "reference": "old-2"}
    report = await taken(runtime, ndjson(tmp_path, first, twin))
    assert report["added"] == 1
    [skipped] = report["skipped"]
    assert skipped["id"] == "old-2"
    assert skipped["reason"].startswith("duplicate_entry: This letter names this person already.")


async def test_a_case_has_one_entry_against_a_person_at_a_time_and_may_have_others_against_others(
    runtime: Runtime, tmp_path: Path
):
    first, other = line("old-1"), line("old-3")
    second = merged(first, {"reference": "old-2", "entry": {"basis": {"number": "another letter"}}})
    same_case = merged(
        other, {"entry": {"basis": {"case_reference": first["entry"]["basis"]["case_reference"]}}}
    )
    await taken(runtime, ndjson(tmp_path, first))
    report = await taken(runtime, ndjson(tmp_path, second, same_case))
    assert report["added"] == 1
    assert [skipped["id"] for skipped in report["skipped"]] == ["old-2"]


async def test_a_reference_that_comes_twice_in_a_file_is_changed_by_the_second(
    runtime: Runtime, tmp_path: Path
):
    first = line()
    second = merged(first, {"entry": {"ends_on": "2027-04-23"}})
    assert await taken(runtime, ndjson(tmp_path, first, second)) == told(added=1, changed=1)


async def test_agencies_may_use_the_same_references(runtime: Runtime, tmp_path: Path):
    police = line(agency="POLRI", entry={"basis": {"instrument": "request"}})
    assert await taken(runtime, ndjson(tmp_path, line(), police)) == told(added=2)
