"""What an entry is, and what may happen to it; pure.

An entry is one measure against one person, from one decision of one agency. It is a frozen value: each act
returns the next version, or raises the error that says why not.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from app.db.unit import Actor
from app.entries import periods
from app.entries.content import EntryContent
from app.entries.values import (
    Basis,
    EndedReason,
    Former,
    Letter,
    Measure,
    Notice,
    RejectionProposal,
    Reopening,
    Ruling,
    RulingKind,
    State,
    Substitute,
    Verdict,
)
from app.entries.verdicts import DECIDERS, ROLES
from app.errors import SecondPairOfEyesNeeded, StaleVersion, WrongAgency, WrongRole, WrongState

__all__ = [
    "Basis",
    "EndedReason",
    "Entry",
    "Former",
    "Letter",
    "Measure",
    "Notice",
    "RejectionProposal",
    "Reopening",
    "Ruling",
    "RulingKind",
    "State",
    "Substitute",
    "Verdict",
]


class Entry(EntryContent, frozen=True, kw_only=True):
    """One entry at one version; each act returns the next one."""

    def expect(self, version: int) -> None:
        """Make sure that the caller has read this version.

        Raises:
            StaleVersion: another version is current.
        """
        if version != self.version:
            raise StaleVersion("The entry has changed since it was read.", extra={"version": self.version})

    def expect_owner(self, by: Actor) -> None:
        """Make sure that the actor belongs to the owning agency, not only to those who see all entries.

        Raises:
            WrongAgency: they belong to another.
        """
        if by.agency != self.agency:
            raise WrongAgency("Only the agency that owns the entry does this (UU 6/2011 art. 91(3)).")

    def decide(
        self,
        by: Actor,
        verdict: Verdict,
        expected: int,
        at: datetime,
        immigration: str,
        urgent: "Entry | None" = None,
        reason: str | None = None,
    ) -> Self:
        """What another pair of eyes decides (R31, R32).

        Args:
            by: who decides.
            verdict: what they say.
            expected: the version that they have read.
            at: when.
            immigration: code of the agency whose own entries another office approves.
            urgent: the urgent entry that this one formalises: who made and countersigned it don't approve this.
            reason: why; kept with a rejection that waits for its confirmation.

        Raises:
            WrongRole: the verdict is not for the actor's roles.
            StaleVersion: the entry has changed meanwhile.
            WrongState: the verdict does not fit the entry's state.
            WrongAgency: the act is for a verifier of the entry's own agency.
            SecondPairOfEyesNeeded: the actor has acted on this version before.
        """
        now = self.at(at)
        roles = now._deciders(verdict)  # noqa: SLF001 - the same entry as it is now
        if not by.holds(*ROLES[verdict]):
            raise WrongRole(f"The verdict {verdict} is for: {', '.join(sorted(ROLES[verdict]))}.")
        now.expect(expected)
        if not roles or not by.holds(*roles):
            raise WrongState(f"An entry that is {now.state} can't be decided on like this.")
        now._written_by_others(by, urgent)  # noqa: SLF001 - the same entry as it is now
        if now.countersigned_at is not None and verdict in {Verdict.REJECT, Verdict.KEEP}:
            return now._take_back(verdict, by, at, reason or "")  # noqa: SLF001 - the same entry as it is now
        return now._follow(verdict, by, at, immigration, urgent)  # noqa: SLF001 - the same entry as it is now

    def _deciders(self, verdict: Verdict) -> frozenset[str]:
        """Whose the verdict is in this state: what was proposed, an approver confirms or refuses (R32)."""
        if self.rejection_proposed is not None and verdict in {Verdict.REJECT, Verdict.KEEP}:
            return frozenset({"approver"})
        return DECIDERS.get((verdict, self.state, self.urgent), frozenset())

    def _written_by_others(self, by: Actor, urgent: "Entry | None") -> None:
        wrote = (*self.authors, *(urgent.authors if urgent is not None else ()))
        self._different(by, wrote, "A person who wrote any version of the entry can't decide on it.")

    def _follow(
        self, verdict: Verdict, by: Actor, at: datetime, immigration: str, urgent: "Entry | None"
    ) -> Self:
        match verdict:
            case Verdict.VERIFY:
                return self._verify(by, at)
            case Verdict.RETURN:
                return self._return(by, at)
            case Verdict.APPROVE:
                return self._approve(by, at, immigration, urgent)
            case Verdict.REJECT:
                return self._reject(by, at)
            case Verdict.COUNTERSIGN:
                return self.countersigned(by, at)
            case Verdict.KEEP:
                raise WrongState("Nobody has proposed to reject this entry.")

    def _verify(self, by: Actor, at: datetime) -> Self:
        self.expect_owner(by)
        return self._next(at, state=State.VERIFIED, verified_by=by.person)

    def _return(self, by: Actor, at: datetime) -> Self:
        if self.state is State.SUBMITTED:
            self.expect_owner(by)
        else:
            self._different(by, (self.verified_by,), "A third person returns a verified entry.")
        return self._next(at, state=State.RETURNED, returned_at=at)

    def _approve(self, by: Actor, at: datetime, immigration: str, urgent: "Entry | None") -> Self:
        self._different(
            by,
            (self.verified_by, *self.approved_by, *((urgent.countersigner,) if urgent is not None else ())),
            "A person who verified or approved the entry, or countersigned its urgent one, can't approve it.",
        )
        if self.agency == immigration and by.office == self.office:
            raise SecondPairOfEyesNeeded("Immigration's own entries are approved by another office.")
        over = None if self.ends_on is None else periods.over_at(self.ends_on)
        if over is not None and over <= at:
            raise WrongState("The period asked for is over; the entry can only be returned or rejected.")
        approved_by = (*self.approved_by, by.person)
        if len(approved_by) < self.approvals_needed:
            return self._next(at, approved_by=approved_by)
        return self._next(
            at,
            state=State.ACTIVE,
            approved_by=approved_by,
            second_approval_at=at if self.approved_by else None,
            in_force_from=periods.begins_at(self.starts_on),
            in_force_until=over,
        )

    def _reject(self, by: Actor, at: datetime) -> Self:
        self._different(by, (self.verified_by,), "A person who verified the request can't reject it.")
        return self.rejected(at)

    def rejected(self, at: datetime) -> Self:
        """The request, or the urgent entry, that is refused for good."""
        return self._next(
            at, state=State.REJECTED, in_force_until=None, ended_at=at, rejection_proposed=None, waiting=None
        )

    def _take_back(self, verdict: Verdict, by: Actor, at: datetime, reason: str) -> Self:
        """What refuses by two persons' word is taken back by two: one proposes, the other confirms or keeps it."""
        proposed = self.rejection_proposed
        if proposed is None:
            return self._next(at, rejection_proposed=RejectionProposal(by.client_id, by.person, at, reason))
        self._different(
            by,
            (proposed.person, self.countersigner),
            "A person who proposed the rejection, or countersigned the entry, can't decide on the proposal.",
        )
        return self._next(at, rejection_proposed=None) if verdict is Verdict.KEEP else self.rejected(at)

    def countersigned(self, by: Actor, at: datetime) -> Self:
        """The urgent entry that from now on may refuse, until its last day (R32).

        Raises:
            WrongState: it is countersigned already.
            SecondPairOfEyesNeeded: the actor wrote a version of it.
        """
        self._different(by, self.authors, "A person who wrote the urgent entry can't countersign it.")
        if self.countersigned_at is not None:
            raise WrongState("The entry is countersigned already.")
        assert self.ends_on is not None  # an urgent entry always has its twenty days
        return self._next(
            at,
            state=State.PROVISIONAL,
            countersigned_by=by.client_id,
            countersigner=by.person,
            countersigned_at=at,
            in_force_from=self.in_force_from or at,
            in_force_until=periods.over_at(self.ends_on),
        )

    def ended(self, reason: EndedReason, at: datetime, effective: datetime) -> Self:
        """The entry after its end.

        Args:
            reason: why.
            at: when this is recorded.
            effective: when the end took effect.
        """
        return self._next(
            at,
            state=State.ENDED,
            ended_reason=reason,
            ended_at=effective,
            rejection_proposed=None,
            waiting=None,
        )

    def ruled(self, ruling: Ruling, at: datetime) -> Self:
        """The entry, be it over already, about which a court has judged."""
        return self._next(at, rulings=(*self.rulings, ruling))

    def remembering(self, before: "Entry") -> Self:
        """The next version, which keeps in mind what the version before it said and it does not say any more."""
        kept, said, now = before.former, before.said, self.said
        unsaid = (said.subject, said.case_reference) != (now.subject, now.case_reference)
        if (unsaid or not set(said.numbers) <= set(now.numbers)) and said not in kept:
            kept = (*kept, said)
        return self.replace(former=kept)

    def superseded_later(self, begins: datetime | None, at: datetime) -> Self:
        """The urgent entry that ends when its formal one begins; None: it no longer does, and runs on."""
        changes = {} if begins is None else {"rejection_proposed": None}
        return self._next(at, superseded_from=begins, waiting=None, **changes)

    def _next(self, at: datetime, **changes: Any) -> Self:
        return self.replace(version=self.version + 1, updated_at=at, **changes)

    @staticmethod
    def _different(by: Actor, earlier: Iterable[str | None], detail: str) -> None:
        if by.person is None or by.person in set(earlier):
            raise SecondPairOfEyesNeeded(detail)
