"""Notes in the database that it was rolled back: every process refuses writes in an epoch that has one.

A process notices a rollback by the mark, or by what it has read before. Neither is in the database. The process that
notices it writes the note for processes that know less. `cekal restore` begins a new epoch, which has no note.
"""

from sqlalchemy import select

from app.db.unit import Reader, Unit
from app.ledger import tables
from app.ledger.domain import NotedRollback

_ALL = select(*(tables.rollback.c[name] for name in ("epoch", "origin", "size", "found")))


async def find_rollback(reader: Reader, epoch: str) -> NotedRollback | None:
    """Return the stored note about a rollback of the database in an epoch of the ledger; None without one."""
    row = (await reader.run(_ALL.where(tables.rollback.c.epoch == epoch))).first()
    return None if row is None else NotedRollback(*row)


async def list_rollbacks(reader: Reader) -> list[NotedRollback]:
    """Return all notes that the database was rolled back, at most one for each epoch, in no particular order."""
    return [NotedRollback(*row) for row in await reader.run(_ALL)]


async def note_rollback(unit: Unit, noted: NotedRollback) -> bool:
    """Store a note that the database was rolled back, unless its epoch has one already. Returns whether it was stored.

    From the commit on, the ledger takes no records in this epoch.
    """
    values = {"epoch": noted.epoch, "origin": noted.origin, "size": noted.size, "found": noted.found}
    statement = unit.inserting(tables.rollback).values(**values, noticed_at=unit.now)
    done = await unit.run(statement.on_conflict_do_nothing())
    return bool(done.rowcount)  # type: ignore[attr-defined]  # an insert's result is a CursorResult
