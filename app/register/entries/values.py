"""The values in an entry: measures, states, verdicts, grounds, letters, judgments (no I/O)."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from app.register.entries.subjects import Subject


class Measure(StrEnum):
    """The two measures of the law: `prevention` is an exit ban, `deterrence` an entry ban."""

    PREVENTION = "prevention"
    DETERRENCE = "deterrence"


class State(StrEnum):
    """The stored state of an entry (API section 3); whether it is in force is computed by `in_force`.

    A `submitted` entry waits for its verifier; an urgent one waits for the countersignature without which it stops
    nobody. A `returned` entry was sent back to its owner, who may resubmit it. A `verified` entry waits for
    Immigration's approver. A `provisional` entry is an urgent one that stops people. An `active` entry is approved,
    even if its period begins later. `rejected` and `ended` are final.
    """

    SUBMITTED = "submitted"
    RETURNED = "returned"
    VERIFIED = "verified"
    PROVISIONAL = "provisional"
    ACTIVE = "active"
    REJECTED = "rejected"
    ENDED = "ended"


class EndedReason(StrEnum):
    """The reason why an entry ended.

    `expired` means that the period of an entry that is not urgent is over. An urgent entry has `lapsed` when its twenty
    days are over, or when nobody countersigned it in time. It is `superseded` when its formal entry took over.
    `acquitted` and `annulled` follow from judgments; a granted objection annuls too.
    """

    EXPIRED = "expired"
    LAPSED = "lapsed"
    REVOKED = "revoked"
    ACQUITTED = "acquitted"
    ANNULLED = "annulled"
    SUPERSEDED = "superseded"


class Verdict(StrEnum):
    """A decision of another person on an entry or amendment.

    `RETURN` asks the owner to mend and resubmit; `KEEP` refuses a proposal to reject a countersigned entry.
    """

    VERIFY = "verify"
    RETURN = "return"
    APPROVE = "approve"
    REJECT = "reject"
    COUNTERSIGN = "countersign"
    KEEP = "keep"


class Reopening(msgspec.Struct, frozen=True):
    """A judgment later than an acquittal, which allows one new request in the case that the acquittal closed."""

    number: str
    court: str
    decided_on: date


class RulingKind(StrEnum):
    """The effect of a court's judgment on an entry: its case is closed, or the measure is annulled."""

    ACQUITTAL = "acquittal"
    ANNULMENT = "annulment"


class Ruling(msgspec.Struct, frozen=True):
    """A court's judgment about an entry: an acquittal closes its case, an annulment ends the measure.

    Attributes:
        final_on: the day on which the judgment became final; None for one that takes effect before it is final.
    """

    kind: RulingKind
    number: str
    court: str
    decided_on: date
    final_on: date | None


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """The legal ground of a measure: the owner's decision, its law and reason, and the case.

    Attributes:
        instrument: legal form of the decision's letter.
        number, issued_on: number and date of the letter.
        received_on: the legal day on which Immigration received the letter, if stated.
        late_reason: why it was delivered late.
        law: the law and article on which the decision is based.
        reason_code, reason: the reason, as a code and in words.
        case_reference: the case, as the owner writes it.
        stage: stage of the criminal proceedings; None outside criminal law.
        subject_status: the person's role in the case, such as `suspect`.
        amount_idr: the debt in rupiah, if the ground is tax or state receivables.
        good_faith_doubt: why the tax debtor's good faith is doubted (R10).
        lifetime_ground: the ground for a measure for life (R11).
        trafficking_victim: whether the person is a victim of trafficking or smuggling (R65).
        reopens: the later judgment, if the case was closed by an acquittal (R67).
    """

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
    """The letter on which an urgent request is based (Permenimipas 13/2025 art. 9(2)).

    Attributes:
        sha256: SHA-256 of its file.
        media_type: media type of the file, if it was sent; else None.
    """

    number: str
    issued_on: date
    sha256: str
    media_type: str | None = None


class Substitute(msgspec.Struct, frozen=True):
    """The name of an agency's absent head, in whose place a substitute signs, and the substitute's mandate (R33)."""

    absent_head: str
    mandate: str


class Former(msgspec.Struct, frozen=True, kw_only=True):
    """The person, case and decision numbers of one version of an entry, by which a repeated filing is recognised.

    See R14, R15 and R22.

    Attributes:
        subject: the data that identify the person.
        case_reference: the case, as the owner writes it.
        numbers: the numbers of the owner's decisions.
    """

    subject: Subject
    case_reference: str
    numbers: tuple[str, ...]


class RejectionProposal(msgspec.Struct, frozen=True):
    """A duty officer's proposal to reject a countersigned urgent entry; another person must confirm it (R32).

    Attributes:
        by: id of the client.
        person: the officer.
    """

    by: str
    person: str | None
    at: datetime
    reason: str


class EntryWarning(msgspec.Struct, frozen=True):
    """A warning about accepted content, such as a late letter, a doubtful number or a similar entry.

    Attributes:
        code: a stable code for programs.
        pointer: JSON pointer to the member.
        detail: the explanation for the officer, in English.
    """

    code: str
    pointer: str
    detail: str
