"""Random lives of entries: whatever officers try in whatever order, the law's limits hold.

The use cases run for real, on both engines. After every step: nothing is in force past its lawful term, nothing
has changed without the decisions that it needs, and no citizen is refused entry.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.border.checks.domain import Candidate, worst
from app.border.checks.domain import decide as judged
from app.border.checks.traveller import traveller_of
from app.identity.births import Birth
from app.kit.clock import day_begins, day_ends, legal_day
from app.matching.policy import DEFAULT
from app.register.amendments.domain import Amendment
from app.register.entries.domain import EndedReason, Entry, Measure, State
from app.register.entries.names.index import listed
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from tests.support.clock import SettableClock
from tests.support.databases import ENGINES, Run
from tests.support.lives import ACTS, Life

acts = st.sampled_from(ACTS)


steps = st.lists(st.tuples(acts, st.integers(0, 2**16), st.integers(0, 2**16)), min_size=4, max_size=40)


def months_later(day: date, months: int) -> date:
    """Counted by hand, as on a calendar on the wall: not the register's own arithmetic."""
    year, month, number = day.year, day.month, day.day
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    while True:
        with suppress(ValueError):
            return date(year, month, number)
        number -= 1


def longest(entry: Entry) -> int:
    return 6 if entry.measure is Measure.PREVENTION else 120


def within_the_law(entry: Entry, former: list[tuple[str, Entry]], now: datetime) -> None:
    """No version has a longer period than the law allows, and none is in force beyond its period."""
    extensions = 0
    before = former[0][1].ends_on
    for event, version in former:
        if event == "extended":
            extensions += 1
            assert before is not None
            assert version.ends_on is not None
            assert before < version.ends_on <= months_later(before + timedelta(days=1), longest(entry))
        elif version.urgent:
            assert version.ends_on is not None
            assert version.ends_on <= version.starts_on + timedelta(days=19)
        elif version.lifetime:
            assert version.measure is Measure.DETERRENCE
            assert version.ends_on is None
        elif event in {"submitted", "resubmitted"}:
            assert version.ends_on is not None
            assert version.ends_on <= months_later(version.starts_on, longest(entry))
        before = version.ends_on
    assert extensions <= 1
    for days in (0, 1, 19, 20, 30, 183, 366, 3653, 7400):
        later = now + timedelta(days=days)
        if entry.in_force(later):
            assert entry.starts_on <= legal_day(later) or entry.urgent
            assert entry.ends_on is None or later < day_ends(entry.ends_on)
            assert not entry.urgent or later < day_begins(entry.starts_on) + timedelta(days=20)


def urgent_terms(entries: list[Entry]) -> None:
    """An urgent entry has its twenty days, or the rest of those of a lapsed one that it repeats (R35)."""
    urgent = [entry for entry in entries if entry.urgent]
    lapsed = {entry.ends_on for entry in urgent if entry.ended_reason is EndedReason.LAPSED}
    for entry in urgent:
        assert entry.ends_on == entry.starts_on + timedelta(days=19) or entry.ends_on in lapsed


def decided_on(
    former: list[tuple[str, Entry]], amended: list[Amendment], of_the_case: list[Amendment]
) -> None:
    """Force, content and end change only by what three (urgent: two) different persons have said.

    An act on one entry may end, or correct, others of its case.
    """
    for each in amended:
        if each.state == "approved":
            assert len({*each.authors, each.verified_by, each.approved_by}) == 3
    by_amendment = {"extended": "extension", "corrected": "correction", "revoked": "revocation"}
    by_amendment |= {"acquitted": "acquittal", "annulled": "annulment"}
    for (_, one), (event, other) in pairwise(former):
        content = [(e.subject, e.basis, e.starts_on, e.ends_on, e.lifetime) for e in (one, other)]
        if content[0] != content[1]:
            assert event in {"resubmitted", "corrected", "extended", "carried_over"}, event
        if event in by_amendment:
            assert by_amendment[event] in {each.kind for each in of_the_case if each.state == "approved"}
        if one.state is not State.ACTIVE and other.state is State.ACTIVE:
            assert event == "approved"
            persons = [*other.authors, other.verified_by, *other.approved_by]
            assert len(set(persons)) == len(persons) >= (4 if other.lifetime else 3)
        if one.countersigned_at is None and other.countersigned_at is not None:
            assert event == "countersigned"
            assert other.countersigner not in other.authors
        if one.state is not State.ENDED and other.state is State.ENDED:
            assert event in {*by_amendment, "expired", "lapsed", "superseded"}, event


def never_refused_entry(life: Life, entries: list[Entry], now: datetime) -> None:
    """Whoever shows anything Indonesian is not refused entry, whatever stands in the register (R45)."""
    candidates = [Candidate(entry, listed(entry.subject)) for entry in entries]
    for name in (life.citizen.full_name, life.foreigner.full_name):
        traveller = traveller_of(
            mrz=None,
            document=None,
            name=name,
            birth=Birth(date="1970-05-17"),
            nationality="IDN",
            personal_number=None,
        )
        assert worst(judged("entry", traveller, candidates, DEFAULT, now)) != "refuse"


def alarmed(life: Life, entries: list[Entry], alarms: list[Any], now: datetime) -> None:
    """After the worker has been at it: an alert is cancelled exactly when what it warned of has ended."""
    first = {entry.id: entry.formalises or entry.id for entry in entries}
    open_for = {first[entry_id]: False for entry_id, _ in alarms}
    for entry_id, cancelled_at in alarms:  # what holds again after a cancelled alert is raised anew
        open_for[first[entry_id]] |= cancelled_at is None
    for one, is_open in open_for.items():
        family = [
            e for e in entries if e.id == one or (e.formalises == one and e.alerted and e.in_force(now))
        ]
        running = any(e.at(now).state in {State.PROVISIONAL, State.ACTIVE} for e in family)
        assert is_open == running, (one, [e.at(now).state for e in family])


@contextmanager
def register(engine: str, run: Run, folder: Path) -> Iterator[tuple[Runtime, SettableClock, asyncio.Runner]]:
    """A register of its own, and the loop that it lives in."""
    clock = SettableClock()
    with run.sqlite() if engine == "sqlite" else run.postgresql() as url, asyncio.Runner() as runner:
        runtime = wired_runtime(Settings(env="test", database_url=url, data_dir=folder), clock)
        try:
            yield runtime, clock, runner
        finally:
            runner.run(runtime.close())


@pytest.mark.parametrize("engine", ENGINES)
def test_no_life_breaks_the_law(engine: str, run: Run, tmp_path: Path) -> None:
    with register(engine, run, tmp_path) as (runtime, clock, runner):

        @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(steps)
        def lives(taken: list[tuple[str, int, int]]) -> None:
            life = Life(runtime, clock)
            for what, a, b in taken:
                runner.run(life.act(what, a, b))
            runner.run(life.act("work", 0, 0))
            entries, former, amended = runner.run(life.told())
            urgent_terms(entries)
            for entry in entries:
                within_the_law(entry, former[entry.id], clock())
                decided_on(
                    former[entry.id], amended[entry.id], [a for each in amended.values() for a in each]
                )
            never_refused_entry(life, entries, clock())
            alarmed(life, entries, runner.run(life.alarms()), clock())

        lives()


def test_lives_reach_what_they_are_to_be_judged_by(run: Run, tmp_path: Path) -> None:
    """The property above says nothing if every random act is refused: given time, chance does it all."""
    wanted = {"submitted", "verified", "approved", "returned", "rejected", "resubmitted", "countersigned"}
    wanted |= {"superseded", "extended", "corrected", "revoked", "acquitted", "lapsed", "expired"}
    chance = random.Random(2026)
    with register("sqlite", run, tmp_path) as (runtime, clock, runner):
        for _ in range(1000):
            life = Life(runtime, clock)
            for _ in range(50):
                runner.run(life.act(chance.choice(ACTS), chance.randrange(2**16), chance.randrange(2**16)))
            _, former, _ = runner.run(life.told())
            wanted -= {event for versions in former.values() for event, _ in versions}
            if not wanted:
                break
    assert wanted == set()
