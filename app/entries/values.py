"""The values that an entry consists of: measures, states, verdicts, grounds, letters, judgments; pure."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from app.entries.subjects import Subject


class Measure(StrEnum):
    """The two measures of the law."""

    PREVENTION = "prevention"
    DETERRENCE = "deterrence"


class State(StrEnum):
    """Where an entry stands (contract section 3)."""

    SUBMITTED = "submitted"
    RETURNED = "returned"
    VERIFIED = "verified"
    PROVISIONAL = "provisional"
    ACTIVE = "active"
    REJECTED = "rejected"
    ENDED = "ended"


class EndedReason(StrEnum):
    """Why an entry ended."""

    EXPIRED = "expired"
    LAPSED = "lapsed"
    REVOKED = "revoked"
    ACQUITTED = "acquitted"
    ANNULLED = "annulled"
    SUPERSEDED = "superseded"


class Verdict(StrEnum):
    """What another pair of eyes may say."""

    VERIFY = "verify"
    RETURN = "return"
    APPROVE = "approve"
    REJECT = "reject"
    COUNTERSIGN = "countersign"
    KEEP = "keep"


class Reopening(msgspec.Struct, frozen=True):
    """The later judgment that admits one new request in a case closed by an acquittal."""

    number: str
    court: str
    decided_on: date


class RulingKind(StrEnum):
    """What a court's judgment did to an entry."""

    ACQUITTAL = "acquittal"
    ANNULMENT = "annulment"


class Ruling(msgspec.Struct, frozen=True):
    """A court's judgment about an entry: an acquittal closes its case, an annulment strikes the measure down.

    Attributes:
        final_on: None for a judgment that works before it is final.
    """

    kind: RulingKind
    number: str
    court: str
    decided_on: date
    final_on: date | None


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """The legal ground: one letter of one owner in one case."""

    instrument: str
    number: str
    issued_on: date
    received_on: date | None = None
    late_reason: str | None = None
    signed_by: str | None = None
    signed_by_position: str | None = None
    law: str
    reason_code: str
    reason: str
    case_reference: str
    stage: str | None = None
    subject_status: str
    amount_idr: int | None = None
    good_faith_doubt: str | None = None
    lifetime_ground: str | None = None
    trafficking_victim: bool = False
    reopens: Reopening | None = None


class Letter(msgspec.Struct, frozen=True):
    """The letter that an urgent request rests on (Permenimipas 13/2025 art. 9(2))."""

    number: str
    issued_on: date
    sha256: str
    media_type: str | None = None


class Substitute(msgspec.Struct, frozen=True):
    """Who signs for an absent head, and by what mandate (R33)."""

    absent_head: str
    mandate: str


class Former(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier version of an entry said, by which the entry still bars a repeat (R14, R15, R22)."""

    subject: Subject
    case_reference: str
    numbers: tuple[str, ...]


class RejectionProposal(msgspec.Struct, frozen=True):
    """A duty officer's wish to take back an urgent entry that is countersigned; another person confirms it (R32).

    Attributes:
        by: client.
        person: who that is.
    """

    by: str
    person: str | None
    at: datetime
    reason: str


class Notice(msgspec.Struct, frozen=True):
    """Something the register accepts but tells: late letters, doubtful numbers, similar entries."""

    code: str
    pointer: str
    detail: str
