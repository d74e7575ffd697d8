"""A requested amendment, before the register judges it (no I/O)."""

from dataclasses import dataclass
from datetime import date

from app.register.amendments.domain import AmendmentKind, AmendmentLetter, Extension, Judgment, Scope
from app.register.entries.blobs import Blob
from app.register.entries.domain import Basis, EntryWarning
from app.register.entries.subjects import Subject


@dataclass(frozen=True, slots=True)
class RequestedCorrection:
    """The requested new content of an entry.

    Attributes:
        subject: None keeps the person's data.
        photo: None keeps the photo.
        basis: None keeps the legal ground.
        withdrawn_names: wrong spellings, which are not kept as aliases.
        unknown: names of the subject's members (for example `birth`) that are not known; None keeps the entry's list,
            without members that the correction supplies.
        ends_on: an earlier last day, or the last day that a ban for life gets; None keeps the period.
        loss_document: the document that proves a loss of citizenship; None keeps the entry's document, which is
            possible only if the loss stays the same.
        notices: warnings about content that is stored in another form than the officer wrote it.
    """

    subject: Subject | None
    photo: Blob | None
    basis: Basis | None
    withdrawn_names: tuple[str, ...]
    unknown: tuple[str, ...] | None
    ends_on: date | None = None
    loss_document: Blob | None = None
    notices: tuple[EntryWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestedAmendment:
    """An amendment as an officer requests it, before any rule is applied (see `rules.well_formed`).

    Each kind has one part of its own: `extension`, `correction`, `refers_to_number` (revocation), or `judgment`
    (acquittal, annulment). An annulment may have `grounds`, or only a `letter`, in place of a judgment.

    Attributes:
        refers_to_number: number of the owner's letter that a revocation withdraws.
        scope: which entries a revocation ends.
        document: the judgment's document, where it is attached.
        grounds: id of the granted objection or correction request on which an annulment is based.
        sealed_for: persons who may see the entry from now on, as its owner requests; None requests no seal.
    """

    kind: AmendmentKind
    reason: str
    letter: AmendmentLetter | None
    extension: Extension | None
    correction: RequestedCorrection | None
    refers_to_number: str | None
    judgment: Judgment | None
    scope: Scope = Scope.MEASURE
    document: Blob | None = None
    grounds: str | None = None
    sealed_for: tuple[str, ...] | None = None

    @property
    def days_not_in_future(self) -> tuple[tuple[str, date], ...]:
        """Every date in the request that must not be in the future, as pairs of its JSON pointer and the date."""
        days = []
        if self.letter is not None:
            days.append(("/letter/issued_on", self.letter.issued_on))
        if self.judgment is not None:
            days.append(("/judgment/decided_on", self.judgment.decided_on))
            if self.judgment.final_on is not None:
                days.append(("/judgment/final_on", self.judgment.final_on))
        return tuple(days)
