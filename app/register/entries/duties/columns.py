"""Columns of the entry's row that show its open duties, so that they are found without reading whole entries.

A column contains the time since when its duty has been open. It is empty where there is no such duty, or where the duty
was done. The rule itself is `deadlines.duties_since`.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, case, exists, literal, null, or_, select, update

from app.db.unit import Reader, Unit
from app.register.entries.domain import Entry, State
from app.register.entries.law.deadlines import DeadlineName, duties_since
from app.register.entries.tables import duty, entry

_COLUMNS: Final = {
    DeadlineName.DELIVER_TO_PERSON: entry.c.deliver_from,
    DeadlineName.DELIVER_TO_MINISTER: entry.c.minister_from,
    DeadlineName.WITHDRAW_PASSPORT: entry.c.passport_from,
    DeadlineName.RESTORE: entry.c.restore_from,
}
_OVER: Final = [State.ENDED, State.REJECTED, State.RETURNED]


def initial_columns(of: Entry) -> dict[str, Any]:
    """Return the first values of an entry's duty columns, by column name.

    Each column of the entry's row is about one duty, such as the delivery of the decision. Its value is the time since
    when that duty has been open; None where the entry has no such duty. Recorded duties are not looked up.
    """
    running = duties_since(of)
    return {column.name: running.get(name) for name, column in _COLUMNS.items()}


def updated_columns(of: Entry) -> dict[str, ColumnElement[datetime | None]]:
    """Return SQL expressions for the duty columns of an entry's row, by column name.

    An expression gives the time since when the duty has been open, or NULL if the duty is recorded as done. Columns of
    duties that the entry does not have are left out. Three rules decide which records count:

    - A delivery to the person before the newest decision does not, because an extension is delivered again.
    - A withdrawal of the passport for the urgent entry counts for its formal entry too.
    - A withdrawal that was recorded before another passport was added does not.
    """
    found: dict[str, ColumnElement[datetime | None]] = {}
    for name, moment in duties_since(of).items():
        condition = [of.id]
        if name is DeadlineName.WITHDRAW_PASSPORT and of.formalises is not None:
            condition.append(of.formalises)
        done = exists().where(duty.c.entry_id.in_(condition), duty.c.name == name)
        if name is DeadlineName.WITHDRAW_PASSPORT and of.passports_since is not None:
            done = done.where(duty.c.recorded_at >= of.passports_since)
        if name is DeadlineName.DELIVER_TO_PERSON:
            done = done.where(duty.c.done_at >= moment)
        column = _COLUMNS[name]
        found[column.name] = case((done, null()), else_=literal(moment, column.type))
    return found


async def as_recorded(reader: Reader, of: Entry) -> dict[str, Any]:
    """Return the current values of an entry's duty columns, by column name, from the recorded duties.

    A value is the time since when the duty has been open; None if it was done, or if the entry has no such duty.
    """
    columns = [value.label(name) for name, value in updated_columns(of).items()]
    found = (await reader.run(select(*columns))).one()._asdict() if columns else {}
    return initial_columns(of) | found


async def close(unit: Unit, entry_id: str, name: str) -> None:
    """Set the column of the duty `name` in an entry's row to NULL, because the duty was done.

    For the duty to withdraw the passport, the column is also set to NULL in the formal entries that follow this urgent
    entry. Does nothing if the duty has no column.
    """
    column = next((column for duty_name, column in _COLUMNS.items() if duty_name == name), None)
    if column is None:
        return
    condition = entry.c.id == entry_id
    if name == DeadlineName.WITHDRAW_PASSPORT:
        condition = or_(condition, entry.c.formalises == entry_id)
    await unit.run(update(entry).where(condition).values({column: None}))


def since_column(name: DeadlineName) -> ColumnElement[datetime]:
    """Return the column of the table `entry` with the time since when a duty has been open.

    Raises:
        KeyError: the duty has no column.
    """
    return _COLUMNS[name]


def running(name: DeadlineName, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return SQL conditions on the table `entry` that select the entries whose duty `name` is open at `now`.

    Returned, rejected and ended entries are not selected, nor those whose period is over. For the duty `restore`, which
    begins with the entry's end, neither matters.

    Raises:
        KeyError: the duty has no column.
    """
    if name is DeadlineName.RESTORE:  # this duty only begins with the end
        return (_COLUMNS[name].is_not(None),)
    return (
        _COLUMNS[name].is_not(None),
        entry.c.state.not_in(_OVER),
        or_(entry.c.in_force_until.is_(None), entry.c.in_force_until > now),
    )


async def list_open(
    reader: Reader, name: DeadlineName, agency: str | None, limit: int, before: datetime | None = None
) -> list[tuple[str, datetime]]:
    """Return pairs of an entry's id and the time since when its duty `name` has been open, oldest first.

    Entries that are returned, rejected or over are left out; for the duty `restore`, which begins with the end, they
    are included. Entries that are sealed from the actor are included.

    Args:
        reader: the transaction.
        name: name of the duty; it must have a column.
        agency: code of the owner of the entries; None for every agency.
        limit: maximum number of entries.
        before: only duties open since before this instant; None for all.
    """
    column = _COLUMNS[name]
    statement = select(entry.c.id, column).where(*running(name, reader.now))
    if agency is not None:
        statement = statement.where(entry.c.agency == agency)
    if before is not None:
        statement = statement.where(column < before)
    rows = await reader.run(statement.order_by(column, entry.c.id).limit(limit))
    return [(entry_id, moment) for entry_id, moment in rows]
