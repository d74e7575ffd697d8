"""The search of past checks for the subject of an entry (no I/O; R58).

On a busy day, two hundred thousand travellers are checked, and an entry is about one person. So each stored question is
first compared by document number or birth date, then by name. Only the remaining questions are compared as in a check.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

import msgspec

from app.alerting.notices.domain import NoticeContent, owner
from app.alerting.notices.names import NoticeName
from app.border.checks.domain import Candidate, Match
from app.identity import documents, mrz, states, typed_numbers
from app.identity.births import Birth
from app.identity.mrz import Mrz, MrzUnreadable
from app.kit.ids import bound_after, first_id
from app.matching.assessment import assess
from app.matching.births import best_birth
from app.matching.persons import QueriedPerson
from app.matching.policy import MatchPolicy
from app.matching.tiers import STOPPING
from app.register.entries.domain import Entry
from app.register.entries.subjects import Subject

WINDOW: Final = timedelta(hours=24)
"""Length of the period before `Lookback.came_at` whose checks are searched (R58)."""

SETTLED: Final = timedelta(minutes=1)
"""How long before and after `Lookback.came_at` checks are read a second time: checks may be committed late, and clocks
differ."""


@dataclass(frozen=True, slots=True)
class Lookback:
    """The search of the last day's checks for the subject of one entry, and the search's progress.

    Checks are read from the newest to the oldest, because a traveller of an hour ago may still be at the border.

    Attributes:
        entry_id: id of the entry.
        came_at: when the entry came into force or was corrected.
        first: a check id; checks with a smaller id are not searched.
        before: a check id; only checks with a smaller id are still to be read.
        due_at: when to continue reading; None once the search is closed.
    """

    entry_id: str
    came_at: datetime
    first: str
    before: str
    due_at: datetime | None

    @classmethod
    def of(cls, entry_id: str, came_at: datetime) -> Self:
        """Return a new search for the entry with this id, which came into force or was corrected at `came_at`."""
        first, before = first_id("chk", came_at - WINDOW), first_id("chk", came_at + SETTLED)
        return cls(entry_id, came_at, first, before, came_at)

    @property
    def untouched(self) -> bool:
        """Whether no check dated before `came_at + SETTLED` has been read yet; only a wrong clock dates others."""
        return self.due_at == self.came_at and self.before >= first_id("chk", self.came_at + SETTLED)

    def restarted(self, at: datetime) -> Self:
        """Return a new search for the entry, which was corrected at the instant `at`.

        If this search is unfinished, the new one also covers the checks that this one has not read.
        """
        begun = self.of(self.entry_id, at)
        return begun if self.due_at is None else replace(begun, first=min(begun.first, self.first))

    def extended_to(self, newest: str | None) -> Self:
        """Return the search, extended to include the check `newest` if this is later than the search's range.

        A check can be later only if a wrong clock dated it in the future. `newest` is the greatest check id; None, if
        there are no checks, changes nothing.
        """
        return self if newest is None or newest < self.before else replace(self, before=bound_after(newest))

    def read_to(self, check_id: str) -> Self:
        """Return the search with its progress: the check with this id and all later ones have been read."""
        return replace(self, before=check_id)

    def finished(self) -> Self:
        """Return the search after its whole range was read: due a second time, or closed.

        After the first reading, checks from the minute before to the minute after `came_at` are due again, one minute
        after `came_at`, because some are stored late. After the second reading the search is closed.
        """
        settled = self.came_at + SETTLED
        if self.due_at is None or self.due_at >= settled:
            return self.dropped()
        first, before = (first_id("chk", at) for at in (self.came_at - SETTLED, settled))
        return replace(self, first=first, before=before, due_at=settled)

    def dropped(self) -> Self:
        """Return the search as closed; checks that it has not read yet are not searched."""
        return replace(self, due_at=None)


class _Document(msgspec.Struct, frozen=True):
    number: str = ""


class _Person(msgspec.Struct, frozen=True):
    name: str | None = None
    birth_date: str | None = None
    nik: str | None = None


class _Glance(msgspec.Struct, frozen=True):
    """The part of a stored question that is enough to exclude most travellers."""

    mrz: str | None = None
    document: _Document = _Document()
    person: _Person = _Person()


_glance = msgspec.json.Decoder(_Glance).decode


class Sieve:
    """A cheap filter of stored questions: excludes those that cannot be about an entry's subject.

    It never excludes a question whose traveller the entry would stop, by a number or by name and birth date. A few
    others pass too.

    Args:
        candidate: the entry with its subject, prepared for matching.
        policy: thresholds of name matching.
    """

    def __init__(self, candidate: Candidate, policy: MatchPolicy) -> None:
        subject = candidate.entry.subject
        listed = [typed_numbers.read(document.number) for document in subject.documents]
        self._person = candidate.person
        self._policy = policy
        self._skeletons = {each for typed in listed for number in typed.numbers for each in number.skeletons}
        self._nik = documents.normalise(subject.nik) if subject.nik else None

    def may_match(self, question: bytes | str, day: date) -> bool:
        """Return whether a question's traveller may be the subject, so that the caller must compare the two in full.

        Args:
            question: the stored question, as JSON.
            day: the legal day of the question's check, which decides the century of two-digit years.
        """
        parsed = _glance(question)
        if self._by_number(parsed):
            return True
        person = parsed.person
        birth = Birth(date=person.birth_date) if person.birth_date else None
        zone = _read(parsed.mrz, day, birth) if parsed.mrz else None
        # The text of a zone need not contain a long number in one piece.
        if zone is not None and any(map(self._is_listed, (zone.document_number, *zone.other_numbers))):
            return True
        return self._by_name(person.name, birth, zone)

    def _by_number(self, parsed: _Glance) -> bool:
        if self._nik and parsed.person.nik == self._nik:
            return True
        if not self._skeletons:
            return False
        if not parsed.document.number.isascii():  # a word in another script may hide a number beside it
            return True
        shown = (
            documents.skeleton(documents.normalise(text))
            for text in (parsed.document.number, parsed.mrz)
            if text
        )
        return any(skeleton in text for text in shown for skeleton in self._skeletons)

    def _is_listed(self, number: str) -> bool:
        return documents.skeleton(number) in self._skeletons

    def _by_name(self, name: str | None, birth: Birth | None, zone: Mrz | None) -> bool:
        births = (birth,) if birth else ()
        if not all(map(self._may_be_born, (births, zone.births if zone else ()))):
            return False
        traveller = QueriedPerson.of([name] if name else [], births, mrz=zone)
        return assess(traveller, self._person, self._policy).tier == "stop"

    def _may_be_born(self, births: tuple[Birth, ...]) -> bool:
        """Return whether the subject may be born on one of some days. Returns true without any day."""
        near = [best_birth(self._person.births, (birth,)).nearness in STOPPING for birth in births]
        return any(near) or not near


def _read(text: str, day: date, birth: Birth | None) -> Mrz | None:
    try:
        return mrz.parse(text, day).beside(birth)
    except MrzUnreadable:
        return None


def compared_data(subject: Subject) -> tuple[object, ...]:
    """Return the data of a subject that checks compare. If two subjects have equal data, checks treat them equally."""
    papers = frozenset(
        (
            frozenset((each.number, each.skeletons) for each in typed_numbers.read(paper.number).numbers),
            states.canonical(paper.issuing_state) if paper.issuing_state else None,
        )
        for paper in subject.documents
    )
    named = (subject.full_name, frozenset(subject.aliases), subject.births, subject.sex)
    return *named, subject.nationalities, subject.nik, papers


def entry_ids_of_measure(entry: Entry) -> tuple[str, ...]:
    """Return the ids of the entries of one measure: the urgent entry that `entry` formalises, if any, then `entry`."""
    return (entry.formalises, entry.id) if entry.formalises else (entry.id,)


def crossing_notice(entry: Entry, record: Any, match: Match | None) -> NoticeContent:
    """Return the notice to an entry's owner that the subject was checked at the border before the entry was known.

    The notice's key is made of the check and the measure, so that a second notice about both is not stored.

    Args:
        entry: the entry, which the past check did not match.
        record: the row of the past check.
        match: the match that the check would find now; None if the check's question was erased, so that only the hash
            of the document number was compared.
    """
    return NoticeContent(
        name=NoticeName.CROSSED_BEFORE,
        key=f"crossed_before:{entry_ids_of_measure(entry)[0]}:{record.id}",
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
    """Yield the document numbers of the entry's subject that are certain, sorted. Their hashes find past checks.

    The NIK is not among them.
    """
    papers = entry.subject.documents
    yield from sorted({number for paper in papers for number in typed_numbers.certain(paper.number)})
