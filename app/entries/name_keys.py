"""The keys of names and births: stored with an entry in its transaction, made anew when the rules change.

An entry is found by its name from the commit on. Keys are made by the rules of one NORM_VERSION; when a release
raises it, the worker makes older entries' keys anew in small steps while the register is in use. Until an entry's turn
comes it is found by those of its keys that the change did not touch.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlalchemy import delete, func, select, update

from app.db.bulk import BulkInsert
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.entries import tables
from app.entries.domain import Entry
from app.entries.subjects import Subject
from app.identity.spellings import NORM_VERSION
from app.matching.keys import asked_keys, least_bits, stored_keys
from app.matching.persons import Asked, Listed
from app.matching.retrieval import Candidates, rank

_GONE: Final = 2
"""`entry.erased` of a person who was erased: there is no name to make keys of."""


class NameKey(NamedTuple):
    """A row of `name_key`."""

    key: int
    entry_id: str


_INSERT = BulkInsert((tables.name_key, NameKey))
_HITS = select(tables.name_key.c.key, tables.name_key.c.entry_id).where(any_of(tables.name_key.c.key, "keys"))


def listed(subject: Subject) -> Listed:
    """The subject made ready to be compared; weak aliases apart."""
    good = (alias.name for alias in subject.aliases if alias.quality == "good")
    return Listed.of(
        names=(subject.full_name, *good),
        weak=(alias.name for alias in subject.aliases if alias.quality != "good"),
        births=subject.births,
        sex=subject.sex,
        nationalities=subject.nationalities,
    )


async def add_all(unit: Unit, entries: Sequence[Entry]) -> None:
    """Store the keys of new entries."""
    rows = [NameKey(key, entry.id) for entry in entries for key in _keys(entry)]
    if rows:
        await _INSERT.run(unit, rows)


async def replace(unit: Unit, entry: Entry) -> None:
    """Make an entry's keys anew, by today's rules."""
    await forget(unit, entry.id)
    await add_all(unit, [entry])
    renewed = update(tables.entry).where(tables.entry.c.id == entry.id).values(norm_version=NORM_VERSION)
    await unit.run(renewed)


async def forget(unit: Unit, entry_id: str) -> None:
    """Delete an entry's keys: its person is erased, or they are made anew."""
    await unit.run(delete(tables.name_key).where(tables.name_key.c.entry_id == entry_id))


async def find(reader: Reader, asked: Asked, most: int) -> Candidates[str]:
    """The ids of the entries that share keys with a traveller, the most promising first, at most so many."""
    keys = asked_keys(asked)
    rows = await reader.run(_HITS, {"keys": list(keys)})
    return rank(((key, entry_id) for key, entry_id in rows), keys, most, least_bits(asked))


async def list_outdated(reader: Reader, limit: int) -> list[str]:
    """Some entries whose keys were made by older rules, or never."""
    statement = (
        select(tables.entry.c.id)
        .where(tables.entry.c.norm_version < NORM_VERSION, tables.entry.c.erased < _GONE)
        .limit(limit)
    )
    return list((await reader.run(statement)).scalars())


async def count_outdated(reader: Reader) -> int:
    """How many entries wait for keys by today's rules."""
    statement = (
        select(func.count())
        .select_from(tables.entry)
        .where(tables.entry.c.norm_version < NORM_VERSION, tables.entry.c.erased < _GONE)
    )
    return int((await reader.run(statement)).scalar_one())


def _keys(entry: Entry) -> tuple[int, ...]:
    person = listed(entry.subject)
    return stored_keys((*person.names, *person.weak), person.births)
