"""Every SQL statement of the query log."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Row,
    Table,
    and_,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.selectable import ScalarSelect

from app.access.tables import audit
from app.alerting.alerts.domain import commit
from app.alerting.alerts.tables import receipt
from app.border.checks.tables import check
from app.db.types import InstantText, any_of
from app.db.unit import Reader, Unit
from app.kit.clock import rfc3339
from app.sync.querylog.domain import Batch, Line, Position, Source, line_of
from app.sync.querylog.tables import batch, seal

_Row = Row[*tuple[Any, ...]]


def _members(source: Source, table: Table, *without: str) -> list[ColumnElement[Any]]:
    """Return the members of a line in order: its kind, its id, its instant, and the other columns of its table."""
    others = [column for column in table.c if column.name not in {"id", "at", *without}]
    return [literal(source.value), table.c.id, InstantText(table.c.at), *others]


_CHECKS: Final = select(*_members(Source.CHECK, check, "question"), check.c.question)
_ACTS: Final = select(*_members(Source.ACT, audit))
_RECEIPT_ID: Final = receipt.c.alert_id + "/" + receipt.c.client_id + "/" + receipt.c.level
_RECEIPTS: Final = select(receipt, _RECEIPT_ID.label("line_id"))


def _check(row: _Row) -> Line:
    return line_of(row[:-1], row[-1])


def _receipt(row: _Row) -> Line:
    return line_of((Source.RECEIPT, row.line_id, rfc3339(row.at), row.checkpoint, _commitment(row)))


def _commitment(row: _Row) -> bytes | None:
    """Return the commitment in a receipt; None if it has none, or if it is not to what the receipt says."""
    if row.commitment is None:
        return None
    if row.salt is None:
        valid = row.officer_reference is None and row.note is None  # erased
    else:
        valid = commit(row.officer_reference, row.note, row.salt)[1] == row.commitment
    return row.commitment if valid else None


async def list_checks(reader: Reader, first: str, before: str, limit: int) -> list[Line]:
    """Return checks in the order of their ids, from one id until before another, at most `limit`."""
    statement = _CHECKS.where(check.c.id >= first, check.c.id < before).order_by(check.c.id)
    return [_check(row) for row in (await reader.run(statement.limit(limit))).all()]


async def list_acts(reader: Reader, first: str, before: str, limit: int) -> list[Line]:
    """Return acts of the audit trail in the order of their ids, from one id until before another."""
    statement = _ACTS.where(audit.c.id >= first, audit.c.id < before).order_by(audit.c.id).limit(limit)
    return [line_of(tuple(row)) for row in (await reader.run(statement)).all()]


ReceiptKey = tuple[datetime, str]
"""The instant and the line's id of a receipt: the order in which receipts are sealed."""


async def list_receipts(
    reader: Reader, first: ReceiptKey, before: datetime, limit: int
) -> list[tuple[ReceiptKey, Line]]:
    """Return receipts in the order of their keys, from one key until before an instant, at most `limit`."""
    at, identity = first
    from_first = or_(receipt.c.at > at, and_(receipt.c.at == at, identity <= _RECEIPT_ID))
    statement = _RECEIPTS.where(receipt.c.at >= at, from_first, receipt.c.at < before)
    rows = (await reader.run(statement.order_by(receipt.c.at, _RECEIPT_ID).limit(limit))).all()
    return [((row.at, row.line_id), _receipt(row)) for row in rows]


async def lines_of(reader: Reader, source: Source, ids: Collection[str]) -> dict[str, Line]:
    """Return the stored lines of one kind by their ids; a line that is not stored is omitted.

    Args:
        reader: a transaction on the checks for checks, on the register for others.
        source: the kind.
        ids: the ids.
    """
    if source is Source.CHECK:
        rows = await reader.run(_CHECKS.where(any_of(check.c.id, "ids")), {"ids": list(ids)})
        return {row.id: _check(row) for row in rows}
    if source is Source.ACT:
        rows = await reader.run(_ACTS.where(any_of(audit.c.id, "ids")), {"ids": list(ids)})
        return {row.id: line_of(tuple(row)) for row in rows}
    alerts = {identity.partition("/")[0] for identity in ids}
    rows = await reader.run(_RECEIPTS.where(any_of(receipt.c.alert_id, "ids")), {"ids": sorted(alerts)})
    return {line.id: line for line in map(_receipt, rows) if line.id in ids}


async def ids_between(
    reader: Reader, source: Source, begin: Position, before: Position
) -> AsyncIterator[str]:
    """Yield the ids of the stored lines of one kind between two positions; `reader` as for `lines_of`."""
    statement = {
        Source.CHECK: select(check.c.id).where(check.c.id >= begin.check, check.c.id < before.check),
        Source.ACT: select(audit.c.id).where(audit.c.id >= begin.act, audit.c.id < before.act),
        Source.RECEIPT: select(_RECEIPT_ID).where(
            receipt.c.at >= begin.receipt, receipt.c.at < before.receipt
        ),
    }[source]
    for identity in (await reader.run(statement)).scalars():
        yield identity


async def count_from(checks: Reader, register: Reader, begin: Position) -> int:
    """Count the lines from a position on."""
    found = 0
    for reader, column, first in (
        (checks, check.c.id, begin.check),
        (register, audit.c.id, begin.act),
        (register, receipt.c.at, begin.receipt),
    ):
        found += (await reader.run(select(func.count()).where(column >= first))).scalar_one()
    return found


async def count_checks(reader: Reader, first: str, before: str, most: int) -> int:
    """Count the checks from one id until before another, at most `most`."""
    some = select(check.c.id).where(check.c.id >= first, check.c.id < before).limit(most).subquery()
    return int((await reader.run(select(func.count()).select_from(some))).scalar_one())


async def add_batch(unit: Unit, new: Batch) -> None:
    """Store a batch."""
    values = {
        "number": new.number,
        "at": new.at,
        "lines": new.text,
        "root": new.root,
        "first_check": new.first_check,
        "reached_check": new.reached.check,
        "reached_act": new.reached.act,
        "reached_receipt": new.reached.receipt,
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
        reached=Position(row.reached_check, row.reached_act, row.reached_receipt),
        salt=row.salt,
        commitments=row.commitments,
    )


async def newest_batch(reader: Reader) -> Batch | None:
    """Return the newest batch. Returns None before the first."""
    row = (await reader.run(select(batch).order_by(batch.c.number.desc()).limit(1))).first()
    return None if row is None else _batch(row)


async def batches_after(reader: Reader, number: int, limit: int) -> list[Batch]:
    """Return batches in order, after one with a number, at most `limit`."""
    statement = select(batch).where(batch.c.number > number).order_by(batch.c.number).limit(limit)
    return [_batch(row) for row in await reader.run(statement)]


async def find_batch(reader: Reader, number: int) -> Batch | None:
    """Return a batch by its number. Returns None if there is none."""
    row = (await reader.run(select(batch).where(batch.c.number == number))).first()
    return None if row is None else _batch(row)


async def find_salted_batch(reader: Reader, before: str) -> Batch | None:
    """Return a batch that has its salt and a check before an id. Returns None if there is none."""
    statement = select(batch).where(batch.c.first_check < before, batch.c.salt.is_not(None))
    row = (await reader.run(statement.order_by(batch.c.first_check).limit(1))).first()
    return None if row is None else _batch(row)


async def replace_salt(unit: Unit, number: int, commitments: bytes) -> None:
    """Store the commitments of a batch, and erase its salt."""
    statement = update(batch).where(batch.c.number == number)
    await unit.run(statement.values(salt=None, commitments=commitments))


def _newest_seal() -> ScalarSelect[int]:
    return select(func.coalesce(func.max(seal.c.batch), 0)).scalar_subquery()


async def newest_sealed(reader: Reader) -> int:
    """Return the number of the newest batch with a record in the ledger; 0 before the first."""
    return int((await reader.run(select(_newest_seal()))).scalar_one())


async def add_seal(unit: Unit, number: int, sequence: int) -> None:
    """Store which record seals a batch."""
    await unit.run(insert(seal).values(batch=number, sequence=sequence))


async def sequences_of(reader: Reader, first: int, last: int) -> dict[int, int]:
    """Return the numbers of the records that seal some batches, by the batches' numbers."""
    statement = select(seal.c.batch, seal.c.sequence).where(seal.c.batch.between(first, last))
    return {row.batch: row.sequence for row in await reader.run(statement)}
