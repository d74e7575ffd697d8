"""What the register answers (contract sections 3 and 4); what it is asked stands in `schemas`."""

from datetime import date, datetime
from typing import Annotated, Any, Self

import msgspec
from pydantic import Field

from app.entries.content import UNSAID
from app.entries.deadlines import MEANINGS, DeadlineName, Terms, deadlines
from app.entries.domain import Entry
from app.entries.person_schemas import BIRTH_EXAMPLES
from app.entries.schemas import SubstituteIn
from app.settings import Settings
from app.web.wire import Moment, WireOut

Json = dict[str, Any]


class AliasOut(WireOut):
    """Another name of the subject."""

    name: str
    quality: str


class DocumentOut(WireOut):
    """A document of the subject."""

    type: str
    number: str
    issuing_state: str | None
    expires_on: date | None


class CitizenshipLossOut(WireOut):
    """The document by which Indonesian citizenship was lost."""

    number: str
    authority: str
    issued_on: date
    sha256: str


class PhotoOut(WireOut):
    """Where the photo is, and what it hashes to."""

    sha256: str
    media_type: str
    url: str


class IdentityOut(WireOut):
    """What tells the person from another one."""

    full_name: str
    aliases: list[AliasOut]
    sex: str | None
    birth: Annotated[Json | None, Field(examples=BIRTH_EXAMPLES)]
    birth_alternatives: list[Json]
    birth_place: str | None
    nationalities: list[str]
    nik: str | None
    documents: list[DocumentOut]
    photo: PhotoOut | None


class SubjectOut(IdentityOut):
    """The person."""

    occupation: str | None
    address: str | None
    citizenship_note: str | None
    citizenship_loss: CitizenshipLossOut | None


class ReopeningOut(WireOut):
    """The later judgment that admits a request in a case closed by an acquittal."""

    number: str
    court: str
    decided_on: date


class BasisOut(WireOut):
    """The legal ground."""

    instrument: str
    number: str
    issued_on: date
    received_on: date | None
    late_reason: str | None
    signed_by: str | None
    signed_by_position: str | None
    law: str
    reason_code: str
    reason: str
    case_reference: str
    stage: str | None
    subject_status: str
    amount_idr: int | None
    good_faith_doubt: str | None
    lifetime_ground: str | None
    trafficking_victim: bool
    reopens: ReopeningOut | None


class LetterOut(WireOut):
    """The letter of an urgent request."""

    number: str
    issued_on: date
    sha256: str
    media_type: str | None


class DeadlineOut(WireOut):
    """A period of the law that runs, and when it was kept; late, where `met_at` lies after `due_at`."""

    name: Annotated[
        DeadlineName,
        Field(description=" ".join(f"`{name}`: {meaning}" for name, meaning in MEANINGS.items())),
    ]
    due_at: Annotated[
        Moment, Field(description="The last instant in time; 23:59:59 WIB where the law counts days.")
    ]
    met_at: Moment | None


class WarningOut(WireOut):
    """Something that was accepted but should be looked at."""

    code: str
    pointer: str
    detail: str


class RejectionProposalOut(WireOut):
    """Which client wants to reject a countersigned entry, since when, and why."""

    by: str
    at: Moment
    reason: str


class EntryOut(WireOut):
    """An entry as it stands now."""

    id: str
    version: int
    state: str
    in_force: bool
    urgent: bool
    formalises: str | None
    measure: str
    agency: str
    office: str | None
    citizenship: str
    subject: SubjectOut
    basis: BasisOut
    letter: LetterOut | None
    substitute: SubstituteIn | None
    unknown: list[str]
    starts_on: date
    ends_on: date | None
    lifetime: bool
    submitted_by: str
    countersigned_by: str | None
    countersigned_at: Moment | None
    second_approval_at: Moment | None
    rejection_proposed: Annotated[
        RejectionProposalOut | None,
        Field(
            description="A duty officer's wish to reject a countersigned urgent entry, until an approver decides on it."
        ),
    ]
    requested_at: Moment | None
    received_at: Moment
    ended_reason: str | None
    ended_at: Moment | None
    gap_acknowledged: bool
    extension_count: int
    extended_by: BasisOut | None
    pending_until: Annotated[
        Moment | None,
        Field(
            description="Papers that arrived in time wait for Immigration: until this instant checks refer after "
            "the end, never refuse. Null without such papers, and once they are decided on."
        ),
    ]
    crossing: str | None
    legal_deadlines: Annotated[
        list[DeadlineOut],
        Field(description="Soonest first; each name at most once, and only while it says something."),
    ]
    sealed_for: Annotated[
        list[str] | None,
        Field(description="Who sees a sealed entry beside its authors and auditors; null without a seal."),
    ]
    warnings: list[WarningOut]
    created_at: Moment
    updated_at: Moment
    erased_at: Annotated[
        Moment | None,
        Field(
            description="When the person was erased, after the retention that follows the end; names and numbers "
            "are replaced by a note since then."
        ),
    ]
    sequence: int | None

    @classmethod
    def of(cls, entry: Entry, now: datetime, settings: Settings) -> Self:
        """The entry on the wire, at an instant."""
        values = _values(entry, now)
        running = deadlines(entry.at(now), Terms.of(settings), entry.met)
        values["legal_deadlines"] = [
            {"name": each.name, "due_at": each.due_at, "met_at": each.met_at} for each in running
        ]
        return cls.model_validate({name: values[name] for name in cls.model_fields})


class EntryForHitOut(WireOut):
    """An entry as a supervisor who examines a hit is told it: about which person, and what it orders; no case."""

    id: str
    version: int
    state: str
    in_force: bool
    urgent: bool
    countersigned_at: Annotated[
        Moment | None, Field(description="Until an urgent entry is countersigned, checks only refer.")
    ]
    measure: str
    agency: str
    citizenship: str
    subject: IdentityOut
    starts_on: date
    ends_on: date | None
    lifetime: bool
    pending_until: Moment | None

    @classmethod
    def of(cls, entry: Entry, now: datetime) -> Self:
        """The entry on the wire, at an instant."""
        values = _values(entry, now)
        values["subject"] = {name: values["subject"][name] for name in IdentityOut.model_fields}
        return cls.model_validate({name: values[name] for name in cls.model_fields})


def _values(entry: Entry, now: datetime) -> Json:
    """What an entry holds, and what follows from it at an instant."""
    values: Json = {**UNSAID, **msgspec.to_builtins(entry, builtin_types=(datetime, date))}
    photo = values["subject"]["photo"]
    if photo is not None:
        photo["url"] = f"/v1/entries/{entry.id}/photo"
    values["in_force"] = entry.in_force(now)
    values["pending_until"] = entry.at(now).pending_until
    return values


class HistoryItemOut(WireOut):
    """One step of an entry's life."""

    version: int
    event: str
    by: str
    at: Moment
    reason: str | None
    sequence: int | None


class HistoryOut(WireOut):
    """An entry's life, in order."""

    items: list[HistoryItemOut]
