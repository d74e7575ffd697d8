"""When an objection is filed and answered in time, and who may do it (UU 6/2011 art. 96; R38)."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app.actor import Actor
from app.errors import CekalError, Invalid, SecondPairOfEyesNeeded, StaleVersion, WrongState
from app.kit.clock import WIB
from app.kit.working_days import working_days_later
from app.register.entries.domain import Entry, State
from app.register.entries.law.periods import begins_at, over_at
from app.register.objections.domain import Capacity, Filing, Letter, Objection, Outcome, filed
from tests.unit.register.entries.examples import NOW, TODAY, basis, entry, person

DAY = timedelta(days=1)
OFFICER, COLLEAGUE = person("A", "submitter"), person("B", "verifier")
ANSWER = Letter("B-9/2026", TODAY)


def ban(**changes: Any) -> Entry:
    """An exit ban in force since Saturday 21 November 2026."""
    given: dict[str, Any] = {
        "state": State.ACTIVE,
        "starts_on": date(2026, 11, 21),
        "in_force_from": begins_at(date(2026, 11, 21)),
        "in_force_until": over_at(date(2027, 5, 21)),
    }
    return entry(**{**given, **changes})


def filing(**changes: Any) -> Filing:
    """What the subject's lawyer filed today."""
    given: dict[str, Any] = {
        "filed_on": TODAY,
        "name": "Ratna Wulandari",
        "capacity": Capacity.LAWYER,
        "grounds": "He is a witness, not a suspect.",
    }
    return Filing(**{**given, **changes})


def taken(against: Entry | None = None, holidays: frozenset[date] = frozenset(), **changes: Any) -> Objection:
    return filed("obj_1", against or ban(), filing(**changes), OFFICER, NOW, 4, holidays)


def answered(objection: Objection, by: Actor = COLLEAGUE, **changes: Any) -> Objection:
    given: dict[str, Any] = {
        "expected": 1,
        "outcome": Outcome.GRANTED,
        "reason": "The person is another.",
        "letter": ANSWER,
        "at": NOW,
        "carry_out_days": 3,
    }
    return objection.answered(by, **{**given, **changes})


@pytest.mark.parametrize("filed_on", [date(2026, 11, 21), TODAY])
def test_it_is_filed_on_a_day_on_which_the_measure_is_in_force(filed_on: date):
    objection = taken(filed_on=filed_on)
    assert (objection.agency, objection.answer) == ("KPK", None)


def test_it_is_answered_within_the_deployments_working_days_where_no_regulation_names_them():
    assert taken().answer_due_at.astimezone(WIB).isoformat() == "2026-11-27T23:59:59+07:00"
    saturday = filed("obj_1", ban(), filing(filed_on=date(2026, 11, 21)), OFFICER, NOW, 3, {TODAY})
    assert saturday.answer_due_at.astimezone(WIB).isoformat() == "2026-11-26T23:59:59+07:00"


@pytest.mark.parametrize(("filed_on", "code"), [(date(2026, 11, 20), "too_early"), (TODAY + DAY, "future")])
def test_on_no_other_day(filed_on: date, code: str):
    with pytest.raises(Invalid) as raised:
        taken(filed_on=filed_on)
    assert [(fault.pointer, fault.code) for fault in raised.value.faults] == [("/filed_on", code)]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": State.SUBMITTED, "in_force_from": None},
        {"state": State.ENDED, "ended_at": begins_at(TODAY)},
        {"in_force_from": begins_at(TODAY + DAY)},
        {"state": State.ENDED, "in_force_from": begins_at(TODAY + DAY), "ended_at": NOW},
        {"state": State.REJECTED, "in_force_from": None, "ended_at": NOW},
    ],
)
def test_against_what_was_not_in_force_nothing_is_filed(changes: dict[str, Any]):
    with pytest.raises(WrongState, match=r"art\. 96"):
        taken(ban(**changes))


@pytest.mark.parametrize("state", [State.ENDED, State.REJECTED])
def test_what_was_filed_in_time_is_recorded_however_late(state: State):
    over = ban(state=state, ended_at=begins_at(TODAY), in_force_until=begins_at(TODAY))
    last = TODAY - DAY
    assert (
        filed("obj_1", over, filing(filed_on=last), OFFICER, NOW + 90 * DAY, 10, ()).filing.filed_on == last
    )
    with pytest.raises(WrongState):
        filed("obj_1", over, filing(filed_on=TODAY), OFFICER, NOW + 90 * DAY, 10, ())


def test_an_administrative_action_is_objected_to_within_its_term_even_after_the_measure():
    tak = ban(
        basis=basis(instrument="administrative_action"),
        state=State.ENDED,
        ended_at=NOW,
        met={"deliver_to_person": NOW},
    )
    last = date(2026, 12, 22)
    assert filed("obj_1", tak, filing(filed_on=last), OFFICER, NOW + 90 * DAY, 10, ()).late is False
    with pytest.raises(WrongState):
        filed("obj_1", tak, filing(filed_on=last + DAY), OFFICER, NOW + 90 * DAY, 10, ())


def test_a_letter_that_is_younger_than_its_filing_is_wrong():
    with pytest.raises(Invalid):
        taken(filed_on=date(2026, 11, 21), letter=Letter("1", date(2026, 11, 22)))


def test_an_administrative_action_is_answered_within_five_and_five_working_days():
    tak = ban(basis=basis(instrument="administrative_action"))
    objection = taken(tak)
    assert objection.answer_due_at.astimezone(WIB).isoformat() == "2026-12-07T23:59:59+07:00"
    with_holiday = taken(tak, holidays=frozenset({date(2026, 12, 1)}))
    assert with_holiday.answer_due_at == objection.answer_due_at + DAY


@pytest.mark.parametrize(("after", "late"), [(21, False), (22, True)])
def test_an_administrative_action_is_objected_to_within_21_working_days_of_its_receipt(
    after: int, *, late: bool
):
    received = NOW
    begins = begins_at(TODAY)
    tak = ban(
        basis=basis(instrument="administrative_action"),
        in_force_from=begins,
        met={"deliver_to_person": received},
    )
    day = working_days_later(TODAY, after)
    at = begins_at(day) + timedelta(hours=3)
    objection = filed("obj_1", tak, filing(filed_on=day), OFFICER, at, 10, ())
    assert objection.file_until == date(2026, 12, 22)
    assert objection.late is late


def test_without_proof_of_its_receipt_no_objection_is_late():
    objection = taken(ban(basis=basis(instrument="administrative_action")))
    assert (objection.file_until, objection.late) == (None, False)


def test_it_is_answered_once_by_another_person_on_the_version_that_they_read():
    objection = answered(taken())
    assert (objection.version, objection.answer and objection.answer.person) == (2, "B")
    cases: list[tuple[type[CekalError], dict[str, Any]]] = [
        (WrongState, {"expected": 2}),
        (StaleVersion, {"expected": 1}),
    ]
    for kind, changes in cases:
        with pytest.raises(kind):
            answered(objection, **changes)
    for by in (OFFICER, person("A", "verifier"), person(None, "verifier")):
        with pytest.raises(SecondPairOfEyesNeeded):
            answered(taken(), by=by)


@pytest.mark.parametrize(
    ("issued_on", "code"), [(TODAY - DAY, "too_early"), (TODAY + DAY, "future"), (TODAY, None)]
)
def test_the_answers_letter_lies_between_the_objection_and_today(issued_on: date, code: str | None):
    objection = taken()
    if code is None:
        assert answered(objection, letter=Letter("1", issued_on)).answer is not None
        return
    with pytest.raises(Invalid) as raised:
        answered(objection, letter=Letter("1", issued_on))
    assert [fault.code for fault in raised.value.faults] == [code]


def test_what_was_granted_is_carried_out_by_the_end_of_a_legal_day():
    late = datetime.fromisoformat("2026-11-23T23:59:59+07:00")
    given = answered(taken(), at=late).answer
    assert given is not None
    assert given.carry_out_by is not None
    assert given.carry_out_by.astimezone(WIB).isoformat() == "2026-11-26T23:59:59+07:00"
    rejected = answered(taken(), outcome=Outcome.REJECTED).answer
    assert rejected is not None
    assert rejected.carry_out_by is None


def test_only_what_was_granted_must_be_followed_by_an_amendment():
    assert taken().must_follow == ()
    assert answered(taken(), outcome=Outcome.REJECTED).must_follow == ()
    assert answered(taken()).must_follow == ("annulment", "revocation")


def test_what_is_erased_names_nobody_and_tells_no_case():
    objection = answered(taken(letter=Letter("Secret number 7", TODAY))).erased()
    kept = repr(objection)
    for said in ("Ratna", "witness", "Secret", "another", "B-9"):
        assert said not in kept
    assert (objection.answer and objection.answer.outcome) is Outcome.GRANTED
    assert taken().erased().answer is None


def test_the_time_of_an_instant_does_not_move_a_legal_day():
    late_evening = datetime.fromisoformat("2026-11-23T23:59:00+07:00")
    objection = filed("obj_1", ban(), filing(filed_on=TODAY), OFFICER, late_evening, 10, ())
    assert objection.filing.filed_on == TODAY
    with pytest.raises(Invalid):
        filed("obj_1", ban(), filing(filed_on=TODAY + DAY), OFFICER, late_evening, 10, ())
