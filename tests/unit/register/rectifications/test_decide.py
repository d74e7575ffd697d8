"""When a correction request is late, and what its decision must say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.actor import Actor
from app.errors import Invalid, SecondPairOfEyesNeeded, StaleVersion, WrongState
from app.register.rectifications.domain import (
    ANSWER_WITHIN,
    CorrectionOutcome,
    CorrectionRequest,
    RequestedCorrection,
)

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
OTHER = Actor("cli_2", "B", frozenset({"approver"}), "IMIGRASI")
GRANTED, PARTLY, REFUSED = CorrectionOutcome


def request(**changes: Any) -> CorrectionRequest:
    given: dict[str, Any] = {
        "id": "cor_1",
        "version": 1,
        "entry_id": "ent_1",
        "agency": "KPK",
        "kind": RequestedCorrection.IDENTITY,
        "statement": "My birth date is another.",
        "evidence": None,
        "requester_name": "Wulan",
        "requester_contact": "wulan@example.com",
        "filed_by": "cli_1",
        "filed_person": "A",
        "received_at": NOW,
        "due_at": NOW + ANSWER_WITHIN,
        **changes,
    }
    return CorrectionRequest(**given)


def decide(outcome: CorrectionOutcome, reason: str | None = None, **given: Any) -> CorrectionRequest:
    asked = {"by": OTHER, "expected": 1, "amendment_id": None, "at": NOW, **given}
    return request().decide(outcome=outcome, reason=reason, **asked)


def faults(*args: Any, **given: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as raised:
        decide(*args, **given)
    return {fault.pointer: fault.code for fault in raised.value.faults}


@pytest.mark.parametrize("reason", ["Pasal 33", "pasal 33 UU PDP", "Art. 33 of UU 27/2022", "article 33"])
def test_a_refusal_names_its_article(reason: str):
    decided = decide(REFUSED, reason)
    assert (decided.state, decided.outcome, decided.reason) == ("decided", REFUSED, reason)


@pytest.mark.parametrize("reason", ["No.", "article of faith", "particle 33", "since 33 other persons"])
def test_a_refusal_that_names_none_is_none(reason: str):
    assert faults(REFUSED, reason) == {"/reason": "article_required"}


def test_what_is_not_granted_in_full_needs_its_reason():
    assert faults(REFUSED) == {"/reason": "required"}
    assert faults(PARTLY) == {"/reason": "required"}
    assert decide(PARTLY, "The name, not the birth date.").outcome is PARTLY
    assert decide(GRANTED).outcome is GRANTED


def test_a_refusal_amends_nothing():
    assert faults(REFUSED, "Pasal 33", amendment_id="amd_1") == {"/amendment_id": "contradiction"}
    assert decide(GRANTED, amendment_id="amd_1").amendment_id == "amd_1"


def test_another_person_decides_and_only_once():
    with pytest.raises(SecondPairOfEyesNeeded):
        decide(GRANTED, by=Actor("cli_9", "A", frozenset({"approver"}), "IMIGRASI"))
    with pytest.raises(StaleVersion):
        decide(GRANTED, expected=2)
    with pytest.raises(WrongState):
        decide(GRANTED).decide(OTHER, 2, GRANTED, None, None, NOW)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=30)))
def test_three_times_twenty_four_hours_are_72_hours_by_the_clock(passed: timedelta):
    late = passed > timedelta(hours=72)
    assert request().overdue(NOW + passed) is late
    decided = decide(GRANTED, at=NOW + passed)
    assert decided.overdue(NOW + timedelta(days=365)) is late
