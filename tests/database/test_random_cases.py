"""Random lives of whole cases: whatever officers try in whatever order, what ends a measure ends it.

Two namesakes, a father and a son, in two cases of one owner, with another owner beside; urgent and formal entries,
further periods, corrections that add a passport or name the other person, judgments and revocations. After every
act that the register took, and as time passes, every property below holds on both engines.
"""

import os
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.border.checks.domain import Candidate, worst
from app.border.checks.domain import decide as judged
from app.border.checks.traveller import traveller_of
from app.kit.clock import day_begins, day_ends
from app.maintenance.verification.service import verify
from app.matching.policy import DEFAULT
from app.register.entries.domain import Entry, State
from app.register.entries.names.index import listed
from tests.database.test_random_lives import months_later, register
from tests.support.backups import in_silence
from tests.support.cases import CASE_ACTS, Alarm, CaseLife, matter, passports
from tests.support.databases import ENGINES, Run

LIVES = int(os.environ.get("CEKAL_TEST_CASES", "150"))
"""How many lives are lived on SQLite; a longer run is asked for by the environment."""
LIVES_ON_POSTGRESQL = LIVES // 3
"""The law's rules are the program's: PostgreSQL is to show what its types and locks add."""

ACTIONS = {"clear": "release", "refuse": "refuse_exit", "refer": "refer_to_supervisor"}
AHEAD = tuple(timedelta(days=days) for days in (0, 1, 3, 7, 14, 21, 45, 100, 200))

numbers = st.integers(0, 2**16)
steps = st.lists(st.tuples(st.sampled_from(CASE_ACTS), numbers, numbers), min_size=6, max_size=20)


def answer(entries: Iterable[Entry], number: str, now: datetime) -> str:
    """What a counter would say of a passport alone."""
    traveller = traveller_of(
        mrz=None,
        document=(number, "IDN"),
        name=None,
        birth=None,
        nationality="IDN",
        personal_number=None,
    )
    candidates = [Candidate(entry, listed(entry.subject)) for entry in entries]
    return str(worst(judged("exit", traveller, candidates, DEFAULT, now)))


def nothing_holds_after_its_end(life: CaseLife, now: datetime) -> None:
    """What a revocation, an acquittal or an annulment has ended is over for good, and so is a closed case."""
    for entry in life.entries.values():
        if entry.id in life.dead:
            assert entry.at(now).state in {State.ENDED, State.REJECTED}, life.dead[entry.id]
        if matter(entry) in life.closed and entry.basis.reopens is None:
            assert not entry.at(now).runs, "an exit ban of a closed case"
            assert not entry.at(now).awaits_decision, "a request in a closed case"


def within_its_term(life: CaseLife, now: datetime) -> None:
    """An urgent entry holds twenty days at most, an exit ban six months, extended once; two never at once."""
    running = [entry for entry in life.entries.values() if entry.at(now).runs]
    for entry in running:
        assert entry.ends_on is not None
        assert entry.extension_count <= 1
        most = months_later(entry.starts_on, 6 * (1 + entry.extension_count))
        assert entry.ends_on <= most
        for ahead in AHEAD:
            if entry.in_force(now + ahead):
                assert now + ahead < day_ends(entry.ends_on)
                if entry.urgent:
                    assert now + ahead < day_begins(entry.starts_on) + timedelta(days=20)
    for one, other in combinations((entry for entry in running if not entry.urgent), 2):
        if matter(one) == matter(other):
            both = [ahead for ahead in AHEAD if one.in_force(now + ahead) and other.in_force(now + ahead)]
            assert both == [], "two exit bans of one case against one person at one time"


def no_passport_is_lost(life: CaseLife, now: datetime) -> None:
    """A passport that was listed and never withdrawn stops its bearer as long as the measure holds."""
    for first, numbers_listed in life.listed.items():
        linked = [entry for entry in life.entries.values() if life.chain(entry) == first]
        if any(entry.in_force(now) for entry in linked):
            clear = {number for number in numbers_listed if answer(linked, number, now) == "clear"}
            assert clear == set(), "a listed passport passes"


def never_released_while_refused(life: CaseLife, now: datetime) -> None:
    """No alert releases a person that a check refuses at that moment."""
    for alarm in life.fresh_alarms:
        if alarm.action == "release":
            found = {answer(life.entries.values(), number, now) for number in alarm.documents}
            assert "refuse" not in found, "released, but refused"


def alerts_agree_with_checks(life: CaseLife, now: datetime) -> None:
    """Once the worker has been at it, the last alert of each family says what a check says.

    A family goes on in the formal entry, and in whatever else took over from its urgent entry. What was cancelled
    stays so, unless something that was linked with it holds.
    """
    entries = life.entries.values()
    for family, last in {alarm.family: alarm for alarm in life.alarms_told}.items():
        told = {alarm.entry_id for alarm in life.alarms_told if alarm.family == family}
        linked = [each for each in entries if {each.id, each.formalises} & told]
        matters = {matter(each) for each in linked}
        about = linked if last.kind == "cancel" else [each for each in entries if matter(each) in matters]
        for number in last.documents:
            found = answer(about, number, now)
            if found != "clear":
                said = {alarm.action for alarm in newest_alarms(life, number)}
                assert said & {ACTIONS[found], ACTIONS[answer(entries, number, now)]}, (
                    "other words than the check's"
                )
        if not any(entry.at(now).runs for entry in about):
            waits = last.action == "refer_to_supervisor"  # for papers in time, undecided at the end (R68)
            assert last.kind == "cancel" or waits, "ended, but never cancelled"


def newest_alarms(life: CaseLife, number: str) -> Iterable[Alarm]:
    """The last alert of each family that names a passport."""
    return {alarm.family: alarm for alarm in life.alarms_told if number in alarm.documents}.values()


def decided_by_others(life: CaseLife) -> None:
    """Nobody who wrote a version of an entry, or of its urgent one, has decided on it."""
    for person, wrote in life.decided:
        assert person not in wrote


def hold(life: CaseLife, now: datetime) -> None:
    """Every property that needs no worker."""
    nothing_holds_after_its_end(life, now)
    within_its_term(life, now)
    no_passport_is_lost(life, now)
    never_released_while_refused(life, now)
    decided_by_others(life)


BEGIN = ("urgent", 1, 0), ("decide", 1, 1)
END = ("wait", 8, 0), ("work", 0, 0), ("wait", 12, 0), ("work", 0, 0)


async def lived(life: CaseLife, taken: Iterable[tuple[str, int, int]]) -> None:
    """Let a life run, and look at it after every act that was taken, and as its last days pass."""
    await life.look()
    for what, a, b in (*BEGIN, *taken, *END):
        if await life.act(what, a, b):
            if what == "wait":
                life.fresh_alarms = []
            else:
                await life.look()
            hold(life, life.clock())
            if what == "work":
                alerts_agree_with_checks(life, life.clock())


@pytest.mark.parametrize("engine", ENGINES)
def test_no_life_of_a_case_breaks_the_law(engine: str, run: Run, tmp_path: Path) -> None:
    with register(engine, run, tmp_path) as (runtime, clock, runner):

        @settings(
            max_examples=LIVES if engine == "sqlite" else LIVES_ON_POSTGRESQL,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        )
        @given(steps)
        def lives(taken: list[tuple[str, int, int]]) -> None:
            runner.run(lived(CaseLife(runtime, clock), taken))

        lives()
        assert runner.run(verify(runtime, in_silence)).differences == [], "the register agrees with itself"


def test_chance_does_everything_to_a_case(run: Run, tmp_path: Path) -> None:
    """The property above says nothing if every random act is refused."""
    wanted = {
        "verify",
        "approve",
        "countersign",
        "return",
        "reject",
        "resubmitted",
        "formalised",
        "extension",
    }
    wanted |= {"correction", "revocation measure", "revocation entry", "acquittal", "annulment"}
    wanted |= {"acquittal of what had ended", "superseded", "carried over", "reopened", "second passport"}
    wanted |= {"police", "two rows ended", "closed", "cancelled"}
    chance = random.Random(3)  # reaches everything within some thirty lives
    with register("sqlite", run, tmp_path) as (runtime, clock, runner):
        for _ in range(600):
            life = CaseLife(runtime, clock)
            taken = [
                (chance.choice(CASE_ACTS), chance.randrange(2**16), chance.randrange(2**16))
                for _ in range(30)
            ]
            runner.run(lived(life, taken))
            wanted -= reached(life)
            if not wanted:
                break
    assert wanted == set()


def reached(life: CaseLife) -> set[str]:
    """What has happened in a life."""
    entries = list(life.entries.values())
    seen = {
        "superseded": any(e.ended_reason == "superseded" for e in entries),
        "reopened": any(e.state is State.ACTIVE and e.basis.reopens is not None for e in entries),
        "second passport": any(len(passports(e.subject)) > 1 and e.formalises is not None for e in entries),
        "carried over": any(e.formalises is not None and e.former for e in entries),
        "police": any(e.agency == "POLRI" and e.approved_by for e in entries),
        "two rows ended": len(life.dead) > 1,
        "closed": any(matter(e) in life.closed for e in entries),
        "cancelled": any(alarm.kind == "cancel" for alarm in life.alarms_told),
    }
    return life.reached | {name for name, found in seen.items() if found}
