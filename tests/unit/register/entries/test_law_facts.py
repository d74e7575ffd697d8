"""A ground rule judges what a request states as fact, whichever of the codes state it (R6, R7, R10, R65; art. 75)."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from app.access.places.reference import load_agencies
from app.errors import CekalError
from app.register.entries.domain import Measure
from app.register.entries.law.judging import judge
from app.register.entries.law.request import Owner, Policy, Request

from .examples import (
    IMIGRASI,
    INSTRUMENTS,
    KPK,
    POLRI,
    REASONS,
    STAGES,
    STATUSES,
    TODAY,
    deterrence,
    foreigner,
    request,
    subject,
)

ANYONE = Owner("LAIN", INSTRUMENTS)
"""An owner that may use every legal form, so that only the ground decides."""

ADMINISTRATIVE = ("administrative_action", "supervision_report")
ACCUSED = ("suspect", "defendant", "convict")
TAX = {"amount_idr": 100_000_000, "good_faith_doubt": "Assets were moved abroad."}
EXIT, ENTRY = Measure.PREVENTION, Measure.DETERRENCE


def found(asked: Request, owner: Owner, policy: Policy | None = None) -> dict[str, str]:
    """The faults of a request by pointer; none where it is accepted."""
    try:
        judge(asked, owner, policy or Policy(), TODAY)
    except CekalError as error:
        return {fault.pointer: fault.code for fault in error.faults}
    return {}


def stated(measure: Measure, **codes: Any) -> Request:
    """A ban on a ground that these codes state, against a foreigner."""
    make = request if measure is EXIT else deterrence
    return make(subject=foreigner(), basis={**TAX, **codes})


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("instrument", INSTRUMENTS)
def test_r7_a_witness_is_a_witness_whatever_stage_and_reason_are_given(instrument: str, reason: str):
    for stage in STAGES:
        asked = stated(EXIT, instrument=instrument, reason_code=reason, stage=stage, subject_status="witness")
        assert found(asked, ANYONE)["/basis/subject_status"] == "witness"


def test_r7_an_urgent_or_extended_ban_of_a_witness_is_refused_without_a_stage_too():
    asked = stated(EXIT, instrument="request", reason_code="other", stage=None, subject_status="witness")
    for origin in ("request", "extension", "correction", "takeover"):
        assert "/basis/subject_status" in found(replace(asked, origin=origin), POLRI)


@pytest.mark.parametrize(
    ("codes", "warned"),
    [
        ({"subject_status": "other", "stage": "investigation"}, True),
        ({"subject_status": "other", "reason_code": "narcotics"}, True),
        ({"subject_status": "suspect", "stage": "investigation"}, False),
        ({"subject_status": "other", "reason_code": "state_receivable"}, False),
    ],
)
def test_r7_who_is_accused_of_nothing_in_a_criminal_case_is_told_of(codes: dict[str, Any], *, warned: bool):
    given = {"instrument": "request", "reason_code": "other", "stage": None, **codes}
    notices = judge(stated(EXIT, **given), POLRI, Policy(), TODAY)
    assert [notice.code for notice in notices] == (["not_accused"] if warned else [])


@pytest.mark.parametrize("owner", load_agencies(), ids=lambda agency: agency.code)
def test_r10_a_tax_ban_names_debt_and_doubt_whoever_asks_and_whichever_code_says_tax(owner: Any):
    judging = Owner.of(owner)
    for instrument, reason, status in product(INSTRUMENTS, REASONS, STATUSES):
        codes = {"instrument": instrument, "reason_code": reason, "subject_status": status}
        nothing = found(stated(EXIT, **codes, amount_idr=99_999_999, good_faith_doubt=None), judging)
        tax = owner.code == "DJP" or reason == "tax" or status == "tax_debtor"
        assert ("/basis/amount_idr" in nothing) is ("/basis/good_faith_doubt" in nothing) is tax
        said = found(stated(EXIT, **codes), judging)
        assert not {"/basis/amount_idr", "/basis/good_faith_doubt"} & said.keys()


def administrative(owner: Owner, measure: Measure, **codes: Any) -> bool:
    """Whether the law takes a ban for administrative immigration action; told apart from the code under test."""
    if codes["instrument"] in ADMINISTRATIVE or codes["subject_status"] == "foreigner_under_measure":
        return True
    if codes["reason_code"] in {"deportation", "overstay"}:
        return True
    criminal = codes["stage"] is not None or codes["subject_status"] in ACCUSED
    return not criminal and (
        codes["reason_code"] == "immigration" or (measure is EXIT and owner.code == "IMIGRASI")
    )


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("owner", [ANYONE, IMIGRASI], ids=lambda owner: owner.code)
def test_r65_no_code_hides_the_administrative_ban_of_a_victim(owner: Owner, measure: Measure):
    for instrument, reason, status, stage in product(INSTRUMENTS, REASONS, STATUSES, STAGES):
        codes = {
            "instrument": instrument,
            "reason_code": reason,
            "subject_status": status,
            "stage": stage,
        }
        bars = administrative(owner, measure, **codes)
        victim = found(stated(measure, **codes, trafficking_victim=True), owner)
        assert ("/basis/trafficking_victim" in victim) is bars, codes
        assert "/basis/trafficking_victim" not in found(stated(measure, **codes), owner)


@pytest.mark.parametrize("owner", [ANYONE, IMIGRASI], ids=lambda owner: owner.code)
def test_no_code_hides_the_administrative_exit_ban_of_a_citizen(owner: Owner):
    for instrument, reason, status, stage in product(INSTRUMENTS, REASONS, STATUSES, STAGES):
        codes = {
            "instrument": instrument,
            "reason_code": reason,
            "subject_status": status,
            "stage": stage,
        }
        faults = found(request(basis={**TAX, **codes}), owner)
        if administrative(owner, EXIT, **codes):
            assert faults, codes
        assert ("foreigners_only" in faults.values()) <= administrative(owner, EXIT, **codes), codes
        assert "foreigners_only" not in found(stated(EXIT, **codes), owner).values(), codes


@pytest.mark.parametrize("instrument", ADMINISTRATIVE)
def test_administrative_action_lets_a_foreigner_be_prevented_and_no_citizen(instrument: str):
    codes = {"instrument": instrument, "reason_code": "immigration", "stage": None, "subject_status": "other"}
    assert found(request(basis=codes), IMIGRASI) == {"/basis/instrument": "foreigners_only"}
    assert found(stated(EXIT, **codes), IMIGRASI) == {}


def test_a_citizen_suspected_of_an_immigration_crime_may_be_prevented():
    codes = {"instrument": "decision", "reason_code": "immigration"}
    assert found(request(subject=subject(), basis=codes), IMIGRASI) == {}
    outside = {**codes, "stage": None, "subject_status": "other"}
    assert found(request(basis=outside), IMIGRASI) == {"/basis/reason_code": "foreigners_only"}


@pytest.mark.parametrize(
    ("law", "named"),
    [
        ("UU 5/2018 Pasal 28", True),
        ("Undang-Undang Nomor 21 Tahun 2011 Ps. 49", True),
        ("Law 17/2011 art. 31", True),
        ("Perppu 1/2002 pasal 25", True),
        ("UU 5/2018", False),
        ("Pasal 28", False),
        ("PP 31/2013 Pasal 226", False),
        ("Permenimipas 13/2025 art. 9", False),
        ("UUD 1945 Pasal 28", False),
    ],
)
def test_r6_a_body_that_an_undang_undang_of_its_own_empowers_names_the_article(law: str, *, named: bool):
    other = Owner("BNPT", ("request",), article_required=True)
    asked = request(basis={"instrument": "request", "law": law})
    assert found(asked, other) == ({} if named else {"/basis/law": "article_required"})
    assert found(request(basis={"law": law}), KPK) == {}


def test_r6_the_agencies_that_must_name_the_article_are_those_of_letter_f():
    needing = {agency.code for agency in load_agencies() if Owner.of(agency).article_required}
    assert needing == {"BNPT", "BIN", "OJK", "LAIN"}
