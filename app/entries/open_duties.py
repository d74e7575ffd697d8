"""Which duties beside an entry are open: columns by which they are found without reading entries.

A column says since when its duty has been open; it is empty where there is none, or it is on record as done. The
rule itself is `deadlines.duties_since`.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, case, exists, literal, null, or_, select, update

from app.db.unit import Reader, Unit
from app.entries.deadlines import DeadlineName, duties_since
from app.entries.domain import Entry, State
from app.entries.tables import duty, entry

_COLUMNS: Final = {
    DeadlineName.DELIVER_TO_PERSON: entry.c.deliver_from,
    DeadlineName.DELIVER_TO_MINISTER: entry.c.minister_from,
    DeadlineName.WITHDRAW_PASSPORT: entry.c.passport_from,
    DeadlineName.RESTORE: entry.c.restore_from,
}
_OVER: Final = [State.ENDED, State.REJECTED, State.RETURNED]


def since(of: Entry) -> dict[str, Any]:
    """The columns of an entry about which nothing was recorded yet."""
    running = duties_since(of)
    return {column.name: running.get(name) for name, column in _COLUMNS.items()}


def still(of: Entry) -> dict[str, Any]:
    """The columns of an entry about which something may be on record.

    What is to reach the person anew after an extension was not done by the delivery of the decision before; a
    passport may have been withdrawn on the urgent entry, but not one that was found later.
    """
    found: dict[str, Any] = {}
    for name, moment in duties_since(of).items():
        whose = [of.id]
        if name is DeadlineName.WITHDRAW_PASSPORT and of.formalises is not None:
            whose.append(of.formalises)
        done = exists().where(duty.c.entry_id.in_(whose), duty.c.name == name)
        if name is DeadlineName.WITHDRAW_PASSPORT and of.passports_since is not None:
            done = done.where(duty.c.recorded_at >= of.passports_since)
        if name is DeadlineName.DELIVER_TO_PERSON:
            done = done.where(duty.c.done_at >= moment)
        column = _COLUMNS[name]
        found[column.name] = case((done, null()), else_=literal(moment, column.type))
    return found


async def close(unit: Unit, entry_id: str, name: str) -> None:
    """Note that a duty is on record as done; of a passport also for the formal entry that follows."""
    column = next((column for duty_name, column in _COLUMNS.items() if duty_name == name), None)
    if column is None:
        return
    whose = entry.c.id == entry_id
    if name == DeadlineName.WITHDRAW_PASSPORT:
        whose = or_(whose, entry.c.formalises == entry_id)
    await unit.run(update(entry).where(whose).values({column: None}))


def since_column(name: DeadlineName) -> ColumnElement[datetime]:
    """The column of entries that says since when a duty has been open."""
    return _COLUMNS[name]


def running(name: DeadlineName, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Conditions on the table of entries: the duty is open, and the entry is not over; but for a restoration."""
    if name is DeadlineName.RESTORE:  # it follows from the end
        return (_COLUMNS[name].is_not(None),)
    return (
        _COLUMNS[name].is_not(None),
        entry.c.state.not_in(_OVER),
        or_(entry.c.in_force_until.is_(None), entry.c.in_force_until > now),
    )


async def list_open(
    reader: Reader, name: DeadlineName, agency: str | None, limit: int, before: datetime | None = None
) -> list[tuple[str, datetime]]:
    """Ids of the running entries with an open duty, and since when it has run, the longest first.

    Args:
        reader: the transaction.
        name: which duty.
        agency: whose entries; None for everybody's.
        limit: how many at most.
        before: only duties that have run since an earlier instant.
    """
    column = _COLUMNS[name]
    statement = select(entry.c.id, column).where(*running(name, reader.now))
    if agency is not None:
        statement = statement.where(entry.c.agency == agency)
    if before is not None:
        statement = statement.where(column < before)
    rows = await reader.run(statement.order_by(column, entry.c.id).limit(limit))
    return [(entry_id, moment) for entry_id, moment in rows]
