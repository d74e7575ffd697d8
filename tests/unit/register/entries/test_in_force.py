"""Whether an entry holds is computed at the instant that is asked about (R26, R27, R29)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.register.entries.domain import EndedReason, Entry, Measure, State, Verdict
from app.register.entries.law import periods

from .examples import NOW, TODAY, approver, duty_officer, entry

TICK = timedelta(microseconds=1)
INSTANTS = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - Hypothesis wants its bounds naive
    datetime(2040, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)


def active(**changes: object) -> Entry:
    """An entry that was verified and approved."""
    verified = entry(state=State.VERIFIED, verified_by="B", **changes)
    return verified.decide(approver("C"), Verdict.APPROVE, 1, NOW, "IMIGRASI")


def test_an_approved_entry_holds_from_midnight_of_its_first_day_through_its_last():
    future = active(starts_on=date(2026, 12, 1), ends_on=date(2026, 12, 31))
    begins = datetime(2026, 11, 30, 17, tzinfo=UTC)
    over = datetime(2026, 12, 31, 17, tzinfo=UTC)
    held = {at: future.in_force(at) for at in (NOW, begins - TICK, begins, over - TICK, over)}
    assert list(held.values()) == [False, False, True, True, False]
    assert future.state is State.ACTIVE, "approved, though not in force before its first day"


@given(INSTANTS)
def test_no_job_needs_to_run_for_an_entry_to_end(at: datetime):
    stored = active()
    assert stored.in_force_until is not None
    stands = stored.at(at)
    if at < stored.in_force_until:
        assert stands is stored
    else:
        assert not stored.in_force(at)
        assert (stands.state, stands.ended_reason) == (State.ENDED, EndedReason.EXPIRED)
        assert stands.ended_at == stored.in_force_until, "the end took effect then, whenever it is looked at"
        assert stands.version == stored.version


@given(st.sampled_from(State), INSTANTS, INSTANTS, INSTANTS)
def test_only_a_provisional_or_active_entry_ever_holds(
    state: State, begins: datetime, over: datetime, at: datetime
):
    what = entry(state=state, in_force_from=begins, in_force_until=over)
    runs = state in {State.PROVISIONAL, State.ACTIVE}
    assert what.held(at) == (runs and begins <= at < over)
    assert what.in_force(at) == (runs and begins <= max(at, what.updated_at) and at < over)


def test_what_begins_with_its_record_holds_for_whoever_reads_the_record_with_a_clock_that_is_behind():
    early = NOW - timedelta(minutes=10)
    begun = active(starts_on=TODAY)
    assert begun.in_force(early)
    assert begun.held(NOW)
    recorded = entry(state=State.PROVISIONAL, urgent=True, in_force_from=NOW, in_force_until=NOW + TICK)
    assert recorded.in_force(early)
    assert not recorded.held(early), "of the past the dates alone decide"
    assert not recorded.in_force(NOW + TICK), "the end is for the reader's clock"
    assert not recorded.replace(in_force_from=NOW + TICK).in_force(early)


def test_an_entry_for_life_never_ends_by_itself():
    verified = entry(
        measure=Measure.DETERRENCE, lifetime=True, ends_on=None, state=State.VERIFIED, approved_by=("C",)
    )
    forever = verified.decide(approver("D"), Verdict.APPROVE, 1, NOW, "IMIGRASI")
    for at in (NOW, datetime(2126, 1, 1, tzinfo=UTC)):
        assert forever.in_force(at)
        assert forever.at(at) is forever
    assert forever.last_instant is None


def urgent(state: State = State.PROVISIONAL) -> Entry:
    """An urgent entry, just made; with `SUBMITTED` where the countersignature is demanded first."""
    return entry(
        urgent=True,
        state=state,
        starts_on=TODAY,
        ends_on=periods.urgent_end(TODAY),
        in_force_from=NOW if state is State.PROVISIONAL else None,
        in_force_until=NOW + timedelta(hours=24),
    )


def test_an_urgent_entry_holds_from_its_commit_and_lapses_after_a_day_without_countersignature():
    made = urgent()
    assert made.in_force(NOW)
    assert made.in_force(NOW + timedelta(hours=24) - TICK)
    lapsed = made.at(NOW + timedelta(hours=24))
    assert (lapsed.state, lapsed.ended_reason) == (State.ENDED, EndedReason.LAPSED)
    assert lapsed.ended_at == NOW + timedelta(hours=24)


def test_a_countersigned_entry_holds_to_the_end_of_the_twentieth_day():
    signed = urgent().decide(duty_officer("D"), Verdict.COUNTERSIGN, 1, NOW + timedelta(hours=23), "IMIGRASI")
    over = datetime(2026, 12, 12, 17, tzinfo=UTC)
    assert signed.in_force_from == NOW
    assert signed.in_force(over - TICK)
    assert signed.at(over).ended_reason is EndedReason.LAPSED
    assert signed.last_instant == "2026-12-12T16:59:59.000000Z"


def test_where_the_countersignature_comes_first_nothing_holds_before_it():
    waiting = urgent(State.SUBMITTED)
    assert not waiting.in_force(NOW)
    signed = waiting.decide(duty_officer("D"), Verdict.COUNTERSIGN, 1, NOW + timedelta(hours=1), "IMIGRASI")
    assert signed.in_force_from == NOW + timedelta(hours=1)
    assert waiting.at(NOW + timedelta(hours=24)).ended_reason is EndedReason.LAPSED


@pytest.mark.parametrize("state", [State.SUBMITTED, State.RETURNED, State.VERIFIED, State.REJECTED])
def test_what_was_never_in_force_does_not_expire(state: State):
    assert entry(state=state).at(datetime(2030, 1, 1, tzinfo=UTC)).state is state
