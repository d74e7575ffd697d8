"""Rows of the ledger exactly as they are stored, for verification: a damaged row does not stop the reading."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from app.db.types import any_of
from app.db.unit import Reader
from app.ledger.store import OWN
from app.ledger.tables import node as node_table
from app.ledger.tables import record as record_table


async def list_rows(reader: Reader, after: int, limit: int) -> list[dict[str, Any]]:
    """Return the stored rows of the first `limit` records after the sequence `after`, by sequence.

    A row is a mapping of column names to values, exactly as stored.
    """
    statement = select(record_table).where(record_table.c.sequence > after)
    rows = await reader.run(statement.order_by(record_table.c.sequence).limit(limit))
    return [dict(row._mapping) for row in rows]


async def count_stored(reader: Reader, upto: int) -> tuple[int, int, int]:
    """Count what is stored of the ledger's first `upto` records.

    Returns:
        (records, last alert, hashes): the number of records; the sequence of the last record about an alert, 0 without
        one; and the number of stored hashes of the Merkle tree that cover only these records.
    """
    within = record_table.c.sequence <= upto
    last_alert = func.max(record_table.c.sequence).filter(record_table.c.alert_id.is_not(None))
    records, last = (await reader.run(select(func.count(), last_alert).where(within))).one()
    hashes = 0
    level = 0
    while upto >> level:
        ends_there = (node_table.c.level == level, node_table.c.index < upto >> level)
        hashes += (await reader.run(select(func.count()).where(*ends_there))).scalar_one()
        level += 1
    return records, last or 0, hashes


async def types_of(reader: Reader, sequences: Sequence[int]) -> dict[int, str]:
    """Return the stored types of the records with these numbers, by number; unknown numbers are omitted."""
    statement = select(record_table.c.sequence, record_table.c.type).where(
        any_of(record_table.c.sequence, "sequences")
    )
    rows = await reader.run(statement, {"sequences": list(sequences)})
    return {row.sequence: row.type for row in rows}


async def list_of_entries(reader: Reader, entry_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Return the stored rows of the records about versions of entries, by entry id, each list by sequence.

    A row is a mapping of column names to values. Records about alerts and clearances are omitted. An unknown id has an
    empty list.
    """
    found: dict[str, list[dict[str, Any]]] = {entry_id: [] for entry_id in entry_ids}
    statement = select(record_table).where(any_of(record_table.c.entry_id, "ids"), OWN)
    rows = await reader.run(statement.order_by(record_table.c.sequence), {"ids": list(entry_ids)})
    for row in rows:
        found[row.entry_id].append(dict(row._mapping))
    return found
