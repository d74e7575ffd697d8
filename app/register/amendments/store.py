"""SQL statements on amendments; unless said otherwise, they do not check who may see the entry."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import exists, insert, or_, select, update

from app.db.documents import Documents, document
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.register.amendments.domain import ENDING, OPEN, WAITING, Amendment, AmendmentKind, AmendmentState
from app.register.amendments.tables import amendment as table
from app.register.entries.domain import State
from app.register.entries.store import holds
from app.register.entries.tables import entry as entry_table
from app.register.entries.visibility import opened

_documents = Documents(Amendment)
_successor = entry_table.alias()


def _columns(amendment: Amendment) -> dict[str, Any]:
    return {
        "id": amendment.id,
        "version": amendment.version,
        "entry_id": amendment.entry_id,
        "kind": amendment.kind,
        "state": amendment.state,
        "agency": amendment.agency,
        "owner": amendment.owner,
        "received_at": amendment.received_at,
        "due_at": amendment.due_at if amendment.state in WAITING else None,
        "document": document(amendment),
    }


async def add(unit: Unit, amendment: Amendment) -> None:
    """Store a new amendment."""
    await unit.run(insert(table).values(**_columns(amendment)))


async def save(unit: Unit, amendment: Amendment) -> None:
    """Store an amendment's next version in place of the one before; the transaction must hold the amendment's lock."""
    await unit.run(update(table).where(table.c.id == amendment.id).values(**_columns(amendment)))


async def find(reader: Reader, amendment_id: str) -> Amendment | None:
    """Return the amendment with this id; None if there is none."""
    return await _documents.one(reader, select(table.c.document).where(table.c.id == amendment_id))


async def list_by_ids(reader: Reader, amendment_ids: Iterable[str]) -> list[Amendment]:
    """Return the amendments with these ids, in no order; unknown ids are left out."""
    statement = select(table.c.document).where(any_of(table.c.id, "ids"))
    return await _documents.all(reader, statement, {"ids": sorted(amendment_ids)})


async def lock(unit: Unit, amendment_id: str) -> Amendment:
    """Return an amendment and lock its row until the commit.

    Raises:
        NotFound: there is no amendment with this id.
    """
    statement = select(table.c.document).where(table.c.id == amendment_id).with_for_update(key_share=True)
    found = await _documents.one(unit, statement)
    if found is None:
        raise NotFound("There is no such amendment.")
    return found


async def list_page(reader: Reader, entry_id: str, before: str | None, limit: int) -> list[Amendment]:
    """Return an entry's amendments, newest first, at most `limit`, older than the id `before` (None: from the newest).

    Empty for an unknown entry.
    """
    statement = select(table.c.document).where(table.c.entry_id == entry_id)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return await _documents.all(reader, statement.order_by(table.c.id.desc()).limit(limit))


async def list_of_entry(unit: Unit, entry_id: str) -> list[Amendment]:
    """Return all amendments of an entry, oldest first, and lock their rows until the commit."""
    statement = select(table.c.document).where(table.c.entry_id == entry_id).order_by(table.c.id)
    return await _documents.all(unit, statement.with_for_update(key_share=True))


async def lock_waiting(unit: Unit, entry_ids: Iterable[str]) -> list[Amendment]:
    """Return the amendments of these entries that wait for a decision or for the owner's answer, ordered by id.

    Their rows are locked until the commit. Unknown entries add none.
    """
    waiting = any_of(table.c.entry_id, "ids") & table.c.state.in_(sorted(WAITING))
    statement = select(table.c.document).where(waiting).order_by(table.c.id).with_for_update(key_share=True)
    return await _documents.all(unit, statement, {"ids": sorted(entry_ids)})


async def list_open(reader: Reader, entry_id: str, kind: AmendmentKind) -> list[Amendment]:
    """Return an entry's submitted and verified amendments of a kind, in no order, without `referred` amendments."""
    return await _documents.all(
        reader,
        select(table.c.document).where(
            table.c.entry_id == entry_id, table.c.kind == kind, table.c.state.in_(sorted(OPEN))
        ),
    )


async def list_open_corrections(unit: Unit) -> list[Amendment]:
    """Return every submitted or verified correction, ordered by entry id, then by id; visibility is not checked."""
    requested = (table.c.state.in_(sorted(OPEN)), table.c.kind == AmendmentKind.CORRECTION)
    statement = select(table.c.document).where(*requested).order_by(table.c.entry_id, table.c.id)
    return await _documents.all(unit, statement)


async def list_refused_revocations(
    reader: Reader, owner: str, *, limit: int, after: str = ""
) -> list[Amendment]:
    """Return an owner's rejected or returned revocations of entries that are not over, oldest first, at most `limit`.

    Only revocations with an id greater than `after`, of entries that are in force or begin later. Revocations that a
    verifier of the owner returned are included. If the owner has filed a later revocation of the same entry, and that
    one was not returned, the earlier one is omitted. Revocations of entries that a seal hides from the actor are
    omitted.
    """
    later = table.alias()
    refused = [AmendmentState.RETURNED, AmendmentState.REJECTED]
    filed_again = exists().where(
        later.c.entry_id == table.c.entry_id,
        later.c.kind == AmendmentKind.REVOCATION,
        later.c.owner == later.c.agency,
        later.c.id > table.c.id,
        later.c.state != AmendmentState.RETURNED,
    )
    statement = (
        select(table.c.document)
        .join(entry_table, entry_table.c.id == table.c.entry_id)
        .where(
            table.c.state.in_(refused),
            table.c.kind == AmendmentKind.REVOCATION,
            table.c.owner == owner,
            table.c.agency == owner,
            table.c.id > after,
            ~filed_again,
            holds(reader.now),
            opened(reader.actor),
        )
        .order_by(table.c.id)
        .limit(limit)
    )
    return await _documents.all(reader, statement)


async def list_in_state(
    reader: Reader,
    state: AmendmentState,
    *,
    limit: int,
    after: str = "",
    agency: str | None = None,
    owner: str | None = None,
    kind: AmendmentKind | None = None,
) -> list[Amendment]:
    """Return amendments in a state, oldest first, at most `limit`, for worklists.

    Amendments of entries that a seal hides from the actor are omitted. Amendments of an entry that is over are omitted
    too, with two exceptions. Acquittals are returned, because they still close the case. If an active formal entry has
    replaced the entry, revocations, annulments and open corrections are returned, because they apply to the formal
    entry.

    Args:
        reader: the transaction.
        state: the amendments' state.
        limit: maximum number of amendments.
        after: id of an amendment; only later ones. Empty for the beginning.
        agency: code of the agency that filed the amendments; None for any.
        owner: code of the agency that owns the entries; None for any.
        kind: the amendments' kind; None for any.
    """
    until = _successor.c.in_force_until
    succeeded = exists().where(
        _successor.c.formalises == entry_table.c.id,
        _successor.c.state == State.ACTIVE,
        or_(until.is_(None), until > reader.now),
    )
    reaching = {*ENDING, AmendmentKind.CORRECTION} if state in OPEN else ENDING
    matters = or_(
        holds(reader.now),
        table.c.kind == AmendmentKind.ACQUITTAL,
        table.c.kind.in_(sorted(reaching)) & succeeded,
    )
    statement = (
        select(table.c.document)
        .join(entry_table, entry_table.c.id == table.c.entry_id)
        .where(table.c.state == state, table.c.id > after, matters, opened(reader.actor))
    )
    if agency is not None:
        statement = statement.where(table.c.agency == agency)
    if owner is not None:
        statement = statement.where(table.c.owner == owner)
    if kind is not None:
        statement = statement.where(table.c.kind == kind)
    return await _documents.all(reader, statement.order_by(table.c.id).limit(limit))
