"""SQL statements on hits; unless said otherwise, they do not check who may see one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update

from app.border.hits import tables
from app.border.hits.domain import Hit, HitState
from app.db.documents import Documents, document
from app.db.driver import CompiledStatement
from app.db.pages import Position, follows
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.register.entries.visibility import barred

LOCK = 0x63656B68

_documents = Documents(Hit)

_table = tables.hit
_EXISTING = select(_table.c.id).where(any_of(_table.c.id, "ids"))
_RESOLVED = CompiledStatement(_EXISTING.where(_table.c.state == HitState.RESOLVED.value))
_RESOLVED_IN_FULL = select(_table.c.document).where(
    any_of(_table.c.id, "ids"), _table.c.state == HitState.RESOLVED.value
)


def columns_of(hit: Hit) -> dict[str, Any]:
    """Return the row of a hit, as values by column name."""
    waits = hit.state is HitState.OPEN and hit.escalated_at is None
    return {
        "id": hit.id,
        "checkpoint": hit.checkpoint,
        "state": hit.state.value,
        "remind_at": hit.resolve_by if waits else None,
        "document": document(hit),
    }


async def lock_creation(unit: Unit) -> None:
    """Take the lock on the creation of hits until the commit, so that no hit is created twice.

    On SQLite this function does nothing, because there is a single writer.
    """
    if not unit.is_sqlite:
        await unit.run(select(func.pg_advisory_xact_lock(LOCK)))


async def list_existing(reader: Reader, hit_ids: Collection[str]) -> set[str]:
    """Return the ids among `hit_ids` for which the register has a hit."""
    return set((await reader.run(_EXISTING, {"ids": sorted(hit_ids)})).scalars())


async def list_resolved_ids(reader: Reader, hit_ids: Collection[str]) -> set[str]:
    """Return the ids among `hit_ids` whose hit is resolved."""
    return {hit_id for (hit_id,) in await _RESOLVED.run(reader, {"ids": sorted(hit_ids)})}


async def add(unit: Unit, hits: Sequence[Hit]) -> None:
    """Store new hits."""
    await unit.run(insert(_table), [columns_of(hit) for hit in hits])
    matched = sorted((each.entry_id, hit.id) for hit in hits for each in hit.matched)
    if matched:  # in the order in which entries are locked, because each row locks its entry on PostgreSQL
        await unit.run(
            insert(tables.match), [{"entry_id": entry_id, "hit_id": hit_id} for entry_id, hit_id in matched]
        )


async def save(unit: Unit, hit: Hit) -> None:
    """Store a hit's next version in place of the present one; the transaction must hold the row's lock."""
    await unit.run(update(_table).where(_table.c.id == hit.id).values(columns_of(hit)))


async def find(reader: Reader, hit_id: str) -> Hit | None:
    """Return the hit with this id; None if the register does not have it."""
    statement = select(_table.c.document).where(_table.c.id == hit_id)
    return await _documents.one(reader, statement)


async def lock(unit: Unit, hit_id: str) -> Hit:
    """Return a hit and lock its row until the commit. A transaction that also locks entries must lock them first.

    Raises:
        NoResultFound: the register does not have a hit with this id.
    """
    statement = select(_table.c.document).where(_table.c.id == hit_id).with_for_update(key_share=True)
    return _documents.read((await unit.run(statement)).scalar_one())


async def lock_of_entry(unit: Unit, entry_id: str) -> list[Hit]:
    """Return the hits that matched this entry, oldest first, and lock their rows until the commit."""
    matched = select(tables.match.c.hit_id).where(tables.match.c.entry_id == entry_id)
    statement = select(_table.c.document).where(_table.c.id.in_(matched)).order_by(_table.c.id)
    return await _documents.all(unit, statement.with_for_update(key_share=True))


async def list_let_pass(reader: Reader, hit_ids: Collection[str]) -> set[str]:
    """Return the ids among `hit_ids` whose hit a supervisor resolved by letting the traveller pass."""
    statement = select(_table.c.document).where(_table.c.id.in_(sorted(hit_ids)))
    return {hit.id for hit in await _documents.all(reader, statement) if hit.let_pass}


async def list_resolved(reader: Reader, hit_ids: Collection[str]) -> list[Hit]:
    """Return the resolved hits among those with these ids, in no order."""
    return await _documents.all(reader, _RESOLVED_IN_FULL, {"ids": sorted(hit_ids)})


async def list_due(reader: Reader, after: Position | None, limit: int) -> list[Position]:
    """Return the open hits whose time limit has passed, as pairs of time limit and id, earliest limit first.

    At most `limit` are returned, only those after the pair `after` (None: the first). Hits for which a notice of the
    passed limit was written already are omitted.
    """
    order = (_table.c.remind_at, _table.c.id)
    due = (_table.c.remind_at.is_not(None), _table.c.remind_at <= reader.now, follows(after, *order))
    rows = await reader.run(select(*order).where(*due).order_by(*order).limit(limit))
    return [(resolve_by, hit_id) for resolve_by, hit_id in rows]


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions of a list of hits; None means any.

    Attributes:
        checkpoint: only hits of the checkpoint with this code.
        state: only hits in this state.
        first: only hits with this id or a later one.
        before: only hits with an id before this one.
    """

    checkpoint: str | None = None
    state: HitState | None = None
    first: str | None = None
    before: str | None = None


async def list_page(reader: Reader, selection: Filter, limit: int) -> list[Hit]:
    """Return hits that meet the conditions, newest first, at most `limit`.

    Hits that matched an entry about the actor are omitted.
    """
    statement = select(_table.c.document).order_by(_table.c.id.desc()).limit(limit)
    if reader.actor.person is not None:  # officers must not see hits about themselves (R61)
        own = tables.match.c.entry_id.in_(barred(reader.actor.person))
        statement = statement.where(_table.c.id.not_in(select(tables.match.c.hit_id).where(own)))
    if selection.checkpoint is not None:
        statement = statement.where(_table.c.checkpoint == selection.checkpoint)
    if selection.state is not None:
        statement = statement.where(_table.c.state == selection.state.value)
    if selection.first is not None:
        statement = statement.where(_table.c.id >= selection.first)
    if selection.before is not None:
        statement = statement.where(_table.c.id < selection.before)
    return await _documents.all(reader, statement)
