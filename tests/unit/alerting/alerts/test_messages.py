"""What an alert says, byte for byte, and what it keeps to itself."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerting.alerts.domain import Alert, AlertKind, Contact, action_on, expiry_of, message_of, percentile
from app.alerting.alerts.rendering import ENDED_MESSAGE, GATE_MESSAGE, frame, render_alert
from app.kit.clock import legal_day
from app.ledger.domain import Draft, Record, RecordType, numbered
from app.register.entries.answer import direction_of
from app.register.entries.domain import EndedReason, Entry, State
from app.register.entries.law.periods import over_at
from app.register.entries.waiting import Waiting
from tests.unit.border.checks.register import NOW, WNA, WNI, Json, action, entry, question

LATER = NOW + timedelta(days=20)


def alert(kind: AlertKind = AlertKind.RAISE, **given: Any) -> Alert:
    values = {
        "id": "alr_2",
        "family": "alr_2" if kind is AlertKind.RAISE else "alr_1",
        "entry_id": "ent_prevention",
        "kind": kind,
        "agency": "KPK",
        "issued_at": NOW,
        "expires_at": LATER,
        "acknowledge_by": NOW + timedelta(seconds=60),
        "chase": ("CGK",),
    }
    return Alert(**{**values, **given})


def record(personal: dict[str, Any], sequence: int = 42, previous: int | None = 17) -> Record:
    draft = Draft(RecordType.ALERT_RAISED, "ent_1", 1, "KPK", {}, personal, alert_id="alr_2")
    return numbered(draft, sequence, NOW, previous)


PROVISIONAL = entry(WNI, urgent=True, state=State.PROVISIONAL)


def test_an_alert_says_what_the_api_documents_and_no_case_details() -> None:
    said = message_of(alert(), PROVISIONAL, Contact("KPK", "+62 21 2557 8300"), "Hold.")
    assert json.loads(json.dumps(said)) == {
        "kind": "raise",
        "refers_to": None,
        "issued_at": "2026-11-23T03:00:00.000000Z",
        "expires_at": "2026-12-13T03:00:00.000000Z",
        "urgency": "immediate",
        "message": "Hold.",
        "action": "refer_to_supervisor",
        "direction": "exit",
        "acknowledge_by": "2026-11-23T03:01:00.000000Z",
        "chase": ["CGK"],
        "entry": {
            "id": "ent_prevention",
            "version": 3,
            "measure": "prevention",
            "citizenship": "WNI",
            "full_name": "Raka Setyawan Prambanan",
            "aliases": [],
            "sex": "male",
            "birth": {"date": "1970-05-17"},
            "nationalities": ["IDN"],
            "documents": [{"type": "passport", "number": "X1234567", "issuing_state": "IDN"}],
            "photo": None,
            "in_force_until": "2027-05-20T16:59:59.000000Z",
            "pending_until": None,
        },
        "contact": {"agency": "KPK", "phone": "+62 21 2557 8300"},
    }


def test_a_drill_names_nobody() -> None:
    said = message_of(alert(AlertKind.EXERCISE, entry_id=None), None, None, "Exercise.")
    assert {said["entry"], said["action"], said["direction"], said["contact"]} == {None}


TOMORROW = NOW + timedelta(days=1)
CHILD = WNI | {"birth": {"date": "2012-05-17"}}
PERHAPS_A_CHILD = WNI | {"birth": {"date": "2008"}}
NAMED_ONLY = WNI | {"documents": [], "nik": None}
STATELESS = WNA | {"nationalities": ["XXA"]}
OF_NO_STATE = WNA | {"nationalities": []}
OTHER = entry(WNI, id="ent_other")


@pytest.mark.parametrize(
    ("about", "kind", "expected"),
    [
        (PROVISIONAL, AlertKind.RAISE, "refer_to_supervisor"),
        (PROVISIONAL.replace(countersigned_at=NOW), AlertKind.UPDATE, "refuse_exit"),
        (entry(CHILD), AlertKind.UPDATE, "refer_to_supervisor"),
        (entry(NAMED_ONLY), AlertKind.UPDATE, "refer_to_supervisor"),
        (entry(WNI, "deterrence"), AlertKind.UPDATE, "refer_to_supervisor"),
        (entry(WNI, in_force_from=TOMORROW), AlertKind.UPDATE, "refer_to_supervisor"),
        (PROVISIONAL.replace(state=State.REJECTED), AlertKind.CANCEL, "release"),
        (PROVISIONAL.replace(state=State.ENDED, countersigned_at=NOW), AlertKind.CANCEL, "release"),
    ],
)
def test_what_a_checkpoint_is_to_do_follows_from_the_entry(
    about: Entry, kind: AlertKind, expected: str
) -> None:
    assert action_on(about, kind, (), NOW) == expected


@pytest.mark.parametrize("measure", ["prevention", "deterrence"])
@pytest.mark.parametrize(
    "who",
    [WNI, WNA, CHILD, PERHAPS_A_CHILD, NAMED_ONLY, STATELESS, OF_NO_STATE],
    ids=lambda who: str(who["birth"]),
)
@pytest.mark.parametrize("state", ["signed", "unsigned", "formal", "later"])
def test_an_alert_says_what_a_check_of_the_same_person_says(who: Json, measure: str, state: str) -> None:
    given: Json = {
        "signed": {"urgent": True, "state": State.PROVISIONAL, "countersigned_at": NOW},
        "unsigned": {"urgent": True, "state": State.PROVISIONAL},
        "formal": {},
        "later": {"in_force_from": TOMORROW},
    }[state]
    about = entry(who, measure, **given)
    direction = direction_of(about.measure)
    asked = question(who | {"nationalities": who["nationalities"] or [None]}, direction)
    answered = action(asked, about)
    told = action_on(about, AlertKind.UPDATE, (), NOW)
    assert told == (answered if answered != "allow" else "refer_to_supervisor")


def test_what_begins_tomorrow_is_refused_today_only_by_what_holds_today() -> None:
    formal = entry(WNI, in_force_from=TOMORROW)
    holding = PROVISIONAL.replace(id="ent_urgent", countersigned_at=NOW)
    assert action_on(formal, AlertKind.UPDATE, [holding], NOW) == "refuse_exit"
    assert action_on(formal, AlertKind.UPDATE, [PROVISIONAL], NOW) == "refer_to_supervisor"


def test_what_waits_for_papers_refers_unless_another_measure_refuses() -> None:
    ends_on = legal_day(NOW) - timedelta(days=1)
    waiting = Waiting("ent_formal", 7)
    pending = entry(WNI, ends_on=ends_on, in_force_until=over_at(ends_on), waiting=waiting)
    by_name = entry(NAMED_ONLY, id="ent_other")
    for others, expected in (
        ([], "refer_to_supervisor"),
        ([by_name], "refer_to_supervisor"),
        ([OTHER], "refuse_exit"),
    ):
        assert action_on(pending, AlertKind.UPDATE, others, NOW) == expected
        assert action(question(WNI, "exit"), pending, *others) == expected


def test_an_end_releases_nobody_whom_another_measure_holds() -> None:
    over = PROVISIONAL.replace(state=State.ENDED, ended_reason=EndedReason.REVOKED)
    by_name = entry(WNI | {"documents": [], "nik": None}, id="ent_other")
    for other, expected in ((OTHER, "refuse_exit"), (by_name, "refer_to_supervisor")):
        said = message_of(alert(AlertKind.CANCEL), over, None, "Hold at the counter.", [other])
        assert said["action"] == expected
        assert "Tindakan lain masih berlaku" in said["message"]
        assert "Another measure against this person still holds" in said["message"]


@pytest.mark.parametrize("reason", [*EndedReason, None])
def test_a_cancel_says_why_in_its_own_words(reason: EndedReason | None) -> None:
    state = State.REJECTED if reason is None else State.ENDED
    over = PROVISIONAL.replace(state=state, ended_reason=reason)
    said = message_of(alert(AlertKind.CANCEL), over, None, "Hold at the counter.")
    assert said["action"] == "release"
    assert "Hold at the counter" not in said["message"]
    assert said["message"].count(" / ") == 1
    assert "masih berlaku" not in said["message"]
    for detail in (over.basis.case_reference, over.basis.reason, over.basis.number):
        assert detail not in said["message"]


def test_an_entry_ban_is_for_the_direction_of_entry() -> None:
    ban = entry(WNA, "deterrence", urgent=True, state=State.PROVISIONAL, countersigned_at=NOW)
    said = message_of(alert(), ban, None, "Hold.")
    assert (said["direction"], said["action"]) == ("entry", "refuse_entry")


def test_an_update_refers_to_the_first_of_its_family() -> None:
    assert message_of(alert(AlertKind.UPDATE), PROVISIONAL, None, "Hold.")["refers_to"] == "alr_1"


def test_a_frame_is_three_fields_on_three_lines() -> None:
    said = {"message": "first line\nsecond line\r\n\u2028data: x", "kind": "raise"}
    told = frame(record(said), "e1")
    assert told is not None
    first, second, third, *rest = told.split(b"\n")
    assert (first, second, rest) == (b"id: e1.42", b"event: alert", [b"", b""])
    assert json.loads(third.removeprefix(b"data: ")) == {
        "id": "alr_2",
        "sequence": 42,
        "previous_sequence": 17,
        **said,
    }
    assert b"\r" not in told


def test_the_first_alert_of_all_has_none_before_it() -> None:
    message = render_alert(record({}, previous=0))
    assert message is not None
    assert message["previous_sequence"] is None


def test_an_erased_alert_is_told_no_more() -> None:
    erased = replace(record({"message": "x"}), personal=None, salt=None)
    assert (render_alert(erased), frame(erased, "e1")) == (None, None)


def told(kind: AlertKind, **given: Any) -> Json:
    said = render_alert(
        record(message_of(alert(kind), PROVISIONAL, Contact("KPK", None), "Hold Raka.")), **given
    )
    assert said is not None
    return said


def left_of(said: Json) -> Json:
    """What an alert's entry says at all."""
    return {name: value for name, value in said["entry"].items() if value not in (None, [])}


@pytest.mark.parametrize("to_gate", [False, True])
@pytest.mark.parametrize("kind", ["raise", "update", "cancel"])
def test_an_ended_alert_keeps_its_number_and_loses_its_person(kind: str, *, to_gate: bool) -> None:
    said = told(AlertKind(kind), to_gate=to_gate, holding={"alr_9": False})
    fresh = told(AlertKind(kind))
    kept = ("id", "sequence", "previous_sequence", "kind", "refers_to", "issued_at", "action", "direction")
    assert {name: said[name] for name in kept} == {name: fresh[name] for name in kept}
    assert left_of(said) == {"id": "ent_prevention", "version": PROVISIONAL.version}
    assert said["entry"].keys() == fresh["entry"].keys()
    assert "Raka" not in said["message"]
    if kind != "cancel":
        assert said["message"] == ENDED_MESSAGE


def test_a_gate_is_told_which_document_stays_out_and_nothing_else_of_the_person() -> None:
    for holding in (None, {"alr_2": False}):
        said, full = told(AlertKind.RAISE, to_gate=True, holding=holding), told(AlertKind.RAISE)
        assert left_of(said) == {
            name: full["entry"][name] for name in ("id", "version", "measure", "documents", "in_force_until")
        }
        assert said["entry"].keys() == full["entry"].keys()
        assert (said["message"], said["contact"]) == (GATE_MESSAGE, None)
        assert (said["action"], said["direction"]) == (full["action"], full["direction"])
    sealed = told(AlertKind.RAISE, to_gate=True, holding={"alr_2": True})
    assert (left_of(sealed).keys(), sealed["message"]) == (
        {"id", "version", "measure", "in_force_until"},
        GATE_MESSAGE,
    )


@pytest.mark.parametrize("to_gate", [False, True])
def test_a_drill_is_the_same_for_everybody_and_for_ever(*, to_gate: bool) -> None:
    drill = record(message_of(alert(AlertKind.EXERCISE), None, None, "A drill."))
    assert render_alert(drill, to_gate=to_gate, holding={}) == render_alert(drill)


def test_an_alert_ends_with_the_last_day_of_its_entry() -> None:
    assert expiry_of(PROVISIONAL, NOW) == datetime(2027, 5, 20, 17, 0, tzinfo=UTC)
    assert expiry_of(PROVISIONAL.replace(ends_on=None), NOW) > NOW + timedelta(days=364)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        pytest.param("2028-02-29T05:00:00+00:00", "2029-02-28T17:00:00+00:00", id="on a leap day"),
        pytest.param(
            "2026-12-31T20:00:00+00:00", "2028-01-01T17:00:00+00:00", id="when only Jakarta has a new year"
        ),
    ],
)
def test_an_alert_about_a_ban_for_life_holds_for_a_year_whatever_the_day(now: str, until: str):
    for_life = PROVISIONAL.replace(ends_on=None)
    assert expiry_of(for_life, datetime.fromisoformat(now)) == datetime.fromisoformat(until)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=300), st.sampled_from([1, 50, 99, 100]))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(values: list[int], percent: int) -> None:
    found = percentile([float(value) for value in values], percent / 100)
    enough = [v for v in sorted(values) if 100 * sum(other <= v for other in values) >= percent * len(values)]
    assert found == enough[0]


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile([], 0.5) is None
