"""SQL statements on changes that wait for a second admin."""

from typing import Any

import msgspec
from sqlalchemy import and_, insert, or_, select, update

from app.access import tables
from app.access.domain import Standing
from app.access.pending.domain import ChangeKind, ChangeState, PendingChange
from app.access.store import page_of
from app.actor import Actor
from app.db.unit import Reader, Unit
from app.errors import NotFound

_json = msgspec.json.encode
_plain = msgspec.json.decode
_change = tables.pending_change


def _read(row: Any) -> PendingChange:
    return PendingChange(
        **{
            **row,
            "kind": ChangeKind(row["kind"]),
            "state": ChangeState(row["state"]),
            "proposed": None if row["proposed"] is None else _plain(row["proposed"]),
        }
    )


async def add_change(unit: Unit, change: PendingChange) -> None:
    """Store a new change."""
    values = {name: getattr(change, name) for name in change.__slots__}
    values["proposed"] = None if change.proposed is None else _json(change.proposed).decode()
    await unit.run(insert(_change).values(**values))


async def get_change(unit: Unit, change_id: str, *, held: bool = False) -> PendingChange:
    """Return the change with this id; `held` is whether its row is locked until the commit.

    Raises:
        NotFound: there is no change with this id.
    """
    statement = select(_change).where(_change.c.id == change_id)
    row = (await unit.run(statement.with_for_update(key_share=True) if held else statement)).first()
    if row is None:
        raise NotFound("There is no such change.")
    return _read(row._mapping)


async def drop_changes(unit: Unit, kind: ChangeKind, about: str) -> None:
    """Mark the waiting changes of an object as dropped; `about` is its code or id."""
    mine = (_change.c.kind == kind, _change.c.about == about, _change.c.state == ChangeState.PENDING)
    await unit.run(update(_change).where(*mine).values(state=ChangeState.DROPPED))


async def find_pending(reader: Reader, kind: ChangeKind, about: str) -> PendingChange | None:
    """Return the waiting change of the object with this code or id, which has at most one; None without one."""
    mine = (_change.c.kind == kind, _change.c.about == about, _change.c.state == ChangeState.PENDING)
    row = (await reader.run(select(_change).where(*mine))).first()
    return _read(row._mapping) if row else None


async def set_confirmed(unit: Unit, change_id: str) -> None:
    """Store that the unit's actor has confirmed a change."""
    values = {
        "state": ChangeState.CONFIRMED,
        "confirmed_at": unit.now,
        "confirmed_by": unit.actor.client_id,
    }
    await unit.run(update(_change).where(_change.c.id == change_id).values(**values))


async def list_pending(reader: Reader, after: str | None, limit: int) -> list[PendingChange]:
    """Return the waiting changes, oldest first, at most `limit`, only those after the id `after` (None: all)."""
    only = _change.c.state == ChangeState.PENDING
    return [_read(row) for row in await page_of(reader, _change, _change.c.id, after, limit, only)]


async def is_suspended(reader: Reader, actor: Actor) -> bool:
    """Return whether the actor's account no longer works, or another account of the same person is suspended."""
    t = tables.client
    own = and_(t.c.id == actor.client_id, t.c.standing != Standing.ACTIVE)
    other = and_(t.c.person_key == actor.person, t.c.standing == Standing.SUSPENDED)
    return (await reader.run(select(t.c.id).where(or_(own, other)))).first() is not None
