"""Papers that arrived in time and are undecided at the end: refer for some days, never refuse (R68)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.register.entries import pending
from app.register.entries.domain import EndedReason, Entry, State
from app.register.entries.law import periods
from app.register.entries.publishing import leaf_facts

from .examples import NOW, TODAY, copied, entry

TICK = timedelta(microseconds=1)
PAPERS = "amd_1"
DAYS = 7


def active(**given: object) -> Entry:
    """An exit ban in force from today to 23 May 2027."""
    begins = periods.begins_at(TODAY)
    over = periods.over_at(date(2027, 5, 23))
    return entry(state=State.ACTIVE, in_force_from=begins, in_force_until=over, **given)


def urgent(**given: object) -> Entry:
    """A countersigned urgent entry of today, until 12 December."""
    last = periods.urgent_end(TODAY)
    given = {"countersigned_at": NOW, "in_force_until": periods.over_at(last), **given}
    return entry(urgent=True, state=State.PROVISIONAL, ends_on=last, in_force_from=NOW, **given)


def awaiting(before: Entry, at: datetime = NOW, days: int = DAYS) -> Entry:
    after = pending.awaiting(before, PAPERS, at, days)
    assert after is not None
    return after


@pytest.mark.parametrize(("before", "reason"), [(active(), "expired"), (urgent(), "lapsed")])
def test_it_refers_from_the_end_for_the_days_that_are_set_and_has_then_ended_at_its_end(
    before: Entry, reason: str
) -> None:
    waits, over = copied(awaiting(before)), before.in_force_until
    assert over is not None
    until = over + timedelta(days=DAYS)
    assert (waits.pending_until, waits.version, waits.state) == (until, before.version, before.state)
    seen = {
        at: (waits.in_force(at), pending.undecided(waits, at), waits.at(at).state)
        for at in (over - TICK, over, until - TICK, until)
    }
    assert list(seen.values()) == [
        (True, False, before.state),
        (False, True, before.state),
        (False, True, before.state),
        (False, False, State.ENDED),
    ]
    ended = waits.at(until)
    assert (ended.ended_reason, ended.ended_at) == (EndedReason(reason), over), "waiting prolongs no measure"
    assert ended.pending_until is None
    assert before.at(over).state is State.ENDED, "without papers it ends at once"


@pytest.mark.parametrize(
    ("before", "at", "days"),
    [
        pytest.param(active(), NOW, 0, id="switched off"),
        pytest.param(active(), periods.over_at(date(2027, 5, 23)), DAYS, id="verified at the end"),
        pytest.param(
            urgent(countersigned_at=None, in_force_until=NOW + timedelta(hours=24)),
            NOW,
            DAYS,
            id="not countersigned",
        ),
        pytest.param(urgent(superseded_from=NOW + timedelta(days=3)), NOW, DAYS, id="formalised already"),
        pytest.param(
            active(ends_on=None, lifetime=True).replace(in_force_until=None), NOW, DAYS, id="for life"
        ),
        pytest.param(active().replace(state=State.ENDED), NOW, DAYS, id="ended"),
    ],
)
def test_what_does_not_wait(before: Entry, at: datetime, days: int) -> None:
    assert pending.awaiting(before, PAPERS, at, days) is None


def test_it_waits_past_one_end_only() -> None:
    waits = awaiting(active())
    over = waits.over_at
    assert over is not None
    late = over + timedelta(days=2)
    pause = pending.pause_of(waits, late)
    extended = waits.replace(
        waiting=None,
        pause=pause,
        ends_on=date(2027, 11, 23),
        in_force_until=periods.over_at(date(2027, 11, 23)),
    )
    held = [extended.held(at) for at in (over - TICK, over, late - TICK, late)]
    assert held == [True, False, False, True], "the approval refuses from its own instant"
    assert pending.awaiting(extended, "amd_2", late, DAYS) is None
    assert pending.pause_of(awaiting(active()), over - TICK) is None, "nothing was left out before the end"


def test_other_papers_do_not_end_its_waiting() -> None:
    waits = awaiting(active())
    assert pending.given_up(waits, "amd_2") is None
    refused = pending.given_up(waits, PAPERS)
    assert refused == active()
    assert pending.given_up(active(), PAPERS) is None


def test_papers_that_were_refused_before_the_end_leave_it_to_others() -> None:
    refused = pending.given_up(awaiting(active()), PAPERS)
    assert refused is not None
    assert pending.awaiting(refused, "amd_2", NOW, DAYS) is not None, "nobody has been referred yet"


@pytest.mark.parametrize(("starts_on", "expected"), [("2026-12-13", True), ("2026-12-14", False)])
def test_a_formal_entry_follows_at_the_latest_on_the_next_day(starts_on: str, *, expected: bool) -> None:
    assert pending.follows(entry(starts_on=date.fromisoformat(starts_on)), urgent()) is expected


def test_the_ledger_says_until_when() -> None:
    assert leaf_facts(awaiting(active()))["pending_until"] == "2027-05-30T17:00:00.000000Z"
    assert leaf_facts(active())["pending_until"] is None
    ended = awaiting(active()).ended(EndedReason.REVOKED, NOW, NOW)
    assert leaf_facts(ended)["pending_until"] is None


INSTANTS = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - Hypothesis wants its bounds naive
    datetime(2028, 1, 1),  # noqa: DTZ001 - as above
    timezones=st.just(UTC),
)


@given(
    before=st.sampled_from([active(), urgent(), urgent(countersigned_at=None)]),
    verified=INSTANTS,
    days=st.integers(0, 30),
    decided=INSTANTS,
    at=INSTANTS,
)
def test_past_the_lawful_term_nothing_refuses_whatever_was_verified_when(
    before: Entry, verified: datetime, days: int, decided: datetime, at: datetime
) -> None:
    waits = pending.awaiting(before.at(verified), PAPERS, verified, days) or before
    if decided >= verified and decided <= at:
        waits = pending.given_up(waits, PAPERS) or waits
    over = before.over_at
    assert over is not None
    if at >= over:
        assert not waits.in_force(at)
        assert not (pending.undecided(waits, at) and before.countersigned_at is None and before.urgent)
        if at >= over + timedelta(days=days):
            assert waits.at(at).state is State.ENDED
    if pending.undecided(waits, at):
        assert not waits.in_force(at)
        assert pending.shown_until(waits, at) == waits.pending_until
        assert waits.at(at).state is before.state
