"""Request and response bodies of clearances (API section 5)."""

from typing import Annotated, Any, Self

import msgspec
from pydantic import Field

from app.border.clearances.domain import Clearance, ClearanceState, ClearanceVerdict, EndReason
from app.web.wire import Moment, Prose, WireIn, WireOut


class ClearanceDecisionIn(WireIn):
    """A second person's decision on a clearance."""

    verdict: Annotated[
        ClearanceVerdict,
        Field(
            description="`confirm` and `reject` decide on a proposed clearance; the supervisor that resolved the hit "
            "can do neither. `withdraw` ends a standing clearance."
        ),
    ]
    reason: Annotated[Prose | None, Field(description="Required to reject and to withdraw.")] = None


class ClearedDocumentOut(WireOut):
    """The bearer's document, to which the clearance is bound."""

    number: str
    """The document's number."""
    issuing_state: str
    """Code of the state that issued it."""


class ClearanceDecisionOut(WireOut):
    """A decision on the clearance."""

    verdict: ClearanceVerdict
    reason: str | None
    by: str
    """Id of the client that decided."""
    at: Moment
    """When it was made."""


class ClearanceOut(WireOut):
    """A clearance: the bearer of this document is not the listed person of one version of an entry.

    Checks apply the clearance only while it is `standing`, the entry has this version, and the traveller shows this
    document, with this issuing state, birth date and (folded) name.
    """

    id: str
    """The clearance's id."""
    version: int
    """Its version, which grows with each decision."""
    state: ClearanceState
    """Its state; only a `standing` one has effect at checks."""
    entry_id: str
    """Id of the entry."""
    entry_version: int
    """The version of the entry that the clearance covers."""
    agency: Annotated[str, Field(description="The entry's owner.")]
    checkpoint: Annotated[str, Field(description="Where it was proposed.")]
    hit_id: str
    """The hit in which it was proposed."""
    document: Annotated[
        ClearedDocumentOut | None,
        Field(description="The bearer's document. Null once erased; then `births` and `names` are empty."),
    ]
    births: list[dict[str, Any]]
    """The birth dates that were given at the check."""
    names: list[str]
    """The names that were read and typed at the check."""
    proposed_by: str
    """Id of the client that proposed it."""
    proposed_at: Moment
    """When it was proposed."""
    decisions: list[ClearanceDecisionOut]
    """The decisions on it, in order."""
    ended_reason: EndReason | None
    """Why it has ended; null before."""
    ended_at: Moment | None
    """When it ended; null before."""

    @classmethod
    def of(cls, clearance: Clearance) -> Self:
        """Convert a clearance to the API's model."""
        bearer = clearance.bearer
        return cls(
            id=clearance.id,
            version=clearance.version,
            state=clearance.state,
            entry_id=clearance.entry_id,
            entry_version=clearance.entry_version,
            agency=clearance.agency,
            checkpoint=clearance.checkpoint,
            hit_id=clearance.hit_id,
            document=bearer and ClearedDocumentOut(number=bearer.number, issuing_state=bearer.issuing_state),
            births=[msgspec.to_builtins(birth) for birth in bearer.births] if bearer else [],
            names=list(bearer.names) if bearer else [],
            proposed_by=clearance.proposed_by,
            proposed_at=clearance.proposed_at,
            decisions=[
                ClearanceDecisionOut(
                    verdict=decision.verdict, reason=decision.reason, by=decision.by, at=decision.at
                )
                for decision in clearance.decisions
            ],
            ended_reason=clearance.ended_reason,
            ended_at=clearance.ended_at,
        )
