"""The notices of deadlines that pass unmet, of ends and of silence, and their recipients (R18, R54)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerting.alerts.domain import Alert, AlertKind
from app.alerting.notices.domain import (
    APPROVERS,
    DUTY_OFFICERS,
    ESCALATED,
    REPORTED_AS_ENDS,
    NoticeContent,
    TermName,
    addresses,
    ended,
    in_person,
    meant_for,
    not_acknowledged,
    owner,
)
from app.alerting.notices.names import MEANINGS, NoticeName
from app.alerting.notices.overdue import OverdueAct, missed, overdue
from app.register.entries.domain import EndedReason, Entry, State
from app.register.entries.law.deadlines import DeadlineName, Terms, deadlines
from app.register.entries.law.periods import Receipt, begins_at, over_at
from tests.unit.register.entries.examples import NOW, TODAY, duty_officer, entry, person

TERMS = Terms()
OWNER = owner("KPK")
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)


def told(of: Entry, now: datetime, **met: datetime) -> list[NoticeContent]:
    return missed(of, deadlines(of, TERMS, met), now)


def urgent(**changes: Any) -> Entry:
    given: dict[str, Any] = {"urgent": True, "state": State.PROVISIONAL, "in_force_from": NOW}
    return entry(**{**given, **changes})


def test_every_name_says_what_it_means():
    assert set(MEANINGS) == set(NoticeName)


def test_an_urgent_entry_without_its_countersignature_goes_to_those_above():
    due_at = NOW + TERMS.countersign_within
    assert told(urgent(), due_at + SECOND - TICK) == []
    (notice,) = told(urgent(), due_at + SECOND)
    assert (notice.name, notice.detail) == (NoticeName.OVERDUE, {"deadline": "countersign"})
    assert notice.to == (*OWNER, DUTY_OFFICERS, APPROVERS)
    assert notice.effective_at == notice.due_at == due_at
    assert told(urgent(countersigned_at=due_at), due_at + SECOND) == []


def test_every_deadline_that_the_register_knows_escalates_to_somebody():
    assert set(ESCALATED) == {*DeadlineName, *TermName}
    assert all(ESCALATED.values())
    assert {name for name in REPORTED_AS_ENDS if name not in ESCALATED} == set()


def names(notices: list[NoticeContent]) -> list[tuple[str, Any]]:
    return [(notice.name.value, notice.detail["deadline"]) for notice in notices]


def test_an_undecided_request_is_told_after_its_first_day_on_its_fifth_and_when_the_seven_are_over():
    first = ("overdue", "decide_by_first_day")
    soon, over = ("due_soon", "refuse_or_approve"), ("overdue", "refuse_or_approve")
    found = [(days, names(told(entry(), NOW + timedelta(days=days)))) for days in (0, 4, 5, 7, 8)]
    assert found == [(0, []), (4, [first]), (5, [first, soon]), (7, [first, soon]), (8, [first, soon, over])]
    assert {notice.to for notice in told(entry(), NOW + timedelta(days=8))} == {(*OWNER, APPROVERS)}
    fifth, eighth = begins_at(TODAY + timedelta(days=5)), begins_at(TODAY + timedelta(days=8))
    assert soon not in names(told(entry(), fifth - TICK))
    assert soon in names(told(entry(), fifth))
    assert over not in names(told(entry(), eighth - TICK))
    assert over in names(told(entry(), eighth))
    later = entry(starts_on=TODAY + timedelta(days=6))
    assert names(told(later, NOW + timedelta(days=6))) == [soon]
    assert names(told(later, NOW + timedelta(days=6, hours=14))) == [first, soon]  # midnight in Jakarta


def test_of_what_has_ended_no_deadline_is_told():
    over = urgent(state=State.ENDED, ended_reason=EndedReason.LAPSED, ended_at=NOW + timedelta(days=1))
    assert told(over, NOW + timedelta(days=2)) == []


def test_an_extension_that_can_arrive_no_more_is_told():
    active = entry(state=State.ACTIVE, in_force_from=begins_at(TODAY))
    after = datetime(2027, 5, 20, 17, tzinfo=UTC)
    done = {"deliver_to_person": NOW, "withdraw_passport": NOW}
    assert told(active, after - timedelta(seconds=1), **done) == []
    assert names(told(active, after, **done)) == [("overdue", "extend_before")]
    assert told(active, after, extend_before=NOW, **done) == []
    assert told(active.replace(extension_count=1), after, **done) == []


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        (TermName.DECIDE_AMENDMENT, {"amendment_id": "x_1"}),
        (TermName.ANSWER_LETTER, {"amendment_id": "x_1"}),
        (TermName.ANSWER_OBJECTION, {"objection_id": "x_1"}),
        (TermName.DECIDE_CORRECTION_REQUEST, {}),
    ],
)
def test_what_is_late_beside_an_entry_names_what_is_to_be_acted_on(name: TermName, ids: dict[str, str]):
    said = overdue(OverdueAct(name, "x_1", "ent_1", "KPK", "KPK", NOW))
    assert said.detail == {"deadline": name.value, **ids}
    assert said.request_id == (None if ids else "x_1")
    assert (said.key, said.entry_id, said.to) == ("overdue:x_1", "ent_1", (*OWNER, *ESCALATED[name]))
    others = overdue(OverdueAct(name, "x_1", "ent_1", "KPK", "IMIGRASI", NOW))
    assert others.to == (*OWNER, *owner("IMIGRASI"), *ESCALATED[name])


@pytest.mark.parametrize("state", [State.RETURNED, State.REJECTED])
def test_a_refused_request_waits_for_nobody(state: State):
    assert told(entry(state=state), NOW + timedelta(days=30)) == []


def test_a_request_that_was_returned_has_new_deadlines_with_keys_of_their_own():
    later = entry(receipt=Receipt(NOW, TODAY + timedelta(days=20)), received_at=NOW + timedelta(days=20))
    first = {notice.key for notice in told(entry(), NOW + timedelta(days=8))}
    second = {notice.key for notice in told(later, NOW + timedelta(days=28))}
    assert len(first) == len(second) == 3
    assert first.isdisjoint(second)


def test_a_decision_that_did_not_reach_the_person_is_told_until_it_has():
    active = entry(state=State.ACTIVE, in_force_from=begins_at(TODAY))
    after = datetime(2026, 11, 28, 17, tzinfo=UTC)
    withdrawn = {"withdraw_passport": NOW}
    assert told(active, after - timedelta(seconds=1), **withdrawn) == []
    assert [n.detail for n in told(active, after, **withdrawn)] == [{"deadline": "deliver_to_person"}]
    assert told(active, after, deliver_to_person=after, **withdrawn) == []


def test_a_passport_that_was_not_withdrawn_is_told_after_its_days():
    active = entry(state=State.ACTIVE, in_force_from=begins_at(TODAY))
    after = datetime(2026, 11, 26, 17, tzinfo=UTC)
    assert told(active, after - timedelta(seconds=1)) == []
    assert [notice.detail for notice in told(active, after)] == [{"deadline": "withdraw_passport"}]
    assert told(active, after, withdraw_passport=NOW) == []


@given(st.integers(0, 60 * 24 * 40))
def test_once_told_a_deadline_stays_told_by_the_same_key(minutes: int):
    now = NOW + timedelta(minutes=minutes)
    before = {notice.key for notice in told(entry(), now)}
    assert before <= {notice.key for notice in told(entry(), now + timedelta(minutes=1))}


@pytest.mark.parametrize(
    ("reason", "to"),
    [
        (EndedReason.LAPSED, (*OWNER, DUTY_OFFICERS, APPROVERS)),
        (EndedReason.EXPIRED, OWNER),
        (EndedReason.REVOKED, OWNER),
    ],
)
def test_the_owner_is_told_of_an_end_and_of_a_lapse_those_who_let_it_happen(
    reason: EndedReason, to: tuple[str, ...]
):
    over = over_at(TODAY)
    notice = ended(entry(state=State.ENDED, ended_reason=reason, ended_at=over), NOW + timedelta(days=9))
    assert (notice.to, notice.effective_at, notice.detail) == (to, over, {"reason": reason.value})


def test_a_rejected_urgent_request_is_an_end_too():
    notice = ended(urgent(state=State.REJECTED, ended_at=NOW), NOW)
    assert notice.detail == {"reason": "rejected"}


def alert(**changes: Any) -> Alert:
    given: dict[str, Any] = {
        "id": "alr_1",
        "family": "alr_1",
        "entry_id": "ent_1",
        "kind": AlertKind.RAISE,
        "agency": "KPK",
        "issued_at": NOW,
        "expires_at": NOW + timedelta(days=20),
        "acknowledge_by": NOW + timedelta(minutes=1),
        "chase": (),
    }
    return Alert(**{**given, **changes})


def test_silent_checkpoints_are_named():
    notice = not_acknowledged(alert(), ["BTH", "CGK"])
    assert notice.detail == {"checkpoints": ["BTH", "CGK"], "deadline": "acknowledge_alert"}
    assert notice.to == (DUTY_OFFICERS, *OWNER)
    assert not_acknowledged(alert(entry_id=None, agency="IMIGRASI"), ["CGK"]).to == (DUTY_OFFICERS,)


def test_each_is_told_what_is_meant_for_their_agency_and_role():
    told = [
        person("1", "submitter"),
        person("1", "verifier"),
        duty_officer("1"),
        person("1", "auditor", agency=None),
    ]
    others = [
        person("1", "verifier", agency="BNN"),
        person("1", "approver", agency="IMIGRASI"),
        person("1", "admin", agency=None),
        person("1", "supervisor", agency=None),
    ]
    to = (*OWNER, DUTY_OFFICERS)
    assert [meant_for(actor, to) for actor in (*told, *others)] == [True] * 4 + [False] * 4


def test_who_belongs_to_no_agency_has_a_persons_address_alone():
    assert addresses(person("1", "supervisor", agency=None)) == {in_person("1")}
