"""Use cases of amendments: file, decide, read. An approved one changes its entry in the same transaction."""

from datetime import timedelta

import msgspec

from app.access.domain import IMMIGRATION
from app.amendments import endings, rules, store
from app.amendments.domain import (
    BY_JUDGMENT,
    ENDING,
    Amendment,
    AmendmentKind,
    AmendmentState,
    decide_by,
)
from app.amendments.effects import EVENTS, applied, corrected, told_as
from app.amendments.events import AmendmentRefused, JudgmentFiled
from app.amendments.judging import judged, refuse_corrected
from app.amendments.wanted import AmendmentWanted
from app.db.unit import Reader, Unit
from app.entries import recorded
from app.entries import service as entries
from app.entries import store as entry_store
from app.entries.blobs import Blob
from app.entries.carrying import merged
from app.entries.deadlines import DeadlineName, Terms
from app.entries.domain import EndedReason, Entry, Verdict
from app.entries.dossier import Dossier
from app.entries.dossiers import hold, look
from app.entries.events import EntryChanged, SubjectCorrected
from app.entries.passports import found_later
from app.entries.ports import Granted, nothing_granted
from app.entries.proposal import Proposal
from app.entries.recorded import Duty
from app.entries.seals import seal_changed, seal_filed
from app.entries.succession import reach_siblings
from app.entries.undecided import await_papers, give_up
from app.entries.views import open_to, visible
from app.errors import Fault, Invalid, NotFound, WrongAgency, WrongRole, WrongState
from app.kit.clock import legal_day
from app.kit.ids import new_id
from app.settings import Settings

_DECIDED = frozenset({AmendmentState.APPROVED, AmendmentState.RETURNED, AmendmentState.REJECTED})


async def file(
    unit: Unit,
    entry_id: str,
    expected: int,
    wanted: AmendmentWanted,
    settings: Settings,
    granted: Granted = nothing_granted,
) -> Amendment:
    """Ask for an amendment; a second and a third person decide on it.

    Another body's letter can't take a ban away: it becomes a question to the owner and changes nothing (R36). Nor
    does an acquittal of some charges only.

    Args:
        unit: the transaction.
        entry_id: the entry that it names.
        expected: the version of the entry that the actor has read.
        wanted: what is asked.
        settings: the deployment's choices.
        granted: whether an objection or correction request on which an annulment rests was granted.

    Raises:
        NotFound: outside the actor's view.
        WrongRole, WrongAgency: it is not for the actor to ask.
        StaleVersion, CaseClosed, WrongState: the entry has changed, its case is closed, or it has ended; or the same
            is waiting already.
        CekalError: as the rules of its kind.
    """
    found = await entry_store.find(unit, entry_id)
    if found is None:
        raise NotFound("There is no such entry.")
    own = _may_file(unit, found, wanted.kind)
    entry, dossier = await hold(unit, found)
    entry.expect(expected)
    if wanted.kind not in ENDING:
        dossier.refuse_closed(Proposal.of_entry(entry))
    rules.well_formed(wanted, entry, legal_day(unit.now), own=own)
    referred = rules.is_question(wanted, own=own)
    amendment = _new(unit, entry, wanted, timedelta(days=settings.decide_amendment_days), referred=referred)
    ending = endings.of(amendment, entry, dossier)
    if not (_amendable(entry, wanted.kind) or (ending.ids and not entry.pending)):
        raise WrongState("Only an entry that is active, or holds provisionally, can be amended.")
    if wanted.grounds is not None and not await granted(unit, wanted.grounds, _grounds_of(entry)):
        detail = (
            "The entry has no such granted objection, or correction request `wrong_person` granted in full."
        )
        raise Invalid(detail, faults=[Fault("/grounds", "not_granted", detail)])
    if not referred and await store.list_open(unit, entry_id, wanted.kind):
        raise WrongState(f"The {wanted.kind.value} of this entry waits for its decision already.")
    amendment = await judged(unit, amendment, wanted, entry, settings)
    wrote = sorted({person for each in dossier.chain(entry) for person in each.authors})
    named = amendment.correction.subject if amendment.correction is not None else None
    entry, warned = await seal_filed(unit, entry, wanted.sealed_for, named)
    amendment = msgspec.structs.replace(
        amendment,
        ends=ending.ids,
        entry_authors=tuple(wrote),
        warnings=(*amendment.warnings, *warned),
    )
    await store.add(unit, amendment)
    if amendment.kind is AmendmentKind.EXTENSION:
        await recorded.add(unit, entry.id, _arrived(unit, amendment))
    corrected_by = wanted.correction
    sent = (corrected_by.photo, corrected_by.loss_document) if corrected_by is not None else ()
    for blob in (wanted.document, *sent):
        if blob is not None:
            await entry_store.keep_blob(unit, entry.id, blob)
    if amendment.judgment is not None and not own:
        unit.happened(JudgmentFiled(amendment))
    await unit.conclude()
    return amendment


def _amendable(entry: Entry, kind: AmendmentKind) -> bool:
    """Whether an amendment may name an entry; a judgment closes its case also when it is over."""
    return entry.runs or kind is AmendmentKind.ACQUITTAL


def _grounds_of(entry: Entry) -> tuple[str, ...]:
    """The entries that a granted objection may end: this one, and its urgent one."""
    return (entry.id, *filter(None, (entry.formalises,)))


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
    unit: Unit, entry: Entry, wanted: AmendmentWanted, within: timedelta, *, referred: bool
) -> Amendment:
    actor = unit.actor
    due_at = decide_by(wanted.kind, unit.now, within, entry.ends_on)
    return Amendment(
        id=new_id("amd", unit.now),
        entry_id=entry.id,
        entry_version=entry.version,
        kind=wanted.kind,
        state=AmendmentState.REFERRED if referred else AmendmentState.SUBMITTED,
        agency=str(actor.agency),
        owner=entry.agency,
        office=actor.office,
        reason=wanted.reason,
        letter=wanted.letter,
        extension=wanted.extension,
        refers_to_number=wanted.refers_to_number,
        scope=wanted.scope,
        judgment=wanted.judgment,
        grounds=wanted.grounds,
        submitted_by=actor.client_id,
        authors=(str(actor.person),),
        received_at=unit.now,
        due_at=due_at,
        updated_at=unit.now,
    )


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
    named = await entry_store.find(unit, found.entry_id)
    assert named is not None, "an amendment is of an entry"
    entry, dossier = await hold(unit, named)
    amendment = await store.lock(unit, amendment_id)
    ending = endings.of(amendment, entry, dossier)
    amendment = amendment.seen(ending.ids)
    wrote = {person for each in dossier.chain(entry) for person in each.authors}
    try:
        decided = amendment.decide(unit.actor, verdict, expected, unit.now, reason, IMMIGRATION, wrote)
    except WrongState:
        if amendment.kind not in ENDING:
            dossier.refuse_closed(Proposal.of_entry(entry))
        raise
    if verdict in {Verdict.RETURN, Verdict.REJECT} and not reason:
        fault = Fault("/reason", "required", "A refusal says why (UU 6/2011 art. 94(6)).")
        raise Invalid("A refusal needs its reason (R18).", faults=[fault])
    await store.save(unit, decided)
    if decided.kind is AmendmentKind.EXTENSION and decided.state in _DECIDED:
        await recorded.take_back(unit, decided.entry_id, DeadlineName.EXTEND_BEFORE)
    if decided.kind is AmendmentKind.EXTENSION and decided.state is not AmendmentState.APPROVED:
        await _wait(unit, decided, entry, terms.pending_days)
    if decided.refused_to_owner:
        unit.happened(AmendmentRefused(decided))
        await unit.conclude()
    if decided.state is not AmendmentState.APPROVED:
        return decided
    if decided.kind in ENDING:
        await endings.carry_out(unit, decided, entry, dossier, ending)
    else:
        await _change(unit, decided, entry, dossier, terms)
    return decided


async def _wait(unit: Unit, extension: Amendment, entry: Entry, days: int) -> None:
    """Let an entry wait for its verified extension past its end, or no longer once that was refused (R68)."""
    if extension.state is AmendmentState.VERIFIED:
        changed = await await_papers(unit, entry, extension.id, days)
    else:
        changed = await give_up(unit, entry, extension.id)
    if changed:
        await entries.conclude(unit, *changed)


async def _change(unit: Unit, amendment: Amendment, entry: Entry, dossier: Dossier, terms: Terms) -> None:
    """Let an approved extension or correction take effect, on what is linked with the entry, too."""
    others = dossier.siblings(entry)
    if amendment.correction is not None:
        amendment = await _rebased(unit, amendment, entry)
        assert amendment.correction is not None, "it still is a correction"
        await refuse_corrected(unit, entry, amendment.correction, terms)
        if amendment.correction.ends_on is not None and amendment.correction.ends_on < legal_day(unit.now):
            raise WrongState("The last day that was asked for is over; revoke the entry instead.")
    if entry.runs:
        after = await found_later(unit, applied(amendment, entry, unit.now), entry)
        after = await seal_changed(unit, after, entry)
        if amendment.kind is AmendmentKind.EXTENSION:
            but = dossier.exempt(entry, urgent=entry.urgent)
            dossier.refuse_decided(Proposal.of_entry(after, but), terms)
        await entry_store.save(unit, after, EVENTS[amendment.kind], amendment.reason, reindex=True)
        unit.happened(EntryChanged(after, told_as(amendment.kind)))
    elif amendment.correction is None or entry.ended_reason is not EndedReason.SUPERSEDED:
        raise WrongState(
            "The entry has ended meanwhile; there is nothing left to amend (UU 6/2011 art. 97(2))."
        )
    else:
        after = corrected(amendment, entry, unit.now)  # the entry that took over says it from now on
    if amendment.correction is not None:
        if entry.runs:
            unit.happened(SubjectCorrected(after, entry.subject))
        reached = await reach_siblings(unit, entry, after, others)
        if not (entry.runs or reached):
            raise WrongState("The entry has ended meanwhile, and what followed it says all of this already.")
        for change in reached:
            unit.happened(change)
    await unit.conclude()


async def _rebased(unit: Unit, amendment: Amendment, entry: Entry) -> Amendment:
    """The correction as it changes the entry now, which another correction may have changed since it was filed.

    Raises:
        WrongState: both changed one member differently; `differs` names the members.
    """
    correction = amendment.correction
    if correction is None or entry.version == amendment.entry_version:
        return amendment
    versions = (await entry_store.list_versions(unit, [entry.id]))[entry.id]
    base = next(each for each in versions if each.version == amendment.entry_version)
    subject, differs = correction.subject, tuple[str, ...]()
    if subject is not None:
        subject, differs = merged(base.subject, subject, entry.subject)
    if correction.basis is not None and entry.basis not in {base.basis, correction.basis}:
        differs = (*differs, "/basis")
    if differs:
        raise WrongState(
            "Another correction has changed the same since this one was filed; return it, so that its owner decides.",
            extra={"differs": list(differs)},
        )
    return msgspec.structs.replace(amendment, correction=msgspec.structs.replace(correction, subject=subject))


async def current(reader: Reader, amendment: Amendment) -> Amendment:
    """The amendment with what it would end as of now, of the entries that the actor may see."""
    if amendment.kind not in ENDING:
        return amendment
    entry = await entry_store.find(reader, amendment.entry_id)
    if entry is None:
        return amendment
    dossier = await look(reader, entry)
    amendment = amendment.seen(endings.of(amendment, entry.at(reader.now), dossier).ids)
    hidden = {each.id for each in dossier.entries if not dossier.sees(each)}
    return msgspec.structs.replace(
        amendment, ends=tuple(each for each in amendment.ends if each not in hidden)
    )


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
    return [await current(reader, each) for each in await store.list_page(reader, entry_id, before, limit)]


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
