"""SQL statements on the duties that were done; they do not check who may see the entry."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Row, delete, exists, insert, select

from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.register.entries.domain import Entry
from app.register.entries.duties import columns as open_duties
from app.register.entries.law.deadlines import DeadlineName
from app.register.entries.tables import duty as table


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """A duty that was done, and its proof.

    Attributes:
        name: the duty, as a `DutyName`; for the arrival of an extension the deadline `extend_before`.
        version: the entry's version when the duty was recorded.
        done_at: when it was done, according to its officer.
        reference: the proof: a receipt's number, the recipient; None once erased.
        by: id of the client that recorded it.
        person: the officer who used that client.
    """

    name: str
    version: int
    done_at: datetime
    reference: str | None
    note: str | None
    by: str
    person: str | None
    recorded_at: datetime


class _Done(NamedTuple):
    """The time of a duty, and of its record."""

    name: str
    done_at: datetime
    recorded_at: datetime


async def add(unit: Unit, entry_id: str, done: Duty) -> None:
    """Store that a duty was done, and empty its column in the entry's row (see module `columns`).

    The transaction must hold the entry's lock. Whether the duty is open or was recorded before is not checked.
    """
    await unit.run(insert(table).values(entry_id=entry_id, **msgspec.structs.asdict(done)))
    await open_duties.close(unit, entry_id, done.name)


async def was_done(
    reader: Reader, entry_ids: Iterable[str], name: DeadlineName, since: datetime | None
) -> bool:
    """Return whether a duty was recorded as done for at least one of these entries; False for unknown ids.

    Only records made at `since` or later count; with None, all records count.
    """
    done = exists().where(table.c.entry_id.in_(sorted(entry_ids)), table.c.name == name)
    if since is not None:
        done = done.where(table.c.recorded_at >= since)
    return bool((await reader.run(select(done))).scalar_one())


async def take_back(unit: Unit, entry_id: str, name: DeadlineName) -> None:
    """Delete the entry's record of a duty, so that its deadline runs again. Does nothing if there is no record.

    The duty's column in the entry's row stays until the next `store.save` of the entry.
    """
    await unit.run(delete(table).where(table.c.entry_id == entry_id, table.c.name == name))


async def list_duties(reader: Reader, entry_id: str) -> list[Duty]:
    """Return the duties done for an entry, in the order in which officers recorded them; empty for an unknown entry.

    The arrival of an extension is left out, although it is stored in the same table: it is listed as an amendment.
    """
    statement = (
        select(table)
        .where(table.c.entry_id == entry_id, table.c.name != DeadlineName.EXTEND_BEFORE)
        .order_by(table.c.recorded_at, table.c.name)
    )
    return [_duty(row) for row in await reader.run(statement)]


async def with_done_times(reader: Reader, entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries in the same order, with `met` filled: the last time at which each duty was done, by name.

    A passport withdrawn for the urgent entry counts for its formal entry too. A withdrawal that was recorded before
    another passport was added (`passports_since`) does not count.
    """
    requested = {entry.id for entry in entries} | {entry.formalises for entry in entries if entry.formalises}
    statement = (
        select(table.c.entry_id, table.c.name, table.c.done_at, table.c.recorded_at)
        .where(any_of(table.c.entry_id, "ids"))
        .order_by(table.c.done_at)
    )
    done: dict[str, list[_Done]] = {}
    for entry_id, *each in await reader.run(statement, {"ids": sorted(requested)}):
        done.setdefault(entry_id, []).append(_Done(*each))
    return [entry.replace(met=_met(entry, done)) if done else entry for entry in entries]


def _met(entry: Entry, done: dict[str, list[_Done]]) -> dict[str, datetime]:
    passport, found_at = DeadlineName.WITHDRAW_PASSPORT, entry.passports_since
    of_urgent = (each for each in done.get(entry.formalises or "", ()) if each.name == passport)
    return {
        each.name: each.done_at
        for each in (*of_urgent, *done.get(entry.id, ()))
        if found_at is None or each.name != passport or each.recorded_at >= found_at
    }


def _duty(row: Row[*tuple[object, ...]]) -> Duty:
    return msgspec.convert({name: row._mapping[name] for name in Duty.__struct_fields__}, Duty)
