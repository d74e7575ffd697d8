"""Entries and the acts on them (no I/O).

An entry is one measure against one person, from one decision of one agency. It is an immutable value: each act
returns the next version, or raises an error that explains why it is not allowed.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from app.access.domain import Role
from app.actor import Actor, is_another_person
from app.errors import SecondPairOfEyesNeeded, StaleVersion, WrongAgency, WrongRole, WrongState
from app.register.entries.content import EntryContent
from app.register.entries.law import periods
from app.register.entries.values import (
    Basis,
    EndedReason,
    EntryWarning,
    Former,
    Letter,
    Measure,
    RejectionProposal,
    Reopening,
    Ruling,
    RulingKind,
    State,
    Substitute,
    Verdict,
)
from app.register.entries.verdicts import DECIDERS, ROLES

__all__ = [
    "Basis",
    "EndedReason",
    "Entry",
    "EntryWarning",
    "Former",
    "Letter",
    "Measure",
    "RejectionProposal",
    "Reopening",
    "Ruling",
    "RulingKind",
    "State",
    "Substitute",
    "Verdict",
]


class Entry(EntryContent, frozen=True, kw_only=True):
    """An entry at one version, with the acts that may change it; each act returns the entry's next version."""

    def expect(self, version: int) -> None:
        """Raise `StaleVersion` unless the caller has read the current version.

        Raises:
            StaleVersion: another version is current.
        """
        if version != self.version:
            raise StaleVersion("The entry has changed since it was read.", extra={"version": self.version})

    def expect_owner(self, by: Actor) -> None:
        """Raise `WrongAgency` unless the actor belongs to the owning agency.

        Raises:
            WrongAgency: the actor belongs to another agency.
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
        """Return the entry's next version, after another person's decision (R31, R32).

        An approval makes the entry active if it is the last of `approvals_needed`. A duty officer who rejects a
        countersigned entry only proposes the rejection. An approver then rejects the entry or keeps it.

        Args:
            by: the person that decides.
            verdict: the decision.
            expected: the version that the person has read.
            at: the time of the decision.
            immigration: code of Immigration; its own entries are approved by another office.
            urgent: the urgent entry that this one formalises, if any; its authors and countersigner must not approve
                this one.
            reason: the reason, if any; stored with a proposal to reject.

        Raises:
            WrongRole: the verdict is not for the actor's roles.
            StaleVersion: another version is current.
            WrongState: the verdict is not possible in the entry's state, or an approval comes after the period is over.
            WrongAgency: the actor verifies, or returns an unverified entry, and belongs to another agency than the
                owner.
            SecondPairOfEyesNeeded: the actor wrote a version of the entry or of `urgent`; or has made an earlier
                decision, such as the verification, and another person must make this one; or approves an entry of
                Immigration in the office that filed it.
        """
        now = self.at(at)
        roles = now._deciders(verdict)  # noqa: SLF001 - the same entry as it is now
        if not by.holds(*ROLES[verdict]):
            raise WrongRole(f"The verdict {verdict} is for: {', '.join(sorted(ROLES[verdict]))}.")
        now.expect(expected)
        if not roles or not by.holds(*roles):
            raise WrongState(f"An entry that is {now.state} can't be decided on like this.")
        now._expect_other_author(by, urgent)  # noqa: SLF001 - the same entry as it is now
        if now.countersigned_at is not None and verdict in {Verdict.REJECT, Verdict.KEEP}:
            return now._reject_countersigned(verdict, by, at, reason or "")  # noqa: SLF001 - the same entry as it is now
        return now._apply(verdict, by, at, immigration, urgent)  # noqa: SLF001 - the same entry as it is now

    def _deciders(self, verdict: Verdict) -> frozenset[str]:
        """Return the roles that may give a verdict in this state.

        Only an approver decides on a proposed rejection (R32).
        """
        if self.rejection_proposed is not None and verdict in {Verdict.REJECT, Verdict.KEEP}:
            return frozenset({Role.APPROVER})
        return DECIDERS.get((verdict, self.state, self.urgent), frozenset())

    def _expect_other_author(self, by: Actor, urgent: "Entry | None") -> None:
        wrote = (*self.authors, *(urgent.authors if urgent is not None else ()))
        self._different(by, wrote, "A person who wrote any version of the entry can't decide on it.")

    def _apply(
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
        """Return the entry's next version, rejected at `at`; nothing is checked."""
        return self._next(
            at, state=State.REJECTED, in_force_until=None, ended_at=at, rejection_proposed=None, waiting=None
        )

    def _reject_countersigned(self, verdict: Verdict, by: Actor, at: datetime, reason: str) -> Self:
        """Reject a countersigned entry in two steps: one person proposes it, another confirms or refuses it.

        Two persons made it refuse travellers, so two persons are needed to end that.
        """
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
        """Return the urgent entry's next version, countersigned: checks may refuse from `at` to its last day (R32).

        Raises:
            WrongState: the entry is countersigned already.
            SecondPairOfEyesNeeded: the actor wrote a version of the entry.
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
        """Return the entry's next version, with the state `ended`; its present state is not checked.

        Args:
            reason: the reason of the end.
            at: when the end is recorded.
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
        """Return the entry's next version, with a court's ruling added at the time `at`; the state does not change."""
        return self._next(at, rulings=(*self.rulings, ruling))

    def remembering(self, before: "Entry") -> Self:
        """Return this version with `former` extended by the content of `before`, the version that it replaces.

        The content is `filed_content`: person, case and decision numbers. It is added only if it differs from this
        version's and is not in `former` yet. The version number stays.
        """
        kept, old, now = before.former, before.filed_content, self.filed_content
        changed = (old.subject, old.case_reference) != (now.subject, now.case_reference)
        if (changed or not set(old.numbers) <= set(now.numbers)) and old not in kept:
            kept = (*kept, old)
        return self.replace(former=kept)

    def superseded_later(self, begins: datetime | None, at: datetime) -> Self:
        """Return the urgent entry's next version, which ends when its formal entry begins, at `begins`.

        If `begins` is None, an end that was planned in this way is cancelled. `at` is the time of the change.
        """
        changes = {} if begins is None else {"rejection_proposed": None}
        return self._next(at, superseded_from=begins, waiting=None, **changes)

    def _next(self, at: datetime, **changes: Any) -> Self:
        return self.replace(version=self.version + 1, updated_at=at, **changes)

    @staticmethod
    def _different(by: Actor, earlier: Iterable[str | None], detail: str) -> None:
        if not is_another_person(by, *earlier):
            raise SecondPairOfEyesNeeded(detail)
