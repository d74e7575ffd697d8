"""Request bodies of entries (API sections 3 and 4)."""

from typing import Annotated, Literal

import msgspec
from pydantic import (
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
)

from app.access.domain import Instrument
from app.access.employee_numbers import normal_person
from app.identity import typed_numbers
from app.identity.lookalikes import plain
from app.register.entries.attachments import AttachmentIn, Sha256
from app.register.entries.blobs import Blob
from app.register.entries.domain import Basis, EntryWarning, Letter, Measure, State, Substitute, Verdict
from app.register.entries.person_schemas import BirthIn, SubjectIn
from app.register.entries.requested import Formal, RequestedMeasure, RequestedUrgentMeasure
from app.web.wire import Code, LegalDay, Line, Moment, Name, PersonNumber, Prose, Reference, WireIn

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
    """Return the employee numbers in normal form, without separators; None if no list was sent."""
    return None if numbers is None else tuple(map(normal_person, numbers))


class ReopeningIn(WireIn):
    """A judgment, later than the acquittal that closed the case, which allows one new request."""

    number: Reference
    """The judgment's number."""
    court: Line
    """The court."""
    decided_on: LegalDay
    """The day of the judgment."""


class BasisIn(WireIn):
    """The legal ground of a measure."""

    instrument: Instrument
    """The legal form of the letter (UU 6/2011 art. 91(2)); one that the agency may use."""
    number: Reference
    """The letter's number: unique for one owner and one person."""
    issued_on: LegalDay
    """The day on which the letter was signed."""
    received_on: LegalDay | None = None
    """The day on which Immigration received it on paper; without it the register's own receipt counts."""
    late_reason: Prose | None = None
    """The reason for its arrival more than three days after it was signed; without it a late letter causes a
    warning."""
    signed_by: Line | None = None
    """Name of the person who signed it."""
    signed_by_position: Line | None = None
    """Position of the person who signed it; it is not compared with the agency."""
    law: Line
    """The law on which it is based, with the article."""
    reason_code: ReasonCode
    """The reason as a word; the last seven are the grounds of an entry ban (Permenimipas 13/2025 art. 17(4))."""
    reason: Prose
    """The reason in the letter's words."""
    case_reference: Reference
    """The case: entries of one owner, one case and one person are judged together."""
    stage: Stage | None = None
    """The stage of the proceedings; null outside criminal law. `preliminary_inquiry` is refused (MK 40/PUU-IX/2011)."""
    subject_status: SubjectStatus
    """The person's role in the case. A witness is refused (UU 20/2025 art. 89)."""
    amount_idr: Annotated[StrictInt, Field(ge=0, le=2**53 - 1)] | None = None
    """The debt in rupiah, of a ban for tax or state receivables."""
    good_faith_doubt: Prose | None = None
    """Why the debtor's good faith is doubted, of a ban for tax."""
    lifetime_ground: Prose | None = None
    """Why the ban is for life (UU 6/2011 art. 102(3))."""
    trafficking_victim: StrictBool = False
    """Whether the person is a victim of trafficking or smuggling (UU 6/2011 art. 86)."""
    reopens: ReopeningIn | None = None
    """The judgment that reopens a case which an acquittal has closed."""

    def notices(self) -> tuple[EntryWarning, ...]:
        """Return a warning for the letter's number, and one for the case reference, if it has look-alike letters.

        Look-alike letters belong to another script and look like A to Z; they are compared as A to Z. The result is
        empty if neither text has any.
        """
        written = {"number": self.number, "case_reference": self.case_reference}
        return tuple(
            EntryWarning("look_alike_folded", f"/basis/{member}", typed_numbers.DOUBTS["look_alike_folded"])
            for member, text in written.items()
            if plain(text).alike
        )

    def basis(self) -> Basis:
        """Return the legal ground as a domain object."""
        return msgspec.convert(self.model_dump(mode="json"), Basis)


class EntryIn(WireIn):
    """A requested measure."""

    measure: Measure
    """`prevention`: may not leave Indonesia; `deterrence`: may not enter it (foreigners only)."""
    subject: SubjectIn
    """The person."""
    basis: BasisIn
    """The legal ground."""
    starts_on: LegalDay | None = None
    """First legal day of the measure (Asia/Jakarta)."""
    ends_on: LegalDay | None = None
    """Last legal day, included: at most six months from the first for `prevention`, ten years for `deterrence`."""
    lifetime: StrictBool = False
    """Whether a `deterrence` is for life; then there is no last day."""
    unknown: Annotated[list[Unknown], Field(max_length=5)] = []
    """The members of the person that are not known, as a confirmation that they were not forgotten."""
    sealed_for: SealedFor | None = None
    """Employee numbers of the only persons, beside authors and auditors, who may see the entry."""

    def requested(self) -> RequestedMeasure:
        """Return the requested measure as a domain object.

        Raises:
            PhotoInvalid: the photo can't be used (see `photos.take`).
            Invalid: an attachment can't be used (see `AttachmentIn.taken`).
        """
        return RequestedMeasure(
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
            notices=(*self.subject.notices(), *self.basis.notices()),
        )


class LetterIn(WireIn):
    """The letter on which an urgent request is based; the SHA-256 of an attached file must be `sha256`."""

    number: Reference
    """The letter's number."""
    issued_on: LegalDay
    """The day on which it was signed."""
    sha256: Sha256
    """SHA-256 of the letter's file, in hexadecimal."""
    attachment: AttachmentIn | None = None
    """The letter's file; without it a countersigning officer is warned that nobody has seen the letter."""

    def taken(self) -> tuple[Letter, Blob | None]:
        """Return the letter, and its file; None for the file if it was not sent.

        Raises:
            Invalid: the attachment can't be used (see `AttachmentIn.taken`).
        """
        sent = self.attachment
        letter = Letter(self.number, self.issued_on, self.sha256, sent.media_type if sent else None)
        return letter, sent.taken("letter", self.sha256, "/letter/attachment") if sent else None


class SubstituteIn(WireIn):
    """The absent head of the agency, in whose place a substitute signs, and the substitute's mandate."""

    absent_head: Line
    """Name of the absent head of the office."""
    mandate: Line
    """The mandate that allows the substitute to sign."""


class AlertWishIn(WireIn):
    """The owner's message to the checkpoints, and the checkpoints that are reminded first."""

    message: Annotated[Prose, Field(max_length=1000)]
    """What the counters read, besides the person: never a detail of the case."""
    checkpoints: Annotated[list[Code], Field(max_length=500)] | None = None
    """Codes of the checkpoints to be reminded first of their acknowledgement; every checkpoint is alerted."""


class UrgentEntryIn(WireIn):
    """An urgent measure: an entry without a period, based on a letter."""

    measure: Measure
    """`prevention`: may not leave Indonesia; `deterrence`: may not enter it (foreigners only)."""
    subject: SubjectIn
    """The person."""
    basis: BasisIn
    """The legal ground."""
    unknown: Annotated[list[Unknown], Field(max_length=5)] = []
    """The members of the person that are not known, as a confirmation that they were not forgotten."""
    letter: LetterIn | None = Field(None, description="Required; its absence is `missing-subject-data`.")
    requested_at: Moment | None = None
    """When the request was made, at most 24 hours ago; the twenty days count from then."""
    substitute: SubstituteIn | None = None
    """The substitute of an absent head, if there is one."""
    alert: AlertWishIn | None = None
    """The message to the checkpoints, in addition to the person."""
    sealed_for: SealedFor | None = None
    """Employee numbers of the only persons, beside authors and auditors, who may see the entry. At least one is a duty
    officer who did not write it."""

    def requested(self) -> RequestedUrgentMeasure:
        """Return the requested urgent measure as a domain object.

        Raises:
            PhotoInvalid: the photo can't be used (see `photos.take`).
            Invalid: an attachment can't be used (see `AttachmentIn.taken`).
        """
        letter, attachment = self.letter.taken() if self.letter else (None, None)
        return RequestedUrgentMeasure(
            measure=self.measure,
            subject=self.subject.subject(),
            photo=self.subject.taken_photo(),
            basis=self.basis.basis(),
            unknown=tuple(self.unknown),
            sealed_for=named_persons(self.sealed_for),
            loss_document=self.subject.taken_loss_document(),
            notices=(*self.subject.notices(), *self.basis.notices()),
            letter=letter,
            attachment=attachment,
            requested_at=self.requested_at,
            substitute=Substitute(**self.substitute.model_dump()) if self.substitute else None,
            message=self.alert.message if self.alert else None,
            chase=tuple((self.alert.checkpoints if self.alert else None) or ()),
        )


class FormalisationIn(WireIn):
    """The formal decision that follows an urgent entry; without `subject`, the urgent entry's subject is kept."""

    basis: BasisIn
    """The legal ground of the formal decision."""
    starts_on: LegalDay | None = None
    """First legal day of the formal measure."""
    ends_on: LegalDay | None = None
    """Last legal day, included."""
    lifetime: StrictBool = False
    """Whether a `deterrence` is for life."""
    gap_acknowledged: StrictBool = Field(
        False, description="Needed where the period begins later than the day after the urgent entry's last."
    )
    unknown: Annotated[list[Unknown], Field(max_length=5)] | None = None
    """What is not known of the person; without it the urgent entry's list is kept, but if a `subject` is sent, nothing
    counts as unknown."""
    subject: SubjectIn | None = Field(
        None,
        description="Of the same person; documents and spellings of the urgent entry stay where it does not repeat "
        "them.",
    )
    withdrawn_names: Annotated[list[Line], Field(max_length=100)] = Field(
        [], description="Spellings of the urgent entry that are wrong, and so don't stay as aliases."
    )
    sealed_for: SealedFor | None = None
    """Employee numbers of persons that may see the entry. Only its authors, auditors and the persons in the urgent
    entry's seal may see it besides."""

    def formal(self) -> Formal:
        """Return the requested formal decision as a domain object.

        Raises:
            PhotoInvalid: the photo can't be used (see `photos.take`).
            Invalid: an attachment can't be used (see `AttachmentIn.taken`).
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
            notices=(*(self.subject.notices() if self.subject else ()), *self.basis.notices()),
            sealed_for=named_persons(self.sealed_for),
        )


class SealIn(WireIn):
    """The persons that a seal names; they may see the sealed entry in addition to its authors and auditors."""

    persons: SealedFor

    def named(self) -> tuple[str, ...]:
        """Return the employee numbers of the persons in normal form, without separators."""
        return tuple(map(normal_person, self.persons))


class DecisionIn(WireIn):
    """The decision of another person: a verdict, with a reason where it refuses."""

    verdict: Verdict
    """The decision: `verify` or `return` by a verifier; `approve`, `return`, `reject` or `keep` by an approver;
    `countersign` or `reject` by a duty officer.
    """
    reason: Prose | None = None
    """The reason; required to return, to reject and to keep."""


class SearchIn(WireIn):
    """The person to search for; at least one of name, document and nik."""

    name: Name | None = None
    """A name, in any script."""
    birth: BirthIn | None = None
    """The birth. Entries with a birth that contradicts it are left out; entries without a birth are shown."""
    document: Line | None = None
    """A document's number."""
    nik: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | None = None
    """An Indonesian identity number (NIK)."""
    measure: Measure | None = None
    """Only this measure."""
    state: State | None = None
    """Only entries in this state."""
    hit_id: Line | None = None
    """The open hit for which a supervisor searches; required for supervisors."""
    limit: Annotated[StrictInt, Field(ge=1, le=500)] = 50
    """The greatest number of items on a page."""
    cursor: Line | None = None
    """Where to continue: `next_cursor` of the page before."""
