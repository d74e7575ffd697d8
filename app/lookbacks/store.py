"""Every SQL statement about look-backs."""

from dataclasses import asdict

from sqlalchemy import exists, insert, select, update

from app.db.unit import Reader, Unit
from app.lookbacks import tables
from app.lookbacks.domain import Lookback

_table = tables.lookback


async def is_known(reader: Reader, entry_id: str) -> bool:
    """Whether an entry's subject is, or was, searched for."""
    return bool((await reader.run(select(exists().where(_table.c.entry_id == entry_id)))).scalar_one())


async def add(unit: Unit, lookback: Lookback) -> None:
    """Store a new search."""
    await unit.run(insert(_table).values(asdict(lookback)))


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
