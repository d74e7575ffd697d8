"""The SQL of instants at which an entry is answered otherwise by time alone: no record of the ledger falls on them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, true

from app.db.documents import Documents
from app.db.types import any_of
from app.db.unit import Reader
from app.entries.domain import Entry
from app.entries.tables import entry as table

_documents = Documents(Entry)


def undecided(now: datetime) -> ColumnElement[bool]:
    """Whether an entry's period is over and its papers are undecided (R68), as a condition on the table of entries."""
    return and_(table.c.pending_until > now, table.c.in_force_until <= now)


async def list_turned(reader: Reader, after: datetime, until: datetime) -> dict[str, datetime]:
    """The entries that checks answer otherwise since an instant between two, each with that instant.

    A period begins, or one is over whose papers are undecided.
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
    """Those of the entries whose period is over and whose papers are undecided, each with until when that may be."""
    statement = select(table.c.id, table.c.pending_until).where(
        undecided(reader.now), any_of(table.c.id, "ids")
    )
    rows = await reader.run(statement, {"ids": sorted(entry_ids)})
    return {entry_id: until for entry_id, until in rows}  # noqa: C416 - rows are no pairs


async def list_undecided(reader: Reader) -> list[Entry]:
    """The entries whose period is over and whose papers are undecided, the first to end for good first."""
    statement = select(table.c.document).where(undecided(reader.now))
    return await _documents.all(reader, statement.order_by(table.c.pending_until, table.c.id))
