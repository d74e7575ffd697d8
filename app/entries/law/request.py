"""What is judged: a request for a measure, its owner, the deployment's choices, and what the rules find."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Self

from app.access.domain import Agency
from app.entries import periods
from app.entries.domain import Basis, Letter, Measure, Notice
from app.entries.subjects import Subject
from app.errors import CekalError, Fault

Origin = Literal["request", "extension", "correction", "takeover", "list"]


@dataclass(frozen=True, slots=True)
class Owner:
    """What the rules need to know of the owning agency.

    Attributes:
        article_required: it is empowered by an undang-undang of its own, whose article each ground names (art. 91(2)f).
    """

    code: str
    legal_forms: tuple[str, ...]
    article_required: bool = False

    @classmethod
    def of(cls, agency: Agency) -> Self:
        """What the rules need to know of an agency."""
        return cls(agency.code, agency.legal_forms, agency.article_required)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a deployment sets where the law leaves it open."""

    month_convention: periods.MonthConvention = "same_day"
    first_request_max_age_days: int = 30
    witness_warn_agencies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a measure, before it is judged.

    Attributes:
        starts_on: first day; the server's own for an urgent request.
        letter: what an urgent request rests on.
        extension_count: how often the measure has been extended already; other than 0 only in a takeover.
        first_started_on: first day of the measure before its extension.
        first_received_on: of a resubmission, the legal day on which the request was first received.
        origin: a `list` entry may lack photo, sex and birth; an `extension` repeats an identity that was judged;
            a `correction` leaves the period as it is.
        photo_optional: a takeover of a register that never had photos.
        has_loss_document: the bytes of the document of a loss of citizenship are here, or beside the entry already.
        extends: the decisions that an extension follows: the measure's own, and those of earlier extensions.
    """

    measure: Measure
    subject: Subject
    has_photo: bool
    basis: Basis
    starts_on: date | None
    ends_on: date | None
    lifetime: bool
    unknown: tuple[str, ...]
    urgent: bool = False
    letter: Letter | None = None
    extension_count: int = 0
    first_started_on: date | None = None
    first_received_on: date | None = None
    origin: Origin = "request"
    photo_optional: bool = False
    has_loss_document: bool = False
    extends: tuple[Basis, ...] = ()


@dataclass(slots=True)
class Findings:
    """What the rules have found: each adds its faults, which refuse, and its warnings, which only tell."""

    faults: list[tuple[type[CekalError], Fault]] = field(default_factory=list)
    warnings: list[Notice] = field(default_factory=list)

    def fault(self, kind: type[CekalError], pointer: str, code: str, detail: str) -> None:
        """Add something that forbids the request, as an error of this kind."""
        self.faults.append((kind, Fault(pointer, code, detail)))

    def warn(self, code: str, pointer: str, detail: str) -> None:
        """Add something that is accepted but told."""
        self.warnings.append(Notice(code, pointer, detail))
