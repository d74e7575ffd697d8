"""Response bodies of entries (API sections 3 and 4); the request bodies are in `schemas`."""

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import Field

from app.access.domain import Instrument
from app.register.entries.attachments import MediaType
from app.register.entries.breadth import MEANINGS as SHORTFALLS
from app.register.entries.breadth import Breadth, Shortfall
from app.register.entries.content import DEFAULTS
from app.register.entries.domain import EndedReason, Entry, Measure, State
from app.register.entries.law.deadlines import MEANINGS, DeadlineName, Terms, deadlines
from app.register.entries.person_schemas import BIRTH_EXAMPLES, DocumentType, Sex
from app.register.entries.schemas import ReasonCode, Stage, SubjectStatus, SubstituteIn, Unknown
from app.register.entries.subjects import Citizenship
from app.settings import Settings
from app.web.wire import Moment, WireOut

Json = dict[str, Any]


class AliasOut(WireOut):
    """Another name of the subject."""

    name: str
    quality: Literal["good", "low"]
    """How certain it is that the subject bears the name. `low` is weak evidence: no search key is made of it."""


class DocumentOut(WireOut):
    """A document of the subject."""

    type: DocumentType
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
    """The path and the SHA-256 of a photo."""

    sha256: str
    """SHA-256 of the photo as it is served, in hexadecimal."""
    media_type: Literal["image/jpeg", "image/png"]
    url: str
    """Path at which it is read."""


class IdentityOut(WireOut):
    """The data that identify the person."""

    full_name: str
    """The person's name."""
    aliases: list[AliasOut]
    """The person's other names, former spellings among them."""
    sex: Sex | None
    """The person's sex; null where it is not known."""
    birth: Annotated[Json | None, Field(examples=BIRTH_EXAMPLES)]
    """The birth: a `date` as precise as it is known, an `age` `as_of` a day, or a span `from` `to`; null if unknown."""
    birth_alternatives: list[Json]
    """Other births that the person has used, in the same shapes."""
    birth_place: str | None
    """Where the person was born; null where it is not known."""
    nationalities: list[str]
    """ICAO 9303 codes of the person's nationalities."""
    nik: str | None
    """The person's Indonesian identity number (NIK); null without one."""
    documents: list[DocumentOut]
    """The person's documents."""
    photo: PhotoOut | None
    """The photo's path and SHA-256; null without one."""


class SubjectOut(IdentityOut):
    """The person."""

    occupation: str | None
    """The person's occupation; null where it is not known."""
    address: str | None
    """The person's address; null where it is not known."""
    citizenship_note: str | None
    citizenship_loss: CitizenshipLossOut | None


class ReopeningOut(WireOut):
    """The later judgment that allows a request in a case closed by an acquittal."""

    number: str
    court: str
    decided_on: date


class BasisOut(WireOut):
    """The legal ground."""

    instrument: Instrument
    number: str
    issued_on: date
    received_on: date | None
    late_reason: str | None
    signed_by: str | None
    signed_by_position: str | None
    law: str
    reason_code: ReasonCode
    reason: str
    case_reference: str
    stage: Stage | None
    subject_status: SubjectStatus
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
    media_type: MediaType | None
    """Media type of the attached file; null without one."""


class DeadlineOut(WireOut):
    """A deadline of the law, and when it was met; it was met late where `met_at` is after `due_at`."""

    name: Annotated[
        DeadlineName,
        Field(description=" ".join(f"`{name}`: {meaning}" for name, meaning in MEANINGS.items())),
    ]
    due_at: Annotated[
        Moment, Field(description="The last instant in time; 23:59:59 WIB where the law counts days.")
    ]
    met_at: Moment | None
    """When it was met; null while it runs, and where it never was."""


class WarningOut(WireOut):
    """A warning about content that was accepted but that an officer should look at."""

    code: str
    """A stable code that a program can act on."""
    pointer: str
    """Where it is: an RFC 6901 JSON pointer into the body that was sent."""
    detail: str
    """A sentence for a person."""


class BreadthOut(WireOut):
    """The number of travellers that an entry would have stopped by name and birth date alone, and how it was counted.

    Travellers of the last 30 days are counted. A traveller with a document or NIK of the entry is the entry's subject,
    and is not counted.
    """

    would_stop: Annotated[
        int | None, Field(description="An estimate where `compared` is less than `travellers`.")
    ]
    fewer_than: Annotated[int | None, Field(description="In place of a number too small to publish.")]
    at_most: Annotated[
        int | None, Field(description="With 95 % confidence; null where the number is not known.")
    ]
    travellers: Annotated[
        int, Field(description="Checked at the border from `since` to `until`, each counted once.")
    ]
    compared: Annotated[int, Field(description="How many of them were compared with it.")]
    since: Moment | None
    """From when travellers are counted; null where none were."""
    until: Moment | None
    """Until when travellers are counted; null where none were."""
    shortfalls: Annotated[
        list[Shortfall],
        Field(description=" ".join(f"`{each}`: {meaning}." for each, meaning in SHORTFALLS.items())),
    ]
    limit: Annotated[
        int, Field(description="Above it the entry is broad (`urgent_breadth_limit`); 0: none is.")
    ]
    broad: Annotated[bool, Field(description="An urgent entry that is broad works only once countersigned.")]

    @classmethod
    def of(cls, breadth: Breadth) -> Self:
        """Convert a count to the API's model."""
        return cls(**{name: getattr(breadth, name) for name in cls.model_fields})


class RejectionProposalOut(WireOut):
    """A duty officer's proposal to reject a countersigned entry: who made it, when, and why."""

    by: str
    """Id of the duty officer's client that proposed it."""
    at: Moment
    """When it was proposed."""
    reason: str
    """The reason."""


class EntryOut(WireOut):
    """An entry in its present state."""

    id: str
    """The entry's id."""
    version: int
    """Its version: each change makes a new one. Send its ETag as `If-Match` with an act."""
    state: State
    """Its present state."""
    in_force: bool
    """Whether the measure holds now."""
    urgent: bool
    """Whether it is an urgent entry."""
    formalises: str | None
    """Id of the urgent entry that this formal one takes over from; null for others."""
    measure: Measure
    agency: str
    """Code of its owner."""
    office: str | None
    """Code of the office that filed it; null where the client has none."""
    citizenship: Citizenship
    """`WNI` if a nationality, an issuing state or a well-formed NIK indicates Indonesia, and neither `citizenship_loss`
    nor `citizenship_note` explains it; else `WNA`."""
    subject: SubjectOut
    basis: BasisOut
    letter: LetterOut | None
    """Of an urgent entry: the letter on which it is based."""
    substitute: SubstituteIn | None
    """The substitute of an absent head, and the mandate; null without one."""
    unknown: list[Unknown]
    starts_on: date
    ends_on: date | None
    lifetime: bool
    submitted_by: str
    """Id of the client that submitted it."""
    countersigned_by: str | None
    """Id of the client that countersigned an urgent entry; null before, and for others."""
    countersigned_at: Moment | None
    """When it was countersigned; null before."""
    second_approval_at: Moment | None
    """When the second approver approved, where two are needed; else null."""
    rejection_proposed: Annotated[
        RejectionProposalOut | None,
        Field(
            description="A duty officer's wish to reject a countersigned urgent entry, until an approver decides on it."
        ),
    ]
    requested_at: Moment | None
    """When an urgent request was made: as stated, or else when it was entered; null for other entries."""
    received_at: Moment
    """When the register received it."""
    ended_reason: EndedReason | None
    """Why it has ended; null before."""
    ended_at: Moment | None
    """When it ended; null before."""
    gap_acknowledged: bool
    """Whether the owner accepts days without a measure between the urgent entry's end and this one's first day."""
    extension_count: int
    """How often it was extended: once at most, but for entry bans where a setting allows more, and for imports."""
    extended_by: BasisOut | None
    """The extension's own decision; null before."""
    pending_until: Annotated[
        Moment | None,
        Field(
            description="Papers that arrived in time wait for Immigration: until this instant checks refer after "
            "the end, never refuse. Null without such papers, and once they are decided on."
        ),
    ]
    crossing: Literal["departed", "in_country", "unknown"] | None
    """Of an urgent entry: where the person is according to their last border crossing; null for others."""
    legal_deadlines: Annotated[
        list[DeadlineOut],
        Field(description="Soonest first; each name at most once, and only while it is open or was met."),
    ]
    sealed_for: Annotated[
        list[str] | None,
        Field(description="Who sees a sealed entry beside its authors and auditors; null without a seal."),
    ]
    warnings: list[WarningOut]
    """Warnings: content that was accepted but should be examined."""
    breadth: Annotated[
        BreadthOut | None,
        Field(
            description="As it was when the entry was asked for, or last corrected; null for imports and entries of "
            "former releases."
        ),
    ]
    created_at: Moment
    """When it was made."""
    updated_at: Moment
    """When it last changed."""
    erased_at: Annotated[
        Moment | None,
        Field(
            description="When the person was erased, after the retention that follows the end; names and numbers "
            "are replaced by a note since then."
        ),
    ]
    sequence: int | None
    """Number of its last record in the ledger; null before the first."""

    @classmethod
    def of(cls, entry: Entry, now: datetime, settings: Settings) -> Self:
        """Convert the entry, as of the instant `now`, to the API's model; deadlines follow from the settings."""
        values = _values(entry, now)
        running = deadlines(entry.at(now), Terms.of(settings), entry.met)
        values["breadth"] = entry.breadth and BreadthOut.of(entry.breadth)
        values["legal_deadlines"] = [
            {"name": each.name, "due_at": each.due_at, "met_at": each.met_at} for each in running
        ]
        return cls.model_validate({name: values[name] for name in cls.model_fields})


class EntryForHitOut(WireOut):
    """An entry as shown to a supervisor for the examination of a hit: the person and the measure, without the case."""

    id: str
    """The entry's id."""
    version: int
    """Its version."""
    state: State
    """Its present state."""
    in_force: bool
    """Whether the measure holds now."""
    urgent: bool
    """Whether it is an urgent entry."""
    countersigned_at: Annotated[
        Moment | None, Field(description="Until an urgent entry is countersigned, checks only refer.")
    ]
    measure: Measure
    """`prevention`: may not leave; `deterrence`: may not enter."""
    agency: str
    """Code of its owner."""
    citizenship: Citizenship
    """`WNI`: Indonesian; `WNA`: foreigner."""
    subject: IdentityOut
    """The person."""
    starts_on: date
    """First legal day of the measure."""
    ends_on: date | None
    """Last legal day of the measure; null for life."""
    lifetime: bool
    """Whether the measure is for life."""
    pending_until: Moment | None
    """Until when checks refer after the end, because papers that arrived in time are undecided; else null."""

    @classmethod
    def of(cls, entry: Entry, now: datetime) -> Self:
        """Convert the entry, as of the instant `now`, to the API's model."""
        values = _values(entry, now)
        values["subject"] = {name: values["subject"][name] for name in IdentityOut.model_fields}
        return cls.model_validate({name: values[name] for name in cls.model_fields})


def _values(entry: Entry, now: datetime) -> Json:
    """Return an entry's members, and the values derived from them at an instant."""
    values: Json = {**DEFAULTS, **msgspec.to_builtins(entry, builtin_types=(datetime, date))}
    photo = values["subject"]["photo"]
    if photo is not None:
        photo["url"] = f"/v1/entries/{entry.id}/photo"
    values["in_force"] = entry.in_force(now)
    values["pending_until"] = entry.at(now).pending_until
    return values
