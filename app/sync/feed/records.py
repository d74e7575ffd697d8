"""A ledger record as readers get it: the schema of what `rendering` renders."""

from typing import Any, Literal

from app.ledger.domain import RecordType
from app.web.wire import Moment, WireOut


class RecordOut(WireOut):
    """A record of the ledger: its hashed part (`leaf`), and the personal data to which the leaf commits (`personal`).

    `personal` and `salt` are null if the reader may not see them, or once they are erased; `withheld` gives the reason.
    """

    sequence: int
    """The record's number: dense, from 1, in commit order."""
    type: RecordType
    """What happened."""
    at: Moment
    """When the record was written."""
    effective_at: Moment | None
    """When an end took effect: an end of an entry by law or by the list from which it was imported, or any end of a
    clearance. Null for other ends and other records."""
    entry_id: str | None
    """Id of the entry that the record is about; null if it is about none, as a drill or a seal."""
    version: int | None
    """The entry's version after the record; for a clearance, the version that the clearance covers; null if the record
    is about no version. A copy that has this version of the entry ignores a record whose type begins with `entry.`."""
    tombstone: bool
    """Whether a copy must remove the entry."""
    leaf: dict[str, Any]
    """What is hashed: ids, versions, types, days and commitments, nothing personal."""
    personal: dict[str, Any] | None
    """The personal data to which the leaf commits; null if the reader may not see them, or once they are erased."""
    salt: str | None
    """The 32 random bytes of the commitment, in hexadecimal; null if `personal` is null."""
    withheld: Literal["scope", "erased"] | None
    """Why `personal` is null: `scope`, the reader may not see it; `erased`. Null if `personal` is shown."""
