"""Use cases of amendments: file, decide, read. An approved one changes its entry in the same transaction."""

from datetime import timedelta

import msgspec

from app.access.domain import IMMIGRATION, Role
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid, NotFound, WrongAgency, WrongRole, WrongState
from app.kit.clock import legal_day
from app.kit.ids import new_id
from app.register.amendments import endings, rules, store
from app.register.amendments.arrivals import forget_arrival, note_arrival
from app.register.amendments.domain import (
    BY_JUDGMENT,
    ENDING,
    Amendment,
    AmendmentKind,
    AmendmentState,
)
from app.register.amendments.effects import EVENTS, applied, corrected, record_type_of
from app.register.amendments.events import AmendmentRefused, JudgmentFiled
from app.register.amendments.judging import continues, judged, judged_again
from app.register.amendments.requested import RequestedAmendment
from app.register.entries import service as entries
from app.register.entries import store as entry_store
from app.register.entries.blob_store import find_blob, keep_blob
from app.register.entries.blobs import Blob
from app.register.entries.domain import EndedReason, Entry, Verdict
from app.register.entries.dossier import Dossier
from app.register.entries.dossiers import lock_dossier, read_dossier
from app.register.entries.events import EntryChanged, SubjectCorrected
from app.register.entries.law.deadlines import Terms
from app.register.entries.passports import note_later_passport
from app.register.entries.ports import CountTravellers, Granted, nothing_granted
from app.register.entries.proposal import Proposal
from app.register.entries.seals import seal_changed, seal_filed
from app.register.entries.succession import correct_siblings
from app.register.entries.undecided import await_papers, give_up
from app.register.entries.visibility import open_to, visible
from app.settings import Settings


async def file(
    unit: Unit,
    entry_id: str,
    expected: int,
    requested: RequestedAmendment,
    settings: Settings,
    granted: Granted = nothing_granted,
    count: CountTravellers | None = None,
) -> Amendment:
    """File an amendment, on which two or three other persons decide. Returns the new amendment.

    A letter from a body that does not own the entry, and an acquittal of only some charges, become `referred`:
    questions to the owner, which change nothing (R36). `expected` is the version of the entry that the actor has read.
    `granted` is called for an annulment, and returns whether the objection or correction request on which it is based
    was granted. `count` is called for a correction, and counts the travellers that the corrected entry would have
    stopped; with None they are not counted. `settings` give the days for the decision, and the deployment's choices
    among rules of law.

    Raises:
        NotFound: the actor sees no entry with this id.
        WrongRole, WrongAgency: the actor may not file this kind of amendment.
        StaleVersion: the entry has changed since it was read.
        CaseClosed: an acquittal closed the case of an entry to be extended or corrected.
        WrongState: an amendment of this kind waits for its decision already, the person was erased from the entry, or
            the entry does not run. An acquittal may name an entry that does not run. So may an amendment that would end
            another entry or request of the case, unless the named entry is itself undecided.
        ClockInDoubt: the entry seems to have ended, but the clock is not plausible.
        Invalid: the request is malformed, its `grounds` were not granted, or a person in `sealed_for` can't be the
            holder of a seal.
        CekalError: a rule of law for its kind, or another entry of the case, forbids it (see `judging.judged`).
    """
    found = await entry_store.find(unit, entry_id)
    if found is None:
        raise NotFound("There is no such entry.")
    entry, dossier = await lock_dossier(unit, found)
    own = _may_file(unit, entry, requested.kind)  # under the lock, since a seal may have come meanwhile
    _expect_person(entry)
    entry.expect(expected)
    if requested.kind not in ENDING:
        dossier.refuse_closed(Proposal.of_entry(entry))
    rules.well_formed(requested, entry, legal_day(unit.now), own=own)
    referred = rules.is_question(requested, own=own)
    amendment = _new(
        unit, entry, requested, timedelta(days=settings.decide_amendment_days), referred=referred
    )
    ending = endings.ending_of(amendment, entry, dossier)
    if not (_amendable(entry, requested.kind) or (ending.ids and not entry.awaits_decision)):
        unit.expect_plausible()  # it may be over only because the clock is wrong
        raise WrongState("Only an entry that is active, or holds provisionally, can be amended.")
    objected = (entry.id, *filter(None, (entry.formalises,)))  # the entry and its urgent entry
    if requested.grounds is not None and not await granted(unit, requested.grounds, objected):
        detail = (
            "The entry has no such granted objection, or correction request `wrong_person` granted in full."
        )
        raise Invalid(detail, faults=[Fault("/grounds", "not_granted", detail)])
    if not referred and await store.list_open(unit, entry_id, requested.kind):
        raise WrongState(f"The {requested.kind.value} of this entry waits for its decision already.")
    amendment = await judged(unit, amendment, requested, entry, settings, count)
    wrote = sorted({person for each in dossier.chain(entry) for person in each.authors})
    named = amendment.correction.subject if amendment.correction is not None else None
    entry, warned = await seal_filed(unit, entry, requested.sealed_for, named)
    amendment = msgspec.structs.replace(
        amendment,
        ends=ending.ids,
        case_version=ending.case_version,
        entry_authors=tuple(wrote),
        warnings=(*amendment.warnings, *warned),
    )
    await store.add(unit, amendment)
    await note_arrival(unit, amendment)
    corrected_by = requested.correction
    sent = (corrected_by.photo, corrected_by.loss_document) if corrected_by is not None else ()
    for blob in (requested.document, *sent):
        if blob is not None:
            await keep_blob(unit, entry.id, blob)
    if amendment.judgment is not None and not own:
        unit.happened(JudgmentFiled(amendment))
    await unit.conclude()
    return amendment


def _expect_person(entry: Entry) -> None:
    if entry.erased_at is not None:
        raise WrongState(
            "The person was erased from the entry and its amendments (UU 27/2022 art. 43); nothing is left to amend."
        )


def _amendable(entry: Entry, kind: AmendmentKind) -> bool:
    """Return whether an amendment may name an entry: a running one, and for an acquittal also one that is over."""
    return entry.runs or kind is AmendmentKind.ACQUITTAL


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase the data on person and case from all amendments of the entry; kinds, decisions and days stay (R64).

    Their documents are erased with the entry's other files.
    """
    for amendment in await store.list_of_entry(unit, entry_id):
        await store.save(unit, amendment.erased())


def _may_file(unit: Unit, entry: Entry, kind: AmendmentKind) -> bool:
    """Return whether the actor files as the owner; Immigration may file judgments and other bodies' letters.

    Raises:
        NotFound: the entry is outside the actor's view.
        WrongRole: the owner's amendments must be filed by a submitter.
        WrongAgency: only the owner may file this kind.
    """
    actor = unit.actor
    own = actor.agency == entry.agency
    if not visible(entry, actor) and not (actor.agency == IMMIGRATION and open_to(entry, actor)):
        raise NotFound("There is no such entry.")
    if own and kind not in BY_JUDGMENT and not actor.holds(Role.SUBMITTER):
        raise WrongRole("An owner's amendment is filed by: submitter.")
    if not own and kind not in BY_JUDGMENT and kind is not AmendmentKind.REVOCATION:
        raise WrongAgency(
            "Only the agency that owns the entry may extend or correct it (UU 6/2011 art. 91(3))."
        )
    return own


def _new(
    unit: Unit, entry: Entry, requested: RequestedAmendment, within: timedelta, *, referred: bool
) -> Amendment:
    actor = unit.actor
    due_at = rules.decide_by(requested.kind, unit.now, within, entry.ends_on)
    return Amendment(
        id=new_id("amd", unit.now),
        entry_id=entry.id,
        entry_version=entry.version,
        kind=requested.kind,
        state=AmendmentState.REFERRED if referred else AmendmentState.SUBMITTED,
        agency=str(actor.agency),
        owner=entry.agency,
        office=actor.office,
        reason=requested.reason,
        letter=requested.letter,
        extension=requested.extension,
        refers_to_number=requested.refers_to_number,
        scope=requested.scope,
        judgment=requested.judgment,
        grounds=requested.grounds,
        submitted_by=actor.client_id,
        authors=(str(actor.person),),
        received_at=unit.now,
        due_at=due_at,
        updated_at=unit.now,
    )


async def decide(
    unit: Unit, amendment_id: str, expected: int, verdict: Verdict, reason: str | None, settings: Settings
) -> Amendment:
    """Store another person's decision on an amendment; an approval takes effect at once. Returns the amendment.

    `expected` is the version that the actor has read; `settings` are the deployment's choices.

    Raises:
        NotFound: the actor sees no amendment with this id.
        Invalid: the verdict is to return or to reject, but no reason is given.
        WrongRole: the actor has no role that may give this verdict.
        WrongState: the verdict is not possible in the amendment's state, or the person was erased from the entry. For
            an approval also: the entry has ended, the new last day is over, another amendment has changed the same
            members since the filing, or a rule of law forbids the extension of the corrected entry.
        StaleVersion: the amendment has changed since it was read.
        WrongAgency: a verifier of the filing agency, or of a referred amendment's owner, must do this.
        SecondPairOfEyesNeeded: another person must do this (see `Amendment.decide`).
        ClockInDoubt: an approval while the clock is not plausible.
        CekalError: decisions since the filing bar the extension or correction (see `Dossier.refuse`).
    """
    _, named = await _found(unit, amendment_id)
    entry, dossier = await lock_dossier(unit, named)
    amendment = await store.lock(unit, amendment_id)
    _expect_readable(unit, amendment, entry)  # under the lock, since a seal may have come meanwhile
    _expect_person(entry)
    ending = endings.ending_of(amendment, entry, dossier)
    wrote = {person for each in dossier.chain(entry) for person in each.authors}
    try:
        decided = amendment.decide(
            unit.actor, verdict, expected, unit.now, reason, IMMIGRATION, wrote, ending
        )
    except WrongState:
        if amendment.kind not in ENDING:
            dossier.refuse_closed(Proposal.of_entry(entry))
        raise
    if verdict in {Verdict.RETURN, Verdict.REJECT} and not reason:
        fault = Fault("/reason", "required", "A refusal needs its reason (UU 6/2011 art. 94(6)).")
        raise Invalid("A refusal needs its reason (R18).", faults=[fault])
    await store.save(unit, decided)
    await forget_arrival(unit, decided)
    if decided.refused_to_owner:
        unit.happened(AmendmentRefused(decided))
    if decided.kind is AmendmentKind.EXTENSION and decided.state is not AmendmentState.APPROVED:
        await _wait(unit, decided, entry, settings.pending_days)
    await unit.conclude()
    if decided.state is not AmendmentState.APPROVED:
        return decided
    if decided.kind in ENDING:
        await endings.carry_out(unit, decided, entry, dossier, ending)
    else:
        await _change(unit, decided, entry, dossier, settings)
    return decided


async def _wait(unit: Unit, extension: Amendment, entry: Entry, days: int) -> None:
    """Prolong an entry past its end while its verified extension waits; stop that once it was refused (R68).

    An extension of another last day than the entry's present one prolongs nothing, because it can't be approved.
    """
    if extension.state is AmendmentState.VERIFIED:
        holds = await continues(unit, extension, entry)
        changed = await await_papers(unit, entry, extension.id, days) if holds else []
    else:
        changed = await give_up(unit, entry, extension.id)
    if changed:
        await entries.conclude(unit, *changed)


async def _change(
    unit: Unit, amendment: Amendment, entry: Entry, dossier: Dossier, settings: Settings
) -> None:
    """Apply an approved extension or correction to the entry and to the entries linked with it."""
    unit.expect_plausible()
    others = dossier.siblings(entry)
    amendment = await judged_again(unit, amendment, entry, settings)
    if entry.runs:
        after = await note_later_passport(unit, applied(amendment, entry, unit.now), entry)
        after = await seal_changed(unit, after, entry)
        if amendment.kind is AmendmentKind.EXTENSION:
            exempt = dossier.exempt(entry, urgent=entry.urgent)
            dossier.refuse_decided(Proposal.of_entry(after, exempt), Terms.of(settings))
        await entry_store.save(unit, after, EVENTS[amendment.kind], amendment.reason, reindex=True)
        unit.happened(EntryChanged(after, record_type_of(amendment.kind)))
    elif amendment.correction is None or entry.ended_reason is not EndedReason.SUPERSEDED:
        raise WrongState(
            "The entry has ended meanwhile; there is nothing left to amend (UU 6/2011 art. 97(2))."
        )
    else:
        # The entry has ended: only the entry that took over receives the correction, below.
        after = corrected(amendment, entry, unit.now)
    if amendment.correction is not None:
        if entry.runs:
            unit.happened(SubjectCorrected(after, entry.subject))
        reached = await correct_siblings(unit, entry, after, others)
        if not (entry.runs or reached):
            raise WrongState("The entry has ended meanwhile, and its successor has these changes already.")
        for change in reached:
            unit.happened(change)
    await unit.conclude()


async def current(reader: Reader, amendment: Amendment) -> Amendment:
    """Return the amendment with `ends` as of now: the ids of the entries that its approval would end.

    A decided or `referred` amendment keeps the ids that are stored with it. Ids of entries that a seal hides from the
    actor are left out. An amendment whose kind ends nothing, or whose entry is unknown, is returned unchanged.
    """
    if amendment.kind not in ENDING:
        return amendment
    entry = await entry_store.find(reader, amendment.entry_id)
    if entry is None:
        return amendment
    dossier = await read_dossier(reader, entry)
    amendment = amendment.with_ends(endings.ending_of(amendment, entry.at(reader.now), dossier))
    hidden = {each.id for each in dossier.entries if not dossier.sees(each)}
    return msgspec.structs.replace(
        amendment, ends=tuple(each for each in amendment.ends if each not in hidden)
    )


async def get(reader: Reader, amendment_id: str) -> Amendment:
    """Return an amendment that the actor may see: of a visible entry, or filed by the actor's agency.

    Raises:
        NotFound: the actor sees no amendment with this id.
    """
    amendment, entry = await _found(reader, amendment_id)
    _expect_readable(reader, amendment, entry)
    return amendment


async def _found(reader: Reader, amendment_id: str) -> tuple[Amendment, Entry]:
    """Return an amendment and its entry; who may see them is not judged."""
    amendment = await store.find(reader, amendment_id)
    if amendment is None:
        raise NotFound("There is no such amendment.")
    entry = await entry_store.find(reader, amendment.entry_id)
    assert entry is not None, "an amendment is of an entry"
    return amendment, entry


async def expect_amendment(reader: Reader, amendment_id: str, entry_id: str) -> None:
    """Raise `Invalid` unless the amendment belongs to the entry and was not rejected; a returned one is accepted.

    Raises:
        Invalid: the entry has no amendment with this id, or the amendment was rejected.
    """
    found = await store.find(reader, amendment_id)
    if found is None or found.entry_id != entry_id or found.state is AmendmentState.REJECTED:
        fault = Fault("/amendment_id", "unknown", "The entry has no such amendment that waits or holds.")
        raise Invalid(fault.detail, faults=[fault])


def _expect_readable(reader: Reader, amendment: Amendment, entry: Entry) -> None:
    actor = reader.actor
    filed = actor.agency == amendment.agency and actor.holds(Role.SUBMITTER, Role.VERIFIER)
    if not ((filed and open_to(entry, actor)) or visible(entry, actor)):
        raise NotFound("There is no such amendment.")


async def list_page(reader: Reader, entry_id: str, before: str | None, limit: int) -> list[Amendment]:
    """Return an entry's amendments, newest first, at most `limit`, older than the id `before` (None: all).

    Raises:
        NotFound: the actor sees no entry with this id.
    """
    await entries.get(reader, entry_id)
    return [await current(reader, each) for each in await store.list_page(reader, entry_id, before, limit)]


async def photo(reader: Reader, amendment_id: str) -> Blob:
    """Return the new photo that a correction gives its entry.

    Raises:
        NotFound: the actor sees no amendment with this id, or it has no new photo.
    """
    amendment = await get(reader, amendment_id)
    subject = amendment.correction.subject if amendment.correction else None
    kept = subject.photo if subject else None
    found = await find_blob(reader, amendment.entry_id, kept.sha256) if kept else None
    if found is None:
        raise NotFound("There is no such photo.")
    return found
