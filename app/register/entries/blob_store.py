"""SQL statements on the files of entries: photos, letters and other papers."""

from functools import cache

from sqlalchemy import bindparam, null, select

from app.db.driver import CompiledStatement
from app.db.unit import Reader, Unit, insert_of
from app.register.entries import tables
from app.register.entries.blobs import Blob


async def keep_blob(unit: Unit, entry_id: str, blob: Blob) -> None:
    """Store a file of an entry; a file that the entry has already is left as it is.

    A file that was erased and is sent again is stored again. If two entries have the same file, each stores its own
    copy, so that one can be erased without the other.
    """
    kept = {"entry_id": entry_id, "sha256": blob.sha256, "kind": blob.kind, "media_type": blob.media_type}
    await _keeping_blob(is_sqlite=unit.is_sqlite).run(unit, {**kept, "bytes": blob.data})


@cache  # making it takes longer than running it
def _keeping_blob(*, is_sqlite: bool) -> CompiledStatement:
    table = tables.blob
    columns = ("entry_id", "sha256", "kind", "media_type", "bytes")
    adding = insert_of(table, is_sqlite=is_sqlite).values({name: bindparam(name) for name in columns})
    return CompiledStatement(
        adding.on_conflict_do_update(
            index_elements=[table.c.entry_id, table.c.sha256],
            set_={"bytes": adding.excluded.bytes, "erased_at": null()},
            where=table.c.erased_at.is_not(None),
        )
    )


async def find_blob(reader: Reader, entry_id: str, sha256: str) -> Blob | None:
    """Return a stored file of an entry by its SHA-256; None if it does not exist or was erased."""
    table = tables.blob
    statement = select(table).where(table.c.entry_id == entry_id, table.c.sha256 == sha256)
    row = (await reader.run(statement)).first()
    if row is None or row.bytes is None:
        return None
    return Blob(row.sha256, row.kind, row.media_type, row.bytes)
