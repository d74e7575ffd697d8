"""Use cases of the register: submit, decide, resubmit, read. Each runs in one transaction, told in order."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import msgspec

from app.access.domain import IMMIGRATION
from app.access.service import expect_checkpoints, lock_agency, record
from app.db.unit import Reader, Unit
from app.entries import periods, recorded, retained, store
from app.entries.blobs import Blob
from app.entries.deadlines import Terms
from app.entries.domain import EndedReason, Entry, Measure, Notice, State, Verdict
from app.entries.duplicates import refuse_duplicates, refuse_third_decided
from app.entries.events import EntryChanged
from app.entries.law import Owner, Policy, judge
from app.entries.receipts import first_received_on, received_again
from app.entries.seals import seal
from app.entries.store import Filter
from app.entries.subjects import Photo, Subject
from app.entries.succession import refuse_gap, take_over
from app.entries.views import shows_photo, visible
from app.entries.wanted import UrgentWanted, Wanted, request_of
from app.errors import (
    Fault,
    Invalid,
    NotFound,
    WrongAgency,
    WrongState,
)
from app.kit.clock import legal_day
from app.kit.ids import new_id
from app.ledger.domain import RecordType
from app.ledger.service import last_of_entries
from app.settings import Settings

OLDEST_REQUEST = timedelta(hours=24)
"""How far back an urgent request's own time may lie (contract section 4)."""


def policy_of(settings: Settings) -> Policy:
    """The deployment's choices, for the rules."""
    return Policy(
        month_convention=settings.month_convention,
        first_request_max_age_days=settings.first_request_max_age_days,
        witness_warn_agencies=settings.witness_warn_agencies,
    )


async def submit(unit: Unit, wanted: Wanted, settings: Settings) -> Entry:
    """Ask for a measure; a second and a third person will decide.

    Raises:
        CekalError: as `law.judge`; DuplicateEntry for a letter or case that the owner has already.
    """
    owner = await owner_of(unit)
    warnings = judged(wanted, owner, settings, unit.now)
    similar = await refuse_duplicates(unit, wanted, owner.code, terms=Terms.of(settings))
    entry = new_entry(unit, wanted, State.SUBMITTED, owner.code, (*warnings, *similar))
    entry = await seal(unit, entry, wanted.sealed_for)
    await store.add(unit, entry, "submitted")
    await keep_photo(unit, entry, wanted)
    return entry


async def resubmit(unit: Unit, entry_id: str, expected: int, wanted: Wanted, settings: Settings) -> Entry:
    """Replace the content of a returned entry; any submitter of its agency may.

    Raises:
        NotFound: outside the actor's view.
        WrongAgency: the actor sees the entry, but it is another agency's.
        StaleVersion, WrongState: it has changed, was not returned, or the person has been erased from it.
        CekalError: as `submit`.
    """
    entry = before = await store.lock(unit, entry_id)
    if not visible(entry, unit.actor):
        raise NotFound("There is no such entry.")
    entry.expect_owner(unit.actor)
    entry.expect(expected)
    if entry.state is not State.RETURNED:
        raise WrongState("Only a returned entry can be resubmitted.")
    if entry.erased_at is not None:
        raise WrongState("The person was erased from this request (UU 27/2022 art. 43); submit a new one.")
    owner = await owner_of(unit)
    warnings = judged(wanted, owner, settings, unit.now, first_received_on(entry))
    its_own = {entry_id, entry.formalises}
    similar = await refuse_duplicates(unit, wanted, owner.code, but=its_own, terms=Terms.of(settings))
    fresh = new_entry(unit, wanted, State.SUBMITTED, owner.code, (*warnings, *similar))
    entry = fresh.replace(
        id=entry.id,
        version=entry.version + 1,
        formalises=entry.formalises,
        gap_acknowledged=entry.gap_acknowledged,
        created_at=entry.created_at,
        submitted_by=entry.submitted_by,
        authors=(str(unit.actor.person),),
        receipt=received_again(fresh, before),
    )
    if entry.formalises is not None:
        urgent = await store.lock(unit, entry.formalises)
        refuse_gap(entry.starts_on, urgent, acknowledged=entry.gap_acknowledged)
    entry = await seal(unit, entry, wanted.sealed_for, before)
    await store.save(unit, entry, "resubmitted", reindex=True)
    await retained.mark(unit, entry.id, retained.NOTHING)
    await keep_photo(unit, entry, wanted)
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
    warnings += await refuse_duplicates(unit, wanted, owner.code, terms=Terms.of(settings))
    if wanted.attachment is None:
        detail = "The letter itself is not attached; whoever countersigns must see it."
        warnings.append(Notice("letter_unseen", "/letter/attachment", detail))
    first = settings.urgent_countersign_first
    starts_on = periods.urgent_start(requested, unit.now)
    entry = new_entry(
        unit, wanted, State.SUBMITTED if first else State.PROVISIONAL, owner.code, tuple(warnings)
    )
    entry = entry.replace(
        urgent=True,
        letter=wanted.letter,
        substitute=wanted.substitute,
        requested_at=requested,
        starts_on=starts_on,
        ends_on=periods.urgent_end(starts_on),
        in_force_from=None if first else unit.now,
        in_force_until=unit.now + timedelta(hours=settings.countersign_lapse_hours),
        crossing=crossing,
        alerted=not first,
        alert_message=wanted.message,
        chase=wanted.chase,
    )
    entry = await seal(unit, entry, wanted.sealed_for)
    await store.add(unit, entry, "submitted_urgently")
    await keep_photo(unit, entry, wanted)
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
        ExtensionExhausted: its case has had its periods since it was asked for (R22).
    """
    before = await store.lock(unit, entry_id)
    if not visible(before, unit.actor):
        raise NotFound("There is no such entry.")
    urgent = await store.lock(unit, before.formalises) if before.formalises else None
    entry = before.decide(unit.actor, verdict, expected, unit.now, IMMIGRATION, urgent)
    if verdict in {Verdict.RETURN, Verdict.REJECT} and not reason:
        fault = Fault("/reason", "required", "A refusal says why (UU 6/2011 art. 94(6)).")
        raise Invalid("A refusal needs its reason (R18).", faults=[fault])
    if verdict is Verdict.COUNTERSIGN:
        entry = entry.replace(alerted=True)
    succeeded: list[EntryChanged] = []
    if entry.state is State.ACTIVE:
        await refuse_third_decided(unit, entry, terms)
        entry, succeeded = await take_over(unit, entry)
    await store.save(unit, entry, _EVENTS[verdict], reason)
    what = _told_as(before, entry)
    return entry if what is None else await conclude(unit, EntryChanged(entry, what), *succeeded)


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


async def owner_of(unit: Unit) -> Owner:
    """The actor's agency as the owner of what they ask, held against other requests of it until the commit.

    Raises:
        WrongAgency: it is not active.
    """
    agency = await lock_agency(unit, str(unit.actor.agency))
    if agency is None or not agency.active:
        raise WrongAgency("Your agency is not active in this register.")
    return Owner(agency.code, agency.legal_forms)


def judged(
    wanted: Wanted, owner: Owner, settings: Settings, now: datetime, first_on: date | None = None
) -> tuple[Notice, ...]:
    """Judge a wanted measure as of now; gives the warnings.

    Args:
        wanted: what is asked.
        owner: whose measure it will be.
        settings: the deployment's choices.
        now: when it is asked.
        first_on: of a resubmission, the legal day on which the request was first received (R14).

    Raises:
        CekalError: as `law.judge`.
    """
    request = replace(request_of(wanted), first_received_on=first_on)
    return judge(request, owner, policy_of(settings), legal_day(now))


def new_entry(unit: Unit, wanted: Wanted, state: State, agency: str, warnings: tuple[Notice, ...]) -> Entry:
    """The first version of an entry that the actor asks for."""
    actor = unit.actor
    return Entry(
        id=new_id("ent", unit.now),
        version=1,
        state=state,
        measure=wanted.measure,
        agency=agency,
        office=actor.office,
        province=actor.province,
        citizenship=wanted.subject.citizenship,
        subject=with_photo(wanted),
        basis=wanted.basis,
        unknown=wanted.unknown,
        starts_on=wanted.starts_on or legal_day(unit.now),
        ends_on=wanted.ends_on,
        lifetime=wanted.lifetime,
        submitted_by=actor.client_id,
        authors=(str(actor.person),),
        received_at=unit.now,
        warnings=warnings,
        created_at=unit.now,
        updated_at=unit.now,
    )


def with_photo(wanted: Wanted) -> Subject:
    """The subject as it is kept: with the name of its photo instead of the bytes."""
    if wanted.photo is None:
        return wanted.subject
    kept = Photo(wanted.photo.sha256, wanted.photo.media_type)
    return msgspec.structs.replace(wanted.subject, photo=kept)


async def keep_photo(unit: Unit, entry: Entry, wanted: Wanted) -> None:
    """Store the photo's bytes beside its entry, where one was given."""
    if wanted.photo is not None:
        await store.keep_blob(unit, entry.id, wanted.photo)


def _requested_at(wanted: UrgentWanted, now: datetime, tolerance: timedelta) -> datetime:
    """When the request was made; a moment ahead of our clock counts as now, since no two clocks are equal."""
    requested = wanted.requested_at or now
    if not now - OLDEST_REQUEST <= requested <= now + tolerance:
        fault = Fault("/requested_at", "range", "The request was made within the last 24 hours.")
        raise Invalid("The request's time can't be right.", faults=[fault])
    return min(requested, now)


def _told_as(before: Entry, entry: Entry) -> RecordType | None:
    if entry.state is State.ACTIVE:
        return RecordType.ENTRY_LISTED
    if entry.state is State.PROVISIONAL:
        return RecordType.ENTRY_COUNTERSIGNED
    if before.state is State.PROVISIONAL:
        return RecordType.ENTRY_ENDED
    return None


async def conclude(unit: Unit, event: EntryChanged, *further: EntryChanged) -> Entry:
    """Let everything follow from an entry's change; the entry with the number of its ledger record."""
    for happened in (event, *further):
        unit.happened(happened)
    records = await unit.conclude()
    mine = [r.sequence for r in records if r.entry_id == event.entry.id and r.type.is_entry]
    return event.entry.replace(sequence=mine[-1])


_EVENTS = {
    Verdict.VERIFY: "verified",
    Verdict.RETURN: "returned",
    Verdict.APPROVE: "approved",
    Verdict.REJECT: "rejected",
    Verdict.COUNTERSIGN: "countersigned",
}
