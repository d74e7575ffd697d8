"""What an entry says, and what it is at an instant; pure. What may happen to it is in `domain`."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

import msgspec

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
    Ruling,
    State,
    Substitute,
)
from app.entries.waiting import Pause, Waiting


class EntryContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one entry says at one version, and what follows from that at an instant.

    Attributes:
        in_force_from: first instant it can hold; None until decided.
        in_force_until: first instant it no longer holds, by the dates; None for a lifetime.
        authors: persons who wrote any version; they decide neither on it nor on what changes it.
        verified_by: person who verified the current version.
        approved_by: persons who approved it.
        countersigner: person who countersigned it; `countersigned_by` is their client.
        urgent_version: the version of the urgent entry that this formal one was made from.
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
        barred: persons of the register who may be its subject, now or in an earlier version: they never see it.
        chase: checkpoints that are the first to be chased for an acknowledgement.
        rulings: judgments about it; an acquittal among them closes its case.
        former: what earlier versions said where this one says something else.
        from_list: a published list names the person; it belongs to no case.
        repeatable: its owner revoked this entry alone, so the same decision may be filed again.
        erased_at: when retention erased the person from it; None while it names them.
        met: when recorded duties were done, by the deadline's name; attached when read, never stored.

    Its JSON leaves out what is not said (a third of it); whatever reads it knows the same defaults.
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
    barred: tuple[str, ...] = ()
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
        """The persons that a seal lets through: the authors and the persons it names, but not the subject."""
        return frozenset({*self.authors, *(self.sealed_for or ())}.difference(self.barred))

    @property
    def acted(self) -> frozenset[str]:
        """The persons who wrote this version or have decided on it."""
        proposed = self.rejection_proposed
        decided = (
            self.verified_by,
            *self.approved_by,
            self.countersigner,
            proposed.person if proposed else None,
        )
        return frozenset({*self.authors, *(person for person in decided if person is not None)})

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
        """Whether the measure holds now: computed, never a flag (R29).

        What began with this version's record has begun for everybody who can read the record, be the reader's clock
        behind the writer's; only the end is for the reader's clock to say.
        """
        over = self.over_at
        return self._begun(max(now, self.updated_at)) and (over is None or now < over)

    def held(self, at: datetime) -> bool:
        """Whether the measure held at an instant of the past, by what this version says."""
        over = self.over_at
        return self._begun(at) and (over is None or at < over)

    def _begun(self, at: datetime) -> bool:
        return (
            self.runs
            and self.in_force_from is not None
            and self.in_force_from <= at
            and not (self.pause is not None and self.pause.covers(at))
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


UNSAID: Final[Mapping[str, Any]] = {
    field.name: field.default
    for field in msgspec.structs.fields(EntryContent)
    if field.default is not msgspec.NODEFAULT
}
"""What the members say that an entry's JSON leaves out."""
