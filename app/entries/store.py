"""Every SQL statement of the register."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, or_, select, update

from app.db.bulk import BulkInsert
from app.db.documents import Documents, document
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.entries import name_keys, open_duties, tables
from app.entries.acts import Act
from app.entries.blobs import Blob
from app.entries.deadlines import Terms
from app.entries.domain import Entry, Measure, State
from app.entries.keys import keys_of
from app.entries.views import opened, within_view
from app.errors import NotFound
from app.identity.spellings import NORM_VERSION
from app.matching.keys import Stored

_documents = Documents(Entry)

_BY_KEYS = (
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


def _columns(entry: Entry) -> dict[str, Any]:
    """The row of an entry about which nothing was recorded yet."""
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
        **open_duties.since(entry),
        "document": _document(entry),
    }


def _document(entry: Entry) -> str:
    """The entry as it is kept: without what is attached when it is read."""
    return document(entry.replace(sequence=None, met={}))


async def add(unit: Unit, entry: Entry, event: str, reason: str | None = None) -> None:
    """Store a new entry with its identifiers and first version."""
    await add_all(unit, [(entry, reason)], event)


async def add_all(
    unit: Unit,
    entries: Sequence[tuple[Entry, str | None]],
    event: str,
    prepared: Mapping[str, Stored] | None = None,
) -> None:
    """Store new entries, each with the reason that was given, as `add` does: a statement or two for all.

    Args:
        unit: the transaction.
        entries: the entries and reasons.
        event: what happened; an `Act`.
        prepared: of an import, which settles the name keys from time to time: those known already, by the entries' ids.
    """
    added = [entry for entry, _ in entries]
    columns = [{**_columns(entry), "norm_version": NORM_VERSION} for entry in added]
    versions = [
        _version(unit, entry, event, reason, each["document"])
        for (entry, reason), each in zip(entries, columns, strict=True)
    ]
    adding = _IMPORT if prepared is not None and unit.is_sqlite else _ADD
    await adding.run(
        unit,
        _in_order(_ENTRY, columns),
        [key for entry in added for key in keys_of(entry)],
        *name_keys.made_of(added, prepared),
        _in_order(_VERSION, versions),
    )
    await _keep_seals(unit, added)


async def save(
    unit: Unit, entry: Entry, event: str, reason: str | None = None, *, reindex: bool = False
) -> None:
    """Store an entry's next version.

    Args:
        unit: the transaction, which holds the entry's lock.
        entry: the next version.
        event: what happened, for its history; an `Act`.
        reason: the reason that was given.
        reindex: whether the subject changed.
    """
    changes = {**_columns(entry), **open_duties.still(entry)}
    await unit.run(update(tables.entry).where(tables.entry.c.id == entry.id).values(**changes))
    if reindex:
        await rekey(unit, entry)
    await unit.run(insert(tables.version), _version(unit, entry, event, reason, changes["document"]))
    if entry.sealed_for is not None:
        await unit.run(delete(tables.seal).where(tables.seal.c.entry_id == entry.id))
        await _keep_seals(unit, [entry])


async def rekey(unit: Unit, entry: Entry) -> None:
    """Make an entry's keys anew, by what it says and by today's rules."""
    await unit.run(delete(tables.key).where(tables.key.c.entry_id == entry.id))
    await _ADD_KEYS.run(unit, keys_of(entry))
    await name_keys.replace(unit, entry)


async def keep(unit: Unit, entry: Entry) -> None:
    """Store what an entry waits for, in the version that it has; the transaction holds its lock."""
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


def _version(unit: Unit, entry: Entry, event: str, reason: str | None, document: str) -> dict[str, Any]:
    return {
        "entry_id": entry.id,
        "version": entry.version,
        "event": Act(event).value,
        "by": unit.actor.client_id,
        "person": unit.actor.person,
        "at": entry.updated_at,
        "reason": reason,
        "document": document,
    }


async def find(reader: Reader, entry_id: str) -> Entry | None:
    """An entry."""
    statement = select(tables.entry.c.document).where(tables.entry.c.id == entry_id)
    return await _documents.one(reader, statement)


async def lock(unit: Unit, entry_id: str) -> Entry:
    """An entry, held against other writers until the commit.

    Raises:
        NotFound: there is none with this id.
    """
    statement = select(tables.entry.c.document).where(tables.entry.c.id == entry_id).with_for_update()
    found = await _documents.one(unit, statement)
    if found is None:
        raise NotFound("There is no such entry.")
    return found


async def list_by_keys(reader: Reader, keys: Iterable[str]) -> list[Entry]:
    """The entries that have one of the identifiers."""
    return await _documents.all(reader, _BY_KEYS, {"keys": sorted(keys)})


async def list_by_ids(reader: Reader, entry_ids: Iterable[str]) -> list[Entry]:
    """The entries with these ids."""
    statement = select(tables.entry.c.document).where(any_of(tables.entry.c.id, "ids"))
    return await _documents.all(reader, statement, {"ids": sorted(entry_ids)})


async def list_linked(reader: Reader, keys: Iterable[str], ids: Iterable[str]) -> list[Entry]:
    """The entries that have one of the keys, or one of the ids, or formalise one with such an id; by id.

    In a write transaction each is held until the commit, in the order of the ids.
    """
    table = tables.entry
    by_key = table.c.id.in_(select(tables.key.c.entry_id).where(any_of(tables.key.c.key, "keys")))
    linked = or_(by_key, any_of(table.c.id, "ids"), any_of(table.c.formalises, "ids"))
    statement = select(table.c.document).where(linked).order_by(table.c.id)
    if isinstance(reader, Unit):
        statement = statement.with_for_update()
    return await _documents.all(reader, statement, {"keys": sorted(keys), "ids": sorted(ids)})


async def list_formalising(reader: Reader, urgent_id: str) -> list[Entry]:
    """The entries that formalise, or were to formalise, an urgent one."""
    statement = select(tables.entry.c.document).where(tables.entry.c.formalises == urgent_id)
    return await _documents.all(reader, statement)


async def list_related(reader: Reader, entry: Entry) -> list[Entry]:
    """The urgent entry that an entry formalises, and the entries that formalise it."""
    urgent = await list_by_ids(reader, {entry.formalises}) if entry.formalises else []
    return [*urgent, *(await list_formalising(reader, entry.id) if entry.urgent else ())]


def _stands(now: datetime) -> ColumnElement[str]:
    """The state as it stands at an instant, with the ends that the law brings by itself."""
    over = and_(tables.entry.c.in_force_until.is_not(None), ~_runs(now))
    live = tables.entry.c.state.in_([State.PROVISIONAL, State.ACTIVE])
    undecided = and_(tables.entry.c.state == State.SUBMITTED, tables.entry.c.urgent)
    return case((and_(over, or_(live, undecided)), State.ENDED.value), else_=tables.entry.c.state)


def _runs(now: datetime) -> ColumnElement[bool]:
    """Whether an entry's end lies ahead, or papers that arrived in time are undecided (R68)."""
    until = tables.entry.c.in_force_until
    return or_(until.is_(None), until > now, func.coalesce(tables.entry.c.pending_until, until) > now)


_BEGUN_ON_RECORD = (
    select(tables.version.c.entry_id)
    .where(
        tables.version.c.entry_id == tables.entry.c.id, tables.version.c.at >= tables.entry.c.in_force_from
    )
    .exists()
)
"""What began with the record of a version holds for everybody who can read that record (`Entry.in_force`)."""


def holds(now: datetime) -> ColumnElement[bool]:
    """Whether an entry is provisional or active at an instant, as a condition on the table of entries."""
    return and_(tables.entry.c.state.in_([State.PROVISIONAL, State.ACTIVE]), _runs(now))


def extendable(terms: Terms) -> ColumnElement[bool]:
    """Whether an extension is left to an entry that is active, as a condition on the table of entries."""
    table = tables.entry
    left = [
        and_(table.c.measure == measure, table.c.extension_count < terms.extensions(measure))
        for measure in Measure
    ]
    return and_(table.c.state == State.ACTIVE, or_(*left))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are wanted; None means any."""

    state: str | None = None
    measure: str | None = None
    agency: str | None = None
    in_force: bool | None = None
    ending_before: date | None = None


async def list_page(reader: Reader, wanted: Filter, before: str | None, limit: int) -> list[Entry]:
    """Entries within the actor's view, newest first, older than an id."""
    table = tables.entry
    within = within_view(reader.actor)
    statement = select(table.c.document).where(within).order_by(table.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(table.c.id < before)
    if wanted.state is not None:
        statement = statement.where(_stands(reader.now) == wanted.state)
    if wanted.measure is not None:
        statement = statement.where(table.c.measure == wanted.measure)
    if wanted.agency is not None:
        statement = statement.where(table.c.agency == wanted.agency)
    if wanted.in_force is not None:
        holds = and_(
            _stands(reader.now).in_([State.PROVISIONAL, State.ACTIVE]),
            or_(table.c.in_force_from <= reader.now, _BEGUN_ON_RECORD),
            or_(table.c.in_force_until.is_(None), table.c.in_force_until > reader.now),
        )
        statement = statement.where(holds if wanted.in_force else ~holds)
    if wanted.ending_before is not None:
        statement = statement.where(table.c.ends_on < wanted.ending_before)
    return await _documents.all(reader, statement)


async def list_in_state(
    reader: Reader, state: str, *, agency: str | None, urgent: bool | None, after: str, limit: int
) -> list[Entry]:
    """Entries behind an id whose stored state is this one and whose seal lets the actor through, oldest first."""
    table = tables.entry
    wanted = and_(table.c.state == state, table.c.id > after, opened(reader.actor))
    statement = select(table.c.document).where(wanted).order_by(table.c.id).limit(limit)
    if agency is not None:
        statement = statement.where(table.c.agency == agency)
    if urgent is not None:
        statement = statement.where(table.c.urgent == urgent)
    return await _documents.all(reader, statement)


async def list_overdue(reader: Reader, limit: int) -> list[str]:
    """Ids of entries that the law has ended by itself, but whose end the ledger does not tell yet."""
    table = tables.entry
    statement = (
        select(table.c.id)
        .where(
            or_(
                table.c.state.in_([State.PROVISIONAL, State.ACTIVE]),
                and_(table.c.state == State.SUBMITTED, table.c.urgent),
            ),
            table.c.in_force_until <= reader.now,
            ~_runs(reader.now),
        )
        .order_by(table.c.in_force_until)
        .limit(limit)
    )
    return list((await reader.run(statement)).scalars())


async def list_history(reader: Reader, entry_id: str) -> list[dict[str, Any]]:
    """What happened to an entry, in order."""
    v = tables.version
    statement = (
        select(v.c.version, v.c.event, v.c.by, v.c.at, v.c.reason)
        .where(v.c.entry_id == entry_id)
        .order_by(v.c.version)
    )
    return [dict(row._mapping) for row in await reader.run(statement)]


async def list_former(reader: Reader, entry_id: str) -> list[tuple[str, Entry]]:
    """Every version of an entry, oldest first, each with the event that made it."""
    v = tables.version
    statement = select(v.c.event, v.c.document).where(v.c.entry_id == entry_id).order_by(v.c.version)
    return [(event, _documents.read(kept)) for event, kept in await reader.run(statement)]


async def list_versions(reader: Reader, entry_ids: Iterable[str]) -> dict[str, list[Entry]]:
    """Every version of some entries, oldest first, by their ids."""
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


async def keep_blob(unit: Unit, entry_id: str, blob: Blob) -> None:
    """Store bytes beside an entry; bytes are never shared between entries, so that each can be erased.

    Bytes that were erased and come again are there again.
    """
    table = tables.blob
    adding = unit.inserting(table)
    statement = adding.on_conflict_do_update(
        index_elements=[table.c.entry_id, table.c.sha256],
        set_={"bytes": adding.excluded.bytes, "erased_at": None},
        where=table.c.erased_at.is_not(None),
    )
    kept = {"entry_id": entry_id, "sha256": blob.sha256, "kind": blob.kind, "media_type": blob.media_type}
    await unit.run(statement, {**kept, "bytes": blob.data})


async def find_blob(reader: Reader, entry_id: str, sha256: str) -> Blob | None:
    """Stored bytes, unless they were erased."""
    table = tables.blob
    statement = select(table).where(table.c.entry_id == entry_id, table.c.sha256 == sha256)
    row = (await reader.run(statement)).first()
    if row is None or row.bytes is None:
        return None
    return Blob(row.sha256, row.kind, row.media_type, row.bytes)
