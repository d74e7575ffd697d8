"""Renders a ledger record as `RecordOut` describes it, in one place for pages, lines, events and snapshots.

It imports no framework: the process that makes snapshots starts with it.
"""

import msgspec

from app.kit.clock import rfc3339
from app.kit.json_text import on_one_line
from app.ledger.domain import Record, RecordText

_encode = msgspec.json.Encoder().encode


class RecordMembers(msgspec.Struct):
    """The members of a record as msgspec encodes them to JSON; their order here is their order in the JSON text."""

    sequence: int
    type: str
    at: str
    effective_at: str | None
    entry_id: str | None
    version: int | None
    tombstone: bool
    leaf: msgspec.Raw = msgspec.Raw(b"null")
    personal: msgspec.Raw | None = None
    salt: str | None = None
    withheld: str | None = None


members_in = msgspec.json.Decoder(RecordMembers).decode
"""Returns the members of a record that its leaf repeats, from the leaf's JSON; `complete` sets the others.

It raises msgspec.DecodeError if the text is not the leaf of a record.
"""


def text_of(record: Record) -> RecordText:
    """Return a record in the form in which the database stores it.

    Instants become RFC 3339 text; leaf and personal part become JSON text.
    """
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
    """Return a record as one line of JSON with the members of `RecordOut`; the line break is not included.

    Args:
        record: the record.
        in_scope: whether the reader may see the record's personal part. If not, or once the part is erased, `personal`
            and `salt` are null.
    """
    return on_one_line(_encode(members_of(record, in_scope=in_scope)))


def members_of(record: RecordText, *, in_scope: bool) -> RecordMembers:
    """Return the members of a record, for msgspec to encode.

    `in_scope` is whether the reader may see the record's personal part; if not, `personal` and `salt` are None, and
    `withheld` is `scope`. Once the personal part is erased, they are None in any case, and `withheld` is `erased`.
    """
    sequence, kind, at, effective_at, entry_id, version, tombstone, _, leaf, personal, salt = record
    members = RecordMembers(
        sequence,
        kind,
        at,
        effective_at,
        entry_id,
        version,
        bool(tombstone),  # SQLite's driver returns a number
    )
    return complete(members, leaf, personal, salt, in_scope=in_scope)


def complete(
    members: RecordMembers, leaf: str, personal: str | None, salt: bytes | None, *, in_scope: bool
) -> RecordMembers:
    """Set `leaf`, `personal`, `salt` and `withheld` of a record, as `members_of` describes them. Returns `members`."""
    members.leaf = msgspec.Raw(leaf)
    members.personal = members.salt = members.withheld = None
    if personal is None:
        members.withheld = "erased"
    elif not in_scope:
        members.withheld = "scope"
    else:
        members.personal = msgspec.Raw(personal)
        members.salt = salt.hex() if salt else None
    return members
