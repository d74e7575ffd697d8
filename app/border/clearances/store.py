"""SQL statements on clearances; unless said otherwise, they do not check who may see one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import false, insert, or_, select, update

from app.border.clearances.domain import Clearance, ClearanceState
from app.border.clearances.tables import clearance as table
from app.db.documents import Documents, document
from app.db.driver import CompiledStatement
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.register.entries.visibility import closed

_documents = Documents(Clearance)

_NUMBER_LENGTH = 200

_OF_DOCUMENTS = CompiledStatement(
    select(table.c.document).where(
        any_of(table.c.entry_id, "entries"),
        any_of(table.c.number, "numbers"),  # with a condition on the state, SQLite would use that index
    )
)


def columns_of(clearance: Clearance) -> dict[str, Any]:
    """Return the row of a clearance, as values by column name."""
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
    await unit.run(insert(table).values(columns_of(clearance)))


async def save(unit: Unit, clearance: Clearance) -> None:
    """Store a clearance's next version in place of the present one; the transaction must hold the row's lock."""
    await unit.run(update(table).where(table.c.id == clearance.id).values(columns_of(clearance)))


async def find(reader: Reader, clearance_id: str) -> Clearance | None:
    """Return the clearance with this id, or None."""
    statement = select(table.c.document).where(table.c.id == clearance_id)
    return await _documents.one(reader, statement)


async def lock(unit: Unit, clearance_id: str) -> Clearance:
    """Return a clearance and lock its row until the commit.

    Raises:
        NotFound: there is no clearance with this id.
    """
    statement = select(table.c.document).where(table.c.id == clearance_id).with_for_update(key_share=True)
    found = await _documents.one(unit, statement)
    if found is None:
        raise NotFound("There is no such clearance.")
    return found


async def list_standing(reader: Reader, entry_ids: Iterable[str], numbers: Iterable[str]) -> list[Clearance]:
    """Return the standing clearances of documents with these numbers against these entries, in no order."""
    values = {"entries": sorted(entry_ids), "numbers": sorted(number[:_NUMBER_LENGTH] for number in numbers)}
    found = [_documents.read(row[0]) for row in await _OF_DOCUMENTS.run(reader, values)]
    return [clearance for clearance in found if clearance.state is ClearanceState.STANDING]


async def list_of_entry(unit: Unit, entry_id: str) -> list[Clearance]:
    """Return all clearances against an entry, oldest first, and lock their rows until the commit."""
    statement = select(table.c.document).where(table.c.entry_id == entry_id).order_by(table.c.id)
    return await _documents.all(unit, statement.with_for_update(key_share=True))


async def list_live(unit: Unit, entry_id: str) -> list[Clearance]:
    """Return the proposed and standing clearances against an entry, oldest first.

    The rows of all clearances against the entry are locked until the commit.
    """
    return [clearance for clearance in await list_of_entry(unit, entry_id) if clearance.live]


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions of a list of clearances.

    Attributes:
        state: only clearances in this state; None means any.
        everywhere: whether clearances of every agency and checkpoint are listed; otherwise only those of `agency` and
            those of `checkpoint`.
        agency: code of an agency, whose entries' clearances are listed; None for no agency.
        checkpoint: code of a checkpoint, whose proposed clearances are listed; None for no checkpoint.
    """

    state: str | None = None
    everywhere: bool = False
    agency: str | None = None
    checkpoint: str | None = None


async def list_page(reader: Reader, selection: Filter, before: str | None, limit: int) -> list[Clearance]:
    """Return clearances that meet the conditions, newest first, at most `limit`.

    Only clearances with an id before `before`; None for the newest. Clearances of entries that are sealed from the
    actor are omitted.
    """
    statement = (
        select(table.c.document)
        .where(table.c.entry_id.not_in(closed(reader.actor)))
        .order_by(table.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        statement = statement.where(table.c.id < before)
    if selection.state is not None:
        statement = statement.where(table.c.state == selection.state)
    if not selection.everywhere:
        agency, checkpoint = selection.agency, selection.checkpoint
        of_owner = table.c.agency == agency if agency is not None else false()
        proposed_here = table.c.checkpoint == checkpoint if checkpoint is not None else false()
        statement = statement.where(or_(of_owner, proposed_here))
    return await _documents.all(reader, statement)
