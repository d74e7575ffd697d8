"""Which entries are of one case: how references are compared, and whose entries count (API section 3)."""

from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import entry_body, extension_body, merged, revocation_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.offices import Offices, acquittal, correction, same_case
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json

ONE_CASE = [
    ("Sprin.Dik-01", "SPRINDIK 01"),
    ("Sprin.Dik-01", "sprin dik/1"),
    ("Sprin.Dik-01/01/11/2026", "SPRIN.DIK - 1 / 1 / 11 / 2026"),
    ("LP/B/0123/XI/2026", "lp b 123 xi 2026"),
    ("LP/B/0123/XI/2026", "LP.B.123.XI.2026"),
    ("R-7/DAK", "r 007 dak"),
    ("1/12", "01-12"),
    ("1/12", "1.12"),
    ("Perkara No. 5", "PERKARA NO 5"),
    ("Reg. 10", "reg-0010"),
    ("A-1b", "a 1 B"),
    ("Peñyidikan 3", "PENYIDIKAN 3"),
]
OTHER_CASES = [
    ("1/12", "11/2"),
    ("1/12", "112"),
    ("Sprin.Dik-01", "Sprin.Dik-10"),
    ("Sprin.Dik-01", "Sprin.Dik-1/1"),
    ("Sprin.Dik-01", "Sprin.Lid-01"),
    ("12/2026", "1/22026"),
    ("LP/1/XI", "LP/1/XII"),
    ("R-7/DAK", "R-7"),
    ("A-1b", "A-b1"),
    ("case 100", "case 10"),
    ("ongoing investigation", "ongoing investigation"),
    ("Perkara Pokok", "perkara pokok"),
]
"""No case, and so no common one, is what has no digit."""


def in_case(reference: str) -> Json:
    return entry_body(basis={"case_reference": reference})


async def test_a_case_is_one_however_its_number_is_written(kpk: Offices, runtime: Runtime):
    for one, other in ONE_CASE:
        body = in_case(one)
        entry = await kpk.impose(body)
        written = {"basis": {"case_reference": other}}
        again = merged(same_case(body), written)
        async with nothing_changed(runtime):
            refused(await kpk.try_submit(again), 409, "duplicate-entry")
            urgent = merged(same_case(body, urgent_body()), written)
            refused(await kpk.try_submit(urgent), 409, "duplicate-entry")
        await kpk.amend(entry, acquittal(entry, case_reference=other))
        async with nothing_changed(runtime):
            refused(await kpk.try_submit(again), 409, "case-closed")


async def test_another_case_is_another_dossier(kpk: Offices):
    for one, other in OTHER_CASES:
        body = in_case(one)
        entry = await kpk.impose(body)
        beside = await kpk.impose(merged(same_case(body), {"basis": {"case_reference": other}}))
        await kpk.amend(entry, acquittal(entry))
        assert (await kpk.read(entry))["ended_reason"] == "acquitted"
        assert (await kpk.read(beside))["state"] == "active", (one, other)
        assert await kpk.action(body["subject"]) == "refuse_exit"


async def test_without_a_case_number_an_act_ends_the_entry_that_it_names_and_what_is_linked(
    kpk: Offices, clock: SettableClock
):
    urgent = await kpk.urgent(urgent_body(basis={"case_reference": "ongoing investigation"}))
    formal = await kpk.approve(await kpk.formalise(urgent))
    await kpk.amend(formal, acquittal(formal))
    assert (await kpk.read(urgent))["ended_reason"] == "acquitted"
    clock.set("2026-12-05T09:00:00+07:00")
    assert await kpk.action(urgent["subject"]) == "allow"


async def test_a_case_is_its_owners_alone(kpk: Offices, actors: Actors):
    body = entry_body()
    entry = await kpk.impose(body)
    police = await Offices.opened(kpk.http, actors, "POLRI")
    asked = same_case(body, basis={"instrument": "request", "number": entry["basis"]["number"]})
    other = await police.impose(asked)
    await kpk.amend(entry, revocation_body(entry))
    assert (await kpk.read(other))["state"] == "active"
    assert await kpk.action(body["subject"]) == "refuse_exit"


async def test_a_third_period_is_refused_under_the_case_number_that_was_corrected(
    kpk: Offices, clock: SettableClock, runtime: Runtime
):
    body = entry_body()
    entry = await kpk.impose(body)
    entry = await kpk.amend(entry, extension_body(entry, "2027-11-24"))
    basis = {**body["basis"], "case_reference": "Sprin.Dik-999/typo"}
    await kpk.amend(entry, correction(basis=basis))
    clock.set("2027-11-25T09:00:00+07:00")
    kpk = await Offices.opened(kpk.http, kpk.actors)  # keys last a year
    fresh = {"issued_on": "2027-11-25", "received_on": "2027-11-25"}
    period = {"starts_on": "2027-11-25", "ends_on": "2028-05-25"}
    for case in (body["basis"]["case_reference"], "SPRINDIK 999 TYPO"):
        asked = same_case(body, basis={**fresh, "case_reference": case}, **period)
        async with nothing_changed(runtime):
            refused(await kpk.try_submit(asked), 409, "extension-exhausted")


async def test_a_third_period_is_refused_to_the_person_who_was_corrected_away(
    kpk: Offices, clock: SettableClock, runtime: Runtime
):
    body = entry_body()
    entry = await kpk.impose(body)
    entry = await kpk.amend(entry, extension_body(entry, "2027-11-24"))
    other = merged(entry_body()["subject"], {"photo": ...})
    amendment = await kpk.file(entry, {"kind": "correction", "correction": {"subject": other}})
    await kpk.decide(amendment, "verify")
    await kpk.decide(amendment, "approve")
    await kpk.decide(amendment, "approve", kpk.second)
    clock.set("2027-11-25T09:00:00+07:00")
    kpk = await Offices.opened(kpk.http, kpk.actors)  # keys last a year
    fresh = {"issued_on": "2027-11-25", "received_on": "2027-11-25"}
    asked = same_case(body, basis=fresh, starts_on="2027-11-25", ends_on="2028-05-25")
    async with nothing_changed(runtime):
        refused(await kpk.try_submit(asked), 409, "extension-exhausted")


async def test_a_letter_stays_used_when_a_correction_has_changed_its_number(kpk: Offices, runtime: Runtime):
    body = entry_body()
    entry = await kpk.impose(body)
    await kpk.amend(entry, correction(basis={**body["basis"], "number": "R-4711/corrected"}))
    for number in (body["basis"]["number"], "r 4711 CORRECTED"):
        asked = merged(entry_body(), {"subject": body["subject"], "basis": {"number": number}})
        async with nothing_changed(runtime):
            refused(await kpk.try_submit(asked), 409, "duplicate-entry")


async def test_the_letter_of_an_extension_is_used_too(kpk: Offices, runtime: Runtime):
    body = entry_body()
    entry = await kpk.impose(body)
    longer = extension_body(entry, "2027-11-24")
    await kpk.amend(entry, longer)
    number = longer["extension"]["basis"]["number"]
    asked = merged(entry_body(), {"subject": body["subject"], "basis": {"number": number}})
    async with nothing_changed(runtime):
        refused(await kpk.try_submit(asked), 409, "duplicate-entry")


async def test_a_case_that_was_corrected_away_is_not_ended_but_closed(kpk: Offices, runtime: Runtime):
    """What ends looks at the present case; what bars counts former ones too."""
    body = entry_body()
    entry = await kpk.impose(body)
    await kpk.amend(entry, correction(basis={**body["basis"], "case_reference": "Sprin.Dik-77/new"}))
    beside = await kpk.impose(same_case(body, starts_on="2027-05-24", ends_on="2027-11-23"))
    await kpk.amend(beside, acquittal(beside))
    assert (await kpk.read(entry))["state"] == "active"
    async with nothing_changed(runtime):
        refused(await kpk.try_submit(same_case(body)), 409, "case-closed")
