"""Every SQL statement of the ledger."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Executable, Row, bindparam, case, delete, func, insert, select, update

from app.db.bulk import BulkInsert
from app.db.postgresql import CHANNEL
from app.db.types import any_of, any_pair_of
from app.db.unit import Reader, Unit
from app.kit.merkle import Node
from app.ledger.domain import Head, Record, RecordType
from app.ledger.tables import barred as barred_table
from app.ledger.tables import closed as closed_table
from app.ledger.tables import head as head_table
from app.ledger.tables import node as node_table
from app.ledger.tables import record as record_table

LOCK = 0x63656B616C

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

_HEAD = select(head_table.c.epoch, head_table.c.size, head_table.c.last_alert)
_AFTER = (
    select(record_table)
    .where(record_table.c.sequence > bindparam("after"))
    .order_by(record_table.c.sequence)
    .limit(bindparam("limit"))
)
_ALERTS_AFTER = _AFTER.where(record_table.c.alert_id.is_not(None))
_NODES = select(node_table.c.level, node_table.c.index, node_table.c.hash).where(
    any_pair_of(node_table.c.level, node_table.c.index, "nodes")
)
_ADD = BulkInsert(
    (record_table, [column.name for column in record_table.c]),
    (node_table, ["level", "index", "hash"]),
)
_OFFSET = bindparam("last_alert_offset", type_=BigInteger)
_TAKE = (
    update(head_table)
    .values(
        size=head_table.c.size + bindparam("count", type_=BigInteger),
        last_alert=case((_OFFSET > 0, head_table.c.size + _OFFSET), else_=head_table.c.last_alert),
        previous_alert=head_table.c.last_alert,
    )
    .returning(head_table.c.size, head_table.c.previous_alert)
)
_TAKE_AND_WAKE = _TAKE.returning(func.pg_notify(CHANNEL, ""))
_OWN = record_table.c.type.in_([kind.value for kind in RecordType if kind.is_entry])
"""A record is the entry's own: a version of it, not an alert or a clearance about it."""


async def found(unit: Unit) -> None:
    """Lay the foundation: the head of an empty ledger with a new epoch, once.

    It comes first when a register is founded: the lock lets one machine at a time lay the rest as well.
    """
    if not unit.is_sqlite:
        await unit.run(select(func.pg_advisory_xact_lock(LOCK)))
    if (await unit.run(select(head_table.c.id))).first() is None:
        values = {"id": 1, "epoch": secrets.token_hex(8), "size": 0, "last_alert": 0, "previous_alert": 0}
        await unit.run(insert(head_table).values(**values, created_at=unit.now))


async def head(reader: Reader) -> Head:
    """The ledger's end as this transaction sees it."""
    return Head(*(await reader.run(_HEAD)).one())


async def take_numbers(unit: Unit, count: int, last_alert_offset: int) -> tuple[int, int]:
    """Reserve `count` numbers under the one lock that makes number order commit order; wakes the others at commit.

    The lock is that of the head's row. A transaction that waits for it sees the row as the one before has
    left it; a read of anything else must be a statement of its own after this one, to see what was committed
    meanwhile.

    Args:
        unit: the transaction, which must do nothing slow from here on.
        count: how many records will be inserted.
        last_alert_offset: position (from 1) of the last alert among them; 0 when there is none.

    Returns:
        The size before, and the last alert's sequence before.
    """
    statement = _TAKE if unit.is_sqlite else _TAKE_AND_WAKE
    taken = {"count": count, "last_alert_offset": last_alert_offset}
    size, previous_alert, *_ = (await unit.run(statement, taken)).one()
    return size - count, previous_alert


async def nodes(reader: Reader, wanted: Sequence[Node]) -> dict[Node, bytes]:
    """The stored hashes of the named nodes."""
    if not wanted:
        return {}
    rows = await reader.run(_NODES, {"nodes": wanted})
    return {(level, index): stored for level, index, stored in rows}


async def add(
    unit: Unit, records: Sequence[Record], leaves: Sequence[bytes], hashes: dict[Node, bytes]
) -> None:
    """Insert numbered records, each with its leaf as it was hashed, and the nodes that they complete."""
    rows = [_row(record, leaf) for record, leaf in zip(records, leaves, strict=True)]
    await _ADD.run(unit, rows, [(level, index, value) for (level, index), value in hashes.items()])


async def list_after(reader: Reader, after: int, limit: int, *, alerts_only: bool = False) -> list[Record]:
    """Records beyond a sequence, in order."""
    statement = _ALERTS_AFTER if alerts_only else _AFTER
    return [_record(row) for row in await reader.run(statement, {"after": after, "limit": limit})]


async def list_of_alerts(reader: Reader, alert_ids: Sequence[str]) -> list[Record]:
    """The records of the named alerts, in order."""
    if not alert_ids:
        return []
    wanted = record_table.c.alert_id.in_(alert_ids)
    statement = select(record_table).where(wanted).order_by(record_table.c.sequence)
    return [_record(row) for row in await reader.run(statement)]


async def list_of_entry(reader: Reader, entry_id: str, upto: int | None = None) -> list[Record]:
    """Every record about an entry, its alerts' included, in order; of the ledger's first `upto`, if given."""
    statement = (
        select(record_table).where(record_table.c.entry_id == entry_id).order_by(record_table.c.sequence)
    )
    if upto is not None:
        statement = statement.where(record_table.c.sequence <= upto)
    return [_record(row) for row in await reader.run(statement)]


async def last_of_entries(reader: Reader, entry_ids: Sequence[str]) -> dict[str, int]:
    """The sequence of each entry's last own record, where there is one."""
    if not entry_ids:
        return {}
    statement = (
        select(record_table.c.entry_id, func.max(record_table.c.sequence))
        .where(record_table.c.entry_id.in_(entry_ids), _OWN)
        .group_by(record_table.c.entry_id)
    )
    return dict(await _pairs(reader, statement))


async def sequences_of_entry(reader: Reader, entry_id: str) -> dict[int, int]:
    """The sequence of the first record of each version of an entry that the ledger holds."""
    statement = (
        select(record_table.c.version, func.min(record_table.c.sequence))
        .where(record_table.c.entry_id == entry_id, _OWN)
        .group_by(record_table.c.version)
    )
    return dict(await _pairs(reader, statement))


async def erase_of_entry(unit: Unit, entry_id: str) -> int:
    """Erase what the leaves of an entry and of its alerts commit to, with the salts; how many records.

    The leaves, their hashes and the tree stay as they are, and say nothing of the person.
    """
    await unit.run(delete(barred_table).where(barred_table.c.entry_id == entry_id))
    known = (record_table.c.entry_id == entry_id, record_table.c.personal.is_not(None))
    done = await unit.run(update(record_table).where(*known).values(personal=None, salt=None))
    return int(done.rowcount)  # type: ignore[attr-defined]  # an update's result is a CursorResult


async def _pairs(reader: Reader, statement: Executable) -> list[tuple[Any, Any]]:
    return [(one, other) for one, other in await reader.run(statement)]


def _row(record: Record, leaf: bytes) -> tuple[Any, ...]:
    """A record's columns, in the table's order."""
    return (
        record.sequence,
        record.type.value,
        record.at,
        record.effective_at,
        record.entry_id,
        record.version,
        record.tombstone,
        record.alert_id,
        record.agency,
        leaf.decode(),
        _encode(record.personal).decode(),
        record.salt,
    )


def _record(row: Row[*tuple[Any, ...]]) -> Record:
    values: dict[str, Any] = {**row._mapping}
    values["type"] = RecordType(values["type"])
    values["leaf"] = _decode(values["leaf"])
    values["personal"] = None if values["personal"] is None else _decode(values["personal"])
    return Record(**values)


async def close(unit: Unit, entry_id: str, barred: Iterable[str] = ()) -> None:
    """Show the personal part of an entry's records, also of those already written, to auditors only.

    Args:
        unit: the transaction.
        entry_id: whose records.
        barred: persons who never see it, not as auditors either.
    """
    known = select(closed_table.c.entry_id).where(closed_table.c.entry_id == entry_id)
    if (await unit.run(known)).first() is None:
        await unit.run(insert(closed_table).values(entry_id=entry_id, at=unit.now))
    kept_out = select(barred_table.c.person).where(barred_table.c.entry_id == entry_id)
    new = set(barred).difference((await unit.run(kept_out)).scalars()) if barred else set()
    if new:
        rows = [{"entry_id": entry_id, "person": person} for person in sorted(new)]
        await unit.run(insert(barred_table), rows)


async def barred_among(reader: Reader, entry_ids: Iterable[str]) -> frozenset[str]:
    """Those of the entries whose records' personal part is never shown to the actor."""
    ids = sorted(entry_ids)
    if not ids or reader.actor.person is None:
        return frozenset()
    wanted = (any_of(barred_table.c.entry_id, "ids"), barred_table.c.person == reader.actor.person)
    return frozenset(
        (await reader.run(select(barred_table.c.entry_id).where(*wanted), {"ids": ids})).scalars()
    )


async def closed_among(reader: Reader, entry_ids: Iterable[str]) -> frozenset[str]:
    """Those of the entries whose records' personal part is shown to auditors only."""
    ids = sorted(entry_ids)
    if not ids:
        return frozenset()
    statement = select(closed_table.c.entry_id).where(any_of(closed_table.c.entry_id, "ids"))
    return frozenset((await reader.run(statement, {"ids": ids})).scalars())
