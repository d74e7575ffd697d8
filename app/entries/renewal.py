"""Keys made anew after a change of the rules, beside the register's use."""

from app.db.unit import Unit
from app.entries import name_keys, store


async def renew_names(unit: Unit, limit: int) -> int:
    """Make the keys of some entries anew; how many. Fewer than `limit` means that none is left."""
    outdated = await name_keys.list_outdated(unit, limit)
    for entry_id in outdated:
        await store.rekey(unit, await store.lock(unit, entry_id))
    return len(outdated)
