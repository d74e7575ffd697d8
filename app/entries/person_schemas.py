"""The wire of a person, as entries and whatever else is told about people write one (contract section 3)."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, ConfigDict, Discriminator, Field, StrictInt, StringConstraints, Tag
from pydantic_core import PydanticCustomError

from app.entries import photos
from app.entries.attachments import AttachmentIn, Sha256
from app.entries.blobs import Blob
from app.entries.subjects import Subject
from app.identity.births import birth_from_json
from app.web.wire import Day, LegalDay, Line, Name, Prose, WireIn

DocumentType = Literal[
    "passport", "service_passport", "diplomatic_passport", "travel_permit", "national_id", "other"
]
StateCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}$")]
"""ICAO 9303 part 3 code of a state or organisation."""

Sex = Literal["male", "female", "unspecified"]
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

    name: Name
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


class CitizenshipLossIn(WireIn):
    """The document by which the person lost Indonesian citizenship (UU 12/2006 art. 23); two approvers judge it."""

    number: Line
    authority: Line
    issued_on: LegalDay
    sha256: Sha256
    attachment: AttachmentIn | None = Field(
        None,
        description="Must hash to `sha256`; needed, unless the entry that is corrected or formalised has the same.",
    )


class SubjectIn(WireIn):
    """The person. What the law demands and is missing is told by `missing-subject-data`."""

    full_name: Name | None = None
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
    citizenship_note: Prose | None = Field(
        None,
        description="Why a NIK, a travel permit (SPLP) or an expired passport of Indonesia does not make this person "
        "an Indonesian citizen; `citizenship` is then `WNA`, with the warning `citizenship_doubt`.",
    )
    citizenship_loss: CitizenshipLossIn | None = Field(
        None,
        description="Needed for an entry ban where a nationality, or a passport that is valid or has no last day, says "
        "Indonesia; `citizenship` is then `WNA`.",
    )

    def subject(self) -> Subject:
        """The person, without the bytes of photo and attachment."""
        beside: dict[str, Any] = {"photo": True, "citizenship_loss": {"attachment"}}
        values = self.model_dump(mode="json", by_alias=True, exclude=beside)
        return msgspec.convert({**values, "full_name": self.full_name or ""}, Subject)

    def taken_photo(self) -> Blob | None:
        """The photo, checked and stripped.

        Raises:
            PhotoInvalid: as `photos.take`.
        """
        return photos.take(self.photo.media_type, self.photo.data) if self.photo else None

    def taken_loss_document(self) -> Blob | None:
        """The document of the loss of citizenship, where its bytes were sent.

        Raises:
            Invalid: as `AttachmentIn.taken`.
        """
        loss = self.citizenship_loss
        if loss is None or loss.attachment is None:
            return None
        pointer = "/subject/citizenship_loss/attachment"
        return loss.attachment.taken("citizenship_loss", loss.sha256, pointer)
