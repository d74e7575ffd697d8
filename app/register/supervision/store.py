"""SQL statements on supervision reports; they do not check who may read a report."""

from typing import Any

from sqlalchemy import Row, func, insert, select, update

from app.db.documents import Documents, document
from app.db.unit import Reader, Unit
from app.register.supervision.domain import Observed, Report
from app.register.supervision.tables import report as table

_documents = Documents(Observed)


def _report(row: Row[*tuple[Any, ...]]) -> Report:
    values = dict(row._mapping)
    observed = _documents.read(values.pop("document"))
    return Report(**values, observed=observed)


async def next_ordinal(unit: Unit, year: int) -> int:
    """Return the next free number of a year's reports; the transaction must hold Immigration's lock (`lock_agency`)."""
    last = select(func.max(table.c.ordinal)).where(table.c.year == year)
    return int((await unit.run(last)).scalar_one() or 0) + 1


async def add(unit: Unit, report: Report) -> None:
    """Store a new report."""
    values = {column.name: getattr(report, column.name) for column in table.c if column.name != "document"}
    await unit.run(insert(table).values(**values, document=document(report.observed)))


async def find(reader: Reader, report_id: str) -> Report | None:
    """Return the report with this id; None if there is none."""
    row = (await reader.run(select(table).where(table.c.id == report_id))).first()
    return _report(row) if row else None


async def list_unerased(reader: Reader, before: str, after: str, limit: int) -> list[str]:
    """Return ids of reports from which the foreigner was not erased yet, oldest first, at most `limit`.

    `after` and `before` are report ids: only reports between them are returned.
    """
    bounds = (table.c.id > after, table.c.id < before)
    statement = select(table.c.id).where(table.c.erased_at.is_(None), *bounds).order_by(table.c.id)
    return list((await reader.run(statement.limit(limit))).scalars())


async def erase(unit: Unit, report: Report) -> None:
    """Erase the foreigner, place and findings from a stored report."""
    left = {"document": document(report.observed.erased()), "erased_at": unit.now}
    await unit.run(update(table).where(table.c.id == report.id).values(**left))


async def list_page(reader: Reader, province: str | None, before: str | None, limit: int) -> list[Report]:
    """Return reports of a province (None: of all), newest first, at most `limit`.

    Only reports older than the id `before`; None begins with the newest.
    """
    statement = select(table).order_by(table.c.id.desc()).limit(limit)
    if province is not None:
        statement = statement.where(table.c.province == province)
    if before is not None:
        statement = statement.where(table.c.id < before)
    return [_report(row) for row in await reader.run(statement)]
