"""SQL statements of the worklist, which select by columns, so that few documents have to be read."""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import select

from app.db.types import any_of
from app.db.unit import Reader
from app.register.amendments.domain import OPEN, AmendmentKind
from app.register.amendments.tables import amendment as amendment_table
from app.register.entries.domain import State
from app.register.entries.law.deadlines import Terms
from app.register.entries.store import extendable
from app.register.entries.tables import entry as entry_table


async def list_extendable(
    reader: Reader, agency: str, until: datetime, terms: Terms, limit: int
) -> list[tuple[str, date]]:
    """Return an agency's measures with an extension left, as pairs of entry id and last day, soonest end first.

    Only measures that are not over and end by the instant `until`, at most `limit`. Whether their case has used all its
    periods is not considered. `terms` has the deployment's legal limits, such as the number of extensions of a measure.
    """
    table = entry_table
    statement = (
        select(table.c.id, table.c.ends_on)
        .where(
            extendable(terms),
            table.c.agency == agency,
            table.c.in_force_until > reader.now,
            table.c.in_force_until <= until,
        )
        .order_by(table.c.in_force_until, table.c.id)
        .limit(limit)
    )
    return [(entry_id, ends_on) for entry_id, ends_on in await reader.run(statement)]


_FORMALISED = select(entry_table.c.formalises).where(
    any_of(entry_table.c.formalises, "ids"), entry_table.c.state.not_in([State.REJECTED, State.ENDED])
)
_BEING_EXTENDED = select(amendment_table.c.entry_id).where(
    any_of(amendment_table.c.entry_id, "ids"),
    amendment_table.c.kind == AmendmentKind.EXTENSION,
    amendment_table.c.state.in_(sorted(OPEN)),
)


async def list_formalised(reader: Reader, urgent_ids: Collection[str]) -> set[str]:
    """Return, of the given ids of urgent entries, those with a formal entry that is neither rejected nor ended."""
    return set((await reader.run(_FORMALISED, {"ids": sorted(urgent_ids)})).scalars())


async def list_being_extended(reader: Reader, entry_ids: Collection[str]) -> set[str]:
    """Return, of the given entry ids, those of entries with an extension that waits for its decision."""
    return set((await reader.run(_BEING_EXTENDED, {"ids": sorted(entry_ids)})).scalars())
