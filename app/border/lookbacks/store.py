"""SQL statements on look-backs."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import exists, select, update

from app.border.lookbacks import tables
from app.border.lookbacks.domain import Lookback
from app.db.pages import follows
from app.db.unit import Reader, Unit
from app.register.entries.domain import State
from app.register.entries.tables import entry as entry_table

_table = tables.lookback


async def list_unsearched(reader: Reader) -> list[tuple[str, datetime]]:
    """Return the urgent entries in force that have no search of past checks yet, in no order.

    Each is a pair: the entry's id, and the instant from which the entry is in force. That instant may be in the future
    by this machine's clock.
    """
    table = entry_table
    statement = select(table.c.id, table.c.in_force_from).where(
        table.c.state == State.PROVISIONAL,
        table.c.in_force_until > reader.now,
        ~exists().where(_table.c.entry_id == table.c.id),
    )
    return [(entry_id, came_at) for entry_id, came_at in await reader.run(statement)]


async def add(unit: Unit, lookbacks: Iterable[Lookback]) -> None:
    """Store new searches; a search for an entry that has one already is ignored."""
    await unit.run(
        unit.inserting(_table).on_conflict_do_nothing(), [asdict(lookback) for lookback in lookbacks]
    )


async def find(reader: Reader, entry_id: str) -> Lookback | None:
    """Return the search for this entry's subject, finished or not; None if there was none."""
    row = (await reader.run(select(_table).where(_table.c.entry_id == entry_id))).first()
    return Lookback(**row._mapping) if row else None


async def replace(unit: Unit, lookback: Lookback) -> None:
    """Store a search, in place of the entry's earlier one if there is one."""
    adding = unit.inserting(_table).values(asdict(lookback))
    await unit.run(adding.on_conflict_do_update(index_elements=[_table.c.entry_id], set_=asdict(lookback)))


async def save(unit: Unit, lookback: Lookback) -> None:
    """Store the progress of a search; do nothing if a correction of the entry has meanwhile begun another search."""
    same = (_table.c.entry_id == lookback.entry_id, _table.c.came_at == lookback.came_at)
    await unit.run(update(_table).where(*same).values(asdict(lookback)))


async def list_due(reader: Reader, after: Lookback | None, limit: int) -> list[Lookback]:
    """Return searches that are due to be continued now, the longest due first, at most `limit`.

    Only those after the search `after` (None: the first).
    """
    order = (_table.c.due_at, _table.c.entry_id)
    position = None if after is None else (after.due_at, after.entry_id)
    due = (_table.c.due_at.is_not(None), _table.c.due_at <= reader.now, follows(position, *order))
    rows = await reader.run(select(_table).where(*due).order_by(*order).limit(limit))
    return [Lookback(**row._mapping) for row in rows]
