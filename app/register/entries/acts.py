"""Names of the acts in an entry's history (no I/O)."""

from enum import StrEnum


class Act(StrEnum):
    """The act that made a version of an entry (filed, verified, extended, ...); every version has exactly one.

    `rejection_kept` means that an approver refused a proposal to reject the entry. `formalised`: the end of an urgent
    entry was planned for the day on which its approved formal entry begins. `formalisation_ended`: that planned end was
    cancelled. `carried_over`: a correction of another entry against the same person was applied to this entry.
    `import_withdrawn`: the entry ended, because its list does not contain the person any more. `expired`: the period of
    an entry that is not urgent was over. `lapsed`: an urgent entry's twenty days were over, or nobody countersigned it
    in time. `superseded`: an urgent entry ended, because its formal entry began.
    """

    SUBMITTED = "submitted"
    SUBMITTED_URGENTLY = "submitted_urgently"
    RESUBMITTED = "resubmitted"
    VERIFIED = "verified"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"
    REJECTION_PROPOSED = "rejection_proposed"
    REJECTION_KEPT = "rejection_kept"
    COUNTERSIGNED = "countersigned"
    FORMALISED = "formalised"
    FORMALISATION_ENDED = "formalisation_ended"
    CARRIED_OVER = "carried_over"
    IMPORTED = "imported"
    IMPORT_CHANGED = "import_changed"
    IMPORT_WITHDRAWN = "import_withdrawn"
    EXTENDED = "extended"
    CORRECTED = "corrected"
    REVOKED = "revoked"
    ACQUITTED = "acquitted"
    ANNULLED = "annulled"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    SUPERSEDED = "superseded"
    SEALED = "sealed"
    ERASED = "erased"
