"""What an alert says, and how it travels; pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from app.entries.domain import Entry, Measure, State
from app.entries.periods import add_months, over_at
from app.kit.clock import legal_day, rfc3339
from app.ledger.domain import Record

DEFAULT_MESSAGE = "Data cekal mendesak / urgent entry"

SEALED_MESSAGE = (
    "Data cekal tersegel: identitas tidak ditampilkan, pemindaian dokumen perjalanan yang menentukan. / "
    "Sealed entry: no identity is shown, the scan of the travel document decides."
)
"""What checkpoints read of a sealed entry, in place of the owner's words (R61)."""


class AlertKind(StrEnum):
    """What an alert does to those who hold an earlier one (contract section 4)."""

    RAISE = "raise"
    UPDATE = "update"
    CANCEL = "cancel"
    EXERCISE = "exercise"


class ReceiptLevel(StrEnum):
    """A checkpoint's word: the machine has it, a person has seen it, or it can't be acted on."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Attributes:
        family: the first alert about the same entry; its recipients are those of every later one.
        cancelled_at: when the family was cancelled; on the first alert only.
    """

    id: str
    family: str
    entry_id: str | None
    kind: AlertKind
    agency: str | None
    issued_at: datetime
    expires_at: datetime
    acknowledge_by: datetime
    chase: tuple[str, ...]
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a checkpoint calls."""

    agency: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class LastSeen:
    """When a checkpoint was last known to be connected."""

    code: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """How far an alert has come at one checkpoint.

    Attributes:
        received_at: when its first machine had it.
        acknowledged_at: when a person first said so.
        refused_at: when it was first refused.
    """

    code: str
    received_at: datetime | None
    acknowledged_at: datetime | None
    refused_at: datetime | None


def direction_of(measure: Measure) -> str:
    """The direction in which a measure stops people."""
    return "exit" if measure is Measure.PREVENTION else "entry"


def action_on(entry: Entry, kind: AlertKind) -> str:
    """What a checkpoint is to do: hold for the supervisor until countersigned, then refuse (R32)."""
    if kind is AlertKind.CANCEL:
        return "release"
    if entry.state is State.PROVISIONAL and entry.countersigned_at is None:
        return "refer_to_supervisor"
    return f"refuse_{direction_of(entry.measure)}"


_NOBODY: Final[dict[str, Any]] = {
    "full_name": None,
    "aliases": [],
    "sex": None,
    "birth": None,
    "nationalities": [],
    "documents": [],
    "photo": None,
}
"""An alert's identity members where they say nothing."""


def message_of(alert: Alert, entry: Entry | None, contact: Contact | None, message: str) -> dict[str, Any]:
    """The alert's content as every checkpoint gets it, without what only the ledger knows (its numbers).

    No case details: the counter sees whom, what and whom to call (R48, R56); of a sealed entry not even whom (R61).
    """
    said = None
    if entry is not None:
        said = msgspec.to_builtins(
            {
                "id": entry.id,
                "version": entry.version,
                "measure": entry.measure,
                "citizenship": entry.citizenship,
                "full_name": entry.subject.full_name,
                "aliases": [alias.name for alias in entry.subject.aliases],
                "sex": entry.subject.sex,
                "birth": entry.subject.birth,
                "nationalities": entry.subject.nationalities,
                "documents": [
                    {"type": d.type, "number": d.number, "issuing_state": d.issuing_state}
                    for d in entry.subject.documents
                ],
                "photo": f"/v1/entries/{entry.id}/photo" if entry.subject.photo else None,
                "in_force_until": entry.last_instant,
            }
        )
        if entry.sealed_for is not None:
            said |= _NOBODY
            message = SEALED_MESSAGE
    return {
        "kind": alert.kind.value,
        "refers_to": None if alert.family == alert.id else alert.family,
        "issued_at": rfc3339(alert.issued_at),
        "expires_at": rfc3339(alert.expires_at),
        "urgency": "immediate",
        "message": message,
        "action": None if entry is None else action_on(entry, alert.kind),
        "direction": None if entry is None else direction_of(entry.measure),
        "acknowledge_by": rfc3339(alert.acknowledge_by),
        "chase": list(alert.chase),
        "entry": said,
        "contact": None if contact is None else {"agency": contact.agency, "phone": contact.phone},
    }


def on_the_wire(record: Record, sealed: Collection[str] = ()) -> dict[str, Any] | None:
    """An alert's ledger record as checkpoints read it; None once its personal part is erased.

    Args:
        record: the record.
        sealed: entries of which nobody is named any more, whatever the alert said when it was issued (R61).
    """
    if record.personal is None:
        return None
    said = record.personal
    if record.entry_id in sealed:
        said = {**said, "message": SEALED_MESSAGE, "entry": {**said["entry"], **_NOBODY}}
    return {
        "id": record.alert_id,
        "sequence": record.sequence,
        "previous_sequence": record.leaf["previous_sequence"],
        **said,
    }


def frame(record: Record, epoch: str, sealed: Collection[str] = ()) -> bytes | None:
    """An alert's ledger record as one server-sent event: encoded once, the same bytes for everybody."""
    message = on_the_wire(record, sealed)
    if message is None:
        return None
    data = msgspec.json.encode(message)
    return b"id: %s.%d\nevent: alert\ndata: %s\n\n" % (epoch.encode(), record.sequence, data)


def expiry_of(entry: Entry, now: datetime) -> datetime:
    """When an alert about an entry has lost its meaning; a year from now for one that is for life."""
    return over_at(entry.ends_on or add_months(legal_day(now), 12))


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    rank = max(0, -(-len(ordered) * share // 1) - 1)
    return ordered[int(rank)]
