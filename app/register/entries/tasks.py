"""Tasks of the worklist to examine an entry; each is a row that is open until an officer has done the task.

An act on one entry, such as a revocation, may concern another entry of the case too, or may contradict it. The
register does not decide that, so it creates a task.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, select, update

from app.db.unit import Reader, Unit
from app.register.entries.domain import State
from app.register.entries.tables import entry as entry_table
from app.register.entries.tables import task as table
from app.register.entries.visibility import opened


class EntryTaskName(StrEnum):
    """The reason for a task: a possibly related entry, or an entry that contradicts an act in its case."""

    RELATED_ENTRY = "related_entry"
    CASE_CONFLICT = "case_conflict"


@dataclass(frozen=True, slots=True)
class EntryTask:
    """A task of the worklist: an agency must examine an entry.

    Attributes:
        name: the reason for the task.
        entry_id: id of the entry.
        agency: code of the agency that must do the task.
        cause: id of the amendment, or name of the release's upgrade, that created the task.
        since: when it was created.
    """

    name: EntryTaskName
    entry_id: str
    agency: str
    cause: str
    since: datetime


async def add(unit: Unit, task: EntryTask) -> None:
    """Create a task. Does nothing if a task for the same entry, name and cause exists, open or done."""
    values = {
        "name": task.name,
        "entry_id": task.entry_id,
        "agency": task.agency,
        "cause": task.cause,
        "since": task.since,
    }
    await unit.run(unit.inserting(table).values(values).on_conflict_do_nothing())


async def close(unit: Unit, entry_id: str, name: EntryTaskName, reference: str | None) -> int:
    """Close an entry's open tasks with this name, as done by the actor. Returns their number; 0 if none was open.

    `reference` is the officer's note on what was found; None stores no note.
    """
    waiting = (table.c.entry_id == entry_id, table.c.name == name, table.c.done_at.is_(None))
    values = {"done_at": unit.now, "done_by": unit.actor.client_id, "reference": reference}
    done = await unit.run(update(table).where(*waiting).values(values))
    return int(done.rowcount)  # type: ignore[attr-defined]  # an update's result is a CursorResult


async def list_open(
    reader: Reader, name: EntryTaskName, agency: str | None, limit: int
) -> Sequence[EntryTask]:
    """Return open tasks with this name about entries that have not ended, oldest first, at most `limit`.

    Tasks about entries that are sealed from the actor are left out. `agency` is the agency that must do the tasks; None
    means every agency.
    """
    until = entry_table.c.in_force_until
    lives = entry_table.c.state.not_in([State.REJECTED, State.ENDED])
    statement = (
        select(table.c.name, table.c.entry_id, table.c.agency, table.c.cause, table.c.since)
        .join(entry_table, entry_table.c.id == table.c.entry_id)
        .where(table.c.name == name, table.c.done_at.is_(None), lives, opened(reader.actor))
        .where(or_(until.is_(None), until > reader.now))
        .order_by(table.c.since, table.c.entry_id)
        .limit(limit)
    )
    if agency is not None:
        statement = statement.where(table.c.agency == agency)
    return [EntryTask(EntryTaskName(row[0]), *row[1:]) for row in await reader.run(statement)]
