"""What the measure rests on: instruments, grounds, letters and their dates (R2, R6-R10, R13, R14, R65).

A rule asks what a request states as fact, by whichever of its members; never by one code alone, for the requester
chooses the codes.
"""

import re
from datetime import date, timedelta

from app.access.domain import IMMIGRATION
from app.entries.domain import Measure
from app.entries.law.request import Findings, Owner, Policy, Request
from app.entries.references import folded
from app.entries.subjects import Citizenship
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

ACCUSED = frozenset({"suspect", "defendant", "convict"})
"""The person that a criminal case is against."""

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
"""The instruments that rest on administrative immigration action (UU 6/2011 art. 75-78)."""

ADMINISTRATIVE_REASONS = frozenset({"deportation", "overstay"})
"""The grounds that are such an action themselves (UU 6/2011 art. 75(2)f, 78)."""

_ARTICLE = re.compile(r"\b(pasal|psl|ps|article|art)\b\.?\s*\d", re.IGNORECASE)
_UNDANG_UNDANG = re.compile(r"\b(uu|undang[\s-]*undang|perppu|law)\b", re.IGNORECASE)

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


def ground(request: Request, owner: Owner, _p: Policy, _t: date, found: Findings) -> None:
    """R8, R9 and the closed lists of reasons."""
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
    if request.measure is Measure.PREVENTION and basis.reason_code in DETERRENCE_REASONS:
        detail = "A ground of entry bans only (Permenimipas 13/2025 art. 17(4))."
        found.fault(Invalid, "/basis/reason_code", "deterrence_only", detail)


def witness(request: Request, owner: Owner, policy: Policy, _t: date, found: Findings) -> None:
    """R7: an exit ban never touches a witness; only criminal procedure law ever knew one for witnesses.

    So a person who is called a witness is one in a criminal case, whatever stage and reason are given beside
    it.
    """
    basis = request.basis
    if request.measure is not Measure.PREVENTION or basis.issued_on < NO_WITNESSES_SINCE:
        return
    detail = "Since 2 January 2026 for suspects and defendants only (UU 20/2025 art. 89; R7)."
    if basis.subject_status != "witness":
        if basis.subject_status == "other" and (basis.stage or basis.reason_code in CRIMINAL_REASONS):
            found.warn("not_accused", "/basis/subject_status", detail)
    elif owner.code in policy.witness_warn_agencies:
        found.warn("witness", "/basis/subject_status", detail)
    else:
        found.fault(WitnessNotAllowed, "/basis/subject_status", "witness", detail)


def tax(request: Request, owner: Owner, _p: Policy, _t: date, found: Findings) -> None:
    """R10: an exit ban for a tax debt needs a large debt and doubted good faith (UU 19/2000 art. 29).

    This holds whichever agency asks for the ban.
    """
    basis = request.basis
    debt = owner.code == "DJP" or basis.reason_code == "tax" or basis.subject_status == "tax_debtor"
    if request.measure is not Measure.PREVENTION or not debt:
        return
    if (basis.amount_idr or 0) < TAX_DEBT_IDR:
        detail = "A tax debt of at least Rp100,000,000 is needed (PMK 61/2023 art. 55; R10)."
        found.fault(Invalid, "/basis/amount_idr", "tax_debt", detail)
    if not basis.good_faith_doubt:
        detail = "Why good faith is doubted must be said (PMK 61/2023 art. 55; R10)."
        found.fault(Invalid, "/basis/good_faith_doubt", "required", detail)


def administrative(request: Request, owner: Owner) -> str | None:
    """Which member of the basis states that a measure is administrative immigration action; None where none does.

    Its form, its ground or the subject's status may state it. Outside criminal procedure an immigration ground does,
    and so does the form of every exit ban of Immigration's own, which the law allows on its supervision and
    administrative action only (UU 6/2011 art. 91(2)a).
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


def foreigners_only(request: Request, owner: Owner, _p: Policy, today: date, found: Findings) -> None:
    """Administrative immigration action is for foreigners only, its exit ban too (UU 6/2011 art. 75)."""
    stated = administrative(request, owner)
    citizen = request.subject.citizenship_on(today) is Citizenship.WNI
    if request.measure is not Measure.PREVENTION or not citizen or stated is None:
        return
    pointer = f"/basis/{stated}"
    if pointer not in {
        fault.pointer for _, fault in found.faults
    }:  # or no ground of this owner's exit bans anyway
        detail = "Administrative action is for foreigners; this person is Indonesian (UU 6/2011 art. 75)."
        found.fault(Invalid, pointer, "foreigners_only", detail)


def victim(request: Request, owner: Owner, _p: Policy, _t: date, found: Findings) -> None:
    """R65: administrative action, and so the ban it gives, never touches a victim of trafficking (art. 86)."""
    if request.basis.trafficking_victim and administrative(request, owner) is not None:
        detail = "Administrative action does not apply to victims of trafficking (UU 6/2011 art. 86; R65)."
        found.fault(Invalid, "/basis/trafficking_victim", "trafficking_victim", detail)


def article(request: Request, owner: Owner, _p: Policy, _t: date, found: Findings) -> None:
    """R6: a body whose power rests on an undang-undang of its own names its article (UU 6/2011 art. 91(2)f)."""
    law = request.basis.law
    if owner.article_required and not (_UNDANG_UNDANG.search(law) and _ARTICLE.search(law)):
        detail = "Name the article of the undang-undang that empowers this body (UU 6/2011 art. 91(2)f)."
        found.fault(Invalid, "/basis/law", "article_required", detail)


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


def own_decision(request: Request, _o: Owner, policy: Policy, today: date, found: Findings) -> None:
    """R14: an extension is a decision of its own, later than those it follows (UU 6/2011 art. 97(2)), and fresh."""
    basis, earlier = request.basis, request.extends
    if not earlier:
        return
    if folded(basis.number) in {folded(decision.number) for decision in earlier}:
        detail = (
            "An extension is a decision of its own; this is the number of one that it extends (art. 97(2))."
        )
        found.fault(Invalid, "/basis/number", "same_decision", detail)
    latest = max(decision.issued_on for decision in earlier)
    if basis.issued_on <= latest:
        detail = f"An extension is decided later than what it extends, of {latest} (UU 6/2011 art. 97(2))."
        found.fault(Invalid, "/basis/issued_on", "not_later", detail)
    elif basis.issued_on < today - timedelta(days=policy.first_request_max_age_days):
        _stale("/basis/issued_on", "An extension's decision", policy, found)


def _dated(
    pointer: str, issued_on: date, policy: Policy, today: date, found: Findings, first: date | None = None
) -> None:
    """A letter's age is that of its first receipt; one that was issued since the first receipt arrives today."""
    if issued_on > today:
        found.fault(Invalid, pointer, "future", "The letter's date lies in the future (R14).")
    received_on = today if first is None or issued_on > first else first
    if issued_on < received_on - timedelta(days=policy.first_request_max_age_days):
        _stale(pointer, "A first request's letter", policy, found)


def _stale(pointer: str, what: str, policy: Policy, found: Findings) -> None:
    detail = f"{what} is at most {policy.first_request_max_age_days} days old when it is filed (R14)."
    found.fault(Invalid, pointer, "stale", detail)
