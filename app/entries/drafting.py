"""How what is asked for becomes the first version of an entry: its owner, its judgement, its photo."""

from dataclasses import replace
from datetime import date, datetime

import msgspec

from app.access.service import lock_agency
from app.db.unit import Unit
from app.entries import store
from app.entries.domain import Entry, Notice, State
from app.entries.law import Owner, Policy, judge
from app.entries.subjects import Photo, Subject
from app.entries.wanted import Wanted, request_of
from app.errors import WrongAgency
from app.kit.clock import legal_day
from app.kit.ids import new_id
from app.settings import Settings


def policy_of(settings: Settings) -> Policy:
    """The deployment's choices, for the rules."""
    return Policy(
        month_convention=settings.month_convention,
        first_request_max_age_days=settings.first_request_max_age_days,
        witness_warn_agencies=settings.witness_warn_agencies,
    )


async def owner_of(unit: Unit) -> Owner:
    """The actor's agency as the owner of what they ask, held against other requests of it until the commit.

    Raises:
        WrongAgency: it is not active.
    """
    agency = await lock_agency(unit, str(unit.actor.agency))
    if agency is None or not agency.active:
        raise WrongAgency("Your agency is not active in this register.")
    return Owner.of(agency)


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
        citizenship=wanted.subject.citizenship_on(legal_day(unit.now)),
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


async def keep_blobs(unit: Unit, entry: Entry, wanted: Wanted) -> None:
    """Store the bytes of the photo, and of the document of a loss of citizenship, beside their entry, where given."""
    for blob in (wanted.photo, wanted.loss_document):
        if blob is not None:
            await store.keep_blob(unit, entry.id, blob)
