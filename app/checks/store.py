"""Every SQL statement of checks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, bindparam, delete, exists, func, insert, select, union_all, update

from app.access.domain import Kind
from app.access.tables import agency as agency_table
from app.access.tables import state as access_state
from app.checks import tables
from app.db.bulk import BulkInsert
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.entries.tables import entry as entry_table
from app.entries.tables import key as key_table
from app.kit.ids import behind, first_id, made_at
from app.ledger.tables import head as head_table

_TICK = timedelta(milliseconds=1)
"""The grain of the time in an id."""

_LOOK_UP = (
    select(
        head_table.c.size,
        access_state.c.version,
        key_table.c.key,
        entry_table.c.id,
        entry_table.c.version,
        entry_table.c.pending_until,
        entry_table.c.document,
        agency_table.c.phone,
    )
    .select_from(head_table)
    .join(access_state, access_state.c.id == head_table.c.id)
    # A condition on the entry's state would tempt SQLite to begin with it.
    .outerjoin(key_table, any_of(key_table.c.key, "keys"))
    .outerjoin(entry_table, entry_table.c.id == key_table.c.entry_id)
    .outerjoin(agency_table, agency_table.c.code == entry_table.c.agency)
)


_BY_ID = (
    select(
        entry_table.c.id,
        entry_table.c.version,
        entry_table.c.pending_until,
        entry_table.c.document,
        agency_table.c.phone,
    )
    .select_from(entry_table)
    .join(agency_table, agency_table.c.code == entry_table.c.agency)
    .where(any_of(entry_table.c.id, "ids"))
)


class Listed(NamedTuple):
    """An entry, in whatever state, and its owner's phone."""

    entry_id: str
    version: int
    pending_until: datetime | None
    document: str
    phone: str | None


async def look_up(reader: Reader, keys: Iterable[str]) -> tuple[int, int, list[tuple[str, Listed]]]:
    """The register's view of some numbers, of one moment: one statement, because each exchange costs.

    Returns:
        The ledger's size, the access version, and every entry that has one of the keys, with that key.
    """
    rows = (await reader.run(_LOOK_UP, {"keys": list(keys)})).all()
    size, version = rows[0][:2]
    return size, version, [(row[2], Listed(*row[3:])) for row in rows if row[2] is not None]


async def list_by_ids(reader: Reader, ids: Iterable[str]) -> list[Listed]:
    """Entries by their ids."""
    return [Listed(*row) for row in await reader.run(_BY_ID, {"ids": list(ids)})]


class Record(NamedTuple):
    """A row of `check_record`."""

    id: str
    at: datetime
    client_id: str
    checkpoint: str | None
    kind: str | None
    direction: str
    outcome: str
    hit_id: str | None
    sequence: int
    question: str
    document_hash: bytes | None
    matches: str | None
    clearances: str | None
    noted: str | None
    truncated: bool


class Matched(NamedTuple):
    """A row of `check_match`."""

    entry_id: str
    check_id: str
    entry_version: int
    agency: str
    checkpoint: str | None
    at: datetime
    direction: str
    outcome: str
    sighting: bool


class OpenedHit(NamedTuple):
    """A row of `check_opened_hit`: a hit that the register has not taken up yet, and its check."""

    check_id: str
    hit_id: str


_MATCHES, _RECORDS_OF = (tables.match, Matched._fields), (tables.check, Record._fields)
_INSERT = BulkInsert(_MATCHES, _RECORDS_OF)
_INSERT_WITH_HITS = BulkInsert((tables.opened_hit, OpenedHit._fields), _MATCHES, _RECORDS_OF)


async def add(unit: Unit, records: Sequence[Record], matches: Sequence[Matched]) -> None:
    """Store records of checks, which entries they matched, and that their hits are to be taken up."""
    hits = [OpenedHit(record.id, record.hit_id) for record in records if record.hit_id is not None]
    if hits:
        await _INSERT_WITH_HITS.run(unit, hits, matches, records)
    else:
        await _INSERT.run(unit, matches, records)


async def find(reader: Reader, check_id: str) -> Row[*tuple[Any, ...]] | None:
    """The record of a check."""
    return (await reader.run(select(tables.check).where(tables.check.c.id == check_id))).first()


async def find_hit(reader: Reader, hit_id: str) -> Row[*tuple[Any, ...]] | None:
    """The record of the check that opened a hit; both ids hold the instant, so no index is needed."""
    at = made_at(hit_id)
    if at is None:
        return None
    ids = tables.check.c.id
    statement = select(tables.check).where(
        ids >= first_id("chk", at), ids < first_id("chk", at + _TICK), tables.check.c.hit_id == hit_id
    )
    return (await reader.run(statement)).first()


_HITS = select(tables.opened_hit).order_by(tables.opened_hit.c.check_id).limit(bindparam("limit"))
_TAKEN_UP = (
    select(tables.opened_hit.c.check_id)
    .where(any_of(tables.opened_hit.c.check_id, "ids"))
    .order_by(tables.opened_hit.c.check_id)
    .with_for_update()  # in this order, so that two who delete the same never wait for each other
)
_FORGET = delete(tables.opened_hit).where(tables.opened_hit.c.check_id.in_(_TAKEN_UP))
_RECORDS = select(tables.check).where(any_of(tables.check.c.id, "ids")).order_by(tables.check.c.id)
_VERSIONS = select(tables.match.c.entry_id, tables.match.c.entry_version).where(
    any_of(tables.match.c.entry_id, "ids"), tables.match.c.check_id == bindparam("check_id")
)


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


async def list_records(reader: Reader, check_ids: Iterable[str]) -> Sequence[Row[*tuple[Any, ...]]]:
    """The records of checks, in order."""
    return (await reader.run(_RECORDS, {"ids": sorted(check_ids)})).all()


async def versions_matched(reader: Reader, check_id: str, entry_ids: Iterable[str]) -> dict[str, int]:
    """The version at which each of some entries was matched by a check."""
    rows = await reader.run(_VERSIONS, {"ids": sorted(entry_ids), "check_id": check_id})
    return {row.entry_id: row.entry_version for row in rows}


_AT_THE_BORDER = tables.check.c.kind.in_((Kind.COUNTER.value, Kind.AUTOGATE.value))
"""Who is on a manifest has not crossed yet."""

_ASKED = select(
    tables.check.c.id,
    tables.check.c.at,
    tables.check.c.checkpoint,
    tables.check.c.direction,
    tables.check.c.outcome,
    tables.check.c.question,
).where(tables.check.c.id >= bindparam("first"), tables.check.c.id < bindparam("before"), _AT_THE_BORDER)
_BETWEEN = _ASKED.order_by(tables.check.c.id.desc()).limit(bindparam("limit"))
_OF_DOCUMENT = _ASKED.where(tables.check.c.document_hash == bindparam("hash"))


async def find_newest(reader: Reader) -> str | None:
    """The greatest id of a check; None before the first."""
    newest: str | None = (await reader.run(select(func.max(tables.check.c.id)))).scalar_one()
    return newest


async def list_between(
    reader: Reader, first: str, before: str, limit: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """What was asked at the border, from an id on and before another, newest first."""
    return (await reader.run(_BETWEEN, {"first": first, "before": before, "limit": limit})).all()


async def list_of_document(
    reader: Reader, document_hash: bytes, first: str, before: str
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The same of the checks that were shown a document first, by the hash of its number."""
    return (await reader.run(_OF_DOCUMENT, {"first": first, "before": before, "hash": document_hash})).all()


class Passage(NamedTuple):
    """A check at the border of somebody who may have gone on; `hit_id` is None where it was clear."""

    check_id: str
    direction: str
    hit_id: str | None


async def list_passages(
    reader: Reader, hashes: Sequence[bytes], before: str | None, limit: int
) -> list[Passage]:
    """Checks at the border that were shown one of some numbers first, newest first, before an id.

    Each number is read along its own index, and no further than the page needs.
    """
    table = tables.check
    parts = []
    for number in hashes:
        of_number = (table.c.document_hash == number, _AT_THE_BORDER)
        part = select(table.c.id, table.c.direction, table.c.hit_id).where(*of_number)
        some = (part if before is None else part.where(table.c.id < before)).order_by(table.c.id.desc())
        parts.append(select(some.limit(limit).subquery()))
    found = union_all(*parts).subquery()
    statement = select(found).order_by(found.c.id.desc()).limit(limit)
    return [Passage(*row) for row in await reader.run(statement)]


async def matched_since(reader: Reader, entry_id: str, checkpoint: str, since: datetime) -> bool:
    """Whether an entry was matched at a checkpoint since an instant; sightings do not count."""
    table = tables.match
    statement = select(
        exists().where(
            table.c.entry_id == entry_id,
            table.c.checkpoint == checkpoint,
            table.c.at >= since,
            table.c.sighting.is_(False),
        )
    )
    return bool((await reader.run(statement)).scalar_one())


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry's subject was seen, or stopped, at a checkpoint."""

    entry_id: str
    check_id: str
    checkpoint: str
    at: datetime
    direction: str
    outcome: str
    sighting: bool


async def list_seen(reader: Reader, agency: str | None, limit: int) -> list[Seen]:
    """Matches of an agency's entries, newest first; of all agencies without one."""
    t = tables.match
    statement = (
        select(t.c.entry_id, t.c.check_id, t.c.checkpoint, t.c.at, t.c.direction, t.c.outcome, t.c.sighting)
        .order_by(t.c.check_id.desc())
        .limit(limit)
    )
    if agency is not None:
        statement = statement.where(t.c.agency == agency)
    return [Seen(*row) for row in await reader.run(statement)]


async def forget_questions(unit: Unit, cutoff: str, limit: int) -> int:
    """Erase the clear questions of checks older than an id, going on from where the last call stopped.

    Where that is beyond the id, by a clock that ran ahead, it goes on from the id: what came since is not erased yet.

    Returns:
        How many records were passed, at most `limit`; fewer mean that nothing is left to erase.
    """
    table, mark = tables.check, tables.ageing
    begin = (await unit.run(select(mark.c.erased_before))).scalar_one_or_none()
    if begin is None:
        begin = ""
        await unit.run(insert(mark).values(id=1, erased_before=begin))
    elif begin > cutoff:
        await unit.run(update(mark).values(erased_before=cutoff))
    span = (table.c.id >= begin, table.c.id < cutoff)
    old = list((await unit.run(select(table.c.id).where(*span).order_by(table.c.id).limit(limit))).scalars())
    if not old:
        return 0
    end = cutoff if len(old) < limit else behind(old[-1])
    await unit.run(update(table).where(table.c.id >= begin, table.c.id < end).values(question=None))
    await unit.run(update(mark).values(erased_before=end))
    return len(old)
