"""Renewal of name keys after a change of the rules, while the register is in use."""

from collections.abc import Iterable

from app.db.unit import Unit
from app.register.entries import store
from app.register.entries.names.index import list_outdated

__all__ = ["list_outdated", "renew_names"]


async def renew_names(unit: Unit, entry_ids: Iterable[str]) -> int:
    """Make all lookup keys of the entries with these ids anew, unless the person was erased. Returns their number.

    Raises:
        NotFound: there is no entry with one of these ids.
    """
    renewed = 0
    for entry_id in sorted(entry_ids):  # in the order of all locks on entries, so that no deadlock occurs
        entry = await store.lock(unit, entry_id)
        if entry.erased_at is None:  # it may have been erased since it was listed
            await store.rekey(unit, entry)
            renewed += 1
    return renewed
