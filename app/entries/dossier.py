"""The case, not the row: every entry and request of one owner, one case and one person, judged as a whole; pure.

What bars a new request looks wide: it counts whoever may be the same person, and what entries said before they were
corrected. What ends a measure looks narrow: it reaches only entries that certainly name the same person, because the
others would go free by mistake; those become a task for the owner (contract section 3, "A case is one thing").
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

from app.entries import periods
from app.entries.deadlines import Terms
from app.entries.domain import (
    EndedReason,
    Entry,
    Former,
    Measure,
    Notice,
    Reopening,
    Ruling,
    RulingKind,
    State,
)
from app.entries.law import exhausted
from app.entries.references import case_of, folded
from app.entries.subjects import Subject
from app.entries.wanted import UrgentWanted, Wanted
from app.errors import CaseClosed, DuplicateEntry, UrgentNotRepeatable, WrongState
from app.identity import documents, names, states
from app.identity.births import compatible
from app.kit.clock import legal_day

_COUNTED = frozenset({State.ACTIVE, State.SUBMITTED, State.VERIFIED})
"""States of requests whose period counts when another is asked for (R22)."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A measure as it would be, of which a dossier says what bars it.

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

    def may_name(self, entry: Entry) -> bool:
        """Whether an entry is against the same person, as far as anything that was ever said goes."""
        return any(
            mine.subject.same_person(theirs.subject)
            for mine in self.said
            for theirs in (entry.said, *entry.former)
        )

    def in_case_of(self, entry: Entry) -> bool:
        """Whether an entry belongs to the same case, by what both say or said."""
        return not entry.from_list and bool(_cases(self.said) & _cases((entry.said, *entry.former)))

    def letters(self) -> frozenset[str]:
        """The owner's letters that it rests on."""
        return _letters(self.said)


@dataclass(frozen=True, slots=True)
class Ending:
    """Which entries an act ends.

    Attributes:
        ended: running entries, which end.
        closed: requests not decided yet, which are rejected.
        judged: entries that are over already, but linked: a judgment is recorded on them too.
        related: entries that may be against the same person or case but are not certainly: a task for their owner.
    """

    ended: tuple[Entry, ...] = ()
    closed: tuple[Entry, ...] = ()
    judged: tuple[Entry, ...] = ()
    related: tuple[Entry, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """What stops by the act, by id."""
        return tuple(sorted(entry.id for entry in (*self.ended, *self.closed)))


@dataclass(frozen=True, slots=True)
class Dossier:
    """The entries of an owner that may belong to one case or one person, as they are at an instant.

    Attributes:
        entries: every one that shares a case, a letter, a person's identifier or a link; the owner's only.
        now: the instant.
        sees: whether the acting officer may learn of an entry; a seal may keep them out (R61).
    """

    entries: tuple[Entry, ...]
    now: datetime
    sees: Callable[[Entry], bool]

    @classmethod
    def of(
        cls,
        owner: str,
        found: Iterable[Entry],
        now: datetime,
        sees: Callable[[Entry], bool] = lambda _entry: True,
    ) -> Self:
        """The dossier of what was found; erased entries, which name nobody, belong to none."""
        entries = tuple(e.at(now) for e in found if e.agency == owner and e.erased_at is None)
        return cls(entries, now, sees)

    def chain(self, entry: Entry) -> tuple[Entry, ...]:
        """The entry and all that are linked with it by formalisation, by id."""
        linked = {entry.id, *filter(None, (entry.formalises,))}
        while True:
            more = {e.id for e in self.entries if e.formalises in linked} | {
                e.formalises for e in self.entries if e.id in linked and e.formalises is not None
            }
            if more <= linked:
                return tuple(e for e in self.entries if e.id in linked)
            linked |= more

    # What bars a request.

    def refuse(self, asked: Proposal, terms: Terms) -> list[Notice]:
        """Make sure that nothing in the dossier bars what is asked (R14, R15, R22, R24, R35, R37).

        Returns:
            A warning for each entry of somebody who may be the same person, and for a measure that a court annulled.

        Raises:
            CaseClosed: an acquittal closed the case.
            WrongState: a court annulled the measure, and the decision is older than the judgment.
            UrgentNotRepeatable: the same urgent request lapsed on its last day.
            DuplicateEntry: the owner has this letter, or this case at this time, against this person already.
            ExtensionExhausted: the case has had its periods.
        """
        self.refuse_closed(asked)
        same = [e for e in self.entries if e.id not in asked.of and asked.may_name(e)]
        in_case = [e for e in same if asked.in_case_of(e)]
        for other in in_case:
            if asked.urgent and self._lapsed_for_good(other):
                raise UrgentNotRepeatable(
                    "The same urgent request lapsed; it can't be made again (Permenkumham 38/2021 art. 11).",
                    extra=self._named(other),
                )
        for other in same:
            self._refuse_repeat(asked, other)
        if asked.periods_count:
            self._expect_period(asked, in_case, terms, _COUNTED)
        return [*self._similar(asked), *self._annulled_before(asked)]

    def refuse_closed(self, asked: Proposal) -> None:
        """Make sure that no judgment bars what is asked: neither its case is closed, nor its decision annulled.

        Raises:
            CaseClosed: an acquittal closed the case, and no later judgment opens it again.
            WrongState: a court annulled the measure, and the decision is older than the judgment.
        """
        for other, ruling in self._rulings(asked, RulingKind.ACQUITTAL):
            if self._reopened(asked, ruling):
                continue
            judgment = {
                "number": ruling.number,
                "court": ruling.court,
                "final_on": None if ruling.final_on is None else ruling.final_on.isoformat(),
            }
            named = self._named(other)
            raise CaseClosed(
                "A final judgment acquitted this person and closed the case (UU 6/2011 art. 97(3)); only a later "
                "judgment opens it again (`basis.reopens`).",
                extra={**named, "judgment": judgment} if named else {},
            )
        for other, ruling in self._rulings(asked, RulingKind.ANNULMENT):
            if asked.decided_on < ruling.decided_on:
                raise WrongState(
                    f"A court annulled this measure on {ruling.decided_on}; only a decision made since then can "
                    "impose it anew.",
                    extra=self._named(other),
                )

    def refuse_decided(self, asked: Proposal, terms: Terms) -> None:
        """Look once more at approval, when another may have been approved since: the first one holds.

        Raises:
            CaseClosed, WrongState: as `refuse_closed`.
            ExtensionExhausted: the case has had its periods meanwhile.
        """
        self.refuse_closed(asked)
        same = [e for e in self.entries if e.id not in asked.of and asked.may_name(e) and asked.in_case_of(e)]
        self._expect_period(asked, same, terms, frozenset({State.ACTIVE}))

    def urgent_last_day(self, asked: Proposal) -> date:
        """The last day of an urgent request: its twentieth, or that of the request that it repeats (R35).

        A request that nobody at Immigration countersigned may be made again, but gains no day by that.
        """
        assert asked.ends_on is not None, "an urgent request always has its twenty days"
        repeated = [
            e.ends_on
            for e in self.entries
            if e.ends_on is not None
            and _lapsed_unsigned(e)
            and asked.in_case_of(e)
            and asked.may_name(e)
            and e.ends_on >= legal_day(self.now)
        ]
        return min((*repeated, asked.ends_on))

    def _lapsed_for_good(self, other: Entry) -> bool:
        """Whether an urgent request is over for ever: on day 20, or unsigned and past the day that it had."""
        if not other.urgent or other.ended_reason is not EndedReason.LAPSED or other.ends_on is None:
            return False
        return not _lapsed_unsigned(other) or other.ends_on < legal_day(self.now)

    def _refuse_repeat(self, asked: Proposal, other: Entry) -> None:
        if other.state is State.REJECTED or other.repeatable:
            return
        if asked.urgent and (
            _lapsed_unsigned(other) or (other.formalises is not None and other.pending)
        ):  # what is repeated, and the papers of this very request, still undecided
            return
        if asked.letters() & _letters((other.said, *other.former)):
            raise DuplicateEntry("This letter names this person already.", extra=self._named(other))
        if (
            other.measure is asked.measure
            and other.state is not State.ENDED
            and asked.in_case_of(other)
            and periods.overlap(asked.starts_on, asked.ends_on, other.starts_on, other.ends_on)
        ):
            raise DuplicateEntry(
                "This case has an entry against this person for this time already (R15).",
                extra=self._named(other),
            )

    def _expect_period(
        self, asked: Proposal, in_case: Iterable[Entry], terms: Terms, counted: Collection[State]
    ) -> None:
        """One period and its extension are all that a case gives its owner against a person (R22, R24).

        An extension and a new entry behind the old one are the same to the person: each is a period more. Urgent
        days are none (R26); nor is what was annulled, or ended before it began. A measure for life has no periods.
        """
        if asked.lifetime:
            return
        had = sum(
            1 + other.extension_count
            for other in in_case
            if other.measure is asked.measure
            and not other.urgent
            and (_has_run(other) or other.state in counted)
        )
        if had and had + asked.extension_count > terms.extensions(asked.measure):
            raise exhausted(asked.measure)

    def _similar(self, asked: Proposal) -> list[Notice]:
        said = asked.said[0].subject
        mine = said.identifiers()
        return [
            Notice(
                "similar_subject", "/subject", f"Similar to the subject of {e.id}; make sure who is meant."
            )
            for e in self.entries
            if e.id not in asked.of
            and not asked.may_name(e)
            and mine & e.subject.identifiers()
            and self.sees(e)
        ]

    def _annulled_before(self, asked: Proposal) -> list[Notice]:
        return [
            Notice(
                "annulled_before",
                "/basis/issued_on",
                f"A court annulled an earlier measure of this case on {ruling.decided_on}.",
            )
            for other, ruling in self._rulings(asked, RulingKind.ANNULMENT)
            if self.sees(other)
        ][:1]

    def _rulings(self, asked: Proposal, kind: RulingKind) -> list[tuple[Entry, Ruling]]:
        """The judgments of a kind about the person in the case; an acquittal concerns exit bans only (art. 97(3))."""
        if kind is RulingKind.ACQUITTAL and asked.measure is not Measure.PREVENTION:
            return []
        return [
            (other, ruling)
            for other in self.entries
            for ruling in other.rulings
            if ruling.kind is kind
            and other.measure is asked.measure
            and asked.in_case_of(other)
            and asked.may_name(other)
        ]

    def _reopened(self, asked: Proposal, ruling: Ruling) -> bool:
        """Whether a later judgment admits this request; each admits one."""
        later = asked.reopens
        if later is None or later.decided_on <= ruling.decided_on:
            return False
        return not any(
            other.basis.reopens is not None
            and folded(other.basis.reopens.number) == folded(later.number)
            and folded(other.basis.reopens.court) == folded(later.court)
            for other in self.entries
            if other.id not in asked.of and other.state is not State.REJECTED and asked.may_name(other)
        )

    def _named(self, other: Entry) -> dict[str, str]:
        return {"entry_id": other.id} if self.sees(other) else {}

    # What an act ends.

    def ending(self, named: Entry, *, whole: bool, judged: bool = False) -> Ending:
        """Which entries an act that names one of them ends.

        Args:
            named: the entry that the act names, be it over already.
            whole: everything of the dossier with the same measure; otherwise this entry only.
            judged: a judgment ends it, so that it is recorded on entries that are over, and another measure
                against the same person becomes a task.
        """
        chain = {entry.id for entry in self.chain(named)}
        certain, related = [], []
        for entry in self.entries:
            if entry.id == named.id:
                certain.append(entry)
            elif not whole:
                continue
            elif entry.id in chain and entry.measure is named.measure:
                certain.append(entry)
            elif in_same_case(named, entry) and (judged or entry.measure is named.measure):
                if certainly_same(named.subject, entry.subject) and entry.measure is named.measure:
                    certain.append(entry)
                elif may_be_same(named.subject, entry.subject) and (entry.runs or entry.pending):
                    related.append(entry)
        return Ending(
            ended=tuple(e for e in certain if e.runs),
            closed=tuple(e for e in certain if e.pending),
            judged=tuple(e for e in certain if judged and not (e.runs or e.pending)),
            related=tuple(related),
        )

    def siblings(self, named: Entry) -> tuple[Entry, ...]:
        """The running entries of the same case, person and measure beside this one, linked ones included."""
        found = self.ending(named, whole=True).ended
        return tuple(entry for entry in found if entry.id != named.id)


def in_same_case(one: Entry, other: Entry) -> bool:
    """Whether two entries of one owner say the same case now."""
    mine = None if one.from_list or other.from_list else case_of(one.basis.case_reference)
    return one.agency == other.agency and mine is not None and mine == case_of(other.basis.case_reference)


def certainly_same(one: Subject, other: Subject) -> bool:
    """Whether two subjects are one person for certain, so that an act that ends one measure ends the other.

    An equal document (number and state) or NIK without contradiction of name or birth, or an equal folded name and
    an equal full birth date.
    """
    births = one.births, other.births
    contradicted = all(births) and not any(compatible(a, b) for a in one.births for b in other.births)
    if (_papers(one) & _papers(other)) and not contradicted and not _names_contradict(one, other):
        return True
    days = _days(one) & _days(other)
    return bool(days) and bool(_names(one) & _names(other))


def may_be_same(one: Subject, other: Subject) -> bool:
    """Whether two subjects may be one person: the same, or alike in a name, a document or a NIK."""
    return one.same_person(other) or bool(one.identifiers() & other.identifiers())


def _names(subject: Subject) -> frozenset[str]:
    spellings = (subject.full_name, *(alias.name for alias in subject.aliases if alias.quality == "good"))
    return frozenset(map(names.fold, spellings)) - {""}


def _names_contradict(one: Subject, other: Subject) -> bool:
    """No name of one shares a word with any name of the other."""
    mine = {word for name in _names(one) for word in name.split()}
    theirs = {word for name in _names(other) for word in name.split()}
    return bool(mine and theirs) and not mine & theirs


def _papers(subject: Subject) -> frozenset[tuple[str, str]]:
    found = {
        (states.canonical(each.issuing_state), documents.normalise(each.number))
        for each in subject.documents
        if each.issuing_state is not None and documents.normalise(each.number).strip("0")
    }
    if subject.nik:
        found.add(("NIK", documents.normalise(subject.nik)))
    return frozenset(found)


def _days(subject: Subject) -> frozenset[str]:
    """The births that are known to the day."""
    return frozenset(
        each.date for each in subject.births if each.date is not None and len(each.date) == _FULL_DAY
    )


_FULL_DAY = len("YYYY-MM-DD")


def _cases(said: Iterable[Former]) -> frozenset[str]:
    return frozenset(filter(None, (case_of(each.case_reference) for each in said)))


def _letters(said: Iterable[Former]) -> frozenset[str]:
    return frozenset(folded(number) for each in said for number in each.numbers)


def _lapsed_unsigned(entry: Entry) -> bool:
    """Whether an urgent request lapsed because nobody at Immigration countersigned it: not its owner's omission."""
    return entry.urgent and entry.ended_reason is EndedReason.LAPSED and entry.countersigned_at is None


def _has_run(entry: Entry) -> bool:
    begun, ended = entry.in_force_from, entry.ended_at
    over = entry.state is State.ENDED and entry.ended_reason is not EndedReason.ANNULLED and not entry.urgent
    return over and begun is not None and ended is not None and begun < ended
