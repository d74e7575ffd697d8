"""Every SQL statement of checks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, exists, insert, select, update

from app.access.tables import agency as agency_table
from app.access.tables import state as access_state
from app.checks import tables
from app.db.bulk import BulkInsert
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.entries.tables import entry as entry_table
from app.entries.tables import key as key_table
from app.ledger.tables import head as head_table

_REGISTER = (
    select(head_table.c.size, access_state.c.version)
    .select_from(head_table)
    .join(access_state, access_state.c.id == head_table.c.id)
)

_CANDIDATES = (
    select(
        key_table.c.key, entry_table.c.id, entry_table.c.version, entry_table.c.document, agency_table.c.phone
    )
    .join(entry_table, entry_table.c.id == key_table.c.entry_id)
    .join(agency_table, agency_table.c.code == entry_table.c.agency)
    .where(any_of(key_table.c.key, "keys"))  # a condition on the state would tempt SQLite to begin with it
)

_INSERT = BulkInsert(tables.check)
_INSERT_MATCH = insert(tables.match)


async def register_state(reader: Reader) -> tuple[int, int]:
    """The ledger's size and the access version, as this transaction sees them."""
    size, version = (await reader.run(_REGISTER)).one()
    return size, version


async def list_candidates(reader: Reader, keys: Iterable[str]) -> Sequence[Row[*tuple[Any, ...]]]:
    """Key, entry and the owner's phone of every entry, in whatever state, that has one of the keys."""
    return (await reader.run(_CANDIDATES, {"keys": list(keys)})).all()


async def add(unit: Unit, rows: list[dict[str, Any]], matches: list[dict[str, Any]]) -> None:
    """Store records of checks, and which entries they matched."""
    await _INSERT.run(unit, rows)
    if matches:
        await unit.run(_INSERT_MATCH, matches)


async def find(reader: Reader, check_id: str) -> Row[*tuple[Any, ...]] | None:
    """The record of a check."""
    return (await reader.run(select(tables.check).where(tables.check.c.id == check_id))).first()


_LAST_CROSSING = (
    select(tables.check.c.direction)
    .where(
        tables.check.c.document_hash == bindparam("hash"),
        tables.check.c.outcome == "clear",
    )
    .order_by(tables.check.c.id.desc())
    .limit(1)
)


async def last_direction(reader: Reader, document_hash: bytes) -> str | None:
    """The direction of the last clear check of a document."""
    return (await reader.run(_LAST_CROSSING, {"hash": document_hash})).scalar_one_or_none()


async def matched_since(reader: Reader, entry_id: str, checkpoint: str, since: datetime) -> bool:
    """Whether an entry was matched at a checkpoint since an instant; sightings do not count."""
    table = tables.match
    statement = select(
        exists().where(
            table.c.entry_id == entry_id,
            table.c.checkpoint == checkpoint,
            table.c.at >= since,
            table.c.sighting.is_(False),
        )
    )
    return bool((await reader.run(statement)).scalar_one())


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry's subject was seen, or stopped, at a checkpoint."""

    entry_id: str
    check_id: str
    checkpoint: str
    at: datetime
    direction: str
    outcome: str
    sighting: bool


async def list_seen(reader: Reader, agency: str | None, limit: int) -> list[Seen]:
    """Matches of an agency's entries, newest first; of all agencies without one."""
    t = tables.match
    statement = (
        select(t.c.entry_id, t.c.check_id, t.c.checkpoint, t.c.at, t.c.direction, t.c.outcome, t.c.sighting)
        .order_by(t.c.check_id.desc())
        .limit(limit)
    )
    if agency is not None:
        statement = statement.where(t.c.agency == agency)
    return [Seen(*row) for row in await reader.run(statement)]


async def forget_questions(unit: Unit, cutoff: str, limit: int) -> int:
    """Erase the clear questions of checks older than an id, going on from where the last call stopped.

    Returns:
        How many records were passed, at most `limit`; fewer mean that nothing is left to erase.
    """
    table, mark = tables.check, tables.ageing
    begin = (await unit.run(select(mark.c.erased_before))).scalar_one_or_none()
    if begin is None:
        begin = ""
        await unit.run(insert(mark).values(id=1, erased_before=begin))
    span = (table.c.id >= begin, table.c.id < cutoff)
    old = list((await unit.run(select(table.c.id).where(*span).order_by(table.c.id).limit(limit))).scalars())
    if not old:
        return 0
    end = cutoff if len(old) < limit else old[-1] + "0"  # the smallest id behind the last of them
    await unit.run(update(table).where(table.c.id >= begin, table.c.id < end).values(question=None))
    await unit.run(update(mark).values(erased_before=end))
    return len(old)
