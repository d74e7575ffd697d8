"""A measure as it would be; a dossier says what bars it; pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Self

from app.entries import periods
from app.entries.domain import Entry, Former, Measure, Reopening
from app.entries.references import case_of, folded
from app.entries.wanted import UrgentWanted, Wanted
from app.kit.clock import legal_day


@dataclass(frozen=True, slots=True)
class Proposal:
    """A measure as it would be; a dossier says what bars it.

    Attributes:
        said: what it says, and what its earlier versions said.
        decided_on: the date of the owner's decision.
        ends_on: None for a measure for life.
        of: entries that do not bar it: the one that it changes, and those linked with that by formalisation.
        extension_count: how often the measure would be extended.
        periods_count: whether a period is asked for, so that the case must have one left (R22, R24).
    """

    measure: Measure
    said: tuple[Former, ...]
    decided_on: date
    starts_on: date
    ends_on: date | None
    lifetime: bool
    urgent: bool
    reopens: Reopening | None
    of: frozenset[str] = frozenset()
    extension_count: int = 0
    periods_count: bool = True

    @classmethod
    def of_wanted(cls, wanted: Wanted, now: datetime, but: Collection[str] = ()) -> Self:
        """A measure that is asked for."""
        urgent = isinstance(wanted, UrgentWanted)
        starts_on = wanted.starts_on or legal_day(now)
        said = Former(
            subject=wanted.subject,
            case_reference=wanted.basis.case_reference,
            numbers=(wanted.basis.number,),
        )
        return cls(
            measure=wanted.measure,
            said=(said,),
            decided_on=wanted.basis.issued_on,
            starts_on=starts_on,
            ends_on=periods.urgent_end(starts_on) if urgent else wanted.ends_on,
            lifetime=wanted.lifetime,
            urgent=urgent,
            reopens=wanted.basis.reopens,
            of=frozenset(but),
        )

    @classmethod
    def of_entry(cls, entry: Entry, but: Collection[str] = (), *, periods_count: bool = True) -> Self:
        """An entry as it would be after an act."""
        return cls(
            measure=entry.measure,
            said=(entry.said, *entry.former),
            decided_on=entry.basis.issued_on,
            starts_on=entry.starts_on,
            ends_on=entry.ends_on,
            lifetime=entry.lifetime,
            urgent=entry.urgent,
            reopens=entry.basis.reopens,
            of=frozenset({entry.id, *but}),
            extension_count=entry.extension_count,
            periods_count=periods_count,
        )

    def at_the_time_of(self, entry: Entry, together: Collection[str]) -> Self:
        """The same for the period of another entry, which changes together with others."""
        return replace(
            self,
            starts_on=entry.starts_on,
            ends_on=entry.ends_on,
            lifetime=entry.lifetime,
            urgent=entry.urgent,
            extension_count=entry.extension_count,
            of=self.of | frozenset(together),
        )

    def may_name(self, entry: Entry) -> bool:
        """Whether an entry is against the same person, as far as anything that was ever said goes."""
        return any(
            mine.subject.same_person(theirs.subject)
            for mine in self.said
            for theirs in (entry.said, *entry.former)
        )

    def in_case_of(self, entry: Entry) -> bool:
        """Whether an entry belongs to the same case, by what both say or said."""
        return not entry.from_list and bool(cases_of(self.said) & cases_of((entry.said, *entry.former)))

    def letters(self) -> frozenset[str]:
        """The owner's letters that it rests on."""
        return letters_of(self.said)


def cases_of(said: Iterable[Former]) -> frozenset[str]:
    """The cases that some statements name, in the form in which they are compared."""
    return frozenset(filter(None, (case_of(each.case_reference) for each in said)))


def letters_of(said: Iterable[Former]) -> frozenset[str]:
    """The numbers of the letters that some statements rest on, in the form in which they are compared."""
    return frozenset(folded(number) for each in said for number in each.numbers)
