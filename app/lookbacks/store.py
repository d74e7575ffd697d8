"""Every SQL statement about look-backs."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import exists, insert, select, update

from app.db.unit import Reader, Unit
from app.entries.domain import State
from app.entries.tables import entry as entry_table
from app.lookbacks import tables
from app.lookbacks.domain import Lookback

_table = tables.lookback


async def list_begun(reader: Reader) -> list[tuple[str, datetime]]:
    """The urgent entries in force whose subjects were never searched for, and when each came into force."""
    table = entry_table
    statement = select(table.c.id, table.c.in_force_from).where(
        table.c.state == State.PROVISIONAL,
        table.c.in_force_from <= reader.now,
        table.c.in_force_until > reader.now,
        ~exists().where(_table.c.entry_id == table.c.id),
    )
    return [(entry_id, came_at) for entry_id, came_at in await reader.run(statement)]


async def add(unit: Unit, lookbacks: Iterable[Lookback]) -> None:
    """Store new searches."""
    await unit.run(insert(_table), [asdict(lookback) for lookback in lookbacks])


async def save(unit: Unit, lookback: Lookback) -> None:
    """Store how far a search has come."""
    await unit.run(update(_table).where(_table.c.entry_id == lookback.entry_id).values(asdict(lookback)))


async def list_due(reader: Reader, limit: int) -> list[Lookback]:
    """Searches that are to be gone on with, the longest waiting first."""
    statement = (
        select(_table)
        .where(_table.c.due_at.is_not(None), _table.c.due_at <= reader.now)
        .order_by(_table.c.due_at)
        .limit(limit)
    )
    return [Lookback(**row._mapping) for row in await reader.run(statement)]
