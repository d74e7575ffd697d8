"""Every SQL statement about clearances."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import false, insert, or_, select, update

from app.clearances.domain import Clearance, ClearanceState
from app.clearances.tables import clearance as table
from app.db.documents import Documents, document
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.entries.views import closed
from app.errors import NotFound

_documents = Documents(Clearance)

_NUMBER_LENGTH = 200

_OF_DOCUMENTS = select(table.c.document).where(
    any_of(table.c.entry_id, "entries"),
    any_of(table.c.number, "numbers"),  # a condition on the state would tempt SQLite to begin with it
)


def _columns(clearance: Clearance) -> dict[str, Any]:
    return {
        "id": clearance.id,
        "entry_id": clearance.entry_id,
        "entry_version": clearance.entry_version,
        "number": clearance.bearer.number[:_NUMBER_LENGTH] if clearance.bearer else "",
        "state": clearance.state.value,
        "agency": clearance.agency,
        "checkpoint": clearance.checkpoint,
        "document": document(clearance),
    }


async def add(unit: Unit, clearance: Clearance) -> None:
    """Store a new clearance."""
    await unit.run(insert(table).values(_columns(clearance)))


async def save(unit: Unit, clearance: Clearance) -> None:
    """Store a clearance's next version; the transaction holds its lock."""
    await unit.run(update(table).where(table.c.id == clearance.id).values(_columns(clearance)))


async def find(reader: Reader, clearance_id: str) -> Clearance | None:
    """A clearance."""
    statement = select(table.c.document).where(table.c.id == clearance_id)
    return await _documents.one(reader, statement)


async def lock(unit: Unit, clearance_id: str) -> Clearance:
    """A clearance, held against other writers until the commit.

    Raises:
        NotFound: there is none with this id.
    """
    statement = select(table.c.document).where(table.c.id == clearance_id).with_for_update()
    found = await _documents.one(unit, statement)
    if found is None:
        raise NotFound("There is no such clearance.")
    return found


async def list_standing(reader: Reader, entry_ids: Iterable[str], numbers: Iterable[str]) -> list[Clearance]:
    """The standing clearances of some documents against some entries; for checks."""
    asked = {"entries": sorted(entry_ids), "numbers": sorted(number[:_NUMBER_LENGTH] for number in numbers)}
    found = await _documents.all(reader, _OF_DOCUMENTS, asked)
    return [clearance for clearance in found if clearance.state is ClearanceState.STANDING]


async def list_of_entry(unit: Unit, entry_id: str) -> list[Clearance]:
    """All clearances against an entry, held until the commit, oldest first."""
    statement = select(table.c.document).where(table.c.entry_id == entry_id).order_by(table.c.id)
    return await _documents.all(unit, statement.with_for_update())


async def list_live(unit: Unit, entry_id: str) -> list[Clearance]:
    """The clearances of an entry that stand or may come to stand, held until the commit, oldest first."""
    return [clearance for clearance in await list_of_entry(unit, entry_id) if clearance.live]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which clearances are wanted.

    Attributes:
        state: only those in this state; None means any.
        everywhere: of every agency and checkpoint; otherwise one of the next two is enough.
        agency: those against this agency's entries; None means none.
        checkpoint: those proposed at this checkpoint; None means none.
    """

    state: str | None = None
    everywhere: bool = False
    agency: str | None = None
    checkpoint: str | None = None


async def list_page(reader: Reader, wanted: Filter, before: str | None, limit: int) -> list[Clearance]:
    """Clearances, newest first, older than an id; none against an entry whose seal keeps the actor out."""
    statement = (
        select(table.c.document)
        .where(table.c.entry_id.not_in(closed(reader.actor)))
        .order_by(table.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(table.c.id < before)
    if wanted.state is not None:
        statement = statement.where(table.c.state == wanted.state)
    if not wanted.everywhere:
        of_owner = table.c.agency == wanted.agency if wanted.agency is not None else false()
        met_here = table.c.checkpoint == wanted.checkpoint if wanted.checkpoint is not None else false()
        statement = statement.where(or_(of_owner, met_here))
    return await _documents.all(reader, statement)
