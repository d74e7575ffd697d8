"""Kinds, content and expiry of alerts (no I/O)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from app.kit.clock import legal_day, rfc3339
from app.register.entries.answer import action_on as answered
from app.register.entries.answer import answer_to, direction_of, gravest
from app.register.entries.domain import EndedReason, Entry
from app.register.entries.law.periods import add_months, over_at
from app.register.entries.pending import shown_until

DEFAULT_MESSAGE = "Data cekal mendesak / urgent entry"
"""Message of an alert for whose entry the owner wrote none."""

SEALED_MESSAGE = (
    "Data cekal tersegel: identitas tidak ditampilkan, pemindaian dokumen perjalanan yang menentukan. / "
    "Sealed entry: no identity is shown, the scan of the travel document decides."
)
"""Message of an alert about a sealed entry, in place of the owner's words (R61)."""

SEALED_ENDED_MESSAGE = (
    "Data cekal tersegel ini berakhir: jangan lagi menahan siapa pun atas dasar data tersebut, pemindaian dokumen "
    "perjalanan yang menentukan. / "
    "This sealed entry has ended: hold nobody for it any longer, the scan of the travel document decides."
)
"""Message of a cancel about a sealed entry (R61)."""


class AlertKind(StrEnum):
    """The effect of an alert (API section 4).

    `raise` begins a family of alerts about an entry, `update` changes what the family says, `cancel` ends the family.
    `exercise` is a drill, which is about nobody and a family of its own.
    """

    RAISE = "raise"
    UPDATE = "update"
    CANCEL = "cancel"
    EXERCISE = "exercise"


class ReceiptLevel(StrEnum):
    """A receipt's level: received by a machine, acknowledged by a person, or refused because it can't be acted on."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, order=True)
class Receipt:
    """A receipt of an alert by a client of a checkpoint. Later ones of the same alert, client and level are not stored.

    Attributes:
        checkpoint: code of the client's checkpoint.
        officer_reference: the officer, by the checkpoint's own name or number; None if not given.
        note: a note, for the level `refused` the reason; None if not given.
    """

    alert_id: str
    client_id: str
    level: ReceiptLevel
    checkpoint: str
    officer_reference: str | None = field(default=None, compare=False)
    note: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, without its message and content, which are in the ledger.

    A family is an alert with the later alerts that update or cancel it; all of them have the same recipients.

    Attributes:
        family: id of the family's first alert.
        entry_id: id of the entry; None for a drill.
        agency: code of the entry's owner; for a drill, the agency of the officer that called it, or None.
        acknowledge_by: time limit for the acknowledgement by an officer at each checkpoint.
        chase: codes of the checkpoints to call first if nobody acknowledges the alert.
        cancelled_at: on the family's first alert: when the family was cancelled, None while it is not. On later alerts
            always None.
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
    """The agency that a checkpoint calls about an alert: its code, and its phone number; None without a number."""

    agency: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class LastSeen:
    """A checkpoint's code, and the last time at which it was known to be connected."""

    code: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """The times at which one checkpoint first received, acknowledged or refused an alert.

    Attributes:
        received_at: when the first receipt of any level came from the checkpoint; None before.
        acknowledged_at: when an officer first acknowledged it; None before.
        refused_at: when the checkpoint first refused it; None before.
    """

    code: str
    received_at: datetime | None
    acknowledged_at: datetime | None
    refused_at: datetime | None


def action_on(entry: Entry, kind: AlertKind, others: Collection[Entry], now: datetime) -> str:
    """Return the action that an alert demands of checkpoints, such as `refuse_exit` or `release` (R32, R44).

    It is the action that a check at `now` would answer, by the entry and `others`. If none of them stops the person, a
    cancel demands `release`, every other kind `refer_to_supervisor`.

    Args:
        entry: the entry that the alert is about.
        kind: kind of the alert.
        others: further entries of the same measure that stop the person now (`list_stopping`).
        now: when the alert is issued.
    """
    answer = gravest(answer_to(entry.subject, each, now) for each in (entry, *others))
    if answer == "clear":  # an end releases the person; a measure that begins later goes to the supervisor
        return "release" if kind is AlertKind.CANCEL else "refer_to_supervisor"
    return answered(answer, direction_of(entry.measure))


_ENDINGS: Final[dict[EndedReason | None, tuple[str, str]]] = {
    EndedReason.EXPIRED: ("jangka waktunya habis", "its period is over"),
    EndedReason.LAPSED: ("berakhir demi hukum", "it ended by law"),
    EndedReason.REVOKED: ("dicabut", "it was revoked"),
    EndedReason.ACQUITTED: ("berakhir demi hukum", "it ended by law"),
    EndedReason.ANNULLED: ("dibatalkan", "it was annulled"),
    EndedReason.SUPERSEDED: ("digantikan", "it was replaced"),
    None: ("permintaannya ditolak", "its request was rejected"),
}
"""Why a measure ended, in Indonesian and English, without case details, which counters may not see (R48, R56)."""


def ending_words(entry: Entry, others: Collection[Entry]) -> str:
    """Return the message of a cancel, in Indonesian and English.

    It says why the measure ended, and whether another measure still stops the person.

    The owner's message is not repeated, because it instructed the counter to stop the person. `others` are the other
    entries of the same measure that stop the person now (`list_stopping`).
    """
    why_id, why_en = _ENDINGS[entry.ended_reason]
    if others:
        rest_id = "Tindakan lain masih berlaku terhadap orang ini: tahan untuk supervisor."
        rest_en = "Another measure against this person still holds: keep them for the supervisor."
    else:
        rest_id = "Jangan lagi menahan orang ini atas dasar data tersebut."
        rest_en = "Hold this person for it no longer."
    return f"Data cekal ini berakhir: {why_id}. {rest_id} / This entry has ended: {why_en}. {rest_en}"


EMPTY_IDENTITY: Final[dict[str, Any]] = {
    "full_name": None,
    "aliases": [],
    "sex": None,
    "birth": None,
    "nationalities": [],
    "documents": [],
    "photo": None,
}
"""The identity members of an alert's entry, all null or empty."""


def message_of(
    alert: Alert,
    entry: Entry | None,
    contact: Contact | None,
    message: str,
    others: Collection[Entry] = (),
) -> dict[str, Any]:
    """Return an alert's content as JSON members, as every checkpoint receives it; its ledger numbers are added later.

    The content has the person, the action and the contact to call, and no details of the case (R48, R56). For a sealed
    entry it does not show the person either (R61).

    Args:
        alert: the alert.
        entry: the entry that the alert is about; None for a drill.
        contact: the contact that the counter calls; None for a drill.
        message: the text that the owner or the drill's caller wrote. A cancel shows `ending_words` in its place. An
            alert about a sealed entry shows `SEALED_MESSAGE`, or `SEALED_ENDED_MESSAGE` if it is a cancel.
        others: further entries of the same measure that stop the person now (`list_stopping`).
    """
    shown = None
    if entry is not None:
        pending_until = shown_until(entry, alert.issued_at)
        shown = msgspec.to_builtins(
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
        ended = alert.kind is AlertKind.CANCEL
        if entry.sealed_for is not None:
            shown |= EMPTY_IDENTITY
            message = SEALED_ENDED_MESSAGE if ended else SEALED_MESSAGE
        elif ended:
            message = ending_words(entry, others)
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
        "entry": shown,
        "contact": None if contact is None else {"agency": contact.agency, "phone": contact.phone},
    }


def expiry_of(entry: Entry, now: datetime) -> datetime:
    """Return when an alert about an entry expires: at the measure's end, or a year after `now` if it is for life.

    If the measure is over and papers that extend or follow it arrived in time and are undecided, the alert expires when
    the wait for their decision ends (R68).
    """
    pending_until = shown_until(entry, now)
    if pending_until is not None:
        return pending_until
    return over_at(entry.ends_on or add_months(legal_day(now), 12))


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the percentile of some values by nearest rank; None if `values` is empty.

    Args:
        values: the values, in any order.
        share: the percentile as a fraction, 0.5 for the median.
    """
    if not values:
        return None
    ordered = sorted(values)
    rank = max(0, -(-len(ordered) * share // 1) - 1)
    return ordered[int(rank)]
