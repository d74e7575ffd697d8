"""Every SQL statement of opening hours."""

import logging
from collections.abc import Collection, Container, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select, update

from app.access.tables import checkpoint as checkpoint_table
from app.alerting.hours import tables
from app.alerting.hours.domain import Closure, DatedOpenings, Hours, Schedule, Span, WeeklyOpening
from app.db.types import Instant, any_of
from app.db.unit import Reader, Unit

logger = logging.getLogger(__name__)

_weekly = msgspec.json.Decoder(tuple[WeeklyOpening, ...])
_exceptions = msgspec.json.Decoder(tuple[DatedOpenings, ...])
_json = msgspec.json.encode

_LATER = tables.closure.c.ends_at > bindparam("at", type_=Instant())
_SCHEDULES = (
    select(
        checkpoint_table.c.code,
        checkpoint_table.c.zone,
        *(column for column in tables.hours.c if column.name != "checkpoint"),
        tables.closure.c.begins_at,
        tables.closure.c.ends_at,
    )
    .outerjoin(tables.hours, tables.hours.c.checkpoint == checkpoint_table.c.code)
    .outerjoin(tables.closure, (tables.closure.c.checkpoint == checkpoint_table.c.code) & _LATER)
    .where(any_of(checkpoint_table.c.code, "codes"))
)
_CLOSURES = (
    select(tables.closure)
    .where(tables.closure.c.checkpoint == bindparam("code"), _LATER)
    .order_by(tables.closure.c.begins_at, tables.closure.c.id)
)


def _hours(row: Mapping[Any, Any]) -> Hours:
    return Hours(
        weekly=_weekly.decode(row["weekly"]),
        exceptions=_exceptions.decode(row["exceptions"]),
        closed_on_holidays=row["closed_on_holidays"],
        standby=row["standby"],
        version=row["version"],
    )


def _read(code: str, row: Mapping[Any, Any]) -> tuple[ZoneInfo, Hours]:
    """Return the time zone and the hours in a row; if one can't be read, the default hours, and the error is logged.

    With them the checkpoint counts as open around the clock, so that its people miss no alert.
    """
    try:
        return ZoneInfo(row["zone"]), Hours() if row["version"] is None else _hours(row)
    except (msgspec.DecodeError, ValueError, ZoneInfoNotFoundError):
        logger.exception("the hours of a checkpoint can't be read", extra={"checkpoint": code})
        return ZoneInfo("UTC"), Hours(version=row["version"] or 0)


async def list_schedules(
    reader: Reader, codes: Collection[str], at: datetime, holidays: Container[date]
) -> dict[str, Schedule]:
    """Return the schedules of these checkpoints, by code; unknown codes are omitted.

    A schedule has the planned closures that are not over at the instant `at`, and the public holidays `holidays`. A
    checkpoint whose hours were never set, or can't be read, has the default, around the clock.
    """
    schedules: dict[str, Schedule] = {}
    closures: dict[str, list[Span]] = {}
    for row in (await reader.run(_SCHEDULES, {"codes": sorted(codes), "at": at})).mappings():
        code = row["code"]
        spans = closures.setdefault(code, [])
        if code not in schedules:
            schedules[code] = Schedule(*_read(code, row), spans, holidays)
        if row["begins_at"] is not None:
            spans.append(Span(row["begins_at"], row["ends_at"]))
    return schedules


async def find_version(reader: Reader, code: str) -> int:
    """Return the version of the hours of the checkpoint with this code; 0 if none were set."""
    statement = select(tables.hours.c.version).where(tables.hours.c.checkpoint == code)
    return (await reader.run(statement)).scalar_one_or_none() or 0


async def save_hours(unit: Unit, code: str, hours: Hours) -> None:
    """Store the opening hours of a checkpoint: insert them for version 1, else replace the stored ones.

    The stored version is not compared.
    """
    values = {
        "weekly": _json(hours.weekly).decode(),
        "exceptions": _json(hours.exceptions).decode(),
        "closed_on_holidays": hours.closed_on_holidays,
        "standby": hours.standby,
        "version": hours.version,
    }
    if hours.version == 1:
        await unit.run(insert(tables.hours).values(checkpoint=code, **values))
    else:
        await unit.run(update(tables.hours).where(tables.hours.c.checkpoint == code).values(**values))


async def list_closures(reader: Reader, code: str) -> list[Closure]:
    """Return the closures of a checkpoint that are not over, earliest beginning first."""
    rows = await reader.run(_CLOSURES, {"code": code, "at": reader.now})
    return [Closure(row.id, Span(row.begins_at, row.ends_at), row.reason) for row in rows]


async def count_closures(reader: Reader, code: str) -> int:
    """Return the number of closures of a checkpoint that are not over."""
    statement = select(func.count()).where(tables.closure.c.checkpoint == code, _LATER)
    return int((await reader.run(statement, {"at": reader.now})).scalar_one())


async def add_closure(unit: Unit, code: str, closure: Closure) -> None:
    """Store a planned closure of a checkpoint."""
    await unit.run(
        insert(tables.closure).values(
            id=closure.id,
            checkpoint=code,
            begins_at=closure.span.begins,
            ends_at=closure.span.ends,
            reason=closure.reason,
        )
    )


async def remove_closure(unit: Unit, code: str, closure_id: str) -> bool:
    """Delete a closure of a checkpoint, unless it is over. Returns whether a closure was deleted."""
    statement = delete(tables.closure).where(
        tables.closure.c.id == closure_id, tables.closure.c.checkpoint == code, _LATER
    )
    removed = await unit.run(statement, {"at": unit.now})
    return bool(removed.rowcount)  # type: ignore[attr-defined]  # a delete's result is a CursorResult
