"""What a hit is, who resolves it and how, and who is told; pure (R46, contract section 5)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

import msgspec

from app.clearances.domain import Obstacle
from app.db.unit import Actor
from app.entries.domain import Measure
from app.entries.erasure import ERASED
from app.errors import Fault, Invalid, StaleVersion, WrongState
from app.notices.domain import APPROVERS, DUTY_OFFICERS, ESCALATED, Draft, TermName, owner, post
from app.notices.names import NoticeName


class HitState(StrEnum):
    """Whether a supervisor still has to say who it is."""

    OPEN = "open"
    RESOLVED = "resolved"


class Identity(StrEnum):
    """What the supervisor found: the listed person, another one, or neither yet."""

    CONFIRMED = "confirmed"
    NOT_SAME_PERSON = "not_same_person"
    UNSURE = "unsure"


class Action(StrEnum):
    """What became of the traveller; the first three are the words of a check's own `action`."""

    ALLOW = "allow"
    REFUSE_EXIT = "refuse_exit"
    REFUSE_ENTRY = "refuse_entry"
    HOLD = "hold"
    HAND_OVER = "hand_over"


_REFUSALS: Final = {Action.REFUSE_EXIT: "exit", Action.REFUSE_ENTRY: "entry"}
_NEEDS: Final = {Action.REFUSE_EXIT: Measure.PREVENTION, Action.REFUSE_ENTRY: Measure.DETERRENCE}


class Matched(msgspec.Struct, frozen=True):
    """An entry that a check matched, in the version that it was matched in.

    Attributes:
        entry_id: the entry.
        version: its version at the check.
        agency: its owner.
    """

    entry_id: str
    version: int
    agency: str


class Proposal(msgspec.Struct, frozen=True):
    """What a `not_same_person` means for one matched entry from now on.

    Attributes:
        entry_id: the entry.
        clearance_id: the clearance that waits for a second person, or stands already; None where there is an obstacle.
        obstacle: why only this crossing passes.
    """

    entry_id: str
    clearance_id: str | None
    obstacle: Obstacle | None


class Resolution(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor's word on a hit; an `unsure` one is a step on the way."""

    outcome: Identity
    action: Action | None
    note: str
    by: str
    person: str | None
    at: datetime
    proposals: tuple[Proposal, ...] = ()


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A check whose answer was not `clear`, as the register keeps it: without the traveller.

    Attributes:
        outcome: what the check answered: `refer` or `refuse`.
        resolve_by: when it is told that nobody has resolved it; `escalated_at` is when it was.
        resolutions: what supervisors have said, in order; a hit is resolved by the last.
        pending_until: until when the papers of an entry of it may be undecided, whose period is over now (R68);
            attached when read, never stored.
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
        """Make sure that there is something to resolve, and that it is what was read.

        Raises:
            WrongState: it is resolved; that is said once.
            StaleVersion: it has changed since it was read.
        """
        if self.state is HitState.RESOLVED:
            raise WrongState("The hit is resolved; that is said once, by one supervisor (R46).")
        if expected != self.version:
            raise StaleVersion("The hit has changed since it was read.", extra={"version": self.version})

    def expect_fitting(self, outcome: Identity, action: Action | None) -> None:
        """Make sure that what became of the traveller fits what was found, and where they were going.

        Raises:
            Invalid: a closing word without an action; a refusal in the other direction, or of somebody else.
        """
        if action is None:
            if outcome is Identity.UNSURE:
                return
            fault = Fault("/action", "required", "A resolution says what became of the traveller.")
        elif action in _REFUSALS and _REFUSALS[action] != self.direction:
            fault = Fault("/action", "direction", f"The traveller was checked for {self.direction}.")
        elif action in _REFUSALS and outcome is Identity.NOT_SAME_PERSON:
            detail = "Who is not the listed person is not refused on this register."
            fault = Fault("/action", "contradiction", detail)
        else:
            return
        raise Invalid("The action does not fit the hit.", faults=[fault])

    def known(self, pending: Mapping[str, datetime]) -> Self:
        """The hit as it is read: with until when one of its entries may be undecided now (R68).

        Args:
            pending: the instant by the entry's id.
        """
        until = [pending[each.entry_id] for each in self.matched if each.entry_id in pending]
        return msgspec.structs.replace(self, pending_until=max(until, default=None))

    def expect_ban(self, action: Action | None, holding: Collection[Measure]) -> None:
        """Make sure that a traveller is refused only while a measure holds that refuses in their direction.

        Args:
            action: what became of the traveller.
            holding: the measures of the matched entries that hold now.

        Raises:
            WrongState: each has ended since the check, or does not hold now.
        """
        needed = _NEEDS.get(action) if action is not None else None
        if needed is None or needed in holding:
            return
        raise WrongState("No measure of this hit holds now; nobody is refused on one that has ended (R29).")

    @property
    def let_pass(self) -> bool:
        """Whether the supervisor who resolved it let the traveller go on."""
        said = self.resolutions[-1] if self.resolutions else None
        return self.state is HitState.RESOLVED and said is not None and said.action is Action.ALLOW

    def resolved(self, said: Resolution) -> Self:
        """The hit after a supervisor's word: closed, unless they are unsure."""
        state = HitState.OPEN if said.outcome is Identity.UNSURE else HitState.RESOLVED
        return msgspec.structs.replace(
            self, version=self.version + 1, state=state, resolutions=(*self.resolutions, said)
        )

    def escalated(self, at: datetime) -> Self:
        """The hit once it was told that nobody has resolved it in time; its version stays."""
        return msgspec.structs.replace(self, escalated_at=at)

    def erased(self) -> Self:
        """The hit without its supervisors' words; what they said, when, and what became of it stays (R64)."""
        said = tuple(msgspec.structs.replace(each, note=ERASED) for each in self.resolutions)
        return msgspec.structs.replace(self, resolutions=said)

    def within(self, actor: Actor) -> bool:
        """Whether it is in an actor's view: an auditor's, or a supervisor's of its checkpoint."""
        return actor.holds("auditor") or (actor.holds("supervisor") and actor.checkpoint == self.checkpoint)


def opened(hit: Hit) -> list[Draft]:
    """What is told of a new hit: each matched entry's owner learns that its subject may be here (law 6.10)."""
    return [
        Draft(
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


def closed(hit: Hit) -> list[Draft]:
    """What is told of a resolved hit, also of a false one, so that wrong entries die quickly (law 6.10).

    Where a clearance was proposed, those who may confirm it are told as well.
    """
    said = hit.resolutions[-1]
    proposed = {each.entry_id: each.clearance_id for each in said.proposals}
    return [
        Draft(
            name=NoticeName.HIT_RESOLVED,
            key=f"hit_resolved:{hit.id}:{matched.entry_id}",
            to=(
                *owner(matched.agency),
                *((APPROVERS, DUTY_OFFICERS) if proposed.get(matched.entry_id) else ()),
            ),
            effective_at=said.at,
            entry_id=matched.entry_id,
            agency=matched.agency,
            detail={
                "hit_id": hit.id,
                "checkpoints": [hit.checkpoint],
                "outcome": said.outcome.value,
                "clearance_id": proposed.get(matched.entry_id),
            },
        )
        for matched in hit.matched
    ]


def unresolved(hit: Hit) -> Draft:
    """What is told once of a hit that nobody resolves: to its checkpoint's supervisors and the duty officers."""
    first: Sequence[Matched] = hit.matched[:1]
    return Draft(
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
