"""The persons that the seals of many entries let through or keep out, in one statement each (R61)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from app.db.types import any_of
from app.db.unit import Reader
from app.entries import tables
from app.entries.views import barred as select_barred
from app.entries.views import closed

_ID = re.compile(rb"\bent_[0-9a-z]+")


@dataclass(frozen=True, slots=True)
class Seal:
    """The persons that an entry's seal lets through, and those it keeps out whatever their roles (R61)."""

    let_in: frozenset[str]
    barred: frozenset[str]


async def list_seals(reader: Reader, entry_ids: Iterable[str]) -> dict[str, Seal]:
    """The seals of these entries, by entry; those without a seal are left out."""
    table, persons = tables.entry, tables.seal
    statement = (
        select(table.c.id, persons.c.person, persons.c.barred)
        .outerjoin(persons, persons.c.entry_id == table.c.id)
        .where(table.c.sealed, any_of(table.c.id, "ids"))
    )
    found: dict[str, dict[bool, set[str]]] = {}
    for entry_id, person, is_barred in await reader.run(statement, {"ids": sorted(entry_ids)}):
        kinds = found.setdefault(entry_id, {False: set(), True: set()})
        if person is not None:
            kinds[bool(is_barred)].add(person)
    return {
        entry_id: Seal(frozenset(kinds[False]), frozenset(kinds[True])) for entry_id, kinds in found.items()
    }


async def list_closed(reader: Reader) -> frozenset[str]:
    """The ids of the entries whose seal keeps the actor out."""
    return frozenset((await reader.run(closed(reader.actor))).scalars())


async def tells_closed(reader: Reader, told: bytes) -> bool:
    """Whether a text names an entry, by its id, whose seal keeps the actor out; for answers that are given again."""
    ids = sorted({each.decode() for each in _ID.findall(told)})
    if not ids:
        return False
    table = tables.entry
    statement = select(table.c.id).where(any_of(table.c.id, "ids"), table.c.id.in_(closed(reader.actor)))
    return (await reader.run(statement.limit(1), {"ids": ids})).first() is not None


async def list_barred(reader: Reader) -> frozenset[str]:
    """The ids of the entries that may be about the actor, who sees nothing of them whatever their roles (R61)."""
    person = reader.actor.person
    return frozenset() if person is None else frozenset((await reader.run(select_barred(person))).scalars())
