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
from app.ledger.store import AS_TEXTS, OWN
from app.ledger.tables import OF_CLEARANCES
from app.ledger.tables import node as node_table
from app.ledger.tables import record as record_table
from app.ledger.tables import withdrawn as withdrawn_table

NEVER: Final = 2**62
"""The end of an entry that is still listed."""

_BEHIND_ALL: Final = "~"
"""A text that sorts behind every id."""


_NOT_BEHIND: Final = record_table.c.sequence + 0 <= bindparam("upto")
"""Condition: the record is not behind the state. The sum keeps planners from the index of sequences, with which each
page would read the whole ledger."""

_END: Final = (
    select(record_table.c.entry_id)
    .where(record_table.c.entry_id > bindparam("after"))
    .order_by(record_table.c.entry_id)
    .offset(bindparam("count"))
    .limit(1)
)
_OF_PART: Final = and_(
    record_table.c.entry_id > bindparam("after"), record_table.c.entry_id <= bindparam("last")
)
_LAST: Final = (
    select(record_table.c.entry_id, func.max(record_table.c.sequence).label("last"))
    .where(_OF_PART, _NOT_BEHIND, OWN)
    .group_by(record_table.c.entry_id)
    .subquery()
)
_RECORDS: Final = (
    select(*AS_TEXTS, node_table.c.hash)
    .join_from(_LAST, record_table, record_table.c.sequence == _LAST.c.last)
    .outerjoin(node_table, and_(node_table.c.level == 0, node_table.c.index == record_table.c.sequence - 1))
    .order_by(record_table.c.entry_id)
)
_CLEARANCES: Final[Select[Any]] = (
    select(*AS_TEXTS, node_table.c.hash)
    .join(node_table, and_(node_table.c.level == 0, node_table.c.index == record_table.c.sequence - 1))
    .where(OF_CLEARANCES, _OF_PART, _NOT_BEHIND)
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
        records: ordered by entry id: each entry's newest record, followed by the records of its clearances in
            force, in order.
        after: the last entry that was looked at; None at the end.
    """

    records: Sequence[StateRecord]
    after: str | None


async def list_state(reader: Reader, upto: int, after: str, count: int) -> StatePage:
    """Read a part of the state at a sequence: entries that are listed then, with their clearances in force.

    An entry is listed until a record of it is a tombstone.

    Args:
        reader: the transaction.
        upto: the sequence.
        after: the last entry that was looked at; empty for the beginning.
        count: how many records about entries to look at, and some more where the last entry has them.

    Raises:
        LedgerBroken: the leaf of a clearance can't be read.
    """
    end = (await reader.run(_END, {"after": after, "count": count})).scalar_one_or_none()
    asked = {"after": after, "last": end or _BEHIND_ALL, "upto": upto}
    newest = [_state_record(row) for row in (await reader.run(_RECORDS, asked)).all()]
    of_entry: dict[str | None, dict[str, StateRecord]] = {}
    for row in (await reader.run(_CLEARANCES, asked)).all():
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
    return StatePage(records, end)


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
    """Store that the personal part of an entry's records is no longer shown, if the entry has records."""
    newest = (
        select(record_table.c.sequence, record_table.c.tombstone)
        .where(record_table.c.entry_id == entry_id, OWN)
        .order_by(desc(record_table.c.sequence))
        .limit(1)
    )
    row = (await unit.run(newest)).first()
    if row is None:
        return
    values = {"entry_id": entry_id, "cause": cause, "listed_until": row[0] if row[1] else NEVER}
    await unit.run(unit.inserting(withdrawn_table).values(**values).on_conflict_do_nothing())


async def count_withdrawn(reader: Reader, upto: int) -> int:
    """Return the number of withdrawals among entries in the state at a sequence; the number only grows.

    A copy of the state that was begun at another number may show data that must no longer be shown.
    """
    statement = select(func.count()).where(withdrawn_table.c.listed_until > upto)
    return int((await reader.run(statement)).scalar_one())
