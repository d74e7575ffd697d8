"""SQL statements on accepted clocks: each acceptance is a person's word that the clock is right."""

from sqlalchemy import func, select

from app.db.unit import Reader, Unit
from app.maintenance.standstill import tables

_LAST = select(func.coalesce(func.max(tables.acceptance.c.number), 0))


async def last(reader: Reader) -> int:
    """Return the number of the last stored acceptance of the clock; 0 before the first. Acceptances count from 1."""
    return int((await reader.run(_LAST)).scalar_one())


async def add(unit: Unit) -> None:
    """Store an acceptance of the clock; two simultaneous acceptances are stored as one."""
    row = {"number": await last(unit) + 1, "at": unit.now}
    await unit.run(unit.inserting(tables.acceptance).values(row).on_conflict_do_nothing())
