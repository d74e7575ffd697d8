"""SQL statements of the ledger; they do not check who may see an entry."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Executable,
    Row,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)

from app.db.bulk import BulkInsert
from app.db.driver import CompiledStatement
from app.db.postgresql import CHANNEL
from app.db.rollback import Rollback
from app.db.types import InstantText, any_of, any_pair_of
from app.db.unit import Reader, Unit
from app.errors import RolledBack
from app.kit.canonical import canonical
from app.ledger.domain import Head, Record, RecordText, RecordType, Selection
from app.ledger.refusals import HeadMissing
from app.ledger.rollbacks import find_rollback
from app.ledger.tables import barred as barred_table
from app.ledger.tables import closed as closed_table
from app.ledger.tables import head as head_table
from app.ledger.tables import node as node_table
from app.ledger.tables import record as record_table
from app.ledger.tables import rollback as rollback_table
from app.tlog.merkle import Node

LOCK = 0x63656B616C

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode

_HEAD = select(head_table.c.epoch, head_table.c.size, head_table.c.last_alert)
_COUNTED = select(
    func.max(record_table.c.sequence),
    func.max(record_table.c.sequence).filter(record_table.c.alert_id.is_not(None)),
)
_AFTER = (
    select(record_table)
    .where(record_table.c.sequence > bindparam("after"))
    .order_by(record_table.c.sequence)
    .limit(bindparam("limit"))
)
_LEAVES = _AFTER.with_only_columns(record_table.c.sequence, record_table.c.leaf)
_AS_TEXTS = [
    InstantText(record_table.c[name]).label(name) if name in {"at", "effective_at"} else record_table.c[name]
    for name in RecordText._fields
]
_TEXTS = (
    select(*_AS_TEXTS)
    .where(record_table.c.sequence > bindparam("after"), record_table.c.sequence <= bindparam("upto"))
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
_CLOSED = (
    select(closed_table.c.entry_id, barred_table.c.person)
    .outerjoin(barred_table, barred_table.c.entry_id == closed_table.c.entry_id)
    .where(any_of(closed_table.c.entry_id, "ids"))
)
_OFFSET = bindparam("last_alert_offset", type_=BigInteger)
_TAKEN = (
    update(head_table)
    .values(
        size=head_table.c.size + bindparam("count", type_=BigInteger),
        last_alert=case((_OFFSET > 0, head_table.c.size + _OFFSET), else_=head_table.c.last_alert),
        previous_alert=head_table.c.last_alert,
    )
    .where(~exists().where(rollback_table.c.epoch == head_table.c.epoch))
    .returning(head_table.c.size, head_table.c.previous_alert)
)
_TAKE = CompiledStatement(_TAKEN)
_TAKE_AND_WAKE = CompiledStatement(_TAKEN.returning(func.pg_notify(CHANNEL, "")))
OWN_TYPES: Final = [kind.value for kind in RecordType if kind.is_entry]
OWN = record_table.c.type.in_(OWN_TYPES)
"""Condition: the record is a version of its entry, not an alert or a clearance about it."""


async def initialise_head(unit: Unit) -> None:
    """Create the head of an empty ledger with a new epoch; nothing is done if the ledger has a head.

    It takes a lock until the commit, so that one machine at a time initialises a register.

    Raises:
        HeadMissing: the ledger has records but no head.
    """
    await _lock_head(unit)
    if await find_head(unit) is not None:
        return
    if (await unit.run(select(record_table.c.sequence).limit(1))).first() is not None:
        raise HeadMissing
    await _add_head(unit, Head(new_epoch(), 0, 0))


async def begin_epoch(unit: Unit) -> tuple[Head | None, Head]:
    """Start a new epoch of the ledger, which invalidates all earlier cursors; numbers and tree stay the same.

    A ledger without a head, as in a backup, gets a head that counts its records.

    Returns:
        The former head (None if there was none), and the new head.
    """
    await _lock_head(unit)
    before = await find_head(unit)
    if before is not None:
        await unit.run(update(head_table).values(epoch=(epoch := new_epoch())))
        return before, Head(epoch, before.size, before.last_alert)
    size, last_alert = (await unit.run(_COUNTED)).one()
    begun = Head(new_epoch(), size or 0, last_alert or 0)
    await _add_head(unit, begun)
    return None, begun


def new_epoch() -> str:
    """Return a new random id for an epoch of the ledger."""
    return secrets.token_hex(8)


async def _lock_head(unit: Unit) -> None:
    if not unit.is_sqlite:
        await unit.run(select(func.pg_advisory_xact_lock(LOCK)))


async def _add_head(unit: Unit, begun: Head) -> None:
    values = {"epoch": begun.epoch, "size": begun.size, "last_alert": begun.last_alert}
    await unit.run(
        insert(head_table).values(id=1, previous_alert=begun.last_alert, created_at=unit.now, **values)
    )


async def head(reader: Reader) -> Head:
    """Return the ledger's head (its epoch and number of records) as this transaction sees it.

    Raises:
        HeadMissing: the ledger has none.
    """
    found = await find_head(reader)
    if found is None:
        raise HeadMissing
    return found


async def find_head(reader: Reader) -> Head | None:
    """Return the ledger's head; None without one, as in a restored backup until `cekal restore` has run."""
    row = (await reader.run(_HEAD)).first()
    return None if row is None else Head(*row)


async def require_head(reader: Reader) -> None:
    """Raise HeadMissing if the ledger has no head.

    Raises:
        HeadMissing: the ledger has no head.
    """
    await head(reader)


async def take_numbers(unit: Unit, count: int, last_alert_offset: int) -> tuple[int, int]:
    """Reserve the next `count` numbers of the ledger, and lock the ledger's head until the commit.

    The lock makes the order of numbers the order of commits; the commit wakes other processes. Data that may have
    changed while this call waited for the lock must be read by a later statement.

    Args:
        unit: the transaction; it must do nothing slow after this call.
        count: number of records to insert.
        last_alert_offset: position (from 1) of the last record about an alert among these; 0 if there is none.

    Returns:
        The ledger's size, and the sequence of the last record about an alert (0: none), before the reserved numbers.

    Raises:
        HeadMissing: the ledger has no head.
        RolledBack: a process has noted that the register was rolled back.
    """
    statement = _TAKE if unit.is_sqlite else _TAKE_AND_WAKE
    taken = await statement.run(unit, {"count": count, "last_alert_offset": last_alert_offset})
    if not taken:
        raise await _refusal(unit)
    size, previous_alert, *_ = taken[0]
    return size - count, previous_alert


async def _refusal(reader: Reader) -> RolledBack:
    """Return why the ledger takes no record."""
    here = await find_head(reader)
    noted = None if here is None else await find_rollback(reader, here.epoch)
    if here is None or noted is None:
        return HeadMissing()
    return Rollback(noted.origin, noted.size, here.size).refusal()


async def nodes(reader: Reader, selected: Sequence[Node]) -> dict[Node, bytes]:
    """Return the stored hashes of nodes of the ledger's Merkle tree, by node; nodes without one are omitted."""
    if not selected:
        return {}
    rows = await reader.run(_NODES, {"nodes": selected})
    return {(level, index): stored for level, index, stored in rows}


async def add(
    unit: Unit, records: Sequence[Record], leaves: Sequence[bytes], hashes: dict[Node, bytes]
) -> None:
    """Insert records, and hashes of the tree's nodes; `leaves` are the records' leaves exactly as they were hashed."""
    rows = [_row(record, leaf) for record, leaf in zip(records, leaves, strict=True)]
    await _ADD.run(unit, rows, [(level, index, value) for (level, index), value in hashes.items()])


async def list_after(reader: Reader, after: int, limit: int, *, alerts_only: bool = False) -> list[Record]:
    """Return the first `limit` records (with `alerts_only`, about alerts) after the sequence `after`, by sequence."""
    statement = _ALERTS_AFTER if alerts_only else _AFTER
    return [record_of(row) for row in await reader.run(statement, {"after": after, "limit": limit})]


async def list_texts(
    reader: Reader, selection: Selection, after: int, upto: int, limit: int
) -> list[RecordText]:
    """Return the first `limit` selected records after the sequence `after`, up to `upto`, by sequence, as stored."""
    asked: dict[str, Any] = {"after": after, "upto": upto, "limit": limit}
    if selection.types:
        asked["types"] = sorted(selection.types)
    if selection.entry_id is not None:
        asked["entry_id"] = selection.entry_id
    statement = _texts(of_types=bool(selection.types), of_entry=selection.entry_id is not None)
    return [RecordText._make(row) for row in (await reader.run(statement, asked)).all()]


@cache
def _texts(*, of_types: bool, of_entry: bool) -> Select[*tuple[Any, ...]]:
    statement = _TEXTS
    if of_types:
        statement = statement.where(any_of(record_table.c.type, "types"))
    if of_entry:
        statement = statement.where(record_table.c.entry_id == bindparam("entry_id"))
    return statement


async def list_leaves(reader: Reader, after: int, limit: int) -> list[tuple[int, str]]:
    """Return (sequence, leaf) of the first `limit` records after a sequence, by sequence; leaves exactly as hashed."""
    return await _pairs(reader, _LEAVES.params(after=after, limit=limit))


async def list_of_alerts(reader: Reader, alert_ids: Sequence[str]) -> list[Record]:
    """Return the records about these alerts, by sequence; unknown ids add nothing."""
    if not alert_ids:
        return []
    selected = any_of(record_table.c.alert_id, "ids")
    statement = select(record_table).where(selected).order_by(record_table.c.sequence)
    return [record_of(row) for row in await reader.run(statement, {"ids": list(alert_ids)})]


async def list_of_entry(reader: Reader, entry_id: str, upto: int | None = None) -> list[Record]:
    """Return every record about an entry, its alerts and its clearances, by sequence; empty for an unknown entry.

    With `upto`, only records up to this sequence.
    """
    statement = (
        select(record_table).where(record_table.c.entry_id == entry_id).order_by(record_table.c.sequence)
    )
    if upto is not None:
        statement = statement.where(record_table.c.sequence <= upto)
    return [record_of(row) for row in await reader.run(statement)]


async def last_of_entries(reader: Reader, entry_ids: Sequence[str]) -> dict[str, int]:
    """Return, by entry id, the sequence of the newest record about a version of the entry.

    Records about alerts and clearances are ignored; entries without a record about a version are omitted.
    """
    if not entry_ids:
        return {}
    statement = (
        select(record_table.c.entry_id, func.max(record_table.c.sequence))
        .where(any_of(record_table.c.entry_id, "ids"), OWN)
        .group_by(record_table.c.entry_id)
    )
    return dict(await _pairs(reader, statement.params(ids=list(entry_ids))))


async def sequences_of_entry(reader: Reader, entry_id: str) -> dict[int, int]:
    """Return, by version number, the sequence of the first record of each version; empty for an unknown entry."""
    statement = (
        select(record_table.c.version, func.min(record_table.c.sequence))
        .where(record_table.c.entry_id == entry_id, OWN)
        .group_by(record_table.c.version)
    )
    return dict(await _pairs(reader, statement))


async def erase_of_entry(unit: Unit, entry_id: str) -> int:
    """Erase personal parts and salts of the records about an entry, its alerts and clearances, and its barred persons.

    Leaves, hashes and tree stay unchanged. Returns the number of records from which something was erased.
    """
    await unit.run(delete(barred_table).where(barred_table.c.entry_id == entry_id))
    known = (record_table.c.entry_id == entry_id, record_table.c.personal.is_not(None))
    done = await unit.run(update(record_table).where(*known).values(personal=None, salt=None))
    return int(done.rowcount)  # type: ignore[attr-defined]  # an update's result is a CursorResult


async def _pairs(reader: Reader, statement: Executable) -> list[tuple[Any, Any]]:
    return [(one, other) for one, other in await reader.run(statement)]


def _row(record: Record, leaf: bytes) -> tuple[Any, ...]:
    """Return a record's columns, in the table's order."""
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


def as_read(record: Record) -> Record:
    """Return a record that was just appended as a later read returns it, with values as the stored JSON has them."""
    return replace(record, leaf=_decode(canonical(record.leaf)), personal=_decode(_encode(record.personal)))


def record_of(row: Row[*tuple[Any, ...]]) -> Record:
    """Return the record that a row of the table of records contains."""
    values: dict[str, Any] = {**row._mapping}
    values["type"] = RecordType(values["type"])
    values["leaf"] = _decode(values["leaf"])
    values["personal"] = None if values["personal"] is None else _decode(values["personal"])
    return Record(**values)


async def close(unit: Unit, entry_id: str, barred: Iterable[str] = ()) -> bool:
    """Store that an entry is closed: only auditors may see the personal part of its records, old ones included.

    Args:
        unit: the transaction.
        entry_id: the entry.
        barred: further persons that never see the personal part, not even as auditors.

    Returns:
        True if the entry was not closed before; False if it was, so that at most barred persons were added.
    """
    known = select(closed_table.c.entry_id).where(closed_table.c.entry_id == entry_id)
    was_open = (await unit.run(known)).first() is None
    if was_open:
        await unit.run(insert(closed_table).values(entry_id=entry_id, at=unit.now))
    kept_out = select(barred_table.c.person).where(barred_table.c.entry_id == entry_id)
    new = set(barred).difference((await unit.run(kept_out)).scalars()) if barred else set()
    if new:
        rows = [{"entry_id": entry_id, "person": person} for person in sorted(new)]
        await unit.run(insert(barred_table), rows)
    return was_open


async def closed_among(
    reader: Reader, entry_ids: Iterable[str]
) -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """Return (closed, barred): which of these entries are closed, and who is barred from them, as of one moment.

    `closed` has the ids of the entries that are or were sealed. `barred` has, by the id of a closed entry, the persons
    that never see the personal part of its records; entries without such persons are omitted.
    """
    ids = sorted(entry_ids)
    if not ids:
        return frozenset(), {}
    closed, barred = set[str](), dict[str, set[str]]()
    for entry_id, person in await reader.run(_CLOSED, {"ids": ids}):
        closed.add(entry_id)
        if person is not None:
            barred.setdefault(entry_id, set()).add(person)
    return frozenset(closed), {entry_id: frozenset(persons) for entry_id, persons in barred.items()}
