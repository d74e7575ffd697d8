"""An amendment as it is asked for, before it is judged; pure."""

from dataclasses import dataclass
from datetime import date

from app.amendments.domain import AmendmentKind, AmendmentLetter, Extension, Judgment, Scope
from app.entries.blobs import Blob
from app.entries.domain import Basis
from app.entries.subjects import Subject


@dataclass(frozen=True, slots=True)
class CorrectionWanted:
    """What an entry is to say instead.

    Attributes:
        subject: None leaves the person as it is.
        photo: None keeps the photo.
        basis: None leaves the ground as it is.
        withdrawn_names: spellings that are wrong, so that they don't stay as aliases.
        unknown: None keeps what was said, but for what is given now.
        ends_on: an earlier last day; None leaves the period as it is.
        loss_document: of a loss of citizenship; None keeps the entry's, where both name the same.
    """

    subject: Subject | None
    photo: Blob | None
    basis: Basis | None
    withdrawn_names: tuple[str, ...]
    unknown: tuple[str, ...] | None
    ends_on: date | None = None
    loss_document: Blob | None = None


@dataclass(frozen=True, slots=True)
class AmendmentWanted:
    """An amendment as an officer asks for it; only the part of its kind is given.

    Attributes:
        refers_to_number: the owner's letter that a revocation takes back.
        scope: how far a revocation reaches.
        document: the judgment's document, where it is attached.
        grounds: id of the granted objection or correction request on which an annulment rests.
        sealed_for: persons that the entry's seal is to name from now on, by the owner's wish.
    """

    kind: AmendmentKind
    reason: str
    letter: AmendmentLetter | None
    extension: Extension | None
    correction: CorrectionWanted | None
    refers_to_number: str | None
    judgment: Judgment | None
    scope: Scope = Scope.MEASURE
    document: Blob | None = None
    grounds: str | None = None
    sealed_for: tuple[str, ...] | None = None

    @property
    def today_at_least(self) -> tuple[tuple[str, date], ...]:
        """Every day that may not lie in the future, with the pointer to it."""
        days = []
        if self.letter is not None:
            days.append(("/letter/issued_on", self.letter.issued_on))
        if self.judgment is not None:
            days.append(("/judgment/decided_on", self.judgment.decided_on))
            if self.judgment.final_on is not None:
                days.append(("/judgment/final_on", self.judgment.final_on))
        return tuple(days)
