"""Request bodies that describe a person, for entries and other records about people."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, ConfigDict, Discriminator, Field, StrictInt, StringConstraints, Tag
from pydantic_core import PydanticCustomError

from app.identity import typed_numbers
from app.identity.births import birth_from_json
from app.register.entries import photos
from app.register.entries.attachments import AttachmentIn, Sha256
from app.register.entries.blobs import Blob
from app.register.entries.filed_numbers import file_numbers
from app.register.entries.names.parted import part_names
from app.register.entries.subjects import Subject
from app.register.entries.values import EntryWarning
from app.web.wire import Day, LegalDay, Line, Name, Prose, WireIn

DocumentType = Literal[
    "passport", "service_passport", "diplomatic_passport", "travel_permit", "national_id", "other"
]
StateCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}$")]
"""Code of a state or organisation (ICAO 9303 part 3)."""

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
    """A birth date, as precisely as it is known."""

    date: PartialDate
    """A year, a month or a day: `1970`, `1970-05`, `1970-05-17`."""


class BirthAgeIn(WireIn):
    """An age in completed years on a day."""

    age: Annotated[StrictInt, Field(ge=0, le=150)]
    """Completed years."""
    as_of: Day
    """The day on which the person had that age."""


class BirthRangeIn(WireIn):
    """A span of time that contains the birth."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    from_: Annotated[PartialDate, Field(alias="from")]
    """The earliest that the birth can be: a year, a month or a day."""
    to: PartialDate
    """The latest that the birth can be: a year, a month or a day."""


def _readable_birth(
    value: BirthDateIn | BirthAgeIn | BirthRangeIn,
) -> BirthDateIn | BirthAgeIn | BirthRangeIn:
    _birth(value.model_dump(mode="json", by_alias=True))
    return value


def _birth_shape(value: Any) -> str:
    """Return the tag of the birth shape that the value resembles, so that only this shape's faults are reported."""
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
    """The other name."""
    quality: Literal["good", "low"] = "good"
    """`good`: known to be used by the person; `low`: too weak to stop anybody by itself."""


LONGEST_NUMBER = 40
MAX_WRITTEN = 200
"""Maximum length of a field with several numbers and comments, in characters."""


def _fileable(text: str) -> str:
    typed = typed_numbers.read(text)
    if typed.fault is not None:
        raise PydanticCustomError(typed.fault, "{detail}", {"detail": typed_numbers.FAULTS[typed.fault]})
    if any(len(each.written) > LONGEST_NUMBER for each in typed.numbers):
        detail = f"A number has at most {LONGEST_NUMBER} characters."
        raise PydanticCustomError("string_too_long", "{detail}", {"detail": detail})
    return text


class DocumentIn(WireIn):
    """A document of the subject."""

    type: DocumentType
    """The kind of document; `travel_permit` is an SPLP."""
    number: Annotated[
        Line,
        Field(
            max_length=MAX_WRITTEN,
            description="One number of at most 40 characters, A to Z and digits. Look-alike letters of other scripts, "
            "words around the number and further numbers get a warning if they are read with certainty; otherwise the "
            "document is refused.",
        ),
        AfterValidator(_fileable),
    ]
    """The document's number: letters A to Z and digits; look-alikes of other scripts are folded with a warning."""
    issuing_state: StateCode | None = None
    """Code of the state that issued it (ICAO Doc 9303 part 3)."""
    expires_on: Day | None = None
    """Its last day; null where it has none, or none is known."""


class PhotoIn(WireIn):
    """A photo; at most 1 MiB decoded."""

    media_type: Literal["image/jpeg", "image/png"]
    """Media type of the picture."""
    data: Annotated[str, Field(max_length=photos.LARGEST * 2)]
    """The picture, in base64; at most 1 MiB decoded."""


class CitizenshipLossIn(WireIn):
    """The document by which the person lost Indonesian citizenship (UU 12/2006 art. 23); two approvers judge it."""

    number: Line
    """The document's number."""
    authority: Line
    """The authority that issued it."""
    issued_on: LegalDay
    """The day on which it was issued."""
    sha256: Sha256
    """SHA-256 of the document's file, in hexadecimal."""
    attachment: AttachmentIn | None = Field(
        None,
        description="Its SHA-256 is `sha256`. Required, unless the corrected or formalised entry has it already.",
    )


class SubjectIn(WireIn):
    """The person. Missing data that the law demands are reported as the problem `missing-subject-data`."""

    full_name: Name | None = None
    """The person's name as the letter has it, in any script."""
    aliases: Annotated[list[AliasIn], Field(max_length=100)] = []
    """Other names of the person."""
    sex: Sex | None = None
    """The person's sex."""
    birth: BirthIn | None = None
    """The birth, as precise as it is known: a day, a month, a year, an age on a day, or a span of time."""
    birth_alternatives: Annotated[list[BirthIn], Field(max_length=20)] = []
    """Other births that the person has used."""
    birth_place: Line | None = None
    """Where the person was born."""
    nationalities: Annotated[list[StateCode], Field(max_length=10)] = []
    """ICAO 9303 codes of the person's nationalities, special codes included."""
    nik: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | None = None
    """The person's Indonesian identity number (NIK)."""
    occupation: Line | None = None
    """The person's occupation."""
    address: Prose | None = None
    """The person's address."""
    documents: Annotated[list[DocumentIn], Field(max_length=50)] = []
    """The person's documents."""
    photo: PhotoIn | None = None
    """A photo of the person (UU 6/2011 art. 94(2))."""
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
        """Return the person as it is filed, without the bytes of photo and attachment.

        A field with several names or document numbers is split into one item for each of them.
        """
        return self._filed()[0]

    def notices(self) -> tuple[EntryWarning, ...]:
        """Return a warning for each name or number that `subject` split or changed; empty if it changed nothing."""
        return self._filed()[1]

    def _filed(self) -> tuple[Subject, tuple[EntryWarning, ...]]:
        named, of_names = part_names(self._written())
        numbered, of_numbers = file_numbers(named)
        return numbered, (*of_names, *of_numbers)

    def _written(self) -> Subject:
        files: dict[str, Any] = {"photo": True, "citizenship_loss": {"attachment"}}
        values = self.model_dump(mode="json", by_alias=True, exclude=files)
        return msgspec.convert({**values, "full_name": self.full_name or ""}, Subject)

    def taken_photo(self) -> Blob | None:
        """Return the photo, validated and without metadata; None where none was sent.

        Raises:
            PhotoInvalid: the photo can't be used (see `photos.take`).
        """
        return photos.take(self.photo.media_type, self.photo.data) if self.photo else None

    def taken_loss_document(self) -> Blob | None:
        """Return the document of the loss of citizenship; None where its bytes were not sent.

        Raises:
            Invalid: the attachment can't be used (see `AttachmentIn.taken`).
        """
        loss = self.citizenship_loss
        if loss is None or loss.attachment is None:
            return None
        pointer = "/subject/citizenship_loss/attachment"
        return loss.attachment.taken("citizenship_loss", loss.sha256, pointer)
