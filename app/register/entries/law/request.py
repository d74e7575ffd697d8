"""What the law's rules receive and return: a request, its owner, the deployment's choices, and the findings."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Self

from app.access.domain import Agency
from app.errors import CekalError, Fault
from app.register.entries.domain import Basis, EntryWarning, Letter, Measure
from app.register.entries.law import periods
from app.register.entries.subjects import Subject

Origin = Literal["request", "extension", "correction", "takeover", "list"]


@dataclass(frozen=True, slots=True)
class Owner:
    """The data about the owning agency that the rules need.

    Attributes:
        code: its code.
        legal_forms: the instruments that it may use (R6).
        article_required: whether an undang-undang (act of parliament) of its own empowers it to order exit bans; then
            each basis must name the article (UU 6/2011 art. 91(2)f).
    """

    code: str
    legal_forms: tuple[str, ...]
    article_required: bool = False

    @classmethod
    def of(cls, agency: Agency) -> Self:
        """Return an agency as the owner of a measure."""
        return cls(agency.code, agency.legal_forms, agency.article_required)


@dataclass(frozen=True, slots=True)
class Policy:
    """The choices of a deployment where the law leaves a question open.

    Attributes:
        month_convention: the last day of a period of months: `same_day` (7 Sep -> 7 Mar) or `day_before` (6 Mar).
        first_request_max_age_days: greatest age of a first request's letter, in days.
        witness_warn_agencies: codes of the agencies whose exit bans against witnesses cause a warning only (R7).
    """

    month_convention: periods.MonthConvention = "same_day"
    first_request_max_age_days: int = 30
    witness_warn_agencies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Request:
    """A requested or imported measure, or a change of one, as the rules of law judge it.

    Attributes:
        starts_on: first day; set by the server for an urgent request.
        unknown: names of the members of `subject` that the owner declares as not known.
        letter: the letter on which an urgent request is based.
        extension_count: number of earlier extensions of the measure; 0 except in a takeover from an older register.
        first_started_on: first day of the measure before its extensions; None without one, or if it is unknown.
        first_received_on: the legal day on which its letter was first received, for a resubmission and for a formal
            request with the letter of its urgent entry. None for other requests.
        origin: the kind of request. Rules depend on it: a `list` entry may lack photo, sex and birth; an `extension`
            repeats an identity that was judged; a `correction` does not change the period.
        photo_optional: whether a photo may be missing, as in a takeover from a register that never had photos.
        has_loss_document: whether the file on a loss of citizenship was sent, or is stored with the entry.
        extends: the decisions that an extension follows: the measure's own, and those of earlier extensions.
        notices: warnings made before the rules, about content that is stored in another form than the officer wrote it.
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
    notices: tuple[EntryWarning, ...] = ()


@dataclass(slots=True)
class Findings:
    """The results of the rules: faults forbid the request, warnings do not."""

    faults: list[tuple[type[CekalError], Fault]] = field(default_factory=list)
    warnings: list[EntryWarning] = field(default_factory=list)

    def fault(self, kind: type[CekalError], pointer: str, code: str, detail: str) -> None:
        """Add a fault that forbids the request.

        Args:
            kind: the error that the fault alone would raise.
            pointer: JSON pointer to the wrong member.
            code: the stable code of the fault.
            detail: the explanation for the officer, in English.
        """
        self.faults.append((kind, Fault(pointer, code, detail)))

    def warn(self, code: str, pointer: str, detail: str) -> None:
        """Add a warning about accepted content.

        Args:
            code: the stable code of the warning.
            pointer: JSON pointer to the member.
            detail: the explanation for the officer, in English.
        """
        self.warnings.append(EntryWarning(code, pointer, detail))
