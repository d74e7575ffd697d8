"""SQL statements that erase the questions of old checks, and store how far that has come."""

from collections.abc import Iterable

from sqlalchemy import and_, insert, not_, select, update

from app.border.checks import tables
from app.db.unit import Unit
from app.kit.ids import bound_after

Span = tuple[str, str]
"""A span of checks, by their ids: from the first id on, and before the second one."""

_table, _mark = tables.check, tables.ageing


async def forget_questions(unit: Unit, cutoff: str, limit: int, kept: Iterable[Span]) -> int:
    """Erase the questions of checks with an id before `cutoff`, oldest first, of at most `limit` checks.

    Continues where the last call stopped; a position beyond the cutoff, left by a wrong clock, is set back to it.
    The questions in the spans `kept` stay, and are not erased by later calls either before `forget_again_from`.

    Returns the number of processed checks; if less than `limit`, all questions before the cutoff are erased.
    """
    begin = (await unit.run(select(_mark.c.erased_before))).scalar_one_or_none()
    if begin is None:
        begin = ""
        await unit.run(insert(_mark).values(id=1, erased_before=begin))
    elif begin > cutoff:
        await unit.run(update(_mark).values(erased_before=cutoff))
    span = (_table.c.id >= begin, _table.c.id < cutoff)
    statement = select(_table.c.id).where(*span).order_by(_table.c.id).limit(limit)
    old = list((await unit.run(statement)).scalars())
    if not old:
        return 0
    end = cutoff if len(old) < limit else bound_after(old[-1])
    others = [not_(and_(_table.c.id >= first, _table.c.id < before)) for first, before in kept]
    await unit.run(
        update(_table).where(_table.c.id >= begin, _table.c.id < end, *others).values(question=None)
    )
    await unit.run(update(_mark).values(erased_before=end))
    return len(old)


async def forget_again_from(unit: Unit, check_id: str) -> None:
    """Let `forget_questions` continue at the check with this id, if it has come further already."""
    await unit.run(update(_mark).where(_mark.c.erased_before > check_id).values(erased_before=check_id))
