"""Every SQL statement about hits."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select, update

from app.db.documents import Documents, document
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.entries.views import barred
from app.hits import tables
from app.hits.domain import Hit, HitState

LOCK = 0x63656B68

_documents = Documents(Hit)

_table = tables.hit
_KNOWN = select(_table.c.id).where(any_of(_table.c.id, "ids"))
_RESOLVED = _KNOWN.where(_table.c.state == HitState.RESOLVED.value)
_RESOLVED_IN_FULL = select(_table.c.document).where(
    any_of(_table.c.id, "ids"), _table.c.state == HitState.RESOLVED.value
)


def _columns(hit: Hit) -> dict[str, Any]:
    waits = hit.state is HitState.OPEN and hit.escalated_at is None
    return {
        "id": hit.id,
        "checkpoint": hit.checkpoint,
        "state": hit.state.value,
        "remind_at": hit.resolve_by if waits else None,
        "document": document(hit),
    }


async def hold_adoption(unit: Unit) -> None:
    """Let nobody else adopt hits until the commit, or two would adopt the same one.

    On SQLite a transaction that writes is alone anyway.
    """
    if not unit.is_sqlite:
        await unit.run(select(func.pg_advisory_xact_lock(LOCK)))


async def known(reader: Reader, hit_ids: Collection[str]) -> set[str]:
    """Those of the hits that the register has."""
    return set((await reader.run(_KNOWN, {"ids": sorted(hit_ids)})).scalars())


async def resolved(reader: Reader, hit_ids: Collection[str]) -> set[str]:
    """Those of the hits that a supervisor has resolved."""
    return set((await reader.run(_RESOLVED, {"ids": sorted(hit_ids)})).scalars())


async def add(unit: Unit, hits: Sequence[Hit]) -> None:
    """Store new hits."""
    await unit.run(insert(_table), [_columns(hit) for hit in hits])
    matched = [{"entry_id": each.entry_id, "hit_id": hit.id} for hit in hits for each in hit.matched]
    if matched:
        await unit.run(insert(tables.match), matched)


async def save(unit: Unit, hit: Hit) -> None:
    """Store a hit's next version; the transaction holds its lock."""
    await unit.run(update(_table).where(_table.c.id == hit.id).values(_columns(hit)))


async def find(reader: Reader, hit_id: str) -> Hit | None:
    """A hit that the register has."""
    statement = select(_table.c.document).where(_table.c.id == hit_id)
    return await _documents.one(reader, statement)


async def lock(unit: Unit, hit_id: str) -> Hit:
    """A hit that the register has, held against other writers until the commit."""
    statement = select(_table.c.document).where(_table.c.id == hit_id).with_for_update()
    return _documents.read((await unit.run(statement)).scalar_one())


async def lock_of_entry(unit: Unit, entry_id: str) -> list[Hit]:
    """The hits that an entry has had, held against other writers until the commit."""
    matched = select(tables.match.c.hit_id).where(tables.match.c.entry_id == entry_id)
    statement = select(_table.c.document).where(_table.c.id.in_(matched)).order_by(_table.c.id)
    return await _documents.all(unit, statement.with_for_update())


async def let_pass(reader: Reader, hit_ids: Collection[str]) -> set[str]:
    """Those of some hits after which a supervisor let the traveller go on."""
    statement = select(_table.c.document).where(_table.c.id.in_(sorted(hit_ids)))
    return {hit.id for hit in await _documents.all(reader, statement) if hit.let_pass}


async def list_resolved(reader: Reader, hit_ids: Collection[str]) -> list[Hit]:
    """Those of some hits that are resolved."""
    return await _documents.all(reader, _RESOLVED_IN_FULL, {"ids": sorted(hit_ids)})


async def list_due(reader: Reader, limit: int) -> list[str]:
    """Ids of open hits that nobody has resolved in time, if no notice has reported that yet."""
    statement = (
        select(_table.c.id)
        .where(_table.c.remind_at.is_not(None), _table.c.remind_at <= reader.now)
        .order_by(_table.c.remind_at)
        .limit(limit)
    )
    return list((await reader.run(statement)).scalars())


@dataclass(frozen=True, slots=True)
class Filter:
    """Which hits are wanted; None means any. `first` and `before` are bounds of ids, the latter excluded."""

    checkpoint: str | None = None
    state: HitState | None = None
    first: str | None = None
    before: str | None = None


async def list_page(reader: Reader, wanted: Filter, limit: int) -> list[Hit]:
    """Hits, newest first."""
    statement = select(_table.c.document).order_by(_table.c.id.desc()).limit(limit)
    if reader.actor.person is not None:  # nobody reads how they were met themselves (R61)
        own = tables.match.c.entry_id.in_(barred(reader.actor.person))
        statement = statement.where(_table.c.id.not_in(select(tables.match.c.hit_id).where(own)))
    if wanted.checkpoint is not None:
        statement = statement.where(_table.c.checkpoint == wanted.checkpoint)
    if wanted.state is not None:
        statement = statement.where(_table.c.state == wanted.state.value)
    if wanted.first is not None:
        statement = statement.where(_table.c.id >= wanted.first)
    if wanted.before is not None:
        statement = statement.where(_table.c.id < wanted.before)
    return await _documents.all(reader, statement)
