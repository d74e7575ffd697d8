"""Making an entry's first version from a request: finds the owner, applies the rules, stores the photo."""

from dataclasses import replace
from datetime import date, datetime

import msgspec

from app.access.clients.service import lock_agency
from app.db.unit import Unit
from app.errors import WrongAgency
from app.kit.clock import legal_day
from app.kit.ids import new_id
from app.register.entries.blob_store import keep_blob
from app.register.entries.domain import Entry, EntryWarning, State
from app.register.entries.law.judging import judge
from app.register.entries.law.request import Owner, Policy
from app.register.entries.requested import RequestedMeasure, RequestedUrgentMeasure, request_of
from app.register.entries.subjects import Photo, Subject
from app.settings import Settings


def policy_of(settings: Settings) -> Policy:
    """Return the deployment's choices for the rules of law, taken from its settings."""
    return Policy(
        month_convention=settings.month_convention,
        first_request_max_age_days=settings.first_request_max_age_days,
        witness_warn_agencies=settings.witness_warn_agencies,
    )


async def owner_of(unit: Unit) -> Owner:
    """Return the actor's agency as the owner of a request, and lock the agency's row until the commit.

    Other requests of the agency wait for the lock.

    Raises:
        WrongAgency: the agency is not active in this register.
    """
    agency = await lock_agency(unit, str(unit.actor.agency))
    if agency is None or not agency.active:
        raise WrongAgency("Your agency is not active in this register.")
    return Owner.of(agency)


def judged(
    requested: RequestedMeasure, owner: Owner, settings: Settings, now: datetime, first_on: date | None = None
) -> tuple[EntryWarning, ...]:
    """Return the warnings of the law's rules about a requested measure; raise an error if a rule forbids it.

    Args:
        requested: the requested measure.
        owner: the future owner of the entry.
        settings: the deployment's choices.
        now: when it is requested.
        first_on: the legal day on which the request's letter was first received (R14), for a resubmission and for a
            formal request with the letter of its urgent entry. None for a first request.

    Raises:
        CekalError: a rule forbids it (see `law.judge`).
    """
    request = replace(request_of(requested), first_received_on=first_on)
    return judge(request, owner, policy_of(settings), legal_day(now))


def new_entry(
    unit: Unit, requested: RequestedMeasure, state: State, agency: str, warnings: tuple[EntryWarning, ...]
) -> Entry:
    """Return the first version of an entry that the actor requests, without storing it.

    Args:
        unit: the transaction; its actor becomes the author.
        requested: the requested measure.
        state: the first state.
        agency: code of the agency that will own it.
        warnings: the warnings of the rules; a warning that the measure is broad is put before them if it applies.
    """
    actor, breadth = unit.actor, requested.breadth
    if breadth is not None and breadth.broad:
        warnings = (breadth.warning(urgent=isinstance(requested, RequestedUrgentMeasure)), *warnings)
    return Entry(
        id=new_id("ent", unit.now),
        version=1,
        state=state,
        measure=requested.measure,
        agency=agency,
        office=actor.office,
        province=actor.province,
        citizenship=requested.subject.citizenship_on(legal_day(unit.now)),
        subject=with_photo(requested),
        basis=requested.basis,
        unknown=requested.unknown,
        starts_on=requested.starts_on or legal_day(unit.now),
        ends_on=requested.ends_on,
        lifetime=requested.lifetime,
        submitted_by=actor.client_id,
        authors=(str(actor.person),),
        received_at=unit.now,
        warnings=warnings,
        breadth=breadth,
        created_at=unit.now,
        updated_at=unit.now,
    )


def with_photo(requested: RequestedMeasure) -> Subject:
    """Return the subject as it is stored: with the SHA-256 of its photo instead of the bytes."""
    if requested.photo is None:
        return requested.subject
    kept = Photo(requested.photo.sha256, requested.photo.media_type)
    return msgspec.structs.replace(requested.subject, photo=kept)


async def keep_blobs(unit: Unit, entry: Entry, requested: RequestedMeasure) -> None:
    """Store the photo and the document of a loss of citizenship with their entry, where given."""
    for blob in (requested.photo, requested.loss_document):
        if blob is not None:
            await keep_blob(unit, entry.id, blob)
