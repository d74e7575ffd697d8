"""Hits, their resolution by supervisors, and the notices about them (no I/O; R46, API section 5)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

import msgspec

from app.access.domain import Role
from app.actor import Actor
from app.alerting.notices.domain import (
    APPROVERS,
    DUTY_OFFICERS,
    ESCALATED,
    NoticeContent,
    TermName,
    owner,
    post,
)
from app.alerting.notices.names import NoticeName
from app.border.clearances.domain import Obstacle
from app.errors import Fault, Invalid, StaleVersion, WrongState
from app.register.entries.domain import Measure
from app.register.entries.erasure import ERASED


class HitState(StrEnum):
    """Whether a hit waits for a supervisor's resolution, or has one."""

    OPEN = "open"
    RESOLVED = "resolved"


class Identity(StrEnum):
    """The supervisor's finding on who the traveller is: the listed person, another person, or still unsure."""

    CONFIRMED = "confirmed"
    NOT_SAME_PERSON = "not_same_person"
    UNSURE = "unsure"


class Action(StrEnum):
    """The action taken with the traveller; the first three are also values of a check's `action`.

    `hold` keeps the traveller at the checkpoint; `hand_over` means that another authority takes charge of them.
    """

    ALLOW = "allow"
    REFUSE_EXIT = "refuse_exit"
    REFUSE_ENTRY = "refuse_entry"
    HOLD = "hold"
    HAND_OVER = "hand_over"


_REFUSALS: Final = {Action.REFUSE_EXIT: "exit", Action.REFUSE_ENTRY: "entry"}
_NEEDS: Final = {Action.REFUSE_EXIT: Measure.PREVENTION, Action.REFUSE_ENTRY: Measure.DETERRENCE}


class Matched(msgspec.Struct, frozen=True):
    """An entry that a check matched, in its version at the check.

    Attributes:
        entry_id: id of the entry.
        version: the entry's version at the check.
        agency: code of the entry's owner.
    """

    entry_id: str
    version: int
    agency: str


class Proposal(msgspec.Struct, frozen=True):
    """The result for one matched entry of a resolution `not_same_person`: a clearance, or why there is none.

    Attributes:
        entry_id: id of the entry.
        clearance_id: id of the clearance, which is new or existed already; None if there is an obstacle.
        obstacle: why no clearance was proposed; None if there is a clearance.
    """

    entry_id: str
    clearance_id: str | None
    obstacle: Obstacle | None


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor's resolution of a hit; one with the outcome `unsure` leaves the hit open.

    Attributes:
        outcome: the supervisor's finding.
        action: the action taken with the traveller; None only for the outcome `unsure`, if none was taken yet.
        note: the supervisor's reason, as text; a fixed text once erased.
        by: id of the supervisor's client.
        person: the supervisor's employee number; None if the client has no holder.
        proposals: for the outcome `not_same_person`, the clearance or the obstacle for each matched entry; else empty.
    """

    outcome: Identity
    action: Action | None
    note: str
    by: str
    person: str | None
    at: datetime
    proposals: tuple[Proposal, ...] = ()


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A hit: a check whose answer was not `clear`, until a supervisor resolves it. It has no data of the traveller.

    Attributes:
        check_id: id of the check that opened the hit; later checks of the traveller may share the hit.
        direction: `exit` or `entry`.
        outcome: the answer of the check: `refer` or `refuse`.
        resolve_by: instant until which the hit must be resolved.
        matched: the entries that stopped the traveller.
        resolutions: the supervisors' resolutions, oldest first. Only the last one can be final; the others are
            `unsure`.
        escalated_at: when supervisors and duty officers were notified that `resolve_by` has passed; None if they were
            not.
        pending_until: the instant until which checks refer because of a matched entry whose period is over while
            papers are undecided (R68); None without such an entry. It is set by `with_pending` and not stored.
    """

    id: str
    version: int
    state: HitState
    check_id: str
    checkpoint: str
    direction: str
    outcome: str
    opened_at: datetime
    resolve_by: datetime
    matched: tuple[Matched, ...]
    resolutions: tuple[Resolution, ...] = ()
    escalated_at: datetime | None = None
    pending_until: datetime | None = None

    def expect_open(self, expected: int) -> None:
        """Raise an error unless the hit is open and the caller has read its present version (`expected`).

        Raises:
            WrongState: the hit is resolved already.
            StaleVersion: the hit has changed since it was read.
        """
        if self.state is HitState.RESOLVED:
            raise WrongState("The hit is resolved already; one supervisor resolves it, once (R46).")
        if expected != self.version:
            raise StaleVersion("The hit has changed since it was read.", extra={"version": self.version})

    def expect_fitting(self, outcome: Identity, action: Action | None) -> None:
        """Raise Invalid unless the supervisor's action fits the supervisor's finding (`outcome`) and the direction.

        Raises:
            Invalid: the action is missing although the finding is not `unsure`; a refusal is for the other direction;
                or the traveller is refused although the finding is `not_same_person`.
        """
        if action is None:
            if outcome is Identity.UNSURE:
                return
            fault = Fault(
                "/action", "required", "A resolution needs the action that was taken with the traveller."
            )
        elif action in _REFUSALS and _REFUSALS[action] != self.direction:
            fault = Fault("/action", "direction", f"The traveller was checked for {self.direction}.")
        elif action in _REFUSALS and outcome is Identity.NOT_SAME_PERSON:
            detail = "Who is not the listed person is not refused on this register."
            fault = Fault("/action", "contradiction", detail)
        else:
            return
        raise Invalid("The action does not fit the hit.", faults=[fault])

    def with_pending(self, pending: Mapping[str, datetime]) -> Self:
        """Return the hit with `pending_until` set to the latest instant in `pending` of a matched entry, or to None.

        Args:
            pending: by entry id, the instant until which checks refer because of the entry's undecided papers (R68).
                Entries without such papers are missing.
        """
        until = [pending[each.entry_id] for each in self.matched if each.entry_id in pending]
        return msgspec.structs.replace(self, pending_until=max(until, default=None))

    def expect_ban(self, action: Action | None, holding: Collection[Measure]) -> None:
        """Raise WrongState if the supervisor refuses a traveller without a measure in force for the refusal.

        Args:
            action: the action taken; None is never a refusal.
            holding: the measures of those matched entries that are in force now.

        Raises:
            WrongState: a refusal of exit without a prevention in force, or a refusal of entry without a deterrence.
        """
        needed = _NEEDS.get(action) if action is not None else None
        if needed is None or needed in holding:
            return
        raise WrongState("No measure of this hit holds now; nobody is refused on one that has ended (R29).")

    @property
    def let_pass(self) -> bool:
        """Whether the hit is resolved and the traveller was allowed to pass."""
        last = self.resolutions[-1] if self.resolutions else None
        return self.state is HitState.RESOLVED and last is not None and last.action is Action.ALLOW

    def resolved(self, resolution: Resolution) -> Self:
        """Return the hit with a supervisor's resolution; it stays open if the outcome is `unsure`."""
        state = HitState.OPEN if resolution.outcome is Identity.UNSURE else HitState.RESOLVED
        return msgspec.structs.replace(
            self, version=self.version + 1, state=state, resolutions=(*self.resolutions, resolution)
        )

    def escalated(self, at: datetime) -> Self:
        """Return the hit with `escalated_at` set to the instant `at`; the version stays the same."""
        return msgspec.structs.replace(self, escalated_at=at)

    def erased(self) -> Self:
        """Return the hit with its supervisors' notes erased; outcomes, actions and times stay (R64)."""
        resolutions = tuple(msgspec.structs.replace(each, note=ERASED) for each in self.resolutions)
        return msgspec.structs.replace(self, resolutions=resolutions)

    def within(self, actor: Actor) -> bool:
        """Return whether an actor's role allows to see the hit: an auditor, or a supervisor of its checkpoint.

        The caller must also test whether a matched entry may be about the actor.
        """
        return actor.holds(Role.AUDITOR) or (
            actor.holds(Role.SUPERVISOR) and actor.checkpoint == self.checkpoint
        )


def opened_notices(hit: Hit) -> list[NoticeContent]:
    """Return the notices that a hit was opened, one for each matched entry, to the entry's owner."""
    return [
        NoticeContent(
            name=NoticeName.HIT,
            key=f"hit:{hit.id}:{matched.entry_id}",
            to=owner(matched.agency),
            effective_at=hit.opened_at,
            entry_id=matched.entry_id,
            agency=matched.agency,
            due_at=hit.resolve_by,
            detail={"hit_id": hit.id, "checkpoints": [hit.checkpoint], "outcome": hit.outcome},
        )
        for matched in hit.matched
    ]


def resolved_notices(hit: Hit) -> list[NoticeContent]:
    """Return the notices that a hit was resolved, one for each matched entry, to the entry's owner.

    If a clearance was proposed for the entry, Immigration's approvers and duty officers, who may confirm it, get the
    notice too. The hit must have a resolution.
    """
    last = hit.resolutions[-1]
    proposed = {each.entry_id: each.clearance_id for each in last.proposals}
    return [
        NoticeContent(
            name=NoticeName.HIT_RESOLVED,
            key=f"hit_resolved:{hit.id}:{matched.entry_id}",
            to=(
                *owner(matched.agency),
                *((APPROVERS, DUTY_OFFICERS) if proposed.get(matched.entry_id) else ()),
            ),
            effective_at=last.at,
            entry_id=matched.entry_id,
            agency=matched.agency,
            detail={
                "hit_id": hit.id,
                "checkpoints": [hit.checkpoint],
                "outcome": last.outcome.value,
                "clearance_id": proposed.get(matched.entry_id),
            },
        )
        for matched in hit.matched
    ]


def unresolved_notice(hit: Hit) -> NoticeContent:
    """Return the notice that a hit was not resolved in time, for its checkpoint's supervisors and duty officers."""
    first: Sequence[Matched] = hit.matched[:1]
    return NoticeContent(
        name=NoticeName.HIT_UNRESOLVED,
        key=f"hit_unresolved:{hit.id}",
        to=(post(hit.checkpoint), *ESCALATED[TermName.RESOLVE_HIT]),
        effective_at=hit.resolve_by,
        entry_id=first[0].entry_id if first else None,
        agency=first[0].agency if first else None,
        due_at=hit.resolve_by,
        detail={
            "hit_id": hit.id,
            "checkpoints": [hit.checkpoint],
            "outcome": hit.outcome,
            "deadline": TermName.RESOLVE_HIT.value,
        },
    )
