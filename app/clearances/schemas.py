"""The wire of clearances (contract section 5)."""

from typing import Annotated, Any, Self

import msgspec
from pydantic import Field

from app.clearances.domain import Clearance, ClearanceState, EndReason, Verdict
from app.web.wire import Moment, Prose, WireIn, WireOut


class ClearanceDecisionIn(WireIn):
    """What a second person says."""

    verdict: Annotated[
        Verdict,
        Field(
            description="`confirm`, `reject`: of a proposed clearance, by another person than who resolved the hit. "
            "`withdraw`: takes back one that stands."
        ),
    ]
    reason: Annotated[Prose | None, Field(description="Required to reject and to withdraw.")] = None


class ClearedDocumentOut(WireOut):
    """The document that is cleared."""

    number: str
    issuing_state: str


class ClearanceDecisionOut(WireOut):
    """What somebody said about it."""

    verdict: Verdict
    reason: str | None
    by: str
    at: Moment


class ClearanceOut(WireOut):
    """A document that is not the listed person's, against one version of an entry.

    It counts at checks only while it is `standing`, the entry has that version, and document, issuing state,
    birth date and folded name are these.
    """

    id: str
    version: int
    state: ClearanceState
    entry_id: str
    entry_version: int
    agency: Annotated[str, Field(description="The entry's owner.")]
    checkpoint: Annotated[str, Field(description="Where it was proposed.")]
    hit_id: str
    document: Annotated[
        ClearedDocumentOut | None, Field(description="Null once erased, as the next two are empty.")
    ]
    births: list[dict[str, Any]]
    names: list[str]
    proposed_by: str
    proposed_at: Moment
    decisions: list[ClearanceDecisionOut]
    ended_reason: EndReason | None
    ended_at: Moment | None

    @classmethod
    def of(cls, clearance: Clearance) -> Self:
        """The clearance on the wire."""
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
                ClearanceDecisionOut(verdict=said.verdict, reason=said.reason, by=said.by, at=said.at)
                for said in clearance.decisions
            ],
            ended_reason=clearance.ended_reason,
            ended_at=clearance.ended_at,
        )
