"""A measure as it is asked for, before it is an entry; pure."""

from dataclasses import dataclass
from datetime import date, datetime

from app.entries.blobs import Blob
from app.entries.domain import Basis, Letter, Measure, Substitute
from app.entries.law import Origin, Request
from app.entries.subjects import Subject


@dataclass(frozen=True, slots=True)
class Wanted:
    """A measure as a submitter asks for it.

    Attributes:
        loss_document: the bytes of the document that the subject's `citizenship_loss` names.
    """

    measure: Measure
    subject: Subject
    photo: Blob | None
    basis: Basis
    starts_on: date | None = None
    ends_on: date | None = None
    lifetime: bool = False
    unknown: tuple[str, ...] = ()
    sealed_for: tuple[str, ...] | None = None
    loss_document: Blob | None = None


@dataclass(frozen=True, slots=True)
class UrgentWanted(Wanted):
    """An urgent measure: no period, but a letter (Permenimipas 13/2025 art. 9)."""

    letter: Letter | None = None
    attachment: Blob | None = None
    requested_at: datetime | None = None
    substitute: Substitute | None = None
    message: str | None = None
    chase: tuple[str, ...] = ()


def request_of(wanted: Wanted, origin: Origin = "request") -> Request:
    """A measure as the law's rules judge it."""
    return Request(
        measure=wanted.measure,
        subject=wanted.subject,
        has_photo=wanted.photo is not None,
        has_loss_document=wanted.loss_document is not None,
        basis=wanted.basis,
        starts_on=wanted.starts_on,
        ends_on=wanted.ends_on,
        lifetime=wanted.lifetime,
        unknown=wanted.unknown,
        urgent=isinstance(wanted, UrgentWanted),
        letter=wanted.letter if isinstance(wanted, UrgentWanted) else None,
        origin=origin,
    )


@dataclass(frozen=True, slots=True)
class Formal:
    """The formal decision as it is asked for.

    Attributes:
        gap_acknowledged: the owner knows that days between the urgent entry and this one stay uncovered (R26).
        unknown: None keeps what was said of the urgent entry.
        subject: None keeps the urgent entry's, its photo included.
        photo: a new photo; None keeps the urgent entry's.
        withdrawn_names: spellings of the urgent entry that are wrong, so that they don't stay as aliases.
        loss_document: of a loss of citizenship; None keeps the urgent entry's, where both name the same.
        sealed_for: persons that its seal is to name beside those of the urgent entry's seal.
    """

    basis: Basis
    starts_on: date | None
    ends_on: date | None
    lifetime: bool
    gap_acknowledged: bool
    unknown: tuple[str, ...] | None
    subject: Subject | None
    photo: Blob | None
    withdrawn_names: tuple[str, ...] = ()
    loss_document: Blob | None = None
    sealed_for: tuple[str, ...] | None = None
