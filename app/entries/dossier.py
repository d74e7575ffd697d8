"""The case, not the row: every entry and request of one owner, one case and one person, judged as a whole; pure.

What bars a new request looks wide: it counts everybody who may be the same person, and what entries said
before they were corrected. What ends a measure looks narrow: it reaches only entries that certainly name the
same person, because the others would go free by mistake; those become a task for the owner (contract section
3, "A case is one thing").
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Self

from app.entries import periods
from app.entries.deadlines import Terms
from app.entries.domain import EndedReason, Entry, Measure, Notice, Ruling, RulingKind, State
from app.entries.events import SealedEntryMet
from app.entries.law import exhausted
from app.entries.pending import undecided
from app.entries.proposal import Proposal, letters_of
from app.entries.references import folded
from app.entries.sameness import certainly_same, in_same_case, may_be_same
from app.errors import CaseClosed, DuplicateEntry, ExtensionExhausted, UrgentNotRepeatable, WrongState
from app.kit.clock import legal_day

_COUNTED = frozenset({State.ACTIVE, State.SUBMITTED, State.VERIFIED})
"""States of requests whose period counts when another is asked for (R22)."""


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

    def exempt(self, entry: Entry, *, urgent: bool) -> frozenset[str]:
        """Ids of the entries that do not bar a measure, although they are of its case and time.

        An urgent entry and its formal ones are steps of one measure. Two formal ones are not, even where both follow
        the same urgent entry.

        Args:
            entry: the entry that the measure changes or follows.
            urgent: whether the measure is an urgent one.
        """
        return frozenset(e.id for e in self.chain(entry) if urgent or e.urgent) | {entry.id}

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
                    afterwards=self._met(other),
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
                afterwards=self._met(other),
            )
        for other, ruling in self._rulings(asked, RulingKind.ANNULMENT):
            if asked.decided_on < ruling.decided_on:
                raise WrongState(
                    f"A court annulled this measure on {ruling.decided_on}; only a decision made since then can "
                    "impose it anew.",
                    extra=self._named(other),
                    afterwards=self._met(other),
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

    def extension_left(self, entry: Entry, terms: Terms) -> bool:
        """Whether an extension of an entry is left: neither it nor its case has had all its periods (R22, R24)."""
        if entry.extension_count >= terms.extensions(entry.measure):
            return False
        but = self.exempt(entry, urgent=entry.urgent)
        longer = replace(Proposal.of_entry(entry, but), extension_count=entry.extension_count + 1)
        in_case = [
            e for e in self.entries if e.id not in longer.of and longer.in_case_of(e) and longer.may_name(e)
        ]
        try:
            self._expect_period(longer, in_case, terms, frozenset({State.ACTIVE}))
        except ExtensionExhausted:
            return False
        return True

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
        if other.urgent and undecided(other, self.now):
            return True  # its twenty days are over, and papers in time are waited for (R68)
        if not other.urgent or other.ended_reason is not EndedReason.LAPSED or other.ends_on is None:
            return False
        return not _lapsed_unsigned(other) or other.ends_on < legal_day(self.now)

    def _papers_of_lapsed(self, other: Entry) -> bool:
        """Whether an entry is an undecided formal request behind an urgent one that lapsed unsigned."""
        return other.pending and any(e.id == other.formalises and _lapsed_unsigned(e) for e in self.entries)

    def _refuse_repeat(self, asked: Proposal, other: Entry) -> None:
        if other.state is State.REJECTED or other.repeatable:
            return
        if asked.urgent and (_lapsed_unsigned(other) or self._papers_of_lapsed(other)):
            return  # the request that is repeated, and its papers, which are undecided
        if asked.letters() & letters_of((other.said, *other.former)):
            raise DuplicateEntry(
                "This letter names this person already.",
                extra=self._named(other),
                afterwards=self._met(other),
            )
        if (
            other.measure is asked.measure
            and other.state is not State.ENDED
            and asked.in_case_of(other)
            and periods.overlap(asked.starts_on, asked.ends_on, other.starts_on, other.ends_on)
        ):
            raise DuplicateEntry(
                "This case has an entry against this person for this time already (R15).",
                extra=self._named(other),
                afterwards=self._met(other),
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

    def _met(self, other: Entry) -> tuple[SealedEntryMet, ...]:
        return () if self.sees(other) else (SealedEntryMet(other),)

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


def _lapsed_unsigned(entry: Entry) -> bool:
    """Whether an urgent request lapsed because nobody at Immigration countersigned it: not its owner's omission."""
    return entry.urgent and entry.ended_reason is EndedReason.LAPSED and entry.countersigned_at is None


def _has_run(entry: Entry) -> bool:
    begun, ended = entry.in_force_from, entry.ended_at
    over = entry.state is State.ENDED and entry.ended_reason is not EndedReason.ANNULLED and not entry.urgent
    return over and begun is not None and ended is not None and begun < ended
