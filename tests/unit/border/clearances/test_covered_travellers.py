"""The travellers that may get a clearance, those that it covers, and for how long (R47); pure."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.actor import Actor
from app.border.checks.clearing import remove_cleared
from app.border.checks.domain import worst
from app.border.clearances.domain import (
    TEXTS,
    Clearance,
    ClearanceState,
    ClearanceVerdict,
    EndReason,
    Obstacle,
    bearer_of,
    obstacle,
)
from app.errors import SecondPairOfEyesNeeded, StaleVersion, WrongState
from app.identity import names
from app.register.entries.domain import Entry
from tests.support.bodies import merged, mrz_of
from tests.unit.border.checks.register import NOW, WNA, WNI, Json, entry, matches, question, traveller

LISTED = entry(merged(WNI, {"birth": {"date": "1970"}}))
NAMESAKE = merged(
    WNI,
    {"nik": None, "documents": [{**WNI["documents"][0], "number": "B7654321"}]},
)
ASKED = question(NAMESAKE)

SUPERVISOR = Actor("cli_1", "P1", frozenset({"supervisor"}), checkpoint="CGK")
OFFICER = Actor("cli_2", "P2", frozenset({"duty_officer"}), agency="IMIGRASI")


def clearance(asked: Json = ASKED, against: Entry = LISTED, **given: Any) -> Clearance:
    """A standing clearance of whoever is asked about."""
    return msgspec.structs.replace(
        Clearance(
            id="clr_1",
            version=1,
            state=ClearanceState.STANDING,
            entry_id=against.id,
            entry_version=against.version,
            agency=against.agency,
            checkpoint="CGK",
            hit_id="hit_1",
            bearer=bearer_of(traveller(asked), [asked["person"]["name"]]),
            proposed_by=SUPERVISOR.client_id,
            person=SUPERVISOR.person,
            proposed_at=NOW,
        ),
        **given,
    )


def covered(asked: Json, against: Entry = LISTED, **given: Any) -> bool:
    return clearance(**given).covers(traveller(asked), against)


def test_a_namesake_with_their_own_document_is_covered() -> None:
    assert obstacle(traveller(ASKED), LISTED) is None
    assert covered(ASKED)


def test_however_the_name_and_the_number_are_written() -> None:
    spelled = {"name": "PRAMBANAN, Raka Setyawan"}
    asked = merged(ASKED, {"document": {"number": "b 7654-321"}, "person": spelled})
    assert names.fold(asked["person"]["name"]) == names.fold(WNI["full_name"])
    assert covered(asked)


@pytest.mark.parametrize(
    "given",
    [
        {"document": {"number": "B7654322"}},
        {"document": {"issuing_state": "NZL"}},
        {"document": {"issuing_state": None}},
        {"document": ...},
        {"person": {"birth_date": "1970-05-18"}},
        {"person": {"birth_date": "1970-05"}},
        {"person": {"birth_date": None}},
        {"person": {"name": "Raka Prambanan"}},
        {"person": {"name": None}},
        {"person": {"nik": WNI["nik"]}},
    ],
)
def test_whoever_shows_anything_else_is_not(given: Json) -> None:
    assert not covered(merged(ASKED, given))


@pytest.mark.parametrize("state", [state for state in ClearanceState if state is not ClearanceState.STANDING])
def test_nor_is_anybody_while_it_does_not_stand(state: ClearanceState) -> None:
    assert not covered(ASKED, state=state)


def test_nor_against_another_version_or_another_entry() -> None:
    assert not covered(ASKED, LISTED.replace(version=LISTED.version + 1))
    assert not covered(ASKED, LISTED.replace(id="ent_other"))


def test_nor_once_the_document_is_listed() -> None:
    papers = (*LISTED.subject.documents, *entry(NAMESAKE).subject.documents)
    subject = msgspec.structs.replace(LISTED.subject, documents=papers)
    assert not covered(ASKED, LISTED.replace(subject=subject))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"document": {"number": "X1234567"}}, Obstacle.DOCUMENT_LISTED),
        ({"document": {"number": "X1234567", "issuing_state": "NZL"}}, Obstacle.DOCUMENT_LISTED),
        ({"document": {"number": "X1234567", "issuing_state": None}}, Obstacle.DOCUMENT_LISTED),
        ({"document": {"number": "XI234S67"}}, Obstacle.DOCUMENT_LISTED),
        ({"document": {"number": "X1234567K"}}, Obstacle.DOCUMENT_LISTED),
        ({"document": {"issuing_state": "1DN"}}, Obstacle.NO_ISSUING_STATE),
        ({"person": {"nik": WNI["nik"]}}, Obstacle.NIK_LISTED),
        ({"document": ...}, Obstacle.NO_DOCUMENT),
        ({"document": {"issuing_state": None}}, Obstacle.NO_ISSUING_STATE),
        ({"person": {"birth_date": "1970"}}, Obstacle.NO_BIRTH_DATE),
        ({"person": {"birth_date": None}}, Obstacle.NO_BIRTH_DATE),
        ({"person": {"name": None}}, Obstacle.NO_NAME),
    ],
)
def test_what_stands_against_a_clearance_is_said(given: Json, expected: Obstacle) -> None:
    assert obstacle(traveller(merged(ASKED, given)), LISTED) is expected
    assert all(TEXTS[expected])


def test_a_clearance_holds_under_each_code_of_the_issuing_state() -> None:
    kosovar = merged(NAMESAKE, {"documents": [{**NAMESAKE["documents"][0], "issuing_state": "RKS"}]})
    for written in ("RKS", "XXK", "UNK", "XK"):
        asked = question(kosovar, document={"issuing_state": written})
        assert covered(asked, bearer=bearer_of(traveller(question(kosovar)), [asked["person"]["name"]]))
        former = msgspec.structs.replace(
            bearer_of(traveller(question(kosovar)), [asked["person"]["name"]]), issuing_state=written
        )
        assert covered(question(kosovar), bearer=former)


def test_two_documents_at_once_can_not_be_bound() -> None:
    both = merged(
        {"direction": "exit", "mrz": _zone(NAMESAKE)},
        {"document": {"number": "C0000001", "issuing_state": "IDN"}, "person": ASKED["person"]},
    )
    assert obstacle(traveller(both), LISTED) is Obstacle.SEVERAL_DOCUMENTS


def test_a_zone_whose_digits_fail_can_not_be_bound() -> None:
    broken = _zone(NAMESAKE)
    broken = broken[:-1] + str((int(broken[-1]) + 1) % 10)
    asked = {"direction": "exit", "mrz": broken}
    assert obstacle(traveller(asked), LISTED) is Obstacle.DOCUMENT_UNSURE


def _zone(person: Json) -> str:
    return mrz_of(person)


def test_every_obstacle_has_its_sentences() -> None:
    assert set(TEXTS) == set(Obstacle)


def test_the_entry_is_passed_over_and_every_other_still_counts() -> None:
    other = entry(NAMESAKE).replace(id="ent_other")
    found = matches(ASKED, LISTED, other)
    near = {LISTED.id: LISTED, other.id: other}
    rest, named = remove_cleared(found, traveller(ASKED), near, [clearance()])
    assert [match.entry_id for match in rest] == ["ent_other"]
    assert (worst(rest), named) == ("refuse", ["clr_1"])
    assert remove_cleared(found, traveller(ASKED), near, []) == (found, [])


@pytest.mark.parametrize("direction", ["exit", "entry"])
@pytest.mark.parametrize("person", [WNI, WNA])
@pytest.mark.parametrize("measure", ["prevention", "deterrence"])
def test_it_never_makes_an_answer_graver(direction: Any, person: Json, measure: str) -> None:
    grave = {"clear": 0, "refer": 1, "refuse": 2}
    against = entry(merged(person, {"birth": {"date": "1970"}}), measure)
    own = [{**person["documents"][0], "number": "B7654321"}]
    asked = question(merged(person, {"nik": None, "documents": own}), direction)
    found = matches(asked, against)
    stands = clearance(asked, against)
    rest, _ = remove_cleared(found, traveller(asked), {against.id: against}, [stands])
    assert grave[worst(rest)] <= grave[worst(found)]
    assert rest == []


def test_the_second_person_is_another_one() -> None:
    waiting = clearance(state=ClearanceState.PROPOSED)
    same = msgspec.structs.replace(waiting, person=OFFICER.person)
    for verdict in (ClearanceVerdict.CONFIRM, ClearanceVerdict.REJECT):
        with pytest.raises(SecondPairOfEyesNeeded):
            same.decided(OFFICER, 1, verdict, "No.", LISTED, NOW)
    confirmed = waiting.decided(OFFICER, 1, ClearanceVerdict.CONFIRM, None, LISTED, NOW)
    assert (confirmed.state, confirmed.version) == (ClearanceState.STANDING, 2)
    withdrawn = confirmed.decided(OFFICER, 2, ClearanceVerdict.WITHDRAW, "No.", LISTED, NOW)
    assert (withdrawn.state, withdrawn.ended_reason) == (ClearanceState.ENDED, EndReason.WITHDRAWN)


def test_nothing_is_decided_twice_or_unread_or_against_a_changed_entry() -> None:
    waiting = clearance(state=ClearanceState.PROPOSED)
    with pytest.raises(StaleVersion):
        waiting.decided(OFFICER, 2, ClearanceVerdict.CONFIRM, None, LISTED, NOW)
    with pytest.raises(WrongState):
        waiting.decided(OFFICER, 1, ClearanceVerdict.CONFIRM, None, LISTED.replace(version=9), NOW)
    with pytest.raises(WrongState):
        waiting.decided(OFFICER, 1, ClearanceVerdict.CONFIRM, None, LISTED, NOW + timedelta(days=4000))
    with pytest.raises(WrongState):
        waiting.decided(OFFICER, 1, ClearanceVerdict.WITHDRAW, "No.", LISTED, NOW)
    for state in (ClearanceState.STANDING, ClearanceState.REJECTED, ClearanceState.ENDED):
        with pytest.raises(WrongState):
            clearance(state=state).decided(OFFICER, 1, ClearanceVerdict.CONFIRM, None, LISTED, NOW)
