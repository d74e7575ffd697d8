"""The wire of the register (contract sections 3 and 4)."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Self

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
from app.entries import periods, photos
from app.entries.domain import (
    Basis,
    Entry,
    Letter,
    Measure,
    State,
    Subject,
    Substitute,
    Verdict,
)
from app.entries.service import UrgentWanted, Wanted
from app.entries.store import Blob
from app.errors import Fault, Invalid
from app.identity.births import birth_from_json
from app.settings import Settings
from app.web.wire import Code, Day, LegalDay, Line, Moment, Prose, WireIn, WireOut

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
_BIRTH_EXAMPLES = [{"date": "1970-05"}, {"age": 45, "as_of": "2026-11-23"}, {"from": "1968", "to": "1970"}]


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
    Field(examples=_BIRTH_EXAMPLES),
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


class PhotoOut(WireOut):
    """Where the photo is, and what it hashes to."""

    sha256: str
    media_type: str
    url: str


class SubjectOut(WireOut):
    """The person."""

    full_name: str
    aliases: list[AliasOut]
    sex: str | None
    birth: Annotated[Json | None, Field(examples=_BIRTH_EXAMPLES)]
    birth_alternatives: list[Json]
    birth_place: str | None
    nationalities: list[str]
    nik: str | None
    occupation: str | None
    address: str | None
    documents: list[DocumentOut]
    photo: PhotoOut | None


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


class LetterOut(WireOut):
    """The letter of an urgent request."""

    number: str
    issued_on: date
    sha256: str
    media_type: str | None


class DeadlineOut(WireOut):
    """A period of the law that runs, and when it was kept."""

    name: str
    due_at: Moment
    met_at: Moment | None


class WarningOut(WireOut):
    """Something that was accepted but should be looked at."""

    code: str
    pointer: str
    detail: str


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
    requested_at: Moment | None
    received_at: Moment
    ended_reason: str | None
    ended_at: Moment | None
    extension_count: int
    crossing: str | None
    legal_deadlines: list[DeadlineOut]
    warnings: list[WarningOut]
    created_at: Moment
    updated_at: Moment
    sequence: int | None

    @classmethod
    def of(cls, entry: Entry, now: datetime, settings: Settings) -> Self:
        """The entry on the wire, at an instant."""
        values: Json = msgspec.to_builtins(entry, builtin_types=(datetime, date))
        photo = values["subject"]["photo"]
        if photo is not None:
            photo["url"] = f"/v1/entries/{entry.id}/photo"
        values["in_force"] = entry.in_force(now)
        values["legal_deadlines"] = _deadlines(entry, settings)
        return cls.model_validate({name: values[name] for name in cls.model_fields})


def _deadlines(entry: Entry, settings: Settings) -> list[Json]:
    if not entry.urgent or entry.ends_on is None:
        return []
    countersign = entry.received_at + timedelta(hours=settings.countersign_within_hours)
    return [
        {"name": "countersign", "due_at": countersign, "met_at": entry.countersigned_at},
        {"name": "approve_before_lapse", "due_at": periods.over_at(entry.ends_on), "met_at": None},
    ]


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
