"""Random lives and their letters: no letter says that a person is off the list while a check refuses them.

Two persons have measures of two owners, with and without papers. A letter of an end names the instant at which nothing
else was on the list; at that very instant a check of the person, by the versions that the entries had then, must not
refuse. The letters are composed for real, the checks are those of the border.
"""

import asyncio
import random
import re
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.access.domain import SYSTEM
from app.border.checks.domain import Candidate, worst
from app.border.checks.domain import decide as judged
from app.border.checks.traveller import traveller_of
from app.casework.papers import service, words
from app.casework.papers.letter.wording import FREE
from app.errors import WrongState
from app.kit.clock import WIB
from app.matching.policy import DEFAULT
from app.register.entries import service as entries
from app.register.entries import store
from app.register.entries.domain import Entry, Measure, Verdict
from app.register.entries.law.deadlines import Terms
from app.register.entries.names.index import listed
from app.register.entries.requested import RequestedMeasure
from app.register.entries.subjects import Document, Subject
from app.runtime import Runtime
from tests.database.test_random_lives import register, steps
from tests.support.clock import SettableClock
from tests.support.databases import ENGINES, Run
from tests.support.lives import ACTS, IMMIGRATION, KPK, PHOTO, Life
from tests.unit.register.entries.examples import foreigner, person, subject

AUDITOR = person("Z", "auditor", agency=None)
CLAIMS = {measure: FREE.format(noun=words.MEASURES[measure][0]) for measure in Measure}
KEPT = "tetap tercantum dalam daftar"
_OFF = re.compile(r"dikeluarkan dari daftar|tidak (?:lagi )?tercantum")


class Lettered(Life):
    """A life whose persons have papers, so that checks refuse them."""

    def __init__(self, runtime: Runtime, clock: SettableClock) -> None:
        super().__init__(runtime, clock)
        mine, theirs = f"X{self.number:07}", f"L{self.number:07}"
        self.citizen = subject(
            full_name=f"Raka {self.number} Prambanan",
            nik=None,
            documents=(Document("passport", mine, "IDN"),),
        )
        self.foreigner = foreigner(
            full_name=f"Aldous {self.number} Quillfeather", documents=(Document("passport", theirs, "NZL"),)
        )

    async def impose(self, case: int, days: int) -> None:
        """A ban in force from today on, so that chance needs no luck to end one of two."""
        wanted = RequestedMeasure(
            measure=Measure.PREVENTION,
            subject=self.citizen,
            photo=PHOTO,
            basis=self.letter(case=case),
            starts_on=self.today,
            ends_on=self.today + timedelta(days=days),
            unknown=("nik",),
        )
        await self._keep(KPK[0], wanted)
        for by, verdict in ((KPK[3], Verdict.VERIFY), (IMMIGRATION[3], Verdict.APPROVE)):
            async with self.runtime.writing(by) as unit:
                entry = await store.find(unit, self.ids[-1])
                assert entry is not None
                terms = Terms.of(self.runtime.settings)
                await entries.decide(unit, entry.id, entry.version, verdict, None, terms)

    async def former(self, at: datetime) -> list[Entry]:
        """Every entry of this life in the version that it had at an instant."""
        async with self.runtime.reading(SYSTEM) as reader:
            whole = [[entry for _, entry in await store.list_former(reader, each)] for each in self.ids]
        then = [[entry for entry in versions if entry.updated_at <= at] for versions in whole]
        return [versions[-1] for versions in then if versions]

    async def letters(self) -> list[tuple[Entry, str]]:
        """The sentences of each letter that there is to be had, with its entry."""
        found = []
        for each in self.ids:
            async with self.runtime.writing(AUDITOR) as unit:
                with suppress(WrongState):
                    composed = await service.letter(unit, each, self.runtime.settings)
                    entry = await store.find(unit, each)
                    assert entry is not None
                    letter = composed.letter
                    found.append(
                        (
                            entry,
                            "\n".join((*letter.considering, letter.first_clause, *letter.further_clauses)),
                        )
                    )
        return found


def refused(who: Subject, measure: Measure, then: list[Entry], at: datetime) -> bool:
    """Whether a check refuses a person who shows each of their papers."""
    direction = "exit" if measure is Measure.PREVENTION else "entry"
    candidates = [Candidate(entry, listed(entry.subject)) for entry in then if entry.measure is measure]
    for paper in who.documents:
        traveller = traveller_of(
            mrz=None,
            document=(paper.number, paper.issuing_state),
            name=who.full_name,
            birth=who.birth,
            nationality=who.nationalities[0],
            personal_number=None,
        )
        if worst(judged(direction, traveller, candidates, DEFAULT, at)) == "refuse":
            return True
    return False


def claimed_at(sentences: str, measure: Measure) -> datetime | None:
    """The instant, to the minute, at which a letter says that nothing else was on the list."""
    if CLAIMS[measure] not in sentences:
        return None
    said = sentences[: sentences.index(CLAIMS[measure])].rsplit("Pada tanggal ", 1)[1]
    day, month, year, _, clock, _ = said.split()
    number = words._MONTHS.index(month) + 1
    hour, minute = clock.split(".")
    return datetime(int(year), number, int(day), int(hour), int(minute), tzinfo=WIB)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_letter_says_that_a_person_is_off_the_list_while_a_check_refuses(
    engine: str, run: Run, tmp_path: Path
) -> None:
    seen: Counter[str] = Counter()
    with register(engine, run, tmp_path) as (runtime, clock, runner):

        @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(taken=steps, worked=st.booleans(), bans=st.lists(st.integers(1, 90), max_size=2))
        def lives(*, taken: list[tuple[str, int, int]], worked: bool, bans: list[int]) -> None:
            life = Lettered(runtime, clock)
            for case, days in enumerate(bans):
                runner.run(life.impose(case, days))
            for what, a, b in taken:
                runner.run(life.act(what, a, b))
            if worked:
                runner.run(life.act("work", 0, 0))
            judge(life, runner, seen)

        lives()


def judge(life: Lettered, runner: asyncio.Runner, seen: Counter[str]) -> None:
    for entry, sentences in runner.run(life.letters()):
        assert not _OFF.search(sentences)
        who = life.citizen if entry.subject.full_name.startswith("Raka") else life.foreigner
        at = claimed_at(sentences, entry.measure)
        seen["kept" if KEPT in sentences else "other" if at is None else "claimed"] += 1
        if at is not None:
            then = runner.run(life.former(at))
            assert not refused(who, entry.measure, [each for each in then if each.id != entry.id], at)


def test_chance_reaches_both_a_person_who_is_off_the_list_and_one_who_is_not(
    run: Run, tmp_path: Path
) -> None:
    """The property above says nothing if no letter says either."""
    chance = random.Random(2026)
    seen: Counter[str] = Counter()
    with register("sqlite", run, tmp_path) as (runtime, clock, runner):
        for _ in range(400):
            life = Lettered(runtime, clock)
            for _ in range(40):
                runner.run(life.act(chance.choice(ACTS), chance.randrange(2**16), chance.randrange(2**16)))
            judge(life, runner, seen)
            if seen["kept"] and seen["claimed"] > 5:
                break
    assert seen["kept"]
    assert seen["claimed"] > 5
