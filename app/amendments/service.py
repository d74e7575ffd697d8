"""Use cases of amendments: file, decide, read. An approved one changes its entry in the same transaction."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import assert_never

import msgspec

from app.access.domain import IMMIGRATION
from app.amendments import rules, store
from app.amendments.domain import (
    BY_JUDGMENT,
    ENDING,
    Amendment,
    AmendmentKind,
    AmendmentState,
    decide_by,
)
from app.amendments.effects import AMENDABLE, EVENTS, applied, effective_at, told_as
from app.amendments.wanted import AmendmentWanted, CorrectionWanted
from app.db.pages import first_of
from app.db.unit import Reader, Unit
from app.entries import recorded
from app.entries import service as entries
from app.entries import store as entry_store
from app.entries.blobs import Blob
from app.entries.deadlines import DeadlineName, Terms
from app.entries.domain import Entry, Verdict
from app.entries.duplicates import refuse_duplicates, refuse_third_decided
from app.entries.events import EntryChanged, SubjectCorrected
from app.entries.law import INVESTIGATION_ONLY, power_ended
from app.entries.passports import found_later
from app.entries.recorded import Duty
from app.entries.seals import seal
from app.entries.succession import give_back
from app.entries.views import open_to, visible
from app.entries.wanted import Wanted
from app.errors import Fault, Invalid, NotFound, WrongAgency, WrongRole, WrongState
from app.kit.clock import legal_day
from app.kit.ids import new_id
from app.settings import Settings

_DECIDED = frozenset({AmendmentState.APPROVED, AmendmentState.RETURNED, AmendmentState.REJECTED})


async def file(
    unit: Unit, entry_id: str, expected: int, wanted: AmendmentWanted, settings: Settings
) -> Amendment:
    """Ask for an amendment; a second and a third person decide on it.

    Whoever does not own the entry can't withdraw it: their letter becomes a question to the owner and changes
    nothing (R36).

    Raises:
        NotFound: outside the actor's view.
        WrongRole, WrongAgency: it is not for the actor to ask.
        StaleVersion, WrongState: the entry has changed, or has ended; or the same is waiting already.
        CekalError: as the rules of its kind.
    """
    before = await entry_store.lock(unit, entry_id)
    entry = before.at(unit.now)
    own = _may_file(unit, entry, wanted.kind)
    entry.expect(expected)
    if entry.state not in AMENDABLE:
        raise WrongState("Only an entry that is active, or holds provisionally, can be amended.")
    rules.well_formed(wanted, entry, legal_day(unit.now), own=own)
    referred = wanted.kind is AmendmentKind.REVOCATION and not own
    if not referred and await store.list_open(unit, entry_id, wanted.kind):
        raise WrongState(f"The {wanted.kind.value} of this entry waits for its decision already.")
    state = AmendmentState.REFERRED if referred else AmendmentState.SUBMITTED
    amendment = _new(unit, entry, wanted, state, timedelta(days=settings.decide_amendment_days))
    amendment = await _judged(unit, amendment, wanted, entry, settings)
    await store.add(unit, amendment)
    if amendment.kind is AmendmentKind.EXTENSION:
        await recorded.add(unit, entry.id, _arrived(unit, amendment))
    if wanted.correction is not None and wanted.correction.photo is not None:
        await entry_store.keep_blob(unit, entry.id, wanted.correction.photo)
    return amendment


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase what an entry's amendments say of person and case; that they were made and decided stays (R64)."""
    for amendment in await store.list_of_entry(unit, entry_id):
        await store.save(unit, amendment.erased())


def _may_file(unit: Unit, entry: Entry, kind: AmendmentKind) -> bool:
    """Whether the actor asks as the owner; others of Immigration may bring judgments and foreign letters.

    Raises:
        NotFound: outside the actor's view.
        WrongRole: the owner's amendments are for its submitters.
        WrongAgency: only the owner may ask for this.
    """
    actor = unit.actor
    own = actor.agency == entry.agency
    if not visible(entry, actor) and not (actor.agency == IMMIGRATION and open_to(entry, actor)):
        raise NotFound("There is no such entry.")
    if own and kind not in BY_JUDGMENT and not actor.holds("submitter"):
        raise WrongRole("An owner's amendment is filed by: submitter.")
    if not own and kind not in BY_JUDGMENT and kind is not AmendmentKind.REVOCATION:
        raise WrongAgency(
            "Only the agency that owns the entry may extend or correct it (UU 6/2011 art. 91(3))."
        )
    return own


def _new(
    unit: Unit, entry: Entry, wanted: AmendmentWanted, state: AmendmentState, within: timedelta
) -> Amendment:
    actor = unit.actor
    return Amendment(
        id=new_id("amd", unit.now),
        entry_id=entry.id,
        entry_version=entry.version,
        kind=wanted.kind,
        state=state,
        agency=str(actor.agency),
        owner=entry.agency,
        office=actor.office,
        reason=wanted.reason,
        letter=wanted.letter,
        extension=wanted.extension,
        refers_to_number=wanted.refers_to_number,
        judgment=wanted.judgment,
        submitted_by=actor.client_id,
        authors=(str(actor.person),),
        received_at=unit.now,
        due_at=decide_by(wanted.kind, unit.now, within, entry.ends_on),
        updated_at=unit.now,
    )


async def _judged(
    unit: Unit, amendment: Amendment, wanted: AmendmentWanted, entry: Entry, settings: Settings
) -> Amendment:
    match wanted.kind:
        case AmendmentKind.EXTENSION:
            return await _extension(unit, amendment, entry, settings)
        case AmendmentKind.CORRECTION:
            assert wanted.correction is not None, "its part was found to be there"
            return await _correction(unit, amendment, wanted.correction, entry, settings)
        case AmendmentKind.REVOCATION | AmendmentKind.ACQUITTAL | AmendmentKind.ANNULMENT:
            return amendment
    assert_never(wanted.kind)


def _arrived(unit: Unit, amendment: Amendment) -> Duty:
    """The extension has reached the register, which is what its deadline waits for (R23)."""
    return Duty(
        name=DeadlineName.EXTEND_BEFORE,
        version=amendment.entry_version,
        done_at=unit.now,
        reference=amendment.id,
        note=None,
        by=unit.actor.client_id,
        person=unit.actor.person,
        recorded_at=unit.now,
    )


async def _extension(unit: Unit, amendment: Amendment, entry: Entry, settings: Settings) -> Amendment:
    extension = amendment.extension
    assert extension is not None, "its part was found to be there"
    owner, policy = await entries.owner_of(unit), entries.policy_of(settings)
    terms = Terms.of(settings)
    most = terms.extensions(entry.measure)
    warnings = rules.judge_extension(extension, entry, owner, policy, unit.now, most)
    wanted = Wanted(
        measure=entry.measure,
        subject=entry.subject,
        photo=None,
        basis=extension.basis,
        starts_on=entry.starts_on,
        ends_on=extension.ends_on,
    )
    count = entry.extension_count + 1
    similar = await refuse_duplicates(
        unit, wanted, owner.code, but={entry.id, entry.formalises}, terms=terms, extension_count=count
    )
    return msgspec.structs.replace(amendment, warnings=(*warnings, *similar))


async def _correction(
    unit: Unit, amendment: Amendment, wanted: CorrectionWanted, entry: Entry, settings: Settings
) -> Amendment:
    owner, policy = await entries.owner_of(unit), entries.policy_of(settings)
    correction, warnings = rules.judge_correction(wanted, entry, owner, policy, legal_day(unit.now))
    corrected = Wanted(
        measure=entry.measure,
        subject=correction.subject or entry.subject,
        photo=None,
        basis=correction.basis or entry.basis,
        starts_on=entry.starts_on,
        ends_on=entry.ends_on,
        lifetime=entry.lifetime,
    )
    similar = await refuse_duplicates(unit, corrected, owner.code, but={entry.id, entry.formalises})
    return msgspec.structs.replace(amendment, correction=correction, warnings=(*warnings, *similar))


async def decide(
    unit: Unit, amendment_id: str, expected: int, verdict: Verdict, reason: str | None, terms: Terms
) -> Amendment:
    """What another pair of eyes says about an amendment; approved, it takes effect at once and is told.

    Raises:
        NotFound: outside the actor's view.
        Invalid: a return or a rejection without its reason.
        WrongRole, WrongState, StaleVersion, WrongAgency, SecondPairOfEyesNeeded: as `Amendment.decide`.
        ExtensionExhausted: the entry's case has had its periods since the extension was asked for (R22).
    """
    found = await get(unit, amendment_id)
    before = await entry_store.lock(unit, found.entry_id)
    amendment = await store.lock(unit, amendment_id)
    decided = amendment.decide(unit.actor, verdict, expected, unit.now, reason, IMMIGRATION)
    if verdict in {Verdict.RETURN, Verdict.REJECT} and not reason:
        fault = Fault("/reason", "required", "A refusal says why (UU 6/2011 art. 94(6)).")
        raise Invalid("A refusal needs its reason (R18).", faults=[fault])
    await store.save(unit, decided)
    if decided.kind is AmendmentKind.EXTENSION and decided.state in _DECIDED:
        await recorded.take_back(unit, decided.entry_id, DeadlineName.EXTEND_BEFORE)
    if decided.state is AmendmentState.APPROVED:
        await _take_effect(unit, decided, before, terms)
    return decided


async def _take_effect(unit: Unit, amendment: Amendment, before: Entry, terms: Terms) -> None:
    stands = before.at(unit.now)
    after = await found_later(unit, applied(amendment, stands, unit.now), before)
    after = await seal(unit, after, before=before)
    if amendment.kind is AmendmentKind.EXTENSION:
        await refuse_third_decided(unit, after, terms)
    given_back = await give_back(unit, before) if amendment.kind in ENDING else []
    await entry_store.save(unit, after, EVENTS[amendment.kind], amendment.reason, reindex=True)
    told = EntryChanged(after, told_as(amendment.kind), effective_at(amendment, before))
    if given_back:  # an urgent entry holds the person on, and its own alert says so
        told = replace(told, alerts=False)
    if amendment.correction is not None:
        unit.happened(SubjectCorrected(after, stands.subject))
    await entries.conclude(unit, told, *given_back)


async def get(reader: Reader, amendment_id: str) -> Amendment:
    """An amendment within the actor's view: of an entry that they see, or of their own agency's asking.

    Raises:
        NotFound: there is none, or it is outside the view.
    """
    amendment = await store.find(reader, amendment_id)
    if amendment is not None:
        entry = await entry_store.find(reader, amendment.entry_id)
        if entry is not None and _readable(reader, amendment, entry):
            return amendment
    raise NotFound("There is no such amendment.")


async def expect_amendment(reader: Reader, amendment_id: str, entry_id: str) -> None:
    """Make sure that an amendment which is to carry something out is one of the entry, and was not rejected.

    Raises:
        Invalid: it is none, or was rejected.
    """
    found = await store.find(reader, amendment_id)
    if found is None or found.entry_id != entry_id or found.state is AmendmentState.REJECTED:
        fault = Fault("/amendment_id", "unknown", "The entry has no such amendment that waits or holds.")
        raise Invalid(fault.detail, faults=[fault])


def _readable(reader: Reader, amendment: Amendment, entry: Entry) -> bool:
    actor = reader.actor
    asked = actor.agency == amendment.agency and actor.holds("submitter", "verifier")
    return (asked and open_to(entry, actor)) or visible(entry, actor)


async def list_page(reader: Reader, entry_id: str, before: str | None, limit: int) -> list[Amendment]:
    """An entry's amendments, newest first.

    Raises:
        NotFound: the entry is outside the actor's view.
    """
    await entries.get(reader, entry_id)
    return await store.list_page(reader, entry_id, before, limit)


async def photo(reader: Reader, amendment_id: str) -> Blob:
    """The photo that a correction brings, for those who decide on it.

    Raises:
        NotFound: outside the actor's view, or it brings none.
    """
    amendment = await get(reader, amendment_id)
    subject = amendment.correction.subject if amendment.correction else None
    found = None
    if subject is not None and subject.photo is not None:
        found = await entry_store.find_blob(reader, amendment.entry_id, subject.photo.sha256)
    if found is None:
        raise NotFound("There is no such photo.")
    return found


async def list_waiting(reader: Reader, limit: int) -> list[Amendment]:
    """The amendments that the actor may verify, approve, or has to answer as their owner, oldest first.

    What they may not do for want of a second pair of eyes, or of another office, is left out.
    """
    actor = reader.actor

    def written(amendment: Amendment) -> bool:
        return actor.person in amendment.authors

    def not_theirs(amendment: Amendment) -> bool:
        own = amendment.owner == amendment.agency == IMMIGRATION and amendment.office == actor.office
        return own or written(amendment) or actor.person == amendment.verified_by

    found: list[Amendment] = []
    if actor.holds("verifier") and actor.agency:
        of_agency = partial(
            store.list_in_state, reader, AmendmentState.SUBMITTED, agency=actor.agency, limit=limit
        )
        found += await first_of(lambda after: of_agency(after=after), limit, written)
    if actor.holds("approver"):
        verified = partial(store.list_in_state, reader, AmendmentState.VERIFIED, limit=limit)
        found += await first_of(lambda after: verified(after=after), limit, not_theirs)
    if actor.holds("submitter", "verifier") and actor.agency:
        found += await store.list_in_state(reader, AmendmentState.REFERRED, owner=actor.agency, limit=limit)
    return found


async def list_power_ended(reader: Reader, limit: int) -> list[Amendment]:
    """The corrections by which cases of the actor's agency left the stage in which alone it may order a measure (R8).

    Of entries in force, oldest first; a later correction may have taken a case back.
    """
    owner = reader.actor.agency
    if owner not in INVESTIGATION_ONLY:
        return []
    corrections = partial(
        store.list_in_state,
        reader,
        AmendmentState.APPROVED,
        owner=owner,
        kind=AmendmentKind.CORRECTION,
        limit=limit,
    )
    return await first_of(lambda after: corrections(after=after), limit, lambda each: not _ends_power(each))


def _ends_power(amendment: Amendment) -> bool:
    basis = amendment.correction.basis if amendment.correction else None
    return basis is not None and power_ended(amendment.owner, basis.stage)
