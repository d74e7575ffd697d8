"""A proposed measure, judged against the entries of its dossier (no I/O)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Self

from app.kit.clock import legal_day
from app.register.entries.domain import Entry, Former, Measure, Reopening, State
from app.register.entries.law import periods
from app.register.entries.references import case_of, folded
from app.register.entries.requested import RequestedMeasure, RequestedUrgentMeasure


@dataclass(frozen=True, slots=True)
class Proposal:
    """A measure as it would be if an act, such as filing or extension, succeeded; `Dossier.refuse` judges it.

    Attributes:
        contents: its person, case and decision numbers, then those of its earlier versions.
        decided_on: the date of the owner's decision.
        ends_on: last day; None for a measure for life.
        exempt: ids of entries that do not bar it: the entry that it changes, and those linked with it by formalisation.
        extension_count: number of its extensions.
        periods_count: whether it needs a new period, so that the case must have one left (R22, R24).
    """

    measure: Measure
    contents: tuple[Former, ...]
    decided_on: date
    starts_on: date
    ends_on: date | None
    lifetime: bool
    urgent: bool
    reopens: Reopening | None
    exempt: frozenset[str] = frozenset()
    extension_count: int = 0
    periods_count: bool = True

    @classmethod
    def of_requested(cls, requested: RequestedMeasure, now: datetime, exempt: Collection[str] = ()) -> Self:
        """Return the proposal of a requested measure, as of `now`.

        `exempt` has the ids of entries that do not bar it.
        """
        urgent = isinstance(requested, RequestedUrgentMeasure)
        starts_on = requested.starts_on or legal_day(now)
        content = Former(
            subject=requested.subject,
            case_reference=requested.basis.case_reference,
            numbers=(requested.basis.number,),
        )
        return cls(
            measure=requested.measure,
            contents=(content,),
            decided_on=requested.basis.issued_on,
            starts_on=starts_on,
            ends_on=periods.urgent_end(starts_on) if urgent else requested.ends_on,
            lifetime=requested.lifetime,
            urgent=urgent,
            reopens=requested.basis.reopens,
            exempt=frozenset(exempt),
        )

    @classmethod
    def of_entry(cls, entry: Entry, exempt: Collection[str] = (), *, periods_count: bool = True) -> Self:
        """Return the proposal of an entry as it would be after an act; the entry itself does not bar it.

        Args:
            entry: the entry after the act.
            exempt: ids of further entries that do not bar it.
            periods_count: whether it needs a new period, so that its case must have one left (R22, R24).
        """
        return cls(
            measure=entry.measure,
            contents=(entry.filed_content, *entry.former),
            decided_on=entry.basis.issued_on,
            starts_on=entry.starts_on,
            ends_on=entry.ends_on,
            lifetime=entry.lifetime,
            urgent=entry.urgent,
            reopens=entry.basis.reopens,
            exempt=frozenset({entry.id, *exempt}),
            extension_count=entry.extension_count,
            periods_count=periods_count,
        )

    def at_the_time_of(self, entry: Entry, together: Collection[str]) -> Self:
        """Return a copy of the proposal with the period, urgency and number of extensions of `entry`.

        A correction of one entry is applied to other entries too. For each of them such a copy is judged, over its own
        period. `together` contains the ids of the entries that change in the same act; they do not bar the copy.
        """
        return replace(
            self,
            starts_on=entry.starts_on,
            ends_on=entry.ends_on,
            lifetime=entry.lifetime,
            urgent=entry.urgent,
            extension_count=entry.extension_count,
            exempt=self.exempt | frozenset(together),
        )

    def may_name(self, entry: Entry) -> bool:
        """Return whether an entry may be against this proposal's person, by the present or earlier data of both."""
        return any(
            mine.subject.same_person(theirs.subject)
            for mine in self.contents
            for theirs in (entry.filed_content, *entry.former)
        )

    def in_case_of(self, entry: Entry) -> bool:
        """Return whether an entry belongs to the same case as this proposal; earlier case references count too.

        False for an entry from a published list, which belongs to no case.
        """
        theirs = (entry.filed_content, *entry.former)
        return not entry.from_list and bool(cases_of(self.contents) & cases_of(theirs))

    def repetition_of(self, other: Entry, *, over: bool = False) -> str | None:
        """Return the reason, in English, why this measure repeats another entry (R14, R15); None if it does not.

        It repeats the other entry if both have a letter with the same number. It also does if the other entry has not
        ended, both have the same measure and case, and their periods overlap. A rejected entry may be repeated. So may
        an entry that its owner revoked alone, without the rest of the measure (`repeatable`).

        Args:
            other: an entry of the same owner against the same person.
            over: whether this measure's period is over, as in an import; then only the letter counts.
        """
        if other.state is State.REJECTED or other.repeatable:
            return None
        if self.letters() & letters_of((other.filed_content, *other.former)):
            return "This letter names this person already."
        if (
            not over
            and other.state is not State.ENDED
            and other.measure is self.measure
            and self.in_case_of(other)
            and periods.overlap(self.starts_on, self.ends_on, other.starts_on, other.ends_on)
        ):
            return "This case has an entry against this person for this time already (R15)."
        return None

    def letters(self) -> frozenset[str]:
        """Return the numbers of the owner's letters in its contents, folded for comparison."""
        return letters_of(self.contents)


def cases_of(contents: Iterable[Former]) -> frozenset[str]:
    """Return the cases that these contents name, folded for comparison; references without a digit name none."""
    return frozenset(filter(None, (case_of(each.case_reference) for each in contents)))


def letters_of(contents: Iterable[Former]) -> frozenset[str]:
    """Return the letter numbers in these contents, folded for comparison."""
    return frozenset(folded(number) for each in contents for number in each.numbers)
