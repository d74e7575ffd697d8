"""The keys of names and births: stored with an entry in its transaction, made anew when the rules change.

An entry is found by its name from the commit on. Keys are made by the rules of one NORM_VERSION; when a release
raises it, the worker makes older entries' keys anew in small steps while the register is in use. Until an entry's turn
comes it is found by those of its keys that the change did not touch.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import LargeBinary, bindparam, delete, func, insert, null, select, union_all, update

from app.db.bulk import BulkInsert
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.entries import tables
from app.entries.domain import Entry
from app.entries.subjects import Subject
from app.identity.spellings import NORM_VERSION
from app.matching.keys import SKETCH_BYTES, Stored, Wanted, stored_days, stored_keys
from app.matching.persons import Listed
from app.matching.retrieval import Index

_SMALLEST: Final = -(2**63)

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


class NameKeySet(NamedTuple):
    """A row of `name_key_set`."""

    entry_id: str
    packed: bytes


_BESIDE = (
    (tables.birth_key, BirthKey._fields),
    (tables.name_form, NameForm._fields),
    (tables.name_key_set, NameKeySet._fields),
)
TABLES: Final = (*_BESIDE, (tables.name_key, NameKey._fields))
"""What keys are inserted into, as `BulkInsert` wants it; `made_of` gives the rows."""

RECENT_TABLES: Final = (*_BESIDE, (tables.recent_name_key, NameKey._fields))
"""The same for an import on SQLite, which calls `settle` from time to time."""

_SLICE: Final = 8192
"""Keys that `settle` moves in one transaction: some tens of milliseconds."""

_INSERT = BulkInsert(*TABLES)
_KEYS_OF = select(tables.name_key_set.c.packed).where(tables.name_key_set.c.entry_id == bindparam("entry_id"))
_FORMS = select(tables.name_form.c.entry_id, tables.name_form.c.form).where(
    any_of(tables.name_form.c.entry_id, "ids")
)
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Listed).decode
_FOUND = union_all(
    *(
        select(table.c.key, null().cast(LargeBinary), table.c.entry_id).where(any_of(table.c.key, "keys"))
        for table in (tables.name_key, tables.recent_name_key)
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


def prepare(subject: Subject) -> Stored:
    """Make a subject's keys; most of an entry's processor time, so an import does it before it locks anything."""
    person = listed(subject)
    spelled = (*person.names, *person.weak)
    days = stored_days(spelled, person.births)
    return Stored(
        keys=stored_keys(spelled, person.births),
        days=tuple((day, drawn.to_bytes(SKETCH_BYTES)) for day, drawn in days),
        form=_pack(person),
    )


def made_of(
    entries: Sequence[Entry], prepared: Mapping[str, Stored] | None = None
) -> tuple[list[BirthKey], list[NameForm], list[NameKeySet], list[NameKey]]:
    """The keys of entries, and their subjects made ready, by today's rules.

    Args:
        entries: the entries.
        prepared: what is known of some of their subjects already, by the entries' ids.
    """
    names: list[NameKey] = []
    forms: list[NameForm] = []
    births: list[BirthKey] = []
    sets: list[NameKeySet] = []
    for entry in entries:
        made = (prepared or {}).get(entry.id) or prepare(entry.subject)
        forms.append(NameForm(entry.id, made.form))
        sets.append(NameKeySet(entry.id, _packed(made.keys)))
        names += (NameKey(key, entry.id) for key in made.keys)
        births += (BirthKey(day, drawn, entry.id) for day, drawn in made.days)
    names.sort()  # neighbours are on one page of the index
    return births, forms, sets, names


def _packed(keys: Sequence[int]) -> bytes:
    """Keys as `name_key_set` holds them."""
    return struct.pack(f">{len(keys)}q", *keys)


async def replace(unit: Unit, entry: Entry) -> None:
    """Make an entry's keys anew, by today's rules."""
    await forget(unit, entry.id)
    await _INSERT.run(unit, *made_of([entry]))
    renewed = update(tables.entry).where(tables.entry.c.id == entry.id).values(norm_version=NORM_VERSION)
    await unit.run(renewed)


async def forget(unit: Unit, entry_id: str) -> None:
    """Delete an entry's keys: its person is erased, or they are made anew."""
    known = (await unit.run(_KEYS_OF, {"entry_id": entry_id})).scalar_one_or_none()
    if known is not None:
        keys = [key for (key,) in struct.iter_unpack(">q", known)]
        for table in (tables.name_key, tables.recent_name_key):
            own = (any_of(table.c.key, "keys"), table.c.entry_id == entry_id)
            await unit.run(delete(table).where(*own), {"keys": keys})
    for table in (tables.birth_key, tables.name_form, tables.name_key_set):
        await unit.run(delete(table).where(table.c.entry_id == entry_id))


async def settle(unit: Unit, after: int | None = None) -> int | None:
    """Move some of the keys that imports have added to the others; a look-up finds each key once, before and after.

    A key is a random number, so that each of an entry's keys is on another page of the index, and SQLite's journal gets
    whole pages; the keys of many entries, moved in their order, come to the same pages. PostgreSQL's log gets the
    rows alone, so nothing waits there.

    Args:
        unit: the transaction, on SQLite, which lets in no other meanwhile.
        after: go on from here; None begins with the smallest key.

    Returns:
        Where to go on; None when there are no more.
    """
    table = tables.recent_name_key
    first = _SMALLEST if after is None else after
    beyond = select(table.c.key).where(table.c.key >= first).order_by(table.c.key).offset(_SLICE).limit(1)
    last: int | None = (await unit.run(beyond)).scalar_one_or_none()
    within = [table.c.key >= first] if last is None else [table.c.key >= first, table.c.key < last]
    moved = select(table).where(*within).order_by(table.c.key, table.c.entry_id)
    await unit.run(insert(tables.name_key).from_select(["key", "entry_id"], moved))
    await unit.run(delete(table).where(*within))
    return last


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
