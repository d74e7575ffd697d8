"""A requested measure, before it becomes an entry (no I/O)."""

from dataclasses import dataclass
from datetime import date, datetime

from app.register.entries.blobs import Blob
from app.register.entries.breadth import Breadth
from app.register.entries.domain import Basis, EntryWarning, Letter, Measure, Substitute
from app.register.entries.law.request import Origin, Request
from app.register.entries.subjects import Subject


@dataclass(frozen=True, slots=True)
class RequestedMeasure:
    """A measure as a submitter requests it.

    Attributes:
        unknown: names of the members of `subject` that the owner declares as not known.
        sealed_for: employee numbers of the persons who may see the entry; None requests no seal.
        loss_document: the document that the subject's `citizenship_loss` names.
        notices: warnings about content that is stored in another form than the officer wrote it.
        breadth: the number of travellers that it would have stopped; None if they were not counted.
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
    notices: tuple[EntryWarning, ...] = ()
    breadth: Breadth | None = None


@dataclass(frozen=True, slots=True)
class RequestedUrgentMeasure(RequestedMeasure):
    """A requested urgent measure: without a period, with a letter (Permenimipas 13/2025 art. 9).

    Attributes:
        attachment: the letter's file, if it was sent.
        requested_at: when the owner requested it, if before this call.
        substitute: the absent head and the mandate, if a substitute signs; else None.
        message: the owner's message to the checkpoints.
        chase: codes of the checkpoints that are reminded first if they do not acknowledge the alert.
    """

    letter: Letter | None = None
    attachment: Blob | None = None
    requested_at: datetime | None = None
    substitute: Substitute | None = None
    message: str | None = None
    chase: tuple[str, ...] = ()


def request_of(requested: RequestedMeasure, origin: Origin = "request") -> Request:
    """Convert a requested measure to the form that the law's rules judge."""
    return Request(
        measure=requested.measure,
        subject=requested.subject,
        has_photo=requested.photo is not None,
        has_loss_document=requested.loss_document is not None,
        basis=requested.basis,
        starts_on=requested.starts_on,
        ends_on=requested.ends_on,
        lifetime=requested.lifetime,
        unknown=requested.unknown,
        urgent=isinstance(requested, RequestedUrgentMeasure),
        letter=requested.letter if isinstance(requested, RequestedUrgentMeasure) else None,
        origin=origin,
        notices=requested.notices,
    )


@dataclass(frozen=True, slots=True)
class Formal:
    """A requested formal decision, which follows an urgent entry.

    Attributes:
        gap_acknowledged: whether the owner accepts days without a measure between urgent and formal entry (R26).
        unknown: names of the members of `subject` that are not known. None keeps the urgent entry's list if `subject`
            is None; with a `subject`, None means an empty list.
        subject: the person; None keeps the urgent entry's subject, with its photo.
        photo: a new photo; None keeps the urgent entry's.
        withdrawn_names: wrong spellings in the urgent entry, which are not kept as aliases.
        loss_document: document of a loss of citizenship; None keeps the urgent entry's, where both name the same loss.
        notices: warnings about content that is stored in another form than the officer wrote it.
        sealed_for: employee numbers of persons that may see the formal entry, in addition to those that the urgent
            entry's seal admits; None adds nobody.
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
    notices: tuple[EntryWarning, ...] = ()
    sealed_for: tuple[str, ...] | None = None
