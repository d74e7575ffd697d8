"""Request and response bodies of correction requests."""

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints

from app.register.rectifications.domain import (
    CorrectionOutcome,
    CorrectionRequest,
    Priority,
    RequestedCorrection,
    RequestState,
)
from app.register.rectifications.service import Filed
from app.web.wire import Line, Moment, Prose, WireIn, WireOut

AmendmentId = Annotated[str, StringConstraints(pattern=r"^amd_[0-9a-z]{1,36}$")]


class RequesterIn(WireIn):
    """The requester, and the address for the answer."""

    name: Line
    """The requester's name."""
    contact: Line
    """The address for the answer: a postal address, a telephone, a mailbox."""


class CorrectionRequestIn(WireIn):
    """A request of the person concerned, or of their representative."""

    entry_id: Annotated[Line, Field(max_length=40)]
    """Id of the entry."""
    kind: RequestedCorrection
    """The kind of error: another person is meant, data are wrong, or data are missing."""
    statement: Annotated[Prose, Field(description="What is wrong, in the requester's words.")]
    evidence: Prose | None = Field(None, description="What was shown, such as a passport or a judgment.")
    requester: RequesterIn
    """The requester."""

    def filed(self) -> Filed:
        """Return the new request as a domain object."""
        return Filed(
            entry_id=self.entry_id,
            kind=self.kind,
            statement=self.statement,
            evidence=self.evidence,
            requester_name=self.requester.name,
            requester_contact=self.requester.contact,
        )


class CorrectionDecisionIn(WireIn):
    """The decision on a request."""

    outcome: CorrectionOutcome
    """The decision."""
    reason: Prose | None = Field(
        None, description="Required unless granted in full; a refusal names its article."
    )
    amendment_id: AmendmentId | None = Field(None, description="The amendment that carries it out.")


class CorrectionRequestItemOut(WireOut):
    """A correction request in a list: without the requester and the statement."""

    id: str
    """The request's id."""
    version: int
    """Its version; a decision makes a new one."""
    entry_id: str
    """Id of the entry that it is about."""
    agency: str
    """Code of the agency that owns the entry."""
    kind: RequestedCorrection
    """The kind of error."""
    priority: Priority
    """`high` where the requester states that the entry is about another person."""
    state: RequestState
    """Whether it waits for its decision."""
    received_at: Moment
    """When it was filed."""
    acknowledged_at: Moment
    """When it was acknowledged: at once."""
    due_at: Moment
    """The last instant to decide in time: 72 hours after it was filed."""
    overdue: Annotated[bool, Field(description="Not decided by `due_at`, or decided after it.")]
    outcome: CorrectionOutcome | None
    """The decision; null before it."""
    decided_at: Moment | None
    """When it was decided; null before."""
    amendment_id: str | None
    """The amendment that carries the decision out; null without one."""

    @staticmethod
    def members(request: CorrectionRequest, now: datetime) -> dict[str, Any]:
        """Return the values of the members that this model and its subclass share, by name.

        `now` is the instant for which `overdue` is computed.
        """
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
    """The requester, and the address for the answer."""

    name: str
    contact: str


class CorrectionRequestOut(CorrectionRequestItemOut):
    """A correction request with its requester, statement and decision; it is due within 72 hours.

    See UU 27/2022 art. 30.
    """

    statement: str
    """The error, in the requester's words. Once erased, this and the members of `requester` are a text that says so."""
    evidence: str | None
    """The evidence that the requester showed; null without any, and once erased."""
    requester: RequesterOut
    """The requester."""
    filed_by: str
    """Id of the client that recorded it."""
    reason: str | None
    """The reason for the decision; null before it, where none was given, and once erased."""
    decided_by: str | None
    """Id of the client that decided; null before."""

    @classmethod
    def of(cls, request: CorrectionRequest, now: datetime) -> Self:
        """Convert the request to the API's model; `now` is the instant for which `overdue` is computed."""
        return cls(
            **CorrectionRequestItemOut.members(request, now),
            statement=request.statement,
            evidence=request.evidence,
            requester=RequesterOut(name=request.requester_name, contact=request.requester_contact),
            filed_by=request.filed_by,
            reason=request.reason,
            decided_by=request.decided_by,
        )
