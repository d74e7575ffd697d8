"""What an entry is, and what may happen to it; pure.

An entry is one measure against one person, from one decision of one agency. It is a frozen value: each act
returns the next version, or raises the error that says why not.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, Self

import msgspec

from app.db.unit import Actor
from app.entries import periods
from app.entries.subjects import Citizenship, Subject
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
from app.entries.waiting import Pause, Waiting
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


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry at one version.

    Attributes:
        in_force_from: first instant it can hold; None until decided.
        in_force_until: first instant it no longer holds, by the dates; None for a lifetime.
        authors: persons who wrote any version; they decide neither on it nor on what changes it.
        verified_by: person who verified the current version.
        approved_by: persons who approved it.
        countersigner: person who countersigned it; `countersigned_by` is their client.
        urgent_version: the version of the urgent entry of which this formal one was made.
        rejection_proposed: a duty officer's wish to take it back, which another person has to confirm.
        gap_acknowledged: the owner knows that the formal entry leaves days uncovered after the urgent one (R26).
        superseded_from: when the formal entry that follows this urgent one begins.
        extended_by: the extension's own decision; `basis` stays the one that made the entry.
        waiting: papers that arrived in time and are not decided on yet (R68); None where there are none.
        pause: when nobody was refused, because an extension was approved after the end; at most once (R68).
        alerted: whether a `raise` alert went out, so that every later change is told to the same checkpoints.
        alert_message: the owner's words to the checkpoints.
        province: where its office lay when it was made; a supervision team sees its province's foreigners.
        passports_since: when a passport was found after others were withdrawn, or after the measure began (R42).
        receipt: when a request was received that was resubmitted, or formalises by the urgent one's letter.
        sealed_for: persons who may see it beside its authors (R61); None for an entry without a seal.
        chase: checkpoints that are the first to be chased for an acknowledgement.
        rulings: judgments about it; an acquittal among them closes its case.
        former: what earlier versions said where this one says something else.
        from_list: a published list names the person; it belongs to no case.
        repeatable: its owner revoked this entry alone, so the same decision may be filed again.
        erased_at: when retention erased the person from it; None while it names them.
        met: when recorded duties were done, by the deadline's name; attached when read, never stored.
    """

    id: str
    version: int
    state: State
    measure: Measure
    urgent: bool = False
    formalises: str | None = None
    urgent_version: int | None = None
    agency: str
    office: str | None = None
    province: str | None = None
    citizenship: Citizenship
    subject: Subject
    basis: Basis
    letter: Letter | None = None
    substitute: Substitute | None = None
    unknown: tuple[str, ...] = ()
    starts_on: date
    ends_on: date | None
    lifetime: bool = False
    in_force_from: datetime | None = None
    in_force_until: datetime | None = None
    submitted_by: str
    authors: tuple[str, ...]
    verified_by: str | None = None
    approved_by: tuple[str, ...] = ()
    countersigned_by: str | None = None
    countersigner: str | None = None
    countersigned_at: datetime | None = None
    rejection_proposed: RejectionProposal | None = None
    second_approval_at: datetime | None = None
    requested_at: datetime | None = None
    received_at: datetime
    receipt: periods.Receipt | None = None
    returned_at: datetime | None = None
    ended_reason: EndedReason | None = None
    ended_at: datetime | None = None
    gap_acknowledged: bool = False
    superseded_from: datetime | None = None
    extension_count: int = 0
    extended_by: Basis | None = None
    waiting: Waiting | None = None
    pause: Pause | None = None
    passports_since: datetime | None = None
    crossing: str | None = None
    alerted: bool = False
    alert_message: str | None = None
    chase: tuple[str, ...] = ()
    sealed_for: tuple[str, ...] | None = None
    warnings: tuple[Notice, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    former: tuple[Former, ...] = ()
    from_list: bool = False
    repeatable: bool = False
    created_at: datetime
    updated_at: datetime
    erased_at: datetime | None = None
    sequence: int | None = None
    met: dict[str, datetime] = {}

    @property
    def opened_to(self) -> frozenset[str]:
        """The persons whom a seal lets through: who wrote the entry, and whom it names."""
        return frozenset({*self.authors, *(self.sealed_for or ())})

    @property
    def approvals_needed(self) -> int:
        """How many approvers must agree: two for life (R11), a loss of citizenship (R4) and a reopened case (R67)."""
        grave = self.lifetime or self.subject.citizenship_loss is not None or self.basis.reopens is not None
        return 2 if grave else 1

    @property
    def last_instant(self) -> str | None:
        """The last second of the last day with its offset (R28); None for a lifetime."""
        return None if self.ends_on is None else f"{self.ends_on.isoformat()}T23:59:59+07:00"

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers of the owner's decisions: the one that made the entry, and that of its extension."""
        return tuple(each.number for each in (self.basis, self.extended_by) if each is not None)

    @property
    def said(self) -> Former:
        """What this version says that may not be asked for twice: the person, the case, the owner's decisions."""
        return Former(
            subject=self.subject.identity, case_reference=self.basis.case_reference, numbers=self.numbers
        )

    @property
    def runs(self) -> bool:
        """Whether it holds, or will on its day."""
        return self.state in {State.PROVISIONAL, State.ACTIVE}

    @property
    def pending(self) -> bool:
        """Whether it is a request that is not decided yet."""
        return self.state in {State.SUBMITTED, State.RETURNED, State.VERIFIED}

    @property
    def decided_on(self) -> date:
        """The date of the owner's last decision about the measure: its own, or that of its extension."""
        return (self.extended_by or self.basis).issued_on

    @property
    def over_at(self) -> datetime | None:
        """First instant at which it no longer holds: by its dates, or because its formal entry begins."""
        ends = [end for end in (self.in_force_until, self.superseded_from) if end is not None]
        return min(ends, default=None)

    @property
    def pending_until(self) -> datetime | None:
        """Until when checks refer after the end, while papers in time are undecided (R68); None without such papers."""
        over, runs = self.over_at, self.state in {State.PROVISIONAL, State.ACTIVE}
        return over + timedelta(days=self.waiting.days) if self.waiting and over and runs else None

    @property
    def rests_since(self) -> datetime | None:
        """Since when nothing happens to it any more: its end, or the return that nobody has answered."""
        return (self.returned_at or self.updated_at) if self.state is State.RETURNED else self.ended_at

    def in_force(self, now: datetime) -> bool:
        """Whether the measure holds at an instant: computed, never a flag (R29)."""
        over = self.over_at
        return (
            self.state in {State.PROVISIONAL, State.ACTIVE}
            and self.in_force_from is not None
            and self.in_force_from <= now
            and (over is None or now < over)
            and not (self.pause is not None and self.pause.covers(now))
        )

    def at(self, now: datetime) -> Self:
        """The entry as it stands at an instant, with the end that the law has brought by itself meanwhile.

        While papers in time are undecided its state stays; once they are given up, it has ended when its period did:
        waiting prolongs no measure (R68).
        """
        over = self.over_at
        undecided = self.state is State.SUBMITTED and self.urgent
        if over is None or now < (self.pending_until or over):
            return self
        if self.state not in {State.PROVISIONAL, State.ACTIVE} and not undecided:
            return self
        by_dates = EndedReason.LAPSED if self.urgent else EndedReason.EXPIRED
        reason = EndedReason.SUPERSEDED if over == self.superseded_from else by_dates
        return self.replace(
            state=State.ENDED, ended_reason=reason, ended_at=over, rejection_proposed=None, waiting=None
        )

    def replace(self, **changes: Any) -> Self:
        """The same entry with some members changed."""
        return msgspec.structs.replace(self, **changes)

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
