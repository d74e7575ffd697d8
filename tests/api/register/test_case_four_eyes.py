"""Four eyes over the whole history of a case, by person, whatever account they use (R31; API section 3)."""

from typing import Any

import pytest

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, entry_body, merged, revocation_body
from tests.support.offices import Offices, acquittal, correction, given_again, same_case
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import Json, expect


async def other_account(actors: Actors, person: Caller, role: str, agency: str | None = None) -> Caller:
    """Another account of a person."""
    return await actors.client(role, person=person.person, agency=agency)


async def colleague(kpk: Offices, actors: Actors) -> Offices:
    """The same offices with another submitter and another verifier."""
    return await Offices.opened(kpk.http, actors, kpk.submitter.agency or "KPK")


def moved(entry: Json) -> Json:
    """A correction of the address."""
    return correction({**entry["subject"], "address": "Jalan Baru 1"})


async def test_the_author_of_an_urgent_entry_never_countersigns_it_nor_after_anothers_correction(
    kpk: Offices, actors: Actors, runtime: Runtime
):
    urgent = await kpk.urgent(signed=False)
    others = await colleague(kpk, actors)
    corrector = await other_account(actors, others.submitter, "duty_officer")
    author = await other_account(actors, kpk.submitter, "duty_officer")
    async with nothing_changed(runtime):
        refused(await kpk.try_decide(urgent, "countersign", author), 403, "four-eyes")
    await others.amend(urgent, moved(urgent))
    async with nothing_changed(runtime):
        for person in (author, corrector):
            refused(await kpk.try_decide(urgent, "countersign", person), 403, "four-eyes")
    assert (await kpk.decide(urgent, "countersign"))["countersigned_at"] is not None


async def test_no_author_of_the_urgent_entry_approves_its_formalisation_after_a_correction(
    kpk: Offices, actors: Actors, runtime: Runtime
):
    urgent = await kpk.urgent()
    others, third = await colleague(kpk, actors), await colleague(kpk, actors)
    await others.amend(urgent, moved(urgent))
    formal = await third.decide(await third.formalise(urgent), "verify")
    writers = (kpk.submitter, others.submitter, third.submitter)
    for person in (*writers, kpk.duty, third.verifier):
        account = await other_account(actors, person, "approver")
        async with nothing_changed(runtime):
            refused(await kpk.try_decide(formal, "approve", account), 403, "four-eyes")
            refused(await kpk.try_decide(formal, "reject", account, "No."), 403, "four-eyes") if (
                person in writers
            ) else None
    assert (await kpk.decide(formal, "approve"))["state"] == "active"


async def test_no_author_of_the_urgent_entry_verifies_its_formalisation(
    kpk: Offices, actors: Actors, runtime: Runtime
):
    urgent = await kpk.urgent()
    third = await colleague(kpk, actors)
    formal = await third.formalise(urgent)
    account = await other_account(actors, kpk.submitter, "verifier", "KPK")
    async with nothing_changed(runtime):
        for verdict in ("verify", "return"):
            refused(await kpk.try_decide(formal, verdict, account, "Because."), 403, "four-eyes")


async def test_who_wrote_a_version_that_was_returned_decides_on_no_later_one(
    kpk: Offices, actors: Actors, runtime: Runtime
):
    body = entry_body()
    entry = await kpk.decide(await kpk.submit(body), "return", kpk.verifier, "Unsigned.")
    others = await colleague(kpk, actors)
    expect(await others.try_resubmit(entry, body), 200)
    account = await other_account(actors, kpk.submitter, "verifier", "KPK")
    async with nothing_changed(runtime):
        refused(await kpk.try_decide(entry, "verify", account), 403, "four-eyes")
    await kpk.decide(entry, "verify")
    for person in (kpk.submitter, others.submitter):
        account = await other_account(actors, person, "approver")
        async with nothing_changed(runtime):
            refused(await kpk.try_decide(entry, "approve", account), 403, "four-eyes")


async def test_who_wrote_any_version_decides_on_no_correction_or_extension(
    kpk: Offices, actors: Actors, runtime: Runtime
):
    entry = await kpk.impose(entry_body())
    others, third = await colleague(kpk, actors), await colleague(kpk, actors)
    await others.amend(entry, moved(entry))
    now = await kpk.read(entry)
    amendment = await third.file(entry, correction({**now["subject"], "occupation": "baker"}))
    for person in (kpk.submitter, others.submitter, third.submitter):
        account = await other_account(actors, person, "verifier", "KPK")
        async with nothing_changed(runtime):
            refused(await kpk.try_decide(amendment, "verify", account), 403, "four-eyes")
    await third.decide(amendment, "verify")
    for person in (kpk.submitter, others.submitter, third.submitter, third.verifier):
        account = await other_account(actors, person, "approver")
        async with nothing_changed(runtime):
            refused(await kpk.try_decide(amendment, "approve", account), 403, "four-eyes")
    assert (await kpk.decide(amendment, "approve"))["state"] == "approved"


@pytest.mark.parametrize("kind", ["revocation", "acquittal"])
async def test_who_wrote_the_entry_may_decide_on_what_only_ends_it(
    kpk: Offices, actors: Actors, runtime: Runtime, kind: str
):
    entry = await kpk.impose(entry_body())
    others = await colleague(kpk, actors)
    body = revocation_body(entry) if kind == "revocation" else acquittal(entry)
    amendment = await others.file(entry, body)
    wrote = await other_account(actors, kpk.submitter, "verifier", "KPK")
    amendment = await others.decide(amendment, "verify", wrote)
    for person in (others.submitter, kpk.submitter):
        account = await other_account(actors, person, "approver")
        async with nothing_changed(runtime):
            refused(await kpk.try_decide(amendment, "approve", account), 403, "four-eyes")
    approver = await other_account(actors, kpk.verifier, "approver")  # verified the entry, not this act
    assert (await kpk.decide(amendment, "approve", approver))["state"] == "approved"


async def test_who_wrote_another_entry_of_the_case_is_no_author_of_this_one(kpk: Offices, actors: Actors):
    """The exclusion is of the entry, its amendments and its formalisation; a namesake's row is another matter."""
    others = await colleague(kpk, actors)
    father = entry_body()
    await kpk.impose(father)
    son = await others.submit(same_case(father, subject=entry_body()["subject"]))
    account = await other_account(actors, kpk.submitter, "verifier", "KPK")
    assert (await others.decide(son, "verify", account))["state"] == "verified"


async def test_immigrations_own_authors_are_excluded_too(http: Any, actors: Actors, runtime: Runtime):
    immigration = await Offices.opened(http, actors, "IMIGRASI")
    entry = await immigration.impose(deterrence_body())
    others = await Offices.opened(http, actors, "IMIGRASI")
    again = merged(given_again(entry["subject"]), {"photo": ...})
    amendment = await others.file(entry, correction({**again, "occupation": "baker"}))
    await others.decide(amendment, "verify")
    account = await other_account(actors, immigration.submitter, "approver")
    async with nothing_changed(runtime):
        refused(await immigration.try_decide(amendment, "approve", account), 403, "four-eyes")
