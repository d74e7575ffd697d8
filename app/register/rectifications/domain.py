"""Correction requests under the data-protection law, and decisions on them (no I/O).

A person who states that an entry is about another person, or that its data about them are wrong or incomplete, has the
right to an answer within 3 x 24 hours (UU 27/2022 art. 30), even though the register is secret. The decision changes no
entry: the entry changes by its own correction or annulment.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Self

from app.actor import Actor, is_another_person
from app.errors import Fault, Invalid, SecondPairOfEyesNeeded, StaleVersion, WrongState

ANSWER_WITHIN = timedelta(hours=72)
"""3 x 24 hours from the request, by the clock, weekends and holidays included (UU 27/2022 art. 30; R63)."""

_ARTICLE = re.compile(r"\b(?:articles?|art|pasal|ps)\b\.?\s*[0-9]", re.IGNORECASE)

RequestState = Literal["open", "decided"]
Priority = Literal["high", "normal"]


class RequestedCorrection(StrEnum):
    """The kind of error that a requester states: another person is meant, data are wrong, or data are missing."""

    WRONG_PERSON = "wrong_person"
    IDENTITY = "identity"
    COMPLETION = "completion"


class CorrectionOutcome(StrEnum):
    """The decision on a correction request."""

    GRANTED = "granted"
    PARTLY = "partly"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CorrectionRequest:
    """A person's request to correct the data of one entry.

    Attributes:
        agency: code of the agency that owns the entry.
        statement: the error, in the requester's words.
        evidence: the proof, in words; None without one, and once erased.
        requester_name, requester_contact: the requester, and the address for the answer.
        filed_by, filed_person: the client and the officer that recorded the request.
        due_at: last instant for the decision.
        outcome: the decision; None while the request is open.
        reason: the reason for the decision; None before it, where none was given, and once erased.
        amendment_id: id of the entry's amendment by which the owner does what was granted; None if there is none.
        decided_by: id of the client that decided.
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
    def state(self) -> RequestState:
        """Whether the request waits for its decision (`open`) or has one (`decided`)."""
        return "open" if self.outcome is None else "decided"

    @property
    def priority(self) -> Priority:
        """`high` if the request states that the entry is about another person, else `normal` (R63)."""
        return "high" if self.kind is RequestedCorrection.WRONG_PERSON else "normal"

    def overdue(self, now: datetime) -> bool:
        """Return whether it was decided after `due_at`, or is open at `now` after `due_at`, which itself is in time."""
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
        """Return the request's next version, with its decision. A decision after `due_at` is accepted too.

        Args:
            by: the officer that decides; not the officer that recorded the request.
            expected: the version that the officer has read.
            outcome: the decision.
            reason: the reason; required unless the request is granted in full.
            amendment_id: the amendment by which the owner does what is granted; None if there is none yet.
            at: the time of the decision.

        Raises:
            StaleVersion: the current version is not `expected`.
            WrongState: the request is decided already.
            SecondPairOfEyesNeeded: the actor recorded the request.
            Invalid: a refusal or partial grant has no reason; the reason of a refusal cites no article of law; or a
                refusal has an `amendment_id`.
        """
        if expected != self.version:
            raise StaleVersion("The request has changed since it was read.", extra={"version": self.version})
        if self.outcome is not None:
            raise WrongState("The request is decided already.")
        if not is_another_person(by, self.filed_person):
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
