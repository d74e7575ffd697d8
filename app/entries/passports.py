"""Passports that were found after others had been withdrawn, or after the measure had begun (R42)."""

from app.db.unit import Unit
from app.entries import recorded
from app.entries.deadlines import DeadlineName, passports
from app.entries.domain import Entry


async def found_later(unit: Unit, entry: Entry, before: Entry) -> Entry:
    """The entry, with now as the time since when its passports are to be withdrawn where one was found just now.

    A passport that is found while the withdrawal of another is still due is withdrawn with it, by the same day.

    Args:
        unit: the transaction.
        entry: as it will be stored.
        before: what was known until now: the entry before its correction, or the urgent one that it takes over from.
    """
    known = passports(before)
    if not passports(entry) - known:
        return entry
    ids = {before.id, entry.id, *filter(None, (entry.formalises,))}
    if known and not await recorded.was_done(unit, ids, DeadlineName.WITHDRAW_PASSPORT):
        return entry
    return entry.replace(passports_since=unit.now)
