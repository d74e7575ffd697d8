"""SQL statements on manifests; they do not check who may see one."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Row, bindparam, delete, func, insert, select, update

from app.border.manifests import tables
from app.border.manifests.domain import Item, Manifest
from app.border.manifests.keys import Keys, hit_key
from app.db.bulk import BulkInsert
from app.db.documents import Documents, document
from app.db.postgresql import CHANNEL
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.kit.ids import first_id

_manifests = Documents(Manifest)
_passengers = Documents(Item)

_manifest, _item, _key, _name_key = tables.manifest, tables.item, tables.key, tables.name_key


class ItemRow(NamedTuple):
    """A row of the table `manifest_item`: a passenger."""

    manifest_id: str
    position: int
    number: int
    document: str


class KeyRow(NamedTuple):
    """A row of `manifest_key` or `manifest_name_key`: a search key of the passenger at a position, or of a hit.

    The row of a hit belongs to the whole manifest; its `position` is 0 and has no meaning.
    """

    key: str | int
    manifest_id: str
    position: int


_WHOLE = 0
"""The position in key rows of hits, which belong to the whole manifest and not to one passenger."""

_INSERT = BulkInsert((_key, KeyRow._fields), (_name_key, KeyRow._fields), (_item, ItemRow._fields))
_SHARING, _SHARING_NAMES = (
    select(table.c.key, table.c.manifest_id, table.c.position).where(any_of(table.c.key, "keys"))
    for table in (_key, _name_key)
)
_OPEN = select(_manifest.c.id, _manifest.c.sequence, _manifest.c.asked_at).where(
    _manifest.c.closed_at.is_(None)
)
_LAST_CHANGES = select(_manifest.c.id, _manifest.c.number, _manifest.c.closed_at).where(
    any_of(_manifest.c.id, "ids")
)
_ROWS = select(_manifest.c.id).where(any_of(_manifest.c.id, "ids")).order_by(_manifest.c.id)
_ITEMS = select(_item.c.document).where(_item.c.manifest_id == bindparam("id")).order_by(_item.c.position)
_CHANGED = (
    select(_item.c.document)
    .where(_item.c.manifest_id == bindparam("id"), _item.c.number > bindparam("after"))
    .order_by(_item.c.number)
)


async def add(
    unit: Unit,
    manifest: Manifest,
    items: Sequence[Item],
    keys: Mapping[int, Keys],
    hit_ids: Collection[str],
) -> None:
    """Store a new manifest with its passengers and search keys.

    Args:
        unit: the transaction.
        manifest: the manifest.
        items: the manifest's passengers.
        keys: by position in the list, the search keys of each passenger to be watched.
        hit_ids: ids of the hits by whose resolution the manifest must be found; empty if it is not watched.
    """
    await unit.run(
        insert(_manifest).values(
            id=manifest.id,
            client_id=manifest.client_id,
            number=manifest.number,
            sequence=manifest.sequence,
            asked_at=manifest.asked_at,
            watched_until=manifest.watched_until,
            closed_at=manifest.closed_at,
            document=document(manifest),
        )
    )
    numbers = [KeyRow(key, manifest.id, position) for position, some in keys.items() for key in some.numbers]
    numbers += [KeyRow(hit_key(hit_id), manifest.id, _WHOLE) for hit_id in sorted(hit_ids)]
    names = [KeyRow(key, manifest.id, position) for position, some in keys.items() for key in some.names]
    rows = [ItemRow(manifest.id, item.position, item.number, document(item)) for item in items]
    await _INSERT.run(unit, numbers, names, rows)


async def add_hits(unit: Unit, hits: Iterable[tuple[str, str]]) -> None:
    """Store pairs of hit id and manifest id, so that a resolved hit finds the manifests of its passengers.

    Existing pairs are ignored.
    """
    rows = [KeyRow(hit_key(hit_id), manifest_id, _WHOLE)._asdict() for hit_id, manifest_id in sorted(hits)]
    if rows:
        await unit.run(unit.inserting(_key).on_conflict_do_nothing(), rows)


async def find(reader: Reader, manifest_id: str) -> Manifest | None:
    """Return the manifest with this id, or None."""
    row = (await reader.run(select(_manifest).where(_manifest.c.id == manifest_id))).first()
    return None if row is None else _read(row)


async def lock(unit: Unit, manifest_ids: Iterable[str]) -> list[Manifest]:
    """Return the manifests with these ids that are not closed, sorted by id, and lock their rows until the commit."""
    statement = (
        select(_manifest)
        .where(any_of(_manifest.c.id, "ids"), _manifest.c.closed_at.is_(None))
        .order_by(_manifest.c.id)
        .with_for_update(key_share=True)
    )
    return [_read(row) for row in await unit.run(statement, {"ids": sorted(manifest_ids)})]


async def lock_rows(unit: Unit, manifest_ids: Iterable[str]) -> None:
    """Lock the rows of these manifests until the commit, in the order of their ids.

    A transaction that changes several manifests calls it first: `lock` has the same order, so that no two transactions
    wait for each other. On SQLite it does nothing, because there is a single writer.
    """
    if not unit.is_sqlite:
        await unit.run(_ROWS.with_for_update(key_share=True), {"ids": sorted(manifest_ids)})


def _read(row: Row[*tuple[Any, ...]]) -> Manifest:
    columns = ("number", "sequence", "asked_at", "closed_at")
    return msgspec.structs.replace(
        _manifests.read(row.document), **{name: getattr(row, name) for name in columns}
    )


async def list_items(reader: Reader, manifest_id: str) -> list[Item]:
    """Return the passengers of a manifest, in the order of the list; empty for an unknown manifest."""
    return await _passengers.all(reader, _ITEMS, {"id": manifest_id})


async def list_changed(reader: Reader, manifest_id: str, after: int) -> list[Item]:
    """Return the passengers whose answer has changed since the change with number `after`, by their last change."""
    return await _passengers.all(reader, _CHANGED, {"id": manifest_id, "after": after})


@dataclass(frozen=True, slots=True)
class Watched:
    """A manifest that is not closed, with the ledger size and the instant up to which its answers are current."""

    id: str
    sequence: int
    asked_at: datetime


async def list_open(reader: Reader) -> list[Watched]:
    """Return the manifests that are not closed, in no order."""
    return [Watched(*row) for row in await reader.run(_OPEN)]


async def list_sharing(reader: Reader, numbers: Iterable[str]) -> list[KeyRow]:
    """Return the key rows of watched manifests that have one of these keys, in no order.

    These are keys of document numbers, NIKs or hits (`hit_key`). A row with the key of a hit is about the whole
    manifest; other rows are about the passenger at their position.
    """
    return [KeyRow(*row) for row in await reader.run(_SHARING, {"keys": list(numbers)})]


async def list_sharing_names(reader: Reader, names: Iterable[int]) -> list[KeyRow]:
    """Return the key rows of watched passengers that have one of these keys of name parts or birthdays, in no order."""
    return [KeyRow(*row) for row in await reader.run(_SHARING_NAMES, {"keys": list(names)})]


async def list_last_changes(
    reader: Reader, manifest_ids: Iterable[str]
) -> list[tuple[str, int, datetime | None]]:
    """Return, for each of these manifests, its id, the number of its last change, and its closing time, in no order.

    The closing time is None for a watched manifest. Unknown ids are omitted.
    """
    rows = await reader.run(_LAST_CHANGES, {"ids": sorted(manifest_ids)})
    return [(manifest_id, number, closed_at) for manifest_id, number, closed_at in rows]


async def save_items(unit: Unit, manifest: Manifest, items: Iterable[Item], number: int) -> None:
    """Store passengers with changed answers or rulings, and `number` as the number of the manifest's last change.

    The transaction must hold the manifest's lock.
    """
    for item in items:
        where = (_item.c.manifest_id == manifest.id, _item.c.position == item.position)
        changes = {"number": item.number, "document": document(item)}
        await unit.run(update(_item).where(*where).values(changes))
    if number != manifest.number:
        await unit.run(update(_manifest).where(_manifest.c.id == manifest.id).values(number=number))


async def advance(unit: Unit, manifest_ids: Iterable[str], sequence: int, at: datetime) -> None:
    """Store that the answers of these manifests are current up to the ledger size `sequence` and the instant `at`.

    Manifests that are closed, or current up to a greater size already, are skipped. The transaction must hold their
    locks.
    """
    followed = update(_manifest).where(
        any_of(_manifest.c.id, "ids"), _manifest.c.closed_at.is_(None), _manifest.c.sequence <= sequence
    )
    await unit.run(followed.values(sequence=sequence, asked_at=at), {"ids": sorted(manifest_ids)})


async def list_departed(reader: Reader) -> list[str]:
    """Return the ids of manifests whose watch is over and that are not closed yet, in no order."""
    over = (_manifest.c.closed_at.is_(None), _manifest.c.watched_until <= reader.now)
    return list((await reader.run(select(_manifest.c.id).where(*over))).scalars())


async def close(unit: Unit, manifest_ids: Iterable[str]) -> None:
    """Close manifests, and delete the search keys of their passengers."""
    await lock_rows(unit, manifest_ids)
    ids = {"ids": sorted(manifest_ids)}
    for table in (_key, _name_key):
        await unit.run(delete(table).where(any_of(table.c.manifest_id, "ids")), ids)
    await unit.run(update(_manifest).where(any_of(_manifest.c.id, "ids")).values(closed_at=unit.now), ids)


async def list_old(reader: Reader, after: str | None, limit: int, *, days: int) -> list[str]:
    """Return the ids of closed manifests received more than `days` days ago, oldest first, at most `limit`.

    Only those after the id `after` (None: the first).
    """
    own = _manifest.c.id
    old = (_manifest.c.closed_at.is_not(None), own < first_id("mft", reader.now - timedelta(days=days)))
    statement = select(own).where(*old, own > (after or "")).order_by(own).limit(limit)
    return list((await reader.run(statement)).scalars())


async def forget(unit: Unit, manifest_ids: Iterable[str], *, days: int) -> None:
    """Delete those of these closed manifests received more than `days` days ago; checks of their passengers stay."""
    old = first_id("mft", unit.now - timedelta(days=days))
    ids = {"ids": sorted(each for each in manifest_ids if each < old)}
    await unit.run(delete(_item).where(any_of(_item.c.manifest_id, "ids")), ids)
    await unit.run(delete(_manifest).where(any_of(_manifest.c.id, "ids")), ids)


async def wake_streams(unit: Unit) -> None:
    """Wake the manifest tails of all processes when the transaction commits, so that they read the changes.

    On SQLite it does nothing.
    """
    if not unit.is_sqlite:
        await unit.run(select(func.pg_notify(CHANNEL, "")))
