"""Index of names and births: keys stored with an entry in its transaction, and renewed when the rules change.

An entry is found by its name from the commit on. Keys are made by the rules of one NORM_VERSION. When a release
raises it, the worker replaces older entries' keys in small steps while the register is in use. Until then an old
entry is found by those of its keys that the change did not affect.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import (
    LargeBinary,
    bindparam,
    delete,
    func,
    null,
    select,
    union_all,
    update,
)

from app.db.bulk import BulkInsert
from app.db.driver import Statement
from app.db.lookups import Among, LookUp
from app.db.runs import Merge, Runs
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.identity import states
from app.identity.births import Birth
from app.identity.spellings import NORM_VERSION
from app.matching.keys import SKETCH_BYTES, KeyQuery, StoredKeys, stored_days, stored_keys
from app.matching.persons import KnownPerson
from app.matching.retrieval import Index
from app.register.entries import tables
from app.register.entries.domain import Entry
from app.register.entries.subjects import Subject

_PERSON_ERASED: Final = 2
"""Value of `entry.erased` after the person was erased; such an entry has no name to index."""


NameKey = tuple[int, str]
"""A row of the table `name_key`: one key by which an entry's name is found, and the entry's id."""


class BirthKey(NamedTuple):
    """A row of the table `birth_key`: a day of birth of an entry, by which the entry is found.

    Attributes:
        day: the day, as `date.toordinal` numbers it.
        sketch: bits of one of the entry's names (see `matching.keys.sketch`); a found entry with a clearly different
            name is skipped without being read.
    """

    day: int
    sketch: bytes
    entry_id: str


class NameForm(NamedTuple):
    """A row of the table `name_form`: an entry's names and births, in the form that `unpacked` decodes."""

    entry_id: str
    form: bytes


class NameKeySet(NamedTuple):
    """A row of the table `name_key_set`: all name keys of an entry, by which its rows in the index are deleted.

    Attributes:
        packed: the keys, eight bytes each, big-endian.
    """

    entry_id: str
    packed: bytes


_BESIDE = (
    (tables.birth_key, BirthKey._fields),
    (tables.name_form, NameForm._fields),
    (tables.name_key_set, NameKeySet._fields),
)
_NAME_KEY = ("key", "entry_id")
TABLES: Final = (*_BESIDE, (tables.name_key, _NAME_KEY))
"""Tables and columns of the keys, as arguments of `BulkInsert`; `made_of` returns the rows."""

RECENT_TABLES: Final = (*_BESIDE, (tables.recent_name_key, ("run", *_NAME_KEY)))
"""Tables and columns of the keys of an import on SQLite: `TABLES` with `recent_name_key` in place of `name_key`.

The rows of that table are moved into the index `name_key` later, by `due` and `move`.
"""

_RUNS: Final = Runs(tables.name_key, tables.recent_name_key)

_INSERT = BulkInsert(*TABLES)
_KEYS_OF = select(tables.name_key_set.c.packed).where(tables.name_key_set.c.entry_id == bindparam("entry_id"))
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(KnownPerson).decode


class _Births(msgspec.Struct, array_like=True):
    """The first members of a stored comparison form (`KnownPerson`); only the births are decoded."""

    names: msgspec.Raw
    weak: msgspec.Raw
    births: tuple[Birth, ...]


_unpack_births = msgspec.msgpack.Decoder(_Births).decode


def _persons(among: Among, is_sqlite: bool) -> Statement:  # noqa: FBT001 - as `LookUp` calls it
    """Return the statement that looks up keys and days."""
    name, recent, birth = tables.name_key.c, tables.recent_name_key.c, tables.birth_key.c
    by_key = [select(name.key, null().cast(LargeBinary), name.entry_id).where(among(name.key, "keys"))]
    if is_sqlite:
        imported = select(recent.key, null().cast(LargeBinary), recent.entry_id)
        by_key.append(imported.where(_RUNS.within(), among(recent.key, "keys")))
    return union_all(*by_key, select(birth.day, birth.sketch, birth.entry_id).where(among(birth.day, "days")))


def _forms(among: Among, _is_sqlite: bool) -> Statement:  # noqa: FBT001 - as above
    """Return the statement that looks up packed forms."""
    form = tables.name_form.c
    return select(form.entry_id, form.form).where(among(form.entry_id, "ids"))


_PERSONS: Final = LookUp(_persons, "keys", "days")
_FORMS: Final = LookUp(_forms, "ids")


def listed(subject: Subject) -> KnownPerson:
    """Return the part of a subject that is compared with travellers: names, births, sex, nationalities.

    The result's `names` are the full name and the aliases of good quality; its `weak` are the aliases of low quality.
    """
    good = (alias.name for alias in subject.aliases if alias.quality == "good")
    return KnownPerson.of(
        names=(subject.full_name, *good),
        weak=(alias.name for alias in subject.aliases if alias.quality != "good"),
        births=subject.births,
        sex=subject.sex,
        nationalities=map(states.canonical, subject.nationalities),
    )


def prepare(subject: Subject) -> StoredKeys:
    """Compute the name keys, birth keys and packed form of a subject by the current rules; nothing is stored.

    This takes most of an entry's processor time, so imports do it before they take locks.
    """
    person = listed(subject)
    spelled = (*person.names, *person.weak)
    days = stored_days(spelled, person.births)
    return StoredKeys(
        keys=stored_keys(spelled, person.births),
        days=tuple((day, drawn.to_bytes(SKETCH_BYTES)) for day, drawn in days),
        form=_pack(person),
    )


def made_of(
    entries: Sequence[Entry], prepared: Mapping[str, StoredKeys] | None = None
) -> tuple[list[BirthKey], list[NameForm], list[NameKeySet], list[NameKey]]:
    """Return the rows with which the entries are indexed by name and birth; nothing is stored.

    Args:
        entries: the entries.
        prepared: results of `prepare`, by entry id. Missing ones are computed now; with None, all are.

    Returns:
        The rows of the tables `birth_key`, `name_form`, `name_key_set` and `name_key`; the rows of `name_key` are
        sorted.
    """
    names: list[NameKey] = []
    forms: list[NameForm] = []
    births: list[BirthKey] = []
    sets: list[NameKeySet] = []
    for entry in entries:
        made = (prepared or {}).get(entry.id) or prepare(entry.subject)
        forms.append(NameForm(entry.id, made.form))
        sets.append(NameKeySet(entry.id, _packed(made.keys)))
        names += zip(made.keys, repeat(entry.id))
        births += (BirthKey(day, drawn, entry.id) for day, drawn in made.days)
    names.sort()  # neighbours are on one page of the index
    return births, forms, sets, names


def _packed(keys: Sequence[int]) -> bytes:
    """Return keys in the form stored in `name_key_set`."""
    return struct.pack(f">{len(keys)}q", *keys)


async def rows_of(
    unit: Unit, entries: Sequence[Entry], prepared: Mapping[str, StoredKeys] | None
) -> tuple[Sequence[tuple[Any, ...]], ...]:
    """Return the rows with which new entries are indexed by name and birth; the caller inserts them.

    They are for the tables in `TABLES`, but those of an import on SQLite for the tables in `RECENT_TABLES`. The name
    keys of such an import form a new run, a sorted block beside the index, until `move` moves them into the index.

    Args:
        unit: the transaction, in which the caller inserts the rows.
        entries: the entries.
        prepared: None if the entries are not imported. For an import, results of `prepare` by entry id; missing ones
            are computed now.

    Returns:
        One sequence of rows for each of the tables, in their order.
    """
    births, forms, sets, names = made_of(entries, prepared)
    if prepared is None or not unit.is_sqlite:
        return births, forms, sets, names
    run = await _RUNS.open(unit)
    return births, forms, sets, [(run, key, entry_id) for key, entry_id in names]


async def replace(unit: Unit, entry: Entry) -> None:
    """Replace an entry's stored name and birth keys by new ones, computed from its subject by the current rules."""
    await forget(unit, entry.id)
    await _INSERT.run(unit, *made_of([entry]))
    renewed = update(tables.entry).where(tables.entry.c.id == entry.id).values(norm_version=NORM_VERSION)
    await unit.run(renewed)


async def forget(unit: Unit, entry_id: str) -> None:
    """Delete an entry's name and birth keys."""
    known = (await unit.run(_KEYS_OF, {"entry_id": entry_id})).scalar_one_or_none()
    if known is not None:
        keys = [key for (key,) in struct.iter_unpack(">q", known)]
        for table, within in (
            (tables.name_key, ()),
            *([(tables.recent_name_key, (_RUNS.within(),))] if unit.is_sqlite else ()),
        ):
            own = (*within, any_of(table.c.key, "keys"), table.c.entry_id == entry_id)
            await unit.run(delete(table).where(*own), {"keys": keys})
    for table in (tables.birth_key, tables.name_form, tables.name_key_set):
        await unit.run(delete(table).where(table.c.entry_id == entry_id))


async def due(reader: Reader, *, everything: bool) -> Merge | None:
    """Return the next merge of imported name keys; None if none is due, as always on PostgreSQL.

    On SQLite each transaction of an import stores its name keys in a run, a sorted block beside the index. Without
    `everything`, a merge is due when there are eight runs of about one size, and makes one larger run of them. With
    `everything`, the merge moves all runs into the index, and None means that there are no runs. `move` carries out the
    merge.
    """
    return await _RUNS.due(reader, everything=everything)


async def move(unit: Unit, merge: Merge, place: int) -> None:
    """Move one slice (a range of keys) of a merge from its runs to a larger run, or to the index (see `due`).

    The caller gives each slice its own transaction. Between two slices a query still finds each key exactly once.
    `place` is the number of the slice, from 0 to `len(merge.starts)` inclusive.
    """
    await _RUNS.move(unit, merge, place)


async def look_up(reader: Reader, sought: Sequence[KeyQuery]) -> Index[str]:
    """Return the ids of the entries that share a name key or a day of birth with at least one of the queries.

    The result is one `Index` for all queries, read in one statement. It maps each sought key to the ids of the entries
    with this key, and each sought day to pairs of a sketch (see `BirthKey`) and an entry id. Keys and days without an
    entry are left out.
    """
    keys = {key for each in sought for key in each.keys}
    days = {day for each in sought for day in each.days}
    found: Index[str] = Index({}, {})
    for key, drawn, entry_id in await _PERSONS.rows(reader, list(keys), list(days)):
        if drawn is None:
            found.keys.setdefault(key, []).append(entry_id)
        else:
            found.days.setdefault(key, []).append((int.from_bytes(drawn), entry_id))
    return found


async def list_forms(reader: Reader, entry_ids: Iterable[str]) -> dict[str, bytes]:
    """Return the stored packed forms (names and births, see `unpacked`) of these entries by id.

    Unknown ids are left out. Reading a stored form is faster than reading the entry and making the form from it.
    """
    rows = await _FORMS.rows(reader, list(entry_ids))
    return {entry_id: form for entry_id, form in rows}  # noqa: C416 - rows are no pairs to mypy


def unpacked(form: bytes) -> KnownPerson:
    """Return the names, births and other compared data of a person from an entry's packed form (see `NameForm`)."""
    return _unpack(form)


def births_in(form: bytes) -> tuple[Birth, ...]:
    """Return the births in an entry's packed form (see `NameForm`); unlike `unpacked`, this decodes no names."""
    return _unpack_births(form).births


_OUTDATED = select(tables.entry.c.id).where(
    tables.entry.c.norm_version < NORM_VERSION, tables.entry.c.erased < _PERSON_ERASED
)


async def list_outdated(reader: Reader, after: str | None, limit: int) -> list[str]:
    """Return the ids of the next entries whose keys were made by older rules or never, sorted, at most `limit`.

    Only those after the id `after` (None: the first). Entries from which the person was erased have no keys and are
    left out.
    """
    own = tables.entry.c.id
    if (
        await reader.run(_OUTDATED.limit(1))
    ).first() is None:  # else the order walks through all entries in vain
        return []
    statement = _OUTDATED.where(own > (after or "")).order_by(own).limit(limit)
    return list((await reader.run(statement)).scalars())


async def count_outdated(reader: Reader) -> int:
    """Return the number of entries whose keys were made by older rules or never; erased entries are left out."""
    return int((await reader.run(select(func.count()).select_from(_OUTDATED.subquery()))).scalar_one())
