"""SQL statements on hits that checks opened: the queue of hits to create, and the hits that a check may join."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from sqlalchemy import Select, bindparam, delete, func, literal, select, union_all

from app.border.checks import tables
from app.border.checks.domain import Matter
from app.border.checks.store import OpenedHit, entry_ids_in
from app.db.types import any_of
from app.db.unit import Reader, Unit

_HITS = (
    select(tables.opened_hit)
    .where(tables.opened_hit.c.check_id > bindparam("after"))
    .order_by(tables.opened_hit.c.check_id)
    .limit(bindparam("limit"))
)
_TAKEN_UP = (
    select(tables.opened_hit.c.check_id)
    .where(any_of(tables.opened_hit.c.check_id, "ids"))
    .order_by(tables.opened_hit.c.check_id)
    .with_for_update(key_share=True)  # a fixed order prevents deadlocks between two deletions
)
_FORGET = delete(tables.opened_hit).where(tables.opened_hit.c.check_id.in_(_TAKEN_UP))


async def list_opened_hits(reader: Reader, after: OpenedHit | None, limit: int) -> list[OpenedHit]:
    """Return the next hits in the queue of hits still to be created in the register, by check id, at most `limit`.

    Only those after the hit `after` (None: the first).
    """
    parameters = {"after": after.check_id if after else "", "limit": limit}
    return [OpenedHit(*row) for row in await reader.run(_HITS, parameters)]


_LATEST_HITS = (
    select(tables.check.c.id, tables.check.c.hit_id)
    .where(tables.check.c.hit_id.is_not(None))
    .order_by(tables.check.c.id.desc())
    .limit(bindparam("limit"))
)


async def list_latest_hits(reader: Reader, before: str | None, limit: int) -> list[OpenedHit]:
    """Return the hits of checks with an id before `before` (None: of all checks), newest check first, at most `limit`.

    Hits are returned whether or not the register has them already. A hit that several checks share is returned for
    each.
    """
    statement = _LATEST_HITS if before is None else _LATEST_HITS.where(tables.check.c.id < before)
    return [OpenedHit(*row) for row in await reader.run(statement, {"limit": limit})]


async def list_hits_after(reader: Reader, after: str, limit: int) -> list[OpenedHit]:
    """Return the hits of checks with an id after `after`, sorted by check id, at most `limit`.

    Hits are returned whether or not the register has them already. A hit that several checks share is returned for
    each.
    """
    own = tables.check.c
    statement = select(own.id, own.hit_id).where(own.hit_id.is_not(None), own.id > after)
    return [OpenedHit(*row) for row in await reader.run(statement.order_by(own.id).limit(limit))]


async def list_queued(reader: Reader, check_ids: Iterable[str]) -> set[str]:
    """Return the ids of the hits of these checks that are still in the queue: the register has yet to create them."""
    queued = tables.opened_hit.c
    statement = select(queued.hit_id).where(any_of(queued.check_id, "ids"))
    return set((await reader.run(statement, {"ids": sorted(check_ids)})).scalars())


async def queue_hits(unit: Unit, hits: Iterable[OpenedHit]) -> None:
    """Add hits to the queue from which the register's hits are created; hits already in the queue are ignored."""
    adding = unit.inserting(tables.opened_hit).on_conflict_do_nothing()
    await unit.run(adding, [hit._asdict() for hit in hits])


async def forget_opened_hits(unit: Unit, check_ids: Iterable[str]) -> None:
    """Remove the hits of these checks from the queue; call it only after the register has stored these hits."""
    await unit.run(_FORGET, {"ids": sorted(check_ids)})


_CLAIMED = select(tables.journey_hit).where(any_of(tables.journey_hit.c.claim, "claims"))


async def list_claimed(reader: Reader, claims: Iterable[str]) -> dict[str, str]:
    """Return the id of the stored hit for each of these claims, by claim; claims without a hit are omitted.

    A claim is a key, unique in the database, made of a journey, a passenger's document and the matched entries
    (`Question.claim_of`): only one hit can have it.
    """
    rows = await reader.run(_CLAIMED, {"claims": list(claims)})
    return {row.claim: row.hit_id for row in rows}


class Meeting(NamedTuple):
    """A traveller at a checkpoint in a direction (`exit` or `entry`).

    Attributes:
        document_hash: keyed hash of the first document's number, or else of the NIK; None for a traveller without both.
    """

    document_hash: bytes | None
    checkpoint: str
    direction: str


About = tuple[Meeting, Matter]
"""The subject of a hit: the traveller at the checkpoint, and the matched entries with their versions."""


class LastHit(NamedTuple):
    """A check with a hit, and this hit, which the check opened or joined."""

    check_id: str
    hit_id: str


async def list_last_hits(reader: Reader, subjects: Collection[About]) -> dict[About, LastHit]:
    """Return, for each of `subjects`, the newest similar check with a hit; subjects without one are omitted.

    A similar check has the same document hash, checkpoint and direction. If the document hash is None, the first entry
    of the subject, by id, must also have stopped its traveller, in the same version. A similar check may be about other
    entries too, and lack some of the subject's. `subjects` must not be empty.
    """
    in_order = list(subjects)
    last = (
        select(literal(position), _newest_hit(about).subquery()) for position, about in enumerate(in_order)
    )
    return {in_order[position]: LastHit(*row) for position, *row in await reader.run(union_all(*last))}


def _newest_hit(about: About) -> Select[tuple[str, str]]:
    (number, checkpoint, direction), matter = about
    check, match = tables.check.c, tables.match.c
    with_hit = (check.hit_id.is_not(None), check.checkpoint == checkpoint, check.direction == direction)
    found = select(check.id, check.hit_id).where(*with_hit).limit(1)
    if number is not None:
        return found.where(check.document_hash == number).order_by(check.id.desc())
    entry_id, version = min(matter)
    stopped = (
        match.entry_id == entry_id,
        match.checkpoint == checkpoint,
        match.entry_version == version,
        match.outcome != "clear",
    )
    unnumbered = found.where(check.document_hash.is_(None), check.id == match.check_id, *stopped)
    return unnumbered.order_by(match.at.desc(), match.check_id.desc())


class Opened(NamedTuple):
    """A hit about a passenger on a manifest, with the data of the first check that has this hit.

    Attributes:
        journey_key: the keyed hash of the journey and of the passenger's document.
        hit_id: id of the hit.
        check_id: id of that first check.
        question: the first check's question as text; None once erased.
        matter: the entries that the hit is about, as pairs of id and version.
    """

    journey_key: str
    hit_id: str
    check_id: str
    question: str | None
    matter: Matter


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
    """Return, by check id, which of `entry_ids` stopped the traveller in the check, as pairs of entry id and version.

    Only checks in `check_ids` are considered. Checks in which none of the entries stopped the traveller are omitted.
    """
    found: dict[str, set[tuple[str, int]]] = {}
    rows = await reader.run(_MATTERS, {"entries": sorted(entry_ids), "checks": sorted(check_ids)})
    for check_id, entry_id, version in rows:
        found.setdefault(check_id, set()).add((entry_id, version))
    return found


async def list_opened(reader: Reader, journey_keys: Iterable[str]) -> list[Opened]:
    """Return the hits about passengers with these journey keys, oldest first, whether open or resolved.

    A journey key is the keyed hash of a journey and a passenger's document. Two statements are always run, so that the
    duration does not reveal whether there is a hit.
    """
    rows = (await reader.run(_OPENED, {"keys": sorted(journey_keys)})).all()
    shown = {entry_id for row in rows for entry_id in entry_ids_in(row.matches)}
    matters = await list_matters(reader, shown, (row.id for row in rows))
    return [
        Opened(row.journey_key, row.hit_id, row.id, row.question, frozenset(matters.get(row.id, ())))
        for row in rows
    ]
