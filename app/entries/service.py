"""Use cases of the register: submit, decide, resubmit, read. Each runs in one transaction, told in order."""

from dataclasses import replace
from datetime import datetime, timedelta

from app.access.domain import IMMIGRATION
from app.access.service import expect_checkpoints, record
from app.db.unit import Reader, Unit
from app.entries import periods, recorded, retained, store
from app.entries.acts import Act
from app.entries.blobs import Blob
from app.entries.carrying import keep_documents
from app.entries.deadlines import Terms
from app.entries.domain import EndedReason, Entry, Measure, Notice, State, Verdict
from app.entries.dossier import Dossier
from app.entries.dossiers import around, hold
from app.entries.drafting import judged, keep_blobs, new_entry, owner_of
from app.entries.events import EntryChanged, PendingEnded, RejectionConsidered
from app.entries.proposal import Proposal
from app.entries.receipts import first_received_on, received_again
from app.entries.seals import seal
from app.entries.store import Filter
from app.entries.succession import (
    brought_up_to_date,
    expect_no_uncovered_day,
    expect_same_matter,
    refuse_gap,
    take_over,
)
from app.entries.undecided import await_formal, countersigned, give_up
from app.entries.views import shows_photo, visible
from app.entries.wanted import UrgentWanted, Wanted
from app.errors import (
    Fault,
    Invalid,
    NotFound,
    WrongState,
)
from app.kit.clock import legal_day
from app.ledger.domain import RecordType
from app.ledger.service import last_of_entries
from app.settings import Settings

OLDEST_REQUEST = timedelta(hours=24)
"""How far back an urgent request's own time may lie (contract section 4)."""


async def submit(unit: Unit, wanted: Wanted, settings: Settings) -> Entry:
    """Ask for a measure; a second and a third person will decide.

    Raises:
        CekalError: as `law.judge` and `Dossier.refuse`.
    """
    owner = await owner_of(unit)
    warnings = judged(wanted, owner, settings, unit.now)
    dossier = await around(unit, owner.code, wanted)
    similar = dossier.refuse(Proposal.of_wanted(wanted, unit.now), Terms.of(settings))
    entry = new_entry(unit, wanted, State.SUBMITTED, owner.code, (*warnings, *similar))
    entry = await seal(unit, entry, wanted.sealed_for)
    await store.add(unit, entry, "submitted")
    await keep_blobs(unit, entry, wanted)
    return entry


async def resubmit(unit: Unit, entry_id: str, expected: int, wanted: Wanted, settings: Settings) -> Entry:
    """Replace the content of a returned entry; any submitter of its agency may.

    Raises:
        NotFound: outside the actor's view.
        WrongAgency: the actor sees the entry, but it is another agency's.
        StaleVersion, WrongState: it has changed, was not returned, or the person has been erased from it.
        CekalError: as `submit`.
    """
    found = await store.find(unit, entry_id)
    if found is None or not visible(found, unit.actor):
        raise NotFound("There is no such entry.")
    found.expect_owner(unit.actor)
    owner = await owner_of(unit)
    before = await store.lock(unit, entry_id)
    before.expect(expected)
    if before.erased_at is not None:
        raise WrongState("The person was erased from this request (UU 27/2022 art. 43); submit a new one.")
    dossier = await around(unit, owner.code, wanted, before)
    asked = Proposal.of_wanted(wanted, unit.now, dossier.exempt(before, urgent=False))
    dossier.refuse_closed(asked)
    if before.state is not State.RETURNED:
        raise WrongState("Only a returned entry can be resubmitted.")
    warnings = judged(wanted, owner, settings, unit.now, first_received_on(before))
    urgent = await store.lock(unit, before.formalises) if before.formalises is not None else None
    if urgent is not None:
        expect_same_matter(urgent, wanted.measure, wanted.subject, wanted.basis.case_reference)
        refuse_gap(wanted.starts_on, urgent, acknowledged=before.gap_acknowledged)
        wanted = replace(wanted, subject=keep_documents(urgent.subject, wanted.subject))
    similar = dossier.refuse(asked, Terms.of(settings))
    fresh = new_entry(unit, wanted, State.SUBMITTED, owner.code, (*warnings, *similar))
    entry = fresh.replace(
        id=before.id,
        version=before.version + 1,
        formalises=before.formalises,
        urgent_version=before.urgent_version,
        gap_acknowledged=before.gap_acknowledged,
        created_at=before.created_at,
        submitted_by=before.submitted_by,
        authors=tuple(dict.fromkeys((*before.authors, *fresh.authors))),
        receipt=received_again(fresh, before),
    ).remembering(before)
    entry = await seal(unit, entry, wanted.sealed_for, before)
    await store.save(unit, entry, "resubmitted", reindex=True)
    await retained.mark(unit, entry.id, retained.NOTHING)
    await keep_blobs(unit, entry, wanted)
    return entry


async def submit_urgent(unit: Unit, wanted: UrgentWanted, settings: Settings, crossing: str) -> Entry:
    """Make an urgent entry: from the commit on a hold for the supervisor, told to every checkpoint.

    The law's urgent route is written for exit bans; `urgent_deterrence` allows it for entry bans too, with the
    same twenty days.

    Args:
        unit: the transaction.
        wanted: what is asked.
        settings: the deployment's choices.
        crossing: where the person was last seen (R34).

    Raises:
        UrgentNotRepeatable: the same request lapsed before (R35).
        CekalError: as `submit`.
    """
    if wanted.measure is Measure.DETERRENCE and not settings.urgent_deterrence:
        fault = Fault(
            "/measure", "urgent_prevention_only", "The urgent route is open to exit bans only here."
        )
        raise Invalid("An entry ban can't be urgent here.", faults=[fault])
    owner = await owner_of(unit)
    requested = _requested_at(wanted, unit.now, timedelta(seconds=settings.clock_tolerance_seconds))
    await expect_checkpoints(unit, wanted.chase, "/alert/checkpoints")
    warnings = list(judged(wanted, owner, settings, unit.now))
    starts_on = periods.urgent_start(requested, unit.now)
    asked = Proposal.of_wanted(replace(wanted, starts_on=starts_on), unit.now)
    dossier = await around(unit, owner.code, wanted)
    warnings += dossier.refuse(asked, Terms.of(settings))
    if wanted.attachment is None:
        detail = "The letter itself is not attached; the countersigning officer must see it."
        warnings.append(Notice("letter_unseen", "/letter/attachment", detail))
    first = settings.urgent_countersign_first
    entry = new_entry(
        unit, wanted, State.SUBMITTED if first else State.PROVISIONAL, owner.code, tuple(warnings)
    )
    entry = entry.replace(
        urgent=True,
        letter=wanted.letter,
        substitute=wanted.substitute,
        requested_at=requested,
        starts_on=starts_on,
        ends_on=dossier.urgent_last_day(asked),
        in_force_from=None if first else unit.now,
        in_force_until=unit.now + timedelta(hours=settings.countersign_lapse_hours),
        crossing=crossing,
        alerted=not first,
        alert_message=wanted.message,
        chase=wanted.chase,
    )
    entry = await seal(unit, entry, wanted.sealed_for)
    await store.add(unit, entry, "submitted_urgently")
    await keep_blobs(unit, entry, wanted)
    if wanted.attachment is not None:
        await store.keep_blob(unit, entry.id, wanted.attachment)
    if first:
        return entry
    return await conclude(unit, EntryChanged(entry, RecordType.ENTRY_PROVISIONAL))


async def decide(
    unit: Unit, entry_id: str, expected: int, verdict: Verdict, reason: str | None, terms: Terms
) -> Entry:
    """What another pair of eyes says about an entry.

    Raises:
        NotFound: outside the actor's view.
        Invalid: a return or a rejection without its reason.
        WrongRole, WrongState, StaleVersion, WrongAgency, SecondPairOfEyesNeeded: as `Entry.decide`.
        FormalisationMismatch: a formal entry is no longer about its urgent one's person, case or measure.
        CaseClosed, ExtensionExhausted: a judgment, or other periods of its case, have come since it was asked for.
    """
    found = await store.find(unit, entry_id)
    if found is None or not visible(found, unit.actor):
        raise NotFound("There is no such entry.")
    if verdict is Verdict.COUNTERSIGN:  # at night nobody waits for the owner's other requests
        before, dossier = await store.lock(unit, entry_id), None
    else:
        before, dossier = await hold(unit, found)
    urgent = next((e for e in dossier.entries if e.id == before.formalises), None) if dossier else None
    entry = _decided(unit, before, dossier, urgent, verdict, expected, reason)
    _expect_reason(verdict, reason)
    if urgent is not None and verdict in {Verdict.VERIFY, Verdict.APPROVE}:
        expect_same_matter(urgent, before.measure, before.subject, before.basis.case_reference)
    if dossier is not None and verdict is Verdict.APPROVE:
        return await _approve(unit, before, urgent, dossier, reason, terms)
    if verdict is Verdict.COUNTERSIGN:
        entry = await countersigned(unit, entry.replace(alerted=True), terms.pending_days)
    act = _act(before, entry, verdict)
    await store.save(unit, entry, act, reason)
    if _owner_hears(before, verdict):
        unit.happened(RejectionConsidered(entry, act))
    what = _told_as(before, entry)
    if what is not None:
        return await conclude(unit, EntryChanged(entry, what))
    if urgent is not None:
        await _tell_urgent(unit, urgent, entry, terms.pending_days)
    await unit.conclude()
    return entry


def _decided(
    unit: Unit,
    before: Entry,
    dossier: Dossier | None,
    urgent: Entry | None,
    verdict: Verdict,
    expected: int,
    reason: str | None,
) -> Entry:
    """The entry as `Entry.decide` leaves it; a judgment that closed its case says more than the state that it left."""
    try:
        return before.decide(unit.actor, verdict, expected, unit.now, IMMIGRATION, urgent, reason)
    except WrongState:
        if dossier is not None:
            dossier.refuse_closed(Proposal.of_entry(before))
        raise


async def _approve(
    unit: Unit, before: Entry, urgent: Entry | None, dossier: Dossier, reason: str | None, terms: Terms
) -> Entry:
    """Approve a request: what was corrected meanwhile is carried over, and an urgent entry is taken over."""
    dossier.refuse_decided(Proposal.of_entry(before, dossier.exempt(before, urgent=False)), terms)
    expect_no_uncovered_day(before, dossier)
    current = await brought_up_to_date(unit, before, dossier)
    entry = current.decide(unit.actor, Verdict.APPROVE, current.version, unit.now, IMMIGRATION, urgent)
    changed: list[EntryChanged] = []
    if entry.state is State.ACTIVE:
        entry, changed = await take_over(unit, entry, dossier)
    await store.save(unit, entry, _ACTS[Verdict.APPROVE], reason)
    if entry.state is not State.ACTIVE:
        return entry
    listed = EntryChanged(entry, RecordType.ENTRY_LISTED, alerts=entry.in_force(unit.now))
    return await conclude(unit, listed, *changed)


async def _tell_urgent(unit: Unit, urgent: Entry, formal: Entry, days: int) -> None:
    """Let an urgent entry wait for its verified formal one past its end, or no longer once that was refused (R68)."""
    if formal.state is State.VERIFIED and not formal.approved_by:
        changed = await await_formal(unit, urgent, formal, days)
    elif formal.state in {State.RETURNED, State.REJECTED}:
        changed = await give_up(unit, urgent, formal.id)
    else:
        return
    if changed:
        await conclude(unit, *changed)


async def end_by_law(unit: Unit, entry_id: str) -> Entry | None:
    """Record an end that the law has brought by itself, and tell it; None when there is none to tell.

    Nothing depends on when this runs: checks have known the end since the instant it took effect.
    """
    before = await store.lock(unit, entry_id)
    stands = before.at(unit.now)
    if stands.state is before.state or stands.ended_at is None:
        return None
    reason = stands.ended_reason or EndedReason.EXPIRED
    entry = before.ended(reason, unit.now, stands.ended_at)
    await store.save(unit, entry, reason.value)
    if before.pending_until is not None:
        unit.happened(PendingEnded(entry, before.pending_until))
    if before.state is State.SUBMITTED:
        return entry  # never in force, so nobody was told of it
    told = reason is not EndedReason.SUPERSEDED  # the formal entry's own alert has said it
    return await conclude(
        unit, EntryChanged(entry, RecordType.ENTRY_ENDED, effective_at=stands.ended_at, alerts=told)
    )


async def get(reader: Reader, entry_id: str) -> Entry:
    """An entry within the actor's view, as it stands now.

    Raises:
        NotFound: there is none, or it is outside the view.
    """
    entry = await store.find(reader, entry_id)
    if entry is None or not visible(entry, reader.actor):
        raise NotFound("There is no such entry.")
    return (await as_known(reader, [entry]))[0].at(reader.now)


async def list_page(reader: Reader, wanted: Filter, before: str | None, limit: int) -> list[Entry]:
    """Entries within the actor's view, newest first, as they stand now."""
    entries = await store.list_page(reader, wanted, before, limit)
    return [entry.at(reader.now) for entry in await as_known(reader, entries)]


async def as_known(reader: Reader, entries: list[Entry]) -> list[Entry]:
    """The same entries with everything that is kept beside them: their sequence, and which duties are met."""
    return await recorded.with_met(reader, await with_sequences(reader, entries))


async def with_sequences(reader: Reader, entries: list[Entry]) -> list[Entry]:
    """The same entries, each with the number of its last ledger record."""
    sequences = await last_of_entries(reader, [entry.id for entry in entries])
    return [entry.replace(sequence=sequences.get(entry.id)) for entry in entries]


async def photo(reader: Reader, entry_id: str, *, granted: bool) -> Blob:
    """An entry's photo.

    Args:
        reader: the transaction.
        entry_id: whose.
        granted: the actor may see it although the entry itself is outside their view (checkpoints).

    Raises:
        NotFound: outside the actor's view, no photo, or erased.
    """
    entry = await store.find(reader, entry_id)
    if entry is None or not (granted or shows_photo(entry, reader.actor)):
        raise NotFound("There is no such photo.")
    found = entry.subject.photo and await store.find_blob(reader, entry_id, entry.subject.photo.sha256)
    if not found and (erased_at := await retained.photo_erased_at(reader, entry_id)):
        detail = (
            f"The photo was erased on {legal_day(erased_at)}, after the measure's end (UU 27/2022 art. 43)."
        )
        raise NotFound(detail)
    if not found:
        raise NotFound("There is no such photo.")
    return found


async def log_look(unit: Unit, act: str, about: str | None, detail: dict[str, object]) -> None:
    """Record that somebody looked: at a photo, or for a person (PDP art. 31; R62)."""
    await record(unit, act, about, detail)


def _requested_at(wanted: UrgentWanted, now: datetime, tolerance: timedelta) -> datetime:
    """When the request was made; a moment ahead of our clock counts as now, since no two clocks are equal."""
    requested = wanted.requested_at or now
    if not now - OLDEST_REQUEST <= requested <= now + tolerance:
        fault = Fault("/requested_at", "range", "The request was made within the last 24 hours.")
        raise Invalid("The request's time can't be right.", faults=[fault])
    return min(requested, now)


def _expect_reason(verdict: Verdict, reason: str | None) -> None:
    if verdict in {Verdict.RETURN, Verdict.REJECT, Verdict.KEEP} and not reason:
        fault = Fault("/reason", "required", "A refusal says why (UU 6/2011 art. 94(6)).")
        raise Invalid("A refusal needs its reason (R18).", faults=[fault])


def _owner_hears(before: Entry, verdict: Verdict) -> bool:
    """Whether the owner is notified of a decision; of an end that checkpoints hear of, they are by that."""
    at_once = before.state is State.PROVISIONAL and before.countersigned_at is None
    return verdict is Verdict.KEEP or (verdict is Verdict.REJECT and not at_once)


def _act(before: Entry, entry: Entry, verdict: Verdict) -> Act:
    """What a decision is called in the entry's history."""
    if verdict is Verdict.REJECT and entry.state is before.state:
        return Act.REJECTION_PROPOSED
    return _ACTS[verdict]


def _told_as(before: Entry, entry: Entry) -> RecordType | None:
    """How the ledger calls a decision; None where checkpoints have nothing to know of it."""
    if before.countersigned_at is None and entry.countersigned_at is not None:
        return RecordType.ENTRY_COUNTERSIGNED
    if before.state is State.PROVISIONAL and entry.state is not before.state:
        return RecordType.ENTRY_ENDED
    return None


async def conclude(unit: Unit, event: EntryChanged, *further: EntryChanged) -> Entry:
    """Let everything follow from an entry's change; the entry with the number of its ledger record."""
    for happened in (event, *further):
        unit.happened(happened)
    records = await unit.conclude()
    mine = [r.sequence for r in records if r.entry_id == event.entry.id and r.type.is_entry]
    return event.entry.replace(sequence=mine[-1])


_ACTS = {
    Verdict.VERIFY: Act.VERIFIED,
    Verdict.RETURN: Act.RETURNED,
    Verdict.APPROVE: Act.APPROVED,
    Verdict.REJECT: Act.REJECTED,
    Verdict.COUNTERSIGN: Act.COUNTERSIGNED,
    Verdict.KEEP: Act.REJECTION_KEPT,
}
