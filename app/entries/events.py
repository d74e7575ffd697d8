"""What happens to entries, and how the ledger tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from app.db.unit import Actor, Unit
from app.entries.acts import Act
from app.entries.domain import Entry
from app.entries.subjects import Subject
from app.kit.clock import rfc3339
from app.ledger.domain import Draft, RecordType


@dataclass(frozen=True, slots=True)
class EntryChanged:
    """An entry that checkpoints are told about has reached a new version.

    Attributes:
        entry: the entry after the change.
        what: how the ledger calls it.
        effective_at: when an end that the law brought by itself took effect.
        alerts: whether the checkpoints that were alerted are told; not where another entry's alert says it.
    """

    entry: Entry
    what: RecordType
    effective_at: datetime | None = None
    alerts: bool = True


@dataclass(frozen=True, slots=True)
class PendingBegun:
    """A measure that checkpoints were alerted about is over, and papers that arrived in time are undecided (R68).

    Attributes:
        entry: the entry, at the version that it has had before its end.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class PendingEnded:
    """A measure has ended for good whose papers had arrived in time: they were refused, or not decided on (R68).

    Attributes:
        entry: the entry after its end.
        at: when the waiting ended.
    """

    entry: Entry
    at: datetime


@dataclass(frozen=True, slots=True)
class SubjectCorrected:
    """A correction, or a formal entry behind an urgent one, is in effect that may tell more of the person (R26, R40).

    Attributes:
        entry: the entry as it is now.
        before: the person as the entry told of them until then.
    """

    entry: Entry
    before: Subject


@dataclass(frozen=True, slots=True)
class EntryErased:
    """Retention has erased the person from an entry; everything that follows the register does the same.

    Attributes:
        entry: its last version, which names nobody.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class EntrySealed:
    """An entry that checkpoints were alerted about was sealed: what they show of it must go (R61).

    Attributes:
        entry: the entry with its seal.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class DutyRecorded:
    """A duty is on record as done.

    Attributes:
        entry: the entry that it belongs to.
        name: which duty.
        done_at: when it was done, as its officer says.
    """

    entry: Entry
    name: str
    done_at: datetime


@dataclass(frozen=True, slots=True)
class SealedByItself:
    """An entry was sealed because its possible subject has an account from now on (R61).

    Attributes:
        entry: the entry with its seal.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class SealedEntryMet:
    """A request met a sealed entry that its submitter may not know of; it was refused without naming it (R61).

    Attributes:
        entry: the sealed entry.
    """

    entry: Entry


@dataclass(frozen=True, slots=True)
class RejectionConsidered:
    """A request was rejected, or the rejection of a countersigned urgent entry proposed, confirmed or refused (R32).

    Attributes:
        entry: the version that this made.
        act: `REJECTED`, `REJECTION_PROPOSED` or `REJECTION_KEPT`.
    """

    entry: Entry
    act: Act


@dataclass(frozen=True, slots=True)
class OwnNameSearched:
    """Somebody has looked in the register for the name that their own account bears (R61).

    Attributes:
        by: who.
    """

    by: Actor


async def tell_erasure(_unit: Unit, event: EntryErased) -> Sequence[Draft]:
    """The ledger's record of an erasure: a new version to take out; what stands beside it names nobody."""
    return [_draft(event.entry, RecordType.ENTRY_ERASED)]


async def tell_ledger(_unit: Unit, event: EntryChanged) -> Sequence[Draft]:
    """The ledger's record of a change: dates and codes in the leaf, everything about the person beside it."""
    return [_draft(event.entry, event.what, event.effective_at)]


def _draft(entry: Entry, what: RecordType, effective_at: datetime | None = None) -> Draft:
    return Draft(
        type=what,
        entry_id=entry.id,
        version=entry.version,
        agency=entry.agency,
        facts=_facts(entry),
        personal=personal(entry),
        effective_at=effective_at,
        tombstone=what in {RecordType.ENTRY_ENDED, RecordType.ENTRY_ERASED},
    )


def _facts(entry: Entry) -> dict[str, Any]:
    """What the leaf says of an entry, for ever: codes and days only."""
    return {
        "measure": entry.measure.value,
        "state": entry.state.value,
        "urgent": entry.urgent,
        "starts_on": entry.starts_on.isoformat(),
        "ends_on": entry.ends_on.isoformat() if entry.ends_on else None,
        "lifetime": entry.lifetime,
        "countersigned": entry.countersigned_at is not None,
        "ended_reason": entry.ended_reason.value if entry.ended_reason else None,
        "formalises": entry.formalises,
        "pending_until": rfc3339(entry.pending_until) if entry.pending_until else None,
    }


def personal(entry: Entry) -> dict[str, Any]:
    """Everything about the person and the case, as plain JSON data."""
    kept: dict[str, Any] = msgspec.to_builtins(
        {
            "office": entry.office,
            "citizenship": entry.citizenship,
            "subject": entry.subject,
            "basis": entry.basis,
            "letter": entry.letter,
            "in_force_from": entry.in_force_from,
            "in_force_until": entry.over_at,
            "extended_by": entry.extended_by,
        }
    )
    return kept
