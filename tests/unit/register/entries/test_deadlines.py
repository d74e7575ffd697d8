"""The periods of the law that run for an entry (R13, R18, R22-R26, R30, R41, R42)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.access.domain import SYSTEM
from app.kit.clock import WIB, legal_day
from app.register.entries.domain import Basis, EndedReason, Entry, Measure, State
from app.register.entries.law.deadlines import (
    MEANINGS,
    Deadline,
    DeadlineName,
    Terms,
    deadlines,
    duties_since,
    duty_due,
    withdrawn_by,
)
from app.register.entries.law.periods import begins_at, over_at
from app.register.entries.receipts import first_received_on, received_again, received_with
from app.register.entries.subjects import Citizenship, Document
from app.register.entries.values import Ruling, RulingKind
from app.settings import Settings
from tests.unit.register.entries.examples import NOW, TODAY, basis, copied, entry, foreigner, subject

TERMS = Terms()
DAY = timedelta(days=1)
DAYS = st.dates(date(1950, 1, 1), date(9900, 1, 1))
INSTANTS = st.datetimes(
    datetime(1950, 1, 1),  # noqa: DTZ001 - Hypothesis wants its bounds naive
    datetime(9900, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)


def active(**changes: Any) -> Entry:
    """KPK's exit ban, approved."""
    given_starts: date = changes.get("starts_on", TODAY)
    return entry(**{"state": State.ACTIVE, "in_force_from": begins_at(given_starts), **changes})


def urgent(**changes: Any) -> Entry:
    """An urgent exit ban that is not countersigned yet."""
    given: dict[str, Any] = {
        "urgent": True,
        "state": State.PROVISIONAL,
        "ends_on": date(2026, 12, 12),
        "in_force_from": NOW,
        "in_force_until": NOW + DAY,
    }
    return entry(**{**given, **changes})


def last_day(deadline: Deadline) -> date:
    """The legal day on which it ends, by its last moment."""
    return legal_day(deadline.due_at - timedelta(microseconds=1))


def running(of: Entry, **met: datetime) -> dict[str, Deadline]:
    found = deadlines(of, TERMS, met)
    assert list(found) == sorted(found, key=lambda each: each.due_at)
    assert len({each.name for each in found}) == len(found)
    return {str(each.name): each for each in found}


def due(of: Entry, name: str, **met: datetime) -> str:
    """When a deadline is due, as Jakarta's clocks tell it."""
    return running(of, **met)[name].due_at.astimezone(WIB).isoformat()


def test_every_name_says_what_it_means():
    assert set(MEANINGS) == set(DeadlineName)


def test_an_urgent_entry_is_countersigned_in_hours_and_formalised_in_twenty_days():
    names = running(urgent())
    assert list(names) == ["countersign", "countersign_or_lapse", "approve_before_lapse"]
    assert names["countersign"].due_at == NOW + timedelta(hours=6)
    assert names["countersign_or_lapse"].due_at == NOW + timedelta(hours=24)
    assert names["approve_before_lapse"].due_at == over_at(date(2026, 12, 12))
    assert [each.met_at for each in names.values()] == [None] * 3


def test_a_countersignature_meets_both_of_its_deadlines_and_lets_the_passport_be_withdrawn():
    signed_at = NOW + timedelta(hours=7)
    names = running(urgent(countersigned_at=signed_at))
    assert [names[name].met_at for name in ("countersign", "countersign_or_lapse")] == [signed_at] * 2
    assert (names["countersign"].late, names["countersign_or_lapse"].late) == (True, False)
    assert due(urgent(countersigned_at=signed_at), "withdraw_passport") == "2026-11-26T23:59:59+07:00"


@pytest.mark.parametrize(
    ("changes", "met"),
    [
        ({"state": State.ENDED, "ended_reason": EndedReason.SUPERSEDED, "ended_at": NOW + DAY}, NOW + DAY),
        (
            {
                "state": State.ENDED,
                "ended_reason": EndedReason.LAPSED,
                "ended_at": over_at(date(2026, 12, 12)),
            },
            None,
        ),
    ],
)
def test_a_formal_entry_in_force_meets_the_twentieth_day_and_a_lapse_misses_it(
    changes: dict[str, Any], met: datetime | None
):
    deadline = running(urgent(countersigned_at=NOW, **changes))["approve_before_lapse"]
    assert deadline.met_at == met
    assert deadline.passed(over_at(date(2026, 12, 12)) + DAY) is (met is None)


@pytest.mark.parametrize(
    "changes",
    [
        {"state": State.REJECTED, "ended_at": NOW},
        {"state": State.ENDED, "ended_reason": EndedReason.REVOKED, "ended_at": NOW},
        {"state": State.ENDED, "ended_reason": EndedReason.LAPSED, "ended_at": NOW + DAY},
    ],
)
def test_nobody_waits_for_the_twentieth_day_of_what_ended_before(changes: dict[str, Any]):
    assert "approve_before_lapse" not in running(urgent(**changes))


def test_a_request_is_refused_within_seven_days_of_its_receipt():
    for state in (State.SUBMITTED, State.VERIFIED):
        deadline = running(entry(state=state))["refuse_or_approve"]
        assert deadline.due_at.astimezone(WIB).isoformat() == "2026-11-30T23:59:59+07:00"
        assert deadline.met_at is None
    for state in (State.RETURNED, State.REJECTED):
        names = running(entry(state=state, updated_at=NOW + 6 * DAY))
        assert list(names) == ["refuse_or_approve"]
        assert names["refuse_or_approve"].met_at == NOW + 6 * DAY
    assert "refuse_or_approve" not in running(active())


@pytest.mark.parametrize(
    ("received_on", "received_at", "last"),
    [
        (date(2026, 11, 20), NOW, "2026-11-27"),
        (None, NOW, "2026-11-30"),
        (None, datetime(2026, 11, 23, 16, 59, 59, tzinfo=UTC), "2026-11-30"),
        (None, datetime(2026, 11, 23, 17, tzinfo=UTC), "2026-12-01"),
    ],
)
def test_the_seven_days_run_from_the_letters_receipt_to_the_end_of_a_legal_day(
    received_on: date | None, received_at: datetime, last: str
):
    request = entry(
        basis=basis(issued_on=date(2026, 11, 20), received_on=received_on), received_at=received_at
    )
    assert due(request, "refuse_or_approve") == f"{last}T23:59:59+07:00"


@pytest.mark.parametrize(
    ("received_on", "last"),
    [
        (None, "2026-12-17"),
        (date(2026, 11, 20), "2026-12-17"),
        (date(2026, 11, 23), "2026-12-17"),
        (date(2026, 11, 24), "2026-12-01"),
    ],
)
def test_the_seven_days_of_a_resubmission_run_from_its_own_receipt(received_on: date | None, last: str):
    returned = entry(state=State.RETURNED, updated_at=NOW)
    again = entry(
        basis=basis(issued_on=date(2026, 11, 20), received_on=received_on),
        received_at=begins_at(date(2026, 12, 10)),
    )
    again = again.replace(receipt=received_again(again, returned))
    assert due(again, "refuse_or_approve") == f"{last}T23:59:59+07:00"


def test_a_returned_request_keeps_the_day_on_which_its_letter_was_first_received():
    returned = entry(state=State.RETURNED, updated_at=NOW + DAY)
    old, new = basis(issued_on=date(2026, 11, 20)), basis(issued_on=date(2026, 12, 20))

    def again(after: Entry, on: Basis, days: int) -> Entry:
        fresh = entry(basis=on, received_at=NOW + days * DAY)
        return fresh.replace(receipt=received_again(fresh, after))

    second = again(returned, old, 20)
    assert first_received_on(second) == TODAY
    renewed = again(second, new, 30)
    assert first_received_on(renewed) == TODAY + 30 * DAY
    assert first_received_on(again(renewed, new, 50)) == TODAY + 30 * DAY


def test_what_happens_to_a_returned_request_later_does_not_make_its_refusal_late():
    returned = entry(state=State.RETURNED, returned_at=NOW + DAY, updated_at=NOW + 40 * DAY)
    deadline = running(returned)["refuse_or_approve"]
    assert (deadline.met_at, deadline.late) == (NOW + DAY, False)
    assert returned.rests_since == NOW + DAY


def test_a_formal_entry_by_the_letter_of_its_urgent_one_is_as_old_as_that():
    asked = urgent(basis=basis(number="R-1/2026"))
    same = entry(basis=basis(number="r-1 / 2026"), created_at=NOW + 15 * DAY, received_at=NOW + 15 * DAY)
    receipt = received_with(same, asked)
    assert receipt is not None
    assert first_received_on(same.replace(receipt=receipt)) == TODAY
    assert due(same.replace(receipt=receipt), "refuse_or_approve") == due(same, "refuse_or_approve")
    assert received_with(entry(basis=basis(number="R-2/2026")), asked) is None
    assert received_with(entry(basis=basis(issued_on=date(2026, 11, 22))), asked) is None


def test_the_last_second_of_a_term_is_in_time_to_its_end():
    request = entry(state=State.SUBMITTED)
    over = over_at(date(2026, 11, 30))
    tick = timedelta(microseconds=1)
    deadline = running(request)["refuse_or_approve"]
    assert [deadline.passed(over - tick), deadline.passed(over)] == [False, True]
    met = [
        running(entry(state=State.REJECTED, ended_at=at))["refuse_or_approve"] for at in (over - tick, over)
    ]
    assert [each.late for each in met] == [False, True]


def test_a_decision_reaches_the_minister_in_three_days_and_the_person_in_seven():
    decided = active(basis=basis(issued_on=date(2026, 11, 21), received_on=None))
    assert due(decided, "deliver_to_minister") == "2026-11-24T23:59:59+07:00"
    assert due(decided, "deliver_to_person") == "2026-11-28T23:59:59+07:00"
    assert running(decided)["deliver_to_minister"].met_at is None
    names = running(decided, deliver_to_minister=NOW, deliver_to_person=NOW + DAY)
    assert names["deliver_to_minister"].met_at == NOW
    assert names["deliver_to_person"].met_at == NOW + DAY
    assert "deliver_to_person" not in running(entry()), "there is nothing to deliver before it is approved"


def test_an_extension_is_delivered_to_the_person_anew():
    extended = active(extension_count=1, extended_by=basis(issued_on=date(2027, 5, 10)))
    assert due(extended, "deliver_to_person") == "2027-05-17T23:59:59+07:00"
    assert running(extended, deliver_to_person=NOW)["deliver_to_person"].met_at is None
    delivered = begins_at(date(2027, 5, 11))
    assert running(extended, deliver_to_person=delivered)["deliver_to_person"].met_at == delivered


def test_nobody_waits_for_the_twentieth_day_while_an_approved_formal_entry_waits_for_its_first():
    assert "approve_before_lapse" not in running(urgent(countersigned_at=NOW, superseded_from=NOW + DAY))


@pytest.mark.parametrize(("received_on", "late"), [(date(2026, 11, 24), False), (date(2026, 11, 25), True)])
def test_the_day_of_receipt_meets_the_delivery_to_the_minister(received_on: date, *, late: bool):
    deadline = running(entry(basis=basis(issued_on=date(2026, 11, 21), received_on=received_on)))[
        "deliver_to_minister"
    ]
    assert deadline.met_at == begins_at(received_on)
    assert deadline.late is late


def test_an_extension_arrives_three_days_before_the_end():
    ban = active(ends_on=date(2026, 6, 30), starts_on=date(2026, 1, 1))
    assert due(ban, "extend_before") == "2026-06-27T23:59:59+07:00"
    assert last_day(running(ban)["extend_before"]) == date(2026, 6, 27)
    assert "extend_before" in running(active(measure=Measure.DETERRENCE, ends_on=date(2036, 11, 23)))


@pytest.mark.parametrize(
    "changes",
    [
        {"extension_count": 1},
        {"ends_on": None, "lifetime": True, "measure": Measure.DETERRENCE},
        {"state": State.VERIFIED},
        {"state": State.ENDED, "ended_reason": EndedReason.EXPIRED},
    ],
)
def test_what_can_not_be_extended_waits_for_no_extension(changes: dict[str, Any]):
    assert "extend_before" not in running(active(**changes))
    assert "extend_before" not in running(urgent(**changes))


def annulled(**changes: Any) -> Entry:
    """An exit ban that a praperadilan judgment of 24 November struck down."""
    ruling = Ruling(RulingKind.ANNULMENT, "5/Pid.Pra/2026", "PN Jakarta Selatan", date(2026, 11, 24), None)
    given: dict[str, Any] = {
        "state": State.ENDED,
        "ended_reason": EndedReason.ANNULLED,
        "ended_at": NOW + 2 * DAY,
        "rulings": (ruling,),
    }
    return active(**{**given, **changes})


def test_after_an_annulment_by_judgment_the_person_is_restored_within_three_days():
    over = annulled()
    assert due(over, "restore") == "2026-11-27T23:59:59+07:00"
    assert running(over)["restore"].duty_of == ("KPK",)
    assert running(over, restore=NOW + 3 * DAY)["restore"].met_at == NOW + 3 * DAY
    assert duties_since(over)[DeadlineName.RESTORE] == begins_at(date(2026, 11, 24))
    imported = annulled(submitted_by=SYSTEM.client_id)
    assert list(running(imported)) == ["restore"] == list(duties_since(imported))


@pytest.mark.parametrize(
    "changes",
    [
        {"rulings": ()},
        {"rulings": (Ruling(RulingKind.ACQUITTAL, "7", "PN", TODAY, TODAY),)},
        {"ended_reason": EndedReason.SUPERSEDED},
        {"in_force_from": None},
        {"in_force_from": NOW + 3 * DAY},
        {"state": State.REJECTED, "ended_reason": None},
        {"erased_at": NOW + 4 * DAY},
    ],
)
def test_nobody_is_restored_who_was_not_stopped_or_not_by_what_was_annulled(changes: dict[str, Any]):
    assert "restore" not in running(annulled(**changes))


@pytest.mark.parametrize(("measure", "waits"), [(Measure.PREVENTION, False), (Measure.DETERRENCE, True)])
def test_a_setting_lets_only_entry_bans_be_extended_more_often(measure: Measure, *, waits: bool):
    ban = active(measure=measure, extension_count=1)
    names = {each.name for each in deadlines(ban, Terms(deterrence_extensions=2), {})}
    assert ("extend_before" in names) is waits


def test_an_indonesians_passport_is_withdrawn_once_the_ban_works():
    ban = active(starts_on=date(2026, 12, 1))
    assert due(ban, "withdraw_passport") == "2026-12-04T23:59:59+07:00"
    terms = Terms(withdraw_passport_days=10)
    (long,) = (each for each in deadlines(ban, terms, {}) if each.name == "withdraw_passport")
    assert last_day(long) == date(2026, 12, 11)


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": foreigner(), "citizenship": Citizenship.WNA},
        {"measure": Measure.DETERRENCE},
        {"subject": subject(documents=())},
        {"subject": subject(documents=(Document("national_id", "3171", "IDN"),))},
        {"subject": subject(documents=(Document("passport", "L1", "NZL"),))},
        {"state": State.ENDED, "ended_reason": EndedReason.EXPIRED},
        {"state": State.VERIFIED, "in_force_from": None},
    ],
)
def test_nobody_elses_passport_is_withdrawn(changes: dict[str, Any]):
    assert "withdraw_passport" not in running(active(**changes))


def test_a_hold_takes_nobodys_passport():
    assert "withdraw_passport" not in running(urgent())


@pytest.mark.parametrize(
    ("types", "who"),
    [
        (["passport"], ("IMIGRASI",)),
        (["service_passport"], ("KEMLU",)),
        (["diplomatic_passport", "service_passport"], ("KEMLU",)),
        (["passport", "diplomatic_passport", "national_id"], ("IMIGRASI", "KEMLU")),
        (["travel_permit"], ()),
    ],
)
def test_service_and_diplomatic_passports_are_the_foreign_ministrys(types: list[str], who: tuple[str, ...]):
    assert withdrawn_by(subject(documents=tuple(Document(kind, "X1", "IDN") for kind in types))) == who


def test_what_was_withdrawn_stays_on_record_after_the_end():
    ban = active(state=State.ENDED, ended_reason=EndedReason.EXPIRED)
    assert running(ban, withdraw_passport=NOW)["withdraw_passport"].met_at == NOW


def test_of_an_imported_entry_only_its_extension_lies_ahead():
    assert list(running(active(submitted_by=SYSTEM.client_id, authors=()))) == ["extend_before"]


@pytest.mark.parametrize(
    ("met_at", "at", "passed"),
    [
        (None, NOW, False),
        (None, NOW + timedelta(microseconds=999_999), False),
        (None, NOW + timedelta(seconds=1), True),
        (NOW - DAY, NOW + DAY, False),
        (NOW + 2 * DAY, NOW + DAY, True),
        (NOW + DAY, NOW + DAY, False),
    ],
)
def test_a_deadline_has_passed_when_its_time_is_over_and_nothing_was_done(
    met_at: datetime | None, at: datetime, *, passed: bool
):
    assert Deadline(DeadlineName.COUNTERSIGN, NOW, met_at, ()).passed(at) is passed


def test_the_terms_are_the_deployments():
    given = Settings(
        countersign_within_hours=2,
        countersign_lapse_hours=5,
        withdraw_passport_days=14,
        deterrence_extensions=3,
    )
    assert Terms.of(given) == Terms(timedelta(hours=2), timedelta(hours=5), 14, 3)
    assert Terms.of(Settings()) == TERMS


@given(DAYS)
@example(date(2028, 2, 29))
@example(date(2026, 12, 31))
def test_periods_in_days_end_with_the_last_second_of_a_day_in_jakarta(issued_on: date):
    names = running(active(basis=basis(issued_on=issued_on, received_on=None), ends_on=issued_on))
    for name, last in (
        ("deliver_to_minister", issued_on + 3 * DAY),
        ("deliver_to_person", issued_on + 7 * DAY),
        ("extend_before", issued_on - 3 * DAY),
    ):
        told = names[name]
        assert last_day(told) == last
        assert told.due_at.astimezone(WIB).time().isoformat() == "23:59:59"
        assert legal_day(told.due_at + timedelta(seconds=1)) == last + DAY
        assert told.due_at.tzinfo is UTC


@given(received_at=INSTANTS, after=st.integers(0, 20 * 24 * 3600), signed=st.booleans())
def test_no_life_of_an_urgent_entry_meets_a_deadline_before_it_was_received(
    received_at: datetime, after: int, *, signed: bool
):
    at = received_at + timedelta(seconds=after)
    raised = urgent(
        received_at=received_at,
        ends_on=legal_day(received_at) + 19 * DAY,
        in_force_from=received_at,
        in_force_until=received_at + DAY,
        countersigned_at=at if signed else None,
    )
    for each in deadlines(raised, TERMS, {}):
        assert each.met_at is None or received_at <= each.met_at
        assert each.passed(each.due_at) is False
        assert each.passed(max(each.due_at, at) + DAY) is (each.met_at is None)


def test_what_is_attached_when_read_is_an_empty_mapping_in_what_is_kept():
    assert copied(entry()).met == {}


@pytest.mark.parametrize(
    "of",
    [
        entry(),
        entry(basis=basis(received_on=None)),
        entry(state=State.RETURNED, basis=basis(received_on=None)),
        active(basis=basis(received_on=None)),
        active(subject=foreigner(), citizenship=Citizenship.WNA),
        active(extended_by=basis(issued_on=date(2027, 5, 20))),
        active(submitted_by=SYSTEM.client_id),
        urgent(),
        urgent(countersigned_at=NOW + timedelta(hours=7)),
    ],
)
def test_what_columns_find_is_what_the_deadlines_say(of: Entry):
    """A duty is found by since when it runs; its deadline follows from that, and nothing else is found."""
    beside = {"deliver_to_person", "deliver_to_minister", "withdraw_passport"}
    open_ones = {
        name: each.due_at for name, each in running(of).items() if name in beside and not each.met_at
    }
    assert {str(name): duty_due(name, since, TERMS) for name, since in duties_since(of).items()} == open_ones
