"""Queries on which entries are sealed, and from whose sight, for many entries in one statement each (R61)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from app.db.types import any_of
from app.db.unit import Reader
from app.register.entries import tables
from app.register.entries.visibility import barred as select_barred
from app.register.entries.visibility import closed

_ID = re.compile(rb"\bent_[0-9a-z]+")


@dataclass(frozen=True, slots=True)
class Seal:
    """The seal of an entry: employee numbers of the persons that may see it, and of those that never see it (R61).

    Any other person sees the entry only as an auditor.

    Attributes:
        let_in: the persons that may see the entry: its authors, and those that the seal names.
        barred: the users that may be its subject; they never see it, not even as auditors.
    """

    let_in: frozenset[str]
    barred: frozenset[str]


async def list_seals(reader: Reader, entry_ids: Iterable[str]) -> dict[str, Seal]:
    """Return the seals of these entries by id; unknown ids, and entries without a seal, are left out."""
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


async def list_sealed_from_actor(reader: Reader) -> frozenset[str]:
    """Return the ids of all entries that a seal hides from the actor."""
    return frozenset((await reader.run(closed(reader.actor))).scalars())


async def names_closed(reader: Reader, text: bytes) -> bool:
    """Return whether a text contains the id of an entry that a seal hides from the actor.

    The text is a stored answer, which would be sent again to a client that repeats its request.
    """
    ids = sorted({each.decode() for each in _ID.findall(text)})
    if not ids:
        return False
    table = tables.entry
    statement = select(table.c.id).where(any_of(table.c.id, "ids"), table.c.id.in_(closed(reader.actor)))
    return (await reader.run(statement.limit(1), {"ids": ids})).first() is not None


async def list_barred(reader: Reader) -> frozenset[str]:
    """Return the ids of the entries that may be about the actor and are hidden from them in every role (R61)."""
    person = reader.actor.person
    return frozenset() if person is None else frozenset((await reader.run(select_barred(person))).scalars())
