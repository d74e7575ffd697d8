"""On what ground, by which letter: R6 to R10, R13, R14, one sentence each."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.places.reference import load_agencies
from app.errors import InstrumentMismatch, Invalid, StageNotAllowed, WitnessNotAllowed
from app.register.entries.law.request import Owner, Policy

from .examples import (
    DJP,
    IMIGRASI,
    INSTRUMENTS,
    KPK,
    POLRI,
    TODAY,
    basis,
    deterrence,
    foreigner,
    refused,
    request,
    urgent,
    warned,
)

POLICE = {"instrument": "request", "reason_code": "general_crime"}
TAX = {
    "instrument": "decision",
    "reason_code": "tax",
    "stage": None,
    "subject_status": "tax_debtor",
    "amount_idr": 100_000_000,
    "good_faith_doubt": "Assets were moved abroad.",
}


@pytest.mark.parametrize("agency", load_agencies(), ids=lambda agency: agency.code)
def test_r6_each_owner_acts_in_its_own_legal_form_and_in_no_other(agency: Any):
    owner = Owner(agency.code, agency.legal_forms, agency.article_required)
    for instrument in INSTRUMENTS:
        extra = {"amount_idr": 100_000_000, "good_faith_doubt": "Assets were moved abroad."}
        asked = request(subject=foreigner(), basis={"instrument": instrument, **extra})
        if instrument in agency.legal_forms:
            assert warned(asked, owner) == []
        else:
            assert refused(InstrumentMismatch, asked, owner) == {"/basis/instrument": "legal_form"}


@pytest.mark.parametrize(
    ("issued_on", "accepted"), [("2025-12-30", True), ("2026-01-01", True), ("2026-01-02", False)]
)
def test_r7_a_witness_is_not_banned_on_letters_since_the_new_code(issued_on: str, *, accepted: bool):
    """Case 13 of docs/rules.md is tried in tests/api/register/test_entries_law_cases.py; these are its edges."""
    day = date.fromisoformat(issued_on)
    asked = request(
        basis={**POLICE, "subject_status": "witness", "issued_on": day, "received_on": day},
        starts_on=day,
        ends_on=day + timedelta(days=90),
    )
    if accepted:
        assert warned(asked, POLRI, today=day) == []
    else:
        assert refused(WitnessNotAllowed, asked, POLRI, today=day) == {"/basis/subject_status": "witness"}


def test_r7_urgent_requests_are_judged_alike():
    asked = urgent(basis={**POLICE, "subject_status": "witness"})
    assert refused(WitnessNotAllowed, asked, POLRI) == {"/basis/subject_status": "witness"}


def test_r7_a_deployment_may_let_one_institution_off_with_a_warning():
    policy = Policy(witness_warn_agencies=frozenset({"POLRI"}))
    asked = request(basis={**POLICE, "subject_status": "witness"})
    assert [notice.code for notice in warned(asked, POLRI, policy)] == ["witness"]
    bareskrim = Owner("BARESKRIM", ("request",))
    assert refused(WitnessNotAllowed, asked, bareskrim, policy) == {"/basis/subject_status": "witness"}


@pytest.mark.parametrize("stage", ["prosecution", "trial", "execution", None])
def test_r8_kpk_orders_in_the_investigation_only(stage: str | None):
    assert refused(StageNotAllowed, request(basis={"stage": stage})) == {"/basis/stage": "investigation_only"}
    assert warned(request(basis={**POLICE, "stage": stage}), POLRI) == []


@pytest.mark.parametrize("stage", ["prosecution", "trial", "execution"])
def test_r8_a_correction_may_say_that_the_case_has_gone_on(stage: str):
    corrected = request(basis={"stage": stage}, origin="correction")
    assert [notice.code for notice in warned(corrected)] == ["power_ended"]
    nowhere = request(basis={"stage": None}, origin="correction")
    assert refused(StageNotAllowed, nowhere) == {"/basis/stage": "investigation_only"}
    again = request(basis={"stage": stage}, origin="extension")
    assert refused(StageNotAllowed, again) == {"/basis/stage": "investigation_only"}


@pytest.mark.parametrize("owner", [KPK, POLRI, IMIGRASI])
def test_r9_the_preliminary_inquiry_never_gives_a_ground(owner: Owner):
    asked = request(basis={"stage": "preliminary_inquiry", "instrument": owner.legal_forms[0]})
    assert refused(StageNotAllowed, asked, owner) == {"/basis/stage": "preliminary_inquiry"}


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({}, {}),
        ({"amount_idr": 99_999_999}, {"/basis/amount_idr": "tax_debt"}),
        ({"amount_idr": None}, {"/basis/amount_idr": "tax_debt"}),
        ({"good_faith_doubt": None}, {"/basis/good_faith_doubt": "required"}),
        (
            {"amount_idr": 0, "good_faith_doubt": ""},
            {"/basis/amount_idr": "tax_debt", "/basis/good_faith_doubt": "required"},
        ),
    ],
)
def test_r10_a_tax_debtor_owes_a_hundred_million_in_doubtful_faith(
    changes: dict[str, Any], faults: dict[str, str]
):
    asked = request(basis={**TAX, **changes})
    assert warned(request(basis=TAX), DJP) == []
    if faults:
        assert refused(Invalid, asked, DJP) == faults


@given(st.integers(0, 40), st.none() | st.just("The courier was ill."))
def test_r13_a_letter_later_than_three_days_warns_and_asks_why(days: int, why: str | None):
    asked = request(
        basis={"issued_on": TODAY - timedelta(days=days), "received_on": TODAY, "late_reason": why}
    )
    notices = warned(asked, policy=Policy(first_request_max_age_days=60))
    assert [notice.code for notice in notices] == (["late_delivery"] if days > 3 else [])
    if notices:
        assert ("late_reason" in notices[0].detail) == (why is None)


def test_r13_without_a_day_of_receipt_it_was_received_today():
    asked = request(basis={"issued_on": TODAY - timedelta(days=4), "received_on": None})
    assert [notice.pointer for notice in warned(asked)] == ["/basis/received_on"]


@pytest.mark.parametrize(
    ("issued", "received", "faults"),
    [
        (1, None, {"/basis/issued_on": "future", "/basis/received_on": "order"}),
        (0, 1, {"/basis/received_on": "future"}),
        (-1, -2, {"/basis/received_on": "order"}),
        (-31, 0, {"/basis/issued_on": "stale"}),
    ],
)
def test_r14_a_letter_is_neither_from_the_future_nor_older_than_thirty_days(
    issued: int, received: int | None, faults: dict[str, str]
):
    days = {"issued_on": TODAY + timedelta(days=issued), "received_on": None}
    if received is not None:
        days["received_on"] = TODAY + timedelta(days=received)
    assert refused(Invalid, request(basis=days)) == faults


FIRST = basis(number="R-1/2026", issued_on=TODAY - timedelta(days=200))
SECOND = basis(number="P-2/2026", issued_on=TODAY - timedelta(days=20))


@pytest.mark.parametrize(
    ("number", "days_old", "faults"),
    [
        ("P-3/2026", 0, {}),
        ("P-3/2026", 19, {}),
        ("r-1 / 2026", 0, {"/basis/number": "same_decision"}),
        ("P-2/2026", 0, {"/basis/number": "same_decision"}),
        ("P-3/2026", 20, {"/basis/issued_on": "not_later"}),
        ("P-3/2026", 21, {"/basis/issued_on": "not_later"}),
        ("R-1/2026", 200, {"/basis/number": "same_decision", "/basis/issued_on": "not_later"}),
    ],
)
def test_r14_an_extension_is_a_decision_of_its_own_later_than_all_it_follows(
    number: str, days_old: int, faults: dict[str, str]
):
    decision = {"number": number, "issued_on": TODAY - timedelta(days=days_old), "received_on": TODAY}
    asked = request(origin="extension", extends=(FIRST, SECOND), basis=decision)
    if faults:
        assert refused(Invalid, asked) == faults
    else:
        assert {notice.code for notice in warned(asked)} <= {"late_delivery"}


@pytest.mark.parametrize(("days_old", "stale"), [(30, False), (31, True), (199, True)])
def test_r14_an_extensions_decision_is_fresh_when_it_is_filed(days_old: int, *, stale: bool):
    issued_on = TODAY - timedelta(days=days_old)
    asked = request(
        origin="extension",
        extends=(FIRST,),
        basis={"number": "P-2/2026", "issued_on": issued_on, "received_on": issued_on},
    )
    if stale:
        assert refused(Invalid, asked) == {"/basis/issued_on": "stale"}
        assert warned(asked, policy=Policy(first_request_max_age_days=days_old)) == []
    else:
        assert warned(asked) == []


def test_r14_thirty_days_and_the_very_day_are_still_in_time():
    for days in (0, 30):
        issued = TODAY - timedelta(days=days)
        assert {notice.code for notice in warned(request(basis={"issued_on": issued}))} <= {"late_delivery"}


def test_the_grounds_of_entry_bans_are_no_grounds_of_exit_bans():
    assert refused(Invalid, request(basis={"reason_code": "overstay"})) == {
        "/basis/reason_code": "deterrence_only"
    }
    assert warned(deterrence(basis={"reason_code": "overstay"}), IMIGRASI) == []
