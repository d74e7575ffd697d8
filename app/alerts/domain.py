"""What an alert says, and how it travels; pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from app.entries.answer import action_on as answered
from app.entries.answer import answer_to, direction_of, gravest
from app.entries.domain import EndedReason, Entry
from app.entries.pending import shown_until
from app.entries.periods import add_months, over_at
from app.kit.clock import legal_day, rfc3339

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
    """The contact that a checkpoint calls."""

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


def action_on(entry: Entry, kind: AlertKind, others: Collection[Entry], now: datetime) -> str:
    """What a checkpoint is to do now with the listed person: what a check would answer them (R32, R44).

    Args:
        entry: what the alert is about.
        kind: what it does to those who hold an earlier one.
        others: further entries against the same person that hold in the same direction.
        now: when it is issued.
    """
    direction = direction_of(entry.measure)
    own = answer_to(entry.subject, entry, now)
    if kind is not AlertKind.CANCEL and own != "clear":
        return answered(own, direction)
    found = gravest([own, *(answer_to(entry.subject, other, now) for other in others)])
    if found == "clear":  # an end releases; what only begins later is for the supervisor to see
        return "release" if kind is AlertKind.CANCEL else "refer_to_supervisor"
    return answered(found, direction)


_ENDINGS: Final[dict[EndedReason | None, tuple[str, str]]] = {
    EndedReason.EXPIRED: ("jangka waktunya habis", "its period is over"),
    EndedReason.LAPSED: ("berakhir demi hukum", "it ended by law"),
    EndedReason.REVOKED: ("dicabut", "it was revoked"),
    EndedReason.ACQUITTED: ("berakhir demi hukum", "it ended by law"),
    EndedReason.ANNULLED: ("dibatalkan", "it was annulled"),
    EndedReason.SUPERSEDED: ("digantikan", "it was replaced"),
    None: ("permintaannya ditolak", "its request was rejected"),
}
"""Why a measure ended, without the case: what stands in it is not for the counter (R48, R56)."""


def ending_words(entry: Entry, others: Collection[Entry]) -> str:
    """What a checkpoint reads when a measure has ended, in both languages: why, and whether another still holds.

    The owner's own words told the counter to hold the person, and are not repeated.
    """
    why_id, why_en = _ENDINGS[entry.ended_reason]
    if others:
        rest_id = "Tindakan lain masih berlaku terhadap orang ini: tahan untuk supervisor."
        rest_en = "Another measure against this person still holds: keep them for the supervisor."
    else:
        rest_id = "Jangan lagi menahan orang ini atas dasar data tersebut."
        rest_en = "Hold this person for it no longer."
    return f"Data cekal ini berakhir: {why_id}. {rest_id} / This entry has ended: {why_en}. {rest_en}"


NOBODY: Final[dict[str, Any]] = {
    "full_name": None,
    "aliases": [],
    "sex": None,
    "birth": None,
    "nationalities": [],
    "documents": [],
    "photo": None,
}
"""An alert's identity members where they say nothing."""


def message_of(
    alert: Alert,
    entry: Entry | None,
    contact: Contact | None,
    message: str,
    others: Collection[Entry] = (),
) -> dict[str, Any]:
    """The alert's content as every checkpoint gets it, without what only the ledger knows (its numbers).

    No case details: the counter sees the person, the action and the contact to call (R48, R56); of a sealed
    entry it does not even see the person (R61).

    Args:
        alert: what is issued.
        entry: what it is about; None for a drill.
        contact: the person that the counter calls.
        message: the owner's words, or a drill's; a cancel has its own.
        others: further entries against the same person that hold in the same direction.
    """
    said = None
    if entry is not None:
        pending_until = shown_until(entry, alert.issued_at)
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
                "pending_until": pending_until and rfc3339(pending_until),
            }
        )
        if alert.kind is AlertKind.CANCEL:
            message = ending_words(entry, others)
        if entry.sealed_for is not None:
            said |= NOBODY
            message = SEALED_MESSAGE
    return {
        "kind": alert.kind.value,
        "refers_to": None if alert.family == alert.id else alert.family,
        "issued_at": rfc3339(alert.issued_at),
        "expires_at": rfc3339(alert.expires_at),
        "urgency": "immediate",
        "message": message,
        "action": None if entry is None else action_on(entry, alert.kind, others, alert.issued_at),
        "direction": None if entry is None else direction_of(entry.measure),
        "acknowledge_by": rfc3339(alert.acknowledge_by),
        "chase": list(alert.chase),
        "entry": said,
        "contact": None if contact is None else {"agency": contact.agency, "phone": contact.phone},
    }


def expiry_of(entry: Entry, now: datetime) -> datetime:
    """When an alert about an entry has lost its meaning; a year from now for one that is for life.

    After the end, while papers are undecided, with their time (R68).
    """
    pending_until = shown_until(entry, now)
    if pending_until is not None:
        return pending_until
    return over_at(entry.ends_on or add_months(legal_day(now), 12))


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of the values does not exceed (nearest rank)."""
    if not values:
        return None
    ordered = sorted(values)
    rank = max(0, -(-len(ordered) * share // 1) - 1)
    return ordered[int(rank)]
