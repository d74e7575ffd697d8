"""The state machine: whatever officers try, three different people stand behind an entry in force."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.actor import Actor
from app.errors import (
    CekalError,
    SecondPairOfEyesNeeded,
    StaleVersion,
    WrongAgency,
    WrongRole,
    WrongState,
)
from app.register.entries.domain import EndedReason, Entry, Measure, State, Verdict
from app.register.entries.law import periods

from .examples import NOW, TODAY, approver, copied, duty_officer, entry, person

IMMIGRATION = "IMIGRASI"
ROLES = ("submitter", "verifier", "approver", "duty_officer", "auditor", "supervisor", "admin")


def urgent_entry(**changes: Any) -> Entry:
    """KPK's urgent exit ban as person A has just made it."""
    given = {
        "urgent": True,
        "state": State.PROVISIONAL,
        "ends_on": periods.urgent_end(TODAY),
        "in_force_from": NOW,
        "in_force_until": NOW + timedelta(hours=24),
    }
    return entry(**{**given, **changes})


def decided(what: Entry, by: Actor, verdict: Verdict, **given: Any) -> Entry:
    """The entry after a decision on its current version."""
    return what.decide(by, verdict, given.get("expected", what.version), given.get("at", NOW), IMMIGRATION)


ALLOWED = {
    (State.SUBMITTED, False): {Verdict.VERIFY: "verifier", Verdict.RETURN: "verifier"},
    (State.VERIFIED, False): {
        Verdict.APPROVE: "approver",
        Verdict.RETURN: "approver",
        Verdict.REJECT: "approver",
    },
    (State.SUBMITTED, True): {Verdict.COUNTERSIGN: "duty_officer", Verdict.REJECT: "duty_officer"},
    (State.PROVISIONAL, True): {Verdict.COUNTERSIGN: "duty_officer", Verdict.REJECT: "duty_officer"},
}
"""API section 3: who may say what, where an entry stands."""


@dataclass(frozen=True)
class Attempt:
    """Somebody tries something: what fits the entry's state (`choice`), or whatever comes to mind (`verdict`)."""

    by: Actor
    choice: int
    verdict: Verdict | None = None
    off: int = 0  # how far the version that they have read is from the current one


PEOPLE = st.sampled_from(["A", "B", "C", "D"])
INSIDERS = st.builds(
    Actor,
    client_id=st.sampled_from(["cli_1", "cli_2", "cli_3"]),  # accounts say nothing about persons
    person=PEOPLE,
    roles=st.just(frozenset(ROLES)),
    agency=st.sampled_from(["KPK", IMMIGRATION]),
    office=st.sampled_from(["KANIM-BATAM", "KANIM-MEDAN"]),
)
ANYBODY = st.builds(
    Actor,
    client_id=st.just("cli_4"),
    person=PEOPLE | st.none(),
    roles=st.frozensets(st.sampled_from(ROLES), max_size=4),
    agency=st.sampled_from(["KPK", IMMIGRATION, "POLRI", None]),
    office=st.sampled_from(["KANIM-BATAM", None]),
)
ATTEMPTS = st.lists(
    st.builds(Attempt, INSIDERS, st.integers(0, 5))
    | st.builds(
        Attempt, ANYBODY, st.integers(0, 5), st.none() | st.sampled_from(Verdict), st.integers(-1, 1)
    ),
    min_size=3,
    max_size=20,
)
FOREVER = {"measure": Measure.DETERRENCE, "agency": IMMIGRATION, "lifetime": True, "ends_on": None}
VERIFIED = {"state": State.VERIFIED, "verified_by": "B"}
BEGINNINGS = st.sampled_from(
    [
        entry(),
        entry(**VERIFIED),
        entry(**VERIFIED, agency=IMMIGRATION, office="KANIM-BATAM"),
        entry(**FOREVER, office="KANIM-BATAM"),
        entry(**VERIFIED, **FOREVER, office="KANIM-BATAM"),
        urgent_entry(),
        urgent_entry(state=State.SUBMITTED, in_force_from=None),
    ]
)


def tried(what: Entry, attempt: Attempt) -> Entry:
    """The entry after an attempt that may fail."""
    by = attempt.by
    if what.state is State.RETURNED:
        if not by.holds("submitter") or by.agency != what.agency or not by.person:
            return what
        fresh = {"state": State.SUBMITTED, "authors": (by.person,), "verified_by": None, "approved_by": ()}
        return what.replace(version=what.version + 1, office=by.office, **fresh)
    fitting = sorted(ALLOWED.get((what.state, what.urgent), {})) or [Verdict.APPROVE]
    verdict = attempt.verdict or fitting[attempt.choice % len(fitting)]
    try:
        after = decided(what, by, verdict, expected=what.version + attempt.off)
    except CekalError:
        return what
    assert attempt.off == 0
    assert after.version == what.version + 1
    assert by.person is not None
    return after


@settings(max_examples=300)
@given(BEGINNINGS, ATTEMPTS)
def test_no_path_leads_to_an_active_entry_without_three_different_persons(
    what: Entry, attempts: list[Attempt]
):
    for attempt in attempts:
        before, what = what, tried(what, attempt)
        if what.state is State.ACTIVE and before.state is not State.ACTIVE:
            needed = 2 if what.lifetime else 1
            persons = {*what.authors, what.verified_by, *what.approved_by}
            assert None not in persons
            assert len(what.approved_by) == needed
            assert len(persons) == len(what.authors) + 1 + needed >= 3
            assert not what.urgent
            assert attempt.by.holds("approver")
            if what.agency == IMMIGRATION:
                assert attempt.by.office != what.office
        assert copied(what) == what


@given(BEGINNINGS, ATTEMPTS)
def test_no_path_leads_to_force_for_an_urgent_entry_without_a_second_person(
    what: Entry, attempts: list[Attempt]
):
    for attempt in attempts:
        before, what = what, tried(what, attempt)
        if what.countersigned_at is not None and before.countersigned_at is None:
            assert attempt.by.holds("duty_officer")
            assert attempt.by.person not in what.authors
        if not what.urgent:
            assert what.state is not State.PROVISIONAL
            assert what.countersigned_at is None
        elif what.countersigned_at is None and what.in_force_until is not None:
            assert what.in_force_until <= NOW + timedelta(hours=24)


@given(BEGINNINGS, ATTEMPTS)
def test_what_has_ended_or_was_rejected_is_never_decided_on_again(what: Entry, attempts: list[Attempt]):
    for attempt in attempts:
        before, what = what, tried(what, attempt)
        if before.state in {State.REJECTED, State.ENDED, State.ACTIVE}:
            assert what is before


@pytest.mark.parametrize(("state", "urgent"), [*product(State, [False, True])])
def test_each_verdict_belongs_to_one_role_in_one_state(state: State, *, urgent: bool):
    make = urgent_entry if urgent else entry
    stands = make(state=state, verified_by="B" if state is State.VERIFIED else None)
    for verdict, role in product(Verdict, ROLES):
        agency = "KPK" if role == "verifier" else IMMIGRATION
        by = person("C", role, agency=agency, office="KANIM-MEDAN")
        if ALLOWED.get((state, urgent), {}).get(verdict) == role:
            assert decided(stands, by, verdict).version == 2
        else:
            with pytest.raises((WrongRole, WrongState)):
                decided(stands, by, verdict)


VERIFIER, OTHER_VERIFIER = person("B", "verifier"), person("X", "verifier")


def test_the_author_may_not_verify_by_another_account_of_the_same_person():
    second_account = Actor("cli_another", "A", frozenset({"verifier"}), "KPK")
    for verdict in (Verdict.VERIFY, Verdict.RETURN):
        with pytest.raises(SecondPairOfEyesNeeded):
            decided(entry(), second_account, verdict)


def test_the_verifier_may_not_approve_return_or_reject_what_they_verified():
    verified = decided(entry(), VERIFIER, Verdict.VERIFY)
    for verdict in (Verdict.APPROVE, Verdict.RETURN, Verdict.REJECT):
        with pytest.raises(SecondPairOfEyesNeeded):
            decided(verified, approver("B"), verdict)
        assert decided(verified, approver("C"), verdict).version == 3


def test_an_account_without_a_person_decides_nothing():
    nobody = person(None, "verifier")
    with pytest.raises(SecondPairOfEyesNeeded):
        decided(entry(), nobody, Verdict.VERIFY)


def test_a_verifier_who_returned_an_entry_may_verify_its_resubmission():
    returned = decided(entry(), VERIFIER, Verdict.RETURN)
    again = tried(returned, Attempt(person("A", "submitter"), None, 0))
    assert decided(again, VERIFIER, Verdict.VERIFY).state is State.VERIFIED


@pytest.mark.parametrize("verdict", [Verdict.VERIFY, Verdict.RETURN])
@pytest.mark.parametrize("seeing_all", ["approver", "auditor"])
def test_a_verifier_of_another_agency_who_sees_everything_still_verifies_only_their_own(
    verdict: Verdict, seeing_all: str
):
    elsewhere = person("C", "verifier", seeing_all, agency=IMMIGRATION, office="KANIM-MEDAN")
    with pytest.raises(WrongAgency):
        decided(entry(), elsewhere, verdict)


def test_immigrations_own_entries_are_approved_by_another_office():
    own = entry(agency=IMMIGRATION, office="KANIM-BATAM", state=State.VERIFIED, verified_by="B")
    with pytest.raises(SecondPairOfEyesNeeded):
        decided(own, approver("C", "KANIM-BATAM"), Verdict.APPROVE)
    assert decided(own, approver("C", "KANIM-MEDAN"), Verdict.APPROVE).state is State.ACTIVE


def test_an_entry_for_life_needs_a_second_approver_who_is_somebody_else():
    forever = entry(
        measure=Measure.DETERRENCE, lifetime=True, ends_on=None, state=State.VERIFIED, verified_by="B"
    )
    once = decided(forever, approver("C"), Verdict.APPROVE)
    assert (once.state, once.version, once.second_approval_at) == (State.VERIFIED, 2, None)
    with pytest.raises(SecondPairOfEyesNeeded):
        decided(once, approver("C"), Verdict.APPROVE)
    twice = decided(once, approver("D"), Verdict.APPROVE, at=NOW + timedelta(days=1))
    assert (twice.state, twice.in_force_until) == (State.ACTIVE, None)
    assert twice.second_approval_at == NOW + timedelta(days=1)


def test_a_decision_on_a_version_that_was_not_read_is_stale_and_says_which_is_current():
    for expected in (0, 2, 99):
        with pytest.raises(StaleVersion) as stale:
            decided(entry(), VERIFIER, Verdict.VERIFY, expected=expected)
        assert stale.value.extra == {"version": 1}


def test_nobody_approves_a_period_that_is_over():
    verified = entry(state=State.VERIFIED, verified_by="B")
    assert verified.ends_on is not None
    over = periods.over_at(verified.ends_on)
    with pytest.raises(WrongState):
        decided(verified, approver("C"), Verdict.APPROVE, at=over)
    just_before = decided(verified, approver("C"), Verdict.APPROVE, at=over - timedelta(microseconds=1))
    assert just_before.state is State.ACTIVE


def test_a_countersignature_comes_once_and_before_the_entry_lapses():
    signed = decided(urgent_entry(), duty_officer("D"), Verdict.COUNTERSIGN)
    with pytest.raises(WrongState):
        decided(signed, duty_officer("E"), Verdict.COUNTERSIGN)
    with pytest.raises(WrongState):
        decided(urgent_entry(), duty_officer("D"), Verdict.COUNTERSIGN, at=NOW + timedelta(hours=24))
    with pytest.raises(SecondPairOfEyesNeeded):
        decided(urgent_entry(), duty_officer("A"), Verdict.COUNTERSIGN)


def test_a_countersigned_entry_is_rejected_by_two():
    signed = decided(urgent_entry(), duty_officer("D"), Verdict.COUNTERSIGN)
    proposed = decided(signed, duty_officer("E"), Verdict.REJECT)
    assert (proposed.state, proposed.in_force(NOW)) == (State.PROVISIONAL, True)
    for by in ("A", "D", "E"):
        with pytest.raises(SecondPairOfEyesNeeded):
            decided(proposed, approver(by), Verdict.REJECT)
    rejected = decided(proposed, approver("F"), Verdict.REJECT)
    assert (rejected.state, rejected.ended_at, rejected.in_force(NOW)) == (State.REJECTED, NOW, False)


def test_what_a_proposal_to_reject_leaves_when_it_is_refused_or_void():
    signed = decided(urgent_entry(), duty_officer("D"), Verdict.COUNTERSIGN)
    with pytest.raises(WrongState):
        decided(signed, approver("F"), Verdict.KEEP)
    proposed = decided(signed, duty_officer("E"), Verdict.REJECT)
    over = periods.over_at(proposed.starts_on + timedelta(days=periods.URGENT_DAYS - 1))
    for void in (
        decided(proposed, approver("F"), Verdict.KEEP),
        proposed.ended(EndedReason.REVOKED, NOW, NOW),
        proposed.superseded_later(over, NOW),
        proposed.at(over),
    ):
        assert void.rejection_proposed is None
    assert proposed.superseded_later(None, NOW).rejection_proposed is not None
