"""SQL statements on places: agencies, checkpoints and offices.

The access version is a number; when it is raised, every process looks up its callers and their offices again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Table, bindparam, insert, select, update

from app.access import tables
from app.access.domain import Agency, Checkpoint, Office, P
from app.access.store import bump, page_of
from app.db.driver import CompiledStatement
from app.db.types import any_of
from app.db.unit import Reader, Unit

_json = msgspec.json.encode
_plain = msgspec.json.decode

_TABLES: Final[Mapping[type, Table]] = {
    Agency: tables.agency,
    Checkpoint: tables.checkpoint,
    Office: tables.office,
}
_LOCKED_AGENCY = CompiledStatement(
    select(tables.agency).where(tables.agency.c.code == bindparam("code")).with_for_update(key_share=True)
)
_ACTIVE = CompiledStatement(
    select(tables.checkpoint.c.code).where(
        any_of(tables.checkpoint.c.code, "codes"), tables.checkpoint.c.active.is_(True)
    )
)


def _read(kind: type[P], values: Mapping[Any, Any]) -> P:
    if kind is Agency:
        values = {**values, "legal_forms": tuple(_plain(values["legal_forms"]))}
    return kind(**values)


def _values(place: Agency | Checkpoint | Office) -> dict[str, Any]:
    values = {name: getattr(place, name) for name in place.__slots__}
    if isinstance(place, Agency):
        values["legal_forms"] = _json(place.legal_forms).decode()
    return values


async def find_place(reader: Reader, kind: type[P], code: str) -> P | None:
    """Return the place of this kind and code; None without one."""
    table = _TABLES[kind]
    row = (await reader.run(select(table).where(table.c.code == code))).first()
    return _read(kind, row._mapping) if row else None


async def lock_place(unit: Unit, kind: type[P], code: str) -> P | None:
    """Return the place of this kind and code, and lock its row until the commit; None if the place does not exist.

    In the second case other calls for unknown places wait until the commit, so that no place is added twice.
    """
    await _lock_row(unit, _TABLES[kind], code)
    return await find_place(unit, kind, code)


async def lock_version(unit: Unit, place: Agency | Checkpoint | Office) -> int:
    """Return the stored version of a place, and lock its row until the commit.

    Raises:
        NoResultFound: the place is not stored.
    """
    table = _TABLES[type(place)]
    await _lock_row(unit, table, place.code)
    return int((await unit.run(select(table.c.version).where(table.c.code == place.code))).scalar_one())


async def _lock_row(unit: Unit, table: Table, code: str) -> None:
    row = select(table.c.code).where(table.c.code == code).with_for_update(key_share=True)
    if (await unit.run(row)).first() is None:
        await unit.run(
            select(tables.state.c.id).with_for_update(key_share=True)
        )  # one row that always exists


async def lock_agency(unit: Unit, code: str) -> Agency | None:
    """Return an agency and lock its row until the commit; None for an unknown code.

    A transaction that adds an entry of the agency takes this lock first, which prevents duplicates.
    """
    rows = await _LOCKED_AGENCY.run(unit, {"code": code})
    return _read(Agency, dict(zip(tables.agency.c.keys(), rows[0], strict=True))) if rows else None


async def lock_agencies(unit: Unit) -> None:
    """Lock every agency, in the order of their codes; new measures then wait for the commit."""
    table = tables.agency
    await unit.run(select(table.c.code).order_by(table.c.code).with_for_update(key_share=True))


async def list_places(
    reader: Reader, kind: type[P], after: str | None, limit: int, **only: str | None
) -> list[P]:
    """Return the places of a kind, sorted by code, at most `limit`, only those after the code `after` (None: all).

    `only` are conditions: the value that the column of each name must have; None means any.
    """
    table = _TABLES[kind]
    conditions = [table.c[column] == value for column, value in only.items() if value is not None]
    return [_read(kind, row) for row in await page_of(reader, table, table.c.code, after, limit, *conditions)]


async def list_active(reader: Reader, codes: Iterable[str]) -> frozenset[str]:
    """Return those of the codes that belong to active checkpoints; unknown codes are omitted."""
    return frozenset(code for (code,) in await _ACTIVE.run(reader, {"codes": sorted(codes)}))


async def add_offices(unit: Unit, offices: Sequence[Office]) -> int:
    """Insert the offices with codes that are not stored yet, and raise the access version if there are any.

    Returns the number of inserted offices.
    """
    known = set((await unit.run(select(tables.office.c.code))).scalars())
    rows = [_values(office) for office in offices if office.code not in known]
    if rows:
        await unit.run(insert(tables.office), rows)
        await bump(unit)
    return len(rows)


async def save(unit: Unit, place: Agency | Checkpoint | Office) -> None:
    """Insert or replace a place.

    A changed office raises the access version, because its officers may see another province's data from now on.
    """
    table, values = _TABLES[type(place)], _values(place)
    changed = await unit.run(update(table).where(table.c.code == place.code).values(**values))
    if changed.rowcount == 0:  # type: ignore[attr-defined]  # an update's result is a CursorResult
        await unit.run(insert(table).values(**values))
    if isinstance(place, Office):
        await bump(unit)
