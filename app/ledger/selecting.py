"""Records by their numbers, and numbers by type and time; used where records are sent on one by one."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select

from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.ledger.domain import Record
from app.ledger.store import record_of
from app.ledger.tables import record as record_table


class Numbered(NamedTuple):
    """The number and type of a record, and the ids of the entry and the alert that it is about (None if about none)."""

    sequence: int
    type: str
    entry_id: str | None
    alert_id: str | None


_NUMBERS = (
    select(record_table.c.sequence, record_table.c.type, record_table.c.entry_id, record_table.c.alert_id)
    .where(record_table.c.sequence > bindparam("after"), record_table.c.sequence <= bindparam("upto"))
    .order_by(record_table.c.sequence)
    .limit(bindparam("limit"))
)
_OF = {
    None: _NUMBERS,
    True: _NUMBERS.where(record_table.c.alert_id.is_not(None)),
    False: _NUMBERS.where(record_table.c.alert_id.is_(None)),
}
_ERASED = select(record_table.c.sequence).where(
    any_of(record_table.c.sequence, "sequences"), record_table.c.personal.is_(None)
)
_CHOSEN = select(record_table).where(any_of(record_table.c.sequence, "sequences"))


async def list_numbers(
    reader: Reader, after: int, upto: int, limit: int, *, alerts: bool | None
) -> list[Numbered]:
    """Return number, type and ids of the first `limit` records after the sequence `after`, up to `upto`, by sequence.

    `alerts` is True for records about alerts only, False for other records only, None for both.
    """
    asked = {"after": after, "upto": upto, "limit": limit}
    return [Numbered(*row) for row in await reader.run(_OF[alerts], asked)]


async def list_chosen(reader: Reader, sequences: Collection[int]) -> dict[int, Record]:
    """Return the records with these numbers, by number; unknown numbers are omitted."""
    if not sequences:
        return {}
    rows = await reader.run(_CHOSEN, {"sequences": sorted(sequences)})
    return {row.sequence: record_of(row) for row in rows}


async def list_erased(reader: Reader, sequences: Collection[int]) -> frozenset[int]:
    """Return the sequences, of those given, of records whose personal part is erased."""
    if not sequences:
        return frozenset()
    rows = await reader.run(_ERASED, {"sequences": sorted(sequences)})
    return frozenset(rows.scalars())


async def lock_erased(unit: Unit, sequences: Collection[int]) -> frozenset[int]:
    """Lock some records until the commit, and return the sequences of those whose personal part is erased.

    The personal parts of the others can't be erased before the commit.
    """
    if not sequences:
        return frozenset()
    erased = record_table.c.personal.is_(None).label("erased")
    statement = (
        select(record_table.c.sequence, erased)
        .where(any_of(record_table.c.sequence, "sequences"))
        .order_by(record_table.c.sequence)
        .with_for_update(read=True)
    )
    rows = await unit.run(statement, {"sequences": sorted(sequences)})
    return frozenset(row.sequence for row in rows if row.erased)


async def last_before(reader: Reader, at: datetime, size: int) -> int:
    """Return the sequence of the last record that was written before an instant; 0 if there is none.

    The search takes about log2(`size`) statements, because the times of records have no index. If the clocks of two
    machines differ, a record may have an earlier time than the record before it. The result may then be wrong by a few
    records.

    Args:
        reader: the transaction.
        at: the instant.
        size: the sequence of the last record to search; at most the ledger's number of records.
    """
    low, high = 0, size
    while low < high:
        middle = (low + high + 1) // 2
        found = select(record_table.c.at).where(record_table.c.sequence == middle)
        if (await reader.run(found)).scalar_one() < at:
            low = middle
        else:
            high = middle - 1
    return low
