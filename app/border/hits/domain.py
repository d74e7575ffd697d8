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
    """The supervisor's finding: the listed person, another person, or still unsure."""

    CONFIRMED = "confirmed"
    NOT_SAME_PERSON = "not_same_person"
    UNSURE = "unsure"


class Action(StrEnum):
    """The action taken with the traveller; the first three are also values of a check's `action`."""

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
        entry_id: the entry.
        version: its version at the check.
        agency: its owner.
    """

    entry_id: str
    version: int
    agency: str


class Proposal(msgspec.Struct, frozen=True):
    """The consequence of `not_same_person` for one matched entry.

    Attributes:
        entry_id: the entry.
        clearance_id: the proposed or standing clearance; None if there is an obstacle.
        obstacle: why no clearance was proposed; None if one was.
    """

    entry_id: str
    clearance_id: str | None
    obstacle: Obstacle | None


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor's resolution of a hit; one with the outcome `unsure` leaves the hit open.

    Attributes:
        outcome: the supervisor's finding.
        action: the action taken with the traveller; None only for the outcome `unsure`, if none was taken yet.
        note: the reason.
        by: id of the supervisor's client.
        person: the supervisor's employee number.
        proposals: the consequence of `not_same_person` for each matched entry.
    """

    outcome: Identity
    action: Action | None
    note: str
    by: str
    person: str | None
    at: datetime
    proposals: tuple[Proposal, ...] = ()


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A hit: a check with an answer other than `clear`; without the traveller's data.

    Attributes:
        direction: `exit` or `entry`.
        outcome: the answer of the check: `refer` or `refuse`.
        resolve_by: time limit for the resolution.
        resolutions: the supervisors' resolutions, oldest first; all but the last one are `unsure`.
        escalated_at: when others were notified that the hit was not resolved in time; None if they were not.
        pending_until: the last instant for a decision on a matched entry's papers, if the entry's period is over and
            its papers are undecided (R68); else None. Computed when the hit is read, never stored.
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
        """Raise an error unless the hit is open and `expected`, the version that the caller has read, is current.

        Raises:
            WrongState: the hit is resolved already.
            StaleVersion: the hit has changed since it was read.
        """
        if self.state is HitState.RESOLVED:
            raise WrongState("The hit is resolved already; one supervisor resolves it, once (R46).")
        if expected != self.version:
            raise StaleVersion("The hit has changed since it was read.", extra={"version": self.version})

    def expect_fitting(self, outcome: Identity, action: Action | None) -> None:
        """Raise Invalid unless the action fits the outcome and the direction.

        Raises:
            Invalid: a final outcome has no action, the refusal is for the other direction, or another person than
                the listed one is refused.
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

    def known(self, pending: Mapping[str, datetime]) -> Self:
        """Return the hit with `pending_until` set, by its matched entries that have undecided papers (R68).

        Args:
            pending: the last instant for a decision, by id of each entry with undecided papers; other entries are
                omitted.
        """
        until = [pending[each.entry_id] for each in self.matched if each.entry_id in pending]
        return msgspec.structs.replace(self, pending_until=max(until, default=None))

    def expect_ban(self, action: Action | None, holding: Collection[Measure]) -> None:
        """Raise WrongState if a traveller is refused without a measure in force for their direction.

        Args:
            action: the action taken; None is never a refusal.
            holding: the measures of the matched entries in force now.

        Raises:
            WrongState: the action is a refusal, and no measure for the direction is in force.
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
        """Return the hit with the time at which others were notified that it is unresolved; its version stays."""
        return msgspec.structs.replace(self, escalated_at=at)

    def erased(self) -> Self:
        """Return the hit with its supervisors' notes erased; outcomes, actions and times stay (R64)."""
        resolutions = tuple(msgspec.structs.replace(each, note=ERASED) for each in self.resolutions)
        return msgspec.structs.replace(self, resolutions=resolutions)

    def within(self, actor: Actor) -> bool:
        """Return whether an actor may see the hit: an auditor, or a supervisor of its checkpoint."""
        return actor.holds(Role.AUDITOR) or (
            actor.holds(Role.SUPERVISOR) and actor.checkpoint == self.checkpoint
        )


def opened(hit: Hit) -> list[NoticeContent]:
    """Return the notices that a hit was opened, one to the owner of each matched entry (law 6.10)."""
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


def closed(hit: Hit) -> list[NoticeContent]:
    """Return the notices that a hit was resolved, one to the owner of each matched entry (law 6.10).

    The notice of an entry for which a clearance was proposed also goes to the officers that may confirm it. The hit
    must have a resolution.
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


def unresolved(hit: Hit) -> NoticeContent:
    """Return the notice that a hit was not resolved in time, to the supervisors of its checkpoint and duty officers."""
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
