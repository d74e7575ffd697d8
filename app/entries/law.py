"""What the law and its practice demand of a request; pure (R1-R20, R22, R24; `docs/rules.md` maps them).

Every rule adds its faults; the first kind found that has a problem type of its own gives the problem its type,
and all faults are listed, so that an officer at night mends everything at once.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from app.entries import periods
from app.entries.domain import Basis, Letter, Measure, Notice
from app.entries.subjects import Citizenship, Subject
from app.errors import (
    CekalError,
    Fault,
    InstrumentMismatch,
    Invalid,
    LifetimeNotAllowed,
    MissingSubjectData,
    PeriodRequired,
    PeriodTooLong,
    StageNotAllowed,
    WitnessNotAllowed,
    WniCannotBeDeterred,
)
from app.identity import documents, names, nik, states
from app.identity.births import span

NO_WITNESSES_SINCE = date(2026, 1, 2)
"""In force of UU 20/2025 (KUHAP), whose art. 89 knows the ban for suspects and defendants only (R7)."""

PREVENTION_EXTENDED_ONCE_SINCE = date(2012, 6, 20)
"""Day of Constitutional Court ruling 64/PUU-IX/2011, which voided "each time" in art. 97(1) (R22)."""

DETERRENCE_EXTENDED_ONCE_SINCE = date(2024, 10, 17)
"""In force of UU 63/2024, before which entry bans were extended again and again (art. 102(1); R24)."""

TAX_DEBT_IDR = 100_000_000
"""Least tax debt, in rupiah, for an exit ban (UU 19/2000 art. 29; PMK 61/2023 art. 55; R10)."""

LATE_AFTER_DAYS = 3
"""Days from the decision to its delivery to the minister (UU 6/2011 art. 94(4); R13)."""

CRIMINAL_REASONS = frozenset({"corruption", "general_crime", "narcotics", "terrorism", "trafficking"})
DETERRENCE_REASONS = frozenset(
    {
        "organised_crime",
        "hostility",
        "public_order",
        "forged_document",
        "deportation",
        "overstay",
        "sovereignty",
    }
)
"""The seven grounds of Permenimipas 13/2025 art. 17(4)."""

ADMINISTRATIVE = frozenset({"administrative_action", "supervision_report"})
"""The instruments that rest on administrative immigration action (UU 6/2011 art. 75-78; R65)."""

Origin = Literal["request", "extension", "correction", "takeover", "list"]


@dataclass(frozen=True, slots=True)
class Owner:
    """What the rules need to know of the owning agency."""

    code: str
    legal_forms: tuple[str, ...]


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
        origin: a `list` entry may lack photo, sex and birth; an `extension` repeats an identity that was judged;
            a `correction` leaves the period as it is.
        photo_optional: a takeover of a register that never had photos.
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
    origin: Origin = "request"
    photo_optional: bool = False


@dataclass(slots=True)
class _Findings:
    faults: list[tuple[type[CekalError], Fault]] = field(default_factory=list)
    warnings: list[Notice] = field(default_factory=list)

    def fault(self, kind: type[CekalError], pointer: str, code: str, detail: str) -> None:
        self.faults.append((kind, Fault(pointer, code, detail)))

    def warn(self, code: str, pointer: str, detail: str) -> None:
        self.warnings.append(Notice(code, pointer, detail))


def judge(request: Request, owner: Owner, policy: Policy, today: date) -> tuple[Notice, ...]:
    """Judge a request as of a legal day.

    Args:
        request: what is asked.
        owner: the agency whose measure it will be.
        policy: the deployment's choices.
        today: the legal day of the judgement.

    Returns:
        The warnings, where nothing forbids the request.

    Raises:
        CekalError: of the first kind found that says more than Invalid, with every fault.
    """
    found = _Findings()
    for rule in _RULES:
        rule(request, owner, policy, today, found)
    if found.faults:
        kind, first = next((pair for pair in found.faults if pair[0] is not Invalid), found.faults[0])
        raise kind(first.detail, faults=[fault for _, fault in found.faults])
    return tuple(found.warnings)


def _citizenship(request: Request, _o: Owner, _p: Policy, _t: date, found: _Findings) -> None:
    """R4, R5: an entry ban never touches a citizen (UU 6/2011 art. 14)."""
    if request.measure is Measure.DETERRENCE and request.subject.citizenship is Citizenship.WNI:
        found.fault(
            WniCannotBeDeterred,
            "/subject",
            "wni",
            "An Indonesian citizen can't be refused entry (UU 6/2011 art. 14): a nationality, a document or "
            "the NIK says that the subject is one.",
        )
    for i, code in enumerate(request.subject.nationalities):
        if states.canonical(code) not in states.KNOWN:
            detail = "This is no ICAO 9303 code of a state."
            found.fault(Invalid, f"/subject/nationalities/{i}", "unknown_state", detail)
    for i, document in enumerate(request.subject.documents):
        code = document.issuing_state or states.INDONESIA
        if states.canonical(code) not in states.KNOWN:
            detail = "This is no ICAO 9303 code of a state."
            found.fault(Invalid, f"/subject/documents/{i}/issuing_state", "unknown_state", detail)


def _identity(request: Request, _o: Owner, _p: Policy, _t: date, found: _Findings) -> None:
    """R1, R2, R3, R19: the identity that the law demands; silence must be a statement."""
    if request.origin in {"list", "extension"}:
        return
    subject = request.subject

    def need(given: object, member: str, detail: str) -> None:
        if not given:
            found.fault(MissingSubjectData, f"/subject/{member}", "required", detail)

    need(names.fold(subject.full_name), "full_name", "The name is required (UU 6/2011 art. 94(2)a).")
    need(subject.sex, "sex", "The sex is required (UU 6/2011 art. 94(2)a).")
    need(subject.births, "birth", "A birth date, or an age, is required (UU 6/2011 art. 94(2)a).")
    if subject.birth is not None and subject.birth.date is not None:
        need(subject.birth_place, "birth_place", "A birth date needs its place (UU 6/2011 art. 94(2)a).")
    if not request.photo_optional:
        need(request.has_photo, "photo", "A photo is required (UU 6/2011 art. 94(2)a).")
    if request.urgent:
        need(subject.nationalities, "nationalities", "Required when urgent (Permenimipas 13/2025 art. 9(3)).")
    for member in ("documents", "address", "nationalities", "occupation"):
        _known_or_said(request, member, getattr(subject, member), found)
    if states.INDONESIA in subject.nationalities:
        _known_or_said(request, "nik", subject.nik, found)


def _sense(request: Request, _o: Owner, _p: Policy, today: date, found: _Findings) -> None:
    """R3, R19: a number without a character, or a birth to come, would look like data and find nobody."""
    if request.origin in {"list", "takeover"}:
        return
    subject = request.subject
    for i, document in enumerate(subject.documents):
        if not documents.normalise(document.number):
            detail = "A document number has letters or digits; name `documents` in `unknown` instead."
            found.fault(Invalid, f"/subject/documents/{i}/number", "empty", detail)
    pointers = ["/subject/birth"] if subject.birth else []
    pointers += [f"/subject/birth_alternatives/{i}" for i in range(len(subject.birth_alternatives))]
    for pointer, birth in zip(pointers, subject.births, strict=True):
        if span(birth)[0] > today:
            found.fault(Invalid, pointer, "future", "The birth lies in the future.")


def _urgent_letter(request: Request, _o: Owner, policy: Policy, today: date, found: _Findings) -> None:
    """R2, R14: an urgent request rests on a letter, which is neither from the future nor stale."""
    if not request.urgent:
        return
    if request.letter is None:
        detail = "An urgent request rests on a letter (Permenimipas 13/2025 art. 9(2))."
        found.fault(MissingSubjectData, "/letter", "required", detail)
        return
    _dated("/letter/issued_on", request.letter.issued_on, policy, today, found)


def _dated(pointer: str, issued_on: date, policy: Policy, today: date, found: _Findings) -> None:
    if issued_on > today:
        found.fault(Invalid, pointer, "future", "The letter's date lies in the future (R14).")
    if issued_on < today - timedelta(days=policy.first_request_max_age_days):
        detail = f"A first request's letter is at most {policy.first_request_max_age_days} days old (R14)."
        found.fault(Invalid, pointer, "stale", detail)


def _known_or_said(request: Request, member: str, given: object, found: _Findings) -> None:
    if not given and member not in request.unknown:
        found.fault(
            MissingSubjectData,
            f"/subject/{member}",
            "give_or_say_unknown",
            "It must be given when known (Permenimipas 13/2025 art. 13(3)); otherwise name it in `unknown`.",
        )
    if given and member in request.unknown:
        found.fault(Invalid, "/unknown", "contradiction", f"`{member}` is given and said to be unknown.")


def _period(request: Request, _o: Owner, policy: Policy, today: date, found: _Findings) -> None:
    """R11, R12, R20, R22, R24: a measure has a start, an end, and at most the law's length."""
    if request.urgent:
        return
    if request.starts_on is None:
        found.fault(PeriodRequired, "/starts_on", "required", "The first day of the measure is required.")
    if request.lifetime:
        _lifetime(request, found)
        return
    if request.origin == "correction":
        return
    if request.ends_on is None:
        found.fault(PeriodRequired, "/ends_on", "required", "A measure has an end (UU 6/2011 art. 97, 102).")
    if request.starts_on is None or request.ends_on is None:
        return
    if request.ends_on < request.starts_on:
        found.fault(Invalid, "/ends_on", "order", "The last day lies before the first.")
        return
    if request.ends_on < today:
        found.fault(Invalid, "/ends_on", "past", "The period is over already.")
    prevention = request.measure is Measure.PREVENTION
    months = periods.PREVENTION_MONTHS if prevention else periods.DETERRENCE_MONTHS
    article = "six months (UU 6/2011 art. 97(1))" if prevention else "ten years (UU 6/2011 art. 102(1))"
    last = _last_day(request.starts_on, months, policy)
    if request.ends_on > last:
        detail = f"At most {article}: with this first day, until {last}."
        found.fault(PeriodTooLong, "/ends_on", "too_long", detail)


def _extension(request: Request, _o: Owner, policy: Policy, today: date, found: _Findings) -> None:
    """R22, R24: one extension, as the law stood on the day of the judgement, right after its period."""
    count, first, starts_on = request.extension_count, request.first_started_on, request.starts_on
    prevention = request.measure is Measure.PREVENTION
    since = PREVENTION_EXTENDED_ONCE_SINCE if prevention else DETERRENCE_EXTENDED_ONCE_SINCE
    if count > periods.EXTENSIONS and today >= since:
        detail = f"Since {since} a measure is extended once only (R22, R24)."
        found.fault(Invalid, "/extension_count", "exhausted", detail)
    if first is None or starts_on is None:
        if count:
            detail = "Without its first day the length of the first period can't be judged."
            found.warn("first_period_unknown", "/first_started_on", detail)
        return
    months = periods.PREVENTION_MONTHS if prevention else periods.DETERRENCE_MONTHS
    latest = first
    for _ in range(count):
        latest = _last_day(latest, months, policy) + timedelta(days=1)
    if not (first < starts_on <= latest if count else first == starts_on):
        detail = f"After {count} extensions the period begins later than the first, by {latest} (R22, R24)."
        found.fault(PeriodTooLong, "/starts_on", "extension_start", detail)


def _last_day(starts_on: date, months: int, policy: Policy) -> date:
    try:
        return periods.last_day_allowed(starts_on, months, policy.month_convention)
    except ValueError:
        return date.max - timedelta(days=1)


def _lifetime(request: Request, found: _Findings) -> None:
    if request.measure is Measure.PREVENTION:
        detail = "An exit ban is never for life (UU 6/2011 art. 97(1))."
        found.fault(LifetimeNotAllowed, "/lifetime", "prevention", detail)
    elif not request.basis.lifetime_ground:
        detail = "For life only with a recorded ground of security and public order (UU 6/2011 art. 102(3))."
        found.fault(LifetimeNotAllowed, "/basis/lifetime_ground", "required", detail)
    if request.ends_on is not None:
        found.fault(Invalid, "/ends_on", "must_be_null", "A measure for life has no last day.")


def _instrument(request: Request, owner: Owner, _p: Policy, _t: date, found: _Findings) -> None:
    """R6: each owner acts in its own legal form (UU 6/2011 art. 91(2))."""
    if request.basis.instrument not in owner.legal_forms:
        forms = ", ".join(owner.legal_forms)
        detail = f"{owner.code} acts by: {forms} (UU 6/2011 art. 91(2))."
        found.fault(InstrumentMismatch, "/basis/instrument", "legal_form", detail)


def _ground(request: Request, owner: Owner, policy: Policy, _t: date, found: _Findings) -> None:
    """R7-R10 and the closed lists of reasons."""
    basis = request.basis
    if basis.stage == "preliminary_inquiry":
        detail = "The stage before the investigation gives no ground (MK 40/PUU-IX/2011; R9)."
        found.fault(StageNotAllowed, "/basis/stage", "preliminary_inquiry", detail)
    elif owner.code == "KPK" and basis.stage != "investigation":
        detail = "KPK may order in the investigation only (UU 19/2019 art. 12(2)a; R8)."
        found.fault(StageNotAllowed, "/basis/stage", "investigation_only", detail)
    criminal = basis.stage is not None or basis.reason_code in CRIMINAL_REASONS
    if (
        request.measure is Measure.PREVENTION
        and criminal
        and basis.subject_status == "witness"
        and basis.issued_on >= NO_WITNESSES_SINCE
    ):
        detail = "Since 2 January 2026 for suspects and defendants only (UU 20/2025 art. 89; R7)."
        if owner.code in policy.witness_warn_agencies:
            found.warn("witness", "/basis/subject_status", detail)
        else:
            found.fault(WitnessNotAllowed, "/basis/subject_status", "witness", detail)
    if request.measure is Measure.PREVENTION and basis.reason_code in DETERRENCE_REASONS:
        detail = "A ground of entry bans only (Permenimipas 13/2025 art. 17(4))."
        found.fault(Invalid, "/basis/reason_code", "deterrence_only", detail)
    if owner.code == "DJP" and request.measure is Measure.PREVENTION:
        if (basis.amount_idr or 0) < TAX_DEBT_IDR:
            detail = "A tax debt of at least Rp100,000,000 is needed (PMK 61/2023 art. 55; R10)."
            found.fault(Invalid, "/basis/amount_idr", "tax_debt", detail)
        if not basis.good_faith_doubt:
            detail = "Why good faith is doubted must be said (PMK 61/2023 art. 55; R10)."
            found.fault(Invalid, "/basis/good_faith_doubt", "required", detail)


def _victim(request: Request, _o: Owner, _p: Policy, _t: date, found: _Findings) -> None:
    """R65: administrative action, and so the ban it gives, never touches a victim of trafficking (art. 86)."""
    basis = request.basis
    acts = basis.instrument in ADMINISTRATIVE or basis.subject_status == "foreigner_under_measure"
    if request.measure is Measure.DETERRENCE and basis.trafficking_victim and acts:
        detail = "Administrative action does not apply to victims of trafficking (UU 6/2011 art. 86; R65)."
        found.fault(Invalid, "/basis/trafficking_victim", "trafficking_victim", detail)


def _letter_dates(request: Request, _o: Owner, policy: Policy, today: date, found: _Findings) -> None:
    """R13, R14: letters from the future, stale letters, and late ones (which only warn)."""
    basis = request.basis
    if request.origin == "request":
        _dated("/basis/issued_on", basis.issued_on, policy, today, found)
    elif basis.issued_on > today:
        found.fault(Invalid, "/basis/issued_on", "future", "The letter's date lies in the future (R14).")
    arrives_now = request.origin in {"request", "extension"}
    received = basis.received_on or (today if arrives_now else basis.issued_on)
    if received > today:
        found.fault(Invalid, "/basis/received_on", "future", "The day of receipt lies in the future.")
    elif received < basis.issued_on:
        found.fault(Invalid, "/basis/received_on", "order", "It was received before it was issued.")
    elif (received - basis.issued_on).days > LATE_AFTER_DAYS:
        detail = "Delivered later than three days after the decision (UU 6/2011 art. 94(4))"
        missing = "; `late_reason` should say why." if not basis.late_reason else "."
        found.warn("late_delivery", "/basis/received_on", detail + missing)


def _nik(request: Request, _o: Owner, _p: Policy, _t: date, found: _Findings) -> None:
    """R16: a NIK that does not fit warns, never bars."""
    subject = request.subject
    if subject.nik:
        for code in nik.faults(subject.nik, subject.sex, subject.birth):
            found.warn(code, "/subject/nik", "The NIK does not fit the rest of the identity (R16).")


_RULES: tuple[Callable[[Request, Owner, Policy, date, _Findings], None], ...] = (
    _citizenship,
    _identity,
    _urgent_letter,
    _sense,
    _period,
    _extension,
    _instrument,
    _ground,
    _victim,
    _letter_dates,
    _nik,
)
