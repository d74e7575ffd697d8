"""Every SQL statement about agencies, checkpoints and offices."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import bindparam, insert, select, update

from app.access import tables
from app.access.domain import Agency, Checkpoint, Office
from app.access.store import bump, page_of
from app.db.types import any_of
from app.db.unit import Reader, Unit

_json = msgspec.json.encode
_plain = msgspec.json.decode

_HELD_AGENCY = select(tables.agency).where(tables.agency.c.code == bindparam("code")).with_for_update()
_ACTIVE = select(tables.checkpoint.c.code).where(
    any_of(tables.checkpoint.c.code, "codes"), tables.checkpoint.c.active.is_(True)
)


async def hold_agency(unit: Unit, code: str) -> Agency | None:
    """An agency as `lock_agency` gives it; where there is none yet, nobody else can add it meanwhile."""
    await _hold(unit, tables.agency, code)
    return await find_agency(unit, code)


async def hold_checkpoint(unit: Unit, code: str) -> Checkpoint | None:
    """A checkpoint, held against other writers; where there is none yet, nobody else can add it meanwhile."""
    await _hold(unit, tables.checkpoint, code)
    return await find_checkpoint(unit, code)


async def hold_office(unit: Unit, code: str) -> Office | None:
    """An office, held against other writers; where there is none yet, nobody else can add it meanwhile."""
    await _hold(unit, tables.office, code)
    return await find_office(unit, code)


async def _hold(unit: Unit, table: Any, code: str) -> None:
    row = select(table.c.code).where(table.c.code == code).with_for_update()
    if (await unit.run(row)).first() is None:
        await unit.run(select(tables.state.c.id).with_for_update())  # one row that is always there


async def list_agencies(reader: Reader, after: str | None, limit: int) -> list[Agency]:
    """Agencies by code."""
    return [_agency(row) for row in await page_of(reader, tables.agency, tables.agency.c.code, after, limit)]


async def list_checkpoints(reader: Reader, after: str | None, limit: int) -> list[Checkpoint]:
    """Checkpoints by code."""
    rows = await page_of(reader, tables.checkpoint, tables.checkpoint.c.code, after, limit)
    return [Checkpoint(**row) for row in rows]


async def list_offices(
    reader: Reader, after: str | None, limit: int, *, agency: str | None, province: str | None
) -> list[Office]:
    """Offices by code; only those of an agency, or in a province, where one is named."""
    t = tables.office
    wanted = [
        column == value
        for column, value in ((t.c.agency, agency), (t.c.province, province))
        if value is not None
    ]
    return [Office(**row) for row in await page_of(reader, t, t.c.code, after, limit, *wanted)]


def _agency(values: Mapping[Any, Any]) -> Agency:
    return Agency(**{**values, "legal_forms": tuple(_plain(values["legal_forms"]))})


async def find_agency(reader: Reader, code: str) -> Agency | None:
    """An agency."""
    row = (await reader.run(select(tables.agency).where(tables.agency.c.code == code))).first()
    return _agency(row._mapping) if row else None


async def lock_agency(unit: Unit, code: str) -> Agency | None:
    """An agency, held against other writers: one new entry of an agency at a time, so none slips in twice."""
    row = (await unit.run(_HELD_AGENCY, {"code": code})).first()
    return _agency(row._mapping) if row else None


async def find_checkpoint(reader: Reader, code: str) -> Checkpoint | None:
    """A checkpoint."""
    row = (await reader.run(select(tables.checkpoint).where(tables.checkpoint.c.code == code))).first()
    return Checkpoint(**row._mapping) if row else None


async def list_active(reader: Reader, codes: Iterable[str]) -> frozenset[str]:
    """Those of the codes that are an active checkpoint's."""
    return frozenset((await reader.run(_ACTIVE, {"codes": sorted(codes)})).scalars())


async def find_office(reader: Reader, code: str) -> Office | None:
    """An office."""
    row = (await reader.run(select(tables.office).where(tables.office.c.code == code))).first()
    return Office(**row._mapping) if row else None


async def add_offices(unit: Unit, offices: Sequence[Office]) -> int:
    """Insert those that are not there yet; how many were."""
    known = set((await unit.run(select(tables.office.c.code))).scalars())
    rows = [
        {name: getattr(office, name) for name in office.__slots__}
        for office in offices
        if office.code not in known
    ]
    if rows:
        await unit.run(insert(tables.office), rows)
        await bump(unit)
    return len(rows)


async def save_office(unit: Unit, office: Office) -> None:
    """Insert or replace an office; its people may see another province from now on."""
    await _save(unit, tables.office, {name: getattr(office, name) for name in office.__slots__})
    await bump(unit)


async def save_agency(unit: Unit, agency: Agency) -> None:
    """Insert or replace an agency."""
    values = {name: getattr(agency, name) for name in agency.__slots__}
    values["legal_forms"] = _json(agency.legal_forms).decode()
    await _save(unit, tables.agency, values)


async def save_checkpoint(unit: Unit, checkpoint: Checkpoint) -> None:
    """Insert or replace a checkpoint."""
    await _save(unit, tables.checkpoint, {name: getattr(checkpoint, name) for name in checkpoint.__slots__})


async def _save(unit: Unit, table: Any, values: dict[str, Any]) -> None:
    code = values["code"]
    changed = await unit.run(update(table).where(table.c.code == code).values(**values))
    if changed.rowcount == 0:  # type: ignore[attr-defined]  # an update's result is a CursorResult
        await unit.run(insert(table).values(**values))
