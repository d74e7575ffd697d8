"""The content of an entry and its state at an instant (no I/O); decisions and other acts are in `domain`."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, Self

import msgspec

from app.kit.clock import day_ends, rfc3339
from app.register.entries.breadth import Breadth
from app.register.entries.law import periods
from app.register.entries.subjects import Citizenship, Subject
from app.register.entries.values import (
    Basis,
    EndedReason,
    EntryWarning,
    Former,
    Letter,
    Measure,
    RejectionProposal,
    Ruling,
    State,
    Substitute,
)
from app.register.entries.waiting import Pause, Waiting

_A_SECOND: Final = timedelta(seconds=1)


class EntryContent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The content of one entry at one version.

    Attributes:
        in_force_from: first instant at which it can be in force: the beginning of its period. For an urgent entry, the
            filing, or the countersignature if the entry stops nobody before it. None while the instant is not known.
        in_force_until: first instant at which its period is over; for an urgent entry without a countersignature, the
            instant at which it lapses. None for a lifetime, and for a request without a decision.
        unknown: names of the members of `subject` that the owner declared as not known.
        submitted_by: id of the client that filed it.
        authors: persons who wrote any version; they must not decide on it or on changes of it.
        verified_by: person who verified the current version.
        approved_by: persons who approved it.
        countersigner: person who countersigned it; `countersigned_by` is the id of that person's client.
        formalises, urgent_version: id of the urgent entry that this formal one follows, and its version when this one
            was filed; None for other entries.
        rejection_proposed: a duty officer's proposal to reject it, which another person must confirm.
        gap_acknowledged: whether the owner accepts days without a measure between urgent and formal entry (R26).
        superseded_from: when the approved formal entry that follows this urgent one begins; None before its approval.
        extended_by: the decision that extended it, or None; `basis` remains the decision that made the entry.
        waiting: papers that arrived in time and are not decided on yet (R68); None without such papers.
        pause: the time from its former end to the approval of an extension that arrived in time and was approved later;
            in it nobody was refused (R68). None without one; there is at most one.
        alerted: whether checkpoints were alerted to it; then the same ones are alerted to every later change.
        alert_message: the owner's message to the checkpoints.
        province: the province of `office` when the entry was filed; the supervision team of that province sees the
            entry if it is against a foreigner.
        passports_since: when a passport was added after others were withdrawn, or to a person without any (R42); None
            if that never happened.
        receipt: the receipt of a resubmission, or of a formal request that cites the urgent entry's letter; None for
            others.
        sealed_for: persons who may see it in addition to its authors (R61); None for an entry without a seal.
        barred: users of the register who may be its subject, now or in an earlier version; they never see it.
        chase: codes of the checkpoints that are reminded first if they do not acknowledge its alert.
        rulings: judgments about it; an acquittal closes its case.
        former: person, case and decision numbers of earlier versions, where this version differs.
        from_list: whether it was imported from a published list; then it belongs to no case.
        repeatable: whether its owner revoked only this entry, so that the same decision may be filed again.
        erased_at: when retention erased the person from it; None before.
        breadth: the number of travellers that it would have stopped when it was filed or last corrected; None where
            they were not counted (imports, entries of former releases).
        crossing: where an urgent entry's person was last seen: `departed`, `in_country` or `unknown`; else None.
        sequence: number of its last ledger record; attached when read, never stored.
        met: when recorded duties were done, by the deadline's name; attached when read, never stored.

    Its JSON omits members with default values, which saves a third; readers use the same defaults.
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
    warnings: tuple[EntryWarning, ...] = ()
    breadth: Breadth | None = None
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
        """The persons that may see it despite a seal: its authors and `sealed_for`, without `barred`."""
        return frozenset({*self.authors, *(self.sealed_for or ())}.difference(self.barred))

    @property
    def acted(self) -> frozenset[str]:
        """The persons that wrote any version, verified, approved or countersigned it, or proposed to reject it."""
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
        """The number of approvals that it needs to come into force.

        Two for life (R11), a loss of citizenship (R4) and a reopened case (R67); else one.
        """
        grave = self.lifetime or self.subject.citizenship_loss is not None or self.basis.reopens is not None
        return 2 if grave else 1

    @property
    def last_instant(self) -> str | None:
        """23:59:59 WIB of the last day, converted to UTC, as RFC 3339 text (R28); None for a lifetime."""
        return None if self.ends_on is None else rfc3339(day_ends(self.ends_on) - _A_SECOND)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers of the owner's decisions: of the decision that made the entry, then of its extension, if any."""
        return tuple(each.number for each in (self.basis, self.extended_by) if each is not None)

    @property
    def filed_content(self) -> Former:
        """Person, case, and numbers of the owner's decisions: the content by which a repeated filing is recognised."""
        return Former(
            subject=self.subject.identity, case_reference=self.basis.case_reference, numbers=self.numbers
        )

    @property
    def runs(self) -> bool:
        """Whether its state is provisional or active: in force, or approved and in force from a later day on.

        A stored state does not change by itself when the period ends. If the period may be over, call `at` first.
        """
        return self.state in {State.PROVISIONAL, State.ACTIVE}

    @property
    def awaits_decision(self) -> bool:
        """Whether it is a request without a decision: submitted, verified, or returned."""
        return self.state in {State.SUBMITTED, State.RETURNED, State.VERIFIED}

    @property
    def decided_on(self) -> date:
        """The date of the owner's last decision: of the extension if any, else of the entry."""
        return (self.extended_by or self.basis).issued_on

    @property
    def over_at(self) -> datetime | None:
        """The first instant at which it is no longer in force: by its dates, or because its formal entry begins.

        None if neither is known: for a measure for life, and for a request without a decision.
        """
        ends = [end for end in (self.in_force_until, self.superseded_from) if end is not None]
        return min(ends, default=None)

    @property
    def pending_until(self) -> datetime | None:
        """The instant until which checks still refer the person to a supervisor, after the period is over (R68).

        They do so while an extension or formal entry that arrived in time is not decided on. None if the entry waits
        for no such papers, or does not run.
        """
        over, runs = self.over_at, self.state in {State.PROVISIONAL, State.ACTIVE}
        return over + timedelta(days=self.waiting.days) if self.waiting and over and runs else None

    @property
    def rests_since(self) -> datetime | None:
        """The instant from which retention counts: when the entry ended, or when a request was returned; else None.

        A returned request that is submitted again has no such instant until it ends.
        """
        return (self.returned_at or self.updated_at) if self.state is State.RETURNED else self.ended_at

    def in_force(self, now: datetime) -> bool:
        """Return whether the measure is in force at `now`; computed, never a stored flag (R29). False in its `pause`.

        A measure that had begun when this version was recorded counts as begun, even if `now` is earlier because the
        reader's clock is behind the writer's. Whether it is over depends on `now` alone.
        """
        over = self.over_at
        return self._begun(max(now, self.updated_at)) and (over is None or now < over)

    def held(self, at: datetime) -> bool:
        """Return whether the measure was in force at the past instant `at`, according to this version.

        False for an instant in the `pause`, and if this version's state is neither provisional nor active.
        """
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
        """Return the entry as of `now`: with the state `ended` if its period is over by then, else unchanged.

        The stored state may still be the one from before the end, because no job has to run at the end. An entry that
        waits for papers keeps its state until `pending_until`; after that it counts as ended at the end of its period,
        because waiting prolongs no measure (R68).
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
        """Return a copy of the entry with some members changed, given by name; no rule and no type is checked.

        The version number changes only if it is given.
        """
        return msgspec.structs.replace(self, **changes)


DEFAULTS: Final[Mapping[str, Any]] = {
    field.name: field.default
    for field in msgspec.structs.fields(EntryContent)
    if field.default is not msgspec.NODEFAULT
}
"""The values of members that an entry's JSON omits."""
