"""The history of an entry: its versions, and the duties done for it."""

from typing import Any

from app.db.unit import Reader
from app.ledger.service import sequences_of_entry
from app.register.entries import store
from app.register.entries.duties import store as recorded
from app.register.entries.service import get


async def history(reader: Reader, entry_id: str) -> list[dict[str, Any]]:
    """Return the steps of an entry's history, oldest first: its versions, and the duties done for it.

    A step is a dict with the members of `HistoryItemOut`: `version`, `event` (the act's or duty's name), `by`, `at`,
    `reason` (None without one) and `sequence`, the number of the step's ledger record (None without one). A duty makes
    no version; its step has the version that the entry had when the duty was recorded.

    Raises:
        NotFound: the actor sees no entry with this id.
    """
    await get(reader, entry_id)
    sequences = await sequences_of_entry(reader, entry_id)
    steps = await store.list_history(reader, entry_id)
    items = [{**step, "sequence": sequences.get(step["version"])} for step in steps]
    items += [
        {
            "version": done.version,
            "event": done.name,
            "by": done.by,
            "at": done.recorded_at,
            "reason": done.note,
            "sequence": None,
        }
        for done in await recorded.list_duties(reader, entry_id)
    ]
    return sorted(items, key=lambda step: (step["version"], step["at"]))
