"""The wire of amendments (contract section 3)."""

from datetime import date, datetime
from typing import Annotated, Any, Self

import msgspec
from pydantic import Field, StrictBool, StringConstraints

from app.amendments.domain import (
    Amendment,
    AmendmentKind,
    AmendmentLetter,
    AmendmentState,
    Effect,
    Extension,
    Judgment,
    Scope,
)
from app.amendments.wanted import AmendmentWanted, CorrectionWanted
from app.entries.answers import BasisOut, SubjectOut, WarningOut
from app.entries.attachments import AttachmentIn, Sha256
from app.entries.blobs import Blob
from app.entries.domain import Verdict
from app.entries.person_schemas import SubjectIn
from app.entries.schemas import BasisIn, SealedFor, Unknown, named_persons
from app.errors import CekalError, Fault, Invalid
from app.web.wire import LegalDay, Line, Moment, Prose, WireIn, WireOut


class AmendmentLetterIn(WireIn):
    """The letter that an amendment rests on."""

    number: Line
    issued_on: LegalDay


class ExtensionIn(WireIn):
    """A later last day; the basis is the extension's own decision, in the same case."""

    ends_on: LegalDay
    basis: BasisIn


class CorrectionIn(WireIn):
    """What the entry is to say instead: the whole subject, the whole basis, or both."""

    subject: SubjectIn | None = Field(
        None, description="Without a photo the entry's is kept; former spellings stay as aliases."
    )
    basis: BasisIn | None = None
    ends_on: LegalDay | None = Field(
        None,
        description="An earlier last day, not before the day of approval; of a ban for life a last day at most ten "
        "years from its first.",
    )
    withdrawn_names: Annotated[list[Line], Field(max_length=100)] = Field(
        [], description="Spellings of the entry that are wrong, and so don't stay as aliases."
    )
    unknown: Annotated[list[Unknown], Field(max_length=5)] | None = None

    def wanted(self) -> CorrectionWanted:
        """The correction that is asked for.

        Raises:
            PhotoInvalid, Invalid: as `photos.take` and `AttachmentIn.taken`.
        """
        try:
            photo = self.subject.taken_photo() if self.subject else None
            loss_document = self.subject.taken_loss_document() if self.subject else None
        except CekalError as error:
            raise error.under("/correction") from None
        return CorrectionWanted(
            subject=self.subject.subject() if self.subject else None,
            photo=photo,
            basis=self.basis.basis() if self.basis else None,
            withdrawn_names=tuple(self.withdrawn_names),
            unknown=None if self.unknown is None else tuple(self.unknown),
            ends_on=self.ends_on,
            loss_document=loss_document,
        )


class RevocationIn(WireIn):
    """Which decision, order or request of the owner is taken back, and how far that reaches."""

    refers_to_number: Line
    scope: Scope = Field(
        Scope.MEASURE,
        description="`measure` ends every entry and request of the case against the person with the same measure; "
        "`entry` only the one that is named.",
    )


class JudgmentIn(WireIn):
    """A court's judgment in the case that was the reason of the measure."""

    number: Line
    court: Line
    decided_on: LegalDay
    final_on: LegalDay | None = Field(
        None, description="When it became final; null only with the effect `immediate`."
    )
    case_reference: Line
    effect: Effect = Field(Effect.FINAL, description="`immediate` is for annulments only.")
    all_charges: StrictBool | None = Field(
        None,
        description="Of an acquittal: whether it acquits of every charge of the case. `true` is needed to end "
        "anything; `false` becomes a question to the owner.",
    )
    sha256: Sha256 | None = None
    attachment: AttachmentIn | None = Field(
        None, description="The judgment itself; needed, with its `sha256`, from who does not own the entry."
    )

    def taken(self) -> tuple[Judgment, Blob | None]:
        """The judgment, and its document where it was sent.

        Raises:
            Invalid: as `AttachmentIn.taken`, or an attachment without its `sha256`.
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
    """An amendment, with only the part of its kind."""

    kind: AmendmentKind
    reason: Prose
    letter: AmendmentLetterIn | None = None
    extension: ExtensionIn | None = None
    correction: CorrectionIn | None = None
    revocation: RevocationIn | None = None
    judgment: JudgmentIn | None = None
    grounds: Annotated[str, StringConstraints(pattern=r"^(obj|cor)_[0-9A-Za-z]{1,36}$")] | None = Field(
        None,
        description="Of an annulment: the granted objection, or the correction request `wrong_person` granted in "
        "full, on which it rests.",
    )
    sealed_for: SealedFor | None = None

    def wanted(self) -> AmendmentWanted:
        """The amendment that is asked for.

        Raises:
            PhotoInvalid, Invalid: as `photos.take` and `JudgmentIn.taken`.
        """
        extension = self.extension
        judgment, document = self.judgment.taken() if self.judgment else (None, None)
        return AmendmentWanted(
            kind=self.kind,
            reason=self.reason,
            letter=AmendmentLetter(**self.letter.model_dump()) if self.letter else None,
            extension=Extension(extension.ends_on, extension.basis.basis()) if extension else None,
            correction=self.correction.wanted() if self.correction else None,
            refers_to_number=self.revocation.refers_to_number if self.revocation else None,
            judgment=judgment,
            scope=self.revocation.scope if self.revocation else Scope.MEASURE,
            document=document,
            grounds=self.grounds,
            sealed_for=named_persons(self.sealed_for),
        )


class AmendmentLetterOut(WireOut):
    """The letter that an amendment rests on."""

    number: str
    issued_on: date


class ExtensionOut(WireOut):
    """A later last day."""

    ends_on: date
    basis: BasisOut


class CorrectionOut(WireOut):
    """What the entry is to say instead; null leaves the part as it is."""

    subject: SubjectOut | None
    basis: BasisOut | None
    ends_on: date | None
    unknown: list[str]


class RevocationOut(WireOut):
    """Which letter is taken back, and how far that reaches."""

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
    all_charges: bool | None
    sha256: str | None
    media_type: str | None


class StepOut(WireOut):
    """A decision on an amendment."""

    verdict: Verdict
    by: str
    at: Moment
    reason: str | None


class AmendmentOut(WireOut):
    """An amendment. `referred` is a question to the owner, which changes nothing; its verifier may return it."""

    id: str
    version: int
    entry_id: str
    entry_version: int
    kind: AmendmentKind
    state: AmendmentState
    agency: str
    owner: str
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
            description="Ids of the entries and requests that stop by it, of those that the reader may see; as long "
            "as it waits, as of now, and the version changes with them."
        ),
    ]
    approvals: Annotated[
        int,
        Field(
            description="How many have approved it: a correction to another person waits, `verified`, for two."
        ),
    ]
    submitted_by: str
    decisions: list[StepOut]
    warnings: list[WarningOut]
    received_at: Moment
    due_at: Annotated[
        Moment,
        Field(
            description="Until when it is to be decided on, or as `referred` answered by the owner: seven days (a "
            "setting), an extension three days before the end at the latest."
        ),
    ]
    updated_at: Moment

    @classmethod
    def of(cls, amendment: Amendment) -> Self:
        """The amendment on the wire."""
        values: dict[str, Any] = msgspec.to_builtins(amendment, builtin_types=(datetime, date))
        number = values["refers_to_number"]
        values["revocation"] = (
            None if number is None else {"refers_to_number": number, "scope": amendment.scope}
        )
        values["approvals"] = amendment.approvals
        values["decisions"] = values["steps"]
        subject = (values["correction"] or {}).get("subject")
        if subject is not None and subject["photo"] is not None:
            subject["photo"]["url"] = f"/v1/amendments/{amendment.id}/photo"
        return cls.model_validate({name: values[name] for name in cls.model_fields})
