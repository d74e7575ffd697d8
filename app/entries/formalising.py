"""The formal decision that follows an urgent entry within its twenty days (Permenimipas 13/2025 art. 9(5), 11)."""

import msgspec

from app.db.unit import Unit
from app.entries import store
from app.entries.carrying import keep_documents, without_names
from app.entries.deadlines import Terms
from app.entries.domain import Entry, State
from app.entries.dossiers import around
from app.entries.drafting import judged, keep_blobs, new_entry, owner_of
from app.entries.events import SealedEntryMet
from app.entries.proposal import Proposal
from app.entries.receipts import first_received_on, received_with, same_decision
from app.entries.seals import seal
from app.entries.succession import expect_same_matter, refuse_gap
from app.entries.views import open_to, visible
from app.entries.wanted import Formal, Wanted
from app.errors import DuplicateEntry, NotFound, WrongState
from app.settings import Settings


async def formalise(unit: Unit, entry_id: str, expected: int, formal: Formal, settings: Settings) -> Entry:
    """Ask for the formal entry that is to follow an urgent one: a new entry, decided on as usual.

    The urgent entry holds on until the new one is in force, and is then superseded; its twenty days are not taken
    off the new period (R26).

    Raises:
        NotFound: outside the actor's view.
        WrongAgency, StaleVersion: as for a decision.
        WrongState: it is no urgent entry, or no longer runs.
        FormalisationMismatch: it is about another person, case or measure.
        DuplicateEntry: its formal entry has been asked for already.
        Invalid: it would leave a gap that is not acknowledged.
        CekalError: as `service.submit`.
    """
    owner = await owner_of(unit)  # before the urgent entry, as wherever both are held
    urgent = await store.lock(unit, entry_id)
    if not visible(urgent, unit.actor):
        raise NotFound("There is no such entry.")
    urgent.expect_owner(unit.actor)
    urgent.expect(expected)
    wanted = await _wanted(unit, urgent, formal)
    said_of = formal.subject or urgent.subject
    dossier = await around(unit, owner.code, wanted, urgent)
    asked = Proposal.of_wanted(wanted, unit.now, dossier.exempt(urgent, urgent=False))
    dossier.refuse_closed(asked)
    if not urgent.urgent or urgent.at(unit.now).state not in {State.PROVISIONAL, State.SUBMITTED}:
        raise WrongState(
            "Only an urgent entry that still runs is formalised; after its twenty days the formal decision is "
            "submitted as an entry of its own (Permenimipas 13/2025 art. 9(5), 11)."
        )
    expect_same_matter(urgent, wanted.measure, said_of, wanted.basis.case_reference)
    first_on = first_received_on(urgent) if same_decision(wanted.basis, urgent.basis) else None
    warnings = judged(wanted, owner, settings, unit.now, first_on)
    refuse_gap(wanted.starts_on, urgent, acknowledged=formal.gap_acknowledged)
    await _refuse_second(unit, urgent)
    similar = dossier.refuse(asked, Terms.of(settings))
    entry = new_entry(unit, wanted, State.SUBMITTED, owner.code, (*warnings, *similar))
    entry = entry.replace(
        formalises=urgent.id,
        urgent_version=urgent.version,
        gap_acknowledged=formal.gap_acknowledged,
        receipt=received_with(entry, urgent),
    )
    entry = await seal(unit, entry, formal.sealed_for, before=urgent)
    await store.add(unit, entry, "submitted")
    await keep_blobs(unit, entry, wanted)
    return entry


async def _wanted(unit: Unit, urgent: Entry, formal: Formal) -> Wanted:
    subject = urgent.subject
    if formal.subject is not None:
        subject = keep_documents(urgent.subject, formal.subject)
    subject = without_names(subject, formal.withdrawn_names)
    photo, kept = formal.photo, urgent.subject.photo
    if photo is None and kept is not None:
        photo = await store.find_blob(unit, urgent.id, kept.sha256)
    document, loss = formal.loss_document, subject.citizenship_loss
    if document is None and loss is not None and loss == urgent.subject.citizenship_loss:
        document = await store.find_blob(unit, urgent.id, loss.sha256)
    unknown = formal.unknown
    if unknown is None:
        unknown = urgent.unknown if formal.subject is None else ()
    return Wanted(
        measure=urgent.measure,
        subject=msgspec.structs.replace(subject, photo=None),
        photo=photo,
        loss_document=document,
        basis=formal.basis,
        starts_on=formal.starts_on,
        ends_on=formal.ends_on,
        lifetime=formal.lifetime,
        unknown=unknown,
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
