"""Random lives of entries: whatever officers try in whatever order, the law's limits hold.

The use cases run for real, on both engines. After every step: nothing is in force past its lawful term, nothing
has changed without the decisions that it needs, and no citizen is refused entry.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.alerts.tables import alert as alert_table
from app.amendments import service as amendments
from app.amendments import store as amendment_store
from app.amendments.domain import Amendment, AmendmentKind, AmendmentLetter, Extension, Judgment
from app.amendments.wanted import AmendmentWanted, CorrectionWanted
from app.checks.domain import Candidate, worst
from app.checks.domain import decide as judged
from app.checks.traveller import traveller_of
from app.db.unit import Actor
from app.entries import service, store
from app.entries.blobs import Blob
from app.entries.domain import Entry, Letter, Measure, State, Verdict
from app.entries.formalising import formalise
from app.entries.name_keys import listed
from app.entries.wanted import Formal, UrgentWanted, Wanted
from app.errors import CekalError
from app.identity.births import Birth
from app.kit.clock import day_begins, day_ends, legal_day
from app.matching.policy import DEFAULT
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from app.worker import Worker
from tests.support.clock import SettableClock
from tests.support.databases import ENGINES, Run
from tests.unit.entries.examples import basis, foreigner, person, subject

PHOTO = Blob("0" * 64, "photo", "image/jpeg", b"a photo")
VERDICTS = tuple(Verdict)
KINDS = tuple(AmendmentKind)
STEPS = timedelta(hours=1), timedelta(hours=7), *(timedelta(days=n) for n in (1, 1, 3, 3, 17, 60, 200))

KPK = [
    person("A", "submitter"),
    person("B", "submitter"),
    person("A", "verifier"),  # another account of the same person
    person("C", "verifier"),
]
IMMIGRATION = [
    person("G", "submitter", agency="IMIGRASI", office="KANIM-BATAM"),
    person("H", "verifier", agency="IMIGRASI", office="KANIM-BATAM"),
    person("C", "approver", agency="IMIGRASI", office="KANIM-MEDAN"),
    person("D", "approver", agency="IMIGRASI", office="KANIM-MEDAN"),
    person("E", "approver", agency="IMIGRASI", office="KANIM-BATAM"),
    person("B", "duty_officer", agency="IMIGRASI", office="KANIM-MEDAN"),
    person("F", "duty_officer", agency="IMIGRASI", office="KANIM-MEDAN"),
]
OFFICERS = (*KPK, *IMMIGRATION)

ACTS = (
    *("submit", "urgent", "deter", "decide", "decide", "decide", "decide", "decide", "resubmit", "formalise"),
    *("file", "file", "settle", "settle", "settle", "wait", "wait", "work"),
)
acts = st.sampled_from(ACTS)
steps = st.lists(st.tuples(acts, st.integers(0, 2**16), st.integers(0, 2**16)), min_size=4, max_size=40)
_numbers = count(1)


_NATURAL = {"submitted": Verdict.VERIFY, "verified": Verdict.APPROVE, "provisional": Verdict.COUNTERSIGN}
_ROLES = {Verdict.VERIFY: "verifier", Verdict.APPROVE: "approver", Verdict.COUNTERSIGN: "duty_officer"}


def _decision(state: str, agency: str, b: int) -> tuple[Verdict, Actor]:
    """Mostly what comes next, by one of those who might; now and then anything by anybody."""
    verdict = _NATURAL.get(state)
    if verdict is None or b % 5 == 0:
        return VERDICTS[b // 5 % len(VERDICTS)], OFFICERS[b // 32 % len(OFFICERS)]
    if b % 7 == 0 and verdict is not Verdict.COUNTERSIGN:
        return Verdict.RETURN, next(o for o in OFFICERS[2:] if o.holds(_ROLES[verdict]))
    able = [officer for officer in OFFICERS if officer.holds(_ROLES[verdict])]
    if verdict is Verdict.VERIFY:
        able = [officer for officer in able if officer.agency == agency]
    return verdict, able[b // 5 % len(able)]


class Life:
    """What befalls one person in the register."""

    def __init__(self, runtime: Runtime, clock: SettableClock) -> None:
        self.runtime, self.clock = runtime, clock
        self.number = next(_numbers)
        self.citizen = subject(full_name=f"Raka {self.number} Prambanan", nik=None, documents=())
        self.foreigner = foreigner(full_name=f"Aldous {self.number} Quillfeather", documents=())
        self.ids: list[str] = []
        self.amendment_ids: list[str] = []

    @property
    def today(self) -> date:
        return legal_day(self.clock())

    def letter(self, **changes: Any) -> Any:
        """A letter of today, in one of two cases of this life."""
        given = {
            "number": f"R-{self.number}-{next(_numbers)}",
            "issued_on": self.today,
            "received_on": None,
            "case_reference": f"Case-{self.number}-{changes.pop('case', 0)}",
            **changes,
        }
        return basis(**given)

    async def act(self, what: str, a: int, b: int) -> None:
        """Try something; the register may refuse it."""
        with suppress(CekalError):
            await getattr(self, f"_{what}")(a, b)

    async def _submit(self, a: int, b: int) -> None:
        starts_on = self.today + timedelta(days=a % 60 - 30)
        wanted = Wanted(
            measure=Measure.PREVENTION,
            subject=self.citizen,
            photo=PHOTO,
            basis=self.letter(case=b % 5),
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=b % 200),
            unknown=("nik", "documents"),
        )
        await self._keep(KPK[a % 2], wanted)

    async def _deter(self, a: int, b: int) -> None:
        wanted = Wanted(
            measure=Measure.DETERRENCE,
            subject=self.citizen if a % 5 == 0 else self.foreigner,
            photo=PHOTO,
            basis=self.letter(
                case=b % 5,
                instrument="decision",
                reason_code="overstay",
                stage=None,
                subject_status="foreigner_under_measure",
                lifetime_ground="A danger to public order.",
            ),
            starts_on=self.today,
            ends_on=None if a % 3 == 0 else self.today + timedelta(days=b % 4000),
            lifetime=a % 3 == 0,
            unknown=("documents",),
        )
        await self._keep(IMMIGRATION[0], wanted)

    async def _urgent(self, a: int, b: int) -> None:
        wanted = UrgentWanted(
            measure=Measure.PREVENTION,
            subject=self.citizen,
            photo=PHOTO,
            basis=self.letter(case=b % 5),
            unknown=("nik", "documents"),
            letter=Letter(f"ND-{next(_numbers)}", self.today, "0" * 64),
        )
        async with self.runtime.writing(KPK[a % 2]) as unit:
            entry = await service.submit_urgent(unit, wanted, self.runtime.settings, "unknown")
        self.ids.append(entry.id)

    async def _keep(self, by: Actor, wanted: Wanted) -> None:
        async with self.runtime.writing(by) as unit:
            entry = await service.submit(unit, wanted, self.runtime.settings)
        self.ids.append(entry.id)

    async def _one(self, a: int, *states: State, urgent: bool | None = None) -> Entry:
        """One of the entries; mostly one in these states, now and then any."""
        if not self.ids:
            await self._submit(a, 90)
        async with self.runtime.reading(SYSTEM) as reader:
            found = await store.list_by_ids(reader, self.ids)
        fitting = [e for e in found if e.state in states and urgent in {None, e.urgent}] if a % 7 else []
        return (fitting or found)[a % len(fitting or found)]

    async def _decide(self, a: int, b: int) -> None:
        entry = await self._one(a, State.SUBMITTED, State.VERIFIED, State.PROVISIONAL)
        verdict, by = _decision(entry.state, entry.agency, b)
        async with self.runtime.writing(by) as unit:
            await service.decide(unit, entry.id, entry.version, verdict, "Because.")

    async def _resubmit(self, a: int, b: int) -> None:
        entry = await self._one(a, State.RETURNED)
        wanted = Wanted(
            measure=entry.measure,
            subject=self.citizen if entry.measure is Measure.PREVENTION else self.foreigner,
            photo=PHOTO,
            basis=msgspec.structs.replace(entry.basis, issued_on=self.today, received_on=None),
            starts_on=self.today,
            ends_on=self.today + timedelta(days=b % 250),
            unknown=entry.unknown,
        )
        by = KPK[b % 2] if entry.agency == "KPK" else IMMIGRATION[0]
        async with self.runtime.writing(by) as unit:
            await service.resubmit(unit, entry.id, entry.version, wanted, self.runtime.settings)

    async def _formalise(self, a: int, b: int) -> None:
        entry = await self._one(a, State.PROVISIONAL, urgent=True)
        starts_on = self.today + timedelta(days=a % 2 * (b % 12))
        formal = Formal(
            basis=self.letter(case=b % 5),
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=b % 200),
            lifetime=False,
            gap_acknowledged=b % 3 == 0,
            unknown=None,
            subject=None,
            photo=None,
        )
        async with self.runtime.writing(KPK[b % 2]) as unit:
            made = await formalise(unit, entry.id, entry.version, formal, self.runtime.settings)
        self.ids.append(made.id)

    async def _file(self, a: int, b: int) -> None:
        entry = await self._one(a, State.ACTIVE, State.PROVISIONAL)
        kind = KINDS[b % len(KINDS)]
        own = {"case_reference": entry.basis.case_reference}
        number = entry.basis.number if b % 4 else "another"
        moved = msgspec.structs.replace(
            self.citizen if b % 2 else self.foreigner, address=f"Jalan {next(_numbers)}"
        )
        corrected = CorrectionWanted(moved, None, None, (), None)
        ends_on = (entry.ends_on or self.today) + timedelta(days=a % 220)
        wanted = AmendmentWanted(
            kind=kind,
            reason="Because.",
            letter=AmendmentLetter("B-1", self.today) if kind is not AmendmentKind.EXTENSION else None,
            extension=Extension(ends_on, self.letter(**own)) if kind is AmendmentKind.EXTENSION else None,
            correction=corrected if kind is AmendmentKind.CORRECTION else None,
            refers_to_number=number if kind is AmendmentKind.REVOCATION else None,
            judgment=Judgment("1", "PN", self.today, self.today, entry.basis.case_reference)
            if kind is AmendmentKind.ACQUITTAL
            else None,
        )
        owner = KPK[1] if entry.agency == "KPK" else IMMIGRATION[0]
        by = owner if b % 3 else OFFICERS[b // 8 % len(OFFICERS)]
        async with self.runtime.writing(by) as unit:
            made = await amendments.file(unit, entry.id, entry.version, wanted, self.runtime.settings)
        self.amendment_ids.append(made.id)

    async def _settle(self, a: int, b: int) -> None:
        if not self.amendment_ids:
            return await self._file(a, b)
        async with self.runtime.reading(SYSTEM) as reader:
            found = await amendment_store.find(reader, self.amendment_ids[a % len(self.amendment_ids)])
        assert found is not None
        verdict, by = _decision(found.state, found.agency, b)
        async with self.runtime.writing(by) as unit:
            await amendments.decide(unit, found.id, found.version, verdict, "Because.")
        return None

    async def _wait(self, a: int, _b: int) -> None:
        self.clock.advance(STEPS[a % len(STEPS)])

    async def _work(self, _a: int, _b: int) -> None:
        await Worker(self.runtime).end_by_law()

    async def told(
        self,
    ) -> tuple[list[Entry], dict[str, list[tuple[str, Entry]]], dict[str, list[Amendment]]]:
        """Every entry, its former versions with their events, and its amendments."""
        async with self.runtime.reading(SYSTEM) as reader:
            entries = await store.list_by_ids(reader, self.ids)
            former = {entry.id: await store.list_former(reader, entry.id) for entry in entries}
            amended = {e.id: await amendment_store.list_page(reader, e.id, None, 500) for e in entries}
        return entries, former, amended

    async def alarms(self) -> list[Any]:
        """The first alert of each family of this life's entries: its entry and when it was cancelled."""
        table = alert_table
        statement = select(table.c.entry_id, table.c.cancelled_at).where(
            table.c.entry_id.in_(self.ids), table.c.id == table.c.family
        )
        async with self.runtime.reading(SYSTEM) as reader:
            return list(await reader.run(statement))


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
            assert version.ends_on == version.starts_on + timedelta(days=19)
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


def decided_on(former: list[tuple[str, Entry]], amended: list[Amendment]) -> None:
    """Force, content and end change only by what three (urgent: two) different persons have said."""
    approved = {(each.kind, each.version) for each in amended if each.state == "approved"}
    for each in amended:
        if each.state == "approved":
            assert len({*each.authors, each.verified_by, each.approved_by}) == 3
    by_amendment = {"extended": "extension", "corrected": "correction", "revoked": "revocation"}
    by_amendment |= {"acquitted": "acquittal", "annulled": "annulment"}
    for (_, one), (event, other) in pairwise(former):
        content = [(e.subject, e.basis, e.starts_on, e.ends_on, e.lifetime) for e in (one, other)]
        if content[0] != content[1]:
            assert event in {"resubmitted", "corrected", "extended"}, event
        if event in by_amendment:
            assert by_amendment[event] in {kind for kind, _ in approved}
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
    for entry_id, cancelled_at in alarms:
        family = [e for e in entries if e.id == entry_id or (e.formalises == entry_id and e.alerted)]
        running = any(e.at(now).state in {State.PROVISIONAL, State.ACTIVE} for e in family)
        assert (cancelled_at is None) == running, (entry_id, [e.at(now).state for e in family])


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
            for entry in entries:
                within_the_law(entry, former[entry.id], clock())
                decided_on(former[entry.id], amended[entry.id])
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
