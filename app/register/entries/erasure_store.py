"""SQL statements by which retention erases photos and persons; the erasure stage of an entry says what is erased."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, select, update

from app.db.documents import Documents, document
from app.db.pages import Position, follows
from app.db.unit import Reader, Unit
from app.register.entries import tables
from app.register.entries.domain import Entry
from app.register.entries.erasure import without_person
from app.register.entries.names import index as name_keys

_documents = Documents(Entry)

NOTHING: Final = 0
"""Stage of an entry before any erasure."""


async def list_ended(
    reader: Reader, below: int, until: datetime, after: Position | None, limit: int
) -> list[Position]:
    """Return one page of the entries that ended by `until` and are not fully erased, as pairs of end and id.

    The longest ended entry comes first. A request that was returned, and not resubmitted, counts as ended at its
    return.

    Args:
        reader: the transaction.
        below: only entries at a lower erasure stage than this (see `stage_of`): 1 for entries without any erasure, 2 to
            include entries with only the photo erased.
        until: only entries that ended at this instant or before.
        after: the last pair of the previous page; None for the first page.
        limit: maximum number of entries.
    """
    table = tables.entry
    order = (table.c.ended_at, table.c.id)
    due = (table.c.erased.in_(range(below)), table.c.ended_at <= until, follows(after, *order))
    rows = await reader.run(select(*order).where(*due).order_by(*order).limit(limit))
    return [(ended_at, entry_id) for ended_at, entry_id in rows]


async def stage_of(reader: Reader, entry_id: str) -> int:
    """Return the erasure stage of an existing entry: 0 nothing erased, 1 the photo, 2 the person."""
    statement = select(tables.entry.c.erased).where(tables.entry.c.id == entry_id)
    return int((await reader.run(statement)).scalar_one())


async def store_stage(unit: Unit, entry_id: str, stage: int) -> None:
    """Store an entry's erasure stage: 0 for nothing erased, 1 for the photo, 2 for the person."""
    await unit.run(update(tables.entry).where(tables.entry.c.id == entry_id).values(erased=stage))


async def erase_blobs(unit: Unit, entry_id: str, kinds: Sequence[str]) -> int:
    """Erase the bytes of an entry's files of these kinds ("photo", ...). Returns the number of erased files."""
    table = tables.blob
    kept = (table.c.entry_id == entry_id, table.c.kind.in_(kinds), table.c.bytes.is_not(None))
    done = await unit.run(update(table).where(*kept).values(bytes=None, erased_at=unit.now))
    return int(done.rowcount)  # type: ignore[attr-defined]  # an update's result is a CursorResult


async def photo_erased_at(reader: Reader, entry_id: str) -> datetime | None:
    """Return when the entry's last photo was erased; None if none was, and for an unknown entry."""
    table = tables.blob
    statement = select(func.max(table.c.erased_at)).where(
        table.c.entry_id == entry_id, table.c.kind == "photo"
    )
    at: datetime | None = (await reader.run(statement)).scalar_one()
    return at


async def erase_person(unit: Unit, entry_id: str) -> None:
    """Erase the person from an entry's stored versions, duties and tasks, and delete its search keys.

    The reasons of the versions, and the references and notes of duties and tasks, are erased too. Files and ledger
    records are erased by other calls. The entry's own row changes only when the caller stores the version made by
    `erasure.erased`.
    """
    if unit.is_sqlite:  # so that overwritten data can't be read from unused pages of the file
        await unit.connection.exec_driver_sql("PRAGMA secure_delete=ON")
    await unit.run(delete(tables.key).where(tables.key.c.entry_id == entry_id))
    await name_keys.forget(unit, entry_id)
    duty = tables.duty
    await unit.run(update(duty).where(duty.c.entry_id == entry_id).values(reference=None, note=None))
    task = tables.task
    await unit.run(update(task).where(task.c.entry_id == entry_id).values(reference=None))
    version = tables.version
    rows = await unit.run(select(version.c.version, version.c.document).where(version.c.entry_id == entry_id))
    for number, kept in rows.all():
        left = document(without_person(_documents.read(kept), unit.now))
        same_version = (version.c.entry_id == entry_id, version.c.version == number)
        await unit.run(update(version).where(*same_version).values(document=left, reason=None, salt=None))
