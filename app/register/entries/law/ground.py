"""Rules on the ground of a measure: instruments, reasons, letters and their dates (R2, R6-R10, R13, R14, R65).

A rule judges the facts that a request states in any of its members, never one code alone, because the requester
chooses the codes.
"""

import re
from datetime import date, timedelta

from app.access.domain import IMMIGRATION
from app.errors import (
    InstrumentMismatch,
    Invalid,
    MissingSubjectData,
    StageNotAllowed,
    WitnessNotAllowed,
)
from app.register.entries.domain import Measure
from app.register.entries.law.request import Findings, Owner, Policy, Request
from app.register.entries.references import folded
from app.register.entries.subjects import Citizenship

NO_WITNESSES_SINCE = date(2026, 1, 2)
"""Effective date of UU 20/2025 (KUHAP), which allows exit bans for suspects and defendants only (art. 89; R7)."""

TAX_DEBT_IDR = 100_000_000
"""Minimum tax debt, in rupiah, for an exit ban (UU 19/2000 art. 29; PMK 61/2023 art. 55; R10)."""

LATE_AFTER_DAYS = 3
"""Days from the decision to its delivery to the minister (UU 6/2011 art. 94(4); R13)."""

INVESTIGATION_ONLY = frozenset({"KPK"})
"""Owners that may order a measure only during the investigation (UU 19/2019 art. 12(2)a; R8)."""

ACCUSED = frozenset({"suspect", "defendant", "convict"})
"""Statuses of an accused person in a criminal case."""

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
"""The seven grounds of an entry ban (Permenimipas 13/2025 art. 17(4))."""

ADMINISTRATIVE = frozenset({"administrative_action", "supervision_report"})
"""Instruments that are based on administrative immigration action (UU 6/2011 art. 75-78)."""

ADMINISTRATIVE_REASONS = frozenset({"deportation", "overstay"})
"""Grounds that are such an action themselves (UU 6/2011 art. 75(2)f, 78)."""

_ARTICLE = re.compile(r"\b(pasal|psl|ps|article|art)\b\.?\s*\d", re.IGNORECASE)
_UNDANG_UNDANG = re.compile(r"\b(uu|undang[\s-]*undang|perppu|law)\b", re.IGNORECASE)

_POWER_ENDS = "KPK may order in the investigation only (UU 19/2019 art. 12(2)a; R8)."


def power_ended(owner: str, stage: str | None) -> bool:
    """Return whether the stage of a case excludes a measure of this owner (R8).

    KPK may order measures in the investigation only: True for KPK at any other stage, or at none. False for any other
    owner.

    Args:
        owner: code of the agency.
        stage: stage of the case; None means no stage.
    """
    return owner in INVESTIGATION_ONLY and stage != "investigation"


def instrument(request: Request, owner: Owner, _policy: Policy, _today: date, findings: Findings) -> None:
    """R6: add a fault to `findings` if the instrument is not one of the owner's legal forms (UU 6/2011 art. 91(2))."""
    if request.basis.instrument not in owner.legal_forms:
        forms = ", ".join(owner.legal_forms)
        detail = f"{owner.code} acts by: {forms} (UU 6/2011 art. 91(2))."
        findings.fault(InstrumentMismatch, "/basis/instrument", "legal_form", detail)


def ground(request: Request, owner: Owner, _policy: Policy, _today: date, findings: Findings) -> None:
    """R8, R9: add a fault for a stage or a reason code that gives no ground for the measure.

    The stage `preliminary_inquiry` gives none. Nor does a stage in which the owner's power has ended (see
    `power_ended`); in a correction that adds only a warning. An exit ban gets a fault for a reason code in
    `DETERRENCE_REASONS`.
    """
    basis = request.basis
    if basis.stage == "preliminary_inquiry":
        detail = "The stage before the investigation gives no ground (MK 40/PUU-IX/2011; R9)."
        findings.fault(StageNotAllowed, "/basis/stage", "preliminary_inquiry", detail)
    elif power_ended(owner.code, basis.stage):
        if request.origin == "correction" and basis.stage is not None:
            findings.warn(
                "power_ended",
                "/basis/stage",
                f"{_POWER_ENDS} Whether the measure ends is for its owner to say.",
            )
        else:
            findings.fault(StageNotAllowed, "/basis/stage", "investigation_only", _POWER_ENDS)
    if request.measure is Measure.PREVENTION and basis.reason_code in DETERRENCE_REASONS:
        detail = "A ground of entry bans only (Permenimipas 13/2025 art. 17(4))."
        findings.fault(Invalid, "/basis/reason_code", "deterrence_only", detail)


def witness(request: Request, owner: Owner, policy: Policy, _today: date, findings: Findings) -> None:
    """R7: add a fault for an exit ban against a witness, whatever the stated stage and reason.

    For the agencies in `policy.witness_warn_agencies` a warning is added instead. The status `other` in a criminal case
    adds a warning too. Decisions from before the law of 2026 are exempt.
    """
    basis = request.basis
    if request.measure is not Measure.PREVENTION or basis.issued_on < NO_WITNESSES_SINCE:
        return
    detail = "Since 2 January 2026 for suspects and defendants only (UU 20/2025 art. 89; R7)."
    if basis.subject_status != "witness":
        if basis.subject_status == "other" and (basis.stage or basis.reason_code in CRIMINAL_REASONS):
            findings.warn("not_accused", "/basis/subject_status", detail)
    elif owner.code in policy.witness_warn_agencies:
        findings.warn("witness", "/basis/subject_status", detail)
    else:
        findings.fault(WitnessNotAllowed, "/basis/subject_status", "witness", detail)


def tax(request: Request, owner: Owner, _policy: Policy, _today: date, findings: Findings) -> None:
    """R10: judge an exit ban because of a tax debt, whichever agency orders it (UU 19/2000 art. 29).

    One fault is added if the debt is unknown or below `TAX_DEBT_IDR`, and one if no doubt about the debtor's good faith
    is stated. Other measures get none.
    """
    basis = request.basis
    debt = owner.code == "DJP" or basis.reason_code == "tax" or basis.subject_status == "tax_debtor"
    if request.measure is not Measure.PREVENTION or not debt:
        return
    if (basis.amount_idr or 0) < TAX_DEBT_IDR:
        detail = "A tax debt of at least Rp100,000,000 is needed (PMK 61/2023 art. 55; R10)."
        findings.fault(Invalid, "/basis/amount_idr", "tax_debt", detail)
    if not basis.good_faith_doubt:
        detail = "The reason to doubt good faith is required (PMK 61/2023 art. 55; R10)."
        findings.fault(Invalid, "/basis/good_faith_doubt", "required", detail)


def administrative(request: Request, owner: Owner) -> str | None:
    """Return which member of the basis makes a measure an administrative immigration action; None if none does.

    The first of these that applies is returned. "Outside criminal procedure" means that the case has no stage and its
    person is not accused.

    - `instrument`, if it is an administrative action or a supervision report.
    - `subject_status`, if it is `foreigner_under_measure`.
    - `reason_code`, if it is overstay or deportation; outside criminal procedure also `immigration`.
    - `instrument`, whatever it is, for an exit ban by Immigration outside criminal procedure: Immigration has no other
      ground for one (UU 6/2011 art. 91(2)a).
    """
    basis = request.basis
    accused = basis.stage is not None or basis.subject_status in ACCUSED
    own = owner.code == IMMIGRATION and request.measure is Measure.PREVENTION
    if basis.instrument in ADMINISTRATIVE:
        return "instrument"
    if basis.subject_status == "foreigner_under_measure":
        return "subject_status"
    if basis.reason_code in ADMINISTRATIVE_REASONS or (basis.reason_code == "immigration" and not accused):
        return "reason_code"
    return "instrument" if own and not accused else None


def foreigners_only(request: Request, owner: Owner, _policy: Policy, today: date, findings: Findings) -> None:
    """Add a fault for an exit ban by administrative immigration action against an Indonesian (UU 6/2011 art. 75).

    No fault is added for a member of the basis that has a fault already.
    """
    stated = administrative(request, owner)
    citizen = request.subject.citizenship_on(today) is Citizenship.WNI
    if request.measure is not Measure.PREVENTION or not citizen or stated is None:
        return
    pointer = f"/basis/{stated}"
    if pointer not in {
        fault.pointer for _, fault in findings.faults
    }:  # unless the same member has a fault already
        detail = "Administrative action is for foreigners; this person is Indonesian (UU 6/2011 art. 75)."
        findings.fault(Invalid, pointer, "foreigners_only", detail)


def victim(request: Request, owner: Owner, _policy: Policy, _today: date, findings: Findings) -> None:
    """R65: add a fault for administrative action against a victim of trafficking (UU 6/2011 art. 86)."""
    if request.basis.trafficking_victim and administrative(request, owner) is not None:
        detail = "Administrative action does not apply to victims of trafficking (UU 6/2011 art. 86; R65)."
        findings.fault(Invalid, "/basis/trafficking_victim", "trafficking_victim", detail)


def article(request: Request, owner: Owner, _policy: Policy, _today: date, findings: Findings) -> None:
    """R6: add a fault if the basis cites no article of an undang-undang, although the owner must cite one.

    An owner must (UU 6/2011 art. 91(2)f) if an undang-undang of its own empowers it to order exit bans
    (`Owner.article_required`).
    """
    law = request.basis.law
    if owner.article_required and not (_UNDANG_UNDANG.search(law) and _ARTICLE.search(law)):
        detail = "Name the article of the undang-undang that empowers this body (UU 6/2011 art. 91(2)f)."
        findings.fault(Invalid, "/basis/law", "article_required", detail)


def urgent_letter(request: Request, _owner: Owner, policy: Policy, today: date, findings: Findings) -> None:
    """R2, R14: add a fault for an urgent request without a letter, or with a letter that is too old or from the future.

    A letter is too old if it was issued more than `policy.first_request_max_age_days` days before `today`.
    """
    if not request.urgent:
        return
    if request.letter is None:
        detail = "An urgent request rests on a letter (Permenimipas 13/2025 art. 9(2))."
        findings.fault(MissingSubjectData, "/letter", "required", detail)
        return
    _dated("/letter/issued_on", request.letter.issued_on, policy, today, findings)


def letter_dates(request: Request, _owner: Owner, policy: Policy, today: date, findings: Findings) -> None:
    """R13, R14: judge the date of a decision, and the day on which Immigration received it.

    Faults are a decision dated in the future, a first request's decision that is too old, and a receipt in the future
    or before the decision. A decision is too old if it was issued more than `policy.first_request_max_age_days` days
    before its first receipt. A receipt more than three days after the decision adds a warning.
    """
    basis = request.basis
    if request.origin == "request":
        first = request.first_received_on
        _dated("/basis/issued_on", basis.issued_on, policy, today, findings, first)
    elif basis.issued_on > today:
        findings.fault(Invalid, "/basis/issued_on", "future", "The letter's date is in the future (R14).")
    arrives_now = request.origin in {"request", "extension"}
    received = basis.received_on or (today if arrives_now else basis.issued_on)
    if received > today:
        findings.fault(Invalid, "/basis/received_on", "future", "The day of receipt is in the future.")
    elif received < basis.issued_on:
        findings.fault(Invalid, "/basis/received_on", "order", "It was received before it was issued.")
    elif (received - basis.issued_on).days > LATE_AFTER_DAYS:
        detail = "Delivered later than three days after the decision (UU 6/2011 art. 94(4))"
        missing = "; `late_reason` should say why." if not basis.late_reason else "."
        findings.warn("late_delivery", "/basis/received_on", detail + missing)


def own_decision(request: Request, _owner: Owner, policy: Policy, today: date, findings: Findings) -> None:
    """R14: add a fault for an extension that is not based on a new decision (UU 6/2011 art. 97(2)).

    A new decision has another number and a later date than the decisions that it extends. It is at most
    `policy.first_request_max_age_days` days old. Does nothing for a request that extends no measure.
    """
    basis, earlier = request.basis, request.extends
    if not earlier:
        return
    if folded(basis.number) in {folded(decision.number) for decision in earlier}:
        detail = (
            "An extension is a decision of its own; this is the number of one that it extends (art. 97(2))."
        )
        findings.fault(Invalid, "/basis/number", "same_decision", detail)
    latest = max(decision.issued_on for decision in earlier)
    if basis.issued_on <= latest:
        detail = f"An extension is decided later than what it extends, of {latest} (UU 6/2011 art. 97(2))."
        findings.fault(Invalid, "/basis/issued_on", "not_later", detail)
    elif basis.issued_on < today - timedelta(days=policy.first_request_max_age_days):
        _stale("/basis/issued_on", "An extension's decision", policy, findings)


def _dated(
    pointer: str, issued_on: date, policy: Policy, today: date, findings: Findings, first: date | None = None
) -> None:
    """Add a fault for a letter from the future or too old.

    Its age is measured at the first receipt; a letter issued after the first receipt counts as received today.
    """
    if issued_on > today:
        findings.fault(Invalid, pointer, "future", "The letter's date is in the future (R14).")
    received_on = today if first is None or issued_on > first else first
    if issued_on < received_on - timedelta(days=policy.first_request_max_age_days):
        _stale(pointer, "A first request's letter", policy, findings)


def _stale(pointer: str, what: str, policy: Policy, findings: Findings) -> None:
    detail = f"{what} is at most {policy.first_request_max_age_days} days old when it is filed (R14)."
    findings.fault(Invalid, pointer, "stale", detail)
