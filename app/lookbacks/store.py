"""Every SQL statement about look-backs."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import exists, select, update

from app.db.unit import Reader, Unit
from app.entries.domain import State
from app.entries.tables import entry as entry_table
from app.lookbacks import tables
from app.lookbacks.domain import Lookback

_table = tables.lookback


async def list_begun(reader: Reader) -> list[tuple[str, datetime]]:
    """The urgent entries in force whose subjects were never searched for, and when each came into force.

    An urgent entry is in force from its commit, whatever this machine's clock says.
    """
    table = entry_table
    statement = select(table.c.id, table.c.in_force_from).where(
        table.c.state == State.PROVISIONAL,
        table.c.in_force_until > reader.now,
        ~exists().where(_table.c.entry_id == table.c.id),
    )
    return [(entry_id, came_at) for entry_id, came_at in await reader.run(statement)]


async def add(unit: Unit, lookbacks: Iterable[Lookback]) -> None:
    """Store new searches; one that a correction has begun meanwhile stays."""
    await unit.run(
        unit.inserting(_table).on_conflict_do_nothing(), [asdict(lookback) for lookback in lookbacks]
    )


async def find(reader: Reader, entry_id: str) -> Lookback | None:
    """The last search for an entry's subject."""
    row = (await reader.run(select(_table).where(_table.c.entry_id == entry_id))).first()
    return Lookback(**row._mapping) if row else None


async def replace(unit: Unit, lookback: Lookback) -> None:
    """Store a search in place of an earlier one."""
    adding = unit.inserting(_table).values(asdict(lookback))
    await unit.run(adding.on_conflict_do_update(index_elements=[_table.c.entry_id], set_=asdict(lookback)))


async def save(unit: Unit, lookback: Lookback) -> None:
    """Store how far a search has come, unless another has taken its place meanwhile."""
    mine = (_table.c.entry_id == lookback.entry_id, _table.c.came_at == lookback.came_at)
    await unit.run(update(_table).where(*mine).values(asdict(lookback)))


async def list_due(reader: Reader, limit: int) -> list[Lookback]:
    """Searches that are to be gone on with, the longest waiting first."""
    statement = (
        select(_table)
        .where(_table.c.due_at.is_not(None), _table.c.due_at <= reader.now)
        .order_by(_table.c.due_at)
        .limit(limit)
    )
    return [Lookback(**row._mapping) for row in await reader.run(statement)]
