"""The wire of correction requests."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints

from app.rectifications.domain import (
    CorrectionOutcome,
    CorrectionRequest,
    Priority,
    RequestedCorrection,
    Standing,
)
from app.rectifications.service import Filed
from app.web.wire import Line, Moment, Prose, WireIn, WireOut

AmendmentId = Annotated[str, StringConstraints(pattern=r"^amd_[0-9a-z]{1,36}$")]


class RequesterIn(WireIn):
    """Who asks, and where the answer goes."""

    name: Line
    contact: Line


class CorrectionRequestIn(WireIn):
    """A request of the person concerned, or of who speaks for them."""

    entry_id: Annotated[Line, Field(max_length=40)]
    kind: RequestedCorrection
    statement: Annotated[Prose, Field(description="What is wrong, in the requester's words.")]
    evidence: Prose | None = Field(None, description="What was shown, such as a passport or a judgment.")
    requester: RequesterIn

    def filed(self) -> Filed:
        """The request as it is taken down."""
        return Filed(
            entry_id=self.entry_id,
            kind=self.kind,
            statement=self.statement,
            evidence=self.evidence,
            requester_name=self.requester.name,
            requester_contact=self.requester.contact,
        )


class CorrectionDecisionIn(WireIn):
    """What is decided on a request."""

    outcome: CorrectionOutcome
    reason: Prose | None = Field(
        None, description="Required unless granted in full; a refusal names its article."
    )
    amendment_id: AmendmentId | None = Field(None, description="The amendment that carries it out.")


class CorrectionRequestItemOut(WireOut):
    """A correction request in a list: without who asked and what was said."""

    id: str
    version: int
    entry_id: str
    agency: str
    kind: RequestedCorrection
    priority: Priority
    state: Standing
    received_at: Moment
    acknowledged_at: Moment
    due_at: Moment
    overdue: Annotated[bool, Field(description="Not decided by `due_at`, or decided after it.")]
    outcome: CorrectionOutcome | None
    decided_at: Moment | None
    amendment_id: str | None

    @staticmethod
    def members(request: CorrectionRequest, now: datetime) -> dict[str, Any]:
        """A request's members on the wire."""
        return {
            "id": request.id,
            "version": request.version,
            "entry_id": request.entry_id,
            "agency": request.agency,
            "kind": request.kind,
            "priority": request.priority,
            "state": request.state,
            "received_at": request.received_at,
            "acknowledged_at": request.received_at,
            "due_at": request.due_at,
            "overdue": request.overdue(now),
            "outcome": request.outcome,
            "decided_at": request.decided_at,
            "amendment_id": request.amendment_id,
        }


class RequesterOut(WireOut):
    """Who asks, and where the answer goes."""

    name: str
    contact: str


class CorrectionRequestOut(CorrectionRequestItemOut):
    """A correction request, answered within 3 x 24 hours (UU 27/2022 art. 30)."""

    statement: str
    evidence: str | None
    requester: RequesterOut
    filed_by: str
    reason: str | None
    decided_by: str | None

    @classmethod
    def of(cls, request: CorrectionRequest, now: datetime) -> Self:
        """The request on the wire."""
        return cls(
            **CorrectionRequestItemOut.members(request, now),
            statement=request.statement,
            evidence=request.evidence,
            requester=RequesterOut(name=request.requester_name, contact=request.requester_contact),
            filed_by=request.filed_by,
            reason=request.reason,
            decided_by=request.decided_by,
        )
