"""The wire of the register (contract sections 3 and 4)."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    Tag,
)
from pydantic_core import PydanticCustomError

from app.access.domain import Instrument
from app.entries import photos
from app.entries.blobs import Blob
from app.entries.domain import Basis, Letter, Measure, State, Substitute, Verdict
from app.entries.subjects import Subject
from app.entries.wanted import Formal, UrgentWanted, Wanted
from app.errors import Fault, Invalid
from app.identity.births import birth_from_json
from app.web.wire import Code, Day, LegalDay, Line, Moment, Prose, WireIn

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
DocumentType = Literal[
    "passport", "service_passport", "diplomatic_passport", "travel_permit", "national_id", "other"
]
StateCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}$")]
"""ICAO 9303 part 3 code of a state or organisation."""

Unknown = Literal["nik", "documents", "address", "nationalities", "occupation"]
Sex = Literal["male", "female", "unspecified"]
_LONGEST_ATTACHMENT = 1024 * 1024
BIRTH_EXAMPLES = [{"date": "1970-05"}, {"age": 45, "as_of": "2026-11-23"}, {"from": "1968", "to": "1970"}]


def _birth(shape: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        birth_from_json(shape)
    except ValueError as error:
        raise PydanticCustomError("birth", "{detail}", {"detail": str(error)}) from None
    return shape


PartialDate = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$")]


class BirthDateIn(WireIn):
    """A birth date, as precise as it is known."""

    date: PartialDate


class BirthAgeIn(WireIn):
    """An age in completed years on a day."""

    age: Annotated[StrictInt, Field(ge=0, le=150)]
    as_of: Day


class BirthRangeIn(WireIn):
    """A span in which the birth lies."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    from_: Annotated[PartialDate, Field(alias="from")]
    to: PartialDate


def _readable_birth(
    value: BirthDateIn | BirthAgeIn | BirthRangeIn,
) -> BirthDateIn | BirthAgeIn | BirthRangeIn:
    _birth(value.model_dump(mode="json", by_alias=True))
    return value


def _birth_shape(value: Any) -> str:
    """Which of the three shapes is meant, so that only its faults are told."""
    given = value if isinstance(value, Mapping) else {}
    if isinstance(value, BirthAgeIn) or "age" in given or "as_of" in given:
        return "birth_age"
    return (
        "birth_range" if isinstance(value, BirthRangeIn) or "from" in given or "to" in given else "birth_date"
    )


BirthIn = Annotated[
    Annotated[BirthDateIn, Tag("birth_date")]
    | Annotated[BirthAgeIn, Tag("birth_age")]
    | Annotated[BirthRangeIn, Tag("birth_range")],
    Discriminator(_birth_shape),
    AfterValidator(_readable_birth),
    Field(examples=BIRTH_EXAMPLES),
]


class AliasIn(WireIn):
    """Another name of the subject."""

    name: Line
    quality: Literal["good", "low"] = "good"


class DocumentIn(WireIn):
    """A document of the subject."""

    type: DocumentType
    number: Annotated[Line, Field(max_length=40)]
    issuing_state: StateCode | None = None
    expires_on: Day | None = None


class PhotoIn(WireIn):
    """A photo; at most 1 MiB decoded."""

    media_type: Literal["image/jpeg", "image/png"]
    data: Annotated[str, Field(max_length=photos.LARGEST * 2, description="base64")]


class SubjectIn(WireIn):
    """The person. What the law demands and is missing is told by `missing-subject-data`."""

    full_name: Line | None = None
    aliases: Annotated[list[AliasIn], Field(max_length=100)] = []
    sex: Sex | None = None
    birth: BirthIn | None = None
    birth_alternatives: Annotated[list[BirthIn], Field(max_length=20)] = []
    birth_place: Line | None = None
    nationalities: Annotated[list[StateCode], Field(max_length=10)] = []
    nik: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | None = None
    occupation: Line | None = None
    address: Prose | None = None
    documents: Annotated[list[DocumentIn], Field(max_length=50)] = []
    photo: PhotoIn | None = None

    def subject(self) -> Subject:
        """The person, without the photo's bytes."""
        values = self.model_dump(mode="json", by_alias=True, exclude={"photo"})
        return msgspec.convert({**values, "full_name": self.full_name or ""}, Subject)

    def taken_photo(self) -> Blob | None:
        """The photo, checked and stripped.

        Raises:
            PhotoInvalid: as `photos.take`.
        """
        return photos.take(self.photo.media_type, self.photo.data) if self.photo else None


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

    def wanted(self) -> Wanted:
        """The measure that is asked for.

        Raises:
            PhotoInvalid: as `photos.take`.
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
        )


class AttachmentIn(WireIn):
    """A letter's scan or file."""

    media_type: Literal["application/pdf", "image/jpeg", "image/png"]
    data: Annotated[str, Field(max_length=_LONGEST_ATTACHMENT * 2, description="base64")]


class LetterIn(WireIn):
    """The letter that an urgent request rests on; an attachment must hash to `sha256`."""

    number: Line
    issued_on: LegalDay
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    attachment: AttachmentIn | None = None

    def taken(self) -> tuple[Letter, Blob | None]:
        """The letter, and its bytes where they were sent.

        Raises:
            Invalid: the attachment is no base64, too large, or hashes to something else.
        """
        sent = self.attachment
        letter = Letter(self.number, self.issued_on, self.sha256, sent.media_type if sent else None)
        if sent is None:
            return letter, None
        pointer = "/letter/attachment/data"
        try:
            data = base64.b64decode(sent.data, validate=True)
        except (binascii.Error, ValueError):
            fault = Fault(pointer, "base64", "The attachment's data is no base64 text.")
            raise Invalid(fault.detail, faults=[fault]) from None
        if len(data) > _LONGEST_ATTACHMENT:
            fault = Fault(pointer, "size", "An attachment has at most 1 MiB.")
            raise Invalid(fault.detail, faults=[fault])
        if hashlib.sha256(data).hexdigest() != self.sha256:
            fault = Fault(pointer, "sha256", "The attachment does not hash to the letter's sha256.")
            raise Invalid(fault.detail, faults=[fault])
        return letter, Blob(self.sha256, "letter", sent.media_type, data)


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

    def wanted(self) -> UrgentWanted:
        """The urgent measure that is asked for.

        Raises:
            PhotoInvalid, Invalid: as `photos.take` and `LetterIn.taken`.
        """
        letter, attachment = self.letter.taken() if self.letter else (None, None)
        return UrgentWanted(
            measure=self.measure,
            subject=self.subject.subject(),
            photo=self.subject.taken_photo(),
            basis=self.basis.basis(),
            unknown=tuple(self.unknown),
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
    subject: SubjectIn | None = None

    def formal(self) -> Formal:
        """The formal decision that is asked for.

        Raises:
            PhotoInvalid: as `photos.take`.
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
        )


class DecisionIn(WireIn):
    """What another pair of eyes says."""

    verdict: Verdict
    reason: Prose | None = None


class SearchIn(WireIn):
    """Whom to look for; at least one of name, document and nik."""

    name: Line | None = None
    birth: BirthIn | None = None
    document: Line | None = None
    nik: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | None = None
    measure: Measure | None = None
    state: State | None = None
    hit_id: Line | None = None
    limit: Annotated[StrictInt, Field(ge=1, le=500)] = 50
    cursor: Line | None = None
