"""SQL statements on checks and their matches; unless said otherwise, they do not check who may see an entry.

A check "at the border" is one by a counter or an autogate, not one of a passenger on a manifest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Integer,
    Row,
    bindparam,
    exists,
    func,
    select,
    union_all,
)

from app.access.domain import Kind
from app.access.tables import agency as agency_table
from app.access.tables import state as access_state
from app.border.checks import tables
from app.db.bulk import BulkInsert
from app.db.driver import CompiledStatement
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.kit.ids import first_id, instant_of
from app.ledger.service import HeadMissing
from app.ledger.tables import head as head_table
from app.register.entries.tables import entry as entry_table
from app.register.entries.tables import key as key_table

_TICK = timedelta(milliseconds=1)
"""Resolution of the time in an id."""

_LOOK_UP = CompiledStatement(
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
    # With a condition on the entry's state, SQLite would use that index.
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


class StoredEntry(NamedTuple):
    """An entry as JSON (`document`), in any state, with its owner's telephone number (`phone`; None if unknown).

    `pending_until` is the instant until which checks refer because of undecided papers; None without such papers.
    """

    entry_id: str
    version: int
    pending_until: datetime | None
    document: str
    phone: str | None


async def look_up(reader: Reader, keys: Iterable[str]) -> tuple[int, int, list[tuple[str, StoredEntry]]]:
    """Return three values: the ledger's size, the access version, and the entries with one of these number keys.

    The access version changes with each change of access rights. Entries are in any state, each paired with its key.

    Raises:
        HeadMissing: the ledger has no head.
    """
    rows = await _LOOK_UP.run(reader, {"keys": list(keys)})
    if not rows:
        raise HeadMissing
    size, version = rows[0][:2]
    return size, version, [(row[2], StoredEntry(*row[3:])) for row in rows if row[2] is not None]


async def list_by_ids(reader: Reader, ids: Iterable[str]) -> list[StoredEntry]:
    """Return the entries with these ids, in no order; unknown ids are omitted."""
    return [StoredEntry(*row) for row in await reader.run(_BY_ID, {"ids": list(ids)})]


class Record(NamedTuple):
    """A row of the table `check_record`: a check with its question and answer.

    Attributes:
        checkpoint, kind: the asking client's checkpoint and kind; None for a client without one.
        hit_id: the hit that the check opened or joined; None for a check without a hit.
        sequence: the ledger's size at the check.
        question: the question as text; None in a row read back once it was erased.
        document_hash: keyed hash of the first document's number, or else of the NIK; None without both.
        matches, clearances, noted: the answer's members of these names, as JSON; None for an empty member.
        truncated: whether some entries were not compared, although they are as likely to match as compared ones.
        journey_key: for a manifest's passenger, the keyed hash of journey and document; None for others.
        stale: whether entries may have been missing, because the register was rolled back.
    """

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
    journey_key: str | None = None
    stale: bool = False


class Matched(NamedTuple):
    """A row of the table `check_match`: an entry that stopped a check's traveller or was sighted, with its outcome."""

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
    """A check with its hit. Rows of `check_opened_hit`, the queue of hits that the register lacks, have this form."""

    check_id: str
    hit_id: str


class Claimed(NamedTuple):
    """A row of the table `check_journey_hit`: a hit about a passenger, and its claim, which only one hit can have."""

    claim: str
    hit_id: str


_MATCHES, _RECORDS_OF = (tables.match, Matched._fields), (tables.check, Record._fields)
_INSERT = BulkInsert(_MATCHES, _RECORDS_OF)
_HITS = (tables.opened_hit, OpenedHit._fields)
_INSERT_WITH_HITS = BulkInsert(_HITS, _MATCHES, _RECORDS_OF)
_INSERT_WITH_CLAIMS = BulkInsert((tables.journey_hit, Claimed._fields), _HITS, _MATCHES, _RECORDS_OF)


async def add(
    unit: Unit, records: Sequence[Record], matches: Sequence[Matched], claims: Iterable[Claimed] = ()
) -> None:
    """Store checks with their matches, and queue their hits, from which the register's hits are created later.

    Args:
        unit: a transaction on the checks.
        records: the checks.
        matches: the matches of these checks.
        claims: new hits about passengers on manifests, each with its claim: a key that only one hit can have.

    Raises:
        IntegrityError: another process has stored a hit with one of the claims.
    """
    hits = [OpenedHit(record.id, record.hit_id) for record in records if record.hit_id is not None]
    if new := sorted(claims):  # in one order, so that two processes never wait for each other
        await _INSERT_WITH_CLAIMS.run(unit, new, hits, matches, records)
    elif hits:
        await _INSERT_WITH_HITS.run(unit, hits, matches, records)
    else:
        await _INSERT.run(unit, matches, records)


async def find(reader: Reader, check_id: str) -> Row[*tuple[Any, ...]] | None:
    """Return the row of a check, with the columns of `Record`; None for an unknown id."""
    return (await reader.run(select(tables.check).where(tables.check.c.id == check_id))).first()


async def find_hit(reader: Reader, hit_id: str) -> Row[*tuple[Any, ...]] | None:
    """Return the row of the check that opened this hit; None if no check did, or if `hit_id` is no well-formed id."""
    at = instant_of(hit_id)
    if at is None:
        return None
    ids = tables.check.c.id
    statement = select(tables.check).where(
        ids >= first_id("chk", at), ids < first_id("chk", at + _TICK), tables.check.c.hit_id == hit_id
    )
    return (
        await reader.run(statement.order_by(ids))
    ).first()  # a check in the same millisecond may have joined it


_RECORDS = select(tables.check).where(any_of(tables.check.c.id, "ids")).order_by(tables.check.c.id)
_MATCHES_OF = select(tables.match.c.entry_id, tables.match.c.entry_version, tables.match.c.agency).where(
    any_of(tables.match.c.entry_id, "ids"), tables.match.c.check_id == bindparam("check_id")
)


class _MatchReference(msgspec.Struct, frozen=True):
    """The part of a stored match that identifies its entry."""

    entry_id: str


_references = msgspec.json.Decoder(list[_MatchReference]).decode


def entry_ids_in(matches: str | None) -> list[str]:
    """Return the ids of the entries in the `matches` of a check's record, in their order; empty for None."""
    return [match.entry_id for match in _references(matches or "[]")]


async def list_records(reader: Reader, check_ids: Iterable[str]) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the rows of `check_record` with these ids, sorted by id; unknown ids are omitted."""
    return (await reader.run(_RECORDS, {"ids": sorted(check_ids)})).all()


class RecordedMatch(NamedTuple):
    """An entry that a check matched, in its version at the check, with its owner."""

    entry_id: str
    entry_version: int
    agency: str


async def list_matches(reader: Reader, check_id: str, entry_ids: Iterable[str]) -> dict[str, RecordedMatch]:
    """Return the matches of a check with these entries, by entry id; an entry that it did not match is omitted."""
    rows = await reader.run(_MATCHES_OF, {"ids": sorted(entry_ids), "check_id": check_id})
    return {row.entry_id: RecordedMatch(*row) for row in rows}


AT_THE_BORDER = tables.check.c.kind.in_((Kind.COUNTER.value, Kind.AUTOGATE.value))
"""Condition for checks at the border; passengers on a manifest have not crossed it yet."""

_ASKED = select(
    tables.check.c.id,
    tables.check.c.at,
    tables.check.c.checkpoint,
    tables.check.c.direction,
    tables.check.c.outcome,
    tables.check.c.question,
).where(tables.check.c.id >= bindparam("first"), tables.check.c.id < bindparam("before"), AT_THE_BORDER)
_BETWEEN = _ASKED.order_by(tables.check.c.id.desc()).limit(bindparam("limit"))
_OF_DOCUMENT = _ASKED.where(tables.check.c.document_hash == bindparam("hash"))


async def find_newest(reader: Reader) -> str | None:
    """Return the greatest id of a check; None before the first check."""
    newest: str | None = (await reader.run(select(func.max(tables.check.c.id)))).scalar_one()
    return newest


async def list_between(
    reader: Reader, first: str, before: str, limit: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the checks at the border with an id from `first` on and before `before`, newest first, at most `limit`.

    The rows have `id`, `at`, `checkpoint`, `direction`, `outcome`, and `question` as text (None once erased).
    """
    return (await reader.run(_BETWEEN, {"first": first, "before": before, "limit": limit})).all()


async def list_of_document(
    reader: Reader, document_hash: bytes, first: str, before: str
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the checks at the border with this document hash and an id from `first` on and before `before`.

    The rows are in no order, with the columns of `list_between`.
    """
    return (await reader.run(_OF_DOCUMENT, {"first": first, "before": before, "hash": document_hash})).all()


class Passage(NamedTuple):
    """A check at the border, as evidence of a crossing; `hit_id` is None if the answer was `clear`."""

    check_id: str
    direction: str
    hit_id: str | None


async def list_passages(
    reader: Reader, hashes: Sequence[bytes], before: str | None, limit: int
) -> list[Passage]:
    """Return checks at the border whose document hash is in `hashes`, newest first, at most `limit`.

    Only checks with an id before `before`; None means all. `hashes` must not be empty.
    """
    values = {f"hash{i}": number for i, number in enumerate(hashes)}
    statement = _passages(len(hashes), further=before is not None)
    return [Passage(*row) for row in await statement.run(reader, {**values, "before": before, "most": limit})]


@cache
def _passages(numbers: int, *, further: bool) -> CompiledStatement:
    """Return the statement for a number of hashes; cached, because building it delays an urgent entry by 1 ms."""
    table = tables.check
    most = bindparam("most", type_=Integer)
    parts = []
    for i in range(numbers):
        of_number = (table.c.document_hash == bindparam(f"hash{i}"), AT_THE_BORDER)
        part = select(table.c.id, table.c.direction, table.c.hit_id).where(*of_number)
        page = part.where(table.c.id < bindparam("before")) if further else part
        parts.append(select(page.order_by(table.c.id.desc()).limit(most).subquery()))
    found = union_all(*parts).subquery()
    return CompiledStatement(select(found).order_by(found.c.id.desc()).limit(most))


async def matched_since(reader: Reader, entry_id: str, checkpoint: str, since: datetime) -> bool:
    """Return whether any check at this checkpoint matched the entry at `since` or later; sightings do not count."""
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
class MatchedEntry:
    """An entry that a check matched. If it is a `sighting`, the measure stopped nobody in the check's direction."""

    entry_id: str
    check_id: str
    checkpoint: str
    at: datetime
    direction: str
    outcome: str
    sighting: bool


async def list_latest_matches(reader: Reader, agency: str | None, limit: int) -> list[MatchedEntry]:
    """Return the newest matches of an agency's entries (None: of all agencies'), newest first, at most `limit`.

    Sealed entries are included; the caller must check the seals.
    """
    t = tables.match
    statement = (
        select(t.c.entry_id, t.c.check_id, t.c.checkpoint, t.c.at, t.c.direction, t.c.outcome, t.c.sighting)
        .order_by(t.c.check_id.desc())
        .limit(limit)
    )
    if agency is not None:
        statement = statement.where(t.c.agency == agency)
    return [MatchedEntry(*row) for row in await reader.run(statement)]
