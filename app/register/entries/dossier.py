"""The dossier: all entries and requests of one owner, one case and one person, judged as a whole (no I/O).

A new request is barred broadly: by every entry that may be against the same person, and by the content of entries
before they were corrected. A measure is ended narrowly: only in entries that certainly name the same person,
because otherwise another person would go free by mistake. Uncertain entries become a task for the owner
(API section 3, "A case is one thing").
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Self

from app.errors import CaseClosed, DuplicateEntry, ExtensionExhausted, UrgentNotRepeatable, WrongState
from app.kit.clock import legal_day
from app.register.entries.domain import EndedReason, Entry, EntryWarning, Measure, Ruling, RulingKind, State
from app.register.entries.ending import Ending
from app.register.entries.events import SealedEntryMet
from app.register.entries.law.deadlines import Terms
from app.register.entries.law.period import exhausted
from app.register.entries.pending import undecided
from app.register.entries.proposal import Proposal
from app.register.entries.references import folded
from app.register.entries.sameness import certainly_same, in_same_case, may_be_same

_COUNTED = frozenset({State.ACTIVE, State.SUBMITTED, State.VERIFIED})
"""States of requests with a period that counts against the case's limit of periods (R22)."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """The entries of an owner that may belong to one case or one person; they are judged as a whole.

    Attributes:
        entries: the entries that share a case, a letter or an identifier of the person, or are linked by
            formalisation; each with its state at `now`.
        now: the instant at which the dossier was read.
        sees: returns whether the acting officer may see an entry; a seal may prevent it (R61).
        over: ids of the entries that the law has ended by `now`, and whose end is not recorded yet.
    """

    entries: tuple[Entry, ...]
    now: datetime
    sees: Callable[[Entry], bool]
    over: frozenset[str]

    @classmethod
    def of(
        cls,
        owner: str,
        found: Iterable[Entry],
        now: datetime,
        sees: Callable[[Entry], bool] = lambda _entry: True,
    ) -> Self:
        """Return the dossier of an owner from the entries found; erased entries are left out.

        Args:
            owner: code of the agency; entries of other agencies are ignored.
            found: entries that may belong to the case or the person.
            now: the instant.
            sees: returns whether the acting officer may see an entry; by default every entry.
        """
        own = [e for e in found if e.agency == owner and e.erased_at is None]
        over = frozenset(e.id for e in own if e.at(now).state is not e.state)
        return cls(tuple(e.at(now) for e in own), now, sees, over)

    def chain(self, entry: Entry) -> tuple[Entry, ...]:
        """Return the entry and all entries of the dossier that are linked with it by formalisation, in no order."""
        linked = {entry.id, *filter(None, (entry.formalises,))}
        while True:
            more = {e.id for e in self.entries if e.formalises in linked} | {
                e.formalises for e in self.entries if e.id in linked and e.formalises is not None
            }
            if more <= linked:
                return tuple(e for e in self.entries if e.id in linked)
            linked |= more

    def exempt(self, entry: Entry, *, urgent: bool) -> frozenset[str]:
        """Return the ids of the entries that do not bar a new or changed measure as a repetition.

        `entry` itself is always among them. Of the entries that formalisation links with it, all are for an urgent
        measure, and only the urgent ones for a formal measure. So a second formal entry after one urgent entry is a
        repetition.

        Args:
            entry: the entry that the measure changes or follows.
            urgent: whether the measure is an urgent one.
        """
        return frozenset(e.id for e in self.chain(entry) if urgent or e.urgent) | {entry.id}

    # Rules that bar a request.

    def refuse(self, proposal: Proposal, terms: Terms) -> list[EntryWarning]:
        """Raise an error if the dossier bars a proposed measure (R14, R15, R22, R24, R35, R37).

        Args:
            proposal: the measure as it would be.
            terms: contains the maximum number of extensions.

        Returns:
            A warning for each entry that shares an identifier with the proposed subject and is not taken for the same
            person, and a warning if a court annulled an earlier measure of the case. Entries that a seal hides from the
            officer cause no warning.

        Raises:
            CaseClosed: an acquittal closed the case.
            WrongState: a court annulled the measure, and the decision is older than the judgment.
            UrgentNotRepeatable: the measure is urgent, and the case has an urgent entry that can't be repeated: a
                lapsed one that was countersigned or whose last day is over, or one that is over and waits for papers.
            DuplicateEntry: the owner has already filed this letter, or this case for this time, against this person.
            ExtensionExhausted: the case has used all its periods.
        """
        self.refuse_closed(proposal)
        same = [e for e in self.entries if e.id not in proposal.exempt and proposal.may_name(e)]
        in_case = [e for e in same if proposal.in_case_of(e)]
        for other in in_case:
            if proposal.urgent and self._lapsed_for_good(other):
                raise UrgentNotRepeatable(
                    "The same urgent request lapsed; it can't be made again (Permenkumham 38/2021 art. 11).",
                    extra=self._named(other),
                    afterwards=self._met(other),
                )
        for other in same:
            self._refuse_repeat(proposal, other)
        if proposal.periods_count:
            self._expect_period(proposal, in_case, terms, _COUNTED)
        return [*self._similar(proposal), *self._annulled_before(proposal)]

    def refuse_closed(self, proposal: Proposal) -> None:
        """Raise an error if a judgment bars a proposed measure.

        Raises:
            CaseClosed: an acquittal closed the case, and no later judgment reopens it.
            WrongState: a court annulled the measure, and the decision is older than the judgment.
        """
        for other, ruling in self._rulings(proposal, RulingKind.ACQUITTAL):
            if self._reopened(proposal, ruling):
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
        for other, ruling in self._rulings(proposal, RulingKind.ANNULMENT):
            if proposal.decided_on < ruling.decided_on:
                raise WrongState(
                    f"A court annulled this measure on {ruling.decided_on}; only a decision made since then can "
                    "impose it anew.",
                    extra=self._named(other),
                    afterwards=self._met(other),
                )

    def refuse_decided(self, proposal: Proposal, terms: Terms) -> None:
        """Judge a request again at its approval; raise an error if a judgment or the case's used periods bar it by now.

        At its filing `refuse` applied all rules. Since then a court may have decided, or another request of the case
        may have been approved. Repetitions are not judged again.

        Args:
            proposal: the measure that is being approved.
            terms: contains the maximum number of extensions.

        Raises:
            CaseClosed: an acquittal closed the case, and no later judgment reopens it.
            WrongState: a court annulled the measure, and the decision is older than the judgment.
            ExtensionExhausted: entries that are approved have used all periods of the case.
        """
        self.refuse_closed(proposal)
        same = [
            e
            for e in self.entries
            if e.id not in proposal.exempt and proposal.may_name(e) and proposal.in_case_of(e)
        ]
        self._expect_period(proposal, same, terms, frozenset({State.ACTIVE}))

    def extension_left(self, entry: Entry, terms: Terms) -> bool:
        """Return whether an entry can be extended: neither the entry nor its case has used all its periods (R22)."""
        if entry.extension_count >= terms.extensions(entry.measure):
            return False
        exempt = self.exempt(entry, urgent=entry.urgent)
        longer = replace(Proposal.of_entry(entry, exempt), extension_count=entry.extension_count + 1)
        in_case = [
            e
            for e in self.entries
            if e.id not in longer.exempt and longer.in_case_of(e) and longer.may_name(e)
        ]
        try:
            self._expect_period(longer, in_case, terms, frozenset({State.ACTIVE}))
        except ExtensionExhausted:
            return False
        return True

    def urgent_last_day(self, proposal: Proposal) -> date:
        """Return the last day of a proposed urgent measure: its twentieth, or that of the request it repeats (R35).

        An urgent request that lapsed without a countersignature may be made again. The repetition then ends on the last
        day of the lapsed request. A lapsed request whose last day is over does not count here; `refuse` bars its
        repetition.
        """
        assert proposal.ends_on is not None, "an urgent request always has its twenty days"
        repeated = [
            e.ends_on
            for e in self.entries
            if e.ends_on is not None
            and _lapsed_unsigned(e)
            and proposal.in_case_of(e)
            and proposal.may_name(e)
            and e.ends_on >= legal_day(self.now)
        ]
        return min((*repeated, proposal.ends_on))

    def _lapsed_for_good(self, other: Entry) -> bool:
        """Return whether `other` is an urgent entry that bars its own repetition.

        It does while its papers that arrived in time are undecided (R68), and if it lapsed: countersigned, or with its
        last day over.
        """
        if other.urgent and undecided(other, self.now):
            return True  # its twenty days are over, and papers that arrived in time are undecided (R68)
        if not other.urgent or other.ended_reason is not EndedReason.LAPSED or other.ends_on is None:
            return False
        return not _lapsed_unsigned(other) or other.ends_on < legal_day(self.now)

    def _papers_of_lapsed(self, other: Entry) -> bool:
        """Return whether an entry is an undecided formal request for an urgent one that lapsed uncountersigned."""
        return other.awaits_decision and any(
            e.id == other.formalises and _lapsed_unsigned(e) for e in self.entries
        )

    def _refuse_repeat(self, proposal: Proposal, other: Entry) -> None:
        if proposal.urgent and (_lapsed_unsigned(other) or self._papers_of_lapsed(other)):
            return  # the request that is repeated, and its undecided papers
        repetition = proposal.repetition_of(other)
        if repetition is not None:
            raise DuplicateEntry(repetition, extra=self._named(other), afterwards=self._met(other))

    def _expect_period(
        self, proposal: Proposal, in_case: Iterable[Entry], terms: Terms, counted: Collection[State]
    ) -> None:
        """Raise `ExtensionExhausted` if a case exceeds one period and its extensions against a person (R22, R24).

        An extension and a new entry after the old one are the same for the person: each is one more period. Urgent
        days do not count (R26), nor do measures that were annulled or ended before they began. A measure for life
        has no periods.
        """
        if proposal.lifetime:
            return
        had = sum(
            1 + other.extension_count
            for other in in_case
            if other.measure is proposal.measure
            and not other.urgent
            and (_has_run(other) or other.state in counted)
        )
        if had and had + proposal.extension_count > terms.extensions(proposal.measure):
            raise exhausted(proposal.measure)

    def _similar(self, proposal: Proposal) -> list[EntryWarning]:
        mine = proposal.contents[0].subject.identifiers()
        return [
            EntryWarning(
                "similar_subject", "/subject", f"Similar to the subject of {e.id}; make sure who is meant."
            )
            for e in self.entries
            if e.id not in proposal.exempt
            and not proposal.may_name(e)
            and mine & e.subject.identifiers()
            and self.sees(e)
        ]

    def _annulled_before(self, proposal: Proposal) -> list[EntryWarning]:
        return [
            EntryWarning(
                "annulled_before",
                "/basis/issued_on",
                f"A court annulled an earlier measure of this case on {ruling.decided_on}.",
            )
            for other, ruling in self._rulings(proposal, RulingKind.ANNULMENT)
            if self.sees(other)
        ][:1]

    def _rulings(self, proposal: Proposal, kind: RulingKind) -> list[tuple[Entry, Ruling]]:
        """Return the judgments of a kind about the person in the case.

        An acquittal concerns exit bans only (art. 97(3)).
        """
        if kind is RulingKind.ACQUITTAL and proposal.measure is not Measure.PREVENTION:
            return []
        return [
            (other, ruling)
            for other in self.entries
            for ruling in other.rulings
            if ruling.kind is kind
            and other.measure is proposal.measure
            and proposal.in_case_of(other)
            and proposal.may_name(other)
        ]

    def _reopened(self, proposal: Proposal, ruling: Ruling) -> bool:
        """Return whether a later judgment allows this request; each judgment allows only one."""
        later = proposal.reopens
        if later is None or later.decided_on <= ruling.decided_on:
            return False
        return not any(
            other.basis.reopens is not None
            and folded(other.basis.reopens.number) == folded(later.number)
            and folded(other.basis.reopens.court) == folded(later.court)
            for other in self.entries
            if other.id not in proposal.exempt
            and other.state is not State.REJECTED
            and proposal.may_name(other)
        )

    def _named(self, other: Entry) -> dict[str, str]:
        return {"entry_id": other.id} if self.sees(other) else {}

    def _met(self, other: Entry) -> tuple[SealedEntryMet, ...]:
        return () if self.sees(other) else (SealedEntryMet(other),)

    # Entries that an act ends.

    def ending(self, named: Entry, *, whole: bool, judged: bool = False) -> Ending:
        """Return the entries that end by an act, such as a revocation or a judgment, that names one of them.

        Args:
            named: the entry that the act names, which may have ended already.
            whole: whether the act ends every entry with the same measure, case and person, or the named entry alone.
            judged: whether the act is a judgment. A judgment is recorded on entries that have ended already, too, and
                an entry with the other measure against the same person becomes a task.
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
                elif may_be_same(named.subject, entry.subject) and (entry.runs or entry.awaits_decision):
                    related.append(entry)
        return Ending(
            ended=tuple(e for e in certain if e.runs),
            closed=tuple(e for e in certain if e.awaits_decision),
            judged=tuple(e for e in certain if judged and not (e.runs or e.awaits_decision)),
            related=tuple(related),
            case_version=self.case_version(named),
        )

    def case_version(self, named: Entry) -> int:
        """Return a number that grows with each change of the entries of a case, also when the law ends one of them.

        It is the sum of the entries' versions, plus the number of ends that are not recorded yet. Counted are all
        entries that are or were in a case in which `named` is or was, and those linked with it by formalisation. None
        of them ceases to count, unless its person is erased.
        """
        counted = {e.id: e.version for e in self.chain(named)}
        if not named.from_list:
            proposal = Proposal.of_entry(named)
            counted |= {e.id: e.version for e in self.entries if proposal.in_case_of(e)}
        return sum(counted.values()) + len(self.over & counted.keys())

    def siblings(self, named: Entry) -> tuple[Entry, ...]:
        """Return the other running entries with the case, person and measure of `named`, in no order.

        Entries that are linked with it by formalisation are included.
        """
        found = self.ending(named, whole=True).ended
        return tuple(entry for entry in found if entry.id != named.id)


def _lapsed_unsigned(entry: Entry) -> bool:
    """Return whether an urgent request lapsed because Immigration did not countersign it."""
    return entry.urgent and entry.ended_reason is EndedReason.LAPSED and entry.countersigned_at is None


def _has_run(entry: Entry) -> bool:
    begun, ended = entry.in_force_from, entry.ended_at
    over = entry.state is State.ENDED and entry.ended_reason is not EndedReason.ANNULLED and not entry.urgent
    return over and begun is not None and ended is not None and begun < ended
