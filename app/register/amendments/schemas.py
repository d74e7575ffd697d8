"""Request and response bodies of amendments."""

from datetime import date, datetime
from typing import Annotated, Any, Self

import msgspec
from pydantic import Field, StrictBool, StringConstraints

from app.errors import CekalError, Fault, Invalid
from app.register.amendments.domain import (
    Amendment,
    AmendmentKind,
    AmendmentLetter,
    AmendmentState,
    Effect,
    Extension,
    Judgment,
    Scope,
)
from app.register.amendments.requested import RequestedAmendment, RequestedCorrection
from app.register.entries.attachments import AttachmentIn, MediaType, Sha256
from app.register.entries.blobs import Blob
from app.register.entries.domain import Verdict
from app.register.entries.person_schemas import SubjectIn
from app.register.entries.schemas import BasisIn, SealedFor, Unknown, named_persons
from app.register.entries.schemas_out import BasisOut, BreadthOut, SubjectOut, WarningOut
from app.web.wire import LegalDay, Line, Moment, Prose, Reference, WireIn, WireOut


class AmendmentLetterIn(WireIn):
    """The letter on which an amendment is based."""

    number: Reference
    """The letter's number."""
    issued_on: LegalDay
    """The day on which it was signed."""


class ExtensionIn(WireIn):
    """A later last day, with the decision that extends the measure, in the same case."""

    ends_on: LegalDay
    """The new last day."""
    basis: BasisIn
    """The extension's own decision."""


class CorrectionIn(WireIn):
    """The corrected content of an entry: the whole subject, the whole basis, an earlier last day, or several of them.

    A ban for life may get a last day in this way.
    """

    subject: SubjectIn | None = Field(
        None, description="Without a photo the entry's is kept; former spellings stay as aliases."
    )
    basis: BasisIn | None = None
    """The whole corrected legal ground; without it the entry's is kept."""
    ends_on: LegalDay | None = Field(
        None,
        description="An earlier last day, not before the day of approval; of a ban for life a last day at most ten "
        "years from its first.",
    )
    withdrawn_names: Annotated[list[Line], Field(max_length=100)] = Field(
        [], description="Spellings of the entry that are wrong, and so don't stay as aliases."
    )
    unknown: Annotated[list[Unknown], Field(max_length=5)] | None = None
    """The members of the person that are not known; without it the entry's list is kept."""

    def requested(self) -> RequestedCorrection:
        """Return the requested correction as a domain object.

        Raises:
            PhotoInvalid: the photo can't be used (see `photos.take`).
            Invalid: an attachment can't be used (see `AttachmentIn.taken`).
        """
        try:
            photo = self.subject.taken_photo() if self.subject else None
            loss_document = self.subject.taken_loss_document() if self.subject else None
        except CekalError as error:
            raise error.under("/correction") from None
        return RequestedCorrection(
            subject=self.subject.subject() if self.subject else None,
            photo=photo,
            basis=self.basis.basis() if self.basis else None,
            withdrawn_names=tuple(self.withdrawn_names),
            unknown=None if self.unknown is None else tuple(self.unknown),
            ends_on=self.ends_on,
            loss_document=loss_document,
            notices=self.subject.notices() if self.subject else (),
        )


class RevocationIn(WireIn):
    """The decision, order or request that the owner withdraws, and which entries the withdrawal ends."""

    refers_to_number: Reference
    """Number of the withdrawn decision, order or request."""
    scope: Scope = Field(
        Scope.MEASURE,
        description="`measure` ends every entry and request of the case against the person with the same measure; "
        "`entry` only the one that is named.",
    )


class JudgmentIn(WireIn):
    """A court's judgment in the case for which the measure was ordered."""

    number: Reference
    """The judgment's number."""
    court: Line
    """The court."""
    decided_on: LegalDay
    """The day of the judgment."""
    final_on: LegalDay | None = Field(
        None, description="When it became final; null only with the effect `immediate`."
    )
    case_reference: Reference
    """The case in which it was given: the entry's."""
    effect: Effect = Field(Effect.FINAL, description="`immediate` is for annulments only.")
    all_charges: StrictBool | None = Field(
        None,
        description="Of an acquittal: whether it acquits of every charge of the case. `true` is needed to end "
        "anything; `false` becomes a question to the owner.",
    )
    sha256: Sha256 | None = None
    """SHA-256 of the judgment's file, in hexadecimal."""
    attachment: AttachmentIn | None = Field(
        None, description="The judgment itself; needed, with its `sha256`, from who does not own the entry."
    )

    def taken(self) -> tuple[Judgment, Blob | None]:
        """Return the judgment, and its document; None for the document if it was not sent.

        Raises:
            Invalid: the attachment can't be used (see `AttachmentIn.taken`), or comes without its `sha256`.
        """
        values = self.model_dump(exclude={"attachment"})
        sent, document = self.attachment, None
        if sent is not None:
            if self.sha256 is None:
                fault = Fault("/judgment/sha256", "required", "An attachment comes with its SHA-256.")
                raise Invalid(fault.detail, faults=[fault])
            document = sent.taken("judgment", self.sha256, "/judgment/attachment")
        return Judgment(**values, media_type=sent.media_type if sent else None), document


class AmendmentIn(WireIn):
    """An amendment: its kind, and only the member for that kind."""

    kind: AmendmentKind
    """The kind of amendment; only the part of this kind is given."""
    reason: Prose
    """The reason for the amendment."""
    letter: AmendmentLetterIn | None = None
    """The letter on which it is based."""
    extension: ExtensionIn | None = None
    """Of an `extension`: the later last day and its decision."""
    correction: CorrectionIn | None = None
    """Of a `correction`: the corrected content."""
    revocation: RevocationIn | None = None
    """Of a `revocation`: the withdrawn decision."""
    judgment: JudgmentIn | None = None
    """Of an `acquittal` or an `annulment`: the court's judgment."""
    grounds: Annotated[str, StringConstraints(pattern=r"^(obj|cor)_[0-9A-Za-z]{1,36}$")] | None = Field(
        None,
        description="Of an annulment: the granted objection, or the correction request `wrong_person` granted in "
        "full, on which it rests.",
    )
    sealed_for: SealedFor | None = None
    """Employee numbers of the persons who may see the entry from now on, beside its authors and auditors."""

    def requested(self) -> RequestedAmendment:
        """Return the requested amendment as a domain object.

        Raises:
            PhotoInvalid: the photo can't be used (see `photos.take`).
            Invalid: an attachment can't be used (see `JudgmentIn.taken`).
        """
        extension = self.extension
        judgment, document = self.judgment.taken() if self.judgment else (None, None)
        return RequestedAmendment(
            kind=self.kind,
            reason=self.reason,
            letter=AmendmentLetter(**self.letter.model_dump()) if self.letter else None,
            extension=Extension(extension.ends_on, extension.basis.basis()) if extension else None,
            correction=self.correction.requested() if self.correction else None,
            refers_to_number=self.revocation.refers_to_number if self.revocation else None,
            judgment=judgment,
            scope=self.revocation.scope if self.revocation else Scope.MEASURE,
            document=document,
            grounds=self.grounds,
            sealed_for=named_persons(self.sealed_for),
        )


class AmendmentLetterOut(WireOut):
    """The letter on which an amendment is based."""

    number: str
    issued_on: date


class ExtensionOut(WireOut):
    """A later last day."""

    ends_on: date
    basis: BasisOut


class CorrectionOut(WireOut):
    """The corrected content. `subject`, `basis` and `ends_on` are null where the correction does not change them."""

    subject: SubjectOut | None
    basis: BasisOut | None
    ends_on: date | None
    unknown: list[str]
    """What is not known of the person after the correction; always the whole list."""


class RevocationOut(WireOut):
    """The withdrawn letter, and which entries the withdrawal ends."""

    refers_to_number: str
    scope: Scope


class JudgmentOut(WireOut):
    """A court's judgment."""

    number: str
    court: str
    decided_on: date
    final_on: date | None
    case_reference: str
    effect: Effect
    """When it takes effect: `immediate` before it is final."""
    all_charges: bool | None
    sha256: str | None
    media_type: MediaType | None
    """Media type of the attached file; null without one."""


class AmendmentDecisionOut(WireOut):
    """A decision on an amendment."""

    verdict: Verdict
    """The decision."""
    by: str
    """Id of the client that decided."""
    at: Moment
    """When it was made."""
    reason: str | None
    """The reason; null where none was given."""


class AmendmentOut(WireOut):
    """An amendment. If `referred`, it only asks the entry's owner to end the measure; the owner may return it."""

    id: str
    """The amendment's id."""
    version: int
    """Its version, which grows with each decision."""
    entry_id: str
    """Id of the entry that it would change."""
    entry_version: int
    """Version of the entry for which it was filed."""
    kind: AmendmentKind
    state: AmendmentState
    """Its state."""
    agency: str
    """Code of the agency that filed it."""
    owner: str
    """Code of the agency that owns the entry."""
    reason: str
    letter: AmendmentLetterOut | None
    extension: ExtensionOut | None
    correction: CorrectionOut | None
    revocation: RevocationOut | None
    judgment: JudgmentOut | None
    grounds: str | None
    ends: Annotated[
        list[str],
        Field(
            description="Ids of the entries and requests that its approval ends, without those that the reader may "
            "not see. While it waits, they are those of now, and the version changes when they change."
        ),
    ]
    approvals: Annotated[
        int,
        Field(
            description="How many persons have approved it. A correction that names another person, or states a loss "
            "of citizenship, needs two, and stays `verified` after the first."
        ),
    ]
    submitted_by: str
    """Id of the client that filed it."""
    decisions: list[AmendmentDecisionOut]
    """The decisions on it, in order."""
    warnings: list[WarningOut]
    """Warnings: content that was accepted but should be examined."""
    breadth: Annotated[
        BreadthOut | None,
        Field(
            description="How many recent travellers the corrected entry would have stopped, counted when the "
            "correction was filed; null for other amendments, and if they were not counted."
        ),
    ]
    received_at: Moment
    """When the register received it."""
    due_at: Annotated[
        Moment,
        Field(
            description="The last instant for the decision, or for the owner's answer if `referred`: after seven days "
            "(a setting); for an extension at the latest three days before the measure's end; for an acquittal at "
            "once, when it was received."
        ),
    ]
    updated_at: Moment
    """When it last changed."""

    @classmethod
    def of(cls, amendment: Amendment) -> Self:
        """Convert the amendment to the API's model."""
        values: dict[str, Any] = msgspec.to_builtins(amendment, builtin_types=(datetime, date))
        number = values["refers_to_number"]
        values["revocation"] = (
            None if number is None else {"refers_to_number": number, "scope": amendment.scope}
        )
        values["approvals"] = amendment.approvals
        values["breadth"] = amendment.breadth and BreadthOut.of(amendment.breadth)
        values["decisions"] = values["steps"]
        subject = (values["correction"] or {}).get("subject")
        if subject is not None and subject["photo"] is not None:
            subject["photo"]["url"] = f"/v1/amendments/{amendment.id}/photo"
        return cls.model_validate({name: values[name] for name in cls.model_fields})
