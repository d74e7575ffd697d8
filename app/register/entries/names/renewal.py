"""Renewal of name keys after a change of the rules, while the register is in use."""

from app.db.unit import Unit
from app.register.entries import store
from app.register.entries.names import index as name_keys


async def renew_names(unit: Unit, limit: int) -> int:
    """Make all lookup keys anew for up to `limit` entries with name keys by older rules. Returns their number.

    A number below `limit` means that no such entry is left.
    """
    outdated = await name_keys.list_outdated(unit, limit)
    for entry_id in sorted(outdated):  # in the order of all locks on entries, so that no deadlock occurs
        await store.rekey(unit, await store.lock(unit, entry_id))
    return len(outdated)
