"""Every SQL statement about recorded duties, and what an entry is told to have been done about it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Row, delete, exists, insert, select

from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.entries import open_duties
from app.entries.deadlines import DeadlineName
from app.entries.domain import Entry
from app.entries.tables import duty as table


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """A duty that was done, and its proof.

    Attributes:
        name: which; most bear the name of the deadline that they meet.
        version: the entry's version when it was recorded.
        done_at: when it was done, as its officer says.
        reference: the proof: a receipt's number, who received it; None once erased.
        by: client that recorded it.
        person: the officer behind that client.
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
    """That a duty was done, and when that was recorded."""

    name: str
    done_at: datetime
    recorded_at: datetime


async def add(unit: Unit, entry_id: str, done: Duty) -> None:
    """Record a duty; the transaction holds the entry's lock."""
    await unit.run(insert(table).values(entry_id=entry_id, **msgspec.structs.asdict(done)))
    await open_duties.close(unit, entry_id, done.name)


async def was_done(reader: Reader, entry_ids: Iterable[str], name: DeadlineName) -> bool:
    """Whether a duty was recorded as done about one of some entries."""
    done = exists().where(table.c.entry_id.in_(sorted(entry_ids)), table.c.name == name)
    return bool((await reader.run(select(done))).scalar_one())


async def take_back(unit: Unit, entry_id: str, name: DeadlineName) -> None:
    """Let a deadline run on that was met by something which was refused since, or that ran for an earlier end."""
    await unit.run(delete(table).where(table.c.entry_id == entry_id, table.c.name == name))


async def list_duties(reader: Reader, entry_id: str) -> list[Duty]:
    """The duties of an entry that officers recorded, in the order in which they did.

    An extension meets its deadline by having arrived; that is no duty, and stands among the amendments.
    """
    statement = (
        select(table)
        .where(table.c.entry_id == entry_id, table.c.name != DeadlineName.EXTEND_BEFORE)
        .order_by(table.c.recorded_at, table.c.name)
    )
    return [_duty(row) for row in await reader.run(statement)]


async def with_met(reader: Reader, entries: Sequence[Entry]) -> list[Entry]:
    """The same entries, each with what was recorded to have been done about it, the latest of each name.

    A passport that was withdrawn on the urgent entry need not be withdrawn again on its formalisation; what was
    recorded before another passport was found says nothing of that one.
    """
    wanted = {entry.id for entry in entries} | {entry.formalises for entry in entries if entry.formalises}
    statement = (
        select(table.c.entry_id, table.c.name, table.c.done_at, table.c.recorded_at)
        .where(any_of(table.c.entry_id, "ids"))
        .order_by(table.c.done_at)
    )
    done: dict[str, list[_Done]] = {}
    for entry_id, *each in await reader.run(statement, {"ids": sorted(wanted)}):
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
