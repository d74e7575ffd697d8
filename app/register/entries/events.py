"""Events of entries, to which projectors in other packages subscribe (no I/O)."""

from dataclasses import dataclass
from datetime import datetime

from app.actor import Actor
from app.ledger.domain import RecordType
from app.register.entries.acts import Act
from app.register.entries.domain import Entry
from app.register.entries.subjects import Subject


@dataclass(frozen=True, slots=True)
class EntryChanged:
    """An entry was listed for checks, or a listed entry changed or ended; the ledger gets a record of the change.

    Attributes:
        entry: the entry after the change.
        what: the type of the ledger record.
        effective_at: when an end by law took effect; None for other changes.
        alerts: whether checkpoints are alerted to the change if the entry has `alerted`; False where another entry's
            alert covers it.
    """

    entry: Entry
    what: RecordType
    effective_at: datetime | None = None
    alerts: bool = True


@dataclass(frozen=True, slots=True)
class CountersignAwaited:
    """An urgent entry was filed that stops no traveller until a duty officer has countersigned it.

    Attributes:
        entry: the entry.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class PendingBegun:
    """A measure that checkpoints were alerted to is over, and papers that arrived in time are undecided (R68).

    Attributes:
        entry: the entry, whose stored version does not show the end yet.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class PendingEnded:
    """A measure has ended for good after its papers, which arrived in time, were refused or not decided on (R68).

    Attributes:
        entry: the entry after its end.
        at: when the waiting ended.
    """

    entry: Entry
    at: datetime


@dataclass(frozen=True, slots=True)
class SubjectCorrected:
    """A correction, or a formal entry after an urgent one, took effect; the person may have new data (R26, R40).

    Attributes:
        entry: the corrected entry, or the formal entry.
        before: the subject before the correction, or the urgent entry's subject.
    """

    entry: Entry
    before: Subject


@dataclass(frozen=True, slots=True)
class EntryErased:
    """Retention has erased the person from an entry; subscribers must erase their copies.

    Attributes:
        entry: its last version, which names no person.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class EntrySealed:
    """An entry that checkpoints were alerted to was sealed; they must get an alert without the identity (R61).

    Attributes:
        entry: the entry with its seal.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class DutyRecorded:
    """An officer recorded that a duty about an entry was done.

    Attributes:
        entry: the entry of the duty.
        name: name of the duty's deadline.
        done_at: when it was done, according to its officer.
    """

    entry: Entry
    name: str
    done_at: datetime


@dataclass(frozen=True, slots=True)
class SealedByItself:
    """An entry was sealed automatically because its possible subject now has an account (R61).

    The possible subject may also be a person that an undecided correction names as the subject.

    Attributes:
        entry: the entry with its seal.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class SealedEntryMet:
    """A request conflicted with a sealed entry that its submitter may not see; it was refused without naming it (R61).

    Attributes:
        entry: the sealed entry.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class RejectionConsidered:
    """A request was rejected, or a proposal to reject a countersigned urgent entry was made or decided on (R32).

    The rejection of an urgent entry in force before its countersignature is an `EntryChanged` instead.

    Attributes:
        entry: the version after the act.
        act: `REJECTED` (at once, or as proposed), `REJECTION_PROPOSED`, or `REJECTION_KEPT` (the proposal was refused).
    """

    entry: Entry
    act: Act


@dataclass(frozen=True, slots=True)
class OwnNameSearched:
    """A user searched the register for the name of their own account (R61).

    Attributes:
        by: the user.
    """

    by: Actor
