"""Every SQL statement about objections."""

from typing import Any

import msgspec
from sqlalchemy import exists, insert, select, update

from app.db.unit import Reader, Unit
from app.entries.views import closed
from app.errors import NotFound
from app.objections.domain import Objection
from app.objections.tables import objection as table

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Objection).decode


def _columns(objection: Objection) -> dict[str, Any]:
    return {
        "id": objection.id,
        "entry_id": objection.entry_id,
        "agency": objection.agency,
        "filed_on": objection.filing.filed_on,
        "answer_due_at": objection.answer_due_at,
        "answered_at": objection.answer.at if objection.answer else None,
        "document": _encode(objection).decode(),
    }


async def add(unit: Unit, objection: Objection) -> None:
    """Store a new objection."""
    await unit.run(insert(table).values(_columns(objection)))


async def save(unit: Unit, objection: Objection) -> None:
    """Store an objection's next version; the transaction holds its lock."""
    await unit.run(update(table).where(table.c.id == objection.id).values(_columns(objection)))


async def find(reader: Reader, objection_id: str) -> Objection | None:
    """An objection."""
    statement = select(table.c.document).where(table.c.id == objection_id)
    document = (await reader.run(statement)).scalar_one_or_none()
    return None if document is None else _decode(document)


async def lock(unit: Unit, objection_id: str) -> Objection:
    """An objection, held against other writers until the commit.

    Raises:
        NotFound: there is none with this id.
    """
    statement = select(table.c.document).where(table.c.id == objection_id).with_for_update()
    document = (await unit.run(statement)).scalar_one_or_none()
    if document is None:
        raise NotFound("There is no such objection.")
    return _decode(document)


async def list_page(reader: Reader, entry_id: str, before: str | None, limit: int) -> list[Objection]:
    """The objections against an entry, newest first, older than an id."""
    statement = select(table.c.document).where(table.c.entry_id == entry_id)
    if before is not None:
        statement = statement.where(table.c.id < before)
    rows = await reader.run(statement.order_by(table.c.id.desc()).limit(limit))
    return [_decode(document) for (document,) in rows]


async def list_open(reader: Reader, agency: str | None, limit: int) -> list[Objection]:
    """Objections that wait for their answer, soonest due first.

    Those against entries whose seal keeps the actor out are left out.
    """
    waits = (table.c.answered_at.is_(None), table.c.entry_id.not_in(closed(reader.actor)))
    statement = select(table.c.document).where(*waits)
    if agency is not None:
        statement = statement.where(table.c.agency == agency)
    rows = await reader.run(statement.order_by(table.c.answer_due_at, table.c.id).limit(limit))
    return [_decode(document) for (document,) in rows]


async def has_open(reader: Reader, entry_id: str) -> bool:
    """Whether an objection against an entry waits for its answer."""
    waits = exists().where(table.c.entry_id == entry_id, table.c.answered_at.is_(None))
    return bool((await reader.run(select(waits))).scalar_one())


async def list_of_entry(unit: Unit, entry_id: str) -> list[Objection]:
    """All objections against an entry, held against other writers until the commit."""
    statement = select(table.c.document).where(table.c.entry_id == entry_id).order_by(table.c.id)
    return [_decode(document) for (document,) in await unit.run(statement.with_for_update())]
