"""Use cases of entries: submit, decide, resubmit, read. Each runs in one transaction; its changes go to the ledger."""

from dataclasses import replace

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import IMMIGRATION
from app.db.unit import Reader, Unit
from app.errors import (
    Fault,
    Invalid,
    NotFound,
    WrongState,
)
from app.kit.clock import legal_day
from app.ledger.domain import RecordType
from app.ledger.service import last_of_entries
from app.register.entries import erasure_store as retained
from app.register.entries import store
from app.register.entries.acts import Act
from app.register.entries.blob_store import find_blob
from app.register.entries.blobs import Blob
from app.register.entries.domain import EndedReason, Entry, State, Verdict
from app.register.entries.dossier import Dossier
from app.register.entries.dossiers import dossier_of, lock_dossier
from app.register.entries.drafting import judged, keep_blobs, new_entry, owner_of
from app.register.entries.duties import store as recorded
from app.register.entries.events import EntryChanged, PendingEnded, RejectionConsidered
from app.register.entries.law.deadlines import Terms
from app.register.entries.merging import keep_documents
from app.register.entries.proposal import Proposal
from app.register.entries.receipts import first_received_on, received_again
from app.register.entries.requested import RequestedMeasure
from app.register.entries.seals import seal
from app.register.entries.store import Filter
from app.register.entries.succession import (
    expect_no_uncovered_day,
    expect_same_matter,
    refuse_gap,
    take_over,
    with_corrections_since,
)
from app.register.entries.undecided import await_formal, countersigned, give_up
from app.register.entries.visibility import shows_photo, visible
from app.settings import Settings


async def submit(unit: Unit, requested: RequestedMeasure, settings: Settings) -> Entry:
    """File a request for a measure, on which a verifier and one or two approvers decide. Returns the new entry.

    Raises:
        WrongAgency: the actor's agency is not active.
        Invalid: the requested seal is not possible (see `seals.seal`).
        CekalError: a rule of law forbids it (see `law.judge`), or the dossier bars it (see `Dossier.refuse`).
    """
    owner = await owner_of(unit)
    warnings = judged(requested, owner, settings, unit.now)
    dossier = await dossier_of(unit, owner.code, requested)
    similar = dossier.refuse(Proposal.of_requested(requested, unit.now), Terms.of(settings))
    entry = new_entry(unit, requested, State.SUBMITTED, owner.code, (*warnings, *similar))
    entry = await seal(unit, entry, requested.sealed_for)
    await store.add(unit, entry, Act.SUBMITTED)
    await keep_blobs(unit, entry, requested)
    return entry


async def resubmit(
    unit: Unit, entry_id: str, expected: int, requested: RequestedMeasure, settings: Settings
) -> Entry:
    """Replace the content of a returned entry; any submitter of its agency may do this. Returns the new version.

    `expected` is the version that the actor has read.

    Raises:
        NotFound: the actor sees no entry with this id.
        WrongAgency: the actor sees the entry, but another agency owns it; or the actor's agency is not active.
        StaleVersion: the entry has changed since it was read.
        WrongState: the entry was not returned, or the person has been erased from it.
        FormalisationMismatch: a formal entry would be about another person, case or measure than its urgent entry.
        Invalid: a formal entry would leave a gap after its urgent entry, or the seal is not possible (see
            `seals.seal`).
        CekalError: a rule of law forbids it (see `law.judge`), or the dossier bars it (see `Dossier.refuse`).
    """
    owner = await owner_of(unit)  # locked before the entry, as everywhere, so that no deadlock occurs
    before = await store.lock(unit, entry_id)
    _expect_visible(unit, before)
    before.expect_owner(unit.actor)
    before.expect(expected)
    if before.erased_at is not None:
        raise WrongState("The person was erased from this request (UU 27/2022 art. 43); submit a new one.")
    dossier = await dossier_of(unit, owner.code, requested, before)
    proposal = Proposal.of_requested(requested, unit.now, dossier.exempt(before, urgent=False))
    dossier.refuse_closed(proposal)
    if before.state is not State.RETURNED:
        raise WrongState("Only a returned entry can be resubmitted.")
    warnings = judged(requested, owner, settings, unit.now, first_received_on(before))
    urgent = await store.lock(unit, before.formalises) if before.formalises is not None else None
    if urgent is not None:
        expect_same_matter(urgent, requested.measure, requested.subject, requested.basis.case_reference)
        refuse_gap(requested.starts_on, urgent, acknowledged=before.gap_acknowledged)
        requested = replace(requested, subject=keep_documents(urgent.subject, requested.subject))
    similar = dossier.refuse(proposal, Terms.of(settings))
    fresh = new_entry(unit, requested, State.SUBMITTED, owner.code, (*warnings, *similar))
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
    entry = await seal(unit, entry, requested.sealed_for, before)
    await store.save(unit, entry, Act.RESUBMITTED, reindex=True)
    await retained.store_stage(unit, entry.id, retained.NOTHING)
    await keep_blobs(unit, entry, requested)
    return entry


async def decide(
    unit: Unit, entry_id: str, expected: int, verdict: Verdict, reason: str | None, terms: Terms
) -> Entry:
    """Store another person's decision on an entry, with its consequences. Returns the entry's new version.

    Args:
        unit: the transaction.
        entry_id: id of the entry.
        expected: the version that the actor has read.
        verdict: the decision.
        reason: the reason; required to return or reject the entry, or to refuse a proposal to reject it.
        terms: the deployment's periods and limits.

    Raises:
        NotFound: the actor sees no entry with this id.
        Invalid: the required reason is missing.
        WrongRole: the verdict is not for the actor's roles.
        WrongState: the verdict is not possible in the entry's state. To approve: the period is over, a court annulled
            the measure after the decision, days between the urgent entry and this one would have no measure, or a
            correction of the urgent entry contradicts the request.
        ClockInDoubt: this server's clock is not plausible, and the entry seems to have ended; or the entry is returned
            or rejected, and its urgent entry waits for it (R68).
        StaleVersion: the entry has changed since it was read.
        WrongAgency: a verifier of the entry's own agency must do this.
        SecondPairOfEyesNeeded: another person must do this (see `Entry.decide`).
        FormalisationMismatch: a formal entry is no longer about its urgent entry's person, case or measure.
        CaseClosed: an acquittal has closed the case since the request was filed.
        ExtensionExhausted: other approvals have used all periods of the case since then.
    """
    found = await store.find(unit, entry_id)
    if found is None:
        raise NotFound("There is no such entry.")
    if verdict is Verdict.COUNTERSIGN:  # so that a countersignature never waits for the owner's lock
        before, dossier = await store.lock(unit, entry_id), None
    else:
        before, dossier = await lock_dossier(unit, found)
    _expect_visible(unit, before)  # under the lock, since a seal may have come while this waited for it
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
    if _notifies_owner(before, verdict):
        unit.happened(RejectionConsidered(entry, act))
    what = _record_type(before, entry)
    if what is not None:
        return await conclude(unit, EntryChanged(entry, what))
    if urgent is not None:
        await _update_waiting(unit, urgent, entry, terms.pending_days)
    await unit.conclude()
    return entry


def _expect_visible(reader: Reader, entry: Entry) -> None:
    if not visible(entry, reader.actor):
        raise NotFound("There is no such entry.")


def _decided(
    unit: Unit,
    before: Entry,
    dossier: Dossier | None,
    urgent: Entry | None,
    verdict: Verdict,
    expected: int,
    reason: str | None,
) -> Entry:
    """Return the entry after `Entry.decide`.

    If the entry's state forbids the verdict because a judgment closed the case, the error names the judgment.
    """
    try:
        return before.decide(unit.actor, verdict, expected, unit.now, IMMIGRATION, urgent, reason)
    except WrongState:
        if before.at(unit.now).state is not before.state:
            unit.expect_plausible()  # it may be over only because the clock is wrong
        if dossier is not None:
            dossier.refuse_closed(Proposal.of_entry(before))
        raise


async def _approve(
    unit: Unit, before: Entry, urgent: Entry | None, dossier: Dossier, reason: str | None, terms: Terms
) -> Entry:
    """Approve a request: carry over corrections made since its filing, and take over from an urgent entry."""
    dossier.refuse_decided(Proposal.of_entry(before, dossier.exempt(before, urgent=False)), terms)
    expect_no_uncovered_day(before, dossier)
    current = await with_corrections_since(unit, before, dossier)
    entry = current.decide(unit.actor, Verdict.APPROVE, current.version, unit.now, IMMIGRATION, urgent)
    changed: list[EntryChanged] = []
    if entry.state is State.ACTIVE:
        entry, changed = await take_over(unit, entry, dossier)
    await store.save(unit, entry, _ACTS[Verdict.APPROVE], reason)
    if entry.state is not State.ACTIVE:
        return entry
    listed = EntryChanged(entry, RecordType.ENTRY_LISTED, alerts=entry.in_force(unit.now))
    return await conclude(unit, listed, *changed)


async def _update_waiting(unit: Unit, urgent: Entry, formal: Entry, days: int) -> None:
    """Prolong an urgent entry past its end while its verified formal one waits; stop that once it was refused (R68)."""
    if formal.state is State.VERIFIED and not formal.approved_by:
        changed = await await_formal(unit, urgent, formal, days)
    elif formal.state in {State.RETURNED, State.REJECTED}:
        changed = await give_up(unit, urgent, formal.id)
    else:
        return
    if changed:
        await conclude(unit, *changed)


async def end_by_law(unit: Unit, entry_id: str) -> bool:
    """Store and publish that an entry's period is over. Returns whether something was stored.

    As `store_end`, which says when nothing is stored, and which errors are raised.
    """
    if await store_end(unit, entry_id) is None:
        return False
    await unit.conclude()
    return True


async def store_end(unit: Unit, entry_id: str) -> Entry | None:
    """Store that an entry's period is over, and report it. Returns the ended entry; None if nothing was stored.

    The caller concludes the unit. Nothing is stored if the entry goes on, or if its end is stored already. The end of
    an urgent entry that was never in force is stored and not published. The call may come late: checks compute the end
    themselves, and the stored time of the end is the end of the period.

    Raises:
        NotFound: there is no entry with this id.
        ClockInDoubt: the clock is not plausible, and the entry would end.
    """
    before = await store.lock(unit, entry_id)
    current = before.at(unit.now)
    if current.state is before.state or current.ended_at is None:
        return None
    unit.expect_plausible()
    reason = current.ended_reason or EndedReason.EXPIRED
    entry = before.ended(reason, unit.now, current.ended_at)
    await store.save(unit, entry, Act(reason))
    if before.pending_until is not None:
        unit.happened(PendingEnded(entry, before.pending_until))
    if before.state is not State.SUBMITTED:  # else it was never in force, and no checkpoint was alerted to it
        alerts = reason is not EndedReason.SUPERSEDED  # else the formal entry's own alert covers it
        ended = RecordType.ENTRY_ENDED
        unit.happened(EntryChanged(entry, ended, effective_at=current.ended_at, alerts=alerts))
    return entry


async def get(reader: Reader, entry_id: str) -> Entry:
    """Return an entry that the actor may see, at its current state.

    Raises:
        NotFound: the actor sees no entry with this id.
    """
    entry = await store.find(reader, entry_id)
    if entry is None:
        raise NotFound("There is no such entry.")
    _expect_visible(reader, entry)
    return (await with_attached_data(reader, [entry]))[0].at(reader.now)


async def list_page(reader: Reader, requested: Filter, before: str | None, limit: int) -> list[Entry]:
    """Return entries that the actor may see, newest first, at their current state, at most `limit`.

    `before` is the id of an entry: only older entries are returned; None begins with the newest.
    """
    entries = await store.list_page(reader, requested, before, limit)
    return [entry.at(reader.now) for entry in await with_attached_data(reader, entries)]


async def with_attached_data(reader: Reader, entries: list[Entry]) -> list[Entry]:
    """Return the entries in the same order with their data from other tables: `sequence` and `met`."""
    return await recorded.with_done_times(reader, await with_sequences(reader, entries))


async def with_sequences(reader: Reader, entries: list[Entry]) -> list[Entry]:
    """Return the entries in the same order, each with `sequence`: the number of its last ledger record, or None."""
    sequences = await last_of_entries(reader, [entry.id for entry in entries])
    return [entry.replace(sequence=sequences.get(entry.id)) for entry in entries]


async def photo(reader: Reader, entry_id: str, *, granted: bool) -> Blob:
    """Return an entry's photo; the caller logs the access.

    Args:
        reader: the transaction.
        entry_id: id of the entry.
        granted: whether the actor may see the photo although the entry is outside their view (checkpoints).

    Raises:
        NotFound: the actor may not see the entry or its photo, or the photo does not exist or was erased.
    """
    entry = await store.find(reader, entry_id)
    if entry is None or not (granted or shows_photo(entry, reader.actor)):
        raise NotFound("There is no such photo.")
    found = entry.subject.photo and await find_blob(reader, entry_id, entry.subject.photo.sha256)
    if not found and (erased_at := await retained.photo_erased_at(reader, entry_id)):
        detail = (
            f"The photo was erased on {legal_day(erased_at)}, after the measure's end (UU 27/2022 art. 43)."
        )
        raise NotFound(detail)
    if not found:
        raise NotFound("There is no such photo.")
    return found


async def log_look(unit: Unit, act: AuditAct, about: str | None, detail: dict[str, object]) -> None:
    """Write to the audit trail that the actor looked at a photo or searched for a person (PDP art. 31; R62).

    Args:
        unit: the transaction.
        act: the kind of act.
        about: id of the entry; None for a search.
        detail: further data of the audit record, by name; never a name of a person.
    """
    await record(unit, act, about, detail)


def _expect_reason(verdict: Verdict, reason: str | None) -> None:
    if verdict in {Verdict.RETURN, Verdict.REJECT, Verdict.KEEP} and not reason:
        fault = Fault("/reason", "required", "A refusal needs its reason (UU 6/2011 art. 94(6)).")
        raise Invalid("A refusal needs its reason (R18).", faults=[fault])


def _notifies_owner(before: Entry, verdict: Verdict) -> bool:
    """Return whether a decision itself notifies the owner; an end published to checkpoints already does."""
    at_once = before.state is State.PROVISIONAL and before.countersigned_at is None
    return verdict is Verdict.KEEP or (verdict is Verdict.REJECT and not at_once)


def _act(before: Entry, entry: Entry, verdict: Verdict) -> Act:
    """Return the name of a decision in the entry's history."""
    if verdict is Verdict.REJECT and entry.state is before.state:
        return Act.REJECTION_PROPOSED
    return _ACTS[verdict]


def _record_type(before: Entry, entry: Entry) -> RecordType | None:
    """Return the type of the ledger record of a decision; None where it does not concern checkpoints."""
    if before.countersigned_at is None and entry.countersigned_at is not None:
        return RecordType.ENTRY_COUNTERSIGNED
    if before.state is State.PROVISIONAL and entry.state is not before.state:
        return RecordType.ENTRY_ENDED
    return None


async def conclude(unit: Unit, event: EntryChanged, *further: EntryChanged) -> Entry:
    """Publish the changes of entries in this transaction to the ledger: `event`, then the further ones.

    It must be the last step of the transaction, because the records get their numbers now, under a lock of the whole
    ledger until the commit.

    Returns:
        The entry of `event`, with the sequence of its ledger record.
    """
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
