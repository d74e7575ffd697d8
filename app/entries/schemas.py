"""The wire of the register (contract sections 3 and 4)."""

from typing import Annotated, Literal

import msgspec
from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
)

from app.access.domain import Instrument, normal_person
from app.entries.attachments import AttachmentIn, Sha256
from app.entries.blobs import Blob
from app.entries.domain import Basis, Letter, Measure, State, Substitute, Verdict
from app.entries.person_schemas import BirthIn, SubjectIn
from app.entries.wanted import Formal, UrgentWanted, Wanted
from app.web.wire import Code, LegalDay, Line, Moment, Name, PersonNumber, Prose, WireIn

Stage = Literal["investigation", "prosecution", "trial", "execution", "preliminary_inquiry"]
SubjectStatus = Literal[
    "suspect",
    "defendant",
    "convict",
    "witness",
    "tax_debtor",
    "state_debtor",
    "foreigner_under_measure",
    "other",
]
ReasonCode = Literal[
    "corruption",
    "general_crime",
    "narcotics",
    "terrorism",
    "trafficking",
    "tax",
    "state_receivable",
    "customs",
    "immigration",
    "other",
    "organised_crime",
    "hostility",
    "public_order",
    "forged_document",
    "deportation",
    "overstay",
    "sovereignty",
]
Unknown = Literal["nik", "documents", "address", "nationalities", "occupation"]

SealedFor = Annotated[
    list[PersonNumber],
    Field(
        min_length=1,
        max_length=50,
        description="Employee numbers of the only persons, beside authors and auditors, who may see the entry; of an "
        "urgent one at least one is a duty officer of Immigration who did not write it.",
    ),
]


def named_persons(numbers: list[str] | None) -> tuple[str, ...] | None:
    """The persons, each number in the form in which it is compared; None where nothing was said."""
    return None if numbers is None else tuple(map(normal_person, numbers))


class ReopeningIn(WireIn):
    """A judgment, later than the acquittal that closed the case, which admits one new request."""

    number: Line
    court: Line
    decided_on: LegalDay


class BasisIn(WireIn):
    """The legal ground of a measure."""

    instrument: Instrument
    number: Line
    issued_on: LegalDay
    received_on: LegalDay | None = None
    late_reason: Prose | None = None
    signed_by: Line | None = None
    signed_by_position: Line | None = None
    law: Line
    reason_code: ReasonCode
    reason: Prose
    case_reference: Line
    stage: Stage | None = None
    subject_status: SubjectStatus
    amount_idr: Annotated[StrictInt, Field(ge=0, le=2**53 - 1)] | None = None
    good_faith_doubt: Prose | None = None
    lifetime_ground: Prose | None = None
    trafficking_victim: StrictBool = False
    reopens: ReopeningIn | None = None

    def basis(self) -> Basis:
        """The legal ground."""
        return msgspec.convert(self.model_dump(mode="json"), Basis)


class EntryIn(WireIn):
    """A measure as a submitter asks for it."""

    measure: Measure
    subject: SubjectIn
    basis: BasisIn
    starts_on: LegalDay | None = None
    ends_on: LegalDay | None = None
    lifetime: StrictBool = False
    unknown: Annotated[list[Unknown], Field(max_length=5)] = []
    sealed_for: SealedFor | None = None

    def wanted(self) -> Wanted:
        """The measure that is asked for.

        Raises:
            PhotoInvalid, Invalid: as `photos.take` and `AttachmentIn.taken`.
        """
        return Wanted(
            measure=self.measure,
            subject=self.subject.subject(),
            photo=self.subject.taken_photo(),
            basis=self.basis.basis(),
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            lifetime=self.lifetime,
            unknown=tuple(self.unknown),
            sealed_for=named_persons(self.sealed_for),
            loss_document=self.subject.taken_loss_document(),
        )


class LetterIn(WireIn):
    """The letter that an urgent request rests on; an attachment must hash to `sha256`."""

    number: Line
    issued_on: LegalDay
    sha256: Sha256
    attachment: AttachmentIn | None = None

    def taken(self) -> tuple[Letter, Blob | None]:
        """The letter, and its bytes where they were sent.

        Raises:
            Invalid: as `AttachmentIn.taken`.
        """
        sent = self.attachment
        letter = Letter(self.number, self.issued_on, self.sha256, sent.media_type if sent else None)
        return letter, sent.taken("letter", self.sha256, "/letter/attachment") if sent else None


class SubstituteIn(WireIn):
    """Who acts for an absent head, and by what mandate."""

    absent_head: Line
    mandate: Line


class AlertWishIn(WireIn):
    """What the checkpoints are told, and which of them are chased first."""

    message: Annotated[Prose, Field(max_length=1000)]
    checkpoints: Annotated[list[Code], Field(max_length=500)] | None = None


class UrgentEntryIn(WireIn):
    """An urgent measure: an entry without a period, on a letter."""

    measure: Measure
    subject: SubjectIn
    basis: BasisIn
    unknown: Annotated[list[Unknown], Field(max_length=5)] = []
    letter: LetterIn | None = Field(None, description="Required; its absence is `missing-subject-data`.")
    requested_at: Moment | None = None
    substitute: SubstituteIn | None = None
    alert: AlertWishIn | None = None
    sealed_for: SealedFor | None = None

    def wanted(self) -> UrgentWanted:
        """The urgent measure that is asked for.

        Raises:
            PhotoInvalid, Invalid: as `photos.take` and `AttachmentIn.taken`.
        """
        letter, attachment = self.letter.taken() if self.letter else (None, None)
        return UrgentWanted(
            measure=self.measure,
            subject=self.subject.subject(),
            photo=self.subject.taken_photo(),
            basis=self.basis.basis(),
            unknown=tuple(self.unknown),
            sealed_for=named_persons(self.sealed_for),
            loss_document=self.subject.taken_loss_document(),
            letter=letter,
            attachment=attachment,
            requested_at=self.requested_at,
            substitute=Substitute(**self.substitute.model_dump()) if self.substitute else None,
            message=self.alert.message if self.alert else None,
            chase=tuple((self.alert.checkpoints if self.alert else None) or ()),
        )


class FormalisationIn(WireIn):
    """The formal decision behind an urgent entry; without a `subject` the urgent entry's is kept."""

    basis: BasisIn
    starts_on: LegalDay | None = None
    ends_on: LegalDay | None = None
    lifetime: StrictBool = False
    gap_acknowledged: StrictBool = Field(
        False, description="Needed where the period begins later than the day after the urgent entry's last."
    )
    unknown: Annotated[list[Unknown], Field(max_length=5)] | None = None
    subject: SubjectIn | None = Field(
        None,
        description="Of the same person; documents and spellings of the urgent entry stay where it does not repeat "
        "them.",
    )
    withdrawn_names: Annotated[list[Line], Field(max_length=100)] = Field(
        [], description="Spellings of the urgent entry that are wrong, and so don't stay as aliases."
    )
    sealed_for: SealedFor | None = None

    def formal(self) -> Formal:
        """The formal decision that is asked for.

        Raises:
            PhotoInvalid, Invalid: as `photos.take` and `AttachmentIn.taken`.
        """
        return Formal(
            basis=self.basis.basis(),
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            lifetime=self.lifetime,
            gap_acknowledged=self.gap_acknowledged,
            unknown=None if self.unknown is None else tuple(self.unknown),
            subject=self.subject.subject() if self.subject else None,
            photo=self.subject.taken_photo() if self.subject else None,
            withdrawn_names=tuple(self.withdrawn_names),
            loss_document=self.subject.taken_loss_document() if self.subject else None,
            sealed_for=named_persons(self.sealed_for),
        )


class SealIn(WireIn):
    """The persons that an entry's seal names."""

    persons: SealedFor

    def named(self) -> tuple[str, ...]:
        """The persons, each number in the form in which it is compared."""
        return tuple(map(normal_person, self.persons))


class DecisionIn(WireIn):
    """What another pair of eyes says."""

    verdict: Verdict
    reason: Prose | None = None


class SearchIn(WireIn):
    """The person to look for; at least one of name, document and nik."""

    name: Name | None = None
    birth: BirthIn | None = None
    document: Line | None = None
    nik: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | None = None
    measure: Measure | None = None
    state: State | None = None
    hit_id: Line | None = None
    limit: Annotated[StrictInt, Field(ge=1, le=500)] = 50
    cursor: Line | None = None
