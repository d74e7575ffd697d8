"""SQL statements of the query log: its lines, its batches, and the records that seal them."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    String,
    Table,
    and_,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.selectable import ScalarSelect

from app.access.tables import audit
from app.alerting.alerts.tables import receipt
from app.border.checks.tables import check
from app.db.pages import follows
from app.db.types import InstantText, any_of
from app.db.unit import Reader, Unit
from app.kit.clock import rfc3339
from app.kit.commitments import commit
from app.register.entries.tables import version
from app.sync.querylog.domain import Batch, Line, Position, Source, line_of
from app.sync.querylog.tables import batch, seal

_Row = Row[*tuple[Any, ...]]


class _Erasure(msgspec.Struct, frozen=True):
    """The part of an entry's document that says when its person was erased."""

    erased_at: datetime | None = None


_read_erasure: Final = msgspec.json.Decoder(_Erasure).decode


def _members(source: Source, table: Table, *without: str) -> list[ColumnElement[Any]]:
    """Return the members of a line in order: its kind, its id, its instant, and the other columns of its table."""
    others = [column for column in table.c if column.name not in {"id", "at", *without}]
    return [literal(source.value), table.c.id, InstantText(table.c.at), *others]


_CHECKS: Final = select(*_members(Source.CHECK, check, "question"), check.c.question)
_ACTS: Final = select(*_members(Source.ACT, audit))
_RECEIPT_ID: Final = receipt.c.alert_id + "/" + receipt.c.client_id + "/" + receipt.c.level
_RECEIPTS: Final = select(receipt, _RECEIPT_ID.label("line_id"))
_VERSION_ID: Final = version.c.entry_id + "/" + cast(version.c.version, String)
_VERSIONS: Final = select(version, _VERSION_ID.label("line_id"))


def _check(row: _Row) -> Line:
    return line_of(row[:-1], row[-1])


def _receipt(row: _Row) -> Line:
    erased = row.officer_reference is None and row.note is None
    commitment = _commitment(row, (row.officer_reference, row.note), erased=erased)
    return line_of((Source.RECEIPT, row.line_id, rfc3339(row.at), row.checkpoint, commitment))


def _version(row: _Row) -> Line:
    commitment = _commitment(row, (row.document, row.reason), erased=_is_erased(row))
    return line_of((Source.VERSION, row.line_id, rfc3339(row.at), row.event, row.by, row.person, commitment))


def _is_erased(row: _Row) -> bool:
    if row.salt is not None or row.reason is not None:
        return False
    try:
        return _read_erasure(row.document).erased_at is not None
    except msgspec.DecodeError:
        return False


def _commitment(row: _Row, texts: Sequence[str | None], *, erased: bool) -> bytes | None:
    """Return the commitment in a row; None if it has none, or if it is not to the row's texts."""
    if row.commitment is None:
        return None
    if row.salt is None:
        return row.commitment if erased else None
    return row.commitment if commit(*texts, salt=row.salt)[1] == row.commitment else None


async def list_checks(reader: Reader, first: str, before: str, limit: int) -> list[Line]:
    """Return the lines of the first `limit` checks with ids from `first` (inclusive) to `before` (exclusive), by id."""
    statement = _CHECKS.where(check.c.id >= first, check.c.id < before).order_by(check.c.id)
    return [_check(row) for row in (await reader.run(statement.limit(limit))).all()]


async def list_acts(reader: Reader, first: str, before: str, limit: int) -> list[Line]:
    """Return the lines of at most `limit` acts of the audit trail, by id.

    The acts have ids from `first` (inclusive) to `before` (exclusive).
    """
    statement = _ACTS.where(audit.c.id >= first, audit.c.id < before).order_by(audit.c.id).limit(limit)
    return [line_of(tuple(row)) for row in (await reader.run(statement)).all()]


Moment = tuple[datetime, str]
"""The instant and the id of a line: the order in which receipts and versions are sealed."""


async def list_receipts(
    reader: Reader, first: Moment, before: Moment, limit: int
) -> list[tuple[Moment, Line]]:
    """Return the next receipts of alerts, in the order of their moments, as pairs of moment and line.

    The moment of a receipt is the pair of its instant and its line's id.

    Args:
        reader: a transaction on the register.
        first: the moment from which receipts are returned.
        before: receipts at or after the instant of this moment are omitted; its id is ignored.
        limit: how many to return at most.
    """
    rows = await _list_from(reader, _RECEIPTS, receipt.c.at, _RECEIPT_ID, first, before, limit)
    return [((row.at, row.line_id), _receipt(row)) for row in rows]


async def list_versions(
    reader: Reader, first: Moment, before: Moment, limit: int
) -> list[tuple[Moment, Line]]:
    """Return the next versions of entries, in the order of their moments, as pairs of moment and line.

    The moment of a version is the pair of its instant and its line's id. The arguments are those of `list_receipts`.
    """
    rows = await _list_from(reader, _VERSIONS, version.c.at, _VERSION_ID, first, before, limit)
    return [((row.at, row.line_id), _version(row)) for row in rows]


async def _list_from(
    reader: Reader,
    lines: Select[*tuple[Any, ...]],
    at: ColumnElement[datetime],
    identity: ColumnElement[str],
    first: Moment,
    before: Moment,
    limit: int,
) -> Sequence[_Row]:
    moment, name = first
    from_first = or_(at > moment, and_(at == moment, name <= identity))
    statement = lines.where(at >= moment, from_first, at < before[0]).order_by(at, identity)
    return (await reader.run(statement.limit(limit))).all()


async def lines_of(reader: Reader, source: Source, ids: Collection[str]) -> dict[str, Line]:
    """Return the stored lines of one kind by their ids; ids without a stored line are omitted.

    Args:
        reader: a transaction: on the database of checks if `source` is CHECK, else on the register's.
        source: the kind of all requested lines.
        ids: the ids of the lines.
    """
    if source is Source.CHECK:
        rows = await reader.run(_CHECKS.where(any_of(check.c.id, "ids")), {"ids": list(ids)})
        return {row.id: _check(row) for row in rows}
    if source is Source.ACT:
        rows = await reader.run(_ACTS.where(any_of(audit.c.id, "ids")), {"ids": list(ids)})
        return {row.id: line_of(tuple(row)) for row in rows}
    owners = sorted({identity.partition("/")[0] for identity in ids})
    if source is Source.RECEIPT:
        rows = await reader.run(_RECEIPTS.where(any_of(receipt.c.alert_id, "ids")), {"ids": owners})
        return {row.line_id: _receipt(row) for row in rows if row.line_id in ids}
    rows = await reader.run(_VERSIONS.where(any_of(version.c.entry_id, "ids")), {"ids": owners})
    return {row.line_id: _version(row) for row in rows if row.line_id in ids}


async def ids_between(
    reader: Reader, source: Source, begin: Position, before: Position
) -> AsyncIterator[str]:
    """Yield the ids of the stored lines of one kind between two positions, in no particular order.

    Args:
        reader: a transaction: on the database of checks if `source` is CHECK, else on the register's.
        source: the kind of lines.
        begin: the position from which lines are returned, inclusive.
        before: the position before which they end, exclusive.
    """
    statement = {
        Source.CHECK: select(check.c.id).where(check.c.id >= begin.check, check.c.id < before.check),
        Source.ACT: select(audit.c.id).where(audit.c.id >= begin.act, audit.c.id < before.act),
        Source.RECEIPT: select(_RECEIPT_ID).where(
            receipt.c.at >= begin.receipt, receipt.c.at < before.receipt
        ),
        Source.VERSION: select(_VERSION_ID).where(
            version.c.at >= begin.version, version.c.at < before.version
        ),
    }[source]
    for identity in (await reader.run(statement)).scalars():
        yield identity


async def count_from(checks: Reader, register: Reader, begin: Position) -> int:
    """Return the number of stored lines, of all kinds together, that are at or after the position `begin`.

    `checks` is a transaction on the database of checks, `register` one on the register's.
    """
    found = 0
    for reader, column, first in (
        (checks, check.c.id, begin.check),
        (register, audit.c.id, begin.act),
        (register, receipt.c.at, begin.receipt),
        (register, version.c.at, begin.version),
    ):
        found += (await reader.run(select(func.count()).where(column >= first))).scalar_one()
    return found


async def count_checks(reader: Reader, first: str, before: str, most: int) -> int:
    """Return the number of checks from the id `first` until before the id `before`, but no more than `most`."""
    some = select(check.c.id).where(check.c.id >= first, check.c.id < before).limit(most).subquery()
    return int((await reader.run(select(func.count()).select_from(some))).scalar_one())


async def add_batch(unit: Unit, new: Batch) -> None:
    """Store a new batch; its salt is stored, its `commitments` are not."""
    values = {
        "number": new.number,
        "at": new.at,
        "lines": new.text,
        "root": new.root,
        "first_check": new.first_check,
        "reached_check": new.reached.check,
        "reached_act": new.reached.act,
        "reached_receipt": new.reached.receipt,
        "reached_version": new.reached.version,
        "salt": new.salt,
    }
    await unit.run(insert(batch).values(values))


def _batch(row: _Row) -> Batch:
    return Batch(
        number=row.number,
        at=row.at,
        text=row.lines,
        root=row.root,
        first_check=row.first_check,
        reached=Position(row.reached_check, row.reached_act, row.reached_receipt, row.reached_version),
        salt=row.salt,
        commitments=row.commitments,
    )


async def newest_batch(reader: Reader) -> Batch | None:
    """Return the newest batch; None before the first."""
    row = (await reader.run(select(batch).order_by(batch.c.number.desc()).limit(1))).first()
    return None if row is None else _batch(row)


async def batches_after(reader: Reader, number: int, limit: int) -> list[Batch]:
    """Return at most `limit` batches with numbers above `number`, by number."""
    statement = select(batch).where(batch.c.number > number).order_by(batch.c.number).limit(limit)
    return [_batch(row) for row in await reader.run(statement)]


async def find_batch(reader: Reader, number: int) -> Batch | None:
    """Return a batch by its number; None if there is none."""
    row = (await reader.run(select(batch).where(batch.c.number == number))).first()
    return None if row is None else _batch(row)


async def list_salted(reader: Reader, after: Batch | None, limit: int, *, before: str) -> list[Batch]:
    """Return the batches with a check before the id `before` whose salt is not erased yet, at most `limit`.

    They are in the order of their first checks, only those after the batch `after` (None: the first).
    """
    order = (batch.c.first_check, batch.c.number)
    position = None if after is None else (after.first_check, after.number)
    due = (batch.c.first_check < before, batch.c.salt.is_not(None), follows(position, *order))
    rows = await reader.run(select(batch).where(*due).order_by(*order).limit(limit))
    return [_batch(row) for row in rows]


async def replace_salt(unit: Unit, number: int, commitments: bytes) -> None:
    """Store the commitments of the batch with this number, and erase its salt."""
    statement = update(batch).where(batch.c.number == number)
    await unit.run(statement.values(salt=None, commitments=commitments))


def _newest_seal() -> ScalarSelect[int]:
    return select(func.coalesce(func.max(seal.c.batch), 0)).scalar_subquery()


async def newest_sealed(reader: Reader) -> int:
    """Return the highest number of a batch that a record of the ledger seals; 0 before the first."""
    return int((await reader.run(select(_newest_seal()))).scalar_one())


async def add_seal(unit: Unit, number: int, sequence: int) -> None:
    """Store that the record `sequence` of the ledger seals the batch `number`."""
    await unit.run(insert(seal).values(batch=number, sequence=sequence))


async def sequences_of(reader: Reader, first: int, last: int) -> dict[int, int]:
    """Return the numbers of the ledger records that seal batches, by the numbers of these batches.

    The batches have the numbers `first` to `last`, both inclusive; a batch that no record seals is omitted.
    """
    statement = select(seal.c.batch, seal.c.sequence).where(seal.c.batch.between(first, last))
    return {row.batch: row.sequence for row in await reader.run(statement)}
