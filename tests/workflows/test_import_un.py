"""`cekal import un` on invented editions: what an edition adds, changes, ends and leaves alone."""

from datetime import date
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.access.store import list_audit
from app.errors import Invalid, PeriodTooLong, SecondPairOfEyesNeeded, WrongState
from app.ledger.domain import Record
from app.ledger.service import list_after
from app.register.entries import listing, store
from app.register.entries.domain import Entry
from app.register.entries.listing import Approvers
from app.register.entries.requested import RequestedMeasure
from app.register.entries.store import Filter
from app.register.entries.subjects import Alias
from app.register.lists.report import Report
from app.register.lists.un import ListUnreadable
from app.register.lists.un_import import import_list
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed
from tests.support.steps import expect
from tests.support.un_editions import alias, born, individual, national, passport, write

EARLIER, LATER, LATEST = (f"2026-0{month}-04T12:00:00Z" for month in (5, 6, 7))
TWO = Approvers.named("19800101 200501 1 001", "19750505 200003 1 002")
ALVAR = individual(national("New Zealand") + passport() + born("1970-05-17"))
BELVA = individual(national("Peru") + passport("PE765432", "Peru"), data_id="700002", name="BELVA")


async def imported(runtime: Runtime, path: Path, **given: Any) -> dict[str, Any]:
    return (await import_list(runtime, path, TWO, **given)).as_json()


def told(**given: Any) -> dict[str, Any]:
    return {**Report().as_json(), **given}


async def entries(runtime: Runtime) -> dict[str, Entry]:
    """Every entry as it stands, by name."""
    async with runtime.reading(SYSTEM) as reader:
        found = await store.list_page(reader, Filter(), None, 500)
        return {entry.subject.full_name: entry.at(reader.now) for entry in found}


async def records(runtime: Runtime) -> list[Record]:
    async with runtime.reading(SYSTEM) as reader:
        return await list_after(reader, 0, 500)


@pytest.fixture
async def listed(runtime: Runtime, tmp_path: Path) -> Entry:
    """Alvar Testo, from an edition of May."""
    await imported(runtime, write(tmp_path, ALVAR, generated=EARLIER))
    return (await entries(runtime))["ALVAR TESTO"]


async def test_a_person_of_the_list_is_kept_out_for_life_at_once(runtime: Runtime, tmp_path: Path):
    assert await imported(runtime, write(tmp_path, ALVAR)) == told(added=1)
    entry = (await entries(runtime))["ALVAR TESTO"]
    assert (entry.state, entry.measure, entry.agency, entry.citizenship) == (
        "active",
        "deterrence",
        "IMIGRASI",
        "WNA",
    )
    assert (entry.lifetime, entry.ends_on, entry.starts_on) == (True, None, date(2026, 11, 23))
    assert entry.in_force(runtime.clock())
    assert (entry.basis.instrument, entry.basis.number, entry.basis.issued_on) == (
        "decision",
        "UTi.001",
        date(2020, 1, 31),
    )
    assert entry.basis.subject_status == "foreigner_under_measure"
    assert "102(3)" in (entry.basis.lifetime_ground or "")
    assert entry.subject.sex is None, "the list does not say"
    [record] = await records(runtime)
    assert (record.type, record.entry_id, record.version) == ("entry.listed", entry.id, 1)


async def test_the_two_approvers_are_recorded_in_the_entry_and_in_the_audit_trail(
    runtime: Runtime, listed: Entry
):
    assert listed.approved_by == ("198001012005011001", "197505052000031002")
    assert listed.second_approval_at == runtime.clock()
    async with runtime.reading(SYSTEM) as reader:
        acts = {row["act"]: row["detail"] for row in await list_audit(reader, None, 50, None, "un")}
    begun = acts["list.import_begun"]
    assert (begun["approved_by"], begun["second_approver"]) == listed.approved_by
    assert acts["list.imported"]["added"] == 1


def test_one_person_cannot_approve_twice_however_the_number_is_written():
    with pytest.raises(SecondPairOfEyesNeeded):
        Approvers.named("NRP 7505-0123", "nrp75050123")


async def test_the_same_file_again_changes_nothing(runtime: Runtime, listed: Entry, tmp_path: Path):
    path = write(tmp_path, ALVAR, generated=EARLIER)
    before = await records(runtime)
    assert await imported(runtime, path) == told(unchanged=1)
    assert await records(runtime) == before
    assert (await entries(runtime))["ALVAR TESTO"] == listed


async def test_a_newer_edition_adds_changes_and_ends(runtime: Runtime, tmp_path: Path):
    await imported(runtime, write(tmp_path, ALVAR, BELVA, generated=EARLIER))
    changed = individual(national("New Zealand") + passport("LX999999"))
    cirilo = individual(data_id="700003", name="CIRILO")
    path = write(tmp_path, changed, cirilo, generated=LATER)
    report = await imported(runtime, path, allow_shrink=True)
    assert report == told(added=1, changed=1, ended=1)
    found = await entries(runtime)
    assert found["ALVAR TESTO"].version == 2
    assert [paper.number for paper in found["ALVAR TESTO"].subject.documents] == ["LX999999"]
    assert (found["BELVA TESTO"].state, found["BELVA TESTO"].ended_reason) == ("ended", "revoked")
    kinds = [(record.type.value, record.version, record.tombstone) for record in await records(runtime)]
    assert sorted(kinds[2:]) == [
        ("entry.corrected", 2, False),
        ("entry.ended", 2, True),
        ("entry.listed", 1, False),
    ]


async def test_an_old_name_stays_an_alias_and_a_dropped_alias_goes(runtime: Runtime, tmp_path: Path):
    first = individual(alias("ALVARO T") + alias("EL PILOTO"), name="ALVAR")
    await imported(runtime, write(tmp_path, first, generated=EARLIER))
    second = individual(alias("ALVARO T"), name="ELVAR")
    await imported(runtime, write(tmp_path, second, generated=LATER))
    third = individual(alias("ALVARO T"), name="ILVAR")
    await imported(runtime, write(tmp_path, third, generated=LATEST))
    (entry,) = (await entries(runtime)).values()
    assert entry.subject.full_name == "ILVAR TESTO"
    assert entry.subject.aliases == (Alias("ALVARO T"), Alias("ALVAR TESTO"), Alias("ELVAR TESTO"))


async def test_an_older_edition_is_refused_and_changes_nothing(
    runtime: Runtime, listed: Entry, tmp_path: Path
):
    await imported(runtime, write(tmp_path, ALVAR, generated=LATER))
    async with nothing_changed(runtime):
        with pytest.raises(WrongState, match="older than the one of 2026-06-04"):
            await import_list(runtime, write(tmp_path, BELVA, generated=EARLIER), TWO)


async def test_whoever_is_listed_again_gets_a_new_entry(runtime: Runtime, tmp_path: Path):
    await imported(runtime, write(tmp_path, ALVAR, BELVA, generated=EARLIER))
    await imported(runtime, write(tmp_path, BELVA, generated=LATER), allow_shrink=True)
    again = write(tmp_path, ALVAR, BELVA, generated=LATEST)
    assert await imported(runtime, again) == told(added=1, unchanged=1)
    assert await imported(runtime, again) == told(unchanged=2)
    async with runtime.reading(SYSTEM) as reader:
        found = await store.list_page(reader, Filter(), None, 500)
    states = sorted(entry.state.value for entry in found if entry.subject.full_name == "ALVAR TESTO")
    assert states == ["active", "ended"]


async def test_an_indonesian_is_never_listed_and_ended_once_known_as_one(
    runtime: Runtime, listed: Entry, tmp_path: Path
):
    as_citizen = individual(national("New Zealand", "Indonesia") + passport())
    report = await imported(runtime, write(tmp_path, as_citizen, generated=LATER))
    assert report == told(ended=1, skipped=[{"id": "700001", "reason": "wni_cannot_be_deterred"}])
    assert (await entries(runtime))["ALVAR TESTO"].state == "ended"


async def test_groups_and_unreadable_persons_are_left_out_by_name(runtime: Runtime, tmp_path: Path):
    group = "<ENTITY><DATAID>800001</DATAID></ENTITY>"
    nameless = individual(data_id="700009").replace("ALVAR", "").replace("TESTO", "")
    path = write(tmp_path, ALVAR, nameless, entities=group)
    assert await imported(runtime, path) == told(
        added=1,
        skipped=[{"id": "700009", "reason": "no_name"}, {"id": "800001", "reason": "entity"}],
    )


async def test_who_is_unreadable_in_an_edition_is_not_ended_by_it(
    runtime: Runtime, listed: Entry, tmp_path: Path
):
    nameless = ALVAR.replace("ALVAR", "").replace("TESTO", "")
    report = await imported(runtime, write(tmp_path, nameless, BELVA, generated=LATER))
    assert report == told(added=1, skipped=[{"id": "700001", "reason": "no_name"}])
    assert (await entries(runtime))["ALVAR TESTO"].state == "active"


async def test_nobody_is_ended_by_an_edition_that_names_somebody_without_name_and_number(
    runtime: Runtime, listed: Entry, tmp_path: Path
):
    nameless = individual(data_id="").replace("ALVAR", "").replace("TESTO", "").replace("UTi.001", "")
    report = await imported(runtime, write(tmp_path, nameless, BELVA, generated=LATER))
    assert {"id": "700001", "reason": "not_ended_while_unreadable"} in report["skipped"]
    assert (await entries(runtime))["ALVAR TESTO"].state == "active"


async def test_who_has_no_day_of_listing_is_listed_and_the_entry_says_so(runtime: Runtime, tmp_path: Path):
    path = write(tmp_path, ALVAR.replace("2020-01-31-05:00", ""), BELVA)
    assert await imported(runtime, path) == told(added=2)
    entry = (await entries(runtime))["ALVAR TESTO"]
    assert entry.basis.issued_on == date(2026, 5, 5), "the day of the edition"
    assert "on a day that the list does not give" in entry.basis.reason


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names that the rules refuse."""
    lawful, names = listing.judge_import, set[str]()

    def judge(wanted: RequestedMeasure, *rest: Any, **given: Any) -> Any:
        if wanted.subject.full_name in names:
            raise Invalid("Not this one.")
        return lawful(wanted, *rest, **given)

    monkeypatch.setattr(listing, "judge_import", judge)
    return names


async def test_a_person_whom_the_rules_refuse_is_left_out_and_the_others_go_on(
    runtime: Runtime, tmp_path: Path, refusing: set[str]
):
    refusing.add("ALVAR TESTO")
    report = await imported(runtime, write(tmp_path, ALVAR, BELVA))
    assert report == told(added=1, skipped=[{"id": "700001", "reason": "validation: Not this one."}])


async def test_a_known_person_whose_new_data_the_rules_refuse_stays_as_before(
    runtime: Runtime, listed: Entry, tmp_path: Path, refusing: set[str]
):
    refusing.add("ALVAR TESTO")
    changed = individual(national("Peru"), data_id="700077").replace("UTi.077", "UTi.001")
    report = await imported(runtime, write(tmp_path, changed, generated=LATER))
    assert (report["ended"], report["changed"], len(report["skipped"])) == (0, 0, 1)
    assert (await entries(runtime))["ALVAR TESTO"] == listed


async def test_nobody_is_ended_whose_successor_under_other_numbers_was_refused(
    runtime: Runtime, listed: Entry, tmp_path: Path, refusing: set[str]
):
    refusing.add("ELVAR TESTO")
    renamed = individual(alias("Alvar Testo"), data_id="700077", name="ELVAR")
    report = await imported(runtime, write(tmp_path, renamed, BELVA, generated=LATER))
    assert {"id": "700001", "reason": "not_ended_while_unreadable"} in report["skipped"]
    assert (await entries(runtime))["ALVAR TESTO"] == listed


async def test_a_review_date_ends_the_ban_and_a_later_one_renews_it(
    runtime: Runtime, clock: SettableClock, tmp_path: Path
):
    path = write(tmp_path, ALVAR)
    await imported(runtime, path, review_on=date(2031, 11, 23))
    first = (await entries(runtime))["ALVAR TESTO"]
    assert (first.lifetime, first.ends_on, first.basis.lifetime_ground) == (False, date(2031, 11, 23), None)
    clock.set("2031-11-24T03:00:00Z")
    assert await Worker(runtime).end_by_law() == 1
    assert await imported(runtime, path, review_on=date(2041, 11, 24)) == told(added=1)
    assert await imported(runtime, path, review_on=date(2041, 11, 24)) == told(unchanged=1)


async def test_a_change_of_the_list_keeps_the_period_that_was_decided(
    runtime: Runtime, listed: Entry, tmp_path: Path
):
    path = write(tmp_path, individual(national("Peru")), generated=LATER)
    assert await imported(runtime, path, review_on=date(2027, 1, 1)) == told(changed=1)
    entry = (await entries(runtime))["ALVAR TESTO"]
    assert (entry.lifetime, entry.ends_on) == (True, None)
    assert entry.basis.lifetime_ground == listed.basis.lifetime_ground


@pytest.mark.parametrize("review_on", [date(2026, 11, 22), date(2036, 11, 24)])
async def test_a_review_date_in_the_past_or_beyond_ten_years_is_refused_before_anything_is_written(
    runtime: Runtime, tmp_path: Path, review_on: date
):
    async with nothing_changed(runtime):
        with pytest.raises(PeriodTooLong):
            await import_list(runtime, write(tmp_path, ALVAR), TWO, review_on=review_on)


async def test_a_malformed_file_is_refused_whole_with_its_line(runtime: Runtime, tmp_path: Path):
    path = write(tmp_path, ALVAR, BELVA)
    text = path.read_text().partition("</ENTITIES>")[0]
    path.write_text(text)
    async with nothing_changed(runtime):
        with pytest.raises(ListUnreadable) as refusal:
            await import_list(runtime, path, TWO)
    assert refusal.value.line == text.count("\n") + 1


async def test_counters_know_a_listed_person_by_passport_and_nationality(
    http: httpx2.AsyncClient, actors: Actors, listed: Entry
):
    counter = await actors.client("checkpoint")
    document = {"number": "LX123456", "issuing_state": "NZL"}

    async def action(direction: str, *, paper: dict[str, str], nationality: str | None) -> str:
        body = {"direction": direction, "document": paper, "person": {"nationality": nationality}}
        answer = expect(await http.post("/v1/checks", json=body, headers=counter.headers), 200)
        return str(answer["action"])

    assert await action("entry", paper=document, nationality="NZL") == "refuse_entry"
    assert await action("entry", paper=document, nationality=None) == "refer_to_supervisor"
    assert await action("entry", paper={"number": "LX123456"}, nationality="NZL") == "refer_to_supervisor"
    assert await action("entry", paper=document, nationality="IDN") == "refer_to_supervisor"
    assert await action("exit", paper=document, nationality="NZL") == "allow"
