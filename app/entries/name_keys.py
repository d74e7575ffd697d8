"""The keys of names and births: stored with an entry in its transaction, made anew when the rules change.

An entry is found by its name from the commit on. Keys are made by the rules of one NORM_VERSION; when a release
raises it, the worker makes older entries' keys anew in small steps while the register is in use. Until an entry's turn
comes it is found by those of its keys that the change did not touch.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import LargeBinary, delete, func, null, select, union_all, update

from app.db.bulk import BulkInsert
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.entries import tables
from app.entries.domain import Entry
from app.entries.subjects import Subject
from app.identity.spellings import NORM_VERSION
from app.matching.keys import SKETCH_BYTES, Wanted, stored_days, stored_keys
from app.matching.persons import Listed
from app.matching.retrieval import Index

_GONE: Final = 2
"""`entry.erased` of a person who was erased: there is no name to make keys of."""


class NameKey(NamedTuple):
    """A row of `name_key`."""

    key: int
    entry_id: str


class BirthKey(NamedTuple):
    """A row of `birth_key`."""

    day: int
    sketch: bytes
    entry_id: str


class NameForm(NamedTuple):
    """A row of `name_form`."""

    entry_id: str
    form: bytes


TABLES: Final = (
    (tables.birth_key, BirthKey._fields),
    (tables.name_form, NameForm._fields),
    (tables.name_key, NameKey._fields),
)
"""What keys are inserted into, as `BulkInsert` wants it; `made_of` gives the rows."""

_INSERT = BulkInsert(*TABLES)
_FORMS = select(tables.name_form.c.entry_id, tables.name_form.c.form).where(
    any_of(tables.name_form.c.entry_id, "ids")
)
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Listed).decode
_FOUND = union_all(
    select(tables.name_key.c.key, null().cast(LargeBinary), tables.name_key.c.entry_id).where(
        any_of(tables.name_key.c.key, "keys")
    ),
    select(tables.birth_key.c.day, tables.birth_key.c.sketch, tables.birth_key.c.entry_id).where(
        any_of(tables.birth_key.c.day, "days")
    ),
)


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


def made_of(entries: Sequence[Entry]) -> tuple[list[BirthKey], list[NameForm], list[NameKey]]:
    """The keys of entries, and their subjects made ready, by today's rules."""
    names: list[NameKey] = []
    forms: list[NameForm] = []
    births: list[BirthKey] = []
    for entry in entries:
        person = listed(entry.subject)
        forms.append(NameForm(entry.id, _pack(person)))
        spelled = (*person.names, *person.weak)
        names += (NameKey(key, entry.id) for key in stored_keys(spelled, person.births))
        births += (
            BirthKey(day, drawn.to_bytes(SKETCH_BYTES), entry.id)
            for day, drawn in stored_days(spelled, person.births)
        )
    return births, forms, names


async def replace(unit: Unit, entry: Entry) -> None:
    """Make an entry's keys anew, by today's rules."""
    await forget(unit, entry.id)
    await _INSERT.run(unit, *made_of([entry]))
    renewed = update(tables.entry).where(tables.entry.c.id == entry.id).values(norm_version=NORM_VERSION)
    await unit.run(renewed)


async def forget(unit: Unit, entry_id: str) -> None:
    """Delete an entry's keys: its person is erased, or they are made anew."""
    for table in (tables.name_key, tables.birth_key, tables.name_form):
        await unit.run(delete(table).where(table.c.entry_id == entry_id))


async def look_up(reader: Reader, sought: Sequence[Wanted]) -> Index[str]:
    """The part of the register's index that some travellers ask for, in one exchange: ids of entries."""
    keys = {key for each in sought for key in each.keys}
    days = {day for each in sought for day in each.days}
    found: Index[str] = Index({}, {})
    for key, drawn, entry_id in await reader.run(_FOUND, {"keys": list(keys), "days": list(days)}):
        if drawn is None:
            found.keys.setdefault(key, []).append(entry_id)
        else:
            found.days.setdefault(key, []).append((int.from_bytes(drawn), entry_id))
    return found


async def list_forms(reader: Reader, entry_ids: Iterable[str]) -> dict[str, Listed]:
    """The subjects of entries, ready to be compared, without reading the entries; by id.

    To make a name ready takes four times as long as to compare it, and most who share a key are somebody else.
    """
    rows = await reader.run(_FORMS, {"ids": list(entry_ids)})
    return {entry_id: _unpack(form) for entry_id, form in rows}


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
