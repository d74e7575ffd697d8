"""SQL on the instants at which a check's answer about an entry changes by time alone, before any ledger record."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, true

from app.db.documents import Documents
from app.db.pages import Position, follows
from app.db.types import any_of
from app.db.unit import Reader
from app.register.entries.domain import Entry, State
from app.register.entries.store import runs
from app.register.entries.tables import entry as table

_documents = Documents(Entry)


def undecided(now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition that an entry's period is over at `now`, and that it waits for a decision (R68).

    It waits for papers that arrived in time: an extension, or its formal entry.
    """
    return and_(table.c.pending_until > now, table.c.in_force_until <= now)


async def list_overdue(reader: Reader, after: Position | None, limit: int) -> list[Position]:
    """Return the entries that are over, wait for no papers and have no stored end, as pairs of end and id.

    The earliest end comes first. At most `limit` are returned, only those after the pair `after` (None: the first).
    """
    order = (table.c.in_force_until, table.c.id)
    statement = select(*order).where(
        or_(
            table.c.state.in_([State.PROVISIONAL, State.ACTIVE]),
            and_(table.c.state == State.SUBMITTED, table.c.urgent),
        ),
        table.c.in_force_until <= reader.now,
        ~runs(reader.now),
        follows(after, *order),
    )
    return [(end, entry_id) for end, entry_id in await reader.run(statement.order_by(*order).limit(limit))]


async def list_turned(reader: Reader, after: datetime, until: datetime) -> dict[str, datetime]:
    """Return the entries about which checks answer differently by time alone, with the instant of the change, by id.

    The answer changes when a period begins, and when a period ends while papers are undecided: from then on checks
    refer and no longer refuse (R68). Other ends have a ledger record and are left out. Only changes after the instant
    `after`, up to and including `until`, are returned. If an entry has both changes in this time, the end is returned.
    """
    turned: dict[str, datetime] = {}
    for moment, condition in (
        (table.c.in_force_from, true()),
        (table.c.in_force_until, undecided(until)),
    ):
        statement = select(table.c.id, moment).where(moment > after, moment <= until, condition)
        turned |= {entry_id: turn for entry_id, turn in await reader.run(statement)}  # noqa: C416 - rows are no pairs
    return turned


async def list_pending(reader: Reader, entry_ids: Collection[str]) -> dict[str, datetime]:
    """Return, by id, the instant at which the wait for papers ends, for those of the entries that are over and wait.

    Ids of other entries, and unknown ids, are left out; seals are not checked.
    """
    statement = select(table.c.id, table.c.pending_until).where(
        undecided(reader.now), any_of(table.c.id, "ids")
    )
    rows = await reader.run(statement, {"ids": sorted(entry_ids)})
    return {entry_id: until for entry_id, until in rows}  # noqa: C416 - rows are no pairs


async def list_undecided_ids(reader: Reader) -> list[str]:
    """Return the ids of the entries whose period is over while papers are undecided, sorted; seals are not checked."""
    return list(
        (await reader.run(select(table.c.id).where(undecided(reader.now)).order_by(table.c.id))).scalars()
    )


async def list_undecided(reader: Reader) -> list[Entry]:
    """Return the entries whose period is over while papers are undecided; the first wait to end comes first.

    Seals are not checked.
    """
    statement = select(table.c.document).where(undecided(reader.now))
    return await _documents.all(reader, statement.order_by(table.c.pending_until, table.c.id))
