"""SQL statements on entries; unless said otherwise, they do not check who may see an entry."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, or_, select, update

from app.db.bulk import BulkInsert
from app.db.documents import Documents, document
from app.db.driver import CompiledStatement
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.identity.spellings import NORM_VERSION
from app.kit.commitments import commit
from app.matching.keys import StoredKeys
from app.register.entries import tables
from app.register.entries.acts import Act
from app.register.entries.domain import Entry, Measure, State
from app.register.entries.duties import columns as open_duties
from app.register.entries.keys import keys_of
from app.register.entries.law.deadlines import Terms
from app.register.entries.names import index as name_keys
from app.register.entries.visibility import opened, within_view

_documents = Documents(Entry)

_BY_KEYS = CompiledStatement(
    select(tables.entry.c.document)
    .where(tables.entry.c.id.in_(select(tables.key.c.entry_id).where(any_of(tables.key.c.key, "keys"))))
    .order_by(tables.entry.c.id)
)

_ENTRY = [column.name for column in tables.entry.c if column.name != "erased"]
_KEY = ["key", "entry_id"]
_VERSION = [column.name for column in tables.version.c]
_ADD, _IMPORT = (
    BulkInsert((tables.entry, _ENTRY), (tables.key, _KEY), *names, (tables.version, _VERSION))
    for names in (name_keys.TABLES, name_keys.RECENT_TABLES)
)
_ADD_KEYS = BulkInsert((tables.key, _KEY))


def columns_of(entry: Entry) -> dict[str, Any]:
    """Return the columns of an entry's row by name; each duty column has the value for a duty that was not done yet."""
    return {
        "id": entry.id,
        "version": entry.version,
        "state": entry.state,
        "measure": entry.measure,
        "urgent": entry.urgent,
        "agency": entry.agency,
        "formalises": entry.formalises,
        "ends_on": entry.ends_on,
        "extension_count": entry.extension_count,
        "in_force_from": entry.in_force_from,
        "in_force_until": entry.over_at,
        "pending_until": entry.pending_until,
        "ended_at": entry.rests_since,
        "citizenship": entry.citizenship,
        "province": entry.province,
        "sealed": entry.sealed_for is not None,
        **open_duties.initial_columns(entry),
        "document": _document(entry),
    }


def _document(entry: Entry) -> str:
    """Return the stored JSON of an entry, without the data attached at reading."""
    return document(entry.replace(sequence=None, met={}))


async def add(unit: Unit, entry: Entry, event: Act, reason: str | None = None) -> None:
    """Store a new entry with its keys, seal and first version; that version has the act `event` and the reason."""
    await add_all(unit, [(entry, reason)], event)


async def add_all(
    unit: Unit,
    entries: Sequence[tuple[Entry, str | None]],
    event: Act,
    prepared: Mapping[str, StoredKeys] | None = None,
) -> None:
    """Store new entries with their keys, seals and first versions.

    Args:
        unit: the transaction.
        entries: pairs of an entry and the reason in its history, or None.
        event: the act of the first versions.
        prepared: for an import, results of `names.index.prepare` by entry id; on SQLite these name keys are merged into
            the index later. None if the entries are not imported.
    """
    added = [entry for entry, _ in entries]
    columns = [{**columns_of(entry), "norm_version": NORM_VERSION} for entry in added]
    versions = [
        _version(unit, entry, event, reason, each["document"])
        for (entry, reason), each in zip(entries, columns, strict=True)
    ]
    adding = _IMPORT if prepared is not None and unit.is_sqlite else _ADD
    await adding.run(
        unit,
        _in_order(_ENTRY, columns),
        [key for entry in added for key in keys_of(entry)],
        *await name_keys.rows_of(unit, added, prepared),
        _in_order(_VERSION, versions),
    )
    await _keep_seals(unit, added)


async def save(
    unit: Unit, entry: Entry, event: Act, reason: str | None = None, *, reindex: bool = False
) -> None:
    """Store an entry's next version; the transaction must hold the entry's lock.

    `event` is the act that made the version; `reason` is stored with it. `reindex` replaces the entry's lookup keys,
    and must be true if its subject, case or letters have changed.
    """
    changes = {**columns_of(entry), **open_duties.updated_columns(entry)}
    await unit.run(update(tables.entry).where(tables.entry.c.id == entry.id).values(**changes))
    if reindex:
        await rekey(unit, entry)
    await unit.run(insert(tables.version), _version(unit, entry, event, reason, changes["document"]))
    if entry.sealed_for is not None:
        await unit.run(delete(tables.seal).where(tables.seal.c.entry_id == entry.id))
        await _keep_seals(unit, [entry])


async def rekey(unit: Unit, entry: Entry) -> None:
    """Replace all lookup keys of an entry (persons, letters, cases, names, births) by newly computed ones."""
    await unit.run(delete(tables.key).where(tables.key.c.entry_id == entry.id))
    await _ADD_KEYS.run(unit, keys_of(entry))
    await name_keys.replace(unit, entry)


async def save_waiting(unit: Unit, entry: Entry) -> None:
    """Store `waiting`, the papers for which an entry waits, without a new version of the entry.

    The transaction must hold the entry's lock.
    """
    changes = {"pending_until": entry.pending_until, "document": _document(entry)}
    await unit.run(update(tables.entry).where(tables.entry.c.id == entry.id).values(**changes))


async def _keep_seals(unit: Unit, entries: Iterable[Entry]) -> None:
    rows = [
        {"entry_id": entry.id, "person": person, "barred": person in entry.barred}
        for entry in entries
        if entry.sealed_for is not None
        for person in sorted({*entry.opened_to, *entry.barred})
    ]
    if rows:
        await unit.run(insert(tables.seal), rows)


def _in_order(names: Sequence[str], rows: Iterable[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def _version(unit: Unit, entry: Entry, event: Act, reason: str | None, document: str) -> dict[str, Any]:
    salt, commitment = commit(document, reason)
    return {
        "entry_id": entry.id,
        "version": entry.version,
        "event": Act(event).value,
        "by": unit.actor.client_id,
        "person": unit.actor.person,
        "at": entry.updated_at,
        "reason": reason,
        "document": document,
        "salt": salt,
        "commitment": commitment,
    }


async def find(reader: Reader, entry_id: str) -> Entry | None:
    """Return the entry with this id; None if there is none."""
    statement = select(tables.entry.c.document).where(tables.entry.c.id == entry_id)
    return await _documents.one(reader, statement)


async def lock(unit: Unit, entry_id: str) -> Entry:
    """Return an entry and lock its row until the commit.

    Raises:
        NotFound: there is no entry with this id.
    """
    statement = (
        select(tables.entry.c.document).where(tables.entry.c.id == entry_id).with_for_update(key_share=True)
    )
    found = await _documents.one(unit, statement)
    if found is None:
        raise NotFound("There is no such entry.")
    return found


async def list_by_keys(reader: Reader, keys: Iterable[str]) -> list[Entry]:
    """Return the entries with at least one of the keys (see module `keys`), ordered by id."""
    return [_documents.read(found) for (found,) in await _BY_KEYS.run(reader, {"keys": sorted(keys)})]


async def list_by_ids(reader: Reader, entry_ids: Iterable[str]) -> list[Entry]:
    """Return the entries with these ids, in no order; unknown ids are omitted."""
    statement = select(tables.entry.c.document).where(any_of(tables.entry.c.id, "ids"))
    return await _documents.all(reader, statement, {"ids": sorted(entry_ids)})


async def list_linked(reader: Reader, keys: Iterable[str], ids: Iterable[str]) -> list[Entry]:
    """Return the entries that have one of the keys or ids, or formalise an entry with one of the ids; ordered by id.

    If `reader` is a `Unit`, their rows are locked in this order.
    """
    table = tables.entry
    by_key = table.c.id.in_(select(tables.key.c.entry_id).where(any_of(tables.key.c.key, "keys")))
    linked = or_(by_key, any_of(table.c.id, "ids"), any_of(table.c.formalises, "ids"))
    statement = select(table.c.document).where(linked).order_by(table.c.id)
    if isinstance(reader, Unit):
        statement = statement.with_for_update(key_share=True)
    return await _documents.all(reader, statement, {"keys": sorted(keys), "ids": sorted(ids)})


async def list_formalising(reader: Reader, urgent_id: str) -> list[Entry]:
    """Return the entries and requests that formalise the urgent entry with this id, in any state and in no order."""
    statement = select(tables.entry.c.document).where(tables.entry.c.formalises == urgent_id)
    return await _documents.all(reader, statement)


async def list_related(reader: Reader, entry: Entry) -> list[Entry]:
    """Return the urgent entry that `entry` formalises, or the entries that formalise `entry` if it is itself urgent."""
    urgent = await list_by_ids(reader, {entry.formalises}) if entry.formalises else []
    return [*urgent, *(await list_formalising(reader, entry.id) if entry.urgent else ())]


def _current_state(now: datetime) -> ColumnElement[str]:
    """Return the SQL expression of an entry's state at an instant, as ended where the law has ended it by then."""
    over = and_(tables.entry.c.in_force_until.is_not(None), ~runs(now))
    live = tables.entry.c.state.in_([State.PROVISIONAL, State.ACTIVE])
    undecided = and_(tables.entry.c.state == State.SUBMITTED, tables.entry.c.urgent)
    return case((and_(over, or_(live, undecided)), State.ENDED.value), else_=tables.entry.c.state)


def runs(now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition that an entry has no end or one after `now`, or that its papers are undecided (R68)."""
    until = tables.entry.c.in_force_until
    return or_(until.is_(None), until > now, func.coalesce(tables.entry.c.pending_until, until) > now)


_BEGUN_ON_RECORD = (
    select(tables.version.c.entry_id)
    .where(
        tables.version.c.entry_id == tables.entry.c.id, tables.version.c.at >= tables.entry.c.in_force_from
    )
    .exists()
)
"""Condition that a version was recorded at or after the start of the period.

Such a measure is in force for every reader of the record (`Entry.in_force`).
"""


def holds(now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition that an entry is stored as provisional or active, and its period is not over at `now`.

    A wait for papers (R68) counts as part of the period. The condition is also true for an entry that begins later.
    """
    return and_(tables.entry.c.state.in_([State.PROVISIONAL, State.ACTIVE]), runs(now))


def extendable(terms: Terms) -> ColumnElement[bool]:
    """Return the SQL condition that an entry is stored as active and has been extended less often than `terms` allow.

    The other entries of its case, which may have used its periods, are not considered (see `Dossier.extension_left`).
    """
    table = tables.entry
    left = [
        and_(table.c.measure == measure, table.c.extension_count < terms.extensions(measure))
        for measure in Measure
    ]
    return and_(table.c.state == State.ACTIVE, or_(*left))


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions of a list of entries; None in a member means no condition.

    Attributes:
        state: only entries in this state now; `ended` if the period is over, even while the row has an older state.
        measure: the measure.
        agency: code of the owner.
        in_force: whether the measure is in force now.
        ending_before: a day; only entries with an earlier last day.
    """

    state: str | None = None
    measure: str | None = None
    agency: str | None = None
    in_force: bool | None = None
    ending_before: date | None = None


async def list_page(reader: Reader, requested: Filter, before: str | None, limit: int) -> list[Entry]:
    """Return entries that the actor may see, newest first, at most `limit`, older than the id `before` (None: all)."""
    table = tables.entry
    within = within_view(reader.actor)
    statement = select(table.c.document).where(within).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(table.c.id < before)
    if requested.state is not None:
        statement = statement.where(_current_state(reader.now) == requested.state)
    if requested.measure is not None:
        statement = statement.where(table.c.measure == requested.measure)
    if requested.agency is not None:
        statement = statement.where(table.c.agency == requested.agency)
    if requested.in_force is not None:
        holds = and_(
            _current_state(reader.now).in_([State.PROVISIONAL, State.ACTIVE]),
            or_(table.c.in_force_from <= reader.now, _BEGUN_ON_RECORD),
            or_(table.c.in_force_until.is_(None), table.c.in_force_until > reader.now),
        )
        statement = statement.where(holds if requested.in_force else ~holds)
    if requested.ending_before is not None:
        statement = statement.where(table.c.ends_on < requested.ending_before)
    return await _documents.all(reader, statement)


async def list_in_state(
    reader: Reader, state: State, *, agency: str | None, urgent: bool | None, after: str, limit: int
) -> list[Entry]:
    """Return entries with this stored state that are not sealed from the actor, in the order of their filing.

    Args:
        reader: the transaction.
        state: the state.
        agency: code of the owner; None for every agency.
        urgent: whether the entries are urgent; None for both.
        after: only entries with a greater id, which were filed later; empty for the beginning.
        limit: maximum number of entries.
    """
    table = tables.entry
    requested = and_(table.c.state == state, table.c.id > after, opened(reader.actor))
    statement = select(table.c.document).where(requested).order_by(table.c.id).limit(limit)
    if agency is not None:
        statement = statement.where(table.c.agency == agency)
    if urgent is not None:
        statement = statement.where(table.c.urgent == urgent)
    return await _documents.all(reader, statement)


async def list_history(reader: Reader, entry_id: str) -> list[dict[str, Any]]:
    """Return the steps of an entry's history, oldest first; empty for an unknown entry.

    A step is a dict of `version`, `event` (the act's name), `by` (the id of the client), `at` (the instant of the act)
    and `reason` (None without one).
    """
    v = tables.version
    statement = (
        select(v.c.version, v.c.event, v.c.by, v.c.at, v.c.reason)
        .where(v.c.entry_id == entry_id)
        .order_by(v.c.version)
    )
    return [dict(row._mapping) for row in await reader.run(statement)]


async def list_former(reader: Reader, entry_id: str) -> list[tuple[str, Entry]]:
    """Return every version of an entry as (act, entry), oldest first; empty for an unknown entry."""
    v = tables.version
    statement = select(v.c.event, v.c.document).where(v.c.entry_id == entry_id).order_by(v.c.version)
    return [(event, _documents.read(kept)) for event, kept in await reader.run(statement)]


async def list_versions(reader: Reader, entry_ids: Iterable[str]) -> dict[str, list[Entry]]:
    """Return every version of these entries by entry id, oldest first; unknown ids are left out."""
    v = tables.version
    statement = (
        select(v.c.entry_id, v.c.document)
        .where(any_of(v.c.entry_id, "ids"))
        .order_by(v.c.entry_id, v.c.version)
    )
    versions: dict[str, list[Entry]] = {}
    for entry_id, kept in await reader.run(statement, {"ids": sorted(entry_ids)}):
        versions.setdefault(entry_id, []).append(_documents.read(kept))
    return versions
