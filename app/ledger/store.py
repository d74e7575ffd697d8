"""Every SQL statement of the ledger."""

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Executable, Row, and_, bindparam, func, insert, or_, select, update

from app.db.engine import CHANNEL
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.kit.canonical import canonical
from app.kit.merkle import Node
from app.ledger.domain import Head, Record, RecordType
from app.ledger.tables import closed as closed_table
from app.ledger.tables import head as head_table
from app.ledger.tables import node as node_table
from app.ledger.tables import record as record_table

LOCK = 0x63656B616C

_NODES_AT_ONCE = 200
"""SQLite refuses an expression of a thousand levels; a proof in a ledger of any size needs fewer than a hundred."""

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
    """Reserve `count` numbers, under the one lock that makes number order commit order.

    The lock is a statement of its own: in one statement with the update, the update would still see the
    snapshot taken before the lock was had.

    Args:
        unit: the transaction, which must do nothing slow from here on.
        count: how many records will be inserted.
        last_alert_offset: position (from 1) of the last alert among them; 0 when there is none.

    Returns:
        The size before, and the last alert's sequence before.
    """
    if not unit.is_sqlite:
        await unit.run(select(func.pg_advisory_xact_lock(LOCK)))
    moved = {"last_alert": head_table.c.size + last_alert_offset} if last_alert_offset else {}
    statement = (
        update(head_table)
        .values(size=head_table.c.size + count, previous_alert=head_table.c.last_alert, **moved)
        .returning(head_table.c.size, head_table.c.previous_alert)
    )
    size, previous_alert = (await unit.run(statement)).one()
    return size - count, previous_alert


async def nodes(reader: Reader, wanted: Sequence[Node]) -> dict[Node, bytes]:
    """The stored hashes of the named nodes."""
    found_nodes: dict[Node, bytes] = {}
    for first in range(0, len(wanted), _NODES_AT_ONCE):
        some = wanted[first : first + _NODES_AT_ONCE]
        named = (and_(node_table.c.level == level, node_table.c.index == index) for level, index in some)
        rows = await reader.run(select(node_table).where(or_(*named)))
        found_nodes |= {(level, index): stored for level, index, stored in rows}
    return found_nodes


async def add(unit: Unit, records: Sequence[Record], hashes: dict[Node, bytes]) -> None:
    """Insert numbered records and the nodes that they complete, and wake the other processes at commit."""
    await unit.run(insert(record_table), [_row(record) for record in records])
    rows = [{"level": level, "index": index, "hash": value} for (level, index), value in hashes.items()]
    await unit.run(insert(node_table), rows)
    if not unit.is_sqlite:
        await unit.run(select(func.pg_notify(CHANNEL, "")))


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
    """The sequence of each version of an entry that the ledger holds."""
    statement = select(record_table.c.version, record_table.c.sequence).where(
        record_table.c.entry_id == entry_id, _OWN
    )
    return dict(await _pairs(reader, statement))


async def erase_of_entry(unit: Unit, entry_id: str) -> int:
    """Erase what the leaves of an entry and of its alerts commit to, with the salts; how many records.

    The leaves, their hashes and the tree stay as they are, and say nothing of the person.
    """
    known = (record_table.c.entry_id == entry_id, record_table.c.personal.is_not(None))
    done = await unit.run(update(record_table).where(*known).values(personal=None, salt=None))
    return int(done.rowcount)  # type: ignore[attr-defined]  # an update's result is a CursorResult


async def _pairs(reader: Reader, statement: Executable) -> list[tuple[Any, Any]]:
    return [(one, other) for one, other in await reader.run(statement)]


def _row(record: Record) -> dict[str, Any]:
    return {
        "sequence": record.sequence,
        "type": record.type.value,
        "at": record.at,
        "effective_at": record.effective_at,
        "entry_id": record.entry_id,
        "version": record.version,
        "tombstone": record.tombstone,
        "alert_id": record.alert_id,
        "agency": record.agency,
        "leaf": canonical(record.leaf).decode(),
        "personal": _encode(record.personal).decode(),
        "salt": record.salt,
    }


def _record(row: Row[*tuple[Any, ...]]) -> Record:
    values: dict[str, Any] = {**row._mapping}
    values["type"] = RecordType(values["type"])
    values["leaf"] = _decode(values["leaf"])
    values["personal"] = None if values["personal"] is None else _decode(values["personal"])
    return Record(**values)


async def close(unit: Unit, entry_id: str) -> None:
    """Keep the personal part of an entry's records, also of those already written, with its owner."""
    known = select(closed_table.c.entry_id).where(closed_table.c.entry_id == entry_id)
    if (await unit.run(known)).first() is None:
        await unit.run(insert(closed_table).values(entry_id=entry_id, at=unit.now))


async def closed_among(reader: Reader, entry_ids: Iterable[str]) -> frozenset[str]:
    """Those of the entries whose records' personal part stays with their owner."""
    ids = sorted(entry_ids)
    if not ids:
        return frozenset()
    statement = select(closed_table.c.entry_id).where(any_of(closed_table.c.entry_id, "ids"))
    return frozenset((await reader.run(statement, {"ids": ids})).scalars())
