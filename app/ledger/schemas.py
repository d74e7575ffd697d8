"""The wire of the ledger (contract section 6)."""

from typing import Any, Literal, Self

from app.ledger.domain import Record, RecordType
from app.web.wire import Moment, WireOut


class RecordOut(WireOut):
    """A ledger record; `personal` and `salt` are null outside the reader's scope and after erasure."""

    sequence: int
    type: RecordType
    at: Moment
    effective_at: Moment | None
    entry_id: str | None
    version: int | None
    tombstone: bool
    leaf: dict[str, Any]
    personal: dict[str, Any] | None
    salt: str | None
    withheld: Literal["scope", "erased"] | None

    @classmethod
    def of(cls, record: Record, *, within_scope: bool) -> Self:
        """The record as a reader may see it."""
        erased = record.personal is None
        shown = within_scope and not erased
        return cls(
            sequence=record.sequence,
            type=record.type,
            at=record.at,
            effective_at=record.effective_at,
            entry_id=record.entry_id,
            version=record.version,
            tombstone=record.tombstone,
            leaf=record.leaf,
            personal=record.personal if shown else None,
            salt=record.salt.hex() if shown and record.salt else None,
            withheld="erased" if erased else None if within_scope else "scope",
        )


class ChangesOut(WireOut):
    """Records beyond a cursor."""

    items: list[RecordOut]
    cursor: str
    head: int
    more: bool
