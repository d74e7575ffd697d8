"""What the measure rests on: instruments, grounds, letters and their dates (R2, R6-R10, R13, R14, R65)."""

from datetime import date, timedelta

from app.entries.domain import Measure
from app.entries.law.request import Findings, Owner, Policy, Request
from app.errors import (
    InstrumentMismatch,
    Invalid,
    MissingSubjectData,
    StageNotAllowed,
    WitnessNotAllowed,
)

NO_WITNESSES_SINCE = date(2026, 1, 2)
"""In force of UU 20/2025 (KUHAP), whose art. 89 knows the ban for suspects and defendants only (R7)."""

TAX_DEBT_IDR = 100_000_000
"""Least tax debt, in rupiah, for an exit ban (UU 19/2000 art. 29; PMK 61/2023 art. 55; R10)."""

LATE_AFTER_DAYS = 3
"""Days from the decision to its delivery to the minister (UU 6/2011 art. 94(4); R13)."""

INVESTIGATION_ONLY = frozenset({"KPK"})
"""Owners whose power to order a measure lasts as long as the investigation (UU 19/2019 art. 12(2)a; R8)."""

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


_POWER_ENDS = "KPK may order in the investigation only (UU 19/2019 art. 12(2)a; R8)."


def power_ended(owner: str, stage: str | None) -> bool:
    """Whether a case is not in the stage in which alone its owner may order a measure (R8)."""
    return owner in INVESTIGATION_ONLY and stage != "investigation"


def instrument(request: Request, owner: Owner, _p: Policy, _t: date, found: Findings) -> None:
    """R6: each owner acts in its own legal form (UU 6/2011 art. 91(2))."""
    if request.basis.instrument not in owner.legal_forms:
        forms = ", ".join(owner.legal_forms)
        detail = f"{owner.code} acts by: {forms} (UU 6/2011 art. 91(2))."
        found.fault(InstrumentMismatch, "/basis/instrument", "legal_form", detail)


def ground(request: Request, owner: Owner, policy: Policy, _t: date, found: Findings) -> None:
    """R7-R10 and the closed lists of reasons."""
    basis = request.basis
    if basis.stage == "preliminary_inquiry":
        detail = "The stage before the investigation gives no ground (MK 40/PUU-IX/2011; R9)."
        found.fault(StageNotAllowed, "/basis/stage", "preliminary_inquiry", detail)
    elif power_ended(owner.code, basis.stage):
        if request.origin == "correction" and basis.stage is not None:
            found.warn(
                "power_ended",
                "/basis/stage",
                f"{_POWER_ENDS} Whether the measure ends is for its owner to say.",
            )
        else:
            found.fault(StageNotAllowed, "/basis/stage", "investigation_only", _POWER_ENDS)
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


def victim(request: Request, _o: Owner, _p: Policy, _t: date, found: Findings) -> None:
    """R65: administrative action, and so the ban it gives, never touches a victim of trafficking (art. 86)."""
    basis = request.basis
    acts = basis.instrument in ADMINISTRATIVE or basis.subject_status == "foreigner_under_measure"
    if request.measure is Measure.DETERRENCE and basis.trafficking_victim and acts:
        detail = "Administrative action does not apply to victims of trafficking (UU 6/2011 art. 86; R65)."
        found.fault(Invalid, "/basis/trafficking_victim", "trafficking_victim", detail)


def urgent_letter(request: Request, _o: Owner, policy: Policy, today: date, found: Findings) -> None:
    """R2, R14: an urgent request rests on a letter, which is neither from the future nor stale."""
    if not request.urgent:
        return
    if request.letter is None:
        detail = "An urgent request rests on a letter (Permenimipas 13/2025 art. 9(2))."
        found.fault(MissingSubjectData, "/letter", "required", detail)
        return
    _dated("/letter/issued_on", request.letter.issued_on, policy, today, found)


def letter_dates(request: Request, _o: Owner, policy: Policy, today: date, found: Findings) -> None:
    """R13, R14: letters from the future, stale letters, and late ones (which only warn)."""
    basis = request.basis
    if request.origin == "request":
        first = request.first_received_on
        _dated("/basis/issued_on", basis.issued_on, policy, today, found, first)
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


def _dated(
    pointer: str, issued_on: date, policy: Policy, today: date, found: Findings, first: date | None = None
) -> None:
    """A letter's age is that of its first receipt; one that was issued since the first receipt arrives today."""
    if issued_on > today:
        found.fault(Invalid, pointer, "future", "The letter's date lies in the future (R14).")
    received_on = today if first is None or issued_on > first else first
    if issued_on < received_on - timedelta(days=policy.first_request_max_age_days):
        detail = f"A first request's letter is at most {policy.first_request_max_age_days} days old (R14)."
        found.fault(Invalid, pointer, "stale", detail)
