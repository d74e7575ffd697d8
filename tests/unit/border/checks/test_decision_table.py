"""The decision table R44, and what never turns into a refusal (R45, R32, under 18)."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from app.border.checks.domain import worst
from app.register.entries.answer import Direction, action_on
from app.register.entries.domain import State
from app.register.entries.law.periods import over_at, urgent_end
from app.register.entries.subjects import Alias
from app.register.entries.waiting import Waiting
from tests.unit.border.checks.register import (
    NOW,
    WNA,
    WNI,
    Json,
    action,
    entry,
    matches,
    outcome,
    question,
    results,
    subject,
)


@pytest.mark.parametrize(
    ("measure", "person", "direction", "expected", "sighting"),
    [
        ("prevention", WNI, "exit", "refuse_exit", False),
        ("prevention", WNA, "exit", "refuse_exit", False),
        ("prevention", WNI, "entry", "allow", True),
        ("prevention", WNA, "entry", "refer_to_supervisor", False),
        ("deterrence", WNA, "entry", "refuse_entry", False),
        ("deterrence", WNA, "exit", "allow", True),
        ("deterrence", WNI, "entry", "refer_to_supervisor", False),
        ("deterrence", WNI, "exit", "allow", True),
    ],
)
def test_every_row_of_the_decision_table(
    measure: str, person: Json, direction: Direction, expected: str, *, sighting: bool
) -> None:
    asked = question(person, direction)
    found = matches(asked, entry(person, measure))
    assert action(asked, entry(person, measure)) == expected
    assert [match.sighting for match in found] == [sighting]


@pytest.mark.parametrize("direction", ["exit", "entry"])
def test_without_an_entry_the_traveller_passes(direction: Direction) -> None:
    assert action(question(WNI, direction)) == "allow"


def test_with_both_measures_each_direction_goes_by_its_own_row() -> None:
    both = entry(WNA, "prevention"), entry(WNA, "deterrence")
    assert action(question(WNA, "exit"), *both) == "refuse_exit"
    assert action(question(WNA, "entry"), *both) == "refuse_entry"
    told = {match.measure: match.sighting for match in matches(question(WNA, "exit"), *both)}
    assert told == {"prevention": False, "deterrence": True}


def test_the_gravest_match_comes_first_and_decides() -> None:
    provisional = entry(WNI, id="ent_urgent", urgent=True, state=State.PROVISIONAL)
    found = matches(question(WNI), provisional, entry(WNI))
    assert [match.outcome for match in found] == ["refuse", "refer"]
    assert worst(reversed(found)) == "refuse"


@pytest.mark.parametrize("nationality", [None, "XXX", "UNO", "QQQ", "EUE", "XPO"])
def test_without_positive_evidence_of_another_nationality_entry_is_not_refused(
    nationality: str | None,
) -> None:
    asked = question(WNA, "entry", person={"nationality": nationality})
    found = matches(asked, entry(WNA, "deterrence"))
    assert [match.outcome for match in found] == ["refer"]
    assert ("citizenship", "citizenship_unproven") in results(found)


@pytest.mark.parametrize("nationality", ["XXA", "XXB", "XXC", "D", "d<<", "nzl"])
def test_stateless_persons_refugees_and_odd_writing_are_evidence(nationality: str) -> None:
    asked = question(WNA, "entry", person={"nationality": nationality})
    assert outcome(asked, entry(WNA, "deterrence")) == "refuse"


def test_an_entry_that_knows_no_nationality_refuses_nobody_entry() -> None:
    found = matches(question(WNA, "entry"), entry({**WNA, "nationalities": []}, "deterrence"))
    assert [match.outcome for match in found] == ["refer"]


def test_the_issuing_state_alone_proves_no_nationality() -> None:
    asked = {"direction": "entry", "document": {"number": "L7654321", "issuing_state": "NZL"}}
    assert outcome(asked, entry(WNA, "deterrence")) == "refer"


@pytest.mark.parametrize(
    "claim",
    [
        {"person": {"nationality": "IDN"}},
        {"person": {"nationality": "idn"}},
        {"person": {"nik": "3171011705700001"}},
    ],
)
def test_whoever_claims_to_be_indonesian_is_referred(claim: Json) -> None:
    found = matches(question(WNA, "entry", **claim), entry(WNA, "deterrence"))
    assert [match.outcome for match in found] == ["refer"]
    assert ("citizenship", "claims_wni") in results(found)


def test_an_indonesian_entry_under_deterrence_never_refuses_entry_whatever_is_shown() -> None:
    legacy = entry({**WNI, "documents": WNA["documents"]}, "deterrence")
    asked = question(WNA, "entry")
    assert [match.outcome for match in matches(asked, legacy)] == ["refer"]


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2008-11-23", "refuse"),  # eighteen today
        ("2008-11-24", "refer"),  # eighteen tomorrow
        ("2008-11", "refer"),
        ("2008", "refer"),
        ("2007", "refuse"),
        ("2020-01-01", "refer"),
    ],
)
@pytest.mark.parametrize(("measure", "direction"), [("prevention", "exit"), ("deterrence", "entry")])
def test_nobody_who_may_be_under_eighteen_is_refused(
    measure: str, direction: Direction, born: str, expected: str
) -> None:
    child = {**WNA, "birth": {"date": born}}
    found = matches(question(child, direction), entry(child, measure))
    assert [match.outcome for match in found] == [expected]
    assert (("age", "under_18") in results(found)) == (expected == "refer")


def test_the_entry_tells_the_age_where_the_question_does_not() -> None:
    child = {**WNI, "birth": {"age": 16, "as_of": "2026-01-01"}}
    asked = {"direction": "exit", "document": {"number": "X1234567", "issuing_state": "IDN"}}
    assert outcome(asked, entry(child)) == "refer"


def test_a_child_of_leap_day_is_grown_up_on_the_first_of_march() -> None:
    born = {**WNI, "birth": {"date": "2008-02-29"}}
    listed = entry(born, in_force_from=NOW - timedelta(days=400))
    days = (datetime(2026, 2, 28, 3, tzinfo=UTC), datetime(2026, 3, 1, 3, tzinfo=UTC))
    told = [outcome(question(born), listed, now=day) for day in days]
    assert told == ["refer", "refuse"]


def test_an_urgent_entry_refers_until_it_is_countersigned() -> None:
    urgent = entry(WNI, urgent=True, state=State.PROVISIONAL)
    found = matches(question(WNI), urgent)
    assert [(match.level, match.outcome) for match in found] == [("exact", "refer")]
    assert ("entry", "not_countersigned") in results(found)
    assert outcome(question(WNI), urgent.replace(countersigned_at=NOW)) == "refuse"


@pytest.mark.parametrize(
    "state", [State.SUBMITTED, State.RETURNED, State.VERIFIED, State.REJECTED, State.ENDED]
)
def test_what_is_not_decided_or_is_over_stops_nobody(state: State) -> None:
    assert matches(question(WNI), entry(WNI, state=state)) == []


def test_an_urgent_entry_of_23_august_holds_through_11_september_in_jakarta() -> None:
    last = over_at(urgent_end(date(2022, 8, 23)))
    urgent = entry(WNI, urgent=True, state=State.PROVISIONAL, in_force_from=None, in_force_until=last)
    urgent = urgent.replace(in_force_from=last - timedelta(days=19), countersigned_at=last)
    told = [outcome(question(WNI), urgent, now=last + late) for late in (timedelta(seconds=-1), timedelta())]
    assert last.isoformat() == "2022-09-11T17:00:00+00:00"  # 24:00 in Jakarta, 02:00 in Jayapura
    assert told == ["refuse", "clear"]


def test_an_entry_approved_ahead_of_its_first_day_waits_for_it() -> None:
    begins = NOW + timedelta(hours=1)
    later = entry(WNI, in_force_from=begins)
    assert [outcome(question(WNI), later, now=now) for now in (NOW, begins)] == ["clear", "refuse"]


@pytest.mark.parametrize(
    ("since", "left", "noted"),
    [
        (timedelta(0), timedelta(days=9), True),
        (timedelta(hours=3) - timedelta(seconds=1), timedelta(days=9), True),
        (timedelta(hours=3), timedelta(days=9), False),
        (timedelta(days=9), timedelta(hours=3), True),
        (timedelta(days=9), timedelta(hours=3, seconds=1), False),
    ],
)
def test_the_edges_of_a_period_add_a_note_and_change_nothing(
    since: timedelta, left: timedelta, *, noted: bool
) -> None:
    listed = entry(WNI, in_force_from=NOW - since, in_force_until=NOW + left)
    (found,) = matches(question(WNI), listed)
    assert (found.boundary_note is not None) == noted
    assert found.outcome == "refuse"


def test_a_sighting_needs_more_than_a_namesake() -> None:
    returning = question({**WNI, "documents": []}, "entry")
    assert matches(returning, entry({**WNI, "birth": {"date": "1970"}})) == []
    assert [match.sighting for match in matches(returning, entry(WNI))] == [True]
    assert [match.sighting for match in matches(question(WNI, "entry"), entry(WNI))] == [True]


@pytest.mark.parametrize(
    ("quality", "born", "expected"),
    [
        ("good", {"date": "1970-05-17"}, "refer"),
        ("good", None, "refer"),
        ("low", {"date": "1970-05-17"}, "refer"),
        ("low", {"date": "1970"}, "clear"),
        ("low", None, "clear"),
    ],
)
def test_a_low_alias_is_evidence_only_with_the_birth_date(
    quality: str, born: Json | None, expected: str
) -> None:
    known = subject({**WNI, "birth": born, "documents": []})
    listed = entry(WNI, subject=msgspec.structs.replace(known, aliases=(Alias("Raka Kusuma", quality),)))
    asked = question({**WNI, "documents": [], "full_name": "RAKA KUSUMA"})
    assert outcome(asked, listed) == expected


@pytest.mark.parametrize("direction", ["exit", "entry"])
def test_an_action_says_what_the_counter_does(direction: Direction) -> None:
    told = [action_on(outcome, direction) for outcome in ("clear", "refer", "refuse")]
    assert told == ["allow", "refer_to_supervisor", f"refuse_{direction}"]


@pytest.mark.parametrize(
    ("measure", "person", "direction", "expected"),
    [
        ("prevention", WNI, "exit", "refer_to_supervisor"),
        ("prevention", WNI, "entry", "allow"),
        ("prevention", WNA, "entry", "refer_to_supervisor"),
        ("deterrence", WNA, "entry", "refer_to_supervisor"),
        ("deterrence", WNA, "exit", "allow"),
        ("deterrence", WNI, "entry", "refer_to_supervisor"),
    ],
)
def test_while_papers_in_time_are_undecided_every_row_refers_at_most(
    measure: str, person: Json, direction: Direction, expected: str
) -> None:
    listed = entry(person, measure, waiting=Waiting("amd_1", 7))
    over = over_at(date(2027, 5, 20))
    asked = question(person, direction)
    for now in (over, over + timedelta(days=7) - timedelta(microseconds=1)):
        found = matches(asked, listed, now=now)
        assert action_on(worst(found), direction) == expected
        assert [match.pending_until for match in found] == [over + timedelta(days=7)]
        if expected != "allow":
            assert ("entry", "decision_pending") in results(found)
    assert matches(asked, listed, now=over + timedelta(days=7)) == []
    before = matches(asked, listed, now=over - timedelta(microseconds=1))
    assert [match.pending_until for match in before] == [None], "in force it is answered as ever"
