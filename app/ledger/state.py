"""The register's state at a sequence, read from the ledger: each entry's newest record, and its clearances in force.

Leaves never change, so the state at a sequence is the same whenever it is read, page by page and without one long
transaction. Only personal parts may go meanwhile: `count_withdrawn` shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Select, and_, bindparam, desc, func, select

from app.db.unit import Reader, Unit
from app.ledger.domain import LedgerBroken, RecordText, RecordType
from app.ledger.tables import OF_CLEARANCES
from app.ledger.tables import node as node_table
from app.ledger.tables import record as record_table
from app.ledger.tables import withdrawn as withdrawn_table

NEVER: Final = 2**62
"""The end of an entry that is still listed."""

_COLUMNS: Final = tuple(record_table.c[name] for name in RecordText._fields)
_OWN: Final = record_table.c.type.in_([kind.value for kind in RecordType if kind.is_entry])

_LAST = (
    select(record_table.c.entry_id, func.max(record_table.c.sequence).label("last"))
    .where(record_table.c.entry_id > bindparam("after"), record_table.c.sequence <= bindparam("upto"), _OWN)
    .group_by(record_table.c.entry_id)
    .order_by(record_table.c.entry_id)
    .limit(bindparam("limit"))
    .subquery()
)
_RECORDS: Final = (
    select(*_COLUMNS, node_table.c.hash)
    .join_from(_LAST, record_table, record_table.c.sequence == _LAST.c.last)
    .outerjoin(node_table, and_(node_table.c.level == 0, node_table.c.index == record_table.c.sequence - 1))
    .order_by(record_table.c.entry_id)
)
_CLEARANCES: Final[Select[Any]] = (
    select(*_COLUMNS, node_table.c.hash)
    .join(node_table, and_(node_table.c.level == 0, node_table.c.index == record_table.c.sequence - 1))
    .where(
        OF_CLEARANCES,
        record_table.c.entry_id > bindparam("after"),
        record_table.c.entry_id <= bindparam("last"),
        record_table.c.sequence <= bindparam("upto"),
    )
    .order_by(record_table.c.entry_id, record_table.c.sequence)
)


class _ClearanceLeaf(msgspec.Struct):
    clearance_id: str


_clearance = msgspec.json.Decoder(_ClearanceLeaf).decode


@dataclass(frozen=True, slots=True)
class StateRecord:
    """A record that is part of a state.

    Attributes:
        record: the record.
        stored: the hash of its leaf as the ledger's tree has it; None where it is missing.
    """

    record: RecordText
    stored: bytes | None


@dataclass(frozen=True, slots=True)
class StatePage:
    """A part of a state.

    Attributes:
        records: by the ids of their entries: each entry's newest record, and behind it the records of its clearances
            in force in their order.
        after: the last entry that was looked at; None at the end.
    """

    records: Sequence[StateRecord]
    after: str | None


async def list_state(reader: Reader, upto: int, after: str, limit: int) -> StatePage:
    """Read a part of the state at a sequence: entries that are listed then, with their clearances in force.

    An entry is listed until a record of it is a tombstone.

    Args:
        reader: the transaction.
        upto: the sequence.
        after: the last entry that was looked at; empty for the beginning.
        limit: how many entries to look at; listed ones may be fewer.

    Raises:
        LedgerBroken: the leaf of a clearance can't be read.
    """
    asked = {"after": after, "upto": upto, "limit": limit}
    newest = [_state_record(row) for row in await reader.run(_RECORDS, asked)]
    if not newest:
        return StatePage((), None)
    last = str(newest[-1].record.entry_id)
    of_entry: dict[str | None, dict[str, StateRecord]] = {}
    for row in await reader.run(_CLEARANCES, {"after": after, "last": last, "upto": upto}):
        each = _state_record(row)
        known = of_entry.setdefault(each.record.entry_id, {})
        name = _clearance_of(each.record)
        if each.record.type == RecordType.CLEARANCE_GRANTED:
            known[name] = each
        else:
            known.pop(name, None)
    records = []
    for each in newest:
        if not each.record.tombstone:
            records += [each, *of_entry.get(each.record.entry_id, {}).values()]
    return StatePage(records, last if len(newest) == limit else None)


def _clearance_of(record: RecordText) -> str:
    try:
        return _clearance(record.leaf).clearance_id
    except msgspec.DecodeError:
        raise LedgerBroken(f"the leaf of record {record.sequence} names no clearance") from None


def _state_record(row: Any) -> StateRecord:
    *columns, stored = row
    return StateRecord(RecordText(*columns), stored)


async def find_news(reader: Reader, after: int) -> datetime | None:
    """Return when the first record after a sequence was written that is not a seal; None without one."""
    statement = (
        select(record_table.c.at)
        .where(record_table.c.sequence > after, record_table.c.type != RecordType.SEAL.value)
        .order_by(record_table.c.sequence)
        .limit(1)
    )
    at: datetime | None = (await reader.run(statement)).scalar_one_or_none()
    return at


async def withdraw(unit: Unit, entry_id: str, cause: Literal["closed", "erased"]) -> None:
    """Note that the personal part of an entry's records is shown no more, if there are records of it."""
    newest = (
        select(record_table.c.sequence, record_table.c.tombstone)
        .where(record_table.c.entry_id == entry_id, _OWN)
        .order_by(desc(record_table.c.sequence))
        .limit(1)
    )
    row = (await unit.run(newest)).first()
    if row is None:
        return
    values = {"entry_id": entry_id, "cause": cause, "listed_until": row[0] if row[1] else NEVER}
    await unit.run(unit.inserting(withdrawn_table).values(**values).on_conflict_do_nothing())


async def count_withdrawn(reader: Reader, upto: int) -> int:
    """Count the withdrawals among entries that are part of the state at a sequence: the number only grows.

    A copy of the state that was begun at another count may show what is to be shown no more.
    """
    statement = select(func.count()).where(withdrawn_table.c.listed_until > upto)
    return int((await reader.run(statement)).scalar_one())
