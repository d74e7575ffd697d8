"""SQL statements on where imported entries come from, and on the imported editions of lists."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from app.db.bulk import BulkInsert
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.register.entries import tables

_ADD = BulkInsert((tables.source, ("origin", "reference", "entry_id", "digest")))
_BY_REFERENCE = select(tables.source).where(
    tables.source.c.origin == bindparam("origin"), any_of(tables.source.c.reference, "references")
)


async def list_known(reader: Reader, origin: str, references: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return the imported items of the source `origin`, by reference: for each, its entry's id and its content digest.

    References that were never imported are left out.
    """
    rows = await reader.run(_BY_REFERENCE, {"origin": origin, "references": list(references)})
    return {row.reference: (row.entry_id, row.digest) for row in rows}


async def list_all_known(reader: Reader, origin: str) -> dict[str, tuple[str, str]]:
    """Return all imported items of the source `origin`, by reference: for each, the entry's id and the digest."""
    rows = await reader.run(select(tables.source).where(tables.source.c.origin == origin))
    return {row.reference: (row.entry_id, row.digest) for row in rows}


async def keep(unit: Unit, origin: str, reference: str, entry_id: str, digest: str) -> None:
    """Store which entry an imported item has, and the digest of the item's content; earlier values are replaced.

    Args:
        unit: the transaction.
        origin: name of the source.
        reference: the item's key in the source.
        entry_id: id of the entry.
        digest: digest of the content.
    """
    table = tables.source
    where = (table.c.origin == origin, table.c.reference == reference)
    changed = await unit.run(update(table).where(*where).values(entry_id=entry_id, digest=digest))
    if changed.rowcount == 0:  # type: ignore[attr-defined]  # an update's result is a CursorResult
        await add_all(unit, [(origin, reference, entry_id, digest)])


async def add_all(unit: Unit, rows: Sequence[tuple[str, str, str, str]]) -> None:
    """Store the sources of many new entries; each row has origin, reference, entry id and content digest."""
    await _ADD.run(unit, rows)


async def find_edition(reader: Reader, origin: str) -> datetime | None:
    """Return when the last imported edition of the list `origin` was generated; None if none was imported."""
    table = tables.list_edition
    statement = select(table.c.edition).where(table.c.origin == origin)
    return (await reader.run(statement)).scalar_one_or_none()


async def keep_edition(unit: Unit, origin: str, edition: datetime, persons: int) -> None:
    """Store the edition of the list `origin` that was imported last, in place of the earlier one.

    Args:
        unit: the transaction.
        origin: name of the list.
        edition: when the edition was generated.
        persons: the number of persons on it.
    """
    table = tables.list_edition
    values = {"edition": edition, "imported_at": unit.now, "persons": persons}
    changed = await unit.run(update(table).where(table.c.origin == origin).values(**values))
    if changed.rowcount == 0:  # type: ignore[attr-defined]  # as above
        await unit.run(insert(table).values(origin=origin, **values))
