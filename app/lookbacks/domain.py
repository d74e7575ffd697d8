"""Searching past checks for the subject of an entry (R58); pure.

Two hundred thousand travellers are checked on a busy day, and one entry is about one of them. So each
question is first held against what can't be disguised much, a number or the birth date, then its name against the
subject's; only what is left is understood and compared as a check compares.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

import msgspec

from app.checks.domain import Candidate, Match
from app.entries.domain import Entry
from app.entries.subjects import Subject
from app.identity import documents, mrz, states
from app.identity.births import Birth
from app.identity.mrz import MrzUnreadable
from app.kit.ids import behind, first_id
from app.matching.assessment import assess
from app.matching.births import best_birth
from app.matching.persons import Asked
from app.matching.policy import MatchPolicy
from app.matching.tiers import STOPPING
from app.notices.domain import Draft, owner
from app.notices.names import NoticeName

WINDOW: Final = timedelta(hours=24)
"""How far back the checks are searched (R58)."""

SETTLED: Final = timedelta(minutes=1)
"""How long around the search's beginning checks are looked at once more: one that was asked before may be stored
after it, and no two clocks are equal."""


@dataclass(frozen=True, slots=True)
class Lookback:
    """The search of past checks for one entry's subject, and how far it has come.

    The newest checks are read first: who left an hour ago may still be caught.

    Attributes:
        came_at: when the entry came into force, or was corrected.
        first: id of a check; those before it are not read.
        before: id of a check; it and those behind it are read already.
        due_at: when to read on; None once all is read.
    """

    entry_id: str
    came_at: datetime
    first: str
    before: str
    due_at: datetime | None

    @classmethod
    def of(cls, entry_id: str, came_at: datetime) -> Self:
        """The search for an entry: from an instant on, checks find persons by it that they missed before."""
        first, before = first_id("chk", came_at - WINDOW), first_id("chk", came_at + SETTLED)
        return cls(entry_id, came_at, first, before, came_at)

    @property
    def untouched(self) -> bool:
        """Whether nothing is read yet, or no more than what was asked later by a clock that ran ahead."""
        return self.due_at == self.came_at and self.before >= first_id("chk", self.came_at + SETTLED)

    def anew(self, at: datetime) -> Self:
        """The search once the entry is corrected: begun again, with what this one has not come to."""
        begun = self.of(self.entry_id, at)
        return begun if self.due_at is None else replace(begun, first=min(begun.first, self.first))

    def reaching(self, newest: str | None) -> Self:
        """The search that begins with the newest check there is: a clock may have been ahead when it was asked."""
        return self if newest is None or newest < self.before else replace(self, before=behind(newest))

    def read_to(self, check_id: str) -> Self:
        """The search after everything from a check on was read."""
        return replace(self, before=check_id)

    def through(self) -> Self:
        """The search once it has come to its end: what is stored late is read once more, a little later."""
        settled = self.came_at + SETTLED
        if self.due_at is None or self.due_at >= settled:
            return self.dropped()
        first, before = (first_id("chk", at) for at in (self.came_at - SETTLED, settled))
        return replace(self, first=first, before=before, due_at=settled)

    def dropped(self) -> Self:
        """The search with nothing left to be done."""
        return replace(self, due_at=None)


class _Document(msgspec.Struct, frozen=True):
    number: str = ""


class _Person(msgspec.Struct, frozen=True):
    name: str | None = None
    birth_date: str | None = None
    nik: str | None = None


class _Glance(msgspec.Struct, frozen=True):
    """As much of a stored question as tells most travellers from the subject."""

    mrz: str | None = None
    document: _Document = _Document()
    person: _Person = _Person()


_glance = msgspec.json.Decoder(_Glance).decode


class Sieve:
    """Says cheaply of a stored question whether it may be about an entry's subject.

    It lets through whatever a check would stop: by a number, or by name and birth date.

    Args:
        candidate: the entry and its subject, made ready.
        policy: from what on names count.
    """

    def __init__(self, candidate: Candidate, policy: MatchPolicy) -> None:
        subject = candidate.entry.subject
        numbers = {documents.normalise(document.number) for document in subject.documents} - {""}
        self._person = candidate.person
        self._policy = policy
        self._skeletons = {documents.skeleton(number) for number in numbers}
        self._nik = documents.normalise(subject.nik) if subject.nik else None

    def lets_through(self, question: bytes | str, day: date) -> bool:
        """Whether a question that was asked on a legal day is worth comparing."""
        asked = _glance(question)
        return self._by_number(asked) or self._by_name(asked, day)

    def _by_number(self, asked: _Glance) -> bool:
        if self._nik and asked.person.nik == self._nik:
            return True
        if documents.skeleton(documents.normalise(asked.document.number)) in self._skeletons:
            return True
        if asked.mrz is None or not self._skeletons:
            return False
        folded = documents.skeleton(documents.normalise(asked.mrz))
        return any(skeleton in folded for skeleton in self._skeletons)

    def _by_name(self, asked: _Glance, day: date) -> bool:
        person = asked.person
        births = [Birth(date=person.birth_date)] if person.birth_date else []
        if not self._may_be_born(births):
            return False
        try:
            zone = mrz.parse(asked.mrz, day) if asked.mrz else None
        except MrzUnreadable:
            zone = None
        if zone is not None and zone.birth is not None and not self._may_be_born([zone.birth]):
            return False
        traveller = Asked.of([person.name] if person.name else [], births, mrz=zone)
        return assess(traveller, self._person, self._policy).tier == "stop"

    def _may_be_born(self, births: list[Birth]) -> bool:
        return all(best_birth(self._person.births, (birth,)).nearness in STOPPING for birth in births)


def compared(subject: Subject) -> tuple[object, ...]:
    """What checks compare of a subject; where a correction changes nothing of it, they find nobody else than before."""
    papers = frozenset(
        (
            documents.normalise(paper.number),
            states.canonical(paper.issuing_state) if paper.issuing_state else None,
        )
        for paper in subject.documents
    )
    named = (subject.full_name, frozenset(subject.aliases), subject.births, subject.sex)
    return *named, subject.nationalities, subject.nik, papers


def measure_of(entry: Entry) -> tuple[str, ...]:
    """The entries that are one to their owner: this one, behind the urgent one from which it took over."""
    return (entry.formalises, entry.id) if entry.formalises else (entry.id,)


def found(entry: Entry, record: Any, match: Match | None) -> Draft:
    """What the owner is told of a check that was about their entry's subject: one notice a check and measure.

    Args:
        entry: the entry, which did not find the check's traveller then.
        record: the check's record.
        match: what a check would say now; None where only the document's hash is left of the question.
    """
    return Draft(
        name=NoticeName.CROSSED_BEFORE,
        key=f"crossed_before:{measure_of(entry)[0]}:{record.id}",
        to=owner(entry.agency),
        effective_at=record.at,
        entry_id=entry.id,
        agency=entry.agency,
        detail={
            "check_id": record.id,
            "checkpoints": [record.checkpoint],
            "direction": record.direction,
            "outcome": record.outcome,
            "level": match.level if match else "probable",
        },
    )


def numbers_of(entry: Entry) -> Iterator[str]:
    """The document numbers under which checks of the subject are found by their hash, each once."""
    yield from sorted({documents.normalise(document.number) for document in entry.subject.documents} - {""})
