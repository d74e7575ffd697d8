"""Filing of the formal decision that follows an urgent entry (Permenimipas 13/2025 art. 9(5), 11)."""

from dataclasses import replace

import msgspec

from app.db.unit import Unit
from app.errors import DuplicateEntry, NotFound, WrongState
from app.register.entries import store
from app.register.entries.acts import Act
from app.register.entries.blob_store import find_blob
from app.register.entries.domain import Entry, State
from app.register.entries.dossiers import dossier_of
from app.register.entries.drafting import judged, keep_blobs, new_entry, owner_of
from app.register.entries.events import SealedEntryMet
from app.register.entries.law.deadlines import Terms
from app.register.entries.merging import keep_documents, without_names
from app.register.entries.ports import CountTravellers
from app.register.entries.proposal import Proposal
from app.register.entries.receipts import first_received_on, received_with, same_decision
from app.register.entries.requested import Formal, RequestedMeasure
from app.register.entries.seals import seal
from app.register.entries.succession import expect_same_matter, refuse_gap
from app.register.entries.visibility import open_to, visible
from app.settings import Settings


async def formalise(
    unit: Unit,
    entry_id: str,
    expected: int,
    formal: Formal,
    settings: Settings,
    count: CountTravellers | None = None,
) -> Entry:
    """File the formal entry that follows an urgent one: a new entry, decided on as usual. Returns the new entry.

    The urgent entry stays in force until the new one is in force, and is then superseded. Its twenty days are not
    deducted from the new period (R26).

    Args:
        unit: the transaction.
        entry_id: id of the urgent entry.
        expected: the version of the urgent entry that the actor has read.
        formal: the requested formal decision.
        settings: the deployment's choices.
        count: counts the travellers that the formal entry would have stopped; with None they are not counted.

    Raises:
        NotFound: the actor sees no entry with this id.
        WrongAgency: another agency owns the urgent entry, or the actor's agency is not active.
        StaleVersion: the urgent entry has changed since it was read.
        WrongState: the entry is not urgent, or has ended.
        ClockInDoubt: the entry seems to have ended, but this server's clock is not plausible.
        FormalisationMismatch: the formal decision is about another person, case or measure.
        DuplicateEntry: a formal entry that is neither rejected nor ended follows it already.
        Invalid: the formal entry would leave a gap that is not acknowledged, or its seal is not possible (see
            `seals.seal`).
        CekalError: a rule of law forbids the formal decision (see `law.judge`), or the dossier bars it (see
            `Dossier.refuse`).
    """
    owner = await owner_of(unit)  # locked before the urgent entry, as everywhere, so that no deadlock occurs
    urgent = await store.lock(unit, entry_id)
    if not visible(urgent, unit.actor):
        raise NotFound("There is no such entry.")
    urgent.expect_owner(unit.actor)
    urgent.expect(expected)
    requested = await _requested_measure(unit, urgent, formal)
    subject = formal.subject or urgent.subject
    dossier = await dossier_of(unit, owner.code, requested, urgent)
    proposal = Proposal.of_requested(requested, unit.now, dossier.exempt(urgent, urgent=False))
    dossier.refuse_closed(proposal)
    if not urgent.urgent or urgent.at(unit.now).state not in {State.PROVISIONAL, State.SUBMITTED}:
        unit.expect_plausible()  # it may be over only because the clock is wrong
        raise WrongState(
            "Only an urgent entry that still runs is formalised; after its twenty days the formal decision is "
            "submitted as an entry of its own (Permenimipas 13/2025 art. 9(5), 11)."
        )
    expect_same_matter(urgent, requested.measure, subject, requested.basis.case_reference)
    first_on = first_received_on(urgent) if same_decision(requested.basis, urgent.basis) else None
    warnings = judged(requested, owner, settings, unit.now, first_on)
    refuse_gap(requested.starts_on, urgent, acknowledged=formal.gap_acknowledged)
    await _refuse_second(unit, urgent)
    if count is not None:
        requested = replace(requested, breadth=await count(requested.measure, requested.subject))
    similar = dossier.refuse(proposal, Terms.of(settings))
    entry = new_entry(unit, requested, State.SUBMITTED, owner.code, (*warnings, *similar))
    entry = entry.replace(
        formalises=urgent.id,
        urgent_version=urgent.version,
        gap_acknowledged=formal.gap_acknowledged,
        receipt=received_with(entry, urgent),
    )
    entry = await seal(unit, entry, formal.sealed_for, before=urgent)
    await store.add(unit, entry, Act.SUBMITTED)
    await keep_blobs(unit, entry, requested)
    return entry


async def _requested_measure(unit: Unit, urgent: Entry, formal: Formal) -> RequestedMeasure:
    subject = urgent.subject
    if formal.subject is not None:
        subject = keep_documents(urgent.subject, formal.subject)
    subject = without_names(subject, formal.withdrawn_names)
    photo, kept = formal.photo, urgent.subject.photo
    if photo is None and kept is not None:
        photo = await find_blob(unit, urgent.id, kept.sha256)
    document, loss = formal.loss_document, subject.citizenship_loss
    if document is None and loss is not None and loss == urgent.subject.citizenship_loss:
        document = await find_blob(unit, urgent.id, loss.sha256)
    unknown = formal.unknown
    if unknown is None:
        unknown = urgent.unknown if formal.subject is None else ()
    return RequestedMeasure(
        measure=urgent.measure,
        subject=msgspec.structs.replace(subject, photo=None),
        photo=photo,
        loss_document=document,
        basis=formal.basis,
        starts_on=formal.starts_on,
        ends_on=formal.ends_on,
        lifetime=formal.lifetime,
        unknown=unknown,
        notices=formal.notices,
    )


async def _refuse_second(unit: Unit, urgent: Entry) -> None:
    for other in await store.list_formalising(unit, urgent.id):
        if other.at(unit.now).state not in {State.REJECTED, State.ENDED}:
            seen = open_to(other, unit.actor)
            raise DuplicateEntry(
                "The formal entry has been asked for already (R15).",
                extra={"entry_id": other.id} if seen else {},
                afterwards=() if seen else (SealedEntryMet(other),),
            )
