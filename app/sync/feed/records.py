"""A ledger record as readers get it: the schema, and the function that renders it for pages, lines and events."""

from typing import Any, Literal

import msgspec

from app.kit.clock import rfc3339
from app.kit.json_text import on_one_line
from app.ledger.domain import Record, RecordText, RecordType
from app.web.wire import Moment, WireOut

_encode = msgspec.json.Encoder().encode


class RecordOut(WireOut):
    """A ledger record; `personal` and `salt` are null outside the reader's scope and after erasure."""

    sequence: int
    """The record's number: dense, from 1, in commit order."""
    type: RecordType
    """What happened."""
    at: Moment
    """When it was written."""
    effective_at: Moment | None
    """When an end that the law brings by itself took effect; null for others."""
    entry_id: str | None
    """Id of the entry that it is about; null for a drill."""
    version: int | None
    """The entry's version after it; null for a drill. A copy ignores a version that it has."""
    tombstone: bool
    """Whether a copy is to take the entry out."""
    leaf: dict[str, Any]
    """What is hashed: ids, versions, types, days and commitments, nothing personal."""
    personal: dict[str, Any] | None
    """What the leaf commits to; null outside the reader's scope and after erasure."""
    salt: str | None
    """The 32 random bytes of the commitment, in hexadecimal; null where `personal` is."""
    withheld: Literal["scope", "erased"] | None
    """Why `personal` is null; null where it is not."""


def text_of(record: Record) -> RecordText:
    """Return a record in the form in which it is stored."""
    return RecordText(
        sequence=record.sequence,
        type=record.type.value,
        at=rfc3339(record.at),
        effective_at=None if record.effective_at is None else rfc3339(record.effective_at),
        entry_id=record.entry_id,
        version=record.version,
        tombstone=record.tombstone,
        agency=record.agency,
        leaf=_encode(record.leaf).decode(),
        personal=None if record.personal is None else _encode(record.personal).decode(),
        salt=record.salt,
    )


def render(record: RecordText, *, in_scope: bool) -> bytes:
    """Render a record as `RecordOut` describes it: JSON on one line, without the line's end.

    Args:
        record: the record.
        in_scope: whether the reader may see its personal part; see `domain.within_scope`.
    """
    return on_one_line(_encode(record_members(record, in_scope=in_scope)))


def record_members(record: RecordText, *, in_scope: bool) -> dict[str, Any]:
    """Return the members of a record as `RecordOut` describes them, to be encoded with others.

    Args:
        record: the record.
        in_scope: whether the reader may see its personal part; see `domain.within_scope`.
    """
    erased = record.personal is None
    shown = in_scope and not erased
    return {
        "sequence": record.sequence,
        "type": record.type,
        "at": record.at,
        "effective_at": record.effective_at,
        "entry_id": record.entry_id,
        "version": record.version,
        "tombstone": record.tombstone,
        "leaf": msgspec.Raw(record.leaf),
        "personal": msgspec.Raw(record.personal or "null") if shown else None,
        "salt": record.salt.hex() if shown and record.salt else None,
        "withheld": "erased" if erased else None if in_scope else "scope",
    }
