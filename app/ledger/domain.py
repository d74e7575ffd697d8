"""The types of ledger records, and the rules for building them (no I/O)."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from app.errors import CursorGone, Fault, Invalid
from app.kit.canonical import canonical
from app.kit.clock import rfc3339

LEAF_FORMAT = 1


class LedgerBroken(Exception):
    """Records, numbers and hashes of the ledger contradict each other; the message describes how."""


class RecordType(StrEnum):
    """The types of ledger records: what happened to an entry, an alert, a clearance or the register itself.

    The list is closed. A record of type `seal` contains the root of a digest or of a batch of the query log.
    """

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
    REGISTER_RESTORED = "register.restored"
    SEAL = "seal"

    @property
    def is_alert(self) -> bool:
        """Whether records of this type are about an alert to checkpoints, and so belong to the stream of alerts."""
        return self.value.startswith("alert.")

    @property
    def is_entry(self) -> bool:
        """Whether each record of this type is about a new version of an entry."""
        return self.value.startswith("entry.")


@dataclass(frozen=True, slots=True)
class Draft:
    """A record that has no number yet: `append` numbers it and writes it to the ledger.

    Attributes:
        type: the type of the record.
        entry_id: the entry that the record is about; None if it is about none, as for a drill (a test alert) or a seal.
        version: the entry's version after the event, or the version that a clearance covers; None if the record is
            about no version.
        agency: code of the agency that owns the entry or the drill; None without one.
        facts: further members of the leaf, the hashed part of the record; they differ by type. Only ids, versions,
            types, hashes and dates, never personal data.
        personal: the data that retention may erase later; stored outside the leaf, which contains a commitment to it.
            Empty if the record has no personal data.
        effective_at: when the end took effect, if the record is about the end of a clearance, or about an entry's end
            by law or by the list from which the entry was imported; otherwise None.
        tombstone: whether holders of a copy must remove the entry from it.
        alert_id: the alert, if the record is about one; else None.
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
    """A numbered record: the hashed part (`leaf`), and the personal part, to which the leaf contains a commitment.

    Attributes:
        sequence: the record's number.
        type: the type of the record.
        at: when the record was written.
        effective_at: when the end took effect, if the record is about the end of a clearance, or about an entry's end
            by law or by the list from which the entry was imported; otherwise None.
        entry_id: the entry that the record is about; None if it is about none.
        version: the entry's version after the event, or the version that a clearance covers; None if the record is
            about no version.
        tombstone: whether holders of a copy must remove the entry from it.
        alert_id: the alert, if the record is about one; else None.
        agency: code of the agency that owns the entry or the drill; None without one.
        leaf: what is hashed: the version of the leaf's format, the members above, the commitment, and the `facts` of
            the draft. Only the leaf of an alert has `alert_id`, and with it the sequence of the alert before.
        personal: the personal data, such as the entry's subject; None once erased.
        salt: the random bytes of the commitment; None once the personal part is erased.
    """

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


class RecordText(NamedTuple):
    """A record as it is stored: instants are RFC 3339 text, leaf and personal part are JSON text.

    Such a record can be sent on without parsing. The members are those of `Record`, without `alert_id`; `personal` and
    `salt` are None once the personal part is erased.
    """

    sequence: int
    type: str
    at: str
    effective_at: str | None
    entry_id: str | None
    version: int | None
    tombstone: bool
    agency: str | None
    leaf: str
    personal: str | None
    salt: bytes | None


@dataclass(frozen=True, slots=True)
class Selection:
    """The records that a reader requests.

    Attributes:
        types: only records of these types; empty for every type.
        entry_id: only records about this entry, its alerts and its clearances; None for all records.
    """

    types: frozenset[str] = frozenset()
    entry_id: str | None = None

    def includes(self, kind: str, entry_id: str | None) -> bool:
        """Return whether a record of the type `kind` about the entry `entry_id` (None: about no entry) is selected."""
        return (not self.types or kind in self.types) and self.entry_id in {None, entry_id}


@dataclass(frozen=True, slots=True)
class Closures:
    """Which of some entries are closed: an entry is closed once it was sealed, and is never opened again.

    Attributes:
        closed: ids of the closed entries; only auditors may see the personal part of their records.
        barred: by the id of a closed entry, the persons that never see that personal part, not even as auditors; closed
            entries without such persons are omitted.
        erased: ids of the closed entries that were erased after records about them had been read. Nobody may see the
            personal part of these records, because the persons barred from it are no longer known.
    """

    closed: frozenset[str] = frozenset()
    barred: Mapping[str, frozenset[str]] = field(default_factory=dict)
    erased: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Head:
    """The ledger's end: its epoch and its number of records.

    Attributes:
        epoch: random id, made with the register and at every restore; cursors of other epochs are invalid.
        size: number of records, which is also the last sequence; 0 for an empty ledger.
        last_alert: sequence of the last record about an alert; 0 before the first.
    """

    epoch: str
    size: int
    last_alert: int

    def cursor(self, sequence: int | None = None) -> str:
        """Return the cursor (`epoch.sequence`) of a sequence; without a sequence, the cursor of the last record."""
        return f"{self.epoch}.{self.size if sequence is None else sequence}"

    def position(self, cursor: str | None, restart: str) -> int:
        """Return the sequence in the cursor that a reader sent; 0 without a cursor.

        Args:
            cursor: the cursor; None or empty without one.
            restart: the path at which a reader with an invalid cursor must restart; the problem document contains it.

        Raises:
            Invalid: the text is not a cursor.
            CursorGone: the cursor is of another register or epoch, or beyond the head.
        """
        if not cursor:
            return 0
        epoch, dot, text = cursor.rpartition(".")
        if not dot or not text.isascii() or not text.isdigit() or len(text) > 15:  # noqa: PLR2004 - below 2**53
            raise Invalid("The cursor is not one of this service.", faults=[_CURSOR_FAULT])
        if epoch != self.epoch:
            detail = "The cursor was given before the register was restored, or by another register."
            raise CursorGone(detail, extra={"restart": restart})
        if int(text) > self.size:
            raise CursorGone("The cursor is beyond the register's head.", extra={"restart": restart})
        return int(text)


@dataclass(frozen=True, slots=True)
class NotedRollback:
    """A note, stored in the database, that the database was rolled back to an earlier state.

    Attributes:
        epoch: the ledger's epoch in which the rollback was noticed.
        origin: the origin of the highest known head that the database lacks; empty if only its size is known.
        size: the number of records of that head.
        found: the number of records that the database had when the rollback was noticed.
    """

    epoch: str
    origin: str
    size: int
    found: int


@dataclass(frozen=True, slots=True)
class Inclusion:
    """A proof that the ledger contains a record.

    Attributes:
        sequence: the record's number.
        size: the size of the ledger that the proof is about.
        path: the hashes of the audit path, from the leaf upwards.
        root: the ledger's Merkle root at this size.
    """

    sequence: int
    size: int
    path: list[bytes]
    root: bytes


_CURSOR_FAULT = Fault(
    "", "cursor", "A cursor is an epoch and a sequence, joined by a dot, as answered before."
)


def numbered(draft: Draft, sequence: int, at: datetime, previous_alert: int | None) -> Record:
    """Return the record that a draft becomes: with its number, its time, its leaf, and the salt of the commitment.

    The commitment to the personal part is SHA-256 over 32 random bytes (the salt) and the personal part's RFC 8785
    form. After salt and personal part are erased, the leaf still verifies and reveals nothing.

    Args:
        draft: the draft.
        sequence: the record's number.
        at: when the record is written.
        previous_alert: sequence of the last record about an alert before this one, which goes into the leaf of an
            alert; None or 0 without one.
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
