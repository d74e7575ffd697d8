"""SQL statements on objections; unless said otherwise, they do not check who may see the entry."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import exists, insert, select, update

from app.db.documents import Documents, document
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.register.entries.visibility import closed
from app.register.objections.domain import Objection
from app.register.objections.tables import objection as table

_documents = Documents(Objection)


def _columns(objection: Objection) -> dict[str, Any]:
    return {
        "id": objection.id,
        "entry_id": objection.entry_id,
        "agency": objection.agency,
        "filed_on": objection.filing.filed_on,
        "answer_due_at": objection.answer_due_at,
        "answered_at": objection.answer.at if objection.answer else None,
        "carry_out_by": objection.answer.carry_out_by if objection.answer else None,
        "document": document(objection),
    }


async def add(unit: Unit, objection: Objection) -> None:
    """Store a new objection."""
    await unit.run(insert(table).values(_columns(objection)))


async def save(unit: Unit, objection: Objection) -> None:
    """Store an objection's next version; the transaction must hold its lock."""
    await unit.run(update(table).where(table.c.id == objection.id).values(_columns(objection)))


async def find(reader: Reader, objection_id: str) -> Objection | None:
    """Return the objection with this id; None if there is none."""
    statement = select(table.c.document).where(table.c.id == objection_id)
    return await _documents.one(reader, statement)


async def lock(unit: Unit, objection_id: str) -> Objection:
    """Return an objection and lock its row until the commit.

    Raises:
        NotFound: there is no objection with this id.
    """
    statement = select(table.c.document).where(table.c.id == objection_id).with_for_update(key_share=True)
    found = await _documents.one(unit, statement)
    if found is None:
        raise NotFound("There is no such objection.")
    return found


async def list_page(
    reader: Reader, entry_ids: Collection[str], before: str | None, limit: int
) -> list[Objection]:
    """Return the objections against these entries, newest first, at most `limit`; unknown entries add none.

    Only objections older than the id `before`; None begins with the newest.
    """
    statement = select(table.c.document).where(table.c.entry_id.in_(sorted(entry_ids)))
    if before is not None:
        statement = statement.where(table.c.id < before)
    return await _documents.all(reader, statement.order_by(table.c.id.desc()).limit(limit))


async def list_open(reader: Reader, agency: str | None, limit: int) -> list[Objection]:
    """Return objections that wait for the answer of `agency` (None: of any agency), earliest due first.

    At most `limit`. Objections against entries that a seal hides from the actor are left out.
    """
    waits = (table.c.answered_at.is_(None), table.c.entry_id.not_in(closed(reader.actor)))
    statement = select(table.c.document).where(*waits)
    if agency is not None:
        statement = statement.where(table.c.agency == agency)
    return await _documents.all(reader, statement.order_by(table.c.answer_due_at, table.c.id).limit(limit))


async def has_open(reader: Reader, entry_id: str) -> bool:
    """Return whether an objection against this entry waits for its answer; False for an unknown entry."""
    waits = exists().where(table.c.entry_id == entry_id, table.c.answered_at.is_(None))
    return bool((await reader.run(select(waits))).scalar_one())


async def list_of_entry(unit: Unit, entry_id: str) -> list[Objection]:
    """Return all objections against an entry, oldest first, and lock their rows until the commit."""
    statement = select(table.c.document).where(table.c.entry_id == entry_id).order_by(table.c.id)
    return await _documents.all(unit, statement.with_for_update(key_share=True))
