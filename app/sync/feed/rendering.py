"""Renders a ledger record as `RecordOut` describes it, in one place for pages, lines, events and snapshots.

It imports no framework: the process that makes snapshots starts with it.
"""

import msgspec

from app.kit.clock import rfc3339
from app.kit.json_text import on_one_line
from app.ledger.domain import Record, RecordText

_encode = msgspec.json.Encoder().encode


class RecordMembers(msgspec.Struct):
    """The members of a record, in the order in which they are rendered."""

    sequence: int
    type: str
    at: str
    effective_at: str | None
    entry_id: str | None
    version: int | None
    tombstone: bool
    leaf: msgspec.Raw
    personal: msgspec.Raw | None
    salt: str | None
    withheld: str | None


def text_of(record: Record) -> RecordText:
    """Return a record with its values as texts, in the form in which the database stores them."""
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
    """Return a record as JSON on one line, without the line's end; it has the members of `RecordOut`.

    Args:
        record: the record.
        in_scope: whether the reader may see its personal part; see `domain.within_scope`.
    """
    return on_one_line(_encode(members_of(record, in_scope=in_scope)))


def members_of(record: RecordText, *, in_scope: bool) -> RecordMembers:
    """Return the members of a record, for msgspec to encode.

    Unless `in_scope` is true, the personal part and the salt are None (see `domain.within_scope`).
    """
    sequence, kind, at, effective_at, entry_id, version, tombstone, _, leaf, personal, salt = record
    shown = in_scope and personal is not None
    return RecordMembers(
        sequence,
        kind,
        at,
        effective_at,
        entry_id,
        version,
        bool(tombstone),  # SQLite's driver returns a number
        msgspec.Raw(leaf),
        msgspec.Raw(personal) if shown and personal else None,
        salt.hex() if shown and salt else None,
        "erased" if personal is None else None if in_scope else "scope",
    )
