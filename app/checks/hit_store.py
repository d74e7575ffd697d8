"""Every SQL statement about the hits that checks have opened: what waits to be taken up, and what a check may join."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

import msgspec
from sqlalchemy import bindparam, delete, func, select, union_all

from app.checks import tables
from app.checks.store import OpenedHit
from app.db.types import any_of
from app.db.unit import Reader, Unit


class _Shown(msgspec.Struct, frozen=True):
    """As much of a shown match as says which entry it is."""

    entry_id: str


_HITS = select(tables.opened_hit).order_by(tables.opened_hit.c.check_id).limit(bindparam("limit"))
_TAKEN_UP = (
    select(tables.opened_hit.c.check_id)
    .where(any_of(tables.opened_hit.c.check_id, "ids"))
    .order_by(tables.opened_hit.c.check_id)
    .with_for_update()  # in this order, so that two who delete the same never wait for each other
)
_FORGET = delete(tables.opened_hit).where(tables.opened_hit.c.check_id.in_(_TAKEN_UP))


async def list_opened_hits(reader: Reader, limit: int) -> list[OpenedHit]:
    """The hits that the register has not taken up yet, in the order of their checks' ids."""
    return [OpenedHit(*row) for row in await reader.run(_HITS, {"limit": limit})]


_LATEST_HITS = (
    select(tables.check.c.id, tables.check.c.hit_id)
    .where(tables.check.c.hit_id.is_not(None))
    .order_by(tables.check.c.id.desc())
    .limit(bindparam("limit"))
)


async def list_latest_hits(reader: Reader, before: str | None, limit: int) -> list[OpenedHit]:
    """The hits of the latest checks, newest first, before an id; also those that were taken up long ago."""
    statement = _LATEST_HITS if before is None else _LATEST_HITS.where(tables.check.c.id < before)
    return [OpenedHit(*row) for row in await reader.run(statement, {"limit": limit})]


async def queue_hits(unit: Unit, hits: Iterable[OpenedHit]) -> None:
    """Let hits wait to be taken up that do not."""
    adding = unit.inserting(tables.opened_hit).on_conflict_do_nothing()
    await unit.run(adding, [hit._asdict() for hit in hits])


async def forget_opened_hits(unit: Unit, check_ids: Iterable[str]) -> None:
    """Note that the register has taken up the hits of these checks."""
    await unit.run(_FORGET, {"ids": sorted(check_ids)})


class LastHit(NamedTuple):
    """The newest hit of a document at a checkpoint, and the check that belongs to it."""

    check_id: str
    hit_id: str


async def list_last_hits(
    reader: Reader, wanted: Collection[tuple[bytes, str, str]]
) -> dict[tuple[bytes, str, str], LastHit]:
    """The newest hit of each of some documents, by the hash of its number, at a checkpoint in a direction."""
    t = tables.check
    columns = (t.c.document_hash, t.c.checkpoint, t.c.direction)
    parts = []
    for values in wanted:
        same = (column == value for column, value in zip(columns, values, strict=True))
        one = select(*columns, t.c.id, t.c.hit_id).where(t.c.hit_id.is_not(None), *same)
        parts.append(select(one.order_by(t.c.id.desc()).limit(1).subquery()))
    rows = await reader.run(union_all(*parts))
    return {(bytes(number), place, way): LastHit(*last) for number, place, way, *last in rows}


class Opened(NamedTuple):
    """A hit of a manifest's passenger, as the check says it that opened it.

    Attributes:
        journey_key: the keyed hash of the journey and of the document that was shown.
        matter: the entries that it is about, in their versions.
    """

    journey_key: str
    hit_id: str
    check_id: str
    question: str | None
    matter: frozenset[tuple[str, int]]


_FIRST = (
    select(func.min(tables.check.c.id))
    .where(
        any_of(tables.check.c.journey_key, "keys"),
        tables.check.c.journey_key.is_not(None),
        tables.check.c.hit_id.is_not(None),
    )
    .group_by(tables.check.c.journey_key, tables.check.c.hit_id)
)
_OPENED = (
    select(
        tables.check.c.journey_key,
        tables.check.c.hit_id,
        tables.check.c.id,
        tables.check.c.question,
        tables.check.c.matches,
    )
    .where(tables.check.c.id.in_(_FIRST))
    .order_by(tables.check.c.id)
)
_MATTERS = select(tables.match.c.check_id, tables.match.c.entry_id, tables.match.c.entry_version).where(
    any_of(tables.match.c.entry_id, "entries"),
    any_of(tables.match.c.check_id, "checks"),
    tables.match.c.outcome != "clear",
)


async def list_matters(
    reader: Reader, entry_ids: Iterable[str], check_ids: Iterable[str]
) -> dict[str, set[tuple[str, int]]]:
    """Which of some entries, in which version, have stopped somebody at each of some checks."""
    found: dict[str, set[tuple[str, int]]] = {}
    rows = await reader.run(_MATTERS, {"entries": sorted(entry_ids), "checks": sorted(check_ids)})
    for check_id, entry_id, version in rows:
        found.setdefault(check_id, set()).add((entry_id, version))
    return found


_entries_shown = msgspec.json.Decoder(list[_Shown]).decode


async def list_opened(reader: Reader, journey_keys: Iterable[str]) -> list[Opened]:
    """The hits that documents have on journeys, oldest first: always two statements, also where there are none."""
    rows = (await reader.run(_OPENED, {"keys": sorted(journey_keys)})).all()
    shown = {match.entry_id for row in rows for match in _entries_shown(row.matches or "[]")}
    matters = await list_matters(reader, shown, (row.id for row in rows))
    return [
        Opened(row.journey_key, row.hit_id, row.id, row.question, frozenset(matters.get(row.id, ())))
        for row in rows
    ]
