"""A request for correction and its decision; pure.

A person who says that an entry is about somebody else, or that its data about them are wrong or incomplete,
has the right to an answer within 3 x 24 hours (UU 27/2022 art. 30), also from a register that is secret. The
decision changes no entry: a correction or an annulment by the entry's own procedure does.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Self

from app.db.unit import Actor
from app.errors import Fault, Invalid, SecondPairOfEyesNeeded, StaleVersion, WrongState

ANSWER_WITHIN = timedelta(hours=72)
"""3 x 24 hours from the request, by the clock, weekends and holidays included (UU 27/2022 art. 30; R63)."""

_ARTICLE = re.compile(r"\b(?:articles?|art|pasal|ps)\b\.?\s*[0-9]", re.IGNORECASE)

Standing = Literal["open", "decided"]
Priority = Literal["high", "normal"]


class RequestedCorrection(StrEnum):
    """What is said to be wrong."""

    WRONG_PERSON = "wrong_person"
    IDENTITY = "identity"
    COMPLETION = "completion"


class CorrectionOutcome(StrEnum):
    """What was decided."""

    GRANTED = "granted"
    PARTLY = "partly"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CorrectionRequest:
    """One request about one entry.

    Attributes:
        agency: who owns the entry.
        requester_name, requester_contact: who asks, and where the answer goes.
        filed_by, filed_person: the client and the person who took the request down.
        amendment_id: the amendment of the entry that carries the decision out, where there is one.
    """

    id: str
    version: int
    entry_id: str
    agency: str
    kind: RequestedCorrection
    statement: str
    evidence: str | None
    requester_name: str
    requester_contact: str
    filed_by: str
    filed_person: str
    received_at: datetime
    due_at: datetime
    outcome: CorrectionOutcome | None = None
    reason: str | None = None
    amendment_id: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None

    @property
    def state(self) -> Standing:
        """Whether it waits for its decision."""
        return "open" if self.outcome is None else "decided"

    @property
    def priority(self) -> Priority:
        """An innocent person may stand at a counter now: such requests come first (R63)."""
        return "high" if self.kind is RequestedCorrection.WRONG_PERSON else "normal"

    def overdue(self, now: datetime) -> bool:
        """Whether it was not decided in time: the law's last instant still counts."""
        return (self.decided_at or now) > self.due_at

    def decide(
        self,
        by: Actor,
        expected: int,
        outcome: CorrectionOutcome,
        reason: str | None,
        amendment_id: str | None,
        at: datetime,
    ) -> Self:
        """The decision of another person than who took the request down; late is better than never.

        Raises:
            StaleVersion: another version is current.
            WrongState: it is decided already.
            SecondPairOfEyesNeeded: the actor filed it.
            Invalid: no reason, or none with its article, where it is not granted in full; a refusal that
                names an amendment.
        """
        if expected != self.version:
            raise StaleVersion("The request has changed since it was read.", extra={"version": self.version})
        if self.outcome is not None:
            raise WrongState("The request is decided already.")
        if by.person is None or by.person == self.filed_person:
            raise SecondPairOfEyesNeeded("The person who took the request down can't decide it.")
        faults = _faults(outcome, reason, amendment_id)
        if faults:
            raise Invalid("The request can't be decided like this.", faults=faults)
        return replace(
            self,
            version=self.version + 1,
            outcome=outcome,
            reason=reason,
            amendment_id=amendment_id,
            decided_by=by.client_id,
            decided_at=at,
        )


def _faults(outcome: CorrectionOutcome, reason: str | None, amendment_id: str | None) -> list[Fault]:
    faults = []
    if outcome is not CorrectionOutcome.GRANTED and not reason:
        detail = "What is not granted needs its reason."
        faults.append(Fault("/reason", "required", detail))
    elif outcome is CorrectionOutcome.REFUSED and not _ARTICLE.search(reason or ""):
        detail = "A refusal names its article, such as art. 33 of UU 27/2022 where security is endangered."
        faults.append(Fault("/reason", "article_required", detail))
    if outcome is CorrectionOutcome.REFUSED and amendment_id is not None:
        faults.append(Fault("/amendment_id", "contradiction", "A refused request amends nothing."))
    return faults
