"""What a ledger record is; pure."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.errors import CursorGone, Fault, Invalid
from app.kit.canonical import canonical
from app.kit.clock import rfc3339

LEAF_FORMAT = 1


class RecordType(StrEnum):
    """The closed vocabulary of the ledger (contract section 6)."""

    ENTRY_LISTED = "entry.listed"
    ENTRY_PROVISIONAL = "entry.provisional"
    ENTRY_COUNTERSIGNED = "entry.countersigned"
    ENTRY_CORRECTED = "entry.corrected"
    ENTRY_EXTENDED = "entry.extended"
    ENTRY_ENDED = "entry.ended"
    ENTRY_ERASED = "entry.erased"
    ALERT_RAISED = "alert.raised"
    ALERT_UPDATED = "alert.updated"
    ALERT_CANCELLED = "alert.cancelled"
    CLEARANCE_GRANTED = "clearance.granted"
    CLEARANCE_ENDED = "clearance.ended"

    @property
    def is_alert(self) -> bool:
        """Whether records of this type travel on the alert stream."""
        return self.value.startswith("alert.")

    @property
    def is_entry(self) -> bool:
        """Whether records of this type are an entry's own: each a version of it."""
        return self.value.startswith("entry.")


@dataclass(frozen=True, slots=True)
class Draft:
    """A record before it has a number.

    Attributes:
        type: what happened.
        entry_id: the entry it is about; None for a drill.
        version: the entry's version after it.
        agency: owner of what happened.
        facts: further members of the leaf: ids, versions, types, dates only, never personal data.
        personal: everything that retention may erase one day; kept beside the leaf, bound by a commitment.
        effective_at: when an end that the law brings by itself took effect.
        tombstone: whether a follower is to take the entry out of its copy.
        alert_id: the alert, on records of alerts.
    """

    type: RecordType
    entry_id: str | None
    version: int | None
    agency: str | None
    facts: dict[str, Any]
    personal: dict[str, Any]
    effective_at: datetime | None = None
    tombstone: bool = False
    alert_id: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A numbered record: what is hashed (`leaf`), and what the leaf only commits to (`personal`)."""

    sequence: int
    type: RecordType
    at: datetime
    effective_at: datetime | None
    entry_id: str | None
    version: int | None
    tombstone: bool
    alert_id: str | None
    agency: str | None
    leaf: dict[str, Any]
    personal: dict[str, Any] | None
    salt: bytes | None


@dataclass(frozen=True, slots=True)
class Head:
    """The ledger's end: how many records there are, in which epoch.

    Attributes:
        epoch: random id made with the register and at every restore; a cursor of another epoch is worthless.
        size: number of records, which is also the last sequence.
        last_alert: sequence of the last alert record, 0 before the first.
    """

    epoch: str
    size: int
    last_alert: int

    def cursor(self, sequence: int | None = None) -> str:
        """The cursor of a sequence, by default of the head."""
        return f"{self.epoch}.{self.size if sequence is None else sequence}"

    def position(self, cursor: str | None) -> int:
        """The sequence that a reader's cursor stands at; 0 without a cursor.

        Raises:
            Invalid: the text is no cursor.
            CursorGone: it belongs to another register, or lies beyond the head.
        """
        if not cursor:
            return 0
        epoch, dot, text = cursor.rpartition(".")
        if not dot or not text.isascii() or not text.isdigit() or len(text) > 15:  # noqa: PLR2004 - below 2**53
            raise Invalid("The cursor is not one of this service.", faults=[_CURSOR_FAULT])
        if epoch != self.epoch:
            raise CursorGone("The cursor belongs to another register.", extra=_RESTART)
        if int(text) > self.size:
            raise CursorGone("The cursor lies beyond the register's head.", extra=_RESTART)
        return int(text)


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That a record is in the ledger: the audit path from its leaf to the root of a stated size."""

    sequence: int
    size: int
    path: list[bytes]
    root: bytes


_CURSOR_FAULT = Fault(
    "", "cursor", "A cursor is an epoch and a sequence, joined by a dot, as answered before."
)
_RESTART = {"snapshot": "/v1/snapshot"}


def numbered(draft: Draft, sequence: int, at: datetime, previous_alert: int | None) -> Record:
    """Give a draft its number: build the leaf and bind the personal part to it by a salted commitment.

    The commitment is SHA-256 over 32 random bytes and the personal part's RFC 8785 form, so that erasing salt
    and personal part leaves a leaf that verifies and says nothing.
    """
    salt = secrets.token_bytes(32)
    leaf: dict[str, Any] = {
        "v": LEAF_FORMAT,
        "sequence": sequence,
        "type": draft.type.value,
        "at": rfc3339(at),
        "effective_at": rfc3339(draft.effective_at) if draft.effective_at else None,
        "entry_id": draft.entry_id,
        "version": draft.version,
        "agency": draft.agency,
        "tombstone": draft.tombstone,
        "commitment": hashlib.sha256(salt + canonical(draft.personal)).hexdigest(),
        **draft.facts,
    }
    if draft.alert_id is not None:
        leaf |= {"alert_id": draft.alert_id, "previous_sequence": previous_alert or None}
    return Record(
        sequence=sequence,
        type=draft.type,
        at=at,
        effective_at=draft.effective_at,
        entry_id=draft.entry_id,
        version=draft.version,
        tombstone=draft.tombstone,
        alert_id=draft.alert_id,
        agency=draft.agency,
        leaf=leaf,
        personal=draft.personal,
        salt=salt,
    )
