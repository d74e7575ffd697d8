"""Finding out when a passport was added after others were withdrawn, so that it is withdrawn too (R42)."""

from app.db.unit import Unit
from app.register.entries.domain import Entry
from app.register.entries.duties import store as recorded
from app.register.entries.law.deadlines import DeadlineName, passports


async def note_later_passport(unit: Unit, entry: Entry, before: Entry) -> Entry:
    """Return the entry with `passports_since` set to the current time if a new passport needs a withdrawal of its own.

    A passport is new if `entry` has it and `before` does not. It needs its own withdrawal if the earlier passports were
    withdrawn already, or if there were none. If their withdrawal is still open, it covers the new passport too. If no
    passport needs its own withdrawal, `passports_since` is the later value of `entry` and `before`; None if both have
    none.

    Args:
        unit: the transaction.
        entry: the entry as it will be stored.
        before: the entry before its correction, or the urgent one that it takes over from.
    """
    since = max(filter(None, (entry.passports_since, before.passports_since)), default=None)
    entry = entry.replace(passports_since=since)
    known = passports(before)
    if not passports(entry) - known:
        return entry
    ids = {before.id, entry.id, *filter(None, (entry.formalises,))}
    if known and not await recorded.was_done(unit, ids, DeadlineName.WITHDRAW_PASSPORT, since):
        return entry
    return entry.replace(passports_since=unit.now)
